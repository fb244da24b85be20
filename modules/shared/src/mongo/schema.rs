//! The collections of a module: their indexes and what their documents must look like.

use backon::{ExponentialBuilder, Retryable};
use futures::{StreamExt, TryStreamExt, stream};
use mongodb::{
    IndexModel,
    bson::{Document, doc},
    error::{Error as MongoError, ErrorKind},
    options::IndexOptions,
};

use super::Mongo;
use crate::{Error, Kind, Result};

/// The server's answer to the creation of what is there already.
const NAMESPACE_EXISTS: i32 = 48;

/// Collections made at once.
const SIDE_BY_SIDE: usize = 4;

/// What one module keeps in a database.
#[derive(Clone, Copy)]
pub struct Schema {
    /// The module's name: `cart`.
    pub module: &'static str,
    /// Its collections.
    pub collections: fn() -> Vec<Spec>,
}

/// One collection.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Its name: `carts`.
    pub name: &'static str,
    /// Every index but the one of `_id`.
    pub indexes: Vec<IndexModel>,
    /// A query that every document answers to, such as `{"$jsonSchema": …}`; the server refuses others.
    pub validator: Option<Document>,
}

/// An index by `keys`, named by them.
pub fn index(keys: Document) -> IndexModel {
    IndexModel::builder().keys(keys).build()
}

/// A unique index by `keys` among the documents that have `only` (all of them if it is empty), with a name that
/// [`super::duplicate`] tells.
pub fn unique(name: &str, keys: Document, only: Document) -> IndexModel {
    let only = (!only.is_empty()).then_some(only);
    let options =
        IndexOptions::builder().unique(true).name(name.to_owned()).partial_filter_expression(only).build();
    IndexModel::builder().keys(keys).options(options).build()
}

/// An index by `keys` among the documents that answer to `only`.
pub fn partial(keys: Document, only: Document) -> IndexModel {
    let options = IndexOptions::builder().partial_filter_expression(only).build();
    IndexModel::builder().keys(keys).options(options).build()
}

/// A validator: the members that must be there, and what those that are known look like.
pub fn shape(required: &[&str], properties: Document) -> Option<Document> {
    Some(doc! {"$jsonSchema": {"required": required, "properties": properties}})
}

impl Mongo {
    /// Makes what is missing and returns the names of the collections that are new (`cart/carts`).
    ///
    /// Instances that start together may all try: the server makes each once. A lost connection is made up for.
    pub async fn migrate(&self, all: &[Schema]) -> Result<Vec<String>> {
        (|| self.try_to_migrate(all))
            .retry(ExponentialBuilder::new().with_jitter().with_max_times(3))
            .sleep(tokio::time::sleep)
            .when(|error: &Error| error.kind == Kind::Unavailable)
            .await
    }

    async fn try_to_migrate(&self, all: &[Schema]) -> Result<Vec<String>> {
        let existing = self.0.database.list_collection_names().await?;
        let specs = all
            .iter()
            .flat_map(|schema| (schema.collections)().into_iter().map(|spec| (schema.module, spec)));
        let made = stream::iter(specs).map(|(module, spec)| {
            let is_new = !existing.iter().any(|name| name == spec.name);
            async move {
                self.make(&spec, is_new).await?;
                Ok::<_, Error>(is_new.then(|| format!("{module}/{}", spec.name)))
            }
        });
        made.buffered(SIDE_BY_SIDE).try_filter_map(async |name| Ok(name)).try_collect().await
    }

    /// Every collection's name and whether this database has it with all its indexes.
    pub async fn migration_status(&self, all: &[Schema]) -> Result<Vec<(String, bool)>> {
        let existing = self.0.database.list_collection_names().await?;
        let mut status = Vec::new();
        for schema in all {
            for spec in (schema.collections)() {
                let there = existing.iter().any(|name| name == spec.name)
                    && self.collection(spec.name).list_index_names().await?.len() > spec.indexes.len();
                status.push((format!("{}/{}", schema.module, spec.name), there));
            }
        }
        Ok(status)
    }

    async fn make(&self, spec: &Spec, is_new: bool) -> Result<()> {
        let validator = spec.validator.clone().unwrap_or_default();
        if is_new {
            match self.0.database.create_collection(spec.name).validator(validator).await {
                Err(error) if is(&error, NAMESPACE_EXISTS) => {}
                result => result?,
            }
        } else {
            self.0.database.run_command(doc! {"collMod": spec.name, "validator": validator}).await?;
        }
        if !spec.indexes.is_empty() {
            self.collection(spec.name).create_indexes(spec.indexes.clone()).await?;
        }
        Ok(())
    }
}

fn is(error: &MongoError, code: i32) -> bool {
    matches!(&*error.kind, ErrorKind::Command(command) if command.code == code)
}
