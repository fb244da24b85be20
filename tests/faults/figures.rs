//! How it went: what share was answered well, and how fast.

use std::{
    fmt,
    time::{Duration, Instant},
};

/// One answer, as who asked for it saw it.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub asked: Instant,
    pub took: Duration,
    /// 0: there was no answer.
    pub status: u16,
}

/// Answers to one kind of request.
#[derive(Clone, Debug, Default)]
pub struct Figures(Vec<Seen>);

impl FromIterator<Seen> for Figures {
    fn from_iter<T: IntoIterator<Item = Seen>>(seen: T) -> Self {
        Self(seen.into_iter().collect())
    }
}

impl Figures {
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// How many have this status.
    pub fn with_status(&self, status: u16) -> usize {
        self.0.iter().filter(|seen| seen.status == status).count()
    }

    /// The share that the shop has served: neither failed nor sent away.
    pub fn served(&self) -> f64 {
        let served = self.0.iter().filter(|seen| (200..429).contains(&seen.status)).count();
        served as f64 / self.0.len().max(1) as f64
    }

    /// So many in a hundred took no longer.
    pub fn percentile(&self, percent: usize) -> Duration {
        let mut times: Vec<_> = self.0.iter().map(|seen| seen.took).collect();
        times.sort_unstable();
        let rank = (times.len() * percent).div_ceil(100).max(1) - 1;
        times.get(rank).copied().unwrap_or_default()
    }

    pub fn slowest(&self) -> Duration {
        self.percentile(100)
    }

    /// How long after `moment` the first answer with this status came.
    pub fn first_after(&self, moment: Instant, status: u16) -> Option<Duration> {
        let ends = self.0.iter().filter(|seen| seen.status == status).map(|seen| seen.asked + seen.took);
        ends.filter(|end| *end > moment).min().map(|end| end - moment)
    }

    /// The longest time in which no answer with this status came.
    pub fn longest_gap(&self, status: u16) -> Duration {
        let served = self.0.iter().filter(|seen| seen.status == status);
        let mut ends: Vec<_> = served.map(|seen| seen.asked + seen.took).collect();
        ends.sort_unstable();
        ends.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (half, most) = (self.percentile(50).as_millis(), self.percentile(99).as_millis());
        let (served, slowest) = (self.served() * 100.0, self.slowest().as_millis());
        write!(f, "{} asked, {served:.2} % served, p50 {half} ms, p99 {most} ms, ", self.count())?;
        write!(f, "slowest {slowest} ms")
    }
}
