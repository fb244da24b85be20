//! What was bought and delivered, and the mark that it gives to reviews.

use contracts::{customer::CustomerId, product::ProductId};
use diesel::{dsl::exists, prelude::*, select};
use diesel_async::RunQueryDsl;
use shared::{
    Result, Time,
    db::{Conn, Tx, on},
};

use super::reviews;
use crate::{model::Settings, schema::review_purchases as purchases, store::Bought};

pub async fn exist(conn: &mut Conn, customer: CustomerId, product: ProductId) -> Result<bool> {
    let bought =
        purchases::table.filter(purchases::customer_id.eq(customer).and(purchases::product_id.eq(product)));
    Ok(on!(conn, |c| select(exists(bought)).get_result(c).await)?)
}

/// Writes down those that are not there yet.
pub async fn insert(conn: &mut Conn, bought: &[Bought]) -> Result<()> {
    for purchase in bought {
        on!(conn, |c| diesel::insert_into(purchases::table)
            .values((
                purchases::order_id.eq(purchase.order),
                purchases::product_id.eq(purchase.product),
                purchases::customer_id.eq(purchase.customer),
                purchases::buyer.eq(&purchase.buyer),
            ))
            .on_conflict_do_nothing()
            .execute(c)
            .await)?;
    }
    Ok(())
}

pub async fn delivered(tx: &mut Tx, bought: &[Bought], settings: &Settings, now: Time) -> Result<()> {
    insert(tx, bought).await?;
    for purchase in bought {
        if let Some(customer) = purchase.customer {
            verify(tx, customer, purchase.product, settings, now).await?;
        }
    }
    Ok(())
}

/// What a guest has bought with the address becomes the customer's.
pub async fn adopt(conn: &mut Conn, customer: CustomerId, buyer: &str) -> Result<()> {
    let guests = purchases::table.filter(purchases::buyer.eq(buyer).and(purchases::customer_id.is_null()));
    on!(conn, |c| diesel::update(guests).set(purchases::customer_id.eq(customer)).execute(c).await)?;
    Ok(())
}

/// Verifies what the customer has written about anything they bought with the address.
pub async fn verify_all(
    tx: &mut Tx,
    customer: CustomerId,
    buyer: &str,
    settings: &Settings,
    now: Time,
) -> Result<()> {
    let products: Vec<ProductId> = on!(tx, |c| purchases::table
        .filter(purchases::customer_id.eq(customer).and(purchases::buyer.eq(buyer)))
        .select(purchases::product_id)
        .distinct()
        .load(c)
        .await)?;
    for product in products {
        verify(tx, customer, product, settings, now).await?;
    }
    Ok(())
}

async fn verify(
    tx: &mut Tx,
    customer: CustomerId,
    product: ProductId,
    settings: &Settings,
    now: Time,
) -> Result<()> {
    let Some(before) = reviews::own(tx, product, customer).await?.filter(|review| !review.verified) else {
        return Ok(());
    };
    let mut after = before.clone();
    after.verify(settings, now);
    reviews::replace_or_roll_back(tx, &before, &after).await
}

pub async fn forget(conn: &mut Conn, customer: CustomerId) -> Result<()> {
    let theirs = purchases::table.filter(purchases::customer_id.eq(customer));
    on!(conn, |c| diesel::delete(theirs).execute(c).await)?;
    Ok(())
}
