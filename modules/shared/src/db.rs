//! One handle, one connection type and one way to write, for PostgreSQL and SQLite.
//!
//! Repository functions take `conn: &mut Conn` and run one query each inside [`on!`]. Services read through
//! [`Db::get`] and write through [`Db::transaction`], which hands out a [`Tx`] (it derefs to [`Conn`]).

mod migrations;
mod postgres;
mod sqlite;
#[cfg(test)]
mod tests;
mod tls;
mod tx;
mod unit;
mod writer;

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection, pooled_connection::deadpool::Object};
use futures::FutureExt;
use tokio::sync::{Notify, oneshot};

use crate::{Clock, Error, Result, events::Envelope, queries::Recorder, time::system_clock};

pub use migrations::{Migration, Migrations};
pub use sqlite::{Hop, Lease, SqliteConn};
pub use tx::Tx;

pub(crate) use unit::Hub;
use unit::{Job, Unit};

/// A connection of either database.
#[expect(clippy::large_enum_variant, reason = "few exist at a time, and a box would cost more than it saves")]
pub enum Conn {
    /// From the pool.
    Postgres(Object<AsyncPgConnection>),
    /// A reader from the pool, or the one writer.
    Sqlite(Lease),
}

impl Conn {
    /// Lets [`on!`](crate::on) take a `&mut Tx` as well as a `&mut Conn`.
    #[doc(hidden)]
    pub fn of(conn: &mut Conn) -> &mut Conn {
        conn
    }
}

/// Runs one diesel expression on whichever database `$conn` (a `&mut Conn` or `&mut Tx`) is.
///
/// ```ignore
/// on!(conn, |c| orders::table.find(id).select(Order::as_select()).first(c).await)
/// // expands to
/// match conn {
///     Conn::Postgres(object) => { let c = &mut **object; orders::table.find(id) /* and so on */ .await }
///     Conn::Sqlite(lease) => { let c = &mut **lease; orders::table.find(id) /* and so on */ .await }
/// }
/// ```
/// The whole expression is inside, because a query that exists outside is fixed to one database.
#[macro_export]
macro_rules! on {
    ($conn:expr, |$c:ident| $body:expr) => {
        match $crate::db::Conn::of($conn) {
            $crate::db::Conn::Postgres(object) => {
                let $c = &mut **object;
                $body
            }
            $crate::db::Conn::Sqlite(lease) => {
                let $c = &mut **lease;
                $body
            }
        }
    };
}
pub use on;

/// Hears of committed events. Must not block: it runs between the commit and the answer to the caller.
pub type Watcher = Arc<dyn Fn(&[Envelope]) + Send + Sync>;

/// How to open a database.
#[derive(Clone)]
pub struct Options {
    /// SQLite: reading connections. PostgreSQL: the size of the pool.
    pub readers: usize,
    /// How long a caller waits for a connection, or for a place in the writer's queue, before `Unavailable`.
    pub acquire_timeout: Duration,
    /// How long one unit of work may take on SQLite, where it holds up all others. It is then rolled back.
    pub transaction_timeout: Duration,
    /// PostgreSQL: how long one statement may take.
    pub statement_timeout: Duration,
    /// PostgreSQL: who signs its certificate, as a PEM file; `None` for the public authorities.
    pub tls_ca: Option<PathBuf>,
    /// Where `occurred_at` and friends come from.
    pub clock: Arc<dyn Clock>,
    /// Notes every distinct statement, if somebody wants to know them.
    pub recorder: Option<Recorder>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            readers: 4,
            acquire_timeout: Duration::from_secs(5),
            transaction_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(10),
            tls_ca: None,
            clock: system_clock(),
            recorder: None,
        }
    }
}

/// A database. Cheap to clone; when the last clone is gone its thread ends after the work it already has.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    backend: Backend,
    hub: Arc<Hub>,
    options: Options,
}

