//! What a request to the API must bring before anything of it is read.

use actix_web::{
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
    middleware::Next,
};
use shared::{Error, Kind};

use crate::{auth, problem::Problem};

/// Who cannot read JSON gets no answer that they could use, and who does not work here has nothing to look for below
/// `/admin`: they are told so before their parameters are judged.
pub async fn pass(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| !accept.trim().is_empty() && !accept.split(',').any(takes_json)) {
        let detail = "answers are application/json and application/problem+json";
        return Err(Problem::http(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail).into());
    }
    if request.path().starts_with("/api/v1/admin/") {
        let claims = auth::claims(request.request()).await?.ok_or_else(auth::unauthenticated)?;
        if claims.permissions.is_empty() {
            return Err(Problem::from(Error::new(Kind::Forbidden, "forbidden", "this is for staff")).into());
        }
    }
    next.call(request).await
}

/// One entry of `Accept`: `*/*`, `application/json;q=0.5`, but not `application/json;q=0`.
fn takes_json(entry: &str) -> bool {
    let (range, parameters) = entry.split_once(';').unwrap_or((entry, ""));
    let refused =
        parameters.split(';').any(|p| p.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0_f32)));
    let json = ["*/*", "application/*", "application/json", "application/problem+json"];
    !refused && json.contains(&range.trim().to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::takes_json;

    #[test]
    fn json_is_taken_by_name_or_by_range_unless_it_is_refused() {
        for taken in ["*/*", " application/*;q=0.8", "Application/JSON; q=0.1", "application/problem+json"] {
            assert!(takes_json(taken), "{taken}");
        }
        for refused in ["", "text/html", "application/xml", "*/*;q=0", "application/json; v=1; q=0.0"] {
            assert!(!takes_json(refused), "{refused}");
        }
    }
}
