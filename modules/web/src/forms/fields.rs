//! A form's fields: what was entered, and what is wrong with it. A page that shows the form again keeps both.

use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use shared::{Currency, Error, Money};

use crate::Page;

/// Values by name, in the order of the form, and errors by name.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    values: Vec<(String, String)>,
    errors: Vec<(String, String)>,
    /// What is wrong with the whole of it.
    pub problem: Option<String>,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from)
    }
}

impl From<Vec<(String, String)>> for Fields {
    fn from(mut values: Vec<(String, String)>) -> Self {
        values.retain(|(name, _)| name != "_token");
        Self { values, ..Self::default() }
    }
}

impl Fields {
    /// Fills a field, for a form that is shown for the first time.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.values.push((name.to_owned(), value.to_string()));
        self
    }

    /// Replaces a field's value.
    pub fn set(&mut self, name: &str, value: impl ToString) {
        self.values.retain(|(known, _)| known != name);
        self.values.push((name.to_owned(), value.to_string()));
    }

    /// What was entered, without outer spaces; empty if the field is missing.
    pub fn value(&self, name: &str) -> &str {
        self.values.iter().rfind(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }

    /// The value, unless it is empty.
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.value(name)).filter(|value| !value.is_empty())
    }

    /// All values of a field that may be repeated.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.values.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All fields, in the order of the form.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Is the box (or the choice with this value) ticked?
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|known| known == value)
    }

    /// A checkbox without a value of its own.
    pub fn ticked(&self, name: &str) -> bool {
        self.given(name).is_some()
    }

    /// What is wrong with a field.
    pub fn error(&self, name: &str) -> Option<&str> {
        self.errors.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    /// All errors by field, for the summary above the form.
    pub fn errors(&self) -> &[(String, String)] {
        &self.errors
    }

    /// True if anything is wrong.
    pub fn failed(&self) -> bool {
        self.problem.is_some() || !self.errors.is_empty()
    }

    /// Says what is wrong with a field; the first error of a field stays.
    pub fn fail(&mut self, name: &str, text: impl Into<String>) {
        if self.error(name).is_none() {
            self.errors.push((name.to_owned(), text.into()));
        }
    }

    /// A field that must not be empty.
    pub fn required(&mut self, page: &Page, name: &str) -> String {
        let value = self.value(name).to_owned();
        if value.is_empty() {
            self.fail(name, page.error("required", "this is needed"));
        }
        value
    }

    /// A field of a type of ours, such as an e-mail address; empty or wrong ones are noted.
    pub fn parsed<T: FromStr<Err = Error>>(&mut self, page: &Page, name: &str) -> Option<T> {
        let value = self.required(page, name);
        if value.is_empty() {
            return None;
        }
        match value.parse() {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                let (code, detail) =
                    error.fields.first().map_or((error.code.as_ref(), &error.detail), |field| {
                        (field.code.as_str(), &field.detail)
                    });
                self.fail(name, page.error(code, detail));
                None
            }
        }
    }

    /// An amount as people write it, `12.50` or `12,50`; empty is none.
    pub fn money(&mut self, page: &Page, name: &str, currency: Currency) -> Option<Money> {
        let text = self.given(name)?.replace(',', ".");
        let money = Money::from_decimal(&text, currency);
        if money.is_none() {
            self.fail(name, page.error("amount", "this is not an amount"));
        }
        money
    }

    /// A whole number that is not negative; empty is none.
    pub fn count(&mut self, page: &Page, name: &str) -> Option<i64> {
        let count = self.given(name)?.parse().ok().filter(|count: &i64| *count >= 0);
        if count.is_none() {
            self.fail(name, page.error("whole_number", "this is not a whole number"));
        }
        count
    }

    /// A whole number that may be negative; empty is none.
    pub fn change(&mut self, page: &Page, name: &str) -> Option<i64> {
        let text = self.given(name)?.replace(['−', '–'], "-").replace(['%', ' ', '+'], "");
        let change = text.parse().ok();
        if change.is_none() {
            self.fail(name, page.error("whole_number", "this is not a whole number"));
        }
        change
    }

    /// Notes what a port has refused: each wrong field by the last part of its pointer (`/shipping_address/city` is the
    /// field `city`), everything else above the form.
    pub fn refuse(&mut self, page: &Page, error: &Error) {
        if error.fields.is_empty() {
            self.problem = Some(page.error(&error.code, &error.detail));
        }
        for field in &error.fields {
            let name = field.pointer.rsplit('/').next().unwrap_or_default().to_owned();
            let text = page.error(&field.code, &field.detail);
            if self.values.iter().any(|(known, _)| *known == name) {
                self.fail(&name, text);
            } else {
                self.problem = Some(text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Fields;

    fn fields(body: &str) -> Fields {
        serde_html_form::from_str(body).unwrap()
    }

    #[test]
    fn values_are_kept_as_they_were_entered() {
        let form = fields("_token=x&name=+Ada+&tag=a&tag=b&agree=on&empty=");
        assert_eq!(form.value("name"), "Ada");
        assert_eq!(form.all("tag").collect::<Vec<_>>(), ["a", "b"]);
        assert!(form.ticked("agree") && !form.ticked("empty") && form.has("tag", "a"));
        assert_eq!((form.value("missing"), form.value("_token"), form.given("empty")), ("", "", None));
    }

    #[test]
    fn the_first_error_of_a_field_stays() {
        let mut form = fields("name=");
        assert!(!form.failed());
        form.fail("name", "needed");
        form.fail("name", "too short");
        assert_eq!(form.error("name"), Some("needed"));
        assert!(form.failed());
    }
}
