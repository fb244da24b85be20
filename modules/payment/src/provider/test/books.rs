//! The `test` provider's books: its tables and its queries, touched by nobody else.

use contracts::{order::OrderId, payment::PaymentId};
use diesel::{dsl::sql, prelude::*, result::QueryResult, sql_types::Bool};
use diesel_async::RunQueryDsl;
use shared::{
    Time,
    db::{Conn, on},
};

diesel::table! {
    test_provider_payments (reference) {
        reference -> Text,
        payment_id -> shared::ids::SqlId,
        order_id -> shared::ids::SqlId,
        token -> Text,
        amount -> BigInt,
        currency -> Text,
        state -> Text,
        authorized -> BigInt,
        captured -> BigInt,
        refunded -> BigInt,
        decline_code -> Nullable<Text>,
        confirm_at -> Nullable<shared::time::SqlTime>,
        updated_at -> shared::time::SqlTime,
    }
}

diesel::table! {
    test_provider_operations (key) {
        key -> Text,
        reference -> Text,
        kind -> Text,
        amount -> BigInt,
        currency -> Text,
    }
}

diesel::table! {
    test_provider_events (id) {
        id -> Text,
        body -> Text,
        due_at -> shared::time::SqlTime,
        delivered_at -> Nullable<shared::time::SqlTime>,
    }
}

use test_provider_events as events;
use test_provider_operations as operations;
use test_provider_payments as payments;

/// A payment as the provider sees it.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = test_provider_payments, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub struct Entry {
    pub reference: String,
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    /// Empty if it was voided before it was ever asked for.
    pub token: String,
    pub amount: i64,
    pub currency: String,
    pub state: String,
    pub authorized: i64,
    pub captured: i64,
    pub refunded: i64,
    pub decline_code: Option<String>,
    pub confirm_at: Option<Time>,
    pub updated_at: Time,
}

/// A capture or refund under its idempotency key.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = test_provider_operations, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub struct Operation {
    pub key: String,
    pub reference: String,
    pub kind: String,
    pub amount: i64,
    pub currency: String,
}

/// A message that waits for delivery.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = test_provider_events, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub struct Message {
    pub id: String,
    pub body: String,
    pub due_at: Time,
    pub delivered_at: Option<Time>,
}

/// False if the payment is already there.
pub async fn insert(conn: &mut Conn, entry: &Entry) -> QueryResult<bool> {
    on!(conn, |c| diesel::insert_into(payments::table)
        .values(entry)
        .on_conflict_do_nothing()
        .execute(c)
        .await)
    .map(|rows| rows == 1)
}

pub async fn by_payment(conn: &mut Conn, id: PaymentId) -> QueryResult<Option<Entry>> {
    on!(conn, |c| payments::table
        .filter(payments::payment_id.eq(id))
        .select(Entry::as_select())
        .first(c)
        .await
        .optional())
}

pub async fn by_order(conn: &mut Conn, id: OrderId) -> QueryResult<Option<Entry>> {
    on!(conn, |c| payments::table
        .filter(payments::order_id.eq(id))
        .select(Entry::as_select())
        .first(c)
        .await
        .optional())
}

pub async fn by_reference(conn: &mut Conn, reference: &str) -> QueryResult<Option<Entry>> {
    on!(conn, |c| payments::table.find(reference).select(Entry::as_select()).first(c).await.optional())
}

/// Those changed at `since` or later, after `position`.
pub async fn changed(
    conn: &mut Conn,
    since: Time,
    position: &(Time, String),
    limit: i64,
) -> QueryResult<Vec<Entry>> {
    let (time, reference) = position;
    on!(conn, |c| payments::table
        .filter(payments::updated_at.ge(since))
        .filter(
            payments::updated_at
                .gt(time)
                .or(payments::updated_at.eq(time).and(payments::reference.gt(reference)))
        )
        .order((payments::updated_at, payments::reference))
        .limit(limit)
        .select(Entry::as_select())
        .load(c)
        .await)
}

/// References of payments that confirm themselves now.
pub async fn confirming(conn: &mut Conn, now: Time) -> QueryResult<Vec<String>> {
    on!(conn, |c| payments::table
        // In the words of the partial index.
        .filter(payments::confirm_at.le(now))
        .filter(sql::<Bool>("state = 'requires_action'"))
        .order(payments::confirm_at)
        .limit(100)
        .select(payments::reference)
        .load(c)
        .await)
}

