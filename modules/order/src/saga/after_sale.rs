//! The steps of what happens to placed orders: refunds and parcels.

use contracts::{
    order::{OrderRefunded, OrderShipped},
    payment::Payment,
    product::stock::{MovementId, StockLine},
    shipping::{NewShipment, Shipment},
};
use shared::{Error, Result, Time, db::Tx, signer::Signer};

use super::{Next, Saga, SagaState, Step};
use crate::{
    Service, repo,
    rows::{RefundRow, SagaRow, Word},
    service::{Change, parcels, view},
};

impl Service {
    pub(super) async fn refund_step(&self, saga: &mut Saga) -> Result<Next> {
        let refund = self.refund_of(saga).await?;
        let (id, amount) = (saga.order.id, saga.order.money(refund.amount));
        let paid = self.payments.refund(id, refund.id, amount, refund.reason.clone());
        let payment = self.call("payment", paid).await?;
        let back = refund.lines.0.iter().any(|line| line.restock);
        let state = if back { SagaState::Running } else { SagaState::Done };
        saga.row.attempts = 0;
        let (from, mut row) = self.successor(saga, state, self.lease());
        row.step = Word(Step::RestockRefund);
        let (written, signer, now) = (row.clone(), self.signer.clone(), self.clock.now());
        self.db
            .transaction(async move |tx| {
                refunded(tx, &written, &refund, &payment, (&signer, now)).await?;
                repo::sagas::save(tx, &written, from).await
            })
            .await?;
        saga.row = row;
        Ok(if back { Next::Step(Step::RestockRefund) } else { Next::Rest })
    }

    /// The provider refused: the quantities may be refunded again.
    pub(super) async fn refund_failed(&self, saga: &mut Saga, error: Error) -> Result<Next> {
        let refund = self.refund_of(saga).await?;
        saga.payload().failure = Some(error);
        let (from, row) = self.successor(saga, SagaState::Done, self.lease());
        let (written, now) = (row.clone(), self.clock.now());
        self.db
            .transaction(async move |tx| {
                let mut change = Change::open(tx, refund.order_id, written.payload.0.actor, now).await?;
                repo::parts::set_refund_status(tx, refund.id, "failed").await?;
                for line in &refund.lines.0 {
                    repo::lines::drop_refund(tx, refund.order_id, line.line_id, line.quantity).await?;
                }
                change.touch();
                change.save(tx).await?;
                repo::sagas::save(tx, &written, from).await
            })
            .await?;
        saga.row = row;
        Ok(Next::Rest)
    }

    pub(super) async fn restock_refund(&self, saga: &mut Saga) -> Result<Next> {
        let refund = self.refund_of(saga).await?;
        let back = refund.lines.0.iter().filter(|line| line.restock);
        let variant = |id| saga.lines.iter().find(|line| line.id == id).map(|line| line.variant_id);
        let lines = back.filter_map(|line| {
            Some(StockLine { variant_id: variant(line.line_id)?, quantity: line.quantity })
        });
        let movement = MovementId::derived(&refund.id.to_string());
        let (id, lines, actor) = (saga.order.id, lines.collect(), saga.row.payload.0.actor);
        self.call("stock", self.stock.restock(movement, id, lines, actor)).await?;
        self.done(saga).await
    }

    /// The order has taken the units out; now the parcel is made, and then everybody hears of it.
    pub(super) async fn create_shipment(&self, saga: &mut Saga) -> Result<Next> {
        let (order_id, actor) = (saga.order.id, saga.row.payload.0.actor);
        let id = saga.row.payload.0.shipment.ok_or_else(|| Error::internal("a parcel without an id"))?;
        let planned = repo::parts::shipment(&mut self.db.get().await?, id).await?;
        let planned = planned.ok_or_else(|| Error::internal("a parcel without a row"))?.shipment.0;
        let new = NewShipment {
            id,
            order_id,
            lines: planned.lines,
            carrier: planned.carrier,
            tracking_number: planned.tracking_number,
            actor,
        };
        let shipment = self.call("shipping", self.shipping.create_shipment(new)).await?;
        let (from, row) = self.successor(saga, SagaState::Done, self.lease());
        let (written, signer, now) = (row.clone(), self.signer.clone(), self.clock.now());
        self.db
            .transaction(async move |tx| {
                sent(tx, &shipment, &written, (&signer, now)).await?;
                repo::sagas::save(tx, &written, from).await
            })
            .await?;
        saga.row = row;
        Ok(Next::Rest)
    }

    async fn refund_of(&self, saga: &Saga) -> Result<RefundRow> {
        let id = saga.row.payload.0.refund.ok_or_else(|| Error::internal("a refund without an id"))?;
        let row = repo::parts::refund(&mut self.db.get().await?, id).await?;
        row.ok_or_else(|| Error::internal("a refund without a row"))
    }
}

async fn refunded(
    tx: &mut Tx,
    saga: &SagaRow,
    refund: &RefundRow,
    payment: &Payment,
    (signer, now): (&Signer, Time),
) -> Result<()> {
    let id = saga.order_id;
    let mut change = Change::open(tx, id, saga.payload.0.actor, now).await?;
    repo::parts::set_refund_status(tx, refund.id, "succeeded").await?;
    for line in &refund.lines.0 {
        repo::lines::settle_refund(tx, id, line.line_id, line.quantity).await?;
    }
    let amount = change.row.money(refund.amount);
    change.remark("refund", None, Some(format!("{amount}: {}", refund.reason)));
    change.payment(payment)?;
    change.goods(&repo::lines::of_order(tx, id).await?, &repo::parts::shipments(tx, id).await?)?;
    let row = change.save(tx).await?;
    let record = repo::record(tx, row).await?;
    let currency = record.row.currency.0;
    let succeeded = RefundRow { status: "succeeded".to_owned(), ..refund.clone() }.refund(currency);
    let order = view::order(signer, record, false);
    let version = order.version;
    tx.emit("order", id, version, &OrderRefunded { order, refund: succeeded }).await?;
    Ok(())
}

async fn sent(
    tx: &mut Tx,
    shipment: &Shipment,
    saga: &SagaRow,
    (signer, now): (&Signer, Time),
) -> Result<()> {
    let mut change = Change::open(tx, saga.order_id, saga.payload.0.actor, now).await?;
    change.touch();
    parcels::remember(tx, &mut change, shipment).await?;
    let row = change.save(tx).await?;
    let record = repo::record(tx, row).await?;
    let order = view::order(signer, record, false);
    let (id, version) = (order.id, order.version);
    tx.emit("order", id, version, &OrderShipped { order, shipment: shipment.clone() }).await?;
    Ok(())
}
