//! Query strings: parsed as strictly as bodies.

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures::future::{Ready, ready};
use serde::{Deserialize, de::DeserializeOwned};
use shared::{Error, PageRequest};

use crate::problem::Problem;

/// Typed query parameters; unknown ones are refused by `deny_unknown_fields`.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()).map(Self))
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    serde_urlencoded::from_str(query).map_err(|error| {
        let message = error.to_string();
        let name = message.split('`').nth(1).unwrap_or_default();
        let code = match () {
            () if message.starts_with("unknown field") => "unknown_field",
            () if message.starts_with("missing field") => "required",
            () => "invalid_value",
        };
        Error::invalid(format!("?{name}"), code, message).into()
    })
}

/// `?limit=&cursor=`, to be flattened by hand: serde cannot flatten numbers out of a query string.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many, 1..=100 (20).
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl PageQuery {
    /// Checks the limit.
    pub fn request(self) -> Result<PageRequest, Problem> {
        page(self.limit, self.cursor)
    }
}

/// Checks the limit of a page.
pub fn page(limit: Option<u32>, cursor: Option<String>) -> Result<PageRequest, Problem> {
    let limit = limit.unwrap_or(20);
    if (1..=100).contains(&limit) {
        return Ok(PageRequest { limit, cursor });
    }
    Err(Error::invalid("?limit", "out_of_range", "limit must be between 1 and 100").into())
}
