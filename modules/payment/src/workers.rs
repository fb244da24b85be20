//! Background work.

use std::{sync::Arc, time::Duration};

use shared::{Result, jobs::Jobs};

use crate::Service;

/// How often messages are looked for when nobody says that there are some.
const LOOK: Duration = Duration::from_secs(1);
/// Between two looks, so that what comes together is worked off together.
const PAUSE: Duration = Duration::from_millis(2);

impl Service {
    /// Starts the work on messages and the comparison with the providers.
    pub fn start(self: &Arc<Self>, jobs: &Jobs) {
        let (service, token) = (self.clone(), jobs.token());
        jobs.every("payment.webhooks", PAUSE, move || {
            let (service, token) = (service.clone(), token.clone());
            async move {
                // Woken or not, it looks; only the end of the process keeps it from looking again.
                let woken = tokio::time::timeout(LOOK, service.news.notified());
                match token.run_until_cancelled(woken).await {
                    Some(_) => service.hear_providers().await,
                    None => Ok(()),
                }
            }
        });
        let (service, period) = (self.clone(), Duration::from_secs(self.settings().reconcile_seconds));
        jobs.every_elected("payment.reconcile", period, move || {
            let service = service.clone();
            async move { service.compare_due().await }
        });
    }

    /// Takes the `test` provider's messages and works off all that are stored.
    async fn hear_providers(&self) -> Result<()> {
        self.deliver_test_messages().await?;
        self.work_webhooks().await
    }
}
