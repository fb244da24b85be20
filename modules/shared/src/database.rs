//! A database of either family, for what the kernel does with all of them: events, health, migrations.

use std::sync::Arc;

use crate::{
    Clock, Result,
    db::{Db, Migrations, Options, Watcher},
    mongo::{Mongo, Schema},
};

/// A database, by what its URL says. Cheap to clone.
#[derive(Clone)]
pub enum Database {
    /// PostgreSQL or SQLite.
    Sql(Db),
    /// MongoDB.
    Mongo(Mongo),
}

impl Database {
    /// Opens `sqlite://path`, `postgres://…` or `mongodb://…`: see [`Db::open`] and [`Mongo::open`].
    pub async fn open(url: &str, options: &Options) -> Result<Self> {
        if url.starts_with("mongodb://") || url.starts_with("mongodb+srv://") {
            return Mongo::open(url, options).await.map(Self::Mongo);
        }
        Db::open(url, options).await.map(Self::Sql)
    }

    /// Calls `watcher` after each commit with the events that one transaction emitted, before its caller is answered.
    pub fn watch(&self, watcher: Watcher) {
        match self {
            Self::Sql(db) => db.watch(watcher),
            Self::Mongo(db) => db.watch(watcher),
        }
    }

    /// `Ok` if the database answers.
    pub async fn ping(&self) -> Result<()> {
        match self {
            Self::Sql(db) => db.ping().await,
            Self::Mongo(db) => db.ping().await,
        }
    }

    /// The clock it was opened with.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        match self {
            Self::Sql(db) => db.clock(),
            Self::Mongo(db) => db.clock(),
        }
    }

    /// Makes what is missing of the tables `sql` or the collections `documents`, whichever it keeps; returns their names.
    pub async fn migrate(&self, sql: &[Migrations], documents: &[Schema]) -> Result<Vec<String>> {
        match self {
            Self::Sql(db) => db.migrate(sql).await,
            Self::Mongo(db) => db.migrate(documents).await,
        }
    }

    /// Every migration or collection by name, and whether it is there.
    pub async fn migration_status(
        &self,
        sql: &[Migrations],
        documents: &[Schema],
    ) -> Result<Vec<(String, bool)>> {
        match self {
            Self::Sql(db) => db.migration_status(sql).await,
            Self::Mongo(db) => db.migration_status(documents).await,
        }
    }

    /// What it is: `sqlite`, `postgresql` or `mongodb`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sql(db) if db.is_sqlite() => "sqlite",
            Self::Sql(_) => "postgresql",
            Self::Mongo(_) => "mongodb",
        }
    }

    /// Woken after each commit that emitted an event.
    pub(crate) fn emitted(&self) -> &tokio::sync::Notify {
        match self {
            Self::Sql(db) => db.emitted(),
            Self::Mongo(db) => db.emitted(),
        }
    }
}

impl From<Db> for Database {
    fn from(db: Db) -> Self {
        Self::Sql(db)
    }
}

impl From<Mongo> for Database {
    fn from(db: Mongo) -> Self {
        Self::Mongo(db)
    }
}
