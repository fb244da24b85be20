//! Background work that stops with the process.

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, OnceLock},
    time::Duration,
};

use futures::FutureExt;
use serde::{Deserialize, Serialize};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Clock, Error, Result, Time, time::system_clock};

/// The background work of one process. Cheap to clone.
#[derive(Clone)]
pub struct Jobs(Arc<Inner>);

struct Inner {
    token: CancellationToken,
    tasks: TaskTracker,
    clock: Arc<dyn Clock>,
    status: Mutex<Vec<JobStatus>>,
    election: OnceLock<Election>,
}

/// Whether this process leads a module.
pub type Election = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// How a periodic job is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobStatus {
    /// The name it was started with.
    pub name: String,
    /// How often it has run, failures included.
    pub runs: u64,
    /// How often it has failed or panicked.
    pub failures: u64,
    /// When it last ended.
    pub last_run: Option<Time>,
    /// The last failure, with its causes; `None` again after a success.
    pub last_error: Option<String>,
}

impl Default for Jobs {
    fn default() -> Self {
        Self::new()
    }
}

impl Jobs {
    /// No work yet.
    pub fn new() -> Self {
        Self::with_clock(system_clock())
    }

    /// No work yet; `last_run` comes from `clock`.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner {
            token: CancellationToken::new(),
            tasks: TaskTracker::new(),
            clock,
            status: Mutex::default(),
            election: OnceLock::new(),
        }))
    }

    /// Runs `future` until it ends or the process stops. On stop it is dropped at its next `await`:
    /// work that must end in its own time watches [`Jobs::token`] and uses [`Jobs::spawn_graceful`].
    pub fn spawn(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        let token = self.token();
        self.spawn_graceful(name, async move {
            token.run_until_cancelled(future).await;
        });
    }

    /// Runs `future`, which watches [`Jobs::token`] itself; [`Jobs::stop`] waits for it.
    pub fn spawn_graceful(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        self.0.tasks.spawn(async move {
            if let Err(panic) = AssertUnwindSafe(future).catch_unwind().await {
                tracing::error!(job = name, "panicked: {}", panic_message(&*panic));
            }
        });
    }

    /// Runs `work` now and every `period` (± 10 %) until the process stops; a run under way is finished first.
    /// A failure or a panic is logged and counted, and the next run comes all the same.
    pub fn every<F, Fut>(&self, name: &'static str, period: Duration, work: F)
    where
        F: Fn() -> Fut + Send + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        let status =
            JobStatus { name: name.to_owned(), runs: 0, failures: 0, last_run: None, last_error: None };
        let place = {
            let mut all = self.lock();
            all.push(status);
            all.len() - 1
        };
        let jobs = self.clone();
        self.0.tasks.spawn(async move {
            while !jobs.0.token.is_cancelled() {
                // The call may panic before there is a future.
                let run = match std::panic::catch_unwind(AssertUnwindSafe(&work)) {
                    Ok(run) => AssertUnwindSafe(run).catch_unwind().await,
                    Err(panic) => Err(panic),
                };
                let panicked = |panic: Box<dyn Any + Send>| {
                    Err(Error::internal(format!("panicked: {}", panic_message(&*panic))))
                };
                jobs.record(place, run.unwrap_or_else(panicked));
                let pause = tokio::time::sleep(period.mul_f64(rand::random_range(0.9..=1.1)));
                jobs.0.token.run_until_cancelled(pause).await;
            }
        });
    }

    /// [`Jobs::every`] for work that one process of several is enough for: a run is left out while another leads the
    /// module, which is the part of the name before the dot. It must be harmless all the same if two do it at once.
    pub fn every_elected<F, Fut>(&self, name: &'static str, period: Duration, work: F)
    where
        F: Fn() -> Fut + Send + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        let jobs = self.clone();
        let module = name.split('.').next().unwrap_or(name);
        self.every(name, period, move || {
            let run = jobs.leads(module).then(&work);
            async move {
                match run {
                    Some(run) => run.await,
                    None => Ok(()),
                }
            }
        });
    }

    /// From now on another process may lead: the first call counts.
    pub fn elect(&self, election: Election) {
        self.0.election.set(election).ok();
    }

    /// Whether this process leads a module. Without an election everybody does.
    pub fn leads(&self, module: &str) -> bool {
        self.0.election.get().is_none_or(|election| election(module))
    }

    fn record(&self, place: usize, result: Result<()>) {
        let now = self.0.clock.now();
        let mut all = self.lock();
        let status = &mut all[place];
        status.runs += 1;
        status.last_run = Some(now);
        status.last_error = result.err().map(|error| error.chain());
        if let Some(error) = &status.last_error {
            status.failures += 1;
            tracing::error!(job = status.name, error, "a job failed");
        }
    }

    /// Every periodic job, in the order they were started.
    pub fn status(&self) -> Vec<JobStatus> {
        self.lock().clone()
    }

    /// Cancelled when the process stops.
    pub fn token(&self) -> CancellationToken {
        self.0.token.clone()
    }

    /// Tells all work to stop and waits for it, at most `deadline`.
    pub async fn stop(&self, deadline: Duration) {
        self.0.token.cancel();
        self.0.tasks.close();
        if tokio::time::timeout(deadline, self.0.tasks.wait()).await.is_err() {
            tracing::warn!(left = self.0.tasks.len(), "background work did not stop in time");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<JobStatus>> {
        self.0.status.lock().expect("nobody panics while holding the status")
    }
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    async fn until(condition: impl Fn() -> bool) {
        let wait = async {
            while !condition() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), wait).await.expect("the condition holds in time");
    }

    #[tokio::test]
    async fn a_job_survives_its_failures_and_panics() {
        let jobs = Jobs::new();
        let count = Arc::new(AtomicU64::new(0));
        let counted = count.clone();
        jobs.every("sweep", Duration::from_millis(2), move || {
            let run = counted.fetch_add(1, Ordering::Relaxed);
            async move {
                match run {
                    0 => Err(Error::internal("disk full")),
                    1 => panic!("oh no"),
                    _ => Ok(()),
                }
            }
        });
        until(|| jobs.status()[0].runs >= 3).await;
        let status = jobs.status().remove(0);
        assert_eq!((status.failures, status.last_error), (2, None));
        jobs.stop(Duration::from_secs(1)).await;
        let stopped = count.load(Ordering::Relaxed);
        assert_eq!(jobs.status()[0].runs, stopped);
    }

    #[tokio::test]
    async fn who_does_not_lead_leaves_it_to_others() {
        let jobs = Jobs::new();
        assert!(jobs.leads("cart"));
        jobs.elect(Box::new(|module| module == "order"));
        let done = Arc::new(Mutex::new(Vec::new()));
        for name in ["cart.sweeper", "order.prune"] {
            let done = done.clone();
            jobs.every_elected(name, Duration::from_millis(2), move || {
                done.lock().unwrap().push(name);
                async { Ok(()) }
            });
        }
        until(|| jobs.status().iter().all(|job| job.runs >= 3)).await;
        assert!(done.lock().unwrap().iter().all(|name| *name == "order.prune"));
        jobs.stop(Duration::from_secs(1)).await;
    }

    #[tokio::test]
    async fn stop_ends_endless_work_and_waits_for_graceful_work() {
        let jobs = Jobs::new();
        jobs.spawn("endless", std::future::pending());
        let (token, done) = (jobs.token(), Arc::new(AtomicU64::new(0)));
        let finished = done.clone();
        jobs.spawn_graceful("graceful", async move {
            token.cancelled().await;
            tokio::task::yield_now().await;
            finished.store(1, Ordering::Relaxed);
        });
        jobs.stop(Duration::from_secs(5)).await;
        assert_eq!(done.load(Ordering::Relaxed), 1);
        assert!(jobs.0.tasks.is_empty());
    }
}
