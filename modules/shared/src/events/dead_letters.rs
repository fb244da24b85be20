//! Events that a consumer did not take in as many tries as it had: for people to look at, replay or discard.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Bus, Envelope, EventEntity, EventId, Failure, Undelivered, mongo};
use crate::{
    Database, Error, Id, Kind, Result, Time,
    db::{Conn, Tx, on},
};

diesel::table! {
    dead_letters (event_id, consumer) {
        event_id -> crate::ids::SqlId,
        consumer -> Text,
        envelope -> Text,
        error -> Text,
        attempts -> BigInt,
        failed_at -> crate::time::SqlTime,
    }
}

/// One event that one consumer did not take.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct DeadLetter {
    /// The event's id.
    pub event: EventId,
    /// Who did not take it.
    pub consumer: String,
    /// The event.
    pub envelope: Envelope,
    /// The last error with its causes.
    pub error: String,
    /// How often it was tried, replays included.
    pub attempts: i64,
    /// When it was tried last.
    pub failed_at: Time,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = dead_letters, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct Row {
    event_id: EventId,
    consumer: String,
    envelope: String,
    error: String,
    attempts: i64,
    failed_at: Time,
}

impl TryFrom<Row> for DeadLetter {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            event: row.event_id,
            consumer: row.consumer,
            envelope: serde_json::from_str(&row.envelope)?,
            error: row.error,
            attempts: row.attempts,
            failed_at: row.failed_at,
        })
    }
}

/// Writes one dead letter for each failure.
pub(super) async fn insert(tx: &mut Tx, event: &Envelope, failures: &[Failure], attempts: i64) -> Result<()> {
    for failure in failures {
        let row = Row {
            event_id: event.id,
            consumer: failure.consumer.clone(),
            envelope: serde_json::to_string(event)?,
            error: failure.error.clone(),
            attempts,
            failed_at: tx.now(),
        };
        // The event may have been delivered again after a crash that came between this and its mark.
        on!(tx, |c| diesel::insert_into(dead_letters::table)
            .values(row)
            .on_conflict_do_nothing()
            .execute(c)
            .await)?;
    }
    Ok(())
}

/// The latest dead letters of this database, latest first, at most `limit`.
pub async fn list(db: &Database, limit: i64) -> Result<Vec<DeadLetter>> {
    let db = match db {
        Database::Sql(db) => db,
        Database::Mongo(db) => return mongo::dead_letters(db, limit).await,
    };
    let mut conn = db.get().await?;
    let latest = dead_letters::table.order((dead_letters::failed_at.desc(), dead_letters::event_id.desc()));
    let rows: Vec<Row> = on!(&mut conn, |c| latest.limit(limit).select(Row::as_select()).load(c).await)?;
    rows.into_iter().map(DeadLetter::try_from).collect()
}

/// How many there are, for an alarm.
pub async fn count(db: &Database) -> Result<i64> {
    let db = match db {
        Database::Sql(db) => db,
        Database::Mongo(db) => return mongo::count_dead_letters(db).await,
    };
    let mut conn = db.get().await?;
    Ok(on!(&mut conn, |c| dead_letters::table.count().get_result(c).await)?)
}

/// Delivers a dead letter once more, to its consumer only, and deletes it if that worked.
///
/// `NotFound` if there is none, `Conflict` (`still_failing`) with the new error if it fails again, `Unavailable` if there
/// is nobody to deliver it.
pub async fn replay(db: &Database, bus: &dyn Bus, event: EventId, consumer: &str) -> Result<()> {
    let letter = match db {
        Database::Sql(db) => find(&mut db.get().await?, event, consumer).await?,
        Database::Mongo(db) => mongo::dead_letter(db, event, consumer).await?,
    };
    let failures = match bus.deliver(consumer, &letter.envelope).await {
        Ok(()) => return discard(db, event, consumer).await,
        Err(Undelivered::Down(error)) => return Err(Error::unavailable(error)),
        Err(Undelivered::Refused(failures)) => failures,
    };
    let error = failures.into_iter().map(|failure| failure.error).collect::<Vec<_>>().join("; ");
    let answer = Error::conflict("still_failing", format!("{consumer} did not take the event"))
        .with("error", error.clone());
    let again = DeadLetter { error, attempts: letter.attempts + 1, failed_at: db.clock().now(), ..letter };
    match db {
        Database::Sql(db) => db.transaction(async move |tx| update(tx, &again).await).await?,
        Database::Mongo(db) => mongo::update_dead_letter(db, &again).await?,
    }
    Err(answer)
}

async fn update(tx: &mut Tx, letter: &DeadLetter) -> Result<()> {
    let again = (
        dead_letters::error.eq(&letter.error),
        dead_letters::attempts.eq(letter.attempts),
        dead_letters::failed_at.eq(letter.failed_at),
    );
    let row = dead_letters::table.find((letter.event, &letter.consumer));
    on!(tx, |c| diesel::update(row).set(again).execute(c).await)?;
    Ok(())
}

/// Deletes a dead letter. `NotFound` if there is none.
pub async fn discard(db: &Database, event: EventId, consumer: &str) -> Result<()> {
    let consumer = consumer.to_owned();
    let deleted = match db {
        Database::Sql(db) => db.transaction(async move |tx| delete(tx, event, &consumer).await).await?,
        Database::Mongo(db) => mongo::delete_dead_letter(db, event, &consumer).await?,
    };
    if deleted { Ok(()) } else { Err(Id::<EventEntity>::not_found()) }
}

async fn delete(tx: &mut Tx, event: EventId, consumer: &str) -> Result<bool> {
    let row = dead_letters::table.find((event, consumer));
    Ok(on!(tx, |c| diesel::delete(row).execute(c).await)? > 0)
}

async fn find(conn: &mut Conn, event: EventId, consumer: &str) -> Result<DeadLetter> {
    let row = dead_letters::table.find((event, consumer));
    let row: Row = on!(conn, |c| row.select(Row::as_select()).first(c).await).map_err(|error| {
        match Error::from(error) {
            error if error.kind == Kind::NotFound => EventId::not_found(),
            error => error,
        }
    })?;
    row.try_into()
}
