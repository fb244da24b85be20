//! Mails in a relational table.

use async_trait::async_trait;
use contracts::{
    customer::CustomerId,
    notification::{Mail, MailId},
};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable,
    SelectableHelper,
};
use diesel_async::RunQueryDsl;
use shared::{
    Result, Time,
    db::{Db, Tx, on},
    events::{EventId, inbox},
};

use super::Store;
use crate::{
    events::CONSUMER,
    mail::{DueMail, NewMail, Position},
    schema::mails,
};

/// Keeps mails in the metadata database.
pub struct Sqlite(pub Db);

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = mails)]
struct MailRow {
    id: MailId,
    dedupe_key: String,
    customer_id: Option<CustomerId>,
    template: String,
    recipient: String,
    recipient_name: Option<String>,
    subject: String,
    text: String,
    html: String,
    created_at: Time,
    sent_at: Option<Time>,
    attempts: i32,
    next_at: Option<Time>,
    last_error: Option<String>,
}

impl MailRow {
    fn new(new: NewMail) -> Self {
        let NewMail { mail, name, customer_id, event } = new;
        Self {
            id: mail.id,
            dedupe_key: event.to_string(),
            customer_id,
            template: mail.template,
            recipient: mail.to,
            recipient_name: name,
            subject: mail.subject,
            text: mail.text,
            html: mail.html,
            created_at: mail.created_at,
            sent_at: None,
            attempts: 0,
            next_at: Some(mail.created_at),
            last_error: None,
        }
    }

    fn mail(self) -> Mail {
        Mail {
            id: self.id,
            template: self.template,
            to: self.recipient,
            subject: self.subject,
            text: self.text,
            html: self.html,
            created_at: self.created_at,
            sent_at: self.sent_at,
        }
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn queue(&self, new: NewMail) -> Result<bool> {
        let (event, row) = (new.event, MailRow::new(new));
        self.0
            .transaction(async move |tx| {
                if !inbox::first(tx, CONSUMER, event).await? {
                    return Ok(false);
                }
                let queued = on!(tx, |c| diesel::insert_into(mails::table)
                    .values(&row)
                    .on_conflict(mails::dedupe_key)
                    .do_nothing()
                    .execute(c)
                    .await)?;
                Ok(queued == 1)
            })
            .await
    }

    async fn of_customer(&self, customer: CustomerId) -> Result<Vec<MailId>> {
        let mut conn = self.0.get().await?;
        // An order may have gone to somebody else's address: only links to the account show that an address is theirs.
        let addresses: Vec<String> = on!(&mut conn, |c| mails::table
            .filter(mails::customer_id.eq(customer))
            .filter(mails::template.eq_any(["verify_email", "reset_password"]))
            .select(mails::recipient)
            .distinct()
            .load(c)
            .await)?;
        Ok(on!(&mut conn, |c| {
            let theirs = mails::recipient.eq_any(&addresses).and(mails::template.eq("registration_repeated"));
            mails::table.filter(mails::customer_id.eq(customer).or(theirs)).select(mails::id).load(c).await
        })?)
    }

    async fn forget(&self, event: EventId, ids: Vec<MailId>) -> Result<()> {
        self.0
            .transaction(async move |tx| match inbox::first(tx, CONSUMER, event).await? {
                true => delete(tx, &ids).await,
                false => Ok(()),
            })
            .await
    }

    async fn due(&self, now: Time) -> Result<Option<DueMail>> {
        let mut conn = self.0.get().await?;
        let row: Option<MailRow> = on!(&mut conn, |c| mails::table
            .filter(mails::next_at.le(now))
            .order((mails::next_at, mails::id))
            .select(MailRow::as_select())
            .first(c)
            .await
            .optional())?;
        Ok(row.and_then(|row| {
            let (name, attempts, next_at) = (row.recipient_name.clone(), row.attempts, row.next_at?);
            Some(DueMail { mail: row.mail(), name, attempts, next_at })
        }))
    }

    async fn claim(&self, id: MailId, seen: Time, until: Time) -> Result<bool> {
        self.0
            .transaction(async move |tx| {
                let claimed = on!(tx, |c| diesel::update(mails::table)
                    .filter(mails::id.eq(id).and(mails::next_at.eq(seen)))
                    .set((mails::next_at.eq(until), mails::attempts.eq(mails::attempts + 1)))
                    .execute(c)
                    .await)?;
                Ok(claimed == 1)
            })
            .await
    }

    async fn sent(&self, id: MailId, at: Time) -> Result<()> {
        self.0
            .transaction(async move |tx| {
                on!(tx, |c| diesel::update(mails::table.find(id))
                    .set((
                        mails::sent_at.eq(at),
                        mails::next_at.eq(None::<Time>),
                        mails::last_error.eq(None::<String>),
                    ))
                    .execute(c)
                    .await)?;
                Ok(())
            })
            .await
    }

    async fn failed(&self, id: MailId, next_at: Option<Time>, error: String) -> Result<()> {
        self.0
            .transaction(async move |tx| {
                on!(tx, |c| diesel::update(mails::table.find(id))
                    .set((mails::next_at.eq(next_at), mails::last_error.eq(&error)))
                    .execute(c)
                    .await)?;
                Ok(())
            })
            .await
    }

    async fn get(&self, id: MailId) -> Result<Option<Mail>> {
        let mut conn = self.0.get().await?;
        let row: Option<MailRow> =
            on!(&mut conn, |c| mails::table.find(id).select(MailRow::as_select()).first(c).await.optional())?;
        Ok(row.map(MailRow::mail))
    }

    async fn list(&self, to: Option<String>, position: Option<Position>, limit: i64) -> Result<Vec<Mail>> {
        let mut conn = self.0.get().await?;
        let rows: Vec<MailRow> = on!(&mut conn, |c| {
            let mut query = mails::table.into_boxed();
            if let Some(to) = &to {
                query = query.filter(mails::recipient.eq(to));
            }
            if let Some((time, id)) = position {
                let same_time = mails::created_at.eq(time).and(mails::id.lt(id));
                query = query.filter(mails::created_at.lt(time).or(same_time));
            }
            query
                .order((mails::created_at.desc(), mails::id.desc()))
                .limit(limit)
                .select(MailRow::as_select())
                .load(c)
                .await
        })?;
        Ok(rows.into_iter().map(MailRow::mail).collect())
    }

    async fn older(&self, limit: Time) -> Result<Vec<MailId>> {
        let mut conn = self.0.get().await?;
        Ok(on!(&mut conn, |c| mails::table
            .filter(mails::created_at.lt(limit))
            .order((mails::created_at, mails::id))
            .limit(500)
            .select(mails::id)
            .load(c)
            .await)?)
    }

    async fn delete(&self, ids: Vec<MailId>) -> Result<()> {
        self.0.transaction(async move |tx| delete(tx, &ids).await).await
    }
}

async fn delete(tx: &mut Tx, ids: &[MailId]) -> Result<()> {
    for id in ids {
        on!(tx, |c| diesel::delete(mails::table.find(id)).execute(c).await)?;
    }
    Ok(())
}
