//! The port, each method in the file of its noun.

mod content;
mod definitions;
mod fields;
mod settings;

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{
    Actor,
    metadata::{
        Definition, DefinitionId, DefinitionPatch, FieldValues, Metadata, Metafields, NewDefinition, Owner,
        content::{ContentPage, NewPage, PageFilter, PageId, PageKind, PagePatch, PageSummary, PageView},
        settings::{SettingsChange, SettingsPatch, StoredSettings},
    },
};
use shared::{Clock, Database, Error, Page, PageRequest, Result, values::Locale};

use crate::{
    Settings,
    model::{definitions as terms, markdown},
    store::{self, Store},
};

/// How often a change is tried when others are faster.
const ATTEMPTS: u32 = 10;

/// Fields, content and settings in the metadata database.
pub struct Service {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    configured: Settings,
}

impl Service {
    /// Keeps its tables in `db`.
    pub fn new(db: Database, clock: Arc<dyn Clock>, configured: Settings) -> Arc<Self> {
        Arc::new(Self { store: store::open(db), clock, configured })
    }
}

fn busy() -> Error {
    Error::unavailable("this is being changed by too many at once")
}

#[async_trait]
impl Metadata for Service {
    async fn definitions(&self, owner: Option<Owner>) -> Result<Vec<Definition>> {
        self.store.definitions(owner).await
    }
    async fn definition(&self, id: DefinitionId) -> Result<Definition> {
        self.store.definition(id).await?.ok_or_else(DefinitionId::not_found)
    }
    async fn create_definition(&self, new: NewDefinition) -> Result<Definition> {
        let (terms, now) = (terms::validated(new)?, self.clock.now());
        let definition =
            Definition { id: DefinitionId::new(), terms, created_at: now, updated_at: now, version: 1 };
        self.store.insert_definition(definition.clone()).await?;
        Ok(definition)
    }
    async fn update_definition(
        &self,
        id: DefinitionId,
        patch: DefinitionPatch,
        version: Option<i64>,
    ) -> Result<Definition> {
        self.redefine(id, patch, version).await
    }
    async fn delete_definition(&self, id: DefinitionId) -> Result<()> {
        match self.store.definition(id).await? {
            Some(definition) => self.store.delete_definition(definition).await,
            None => Ok(()),
        }
    }

    async fn fields(&self, owner: Owner, entity_id: String) -> Result<Metafields> {
        self.fields_one(owner, entity_id).await
    }
    async fn fields_of(&self, owner: Owner, entity_ids: Vec<String>) -> Result<Vec<Metafields>> {
        self.fields_many(owner, entity_ids).await
    }
    async fn set_fields(
        &self,
        owner: Owner,
        entity_id: String,
        values: FieldValues,
        version: Option<i64>,
    ) -> Result<Metafields> {
        self.write_fields(owner, entity_id, values, version, false).await
    }
    async fn replace_fields(
        &self,
        owner: Owner,
        entity_id: String,
        values: FieldValues,
        version: Option<i64>,
    ) -> Result<Metafields> {
        self.write_fields(owner, entity_id, values, version, true).await
    }

    async fn pages(
        &self,
        kind: PageKind,
        locale: Option<Locale>,
        page: PageRequest,
    ) -> Result<Page<PageSummary>> {
        self.published(kind, locale, page).await
    }
    async fn page(&self, slug: String, locale: Option<Locale>) -> Result<PageView> {
        self.read_page(&slug, locale).await
    }
    async fn list_pages(&self, filter: PageFilter, page: PageRequest) -> Result<Page<ContentPage>> {
        self.all_pages(filter, page).await
    }
    async fn find_page(&self, id: PageId) -> Result<ContentPage> {
        self.store.page(id).await?.ok_or_else(PageId::not_found)
    }
    async fn create_page(&self, new: NewPage) -> Result<ContentPage> {
        self.write_page(new).await
    }
    async fn update_page(&self, id: PageId, patch: PagePatch, version: Option<i64>) -> Result<ContentPage> {
        self.change_page(id, patch, version).await
    }
    async fn delete_page(&self, id: PageId) -> Result<()> {
        match self.store.page(id).await? {
            Some(page) => self.store.delete_page(page).await,
            None => Ok(()),
        }
    }
    async fn render(&self, markdown: String) -> Result<String> {
        Ok(markdown::render(&markdown))
    }

    async fn settings(&self) -> Result<StoredSettings> {
        self.in_force().await
    }
    async fn update_settings(
        &self,
        patch: SettingsPatch,
        version: Option<i64>,
        actor: Actor,
    ) -> Result<StoredSettings> {
        self.change_settings(patch, version, actor).await
    }
    async fn settings_history(&self, page: PageRequest) -> Result<Page<SettingsChange>> {
        self.history(page).await
    }
    async fn restore_settings(
        &self,
        restored: i64,
        version: Option<i64>,
        actor: Actor,
    ) -> Result<StoredSettings> {
        self.bring_back(restored, version, actor).await
    }
}
