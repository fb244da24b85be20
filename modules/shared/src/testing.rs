//! Databases for tests: embedded ones in the test's folder, or new ones on the servers that the environment names.
//!
//! The same suites run on both: `tests/run` starts private servers, names them in `BODEGA_TEST_POSTGRES_URL`
//! (`postgres://postgres@127.0.0.1:5432`) and `BODEGA_TEST_MONGODB_URL` (`mongodb://127.0.0.1:27017/?replicaSet=rs0`)
//! and runs them again. What is made there is called `bodega_test_…`; a whole shop [takes its own away](discard).

use std::path::Path;

use diesel_async::SimpleAsyncConnection;

use crate::{
    Error, Result,
    db::{Db, Options, on},
    mongo::Mongo,
};

/// The URL of a new database for a relational module.
pub async fn relational(folder: &Path, name: &str) -> Result<String> {
    let Some(server) = server("BODEGA_TEST_POSTGRES_URL") else { return Ok(embedded(folder, name)) };
    let server = server.trim_end_matches('/');
    let one = Options { readers: 1, ..Options::default() };
    let admin = Db::open(&format!("{server}/postgres"), &one).await?;
    let database = fresh(name);
    let create = format!("create database {database}");
    on!(&mut admin.get().await?, |c| c.batch_execute(&create).await)?;
    Ok(format!("{server}/{database}"))
}

/// The URL of a new database for a document module. MongoDB makes it when it is first written to.
pub fn documents(folder: &Path, name: &str) -> Result<String> {
    let Some(server) = server("BODEGA_TEST_MONGODB_URL") else { return Ok(embedded(folder, name)) };
    let (host, query) = server.split_once("/?").ok_or_else(|| {
        Error::internal("BODEGA_TEST_MONGODB_URL must read mongodb://host/?replicaSet=name")
    })?;
    Ok(format!("{host}/{}?{query}", fresh(name)))
}

/// New databases for a whole shop, by the names of its settings (`database.products`, …).
pub async fn databases(folder: &Path) -> Result<[(&'static str, String); 4]> {
    Ok([
        ("database.products", documents(folder, "products")?),
        ("database.customers", relational(folder, "customers").await?),
        ("database.orders", relational(folder, "orders").await?),
        ("database.metadata", documents(folder, "metadata")?),
    ])
}

/// Takes a database away that was made here: a server would not have room for those of every test. An embedded one goes
/// with its folder, and nothing else is ever taken away.
pub async fn discard(url: &str) -> Result<()> {
    let one = Options { readers: 1, ..Options::default() };
    let path = url.split('?').next().unwrap_or(url);
    let Some((server, name)) = path.rsplit_once('/').filter(|(_, name)| name.starts_with("bodega_test_"))
    else {
        return Ok(());
    };
    if url.starts_with("mongodb") {
        return Mongo::open(url, &one).await?.discard().await;
    }
    let admin = Db::open(&format!("{server}/postgres"), &one).await?;
    let drop = format!("drop database if exists {name} with (force)");
    Ok(on!(&mut admin.get().await?, |c| c.batch_execute(&drop).await)?)
}

/// A RabbitMQ for tests, if the environment names one (`BODEGA_TEST_RABBITMQ_URL`, `amqp://guest:guest@127.0.0.1:5672`).
pub fn rabbitmq() -> Option<String> {
    server("BODEGA_TEST_RABBITMQ_URL")
}

/// A Consul agent for tests, if the environment names one (`BODEGA_TEST_CONSUL_URL`, `http://127.0.0.1:8500`).
pub fn consul() -> Option<String> {
    server("BODEGA_TEST_CONSUL_URL")
}

/// Who signs the certificate of the PostgreSQL server, if it has one (`BODEGA_TEST_POSTGRES_CA`, a PEM file).
pub fn postgres_ca() -> Option<std::path::PathBuf> {
    server("BODEGA_TEST_POSTGRES_CA").map(Into::into)
}

/// The URL of a Redis server, if there is one (`BODEGA_TEST_REDIS_URL`). Whoever uses it has keys of their own.
pub fn redis() -> Option<String> {
    server("BODEGA_TEST_REDIS_URL")
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test without settings learns here whether there is a server"
)]
fn server(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|url| !url.is_empty())
}

fn embedded(folder: &Path, name: &str) -> String {
    format!("sqlite://{}", folder.join(format!("{name}.db")).display())
}

fn fresh(name: &str) -> String {
    format!("bodega_test_{name}_{}", uuid::Uuid::new_v4().simple())
}
