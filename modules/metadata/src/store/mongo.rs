//! The store in MongoDB: a document for each definition, for each entity with its values, for each page with every slug it
//! has or had, and for each version of the settings.

mod definitions;
mod fields;
mod moving;
mod pages;
mod settings;

use async_trait::async_trait;
use contracts::metadata::{
    Definition, DefinitionId, Owner,
    content::{ContentPage, PageFilter, PageId, PageKind},
};
use mongodb::bson::doc;
use shared::{
    Result, Time,
    mongo::{Mongo, Schema, Spec},
};

use super::{Fields, Listed, Place, Saved, Store};
use crate::model::settings::Version;

/// The name under which the module's events are published.
const MODULE: &str = "metadata";

pub use moving::KINDS;

/// The module's collections.
pub const SCHEMA: Schema = Schema { module: MODULE, collections };

fn collections() -> Vec<Spec> {
    vec![definitions::spec(), fields::spec(), pages::spec(), settings::spec()]
}

/// Keeps everything in one MongoDB database.
pub struct MongoStore {
    db: Mongo,
}

impl MongoStore {
    /// Its collections are there already.
    pub fn new(db: Mongo) -> Self {
        Self { db }
    }
}

#[async_trait]
impl Store for MongoStore {
    async fn definitions(&self, owner: Option<Owner>) -> Result<Vec<Definition>> {
        definitions::list(&self.db, owner).await
    }

    async fn definition(&self, id: DefinitionId) -> Result<Option<Definition>> {
        definitions::get(&self.db, id).await
    }

    async fn insert_definition(&self, definition: Definition) -> Result<()> {
        self.db.transaction(async move |tx| definitions::insert(tx, &definition).await).await
    }

    async fn redefine(&self, before: Definition, after: Definition, drop_invalid: bool) -> Result<Saved> {
        self.db
            .transaction(async move |tx| {
                if definitions::replace(tx, &before, &after).await? == Saved::Raced {
                    return Ok(Saved::Raced);
                }
                let (was, is) = (&before.terms, &after.terms);
                if (was.kind, &was.rules) != (is.kind, &is.rules) {
                    fields::convert(tx, &before, &after, drop_invalid).await?;
                }
                Ok(Saved::Yes)
            })
            .await
    }

    async fn delete_definition(&self, definition: Definition) -> Result<()> {
        self.db
            .transaction(async move |tx| {
                fields::forget(tx, &definition).await?;
                definitions::delete(tx, &definition).await
            })
            .await
    }

    async fn fields(&self, owner: Owner, entities: &[String]) -> Result<Vec<Fields>> {
        fields::load(&self.db, owner, entities).await
    }

    async fn replace_fields(
        &self,
        owner: Owner,
        fields: Fields,
        against: Vec<(DefinitionId, i64)>,
    ) -> Result<Saved> {
        self.db
            .transaction(async move |tx| {
                if !definitions::hold(tx, &against).await? {
                    return Ok(Saved::Raced);
                }
                fields::replace(tx, owner, &fields).await
            })
            .await
    }

    async fn page(&self, id: PageId) -> Result<Option<ContentPage>> {
        pages::find(&self.db, doc! {"_id": id.to_string()}).await
    }

    async fn page_by_slug(&self, slug: &str) -> Result<Option<ContentPage>> {
        pages::find(&self.db, doc! {"slugs": slug}).await
    }

    async fn published(
        &self,
        kind: PageKind,
        now: Time,
        after: Option<Place>,
        limit: i64,
    ) -> Result<Vec<Listed>> {
        pages::published(&self.db, kind, now, after, limit).await
    }

    async fn pages(
        &self,
        filter: &PageFilter,
        after: Option<(Time, PageId)>,
        limit: i64,
    ) -> Result<Vec<ContentPage>> {
        pages::list(&self.db, filter, after, limit).await
    }

    async fn insert_page(&self, page: ContentPage, title: String) -> Result<()> {
        self.db.transaction(async move |tx| pages::insert(tx, &page, &title).await).await
    }

    async fn save_page(&self, before: ContentPage, after: ContentPage, title: String) -> Result<Saved> {
        self.db.transaction(async move |tx| pages::replace(tx, &before, &after, &title).await).await
    }

    async fn delete_page(&self, page: ContentPage) -> Result<()> {
        self.db.transaction(async move |tx| pages::delete(tx, &page).await).await
    }

    async fn settings(&self) -> Result<Option<Version>> {
        Ok(settings::history(&self.db, None, 1).await?.pop())
    }

    async fn settings_at(&self, version: i64) -> Result<Option<Version>> {
        settings::at(&self.db, version).await
    }

    async fn settings_history(&self, before: Option<i64>, limit: i64) -> Result<Vec<Version>> {
        settings::history(&self.db, before, limit).await
    }

    async fn add_settings(&self, version: Version) -> Result<Saved> {
        self.db.transaction(async move |tx| settings::add(tx, &version).await).await
    }
}
