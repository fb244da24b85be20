//! Reading orders, and the notes on them.

use std::collections::BTreeMap;

use contracts::{
    Actor,
    order::{BestSeller, DaySales, Order, OrderFilter, OrderId, OrderSummary, SalesSummary, Viewer},
};
use shared::{
    Money, Page, PageRequest, Result, Time,
    values::{self, Email},
};

use super::{Change, Service, view};
use crate::repo;

impl Service {
    /// `NotFound` for other people's orders.
    pub(crate) async fn read(&self, id: OrderId, viewer: &Viewer) -> Result<Order> {
        let mut conn = self.db.get().await?;
        let row = repo::find(&mut conn, id).await?;
        if !view::may_see(&self.signer, &row, viewer) {
            return Err(OrderId::not_found());
        }
        let record = repo::record(&mut conn, row).await?;
        Ok(view::order(&self.signer, record, view::sees_notes(viewer)))
    }

    pub(super) async fn read_by_number(&self, number: &str, email: &Email) -> Result<Order> {
        let number = number.trim().to_uppercase();
        let mut conn = self.db.get().await?;
        let row = repo::by_number(&mut conn, &number, email).await?.ok_or_else(OrderId::not_found)?;
        let record = repo::record(&mut conn, row).await?;
        Ok(view::order(&self.signer, record, false))
    }

    pub(super) async fn page(
        &self,
        mut filter: OrderFilter,
        page: PageRequest,
    ) -> Result<Page<OrderSummary>> {
        filter.q = filter.q.filter(|q| !q.trim().is_empty());
        let scope = format!("orders {}", serde_json::to_string(&filter)?);
        let position = page.position::<(Time, OrderId)>(&scope)?;
        let mut conn = self.db.get().await?;
        let rows = repo::lists::list(&mut conn, &filter, position, i64::from(page.limit) + 1).await?;
        Ok(Page::cut(rows, page.limit, &scope, |row| (row.created_at, row.id)).map(view::summary))
    }

    pub(super) async fn note(&self, id: OrderId, text: String, actor: Actor) -> Result<Order> {
        let text = values::text("/text", &text, 2000)?;
        let (signer, now) = (self.signer.clone(), self.clock.now());
        self.db
            .transaction(async move |tx| {
                let mut change = Change::open(tx, id, actor, now).await?;
                change.remark("note", None, Some(text.clone()));
                let row = change.save(tx).await?;
                let record = repo::record(tx, row).await?;
                Ok(view::order(&signer, record, true))
            })
            .await
    }

    pub(super) async fn sum_up(&self, from: Time, to: Time) -> Result<SalesSummary> {
        let mut conn = self.db.get().await?;
        let sums = repo::reports::by_currency(&mut conn, from, to).await?;
        let days = repo::reports::by_day(&mut conn, from, to).await?;
        let best = repo::reports::best_sellers(&mut conn, from, to, 10).await?;
        let gross: BTreeMap<_, _> = sums.iter().map(|s| (s.currency.0, (s.gross, s.refunded))).collect();
        let list =
            |of: fn((i64, i64)) -> i64| gross.iter().map(|(c, sums)| Money::new(of(*sums), *c)).collect();
        Ok(SalesSummary {
            orders: sums.iter().map(|s| s.orders).sum(),
            units: sums.iter().map(|s| s.units).sum(),
            gross: list(|(gross, _)| gross),
            refunded: list(|(_, refunded)| refunded),
            net: list(|(gross, refunded)| gross - refunded),
            days: days
                .into_iter()
                .map(|d| DaySales { day: d.day, orders: d.orders, gross: Money::new(d.gross, d.currency.0) })
                .collect(),
            best_sellers: best
                .into_iter()
                .map(|p| BestSeller {
                    product_id: p.product_id,
                    title: p.title,
                    units: p.units,
                    gross: Money::new(p.gross, p.currency.0),
                })
                .collect(),
        })
    }
}
