//! Markup and addresses: where things are, in the page's language.

use askama::filters::Safe;
use contracts::product::ProductId;
use shared::Currency;

use super::Page;
use crate::{assets, locale::Locale};

impl Page {
    /// An icon of the sprite, hidden from assistive technology.
    pub fn icon(&self, name: &str) -> Safe<String> {
        let sprite = &self.state.sprite;
        Safe(format!("<svg class=\"i\" aria-hidden=\"true\"><use href=\"{sprite}#{name}\"/></svg>"))
    }

    /// The address of an asset.
    pub fn asset(&self, name: &str) -> String {
        assets::path(name)
    }

    /// A path of ours in the page's language: `/cart` to `/de/cart`.
    pub fn link(&self, path: &str) -> String {
        link(self.locale, path)
    }

    /// The page of a product.
    pub fn product_link(&self, slug: &str) -> String {
        self.link(&format!("/products/{slug}"))
    }

    /// The page of a category.
    pub fn category_link(&self, slug: &str) -> String {
        self.link(&format!("/categories/{slug}"))
    }

    /// This page in another language, query included.
    pub fn in_language(&self, locale: &Locale) -> String {
        let path = link(*locale, &self.path);
        if self.query.is_empty() { path } else { format!("{path}?{}", self.query) }
    }

    /// An absolute address in the page's language.
    pub fn absolute(&self, path: &str) -> String {
        format!("{}{}", self.state.settings.public_url.trim_end_matches('/'), self.link(path))
    }

    /// An absolute address in another language.
    pub fn absolute_in(&self, locale: &Locale, path: &str) -> String {
        format!("{}{}", self.state.settings.public_url.trim_end_matches('/'), link(*locale, path))
    }

    /// This page's path with its query: where a form returns to.
    pub fn here(&self) -> String {
        self.in_language(&self.locale)
    }

    /// The languages that there can be words in.
    pub fn languages(&self) -> [Locale; 2] {
        Locale::ALL
    }

    /// The languages that the shop offers.
    pub fn offered(&self) -> &[Locale] {
        &self.said.languages
    }

    /// The currencies, for the switch.
    pub fn currencies(&self) -> &[Currency] {
        &self.state.settings.shop.currencies
    }

    /// What the shop is, in a sentence; its name where nobody has said more.
    pub fn tagline(&self) -> &str {
        self.said.tagline.as_deref().unwrap_or(&self.said.name)
    }

    /// The shop's name.
    pub fn shop(&self) -> &str {
        &self.said.name
    }

    /// Units in the cart.
    pub fn cart_count(&self) -> i64 {
        self.cart.map_or(0, |cart| cart.count)
    }

    /// True for the path or anything below it.
    pub fn within(&self, path: &str) -> bool {
        self.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Is this product on the wishlist?
    pub fn wished(&self, product: &ProductId) -> bool {
        self.wishlist.contains(product)
    }
}

/// Puts the language's prefix before a path.
pub fn link(locale: Locale, path: &str) -> String {
    match (locale.prefix(), path) {
        ("", path) => path.to_owned(),
        (prefix, "/") => prefix.to_owned(),
        (prefix, path) => format!("{prefix}{path}"),
    }
}

/// True for a path on this host: never `//evil`, `/\evil`, or anything with a scheme or a control character.
pub fn is_local(address: &str) -> bool {
    address.starts_with('/')
        && !address.starts_with("//")
        && !address.contains('\\')
        && !address.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_return_only_to_pages_of_ours() {
        for ours in ["/", "/cart?x=1", "/de/account"] {
            assert!(is_local(ours), "{ours}");
        }
        for theirs in
            ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "", "/a\nb"]
        {
            assert!(!is_local(theirs), "{theirs}");
        }
    }

    #[test]
    fn a_link_carries_the_language() {
        assert_eq!(link(Locale::En, "/cart"), "/cart");
        assert_eq!(link(Locale::De, "/cart"), "/de/cart");
        assert_eq!(link(Locale::De, "/"), "/de");
    }
}