enum Backend {
    Postgres(postgres::Postgres),
    Sqlite(sqlite::Sqlite),
}

impl Db {
    /// Opens `sqlite://path` (makes the folder and the file if need be) or `postgres://…`.
    ///
    /// `Unavailable` if the database cannot be reached, `Internal` if the URL is neither.
    pub async fn open(url: &str, options: &Options) -> Result<Self> {
        let hub = Arc::new(Hub::new(options.clock.clone()));
        let backend = if let Some(path) = url.strip_prefix("sqlite://") {
            Backend::Sqlite(sqlite::Sqlite::open(path, options, hub.clone()).await?)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Backend::Postgres(postgres::Postgres::open(url, options, hub.clone())?)
        } else {
            return Err(Error::internal("a database URL starts with sqlite:// or postgres://"));
        };
        let db = Self(Arc::new(Inner { backend, hub, options: options.clone() }));
        db.ping().await?;
        Ok(db)
    }

    /// A connection for reading. `Unavailable` if none is free in time.
    pub async fn get(&self) -> Result<Conn> {
        match &self.0.backend {
            Backend::Postgres(postgres) => postgres.get().await.map(Conn::Postgres),
            Backend::Sqlite(sqlite) => sqlite.get(self.0.options.acquire_timeout).await.map(Conn::Sqlite),
        }
    }

    /// Runs `work` in a transaction: committed on `Ok`, rolled back on `Err` and on a panic.
    ///
    /// The work runs detached from the caller: once accepted it is finished even if the caller is gone.
    /// It may run more than once (PostgreSQL: after a serialization failure or a deadlock; SQLite: when the
    /// commit that it shared with others failed), so its only effects are those on the database.
    /// Its future need not be `Send`. A transaction inside a transaction is refused.
    pub async fn transaction<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.submit(Box::new(Job::new(work, reply))).await?;
        answer.await.unwrap_or_else(|_| Err(Error::internal("the database thread died")))
    }

    async fn submit(&self, unit: Box<dyn Unit>) -> Result<()> {
        let (queue, thread) = match &self.0.backend {
            Backend::Postgres(postgres) => (&postgres.queue, postgres.thread),
            Backend::Sqlite(sqlite) => (&sqlite.queue, sqlite.thread),
        };
        if std::thread::current().id() == thread {
            return Err(Error::internal("a transaction was started inside a transaction"));
        }
        tokio::time::timeout(self.0.options.acquire_timeout, queue.send(unit))
            .await
            .map_err(|_| Error::unavailable("the database is busy"))?
            .map_err(|_| Error::unavailable("the database is closed"))
    }

    /// Calls `watcher` after each commit with the events that one transaction emitted, before its caller is answered.
    pub fn watch(&self, watcher: Watcher) {
        self.0.hub.watch(watcher);
    }

    /// Whether this is SQLite.
    pub fn is_sqlite(&self) -> bool {
        matches!(self.0.backend, Backend::Sqlite(_))
    }

    /// `Ok` if the database answers.
    pub async fn ping(&self) -> Result<()> {
        let mut conn = self.get().await?;
        on!(&mut conn, |c| c.batch_execute("select 1").await).map_err(Error::from)
    }

    /// How many commits this handle and its clones have made: fewer than transactions when they share.
    pub fn commits(&self) -> u64 {
        self.0.hub.commits.load(Ordering::Relaxed)
    }

    /// The clock it was opened with.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.options.clock
    }

    /// Woken after each commit that emitted an event.
    pub(crate) fn emitted(&self) -> &Notify {
        &self.0.hub.wake
    }
}

/// Runs `work` and turns a panic into an error.
pub(crate) async fn caught<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    match std::panic::AssertUnwindSafe(work).catch_unwind().await {
        Ok(result) => result,
        Err(panic) => Err(Error::internal(format!("panicked: {}", crate::jobs::panic_message(&*panic)))),
    }
}
