//! How often somebody may ask. The edges of the shop (gateway, web) share one [`Limits`], so that it does not matter
//! where somebody knocks.

use std::{fmt::Display, hash::Hash, net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use data_encoding::BASE64URL_NOPAD;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{
    Error, Kind, Result,
    redis::{Redis, Verdict},
    values::Email,
};

/// Allowances per minute. A full minute's worth may come at once.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quotas {
    /// Logins from one address.
    pub login_per_address: u32,
    /// Logins into one account.
    pub login_per_account: u32,
    /// Password resets and verification mails from one address.
    pub reset_per_address: u32,
    /// New accounts from one address.
    pub register_per_address: u32,
    /// Checkouts from one address.
    pub checkout_per_address: u32,
    /// Reviews, votes and reports from one address.
    pub review_per_address: u32,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            login_per_address: 60,
            login_per_account: 20,
            reset_per_address: 10,
            register_per_address: 30,
            checkout_per_address: 1200,
            review_per_address: 120,
        }
    }
}

/// The limiters, one per kind of request. Each key has its own allowance: in this process, and where there is Redis in
/// all of them together. Without an answer from Redis the process's own allowance is what counts.
pub struct Limits {
    quotas: Quotas,
    shared: Option<Redis>,
    login_address: DefaultKeyedRateLimiter<IpAddr>,
    login_account: DefaultKeyedRateLimiter<Email>,
    reset: DefaultKeyedRateLimiter<IpAddr>,
    register: DefaultKeyedRateLimiter<IpAddr>,
    checkout: DefaultKeyedRateLimiter<IpAddr>,
    review: DefaultKeyedRateLimiter<IpAddr>,
}

/// A request with a limit of its own.
#[derive(Clone, Copy, Debug)]
pub enum Limited {
    Reset,
    Register,
    Checkout,
    Review,
}

impl Limits {
    /// Everybody starts with a full allowance.
    pub fn new(quotas: &Quotas, shared: Option<Redis>) -> Arc<Self> {
        Arc::new(Self {
            quotas: quotas.clone(),
            shared,
            login_address: RateLimiter::keyed(per_minute(quotas.login_per_address)),
            login_account: RateLimiter::keyed(per_minute(quotas.login_per_account)),
            reset: RateLimiter::keyed(per_minute(quotas.reset_per_address)),
            register: RateLimiter::keyed(per_minute(quotas.register_per_address)),
            checkout: RateLimiter::keyed(per_minute(quotas.checkout_per_address)),
            review: RateLimiter::keyed(per_minute(quotas.review_per_address)),
        })
    }

    /// Counts a login by address and by account; `RateLimited` with the seconds to wait.
    pub async fn login(&self, address: IpAddr, email: &Email) -> Result<()> {
        check(&self.login_address, &address)?;
        check(&self.login_account, email)?;
        self.count("login_address", &address, self.quotas.login_per_address).await?;
        self.count("login_account", email, self.quotas.login_per_account).await
    }

    /// Counts a request by address; `RateLimited` with the seconds to wait.
    pub async fn check(&self, what: Limited, address: IpAddr) -> Result<()> {
        let quotas = &self.quotas;
        let (limiter, name, quota) = match what {
            Limited::Reset => (&self.reset, "reset", quotas.reset_per_address),
            Limited::Register => (&self.register, "register", quotas.register_per_address),
            Limited::Checkout => (&self.checkout, "checkout", quotas.checkout_per_address),
            Limited::Review => (&self.review, "review", quotas.review_per_address),
        };
        check(limiter, &address)?;
        self.count(name, &address, quota).await
    }

    async fn count(&self, name: &str, key: &impl Display, per_minute: u32) -> Result<()> {
        let Some(redis) = &self.shared else { return Ok(()) };
        // A person's address is not kept in the clear.
        let key = BASE64URL_NOPAD.encode(&Sha256::digest(key.to_string())[..18]);
        match redis.count(&format!("{name}:{key}"), per_minute).await {
            Verdict::Pass => Ok(()),
            Verdict::Wait(wait) => Err(too_many(wait)),
        }
    }

    /// Forgets keys that have their whole allowance again.
    pub fn shrink(&self) {
        self.login_address.retain_recent();
        self.login_account.retain_recent();
        self.reset.retain_recent();
        self.register.retain_recent();
        self.checkout.retain_recent();
        self.review.retain_recent();
    }
}

fn per_minute(count: u32) -> Quota {
    Quota::per_minute(NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN))
}

fn check<K: Hash + Eq + Clone>(limiter: &DefaultKeyedRateLimiter<K>, key: &K) -> Result<()> {
    limiter.check_key(key).map_err(|until| too_many(until.wait_time_from(limiter.clock().now())))
}

fn too_many(wait: Duration) -> Error {
    let seconds = wait.as_secs_f32().ceil() as u32;
    Error::new(Kind::RateLimited, "rate_limited", "too many requests of this kind")
        .retry_after(seconds.max(1))
}

/// The client's address: the peer's, unless that is a proxy of ours, whose `X-Forwarded-For` names another.
pub fn client_address(peer: Option<IpAddr>, forwarded_for: Option<&str>, proxies: &[IpAddr]) -> IpAddr {
    let peer = peer.unwrap_or(IpAddr::from([0, 0, 0, 0]));
    if !proxies.contains(&peer) {
        return peer;
    }
    forwarded_for.and_then(|v| v.rsplit(',').next()?.trim().parse().ok()).unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_proxy_of_ours_may_name_another_client() {
        let (proxy, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([192, 0, 2, 7]));
        let ask = |peer, forwarded| client_address(Some(peer), Some(forwarded), &[proxy]);
        assert_eq!(ask(proxy, "203.0.113.9, 192.0.2.7"), other);
        assert_eq!(ask(other, "203.0.113.9"), other);
        assert_eq!(ask(proxy, "nonsense"), proxy);
    }

    #[tokio::test]
    async fn who_asks_too_often_is_told_how_long_to_wait() {
        let limits = Limits::new(&Quotas { reset_per_address: 2, ..Quotas::default() }, None);
        let ask = async |last| limits.check(Limited::Reset, IpAddr::from([192, 0, 2, last])).await;
        assert!(ask(1).await.is_ok() && ask(1).await.is_ok());
        let refused = ask(1).await.expect_err("two a minute");
        assert_eq!(refused.kind, Kind::RateLimited);
        assert!(refused.retry_after.is_some_and(|seconds| (1..=60).contains(&seconds)));
        assert!(ask(2).await.is_ok());
    }

    #[tokio::test]
    async fn instances_share_an_allowance_and_keep_their_own_when_redis_goes() {
        let Some(url) = crate::testing::redis() else { return };
        let form = uuid::Uuid::new_v4().simple().to_string();
        let quotas = Quotas { reset_per_address: 2, ..Quotas::default() };
        let instance = |url: &str| Limits::new(&quotas, Some(Redis::new(url, &form).expect("a URL")));
        let address = IpAddr::from([192, 0, 2, 1]);
        let (one, two, alone) = (instance(&url), instance(&url), instance("redis://127.0.0.1:1"));
        assert!(one.check(Limited::Reset, address).await.is_ok());
        assert!(two.check(Limited::Reset, address).await.is_ok());
        assert!(two.check(Limited::Reset, address).await.is_err_and(|e| e.kind == Kind::RateLimited));
        for expected in [true, true, false] {
            assert_eq!(alone.check(Limited::Reset, address).await.is_ok(), expected);
        }
    }
}
