//! The pages as one value: ports in, routes out; and the layer around every page.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use actix_web::{
    FromRequest, Handler, HttpMessage, HttpResponse, Responder, Route,
    body::{BoxBody, MessageBody},
    cookie::Key,
    dev::{ServiceRequest, ServiceResponse},
    guard,
    http::{Method, StatusCode, header},
    middleware::{Next, from_fn},
    web,
};
use askama::Template;
use contracts::{
    Ports,
    customer::SessionsRevoked,
    metadata::{content::ContentChanged, settings::SettingsChanged},
    product::{CategoryChanged, CategoryNode, SearchUpdated},
    review::ReviewApproved,
    system::System,
};
use data_encoding::BASE64URL_NOPAD;
use shared::{
    Clock, Error,
    cache::Cache,
    events::{Envelope, Event},
    limits::Limits,
    signer::Signer,
};

use crate::{
    Answer, Fault, Page, Settings, admin, assets,
    cookies::{Cookies, Name},
    live::Live,
    locale::{Formats, Locale, Texts},
    page::{CartRef, Notice, Preferences, Shell},
    said::Said,
    sessions::Sessions,
    storefront::{self, footer::Footer},
};

/// What the pages are made of.
pub struct Parts {
    pub ports: Ports,
    pub clock: Arc<dyn Clock>,
    pub system: Arc<dyn System>,
    /// The gateway's: what makes an answer of the API stale makes a page stale.
    pub cache: Cache,
    pub limits: Arc<Limits>,
    /// Seals cookies and signs form tokens.
    pub signer: Signer,
}

/// What handlers see, through [`Page`].
pub struct State {
    pub(crate) ports: Ports,
    pub(crate) settings: Settings,
    pub(crate) cache: Cache,
    pub(crate) limits: Arc<Limits>,
    pub(crate) system: Arc<dyn System>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) texts: Texts,
    pub(crate) formats: BTreeMap<Locale, Formats>,
    pub(crate) sessions: Sessions,
    pub(crate) live: Live,
    /// Where the icons are.
    pub(crate) sprite: String,
    key: Key,
    signer: Signer,
    nav: moka::future::Cache<(), Arc<Vec<CategoryNode>>>,
    /// The tree as it was last seen, for when the catalogue cannot be asked.
    last_nav: OnceLock<Arc<Vec<CategoryNode>>>,
    footers: moka::future::Cache<Locale, Arc<Footer>>,
    said: moka::future::Cache<Locale, Arc<Said>>,
}

/// The pages.
#[derive(Clone)]
pub struct Web(web::Data<State>);

impl Web {
    /// Puts them together.
    pub fn new(parts: Parts, settings: Settings) -> Self {
        let formats = Locale::ALL.map(|locale| (locale, Formats::new(locale, settings.time_zone)));
        Self(web::Data::new(State {
            sessions: Sessions::new(parts.ports.customers.clone(), parts.clock.clone()),
            key: Key::derive_from(parts.signer.sign(b"cookies of the pages").as_bytes()),
            signer: parts.signer,
            ports: parts.ports,
            cache: parts.cache,
            limits: parts.limits,
            system: parts.system,
            clock: parts.clock,
            texts: Texts::load(),
            live: Live::default(),
            formats: formats.into(),
            sprite: assets::path("icons.svg"),
            nav: moka::future::Cache::builder().time_to_live(Duration::from_secs(60)).build(),
            last_nav: OnceLock::new(),
            footers: moka::future::Cache::builder().time_to_live(Duration::from_secs(60)).build(),
            said: moka::future::Cache::builder().time_to_live(Duration::from_secs(60)).build(),
            settings,
        }))
    }

    /// To be told of every commit in this process.
    pub fn watcher(&self) -> shared::db::Watcher {
        let state = Arc::downgrade(&self.0.clone().into_inner());
        Arc::new(move |events| {
            let Some(state) = state.upgrade() else { return };
            events.iter().for_each(|event| state.hear(event));
        })
    }

