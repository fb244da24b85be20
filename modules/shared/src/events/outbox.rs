//! The events of this database that were written and what became of them.

use std::time::Duration;

use diesel::prelude::*;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};

use super::{Envelope, EventId, Failure, dead_letters, inbox, mongo};
use crate::{
    Database, Error, Result, Time,
    db::{Conn, Tx, on},
};

diesel::table! {
    outbox (id) {
        id -> crate::ids::SqlId,
        module -> Text,
        kind -> Text,
        version -> BigInt,
        occurred_at -> crate::time::SqlTime,
        aggregate_id -> Text,
        sequence -> BigInt,
        traceparent -> Nullable<Text>,
        data -> Text,
        published_at -> Nullable<crate::time::SqlTime>,
        attempts -> BigInt,
        next_at -> Nullable<crate::time::SqlTime>,
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = outbox, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct Row {
    id: EventId,
    module: String,
    kind: String,
    version: i64,
    occurred_at: Time,
    aggregate_id: String,
    sequence: i64,
    traceparent: Option<String>,
    data: String,
    attempts: i64,
}

/// An event that waits for delivery.
pub(super) struct Waiting {
    pub(super) envelope: Envelope,
    /// Failed deliveries so far.
    pub(super) attempts: i64,
}

impl TryFrom<Row> for Waiting {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let envelope = Envelope {
            id: row.id,
            kind: row.kind,
            version: u16::try_from(row.version).map_err(Error::internal)?,
            module: row.module,
            occurred_at: row.occurred_at,
            aggregate_id: row.aggregate_id,
            sequence: row.sequence,
            traceparent: row.traceparent,
            data: serde_json::from_str(&row.data)?,
        };
        Ok(Self { envelope, attempts: row.attempts })
    }
}

pub(crate) async fn insert(conn: &mut Conn, event: &Envelope) -> Result<()> {
    let row = Row {
        id: event.id,
        module: event.module.clone(),
        kind: event.kind.clone(),
        version: i64::from(event.version),
        occurred_at: event.occurred_at,
        aggregate_id: event.aggregate_id.clone(),
        sequence: event.sequence,
        traceparent: event.traceparent.clone(),
        data: serde_json::to_string(&event.data)?,
        attempts: 0,
    };
    on!(conn, |c| diesel::insert_into(outbox::table).values(row).execute(c).await)?;
    Ok(())
}

/// Oldest first, at most `limit`: events that are due and whose aggregate has no earlier event that is not due.
async fn due(conn: &mut Conn, now: Time, limit: i64) -> Result<Vec<Waiting>> {
    let earlier = diesel::alias!(outbox as earlier);
    let blocked = earlier
        .filter(earlier.field(outbox::published_at).is_null())
        .filter(earlier.field(outbox::next_at).gt(now))
        .filter(earlier.field(outbox::module).eq(outbox::module))
        .filter(earlier.field(outbox::aggregate_id).eq(outbox::aggregate_id))
        .filter(
            earlier.field(outbox::sequence).lt(outbox::sequence).or(earlier
                .field(outbox::sequence)
                .eq(outbox::sequence)
                .and(earlier.field(outbox::id).lt(outbox::id))),
        );
    let due = outbox::table
        .filter(outbox::published_at.is_null())
        .filter(outbox::next_at.is_null().or(outbox::next_at.le(now)))
        .filter(diesel::dsl::not(diesel::dsl::exists(blocked)))
        .order(outbox::id)
        .limit(limit);
    let rows: Vec<Row> = on!(conn, |c| due.select(Row::as_select()).load(c).await)?;
    rows.into_iter().map(Waiting::try_from).collect()
}

/// The events to deliver now.
///
/// On PostgreSQL several instances relay the same outbox: each takes its batch for `lease`, one after the other
/// (a second claim that ran beside the first could take a later event of the same aggregate).
/// A SQLite file belongs to one process, and reading does not cost an fsync.
pub(super) async fn claim(db: &Database, limit: i64, lease: Duration) -> Result<Vec<Waiting>> {
    let now = db.clock().now();
    let db = match db {
        Database::Sql(db) => db,
        Database::Mongo(db) => return mongo::claim(db, limit, lease).await,
    };
    if db.is_sqlite() {
        return due(&mut db.get().await?, now, limit).await;
    }
    // Idle relays poll; the look without a lock keeps them from queueing for it.
    if due(&mut db.get().await?, now, 1).await?.is_empty() {
        return Ok(Vec::new());
    }
    db.transaction(async move |tx| {
        on!(tx, |c| c.batch_execute("select pg_advisory_xact_lock(6206152)").await)?;
        let waiting = due(tx, now, limit).await?;
        let ids: Vec<_> = waiting.iter().map(|waiting| waiting.envelope.id).collect();
        postpone(tx, &ids, now.after(lease)).await?;
        Ok(waiting)
    })
    .await
}

/// What became of a batch.
#[derive(Default)]
pub(super) struct Marks {
    pub(super) published: Vec<EventId>,
    /// Not tried, because an earlier one of its aggregate failed.
    pub(super) held: Vec<EventId>,
    /// With the number of tries and the time of the next.
    pub(super) failed: Vec<(EventId, i64, Time)>,
    /// Published as far as the outbox goes; with what failed and the number of tries.
    pub(super) dead: Vec<(Envelope, Vec<Failure>, i64)>,
    /// The bus could not be reached.
    pub(super) is_down: bool,
}

/// Writes down what became of a batch, in one transaction.
pub(super) async fn mark(db: &Database, marks: Marks) -> Result<()> {
    let db = match db {
        Database::Sql(db) => db,
        Database::Mongo(db) => return mongo::mark(db, marks).await,
    };
    let leased = !db.is_sqlite();
    db.transaction(async move |tx| {
        for (id, attempts, next_at) in &marks.failed {
            mark_failed(tx, *id, *attempts, *next_at).await?;
        }
        for (event, failures, attempts) in &marks.dead {
            dead_letters::insert(tx, event, failures, *attempts).await?;
        }
        if leased && !marks.held.is_empty() {
            release(tx, &marks.held).await?;
        }
        mark_published(tx, &marks.published).await
    })
    .await
}

/// Keeps these from being delivered until `next_at`.
async fn postpone(tx: &mut Tx, ids: &[EventId], next_at: Time) -> Result<()> {
    let rows = outbox::table.filter(outbox::id.eq_any(ids));
    on!(tx, |c| diesel::update(rows).set(outbox::next_at.eq(next_at)).execute(c).await)?;
    Ok(())
}

/// Lets these be delivered at once.
async fn release(tx: &mut Tx, ids: &[EventId]) -> Result<()> {
    let rows = outbox::table.filter(outbox::id.eq_any(ids));
    on!(tx, |c| diesel::update(rows).set(outbox::next_at.eq(None::<Time>)).execute(c).await)?;
    Ok(())
}

async fn mark_published(tx: &mut Tx, ids: &[EventId]) -> Result<()> {
    let now = tx.now();
    let rows = outbox::table.filter(outbox::id.eq_any(ids));
    on!(tx, |c| diesel::update(rows).set(outbox::published_at.eq(now)).execute(c).await)?;
    Ok(())
}

async fn mark_failed(tx: &mut Tx, id: EventId, attempts: i64, next_at: Time) -> Result<()> {
    let row = outbox::table.find(id);
    let next = (outbox::attempts.eq(attempts), outbox::next_at.eq(next_at));
    on!(tx, |c| diesel::update(row).set(next).execute(c).await)?;
    Ok(())
}

/// How far the relay is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Lag {
    /// Events that wait for delivery.
    pub unpublished: i64,
    /// When the oldest of them occurred.
    pub oldest: Option<Time>,
}

