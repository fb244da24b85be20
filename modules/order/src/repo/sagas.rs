//! Sagas: every move is a compare-and-set on the version.

use contracts::order::OrderId;
use diesel::{dsl::sql, expression::SqlLiteral, prelude::*, sql_types::Bool};
use diesel_async::RunQueryDsl;
use shared::{
    Error, Result, Time,
    db::{Conn, on},
};

use crate::{
    rows::{SagaRow, Word},
    saga::{SagaId, SagaState, lost},
    schema::order_sagas,
};

/// In the words of the partial index: it serves no query that binds the value.
fn not_done() -> SqlLiteral<Bool> {
    sql("state <> 'done'")
}

pub async fn insert(conn: &mut Conn, row: &SagaRow) -> QueryResult<usize> {
    on!(conn, |c| diesel::insert_into(order_sagas::table).values(row).execute(c).await)
}

pub async fn get(conn: &mut Conn, id: SagaId) -> QueryResult<Option<SagaRow>> {
    on!(conn, |c| order_sagas::table.find(id).select(SagaRow::as_select()).first(c).await.optional())
}

/// Writes the row if the version in the database is the one before its own; else `saga_lost`.
pub async fn save(conn: &mut Conn, row: &SagaRow, from: SagaState) -> Result<()> {
    if !SagaState::MOVES.contains(&(from, row.state.0)) {
        return Err(Error::internal(format!("a saga cannot go from {from:?} to {:?}", row.state.0)));
    }
    let before = order_sagas::table.find(row.id).filter(order_sagas::version.eq(row.version - 1));
    let updated = on!(conn, |c| diesel::update(before).set(row).execute(c).await)?;
    if updated == 1 { Ok(()) } else { Err(lost()) }
}

/// Those that anybody may drive now, the most patient first.
pub async fn due(conn: &mut Conn, now: Time, limit: i64) -> QueryResult<Vec<SagaId>> {
    on!(conn, |c| order_sagas::table
        .filter(order_sagas::next_at.le(now))
        .filter(not_done())
        .order(order_sagas::next_at)
        .limit(limit)
        .select(order_sagas::id)
        .load(c)
        .await)
}

/// Makes a saga that waits for news due.
pub async fn wake(conn: &mut Conn, id: SagaId, now: Time) -> QueryResult<usize> {
    let idle = [Word(SagaState::Waiting), Word(SagaState::Parked)];
    on!(conn, |c| diesel::update(order_sagas::table.find(id).filter(order_sagas::state.eq_any(idle)))
        .set((order_sagas::next_at.eq(now), order_sagas::version.eq(order_sagas::version + 1)))
        .execute(c)
        .await)
}

/// Makes everything unfinished due: its drivers died with the process before this one. Only those that wait for a
/// shopper go on waiting.
pub async fn recover(conn: &mut Conn, now: Time) -> QueryResult<usize> {
    let held = [Word(SagaState::Running), Word(SagaState::Parked), Word(SagaState::Compensating)];
    let held = order_sagas::state.eq_any(held);
    on!(conn, |c| diesel::update(order_sagas::table.filter(held).filter(not_done()))
        .set((order_sagas::next_at.eq(now), order_sagas::version.eq(order_sagas::version + 1)))
        .execute(c)
        .await)
}

/// Sagas of an order that are not done.
pub async fn unfinished(conn: &mut Conn, order: OrderId) -> QueryResult<Vec<SagaRow>> {
    on!(conn, |c| order_sagas::table
        .filter(order_sagas::order_id.eq(order).and(order_sagas::state.ne(Word(SagaState::Done))))
        .select(SagaRow::as_select())
        .load(c)
        .await)
}
