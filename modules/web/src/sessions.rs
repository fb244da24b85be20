//! Who is signed in: the cookie's token, resumed by the customer module and remembered for some seconds.

use std::{net::IpAddr, sync::Arc, time::Duration};

use actix_web::HttpRequest;
use contracts::customer::{BrowserSession, Claims, Customers, Login, SessionId};
use sha2::{Digest, Sha256};
use shared::{Clock, Kind, Result, limits::client_address};

use crate::Page;

/// How long a session is believed without asking; ends that this process hears of count at once.
const BELIEVED: Duration = Duration::from_secs(15);

/// Sessions in browsers.
pub struct Sessions {
    customers: Arc<dyn Customers>,
    clock: Arc<dyn Clock>,
    /// By the token's hash: a memory dump holds no keys.
    known: moka::sync::Cache<[u8; 32], Arc<Claims>>,
    ended: moka::sync::Cache<SessionId, ()>,
}

impl Sessions {
    /// Nobody is known yet.
    pub fn new(customers: Arc<dyn Customers>, clock: Arc<dyn Clock>) -> Self {
        let known = moka::sync::Cache::builder().max_capacity(100_000).time_to_live(BELIEVED).build();
        let ended = moka::sync::Cache::builder().max_capacity(100_000).time_to_live(BELIEVED * 2).build();
        Self { customers, clock, known, ended }
    }

    /// Whose token this is; `None` if it is nobody's any more.
    pub async fn resume(&self, token: &str) -> Result<Option<Arc<Claims>>> {
        let hash: [u8; 32] = Sha256::digest(token).into();
        let now = self.clock.now().seconds();
        if let Some(claims) = self.known.get(&hash).filter(|claims| claims.exp > now) {
            return Ok(Some(claims).filter(|claims| !self.ended.contains_key(&claims.sid)));
        }
        match self.customers.resume_browser_session(token.to_owned()).await {
            Ok(claims) => {
                let claims = Arc::new(claims);
                self.known.insert(hash, claims.clone());
                Ok(Some(claims).filter(|claims| !self.ended.contains_key(&claims.sid)))
            }
            Err(error) if error.kind == Kind::Unauthenticated => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// These have ended.
    pub fn end(&self, sessions: &[SessionId]) {
        for session in sessions {
            self.ended.insert(*session, ());
        }
    }
}

/// Opens a session in this browser, under the limits that the API has too. The caller sets the cookie.
pub async fn sign_in(page: &Page, request: &HttpRequest, login: Login) -> Result<BrowserSession> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    page.state.limits.login(address(page, request), &login.email).await?;
    let user_agent = header("user-agent").map(ToOwned::to_owned);
    page.ports().customers.open_browser_session(Login { user_agent, ..login }).await
}

/// The client's address, for limits.
pub fn address(page: &Page, request: &HttpRequest) -> IpAddr {
    let forwarded = request.headers().get("x-forwarded-for").and_then(|value| value.to_str().ok());
    client_address(request.peer_addr().map(|a| a.ip()), forwarded, &page.state.settings.trusted_proxies)
}
