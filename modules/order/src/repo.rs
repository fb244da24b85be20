//! Orders in the database: one query a function.

pub mod idempotency;
pub mod lines;
pub mod lists;
pub mod parts;
pub mod reports;
pub mod sagas;

use contracts::{cart::CartId, customer::CustomerId, order::OrderId};
use diesel::{dsl::sql, expression::SqlLiteral, prelude::*, result::DatabaseErrorKind, sql_types::Bool};
use diesel_async::RunQueryDsl;
use shared::{
    Error, Result, Time,
    db::{Conn, on},
    values::Email,
};

use crate::{
    rows::{OrderRow, Record, Word},
    schema::orders,
};

/// In the words of the partial indexes: they serve no query that binds the value.
fn live() -> SqlLiteral<Bool> {
    sql("status <> 'cancelled'")
}

/// `Conflict/order_exists` if the cart, the key or the number is taken.
pub async fn insert(conn: &mut Conn, row: &OrderRow) -> Result<()> {
    match on!(conn, |c| diesel::insert_into(orders::table).values(row).execute(c).await) {
        Ok(_) => Ok(()),
        Err(diesel::result::Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Err(exists()),
        Err(error) => Err(error.into()),
    }
}

fn exists() -> Error {
    Error::conflict("order_exists", "there is an order for this cart")
}

pub fn is_taken(error: &Error) -> bool {
    error.code == "order_exists"
}

/// False if the id is known.
pub async fn insert_if_new(conn: &mut Conn, row: &OrderRow) -> QueryResult<bool> {
    let inserted = on!(conn, |c| diesel::insert_into(orders::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    Ok(inserted == 1)
}

pub async fn get(conn: &mut Conn, id: OrderId) -> QueryResult<Option<OrderRow>> {
    on!(conn, |c| orders::table.find(id).select(OrderRow::as_select()).first(c).await.optional())
}

/// `NotFound/order`.
pub async fn find(conn: &mut Conn, id: OrderId) -> Result<OrderRow> {
    get(conn, id).await?.ok_or_else(OrderId::not_found)
}

/// The row, which nobody else can change before the transaction ends. SQLite has one writer at a time anyway.
pub async fn lock(conn: &mut Conn, id: OrderId) -> Result<OrderRow> {
    match conn {
        Conn::Postgres(c) => {
            let row = orders::table.find(id).select(OrderRow::as_select()).for_update();
            Ok(row.first(c).await.optional()?.ok_or_else(OrderId::not_found)?)
        }
        Conn::Sqlite(_) => find(conn, id).await,
    }
}

/// Writes the row if the version in the database is the one before its own.
pub async fn update(conn: &mut Conn, row: &OrderRow) -> QueryResult<bool> {
    let updated = on!(conn, |c| diesel::update(
        orders::table.find(row.id).filter(orders::version.eq(row.version - 1))
    )
    .set(row)
    .execute(c)
    .await)?;
    Ok(updated == 1)
}

/// The order that a checkout with this key made.
pub async fn live_by_key(conn: &mut Conn, key: &str) -> QueryResult<Option<(OrderId, CartId)>> {
    on!(conn, |c| orders::table
        .filter(orders::checkout_key.eq(key))
        .filter(live())
        .select((orders::id, orders::cart_id))
        .first(c)
        .await
        .optional())
}

/// The order that this cart became.
pub async fn live_by_cart(conn: &mut Conn, cart: CartId) -> QueryResult<Option<(OrderId, i64)>> {
    on!(conn, |c| orders::table
        .filter(orders::cart_id.eq(cart))
        .filter(live())
        .select((orders::id, orders::cart_version))
        .first(c)
        .await
        .optional())
}

pub async fn by_number(conn: &mut Conn, number: &str, email: &Email) -> QueryResult<Option<OrderRow>> {
    on!(conn, |c| orders::table
        .filter(orders::number.eq(number).and(orders::email.eq(email.as_str())))
        .select(OrderRow::as_select())
        .first(c)
        .await
        .optional())
}

/// False if this or later news of the payment is known.
pub async fn advance_payment(conn: &mut Conn, id: OrderId, sequence: i64) -> QueryResult<bool> {
    let updated =
        on!(conn, |c| diesel::update(orders::table.find(id).filter(orders::payment_sequence.lt(sequence)))
            .set(orders::payment_sequence.eq(sequence))
            .execute(c)
            .await)?;
    Ok(updated == 1)
}

/// Gives the orders that a guest made with this address to the account that owns it.
pub async fn adopt(conn: &mut Conn, email: &Email, customer: CustomerId, now: Time) -> QueryResult<usize> {
    on!(conn, |c| diesel::update(
        orders::table.filter(orders::email.eq(email.as_str()).and(orders::customer_id.is_null()))
    )
    .set((
        orders::customer_id.eq(customer),
        orders::updated_at.eq(now),
        orders::version.eq(orders::version + 1)
    ))
    .execute(c)
    .await)
}

pub async fn ids_of_customer(conn: &mut Conn, customer: CustomerId) -> QueryResult<Vec<OrderId>> {
    on!(conn, |c| orders::table.filter(orders::customer_id.eq(customer)).select(orders::id).load(c).await)
}

/// Adds to a row everything that belongs to it. What cannot be there is not asked for.
pub async fn record(conn: &mut Conn, row: OrderRow) -> QueryResult<Record> {
    let id = row.id;
    let lines = lines::of_order(conn, id).await?;
    let timeline = parts::timeline(conn, id).await?;
    let refunds = if row.captured_total > 0 { parts::refunds(conn, id).await? } else { Vec::new() };
    let unfulfilled = Word(contracts::order::FulfillmentStatus::Unfulfilled);
    let shipments =
        if row.fulfillment_status == unfulfilled { Vec::new() } else { parts::shipments(conn, id).await? };
    Ok(Record { row, lines, timeline, refunds, shipments })
}
