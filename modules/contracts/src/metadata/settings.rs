//! What the shop says of itself, with a history of who changed what.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::{
    Time,
    events::Event,
    values::{Email, Locale},
};

use super::Localized;
use crate::{Actor, Address, product::present};

/// What staff may change while the shop runs. Delivery prices are in shipping, taxes in cart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ShopSettings {
    pub name: String,
    /// `Good things, kept in stock.`
    #[schema(value_type = BTreeMap<String, String>)]
    pub tagline: Localized,
    /// The bar above every page; none without words in the shopper's language or the default one.
    #[schema(value_type = BTreeMap<String, String>)]
    pub announcement: Localized,
    pub contact_email: Option<Email>,
    pub contact_phone: Option<String>,
    /// Of the company, for the imprint and invoices.
    pub address: Option<Address>,
    /// Links to the shop elsewhere.
    pub social: Vec<SocialLink>,
    /// How many days shoppers have to send something back.
    pub return_days: u16,
    /// Above the button that buys.
    #[schema(value_type = BTreeMap<String, String>)]
    pub checkout_note: Localized,
    /// "Only 3 left" is shown from this many units down; 0: never.
    pub low_stock_threshold: u32,
    /// The languages of the storefront; the first stands in for what has no words in another.
    pub locales: Vec<Locale>,
}

/// The shop elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SocialLink {
    /// `Instagram`.
    pub name: String,
    /// `https://…`
    pub url: String,
}

/// What to change; absent members stay, and a text of one language is replaced or (`null`) removed by itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ShopSettingsPatch)]
pub struct SettingsPatch {
    pub name: Option<String>,
    #[schema(value_type = BTreeMap<String, Option<String>>)]
    pub tagline: BTreeMap<Locale, Option<String>>,
    #[schema(value_type = BTreeMap<String, Option<String>>)]
    pub announcement: BTreeMap<Locale, Option<String>>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Email>)]
    pub contact_email: Option<Option<Email>>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub contact_phone: Option<Option<String>>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Address>)]
    pub address: Option<Option<Address>>,
    pub social: Option<Vec<SocialLink>>,
    pub return_days: Option<u16>,
    #[schema(value_type = BTreeMap<String, Option<String>>)]
    pub checkout_note: BTreeMap<Locale, Option<String>>,
    pub low_stock_threshold: Option<u32>,
}

/// The settings in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = StoredShopSettings)]
pub struct StoredSettings {
    #[serde(flatten)]
    pub settings: ShopSettings,
    /// 0 before the first change.
    pub version: i64,
    pub updated_at: Option<Time>,
    pub updated_by: Option<Actor>,
}

/// Who changed what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ShopSettingsChange)]
pub struct SettingsChange {
    /// What came of it.
    pub version: i64,
    pub at: Time,
    pub actor: Actor,
    /// The version that was brought back, if that is what happened.
    pub restored: Option<i64>,
    pub changes: Vec<SettingDifference>,
}

/// One value before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ShopSettingDifference)]
pub struct SettingDifference {
    /// `/announcement/de`.
    pub pointer: String,
    /// `null` where there was none.
    pub before: Value,
    pub after: Value,
}

/// The settings are different.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SettingsChanged {
    pub version: i64,
}
impl Event for SettingsChanged {
    const TYPE: &'static str = "settings.changed";
}
