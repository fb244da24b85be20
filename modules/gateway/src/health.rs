//! Whether the shop lives (`/healthz`), can serve (`/readyz`), and what it does (`/metrics`).

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode, header},
    web,
};
use prometheus::{Encoder, HistogramOpts, HistogramVec, IntGauge, Registry, TextEncoder};
use serde_json::json;
use shared::Error;
use subtle::ConstantTimeEq;

use crate::{
    app::State,
    problem::{self, Answer},
    router::{at, get},
};

/// Requests by route, method and status, with their times.
pub struct Metrics {
    registry: Registry,
    requests: HistogramVec,
    in_flight: IntGauge,
}

impl Metrics {
    pub fn new() -> Self {
        let options =
            HistogramOpts::new("bodega_http_request_seconds", "Requests by route, method and status")
                .buckets(vec![
                    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
                ]);
        let requests =
            HistogramVec::new(options, &["route", "method", "status"]).expect("the options are constant");
        let in_flight =
            IntGauge::new("bodega_http_in_flight", "Requests at work").expect("the name is constant");
        let registry = Registry::new();
        registry.register(Box::new(requests.clone())).expect("registered once");
        registry.register(Box::new(in_flight.clone())).expect("registered once");
        Self { registry, requests, in_flight }
    }

    /// Counts an answered request under its route's pattern, so that ids do not become labels.
    pub fn record(&self, route: Option<String>, method: &Method, status: StatusCode, took: Duration) {
        let route = route.unwrap_or_else(|| "none".to_owned());
        self.requests
            .with_label_values(&[&route, method.as_str(), status.as_str()])
            .observe(took.as_secs_f64());
    }
}

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/healthz", [get(alive)]);
    at(config, "/readyz", [get(ready)]);
    at(config, "/metrics", [get(metrics)]);
}

/// The process runs. Touches nothing else.
async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

/// Names what is missing.
async fn ready(state: web::Data<State>) -> Answer {
    let health = state.system.health().await;
    let failing: Vec<_> = health.iter().filter(|h| !h.ok).map(|h| h.name.clone()).collect();
    if failing.is_empty() {
        return Ok(HttpResponse::Ok().json(json!({"status": "ready", "dependencies": health})));
    }
    Err(Error::unavailable(format!("not ready: {}", failing.join(", "))).with("failing", failing).into())
}

/// Prometheus text. Outside development only with the token; without one configured there is nothing here.
async fn metrics(state: web::Data<State>, request: HttpRequest) -> Answer {
    if !state.settings.development && !authorized(&state, &request) {
        return Err(problem::of_status(StatusCode::NOT_FOUND));
    }
    state.metrics.in_flight.set(state.in_flight.load(std::sync::atomic::Ordering::Relaxed) as i64);
    let mut text = Vec::new();
    let encoder = TextEncoder::new();
    encoder.encode(&state.metrics.registry.gather(), &mut text).map_err(Error::internal)?;
    Ok(HttpResponse::Ok().content_type(encoder.format_type()).body(text))
}

fn authorized(state: &State, request: &HttpRequest) -> bool {
    let given =
        request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()?.strip_prefix("Bearer "));
    match (&state.settings.metrics_token, given) {
        (Some(token), Some(given)) => token.as_bytes().ct_eq(given.as_bytes()).into(),
        _ => false,
    }
}
