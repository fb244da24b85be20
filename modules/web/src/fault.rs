//! What a page answers when it cannot do what was asked.

use std::fmt;

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use shared::{Error, Kind};

/// What handlers return.
pub type Answer<T = HttpResponse> = Result<T, Fault>;

/// An error on its way to becoming a page; the outermost layer of the pages renders it.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Of a port, or of our own in its words.
    Error(Error),
    /// Nobody is signed in, or not with this right: to the sign-in page, and back afterwards.
    SignIn,
    /// The address does not answer this method.
    Method,
}

impl Fault {
    /// There is no such page.
    pub fn not_found() -> Self {
        Self::Error(Error::not_found("page"))
    }

    /// Staff without this permission.
    pub fn forbidden() -> Self {
        Self::Error(Error::new(Kind::Forbidden, "forbidden", "your role does not allow this"))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<askama::Error> for Fault {
    fn from(error: askama::Error) -> Self {
        Self::Error(Error::internal(error.to_string()))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => fmt::Display::fmt(error, f),
            Self::SignIn => f.write_str("sign in first"),
            Self::Method => f.write_str("not with this method"),
        }
    }
}

/// The status of a page that tells an error.
pub fn status(error: &Error) -> StatusCode {
    StatusCode::from_u16(error.kind.status()).expect("every kind has a status")
}

impl ResponseError for Fault {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::SignIn => StatusCode::SEE_OTHER,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Error(error) => status(error),
        }
    }
}
