use std::{
    fmt::Display,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use super::{Conn, unit::Hub};
use crate::{
    Result, Time,
    events::{Envelope, Event, EventId, outbox},
};

/// An open transaction. It derefs to [`Conn`], so repository functions take it as it is.
pub struct Tx {
    conn: Conn,
    hub: Arc<Hub>,
    emitted: Vec<Envelope>,
}

impl Tx {
    pub(super) fn new(conn: Conn, hub: Arc<Hub>) -> Self {
        Self { conn, hub, emitted: Vec::new() }
    }

    pub(super) fn take_emitted(&mut self) -> Vec<Envelope> {
        std::mem::take(&mut self.emitted)
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
        outbox::insert(&mut self.conn, &envelope).await?;
        let id = envelope.id;
        self.emitted.push(envelope);
        Ok(id)
    }
}

impl Deref for Tx {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}