/// How far the relay of this database is behind.
pub async fn lag(db: &Database) -> Result<Lag> {
    let db = match db {
        Database::Sql(db) => db,
        Database::Mongo(db) => return mongo::lag(db).await,
    };
    let mut conn = db.get().await?;
    let waiting = outbox::table.filter(outbox::published_at.is_null());
    let unpublished = on!(&mut conn, |c| waiting.count().get_result(c).await)?;
    let first = waiting.select(outbox::occurred_at).order(outbox::id);
    let oldest = on!(&mut conn, |c| first.first(c).await.optional())?;
    Ok(Lag { unpublished, oldest })
}

/// Deletes what was published of an aggregate, because it says who somebody was who is erased.
///
/// # Errors
/// Those of the database.
pub async fn forget(tx: &mut Tx, aggregate_id: &str) -> Result<usize> {
    let told =
        outbox::table.filter(outbox::aggregate_id.eq(aggregate_id).and(outbox::published_at.is_not_null()));
    Ok(on!(tx, |c| diesel::delete(told).execute(c).await)?)
}

/// Deletes events published, and inbox rows written, more than `older_than` ago. Returns how many rows went.
///
/// An event replayed later than that would be taken a second time by a consumer that had taken it.
pub async fn prune(db: &Database, older_than: Duration) -> Result<usize> {
    let db = match db {
        Database::Sql(db) => db,
        Database::Mongo(db) => return mongo::prune(db, older_than).await,
    };
    db.transaction(async move |tx| {
        let limit = tx.now().before(older_than);
        let old = outbox::table.filter(outbox::published_at.lt(limit));
        let events = on!(tx, |c| diesel::delete(old).execute(c).await)?;
        Ok(events + inbox::prune(tx, limit).await?)
    })
    .await
}
