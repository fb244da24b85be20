//! Changes of definitions.

use contracts::metadata::{Definition, DefinitionId, DefinitionPatch, Metadata};
use shared::Result;

use super::{ATTEMPTS, Service, busy};
use crate::{
    model::{definitions::patched, expect_version},
    store::Saved,
};

impl Service {
    pub(super) async fn redefine(
        &self,
        id: DefinitionId,
        patch: DefinitionPatch,
        version: Option<i64>,
    ) -> Result<Definition> {
        for _ in 0..ATTEMPTS {
            let before = self.definition(id).await?;
            expect_version(version, before.version, "field")?;
            let terms = patched(&before.terms, patch.clone())?;
            if terms == before.terms {
                return Ok(before);
            }
            let (version, updated_at) = (before.version + 1, self.clock.now());
            let after = Definition { terms, version, updated_at, ..before.clone() };
            if self.store.redefine(before, after.clone(), patch.drop_invalid).await? == Saved::Yes {
                return Ok(after);
            }
        }
        Err(busy())
    }
}
