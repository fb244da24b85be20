//! Texts and formats: how the page's language says it.

use shared::{Money, Time};

use super::Page;
use crate::locale::{Count, Formats, Locale, Text};

impl Page {
    /// A text without placeholders.
    pub fn t(&self, key: &str) -> String {
        self.state.texts.get(self.locale, key)
    }

    /// A text with placeholders: `p.text("products-count").number("count", 3)`.
    pub fn text<'a>(&'a self, key: &'a str) -> Text<'a> {
        Text::new(&self.state.texts, self.locale, key)
    }

    /// What an error says to people in their language: by its code where there is a text for it.
    pub fn error(&self, code: &str, detail: &str) -> String {
        let key = format!("error-{}", code.replace('_', "-"));
        if self.state.texts.has(self.locale, &key) { self.t(&key) } else { detail.to_owned() }
    }

    /// The name of a filter or a fact such as `option.colour` or `weight_g`: ours where there is one, else its own words.
    pub fn label(&self, name: &str) -> String {
        let own = name.rsplit('.').next().unwrap_or(name);
        let key = format!("fact-{}", own.to_lowercase().replace(['_', ' '], "-"));
        if self.state.texts.has(self.locale, &key) {
            return self.t(&key);
        }
        let words = own.replace('_', " ");
        let mut letters = words.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    }

    /// How the language writes numbers and dates.
    pub fn formats(&self) -> &Formats {
        &self.state.formats[&self.locale]
    }

    /// `€1,234.50`, for sums.
    pub fn money(&self, money: &Money) -> String {
        self.formats().money(*money)
    }

    /// `€189`, for prices of products.
    pub fn price(&self, money: &Money) -> String {
        self.formats().price(*money)
    }

    /// An amount for a field of a form: `1250.50`, or `1250,50` in German.
    pub fn amount(&self, money: &Money) -> String {
        let text = money.to_decimal();
        if self.locale == Locale::De { text.replace('.', ",") } else { text }
    }

    /// `1,234`.
    pub fn number(&self, number: impl Count) -> String {
        self.formats().number(number.count())
    }

    /// `26 November 2026`.
    pub fn day(&self, time: &Time) -> String {
        self.formats().day(*time)
    }

    /// `26 Nov 2026`.
    pub fn short_day(&self, time: &Time) -> String {
        self.formats().short_day(*time)
    }

    /// `26 Nov 2026, 09:14`.
    pub fn moment(&self, time: &Time) -> String {
        self.formats().moment(*time)
    }

    /// `Thursday 26 November`, from `2026-11-26`.
    pub fn weekday(&self, day: &str) -> String {
        self.formats().weekday(day)
    }
}
