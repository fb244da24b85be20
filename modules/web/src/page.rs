//! What every page knows: language, currency, theme, who is looking, what is in the cart. Templates call it `p`.

use std::{fmt, ops::Deref, sync::Arc};

use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, dev::Payload, http::header, web};
use askama::{Template, filters::Safe};
use contracts::{
    Actor,
    cart::{self, CartId},
    customer::{Claims, CustomerId, Permission},
    product::{CategoryNode, PriceContext, ProductId},
};
use futures::future::{Ready, ready};
use serde::{Deserialize, Serialize};
use shared::{
    Currency, Error, Money, Result, Time,
    cache::{Fresh, Negotiated},
};

use crate::{
    Answer, Fault,
    app::State,
    assets,
    cookies::{Cookies, Name},
    locale::{Count, Formats, Locale, Text},
    said::Said,
    storefront::footer::Footer,
};

/// Light, dark, or what the system says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    /// For the `data-theme` attribute.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// What a visitor has chosen, in a cookie.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Preferences {
    #[serde(default)]
    pub theme: Theme,
    #[serde(default)]
    pub currency: Option<Currency>,
    /// Chosen by hand: the home page no longer guesses.
    #[serde(default)]
    pub language: Option<String>,
    /// What they look at may be kept, to recommend what suits them.
    #[serde(default)]
    pub remember: bool,
}

/// The visitor's cart, in a sealed cookie: pages show the count without asking for the cart.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct CartRef {
    pub id: CartId,
    /// Units in it when it was last seen.
    pub count: i64,
}

/// A notice that is shown once, on the next page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Notice {
    /// `ok`, `bad` or `info`: the look.
    pub tone: String,
    pub text: String,
    /// A form that takes back what was just done: where to post, the label, and its fields.
    #[serde(default)]
    pub undo: Option<Undo>,
}

/// See [`Notice::undo`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Undo {
    pub action: String,
    pub label: String,
    pub fields: Vec<(String, String)>,
}

/// The state behind a [`Page`].
pub struct Shell {
    pub locale: Locale,
    pub currency: Currency,
    pub preferences: Preferences,
    pub cart: Option<CartRef>,
    /// Who is signed in.
    pub claims: Option<Arc<Claims>>,
    pub wishlist: Vec<ProductId>,
    pub notices: Vec<Notice>,
    /// The category tree, for the navigation.
    pub nav: Arc<Vec<CategoryNode>>,
    /// The pages to link to.
    pub footer: Arc<Footer>,
    /// What the shop says of itself.
    pub said: Arc<Said>,
    /// The path without the language's prefix, and the query.
    pub path: String,
    pub query: String,
    /// For `<script nonce>`; part of the content security policy.
    pub nonce: String,
    /// An anonymous visitor's id.
    pub visitor: String,
    /// The token that forms carry.
    pub token: String,
    /// The request id that error pages show.
    pub trace_id: String,
    /// A part of a page was asked for, by htmx.
    pub fragment: bool,
    pub now: Time,
    pub(crate) cookies: Cookies,
    pub(crate) state: web::Data<State>,
}

/// The page that is being made. Cheap to clone.
#[derive(Clone)]
pub struct Page(Arc<Shell>);

impl Deref for Page {
    type Target = Shell;

    fn deref(&self) -> &Shell {
        &self.0
    }
}

impl FromRequest for Page {
    type Error = Fault;
    type Future = Ready<Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(
            Self::of(request).ok_or_else(|| Error::internal("the pages' outer layer makes the page").into()),
        )
    }
}

/// Texts and formats.
impl Page {
    /// A text without placeholders.
    pub fn t(&self, key: &str) -> String {
        self.state.texts.get(self.locale, key)
    }

    /// A text with placeholders: `p.text("products-count").number("count", 3)`.
    pub fn text<'a>(&'a self, key: &'a str) -> Text<'a> {
        Text::new(&self.state.texts, self.locale, key)
    }

    /// What an error says to people in their language: by its code where there is a text for it.
    pub fn error(&self, code: &str, detail: &str) -> String {
        let key = format!("error-{}", code.replace('_', "-"));
        if self.state.texts.has(self.locale, &key) { self.t(&key) } else { detail.to_owned() }
    }

