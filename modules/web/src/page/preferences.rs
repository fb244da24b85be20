//! What a visitor has chosen.

use serde::{Deserialize, Serialize};
use shared::Currency;

/// Light, dark, or what the system says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    /// For the `data-theme` attribute.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// What a visitor has chosen, in a cookie.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Preferences {
    #[serde(default)]
    pub theme: Theme,
    #[serde(default)]
    pub currency: Option<Currency>,
    /// Chosen by hand: the home page no longer guesses.
    #[serde(default)]
    pub language: Option<String>,
    /// What they look at may be kept, to recommend what suits them.
    #[serde(default)]
    pub remember: bool,
}
