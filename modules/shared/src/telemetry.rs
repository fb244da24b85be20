//! Logs, and the trace a request belongs to while it crosses modules and processes.

use std::{
    fmt,
    io::{IsTerminal, stderr},
};

use tracing::Instrument;
use tracing_subscriber::{EnvFilter, Layer, fmt as format, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{Error, Result};

// The trace belongs to a request, not to the process: a task-local ends with its future. As a parameter
// it would be the first argument of every method of every port, and none of them would use it.
tokio::task_local! {
    static CURRENT: TraceParent;
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One short line for people; coloured on a terminal.
    Pretty,
    /// One JSON object per line, for machines.
    Json,
}

/// Sends log lines that pass `filter` (such as `info,bodega=debug`) to standard error.
///
/// The first call in a process wins, later ones change nothing: every test may call it.
///
/// # Errors
/// `Invalid` if `filter` cannot be parsed.
pub fn init(format: Format, filter: &str) -> Result<()> {
    // What goes wrong with the broker is said by whoever uses it.
    let filter = EnvFilter::try_new(format!("lapin=off,{filter}")).map_err(|error| {
        Error::invalid("/telemetry/filter", "filter", format!("not a log filter: {error}"))
    })?;
    let lines = format::layer().with_writer(stderr);
    let lines = match format {
        Format::Pretty => lines.compact().with_ansi(stderr().is_terminal()).boxed(),
        Format::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    // The only way to fail is that a subscriber is already there, which is what "idempotent" means.
    tracing_subscriber::registry().with(lines.with_filter(filter)).try_init().ok();
    Ok(())
}

/// A random trace id of 32 hexadecimal digits, for an answer outside any trace.
pub fn trace_id() -> String {
    TraceParent::new().trace_id()
}

/// Where a call belongs: the W3C `traceparent` header.
///
/// As text `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceParent {
    trace_id: u128,
    span_id: u64,
    flags: u8,
}

impl TraceParent {
    /// Begins a trace, with random ids and marked as sampled.
    #[expect(clippy::new_without_default, reason = "a default that differs each time would surprise")]
    pub fn new() -> Self {
        // Zero means "none" in the standard.
        Self { trace_id: rand::random::<u128>().max(1), span_id: rand::random::<u64>().max(1), flags: 1 }
    }

    /// Reads a `traceparent` header. `None` if it is not one: the standard says to begin a new trace then.
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.trim().split('-');
        let version = hex(parts.next()?, 2)?;
        let trace_id = hex(parts.next()?, 32)?;
        let span_id = u64::try_from(hex(parts.next()?, 16)?).ok()?;
        let flags = u8::try_from(hex(parts.next()?, 2)?).ok()?;
        // Later versions may add parts at the end; 255 is forbidden.
        let known = version != 0xff && (version != 0 || parts.next().is_none());
        (known && trace_id != 0 && span_id != 0).then_some(Self { trace_id, span_id, flags })
    }

    /// The same trace, one call further down.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span_id: Self::new().span_id, ..self }
    }

    /// 32 hexadecimal digits, equal for all calls of a trace.
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.trace_id)
    }

    /// 16 hexadecimal digits of this call.
    pub fn span_id(self) -> String {
        format!("{:016x}", self.span_id)
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

/// Lower case only, as the standard demands.
fn hex(digits: &str, length: usize) -> Option<u128> {
    let valid = digits.len() == length && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    u128::from_str_radix(digits, 16).ok().filter(|_| valid)
}

/// Runs `future` as part of a trace. What it spawns is outside unless it is given its own scope.
pub fn scope<F: Future>(parent: TraceParent, future: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(parent, future)
}

/// Runs `future` as part of what the running code is part of, its trace and its span: for what is spawned.
pub fn carry<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let trace = current();
    async move {
        match trace {
            Some(trace) => scope(trace, future).await,
            None => future.await,
        }
    }
    .in_current_span()
}

/// The trace the running code is part of, if any.
pub fn current() -> Option<TraceParent> {
    CURRENT.try_with(|parent| *parent).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";

    #[tokio::test]
    async fn what_is_spawned_is_part_of_the_trace_if_it_is_carried() {
        let trace = TraceParent::new();
        let (carried, left) = scope(trace, async {
            (tokio::spawn(carry(async { current() })), tokio::spawn(async { current() }))
        })
        .await;
        assert_eq!(carried.await.unwrap(), Some(trace));
        assert_eq!(left.await.unwrap(), None);
        assert_eq!(carry(async { current() }).await, None);
    }

    #[test]
    fn a_traceparent_survives_parsing_and_printing() {
        let parent = TraceParent::parse(HEADER).unwrap();
        assert_eq!(parent.to_string(), HEADER);
        assert_eq!(parent.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(parent.span_id(), "00f067aa0ba902b7");
        let new = TraceParent::new();
        assert_eq!(TraceParent::parse(&new.to_string()), Some(new));
    }

    #[test]
    fn a_later_version_may_say_more() {
        assert!(TraceParent::parse(&format!("{}-more", HEADER.replacen("00", "01", 1))).is_some());
    }

    #[test]
    fn what_is_no_traceparent_is_refused() {
        for header in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7",
            "ff-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01-more",
            "00-0AF7651916CD43DD8448EB211C80319C-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-+af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
            "00-é-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceParent::parse(header), None, "{header}");
        }
    }

    #[test]
    fn a_child_stays_in_the_trace() {
        let parent = TraceParent::new();
        assert_eq!(parent.child().trace_id(), parent.trace_id());
        assert_ne!(parent.child().span_id(), parent.span_id());
    }

    #[test]
    fn trace_ids_are_random() {
        assert_eq!(trace_id().len(), 32);
        assert_ne!(trace_id(), trace_id());
    }

    #[tokio::test]
    async fn a_scope_is_seen_inside_and_only_there() {
        let parent = TraceParent::new();
        assert_eq!(current(), None);
        assert_eq!(scope(parent, async { current() }).await, Some(parent));
        assert_eq!(current(), None);
    }

    #[test]
    fn logging_can_be_started_twice_and_refuses_a_bad_filter() {
        assert!(init(Format::Json, "warn,shared=info").is_ok());
        assert!(init(Format::Pretty, "info").is_ok());
        assert!(init(Format::Pretty, "shared=loud").is_err());
    }
}
