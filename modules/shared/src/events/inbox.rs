//! Which consumer has taken which event: makes at-least-once delivery once in effect.

use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;

use super::EventId;
use crate::{
    Result, Time,
    db::{Tx, on},
};

diesel::table! {
    inbox (consumer, event_id) {
        consumer -> Text,
        event_id -> crate::ids::SqlId,
        received_at -> crate::time::SqlTime,
    }
}

/// True the first time that `consumer` takes `event`. `tx` is the transaction of the event's effect.
pub async fn first(tx: &mut Tx, consumer: &str, event: EventId) -> Result<bool> {
    let now = tx.now();
    let inserted = on!(tx, |c| diesel::insert_into(inbox::table)
        .values((inbox::consumer.eq(consumer), inbox::event_id.eq(event), inbox::received_at.eq(now)))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    Ok(inserted == 1)
}

/// Forgets what was taken before `limit`.
pub(super) async fn prune(tx: &mut Tx, limit: Time) -> Result<usize> {
    let old = inbox::table.filter(inbox::received_at.lt(limit));
    Ok(on!(tx, |c| diesel::delete(old).execute(c).await)?)
}
