//! Reading, showing and changing carts.

use std::time::Duration;

use contracts::{
    cart::{Cart, CartId, CartLine, Destination, LineId, NewCart, NewLine, Viewer},
    customer::CustomerId,
    order::OrderId,
    product::{PriceContext, QuoteLine, VariantId},
};
use serde_json::json;
use shared::{Error, Money, Result};

use super::Service;
use crate::{
    model::{Offers, StoredCart, StoredLine},
    pricing::{self, Basket, Item, Priced, Taxes},
    store::Saved,
};

/// How often a change is tried when others are faster.
const ATTEMPTS: u32 = 10;
/// How many idle carts one transaction deletes.
const SWEEP_BATCH: i64 = 500;

/// A cart with today's prices.
pub struct Shown {
    pub cart: StoredCart,
    /// The lines that can be bought.
    pub items: Vec<Item>,
    pub priced: Priced,
}

impl Service {
    /// The cart, or the one it was merged into; `NotFound` if it is not the viewer's.
    pub(super) async fn load(&self, id: CartId, viewer: Option<CustomerId>) -> Result<StoredCart> {
        self.load_for(id, viewer, 0).await
    }

    /// As [`Service::load`], for the given attempt at a change.
    async fn load_for(&self, id: CartId, viewer: Option<CustomerId>, attempt: u32) -> Result<StoredCart> {
        let mut cart = self.find(id, attempt).await?;
        if let Some(target) = cart.merged_into {
            cart = self.find(target, attempt).await?;
        }
        cart.open_to(viewer)?;
        Ok(cart)
    }

    async fn find(&self, id: CartId, attempt: u32) -> Result<StoredCart> {
        let found = match attempt {
            0 => self.store.cart(id).await?,
            _ => self.store.newest_cart(id).await?,
        };
        found.ok_or_else(CartId::not_found)
    }

    pub(super) async fn view_of(&self, cart: StoredCart, group: Option<String>) -> Result<Cart> {
        let items = self.quote(&cart, group).await?;
        Ok(self.show(cart, items)?.into_view())
    }

    /// Today's quotes of the lines for a group; lines that cannot be bought any more are left out.
    pub(super) async fn quote(&self, cart: &StoredCart, group: Option<String>) -> Result<Vec<Item>> {
        if cart.lines.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = cart
            .lines
            .iter()
            .map(|line| QuoteLine { variant_id: line.variant_id, quantity: line.quantity })
            .collect();
        let context = PriceContext { currency: cart.currency, group };
        let quotes = self.products.quote(wanted, context).await?;
        let item = |line: &StoredLine| {
            let quote = quotes.iter().find(|quote| quote.variant_id == line.variant_id)?.clone();
            Some(Item { line_id: line.id, quantity: line.quantity, quote })
        };
        Ok(cart.lines.iter().filter_map(item).collect())
    }

    /// Prices the cart for its destination, as far as that is known.
    pub(super) fn show(&self, cart: StoredCart, items: Vec<Item>) -> Result<Shown> {
        let priced = self.price_at(&self.offers(), &cart, &items, &self.destination(&cart), None)?;
        Ok(Shown { cart, items, priced })
    }

    /// Prices the cart by the given offers, for a destination and, once it is chosen, a price of shipping.
    pub(super) fn price_at(
        &self,
        offers: &Offers,
        cart: &StoredCart,
        items: &[Item],
        destination: &Destination,
        shipping: Option<Money>,
    ) -> Result<Priced> {
        let promotions = offers.in_play(&cart.codes, self.clock.now());
        let taxes = Taxes::at(&offers.tax_rates, destination);
        let currency = cart.currency;
        pricing::price(&Basket { currency, items, promotions: &promotions, taxes: &taxes, shipping })
    }

    fn destination(&self, cart: &StoredCart) -> Destination {
        let country = self.settings.default_country;
        cart.destination.clone().unwrap_or(Destination { country, region: None, postal_code: None })
    }

