//! Brings events from the outbox to the bus.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use super::{
    Bus, Envelope, Failure, Undelivered,
    outbox::{self, Marks, Waiting},
};
use crate::{Clock, Database, Result, Time};

/// How hard the relay tries.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Events read, and marked in one transaction, at a time.
    pub batch: usize,
    /// Aggregates whose events are delivered side by side.
    pub concurrency: usize,
    /// Failed deliveries after which an event is a dead letter.
    pub delivery_limit: u32,
    /// How long one delivery may take.
    pub delivery_timeout: Duration,
    /// The pause after the first failure; it doubles with each further one, up to `max_backoff`, minus up to half.
    pub backoff: Duration,
    /// The longest pause between deliveries of one event.
    pub max_backoff: Duration,
    /// How often to look without having been woken.
    pub poll: Duration,
    /// PostgreSQL and MongoDB: after how long another instance takes over what a dead one was delivering.
    pub lease: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch: 100,
            concurrency: 16,
            delivery_limit: 8,
            delivery_timeout: Duration::from_secs(10),
            backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            lease: Duration::from_secs(15),
        }
    }
}

/// Delivers the outbox of `db` to `bus` until `stop`: woken by each commit that emits, and every [`Limits::poll`].
///
/// At least once, in order per aggregate, different aggregates side by side. An event that fails holds up only
/// its own aggregate, until it is a dead letter; while the bus itself is away everything waits for it. On `stop` a batch under way is finished and marked.
/// One relay per database and process.
pub async fn relay(db: Database, bus: Arc<dyn Bus>, limits: Limits, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match round(&db, &*bus, &limits).await {
            // More may be waiting than fit into a batch, or may have come meanwhile.
            Ok(published) if published > 0 => continue,
            Ok(_) => {}
            Err(error) => tracing::error!(error = error.chain(), "the relay failed; it tries again"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = db.emitted().notified() => {}
            () = tokio::time::sleep(limits.poll) => {}
        }
    }
}

/// Delivers one batch and returns how many events are now published.
async fn round(db: &Database, bus: &dyn Bus, limits: &Limits) -> Result<usize> {
    let waiting = outbox::claim(db, i64::try_from(limits.batch).unwrap_or(i64::MAX), limits.lease).await?;
    if waiting.is_empty() {
        return Ok(0);
    }
    let clock = &**db.clock();
    let marks = stream::iter(by_aggregate(waiting))
        .map(|events| deliver(bus, events, limits, clock))
        .buffer_unordered(limits.concurrency.max(1))
        .fold(Marks::default(), async |mut all, marks| {
            all.published.extend(marks.published);
            all.held.extend(marks.held);
            all.failed.extend(marks.failed);
            all.dead.extend(marks.dead);
            all.is_down |= marks.is_down;
            all
        })
        .await;
    // While there is no bus the next batch would fare no better.
    let published = if marks.is_down { 0 } else { marks.published.len() };
    outbox::mark(db, marks).await?;
    Ok(published)
}

fn by_aggregate(waiting: Vec<Waiting>) -> Vec<Vec<Waiting>> {
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for event in waiting {
        let key = (event.envelope.module.clone(), event.envelope.aggregate_id.clone());
        groups.entry(key).or_default().push(event);
    }
    for group in groups.values_mut() {
        group.sort_by_key(|event| (event.envelope.sequence, event.envelope.id));
    }
    groups.into_values().collect()
}

/// Delivers the events of one aggregate one after the other, up to the first that is to be tried again.
async fn deliver(bus: &dyn Bus, events: Vec<Waiting>, limits: &Limits, clock: &dyn Clock) -> Marks {
    let mut marks = Marks::default();
    for Waiting { envelope: event, attempts } in events {
        if !marks.failed.is_empty() || marks.is_down {
            marks.held.push(event.id);
            continue;
        }
        let failures = match publish(bus, &event, limits.delivery_timeout).await {
            Ok(()) => {
                marks.published.push(event.id);
                continue;
            }
            Err(Undelivered::Down(error)) => {
                tracing::debug!(event = %event.id, error, "nobody to hand it to");
                marks.is_down = true;
                marks.held.push(event.id);
                continue;
            }
            Err(Undelivered::Refused(failures)) => failures,
        };
        let attempts = attempts + 1;
        for Failure { consumer, error } in &failures {
            tracing::warn!(event = %event.id, kind = event.kind, consumer, error, attempts, "not delivered");
        }
        if attempts < i64::from(limits.delivery_limit) {
            marks.failed.push((event.id, attempts, next_try(clock.now(), attempts, limits)));
        } else {
            marks.published.push(event.id);
            marks.dead.push((event, failures, attempts));
        }
    }
    marks
}

async fn publish(bus: &dyn Bus, event: &Envelope, timeout: Duration) -> Result<(), Undelivered> {
    let late = || Failure { consumer: "bus".to_owned(), error: format!("no answer within {timeout:?}") };
    let outcome = tokio::time::timeout(timeout, bus.publish(event)).await;
    outcome.unwrap_or_else(|_| Err(Undelivered::Refused(vec![late()])))
}

fn next_try(now: Time, attempts: i64, limits: &Limits) -> Time {
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(16);
    let pause = limits.backoff.saturating_mul(1 << doublings).min(limits.max_backoff);
    now.after(pause.mul_f64(rand::random_range(0.5..=1.0)))
}
