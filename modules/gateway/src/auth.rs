//! Who is calling: access tokens, and permissions as extractors.

use std::{collections::HashMap, marker::PhantomData, sync::Arc, time::Duration};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web};
use contracts::{
    Actor,
    cart::Viewer,
    customer::{Claims, CustomerId, Customers, Permission, SessionId},
};
use futures::future::LocalBoxFuture;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use shared::{Clock, Error, Kind, Result};
use tokio::sync::RwLock;

use crate::{app::State, problem::Problem};

/// How long a session is believed to be alive without asking; revocations are heard at once.
const SESSION_TTL: Duration = Duration::from_secs(30);

/// Checks access tokens against the customer module's public keys.
pub struct Verifier {
    customers: Arc<dyn Customers>,
    clock: Arc<dyn Clock>,
    keys: RwLock<HashMap<String, DecodingKey>>,
    claims: moka::sync::Cache<String, Arc<Claims>>,
    sessions: moka::sync::Cache<SessionId, bool>,
}

impl Verifier {
    pub fn new(customers: Arc<dyn Customers>, clock: Arc<dyn Clock>) -> Self {
        Self {
            customers,
            clock,
            keys: RwLock::default(),
            claims: moka::sync::Cache::builder()
                .max_capacity(10_000)
                .time_to_live(Duration::from_secs(60))
                .build(),
            sessions: moka::sync::Cache::builder().max_capacity(100_000).time_to_live(SESSION_TTL).build(),
        }
    }

    /// The claims of a token that is ours, not expired, and whose session is alive; `Unauthenticated/invalid_token`.
    pub async fn verify(&self, token: &str) -> Result<Arc<Claims>> {
        let claims = match self.claims.get(token) {
            Some(claims) => claims,
            None => {
                let claims = Arc::new(self.decode(token).await?);
                self.claims.insert(token.to_owned(), claims.clone());
                claims
            }
        };
        if claims.exp <= self.clock.now().seconds() {
            return Err(invalid("the access token has expired"));
        }
        let alive = match self.sessions.get(&claims.sid) {
            Some(alive) => alive,
            None => {
                let alive = self.customers.session_alive(claims.sid).await?;
                self.sessions.insert(claims.sid, alive);
                alive
            }
        };
        if alive { Ok(claims) } else { Err(invalid("the session has ended")) }
    }

    /// Believes no longer that these sessions are alive.
    pub fn revoke(&self, sessions: &[SessionId]) {
        for session in sessions {
            self.sessions.insert(*session, false);
        }
    }

    async fn decode(&self, token: &str) -> Result<Claims> {
        let wrong = |_| invalid("the access token is not one of ours");
        let header = jsonwebtoken::decode_header(token).map_err(wrong)?;
        if header.alg != Algorithm::EdDSA {
            return Err(invalid("the access token is not one of ours"));
        }
        let key = self.key(&header.kid.unwrap_or_default()).await?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&["bodega"]);
        validation.set_issuer(&["bodega"]);
        validation.validate_exp = false;
        Ok(jsonwebtoken::decode::<Claims>(token, &key, &validation).map_err(wrong)?.claims)
    }

    /// Keys are fetched again when an unknown one is named: after a rotation, or at the first request.
    async fn key(&self, kid: &str) -> Result<DecodingKey> {
        if let Some(key) = self.keys.read().await.get(kid) {
            return Ok(key.clone());
        }
        let set: JwkSet = serde_json::from_value(self.customers.jwks().await?)?;
        let mut keys = self.keys.write().await;
        for jwk in &set.keys {
            if let (Some(kid), Ok(key)) = (&jwk.common.key_id, DecodingKey::from_jwk(jwk)) {
                keys.insert(kid.clone(), key);
            }
        }
        keys.get(kid).cloned().ok_or_else(|| invalid("the access token is not one of ours"))
    }
}

fn invalid(detail: &str) -> Error {
    Error::new(Kind::Unauthenticated, "invalid_token", detail)
}

/// The claims in the `Authorization` header: none without a header, an error for a bad one.
pub async fn claims(request: &HttpRequest) -> Result<Option<Arc<Claims>>, Problem> {
    let Some(value) = request.headers().get(header::AUTHORIZATION) else { return Ok(None) };
    let token = value
        .to_str()
        .ok()
        .and_then(|v| v.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| invalid("send Authorization: Bearer <access token>"))?;
    let state = request.app_data::<web::Data<State>>().expect("the gateway sets its state");
    Ok(Some(state.verifier.verify(token).await?))
}

/// Nobody has said who is calling.
pub fn unauthenticated() -> Problem {
    Error::new(Kind::Unauthenticated, "unauthenticated", "sign in first").into()
}

/// Somebody, signed in or not.
pub struct Visitor(pub Option<Arc<Claims>>);

impl Visitor {
    /// The account, if signed in.
    pub fn customer(&self) -> Option<CustomerId> {
        self.0.as_ref().map(|c| c.sub)
    }

    /// The customer's group, for prices.
    pub fn group(&self) -> Option<String> {
        self.0.as_ref().and_then(|c| c.group.clone())
    }

    /// Both, for carts.
    pub fn viewer(&self) -> Viewer {
        Viewer { customer_id: self.customer(), group: self.group() }
    }
}

