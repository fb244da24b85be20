//! The port.

mod carts;
mod checkout;
mod offers;

use std::{
    sync::{Arc, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use contracts::{
    cart::{
        Cart, CartId, Carts, Destination, LineId, NewCart, NewLine, NewPromotion, NewTaxRate, PriceRequest,
        PricedCart, Promotion, PromotionId, TaxRate, TaxRateId, Viewer,
    },
    customer::CustomerId,
    order::OrderId,
    product::Products,
    shipping::{Shipping, ShippingOption},
};
use serde::Deserialize;
use shared::{
    Clock, Currency, Database, Error, Page, PageRequest, Result, events::Consumer, jobs::Jobs,
    values::Country, values::Email,
};
use tokio::sync::Mutex;

use crate::{
    events::Ear,
    model::{Offers, StoredCart},
    store::{self, Store},
};

/// How many carts can change at the same time in this process; a power of two.
const TURNS: usize = 256;

/// What the operator decides.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The currencies of the shop; the first is the one of a cart that names none.
    pub currencies: Vec<Currency>,
    /// Whose taxes a cart shows while its destination is not known.
    pub default_country: Country,
    /// A cart without an owner is deleted when nobody has changed it for so long. In MongoDB after a year at the latest.
    pub idle_seconds: u64,
    /// How often idle carts are looked for.
    pub sweep_seconds: u64,
    /// How often promotions and tax rates are read anew, should a message have been lost.
    pub refresh_seconds: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            currencies: vec![Currency::EUR],
            default_country: "DE".parse().expect("Germany is a country"),
            idle_seconds: 30 * 24 * 3_600,
            sweep_seconds: 3_600,
            refresh_seconds: 30,
        }
    }
}

/// Carts, promotions and tax rates in the metadata database.
pub struct Service {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    products: Arc<dyn Products>,
    shipping: Arc<dyn Shipping>,
    settings: Settings,
    /// Promotions and rates, so that a view costs one read and one quote.
    offers: RwLock<Arc<Offers>>,
    /// Held while reading them, so that an older read cannot replace a newer one.
    refreshing: Mutex<()>,
    /// Changes of one cart in this process wait for each other instead of racing; other processes may still race.
    turns: Vec<Mutex<()>>,
}

impl Service {
    /// Keeps its tables in `db` and reads the promotions and tax rates that are there.
    pub async fn new(
        db: Database,
        clock: Arc<dyn Clock>,
        products: Arc<dyn Products>,
        shipping: Arc<dyn Shipping>,
        settings: Settings,
    ) -> Result<Arc<Self>> {
        if settings.currencies.is_empty() {
            return Err(Error::internal("the shop needs a currency: cart.currencies is empty"));
        }
        let service = Self {
            store: store::open(db),
            clock,
            products,
            shipping,
            settings,
            offers: RwLock::default(),
            refreshing: Mutex::default(),
            turns: (0..TURNS).map(|_| Mutex::default()).collect(),
        };
        service.refresh().await?;
        Ok(Arc::new(service))
    }

    /// What it hears of others, and of its other instances.
    pub fn consumers(self: &Arc<Self>) -> Vec<Arc<dyn Consumer>> {
        vec![Arc::new(Ear(self.clone()))]
    }

    /// Starts its workers.
    pub fn start(self: &Arc<Self>, jobs: &Jobs) {
        let service = self.clone();
        jobs.every("cart.offers", Duration::from_secs(self.settings.refresh_seconds.max(1)), move || {
            let service = service.clone();
            async move { service.refresh().await }
        });
        let service = self.clone();
        jobs.every_elected(
            "cart.sweeper",
            Duration::from_secs(self.settings.sweep_seconds.max(1)),
            move || {
                let service = service.clone();
                async move { service.sweep().await }
            },
        );
    }
}

#[async_trait]
impl Carts for Service {
    async fn create(&self, new: NewCart, viewer: Viewer) -> Result<Cart> {
        self.create_cart(new, viewer).await
    }

    async fn view(&self, id: CartId, viewer: Viewer) -> Result<Cart> {
        self.view_of(self.load(id, viewer.customer_id).await?, viewer.group).await
    }

    async fn add_line(&self, id: CartId, line: NewLine, viewer: Viewer) -> Result<Cart> {
        self.add(id, line, viewer).await
    }

    async fn set_quantity(&self, id: CartId, line_id: LineId, quantity: i64, viewer: Viewer) -> Result<Cart> {
        self.set(id, line_id, quantity, viewer).await
    }

    async fn remove_line(&self, id: CartId, line_id: LineId, viewer: Viewer) -> Result<Cart> {
        let shown = self.change(id, &viewer, |cart| cart.remove(line_id), |_, _| Ok(())).await?;
        Ok(shown.into_view())
    }

    async fn apply_code(&self, id: CartId, code: String, viewer: Viewer) -> Result<Cart> {
        self.add_code(id, code, viewer).await
    }

    async fn remove_code(&self, id: CartId, code: String, viewer: Viewer) -> Result<Cart> {
        let remove = |cart: &mut StoredCart| {
            cart.remove_code(&code);
            Ok(())
        };
        Ok(self.change(id, &viewer, remove, |_, _| Ok(())).await?.into_view())
    }

    async fn shipping_options(
        &self,
        id: CartId,
        address: Destination,
        viewer: Viewer,
    ) -> Result<Vec<ShippingOption>> {
        self.options(id, address, viewer).await
    }

    async fn of_customer(&self, customer: CustomerId) -> Result<Option<Cart>> {
        match self.store.current_cart(customer).await? {
            Some(cart) => self.view_of(cart, None).await.map(Some),
            None => Ok(None),
        }
    }

    async fn merge(&self, from: CartId, customer: CustomerId) -> Result<Cart> {
        self.merge_into(from, customer).await
    }

    async fn price(&self, id: CartId, request: PriceRequest) -> Result<PricedCart> {
        self.price_for_order(id, request).await
    }

    async fn claim(&self, order_id: OrderId, promotions: Vec<PromotionId>, email: Email) -> Result<()> {
        self.claim_uses(order_id, promotions, &email).await
    }

    async fn release(&self, order_id: OrderId) -> Result<()> {
        self.store.release(order_id, self.clock.now()).await?;
        self.refresh().await
    }

    async fn complete(&self, id: CartId, order_id: OrderId) -> Result<()> {
        self.complete_cart(id, order_id).await
    }

    async fn promotions(&self, page: PageRequest) -> Result<Page<Promotion>> {
        self.store.promotions(page).await
    }

    async fn promotion(&self, id: PromotionId) -> Result<Promotion> {
        self.store.promotion(id).await?.ok_or_else(PromotionId::not_found)
    }

    async fn create_promotion(&self, new: NewPromotion) -> Result<Promotion> {
        self.add_promotion(new).await
    }

    async fn update_promotion(
        &self,
        id: PromotionId,
        new: NewPromotion,
        version: Option<i64>,
    ) -> Result<Promotion> {
        self.replace_promotion(id, new, version).await
    }

    async fn delete_promotion(&self, id: PromotionId) -> Result<()> {
        self.store.delete_promotion(id).await?;
        self.refresh().await
    }

    async fn tax_rates(&self) -> Result<Vec<TaxRate>> {
        self.store.tax_rates().await
    }

    async fn put_tax_rate(&self, rate: NewTaxRate) -> Result<TaxRate> {
        self.write_tax_rate(rate).await
    }

    async fn delete_tax_rate(&self, id: TaxRateId) -> Result<()> {
        self.store.delete_tax_rate(id, self.clock.now()).await?;
        self.refresh().await
    }
}
