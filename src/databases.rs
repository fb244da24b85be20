//! The four databases of a shop: opened by their URLs, and filled with what their modules keep.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use shared::{
    Clock, Database, Result,
    db::{self, Db, Migrations},
    events,
    mongo::Schema,
    queries::Recorder,
};

use crate::{settings::Settings, system::Outbox};

/// The four databases, by what lives in them.
#[derive(Clone)]
pub struct Databases {
    pub products: Database,
    pub customers: Db,
    pub orders: Db,
    pub metadata: Database,
}

impl Databases {
    /// Opens all four.
    pub async fn open(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self> {
        Self::open_recorded(settings, clock, &BTreeMap::new()).await
    }

    /// Opens all four; what each is asked is noted by the recorder of its name.
    pub async fn open_recorded(
        settings: &Settings,
        clock: Arc<dyn Clock>,
        recorders: &BTreeMap<&'static str, Recorder>,
    ) -> Result<Self> {
        let database = &settings.database;
        let options = |name: &str, url: &str| db::Options {
            readers: if url.starts_with("sqlite:") { database.readers } else { database.connections },
            acquire_timeout: Duration::from_millis(database.acquire_timeout_ms),
            statement_timeout: Duration::from_millis(database.statement_timeout_ms),
            transaction_timeout: Duration::from_millis(database.transaction_timeout_ms),
            tls_ca: Some(database.tls_ca.clone()).filter(|path| !path.as_os_str().is_empty()),
            clock: clock.clone(),
            recorder: recorders.get(name).cloned(),
        };
        let [products, customers, orders, metadata] = settings.databases().map(|(_, url)| url);
        Ok(Self {
            products: Database::open(&products, &options("products", &products)).await?,
            customers: Db::open(&customers, &options("customers", &customers)).await?,
            orders: Db::open(&orders, &options("orders", &orders)).await?,
            metadata: Database::open(&metadata, &options("metadata", &metadata)).await?,
        })
    }

    /// Each database with what belongs into it.
    pub fn contents(&self) -> [Contents; 4] {
        let contents = |name, database, tables, documents| Contents { name, database, tables, documents };
        [
            contents(
                "products",
                self.products.clone(),
                vec![events::MIGRATIONS, product::MIGRATIONS],
                vec![events::SCHEMA, product::SCHEMA],
            ),
            contents(
                "customers",
                self.customers.clone().into(),
                vec![events::MIGRATIONS, customer::MIGRATIONS],
                Vec::new(),
            ),
            contents(
                "orders",
                self.orders.clone().into(),
                vec![events::MIGRATIONS, payment::MIGRATIONS, shipping::MIGRATIONS, order::MIGRATIONS],
                Vec::new(),
            ),
            contents(
                "metadata",
                self.metadata.clone(),
                vec![
                    events::MIGRATIONS,
                    cart::MIGRATIONS,
                    notification::MIGRATIONS,
                    recommendation::MIGRATIONS,
                    metadata::MIGRATIONS,
                    review::MIGRATIONS,
                ],
                vec![
                    events::SCHEMA,
                    cart::SCHEMA,
                    notification::SCHEMA,
                    recommendation::SCHEMA,
                    metadata::SCHEMA,
                    review::SCHEMA,
                ],
            ),
        ]
    }

    /// Makes what is missing; returns `database/module/version` or `database/module/collection` of each.
    pub async fn migrate(&self) -> Result<Vec<String>> {
        let mut made = Vec::new();
        for Contents { name, database, tables, documents } in self.contents() {
            let new = database.migrate(&tables, &documents).await?;
            made.extend(new.into_iter().map(|what| format!("{name}/{what}")));
        }
        Ok(made)
    }

    /// Each database's outbox.
    pub fn outboxes(&self) -> [Outbox; 4] {
        let outbox =
            |database, relay, prune, db: &Database| Outbox { database, relay, prune, db: db.clone() };
        [
            outbox("products", "products.relay", "products.prune", &self.products),
            outbox("customers", "customers.relay", "customers.prune", &self.customers.clone().into()),
            outbox("orders", "orders.relay", "orders.prune", &self.orders.clone().into()),
            outbox("metadata", "metadata.relay", "metadata.prune", &self.metadata),
        ]
    }
}

/// A database, and what its modules keep in it: tables where it is relational, collections where it is not.
pub struct Contents {
    pub name: &'static str,
    pub database: Database,
    pub tables: Vec<Migrations>,
    pub documents: Vec<Schema>,
}
