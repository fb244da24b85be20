//! Tables of a relational database, row by row.

use async_trait::async_trait;
use serde_json::Value;

use super::{
    Item, Transfer,
    shape::{Shape, rows, run},
};
use crate::{
    Result,
    db::{Db, Migrations},
};

/// The tables that some migrations make. A key is the JSON list of the primary key's columns.
pub struct Tables {
    db: Db,
    names: Vec<String>,
}

impl Tables {
    /// In the order in which they are made, so that what is referred to comes first.
    pub fn new(db: Db, migrations: &[Migrations]) -> Self {
        Self { db, names: made(migrations) }
    }
}

/// The tables that migrations make.
pub fn made(migrations: &[Migrations]) -> Vec<String> {
    let statements = migrations.iter().flat_map(|module| module.list.iter().map(|migration| migration.up));
    let lines = statements.flat_map(str::lines);
    let names = lines.filter_map(|line| line.trim().strip_prefix("create table ")?.split([' ', '(']).next());
    names.map(str::to_owned).collect()
}

#[async_trait]
impl Transfer for Tables {
    async fn kinds(&self) -> Result<Vec<String>> {
        Ok(self.names.clone())
    }

    async fn read(&self, kind: &str, after: Option<&str>, limit: u32) -> Result<Vec<Item>> {
        let shape = Shape::of(&self.db, kind).await?;
        let filter = if after.is_some() { shape.that(">") } else { String::new() };
        rows(&mut self.db.get().await?, &shape.read(&filter, "asc", limit), after).await
    }

    async fn write(&self, kind: &str, items: Vec<Item>) -> Result<()> {
        let query = Shape::of(&self.db, kind).await?.write();
        let rows = Value::Array(items.into_iter().map(|item| item.value).collect()).to_string();
        self.db.transaction(async move |tx| run(tx, &query, &rows).await).await
    }

    async fn last(&self, kind: &str) -> Result<Option<String>> {
        let query = Shape::of(&self.db, kind).await?.read("", "desc", 1);
        Ok(rows(&mut self.db.get().await?, &query, None).await?.pop().map(|item| item.key))
    }

    async fn has(&self, kind: &str, key: &str) -> Result<bool> {
        let shape = Shape::of(&self.db, kind).await?;
        let query = shape.read(&shape.that("="), "asc", 1);
        Ok(!rows(&mut self.db.get().await?, &query, Some(key)).await?.is_empty())
    }
}
