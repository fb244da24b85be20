//! What runs in the background.

use std::{sync::Arc, time::Duration};

use shared::{Result, jobs::Jobs};

use crate::Service;

/// Reservations that one round of the sweeper reads at once.
const BATCH: u32 = 100;

pub fn start(service: &Arc<Service>, jobs: &Jobs) {
    let every = Duration::from_secs(service.settings.sweep_seconds.max(1));
    let sweeper = service.clone();
    jobs.every("stock.sweeper", every, move || {
        let service = sweeper.clone();
        async move { service.sweep().await }
    });
    let turner = service.clone();
    jobs.every("prices.turn", every, move || {
        let service = turner.clone();
        async move { service.turn_prices().await }
    });
    if service.settings.picture_forms {
        let pictures = service.pictures.clone();
        jobs.spawn("pictures.forms", async move { pictures.run(every).await });
    }
    let indexer = service.indexer.clone();
    let refresh = Duration::from_secs(service.settings.refresh_seconds.max(1));
    jobs.spawn("search.indexer", async move { indexer.run(refresh).await });
}

impl Service {
    /// Releases all reservations whose time is over. One that cannot be released holds up no other.
    pub async fn sweep(&self) -> Result<()> {
        loop {
            let expired = self.shelves.expired(BATCH).await?;
            let mut result = Ok(());
            for order in &expired {
                result = result.and(self.shelves.expire(*order).await);
            }
            if result.is_err() || expired.len() < BATCH as usize {
                return result;
            }
        }
    }

    /// Says that prices have changed where a price list has begun or ended since this was last looked at.
    pub async fn turn_prices(&self) -> Result<()> {
        let mut since = self.prices_seen.lock().await;
        let now = self.clock.now();
        self.catalogue.turn_prices(*since, now).await?;
        *since = now;
        Ok(())
    }
}