    /// Ends what pages listen to: the shop is about to close.
    pub fn close_streams(&self) {
        self.0.live.close();
    }

    /// Registers every route, in every language, and the answer for unknown addresses.
    pub fn configure(&self, config: &mut web::ServiceConfig) {
        config.app_data(self.0.clone());
        assets::configure(config);
        config.service(web::resource("/en").route(web::get().to(without_prefix)));
        config.service(web::resource("/en/{path:.*}").route(web::get().to(without_prefix)));
        for prefix in Locale::ALL.iter().rev().map(|locale| locale.prefix()) {
            let scope = web::scope(prefix).wrap(from_fn(frame));
            config.service(
                scope
                    .configure(storefront::configure)
                    .configure(admin::configure)
                    .default_service(web::to(async || Answer::<HttpResponse>::Err(Fault::not_found()))),
            );
        }
    }

    /// A page without scripts for an error that struck before a page could be made.
    pub fn error(&self, path: &str, languages: &str, status: StatusCode, trace_id: &str) -> String {
        let (mut locale, _) = Locale::split(path);
        if locale == Locale::En {
            locale = Locale::preferred(languages);
        }
        let text = |key: &str| self.0.texts.get(locale, key);
        let key = if status == StatusCode::SERVICE_UNAVAILABLE { "unavailable" } else { "broken" };
        let page = BareError {
            language: locale.code(),
            home: crate::page::link(locale, "/"),
            shop: &self.0.settings.shop.name,
            stylesheet: assets::path("app.css"),
            title: text(&format!("{key}-title")),
            body: text(&format!("{key}-body")),
            home_label: text("back-home"),
            request_label: text("request-id"),
            trace_id,
        };
        page.render().unwrap_or_else(|_| text("broken-title"))
    }
}

#[derive(Template)]
#[template(path = "bare-error.html")]
struct BareError<'a> {
    language: &'a str,
    home: String,
    shop: &'a str,
    stylesheet: String,
    title: String,
    body: String,
    home_label: String,
    request_label: String,
    trace_id: &'a str,
}

impl State {
    fn hear(&self, event: &Envelope) {
        if [CategoryChanged::TYPE, SearchUpdated::TYPE].contains(&event.kind.as_str()) {
            self.nav.invalidate_all();
        } else if event.is::<ContentChanged>() {
            self.footers.invalidate_all();
        } else if event.is::<SettingsChanged>() {
            self.said.invalidate_all();
        } else if event.is::<ReviewApproved>()
            && let Ok(approved) = event.parse::<ReviewApproved>()
        {
            self.live.tell(approved.review.product_id);
        } else if event.is::<SessionsRevoked>()
            && let Ok(revoked) = event.parse::<SessionsRevoked>()
        {
            self.sessions.end(&revoked.sessions);
        }
    }

    /// The category tree: fresh, or as it was last seen.
    async fn nav(&self) -> Arc<Vec<CategoryNode>> {
        let load = async { Ok::<_, Error>(Arc::new(self.ports.products.categories().await?)) };
        match self.nav.try_get_with((), load).await {
            Ok(nav) => {
                self.last_nav.get_or_init(|| nav.clone());
                nav
            }
            Err(error) => {
                tracing::warn!(error = %error.chain(), "the categories could not be read");
                self.last_nav.get().cloned().unwrap_or_default()
            }
        }
    }

    /// What the footer links to; nothing while it cannot be asked for.
    async fn footer(&self, locale: Locale) -> Arc<Footer> {
        let load = async { Footer::load(&self.ports, locale).await.map(Arc::new) };
        self.footers.try_get_with(locale, load).await.unwrap_or_else(|error: Arc<Error>| {
            tracing::warn!(error = %error.chain(), "the pages could not be read");
            Arc::default()
        })
    }

