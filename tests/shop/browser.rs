//! A browser without JavaScript: keeps cookies, reads forms out of pages and sends them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use reqwest::{Method, RequestBuilder, header::HeaderMap, redirect::Policy};
use scraper::{ElementRef, Html, Selector};

use crate::harness::Shop;

/// One visitor with cookies of their own.
#[derive(Clone)]
pub struct Browser {
    http: reqwest::Client,
    base: String,
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
    language: &'static str,
}

/// What the shop has answered.
pub struct Page {
    /// Method and path, for messages.
    pub what: String,
    pub status: u16,
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
    /// The path with the query: of the last page where redirects were followed.
    pub path: String,
}

/// A form of a page, filled with what the page has put into it.
#[derive(Clone)]
pub struct Form {
    action: String,
    method: Method,
    fields: Vec<(String, String)>,
}

impl Browser {
    /// A new visitor, who prefers English.
    pub fn new(shop: &Shop) -> Self {
        let http =
            reqwest::Client::builder().redirect(Policy::none()).build().expect("nothing here can fail");
        Self { http, base: shop.guest.base().to_owned(), cookies: Arc::default(), language: "en" }
    }

    /// The same visitor, reading another language.
    #[must_use]
    pub fn reading(mut self, language: &'static str) -> Self {
        self.language = language;
        self
    }

    /// Opens a page, following redirects.
    pub async fn open(&self, path: &str) -> Page {
        self.follow(self.get(path).await).await
    }

    /// Asks for a page; a redirect is an answer.
    pub async fn get(&self, path: &str) -> Page {
        self.send(Method::GET, path, |request| request).await
    }

    /// Asks with headers of one's own.
    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Page {
        self.send(Method::GET, path, |request| with(request, headers)).await
    }

    /// Sends a form as a browser does, following redirects.
    pub async fn submit(&self, form: Form) -> Page {
        self.follow(self.send_form(form).await).await
    }

    /// Sends a form as a browser does; a redirect is an answer.
    pub async fn send_form(&self, form: Form) -> Page {
        self.send_from(form, &[("sec-fetch-site", "same-origin"), ("origin", &self.base)]).await
    }

    /// Sends a form with these headers only: as another site, or as something that is no browser.
    pub async fn send_from(&self, form: Form, headers: &[(&str, &str)]) -> Page {
        let Form { action, method, fields } = form;
        if method == Method::GET {
            let query = encoded(&fields);
            let separator = if action.contains('?') { '&' } else { '?' };
            return self.get(&format!("{action}{separator}{query}")).await;
        }
        let body = encoded(&fields);
        self.send(method, &action, |request| {
            with(request, headers).header("content-type", "application/x-www-form-urlencoded").body(body)
        })
        .await
    }

    /// Sends a form with a picture, as a browser does, following redirects.
    pub async fn submit_picture(&self, form: Form, field: &str, picture: &[u8]) -> Page {
        const BOUNDARY: &str = "a-line-that-is-in-no-picture";
        let mut body = Vec::new();
        for (name, value) in &form.fields {
            let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend_from_slice(format!("{head}{value}\r\n").as_bytes());
        }
        let about = format!("name=\"{field}\"; filename=\"picture.png\"\r\nContent-Type: image/png");
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {about}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(picture);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let sent = self.send(form.method, &form.action, |request| {
            with(request, &[("sec-fetch-site", "same-origin")]).header("content-type", kind).body(body)
        });
        self.follow(sent.await).await
    }

