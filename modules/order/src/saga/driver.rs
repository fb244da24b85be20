//! Whoever drives a saga: takes its lease, does step after step, and decides what a failed step means.

use std::time::Duration;

use shared::{Error, Kind as Why, Result, Time, telemetry};
use tokio::task::JoinHandle;

use super::{Next, Outcome, Saga, SagaId, SagaState, Step, is_lost};
use crate::{
    Service, model, repo,
    rows::{SagaRow, Word},
};

/// How often stock and coupons are asked while the shopper waits and nothing is paid.
const QUICK_TRIES: i64 = 3;

impl Service {
    /// Drives on a saga that is due. Nothing happens if somebody else does.
    pub(crate) async fn resume(&self, id: SagaId) -> Result<()> {
        if let Some(saga) = self.take(id).await? {
            // A panic in a step is like a death of the process: the lease runs out and the next driver goes on.
            if let Err(panic) = self.launch(saga).await {
                tracing::error!(saga = %id, "a driver panicked: {panic}");
            }
        }
        Ok(())
    }

    /// Drives it in a task of its own, which nobody's departure ends.
    pub(crate) fn launch(&self, saga: Saga) -> JoinHandle<Outcome> {
        let service = self.clone();
        tokio::spawn(telemetry::carry(async move { service.drive(saga).await }))
    }

    /// Takes the lease of a saga that is due.
    pub(crate) async fn take(&self, id: SagaId) -> Result<Option<Saga>> {
        let (now, lease) = (self.clock.now(), self.lease());
        let taken = self.db.transaction(async move |tx| {
            let Some(mut row) = repo::sagas::get(tx, id).await? else { return Ok(None) };
            let from = row.state.0;
            if from == SagaState::Done || row.next_at > now {
                return Ok(None);
            }
            if matches!(from, SagaState::Parked | SagaState::Waiting) {
                row.state = Word(SagaState::Running);
            }
            (row.version, row.next_at, row.updated_at) = (row.version + 1, lease, now);
            repo::sagas::save(tx, &row, from).await?;
            let order = repo::find(tx, row.order_id).await?;
            let lines = repo::lines::of_order(tx, row.order_id).await?;
            Ok(Some(Saga { row, order, lines, fresh: false, placed: None }))
        });
        match taken.await {
            Err(error) if is_lost(&error) => Ok(None),
            taken => taken,
        }
    }

    async fn drive(&self, mut saga: Saga) -> Outcome {
        loop {
            let result = match self.renew(&mut saga).await {
                Ok(()) => self.step(&mut saga).await,
                Err(error) => Err(error),
            };
            let next = match result {
                Ok(next) => Ok(next),
                Err(error) => self.failed(&mut saga, error).await,
            };
            match next {
                Ok(Next::Step(step)) => saga.row.step = Word(step),
                Ok(Next::Rest) => break,
                Err(error) => {
                    // Somebody else drives it, or the database is away: then the lease runs out.
                    if !is_lost(&error) {
                        tracing::warn!(saga = %saga.row.id, error = error.chain(), "a saga was left to its lease");
                    }
                    break;
                }
            }
        }
        self.rested.notify_waiters();
        saga.outcome()
    }

    async fn step(&self, saga: &mut Saga) -> Result<Next> {
        match saga.row.step.0 {
            Step::Reserve => self.reserve(saga).await,
            Step::Claim => self.claim_coupons(saga).await,
            Step::Authorize => self.authorize(saga).await,
            Step::Await => self.await_shopper(saga).await,
            Step::Commit => self.commit(saga).await,
            Step::Capture => self.take_money(saga).await,
            Step::Place => self.place(saga).await,
            Step::CompleteCart => self.complete_cart(saga).await,
            Step::ReturnMoney => self.return_money(saga).await,
            Step::Restock => self.restock(saga).await,
            Step::Unclaim => self.unclaim(saga).await,
            Step::Release => self.release(saga).await,
            Step::Cancel => self.finish_cancel(saga).await,
            Step::Refund => self.refund_step(saga).await,
            Step::RestockRefund => self.restock_refund(saga).await,
            Step::CreateShipment => self.create_shipment(saga).await,
        }
    }

    /// What a failed step means. Before the payment the shopper is told and may try again; once money may have moved,
    /// silence is asked again and only a clear answer decides; what undoes is tried for ever.
    async fn failed(&self, saga: &mut Saga, error: Error) -> Result<Next> {
        if is_lost(&error) {
            return Err(error);
        }
        let (step, silent) = (saga.row.step.0, error.is_transient());
        let late = self.clock.now() >= saga.row.deadline;
        let tries = saga.row.attempts + 1;
        match step {
            Step::Reserve | Step::Claim if silent && tries < QUICK_TRIES => {
                saga.row.attempts = tries;
                tokio::time::sleep(Duration::from_millis(50 << tries)).await;
                Ok(Next::Step(step))
            }
            Step::Reserve | Step::Claim => self.undo(saga, error).await,
            Step::Authorize | Step::Await if silent => {
                if late || tries >= i64::from(self.settings.payment_attempts) {
                    let detail = "the payment provider does not answer; the order was cancelled";
                    let error = Error::new(Why::Unavailable, "payment_unknown", detail).retry_after(2);
                    return self.undo(saga, error).await;
                }
                self.park(saga, error).await
            }
            Step::Capture if silent && !late => self.park(saga, error).await,
            Step::Commit if silent => self.park(saga, error).await,
            Step::Authorize | Step::Await | Step::Commit | Step::Capture => self.undo(saga, error).await,
            Step::Refund if !silent => self.refund_failed(saga, error).await,
            _ => self.park(saga, error).await,
        }
    }

