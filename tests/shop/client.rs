//! An HTTP client that checks of every answer what must be true of every answer.

use std::fmt;

use reqwest::{
    Method, RequestBuilder,
    header::{HeaderMap, HeaderValue},
    redirect::Policy,
};
use serde_json::Value;

/// Where the API begins.
const API: &str = "/api/v1";

/// Headers that no answer may lack.
const ALWAYS: [&str; 8] = [
    "x-request-id",
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
    "strict-transport-security",
    "content-security-policy",
];

/// Somebody who asks the shop, signed in or not.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// A request on its way.
pub struct Request {
    builder: RequestBuilder,
    what: String,
    head: bool,
}

/// What the shop said.
#[derive(Clone)]
pub struct Answer {
    /// Method and path, for messages.
    pub what: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
    /// `Null` where the body is no JSON.
    pub body: Value,
}

impl Client {
    /// `base` is `http://127.0.0.1:…`. Redirects are answers like others.
    pub fn new(base: String) -> Self {
        Self::of(reqwest::Client::builder(), base)
    }

    /// With connections as this builder makes them.
    pub fn of(connections: reqwest::ClientBuilder, base: String) -> Self {
        let http = connections.redirect(Policy::none()).build().expect("nothing here can fail");
        Self { http, base, token: None }
    }

    /// `http://127.0.0.1:…`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The same client, signed in.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// A request to a path below `/api/v1`.
    pub fn request(&self, method: Method, path: &str) -> Request {
        self.root(method, &format!("{API}{path}"))
    }

    /// A request to any path.
    pub fn root(&self, method: Method, path: &str) -> Request {
        let what = format!("{method} {path}");
        let head = method == Method::HEAD;
        let builder = self.http.request(method, format!("{}{path}", self.base));
        let builder = match &self.token {
            Some(token) => builder.bearer_auth(token),
            None => builder,
        };
        Request { builder, what, head }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send().await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::POST, path).json(body).send().await
    }

    /// With an `Idempotency-Key`.
    pub async fn post_once(&self, path: &str, body: &Value, key: &str) -> Answer {
        self.request(Method::POST, path).json(body).key(key).send().await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::PUT, path).json(body).send().await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::PATCH, path).json(body).send().await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path).send().await
    }
}

impl Request {
    pub fn json(self, body: &Value) -> Self {
        self.raw("application/json", body.to_string())
    }

    pub fn raw(mut self, content_type: &str, body: impl Into<reqwest::Body>) -> Self {
        self.builder = self.builder.header("content-type", content_type).body(body);
        self
    }

    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        // Not every test sends what a header may hold.
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("no line breaks");
        self.builder = self.builder.header(name, value);
        self
    }

    /// Panics if there is no answer, or one that no request may get.
    pub async fn send(self) -> Answer {
        let what = self.what.clone();
        self.try_send().await.unwrap_or_else(|error| panic!("{what}: {error:?}"))
    }

    /// An error means that nobody knows whether it happened.
    pub async fn try_send(self) -> reqwest::Result<Answer> {
        let response = self.builder.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await?.to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let answer = Answer { what: self.what, status, headers, bytes, body };
        answer.check(self.head);
        Ok(answer)
    }

    /// The status alone, for requests that are refused before they are requests.
    pub async fn try_send_unchecked(self) -> Option<u16> {
        self.builder.send().await.ok().map(|response| response.status().as_u16())
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body of an answer that must have this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self}");
        self.body
    }

    /// The problem document of a refusal.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{self}");
        self.body
    }

    /// A refusal that says which member is wrong.
    #[track_caller]
    pub fn refused_at(self, status: u16, code: &str, pointer: &str) -> Value {
        let found = self.body["errors"].as_array().is_some_and(|errors| {
            errors.iter().any(|error| error["pointer"] == pointer && error["code"] == code)
        });
        assert!(found, "no {code} at {pointer:?}: {self}");
        self.refused(status, code)
    }

    /// What is true of every answer, whoever asked for whatever.
    #[track_caller]
    fn check(&self, head: bool) {
        assert_ne!(self.status, 500, "{self}");
        for name in ALWAYS {
            assert!(self.headers.contains_key(name), "{name} is missing: {self}");
        }
        // nginx says its name, and no version.
        assert!(matches!(self.header("server"), "" | "nginx"), "{self}");
        assert!(!self.headers.contains_key("x-powered-by"), "{self}");
        if self.status < 400 || head {
            return;
        }
        assert_eq!(self.header("content-type"), "application/problem+json", "{self}");
        assert_eq!(self.header("cache-control"), "no-store", "{self}");
        let text = |member: &str| self.body[member].as_str().unwrap_or_else(|| panic!("no {member}: {self}"));
        assert_eq!(text("type"), format!("urn:bodega:problem:{}", text("code")), "{self}");
        assert!(!text("title").is_empty() && !text("detail").is_empty(), "{self}");
        assert_eq!(self.body["status"], self.status, "{self}");
        assert!(self.what.contains(text("instance")), "{self}");
        // A replayed answer is the first one, byte for byte.
        let replayed = self.header("idempotent-replayed") == "true";
        assert!(replayed || text("trace_id") == self.header("x-request-id"), "{self}");
        assert_eq!(text("trace_id").len(), 32, "{self}");
        let errors = self.body["errors"].as_array().unwrap_or_else(|| panic!("no errors: {self}"));
        for error in errors {
            let complete = ["pointer", "code", "detail"].iter().all(|member| error[member].is_string());
            assert!(complete, "{self}");
        }
        let needs = match self.status {
            401 => Some("www-authenticate"),
            405 => Some("allow"),
            429 | 503 => Some("retry-after"),
            _ => None,
        };
        assert!(needs.is_none_or(|name| self.headers.contains_key(name)), "{needs:?} is missing: {self}");
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = String::from_utf8_lossy(&self.bytes).chars().take(2_000).collect();
        write!(f, "{} answered {} {text}", self.what, self.status)
    }
}
