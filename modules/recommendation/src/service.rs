//! The port.

mod training;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use contracts::{
    customer::CustomerId,
    order::OrderId,
    product::{ProductId, Products},
    recommendation::{
        Context, Impression, ImpressionId, Interaction, ModelInfo, RecommendationStatus, Recommendations,
        Recommended, Visitor,
    },
};
use shared::{
    Clock, Database, Error, Kind, Result, Time,
    events::{Consumer, EventId},
    jobs::Jobs,
};

use crate::{
    activity::{Activity, LENGTH},
    answers::{Answers, Indexed},
    catalogue::Catalogue,
    demand::Demand,
    events::Ear,
    model::{Settings, Shown, Who},
    store::{self, Store},
    workers,
};

/// So much that was recorded waits to be written; what comes beyond is counted in memory only.
const WAITING: usize = 20_000;
/// So many products are read from the catalogue at once.
const PAGE: u32 = 500;
/// The catalogue is read anew after so long.
const REREAD: Duration = Duration::from_secs(3_600);
/// So many of the last interactions are remembered after a restart.
const REMEMBERED: u32 = 200_000;

/// Recommendations from memory, trained from the metadata database.
pub struct Service {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) settings: Settings,
    pub(crate) catalogue: Catalogue,
    clock: Arc<dyn Clock>,
    products: Arc<dyn Products>,
    activity: Activity,
    demand: Demand,
    model: ArcSwapOption<(ModelInfo, Indexed)>,
    waiting: Mutex<Vec<Interaction>>,
    /// Whoever has it writes, erases or trains: in this order nothing that was erased comes back.
    writing: tokio::sync::Mutex<()>,
    training: tokio::sync::Mutex<()>,
    /// How many interactions there were when the model was trained.
    counted: AtomicU64,
    /// When the whole catalogue was last read, in µs.
    read_at: AtomicI64,
    pool: rayon::ThreadPool,
    /// Itself, for work that goes on when the caller is answered.
    this: std::sync::Weak<Self>,
}

