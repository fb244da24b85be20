//! `Idempotency-Key`: a command sent twice has one effect and one answer.

use std::sync::{Arc, Mutex, PoisonError};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse,
    body::{self, BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{Method, StatusCode, header},
    middleware::Next,
    web,
};
use contracts::idempotency::{Answer, Claim, ClaimId, Claimed, Idempotency};
use futures::future::{Ready, ready};
use sha2::{Digest, Sha256};
use shared::{Error, Kind, Result as PortResult, values::Blob};

use crate::{app::State, auth, body::Limit, limits, problem::Problem};

const HEADER: &str = "idempotency-key";

/// How a claim ends.
#[derive(Clone)]
pub(crate) enum End {
    Answered(Answer),
    Abandoned,
}

impl End {
    async fn tell(self, port: &dyn Idempotency, claim: Claim) -> PortResult<()> {
        match self {
            Self::Answered(answer) => port.complete(claim, answer).await,
            Self::Abandoned => port.abandon(claim).await,
        }
    }
}

/// The keys of requests, and those claims whose end could not be told: who asks again shall not wait until the key is
/// free by itself.
pub(crate) struct Keys {
    port: Arc<dyn Idempotency>,
    loose: Mutex<Vec<(Claim, End)>>,
}

impl Keys {
    /// As many are kept in mind.
    const MOST: usize = 10_000;

    pub fn new(port: Arc<dyn Idempotency>) -> Self {
        Self { port, loose: Mutex::default() }
    }

    async fn claim(&self, claim: Claim) -> PortResult<Claimed> {
        let claimed = self.port.claim(claim.clone()).await;
        if claimed.as_ref().is_err_and(|error| error.kind == Kind::Unavailable) {
            // It may have been taken all the same.
            self.keep([(claim, End::Abandoned)]);
        }
        claimed
    }

    async fn end(&self, claim: Claim, end: End) -> PortResult<()> {
        let told = end.clone().tell(&*self.port, claim.clone()).await;
        if told.as_ref().is_err_and(|error| error.kind == Kind::Unavailable) {
            self.keep([(claim, end)]);
        }
        told
    }

    /// Tells the ends that could not be told, until one cannot be again.
    pub async fn tie_up(&self) {
        let loose = std::mem::take(&mut *self.loose.lock().unwrap_or_else(PoisonError::into_inner));
        let mut ends = loose.into_iter();
        while let Some((claim, end)) = ends.next() {
            let told = end.clone().tell(&*self.port, claim.clone()).await;
            if told.is_err_and(|error| error.kind == Kind::Unavailable) {
                return self.keep([(claim, end)].into_iter().chain(ends));
            }
        }
    }

    fn keep(&self, ends: impl IntoIterator<Item = (Claim, End)>) {
        let mut loose = self.loose.lock().unwrap_or_else(PoisonError::into_inner);
        let room = Self::MOST.saturating_sub(loose.len());
        loose.extend(ends.into_iter().take(room));
    }
}

/// The client's key, where the route requires one.
#[derive(Clone)]
pub struct Key(pub String);

impl FromRequest for Key {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let missing = || {
            let detail = "this command moves money: send an Idempotency-Key";
            Error::new(Kind::PreconditionRequired, "idempotency_key_required", detail).into()
        };
        ready(request.extensions().get::<Self>().cloned().ok_or_else(missing))
    }
}

/// The client's key, or none.
pub struct MaybeKey(pub Option<String>);

impl FromRequest for MaybeKey {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.extensions().get::<Key>().map(|k| k.0.clone()))))
    }
}

/// Answers a repeated command from memory; lets a new one through and remembers its answer.
pub async fn remember(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let key = match key(&request)? {
        Some(key) if is_remembered(request.method(), request.path()) => key,
        _ => return Ok(next.call(request).await?.map_into_boxed_body()),
    };
    let state = request.app_data::<web::Data<State>>().expect("the gateway sets its state").clone();
    let payload = request.take_payload();
    // The route is not chosen yet; its own limit holds when its handler reads the body.
    let bytes = crate::body::read_within(Limit::LARGEST, request.request(), payload).await?;
    let scope = scope(request.request()).await?;
    let claim = Claim { id: ClaimId::new(), scope, key: key.clone(), request_hash: hash(&bytes) };
    match state.keys.claim(claim.clone()).await.map_err(Problem::from)? {
        Claimed::Fresh => {}
        Claimed::Done { answer } => return Ok(request.into_response(replay(answer))),
        Claimed::InProgress => {
            let detail = "the same command is being carried out right now";
            return Err(
                Problem::from(Error::conflict("idempotency_in_progress", detail).retry_after(1)).into()
            );
        }
        Claimed::Reused => {
            let detail = "this Idempotency-Key was used for another body";
            return Err(Problem::from(Error::new(Kind::Invalid, "idempotency_key_reused", detail)).into());
        }
    }
    request.extensions_mut().insert(Key(key));
    request.set_payload(Payload::from(bytes));
    let response = match next.call(request).await {
        Ok(response) => response,
        Err(error) => {
            state.keys.end(claim, End::Abandoned).await.map_err(Problem::from)?;
            return Err(error);
        }
    };
    settle(&state, claim, response).await
}

