//! Until when the work at hand is wanted: it travels with every call, through processes too.

use std::time::{Duration, Instant};

// Like the trace, it belongs to a request and not to the process.
tokio::task_local! {
    static DEADLINE: Instant;
}

/// Runs `future` as work that nobody wants after `deadline`. An earlier deadline that is in force stays.
/// What it spawns is outside unless it is given its own scope.
pub async fn scope<F: Future>(deadline: Instant, future: F) -> F::Output {
    let earlier = current().map_or(deadline, |outer| outer.min(deadline));
    DEADLINE.scope(earlier, future).await
}

/// Until when the running code is wanted, if anybody has said.
pub fn current() -> Option<Instant> {
    DEADLINE.try_with(|deadline| *deadline).ok()
}

/// How long one more call may take: what is left, at most `most`.
pub fn remaining(most: Duration) -> Duration {
    current().map_or(most, |deadline| deadline.saturating_duration_since(Instant::now()).min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_inner_deadline_may_be_earlier_and_never_later() {
        let most = Duration::from_secs(100);
        assert_eq!(remaining(most), most);
        let (soon, later) =
            (Instant::now() + Duration::from_secs(5), Instant::now() + Duration::from_secs(50));
        let inner = scope(soon, scope(later, async { current() })).await;
        assert_eq!(inner, Some(soon));
        let inner = scope(later, scope(soon, async { remaining(most) })).await;
        assert!(inner <= Duration::from_secs(5));
    }
}
