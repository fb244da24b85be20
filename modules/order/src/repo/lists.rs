//! Lists of orders, newest first.

use contracts::order::{OrderFilter, OrderId};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Time,
    db::{Conn, on},
};

use crate::{
    rows::{SummaryRow, Word},
    schema::orders,
};

/// The page after `position`.
pub async fn list(
    conn: &mut Conn,
    filter: &OrderFilter,
    position: Option<(Time, OrderId)>,
    limit: i64,
) -> QueryResult<Vec<SummaryRow>> {
    let (number, email) = filter.q.as_deref().map(patterns).unzip();
    on!(conn, |c| {
        let mut query = orders::table.select(SummaryRow::as_select()).into_boxed();
        if let Some(id) = filter.customer_id {
            query = query.filter(orders::customer_id.eq(id));
        }
        if let Some(status) = filter.status {
            query = query.filter(orders::status.eq(Word(status)));
        }
        if let Some(status) = filter.payment_status {
            query = query.filter(orders::payment_status.eq(Word(status)));
        }
        if let Some(status) = filter.fulfillment_status {
            query = query.filter(orders::fulfillment_status.eq(Word(status)));
        }
        if let (Some(number), Some(email)) = (&number, &email) {
            let like = orders::number.like(number).escape('\\').or(orders::email.like(email).escape('\\'));
            query = query.filter(like);
        }
        if let Some(from) = filter.placed_from {
            query = query.filter(orders::placed_at.ge(from));
        }
        if let Some(to) = filter.placed_to {
            query = query.filter(orders::placed_at.lt(to));
        }
        if let Some((at, id)) = position {
            let after = orders::created_at.lt(at).or(orders::created_at.eq(at).and(orders::id.lt(id)));
            query = query.filter(after);
        }
        query.order((orders::created_at.desc(), orders::id.desc())).limit(limit).load(c).await
    })
}

/// Numbers are in capitals, addresses in small letters; both are searched from their start.
fn patterns(q: &str) -> (String, String) {
    let escaped = q.trim().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    (format!("{}%", escaped.to_uppercase()), format!("{}%", escaped.to_lowercase()))
}
