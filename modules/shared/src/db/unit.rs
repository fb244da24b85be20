//! A unit of work on its way to a database thread, and what its commit sets off.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, RwLock, atomic::AtomicU64, atomic::Ordering},
};

use futures::future::LocalBoxFuture;
use tokio::sync::{Notify, oneshot};
use tracing::Instrument;

use super::{Tx, Watcher};
use crate::{
    Clock, Error, Result,
    events::Envelope,
    telemetry::{self, TraceParent},
};

/// What the handle and its thread share.
pub(crate) struct Hub {
    pub(crate) clock: Arc<dyn Clock>,
    watchers: RwLock<Vec<Watcher>>,
    pub(crate) wake: Notify,
    pub(crate) commits: AtomicU64,
}

impl Hub {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, watchers: RwLock::default(), wake: Notify::new(), commits: AtomicU64::new(0) }
    }

    pub(crate) fn watch(&self, watcher: Watcher) {
        self.watchers.write().expect("nobody panics while holding the watchers").push(watcher);
    }

    pub(crate) fn count_commit(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    /// Tells the watchers and the relay what one transaction has committed.
    pub(crate) fn tell(&self, emitted: &[Envelope]) {
        if emitted.is_empty() {
            return;
        }
        let watchers = self.watchers.read().expect("nobody panics while holding the watchers").clone();
        for watcher in watchers {
            // A watcher's bug must not take the database thread with it.
            if std::panic::catch_unwind(AssertUnwindSafe(|| watcher(emitted))).is_err() {
                tracing::error!("a watcher of committed events panicked");
            }
        }
        self.wake.notify_one();
    }
}

/// Work that a database thread runs in a transaction and then answers.
pub(super) trait Unit: Send {
    /// Runs the work once and keeps its result.
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> LocalBoxFuture<'a, Result<()>>;

    /// Answers the caller: with `verdict` if that is an error, or with the kept result.
    fn answer(self: Box<Self>, verdict: Result<()>);
}

pub(super) struct Job<T, F> {
    work: F,
    trace: Option<TraceParent>,
    span: tracing::Span,
    result: Option<T>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Job<T, F> {
    pub(super) fn new(work: F, reply: oneshot::Sender<Result<T>>) -> Self {
        Self { work, trace: telemetry::current(), span: tracing::Span::current(), result: None, reply }
    }
}

impl<T, F> Unit for Job<T, F>
where
    T: Send + 'static,
    F: AsyncFn(&mut Tx) -> Result<T> + Send + 'static,
{
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.result = None;
            let work = (self.work)(tx).instrument(self.span.clone());
            self.result = Some(match self.trace {
                Some(trace) => telemetry::scope(trace, work).await?,
                None => work.await?,
            });
            Ok(())
        })
    }

    fn answer(self: Box<Self>, verdict: Result<()>) {
        let Self { result, reply, .. } = *self;
        let value = || result.ok_or_else(|| Error::internal("a unit of work was answered before it ran"));
        // The caller may be gone; the work is done all the same.
        let _ = reply.send(verdict.and_then(|()| value()));
    }
}