    /// The value of a cookie, whatever its prefix.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let cookies = self.cookies.lock().unwrap();
        cookies.get(&format!("__Host-{name}")).or_else(|| cookies.get(name)).cloned()
    }

    /// Takes over a cookie of another browser.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(format!("__Host-{name}"), value.to_owned());
    }

    async fn follow(&self, mut page: Page) -> Page {
        for _ in 0..10 {
            let Some(location) = page.location() else { return page };
            let path = location.strip_prefix(&self.base).unwrap_or(&location).to_owned();
            page = self.get(&path).await;
        }
        panic!("{} goes round in circles", page.what);
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        fill: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Page {
        let what = format!("{method} {path}");
        let cookies: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .header("accept", "text/html")
            .header("accept-language", self.language);
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        let response = fill(request).send().await.unwrap_or_else(|e| panic!("{what}: {e}"));
        for cookie in response.headers().get_all("set-cookie") {
            self.keep(cookie.to_str().unwrap());
        }
        Page {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap_or_else(|e| panic!("{what}: {e}")),
            path: path.to_owned(),
            what,
        }
    }

    fn keep(&self, cookie: &str) {
        let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let mut cookies = self.cookies.lock().unwrap();
        if attributes.contains("Max-Age=0") {
            cookies.remove(name);
        } else {
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

impl Page {
    /// Checks the status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.what, self.words());
        self
    }

    /// Where a redirect leads.
    pub fn location(&self) -> Option<String> {
        Some(self.headers.get("location")?.to_str().unwrap().to_owned())
    }

    /// The text that a reader sees, in one line.
    pub fn words(&self) -> String {
        let html = self.html();
        let body = html.select(&selector("body")).next();
        let words = body.map_or_else(String::new, |body| body.text().collect::<Vec<_>>().join(" "));
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Is this to be read on the page?
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        let words = self.words();
        assert!(words.contains(text), "{} does not say {text:?}: {words}", self.what);
        self
    }

    /// Is this not to be read on the page?
    #[track_caller]
    pub fn never_says(&self, text: &str) -> &Self {
        assert!(!self.words().contains(text), "{} says {text:?}", self.what);
        self
    }

    /// How often a CSS selector matches.
    pub fn count(&self, css: &str) -> usize {
        self.html().select(&selector(css)).count()
    }

    /// An attribute of the first match.
    #[track_caller]
    pub fn attribute(&self, css: &str, name: &str) -> String {
        let html = self.html();
        let element = html.select(&selector(css)).next();
        let value = element.and_then(|element| element.attr(name));
        value.unwrap_or_else(|| panic!("{} has no {css} with {name}", self.what)).to_owned()
    }

    /// The texts of all matches, each in one line.
    pub fn all(&self, css: &str) -> Vec<String> {
        let line = |element: ElementRef<'_>| {
            element.text().collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
        };
        self.html().select(&selector(css)).map(line).collect()
    }

    /// The first form that matches, with the fields as the page has filled them.
    #[track_caller]
    pub fn form(&self, css: &str) -> Form {
        let html = self.html();
        let form = html.select(&selector(css)).next();
        let form = form.unwrap_or_else(|| panic!("{} has no form {css}: {}", self.what, self.words()));
        let here = self.path.clone();
        let action = form.attr("action").filter(|action| !action.is_empty()).map_or(here, ToOwned::to_owned);
        let post = form.attr("method").is_some_and(|method| method.eq_ignore_ascii_case("post"));
        let mut fields = Vec::new();
        for field in form.select(&selector("input, select, textarea")) {
            fields.extend(filled(field));
        }
        Form { action, method: if post { Method::POST } else { Method::GET }, fields }
    }

    fn html(&self) -> Html {
        Html::parse_document(&self.text)
    }
}

impl Form {
    /// A form that no page shows.
    pub fn post(action: &str) -> Self {
        Self { action: action.to_owned(), method: Method::POST, fields: Vec::new() }
    }

    /// Fills a field, replacing what was in it.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Ticks another value of a field.
    #[must_use]
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves a field out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    /// What is in a field.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn selector(css: &str) -> Selector {
    Selector::parse(css).unwrap_or_else(|e| panic!("{css}: {e}"))
}

/// What a field sends, if it sends anything.
fn filled(field: ElementRef<'_>) -> Option<(String, String)> {
    let name = field.attr("name")?.to_owned();
    if field.attr("disabled").is_some() {
        return None;
    }
    let value = match (field.value().name(), field.attr("type").unwrap_or_default()) {
        ("select", _) => {
            let chosen = field.select(&selector("option[selected]")).next();
            let first = || field.select(&selector("option")).next();
            let option = chosen.or_else(first)?;
            option.attr("value").map_or_else(|| option.text().collect(), ToOwned::to_owned)
        }
        ("textarea", _) => field.text().collect(),
        (_, "checkbox" | "radio") if field.attr("checked").is_none() => return None,
        (_, "checkbox") => field.attr("value").unwrap_or("on").to_owned(),
        (_, "submit" | "button" | "file") => return None,
        _ => field.attr("value").unwrap_or_default().to_owned(),
    };
    Some((name, value))
}

fn with(mut request: RequestBuilder, headers: &[(&str, &str)]) -> RequestBuilder {
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request
}

fn encoded(fields: &[(String, String)]) -> String {
    serde_html_form::to_string(fields).expect("pairs of texts")
}