    /// What the shop says of itself; only its name while that cannot be asked for.
    async fn said(&self, locale: Locale) -> Arc<Said> {
        let load = async { Said::load(&self.ports, locale).await.map(Arc::new) };
        self.said.try_get_with(locale, load).await.unwrap_or_else(|error: Arc<Error>| {
            tracing::warn!(error = %error.chain(), "the settings could not be read");
            Arc::new(Said::only(&self.settings.shop.name))
        })
    }
}

/// `/en/cart` is `/cart`: the first language has no prefix.
async fn without_prefix(request: actix_web::HttpRequest) -> HttpResponse {
    let path = request.path().trim_start_matches("/en");
    let path = if path.is_empty() { "/" } else { path };
    let location = match request.query_string() {
        "" => path.to_owned(),
        query => format!("{path}?{query}"),
    };
    if !crate::page::is_local(&location) {
        return HttpResponse::NotFound().finish();
    }
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, location)).finish()
}

/// The layer around every page: makes the [`Page`], turns faults into pages, hands out the visitor's cookie and takes
/// back the notices that have been shown.
async fn frame(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let (page, new_visitor) = open(&request).await;
    request.extensions_mut().insert(page.clone());
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    // Whoever reads no HTML gets errors as the API tells them, from the layer around this one.
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let reads_html = accept.is_some_and(|accept| accept.contains("text/html"));
    let response = next.call(request).await?.map_into_boxed_body();
    let (request, mut response) = response.into_parts();
    let fault = match response.error() {
        Some(error) => {
            Some(error.as_error::<Fault>().cloned().unwrap_or_else(|| of_status(response.status())))
        }
        None if response.status() == StatusCode::METHOD_NOT_ALLOWED => Some(Fault::Method),
        None => None,
    };
    if let Some(fault) = fault.filter(|fault| reads_html || !matches!(fault, Fault::Error(_) | Fault::Method))
    {
        response = fault_page(&page, &fault);
    }
    let sets_flash = response.cookies().any(|cookie| cookie.name().ends_with("flash"));
    if reads && response.status() == StatusCode::OK && !page.fragment {
        if !page.notices.is_empty() && !sets_flash {
            page.cookies.remove(&mut response, Name::Flash);
        }
        if new_visitor {
            page.cookies.set(&mut response, Name::Visitor, page.visitor.clone());
        }
    }
    Ok(ServiceResponse::new(request, response))
}

async fn open(request: &ServiceRequest) -> (Page, bool) {
    let state = request.app_data::<web::Data<State>>().expect("the pages set their state").clone();
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let peer = request.peer_addr().map(|address| address.ip());
    let proxied = peer.is_some_and(|peer| state.settings.trusted_proxies.contains(&peer));
    let tls = proxied && header("x-forwarded-proto") == Some("https");
    let cookies = Cookies::read(request.request(), &state.key, tls, state.settings.development);
    let preferences: Preferences = cookies.json(Name::Preferences).unwrap_or_default();
    let currencies = &state.settings.shop.currencies;
    let currency =
        preferences.currency.filter(|currency| currencies.contains(currency)).unwrap_or(currencies[0]);
    let claims = match cookies.get(Name::Session) {
        Some(token) => state.sessions.resume(token).await.unwrap_or_else(|error| {
            tracing::warn!(error = %error.chain(), "a session could not be resumed");
            None
        }),
        None => None,
    };
    let known = cookies.get(Name::Visitor).filter(|id| id.len() == 22 && id.is_ascii());
    let visitor =
        known.map_or_else(|| BASE64URL_NOPAD.encode(&rand::random::<[u8; 16]>()), ToOwned::to_owned);
    let bound_to = cookies.get(Name::Session).unwrap_or(&visitor);
    let token = state.signer.sign(format!("form:{bound_to}").as_bytes());
    let (locale, path) = Locale::split(request.path());
    let shell = Shell {
        locale,
        currency,
        cart: cookies.json::<CartRef>(Name::Cart),
        claims,
        wishlist: ids(cookies.get(Name::Wishlist)),
        notices: cookies.json::<Vec<Notice>>(Name::Flash).unwrap_or_default(),
        nav: state.nav().await,
        footer: state.footer(locale).await,
        said: state.said(locale).await,
        path: path.to_owned(),
        query: request.query_string().to_owned(),
        nonce: BASE64URL_NOPAD.encode(&rand::random::<[u8; 16]>()),
        token,
        trace_id: shared::telemetry::current().map(|trace| trace.trace_id()).unwrap_or_default(),
        fragment: header("hx-request-type") == Some("partial"),
        now: state.clock.now(),
        preferences,
        visitor: visitor.clone(),
        cookies: cookies.clone(),
        state,
    };
    (Page::from(Arc::new(shell)), known.is_none())
}

