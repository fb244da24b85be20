//! Carts, promotions, tax rates, and the one pricing of everything.

use serde::{Deserialize, Serialize};
use shared::{
    Currency, Id, Money, Page, PageRequest, Result, Time,
    events::Event,
    ids::Entity,
    port,
    values::{Country, Email},
};

use crate::{
    Address,
    customer::CustomerId,
    order::OrderId,
    product::{CategoryId, ProductId, VariantId},
    shipping::{MethodId, ShippingOption},
};

/// Names a cart.
pub enum CartEntity {}
impl Entity for CartEntity {
    const PREFIX: &'static str = "cart";
    const NOUN: &'static str = "cart";
}
/// A cart's id: random, because it is the key to the cart.
pub type CartId = Id<CartEntity>;

/// Names a line of a cart or an order.
pub enum LineEntity {}
impl Entity for LineEntity {
    const PREFIX: &'static str = "line";
    const NOUN: &'static str = "line";
}
/// A line's id; the order keeps the cart's.
pub type LineId = Id<LineEntity>;

/// Names a promotion.
pub enum PromotionEntity {}
impl Entity for PromotionEntity {
    const PREFIX: &'static str = "promo";
    const NOUN: &'static str = "promotion";
}
/// A promotion's id.
pub type PromotionId = Id<PromotionEntity>;

/// Names a tax rate.
pub enum TaxRateEntity {}
impl Entity for TaxRateEntity {
    const PREFIX: &'static str = "tax";
    const NOUN: &'static str = "tax rate";
}
/// A tax rate's id.
pub type TaxRateId = Id<TaxRateEntity>;

port! {
    /// Carts and what they cost.
    ///
    /// A cart that belongs to an account is `NotFound` for every other `viewer`. Each viewer sees the prices of their group.
    pub trait Carts as "cart" repeats [view, shipping_options, of_customer, price, claim, release, complete, promotions, promotion, tax_rates] {
        async fn create(&self, new: NewCart, viewer: Viewer) -> Cart;
        async fn view(&self, id: CartId, viewer: Viewer) -> Cart;
        /// Adds to the line of the same variant if there is one. At most 100 lines, 9,999 units a line.
        /// `Conflict/out_of_stock` with `available` when more than there is.
        async fn add_line(&self, id: CartId, line: NewLine, viewer: Viewer) -> Cart;
        /// 0 removes the line.
        async fn set_quantity(&self, id: CartId, line_id: LineId, quantity: i64, viewer: Viewer) -> Cart;
        async fn remove_line(&self, id: CartId, line_id: LineId, viewer: Viewer) -> Cart;
        /// `Invalid/coupon_unknown`, `coupon_expired`, `coupon_minimum`, `coupon_not_combinable`, `coupon_not_applicable`;
        /// `Conflict/coupon_exhausted`.
        async fn apply_code(&self, id: CartId, code: String, viewer: Viewer) -> Cart;
        async fn remove_code(&self, id: CartId, code: String, viewer: Viewer) -> Cart;
        /// Ways to send the cart there, cheapest first; none when the address is outside all zones.
        async fn shipping_options(&self, id: CartId, address: Destination, viewer: Viewer) -> Vec<ShippingOption>;
        /// The customer's open cart, at the prices of those who are in no group.
        async fn of_customer(&self, customer: CustomerId) -> Option<Cart>;
        /// Makes `from` the customer's: its lines join those of the cart they had (the larger quantity wins), in one
        /// transaction. Merging twice changes nothing. Answers with the prices of those who are in no group.
        async fn merge(&self, from: CartId, customer: CustomerId) -> Cart;

        /// Everything an order needs, from today's prices. `NotFound`, `Conflict/cart_empty`, `Conflict/cart_completed`
        /// (with `order_id`), `Conflict/line_unavailable` (with `variant_ids`), `Conflict/coupon_exhausted` for a code of
        /// the cart, `Invalid/not_shippable` outside all zones, `Invalid/shipping_option`.
        async fn price(&self, id: CartId, request: PriceRequest) -> PricedCart;
        /// Counts one use of each promotion for the order, under all limits, all or none: `Conflict/coupon_exhausted`.
        /// Idempotent by order.
        async fn claim(&self, order_id: OrderId, promotions: Vec<PromotionId>, email: Email) -> ();
        /// Gives the uses back. Idempotent.
        async fn release(&self, order_id: OrderId) -> ();
        /// The order took it over: no more changes. Idempotent by order.
        async fn complete(&self, id: CartId, order_id: OrderId) -> ();

        async fn promotions(&self, page: PageRequest) -> Page<Promotion>;
        async fn promotion(&self, id: PromotionId) -> Promotion;
        async fn create_promotion(&self, new: NewPromotion) -> Promotion;
        /// Replaces it. `version` as elsewhere.
        async fn update_promotion(&self, id: PromotionId, new: NewPromotion, version: Option<i64>) -> Promotion;
        async fn delete_promotion(&self, id: PromotionId) -> ();
        async fn tax_rates(&self) -> Vec<TaxRate>;
        /// Creates or replaces the rate of a country, region and class.
        async fn put_tax_rate(&self, rate: NewTaxRate) -> TaxRate;
        async fn delete_tax_rate(&self, id: TaxRateId) -> ();
    }
}

