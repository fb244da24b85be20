//! What the shop says of itself on every page, in one language: its settings, as staff last saved them.

use contracts::{
    Ports,
    metadata::{Localized, settings::SocialLink},
};
use shared::Result;

use crate::locale::Locale;

/// See [`contracts::metadata::settings::ShopSettings`].
#[derive(Clone, Debug, Default)]
pub struct Said {
    pub name: String,
    pub tagline: Option<String>,
    /// The bar above every page.
    pub announcement: Option<String>,
    /// Above the button that buys.
    pub checkout_note: Option<String>,
    pub contact_email: Option<String>,
    pub contact_phone: Option<String>,
    pub social: Vec<SocialLink>,
    pub return_days: u32,
    /// "Only 3 left" from so many units down.
    pub few: i64,
    /// Those that are offered, at least one.
    pub languages: Vec<Locale>,
}

impl Said {
    /// As it is now.
    pub async fn load(ports: &Ports, locale: Locale) -> Result<Self> {
        let settings = ports.metadata.settings().await?.settings;
        let first = settings.locales.first();
        let words = |texts: &Localized| {
            let found = texts.get(&locale.tag()).or_else(|| texts.get(first?));
            found.filter(|text| !text.is_empty()).cloned()
        };
        let mut languages = Locale::ALL.to_vec();
        languages.retain(|locale| settings.locales.contains(&locale.tag()));
        if languages.is_empty() {
            languages.push(Locale::En);
        }
        Ok(Self {
            tagline: words(&settings.tagline),
            announcement: words(&settings.announcement),
            checkout_note: words(&settings.checkout_note),
            contact_email: settings.contact_email.as_ref().map(|email| email.as_str().to_owned()),
            contact_phone: settings.contact_phone.clone(),
            return_days: settings.return_days.into(),
            few: i64::from(settings.low_stock_threshold),
            languages,
            social: settings.social.clone(),
            name: settings.name,
        })
    }

    /// Until it can be asked for: a name, and nothing that may be wrong.
    pub fn only(name: &str) -> Self {
        Self { name: name.to_owned(), languages: Locale::ALL.into(), ..Self::default() }
    }
}
