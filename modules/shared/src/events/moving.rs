//! Outbox, inbox and dead letters on their way between databases: as the rows of the relational ones.

use mongodb::bson::{Document, doc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Envelope, EventEntity, EventId,
    mongo::{DEAD_LETTERS, INBOX, OUTBOX, Row},
};
use crate::{
    Error, Result, Time,
    mongo::{from_document, to_document},
    transfer::{KIND, Kind, id, plain, time},
};

/// Outbox, inbox and dead letters. `relays` stays behind: it only keeps those who take batches apart, and is made anew.
pub const KINDS: &[Kind] = &[
    Kind {
        table: "outbox",
        key: &[id::<EventEntity>("id").called("_id")],
        collection: OUTBOX,
        row: |_, document| event(document),
        document: |_, row| event_document(row),
        same: written_alike,
        ..KIND
    },
    Kind {
        table: "inbox",
        key: &[plain("consumer"), id::<EventEntity>("event_id")],
        collection: INBOX,
        row: |_, document| taken(document),
        document: |_, row| taken_document(row),
        ..KIND
    },
    Kind {
        table: "dead_letters",
        key: &[id::<EventEntity>("event_id").called("event"), plain("consumer")],
        members: &[plain("envelope"), plain("error"), plain("attempts"), time("failed_at")],
        collection: DEAD_LETTERS,
        ..KIND
    },
];

/// A row of the table `outbox`.
#[derive(Serialize, Deserialize)]
struct Event {
    id: Uuid,
    module: String,
    kind: String,
    version: u16,
    occurred_at: Time,
    aggregate_id: String,
    sequence: i64,
    traceparent: Option<String>,
    data: String,
    published_at: Option<Time>,
    attempts: i64,
    next_at: Option<Time>,
}

/// What an event says is JSON, and may be written in many ways.
fn written_alike(row: &mut Value) -> Result<()> {
    if let Some(Value::String(data)) = row.get_mut("data") {
        *data = serde_json::from_str::<Value>(data)?.to_string();
    }
    Ok(())
}

fn event(document: &Document) -> Result<Value> {
    let published_at = document.get_i64("published_at").ok().map(Time::from_micros);
    let row: Row = from_document(document.clone())?;
    let envelope: Envelope = serde_json::from_str(&row.envelope)?;
    let event = Event {
        id: envelope.id.uuid(),
        module: envelope.module,
        kind: envelope.kind,
        version: envelope.version,
        occurred_at: envelope.occurred_at,
        aggregate_id: envelope.aggregate_id,
        sequence: envelope.sequence,
        traceparent: envelope.traceparent,
        data: serde_json::to_string(&envelope.data)?,
        published_at,
        attempts: row.attempts,
        next_at: (row.next_at > 0).then(|| Time::from_micros(row.next_at)),
    };
    Ok(serde_json::to_value(event)?)
}

fn event_document(row: &Value) -> Result<Document> {
    let event = Event::deserialize(row)?;
    let envelope = Envelope {
        id: EventId::from_uuid(event.id),
        kind: event.kind,
        version: event.version,
        module: event.module,
        occurred_at: event.occurred_at,
        aggregate_id: event.aggregate_id,
        sequence: event.sequence,
        traceparent: event.traceparent,
        data: serde_json::from_str(&event.data)?,
    };
    let mut row = Row::new(&envelope)?;
    row.attempts = event.attempts;
    row.next_at = event.next_at.map_or(0, Time::micros);
    let mut document = to_document(&row)?;
    match event.published_at {
        Some(at) => document.insert("published_at", at.micros()),
        None => document.insert("waiting", true),
    };
    Ok(document)
}

fn taken(document: &Document) -> Result<Value> {
    let malformed = || Error::internal("a document of the inbox is malformed");
    let (consumer, event) =
        document.get_str("_id").ok().and_then(|id| id.rsplit_once('/')).ok_or_else(malformed)?;
    let event = event.parse::<EventId>().map_err(|_| malformed())?;
    let received_at = Time::from_micros(document.get_i64("received_at").map_err(Error::internal)?);
    Ok(json!({"consumer": consumer, "event_id": event.uuid(), "received_at": received_at}))
}

/// Only when: by whom and what is in the `_id`.
fn taken_document(row: &Value) -> Result<Document> {
    #[derive(Deserialize)]
    struct Taken {
        received_at: Time,
    }
    Ok(doc! {"received_at": Taken::deserialize(row)?.received_at.micros()})
}