/// Who looks at a cart. The default is a guest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Viewer {
    /// The account, if signed in.
    pub customer_id: Option<CustomerId>,
    /// The group of the account, whose prices apply.
    pub group: Option<String>,
}

/// Wants a cart.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCart {
    /// The shop's first currency when absent.
    pub currency: Option<Currency>,
    #[serde(default)]
    pub lines: Vec<NewLine>,
}

/// Wants to be in the cart.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLine {
    pub variant_id: VariantId,
    /// 1..=9,999.
    #[schema(minimum = 1, maximum = 9999)]
    pub quantity: i64,
}

/// A cart with today's prices, for the country that is known so far.
///
/// `total = subtotal - discount_total + shipping_total`, plus `tax_total` unless `prices_include_tax`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Cart {
    pub id: CartId,
    pub version: i64,
    pub currency: Currency,
    pub customer_id: Option<CustomerId>,
    pub lines: Vec<CartLine>,
    pub discount_codes: Vec<String>,
    pub discounts: Vec<Discount>,
    pub subtotal: Money,
    pub discount_total: Money,
    /// Zero until a shipping option is chosen at checkout.
    pub shipping_total: Money,
    pub tax_total: Money,
    pub total: Money,
    pub prices_include_tax: bool,
    /// The order that took it over.
    pub order_id: Option<OrderId>,
    pub updated_at: Time,
}

/// A line of a cart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CartLine {
    pub id: LineId,
    pub variant_id: VariantId,
    pub product_id: ProductId,
    pub slug: String,
    pub sku: String,
    pub title: String,
    pub variant_title: String,
    pub quantity: i64,
    pub unit_price: Money,
    pub compare_at_price: Option<Money>,
    /// `unit_price * quantity - discount`.
    pub total: Money,
    pub discount: Money,
    pub image: Option<String>,
    /// Units that can be sold now.
    pub available: i64,
}

/// A promotion at work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Discount {
    pub promotion_id: PromotionId,
    pub code: Option<String>,
    pub title: String,
    /// What it takes off lines and shipping together.
    pub amount: Money,
}

/// Where to: enough of an address for rates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Destination {
    pub country: Country,
    #[serde(default)]
    pub region: Option<String>,
    #[serde(default)]
    pub postal_code: Option<String>,
}

impl From<&Address> for Destination {
    fn from(address: &Address) -> Self {
        Self {
            country: address.country,
            region: address.region.clone(),
            postal_code: Some(address.postal_code.clone()),
        }
    }
}

/// What the checkout adds to the cart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PriceRequest {
    pub viewer: Viewer,
    pub email: Email,
    pub destination: Destination,
    pub shipping_option_id: MethodId,
}

/// A cart, priced to the last cent, as the order keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PricedCart {
    pub cart_id: CartId,
    pub version: i64,
    pub currency: Currency,
    pub customer_id: Option<CustomerId>,
    pub lines: Vec<PricedLine>,
    pub shipping: ShippingOption,
    /// What the shipping option's price loses by promotions.
    pub shipping_discount: Money,
    pub shipping_tax: Money,
    pub discounts: Vec<Discount>,
    pub totals: Totals,
    pub prices_include_tax: bool,
    pub tax_lines: Vec<TaxLine>,
}