/// A list of ids in a cookie: those that are ids, at most 100.
pub(crate) fn ids<T: std::str::FromStr>(list: Option<&str>) -> Vec<T> {
    list.unwrap_or_default().split('.').filter_map(|id| id.parse().ok()).take(100).collect()
}

/// What an answer of the framework itself stands for.
fn of_status(status: StatusCode) -> Fault {
    match status {
        StatusCode::NOT_FOUND => Fault::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => Fault::Method,
        status if status.is_client_error() => {
            Error::new(shared::Kind::Malformed, "malformed_request", "the request could not be understood")
                .into()
        }
        status => Error::internal(format!("the framework answered {status}")).into(),
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    p: &'a Page,
    status: u16,
    title: String,
    body: String,
}

fn fault_page(page: &Page, fault: &Fault) -> HttpResponse {
    let status = actix_web::ResponseError::status_code(fault);
    let key = match fault {
        Fault::SignIn => {
            let path = if page.within("/admin") { "/admin/sign-in" } else { "/account/sign-in" };
            let to: String = serde_html_form::to_string([("to", page.here())]).unwrap_or_default();
            return page.redirect(&format!("{}?{to}", page.link(path)));
        }
        Fault::Error(error) if status.is_server_error() => {
            if error.kind == shared::Kind::Internal {
                tracing::error!(trace_id = page.trace_id, path = page.path, error = %error.chain(), "a page failed");
            }
            if error.kind == shared::Kind::Unavailable { "unavailable" } else { "broken" }
        }
        Fault::Error(_) if status == StatusCode::NOT_FOUND || status == StatusCode::GONE => "missing",
        Fault::Error(error) if error.code == "csrf" => "foreign-form",
        Fault::Error(_) if status == StatusCode::FORBIDDEN => "forbidden",
        Fault::Error(_) | Fault::Method => "refused",
    };
    let mut body = page.t(&format!("{key}-body"));
    if let (Fault::Error(error), "refused") = (fault, key) {
        body = page.error(&error.code, &error.detail);
    }
    let template =
        ErrorPage { p: page, status: status.as_u16(), title: page.t(&format!("{key}-title")), body };
    let mut response = page.html_as(status, &template).unwrap_or_else(|fault| {
        tracing::error!(%fault, "the error page failed");
        HttpResponse::build(status).finish()
    });
    if let Fault::Error(error) = fault
        && let Some(seconds) = error.retry_after
    {
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
    }
    response
}

/// Answers GET and HEAD.
pub(crate) fn get<F, Args>(handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::route().guard(guard::Any(guard::Get()).or(guard::Head())).to(handler)
}

/// Answers POST.
pub(crate) fn post<F, Args>(handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::post().to(handler)
}

/// Registers `path` with its methods.
pub(crate) fn at(config: &mut web::ServiceConfig, path: &str, routes: impl IntoIterator<Item = Route>) {
    let mut resource = web::resource(path);
    for route in routes {
        resource = resource.route(route);
    }
    config.service(resource);
}
