//! Where fields, pages and settings are kept. Each writing method is one atomic unit: the change and its events.

mod mongo;
mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;
use contracts::metadata::{
    Definition, DefinitionId, FieldValue, Owner,
    content::{ContentPage, PageFilter, PageId, PageKind},
};
use shared::{Database, Result, Time};

use crate::model::settings::Version;

pub use mongo::{KINDS, SCHEMA};

/// The store in a database of whichever family.
pub fn open(db: Database) -> Arc<dyn Store> {
    match db {
        Database::Sql(db) => Arc::new(sqlite::Sqlite::new(db)),
        Database::Mongo(db) => Arc::new(mongo::MongoStore::new(db)),
    }
}

/// What the service asks of a database.
#[async_trait]
pub trait Store: Send + Sync {
    /// By owner, namespace and key.
    async fn definitions(&self, owner: Option<Owner>) -> Result<Vec<Definition>>;
    async fn definition(&self, id: DefinitionId) -> Result<Option<Definition>>;
    /// `Conflict/definition_taken`.
    async fn insert_definition(&self, definition: Definition) -> Result<()>;
    /// Replaces the definition if it still has the version it had before, and converts and checks its values where kind
    /// or rules are different. `Conflict/definition_in_use` if some do not fit, unless those shall go.
    async fn redefine(&self, before: Definition, after: Definition, drop_invalid: bool) -> Result<Saved>;
    /// Removes it and its values.
    async fn delete_definition(&self, definition: Definition) -> Result<()>;

    /// The values of these entities; those that never had one are left out.
    async fn fields(&self, owner: Owner, entities: &[String]) -> Result<Vec<Fields>>;
    /// Makes these the values of the entity if it still has that version, and each definition the one the values were
    /// checked against.
    async fn replace_fields(
        &self,
        owner: Owner,
        fields: Fields,
        against: Vec<(DefinitionId, i64)>,
    ) -> Result<Saved>;

    async fn page(&self, id: PageId) -> Result<Option<ContentPage>>;
    /// The page that has the slug, or had it.
    async fn page_by_slug(&self, slug: &str) -> Result<Option<ContentPage>>;
    /// Published until `now`: of the journal newest first, others by title.
    async fn published(
        &self,
        kind: PageKind,
        now: Time,
        after: Option<Place>,
        limit: i64,
    ) -> Result<Vec<Listed>>;
    /// Newest first.
    async fn pages(
        &self,
        filter: &PageFilter,
        after: Option<(Time, PageId)>,
        limit: i64,
    ) -> Result<Vec<ContentPage>>;
    /// `Conflict/slug_taken`. `title` is what it is sorted by.
    async fn insert_page(&self, page: ContentPage, title: String) -> Result<()>;
    /// Replaces the page if it still has the version it had before. `Conflict/slug_taken`.
    async fn save_page(&self, before: ContentPage, after: ContentPage, title: String) -> Result<Saved>;
    async fn delete_page(&self, page: ContentPage) -> Result<()>;

    /// The newest version of the shop's settings.
    async fn settings(&self) -> Result<Option<Version>>;
    /// One version of them.
    async fn settings_at(&self, version: i64) -> Result<Option<Version>>;
    /// Newest first, before that version.
    async fn settings_history(&self, before: Option<i64>, limit: i64) -> Result<Vec<Version>>;
    /// Adds a version if there is none with that number.
    async fn add_settings(&self, version: Version) -> Result<Saved>;
}

/// What became of a conditional write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// It is written.
    Yes,
    /// Somebody was faster: read it again.
    Raced,
}

/// The values of an entity, with the version they were read at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    pub entity_id: String,
    pub version: i64,
    pub values: Vec<FieldValue>,
}

/// Where a page of a list ended: the time (of the journal), the title (of others) and the id.
pub type Place = (Time, String, PageId);

/// A page with what it is sorted by.
#[derive(Clone, Debug)]
pub struct Listed {
    pub page: ContentPage,
    pub title: String,
}
