//! What a shop adds to itself: typed custom fields on any entity, content pages, and its own settings.

pub mod content;
pub mod settings;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::{Id, Page, PageRequest, Time, events::Event, ids::Entity, port, values::Locale};

use crate::Actor;
use content::{ContentPage, NewPage, PageFilter, PageId, PageKind, PagePatch, PageSummary, PageView};
use settings::{SettingsChange, SettingsPatch, StoredSettings};

/// Names the definition of a custom field.
pub enum DefinitionEntity {}
impl Entity for DefinitionEntity {
    const PREFIX: &'static str = "mfd";
    const NOUN: &'static str = "metafield definition";
}
/// A definition's id.
pub type DefinitionId = Id<DefinitionEntity>;

/// The same text in several languages.
pub type Localized = BTreeMap<Locale, String>;

port! {
    /// Custom fields, content and shop settings.
    pub trait Metadata as "metadata" repeats [definitions, definition, fields, fields_of, pages, page, list_pages, find_page, render, settings, settings_history] {
        /// Of one kind of entity, or all: by owner, namespace and key.
        async fn definitions(&self, owner: Option<Owner>) -> Vec<Definition>;
        async fn definition(&self, id: DefinitionId) -> Definition;
        /// `Conflict/definition_taken` for a second one with the same owner, namespace and key;
        /// `Invalid` with pointers for rules that do not fit the kind.
        async fn create_definition(&self, new: NewDefinition) -> Definition;
        /// `version` is the one the caller has seen; `PreconditionFailed/version` if it has moved on.
        /// Stored values are converted where the new kind is wider (integer to decimal, anything plain to text, one to
        /// a list of such). Values that do not fit are never lost by accident: `Conflict/definition_in_use` with
        /// `count` and `examples: [{entity_id, value, detail}]`, unless the patch says `drop_invalid`.
        async fn update_definition(&self, id: DefinitionId, patch: DefinitionPatch, version: Option<i64>) -> Definition;
        /// Removes its values too. Idempotent.
        async fn delete_definition(&self, id: DefinitionId) -> ();

        /// The fields that have a value, by namespace and key. An entity that never had one has none, at version 0.
        async fn fields(&self, owner: Owner, entity_id: String) -> Metafields;
        /// Of many entities (at most 1,000), in the order asked for.
        async fn fields_of(&self, owner: Owner, entity_ids: Vec<String>) -> Vec<Metafields>;
        /// Sets the values of `namespace.key`; `null` removes one, absent ones stay. All or none: `Invalid` with
        /// pointers (`/care.origin`, `/size.table/3`). `version` as in [`Metafields::version`].
        async fn set_fields(&self, owner: Owner, entity_id: String, values: FieldValues, version: Option<i64>) -> Metafields;
        /// As `set_fields`, and absent ones are removed: an empty map removes everything.
        async fn replace_fields(&self, owner: Owner, entity_id: String, values: FieldValues, version: Option<i64>) -> Metafields;

        /// Published pages: of the journal newest first, others by title. Without their bodies.
        async fn pages(&self, kind: PageKind, locale: Option<Locale>, page: PageRequest) -> Page<PageSummary>;
        /// A published page by slug; a former slug finds it too (compare `slug` and redirect). Where the page has no
        /// words in `locale`, those of its language, then of the shop's default locale, then any stand in.
        async fn page(&self, slug: String, locale: Option<Locale>) -> PageView;
        /// Newest first, drafts too.
        async fn list_pages(&self, filter: PageFilter, page: PageRequest) -> Page<ContentPage>;
        async fn find_page(&self, id: PageId) -> ContentPage;
        /// `Conflict/slug_taken`, `Invalid` with pointers.
        async fn create_page(&self, new: NewPage) -> ContentPage;
        /// `version` as elsewhere. A changed slug keeps the old one as a redirect.
        async fn update_page(&self, id: PageId, patch: PagePatch, version: Option<i64>) -> ContentPage;
        /// Idempotent.
        async fn delete_page(&self, id: PageId) -> ();
        /// Markdown as the sanitised HTML that a page would show: for previews.
        async fn render(&self, markdown: String) -> String;

        /// What is in force: the configuration's values until somebody changes them (then at version 0).
        async fn settings(&self) -> StoredSettings;
        /// `version` as elsewhere. A patch that changes nothing makes no version.
        async fn update_settings(&self, patch: SettingsPatch, version: Option<i64>, actor: Actor) -> StoredSettings;
        /// Who changed what, newest first.
        async fn settings_history(&self, page: PageRequest) -> Page<SettingsChange>;
        /// Makes what was in force at version `restored` the newest version. `NotFound` if there was none.
        async fn restore_settings(&self, restored: i64, version: Option<i64>, actor: Actor) -> StoredSettings;
    }
}

/// Values by `namespace.key`.
pub type FieldValues = BTreeMap<String, Value>;

