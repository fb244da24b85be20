//! The one error of every port: it crosses process borders and becomes HTTP at the last step.

use std::{borrow::Cow, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// What a port answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller can do about an error. Each kind has one HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The input could not be parsed (400).
    Malformed,
    /// Nobody has proved who is calling (401).
    Unauthenticated,
    /// The payment was declined (402).
    Declined,
    /// The caller is known and may not do this (403).
    Forbidden,
    /// No such thing, or somebody else's (404).
    NotFound,
    /// The state of the shop does not allow it (409).
    Conflict,
    /// It existed and is used up (410).
    Gone,
    /// The precondition does not hold (412).
    PreconditionFailed,
    /// Parsed, but not valid (422).
    Invalid,
    /// A header that makes this safe is missing (428).
    PreconditionRequired,
    /// Too many requests (429).
    RateLimited,
    /// Nobody could be asked; try again later (503).
    Unavailable,
    /// Our fault (500).
    Internal,
}

impl Kind {
    /// The HTTP status that stands for it.
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unauthenticated => 401,
            Self::Declined => 402,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::Gone => 410,
            Self::PreconditionFailed => 412,
            Self::Invalid => 422,
            Self::PreconditionRequired => 428,
            Self::RateLimited => 429,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }
}

/// One wrong field: an RFC 6901 pointer into the request body (or the name of a parameter).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldError {
    /// JSON pointer such as `/lines/0/quantity`.
    pub pointer: String,
    /// Stable code such as `required` or `out_of_range`.
    pub code: String,
    /// One sentence for people.
    pub detail: String,
}

/// An error that says what failed for whom.
///
/// `Display` shows the detail only; the cause is for the log (`Debug`, `source`) and does not travel.
#[derive(Clone, Serialize, Deserialize)]
pub struct Error {
    /// What a caller can do about it.
    pub kind: Kind,
    /// Stable, snake_case: callers match on it.
    pub code: Cow<'static, str>,
    /// One sentence for people.
    pub detail: String,
    /// The wrong fields, for `Invalid` and `Malformed`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldError>,
    /// Further members of the problem document, such as `available` or `from` and `to`.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub extra: serde_json::Map<String, serde_json::Value>,
    /// Seconds after which a repeat makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    #[serde(skip)]
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of any kind.
    pub fn new(kind: Kind, code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self {
            kind,
            code: code.into(),
            detail: detail.into(),
            fields: Vec::new(),
            extra: serde_json::Map::new(),
            retry_after: None,
            cause: None,
        }
    }

    /// `what` is the noun: "product", "order".
    pub fn not_found(what: &str) -> Self {
        Self::new(Kind::NotFound, "not_found", format!("no such {what}"))
    }

    /// The state of the shop does not allow it.
    pub fn conflict(code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, code, detail)
    }

    /// A move that the state table does not have.
    pub fn illegal_transition(what: &str, from: impl fmt::Display, to: impl fmt::Display) -> Self {
        Self::conflict("illegal_transition", format!("{what} cannot go from {from} to {to}"))
            .with("from", from.to_string())
            .with("to", to.to_string())
    }

    /// One field is wrong. `pointer` is an RFC 6901 pointer into the request.
    pub fn invalid(pointer: impl Into<String>, code: impl Into<String>, detail: impl Into<String>) -> Self {
        let (code, detail) = (code.into(), detail.into());
        let mut error = Self::new(Kind::Invalid, code.clone(), detail.clone());
        error.fields.push(FieldError { pointer: pointer.into(), code, detail });
        error
    }

    /// Several fields are wrong. `fields` must not be empty.
    pub fn invalid_fields(fields: Vec<FieldError>) -> Self {
        let detail = match fields.len() {
            1 => fields[0].detail.clone(),
            n => format!("{n} fields are wrong"),
        };
        let code = fields.first().map_or("validation".to_owned(), |f| f.code.clone());
        let mut error = Self::new(Kind::Invalid, code, detail);
        error.fields = fields;
        error
    }

    /// Nobody could be asked.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        let mut error = Self::new(Kind::Unavailable, "unavailable", detail);
        error.retry_after = Some(1);
        error
    }

    /// Our fault. The cause goes to the log, never to the caller.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(Kind::Internal, "internal", "something went wrong on our side").caused_by(cause)
    }

    /// Adds what is behind it, for the log.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(Arc::from(cause.into()));
        self
    }

    /// Adds a member to the problem document.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.extra.insert(name.to_owned(), value.into());
        self
    }

    /// Says when a repeat makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Puts `prefix` before every field's pointer: an error about an address becomes one about `/shipping_address`.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        for field in &mut self.fields {
            field.pointer.insert_str(0, prefix);
        }
        self
    }

    /// True for the kinds that say nothing about the request itself: a repeat may succeed.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, Kind::Unavailable | Kind::RateLimited | Kind::Internal)
    }

    /// The whole chain of causes, for the log.
    pub fn chain(&self) -> String {
        let mut text = format!("{}: {}", self.code, self.detail);
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.kind, self.chain())?;
        if !self.fields.is_empty() {
            write!(f, " {:?}", self.fields)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(error)
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        match error {
            diesel::result::Error::NotFound => Self::not_found("record"),
            error if is_gone(&error) => Self::unavailable("the database cannot be reached").caused_by(error),
            error if is_late(&error) => Self::unavailable("the database is busy").caused_by(error),
            error => Self::internal(error),
        }
    }
}

/// Whether the server has left in the middle: PostgreSQL says so only in words when it is told to stop.
fn is_gone(error: &diesel::result::Error) -> bool {
    use diesel::result::{DatabaseErrorKind, Error as DieselError};
    match error {
        DieselError::DatabaseError(
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
            _,
        )
        | DieselError::BrokenTransactionManager => true,
        DieselError::DatabaseError(_, information) => {
            let message = information.message();
            ["terminating connection", "connection closed", "the database system is", "error communicating"]
                .iter()
                .any(|words| message.contains(words))
        }
        _ => false,
    }
}

/// Whether a statement took longer than it may, or waited too long for another or lost to it.
fn is_late(error: &diesel::result::Error) -> bool {
    use diesel::result::{DatabaseErrorKind, Error as DieselError};
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => true,
        DieselError::DatabaseError(_, information) => {
            let message = information.message();
            message == "deadlock detected" || message.starts_with("canceling statement due to")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_logged_and_never_sent() {
        let error = Error::internal("password=hunter2");
        assert!(error.chain().contains("hunter2"));
        assert!(!error.to_string().contains("hunter2"));
        assert!(!serde_json::to_string(&error).unwrap().contains("hunter2"));
    }

    #[test]
    fn a_pointer_can_be_moved_under_a_field() {
        let error = Error::invalid("/country", "country", "unknown country").under("/shipping_address");
        assert_eq!(error.fields[0].pointer, "/shipping_address/country");
    }
}