/// The shopper said yes. False unless that was what it waited for.
pub async fn confirm(conn: &mut Conn, reference: &str, now: Time) -> QueryResult<bool> {
    on!(conn, |c| diesel::update(payments::table.find(reference))
        .filter(payments::state.eq("requires_action"))
        .set((
            payments::state.eq("authorized"),
            payments::authorized.eq(payments::amount),
            payments::updated_at.eq(now)
        ))
        .execute(c)
        .await)
    .map(|rows| rows == 1)
}

/// The shopper said no. False unless that was what it waited for.
pub async fn refuse(conn: &mut Conn, reference: &str, now: Time) -> QueryResult<bool> {
    on!(conn, |c| diesel::update(payments::table.find(reference))
        .filter(payments::state.eq("requires_action"))
        .set((
            payments::state.eq("failed"),
            payments::decline_code.eq("declined"),
            payments::updated_at.eq(now)
        ))
        .execute(c)
        .await)
    .map(|rows| rows == 1)
}

/// False if that much is not held.
pub async fn capture(conn: &mut Conn, reference: &str, amount: i64, now: Time) -> QueryResult<bool> {
    on!(conn, |c| diesel::update(payments::table.find(reference))
        .filter(payments::state.eq("authorized"))
        .filter((payments::captured + amount).le(payments::authorized))
        .set((payments::captured.eq(payments::captured + amount), payments::updated_at.eq(now)))
        .execute(c)
        .await)
    .map(|rows| rows == 1)
}

/// False if that much was not captured.
pub async fn refund(conn: &mut Conn, reference: &str, amount: i64, now: Time) -> QueryResult<bool> {
    on!(conn, |c| diesel::update(payments::table.find(reference))
        .filter((payments::refunded + amount).le(payments::captured))
        .set((payments::refunded.eq(payments::refunded + amount), payments::updated_at.eq(now)))
        .execute(c)
        .await)
    .map(|rows| rows == 1)
}

/// Gives everything back, if nothing was captured. False if there was nothing to give back.
pub async fn void_all(conn: &mut Conn, reference: &str, now: Time) -> QueryResult<bool> {
    on!(conn, |c| diesel::update(payments::table.find(reference))
        .filter(payments::state.eq_any(["requires_action", "authorized"]).and(payments::captured.eq(0)))
        .set((payments::state.eq("voided"), payments::authorized.eq(0), payments::updated_at.eq(now)))
        .execute(c)
        .await)
    .map(|rows| rows == 1)
}

/// Gives the uncaptured rest back. False if there was none.
pub async fn void_rest(conn: &mut Conn, reference: &str, now: Time) -> QueryResult<bool> {
    on!(conn, |c| diesel::update(payments::table.find(reference))
        .filter(payments::captured.gt(0).and(payments::authorized.gt(payments::captured)))
        .set((payments::authorized.eq(payments::captured), payments::updated_at.eq(now)))
        .execute(c)
        .await)
    .map(|rows| rows == 1)
}

/// False if the key is already used.
pub async fn insert_operation(conn: &mut Conn, operation: &Operation) -> QueryResult<bool> {
    on!(conn, |c| diesel::insert_into(operations::table)
        .values(operation)
        .on_conflict_do_nothing()
        .execute(c)
        .await)
    .map(|rows| rows == 1)
}

pub async fn operation(conn: &mut Conn, key: &str) -> QueryResult<Operation> {
    on!(conn, |c| operations::table.find(key).select(Operation::as_select()).first(c).await)
}

pub async fn insert_message(conn: &mut Conn, message: &Message) -> QueryResult<()> {
    on!(conn, |c| diesel::insert_into(events::table).values(message).execute(c).await).map(drop)
}

pub async fn due(conn: &mut Conn, now: Time, limit: i64) -> QueryResult<Vec<Message>> {
    on!(conn, |c| events::table
        .filter(events::delivered_at.is_null().and(events::due_at.le(now)))
        .order((events::due_at, events::id))
        .limit(limit)
        .select(Message::as_select())
        .load(c)
        .await)
}

pub async fn delivered(conn: &mut Conn, ids: &[String], now: Time) -> QueryResult<()> {
    on!(conn, |c| diesel::update(events::table.filter(events::id.eq_any(ids)))
        .set(events::delivered_at.eq(now))
        .execute(c)
        .await)
    .map(drop)
}
