//! Comparing payments with their providers: what only the provider knows is taken over, what nobody can explain becomes a
//! case.

use std::{collections::HashSet, time::Duration};

use contracts::{
    order::OrderId,
    payment::{PaymentId, PaymentState, ReconcileCase, ReconcileReport},
};
use shared::{Error, Result, Time};

use super::{Service, absorb::ledger_differs};
use crate::{
    provider::{Lookup, Provider, Truth},
    repo::{
        self, PaymentRow, cursors,
        webhooks::{self, UNMATCHED},
    },
};

const PAGE: i64 = 100;
/// How far each run looks back behind the one before, for changes that became visible late.
const OVERLAP: Duration = Duration::from_secs(60);
/// So many silent answers in a row mean that the provider is down.
const PATIENCE: usize = 3;

/// One comparison.
#[derive(Default)]
struct Run {
    report: ReconcileReport,
    checked: HashSet<PaymentId>,
    failures: usize,
    silent_in_a_row: usize,
}

impl Run {
    /// One payment's trouble does not keep the others waiting; a provider that stays silent ends the run.
    fn note(&mut self, id: PaymentId, result: Result<()>) -> Result<()> {
        let Err(error) = result else {
            self.silent_in_a_row = 0;
            return Ok(());
        };
        tracing::warn!(payment = %id, error = error.chain(), "a payment could not be compared");
        self.failures += 1;
        self.silent_in_a_row += usize::from(error.is_transient());
        if self.silent_in_a_row < PATIENCE { Ok(()) } else { Err(error) }
    }

    fn case(&mut self, reference: &str, order_id: Option<OrderId>, kind: &str, detail: String) {
        if self.report.cases.iter().any(|case| case.reference == reference) {
            return;
        }
        tracing::warn!(reference, kind, detail, "a payment differs from its provider's");
        let (reference, kind) = (reference.to_owned(), kind.to_owned());
        self.report.cases.push(ReconcileCase { reference, order_id, kind, detail });
    }
}

impl Service {
    /// Compares every payment.
    pub(super) async fn compare_all(&self) -> Result<ReconcileReport> {
        self.compare(true).await
    }

    /// Compares what changed since the last run; from time to time, everything.
    pub(crate) async fn compare_due(&self) -> Result<()> {
        let last = cursors::get(&mut self.db.get().await?, "*").await?;
        let due = Duration::from_secs(self.settings.full_reconcile_seconds);
        let full = last.is_none_or(|last| self.clock.now().since(last) >= due);
        self.compare(full).await.map(drop)
    }

    async fn compare(&self, full: bool) -> Result<ReconcileReport> {
        let (mut run, started) = (Run::default(), self.clock.now());
        for provider in &self.providers {
            self.compare_with(&**provider, full, &mut run).await?;
        }
        self.add_messages(&mut run).await?;
        if full && run.failures == 0 {
            self.set_cursor("*", started).await?;
        }
        run.report.checked = run.checked.len() as u64;
        Ok(run.report)
    }

    async fn compare_with(&self, provider: &dyn Provider, full: bool, run: &mut Run) -> Result<()> {
        let (name, started, failures) = (provider.name(), self.clock.now(), run.failures);
        self.compare_unsettled(provider, run).await?;
        let known = cursors::get(&mut self.db.get().await?, name).await?.filter(|_| !full);
        self.compare_changed(provider, known.unwrap_or(Time::from_micros(0)), full, run).await?;
        if full {
            self.compare_ours(provider, run).await?;
        }
        if run.failures == failures {
            self.set_cursor(name, started.before(OVERLAP)).await?;
        }
        Ok(())
    }

    async fn set_cursor(&self, name: &str, since: Time) -> Result<()> {
        let name = name.to_owned();
        self.db.transaction(async move |tx| Ok(cursors::set(tx, &name, since).await?)).await
    }

    /// What a command left under way.
    async fn compare_unsettled(&self, provider: &dyn Provider, run: &mut Run) -> Result<()> {
        let before = self.clock.now().before(Duration::from_secs(self.settings.settle_after_seconds));
        let mut position = first_id();
        loop {
            let rows =
                repo::unsettled(&mut self.db.get().await?, provider.name(), before, position, PAGE).await?;
            for row in &rows {
                let settled = self.settle_and_check(provider, row, run).await;
                run.note(row.id, settled)?;
            }
            match rows.last() {
                Some(last) if rows.len() as i64 == PAGE => position = last.id,
                _ => return Ok(()),
            }
        }
    }

    async fn settle_and_check(&self, provider: &dyn Provider, row: &PaymentRow, run: &mut Run) -> Result<()> {
        if row.closing && !row.closed {
            self.finish_closing(row).await?;
        } else {
            self.settle(row).await?;
        }
        self.check(provider, row, run).await
    }