/// A line, priced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PricedLine {
    pub id: LineId,
    pub variant_id: VariantId,
    pub product_id: ProductId,
    pub slug: String,
    pub sku: String,
    pub title: String,
    pub variant_title: String,
    pub image: Option<String>,
    pub quantity: i64,
    pub unit_price: Money,
    /// `unit_price * quantity`.
    pub subtotal: Money,
    pub discount: Money,
    pub tax: Money,
    /// `subtotal - discount`, plus `tax` unless prices include it.
    pub total: Money,
    pub tax_rate_basis_points: i64,
    pub weight_grams: i64,
}

/// The sums. `total = subtotal - discount + shipping`, plus `tax` unless prices include it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Totals {
    pub subtotal: Money,
    /// Off lines and shipping.
    pub discount: Money,
    /// Before its discount.
    pub shipping: Money,
    pub tax: Money,
    pub total: Money,
}

impl Totals {
    /// Checks the equation: a broken one must never be written down.
    pub fn check(&self, prices_include_tax: bool) -> Result<()> {
        let mut expected = self.subtotal.sub(self.discount)?.add(self.shipping)?;
        if !prices_include_tax {
            expected = expected.add(self.tax)?;
        }
        if expected == self.total && self.total.amount >= 0 {
            return Ok(());
        }
        Err(shared::Error::internal(format!("totals do not add up: {self:?}")))
    }
}

/// What one rate comes to, for invoices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TaxLine {
    pub name: String,
    pub rate_basis_points: i64,
    /// What the rate is applied to, without the tax.
    pub net: Money,
    pub tax: Money,
}

/// How a promotion takes something off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PromotionKind {
    /// `value` percent off the matching lines, 1..=100.
    Percentage,
    /// `value` minor units of `currency` off the matching lines together.
    Fixed,
    /// The shipping costs nothing. `value` is ignored.
    FreeShipping,
    /// Of each `buy_quantity + get_quantity` matching units, the `get_quantity` cheapest cost `value` percent less.
    BuyXGetY,
}

/// An offer. Without a code it applies by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Promotion {
    pub id: PromotionId,
    #[serde(flatten)]
    pub terms: NewPromotion,
    /// How many orders hold it.
    pub used: i64,
    pub created_at: Time,
    pub version: i64,
}

/// Wants to be an offer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPromotion {
    #[serde(default)]
    pub title: Option<String>,
    /// Compared without case and outer spaces.
    #[serde(default)]
    pub code: Option<String>,
    pub kind: PromotionKind,
    #[serde(default)]
    pub value: i64,
    #[serde(default)]
    pub currency: Option<Currency>,
    #[serde(default)]
    pub buy_quantity: Option<i64>,
    #[serde(default)]
    pub get_quantity: Option<i64>,
    #[serde(default)]
    pub starts_at: Option<Time>,
    #[serde(default)]
    pub ends_at: Option<Time>,
    /// Orders in all.
    #[serde(default)]
    pub usage_limit: Option<i64>,
    /// Orders per e-mail address.
    #[serde(default)]
    pub usage_limit_per_customer: Option<i64>,
    /// The cart's subtotal must reach it.
    #[serde(default)]
    pub minimum_subtotal: Option<Money>,
    /// Only lines in these categories (or below); empty: all.
    #[serde(default)]
    pub category_ids: Vec<CategoryId>,
    #[serde(default)]
    pub product_ids: Vec<ProductId>,
    /// May stand beside other combinable ones.
    #[serde(default)]
    pub combinable: bool,
    #[serde(default = "enabled")]
    pub enabled: bool,
}

fn enabled() -> bool {
    true
}

/// What a country takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TaxRate {
    pub id: TaxRateId,
    #[serde(flatten)]
    pub rate: NewTaxRate,
}

/// Wants to be a tax rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTaxRate {
    pub country: Country,
    /// Only for this region of the country.
    #[serde(default)]
    pub region: Option<String>,
    /// `standard`, `reduced`, …
    pub tax_class: String,
    /// `VAT 19 %`.
    pub name: String,
    /// 1900 is 19 %.
    pub rate_basis_points: i64,
    /// True: prices contain it (VAT). False: it is added (sales tax). One answer per country.
    pub included: bool,
}

/// An order took the cart over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CartCompleted {
    pub cart_id: CartId,
    pub order_id: OrderId,
}
impl Event for CartCompleted {
    const TYPE: &'static str = "cart.completed";
}

/// An offer or tax rate is new, different or gone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PromotionChanged {
    pub promotion_id: Option<PromotionId>,
}
impl Event for PromotionChanged {
    const TYPE: &'static str = "promotion.changed";
}
