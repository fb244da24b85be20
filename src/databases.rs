//! The four databases of a shop: opened by their URLs, and filled with what their modules keep.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use shared::{
    Clock, Database, Result,
    db::{self, Db, Migrations},
    events,
    mongo::Schema,
    queries::Recorder,
};

use crate::{
    settings::{MODULES, Settings},
    system::Outbox,
};

const TENANT: &str = "a module's database is open where the module is hosted";

/// The four databases, by what lives in them; those that no module of this process lives in are not opened.
#[derive(Clone)]
pub struct Databases {
    products: Option<Database>,
    customers: Option<Db>,
    orders: Option<Db>,
    metadata: Option<Database>,
}

impl Databases {
    /// Opens those that the hosted modules need.
    pub async fn open(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self> {
        Self::open_recorded(settings, clock, &BTreeMap::new()).await
    }

    /// The same; what each is asked is noted by the recorder of its name.
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
        let mut databases = Self { products: None, customers: None, orders: None, metadata: None };
        for (name, url) in settings.databases() {
            let mut tenants = MODULES.iter().filter(|module| module.database == Some(name));
            if !tenants.any(|module| settings.hosts(module.name)) {
                continue;
            }
            let options = options(name, &url);
            match name {
                "products" => databases.products = Some(Database::open(&url, &options).await?),
                "customers" => databases.customers = Some(Db::open(&url, &options).await?),
                "orders" => databases.orders = Some(Db::open(&url, &options).await?),
                _ => databases.metadata = Some(Database::open(&url, &options).await?),
            }
        }
        Ok(databases)
    }

    /// Where products live. Panics, as the others do, in a process without a module that lives there.
    pub fn products(&self) -> &Database {
        self.products.as_ref().expect(TENANT)
    }

    /// Where customers live.
    pub fn customers(&self) -> &Db {
        self.customers.as_ref().expect(TENANT)
    }

    /// Where orders live.
    pub fn orders(&self) -> &Db {
        self.orders.as_ref().expect(TENANT)
    }

    /// Where everything else lives.
    pub fn metadata(&self) -> &Database {
        self.metadata.as_ref().expect(TENANT)
    }

    /// Each open database with what belongs into it.
    pub fn contents(&self) -> Vec<Contents> {
        let contents = |name, database: Option<Database>, tables, documents| {
            database.map(|database| Contents { name, database, tables, documents })
        };
        let all = [
            contents(
                "products",
                self.products.clone(),
                vec![events::MIGRATIONS, product::MIGRATIONS],
                vec![events::SCHEMA, product::SCHEMA],
            ),
            contents(
                "customers",
                self.customers.clone().map(Into::into),
                vec![events::MIGRATIONS, customer::MIGRATIONS],
                Vec::new(),
            ),
            contents(
                "orders",
                self.orders.clone().map(Into::into),
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
        ];
        all.into_iter().flatten().collect()
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

    /// Each open database's outbox.
    pub fn outboxes(&self) -> Vec<Outbox> {
        let outbox =
            |database, relay, prune, db: Option<Database>| db.map(|db| Outbox { database, relay, prune, db });
        let all = [
            outbox("products", "products.relay", "products.prune", self.products.clone()),
            outbox("customers", "customers.relay", "customers.prune", self.customers.clone().map(Into::into)),
            outbox("orders", "orders.relay", "orders.prune", self.orders.clone().map(Into::into)),
            outbox("metadata", "metadata.relay", "metadata.prune", self.metadata.clone()),
        ];
        all.into_iter().flatten().collect()
    }
}

/// A database, and what its modules keep in it: tables where it is relational, collections where it is not.
pub struct Contents {
    pub name: &'static str,
    pub database: Database,
    pub tables: Vec<Migrations>,
    pub documents: Vec<Schema>,
}
