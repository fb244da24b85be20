//! Outbox, inbox and dead letters in MongoDB: one set of collections in each database.

use std::time::Duration;

use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use serde::{Deserialize, Serialize};

use super::{
    Envelope, EventId, Failure,
    dead_letters::DeadLetter,
    outbox::{Lag, Marks, Waiting},
};
use crate::{
    Error, Result, Time,
    mongo::{Mongo, Schema, Spec, Tx, from_document, index, partial, to_document},
};

pub(super) const OUTBOX: &str = "outbox";
pub(crate) const INBOX: &str = "inbox";
pub(super) const DEAD_LETTERS: &str = "dead_letters";
/// One document; whoever takes a batch changes it, so that batches are taken one after the other.
const RELAYS: &str = "relays";

/// The collections outbox, inbox and dead_letters: one set in each database.
pub const SCHEMA: Schema = Schema { module: "shared", collections };

fn collections() -> Vec<Spec> {
    let waits = doc! {"waiting": true};
    let waiting = partial(doc! {"waiting": 1, "_id": 1}, waits.clone());
    let later = partial(doc! {"waiting": 1, "next_at": 1, "aggregate_id": 1}, waits);
    let published = partial(doc! {"published_at": 1}, doc! {"published_at": {"$exists": true}});
    let spec = |name, indexes| Spec { name, indexes, validator: None };
    vec![
        spec(OUTBOX, vec![waiting, later, published]),
        spec(INBOX, vec![index(doc! {"received_at": 1})]),
        spec(DEAD_LETTERS, vec![index(doc! {"failed_at": -1, "_id": -1})]),
        spec(RELAYS, Vec::new()),
    ]
}

/// An event in the outbox. `waiting` is there until it is published, `published_at` (µs) from then on.
#[derive(Serialize, Deserialize)]
pub(super) struct Row {
    #[serde(rename = "_id")]
    id: EventId,
    /// µs. What is due at once has 0.
    pub(super) next_at: i64,
    pub(super) attempts: i64,
    aggregate_id: String,
    occurred_at: i64,
    /// JSON: what an event says is not looked into.
    pub(super) envelope: String,
}

impl Row {
    /// An event that is due at once.
    pub(super) fn new(event: &Envelope) -> Result<Self> {
        Ok(Self {
            id: event.id,
            next_at: 0,
            attempts: 0,
            aggregate_id: format!("{}/{}", event.module, event.aggregate_id),
            occurred_at: event.occurred_at.micros(),
            envelope: serde_json::to_string(event)?,
        })
    }
}

impl TryFrom<Row> for Waiting {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self { envelope: serde_json::from_str(&row.envelope)?, attempts: row.attempts })
    }
}

pub(crate) async fn insert(tx: &mut Tx, event: &Envelope) -> Result<()> {
    let mut row = to_document(&Row::new(event)?)?;
    row.insert("waiting", true);
    tx.collection(OUTBOX).insert_one(row).session(tx.session()).await?;
    Ok(())
}

/// The events to deliver now, for this caller alone until `lease` is over: those that are due and of whose aggregate
/// no event waits for a later time. Several instances relay the same outbox.
pub(super) async fn claim(db: &Mongo, limit: i64, lease: Duration) -> Result<Vec<Waiting>> {
    let now = db.clock().now();
    // Idle relays poll; the look outside a transaction keeps them from getting into each other's way.
    let due = doc! {"waiting": true, "next_at": {"$lte": now.micros()}};
    if db.collection(OUTBOX).find_one(due.clone()).await?.is_none() {
        return Ok(Vec::new());
    }
    db.transaction(async move |tx| {
        let turn = doc! {"$inc": {"batches": 1}};
        tx.collection(RELAYS)
            .update_one(doc! {"_id": "relay"}, turn)
            .upsert(true)
            .session(tx.session())
            .await?;
        let outbox = tx.collection(OUTBOX);
        let later = doc! {"waiting": true, "next_at": {"$gt": now.micros()}};
        let held = outbox.distinct("aggregate_id", later).session(tx.session()).await?;
        let mut free = due.clone();
        free.insert("aggregate_id", doc! {"$nin": held});
        let mut found = outbox.find(free).sort(doc! {"_id": 1}).limit(limit).session(tx.session()).await?;
        let rows: Vec<Document> = found.stream(tx.session()).try_collect().await?;
        let rows: Vec<Row> = rows.into_iter().map(from_document).collect::<Result<_>>()?;
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        set(tx, &ids, doc! {"$set": {"next_at": now.after(lease).micros()}}).await?;
        rows.into_iter().map(Waiting::try_from).collect()
    })
    .await
}

async fn set(tx: &mut Tx, ids: &[EventId], update: Document) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    tx.collection(OUTBOX).update_many(doc! {"_id": {"$in": ids}}, update).session(tx.session()).await?;
    Ok(())
}

