//! Somebody who visits the shop, without a network between.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use actix_web::{
    App as ActixApp,
    body::{MessageBody, to_bytes_limited},
    cookie::Cookie,
    dev::{Service, ServiceResponse},
    http::{Method, StatusCode, header},
    test::{TestRequest, init_service},
};
use futures::{FutureExt, future::LocalBoxFuture};
use serde_json::Value;
use shared::{Error, Result};

use crate::App;

/// No answer of the shop is larger.
const LARGEST: usize = 64 << 20;

type Ask = dyn Fn(TestRequest) -> LocalBoxFuture<'static, Result<Answer>>;

/// A visitor: nobody in particular, or signed in.
#[derive(Clone)]
pub struct Visitor {
    ask: Rc<Ask>,
    token: Option<String>,
    cookies: Rc<RefCell<BTreeMap<String, String>>>,
    refused: Rc<RefCell<Vec<String>>>,
}

/// What the shop said.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub status: StatusCode,
    /// `Null` where the body is no JSON.
    pub body: Value,
    pub text: String,
    pub location: Option<String>,
    cookies: Vec<(String, String)>,
}

impl Visitor {
    /// Nobody in particular.
    pub async fn new(app: &App) -> Self {
        let gateway = app.gateway.clone();
        let service = init_service(ActixApp::new().configure(|config| gateway.configure(config))).await;
        let service = Rc::new(service);
        let ask = move |request: TestRequest| {
            let service = service.clone();
            async move {
                match service.call(request.to_request()).await {
                    Ok(response) => read(response).await,
                    // What a layer around the handlers refuses.
                    Err(error) => {
                        let status = error.as_response_error().status_code();
                        let body = serde_json::json!({"detail": error.to_string()});
                        Ok(Answer { status, body, ..Answer::default() })
                    }
                }
            }
            .boxed_local()
        };
        Self { ask: Rc::new(ask), token: None, cookies: Rc::default(), refused: Rc::default() }
    }

    /// The same shop, visited by somebody else.
    pub fn other(&self) -> Self {
        Self { token: None, cookies: Rc::default(), ..self.clone() }
    }

    /// The same shop, visited by who signs in.
    pub async fn signed_in(&self, email: &str, password: &str) -> Result<Self> {
        let tokens =
            self.post("/sessions", serde_json::json!({"email": email, "password": password})).await?;
        Ok(Self { token: tokens["access_token"].as_str().map(str::to_owned), ..self.other() })
    }

    /// What the shop did not do, and why.
    pub fn refused(&self) -> Vec<String> {
        self.refused.borrow().clone()
    }

    pub async fn get(&self, path: &str) -> Result<Value> {
        self.api(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Result<Value> {
        self.api(Method::POST, path, Some(body)).await
    }

    /// What may be refused.
    pub async fn try_post(&self, path: &str, body: Value) -> Result<Value> {
        let request = self.request(Method::POST, &format!("/api/v1{path}")).set_json(body);
        (self.ask)(request).await.map(|answer| answer.body)
    }

    pub async fn put(&self, path: &str, body: Value) -> Result<Value> {
        self.api(Method::PUT, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Result<Value> {
        self.api(Method::PATCH, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Result<Value> {
        self.api(Method::DELETE, path, None).await
    }

    /// Every item of the first pages of a list: what leads to the next page is asked for twice.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let join = if path.contains('?') { '&' } else { '?' };
        let (mut items, mut cursor) = (Vec::new(), String::new());
        for _ in 0..3 {
            let page = self.get(&format!("{path}{join}limit=3{cursor}")).await?;
            items.extend(page["data"].as_array().cloned().unwrap_or_default());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        Ok(items)
    }

    /// A request to the API, with whatever it may ask for. A refusal is kept for the report.
    async fn api(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let what = format!("{method} {path}");
        let request = self.request(method, &format!("/api/v1{path}"));
        let request = match body {
            Some(body) => request.set_json(body),
            None => request,
        };
        self.send(&what, request).await.map(|answer| answer.body)
    }

    /// A body that is no JSON.
    pub async fn send_raw(&self, path: &str, kind: &'static str, body: Vec<u8>) -> Result<Value> {
        let request = self.request(Method::POST, &format!("/api/v1{path}"));
        let request = request.insert_header((header::CONTENT_TYPE, kind)).set_payload(body);
        self.send(path, request).await.map(|answer| answer.body)
    }

    /// Opens a page.
    pub async fn open(&self, path: &str) -> Result<Answer> {
        self.send(path, self.request(Method::GET, path)).await
    }

    /// Sends a form.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Result<Answer> {
        self.send(path, self.request(Method::POST, path).set_form(fields)).await
    }

    fn request(&self, method: Method, path: &str) -> TestRequest {
        let mut request = TestRequest::with_uri(path)
            .method(method)
            .peer_addr(([127, 0, 0, 1], 40_000).into())
            .insert_header((header::HOST, "localhost"))
            .insert_header((header::IF_MATCH, "*"))
            .insert_header(("sec-fetch-site", "same-origin"))
            .insert_header(("idempotency-key", shared::telemetry::trace_id()));
        if let Some(token) = &self.token {
            request = request.insert_header((header::AUTHORIZATION, format!("Bearer {token}")));
        }
        for (name, value) in &*self.cookies.borrow() {
            request = request.cookie(Cookie::new(name.clone(), value.clone()));
        }
        request
    }

    async fn send(&self, what: &str, request: TestRequest) -> Result<Answer> {
        let answer = (self.ask)(request).await?;
        self.cookies.borrow_mut().extend(answer.cookies.iter().cloned());
        if answer.status.is_client_error() || answer.status.is_server_error() {
            let why = answer.body["detail"].as_str().unwrap_or_default();
            self.refused.borrow_mut().push(format!("{what}: {} {why}", answer.status.as_u16()));
        }
        Ok(answer)
    }
}

async fn read<B: MessageBody>(response: ServiceResponse<B>) -> Result<Answer> {
    let (status, headers) = (response.status(), response.headers().clone());
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    let location = text(header::LOCATION).map(str::to_owned);
    let set = headers.get_all(header::SET_COOKIE).filter_map(|value| value.to_str().ok());
    let set = set.filter_map(|text| Cookie::parse_encoded(text.to_owned()).ok());
    let cookies = set.map(|cookie| (cookie.name().to_owned(), cookie.value().to_owned())).collect();
    // A stream of events has no end.
    if text(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/event-stream")) {
        return Ok(Answer { status, location, cookies, ..Answer::default() });
    }
    let bytes = to_bytes_limited(response.into_body(), LARGEST)
        .await
        .map_err(|_| Error::internal("an answer is too large"))?
        .map_err(|_| Error::internal("an answer broke off"))?;
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Answer { status, body, text, location, cookies })
}