    /// What the provider says has changed.
    async fn compare_changed(
        &self,
        provider: &dyn Provider,
        since: Time,
        full: bool,
        run: &mut Run,
    ) -> Result<()> {
        let mut page = None;
        loop {
            let changes = self.ask(|| provider.list_changed(since, page.clone())).await?;
            let ids: Vec<_> = changes.payments.iter().filter_map(|truth| truth.payment_id).collect();
            let rows = repo::by_ids(&mut self.db.get().await?, provider.name(), &ids).await?;
            for truth in &changes.payments {
                let Some(row) = rows.iter().find(|row| Some(row.id) == truth.payment_id) else {
                    if truth.authorized > 0 || truth.captured > 0 {
                        let detail = format!("{} at the provider, nothing here", truth.amount);
                        run.case(&truth.reference, truth.order_id, "only_at_provider", detail);
                    }
                    continue;
                };
                if !run.checked.contains(&row.id) {
                    let compared = self.compare_one(provider, row, truth, full, run).await;
                    run.note(row.id, compared)?;
                }
            }
            match changes.next {
                Some(next) => page = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn compare_one(
        &self,
        provider: &dyn Provider,
        row: &PaymentRow,
        truth: &Truth,
        full: bool,
        run: &mut Run,
    ) -> Result<()> {
        if !agree(row, truth)? {
            return self.check(provider, row, run).await;
        }
        run.checked.insert(row.id);
        if full { self.check_ledger(row, run).await } else { Ok(()) }
    }

    /// Payments that the provider did not list.
    async fn compare_ours(&self, provider: &dyn Provider, run: &mut Run) -> Result<()> {
        let mut position = first_id();
        loop {
            let rows = repo::all(&mut self.db.get().await?, provider.name(), position, PAGE).await?;
            for row in &rows {
                if !run.checked.contains(&row.id) {
                    let checked = self.check(provider, row, run).await;
                    run.note(row.id, checked)?;
                }
            }
            match rows.last() {
                Some(last) if rows.len() as i64 == PAGE => position = last.id,
                _ => return Ok(()),
            }
        }
    }

    /// Compares one payment. We are read before the provider: it can only be ahead, unless something is wrong.
    async fn check(&self, provider: &dyn Provider, seen: &PaymentRow, run: &mut Run) -> Result<()> {
        run.checked.insert(seen.id);
        let missing = || Error::not_found("payment");
        let ours = repo::get(&mut self.db.get().await?, seen.id).await?.ok_or_else(missing)?;
        let lookup = ours.reference.clone().map_or(Lookup::Order(ours.order_id), Lookup::Reference);
        let reference = ours.reference.clone().unwrap_or_else(|| ours.id.to_string());
        let Some(truth) = self.ask(|| provider.fetch(&lookup)).await? else {
            let repaired = seen.standing()? != ours.standing()?;
            run.report.repaired += u64::from(repaired);
            if holds_money(ours.state()?) {
                let detail = format!("{} here, nothing at the provider", ours.money(ours.amount)?);
                run.case(&reference, Some(ours.order_id), "only_here", detail);
            }
            return Ok(());
        };
        let absorbed = self.absorb(ours.clone(), &truth).await?;
        let repaired = absorbed.moved || seen.standing()? != absorbed.row.standing()?;
        run.report.repaired += u64::from(repaired);
        if let Some(detail) = absorbed.review.or_else(|| difference(&ours, &truth, &absorbed.row)) {
            run.case(&reference, Some(ours.order_id), "amount_differs", detail);
            return Ok(());
        }
        self.check_ledger(&absorbed.row, run).await
    }

    async fn check_ledger(&self, row: &PaymentRow, run: &mut Run) -> Result<()> {
        let conn = &mut self.db.get().await?;
        let Some(detail) = ledger_differs(conn, row).await? else { return Ok(()) };
        // Both were read at different moments: only a payment that stood still proves anything.
        let still = repo::get(conn, row.id).await?.is_some_and(|now| now.version == row.version);
        if still {
            run.case(
                row.reference.as_deref().unwrap_or(&row.id.to_string()),
                Some(row.order_id),
                "amount_differs",
                detail,
            );
        }
        Ok(())
    }

    /// Messages that wait for a person.
    async fn add_messages(&self, run: &mut Run) -> Result<()> {
        let conn = &mut self.db.get().await?;
        for webhook in webhooks::open(conn, PAGE).await? {
            let row = repo::by_reference(conn, &webhook.provider, &webhook.reference).await?;
            let kind = match (&row, webhook.state == UNMATCHED) {
                // It was matched since.
                (Some(_), true) => continue,
                (None, true) => "only_at_provider",
                (_, false) => "amount_differs",
            };
            let detail = format!("message {}: {}", webhook.event_id, webhook.detail.unwrap_or_default());
            run.case(&webhook.reference, row.map(|row| row.order_id), kind, detail);
        }
        Ok(())
    }
}

fn first_id() -> PaymentId {
    PaymentId::from_uuid(uuid::Uuid::nil())
}

fn holds_money(state: PaymentState) -> bool {
    matches!(state, PaymentState::Authorized | PaymentState::Captured | PaymentState::Refunded)
}

/// Whether there is nothing to take over, to give back or to explain.
fn agree(row: &PaymentRow, truth: &Truth) -> Result<bool> {
    let standing = row.standing()?;
    let mut heard = standing.clone();
    heard.hear(truth);
    let quiet = heard == standing && !standing.leaves_orphan(truth) && row.mismatch(truth)?.is_none();
    Ok(quiet && row.reference.is_some() && difference(row, truth, row).is_none())
}

/// What cannot be explained by a provider that is ahead (`before` was read before the truth), nor by what is under way
/// (`after` was read after it).
fn difference(before: &PaymentRow, truth: &Truth, after: &PaymentRow) -> Option<String> {
    let ahead = before.captured > truth.captured
        || before.refunded > truth.refunded
        || (before.authorized > truth.authorized && !after.closed);
    let behind = (after.capturing == 0 && truth.captured > after.captured)
        || (after.refunding == 0 && truth.refunded > after.refunded);
    (ahead || behind).then(|| {
        format!(
            "authorised {}, captured {}, refunded {} at the provider; {}, {}, {} here",
            truth.authorized,
            truth.captured,
            truth.refunded,
            after.authorized,
            after.captured,
            after.refunded
        )
    })
}
