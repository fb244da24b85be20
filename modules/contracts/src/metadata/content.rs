//! Pages, journal posts and blocks: Markdown that becomes sanitised HTML.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::{Id, Time, events::Event, ids::Entity, values::Locale};

use crate::product::present;

/// Names a page.
pub enum PageEntity {}
impl Entity for PageEntity {
    const PREFIX: &'static str = "page";
    const NOUN: &'static str = "page";
}
/// A page's id.
pub type PageId = Id<PageEntity>;

/// What a page is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PageKind {
    /// Stands for itself: help, terms.
    Page,
    /// A dated post.
    Journal,
    /// A piece of another page: a hint in the checkout.
    Block,
}

/// Whether shoppers see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PageStatus {
    #[default]
    Draft,
    /// From `published_at` on.
    Published,
}

/// A page as staff see it, in all its languages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ContentPage {
    pub id: PageId,
    pub slug: String,
    pub kind: PageKind,
    pub status: PageStatus,
    pub image: Option<PageImage>,
    /// At least one.
    #[schema(value_type = BTreeMap<String, PageText>)]
    pub texts: BTreeMap<Locale, PageText>,
    /// When it was or will be published first.
    pub published_at: Option<Time>,
    pub created_at: Time,
    pub updated_at: Time,
    pub version: i64,
}

/// A page's words in one language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PageText {
    #[serde(flatten)]
    pub source: NewPageText,
    /// `body` as sanitised HTML.
    pub html: String,
}

/// Wants to be a page's words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPageText {
    pub title: String,
    /// Markdown (CommonMark with tables and strikethrough), at most 100,000 characters.
    #[serde(default)]
    pub body: String,
    /// For lists; the beginning of the body when empty.
    #[serde(default)]
    pub excerpt: String,
    /// What the picture shows.
    #[serde(default)]
    pub image_alt: String,
    #[serde(default)]
    pub seo_title: Option<String>,
    #[serde(default)]
    pub seo_description: Option<String>,
}

/// A page's picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PageImage {
    /// Served at `/media/<file>`.
    pub file: String,
    /// Pixels; 0 where unknown.
    #[serde(default)]
    pub width: u32,
    #[serde(default)]
    pub height: u32,
}

/// A page as shoppers see it, in one language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PageView {
    #[serde(flatten)]
    pub summary: PageSummary,
    /// Markdown.
    pub body: String,
    /// `body` as sanitised HTML.
    pub html: String,
    pub seo_title: Option<String>,
    pub seo_description: Option<String>,
    /// The languages that it can be read in.
    pub locales: Vec<Locale>,
}

/// A page in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PageSummary {
    pub id: PageId,
    pub slug: String,
    pub kind: PageKind,
    /// The language of the words below.
    pub locale: Locale,
    pub title: String,
    /// Plain text.
    pub excerpt: String,
    pub image: Option<PageImage>,
    pub image_alt: String,
    pub published_at: Time,
    pub updated_at: Time,
}

/// Which pages staff want to see.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PageFilter {
    /// A part of the slug or of a title.
    pub q: Option<String>,
    pub kind: Option<PageKind>,
    pub status: Option<PageStatus>,
}

/// Wants to be a page.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPage {
    pub kind: PageKind,
    /// Made from the first title when absent. Unique among all pages and their former slugs.
    #[serde(default)]
    pub slug: Option<String>,
    #[serde(default)]
    pub status: PageStatus,
    #[serde(default)]
    pub image: Option<PageImage>,
    #[schema(value_type = BTreeMap<String, NewPageText>)]
    pub texts: BTreeMap<Locale, NewPageText>,
    /// Now, when absent and published.
    #[serde(default)]
    pub published_at: Option<Time>,
}

/// What to change; absent members stay.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PagePatch {
    pub slug: Option<String>,
    pub kind: Option<PageKind>,
    pub status: Option<PageStatus>,
    /// `null` removes it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<PageImage>)]
    pub image: Option<Option<PageImage>>,
    /// The languages named here are replaced; `null` removes one.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, NewPageText>)]
    pub texts: BTreeMap<Locale, Option<NewPageText>>,
    pub published_at: Option<Time>,
}

/// A page is new, different or gone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ContentChanged {
    pub page_id: PageId,
    pub kind: PageKind,
    pub slug: String,
}
impl Event for ContentChanged {
    const TYPE: &'static str = "content.changed";
}
