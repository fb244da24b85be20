//! Sends what is due and forgets what is old.

use std::{sync::Arc, time::Duration};

use shared::{Result, jobs::Jobs};

use crate::Service;

/// How often the queue is looked at when nobody says that there is something.
const PERIOD: Duration = Duration::from_secs(5);
/// Who has not sent a claimed mail by then is taken for dead.
const LEASE: Duration = Duration::from_secs(60);

impl Service {
    /// Sends one mail after the other until none is due; a stopping process finishes the one under way.
    pub(crate) fn start_sending(self: &Arc<Self>, jobs: &Jobs) {
        let (service, token) = (self.clone(), jobs.token());
        jobs.spawn_graceful("notification.sender", async move {
            while !token.is_cancelled() {
                match service.send_next().await {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(error) => tracing::error!(error = error.chain(), "the mail queue does not move"),
                }
                let woken = tokio::time::timeout(PERIOD, service.queued.notified());
                token.run_until_cancelled(woken).await;
            }
        });
    }

    /// Tries the mail that has waited longest. False if none is due.
    pub(crate) async fn send_next(&self) -> Result<bool> {
        let now = self.clock.now();
        let Some(due) = self.store.due(now).await? else { return Ok(false) };
        let id = due.mail.id;
        if !self.store.claim(id, due.next_at, now.after(LEASE)).await? {
            return Ok(true);
        }
        match self.transport.send(&due).await {
            Ok(()) => self.store.sent(id, self.clock.now()).await?,
            Err(error) => {
                let next_at = due.retry_at(self.clock.now());
                // Mail servers repeat the address, and addresses do not belong into logs.
                let error = error.chain().replace(&due.mail.to, "…");
                match next_at {
                    Some(_) => tracing::warn!(mail = %id, error, "a mail was not sent, it is tried again"),
                    None => tracing::error!(mail = %id, error, "a mail was given up"),
                }
                self.store.failed(id, next_at, error).await?;
            }
        }
        Ok(true)
    }

    /// Deletes mails that are older than they are kept.
    pub(crate) async fn prune(&self) -> Result<()> {
        let limit = self.clock.now().before(Duration::from_secs(self.settings.keep_seconds));
        loop {
            let old = self.store.older(limit).await?;
            if old.is_empty() {
                return Ok(());
            }
            for id in &old {
                self.transport.forget(*id).await?;
            }
            self.store.delete(old).await?;
        }
    }
}
