//! What the checkout asks for: ways to send, the final price, and uses of promotions.

use std::collections::BTreeSet;

use contracts::{
    cart::{CartId, Destination, PriceRequest, PricedCart, PricedLine, Promotion, PromotionId, Viewer},
    customer::CustomerId,
    order::OrderId,
    shipping::{RateRequest, ShippingOption},
};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use shared::{Error, Money, Result, values::Email};

use super::Service;
use crate::{
    model::{Offers, StoredCart, exhausted},
    pricing::{Item, Priced},
};

impl Service {
    pub(super) async fn options(
        &self,
        id: CartId,
        address: Destination,
        viewer: Viewer,
    ) -> Result<Vec<ShippingOption>> {
        // Kept without the postal code: taxes do not look at it.
        let known = Destination { postal_code: None, ..address.clone() };
        let keep = |cart: &mut StoredCart| {
            cart.destination = Some(known.clone());
            Ok(())
        };
        let shown = self.change(id, &viewer, keep, |_, _| Ok(())).await?;
        self.rates(&shown.items, shown.priced.discounted_subtotal()?, address).await
    }

    async fn rates(
        &self,
        items: &[Item],
        subtotal: Money,
        destination: Destination,
    ) -> Result<Vec<ShippingOption>> {
        let classes: BTreeSet<&String> = items.iter().map(|item| &item.quote.shipping_class).collect();
        let weight = |item: &Item| item.quote.weight_grams.saturating_mul(item.quantity);
        let request = RateRequest {
            destination,
            subtotal,
            weight_grams: items.iter().map(weight).fold(0, i64::saturating_add),
            classes: classes.into_iter().cloned().collect(),
        };
        self.shipping.options(request).await
    }

    pub(super) async fn price_for_order(&self, id: CartId, request: PriceRequest) -> Result<PricedCart> {
        let cart = self.load(id, request.viewer.customer_id).await?;
        cart.changeable()?;
        if cart.lines.is_empty() {
            return Err(Error::conflict("cart_empty", "there is nothing in the cart"));
        }
        let items = self.all_available(&cart, &request.viewer).await?;
        let mut offers = self.store.offers().await?;
        self.withdraw_used_up(&mut offers, &cart, &request.email).await?;

        let destination = &request.destination;
        let goods = self.price_at(&offers, &cart, &items, destination, None)?;
        let options = self.rates(&items, goods.discounted_subtotal()?, destination.clone()).await?;
        let shipping = chosen(options, &request)?;
        let priced = self.price_at(&offers, &cart, &items, destination, Some(shipping.price))?;
        Ok(priced_cart(cart, items, priced, shipping, request.viewer.customer_id))
    }

    /// The quotes of all lines. If a line cannot be bought any more, it leaves the cart and the shopper is told once.
    async fn all_available(&self, cart: &StoredCart, viewer: &Viewer) -> Result<Vec<Item>> {
        let items = self.quote(cart, viewer.group.clone()).await?;
        if items.len() == cart.lines.len() {
            return Ok(items);
        }
        let is_gone = |id| !items.iter().any(|item| item.line_id == id);
        let gone: Vec<String> = cart
            .lines
            .iter()
            .filter(|line| is_gone(line.id))
            .map(|line| line.variant_id.to_string())
            .collect();
        self.change(cart.id, viewer, |_| Ok(()), |_, _| Ok(())).await?;
        let detail = "something in the cart cannot be bought any more and was taken out";
        Err(Error::conflict("line_unavailable", detail).with("variant_ids", gone))
    }

    /// Takes the promotions out that this shopper has used up. `Conflict/coupon_exhausted` for a code of the cart:
    /// who saw a discount must not pay more without a word.
    async fn withdraw_used_up(&self, offers: &mut Offers, cart: &StoredCart, email: &Email) -> Result<()> {
        if let Some(promotion) = offers.used_up(&cart.codes).next() {
            return Err(exhausted(promotion));
        }
        let limited: Vec<&Promotion> = offers
            .in_play(&cart.codes, self.clock.now())
            .into_iter()
            .filter(|promotion| promotion.terms.usage_limit_per_customer.is_some())
            .collect();
        if limited.is_empty() {
            return Ok(());
        }
        let ids: Vec<PromotionId> = limited.iter().map(|promotion| promotion.id).collect();
        let uses = self.store.uses_of(ids, customer_key(email)).await?;
        let mut withdrawn = Vec::new();
        for (promotion, used) in limited.into_iter().zip(uses) {
            if promotion.terms.usage_limit_per_customer.is_some_and(|limit| used >= limit) {
                if promotion.terms.code.is_some() {
                    return Err(exhausted(promotion));
                }
                withdrawn.push(promotion.id);
            }
        }
        offers.promotions.retain(|promotion| !withdrawn.contains(&promotion.id));
        Ok(())
    }

    pub(super) async fn claim_uses(
        &self,
        order_id: OrderId,
        promotions: Vec<PromotionId>,
        email: &Email,
    ) -> Result<()> {
        if promotions.is_empty() {
            return Ok(());
        }
        self.store.claim(order_id, promotions, customer_key(email), self.clock.now()).await?;
        self.refresh().await
    }
}

/// The option the shopper chose, among those that are possible now.
fn chosen(options: Vec<ShippingOption>, request: &PriceRequest) -> Result<ShippingOption> {
    if options.is_empty() {
        let detail = "we cannot send this cart to this address";
        return Err(Error::invalid("/shipping_address/country", "not_shippable", detail));
    }
    options.into_iter().find(|option| option.id == request.shipping_option_id).ok_or_else(|| {
        let detail = "this shipping option is not offered for this cart and address";
        Error::invalid("/shipping_option_id", "shipping_option", detail)
    })
}

fn priced_cart(
    cart: StoredCart,
    items: Vec<Item>,
    priced: Priced,
    shipping: ShippingOption,
    customer_id: Option<CustomerId>,
) -> PricedCart {
    let lines = items.into_iter().zip(&priced.lines).map(|(item, price)| PricedLine {
        id: item.line_id,
        variant_id: item.quote.variant_id,
        product_id: item.quote.product_id,
        slug: item.quote.slug,
        sku: item.quote.sku,
        title: item.quote.title,
        variant_title: item.quote.variant_title,
        image: item.quote.image,
        quantity: item.quantity,
        unit_price: item.quote.unit_price,
        subtotal: price.subtotal,
        discount: price.discount,
        tax: price.tax,
        total: price.total,
        tax_rate_basis_points: price.tax_rate_basis_points,
        weight_grams: item.quote.weight_grams,
    });
    PricedCart {
        cart_id: cart.id,
        version: cart.version,
        currency: cart.currency,
        customer_id,
        lines: lines.collect(),
        shipping,
        shipping_discount: priced.shipping_discount,
        shipping_tax: priced.shipping_tax,
        discounts: priced.discounts,
        totals: priced.totals,
        prices_include_tax: priced.prices_include_tax,
        tax_lines: priced.tax_lines,
    }
}

/// Uses are counted by address, but nobody has to read it: the hash is the same for the same address.
fn customer_key(email: &Email) -> String {
    HEXLOWER.encode(&Sha256::digest(email.as_str()))
}
