//! What the `test` provider tells the shop.

use contracts::{order::OrderId, payment::PaymentId};
use serde::{Deserialize, Serialize};
use shared::{Money, Result, Time, db::Tx};

use super::{
    amount,
    books::{self, Entry, Message},
    new_name,
};

/// A message. Its sums are for people: the shop fetches the truth.
#[derive(Serialize, Deserialize)]
pub(super) struct Said {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    created: i64,
    pub(super) data: SaidPayment,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SaidPayment {
    pub(super) reference: String,
    payment_id: Option<PaymentId>,
    order_id: Option<OrderId>,
    pub(super) amount: Option<Money>,
    authorized: i64,
    captured: i64,
    refunded: i64,
    decline_code: Option<String>,
}

/// Queues the message `payment.<what>`.
pub(super) async fn say(tx: &mut Tx, what: &str, entry: &Entry, now: Time, due_at: Time) -> Result<()> {
    let said = Said {
        id: new_name("tev"),
        kind: format!("payment.{what}"),
        created: now.seconds(),
        data: SaidPayment {
            reference: entry.reference.clone(),
            payment_id: Some(entry.payment_id),
            order_id: Some(entry.order_id),
            amount: Some(amount(entry)?),
            authorized: entry.authorized,
            captured: entry.captured,
            refunded: entry.refunded,
            decline_code: entry.decline_code.clone(),
        },
    };
    let body = serde_json::to_string(&said)?;
    Ok(books::insert_message(tx, &Message { id: said.id, body, due_at, delivered_at: None }).await?)
}
