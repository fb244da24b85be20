//! Forms: parsed, and refused when another site sent them.
//!
//! A browser says where a request comes from (`Sec-Fetch-Site`, or `Origin` where it is older). One that says neither
//! has to bring the token of the form, which is bound to the session or, without one, to the visitor's cookie.

mod fields;
mod upload;

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web};
use futures::{StreamExt, future::LocalBoxFuture};
use serde::{Deserialize, de::DeserializeOwned};
use shared::{Error, Kind};

pub use fields::Fields;
pub use upload::Upload;

use crate::{Answer, Fault, Page};

/// A form is no larger than this; pictures have their own way.
const LIMIT: usize = 256 * 1024;

/// A form, from a page of ours.
pub struct Post<T>(pub T);

/// A form on a page that is the same for everybody and so has no token. Nothing that needs a session may use it.
pub struct OpenPost<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Post<T> {
    type Error = Fault;
    type Future = LocalBoxFuture<'static, Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let body = read(payload).await?;
            let token: Token = parse(&body).unwrap_or_default();
            check_origin(&request, Some(token.token.as_deref().unwrap_or_default()))?;
            parse(&body).map(Self)
        })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for OpenPost<T> {
    type Error = Fault;
    type Future = LocalBoxFuture<'static, Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            check_origin(&request, None)?;
            parse(&read(payload).await?).map(Self)
        })
    }
}

/// Makes what a form wants happen once, however often it is sent: a random text for its hidden field.
pub fn new_key() -> String {
    data_encoding::BASE64URL_NOPAD.encode(&rand::random::<[u8; 16]>())
}

/// A form without fields.
#[derive(Debug, Deserialize)]
pub struct Empty {}

#[derive(Default, Deserialize)]
struct Token {
    #[serde(rename = "_token")]
    token: Option<String>,
}

async fn read(mut payload: Payload) -> Answer<web::Bytes> {
    let mut body = web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| malformed("the form ended early"))?;
        if body.len() + chunk.len() > LIMIT {
            return Err(malformed("the form is too large"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Answer<T> {
    serde_html_form::from_bytes(body).map_err(|error| malformed(&error.to_string()))
}

fn malformed(detail: &str) -> Fault {
    Error::new(Kind::Malformed, "malformed_form", detail).into()
}

/// Refuses what another site sent. `token`: what the form brought, or `None` where forms bring none.
pub fn check_origin(request: &HttpRequest, token: Option<&str>) -> Answer<()> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let foreign =
        || Fault::from(Error::new(Kind::Forbidden, "csrf", "this form was not sent by a page of ours"));
    if let Some(site) = header("sec-fetch-site") {
        return if matches!(site, "same-origin" | "none") { Ok(()) } else { Err(foreign()) };
    }
    if let Some(origin) = header(header::ORIGIN.as_str()) {
        let host = origin.split_once("://").map(|(_, host)| host);
        return if host.is_some() && host == header(header::HOST.as_str()) { Ok(()) } else { Err(foreign()) };
    }
    let Some(token) = token else { return Ok(()) };
    let expected = Page::of(request).map(|page| page.token.clone()).unwrap_or_default();
    // An HMAC is compared by hashing both again: no timing tells how much of it was right.
    let same = |text: &str| <sha2::Sha256 as sha2::Digest>::digest(text);
    if !expected.is_empty() && same(token) == same(&expected) { Ok(()) } else { Err(foreign()) }
}

#[cfg(test)]
mod tests {
    use actix_web::{http::StatusCode, test::TestRequest};

    use super::*;

    fn ask(headers: &[(&'static str, &'static str)], token: Option<&str>) -> Result<(), StatusCode> {
        let mut request = TestRequest::post().insert_header(("host", "shop.example"));
        for header in headers {
            request = request.insert_header(*header);
        }
        check_origin(&request.to_http_request(), token)
            .map_err(|fault| actix_web::ResponseError::status_code(&fault))
    }

    #[test]
    fn only_pages_of_ours_send_forms() {
        assert!(ask(&[("sec-fetch-site", "same-origin")], Some("")).is_ok());
        assert!(ask(&[("origin", "https://shop.example")], Some("")).is_ok());
        for foreign in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "null"),
            ("origin", "https://shop.example.evil"),
            ("origin", "https://evil.example"),
        ] {
            assert_eq!(ask(&[foreign], Some("")), Err(StatusCode::FORBIDDEN), "{foreign:?}");
            assert_eq!(ask(&[foreign], None), Err(StatusCode::FORBIDDEN), "{foreign:?}");
        }
    }

    #[test]
    fn who_does_not_say_where_a_form_comes_from_needs_its_token() {
        assert_eq!(ask(&[], Some("guessed")), Err(StatusCode::FORBIDDEN));
        assert!(ask(&[], None).is_ok());
    }
}