impl Service {
    /// Keeps its tables in `db`, and takes up what is in them. The catalogue is read by the workers, at once: a command that
    /// starts none does not pay for it.
    pub async fn new(
        db: Database,
        clock: Arc<dyn Clock>,
        products: Arc<dyn Products>,
        settings: Settings,
    ) -> Result<Arc<Self>> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if settings.threads == 0 { (cores / 2).max(1) } else { settings.threads };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|number| format!("learning-{number}"))
            .build()
            .map_err(Error::internal)?;
        let service = Arc::new_cyclic(|this| Self {
            store: store::open(db),
            catalogue: Catalogue::default(),
            activity: Activity::default(),
            demand: Demand::new(clock.now()),
            model: ArcSwapOption::empty(),
            waiting: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            training: tokio::sync::Mutex::default(),
            counted: AtomicU64::new(0),
            read_at: AtomicI64::new(0),
            pool,
            this: this.clone(),
            settings,
            clock,
            products,
        });
        service.remember().await?;
        Ok(service)
    }

    /// Hears of orders, products, stock, stars and people.
    pub fn consumers(self: &Arc<Self>) -> Vec<Arc<dyn Consumer>> {
        vec![Arc::new(Ear(self.clone()))]
    }

    /// Starts the workers.
    pub fn start(self: &Arc<Self>, jobs: &Jobs) {
        workers::start(self, jobs);
    }

    /// Reads the whole catalogue: without it there is nothing to recommend, and again it heals what was missed.
    pub async fn open(&self) -> Result<()> {
        let (mut after, mut seen) = (None, BTreeSet::new());
        loop {
            let page = self.products.export(after, PAGE).await?;
            page.iter().for_each(|product| self.catalogue.put(product));
            seen.extend(page.iter().map(|product| product.id));
            after = page.last().map(|product| product.id);
            if page.len() < PAGE as usize {
                break;
            }
        }
        self.catalogue.keep(&seen);
        self.read_at.store(self.clock.now().micros(), Ordering::Relaxed);
        self.list();
        Ok(())
    }

    /// Reads the catalogue if that has not been possible yet, or long ago.
    pub(crate) async fn open_if_due(&self) -> Result<()> {
        let read_at = Time::from_micros(self.read_at.load(Ordering::Relaxed));
        if self.catalogue.is_empty() || self.clock.now().since(read_at) >= REREAD {
            self.open().await?;
        }
        Ok(())
    }

    /// Takes up what the last process knew.
    async fn remember(&self) -> Result<()> {
        self.read_interactions().await?;
        self.load_model().await
    }

    /// Takes up what other processes have written, and lists anew what sells.
    pub(crate) async fn recount(&self) -> Result<()> {
        self.read_interactions().await?;
        self.list();
        Ok(())
    }

    /// Who did what last, and what sells, by what is written.
    async fn read_interactions(&self) -> Result<()> {
        let last = self.store.interactions(REMEMBERED).await?;
        last.iter().for_each(|interaction| self.activity.add(interaction));
        self.demand.rebuild(last.iter(), self.clock.now());
        Ok(())
    }

    /// Writes what was recorded.
    pub async fn flush(&self) -> Result<()> {
        let _writing = self.writing.lock().await;
        self.write().await
    }

    async fn write(&self) -> Result<()> {
        let waiting = std::mem::take(&mut *self.waiting());
        if waiting.is_empty() {
            return Ok(());
        }
        let written = self.store.add(waiting.clone()).await;
        if written.is_err() {
            let mut later = self.waiting();
            let room = WAITING.saturating_sub(later.len());
            later.extend(waiting.into_iter().take(room));
        }
        written.map(|_| ())
    }

    /// Makes the lists of best sellers and trends anew.
    pub fn list(&self) {
        self.demand.list(&self.catalogue, self.clock.now());
    }

    pub(crate) async fn prune(&self) -> Result<()> {
        let keep = Duration::from_secs(self.settings.keep_days * 86_400);
        self.store.prune(self.clock.now().before(keep)).await
    }

    /// A product is new, different or gone.
    pub(crate) async fn refresh(&self, id: ProductId) -> Result<()> {
        match self.products.find(id).await {
            Ok(product) => self.catalogue.put(&product),
            Err(error) if error.kind == Kind::NotFound => self.catalogue.remove(id),
            Err(error) => return Err(error),
        }
        // The first products of a shop are not made to wait.
        if self.demand.lists().sellers.is_empty() {
            self.list();
        }
        Ok(())
    }

    pub(crate) async fn bought(
        &self,
        event: EventId,
        order: OrderId,
        purchases: Vec<Interaction>,
    ) -> Result<()> {
        if self.store.bought(event, order, purchases.clone()).await? {
            purchases.iter().for_each(|purchase| self.notice(purchase));
        }
        Ok(())
    }

    /// Models forget at the next training.
    pub(crate) async fn cancelled(
        &self,
        event: EventId,
        order: OrderId,
        purchases: Vec<Interaction>,
    ) -> Result<()> {
        for purchase in self.store.cancelled(event, order, purchases).await? {
            self.activity.remove(&purchase);
            self.demand.remove(&purchase);
        }
        Ok(())
    }

    pub(crate) async fn forget_customer(&self, event: EventId, customer: CustomerId) -> Result<()> {
        let _writing = self.writing.lock().await;
        self.write().await?;
        self.activity.forget(Visitor { customer_id: Some(customer), visitor_id: None });
        self.store.forget_customer(event, customer).await
    }

    fn notice(&self, interaction: &Interaction) {
        self.activity.add(interaction);
        self.demand.add(interaction);
    }

    /// With several processes the database knows what the visitor did elsewhere, and what has been erased there. If it does
    /// not answer, what is known here must do.
    async fn recall(&self, visitor: Visitor) {
        if !self.settings.several || Who::of(visitor).is_none() {
            return;
        }
        match self.store.of(visitor, LENGTH as u32).await {
            Ok(all) => {
                let theirs = |one: &&Interaction| Who::of(one.visitor) == Who::of(visitor);
                let waiting: Vec<_> = self.waiting().iter().filter(theirs).cloned().collect();
                self.activity.set(visitor, all.into_iter().chain(waiting));
            }
            Err(error) => tracing::debug!(error = error.chain(), "not recalled"),
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Interaction>> {
        self.waiting.lock().expect("nobody panics while holding what waits")
    }

    /// Answers from what is known at this moment.
    fn answer<T>(&self, answer: impl FnOnce(Answers<'_>) -> T) -> T {
        let model = self.model.load();
        answer(Answers {
            catalogue: &self.catalogue,
            activity: &self.activity,
            demand: &self.demand,
            trained: model.as_deref().map(|(_, model)| model),
            per_category: self.settings.per_category.max(1),
            now: self.clock.now(),
        })
    }
}

#[async_trait]
impl Recommendations for Service {
    async fn record(&self, mut interaction: Interaction) -> Result<()> {
        // What is not in the catalogue is nobody's business, and the future is nobody's past.
        if self.catalogue.get(interaction.product_id).is_none() {
            return Ok(());
        }
        interaction.at = interaction.at.min(self.clock.now());
        self.notice(&interaction);
        {
            let mut waiting = self.waiting();
            if waiting.len() < WAITING {
                waiting.push(interaction);
            }
        }
        // The next question may come to another process. What cannot be written now waits for the worker.
        if self.settings.several
            && let Err(error) = self.flush().await
        {
            tracing::debug!(error = error.chain(), "not written yet");
        }
        Ok(())
    }

    async fn shown(&self, mut impression: Impression) -> Result<()> {
        impression.shown.truncate(50);
        let Impression { visitor, product_id, .. } = impression;
        let features = self.answer(|answers| answers.features(visitor, product_id, &impression.shown));
        self.store.shown(Shown { impression, features }).await
    }

    async fn clicked(&self, impression_id: ImpressionId, product_id: ProductId) -> Result<()> {
        self.store.clicked(impression_id, product_id).await
    }

    async fn related(&self, product_id: ProductId, context: Context) -> Result<Vec<Recommended>> {
        Ok(self.answer(|answers| answers.related(product_id, &context)))
    }

    async fn bought_together(
        &self,
        product_ids: Vec<ProductId>,
        context: Context,
    ) -> Result<Vec<Recommended>> {
        Ok(self.answer(|answers| answers.bought_together(&product_ids, &context)))
    }

    async fn personal(&self, visitor: Visitor, context: Context) -> Result<Vec<Recommended>> {
        self.recall(visitor).await;
        Ok(self.answer(|answers| answers.personal(visitor, &context)))
    }

    async fn trending(&self, context: Context) -> Result<Vec<Recommended>> {
        Ok(self.answer(|answers| answers.trending(&context)))
    }

    async fn recently_viewed(&self, visitor: Visitor, context: Context) -> Result<Vec<Recommended>> {
        self.recall(visitor).await;
        Ok(self.answer(|answers| answers.recently_viewed(visitor, &context)))
    }

    async fn forget(&self, visitor: Visitor) -> Result<()> {
        let _writing = self.writing.lock().await;
        self.write().await?;
        self.activity.forget(visitor);
        self.store.forget(visitor).await
    }

    async fn train(&self) -> Result<ModelInfo> {
        self.learn().await
    }

    async fn models(&self) -> Result<Vec<ModelInfo>> {
        let current = self.model.load().as_deref().map(|(info, _)| info.id);
        let models = self.store.models().await?;
        Ok(models
            .into_iter()
            .map(|model| ModelInfo { current: Some(model.id) == current, ..model })
            .collect())
    }

    async fn status(&self) -> Result<RecommendationStatus> {
        let interactions = self.store.count().await? + self.waiting().len() as u64;
        Ok(RecommendationStatus {
            model: self.model.load().as_deref().map(|(info, _)| info.clone()),
            training: self.training.try_lock().is_err(),
            interactions,
            new_interactions: interactions.saturating_sub(self.counted.load(Ordering::Relaxed)),
            products: self.catalogue.count_sellable(),
        })
    }

    async fn import(&self, interactions: Vec<Interaction>) -> Result<u32> {
        let new = self.store.add(interactions).await?;
        if new > 0 {
            self.read_interactions().await?;
            self.open().await?;
            self.learn_in_background();
        }
        Ok(new)
    }
}
