//! JSON bodies: read within limits, parsed strictly, with a pointer to what is wrong.

use std::time::Duration;

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{StatusCode, header},
    web,
};
use futures::{StreamExt, future::LocalBoxFuture};
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use shared::{Error, Kind};

use crate::problem::Problem;

/// How long a client may take to send a body.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest body of a route, in bytes. Set as `app_data` of its resource.
#[derive(Clone, Copy)]
pub struct Limit(pub usize);

impl Limit {
    /// No route takes more.
    pub const LARGEST: Self = Self(8 << 20);
}

impl Default for Limit {
    fn default() -> Self {
        Self(64 << 10)
    }
}

/// A JSON body.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            is_json(&request)?;
            let bytes = read(&request, payload).await?;
            parse(&bytes).map(Self)
        })
    }
}

/// The bytes of a body that is not JSON: pictures, webhooks.
pub struct Raw(pub web::Bytes);

impl FromRequest for Raw {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move { read(&request, payload).await.map(Self) })
    }
}

/// Reads the whole body within the route's limit and the time limit.
async fn read(request: &HttpRequest, payload: Payload) -> Result<web::Bytes, Problem> {
    read_within(request.app_data::<Limit>().copied().unwrap_or_default(), request, payload).await
}

/// Reads the whole body within `limit` and the time limit.
pub async fn read_within(
    limit: Limit,
    request: &HttpRequest,
    mut payload: Payload,
) -> Result<web::Bytes, Problem> {
    let limit = limit.0;
    let encoded = request.headers().get(header::CONTENT_ENCODING).is_some_and(|e| e != "identity");
    if encoded {
        let detail = "send the body as it is, without Content-Encoding";
        return Err(Problem::http(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding", detail));
    }
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|l| l.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let reading = async {
        let mut bytes = web::BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| malformed("the body broke off"))?;
            if bytes.len() + chunk.len() > limit {
                return Err(too_large(limit));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.freeze())
    };
    match tokio::time::timeout(READ_TIMEOUT, reading).await {
        Ok(bytes) => bytes,
        Err(_) => {
            Err(Problem::http(StatusCode::REQUEST_TIMEOUT, "request_timeout", "the body came too slowly"))
        }
    }
}

fn too_large(limit: usize) -> Problem {
    let detail = format!("the body may have at most {limit} bytes");
    Problem::http(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", detail)
        .header(header::CONNECTION, "close")
}

fn malformed(detail: &str) -> Problem {
    Error::new(Kind::Malformed, "malformed_json", detail).into()
}

fn is_json(request: &HttpRequest) -> Result<(), Problem> {
    let content_type =
        request.headers().get(header::CONTENT_TYPE).and_then(|t| t.to_str().ok()).unwrap_or_default();
    let mut parts = content_type.split(';').map(|p| p.trim().to_ascii_lowercase());
    let json = parts.next().is_some_and(|t| t == "application/json");
    let utf8 = parts
        .all(|p| !p.starts_with("charset=") || p.trim_start_matches("charset=").trim_matches('"') == "utf-8");
    if json && utf8 {
        return Ok(());
    }
    let detail = "send application/json in UTF-8";
    Err(Problem::http(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail))
}

/// Parses strictly. What is not JSON is 400; JSON that does not fit is 422 with a pointer.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // Serde would take an array for a struct, member by member.
    if bytes.trim_ascii_start().first().is_some_and(|b| *b != b'{') {
        syntax(bytes)?;
        return Err(Error::invalid("", "type", "send a JSON object").into());
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        // Whether it fits is only worth saying of something that is JSON to its end.
        syntax(bytes).err().unwrap_or_else(|| explain(&pointer(error.path()), error.inner()))
    })?;
    deserializer.end().map_err(|_| malformed("there is something after the JSON document"))?;
    Ok(value)
}

