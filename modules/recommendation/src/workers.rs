//! What runs in the background.

use std::{sync::Arc, time::Duration};

use shared::{Kind, Result, jobs::Jobs};

use crate::Service;

pub fn start(service: &Arc<Service>, jobs: &Jobs) {
    let reader = service.clone();
    jobs.every("recommendation.catalogue", Duration::from_secs(2), move || {
        let service = reader.clone();
        async move { service.open_if_due().await }
    });
    let writer = service.clone();
    jobs.every("recommendation.writer", Duration::from_millis(500), move || {
        let service = writer.clone();
        async move { service.flush().await }
    });
    let lister = service.clone();
    jobs.every("recommendation.lists", Duration::from_secs(30), move || {
        let service = lister.clone();
        async move {
            service.list();
            Ok(())
        }
    });
    if service.settings.several {
        let counter = service.clone();
        // What was bought is heard by one process.
        jobs.every("recommendation.recount", Duration::from_secs(300), move || {
            let service = counter.clone();
            async move { service.recount().await }
        });
    }
    let period = Duration::from_secs(service.settings.train_seconds.max(1));
    let (trainer, all) = (service.clone(), jobs.clone());
    jobs.every("recommendation.training", period, move || {
        let (service, leads) = (trainer.clone(), all.leads("recommendation"));
        async move { service.train_if_due(leads).await }
    });
    let pruner = service.clone();
    jobs.every_elected("recommendation.prune", Duration::from_secs(3_600), move || {
        let service = pruner.clone();
        async move { service.prune().await }
    });
}

impl Service {
    /// Takes up what another process has trained, and who leads trains if enough is new. That another training is under way is no failure.
    async fn train_if_due(&self, leads: bool) -> Result<()> {
        self.load_model().await?;
        if !leads || !self.is_training_due().await? {
            return Ok(());
        }
        match self.learn().await {
            Err(error) if error.kind == Kind::Conflict => Ok(()),
            trained => trained.map(|_| ()),
        }
    }
}
