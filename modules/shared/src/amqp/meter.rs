//! How much is served here, and how fast.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::lock;

/// Figures are about the last one to two of these.
const WINDOW: Duration = Duration::from_secs(60);

/// What one process has served of one service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Served {
    /// The port's name.
    pub service: String,
    /// Calls since the process started.
    pub calls: u64,
    /// Of these, how many failed by our own fault.
    pub failures: u64,
    /// Calls per second in the last minute or two.
    pub rate: f64,
    /// Microseconds within which half of these were answered, and 99 of 100.
    pub p50_us: u64,
    pub p99_us: u64,
}

#[derive(Default)]
pub(super) struct Meter(Mutex<BTreeMap<&'static str, Gauge>>);

struct Gauge {
    calls: u64,
    failures: u64,
    since: Instant,
    now: Histogram<u64>,
    before: Option<Histogram<u64>>,
}

impl Gauge {
    fn new() -> Self {
        Self { calls: 0, failures: 0, since: Instant::now(), now: microseconds(), before: None }
    }

    fn turn(&mut self) {
        let windows = self.since.elapsed().as_secs() / WINDOW.as_secs();
        if windows > 0 {
            let full = std::mem::replace(&mut self.now, microseconds());
            self.before = Some(if windows == 1 { full } else { microseconds() });
            self.since = Instant::now();
        }
    }
}

fn microseconds() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 2).expect("the bounds are constant")
}

impl Meter {
    pub fn record(&self, service: &'static str, took: Duration, failed: bool) {
        let mut all = lock(&self.0);
        let gauge = all.entry(service).or_insert_with(Gauge::new);
        gauge.turn();
        gauge.calls += 1;
        gauge.failures += u64::from(failed);
        gauge.now.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    pub fn read(&self) -> Vec<Served> {
        let mut all = lock(&self.0);
        let read = all.iter_mut().map(|(service, gauge)| {
            gauge.turn();
            let mut both = gauge.now.clone();
            let mut seconds = gauge.since.elapsed().as_secs_f64().max(1.0);
            if let Some(before) = &gauge.before {
                seconds += WINDOW.as_secs_f64();
                both.add(before).ok();
            }
            Served {
                service: (*service).to_owned(),
                calls: gauge.calls,
                failures: gauge.failures,
                rate: both.len() as f64 / seconds,
                p50_us: both.value_at_quantile(0.5),
                p99_us: both.value_at_quantile(0.99),
            }
        });
        read.collect()
    }
}