/// What can carry custom fields.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(as = MetafieldOwner)]
pub enum Owner {
    Product,
    Variant,
    Category,
    Collection,
    Customer,
    Order,
    Page,
}

impl Owner {
    /// As JSON writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Variant => "variant",
            Self::Category => "category",
            Self::Collection => "collection",
            Self::Customer => "customer",
            Self::Order => "order",
            Self::Page => "page",
        }
    }
}

/// What a value is, and how it is written in JSON. There are no floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MetafieldKind)]
pub enum Kind {
    /// `"Stoneware"`: up to 5,000 characters.
    Text,
    /// `42`: 64 bits.
    Integer,
    /// `"12.5"`: a string, up to 15 digits before the point and 6 behind it.
    Decimal,
    /// `true`.
    Boolean,
    /// `"2026-11-23"`.
    Date,
    /// `{"amount": 1999, "currency": "EUR"}`: minor units.
    Money,
    /// `"prod_06ar…"`: the id of another entity, of the kind that the rules name.
    Reference,
    /// `["Oak", "Ash"]`: values of the plain kind that the rules name.
    List,
    /// Anything, up to 16 KiB and 16 levels; the rules may hold a JSON Schema. Member names have no `$` and no `.`.
    Json,
}

/// Who may see a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MetafieldVisibility)]
pub enum Visibility {
    /// Shoppers.
    Storefront,
    /// Staff.
    #[default]
    Admin,
}

/// What values must keep to. Of a list the rules but `max_items` are for each item.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = MetafieldRules)]
pub struct Rules {
    /// The least: a value of the kind (integer, decimal, date), or for money its minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<Value>,
    /// The most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Value>,
    /// Characters of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// A regular expression that the whole text matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The only values there are (text, integer, decimal, date).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Value>,
    /// What a reference refers to. Required for references.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Owner>,
    /// What a list consists of: any kind but `list` and `json`. Required for lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Kind>,
    /// Items of a list: 1..=100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u32>,
    /// JSON Schema 2020-12 for `json`. It refers to nothing outside itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
}

/// A custom field that entities of one kind may have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = MetafieldDefinition)]
pub struct Definition {
    pub id: DefinitionId,
    #[serde(flatten)]
    pub terms: NewDefinition,
    pub created_at: Time,
    pub updated_at: Time,
    pub version: i64,
}

/// Wants to be a custom field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMetafieldDefinition)]
pub struct NewDefinition {
    pub owner: Owner,
    /// `care`: `[a-z][a-z0-9_]*`, at most 40 characters.
    pub namespace: String,
    /// `instructions`: as the namespace.
    pub key: String,
    /// For people: `Care instructions`.
    pub name: String,
    #[serde(default)]
    pub description: String,
    pub kind: Kind,
    #[serde(default)]
    pub rules: Rules,
    #[serde(default)]
    pub visibility: Visibility,
    /// Text search finds the product by it. Not for money and json; needs `visibility: storefront`.
    #[serde(default)]
    pub searchable: bool,
    /// Products can be narrowed by it: `attr.<namespace>.<key>`. Not for money and json; needs
    /// `visibility: storefront`.
    #[serde(default)]
    pub facet: bool,
}

/// What to change; absent members stay. Owner, namespace and key are for good.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = MetafieldDefinitionPatch)]
pub struct DefinitionPatch {
    pub name: Option<String>,
    pub description: Option<String>,
    pub kind: Option<Kind>,
    /// All of them.
    pub rules: Option<Rules>,
    pub visibility: Option<Visibility>,
    pub searchable: Option<bool>,
    pub facet: Option<bool>,
    /// Values that the new kind and rules do not allow are removed instead of refusing the change.
    pub drop_invalid: bool,
}

/// The custom fields of one entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Metafields {
    pub owner: Owner,
    pub entity_id: String,
    /// Grows with each change; 0 before the first.
    pub version: i64,
    pub fields: Vec<Metafield>,
}

/// A custom field with its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Metafield {
    pub definition_id: DefinitionId,
    pub namespace: String,
    pub key: String,
    /// For people.
    pub name: String,
    pub kind: Kind,
    pub visibility: Visibility,
    pub value: Value,
}

/// The custom fields of an entity are different: all that it has now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MetafieldsChanged {
    pub owner: Owner,
    pub entity_id: String,
    /// See [`Metafields::version`].
    pub version: i64,
    pub values: Vec<FieldValue>,
}
impl Event for MetafieldsChanged {
    const TYPE: &'static str = "metafields.changed";
}

/// A value of a definition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldValue {
    pub definition_id: DefinitionId,
    pub value: Value,
}

/// A definition is new, different or gone. The values of one that is gone are gone with it, without a
/// [`MetafieldsChanged`] for each.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DefinitionChanged {
    pub definition: Definition,
    pub deleted: bool,
}
impl Event for DefinitionChanged {
    const TYPE: &'static str = "metafield_definition.changed";
}
