//! Answers: pages for one visitor, pages for everybody, redirects, and what they leave behind.

use std::fmt;

use actix_web::{HttpRequest, HttpResponse, http::header};
use askama::Template;
use contracts::cart;
use shared::{
    Error,
    cache::{Fresh, Negotiated},
};

use super::{CartRef, Notice, Page, Undo, is_local};
use crate::{Answer, Fault, cookies::Name};

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

/// Scripts by nonce only, everything else from here, and nothing around us.
fn policy(nonce: &str) -> String {
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
