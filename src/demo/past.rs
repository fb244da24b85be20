//! Orders of the past, priced as the cart would have priced them.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use contracts::Ports;
use contracts::{
    cart::{Destination, LineId, PricedLine, TaxLine, TaxRate},
    customer::CustomerId,
    order::{FulfillmentStatus, ImportOrder},
    payment::ImportPayment,
    product::{Product, Variant},
    recommendation::{Interaction, InteractionKind, Visitor, VisitorId},
    shipping::{DeliveryWindow, Method, MethodId, ShippingOption, Zone},
};
use shared::{Currency, Money, Result, Time};

use super::people::Person;

/// Nobody has packed anything this soon, in seconds.
const UNTOUCHED: u64 = 30 * 3600;

/// What shipping costs and the state takes.
pub(crate) struct Terms {
    pub now: Time,
    pub zones: Vec<Zone>,
    pub tax_rates: Vec<TaxRate>,
}

/// A variant that was bought.
pub(crate) struct Bought<'a> {
    pub product: &'a Product,
    pub variant: &'a Variant,
    pub quantity: i64,
}

/// An order that somebody made.
pub(crate) struct Past<'a> {
    /// Gives the order its id.
    pub seed: String,
    pub person: Person,
    pub customer_id: Option<CustomerId>,
    /// Not empty.
    pub bought: Vec<Bought<'a>>,
    /// Seconds before now.
    pub age: u64,
    /// Decides what could go either way.
    pub luck: u64,
}

impl Terms {
    /// Today's, because nobody knows those of then.
    pub async fn load(ports: &Ports, now: Time) -> Result<Self> {
        Ok(Self { now, zones: ports.shipping.zones().await?, tax_rates: ports.carts.tax_rates().await? })
    }

    fn tax(&self, destination: &Destination) -> Tax {
        let here = |rate: &&TaxRate| {
            rate.rate.country == destination.country
                && rate.rate.tax_class == "standard"
                && (rate.rate.region.is_none() || rate.rate.region == destination.region)
        };
        let found = self.tax_rates.iter().filter(here).max_by_key(|rate| rate.rate.region.is_some());
        found.map_or(Tax { name: String::new(), basis_points: 0, included: true }, |found| Tax {
            name: found.rate.name.clone(),
            basis_points: found.rate.rate_basis_points,
            included: found.rate.included,
        })
    }
}

/// The rate that an order was taxed at.
struct Tax {
    name: String,
    basis_points: i64,
    included: bool,
}

impl Tax {
    /// The tax in or on an amount: the rounding rule of the cart's pricing.
    fn of(&self, amount: Money) -> Result<Money> {
        amount.ratio(self.basis_points, if self.included { 10_000 + self.basis_points } else { 10_000 })
    }
}

/// What was bought, for those who recommend. A guest's order is a visitor of its own, as it is for orders of today.
pub(crate) fn purchases(order: &ImportOrder) -> impl Iterator<Item = Interaction> + '_ {
    let anonymous = VisitorId::derived(&order.id().to_string());
    let visitor = Visitor {
        customer_id: order.customer_id,
        visitor_id: order.customer_id.is_none().then_some(anonymous),
    };
    let purchase = move |line: &PricedLine| Interaction {
        visitor,
        product_id: line.product_id,
        kind: InteractionKind::Purchase,
        at: order.placed_at,
    };
    order.lines.iter().map(purchase)
}

