//! Training, and which model answers come from.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use contracts::recommendation::{Interaction, ModelId, ModelInfo};
use shared::{Error, Kind, Result};

use super::Service;
use crate::{
    answers::Indexed,
    evaluate::{Candidates, Log},
    trained::{self, Material, Trained},
};

/// The ranking is learned from so many of the last lists that were shown.
const LISTS: u32 = 50_000;

impl Service {
    /// Trains and swaps. `Conflict/training` while another runs.
    pub(crate) async fn learn(&self) -> Result<ModelInfo> {
        let Ok(_training) = self.training.try_lock() else {
            return Err(Error::conflict("training", "a model is being trained already"));
        };
        let started = Instant::now();
        self.flush().await?;
        let counted = self.store.count().await?;
        let material = self.material().await?;
        let impressions = material.shown.len() as u64;
        let trained = self.on_pool(material).await?;
        let content = postcard::to_stdvec(&trained).map_err(Error::internal)?;
        let info = ModelInfo {
            id: ModelId::new(),
            trained_at: self.clock.now(),
            milliseconds: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            interactions: trained.interactions,
            visitors: trained.visitors,
            products: trained.products.len() as u64,
            rules: trained.rules.len() as u64,
            impressions,
            bytes: content.len() as u64,
            current: true,
        };
        self.store.save_model(info.clone(), content, self.settings.keep_models).await?;
        self.model.store(Some(Arc::new((info.clone(), Indexed::new(trained)))));
        self.counted.store(counted, Ordering::Relaxed);
        self.list();
        Ok(info)
    }

    /// Trains when the caller is answered already. If one is under way it does not know what is new: another follows.
    pub(super) fn learn_in_background(&self) {
        let this = self.this.clone();
        tokio::spawn(async move {
            let Some(service) = this.upgrade() else { return };
            drop(service.training.lock().await);
            match service.learn().await {
                Err(error) if error.kind != Kind::Conflict => {
                    tracing::error!(error = error.chain(), "training failed");
                }
                _ => {}
            }
        });
    }

    /// Whether there is enough that the current model does not know of.
    pub(crate) async fn is_training_due(&self) -> Result<bool> {
        let known = self.counted.load(Ordering::Relaxed);
        Ok(self.store.count().await? >= known + self.settings.train_after.max(1))
    }

    /// Everything that was done, as a log to evaluate with. Visitors are numbers in it.
    pub async fn log(&self) -> Result<Log> {
        Ok(trained::log(&self.interactions().await?))
    }

    /// Answers from the newest model that is kept, whoever trained it. One that a former version wrote is trained anew.
    pub(crate) async fn load_model(&self) -> Result<()> {
        let newest = self.store.models().await?.first().map(|model| model.id);
        if newest == self.model.load().as_deref().map(|(info, _)| info.id) {
            return Ok(());
        }
        let Some((info, content)) = self.store.model().await? else { return Ok(()) };
        self.counted.store(self.known(&info).await?, Ordering::Relaxed);
        match postcard::from_bytes::<Trained>(&content) {
            Ok(trained) => self.model.store(Some(Arc::new((info, Indexed::new(trained))))),
            Err(error) => tracing::warn!(%error, "the model is of another version: another will be trained"),
        }
        Ok(())
    }

    /// How many interactions there were when the model was trained, as far as can be told later.
    async fn known(&self, info: &ModelInfo) -> Result<u64> {
        let all = info.interactions < u64::from(self.settings.max_interactions);
        if all { Ok(info.interactions) } else { self.store.count().await }
    }

    async fn interactions(&self) -> Result<Vec<Interaction>> {
        self.flush().await?;
        self.store.interactions(self.settings.max_interactions).await
    }

    async fn material(&self) -> Result<Material> {
        if self.catalogue.is_empty() {
            self.open().await?;
        }
        let interactions = self.interactions().await?;
        let cards = self.catalogue.all();
        let products = cards.iter().map(|card| (card.id, card.facts.clone())).collect();
        Ok(Material { interactions, products, shown: self.store.clicks(LISTS).await? })
    }

    /// Trains on the pool's threads, while this task waits.
    async fn on_pool(&self, material: Material) -> Result<Trained> {
        let (reply, answer) = tokio::sync::oneshot::channel();
        let settings = self.settings.clone();
        self.pool.spawn(move || {
            let train = || trained::train(&material, &Candidates::default(), &settings);
            let trained = std::panic::catch_unwind(std::panic::AssertUnwindSafe(train));
            // Nobody listens any more if the process is stopping.
            let _ = reply.send(trained.unwrap_or_else(|_| Err(Error::internal("the training panicked"))));
        });
        answer.await.map_err(Error::internal)?
    }
}
