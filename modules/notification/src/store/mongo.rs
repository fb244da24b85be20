//! Mails in MongoDB: one document each.

mod moving;

use async_trait::async_trait;
use contracts::{
    customer::CustomerId,
    notification::{Mail, MailId},
};
use futures::TryStreamExt;
use mongodb::{
    Collection,
    bson::{Document, doc},
    options::FindOptions,
};
use serde::{Deserialize, Serialize};
use shared::{
    Result, Time,
    events::EventId,
    mongo::{Mongo, Schema, Spec, Tx, from_document, index, partial, to_document, unique},
};

use super::Store;
use crate::{
    events::CONSUMER,
    mail::{DueMail, NewMail, Position},
};

const MAILS: &str = "mails";

pub use moving::KINDS;

/// The module's collections.
pub const SCHEMA: Schema = Schema { module: "notification", collections };

fn collections() -> Vec<Spec> {
    let indexes = vec![
        // The event that caused it: a second delivery causes no second mail.
        unique("mails_event", doc! {"event": 1}, doc! {}),
        partial(doc! {"next_at": 1, "_id": 1}, doc! {"next_at": {"$exists": true}}),
        index(doc! {"created_at": 1, "_id": 1}),
        index(doc! {"to": 1, "created_at": 1, "_id": 1}),
        index(doc! {"customer_id": 1}),
    ];
    vec![Spec { name: MAILS, indexes, validator: Some(validator()) }]
}

fn validator() -> Document {
    let text = || doc! {"bsonType": "string"};
    let time = || doc! {"bsonType": "long"};
    doc! {"$jsonSchema": {
        "required": ["event", "template", "to", "subject", "text", "html", "created_at", "attempts"],
        "properties": {
            "_id": text(), "event": text(), "customer_id": text(), "template": text(), "to": text(),
            "name": text(), "subject": text(), "text": text(), "html": text(), "last_error": text(),
            "created_at": time(), "sent_at": time(), "next_at": time(),
            "attempts": {"bsonType": "long", "minimum": 0},
        },
    }}
}

/// A mail as it is kept; times in µs.
#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    id: MailId,
    event: EventId,
    /// Whose mail it is: deleted with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer_id: Option<CustomerId>,
    template: String,
    to: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    subject: String,
    text: String,
    html: String,
    created_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent_at: Option<i64>,
    attempts: i64,
    /// When to try next; none when sent, or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_at: Option<i64>,
}

impl Row {
    fn new(new: NewMail) -> Self {
        let NewMail { mail, name, customer_id, event } = new;
        let created_at = mail.created_at.micros();
        Self {
            id: mail.id,
            event,
            customer_id,
            template: mail.template,
            to: mail.to,
            name,
            subject: mail.subject,
            text: mail.text,
            html: mail.html,
            created_at,
            sent_at: None,
            attempts: 0,
            next_at: Some(created_at),
        }
    }

    fn mail(self) -> Mail {
        Mail {
            id: self.id,
            template: self.template,
            to: self.to,
            subject: self.subject,
            text: self.text,
            html: self.html,
            created_at: Time::from_micros(self.created_at),
            sent_at: self.sent_at.map(Time::from_micros),
        }
    }
}

/// Keeps mails in the metadata database.
pub struct MongoStore(pub Mongo);

impl MongoStore {
    fn mails(&self) -> Collection<Document> {
        self.0.collection(MAILS)
    }

    /// The ids of the mails that `filter` names.
    async fn ids(&self, filter: Document, options: FindOptions) -> Result<Vec<MailId>> {
        #[derive(Deserialize)]
        struct Named {
            #[serde(rename = "_id")]
            id: MailId,
        }
        let found = self.mails().find(filter).with_options(options).projection(doc! {"_id": 1}).await?;
        let found: Vec<Document> = found.try_collect().await?;
        found.into_iter().map(|mail| Ok(from_document::<Named>(mail)?.id)).collect()
    }
}

#[async_trait]
impl Store for MongoStore {
    async fn queue(&self, new: NewMail) -> Result<bool> {
        let (event, mut mail) = (new.event, to_document(&Row::new(new))?);
        mail.remove("event");
        self.0
            .transaction(async move |tx| {
                if !tx.first(CONSUMER, event).await? {
                    return Ok(false);
                }
                // The inbox forgets sooner than mails are forgotten.
                let mails = tx.collection(MAILS);
                let queued = mails
                    .update_one(doc! {"event": event.to_string()}, doc! {"$setOnInsert": mail.clone()})
                    .upsert(true)
                    .session(tx.session())
                    .await?;
                Ok(queued.upserted_id.is_some())
            })
            .await
    }