    /// The name of a filter or a fact such as `option.colour` or `weight_g`: ours where there is one, else its own words.
    pub fn label(&self, name: &str) -> String {
        let own = name.rsplit('.').next().unwrap_or(name);
        let key = format!("fact-{}", own.to_lowercase().replace(['_', ' '], "-"));
        if self.state.texts.has(self.locale, &key) {
            return self.t(&key);
        }
        let words = own.replace('_', " ");
        let mut letters = words.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    }

    /// How the language writes numbers and dates.
    pub fn formats(&self) -> &Formats {
        &self.state.formats[&self.locale]
    }

    /// `€1,234.50`, for sums.
    pub fn money(&self, money: &Money) -> String {
        self.formats().money(*money)
    }

    /// `€189`, for prices of products.
    pub fn price(&self, money: &Money) -> String {
        self.formats().price(*money)
    }

    /// An amount for a field of a form: `1250.50`, or `1250,50` in German.
    pub fn amount(&self, money: &Money) -> String {
        let text = money.to_decimal();
        if self.locale == Locale::De { text.replace('.', ",") } else { text }
    }

    /// `1,234`.
    pub fn number(&self, number: impl Count) -> String {
        self.formats().number(number.count())
    }

    /// `26 November 2026`.
    pub fn day(&self, time: &Time) -> String {
        self.formats().day(*time)
    }

    /// `26 Nov 2026`.
    pub fn short_day(&self, time: &Time) -> String {
        self.formats().short_day(*time)
    }

    /// `26 Nov 2026, 09:14`.
    pub fn moment(&self, time: &Time) -> String {
        self.formats().moment(*time)
    }

    /// `Thursday 26 November`, from `2026-11-26`.
    pub fn weekday(&self, day: &str) -> String {
        self.formats().weekday(day)
    }
}

/// Markup and addresses.
impl Page {
    /// An icon of the sprite, hidden from assistive technology.
    pub fn icon(&self, name: &str) -> Safe<String> {
        let sprite = &self.state.sprite;
        Safe(format!("<svg class=\"i\" aria-hidden=\"true\"><use href=\"{sprite}#{name}\"/></svg>"))
    }

    /// The address of an asset.
    pub fn asset(&self, name: &str) -> String {
        assets::path(name)
    }

    /// A path of ours in the page's language: `/cart` to `/de/cart`.
    pub fn link(&self, path: &str) -> String {
        link(self.locale, path)
    }

    /// The page of a product.
    pub fn product_link(&self, slug: &str) -> String {
        self.link(&format!("/products/{slug}"))
    }

    /// The page of a category.
    pub fn category_link(&self, slug: &str) -> String {
        self.link(&format!("/categories/{slug}"))
    }

    /// This page in another language, query included.
    pub fn in_language(&self, locale: &Locale) -> String {
        let path = link(*locale, &self.path);
        if self.query.is_empty() { path } else { format!("{path}?{}", self.query) }
    }

    /// An absolute address in the page's language.
    pub fn absolute(&self, path: &str) -> String {
        format!("{}{}", self.state.settings.public_url.trim_end_matches('/'), self.link(path))
    }

    /// An absolute address in another language.
    pub fn absolute_in(&self, locale: &Locale, path: &str) -> String {
        format!("{}{}", self.state.settings.public_url.trim_end_matches('/'), link(*locale, path))
    }

    /// This page's path with its query: where a form returns to.
    pub fn here(&self) -> String {
        self.in_language(&self.locale)
    }

    /// The languages that there can be words in.
    pub fn languages(&self) -> [Locale; 2] {
        Locale::ALL
    }

    /// The languages that the shop offers.
    pub fn offered(&self) -> &[Locale] {
        &self.said.languages
    }

    /// The currencies, for the switch.
    pub fn currencies(&self) -> &[Currency] {
        &self.state.settings.shop.currencies
    }

    /// What the shop is, in a sentence; its name where nobody has said more.
    pub fn tagline(&self) -> &str {
        self.said.tagline.as_deref().unwrap_or(&self.said.name)
    }

    /// The shop's name.
    pub fn shop(&self) -> &str {
        &self.said.name
    }

    /// Units in the cart.
    pub fn cart_count(&self) -> i64 {
        self.cart.map_or(0, |cart| cart.count)
    }

