//! Payments, one query each. Movements, the ledger, messages and cursors have files of their own.

use contracts::{
    order::OrderId,
    payment::{NextAction, Payment, PaymentId, PaymentState},
};
use diesel::{dsl::sql, prelude::*, result::QueryResult, sql_types::Bool};
use diesel_async::RunQueryDsl;
use shared::{
    Currency, Error, Money, Result, Time,
    db::{Conn, on},
};

use crate::{
    model::{Standing, state_name, state_named},
    provider::Truth,
    schema::payments,
};

pub mod cursors;
pub mod ledger;
pub mod movements;
pub mod webhooks;

/// A payment as it is stored.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = payments, treat_none_as_null = true, treat_none_as_default_value = false)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub struct PaymentRow {
    pub id: PaymentId,
    pub order_id: OrderId,
    pub provider: String,
    pub reference: Option<String>,
    pub token: Option<String>,
    pub status: String,
    pub amount: i64,
    pub currency: String,
    pub authorized: i64,
    pub captured: i64,
    pub refunded: i64,
    pub capturing: i64,
    pub refunding: i64,
    pub closing: bool,
    pub closed: bool,
    pub next_action_url: Option<String>,
    pub decline_code: Option<String>,
    pub version: i64,
    pub created_at: Time,
    pub updated_at: Time,
}

