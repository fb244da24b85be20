//! Errors as `application/problem+json` (RFC 9457): one shape for every answer that is not a success.

use std::fmt;

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use serde_json::{Map, Value, json};
use shared::{Error, Kind, telemetry::TraceParent};

/// The media type of every error.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// What an error page may do: look like the shop.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; base-uri 'none'; \
                           form-action 'self'; frame-ancestors 'none'";

/// What handlers answer when they cannot do what was asked.
pub type Answer<T = HttpResponse> = Result<T, Problem>;

/// An error on its way out.
#[derive(Clone, Debug)]
pub struct Problem {
    /// What is wrong.
    pub error: Error,
    status: StatusCode,
    headers: Vec<(header::HeaderName, String)>,
    /// Path and trace, for an answer that the framework makes after the request itself is gone.
    asked: Option<(String, TraceParent)>,
    /// The same as HTML, for a browser.
    page: Option<String>,
}

impl Problem {
    /// For the statuses that only HTTP has (404 for routes, 405, 413, 414, 415 …).
    pub fn http(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let kind = if status.is_server_error() { Kind::Internal } else { Kind::Malformed };
        Self { error: Error::new(kind, code, detail), status, headers: Vec::new(), asked: None, page: None }
    }

    /// Adds a header such as `Allow`.
    #[must_use]
    pub fn header(mut self, name: header::HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Remembers what was asked.
    #[must_use]
    pub fn asked(mut self, path: String, trace: TraceParent) -> Self {
        self.asked = Some((path, trace));
        self
    }

    /// Answers with a page instead of a problem document.
    #[must_use]
    pub fn page(mut self, page: Option<String>) -> Self {
        self.page = page;
        self
    }

    /// The answer. Called by the outermost middleware, which knows the request.
    pub fn respond(&self, path: &str, trace: Option<&TraceParent>) -> HttpResponse {
        let mut document = Map::new();
        document.insert("type".into(), json!(format!("urn:bodega:problem:{}", self.error.code)));
        document.insert("title".into(), json!(self.status.canonical_reason().unwrap_or("Error")));
        document.insert("status".into(), json!(self.status.as_u16()));
        document.insert("code".into(), json!(self.error.code));
        document.insert("detail".into(), json!(self.error.detail));
        document.insert("instance".into(), json!(path));
        document.insert("trace_id".into(), json!(trace.map(|t| t.trace_id())));
        document.insert("errors".into(), json!(self.error.fields));
        for (name, value) in &self.error.extra {
            document.entry(name.as_str()).or_insert_with(|| value.clone());
        }
        let mut response = HttpResponse::build(self.status);
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(seconds) = self.error.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"bodega\""));
        }
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.as_str()));
        }
        match &self.page {
            Some(page) => response
                .content_type("text/html; charset=utf-8")
                .insert_header((header::CONTENT_SECURITY_POLICY, PAGE_POLICY))
                .body(page.clone()),
            None => response.content_type(CONTENT_TYPE).body(Value::Object(document).to_string()),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = StatusCode::from_u16(error.kind.status()).expect("every kind has a status");
        Self { error, status, headers: Vec::new(), asked: None, page: None }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let (path, trace) = match &self.asked {
            Some((path, trace)) => (path.as_str(), Some(trace)),
            None => ("", None),
        };
        let mut response = self.respond(path, trace);
        if let Some(trace) = trace {
            crate::middleware::protect(response.headers_mut(), trace, false);
        }
        response
    }
}

/// What an answer without a problem document stands for: errors of the framework itself.
pub fn of_status(status: StatusCode) -> Problem {
    match status {
        StatusCode::NOT_FOUND => {
            Problem::from(Error::new(Kind::NotFound, "not_found", "there is nothing here"))
        }
        StatusCode::PAYLOAD_TOO_LARGE => Problem::http(status, "payload_too_large", "the body is too large"),
        StatusCode::METHOD_NOT_ALLOWED => Problem::http(status, "method_not_allowed", "not with this method"),
        StatusCode::SERVICE_UNAVAILABLE => {
            Problem::from(Error::unavailable("what this needs cannot be reached; ask again"))
        }
        status if status.is_server_error() => {
            Problem::from(Error::internal(format!("the framework answered {status}")))
        }
        status => Problem::http(status, "malformed_request", "the request could not be understood"),
    }
}

/// The default service of the whole application.
pub async fn not_found(_: HttpRequest) -> Answer {
    Err(of_status(StatusCode::NOT_FOUND))
}