    /// True for the path or anything below it.
    pub fn within(&self, path: &str) -> bool {
        self.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Is this product on the wishlist?
    pub fn wished(&self, product: &ProductId) -> bool {
        self.wishlist.contains(product)
    }
}

/// Who is looking.
impl Page {
    /// The page of a request, once the outer layer has made it.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    /// The account, or to the sign-in page.
    pub fn customer(&self) -> Answer<CustomerId> {
        self.claims.as_ref().map(|claims| claims.sub).ok_or(Fault::SignIn)
    }

    /// May the person do this? Pages hide what the API would refuse.
    pub fn may(&self, permission: &Permission) -> bool {
        self.claims.as_ref().is_some_and(|claims| claims.permissions.contains(permission))
    }

    /// Who does it, if they may: for every page and command of the admin.
    pub fn staff(&self, permission: Permission) -> Answer<Actor> {
        let claims =
            self.claims.as_ref().filter(|claims| !claims.permissions.is_empty()).ok_or(Fault::SignIn)?;
        if claims.permissions.contains(&permission) {
            Ok(Actor::Staff(claims.sub))
        } else {
            Err(Fault::forbidden())
        }
    }

    /// As carts know the person.
    pub fn viewer(&self) -> cart::Viewer {
        let claims = self.claims.as_ref();
        cart::Viewer {
            customer_id: claims.map(|claims| claims.sub),
            group: claims.and_then(|claims| claims.group.clone()),
        }
    }

    /// Which prices apply.
    pub fn prices(&self) -> PriceContext {
        PriceContext { currency: self.currency, group: self.viewer().group }
    }

    /// The ports.
    pub fn ports(&self) -> &contracts::Ports {
        &self.state.ports
    }
}

/// Answers.
impl Page {
    /// A page for this visitor only.
    pub fn html(&self, template: &impl Template) -> Answer {
        self.html_as(actix_web::http::StatusCode::OK, template)
    }

    /// The same with another status, such as 422 for a form that was not valid.
    pub fn html_as(&self, status: actix_web::http::StatusCode, template: &impl Template) -> Answer {
        let mut response = HttpResponse::build(status);
        response
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CACHE_CONTROL, "private, no-store"))
            .insert_header((header::CONTENT_SECURITY_POLICY, policy(&self.nonce)))
            .insert_header((header::VARY, "HX-Request, Cookie"));
        Ok(response.body(template.render()?))
    }

    /// A page that looks the same for everybody with the same language, currency, theme, cart count and group: from
    /// memory while none of its tags has been dropped. `load` renders it and names the tags.
    pub async fn public(
        &self,
        request: &HttpRequest,
        load: impl AsyncFnOnce(&Self) -> Answer<(String, Vec<String>)>,
    ) -> Answer {
        if !self.notices.is_empty() || !self.wishlist.is_empty() || self.query.len() > 500 {
            let (html, _) = load(self).await?;
            return Ok(respond("", &Negotiated::Body { coding: None, body: html.into() }, &self.nonce));
        }
        let mut fault = None;
        let entry = self
            .state
            .cache
            .get_or_insert(&self.cache_key(), async || match load(self).await {
                Ok((html, mut tags)) => {
                    tags.extend(["categories", "content", "settings"].map(str::to_owned));
                    Ok(Fresh {
                        content_type: "text/html; charset=utf-8".to_owned(),
                        body: html.into_bytes(),
                        tags,
                        note: self.nonce.clone(),
                        ..Fresh::default()
                    })
                }
                Err(Fault::Error(error)) => Err(error),
                Err(other) => {
                    fault = Some(other);
                    Err(Error::internal("a page that cannot be shown to everybody"))
                }
            })
            .await;
        let entry = entry.map_err(|error| fault.unwrap_or(Fault::Error(error)))?;
        let header = |name| request.headers().get(name).and_then(|v: &header::HeaderValue| v.to_str().ok());
        let known = header(header::IF_NONE_MATCH).unwrap_or_default();
        let encodings = header(header::ACCEPT_ENCODING).unwrap_or_default();
        Ok(respond(&entry.etag, &entry.negotiate(known, encodings), &entry.note))
    }

    fn cache_key(&self) -> String {
        format!(
            "page:{}:{}:{}:{}:{}:{}:{}:{}?{}",
            self.locale.code(),
            self.currency,
            self.preferences.theme.as_str(),
            self.cart_count().min(100),
            u8::from(self.claims.is_some()),
            self.viewer().group.unwrap_or_default(),
            u8::from(self.fragment),
            self.path,
            self.query,
        )
    }

    /// For good to another page of ours (a path without the language's prefix), with the query that was asked.
    pub fn moved(&self, path: &str) -> HttpResponse {
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        HttpResponse::MovedPermanently()
            .insert_header((header::LOCATION, self.link(path) + &query))
            // Asked again each time: an address may come back to what had it before.
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .finish()
    }

    /// To another page of ours (a path without the language's prefix), by GET.
    pub fn see_other(&self, path: &str) -> HttpResponse {
        self.redirect(&self.link(path))
    }

    /// To an address as it is, by GET. For htmx the whole page is exchanged.
    pub fn redirect(&self, address: &str) -> HttpResponse {
        if self.fragment {
            return HttpResponse::NoContent().insert_header(("HX-Redirect", address)).finish();
        }
        HttpResponse::SeeOther().insert_header((header::LOCATION, address)).finish()
    }

    /// Where a form wants to return to: only to a page of ours.
    pub fn back(&self, to: Option<&str>, otherwise: &str) -> HttpResponse {
        match to.filter(|to| is_local(to)) {
            Some(to) => self.redirect(to),
            None => self.see_other(otherwise),
        }
    }

    /// Puts a notice on the next page.
    pub fn notify(&self, response: &mut HttpResponse, tone: &str, text: impl fmt::Display) {
        self.notify_undoable(response, tone, text, None);
    }

    /// The same with a way back.
    pub fn notify_undoable(
        &self,
        response: &mut HttpResponse,
        tone: &str,
        text: impl fmt::Display,
        undo: Option<Undo>,
    ) {
        let notice = Notice { tone: tone.to_owned(), text: text.to_string(), undo };
        self.cookies.set_json(response, Name::Flash, &[notice]);
    }

    /// Remembers the cart, and how many units are in it.
    pub fn keep_cart(&self, response: &mut HttpResponse, cart: &cart::Cart) {
        let count = cart.lines.iter().map(|line| line.quantity).sum();
        self.cookies.set_json(response, Name::Cart, &CartRef { id: cart.id, count });
    }
}

