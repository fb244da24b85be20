//! The category tree in memory, and how many products are in each branch.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use contracts::product::CategoryId;
use shared::Result;
use tokio::sync::Mutex;

use crate::{model::tree::Tree, store::Catalogue};

type Counts = Arc<HashMap<CategoryId, u64>>;

/// What every read needs of the categories.
#[derive(Default)]
pub struct Branches {
    tree: RwLock<Arc<Tree>>,
    counts: Mutex<Option<Counts>>,
    counts_are_old: AtomicBool,
}

impl Branches {
    /// As it was last read.
    pub fn tree(&self) -> Arc<Tree> {
        self.tree.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads it again.
    pub async fn refresh(&self, catalogue: &dyn Catalogue) -> Result<()> {
        let fresh = Tree::new(catalogue.categories().await?);
        if fresh != *self.tree() {
            *self.tree.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
            self.forget_counts();
        }
        Ok(())
    }

    /// The next reader counts again.
    pub fn forget_counts(&self) {
        self.counts_are_old.store(true, Ordering::Release);
    }

    /// Published products in each category and below. Counted once for all who wait for it.
    pub async fn counts(&self, catalogue: &dyn Catalogue) -> Result<Counts> {
        let mut counts = self.counts.lock().await;
        if let Some(counts) = counts.as_ref().filter(|_| !self.counts_are_old.load(Ordering::Acquire)) {
            return Ok(counts.clone());
        }
        // Before the read: what changes during it makes the result old again.
        self.counts_are_old.store(false, Ordering::Release);
        *counts = None;
        let fresh = Arc::new(self.tree().count(&catalogue.placements().await?));
        *counts = Some(fresh.clone());
        Ok(fresh)
    }
}
