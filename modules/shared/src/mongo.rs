//! MongoDB: one handle, transactions with an outbox, and collections that are made as a module describes them.
//!
//! Stores read through [`Mongo::collection`] and write through [`Mongo::transaction`], which hands out a [`Tx`].
//! Every read and write is made with majority concern, so that no step-down takes back what somebody was told.

mod schema;
#[cfg(test)]
mod tests;
mod tx;

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use mongodb::{
    Client, Collection,
    bson::{Document, doc},
    error::{
        Error as MongoError, ErrorKind, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT,
        WriteFailure,
    },
    options::{ClientOptions, ReadConcern, SelectionCriteria, WriteConcern},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::RwLock;
use tokio_util::task::LocalPoolHandle;
use tracing::Instrument;

use crate::{
    Clock, Error, Kind, Result,
    db::{Hub, Options, Watcher, caught},
    queries::Recorder,
    telemetry,
};

pub use schema::{Schema, Spec, index, partial, shape, unique};
pub use tx::Tx;

/// The server's code for a write that a unique index refuses.
const DUPLICATE_KEY: i32 = 11000;

/// How often a transaction loses before it has the process for itself: measured, 2 and 3 are slower where 200 want the same.
const PATIENCE: u32 = 1;

/// A MongoDB database. Cheap to clone.
#[derive(Clone)]
pub struct Mongo(Arc<Inner>);

struct Inner {
    client: Client,
    database: mongodb::Database,
    /// The thread that runs transactions and drives the connections, whichever runtime asks for them.
    thread: LocalPoolHandle,
    hub: Arc<Hub>,
    options: Options,
    /// Shared by transactions, and taken alone by one that has lost too often.
    turns: RwLock<()>,
}

impl Mongo {
    /// Opens `mongodb://host,host/database?replicaSet=…`.
    ///
    /// `Invalid` if the URL cannot be read, names no database, or the server is standalone (it has no transactions);
    /// `Unavailable` if no primary is found in time.
    pub async fn open(url: &str, options: &Options) -> Result<Self> {
        let thread = LocalPoolHandle::new(1);
        let client_options = client_options(url, options).await?;
        let Some(name) = client_options.default_database.clone() else {
            return Err(wrong("the URL names no database: mongodb://host:27017/products"));
        };
        let client = thread.spawn_pinned(move || async move { Client::with_options(client_options) });
        let client = client.await.map_err(Error::internal)?.map_err(|error| wrong(error.to_string()))?;
        let hub = Arc::new(Hub::new(options.clock.clone()));
        let database = client.database(&name);
        let mongo = Self(Arc::new(Inner {
            client,
            database,
            thread,
            hub,
            options: options.clone(),
            turns: RwLock::default(),
        }));
        mongo.refuse_standalone().await?;
        Ok(mongo)
    }

    async fn refuse_standalone(&self) -> Result<()> {
        let hello = self.0.database.run_command(doc! {"hello": 1}).await?;
        if hello.contains_key("setName") || hello.get_str("msg").is_ok_and(|said| said == "isdbgrid") {
            return Ok(());
        }
        Err(wrong(
            "this MongoDB server is standalone and has no transactions: start it with --replSet rs0 and run \
             rs.initiate() once (one member is enough to begin with)",
        ))
    }

    /// A collection, for reading.
    pub fn collection(&self, name: &str) -> Collection<Document> {
        self.0.database.collection(name)
    }

    /// Runs `work` in a transaction: committed on `Ok`, aborted on `Err` and on a panic.
    ///
    /// The work runs detached from the caller, and again if it lost a race or the primary, until the time of a
    /// transaction is over: its only effects are those on the database. Its future need not be `Send`.
    /// A duplicate key ends a transaction: look first, or use an upsert, where one is expected.
    pub async fn transaction<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx) -> Result<T> + Send + 'static,
    {
        let (mongo, span, trace) = (self.clone(), tracing::Span::current(), telemetry::current());
        let unit = move || async move {
            let run = mongo.run(work).instrument(span);
            match trace {
                Some(trace) => telemetry::scope(trace, run).await,
                None => run.await,
            }
        };
        self.0.thread.spawn_pinned(unit).await.map_err(Error::internal)?
    }

    async fn run<T>(&self, work: impl AsyncFn(&mut Tx) -> Result<T>) -> Result<T> {
        let until = Instant::now() + self.0.options.transaction_timeout;
        for lost in 0_u32.. {
            // Who loses again and again has the process for itself once: many that write the same document would
            // otherwise undo each other's work until their time is over.
            let attempt = if lost < PATIENCE {
                let _beside = self.0.turns.read().await;
                self.attempt(&work, until).await
            } else {
                let _alone = self.0.turns.write().await;
                self.attempt(&work, until).await
            };
            match attempt {
                Err(error) if !lost_a_race(&error) => return Err(error),
                Err(error) if Instant::now() >= until => {
                    return Err(Error::unavailable("too many change this at once").caused_by(error));
                }
                Err(_) => {}
                result => return result,
            }
            let most = 4_u64 << lost.min(4);
            tokio::time::sleep(Duration::from_millis(rand::random_range(0..=most))).await;
        }
        unreachable!("somebody would have counted to four thousand million")
    }

    async fn attempt<T>(&self, work: &impl AsyncFn(&mut Tx) -> Result<T>, until: Instant) -> Result<T> {
        let mut session = self.0.client.start_session().await?;
        session.start_transaction().await?;
        let mut tx = Tx::new(session, self.0.database.clone(), self.0.hub.clone());
        let value = match caught(work(&mut tx)).await {
            Ok(value) => value,
            Err(error) => {
                tx.abort().await;
                if matches!(error.kind, Kind::Conflict | Kind::PreconditionFailed) {
                    self.catch_up().await;
                }
                return Err(error);
            }
        };
        // The driver asks once more by itself; an election takes longer than that.
        while let Err(error) = tx.commit().await {
            if !error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT) || Instant::now() >= until {
                return Err(error.into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.0.hub.count_commit();
        self.0.hub.tell(&tx.take_emitted());
        Ok(value)
    }

    /// Waits until reads see what has refused a transaction: that may not have reached a majority yet, and who reads again
    /// to try once more would find what was before it.
    async fn catch_up(&self) {
        let find = doc! {
            "find": "relays", "filter": {"_id": "relay"}, "limit": 1,
            "readConcern": {"level": "linearizable"}, "maxTimeMS": 5_000,
        };
        if let Err(error) = self.0.database.run_command(find).await {
            tracing::debug!(%error, "the majority has not caught up");
        }
    }

    /// Calls `watcher` after each commit with the events that one transaction emitted, before its caller is answered.
    pub fn watch(&self, watcher: Watcher) {
        self.0.hub.watch(watcher);
    }

    /// `Ok` if the primary answers.
    pub async fn ping(&self) -> Result<()> {
        self.0.database.run_command(doc! {"ping": 1}).await?;
        Ok(())
    }

    /// Runs a command that is not one of a collection.
    pub(crate) async fn run_command(&self, command: Document) -> Result<Document> {
        Ok(self.0.database.run_command(command).await?)
    }

    /// Takes the whole database away: for tests.
    pub(crate) async fn discard(&self) -> Result<()> {
        Ok(self.0.database.drop().await?)
    }

    /// How many commits this handle and its clones have made.
    pub fn commits(&self) -> u64 {
        self.0.hub.commits.load(Ordering::Relaxed)
    }

    /// The clock it was opened with.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.options.clock
    }

    /// Woken after each commit that emitted an event.
    pub(crate) fn emitted(&self) -> &tokio::sync::Notify {
        &self.0.hub.wake
    }
}

async fn client_options(url: &str, options: &Options) -> Result<ClientOptions> {
    let mut client = ClientOptions::parse(url).await.map_err(|error| wrong(error.to_string()))?;
    client.app_name.get_or_insert_with(|| "bodega".to_owned());
    client.max_pool_size.get_or_insert(u32::try_from(options.readers.max(8)).unwrap_or(u32::MAX));
    // The driver tries twice.
    client.server_selection_timeout.get_or_insert(options.acquire_timeout / 2);
    client.connect_timeout.get_or_insert(options.acquire_timeout);
    client.write_concern =
        Some(WriteConcern::builder().w(mongodb::options::Acknowledgment::Majority).journal(true).build());
    client.read_concern = Some(ReadConcern::majority());
    client.selection_criteria =
        Some(SelectionCriteria::ReadPreference(mongodb::options::ReadPreference::Primary));
    client.command_event_handler = options.recorder.as_ref().map(Recorder::listener);
    Ok(client)
}

fn wrong(detail: impl Into<String>) -> Error {
    Error::invalid("database", "mongodb_url", detail)
}

/// A document of a value.
pub fn to_document(value: &impl Serialize) -> Result<Document> {
    mongodb::bson::serialize_to_document(value).map_err(Error::internal)
}

/// The value in a document.
pub fn from_document<T: DeserializeOwned>(document: Document) -> Result<T> {
    mongodb::bson::deserialize_from_document(document).map_err(Error::internal)
}

/// The unique index that refused a write, if that is what happened: its name ends with `: ` and the key.
pub fn duplicate(error: &MongoError) -> Option<&str> {
    let (code, message) = match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(write)) => (write.code, &write.message),
        ErrorKind::Command(command) => (command.code, &command.message),
        ErrorKind::InsertMany(many) => {
            let first = many.write_errors.as_ref()?.first()?;
            (first.code, &first.message)
        }
        _ => return None,
    };
    (code == DUPLICATE_KEY).then_some(message)
}

/// Whether the same work may succeed if it is simply run again.
fn lost_a_race(error: &Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<MongoError>());
    cause.is_some_and(|error| error.contains_label(TRANSIENT_TRANSACTION_ERROR))
}

impl From<MongoError> for Error {
    fn from(error: MongoError) -> Self {
        let unreachable = matches!(
            &*error.kind,
            ErrorKind::ServerSelection { .. } | ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. }
        ) || error.contains_label(mongodb::error::RETRYABLE_WRITE_ERROR);
        if unreachable {
            return Self::unavailable("the database cannot be reached").caused_by(error);
        }
        Self::internal(error)
    }
}
