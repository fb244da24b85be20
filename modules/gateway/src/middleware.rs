//! What every request passes: trace id, log, in-flight limit, headers, panic guard.

use std::{panic::AssertUnwindSafe, sync::atomic::Ordering, time::{Duration, Instant}};

use actix_web::{
    HttpMessage, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, StatusCode, header},
    middleware::Next,
    web,
};
use futures::FutureExt;
use shared::{Error, telemetry::TraceParent};

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
    let http = request.request().clone();
    let answered = shared::telemetry::scope(trace, guarded(request, next, &state)).await;
    let mut response = match answered {
        Ok(response) => {
            let error = response.response().error().map(|e| e.as_error::<Problem>().cloned());
            match error {
                Some(Some(problem)) => answer(response.into_parts().0, &problem, &trace),
                Some(None) => {
                    let status = response.status();
                    answer(response.into_parts().0, &problem::of_status(status), &trace)
                }
                None => response,
            }
        }
        Err(error) => {
            let problem = match error.as_error::<Problem>() {
                Some(problem) => problem.clone(),
                None => problem::of_status(error.as_response_error().status_code()),
            };
            answer(http.clone(), &problem, &trace)
        }
    };
    finish(&mut response, &trace);
    state.metrics.record(&http, response.status(), started.elapsed());
    let (method, path, status) = (http.method(), http.path(), response.status().as_u16());
    let took = started.elapsed().as_micros() as u64;
    tracing::debug!(target: "bodega::access", trace_id = %trace.trace_id(), %method, path, status, took_us = took);
    Ok(response)
}

fn answer(request: HttpRequest, problem: &Problem, trace: &TraceParent) -> ServiceResponse<BoxBody> {
    if problem.error.kind == shared::Kind::Internal {
        tracing::error!(trace_id = %trace.trace_id(), path = request.path(), error = %problem.error.chain(), "request failed");
    }
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
    let work = AssertUnwindSafe(work).catch_unwind();
    let limit = Duration::from_secs(state.settings.request_timeout_seconds);
    let outcome = if reads {
        tokio::time::timeout(limit, work).await
    } else {
        let trace = shared::telemetry::current();
        let task = actix_web::rt::spawn(async move {
            match trace {
                Some(trace) => shared::telemetry::scope(trace, work).await,
                None => work.await,
            }
        });
        tokio::time::timeout(limit, task).await.map(|joined| joined.unwrap_or_else(|e| Err(Box::new(e.to_string()))))
    };
    match outcome {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default();
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

/// Headers that every answer carries.
fn finish(response: &mut ServiceResponse<BoxBody>, trace: &TraceParent) {
    let not_modified = response.status() == StatusCode::NOT_MODIFIED;
    let page = response.response().extensions().get::<Page>().is_some();
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        let name = header::HeaderName::from_static(name);
        if let (false, Ok(value)) = (headers.contains_key(&name), header::HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    };
    set("x-request-id", &trace.trace_id());
    set("x-content-type-options", "nosniff");
    set("referrer-policy", "strict-origin-when-cross-origin");
    set("cross-origin-opener-policy", "same-origin");
    set("cross-origin-resource-policy", "same-origin");
    set("permissions-policy", "camera=(), microphone=(), geolocation=()");
    set("strict-transport-security", "max-age=31536000; includeSubDomains");
    if !page {
        set("content-security-policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    }
    if !not_modified {
        set("cache-control", "no-store");
    }
}

/// Marks an answer that brings its own content security policy.
pub struct Page;
