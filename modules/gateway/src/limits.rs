//! How often somebody may ask.

use std::{net::IpAddr, num::NonZeroU32, sync::Arc};

use actix_web::{HttpRequest, web};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};
use shared::{Error, Kind, values::Email};

use crate::{app::State, problem::Problem, settings};

/// The limiters, one per kind of request. Each key has its own allowance.
pub struct Limits {
    login_address: DefaultKeyedRateLimiter<IpAddr>,
    login_account: DefaultKeyedRateLimiter<Email>,
    reset: DefaultKeyedRateLimiter<IpAddr>,
    register: DefaultKeyedRateLimiter<IpAddr>,
    checkout: DefaultKeyedRateLimiter<IpAddr>,
}

/// A request with a limit of its own.
#[derive(Clone, Copy)]
pub enum Limited {
    Reset,
    Register,
    Checkout,
}

impl Limits {
    pub fn new(settings: &settings::Limits) -> Arc<Self> {
        Arc::new(Self {
            login_address: RateLimiter::keyed(per_minute(settings.login_per_address)),
            login_account: RateLimiter::keyed(per_minute(settings.login_per_account)),
            reset: RateLimiter::keyed(per_minute(settings.reset_per_address)),
            register: RateLimiter::keyed(per_minute(settings.register_per_address)),
            checkout: RateLimiter::keyed(per_minute(settings.checkout_per_address)),
        })
    }

    /// Counts a login by address and by account.
    pub fn login(&self, address: IpAddr, email: &Email) -> Result<(), Problem> {
        check(&self.login_address, &address)?;
        check(&self.login_account, email)
    }

    /// Counts a request by address.
    pub fn check(&self, what: Limited, address: IpAddr) -> Result<(), Problem> {
        match what {
            Limited::Reset => check(&self.reset, &address),
            Limited::Register => check(&self.register, &address),
            Limited::Checkout => check(&self.checkout, &address),
        }
    }

    /// Forgets keys that have their whole allowance again.
    pub fn shrink(&self) {
        self.login_address.retain_recent();
        self.login_account.retain_recent();
        self.reset.retain_recent();
        self.register.retain_recent();
        self.checkout.retain_recent();
    }
}

fn per_minute(count: u32) -> Quota {
    Quota::per_minute(NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN))
}

fn check<K: std::hash::Hash + Eq + Clone>(
    limiter: &DefaultKeyedRateLimiter<K>,
    key: &K,
) -> Result<(), Problem> {
    limiter.check_key(key).map_err(|until| {
        let wait = until.wait_time_from(limiter.clock().now()).as_secs_f32().ceil() as u32;
        Error::new(Kind::RateLimited, "rate_limited", "too many requests of this kind")
            .retry_after(wait.max(1))
            .into()
    })
}

/// The client's address: the peer's, unless that is a proxy of ours that names another.
pub fn address(request: &HttpRequest) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::from([0, 0, 0, 0]), |a| a.ip());
    let state = request.app_data::<web::Data<State>>().expect("the gateway sets its state");
    if !state.settings.trusted_proxies.contains(&peer) {
        return peer;
    }
    let forwarded = request.headers().get("x-forwarded-for").and_then(|v| v.to_str().ok());
    forwarded.and_then(|v| v.rsplit(',').next()?.trim().parse().ok()).unwrap_or(peer)
}
