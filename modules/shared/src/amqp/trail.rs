//! What calls have caused: it goes back with their answers, so that a caller's caches are fresh before it answers.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use super::lock;
use crate::{events::Envelope, telemetry::TraceParent};

/// The calls at work in this process, by their trace.
#[derive(Default)]
pub(super) struct Trail {
    next: AtomicU64,
    calls: Mutex<HashMap<String, Vec<Heard>>>,
}

/// One call with what has been committed for it.
type Heard = (u64, Vec<Envelope>);

/// One call that is followed.
pub(super) struct Followed<'a> {
    trail: &'a Trail,
    trace: String,
    number: u64,
}

impl Trail {
    pub fn follow(&self, trace: TraceParent) -> Followed<'_> {
        let (trace, number) = (trace.trace_id(), self.next.fetch_add(1, Ordering::Relaxed));
        lock(&self.calls).entry(trace.clone()).or_default().push((number, Vec::new()));
        Followed { trail: self, trace, number }
    }

    /// Notes what was committed for those calls that it was committed for.
    pub fn add(&self, events: &[Envelope]) {
        let mut calls = lock(&self.calls);
        for event in events {
            let trace = event.traceparent.as_deref().and_then(TraceParent::parse);
            let Some(followed) = trace.and_then(|trace| calls.get_mut(&trace.trace_id())) else { continue };
            for (_, heard) in followed {
                if heard.iter().all(|known| known.id != event.id) {
                    heard.push(event.clone());
                }
            }
        }
    }
}

impl Followed<'_> {
    /// What has been committed in the call's trace since it began.
    pub fn take(&self) -> Vec<Envelope> {
        let mut calls = lock(&self.trail.calls);
        let mine = calls.get_mut(&self.trace).and_then(|all| all.iter_mut().find(|(n, _)| *n == self.number));
        mine.map(|(_, events)| std::mem::take(events)).unwrap_or_default()
    }
}

impl Drop for Followed<'_> {
    fn drop(&mut self) {
        let mut calls = lock(&self.trail.calls);
        if let Some(all) = calls.get_mut(&self.trace) {
            all.retain(|(number, _)| *number != self.number);
            if all.is_empty() {
                calls.remove(&self.trace);
            }
        }
    }
}
