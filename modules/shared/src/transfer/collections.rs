//! Collections of MongoDB, document by document.

use async_trait::async_trait;
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};

use super::{Item, Transfer};
use crate::{Error, Result, mongo::Mongo};

/// How the documents of one collection become items and come back.
#[derive(Clone, Copy)]
pub struct Mapping {
    /// What the items are called, in every database.
    pub kind: &'static str,
    /// Where the documents are.
    pub collection: &'static str,
    /// The `_id` of the document whose item has this key.
    pub id: fn(&str) -> Result<String>,
    /// A document's item.
    pub read: fn(Document) -> Result<Item>,
    /// An item's document.
    pub write: fn(Item) -> Result<Document>,
}

/// A key that is the `_id` itself.
pub fn same(key: &str) -> Result<String> {
    Ok(key.to_owned())
}

/// Collections that are moved by their mappings.
pub struct Collections {
    mongo: Mongo,
    mappings: Vec<Mapping>,
}

impl Collections {
    /// In the order in which they may be written.
    pub fn new(mongo: Mongo, mappings: Vec<Mapping>) -> Self {
        Self { mongo, mappings }
    }

    fn mapping(&self, kind: &str) -> Result<Mapping> {
        let found = self.mappings.iter().find(|mapping| mapping.kind == kind);
        found.copied().ok_or_else(|| Error::internal(format!("nobody keeps {kind}")))
    }
}

#[async_trait]
impl Transfer for Collections {
    async fn kinds(&self) -> Result<Vec<String>> {
        Ok(self.mappings.iter().map(|mapping| mapping.kind.to_owned()).collect())
    }

    async fn read(&self, kind: &str, after: Option<&str>, limit: u32) -> Result<Vec<Item>> {
        let mapping = self.mapping(kind)?;
        let filter = match after {
            Some(key) => doc! {"_id": {"$gt": (mapping.id)(key)?}},
            None => doc! {},
        };
        let collection = self.mongo.collection(mapping.collection);
        let found = collection.find(filter).sort(doc! {"_id": 1}).limit(limit.into()).await?;
        let documents: Vec<Document> = found.try_collect().await?;
        documents.into_iter().map(mapping.read).collect()
    }

    async fn write(&self, kind: &str, items: Vec<Item>) -> Result<()> {
        let mapping = self.mapping(kind)?;
        let ids = items.iter().map(|item| (mapping.id)(&item.key)).collect::<Result<Vec<_>>>()?;
        let documents = items.into_iter().map(mapping.write).collect::<Result<Vec<_>>>()?;
        self.mongo
            .transaction(async move |tx| {
                let collection = tx.collection(mapping.collection);
                collection.delete_many(doc! {"_id": {"$in": ids.clone()}}).session(tx.session()).await?;
                collection.insert_many(&documents).session(tx.session()).await?;
                Ok(())
            })
            .await
    }

    async fn last(&self, kind: &str) -> Result<Option<String>> {
        let mapping = self.mapping(kind)?;
        let last = self.mongo.collection(mapping.collection).find_one(doc! {}).sort(doc! {"_id": -1}).await?;
        last.map(|document| Ok((mapping.read)(document)?.key)).transpose()
    }
}
