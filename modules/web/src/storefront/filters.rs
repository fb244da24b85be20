//! What a list is narrowed by: read from the query string, and written back into links.

use std::collections::BTreeMap;

use contracts::product::{SearchQuery, Sort};
use shared::PageRequest;

use crate::Page;

/// Products on a page.
pub const PER_PAGE: u32 = 24;
/// How many pages are shown below each other before a new one begins.
const STACKED: u32 = 4;

/// A query string, parsed leniently: what makes no sense is left out, because people edit and share links.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filters {
    pub q: String,
    /// `brand`, `option.colour`, `attr.material`, `in_stock`, `rating`, … to the chosen values.
    pub chosen: BTreeMap<String, Vec<String>>,
    /// Whole units of the currency, as entered.
    pub min_price: Option<i64>,
    pub max_price: Option<i64>,
    pub sort: Sort,
    /// How many pages are shown, from 1.
    pub page: u32,
    /// Where the first of them begins.
    pub after: Option<String>,
}

impl Filters {
    /// Reads a query string.
    pub fn parse(query: &str) -> Self {
        let mut filters = Self { page: 1, ..Self::default() };
        let pairs: Vec<(String, String)> = serde_html_form::from_str(query).unwrap_or_default();
        for (name, value) in pairs {
            let value = value.trim().to_owned();
            match name.as_str() {
                _ if value.is_empty() || value.len() > 200 => {}
                "q" => filters.q = value,
                "min_price" => filters.min_price = value.parse().ok().filter(|price| *price >= 0),
                "max_price" => filters.max_price = value.parse().ok().filter(|price| *price >= 0),
                "sort" => filters.sort = serde_json::from_value(value.into()).unwrap_or_default(),
                "page" => filters.page = value.parse().unwrap_or(1).clamp(1, STACKED),
                "after" => filters.after = Some(value),
                "rating" if !value.parse().is_ok_and(|stars: u8| (1..=5).contains(&stars)) => {}
                "brand" | "tag" | "in_stock" | "rating" => filters.choose(name, value),
                _ if name.starts_with("option.") || name.starts_with("attr.") => filters.choose(name, value),
                _ => {}
            }
        }
        filters
    }

    fn choose(&mut self, name: String, value: String) {
        let values = self.chosen.entry(name).or_default();
        if !values.contains(&value) && values.len() < 50 {
            values.push(value);
        }
    }

    /// As the catalogue is asked, about the whole shop.
    pub fn query(&self, p: &Page) -> SearchQuery {
        let unit = 10_i64.pow(p.currency.exponent());
        let all = |name: &str| self.chosen.get(name).cloned().unwrap_or_default();
        let named = |prefix: &str| {
            let named =
                self.chosen.iter().filter_map(|(name, values)| Some((name.strip_prefix(prefix)?, values)));
            named.map(|(name, values)| (name.to_owned(), values.clone())).collect()
        };
        SearchQuery {
            q: Some(self.q.clone()).filter(|q| !q.is_empty()),
            category: Vec::new(),
            collection: Vec::new(),
            tag: all("tag"),
            brand: all("brand"),
            options: named("option."),
            attributes: named("attr."),
            min_price: self.min_price.map(|price| price.saturating_mul(unit)),
            max_price: self.max_price.map(|price| price.saturating_mul(unit)),
            in_stock: all("in_stock").first().and_then(|value| value.parse().ok()),
            min_rating: self.stars(),
            sort: self.sort,
            context: p.prices(),
            facets: true,
            page: PageRequest { limit: PER_PAGE * self.page, cursor: self.after.clone() },
        }
    }

    /// At least so many stars: of several choices the widest.
    fn stars(&self) -> Option<u8> {
        self.chosen.get("rating")?.iter().filter_map(|value| value.parse().ok()).min()
    }

    /// Is this value chosen?
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.chosen.get(name).is_some_and(|values| values.iter().any(|known| known == value))
    }

    /// How many filters are in force.
    pub fn count(&self) -> usize {
        let prices = usize::from(self.min_price.is_some()) + usize::from(self.max_price.is_some());
        self.chosen.values().map(Vec::len).sum::<usize>() + prices
    }

    /// The sort order's name in the query string.
    pub fn order(&self) -> String {
        serde_json::to_value(self.sort)
            .ok()
            .and_then(|value| Some(value.as_str()?.to_owned()))
            .unwrap_or_default()
    }

    /// The query string of the same list from its beginning, without one value.
    pub fn without(&self, name: &str, value: &str) -> String {
        let mut rest = self.first();
        match name {
            "min_price" => rest.min_price = None,
            "max_price" => rest.max_price = None,
            _ => {
                if let Some(values) = rest.chosen.get_mut(name) {
                    values.retain(|known| known != value);
                }
            }
        }
        rest.encoded()
    }

    /// The query string without any filter: only what was searched and the order stay.
    pub fn cleared(&self) -> String {
        Self { q: self.q.clone(), sort: self.sort, page: 1, ..Self::default() }.encoded()
    }

    /// The query string that shows more: a page below, or, when many are stacked, a new page.
    pub fn more(&self, next_cursor: &str) -> String {
        let more = if self.page < STACKED {
            Self { page: self.page + 1, ..self.clone() }
        } else {
            Self { page: 1, after: Some(next_cursor.to_owned()), ..self.clone() }
        };
        more.encoded()
    }

    /// The same from the beginning.
    fn first(&self) -> Self {
        Self { page: 1, after: None, ..self.clone() }
    }

    fn encoded(&self) -> String {
        let mut pairs: Vec<(&str, String)> = Vec::new();
        if !self.q.is_empty() {
            pairs.push(("q", self.q.clone()));
        }
        for (name, values) in &self.chosen {
            pairs.extend(values.iter().map(|value| (name.as_str(), value.clone())));
        }
        pairs.extend(self.min_price.map(|price| ("min_price", price.to_string())));
        pairs.extend(self.max_price.map(|price| ("max_price", price.to_string())));
        if self.sort != Sort::default() {
            pairs.push(("sort", self.order()));
        }
        if self.page > 1 {
            pairs.push(("page", self.page.to_string()));
        }
        pairs.extend(self.after.clone().map(|after| ("after", after)));
        serde_html_form::to_string(pairs).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_string_comes_back_as_it_was() {
        let query =
            "q=mug&attr.material=Stoneware&brand=Oskarra&brand=Pellamo&min_price=5&sort=-price&page=2";
        assert_eq!(Filters::parse(query).encoded(), query);
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        let filters = Filters::parse("q=&min_price=-3&max_price=x&sort=random&page=99&evil=1&brand=");
        assert_eq!(filters, Filters { page: STACKED, ..Filters::default() });
    }

    #[test]
    fn a_filter_is_taken_away_from_the_first_page_on() {
        let filters = Filters::parse("brand=A&brand=B&option.colour=red&max_price=9&page=3&after=x");
        assert_eq!(filters.count(), 4);
        assert_eq!(filters.without("brand", "A"), "brand=B&option.colour=red&max_price=9");
        assert_eq!(filters.without("max_price", ""), "brand=A&brand=B&option.colour=red");
        assert_eq!(filters.cleared(), "");
    }

    #[test]
    fn more_is_a_page_below_until_many_are_stacked() {
        assert_eq!(Filters::parse("").more("c"), "page=2");
        assert_eq!(Filters::parse("page=4").more("c"), "after=c");
        assert_eq!(Filters::parse("after=c").more("d"), "page=2&after=c");
    }
}
