//! The double-entry ledger.

use contracts::order::OrderId;
use diesel::{prelude::*, result::QueryResult};
use diesel_async::RunQueryDsl;
use shared::{
    Time,
    db::{Conn, on},
};

use super::movements::{CAPTURE, Movement};
use crate::schema::ledger_entries as entries;

/// One line. Positive amounts are debits.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = entries, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub struct Entry {
    pub transaction_id: String,
    pub account: String,
    pub order_id: OrderId,
    pub amount: i64,
    pub currency: String,
    pub at: Time,
}

/// A capture debits `provider` and credits `sales`; a refund debits `refunds` and credits `provider`.
pub fn entries_of(movement: &Movement, order_id: OrderId, currency: &str, at: Time) -> [Entry; 2] {
    let (debit, credit) =
        if movement.kind == CAPTURE { ("provider", "sales") } else { ("refunds", "provider") };
    [(debit, movement.amount), (credit, -movement.amount)].map(|(account, amount)| Entry {
        transaction_id: movement.id.clone(),
        account: account.to_owned(),
        order_id,
        amount,
        currency: currency.to_owned(),
        at,
    })
}

pub async fn insert(conn: &mut Conn, entry: &Entry) -> QueryResult<()> {
    on!(conn, |c| diesel::insert_into(entries::table).values(entry).execute(c).await).map(drop)
}

/// Oldest first.
pub async fn of_order(conn: &mut Conn, order_id: OrderId) -> QueryResult<Vec<Entry>> {
    on!(conn, |c| entries::table
        .filter(entries::order_id.eq(order_id))
        .order((entries::at, entries::transaction_id, entries::amount.desc()))
        .select(Entry::as_select())
        .load(c)
        .await)
}
