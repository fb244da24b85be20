//! Who writes stock in this process takes turns with those who write the same.

use std::collections::BTreeSet;

use contracts::product::VariantId;
use tokio::sync::{Mutex, MutexGuard};

/// MongoDB lets nobody wait for a document: of many at once who want the last units of something, each would undo its
/// work and begin again until its time is over. Other processes still race, but few do.
pub struct Turns([Mutex<()>; 64]);

impl Default for Turns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }
}

impl Turns {
    /// Waits until nobody else writes these. Always in the same order, so that no two wait for each other.
    pub(super) async fn take(&self, variants: impl Iterator<Item = VariantId>) -> Vec<MutexGuard<'_, ()>> {
        let places: BTreeSet<usize> =
            variants.map(|id| usize::from(id.uuid().as_bytes()[15]) % self.0.len()).collect();
        let mut turns = Vec::new();
        for place in places {
            turns.push(self.0[place].lock().await);
        }
        turns
    }
}