/// Writes down what became of a batch.
pub(super) async fn mark(db: &Mongo, marks: Marks) -> Result<()> {
    db.transaction(async move |tx| {
        for (id, attempts, next_at) in &marks.failed {
            set(tx, &[*id], doc! {"$set": {"attempts": attempts, "next_at": next_at.micros()}}).await?;
        }
        for (event, failures, attempts) in &marks.dead {
            bury(tx, event, failures, *attempts).await?;
        }
        set(tx, &marks.held, doc! {"$set": {"next_at": 0_i64}}).await?;
        let published = doc! {"$set": {"published_at": tx.now().micros()}, "$unset": {"waiting": ""}};
        set(tx, &marks.published, published).await
    })
    .await
}

pub(super) async fn lag(db: &Mongo) -> Result<Lag> {
    let waiting = doc! {"waiting": true};
    let outbox = db.collection(OUTBOX);
    let unpublished = outbox.count_documents(waiting.clone()).await?;
    let oldest =
        outbox.find_one(waiting).sort(doc! {"_id": 1}).await?.map(from_document::<Row>).transpose()?;
    Ok(Lag {
        unpublished: i64::try_from(unpublished).unwrap_or(i64::MAX),
        oldest: oldest.map(|row| Time::from_micros(row.occurred_at)),
    })
}

pub(super) async fn prune(db: &Mongo, older_than: Duration) -> Result<usize> {
    let limit = db.clock().now().before(older_than).micros();
    let events = db.collection(OUTBOX).delete_many(doc! {"published_at": {"$lt": limit}}).await?;
    let taken = db.collection(INBOX).delete_many(doc! {"received_at": {"$lt": limit}}).await?;
    Ok(usize::try_from(events.deleted_count + taken.deleted_count).unwrap_or(usize::MAX))
}

/// A dead letter; `failed_at` in µs.
#[derive(Serialize, Deserialize)]
pub(super) struct Letter {
    #[serde(rename = "_id")]
    pub(super) id: String,
    pub(super) event: EventId,
    pub(super) consumer: String,
    pub(super) envelope: String,
    pub(super) error: String,
    pub(super) attempts: i64,
    pub(super) failed_at: i64,
}

impl TryFrom<Letter> for DeadLetter {
    type Error = Error;

    fn try_from(letter: Letter) -> Result<Self> {
        Ok(Self {
            event: letter.event,
            consumer: letter.consumer,
            envelope: serde_json::from_str(&letter.envelope)?,
            error: letter.error,
            attempts: letter.attempts,
            failed_at: Time::from_micros(letter.failed_at),
        })
    }
}

pub(super) fn letter_id(event: EventId, consumer: &str) -> String {
    format!("{event}/{consumer}")
}

/// Writes one dead letter for each failure, unless it is there: the event may have been delivered again after a crash
/// that came between this and its mark.
async fn bury(tx: &mut Tx, event: &Envelope, failures: &[Failure], attempts: i64) -> Result<()> {
    for failure in failures {
        let mut letter = to_document(&Letter {
            id: letter_id(event.id, &failure.consumer),
            event: event.id,
            consumer: failure.consumer.clone(),
            envelope: serde_json::to_string(event)?,
            error: failure.error.clone(),
            attempts,
            failed_at: tx.now().micros(),
        })?;
        let id = letter.remove("_id");
        let letters = tx.collection(DEAD_LETTERS);
        letters
            .update_one(doc! {"_id": id}, doc! {"$setOnInsert": letter})
            .upsert(true)
            .session(tx.session())
            .await?;
    }
    Ok(())
}

pub(super) async fn dead_letters(db: &Mongo, limit: i64) -> Result<Vec<DeadLetter>> {
    let latest = doc! {"failed_at": -1, "_id": -1};
    let found = db.collection(DEAD_LETTERS).find(doc! {}).sort(latest).limit(limit).await?;
    let letters: Vec<Document> = found.try_collect().await?;
    letters.into_iter().map(|letter| from_document::<Letter>(letter)?.try_into()).collect()
}

pub(super) async fn count_dead_letters(db: &Mongo) -> Result<i64> {
    let count = db.collection(DEAD_LETTERS).count_documents(doc! {}).await?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

pub(super) async fn dead_letter(db: &Mongo, event: EventId, consumer: &str) -> Result<DeadLetter> {
    let found = db.collection(DEAD_LETTERS).find_one(doc! {"_id": letter_id(event, consumer)}).await?;
    from_document::<Letter>(found.ok_or_else(EventId::not_found)?)?.try_into()
}

pub(super) async fn update_dead_letter(db: &Mongo, letter: &DeadLetter) -> Result<()> {
    let again = doc! {
        "error": &letter.error, "attempts": letter.attempts, "failed_at": letter.failed_at.micros(),
    };
    let id = doc! {"_id": letter_id(letter.event, &letter.consumer)};
    db.collection(DEAD_LETTERS).update_one(id, doc! {"$set": again}).await?;
    Ok(())
}

pub(super) async fn delete_dead_letter(db: &Mongo, event: EventId, consumer: &str) -> Result<bool> {
    let deleted = db.collection(DEAD_LETTERS).delete_one(doc! {"_id": letter_id(event, consumer)}).await?;
    Ok(deleted.deleted_count > 0)
}
