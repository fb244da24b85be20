//! Background work.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use shared::{Result, jobs::Jobs};

use crate::{Service, repo};

/// How many sagas are driven at once, and how many are looked up at once.
const AT_ONCE: usize = 16;
const BATCH: i64 = 100;

impl Service {
    /// Starts the worker that finishes what requests left, and those that look after the keys of requests.
    pub fn start(self: &Arc<Self>, jobs: &Jobs) {
        let (service, token) = (self.clone(), jobs.token());
        jobs.spawn_graceful("order.sagas.wake", async move {
            while token.run_until_cancelled(service.due.notified()).await.is_some() {
                if let Err(error) = service.work().await {
                    tracing::warn!(error = error.chain(), "sagas could not be driven");
                }
            }
        });
        let service = self.clone();
        jobs.every("order.sagas", Duration::from_secs(1), move || {
            let service = service.clone();
            async move { service.work().await.map(drop) }
        });
        let service = self.clone();
        jobs.every_elected("order.idempotency", Duration::from_secs(3600), move || {
            let service = service.clone();
            async move { service.prune_answers().await }
        });
    }

    /// Drives every saga that is due; says how many there were.
    pub async fn work(&self) -> Result<u32> {
        let due = repo::sagas::due(&mut self.db.get().await?, self.clock.now(), BATCH).await?;
        let count = u32::try_from(due.len()).unwrap_or(u32::MAX);
        futures::stream::iter(due)
            .for_each_concurrent(AT_ONCE, async |id| {
                if let Err(error) = self.resume(id).await {
                    tracing::warn!(saga = %id, error = error.chain(), "a saga could not be driven");
                }
            })
            .await;
        Ok(count)
    }

    /// Makes everything that a dead process left unfinished due at once, and lets its clients ask again. Call it at
    /// start where this process is the only one on the database (the embedded one); with several instances the leases
    /// of the dead run out by themselves.
    pub async fn recover(&self) -> Result<()> {
        let now = self.clock.now();
        let recovered = self.db.transaction(async move |tx| {
            repo::idempotency::unlock(tx, now).await?;
            Ok(repo::sagas::recover(tx, now).await?)
        });
        let recovered = recovered.await?;
        if recovered > 0 {
            tracing::info!(recovered, "unfinished orders go on");
        }
        self.due.notify_one();
        Ok(())
    }
}
