//! What the next page says of what was just done.

use serde::{Deserialize, Serialize};

/// A notice that is shown once, on the next page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Notice {
    /// `ok`, `bad` or `info`: the look.
    pub tone: String,
    pub text: String,
    /// A form that takes back what was just done: where to post, the label, and its fields.
    #[serde(default)]
    pub undo: Option<Undo>,
}

/// See [`Notice::undo`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Undo {
    pub action: String,
    pub label: String,
    pub fields: Vec<(String, String)>,
}
