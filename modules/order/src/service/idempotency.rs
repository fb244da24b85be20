//! Remembered answers.

use std::time::Duration;

use async_trait::async_trait;
use contracts::idempotency::{Answer, Claim, Claimed, Idempotency};
use shared::{Result, Time, db::Tx};

use super::Service;
use crate::repo::idempotency as repo;

/// After this whoever took the key is dead: a request may take 30 s.
const LOCK: Duration = Duration::from_secs(40);

#[async_trait]
impl Idempotency for Service {
    async fn claim(&self, claim: Claim) -> Result<Claimed> {
        let now = self.clock.now();
        self.db.transaction(async move |tx| claimed(tx, &claim, now).await).await
    }

    async fn complete(&self, claim: Claim, answer: Answer) -> Result<()> {
        let answer = serde_json::to_string(&answer)?;
        self.db.transaction(async move |tx| Ok(repo::complete(tx, &claim, &answer).await?)).await.map(drop)
    }

    async fn abandon(&self, claim: Claim) -> Result<()> {
        self.db.transaction(async move |tx| Ok(repo::abandon(tx, &claim).await?)).await.map(drop)
    }
}

async fn claimed(tx: &mut Tx, claim: &Claim, now: Time) -> Result<Claimed> {
    if repo::take(tx, claim, now, now.after(LOCK)).await? {
        return Ok(Claimed::Fresh);
    }
    Ok(match repo::get(tx, &claim.scope, &claim.key).await? {
        Some(row) if row.request_hash != claim.request_hash => Claimed::Reused,
        Some(row) => match row.answer {
            Some(answer) => Claimed::Done { answer: serde_json::from_str(&answer)? },
            None => Claimed::InProgress,
        },
        // It was abandoned in this moment.
        None => Claimed::InProgress,
    })
}

impl Service {
    /// Forgets old answers.
    pub(crate) async fn prune_answers(&self) -> Result<()> {
        let before = self.clock.now().before(self.settings.idempotency());
        let pruned = self.db.transaction(async move |tx| Ok(repo::prune(tx, before).await?)).await?;
        tracing::debug!(pruned, "old answers are forgotten");
        Ok(())
    }
}
