//! What every request passes: trace id, log, in-flight limit, headers, panic guard.

use std::{
    panic::AssertUnwindSafe,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use actix_web::{
    HttpMessage, HttpRequest, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, StatusCode, header},
    middleware::Next,
    web,
};
use futures::FutureExt;
use shared::{Error, rpc::deadline, telemetry::TraceParent};

use crate::{
    app::State,
    problem::{self, Problem},
};

/// The request's trace, once the outermost middleware has seen it.
pub fn trace(request: &HttpRequest) -> Option<TraceParent> {
    request.extensions().get::<TraceParent>().copied()
}

/// The outermost layer: gives the request a trace, turns every error into a problem document, logs, counts.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    let trace = request
        .headers()
        .get("traceparent")
        .and_then(|v| TraceParent::parse(v.to_str().ok()?))
        .map_or_else(TraceParent::new, TraceParent::child);
    request.extensions_mut().insert(trace);
    let state = request.app_data::<web::Data<State>>().expect("the gateway sets its state").clone();
    // Not the request itself: routing needs the only handle to it.
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let page = error_page(&request, &state, &trace);
    let answered = shared::telemetry::scope(trace, guarded(request, next, &state)).await;
    let answered = match answered {
        Ok(mut response) => {
            if let Some(problem) = problem_in(&response) {
                let problem = problem.page(page(response.status()));
                response = answer(response.into_parts().0, &problem, &trace);
            }
            let not_modified = response.status() == StatusCode::NOT_MODIFIED;
            let own_policy = response.response().extensions().get::<Page>().is_some();
            protect(response.headers_mut(), &trace, own_policy);
            if !not_modified {
                set(response.headers_mut(), "cache-control", "no-store");
            }
            state.metrics.record(
                response.request().match_pattern(),
                &method,
                response.status(),
                started.elapsed(),
            );
            Ok(response)
        }
        Err(error) => {
            let framework = || problem::of_status(error.as_response_error().status_code());
            let problem = error.as_error::<Problem>().cloned().unwrap_or_else(framework);
            log_failure(&path, &problem, &trace);
            state.metrics.record(None, &method, problem.status_code(), started.elapsed());
            let page = page(problem.status_code());
            Err(problem.asked(path.clone(), trace).page(page).into())
        }
    };
    let status = answered
        .as_ref()
        .map_or_else(|e: &actix_web::Error| e.as_response_error().status_code(), |r| r.status());
    let took = started.elapsed().as_micros() as u64;
    tracing::debug!(target: "bodega::access", trace_id = %trace.trace_id(), %method, path, status = status.as_u16(), took_us = took);
    answered
}

/// Makes the HTML for an error, if the client is a browser that did not ask the API.
fn error_page(
    request: &ServiceRequest,
    state: &web::Data<State>,
    trace: &TraceParent,
) -> impl Fn(StatusCode) -> Option<String> + use<> {
    let header = |name| request.headers().get(name).and_then(|v: &header::HeaderValue| v.to_str().ok());
    let browser = header(header::ACCEPT).is_some_and(|accept| accept.contains("text/html"));
    let pages = state.pages.clone().filter(|_| browser && !request.path().starts_with("/api/"));
    let languages = header(header::ACCEPT_LANGUAGE).unwrap_or_default().to_owned();
    let (path, trace) = (request.path().to_owned(), *trace);
    move |status| Some(pages.as_ref()?.error(&path, &languages, status, &trace.trace_id()))
}

/// What a handler's answer stands for, if it is not a success and not a problem document yet.
fn problem_in(response: &ServiceResponse<BoxBody>) -> Option<Problem> {
    let error = response.response().error()?;
    Some(error.as_error::<Problem>().cloned().unwrap_or_else(|| problem::of_status(response.status())))
}

fn log_failure(path: &str, problem: &Problem, trace: &TraceParent) {
    if problem.error.kind == shared::Kind::Internal {
        tracing::error!(trace_id = %trace.trace_id(), path, error = %problem.error.chain(), "request failed");
    }
}

fn answer(request: HttpRequest, problem: &Problem, trace: &TraceParent) -> ServiceResponse<BoxBody> {
    log_failure(request.path(), problem, trace);
    let response = problem.respond(request.path(), Some(trace));
    ServiceResponse::new(request, response)
}

/// Limits how many run at once and how long each may take, and survives a panic. A command goes on when its client goes
/// away or its time is up: it runs in a task of its own.
async fn guarded(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    state: &web::Data<State>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let _place = Place::take(state)?;
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let work = async move { next.call(request).await.map(ServiceResponse::map_into_boxed_body) };
    let settings = &state.settings;
    let limit = if reads { settings.read_timeout_seconds } else { settings.request_timeout_seconds };
    let limit = Duration::from_secs(limit);
    let work = deadline::scope(Instant::now() + limit, AssertUnwindSafe(work).catch_unwind());
    let outcome = if reads {
        tokio::time::timeout(limit, work).await
    } else {
        let task = actix_web::rt::spawn(shared::telemetry::carry(work));
        tokio::time::timeout(limit, task)
            .await
            .map(|joined| joined.unwrap_or_else(|e| Err(Box::new(e.to_string()))))
    };
    match outcome {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text =
                text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default();
            Err(Problem::from(Error::internal(format!("a handler panicked: {text}"))).into())
        }
        Err(_) => Err(Problem::from(Error::unavailable("this took too long; ask again")).into()),
    }
}

/// A place among the requests at work.
struct Place(web::Data<State>);

impl Place {
    fn take(state: &web::Data<State>) -> Result<Self, Problem> {
        let place = Self(state.clone());
        if state.in_flight.fetch_add(1, Ordering::AcqRel) < state.settings.max_in_flight {
            return Ok(place);
        }
        Err(Problem::from(Error::unavailable("the shop is full right now; ask again")))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Headers that every answer carries. `page`: it brings its own content security policy.
pub fn protect(headers: &mut header::HeaderMap, trace: &TraceParent, page: bool) {
    set(headers, "x-request-id", &trace.trace_id());
    set(headers, "x-content-type-options", "nosniff");
    set(headers, "referrer-policy", "strict-origin-when-cross-origin");
    set(headers, "cross-origin-opener-policy", "same-origin");
    set(headers, "cross-origin-resource-policy", "same-origin");
    set(headers, "permissions-policy", "camera=(), microphone=(), geolocation=()");
    set(headers, "strict-transport-security", "max-age=31536000; includeSubDomains");
    if !page {
        let policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        set(headers, "content-security-policy", policy);
    }
}

/// Sets a header that is not there yet.
fn set(headers: &mut header::HeaderMap, name: &'static str, value: &str) {
    let name = header::HeaderName::from_static(name);
    if let (false, Ok(value)) = (headers.contains_key(&name), header::HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}

/// Marks an answer that brings its own content security policy.
pub struct Page;
