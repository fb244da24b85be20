//! A whole database on its way to another: read in order, written so that it may be written again, and compared.

mod documents;
mod kind;
mod rows;
mod shape;
mod tables;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{Database, Error, Result};

pub use kind::{
    Form, KIND, Kind, Member, Part, id, json, list, number_id, parsed, part_rows, plain, rewritten, text,
    time,
};
pub use tables::{Tables, made};

/// Things read and written at a time.
const BATCH: u32 = 500;

/// One thing: what tells it from the others of its kind, and what it is in a form that every database understands.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Unique among its kind. [`Transfer::read`] takes it as the place to go on from.
    pub key: String,
    /// Equal in both databases when the thing is.
    pub value: Value,
}

/// What one module keeps in one database, for moving it. Nothing else may write meanwhile.
#[async_trait]
pub trait Transfer: Send + Sync {
    /// What there is, in the order in which it may be written.
    async fn kinds(&self) -> Result<Vec<String>>;
    /// How many of a kind are read and written at a time.
    fn batch(&self, _kind: &str) -> u32 {
        BATCH
    }
    /// Those of a kind after the one with the key `after`, in this database's order of keys; none at the end.
    async fn read(&self, kind: &str, after: Option<&str>, limit: u32) -> Result<Vec<Item>>;
    /// Writes them, over those that are there. All or none; no events.
    async fn write(&self, kind: &str, items: Vec<Item>) -> Result<()>;
    /// The last key of the kind, in this database's order.
    async fn last(&self, kind: &str) -> Result<Option<String>>;
    /// Whether there is one with the key.
    async fn has(&self, kind: &str, key: &str) -> Result<bool>;
}

/// What is kept of these kinds, in a database of whichever family. They are in the order in which they may be written.
pub fn open(db: Database, kinds: &'static [Kind]) -> Box<dyn Transfer> {
    match db {
        Database::Sql(db) => Box::new(rows::Rows::new(db, kinds)),
        Database::Mongo(db) => Box::new(documents::Documents::new(db, kinds)),
    }
}

/// Everything of one kind, in short: equal for equal contents, in whatever order they come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many there are.
    pub count: u64,
    /// The sum of their hashes (SHA-256 of key and value), modulo 2^128.
    pub hash: u128,
}

impl Sum {
    fn add(&mut self, items: &[Item]) -> Result<()> {
        for Item { key, value } in items {
            // Members of a JSON object are sorted by name.
            let digest = Sha256::digest(serde_json::to_vec(&(key, value))?);
            let (half, _) = digest.split_at(16);
            let hash = half.iter().fold(0_u128, |hash, byte| hash << 8 | u128::from(*byte));
            self.hash = self.hash.wrapping_add(hash);
            self.count += 1;
        }
        Ok(())
    }

    /// Of everything of a kind.
    pub async fn of(store: &dyn Transfer, kind: &str) -> Result<Self> {
        let (mut sum, mut after) = (Self::default(), None);
        loop {
            let items = store.read(kind, after.as_deref(), store.batch(kind)).await?;
            sum.add(&items)?;
            after = match items.last() {
                Some(last) => Some(last.key.clone()),
                None => return Ok(sum),
            };
        }
    }
}

/// `Conflict/not_empty` if the target has something that the source has not. What an interrupted copy has brought over
/// does not count.
pub async fn check(from: &dyn Transfer, to: &dyn Transfer) -> Result<()> {
    for kind in from.kinds().await? {
        let first = to.read(&kind, None, 1).await?.pop().map(|item| item.key);
        for key in first.into_iter().chain(to.last(&kind).await?) {
            if !from.has(&kind, &key).await? {
                let detail = format!(
                    "{kind}: {key} is in the target and not in the source; a copy needs empty databases"
                );
                return Err(Error::conflict("not_empty", detail));
            }
        }
    }
    Ok(())
}

/// Copies everything and compares it; `tell` hears of each kind how many are there so far. What an earlier copy has
/// brought over is not brought again, unless the comparison shows that it is different.
///
/// `Conflict/different` if the target is not equal in the end: it had something else, or somebody writes.
pub async fn copy(
    from: &dyn Transfer,
    to: &dyn Transfer,
    tell: &(dyn Fn(&str, u64) + Sync),
) -> Result<Vec<(String, Sum)>> {
    let mut sums = Vec::new();
    for kind in from.kinds().await? {
        let last = to.last(&kind).await?;
        let resumed = last.is_some();
        copy_kind(from, to, &kind, last, tell).await?;
        let source = Sum::of(from, &kind).await?;
        let mut target = Sum::of(to, &kind).await?;
        if source != target && resumed {
            copy_kind(from, to, &kind, None, tell).await?;
            target = Sum::of(to, &kind).await?;
        }
        if source != target {
            let (here, there) = (source.count, target.count);
            let what = format!(
                "{kind}: {here} in the source, {there} in the target, and not the same: is the target \
                                empty at first, and has the shop been stopped?"
            );
            return Err(Error::conflict("different", what));
        }
        sums.push((kind, source));
    }
    Ok(sums)
}

async fn copy_kind(
    from: &dyn Transfer,
    to: &dyn Transfer,
    kind: &str,
    mut after: Option<String>,
    tell: &(dyn Fn(&str, u64) + Sync),
) -> Result<()> {
    let mut copied = 0;
    loop {
        let items = from.read(kind, after.as_deref(), from.batch(kind)).await?;
        let Some(last) = items.last() else { return Ok(()) };
        after = Some(last.key.clone());
        copied += items.len() as u64;
        to.write(kind, items).await?;
        tell(kind, copied);
    }
}