    /// Reads, edits, prices and writes the cart as one conditional write, again if somebody else was faster.
    /// `check` sees the edited cart with its quotes and may refuse. Lines that cannot be bought any more leave it.
    pub(super) async fn change<E, C>(&self, id: CartId, viewer: &Viewer, edit: E, check: C) -> Result<Shown>
    where
        E: Fn(&mut StoredCart) -> Result<()> + Send + Sync,
        C: Fn(&StoredCart, &[Item]) -> Result<()> + Send + Sync,
    {
        let _turn = self.turn(id).lock().await;
        for attempt in 0..ATTEMPTS {
            let before = self.load_for(id, viewer.customer_id, attempt).await?;
            before.changeable()?;
            let mut cart = before.clone();
            edit(&mut cart)?;
            let items = self.quote(&cart, viewer.group.clone()).await?;
            check(&cart, &items)?;
            cart.lines.retain(|line| items.iter().any(|item| item.line_id == line.id));
            if cart == before {
                return self.show(cart, items);
            }
            cart.touch(self.clock.now());
            // Priced before it is written: a cart too dear for any order is refused.
            let shown = self.show(cart, items).map_err(|error| error.under("/quantity"))?;
            if self.store.save_cart(shown.cart.clone(), before.version).await? == Saved::Yes {
                return Ok(shown);
            }
            pause_after(attempt).await;
        }
        Err(busy())
    }

    pub(super) async fn create_cart(&self, new: NewCart, viewer: Viewer) -> Result<Cart> {
        let currency = new.currency.unwrap_or(self.settings.currencies[0]);
        if !self.settings.currencies.contains(&currency) {
            return Err(Error::invalid(
                "/currency",
                "currency",
                format!("the shop has no prices in {currency}"),
            ));
        }
        let mut cart = StoredCart::new(currency, viewer.customer_id, self.clock.now());
        for (i, line) in new.lines.iter().enumerate() {
            cart.add(line.variant_id, line.quantity).map_err(|error| match &*error.code {
                "too_many_lines" => error,
                _ => error.under(&format!("/lines/{i}")),
            })?;
        }
        let items = self.quote(&cart, viewer.group).await?;
        let unknown = new.lines.iter().position(|line| !is_known(line.variant_id, &items));
        if let Some(i) = unknown {
            return Err(unknown_variant().under(&format!("/lines/{i}")));
        }
        are_available(&items)?;
        let shown = self.show(cart, items).map_err(|error| error.under("/lines"))?;
        self.store.insert_cart(shown.cart.clone()).await?;
        Ok(shown.into_view())
    }

    pub(super) async fn add(&self, id: CartId, line: NewLine, viewer: Viewer) -> Result<Cart> {
        let add = |cart: &mut StoredCart| cart.add(line.variant_id, line.quantity);
        let check = |_: &StoredCart, items: &[Item]| {
            let item = items.iter().find(|item| item.quote.variant_id == line.variant_id);
            are_available(std::slice::from_ref(item.ok_or_else(unknown_variant)?))
        };
        Ok(self.change(id, &viewer, add, check).await?.into_view())
    }

    pub(super) async fn set(
        &self,
        id: CartId,
        line_id: LineId,
        quantity: i64,
        viewer: Viewer,
    ) -> Result<Cart> {
        let set = |cart: &mut StoredCart| cart.set(line_id, quantity);
        let check = |_: &StoredCart, items: &[Item]| match items.iter().find(|item| item.line_id == line_id) {
            Some(item) => are_available(std::slice::from_ref(item)),
            None if quantity == 0 => Ok(()),
            // Its variant cannot be bought any more, so it is not shown either.
            None => Err(LineId::not_found()),
        };
        Ok(self.change(id, &viewer, set, check).await?.into_view())
    }

    pub(super) async fn add_code(&self, id: CartId, code: String, viewer: Viewer) -> Result<Cart> {
        // Another instance may have made the promotion a moment ago.
        if self.offers().of_code(&code).is_err() {
            self.refresh().await?;
        }
        let offers = self.offers();
        let code = offers.of_code(&code)?.terms.code.clone().unwrap_or(code);
        let now = self.clock.now();
        let check = |cart: &StoredCart, items: &[Item]| {
            offers.may_apply(&code, &cart.codes, (items, cart.currency), now)
        };
        Ok(self.change(id, &viewer, |cart| cart.add_code(&code), check).await?.into_view())
    }

