//! What every page knows: language, currency, theme, who is looking, what is in the cart. Templates call it `p`.

mod address;
mod answer;
mod notice;
mod preferences;
mod texts;

use std::{ops::Deref, sync::Arc};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, web};
use contracts::{
    Actor,
    cart::{self, CartId},
    customer::{Claims, CustomerId, Permission},
    product::{CategoryNode, PriceContext, ProductId},
};
use futures::future::{Ready, ready};
use serde::{Deserialize, Serialize};
use shared::{Currency, Error, Result, Time};

pub use address::{is_local, link};
pub use notice::{Notice, Undo};
pub use preferences::{Preferences, Theme};

use crate::{
    Answer, Fault, app::State, cookies::Cookies, locale::Locale, said::Said, storefront::footer::Footer,
};

/// The visitor's cart, in a sealed cookie: pages show the count without asking for the cart.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct CartRef {
    pub id: CartId,
    /// Units in it when it was last seen.
    pub count: i64,
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

impl From<Arc<Shell>> for Page {
    fn from(shell: Arc<Shell>) -> Self {
        Self(shell)
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