impl Past<'_> {
    /// The order and its payment.
    pub fn record(self, terms: &Terms) -> Result<(ImportOrder, ImportPayment)> {
        let placed_at = terms.now.before(std::time::Duration::from_secs(self.age));
        let tax = terms.tax(&Destination::from(&self.person.address));
        let currency = self.currency();
        let lines = self.lines(currency, &tax)?;
        let subtotal = Money::sum(currency, lines.iter().map(|line| line.subtotal))?;
        let shipping = self.shipping(terms, subtotal, placed_at);
        let tax_total =
            Money::sum(currency, lines.iter().map(|line| line.tax))?.add(tax.of(shipping.price)?)?;
        let gross = subtotal.add(shipping.price)?;
        let (net, total) =
            if tax.included { (gross.sub(tax_total)?, gross) } else { (gross, gross.add(tax_total)?) };
        let taxed = TaxLine { name: tax.name, rate_basis_points: tax.basis_points, net, tax: tax_total };
        let order = ImportOrder {
            fulfillment_status: self.fulfilment(&shipping, lines.len(), terms.now),
            seed: self.seed,
            email: self.person.email,
            customer_id: self.customer_id,
            address: self.person.address,
            currency,
            lines,
            shipping,
            tax_lines: if tax_total.is_zero() { Vec::new() } else { vec![taxed] },
            tax_total,
            placed_at,
        };
        let payment = ImportPayment {
            order_id: order.id(),
            amount: total,
            refunded: Money::zero(currency),
            at: placed_at,
        };
        Ok((order, payment))
    }

    /// The person's, unless nothing they bought has a price in it.
    fn currency(&self) -> Currency {
        let own = self.person.currency;
        let anything = self.bought.iter().any(|bought| price(bought.variant, own).is_some());
        if anything { own } else { self.bought[0].variant.prices.first().map_or(own, |price| price.currency) }
    }

    fn lines(&self, currency: Currency, tax: &Tax) -> Result<Vec<PricedLine>> {
        let priced = self.bought.iter().filter_map(|bought| Some((bought, price(bought.variant, currency)?)));
        let line = |(number, (bought, unit_price)): (usize, (&Bought<'_>, Money))| {
            let Bought { product, variant, quantity } = bought;
            let subtotal = unit_price.times(*quantity)?;
            let tax_amount = tax.of(subtotal)?;
            Ok(PricedLine {
                id: LineId::derived(&format!("{}:{number}", self.seed)),
                variant_id: variant.id,
                product_id: product.id,
                slug: product.slug.clone(),
                sku: variant.sku.clone(),
                title: product.title.clone(),
                variant_title: variant.title.clone(),
                image: picture(product, variant),
                quantity: *quantity,
                unit_price,
                subtotal,
                discount: Money::zero(currency),
                tax: tax_amount,
                total: if tax.included { subtotal } else { subtotal.add(tax_amount)? },
                tax_rate_basis_points: tax.basis_points,
                weight_grams: variant.weight_grams,
            })
        };
        priced.enumerate().map(line).collect()
    }

    /// The cheapest way that takes everything, or the fastest for those in a hurry.
    fn shipping(&self, terms: &Terms, subtotal: Money, placed_at: Time) -> ShippingOption {
        let weight = self.bought.iter().map(|bought| bought.variant.weight_grams * bought.quantity).sum();
        let takes = |method: &&Method| {
            let takes = |class: &String| method.classes.is_empty() || method.classes.contains(class);
            self.bought.iter().all(|bought| takes(&bought.product.shipping_class))
        };
        let zone = terms.zones.iter().find(|zone| zone.countries.contains(&self.person.address.country));
        let methods = zone.iter().flat_map(|zone| &zone.methods).filter(takes);
        let mut ways: Vec<_> =
            methods.filter_map(|m| Some((m, shipping_price(m, subtotal, weight)?))).collect();
        let hurry = self.luck % 100 < 15;
        ways.sort_by_key(|(method, price)| {
            if hurry { (method.max_days, price.amount) } else { (price.amount, method.max_days) }
        });
        let day = placed_at.utc().date_naive();
        let window = |min, max| DeliveryWindow {
            from: working_days_after(day, min).to_string(),
            to: working_days_after(day, max).to_string(),
        };
        match ways.first() {
            Some((method, price)) => ShippingOption {
                id: method.id,
                name: method.name.clone(),
                carrier: method.carrier.clone(),
                price: *price,
                delivery: window(method.min_days, method.max_days),
            },
            // The shop does not send there any more.
            None => ShippingOption {
                id: MethodId::derived("past"),
                name: "Standard".to_owned(),
                carrier: String::new(),
                price: Money::zero(subtotal.currency),
                delivery: window(3, 6),
            },
        }
    }

    fn fulfilment(&self, shipping: &ShippingOption, lines: usize, now: Time) -> FulfillmentStatus {
        let luck = self.luck / 100 % 100;
        if self.age < UNTOUCHED {
            FulfillmentStatus::Unfulfilled
        } else if now.utc().date_naive().to_string() > shipping.delivery.to {
            FulfillmentStatus::Delivered
        } else if luck < 8 {
            // Something is being waited for.
            FulfillmentStatus::Unfulfilled
        } else if luck < 30 && lines > 1 {
            FulfillmentStatus::PartiallyShipped
        } else {
            FulfillmentStatus::Shipped
        }
    }
}

fn price(variant: &Variant, currency: Currency) -> Option<Money> {
    variant.prices.iter().find(|price| price.currency == currency).copied()
}

/// The first picture that shows the variant.
fn picture(product: &Product, variant: &Variant) -> Option<String> {
    let shows = |image: &&contracts::product::Image| {
        image.options.iter().all(|(name, value)| variant.options.get(name) == Some(value))
    };
    product.images.iter().find(shows).or(product.images.first()).map(|image| image.file.clone())
}

/// What a method costs; none if it does not take so much.
fn shipping_price(method: &Method, subtotal: Money, weight_grams: i64) -> Option<Money> {
    let tier = method.tiers.iter().find(|tier| {
        tier.price.currency == subtotal.currency
            && tier.max_weight_grams.is_none_or(|max| weight_grams <= max)
            && tier.min_subtotal.is_none_or(|min| subtotal.amount >= min)
    })?;
    let is_free = method
        .free_above
        .iter()
        .any(|from| from.currency == subtotal.currency && subtotal.amount >= from.amount);
    Some(if is_free { Money::zero(subtotal.currency) } else { tier.price })
}

fn working_days_after(mut day: NaiveDate, days: i64) -> NaiveDate {
    let is_weekend = |day: NaiveDate| matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    let mut left = days;
    while left > 0 || is_weekend(day) {
        day = day + Days::new(1);
        left -= i64::from(!is_weekend(day));
    }
    day
}
