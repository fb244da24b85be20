//! What people have said about the catalogue, as the reviews module takes it.

use std::time::Duration;

use contracts::{
    Ports,
    customer::CustomerId,
    order::{FulfillmentStatus, ImportOrder},
    product::Product,
    review::{ImportReview, ImportReviews, NewReview, Purchase, ReviewStatus},
};
use rand::RngExt;
use shared::{Result, Time, ids::Entity};

use super::{
    SEED,
    catalogue::{self, Catalogue},
};
use crate::seed::generator;

/// This many of the latest wait for staff.
const WAITING: usize = 5;
/// At most so many found a review helpful.
const VOTES: u64 = 14;

/// The catalogue's reviews. Their authors have no accounts here, only ids: nobody can sign in as them.
pub(super) fn all(catalogue: &Catalogue, products: &[Product], now: Time) -> Result<ImportReviews> {
    let mut past = ImportReviews::default();
    let written = catalogue.products.iter().zip(products);
    let written = written.flat_map(|(source, product)| source.reviews.iter().map(move |r| (product, r)));
    for (number, (product, review)) in written.enumerate() {
        let seed = format!("demo:review:{number}");
        let person = format!("{} of {}", review.author, review.country.code());
        let customer_id = CustomerId::derived(&format!("demo:reviewer:{person}"));
        if review.verified {
            let email = format!("reviewer.{number}@example.com").parse()?;
            let order_id = derived(&seed);
            past.purchases.push(Purchase {
                order_id,
                product_id: product.id,
                customer_id: Some(customer_id),
                email,
            });
        }
        past.reviews.push(import(seed, number as u64, product, review, customer_id, now));
    }
    past.reviews.sort_by_key(|review| std::cmp::Reverse(review.created_at));
    for latest in past.reviews.iter_mut().take(WAITING) {
        latest.status = ReviewStatus::Pending;
        latest.voters.clear();
    }
    Ok(past)
}

fn derived<E: Entity>(seed: &str) -> shared::Id<E> {
    shared::Id::derived(seed)
}

fn import(
    seed: String,
    number: u64,
    product: &Product,
    review: &catalogue::Review,
    customer_id: CustomerId,
    now: Time,
) -> ImportReview {
    let mut rng = generator(SEED, "votes", number);
    let votes = rng.random_range(0..=VOTES).saturating_sub(VOTES / 2);
    let hour = Duration::from_secs(rng.random_range(0..86_400));
    ImportReview {
        voters: (0..votes).map(|voter| derived(&format!("demo:voter:{number}:{voter}"))).collect(),
        seed,
        product_id: product.id,
        product_title: product.title.clone(),
        customer_id,
        author: review.author.clone(),
        review: NewReview {
            rating: review.rating,
            title: review.title.clone(),
            body: review.body.clone(),
            pictures: Vec::new(),
        },
        status: ReviewStatus::Approved,
        reply: None,
        created_at: now.before(Duration::from_secs(review.days_ago * 86_400) + hour),
    }
}

/// What the parcels of these orders make verified.
pub(super) fn purchases(orders: &[ImportOrder]) -> Vec<Purchase> {
    let delivered = orders.iter().filter(|order| order.fulfillment_status == FulfillmentStatus::Delivered);
    let bought = delivered.flat_map(|order| {
        order.lines.iter().map(|line| Purchase {
            order_id: order.id(),
            product_id: line.product_id,
            customer_id: order.customer_id,
            email: order.email.clone(),
        })
    });
    bought.collect()
}

/// Loads both.
pub(super) async fn load(
    ports: &Ports,
    catalogue: &Catalogue,
    products: &[Product],
    purchases: Vec<Purchase>,
    now: Time,
) -> Result<()> {
    let mut past = all(catalogue, products, now)?;
    past.purchases.extend(purchases);
    ports.reviews.import(past).await?;
    Ok(())
}