    pub(super) async fn merge_into(&self, from: CartId, customer: CustomerId) -> Result<Cart> {
        let _turn = self.turn(from).lock().await;
        for attempt in 0..ATTEMPTS {
            if let Some(cart) = self.store.merge_carts(from, customer, self.clock.now()).await? {
                return self.view_of(cart, None).await;
            }
            pause_after(attempt).await;
        }
        Err(busy())
    }

    pub(super) async fn complete_cart(&self, id: CartId, order_id: OrderId) -> Result<()> {
        let _turn = self.turn(id).lock().await;
        for attempt in 0..ATTEMPTS {
            if self.store.complete_cart(id, order_id, self.clock.now()).await? == Saved::Yes {
                return Ok(());
            }
            pause_after(attempt).await;
        }
        Err(busy())
    }

    /// Deletes the carts without an owner that nobody has touched for long.
    pub(super) async fn sweep(&self) -> Result<()> {
        let limit = self.clock.now().before(Duration::from_secs(self.settings.idle_seconds));
        // In batches, so that shoppers get their turns between them.
        while self.store.delete_idle_carts(limit, SWEEP_BATCH).await? > 0 {}
        Ok(())
    }

    /// Deletes everything of a customer.
    pub(crate) async fn forget(&self, customer: CustomerId) -> Result<()> {
        self.store.delete_carts_of(customer).await
    }

    fn turn(&self, id: CartId) -> &tokio::sync::Mutex<()> {
        &self.turns[usize::from(id.uuid().as_bytes()[0]) % self.turns.len()]
    }
}

impl Shown {
    /// As shoppers see it.
    pub fn into_view(self) -> Cart {
        let Self { cart, items, priced } = self;
        let lines = items.into_iter().zip(&priced.lines).map(|(item, price)| CartLine {
            id: item.line_id,
            variant_id: item.quote.variant_id,
            product_id: item.quote.product_id,
            slug: item.quote.slug,
            sku: item.quote.sku,
            title: item.quote.title,
            variant_title: item.quote.variant_title,
            quantity: item.quantity,
            unit_price: item.quote.unit_price,
            compare_at_price: item.quote.compare_at_price,
            total: Money::new(price.subtotal.amount - price.discount.amount, price.subtotal.currency),
            discount: price.discount,
            image: item.quote.image,
            available: item.quote.available,
        });
        Cart {
            id: cart.id,
            version: cart.version,
            currency: cart.currency,
            customer_id: cart.customer_id,
            lines: lines.collect(),
            discount_codes: cart.codes,
            discounts: priced.discounts,
            subtotal: priced.totals.subtotal,
            discount_total: priced.totals.discount,
            shipping_total: priced.totals.shipping,
            tax_total: priced.totals.tax,
            total: priced.totals.total,
            prices_include_tax: priced.prices_include_tax,
            order_id: cart.order_id,
            updated_at: cart.updated_at,
        }
    }
}

fn is_known(variant_id: VariantId, items: &[Item]) -> bool {
    items.iter().any(|item| item.quote.variant_id == variant_id)
}

/// `Conflict/out_of_stock` when a line wants more than there is. A hint: only the reservation decides.
fn are_available(items: &[Item]) -> Result<()> {
    let short: Vec<_> = items
        .iter()
        .filter(|item| item.quantity > item.quote.available)
        .map(|item| {
            json!({
                "variant_id": item.quote.variant_id,
                "requested": item.quantity,
                "available": item.quote.available,
            })
        })
        .collect();
    if short.is_empty() {
        return Ok(());
    }
    Err(Error::conflict("out_of_stock", "there is less than that in stock").with("available", short))
}

fn unknown_variant() -> Error {
    Error::invalid("/variant_id", "unknown_variant", "this cannot be bought")
}

/// Who lost a race waits for a random moment, longer each time: two in step would lose for ever.
async fn pause_after(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(rand::random_range(0..=1 << attempt))).await;
}

fn busy() -> Error {
    Error::unavailable("the cart is being changed by too many at once")
}
