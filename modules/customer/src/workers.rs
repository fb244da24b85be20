//! Forgets what is over.

use std::time::Duration;

use shared::Result;

use crate::{
    Service,
    repo::{mailed_tokens, sessions},
};

/// Kept so long after their end, for questions about what happened.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

impl Service {
    /// Deletes sessions and mailed tokens that ended a week ago.
    pub(crate) async fn prune(&self) -> Result<()> {
        let over = self.clock.now().before(KEPT);
        let unused = over.before(Duration::from_secs(self.settings.session_idle_seconds));
        let (sessions, tokens) = self
            .db
            .transaction(async move |tx| {
                Ok((sessions::prune(tx, over, unused).await?, mailed_tokens::prune(tx, over).await?))
            })
            .await?;
        tracing::debug!(sessions, tokens, "pruned");
        Ok(())
    }
}
