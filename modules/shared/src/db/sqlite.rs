//! SQLite: a pool of readers and a queue to the one writer.

use std::{
    error::Error as StdError,
    ops::{Deref, DerefMut},
    path::Path,
    sync::{Arc, Mutex},
    thread::ThreadId,
    time::Duration,
};

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use diesel_async::sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper};
use futures::{FutureExt, future::BoxFuture};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::{Options, unit::Hub, unit::Unit, writer};
use crate::{Error, Result, queries::Recorder};

/// A SQLite connection of either kind.
pub type SqliteConn = SyncConnectionWrapper<SqliteConnection, Hop>;

/// Where a call into SQLite runs.
///
/// diesel-async's own choice blocks when a future is dropped, which panics on a current-thread runtime.
#[derive(Clone, Copy, Debug)]
pub enum Hop {
    /// On the calling thread: the writer has a thread of its own.
    Inline,
    /// On tokio's blocking threads. A call whose future is dropped runs to its end; the next one waits for it.
    Blocking,
}

impl SpawnBlocking for Hop {
    fn spawn_blocking<'a, R>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn StdError + Send + Sync>>>
    where
        R: Send + 'static,
    {
        match self {
            Self::Inline => futures::future::ready(Ok(task())).boxed(),
            Self::Blocking => tokio::task::spawn_blocking(task).map(|done| done.map_err(Box::from)).boxed(),
        }
    }

    fn get_runtime() -> Self {
        Self::Blocking
    }
}

/// A connection that goes back to its pool when dropped.
pub struct Lease {
    // `None` only while it is being dropped.
    conn: Option<SqliteConn>,
    home: Option<(Arc<Readers>, OwnedSemaphorePermit)>,
}

impl Lease {
    /// A connection without a pool: the writer's.
    pub(super) fn owned(conn: SqliteConn) -> Self {
        Self { conn: Some(conn), home: None }
    }
}

impl Deref for Lease {
    type Target = SqliteConn;

    fn deref(&self) -> &SqliteConn {
        self.conn.as_ref().expect("a lease has a connection until it is dropped")
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut SqliteConn {
        self.conn.as_mut().expect("a lease has a connection until it is dropped")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // The permit goes after the connection is back, so a permit always finds one or may open one.
        if let (Some(conn), Some((readers, _permit))) = (self.conn.take(), self.home.take()) {
            readers.idle().push(conn);
        }
    }
}

pub(super) struct Readers {
    path: String,
    recorder: Option<Recorder>,
    idle: Mutex<Vec<SqliteConn>>,
}

impl Readers {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<SqliteConn>> {
        self.idle.lock().expect("nobody panics while holding the readers")
    }
}

/// The handle's side of a SQLite database.
pub(super) struct Sqlite {
    pub(super) queue: mpsc::Sender<Box<dyn Unit>>,
    pub(super) thread: ThreadId,
    permits: Arc<Semaphore>,
    readers: Arc<Readers>,
}

impl Sqlite {
    pub(super) async fn open(path: &str, options: &Options, hub: Arc<Hub>) -> Result<Self> {
        let (conn, path) = (path.to_owned(), path.to_owned());
        let recorder = options.recorder.clone();
        let conn = blocking(move || {
            if let Some(folder) = Path::new(&conn).parent() {
                std::fs::create_dir_all(folder).map_err(Error::internal)?;
            }
            connect(&conn, "pragma cache_size = -16000;", recorder)
        })
        .await?;
        let conn = SqliteConn::with_runtime(conn, Hop::Inline);
        let (queue, thread) = writer::start(conn, hub, options.transaction_timeout)?;
        let permits = Arc::new(Semaphore::new(options.readers.max(1)));
        let readers = Arc::new(Readers { path, recorder: options.recorder.clone(), idle: Mutex::default() });
        Ok(Self { queue, thread, permits, readers })
    }

    pub(super) async fn get(&self, timeout: Duration) -> Result<Lease> {
        let permit = tokio::time::timeout(timeout, self.permits.clone().acquire_owned())
            .await
            .map_err(|_| Error::unavailable("the database is busy"))?
            .map_err(Error::internal)?;
        let idle = self.readers.idle().pop();
        let conn = match idle {
            Some(conn) => conn,
            None => {
                let (path, recorder) = (self.readers.path.clone(), self.readers.recorder.clone());
                let setup = "pragma cache_size = -8000; pragma query_only = on;";
                SqliteConn::with_runtime(
                    blocking(move || connect(&path, setup, recorder)).await?,
                    Hop::Blocking,
                )
            }
        };
        Ok(Lease { conn: Some(conn), home: Some((self.readers.clone(), permit)) })
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

fn connect(path: &str, setup: &str, recorder: Option<Recorder>) -> Result<SqliteConnection> {
    let unreachable = |error: &dyn StdError| Error::unavailable(format!("cannot open {path}: {error}"));
    let mut conn = SqliteConnection::establish(path).map_err(|error| unreachable(&error))?;
    // The wait comes first: switching to WAL needs a lock that another process may hold.
    let pragmas = "pragma busy_timeout = 5000; pragma journal_mode = wal; pragma synchronous = full;
         pragma foreign_keys = on; pragma temp_store = memory;";
    conn.batch_execute(pragmas).map_err(|error| unreachable(&error))?;
    conn.batch_execute(setup)?;
    if let Some(recorder) = recorder {
        conn.set_instrumentation(recorder);
    }
    Ok(conn)
}
