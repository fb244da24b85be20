//! Captures and refunds.

use contracts::payment::PaymentId;
use diesel::{prelude::*, result::QueryResult};
use diesel_async::RunQueryDsl;
use shared::{
    Time,
    db::{Conn, on},
};

use crate::schema::payment_movements as movements;

/// A capture or a refund. `id` is also the provider's idempotency key and the ledger's transaction.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = movements, treat_none_as_default_value = false)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub struct Movement {
    pub id: String,
    pub payment_id: PaymentId,
    /// [`CAPTURE`] or [`REFUND`].
    pub kind: String,
    pub amount: i64,
    pub reason: String,
    /// [`PENDING`], [`SUCCEEDED`] or [`FAILED`].
    pub state: String,
    /// Why the provider refused it.
    pub refusal: Option<String>,
    pub created_at: Time,
    pub updated_at: Time,
}

pub const CAPTURE: &str = "capture";
pub const REFUND: &str = "refund";
pub const PENDING: &str = "pending";
pub const SUCCEEDED: &str = "succeeded";
pub const FAILED: &str = "failed";

pub async fn insert(conn: &mut Conn, movement: &Movement) -> QueryResult<()> {
    on!(conn, |c| diesel::insert_into(movements::table).values(movement).execute(c).await).map(drop)
}

pub async fn get(conn: &mut Conn, id: &str) -> QueryResult<Option<Movement>> {
    on!(conn, |c| movements::table.find(id).select(Movement::as_select()).first(c).await.optional())
}

pub async fn pending(conn: &mut Conn, payment: PaymentId) -> QueryResult<Vec<Movement>> {
    on!(conn, |c| movements::table
        .filter(movements::payment_id.eq(payment).and(movements::state.eq(PENDING)))
        .order((movements::created_at, movements::id))
        .select(Movement::as_select())
        .load(c)
        .await)
}

/// False if it had ended before.
pub async fn end(
    conn: &mut Conn,
    id: &str,
    state: &str,
    refusal: Option<&str>,
    now: Time,
) -> QueryResult<bool> {
    on!(conn, |c| diesel::update(movements::table.find(id))
        .filter(movements::state.eq(PENDING))
        .set((movements::state.eq(state), movements::refusal.eq(refusal), movements::updated_at.eq(now)))
        .execute(c)
        .await)
    .map(|rows| rows == 1)
}
