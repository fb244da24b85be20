//! One allowance for all instances: the generic cell rate algorithm, in one step on the server.

use std::time::Duration;

use deadpool_redis::redis;

use super::Redis;

/// GCRA (Brandur Leach, "Rate Limiting, Cells, and GCRA", 2015): the key holds the theoretical arrival time in µs by
/// the server's clock. Answers how long to wait, 0 if the request may pass.
const GCRA: &str = "
    local t = redis.call('TIME')
    local now = t[1] * 1000000 + t[2]
    local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
    local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + interval
    local wait = arrival - interval * burst - now
    if wait > 0 then return wait end
    redis.call('SET', KEYS[1], string.format('%.0f', arrival), 'PX', math.ceil((arrival - now) / 1000))
    return 0";

/// What the shared limit says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is some allowance left, or nobody knows.
    Pass,
    /// None is left for this long.
    Wait(Duration),
}

impl Redis {
    /// Counts one request of `key` against `per_minute` of them, of which all may come at once.
    pub async fn count(&self, key: &str, per_minute: u32) -> Verdict {
        let mut commands = redis::pipe();
        let interval = 60_000_000 / u64::from(per_minute.max(1));
        commands
            .cmd("EVAL")
            .arg(GCRA)
            .arg(1)
            .arg(self.key("limit", key))
            .arg(interval)
            .arg(per_minute.max(1));
        match self.ask::<(i64,)>(&commands).await {
            Some((wait,)) if wait > 0 => {
                Verdict::Wait(Duration::from_micros(u64::try_from(wait).unwrap_or(u64::MAX)))
            }
            _ => Verdict::Pass,
        }
    }
}
