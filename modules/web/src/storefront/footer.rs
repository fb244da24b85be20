//! The pages that every footer links to, as far as they are published.

use contracts::{
    Ports,
    metadata::content::{PageKind, PageSummary},
};
use shared::{PageRequest, Result};

use crate::locale::Locale;

/// Slugs of the second column, in order.
const HELP: [&str; 4] = ["help", "delivery", "returns", "contact"];
/// Slugs of the last line, in order.
const LEGAL: [&str; 3] = ["terms", "privacy", "imprint"];
/// Other pages in the first column.
const OTHERS: usize = 4;

/// A page to link to.
#[derive(Debug)]
pub struct Link {
    pub slug: String,
    pub title: String,
}

/// What there is to link to, in one language.
#[derive(Debug, Default)]
pub struct Footer {
    pub shop: Vec<Link>,
    pub help: Vec<Link>,
    pub legal: Vec<Link>,
    /// There are posts.
    pub journal: bool,
}

impl Footer {
    /// As it is now.
    pub async fn load(ports: &Ports, locale: Locale) -> Result<Self> {
        let page = PageRequest { limit: 100, cursor: None };
        let mut pages = ports.metadata.pages(PageKind::Page, Some(locale.tag()), page).await?.data;
        let post = PageRequest { limit: 1, cursor: None };
        let posts = ports.metadata.pages(PageKind::Journal, Some(locale.tag()), post).await?.data;
        let mut known = |slugs: &[&str]| {
            let found = |pages: &mut Vec<PageSummary>, slug: &str| {
                let at = pages.iter().position(|page| page.slug == slug)?;
                Some(link(pages.remove(at)))
            };
            slugs.iter().filter_map(|slug| found(&mut pages, slug)).collect()
        };
        let (help, legal) = (known(&HELP), known(&LEGAL));
        let shop = pages.into_iter().take(OTHERS).map(link).collect();
        Ok(Self { shop, help, legal, journal: !posts.is_empty() })
    }

    /// The paths of all of them, for the site map.
    pub fn paths(&self) -> Vec<String> {
        let pages = self.shop.iter().chain(&self.help).chain(&self.legal);
        let journal = self.journal.then(|| "/journal".to_owned());
        pages.map(|link| format!("/pages/{}", link.slug)).chain(journal).collect()
    }
}

fn link(page: PageSummary) -> Link {
    Link { slug: page.slug, title: page.title }
}