    async fn of_customer(&self, customer: CustomerId) -> Result<Vec<MailId>> {
        let customer = customer.to_string();
        // An order may have gone to somebody else's address: only links to the account show that an address is theirs.
        let links = doc! {"customer_id": &customer, "template": {"$in": ["verify_email", "reset_password"]}};
        let addresses = self.mails().distinct("to", links).await?;
        let theirs = doc! {"to": {"$in": addresses}, "template": "registration_repeated"};
        self.ids(doc! {"$or": [{"customer_id": customer}, theirs]}, FindOptions::default()).await
    }

    async fn forget(&self, event: EventId, ids: Vec<MailId>) -> Result<()> {
        self.0
            .transaction(async move |tx| match tx.first(CONSUMER, event).await? {
                true => delete(tx, &ids).await,
                false => Ok(()),
            })
            .await
    }

    async fn due(&self, now: Time) -> Result<Option<DueMail>> {
        let due = doc! {"next_at": {"$lte": now.micros()}};
        let first = self.mails().find_one(due).sort(doc! {"next_at": 1, "_id": 1}).await?;
        let Some(row) = first.map(from_document::<Row>).transpose()? else { return Ok(None) };
        let (name, next_at) = (row.name.clone(), row.next_at.map(Time::from_micros));
        let attempts = i32::try_from(row.attempts).unwrap_or(i32::MAX);
        Ok(next_at.map(|next_at| DueMail { mail: row.mail(), name, attempts, next_at }))
    }

    async fn claim(&self, id: MailId, seen: Time, until: Time) -> Result<bool> {
        let seen = doc! {"_id": id.to_string(), "next_at": seen.micros()};
        let claim = doc! {"$set": {"next_at": until.micros()}, "$inc": {"attempts": 1_i64}};
        Ok(self.mails().update_one(seen, claim).await?.matched_count == 1)
    }

    async fn sent(&self, id: MailId, at: Time) -> Result<()> {
        let sent = doc! {"$set": {"sent_at": at.micros()}, "$unset": {"next_at": "", "last_error": ""}};
        self.mails().update_one(doc! {"_id": id.to_string()}, sent).await?;
        Ok(())
    }

    async fn failed(&self, id: MailId, next_at: Option<Time>, error: String) -> Result<()> {
        let failed = match next_at {
            Some(at) => doc! {"$set": {"next_at": at.micros(), "last_error": error}},
            None => doc! {"$set": {"last_error": error}, "$unset": {"next_at": ""}},
        };
        self.mails().update_one(doc! {"_id": id.to_string()}, failed).await?;
        Ok(())
    }

    async fn get(&self, id: MailId) -> Result<Option<Mail>> {
        let found = self.mails().find_one(doc! {"_id": id.to_string()}).await?;
        Ok(found.map(from_document::<Row>).transpose()?.map(Row::mail))
    }

    async fn list(&self, to: Option<String>, position: Option<Position>, limit: i64) -> Result<Vec<Mail>> {
        let mut filter = to.map(|to| doc! {"to": to}).unwrap_or_default();
        if let Some((time, id)) = position {
            let time = time.micros();
            filter.insert("created_at", doc! {"$lte": time});
            filter.insert("$or", [doc! {"created_at": {"$lt": time}}, doc! {"_id": {"$lt": id.to_string()}}]);
        }
        let newest = doc! {"created_at": -1, "_id": -1};
        let found: Vec<Document> =
            self.mails().find(filter).sort(newest).limit(limit).await?.try_collect().await?;
        found.into_iter().map(|mail| Ok(from_document::<Row>(mail)?.mail())).collect()
    }

    async fn older(&self, limit: Time) -> Result<Vec<MailId>> {
        let oldest = FindOptions::builder().sort(doc! {"created_at": 1, "_id": 1}).limit(500).build();
        self.ids(doc! {"created_at": {"$lt": limit.micros()}}, oldest).await
    }

    async fn delete(&self, ids: Vec<MailId>) -> Result<()> {
        self.0.transaction(async move |tx| delete(tx, &ids).await).await
    }
}

async fn delete(tx: &mut Tx, ids: &[MailId]) -> Result<()> {
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    tx.collection(MAILS).delete_many(doc! {"_id": {"$in": ids}}).session(tx.session()).await?;
    Ok(())
}
