//! Pictures.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::values::Blob;

/// A picture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Served at `/media/<file>`.
    pub file: String,
    #[serde(default)]
    pub alt: String,
    /// Pixels; 0 where unknown.
    #[serde(default)]
    pub width: u32,
    #[serde(default)]
    pub height: u32,
    /// Shows the variants with these options: `{"Colour": "terracotta"}`; empty: all.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// The widths of its smaller forms, each a file of its own: see [`Image::form`]. Empty: not made yet, or it is small.
    /// This and what follows is the shop's to say: what a request says of it is not heard.
    #[serde(default)]
    pub widths: Vec<u32>,
    /// Whether each width is there as AVIF too. WebP always is.
    #[serde(default)]
    pub avif: bool,
    /// Its average colour, `#rrggbb`, to show until it is loaded.
    #[serde(default)]
    pub color: Option<String>,
}

impl Image {
    /// The file of a smaller form, served at `/media/<file>`: `mug-jpg-480.webp` of `mug.jpg`. `extension` is `webp` or
    /// `avif`.
    pub fn form(file: &str, width: u32, extension: &str) -> String {
        format!("{}-{width}.{extension}", file.replace('.', "-"))
    }
}

/// Wants to be a picture of a product.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewImage {
    pub content: Blob,
    pub alt: String,
    pub options: BTreeMap<String, String>,
}

/// A picture's bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MediaFile {
    pub content_type: String,
    pub content: Blob,
}