/// Puts the language's prefix before a path.
pub fn link(locale: Locale, path: &str) -> String {
    match (locale.prefix(), path) {
        ("", path) => path.to_owned(),
        (prefix, "/") => prefix.to_owned(),
        (prefix, path) => format!("{prefix}{path}"),
    }
}

/// True for a path on this host: never `//evil`, `/\evil`, or anything with a scheme or a control character.
pub fn is_local(address: &str) -> bool {
    address.starts_with('/')
        && !address.starts_with("//")
        && !address.contains('\\')
        && !address.chars().any(char::is_control)
}

/// Scripts by nonce only, everything else from here, and nothing around us.
pub fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; style-src-attr 'unsafe-inline'; \
         img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; \
         base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
    )
}

fn respond(etag: &str, negotiated: &Negotiated, nonce: &str) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .insert_header((header::CONTENT_SECURITY_POLICY, policy(nonce)))
        .insert_header((header::VARY, "Accept-Encoding, HX-Request, Cookie"));
    if !etag.is_empty() {
        response.insert_header((header::ETAG, etag));
    }
    match negotiated {
        Negotiated::NotModified => response.status(actix_web::http::StatusCode::NOT_MODIFIED).finish(),
        Negotiated::Body { coding, body } => {
            if let Some(coding) = coding {
                response.insert_header((header::CONTENT_ENCODING, *coding));
            }
            response.content_type("text/html; charset=utf-8").body(body.clone())
        }
    }
}

impl From<Arc<Shell>> for Page {
    fn from(shell: Arc<Shell>) -> Self {
        Self(shell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_return_only_to_pages_of_ours() {
        for ours in ["/", "/cart?x=1", "/de/account"] {
            assert!(is_local(ours), "{ours}");
        }
        for theirs in
            ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "", "/a\nb"]
        {
            assert!(!is_local(theirs), "{theirs}");
        }
    }

    #[test]
    fn a_link_carries_the_language() {
        assert_eq!(link(Locale::En, "/cart"), "/cart");
        assert_eq!(link(Locale::De, "/cart"), "/de/cart");
        assert_eq!(link(Locale::De, "/"), "/de");
    }
}
