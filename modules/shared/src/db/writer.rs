//! SQLite's one writer: units that wait together share a commit, and so an fsync.

use std::{sync::Arc, thread::ThreadId, time::Duration};

use diesel_async::SimpleAsyncConnection;
use tokio::sync::mpsc;

use super::{
    Conn, Lease, SqliteConn, Tx, caught, on,
    unit::{Hub, Unit},
};
use crate::{Error, Result, events::Envelope};

/// Units that wait before callers get `Unavailable`.
const QUEUE: usize = 1024;
/// Units that share a commit, so that the first of them is not kept waiting for ever.
const BATCH: usize = 64;

/// Starts the writer's thread. It ends when the queue's last sender is gone and the queue is empty.
pub(super) fn start(
    conn: SqliteConn,
    hub: Arc<Hub>,
    timeout: Duration,
) -> Result<(mpsc::Sender<Box<dyn Unit>>, ThreadId)> {
    let (queue, mut units) = mpsc::channel::<Box<dyn Unit>>(QUEUE);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::internal)?;
    let thread = std::thread::Builder::new()
        .name("sqlite-writer".to_owned())
        .spawn(move || {
            let tx = Tx::new(Conn::Sqlite(Lease::owned(conn)), hub.clone());
            let mut writer = Writer { tx, hub, timeout };
            runtime.block_on(async {
                while let Some(unit) = units.recv().await {
                    writer.share(unit, &mut units).await;
                }
            });
        })
        .map_err(Error::internal)?;
    Ok((queue, thread.thread().id()))
}

struct Writer {
    tx: Tx,
    hub: Arc<Hub>,
    timeout: Duration,
}

/// A unit that has run but is not committed.
struct Ran {
    unit: Box<dyn Unit>,
    result: Result<()>,
    emitted: Vec<Envelope>,
}

impl Writer {
    async fn sql(&mut self, sql: &str) -> Result<()> {
        Ok(on!(&mut self.tx, |c| c.batch_execute(sql).await)?)
    }

    /// Runs `first` and whatever is queued behind it in one transaction.
    async fn share(&mut self, first: Box<dyn Unit>, units: &mut mpsc::Receiver<Box<dyn Unit>>) {
        if let Err(error) = self.sql("begin immediate").await {
            first.answer(Err(busy(&error)));
            return;
        }
        let mut batch = Vec::new();
        let mut next = Some(first);
        let mut whole = Ok(());
        while let Some(unit) = next {
            let (ran, sound) = self.savepoint(unit).await;
            batch.push(ran);
            if sound.is_err() {
                whole = sound;
                break;
            }
            next = if batch.len() < BATCH { units.try_recv().ok() } else { None };
        }
        match self.finish(whole).await {
            Ok(()) => batch.into_iter().for_each(|ran| self.settle(ran)),
            // One of them spoilt the commit: each again on its own, so that only that one fails.
            Err(_) if batch.len() > 1 => {
                for ran in batch {
                    self.alone(ran.unit).await;
                }
            }
            Err(error) => {
                batch.into_iter().for_each(|ran| ran.unit.answer(ran.result.and(Err(error.clone()))))
            }
        }
    }

    async fn alone(&mut self, unit: Box<dyn Unit>) {
        if let Err(error) = self.sql("begin immediate").await {
            unit.answer(Err(busy(&error)));
            return;
        }
        let (ran, sound) = self.savepoint(unit).await;
        match self.finish(sound).await {
            Ok(()) => self.settle(ran),
            Err(error) => ran.unit.answer(ran.result.and(Err(error))),
        }
    }

    /// Runs one unit inside a savepoint. The second result is an error if the whole transaction is lost.
    async fn savepoint(&mut self, mut unit: Box<dyn Unit>) -> (Ran, Result<()>) {
        if let Err(error) = self.sql("savepoint unit").await {
            return (Ran { unit, result: Err(error.clone()), emitted: Vec::new() }, Err(error));
        }
        let work = tokio::time::timeout(self.timeout, caught(unit.run(&mut self.tx)));
        let result = work.await.unwrap_or_else(|_| Err(Error::unavailable("the transaction took too long")));
        let emitted = self.tx.take_emitted();
        let sql = if result.is_ok() { "release unit" } else { "rollback to unit; release unit" };
        let sound = self.sql(sql).await;
        (Ran { unit, result, emitted }, sound)
    }

    /// Commits if every savepoint is sound, and leaves no transaction open either way.
    async fn finish(&mut self, sound: Result<()>) -> Result<()> {
        let committed = match sound {
            Ok(()) => self.sql("commit").await,
            Err(error) => Err(error),
        };
        match &committed {
            Ok(()) => self.hub.count_commit(),
            Err(error) => {
                tracing::error!(error = error.chain(), "a commit failed");
                // SQLite may have rolled back by itself, and then this has nothing to do.
                let _ = self.sql("rollback").await;
            }
        }
        committed
    }

    fn settle(&self, ran: Ran) {
        if ran.result.is_ok() {
            self.hub.tell(&ran.emitted);
        }
        ran.unit.answer(ran.result);
    }
}

fn busy(error: &Error) -> Error {
    tracing::error!(error = error.chain(), "a transaction could not begin");
    Error::unavailable("the database is busy")
}