    /// Leaves it to the worker, later each time.
    async fn park(&self, saga: &mut Saga, error: Error) -> Result<Next> {
        saga.row.attempts += 1;
        let (id, step, attempts) = (saga.row.id, saga.row.step.0, saga.row.attempts);
        tracing::warn!(saga = %id, ?step, attempts, error = error.chain(), "a step must be repeated");
        let next_at = self.clock.now().after(model::backoff(attempts));
        let state = match saga.row.state.0 {
            SagaState::Compensating => SagaState::Compensating,
            _ => SagaState::Parked,
        };
        self.save(saga, state, next_at).await?;
        Ok(Next::Rest)
    }

    /// Gives a sign of life when a third of the lease is over.
    async fn renew(&self, saga: &mut Saga) -> Result<()> {
        let state = saga.row.state.0;
        let old = self.clock.now().since(saga.row.updated_at) * 3 > self.settings.lease();
        if old && matches!(state, SagaState::Running | SagaState::Compensating) {
            self.save(saga, state, self.lease()).await?;
        }
        Ok(())
    }

    pub(crate) fn lease(&self) -> Time {
        self.clock.now().after(self.settings.lease())
    }

    /// Writes the saga as it is now. `saga_lost` if somebody else has taken it.
    pub(super) async fn save(&self, saga: &mut Saga, state: SagaState, next_at: Time) -> Result<()> {
        let (from, row) = self.successor(saga, state, next_at);
        let written = row.clone();
        self.db.transaction(async move |tx| repo::sagas::save(tx, &written, from).await).await?;
        saga.row = row;
        Ok(())
    }

    /// The row after this one, to be written in the transaction of what it goes with.
    pub(super) fn successor(&self, saga: &Saga, state: SagaState, next_at: Time) -> (SagaState, SagaRow) {
        let mut row = saga.row.clone();
        row.state = Word(state);
        (row.version, row.next_at, row.updated_at) = (row.version + 1, next_at, self.clock.now());
        (saga.row.state.0, row)
    }

    /// The next step, written down first.
    pub(super) async fn save_step(&self, saga: &mut Saga, step: Step) -> Result<Next> {
        (saga.row.step, saga.row.attempts) = (Word(step), 0);
        let state = saga.row.state.0;
        self.save(saga, state, self.lease()).await?;
        Ok(Next::Step(step))
    }

    pub(super) async fn done(&self, saga: &mut Saga) -> Result<Next> {
        let next_at = saga.row.next_at;
        self.save(saga, SagaState::Done, next_at).await?;
        Ok(Next::Rest)
    }

    /// Turns back a checkout that nobody drives, and drives it to its end. Nothing happens if somebody was faster.
    pub(crate) async fn turn_back(
        &self,
        mut row: SagaRow,
        reason: &str,
        failure: Error,
        by: Cancelling,
    ) -> Result<()> {
        let (from, now) = (row.state.0, self.clock.now());
        let payload = &mut row.payload.0;
        payload.reason = Some(reason.to_owned());
        (payload.failure, payload.message, payload.token) = (Some(failure), by.message, None);
        payload.actor = by.actor.unwrap_or(payload.actor);
        (row.state, row.step, row.attempts) = (Word(SagaState::Compensating), Word(Step::ReturnMoney), 0);
        (row.version, row.next_at, row.updated_at) = (row.version + 1, self.lease(), now);
        let taken = self.db.transaction(async move |tx| {
            repo::sagas::save(tx, &row, from).await?;
            let order = repo::find(tx, row.order_id).await?;
            let lines = repo::lines::of_order(tx, row.order_id).await?;
            Ok(Saga { row: row.clone(), order, lines, fresh: false, placed: None })
        });
        match taken.await {
            Err(error) if is_lost(&error) => {}
            taken => drop(self.launch(taken?).await.map_err(Error::internal)?),
        }
        Ok(())
    }

    /// Turns a checkout back. What it has done so far is undone, and that decision is written down first.
    pub(super) async fn undo(&self, saga: &mut Saga, error: Error) -> Result<Next> {
        let first = first_undo(saga, &error);
        let payload = saga.payload();
        payload.reason = Some(error.code.to_string());
        payload.token = None;
        payload.failure = Some(error);
        (saga.row.step, saga.row.attempts) = (Word(first), 0);
        if first == Step::Cancel {
            // Nothing was done: the transaction that cancels says it all.
            return Ok(Next::Step(first));
        }
        self.save(saga, SagaState::Compensating, self.lease()).await?;
        Ok(Next::Step(first))
    }
}

/// Who turns a checkout back, if not the shopper themselves, and why.
pub(crate) struct Cancelling {
    pub actor: Option<contracts::Actor>,
    pub message: Option<String>,
}

/// Where the undoing begins. A driver that has seen every step knows what was not done; another one undoes all.
fn first_undo(saga: &Saga, error: &Error) -> Step {
    let refused = !error.is_transient();
    match saga.row.step.0 {
        _ if !saga.fresh => Step::ReturnMoney,
        Step::Reserve if refused => Step::Cancel,
        Step::Reserve => Step::Release,
        Step::Claim if refused => Step::Release,
        Step::Claim => Step::Unclaim,
        Step::Authorize if error.kind == Why::Declined => Step::Unclaim,
        _ => Step::ReturnMoney,
    }
}
