//! PostgreSQL: a pool, and one thread that drives its connections and runs the units of work.

use std::{sync::Arc, thread::ThreadId, time::Duration};

use diesel::{
    ConnectionError,
    result::{DatabaseErrorKind, Error as DieselError},
};
use diesel_async::{
    AsyncConnection, AsyncPgConnection, SimpleAsyncConnection, TransactionManager,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
        deadpool::{Object, Pool},
    },
};
use futures::FutureExt;
use tokio::{
    runtime::Handle,
    sync::{Semaphore, mpsc},
};

use super::{
    Conn, Options, Tx, caught,
    tls::Tls,
    unit::{Hub, Unit},
};
use crate::{Error, Kind, Result};

type Manager = <AsyncPgConnection as AsyncConnection>::TransactionManager;

/// Units that wait before callers get `Unavailable`.
const QUEUE: usize = 1024;
/// How often a unit is run again after a serialization failure or a deadlock.
const RETRIES: u32 = 5;

/// The handle's side of a PostgreSQL database.
pub(super) struct Postgres {
    pub(super) queue: mpsc::Sender<Box<dyn Unit>>,
    pub(super) thread: ThreadId,
    pool: Connections,
}

impl Postgres {
    pub(super) fn open(url: &str, options: &Options, hub: Arc<Hub>) -> Result<Self> {
        let tls = Tls::wanted_by(url, options.tls_ca.as_deref())?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::internal)?;
        let size = options.readers.max(1);
        let manager = manager(url, options, tls, runtime.handle().clone());
        let pool = Pool::builder(manager).max_size(size).build().map_err(Error::internal)?;
        let (queue, units) = mpsc::channel(QUEUE);
        let pool = Connections { pool, timeout: options.acquire_timeout };
        let runner = Arc::new(Runner { pool: pool.clone(), hub });
        let thread = std::thread::Builder::new()
            .name("postgres-writer".to_owned())
            .spawn(move || {
                let local = tokio::task::LocalSet::new();
                local.block_on(&runtime, serve(units, runner, size));
            })
            .map_err(Error::internal)?;
        Ok(Self { queue, thread: thread.thread().id(), pool })
    }

    pub(super) async fn get(&self) -> Result<Object<AsyncPgConnection>> {
        self.pool.get().await
    }
}

/// Runs units side by side, as many as there are connections, until the queue is closed and empty.
async fn serve(mut units: mpsc::Receiver<Box<dyn Unit>>, runner: Arc<Runner>, size: usize) {
    let permits = Arc::new(Semaphore::new(size));
    while let Some(unit) = units.recv().await {
        let permit = permits.clone().acquire_owned().await.expect("nobody closes this semaphore");
        let runner = runner.clone();
        tokio::task::spawn_local(async move {
            runner.run(unit).await;
            drop(permit);
        });
    }
    let all = u32::try_from(size).unwrap_or(u32::MAX);
    let _ = permits.acquire_many(all).await;
}

/// Connections are driven by the thread that lasts as long as the handle, whichever runtime asks for them.
fn manager(
    url: &str,
    options: &Options,
    tls: Tls,
    driver: Handle,
) -> AsyncDieselConnectionManager<AsyncPgConnection> {
    // Longer than `deadlock_timeout` (1 s), so that a deadlock is recognised as one and run again.
    let setup = format!(
        "set statement_timeout = {}; set lock_timeout = '1500ms'; set idle_in_transaction_session_timeout = '10s'",
        options.statement_timeout.as_millis()
    );
    let recorder = options.recorder.clone();
    let mut config = ManagerConfig::default();
    // A closed connection is noticed without a query.
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |url| {
        let (url, setup, tls, recorder) = (url.to_owned(), setup.clone(), tls.clone(), recorder.clone());
        let connecting = driver.spawn(async move {
            let mut conn = tls.connect(&url).await?;
            conn.batch_execute(&setup).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
            if let Some(recorder) = recorder {
                conn.set_instrumentation(recorder);
            }
            Ok(conn)
        });
        connecting
            .map(|done| done.unwrap_or_else(|error| Err(ConnectionError::BadConnection(error.to_string()))))
            .boxed()
    });
    AsyncDieselConnectionManager::new_with_config(url, config)
}

#[derive(Clone)]
struct Connections {
    pool: Pool<AsyncPgConnection>,
    timeout: Duration,
}

impl Connections {
    async fn get(&self) -> Result<Object<AsyncPgConnection>> {
        let conn = tokio::time::timeout(self.timeout, self.pool.get()).await;
        conn.map_err(|_| Error::unavailable("the database is busy"))?.map_err(|error| {
            tracing::warn!(%error, "no database connection");
            Error::unavailable("the database cannot be reached")
        })
    }
}

struct Runner {
    pool: Connections,
    hub: Arc<Hub>,
}

impl Runner {
    /// Runs a unit until it commits, fails for good or has lost too many races.
    async fn run(&self, mut unit: Box<dyn Unit>) {
        let mut lost = 0;
        let result = loop {
            match self.attempt(&mut *unit).await {
                Err(error) if lost < RETRIES && lost_a_race(&error) => lost += 1,
                result => break result,
            }
            let most = 10_u64 << lost;
            tokio::time::sleep(Duration::from_millis(rand::random_range(0..=most))).await;
        };
        unit.answer(result);
    }

    async fn attempt(&self, unit: &mut dyn Unit) -> Result<()> {
        let mut conn = self.pool.get().await?;
        Manager::begin_transaction(&mut *conn).await?;
        let mut tx = Tx::new(Conn::Postgres(conn), self.hub.clone());
        let result = caught(unit.run(&mut tx)).await;
        let emitted = tx.take_emitted();
        let Conn::Postgres(conn) = &mut *tx else { unreachable!("this transaction began on PostgreSQL") };
        if let Err(error) = result {
            if let Err(broken) = Manager::rollback_transaction(&mut **conn).await {
                // The pool sees that the connection is broken and closes it.
                tracing::warn!(error = %broken, "a rollback failed");
            }
            return Err(error);
        }
        if let Err(error) = Manager::commit_transaction(&mut **conn).await.map_err(Error::from) {
            if error.kind == Kind::Unavailable {
                // Nobody knows whether it was committed: what is ready to be shown of it is looked up anew.
                self.hub.tell(&emitted);
            }
            return Err(error);
        }
        self.hub.count_commit();
        self.hub.tell(&emitted);
        Ok(())
    }
}

/// Whether the same work may succeed if it is simply run again.
fn lost_a_race(error: &Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<DieselError>());
    match cause {
        Some(DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _)) => true,
        // diesel has no kind for 40P01 and 55P03, so that their messages are all there is. Who waits for somebody in
        // a deadlock waits too long.
        Some(DieselError::DatabaseError(_, information)) => {
            ["deadlock detected", "canceling statement due to lock timeout"].contains(&information.message())
        }
        _ => false,
    }
}
