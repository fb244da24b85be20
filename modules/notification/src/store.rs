//! What this module keeps, in its own words. Each method is one unit: all of it happens or nothing.

mod mongo;
mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{
    customer::CustomerId,
    notification::{Mail, MailId},
};
use shared::{Database, Result, Time, events::EventId};

use crate::mail::{DueMail, NewMail, Position};

pub use mongo::{KINDS, SCHEMA};

/// The store in a database of whichever family.
pub fn open(db: Database) -> Arc<dyn Store> {
    match db {
        Database::Sql(db) => Arc::new(sqlite::Sqlite(db)),
        Database::Mongo(db) => Arc::new(mongo::MongoStore(db)),
    }
}

/// Keeps mails.
#[async_trait]
pub trait Store: Send + Sync {
    /// Queues a mail and notes that its event was taken. False if it was taken before: then nothing changes.
    async fn queue(&self, mail: NewMail) -> Result<bool>;
    /// The mails to a customer: their own, and those that their address got because somebody registered it.
    async fn of_customer(&self, customer: CustomerId) -> Result<Vec<MailId>>;
    /// Deletes mails because of an event.
    async fn forget(&self, event: EventId, mails: Vec<MailId>) -> Result<()>;
    /// The mail that has waited longest for its next try.
    async fn due(&self, now: Time) -> Result<Option<DueMail>>;
    /// Puts the next try off until `until`. True for one of all those who saw the mail due at `seen`.
    async fn claim(&self, id: MailId, seen: Time, until: Time) -> Result<bool>;
    /// It has left.
    async fn sent(&self, id: MailId, at: Time) -> Result<()>;
    /// It has not; without `next_at` it never will.
    async fn failed(&self, id: MailId, next_at: Option<Time>, error: String) -> Result<()>;
    /// One mail.
    async fn get(&self, id: MailId) -> Result<Option<Mail>>;
    /// Newest first, from after `position`.
    async fn list(&self, to: Option<String>, position: Option<Position>, limit: i64) -> Result<Vec<Mail>>;
    /// The oldest of those from before `limit`, some at a time.
    async fn older(&self, limit: Time) -> Result<Vec<MailId>>;
    /// Deletes mails.
    async fn delete(&self, mails: Vec<MailId>) -> Result<()>;
}
