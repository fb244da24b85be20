//! Placeholder until helper-1 writes the real file.
use serde::{Serialize, de::DeserializeOwned};

/// An event.
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// `order.placed`
    const TYPE: &'static str;
    /// Major version.
    const VERSION: u16 = 1;
}
