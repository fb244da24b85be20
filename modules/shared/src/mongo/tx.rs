use std::{fmt::Display, sync::Arc};

use mongodb::{
    ClientSession, Collection,
    bson::{Document, doc},
    error::Error as MongoError,
};

use crate::{
    Result, Time,
    db::Hub,
    events::{self, Envelope, Event, EventId},
};

/// An open transaction. Every operation in it names its session:
/// `tx.collection("carts").insert_one(cart).session(tx.session()).await?`.
pub struct Tx {
    session: ClientSession,
    database: mongodb::Database,
    hub: Arc<Hub>,
    emitted: Vec<Envelope>,
}

impl Tx {
    pub(super) fn new(session: ClientSession, database: mongodb::Database, hub: Arc<Hub>) -> Self {
        Self { session, database, hub, emitted: Vec::new() }
    }

    /// A collection. What is done to it without [`Tx::session`] is not part of this transaction.
    pub fn collection(&self, name: &str) -> Collection<Document> {
        self.database.collection(name)
    }

    /// What makes an operation part of this transaction.
    pub fn session(&mut self) -> &mut ClientSession {
        &mut self.session
    }

    /// Now, by the database's clock.
    pub fn now(&self) -> Time {
        self.hub.clock.now()
    }

    /// Writes an event to the outbox of this transaction: the only way to publish.
    ///
    /// `module` is the emitting module; `sequence` orders the events of one aggregate (its version, say).
    pub async fn emit<E: Event>(
        &mut self,
        module: &'static str,
        aggregate_id: impl Display,
        sequence: i64,
        event: &E,
    ) -> Result<EventId> {
        let envelope = Envelope::new(self.now(), module, aggregate_id, sequence, event)?;
        events::mongo::insert(self, &envelope).await?;
        let id = envelope.id;
        self.emitted.push(envelope);
        Ok(id)
    }

    /// True the first time that `consumer` takes `event`: see [`events::inbox`].
    pub async fn first(&mut self, consumer: &str, event: EventId) -> Result<bool> {
        let now = self.now().micros();
        let inbox = self.collection(events::mongo::INBOX);
        let taken = inbox
            .update_one(
                doc! {"_id": format!("{consumer}/{event}")},
                doc! {"$setOnInsert": {"received_at": now}},
            )
            .upsert(true)
            .session(self.session())
            .await?;
        Ok(taken.upserted_id.is_some())
    }

    pub(super) fn take_emitted(&mut self) -> Vec<Envelope> {
        std::mem::take(&mut self.emitted)
    }

    pub(super) async fn commit(&mut self) -> std::result::Result<(), MongoError> {
        self.session.commit_transaction().await
    }

    pub(super) async fn abort(&mut self) {
        // The server aborts it by itself if it does not hear of this.
        if let Err(error) = self.session.abort_transaction().await {
            tracing::debug!(%error, "a transaction was not aborted");
        }
    }
}
