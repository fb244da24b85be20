//! Shop settings: from the configuration, then version by version.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{
    Actor,
    metadata::{
        Localized,
        settings::{
            SettingDifference, SettingsChange, SettingsPatch, ShopSettings, SocialLink, StoredSettings,
        },
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::{Result, Time, values::Locale};

use super::Faults;

/// What is in force until staff change it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Set by the wiring from `[shop]`.
    #[serde(skip)]
    pub name: String,
    /// The languages of the storefront; the first stands in for what has no words in another.
    pub locales: Vec<Locale>,
    /// How many days shoppers have to send something back.
    pub return_days: u16,
    /// "Only 3 left" is shown from this many units down; 0: never.
    pub low_stock_threshold: u32,
}

impl Default for Settings {
    fn default() -> Self {
        let locale = |code: &str| code.parse().expect("two letters are a locale");
        Self {
            name: "Bodega".into(),
            locales: vec![locale("en"), locale("de")],
            return_days: 30,
            low_stock_threshold: 5,
        }
    }
}

impl Settings {
    /// The first language.
    pub fn first(&self) -> Locale {
        self.locales.first().cloned().unwrap_or_else(|| "en".parse().expect("en is a locale"))
    }

    /// Version 0.
    pub fn initial(&self) -> StoredSettings {
        let settings = ShopSettings {
            name: self.name.clone(),
            tagline: Localized::new(),
            announcement: Localized::new(),
            contact_email: None,
            contact_phone: None,
            address: None,
            social: Vec::new(),
            return_days: self.return_days,
            checkout_note: Localized::new(),
            low_stock_threshold: self.low_stock_threshold,
            locales: self.locales.clone(),
        };
        StoredSettings { settings, version: 0, updated_at: None, updated_by: None }
    }
}

/// A version as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    pub settings: ShopSettings,
    pub change: SettingsChange,
}

impl Version {
    /// The version after `before`; none if nothing is different.
    pub fn after(
        before: &StoredSettings,
        settings: ShopSettings,
        restored: Option<i64>,
        actor: Actor,
        at: Time,
    ) -> Result<Option<Self>> {
        let changes = differences(&before.settings, &settings)?;
        if changes.is_empty() {
            return Ok(None);
        }
        let change = SettingsChange { version: before.version + 1, at, actor, restored, changes };
        Ok(Some(Self { settings, change }))
    }

    /// As everybody sees it.
    pub fn stored(self) -> StoredSettings {
        let SettingsChange { version, at, actor, .. } = self.change;
        StoredSettings { settings: self.settings, version, updated_at: Some(at), updated_by: Some(actor) }
    }
}

/// The settings with the patch, or everything that is wrong with it.
pub fn patched(settings: &ShopSettings, patch: SettingsPatch) -> Result<ShopSettings> {
    let (mut faults, mut after) = (Faults::default(), settings.clone());
    if let Some(name) = patch.name {
        after.name = faults.text("/name", &name, 100);
    }
    localized(&mut faults, "tagline", &mut after.tagline, &patch.tagline, 200);
    localized(&mut faults, "announcement", &mut after.announcement, &patch.announcement, 300);
    localized(&mut faults, "checkout_note", &mut after.checkout_note, &patch.checkout_note, 1_000);
    if let Some(email) = patch.contact_email {
        after.contact_email = email;
    }
    if let Some(phone) = patch.contact_phone {
        after.contact_phone = phone.map(|phone| faults.text("/contact_phone", &phone, 40));
    }
    if let Some(address) = patch.address {
        after.address = match address.map(|address| address.validated()).transpose() {
            Ok(address) => address,
            Err(error) => {
                faults.0.extend(error.under("/address").fields);
                None
            }
        };
    }
    if let Some(social) = patch.social {
        faults.check(social.len() <= 10, "/social", "too_many", "at most 10 links");
        after.social = social.iter().enumerate().map(|(i, link)| elsewhere(&mut faults, i, link)).collect();
    }
    after.return_days = patch.return_days.unwrap_or(after.return_days);
    faults.check(after.return_days <= 365, "/return_days", "out_of_range", "must be at most 365");
    after.low_stock_threshold = patch.low_stock_threshold.unwrap_or(after.low_stock_threshold);
    faults.check(
        after.low_stock_threshold <= 1_000,
        "/low_stock_threshold",
        "out_of_range",
        "must be at most 1,000",
    );
    faults.done().map(|()| after)
}

fn localized(
    faults: &mut Faults,
    name: &str,
    texts: &mut Localized,
    patch: &BTreeMap<Locale, Option<String>>,
    most: usize,
) {
    for (locale, text) in patch {
        match text.as_deref().filter(|text| !text.trim().is_empty()) {
            Some(text) => {
                texts.insert(locale.clone(), faults.text(&format!("/{name}/{locale}"), text, most));
            }
            None => {
                texts.remove(locale);
            }
        }
    }
}

fn elsewhere(faults: &mut Faults, i: usize, link: &SocialLink) -> SocialLink {
    let name = faults.text(&format!("/social/{i}/name"), &link.name, 40);
    let pointer = format!("/social/{i}/url");
    let url = faults.text(&pointer, &link.url, 300);
    let plain =
        url.starts_with("https://") && !url.contains(|c: char| c.is_whitespace() || "\"<>\\".contains(c));
    faults.check(url.is_empty() || plain, pointer, "url", "must start with https://");
    SocialLink { name, url }
}

/// Every value that is not the same, by pointer: texts by language, everything else whole.
fn differences(before: &ShopSettings, after: &ShopSettings) -> Result<Vec<SettingDifference>> {
    let (before, after) = (flat(before)?, flat(after)?);
    let pointers: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let value =
        |values: &BTreeMap<String, Value>, pointer: &String| values.get(pointer).cloned().unwrap_or_default();
    let all = pointers.into_iter().map(|pointer| SettingDifference {
        pointer: pointer.clone(),
        before: value(&before, pointer),
        after: value(&after, pointer),
    });
    Ok(all.filter(|difference| difference.before != difference.after).collect())
}

fn flat(settings: &ShopSettings) -> Result<BTreeMap<String, Value>> {
    let mut flat = BTreeMap::new();
    let Value::Object(members) = serde_json::to_value(settings)? else { return Ok(flat) };
    for (name, value) in members {
        match value {
            Value::Object(texts) if name != "address" => {
                flat.extend(texts.into_iter().map(|(locale, text)| (format!("/{name}/{locale}"), text)));
            }
            value => {
                flat.insert(format!("/{name}"), value);
            }
        }
    }
    Ok(flat)
}
