//! Outbox, inbox and dead letters on their way between databases: as the rows of the relational ones.

use mongodb::bson::Document;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{
    Envelope, EventId,
    mongo::{DEAD_LETTERS, INBOX, Letter, OUTBOX, Row, letter_id},
};
use crate::{
    Database, Error, Result, Time,
    mongo::{from_document, to_document},
    transfer::{Collections, Item, Mapping, Tables, Transfer},
};

/// Moves outbox, inbox and dead letters.
pub fn transfer(db: Database) -> Box<dyn Transfer> {
    let outbox =
        Mapping { kind: "outbox", collection: OUTBOX, id: outbox_id, read: event, write: event_document };
    let inbox =
        Mapping { kind: "inbox", collection: INBOX, id: inbox_id, read: taken, write: taken_document };
    let letters = Mapping {
        kind: "dead_letters",
        collection: DEAD_LETTERS,
        id: letter_key_id,
        read: letter,
        write: letter_document,
    };
    match db {
        Database::Sql(db) => Box::new(Tables::new(db, &[super::MIGRATIONS])),
        Database::Mongo(db) => Box::new(Collections::new(db, vec![outbox, inbox, letters])),
    }
}

fn key<T: DeserializeOwned>(key: &str) -> Result<T> {
    Ok(serde_json::from_str(key)?)
}

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

fn outbox_id(text: &str) -> Result<String> {
    let (id,) = key::<(Uuid,)>(text)?;
    Ok(EventId::from_uuid(id).to_string())
}

fn event(document: Document) -> Result<Item> {
    let published_at = document.get_i64("published_at").ok().map(Time::from_micros);
    let row: Row = from_document(document)?;
    let envelope: Envelope = serde_json::from_str(&row.envelope)?;
    let id = envelope.id.uuid();
    let event = Event {
        id,
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
    Ok(Item { key: serde_json::to_string(&(id,))?, value: serde_json::to_value(event)? })
}

fn event_document(item: Item) -> Result<Document> {
    let event: Event = serde_json::from_value(item.value)?;
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

/// A row of the table `inbox`.
#[derive(Serialize, Deserialize)]
struct Taken {
    consumer: String,
    event_id: Uuid,
    received_at: Time,
}

fn inbox_id(text: &str) -> Result<String> {
    let (consumer, event) = key::<(String, Uuid)>(text)?;
    Ok(format!("{consumer}/{}", EventId::from_uuid(event)))
}

fn taken(document: Document) -> Result<Item> {
    let malformed = || Error::internal("a document of the inbox is malformed");
    let (consumer, event) =
        document.get_str("_id").ok().and_then(|id| id.rsplit_once('/')).ok_or_else(malformed)?;
    let event_id = event.parse::<EventId>().map_err(|_| malformed())?.uuid();
    let received_at = Time::from_micros(document.get_i64("received_at").map_err(Error::internal)?);
    let key = serde_json::to_string(&(consumer, event_id))?;
    let row = Taken { consumer: consumer.to_owned(), event_id, received_at };
    Ok(Item { key, value: serde_json::to_value(row)? })
}

fn taken_document(item: Item) -> Result<Document> {
    let row: Taken = serde_json::from_value(item.value)?;
    let id = format!("{}/{}", row.consumer, EventId::from_uuid(row.event_id));
    Ok(mongodb::bson::doc! {"_id": id, "received_at": row.received_at.micros()})
}

/// A row of the table `dead_letters`.
#[derive(Serialize, Deserialize)]
struct Dead {
    event_id: Uuid,
    consumer: String,
    /// JSON.
    envelope: String,
    error: String,
    attempts: i64,
    failed_at: Time,
}

fn letter_key_id(text: &str) -> Result<String> {
    let (event, consumer) = key::<(Uuid, String)>(text)?;
    Ok(letter_id(EventId::from_uuid(event), &consumer))
}

fn letter(document: Document) -> Result<Item> {
    let letter: Letter = from_document(document)?;
    let key = serde_json::to_string(&(letter.event.uuid(), &letter.consumer))?;
    let row = Dead {
        event_id: letter.event.uuid(),
        consumer: letter.consumer,
        envelope: letter.envelope,
        error: letter.error,
        attempts: letter.attempts,
        failed_at: Time::from_micros(letter.failed_at),
    };
    Ok(Item { key, value: serde_json::to_value(row)? })
}

fn letter_document(item: Item) -> Result<Document> {
    let row: Dead = serde_json::from_value(item.value)?;
    let event = EventId::from_uuid(row.event_id);
    to_document(&Letter {
        id: letter_id(event, &row.consumer),
        event,
        consumer: row.consumer,
        envelope: row.envelope,
        error: row.error,
        attempts: row.attempts,
        failed_at: row.failed_at.micros(),
    })
}