impl FromRequest for Visitor {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { claims(&request).await.map(Self) })
    }
}

/// Somebody who is signed in.
pub struct CurrentCustomer(pub Arc<Claims>);

impl FromRequest for CurrentCustomer {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { claims(&request).await?.map(Self).ok_or_else(unauthenticated) })
    }
}

/// A permission as a type.
pub trait Needs: 'static {
    /// What the role must have.
    const PERMISSION: Permission;
}

/// Somebody who works here and may do `N`.
pub struct Staff<N: Needs> {
    claims: Arc<Claims>,
    needs: PhantomData<N>,
}

impl<N: Needs> Staff<N> {
    /// For timelines and movements.
    pub fn actor(&self) -> Actor {
        Actor::Staff(self.claims.sub)
    }

    /// The account.
    pub fn id(&self) -> CustomerId {
        self.claims.sub
    }
}

impl<N: Needs> FromRequest for Staff<N> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let claims = claims(&request).await?.ok_or_else(unauthenticated)?;
            allowed(&claims, N::PERMISSION)?;
            Ok(Self { claims, needs: PhantomData })
        })
    }
}

/// Somebody who works here, where the permission depends on what is asked for.
pub struct Clerk(Arc<Claims>);

impl Clerk {
    /// `Forbidden` unless the role has the permission.
    pub fn may(&self, permission: Permission) -> Result<(), Problem> {
        allowed(&self.0, permission)
    }
}

impl FromRequest for Clerk {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let claims = claims(&request).await?.ok_or_else(unauthenticated)?;
            match claims.permissions.is_empty() {
                true => Err(Error::new(Kind::Forbidden, "forbidden", NOT_ALLOWED).into()),
                false => Ok(Self(claims)),
            }
        })
    }
}

const NOT_ALLOWED: &str = "your role does not allow this";

fn allowed(claims: &Claims, permission: Permission) -> Result<(), Problem> {
    if claims.permissions.contains(&permission) {
        return Ok(());
    }
    let needed = serde_json::to_value(permission).expect("a permission is a string");
    Err(Error::new(Kind::Forbidden, "forbidden", NOT_ALLOWED).with("permission", needed).into())
}

/// One type per permission, for `Staff<CanRefund>`.
pub mod can {
    use super::{Needs, Permission};

    pub struct ReadProducts;
    pub struct WriteProducts;
    pub struct ReadInventory;
    pub struct WriteInventory;
    pub struct ReadOrders;
    pub struct WriteOrders;
    pub struct Refund;
    pub struct Ship;
    pub struct ReadCustomers;
    pub struct WriteCustomers;
    pub struct ReadPromotions;
    pub struct WritePromotions;
    pub struct ReadReviews;
    pub struct WriteReviews;
    pub struct ReadSettings;
    pub struct WriteSettings;
    pub struct ReadStaff;
    pub struct WriteStaff;
    pub struct ReadSystem;
    pub struct WriteSystem;

    impl Needs for ReadProducts {
        const PERMISSION: Permission = Permission::ProductsRead;
    }
    impl Needs for WriteProducts {
        const PERMISSION: Permission = Permission::ProductsWrite;
    }
    impl Needs for ReadInventory {
        const PERMISSION: Permission = Permission::InventoryRead;
    }
    impl Needs for WriteInventory {
        const PERMISSION: Permission = Permission::InventoryWrite;
    }
    impl Needs for ReadOrders {
        const PERMISSION: Permission = Permission::OrdersRead;
    }
    impl Needs for WriteOrders {
        const PERMISSION: Permission = Permission::OrdersWrite;
    }
    impl Needs for Refund {
        const PERMISSION: Permission = Permission::OrdersRefund;
    }
    impl Needs for Ship {
        const PERMISSION: Permission = Permission::OrdersShip;
    }
    impl Needs for ReadCustomers {
        const PERMISSION: Permission = Permission::CustomersRead;
    }
    impl Needs for WriteCustomers {
        const PERMISSION: Permission = Permission::CustomersWrite;
    }
    impl Needs for ReadPromotions {
        const PERMISSION: Permission = Permission::PromotionsRead;
    }
    impl Needs for WritePromotions {
        const PERMISSION: Permission = Permission::PromotionsWrite;
    }
    impl Needs for ReadReviews {
        const PERMISSION: Permission = Permission::ReviewsRead;
    }
    impl Needs for WriteReviews {
        const PERMISSION: Permission = Permission::ReviewsWrite;
    }
    impl Needs for ReadSettings {
        const PERMISSION: Permission = Permission::SettingsRead;
    }
    impl Needs for WriteSettings {
        const PERMISSION: Permission = Permission::SettingsWrite;
    }
    impl Needs for ReadStaff {
        const PERMISSION: Permission = Permission::StaffRead;
    }
    impl Needs for WriteStaff {
        const PERMISSION: Permission = Permission::StaffWrite;
    }
    impl Needs for ReadSystem {
        const PERMISSION: Permission = Permission::SystemRead;
    }
    impl Needs for WriteSystem {
        const PERMISSION: Permission = Permission::SystemWrite;
    }
}
