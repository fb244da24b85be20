//! Remembered answers.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use contracts::idempotency::{Answer, Claim, Claimed, Idempotency};
use shared::{Kind, Result, Time, db::Tx};

use super::Service;
use crate::repo::idempotency as repo;

/// After this whoever took the key is dead.
const LOCK: Duration = Duration::from_secs(60);

/// For how long a key that could not be ended is kept in mind. With the longest request it is less than `LOCK`, so that
/// it is still the key that was taken.
const IN_MIND: Duration = Duration::from_secs(25);

/// Keys that are kept in mind, and that are ended in one transaction.
const MOST: usize = 10_000;
const BATCH: usize = 100;

/// How a key ends.
#[derive(Clone, Debug)]
enum End {
    /// With an answer that stays.
    Answered(String),
    /// It may be used again.
    Abandoned,
    /// Nobody knows whether it was taken, until this time.
    Unclear(Time),
}

/// A key that was not ended because the database went away.
#[derive(Clone, Debug)]
struct Loose {
    scope: String,
    key: String,
    end: End,
    since: Instant,
}

/// Keys that are to be ended when the database is back: who asks again shall not wait until the lock runs out.
#[derive(Clone, Debug, Default)]
pub(crate) struct LooseEnds(Arc<Mutex<Vec<Loose>>>);

impl LooseEnds {
    fn keep(&self, kept: impl IntoIterator<Item = Loose>) {
        let mut loose = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MOST.saturating_sub(loose.len());
        loose.extend(kept.into_iter().filter(|end| end.since.elapsed() < IN_MIND).take(room));
    }

    fn take(&self) -> Vec<Loose> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Idempotency for Service {
    async fn claim(&self, claim: Claim) -> Result<Claimed> {
        let now = self.clock.now();
        let (scope, key) = (claim.scope.clone(), claim.key.clone());
        let taken = self.db.transaction(async move |tx| claimed(tx, &claim, now).await).await;
        if taken.as_ref().is_err_and(|error| error.kind == Kind::Unavailable) {
            self.keep_in_mind(scope, key, End::Unclear(now.after(LOCK)));
        }
        taken
    }

    async fn complete(&self, scope: String, key: String, answer: Answer) -> Result<()> {
        self.let_go(scope, key, End::Answered(serde_json::to_string(&answer)?)).await
    }

    async fn abandon(&self, scope: String, key: String) -> Result<()> {
        self.let_go(scope, key, End::Abandoned).await
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

async fn ended(tx: &mut Tx, scope: &str, key: &str, end: &End) -> Result<()> {
    match end {
        End::Answered(answer) => repo::complete(tx, scope, key, answer).await?,
        End::Abandoned => repo::abandon(tx, scope, key).await?,
        End::Unclear(until) => repo::disclaim(tx, scope, key, *until).await?,
    };
    Ok(())
}

impl Service {
    async fn let_go(&self, scope: String, key: String, end: End) -> Result<()> {
        let ended = {
            let (scope, key, end) = (scope.clone(), key.clone(), end.clone());
            self.db.transaction(async move |tx| ended(tx, &scope, &key, &end).await).await
        };
        if ended.as_ref().is_err_and(|error| error.kind == Kind::Unavailable) {
            self.keep_in_mind(scope, key, end);
        }
        ended
    }

    fn keep_in_mind(&self, scope: String, key: String, end: End) {
        self.loose_ends.keep([Loose { scope, key, end, since: Instant::now() }]);
    }

    /// Ends the keys that could not be ended.
    pub(crate) async fn tie_up(&self) -> Result<()> {
        let mut loose = self.loose_ends.take();
        while !loose.is_empty() {
            let rest = loose.split_off(loose.len().min(BATCH));
            let batch = loose.clone();
            let tied = self.db.transaction(async move |tx| {
                for Loose { scope, key, end, .. } in &batch {
                    ended(tx, scope, key, end).await?;
                }
                Ok(())
            });
            if let Err(error) = tied.await {
                self.loose_ends.keep(loose.into_iter().chain(rest));
                return Err(error);
            }
            loose = rest;
        }
        Ok(())
    }

    /// Forgets old answers.
    pub(crate) async fn prune_answers(&self) -> Result<()> {
        let before = self.clock.now().before(self.settings.idempotency());
        let pruned = self.db.transaction(async move |tx| Ok(repo::prune(tx, before).await?)).await?;
        tracing::debug!(pruned, "old answers are forgotten");
        Ok(())
    }
}