impl PaymentRow {
    pub fn new(order_id: OrderId, provider: &str, amount: Money, now: Time) -> Self {
        let mut row = Self {
            id: PaymentId::new(),
            order_id,
            provider: provider.to_owned(),
            reference: None,
            token: None,
            status: String::new(),
            amount: amount.amount,
            currency: amount.currency.to_string(),
            authorized: 0,
            captured: 0,
            refunded: 0,
            capturing: 0,
            refunding: 0,
            closing: false,
            closed: false,
            next_action_url: None,
            decline_code: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        row.stand(&Standing::new(amount.amount));
        row
    }

    /// `amount` in the payment's currency.
    pub fn money(&self, amount: i64) -> Result<Money> {
        Ok(Money::new(amount, self.currency.parse::<Currency>().map_err(Error::internal)?))
    }

    pub fn state(&self) -> Result<PaymentState> {
        state_named(&self.status)
            .ok_or_else(|| Error::internal(format!("no such payment state: {}", self.status)))
    }

    pub fn standing(&self) -> Result<Standing> {
        Ok(Standing {
            status: self.state()?,
            amount: self.amount,
            authorized: self.authorized,
            captured: self.captured,
            refunded: self.refunded,
            capturing: self.capturing,
            refunding: self.refunding,
            closing: self.closing,
            closed: self.closed,
        })
    }

    pub fn stand(&mut self, standing: &Standing) {
        self.status = state_name(standing.status).to_owned();
        self.authorized = standing.authorized;
        self.captured = standing.captured;
        self.refunded = standing.refunded;
        self.capturing = standing.capturing;
        self.refunding = standing.refunding;
        self.closing = standing.closing;
        self.closed = standing.closed;
    }

    /// Why `truth` cannot be about this payment, if it cannot (id, amount, currency and order must all match).
    pub fn mismatch(&self, truth: &Truth) -> Result<Option<String>> {
        let ours = self.money(self.amount)?;
        Ok(if truth.payment_id != Some(self.id) || truth.order_id != Some(self.order_id) {
            Some("the provider has it for another order".to_owned())
        } else if truth.amount != ours {
            Some(format!("{} at the provider, {ours} here", truth.amount))
        } else if self.reference.as_ref().is_some_and(|reference| *reference != truth.reference) {
            Some("the provider has it under another reference".to_owned())
        } else if truth.captured > truth.amount.amount || truth.refunded > truth.captured {
            Some("the provider's sums do not add up".to_owned())
        } else {
            None
        })
    }

    /// As others see it. `public_url` goes before a next action that is a path in this shop.
    pub fn view(&self, public_url: &str) -> Result<Payment> {
        let status = self.state()?;
        let url = self.next_action_url.as_ref().filter(|_| status == PaymentState::RequiresAction);
        let absolute =
            |url: &String| if url.starts_with('/') { format!("{public_url}{url}") } else { url.clone() };
        Ok(Payment {
            id: self.id,
            order_id: self.order_id,
            provider: self.provider.clone(),
            reference: self.reference.clone(),
            status,
            amount: self.money(self.amount)?,
            authorized: self.money(self.authorized)?,
            captured: self.money(self.captured)?,
            refunded: self.money(self.refunded)?,
            next_action: url.map(|url| NextAction { kind: "redirect".to_owned(), url: absolute(url) }),
            decline_code: self.decline_code.clone(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// False if the order has a payment already.
pub async fn insert(conn: &mut Conn, row: &PaymentRow) -> QueryResult<bool> {
    on!(conn, |c| diesel::insert_into(payments::table)
        .values(row)
        .on_conflict(payments::order_id)
        .do_nothing()
        .execute(c)
        .await)
    .map(|rows| rows == 1)
}

pub async fn by_order(conn: &mut Conn, id: OrderId) -> QueryResult<Option<PaymentRow>> {
    on!(conn, |c| payments::table
        .filter(payments::order_id.eq(id))
        .select(PaymentRow::as_select())
        .first(c)
        .await
        .optional())
}

pub async fn get(conn: &mut Conn, id: PaymentId) -> QueryResult<Option<PaymentRow>> {
    on!(conn, |c| payments::table.find(id).select(PaymentRow::as_select()).first(c).await.optional())
}

/// Those of `ids` that are this provider's.
pub async fn by_ids(conn: &mut Conn, provider: &str, ids: &[PaymentId]) -> QueryResult<Vec<PaymentRow>> {
    on!(conn, |c| payments::table
        .filter(payments::provider.eq(provider).and(payments::id.eq_any(ids)))
        .select(PaymentRow::as_select())
        .load(c)
        .await)
}

pub async fn by_reference(
    conn: &mut Conn,
    provider: &str,
    reference: &str,
) -> QueryResult<Option<PaymentRow>> {
    on!(conn, |c| payments::table
        .filter(payments::provider.eq(provider).and(payments::reference.eq(reference)))
        .select(PaymentRow::as_select())
        .first(c)
        .await
        .optional())
}

/// Reads a payment that nobody else changes until this transaction ends: the update is the lock, on both databases.
pub async fn lock(conn: &mut Conn, id: PaymentId) -> QueryResult<PaymentRow> {
    on!(conn, |c| diesel::update(payments::table.find(id))
        .set(payments::version.eq(payments::version + 1))
        .execute(c)
        .await)?;
    on!(conn, |c| payments::table.find(id).select(PaymentRow::as_select()).first(c).await)
}

pub async fn update(conn: &mut Conn, row: &PaymentRow) -> QueryResult<()> {
    on!(conn, |c| diesel::update(payments::table.find(row.id)).set(row).execute(c).await).map(drop)
}

/// Sets `amount` aside for a capture. False if that much may not be captured: the same rule as `Standing::may_capture`.
pub async fn reserve_capture(conn: &mut Conn, id: PaymentId, amount: i64, now: Time) -> QueryResult<bool> {
    on!(conn, |c| diesel::update(payments::table.find(id))
        .filter(payments::status.eq_any(["authorized", "captured"]).and(payments::closing.eq(false)))
        .filter((payments::captured + payments::capturing + amount).le(payments::authorized))
        .set((payments::capturing.eq(payments::capturing + amount), payments::updated_at.eq(now)))
        .execute(c)
        .await)
    .map(|rows| rows == 1)
}

/// Sets `amount` aside for a refund. False if that much may not be refunded: the same rule as `Standing::may_refund`.
pub async fn reserve_refund(conn: &mut Conn, id: PaymentId, amount: i64, now: Time) -> QueryResult<bool> {
    on!(conn, |c| diesel::update(payments::table.find(id))
        .filter((payments::refunded + payments::refunding + amount).le(payments::captured))
        .set((payments::refunding.eq(payments::refunding + amount), payments::updated_at.eq(now)))
        .execute(c)
        .await)
    .map(|rows| rows == 1)
}

/// Something is under way. In the words of the partial index: it serves no query that binds the values.
const UNSETTLED: &str = "(status in ('pending', 'requires_action') or capturing > 0 or refunding > 0 \
     or (closing and not closed))";

/// A provider's payments after `position` in which something is under way since before `before`.
pub async fn unsettled(
    conn: &mut Conn,
    provider: &str,
    before: Time,
    position: PaymentId,
    limit: i64,
) -> QueryResult<Vec<PaymentRow>> {
    on!(conn, |c| payments::table
        .filter(
            payments::provider
                .eq(provider)
                .and(payments::id.gt(position))
                .and(payments::updated_at.lt(before))
        )
        .filter(sql::<Bool>(UNSETTLED))
        .filter(payments::status.ne("failed").or(payments::capturing.gt(0)).or(payments::refunding.gt(0)))
        .order(payments::id)
        .limit(limit)
        .select(PaymentRow::as_select())
        .load(c)
        .await)
}

/// A provider's payments after `position`.
pub async fn all(
    conn: &mut Conn,
    provider: &str,
    position: PaymentId,
    limit: i64,
) -> QueryResult<Vec<PaymentRow>> {
    on!(conn, |c| payments::table
        .filter(payments::provider.eq(provider).and(payments::id.gt(position)))
        .order(payments::id)
        .limit(limit)
        .select(PaymentRow::as_select())
        .load(c)
        .await)
}
