//! The demo shop: a catalogue, its shoppers and a year of their orders, the same each time in relation to today.

mod baskets;
mod catalogue;
mod content;
pub(crate) mod media;
pub(crate) mod past;
pub(crate) mod people;
mod reviews;
pub(crate) mod shop;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    time::Instant,
};

use contracts::Ports;
use contracts::{
    customer::{Customer, CustomerId, NewCustomer, NewStaff},
    product::{CategoryId, ImportOutcome, ImportProduct, Product},
};
use futures::{StreamExt, TryStreamExt};
use shared::{Clock, Error, Result, values::Email};

pub use crate::seed::{Progress, Report};
pub(crate) use catalogue::Catalogue;

use baskets::History;
use past::{Bought, Past, Terms};

/// E-mail and password of the owner.
pub(crate) const OWNER: (&str, &str) = ("owner@example.com", "bodega-owner");
/// E-mail, password, name and role of those who can log in. The last one only shops.
const LOGINS: [(&str, &str, &str, Option<&str>); 3] = [
    (OWNER.0, OWNER.1, "Olive Owner", Some("owner")),
    ("support@example.com", "bodega-support", "Sunny Support", Some("support")),
    (SHOPPER, "bodega-shopper", "Robin Shopper", None),
];
/// Who has some orders to look at.
const SHOPPER: &str = "shopper@example.com";
/// How many people have ordered.
const SHOPPERS: usize = 400;
/// Draws the history.
const SEED: u64 = 64;
/// Orders in one call.
const BATCH: usize = 200;

/// Loads the demo shop. What is there already stays, so that a load that was interrupted can be repeated.
pub async fn load(ports: &Ports, clock: &dyn Clock, progress: &Progress) -> Result<Report> {
    let (started, now) = (Instant::now(), clock.now());
    let catalogue = Catalogue::load()?;
    let history = History::draw(&catalogue, SHOPPERS, now, SEED)?;
    media::store(ports, media::all(), progress).await?;
    shop::open(ports).await?;
    content::publish(ports, now).await?;
    let customers = people(ports, &history).await?;

    let mut report = Report { customers: customers.len() as u64, ..Report::default() };
    let categories = catalogue::place_categories(ports, &catalogue).await?;
    let imports = imports(&catalogue, &categories, &history);
    let outcomes = ports.products.import(imports, false).await?;
    report.count(&outcomes);
    let products = products(ports, outcomes).await?;
    catalogue::collect(ports, &catalogue, &products, &history.units_sold(catalogue.products.len())).await?;
    shop::promote(ports, &products).await?;

    let terms = Terms::load(ports, now).await?;
    let (mut purchases, mut delivered) = (Vec::new(), Vec::new());
    progress.begin("orders", history.orders.len() as u64);
    for (n, batch) in history.orders.chunks(BATCH).enumerate() {
        let records = batch.iter().enumerate().map(|(i, order)| {
            let seed = format!("demo:{}", n * BATCH + i);
            past(seed, order, &history, &customers, &products)?.record(&terms)
        });
        let (orders, payments): (Vec<_>, Vec<_>) = records.collect::<Result<Vec<_>>>()?.into_iter().unzip();
        purchases.extend(orders.iter().flat_map(past::purchases));
        delivered.extend(reviews::purchases(&orders));
        ports.orders.import(orders).await?;
        ports.payments.import(payments).await?;
        progress.advance(batch.len() as u64);
    }
    reviews::load(ports, &catalogue, &products, delivered, now).await?;
    progress.finish();
    // Times are counted back from now: a second load would take the same purchases for others.
    if ports.recommendations.status().await?.interactions < purchases.len() as u64 {
        ports.recommendations.import(purchases).await?;
    }
    report.orders = history.orders.len() as u64;
    report.milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(report)
}

fn imports(
    catalogue: &Catalogue,
    categories: &BTreeMap<String, CategoryId>,
    history: &History,
) -> Vec<ImportProduct> {
    let sold = history.units_sold(catalogue.products.len());
    catalogue.products.iter().zip(sold).map(|(product, sold)| product.import(categories, sold)).collect()
}

/// Opens the accounts: the three logins and the shoppers who have one. A shopper's password is known to nobody.
async fn people(ports: &Ports, history: &History) -> Result<HashMap<Email, CustomerId>> {
    let mut new = Vec::new();
    for (email, password, name, _) in LOGINS {
        new.push(NewCustomer { email: email.parse()?, password: password.to_owned(), name: name.to_owned() });
    }
    let nobodys = format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>());
    let with_account =
        history.shoppers.iter().filter(|shopper| !shopper.guest && shopper.person.email.as_str() != SHOPPER);
    new.extend(with_account.map(|shopper| NewCustomer {
        email: shopper.person.email.clone(),
        password: nobodys.clone(),
        name: shopper.person.address.name.clone(),
    }));
    let accounts: Vec<Customer> = ports.customers.import(new).await?;
    for (email, _, _, role) in LOGINS {
        if let Some(role) = role {
            let staff = NewStaff { email: email.parse()?, name: None, role: role.to_owned(), password: None };
            ports.customers.add_staff(staff).await?;
        }
    }
    let ids: HashMap<Email, CustomerId> =
        accounts.into_iter().map(|account| (account.email, account.id)).collect();
    save_address(ports, history, &ids).await?;
    Ok(ids)
}

/// The shopper who can log in has an address in the book.
async fn save_address(ports: &Ports, history: &History, ids: &HashMap<Email, CustomerId>) -> Result<()> {
    let shopper = history.shoppers.iter().find(|shopper| shopper.person.email.as_str() == SHOPPER);
    let known = shopper.and_then(|shopper| Some((shopper, *ids.get(&shopper.person.email)?)));
    if let Some((shopper, id)) = known
        && ports.customers.addresses(id).await?.is_empty()
    {
        ports.customers.add_address(id, shopper.person.address.clone()).await?;
    }
    Ok(())
}

/// The imported products as the shop has them, in the order of the catalogue.
async fn products(ports: &Ports, outcomes: Vec<ImportOutcome>) -> Result<Vec<Product>> {
    let finds = outcomes.into_iter().map(|outcome| async move {
        let lost =
            || Error::internal(format!("the demo's {} was not taken: {:?}", outcome.slug, outcome.result));
        ports.products.find(outcome.product_id.ok_or_else(lost)?).await
    });
    futures::stream::iter(finds).buffered(8).try_collect().await
}

/// A drawn order as something that was bought.
fn past<'a>(
    seed: String,
    order: &baskets::Order,
    history: &History,
    customers: &HashMap<Email, CustomerId>,
    products: &'a [Product],
) -> Result<Past<'a>> {
    let shopper = &history.shoppers[order.shopper];
    let bought = order.items.iter().map(|item| {
        let product = &products[item.product];
        let variant = product.variants.iter().find(|variant| variant.sku == item.sku);
        let variant = variant.ok_or_else(|| Error::internal(format!("{} was not imported", item.sku)))?;
        Ok(Bought { product, variant, quantity: item.quantity })
    });
    Ok(Past {
        seed,
        person: shopper.person.clone(),
        customer_id: customers.get(&shopper.person.email).copied(),
        bought: bought.collect::<Result<_>>()?,
        age: order.age,
        luck: order.luck,
    })
}