fn syntax(bytes: &[u8]) -> Result<(), Problem> {
    let checked = serde_json::from_slice::<serde::de::IgnoredAny>(bytes);
    checked.map(|_| ()).map_err(|error| malformed(&format!("the body is not JSON: {error}")))
}

fn explain(pointer: &str, error: &serde_json::Error) -> Problem {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    if error.classify() != serde_json::error::Category::Data {
        return malformed(&format!("the body is not JSON: {message}"));
    }
    let named = |prefix: &str| {
        message
            .strip_prefix(prefix)
            .and_then(|rest| rest.split('`').nth(1))
            .map(|name| escape(name).to_string())
    };
    if let Some(name) = named("unknown field ") {
        let detail = format!("there is no member {name:?} here");
        return Error::invalid(join(pointer, &name), "unknown_field", detail).into();
    }
    if let Some(name) = named("missing field ") {
        return Error::invalid(join(pointer, &name), "required", "this member is required").into();
    }
    if let Some(name) = named("duplicate field ") {
        return malformed(&format!("the member {name:?} occurs twice"));
    }
    let code = if message.starts_with("invalid type") { "type" } else { "invalid_value" };
    Error::invalid(pointer, code, message.to_owned()).into()
}

/// The error may be reported at the member itself or at its parent.
fn join(pointer: &str, name: &str) -> String {
    if pointer.rsplit('/').next() == Some(name) { pointer.to_owned() } else { format!("{pointer}/{name}") }
}

fn pointer(path: &Path) -> String {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", escape(key))),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

/// RFC 6901 escaping.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use contracts::{cart::NewCart, order::Checkout, product::NewProduct};
    use serde::de::DeserializeOwned;

    use super::*;

    fn error_of<T: DeserializeOwned>(json: &str) -> (String, String, u16) {
        let problem = parse::<T>(json.as_bytes()).err().expect("refused");
        let pointer = problem.error.fields.first().map_or(String::new(), |f| f.pointer.clone());
        let status = actix_web::ResponseError::status_code(&problem).as_u16();
        (problem.error.code.to_string(), pointer, status)
    }

    #[test]
    fn what_is_not_json_is_400_and_what_does_not_fit_is_422_with_a_pointer() {
        let expect = |code: &str, pointer: &str, status| (code.to_owned(), pointer.to_owned(), status);
        for broken in ["", "{", "{\"lines\":[}", "{} {}", "{\"lines\":[],}", &"[".repeat(10_000)] {
            assert_eq!(error_of::<NewCart>(broken), expect("malformed_json", "", 400), "{broken:.20}");
        }
        assert_eq!(error_of::<NewCart>(r#"{"lines":[],"lines":[]}"#), expect("malformed_json", "", 400));
        assert_eq!(error_of::<NewCart>(r#"{"total":1}"#), expect("unknown_field", "/total", 422));
        let line = |rest: &str| format!(r#"{{"lines":[{{"variant_id":"var_{}"{rest}}}]}}"#, "0".repeat(26));
        assert_eq!(error_of::<NewCart>(&line("")), expect("required", "/lines/0/quantity", 422));
        assert_eq!(
            error_of::<NewCart>(&line(r#","quantity":"1""#)),
            expect("type", "/lines/0/quantity", 422)
        );
        assert_eq!(
            error_of::<NewCart>(&line(r#","quantity":1.5"#)),
            expect("type", "/lines/0/quantity", 422)
        );
        assert_eq!(
            error_of::<NewCart>(&line(r#","quantity":1,"price":1"#)),
            expect("unknown_field", "/lines/0/price", 422)
        );
        assert_eq!(error_of::<NewCart>(r#"{"currency":"XXX"}"#), expect("invalid_value", "/currency", 422));
        assert_eq!(error_of::<Checkout>(r#"{"cart_id":"ord_1"}"#).1, "/cart_id");
        assert_eq!(error_of::<NewProduct>(r#"{"title":"x","variants":[{"sku":1}]}"#).1, "/variants/0/sku");
    }
}
