//! Named points at which a test kills the process, as `SIGKILL` would.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{Error, Result};

/// The points at which this process is to die. None, except in fault tests.
#[derive(Clone, Debug, Default)]
pub struct CrashPoints(Option<Arc<HashMap<String, AtomicU64>>>);

impl CrashPoints {
    /// The process lives.
    pub fn none() -> Self {
        Self(None)
    }

    /// `saga.reserved:3,payment.captured` dies on the third pass through the one or the first through the other.
    /// Empty text is [`CrashPoints::none`]; a count that is not a positive number is `Invalid`.
    pub fn parse(text: &str) -> Result<Self> {
        let mut points = HashMap::new();
        for point in text.split(',').map(str::trim).filter(|point| !point.is_empty()) {
            let (name, count) = point.split_once(':').unwrap_or((point, "1"));
            let count = count.parse().ok().filter(|count| *count > 0);
            let count =
                count.ok_or_else(|| Error::invalid("crash_points", "format", "expected name:count"))?;
            points.insert(name.to_owned(), AtomicU64::new(count));
        }
        Ok(Self((!points.is_empty()).then(|| Arc::new(points))))
    }

    /// Dies here if this is the pass to die at: no destructor runs and nothing is flushed.
    pub fn pass(&self, name: &str) {
        if self.is_last(name) {
            std::process::abort();
        }
    }

    fn is_last(&self, name: &str) -> bool {
        let left = self.0.as_ref().and_then(|points| points.get(name));
        left.is_some_and(|left| left.fetch_sub(1, Ordering::Relaxed) == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_dies_at_the_named_pass_only() {
        let points = CrashPoints::parse("saga.reserved:3, other").unwrap();
        let passes: Vec<_> = (0..5).map(|_| points.is_last("saga.reserved")).collect();
        assert_eq!(passes, [false, false, true, false, false]);
        assert!(points.is_last("other"));
        assert!(!points.is_last("unknown"));
    }

    #[test]
    fn nonsense_is_refused_and_nothing_is_none() {
        assert!(CrashPoints::parse("saga:0").is_err());
        assert!(CrashPoints::parse("saga:x").is_err());
        assert!(CrashPoints::parse("").unwrap().0.is_none());
    }
}
