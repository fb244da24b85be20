//! The shop's settings.

use contracts::{
    Actor,
    metadata::settings::{SettingsChange, SettingsPatch, ShopSettings, StoredSettings},
};
use shared::{Error, Page, PageRequest, Result};

use super::{ATTEMPTS, Service, busy};
use crate::{
    model::{
        expect_version,
        settings::{Version, patched},
    },
    store::Saved,
};

impl Service {
    pub(super) async fn in_force(&self) -> Result<StoredSettings> {
        let newest = self.store.settings().await?;
        Ok(newest.map_or_else(|| self.configured.initial(), Version::stored))
    }

    pub(super) async fn change_settings(
        &self,
        patch: SettingsPatch,
        version: Option<i64>,
        actor: Actor,
    ) -> Result<StoredSettings> {
        let change = |before: &ShopSettings| patched(before, patch.clone());
        self.next_version(version, None, actor, change).await
    }

    pub(super) async fn bring_back(
        &self,
        restored: i64,
        version: Option<i64>,
        actor: Actor,
    ) -> Result<StoredSettings> {
        let settings = match restored {
            0 => self.configured.initial().settings,
            number => {
                let missing = || Error::not_found("version of the settings");
                self.store.settings_at(number).await?.ok_or_else(missing)?.settings
            }
        };
        self.next_version(version, Some(restored), actor, |_| Ok(settings.clone())).await
    }

    async fn next_version(
        &self,
        version: Option<i64>,
        restored: Option<i64>,
        actor: Actor,
        change: impl Fn(&ShopSettings) -> Result<ShopSettings> + Send + Sync,
    ) -> Result<StoredSettings> {
        for _ in 0..ATTEMPTS {
            let before = self.in_force().await?;
            expect_version(version, before.version, "settings")?;
            let after = change(&before.settings)?;
            let next = Version::after(&before, after, restored, actor, self.clock.now())?;
            let Some(next) = next else { return Ok(before) };
            if self.store.add_settings(next.clone()).await? == Saved::Yes {
                return Ok(next.stored());
            }
        }
        Err(busy())
    }

    pub(super) async fn history(&self, page: PageRequest) -> Result<Page<SettingsChange>> {
        let scope = "settings history";
        let limit = page.limit.clamp(1, 100);
        let before: Option<i64> = page.position(scope)?;
        let found = self.store.settings_history(before, i64::from(limit) + 1).await?;
        Ok(Page::cut(found, limit, scope, |version| version.change.version).map(|version| version.change))
    }
}