/// Keeps final answers and gives the key back for the others.
async fn settle(
    state: &State,
    claim: Claim,
    response: ServiceResponse<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let (request, response) = response.into_parts();
    let response = match response.error().and_then(|e| e.as_error::<Problem>()).cloned() {
        Some(problem) => problem.respond(request.path(), crate::middleware::trace(&request).as_ref()),
        None => response.map_into_boxed_body(),
    };
    let (head, content) = response.into_parts();
    let bytes =
        body::to_bytes(content).await.map_err(|_| Problem::from(Error::internal("an answer broke off")))?;
    if is_final(head.status()) {
        let text = |name| {
            head.headers().get(name).and_then(|v: &header::HeaderValue| v.to_str().ok()).map(str::to_owned)
        };
        let kept = [header::LOCATION, header::ETAG, header::RETRY_AFTER];
        let answer = Answer {
            status: head.status().as_u16(),
            content_type: text(header::CONTENT_TYPE).unwrap_or_default(),
            body: Blob(bytes.clone()),
            headers: kept.into_iter().filter_map(|n| text(n.clone()).map(|v| (n.to_string(), v))).collect(),
        };
        state.keys.end(claim, End::Answered(answer)).await.map_err(Problem::from)?;
    } else {
        state.keys.end(claim, End::Abandoned).await.map_err(Problem::from)?;
    }
    Ok(ServiceResponse::new(request, head.set_body(BoxBody::new(bytes))))
}

/// Success, and the refusals that a repeat would meet again. Not: what says "fix the request" or "try again later".
fn is_final(status: StatusCode) -> bool {
    status.is_success()
        || matches!(status, StatusCode::PAYMENT_REQUIRED | StatusCode::CONFLICT | StatusCode::GONE)
}

fn key(request: &ServiceRequest) -> Result<Option<String>, Problem> {
    let Some(value) = request.headers().get(HEADER) else { return Ok(None) };
    let valid = value
        .to_str()
        .ok()
        .filter(|v| (1..=255).contains(&v.len()) && v.bytes().all(|b| b.is_ascii_graphic()));
    let detail = "an Idempotency-Key has 1 to 255 visible ASCII characters";
    let key = valid.ok_or_else(|| Error::new(Kind::Malformed, "idempotency_key_invalid", detail))?;
    Ok(Some(key.to_owned()))
}

/// Answers that carry credentials or say who somebody is are not kept, nor is the hash of a password.
fn is_remembered(method: &Method, path: &str) -> bool {
    const PRIVATE: [&str; 4] = ["/sessions", "/password_resets", "/email_verifications", "/customers"];
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    matches!(*method, Method::POST | Method::PATCH | Method::PUT)
        && !PRIVATE.iter().any(|private| path.starts_with(private))
}

/// Principal, method and path: nobody ever meets another's key. Somebody without an account is who comes from an address;
/// who comes back from another one finds the order of the cart all the same.
async fn scope(request: &HttpRequest) -> Result<String, Problem> {
    let principal = match auth::claims(request).await? {
        Some(claims) => claims.sub.to_string(),
        None => format!("anonymous {}", limits::address(request)),
    };
    Ok(format!("{principal} {} {}", request.method(), request.path()))
}

fn hash(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

fn replay(answer: Answer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    response.content_type(answer.content_type).insert_header(("idempotent-replayed", "true"));
    for (name, value) in answer.headers {
        response.insert_header((name, value));
    }
    response.body(answer.body.0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use async_trait::async_trait;

    use super::*;

    /// Remembers who holds a key and what was answered, and may be out of reach, before or after it has done it.
    #[derive(Default)]
    struct Double {
        held: Mutex<BTreeMap<String, (ClaimId, Option<u16>)>>,
        away: Mutex<bool>,
    }

    impl Double {
        fn reached(&self) -> PortResult<()> {
            match *self.away.lock().unwrap() {
                true => Err(Error::unavailable("away")),
                false => Ok(()),
            }
        }
    }

    #[async_trait]
    impl Idempotency for Double {
        async fn claim(&self, claim: Claim) -> PortResult<Claimed> {
            // It is the answer that is lost.
            self.held.lock().unwrap().insert(claim.key, (claim.id, None));
            self.reached().map(|()| Claimed::Fresh)
        }

        async fn complete(&self, claim: Claim, answer: Answer) -> PortResult<()> {
            self.reached()?;
            self.held.lock().unwrap().insert(claim.key, (claim.id, Some(answer.status)));
            Ok(())
        }

        async fn abandon(&self, claim: Claim) -> PortResult<()> {
            self.reached()?;
            self.held.lock().unwrap().remove(&claim.key);
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_could_not_be_told_is_told_later() {
        let double = Arc::new(Double::default());
        let keys = Keys::new(double.clone());
        let claim = |key: &str| Claim {
            id: ClaimId::new(),
            scope: "scope".into(),
            key: key.into(),
            request_hash: "hash".into(),
        };
        let done = claim("done");
        keys.claim(done.clone()).await.unwrap();
        *double.away.lock().unwrap() = true;
        keys.claim(claim("lost")).await.unwrap_err();
        let answer = Answer {
            status: 201,
            content_type: String::new(),
            body: Blob(web::Bytes::new()),
            headers: Vec::new(),
        };
        keys.end(done.clone(), End::Answered(answer)).await.unwrap_err();
        keys.tie_up().await;
        assert_eq!(double.held.lock().unwrap().len(), 2);
        *double.away.lock().unwrap() = false;
        keys.tie_up().await;
        let held = double.held.lock().unwrap().clone();
        assert_eq!(held, BTreeMap::from([("done".to_owned(), (done.id, Some(201)))]));
        assert!(keys.loose.lock().unwrap().is_empty());
    }
}
