//! Messages of providers, as they came.

use diesel::{dsl::sql, prelude::*, result::QueryResult, sql_types::Bool};
use diesel_async::RunQueryDsl;
use shared::{
    Time,
    db::{Conn, on},
};

use crate::schema::payment_webhooks as webhooks;

/// A message.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = webhooks, treat_none_as_default_value = false)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub struct Webhook {
    pub provider: String,
    pub event_id: String,
    pub reference: String,
    pub kind: String,
    pub amount: Option<i64>,
    pub currency: Option<String>,
    pub body: String,
    /// [`STORED`], [`DONE`], [`UNMATCHED`] or [`REVIEW`].
    pub state: String,
    pub detail: Option<String>,
    pub attempts: i32,
    pub next_at: Time,
    pub received_at: Time,
}

/// To be worked off at `next_at`.
pub const STORED: &str = "stored";
/// What it told is known.
pub const DONE: &str = "done";
/// About a payment that nobody here knows.
pub const UNMATCHED: &str = "unmatched";
/// Contradicts what is known: a person must look.
pub const REVIEW: &str = "review";

/// A message that came before is left as it is.
pub async fn insert(conn: &mut Conn, webhook: &Webhook) -> QueryResult<()> {
    on!(conn, |c| diesel::insert_into(webhooks::table)
        .values(webhook)
        .on_conflict_do_nothing()
        .execute(c)
        .await)
    .map(drop)
}

pub async fn due(conn: &mut Conn, now: Time, limit: i64) -> QueryResult<Vec<Webhook>> {
    on!(conn, |c| webhooks::table
        // In the words of the partial index: it serves no query that binds the value.
        .filter(webhooks::next_at.le(now))
        .filter(sql::<Bool>("state = 'stored'"))
        .order(webhooks::next_at)
        .limit(limit)
        .select(Webhook::as_select())
        .load(c)
        .await)
}

/// Takes a due message for one attempt; it is due again at `next_at`. False if another worker has it.
pub async fn take(conn: &mut Conn, webhook: &Webhook, next_at: Time) -> QueryResult<bool> {
    on!(conn, |c| diesel::update(webhooks::table.find((&webhook.provider, &webhook.event_id)))
        .filter(webhooks::state.eq(STORED).and(webhooks::next_at.eq(webhook.next_at)))
        .set((webhooks::attempts.eq(webhooks::attempts + 1), webhooks::next_at.eq(next_at)))
        .execute(c)
        .await)
    .map(|rows| rows == 1)
}

pub async fn end(conn: &mut Conn, webhook: &Webhook, state: &str, detail: Option<&str>) -> QueryResult<()> {
    on!(conn, |c| diesel::update(webhooks::table.find((&webhook.provider, &webhook.event_id)))
        .set((webhooks::state.eq(state), webhooks::detail.eq(detail)))
        .execute(c)
        .await)
    .map(drop)
}

/// Those that a person must look at, oldest first.
pub async fn open(conn: &mut Conn, limit: i64) -> QueryResult<Vec<Webhook>> {
    on!(conn, |c| webhooks::table
        // In the words of the partial index.
        .filter(sql::<Bool>("state in ('unmatched', 'review')"))
        .order((webhooks::received_at, webhooks::event_id))
        .limit(limit)
        .select(Webhook::as_select())
        .load(c)
        .await)
}
