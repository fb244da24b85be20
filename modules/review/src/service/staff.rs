//! What staff decide and answer.

use contracts::{
    Actor,
    review::{ModeratedReview, Reply, ReviewId, ReviewStatus},
};
use shared::{Result, values};

use super::{ATTEMPTS, Service, busy, pause_after};
use crate::{
    model::{self, StoredReview},
    store::Saved,
};

/// Most characters of the shop's answer.
const REPLY: usize = 2_000;

impl Service {
    pub(super) async fn let_in(
        &self,
        id: ReviewId,
        version: Option<i64>,
        actor: Actor,
    ) -> Result<ModeratedReview> {
        let now = self.clock.now();
        let approve = |before: &StoredReview| {
            if before.is_public() && before.reports == 0 {
                return None;
            }
            let mut after = before.clone();
            after.approve(actor, now);
            after.touch(now);
            Some(after)
        };
        self.decide(id, version, approve).await
    }

    pub(super) async fn turn_away(
        &self,
        id: ReviewId,
        reason: String,
        version: Option<i64>,
        actor: Actor,
    ) -> Result<ModeratedReview> {
        let (reason, now) = (model::text("/reason", &reason)?, self.clock.now());
        let reject = |before: &StoredReview| {
            let same = before.rejection_reason.as_deref() == Some(reason.as_str());
            if before.status == ReviewStatus::Rejected && same {
                return None;
            }
            let mut after = before.clone();
            after.reject(reason.clone(), actor);
            after.touch(now);
            Some(after)
        };
        self.decide(id, version, reject).await
    }

    pub(super) async fn take_up(
        &self,
        id: ReviewId,
        version: Option<i64>,
        actor: Actor,
    ) -> Result<ModeratedReview> {
        let now = self.clock.now();
        let reopen = |before: &StoredReview| {
            if before.status == ReviewStatus::Pending {
                return None;
            }
            let mut after = before.clone();
            after.reopen(actor);
            after.touch(now);
            Some(after)
        };
        self.decide(id, version, reopen).await
    }

    /// Makes the change, if there is one to make, and dismisses the reports.
    async fn decide(
        &self,
        id: ReviewId,
        version: Option<i64>,
        change: impl Fn(&StoredReview) -> Option<StoredReview> + Send + Sync,
    ) -> Result<ModeratedReview> {
        for attempt in 0..ATTEMPTS {
            let before = self.load(id).await?;
            before.expect_version(version)?;
            let Some(after) = change(&before) else { return Ok(before.moderated()) };
            if self.store.decide(before, after.clone()).await? == Saved::Yes {
                return Ok(StoredReview { reports: 0, ..after }.moderated());
            }
            pause_after(attempt).await;
        }
        Err(busy())
    }

    pub(super) async fn answer(
        &self,
        id: ReviewId,
        text: Option<String>,
        version: Option<i64>,
    ) -> Result<ModeratedReview> {
        let text = text.map(|text| values::text("/text", &text, REPLY)).transpose()?;
        for attempt in 0..ATTEMPTS {
            let before = self.load(id).await?;
            before.expect_version(version)?;
            if before.reply.as_ref().map(|reply| &reply.text) == text.as_ref() {
                return Ok(before.moderated());
            }
            let now = self.clock.now();
            let reply = text.clone().map(|text| Reply { text, at: now });
            let mut after = StoredReview { reply, ..before.clone() };
            after.touch(now);
            if self.store.save(before, after.clone()).await? == Saved::Yes {
                return Ok(after.moderated());
            }
            pause_after(attempt).await;
        }
        Err(busy())
    }
}
