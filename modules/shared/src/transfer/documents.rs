//! Things in the collections of MongoDB.

use std::collections::HashMap;

use async_trait::async_trait;
use futures::TryStreamExt;
use mongodb::bson::{Bson, Document, doc};

use super::{BATCH, Item, Kind, Transfer};
use crate::{
    Error, Result,
    mongo::{Mongo, Tx},
};

/// What is kept in collections.
pub struct Documents {
    mongo: Mongo,
    kinds: &'static [Kind],
}

impl Documents {
    /// In the order in which they may be written.
    pub fn new(mongo: Mongo, kinds: &'static [Kind]) -> Self {
        Self { mongo, kinds }
    }

    fn kind(&self, name: &str) -> Result<&'static Kind> {
        let found = self.kinds.iter().find(|kind| kind.table == name);
        found.ok_or_else(|| Error::internal(format!("nobody keeps {name}")))
    }

    /// Puts into each document those that belong to it.
    async fn attach(&self, kind: &Kind, documents: &mut [Document]) -> Result<()> {
        let ids: Vec<Bson> = documents.iter().filter_map(|document| document.get("_id").cloned()).collect();
        for &(name, owner) in kind.beside {
            let theirs = doc! {owner: {"$in": &ids}};
            let mut found = self.mongo.collection(name).find(theirs).sort(doc! {"_id": 1}).await?;
            let mut by_owner = HashMap::<String, Vec<Document>>::new();
            while let Some(document) = found.try_next().await? {
                let of = document.get_str(owner).map_err(Error::internal)?.to_owned();
                by_owner.entry(of).or_default().push(document);
            }
            for document in documents.iter_mut() {
                let id = document.get_str("_id").map_err(Error::internal)?;
                let theirs = by_owner.remove(id).unwrap_or_default();
                document.insert(name, theirs);
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Transfer for Documents {
    async fn kinds(&self) -> Result<Vec<String>> {
        Ok(self.kinds.iter().map(|kind| kind.table.to_owned()).collect())
    }

    fn batch(&self, kind: &str) -> u32 {
        self.kind(kind).map_or(BATCH, |kind| kind.batch)
    }

    async fn read(&self, kind: &str, after: Option<&str>, limit: u32) -> Result<Vec<Item>> {
        let kind = self.kind(kind)?;
        let filter = match after {
            Some(key) => doc! {"_id": {"$gt": kind.id_of(key)?}},
            None => doc! {},
        };
        let collection = self.mongo.collection(kind.collection);
        let found = collection.find(filter).sort(doc! {"_id": 1}).limit(limit.into()).await?;
        let mut documents: Vec<Document> = found.try_collect().await?;
        if let (true, None, Some(first)) = (documents.is_empty(), after, kind.first) {
            let value = first();
            return Ok(vec![Item { key: kind.key_of(&value)?, value }]);
        }
        self.attach(kind, &mut documents).await?;
        documents.iter().map(|document| kind.item(document)).collect()
    }

    async fn write(&self, kind: &str, items: Vec<Item>) -> Result<()> {
        let kind = self.kind(kind)?;
        let (mut ids, mut documents) = (Vec::new(), Vec::new());
        for item in &items {
            let id = kind.id_of(&item.key)?;
            let mut document = (kind.document)(kind, &item.value)?;
            document.insert("_id", &id);
            ids.push(id);
            documents.push(document);
        }
        let mut beside = Vec::new();
        for &(name, owner) in kind.beside {
            let mut theirs = Vec::new();
            for document in &mut documents {
                let Some(Bson::Array(some)) = document.remove(name) else { continue };
                theirs.extend(some.into_iter().filter_map(|one| one.as_document().cloned()));
            }
            beside.push((name, owner, theirs));
        }
        self.mongo
            .transaction(async move |tx| {
                replace(tx, kind.collection, "_id", &ids, &documents).await?;
                for (name, owner, theirs) in &beside {
                    replace(tx, name, owner, &ids, theirs).await?;
                }
                Ok(())
            })
            .await
    }

    async fn last(&self, kind: &str) -> Result<Option<String>> {
        let kind = self.kind(kind)?;
        let last = self.mongo.collection(kind.collection).find_one(doc! {}).sort(doc! {"_id": -1}).await?;
        let Some(last) = last else { return Ok(None) };
        let mut last = [last];
        self.attach(kind, &mut last).await?;
        let [last] = last;
        Ok(Some(kind.item(&last)?.key))
    }

    async fn has(&self, kind: &str, key: &str) -> Result<bool> {
        let kind = self.kind(kind)?;
        let one = doc! {"_id": kind.id_of(key)?};
        if self.mongo.collection(kind.collection).find_one(one).await?.is_some() {
            return Ok(true);
        }
        let Some(first) = kind.first else { return Ok(false) };
        let is_empty = self.mongo.collection(kind.collection).find_one(doc! {}).await?.is_none();
        Ok(is_empty && kind.key_of(&first())? == key)
    }
}

/// Writes documents in place of those whose member `owner` is one of the ids.
async fn replace(tx: &mut Tx, name: &str, owner: &str, ids: &[String], new: &[Document]) -> Result<()> {
    let collection = tx.collection(name);
    collection.delete_many(doc! {owner: {"$in": ids}}).session(tx.session()).await?;
    if !new.is_empty() {
        collection.insert_many(new).session(tx.session()).await?;
    }
    Ok(())
}
