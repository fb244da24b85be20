//! Cookies: all of them host-only, out of reach of scripts, and where somebody else must not read or make them, sealed.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, CookieJar, Key, SameSite, time::Duration},
    http::header,
};
use serde::{Serialize, de::DeserializeOwned};

/// What the pages remember in the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// The session's token.
    Session,
    /// The cart's id and how many units are in it, sealed.
    Cart,
    /// What was entered at the checkout so far, sealed.
    Checkout,
    /// Notices for the next page, sealed.
    Flash,
    /// Product ids, the last first.
    Wishlist,
    /// Product ids, the last first.
    Recent,
    /// Theme, currency, language.
    Preferences,
    /// An anonymous visitor's id, random; also what form tokens are bound to.
    Visitor,
}

impl Name {
    const ALL: [Self; 8] = [
        Self::Session,
        Self::Cart,
        Self::Checkout,
        Self::Flash,
        Self::Wishlist,
        Self::Recent,
        Self::Preferences,
        Self::Visitor,
    ];

    fn plain(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Cart => "cart",
            Self::Checkout => "checkout",
            Self::Flash => "flash",
            Self::Wishlist => "wishlist",
            Self::Recent => "recent",
            Self::Preferences => "preferences",
            Self::Visitor => "visitor",
        }
    }

    fn sealed(self) -> bool {
        matches!(self, Self::Cart | Self::Checkout | Self::Flash)
    }

    /// How long the browser keeps it; none: until it is closed.
    fn life(self) -> Option<Duration> {
        match self {
            Self::Session | Self::Cart => Some(Duration::days(30)),
            Self::Checkout => Some(Duration::days(1)),
            Self::Flash => None,
            Self::Wishlist | Self::Recent | Self::Preferences | Self::Visitor => Some(Duration::days(365)),
        }
    }
}

/// The cookies of one request, and those that its answer sets.
///
/// Names carry the prefix `__Host-` and the attribute `Secure` wherever the browser takes them: over TLS, and on the
/// machine itself. Only a development server that is visited by its address in the local network does without.
#[derive(Clone)]
pub struct Cookies {
    key: Key,
    secure: bool,
    received: Vec<(Name, String)>,
}

impl Cookies {
    /// `tls`: the browser came over TLS. `development`: plain cookies are allowed where secure ones do not work.
    pub fn read(request: &HttpRequest, key: &Key, tls: bool, development: bool) -> Self {
        let host = request.headers().get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let secure = tls || !development || is_local(host);
        let mut cookies = Self { key: key.clone(), secure, received: Vec::new() };
        let all = request.cookies().map(|all| all.clone()).unwrap_or_default();
        for name in Name::ALL {
            let Some(cookie) = all.iter().find(|cookie| cookie.name() == cookies.full(name)) else {
                continue;
            };
            let value =
                if name.sealed() { cookies.open(cookie.clone()) } else { Some(cookie.value().to_owned()) };
            cookies.received.extend(value.map(|value| (name, value)));
        }
        cookies
    }

    /// As it was received.
    pub fn get(&self, name: Name) -> Option<&str> {
        self.received.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// A received cookie that holds JSON.
    pub fn json<T: DeserializeOwned>(&self, name: Name) -> Option<T> {
        serde_json::from_str(self.get(name)?).ok()
    }

    /// Sets a cookie.
    pub fn set(&self, response: &mut HttpResponse, name: Name, value: impl Into<String>) {
        let mut cookie = Cookie::new(self.full(name), value.into());
        if name.sealed() {
            let mut jar = CookieJar::new();
            jar.private_mut(&self.key).add(cookie);
            cookie = jar.get(&self.full(name)).expect("it was just put in").clone();
        }
        cookie.set_max_age(name.life());
        self.send(response, cookie);
    }

    /// Sets a cookie that holds JSON.
    pub fn set_json(&self, response: &mut HttpResponse, name: Name, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(json) => self.set(response, name, json),
            Err(error) => tracing::error!(%error, "a cookie could not be written"),
        }
    }

    /// Takes a cookie back.
    pub fn remove(&self, response: &mut HttpResponse, name: Name) {
        let mut cookie = Cookie::new(self.full(name), "");
        cookie.set_max_age(Duration::ZERO);
        self.send(response, cookie);
    }

    fn send(&self, response: &mut HttpResponse, mut cookie: Cookie<'_>) {
        cookie.set_path("/");
        cookie.set_http_only(true);
        cookie.set_same_site(SameSite::Lax);
        cookie.set_secure(self.secure);
        if let Err(error) = response.add_cookie(&cookie) {
            tracing::error!(%error, name = cookie.name(), "a cookie could not be set");
        }
    }

    fn full(&self, name: Name) -> String {
        let prefix = if self.secure { "__Host-" } else { "" };
        format!("{prefix}{}", name.plain())
    }

    fn open(&self, cookie: Cookie<'static>) -> Option<String> {
        let mut jar = CookieJar::new();
        let name = cookie.name().to_owned();
        jar.add_original(cookie);
        jar.private(&self.key).get(&name).map(|cookie| cookie.value().to_owned())
    }
}

/// Browsers treat these hosts as if they were reached over TLS.
fn is_local(host: &str) -> bool {
    let name =
        host.rsplit_once(':').map_or(host, |(name, port)| if port.ends_with(']') { host } else { name });
    name == "localhost" || name.ends_with(".localhost") || name == "[::1]" || name.starts_with("127.")
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn key() -> Key {
        Key::derive_from(&[7; 32])
    }

    /// What comes back when a browser returns the cookies of an answer.
    fn returned(host: &'static str, name: Name, value: &str) -> (String, Option<String>) {
        let request = TestRequest::default().insert_header((header::HOST, host)).to_http_request();
        let cookies = Cookies::read(&request, &key(), false, true);
        let mut response = HttpResponse::Ok().finish();
        cookies.set(&mut response, name, value);
        let set = response.headers().get(header::SET_COOKIE).unwrap().to_str().unwrap().to_owned();
        let pair = set.split(';').next().unwrap().to_owned();
        let request = TestRequest::default()
            .insert_header((header::HOST, host))
            .insert_header((header::COOKIE, pair))
            .to_http_request();
        let value = Cookies::read(&request, &key(), false, true).get(name).map(str::to_owned);
        (set, value)
    }

    #[test]
    fn a_cookie_is_host_only_and_out_of_reach_of_scripts() {
        let (set, value) = returned("127.0.0.1:8080", Name::Session, "abc");
        assert!(set.starts_with("__Host-session=abc; "), "{set}");
        for attribute in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
            assert!(set.contains(attribute), "{set}");
        }
        assert!(!set.contains("Domain"), "{set}");
        assert_eq!(value.as_deref(), Some("abc"));
    }

    #[test]
    fn a_development_server_in_the_local_network_does_without_secure() {
        let (set, value) = returned("192.168.1.5:8080", Name::Session, "abc");
        assert!(set.starts_with("session=abc") && !set.contains("Secure"), "{set}");
        assert_eq!(value.as_deref(), Some("abc"));
    }

    #[test]
    fn a_sealed_cookie_can_neither_be_read_nor_made() {
        let (set, value) = returned("localhost", Name::Checkout, "ada@example.com");
        assert!(!set.contains("ada"), "{set}");
        assert_eq!(value.as_deref(), Some("ada@example.com"));
        let request = TestRequest::default()
            .insert_header((header::HOST, "localhost"))
            .insert_header((header::COOKIE, "__Host-checkout=made-up"))
            .to_http_request();
        assert_eq!(Cookies::read(&request, &key(), false, true).get(Name::Checkout), None);
    }
}
