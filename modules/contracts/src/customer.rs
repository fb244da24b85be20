//! Accounts, sessions, addresses, staff and permissions.
//!
//! Staff are accounts that have a role; one person has one login.

use serde::{Deserialize, Serialize};
use shared::{Id, Page, PageRequest, Time, events::Event, ids::Entity, port, values::Email};

use crate::Address;

/// Names an account.
pub enum CustomerEntity {}
impl Entity for CustomerEntity {
    const PREFIX: &'static str = "cus";
    const NOUN: &'static str = "customer";
}
/// An account's id, a shopper's or an employee's.
pub type CustomerId = Id<CustomerEntity>;

/// Names a session.
pub enum SessionEntity {}
impl Entity for SessionEntity {
    const PREFIX: &'static str = "ses";
    const NOUN: &'static str = "session";
}
/// A session's id; all refresh tokens of one login share it.
pub type SessionId = Id<SessionEntity>;

/// Names a saved address.
pub enum AddressEntity {}
impl Entity for AddressEntity {
    const PREFIX: &'static str = "addr";
    const NOUN: &'static str = "address";
}
/// A saved address's id.
pub type AddressId = Id<AddressEntity>;

/// Names a single-use token sent by mail.
pub enum TokenEntity {}
impl Entity for TokenEntity {
    const PREFIX: &'static str = "tok";
    const NOUN: &'static str = "token";
}
/// A mailed token's id; the token itself is `Signer::token(purpose, id)`.
pub type TokenId = Id<TokenEntity>;

port! {
    /// Accounts and who may do what.
    pub trait Customers as "customer" repeats [find, list, sessions, session_alive, jwks, addresses, staff, roles, import] {
        /// Opens an account. The answer is the same whether or not the address already has one (then the owner gets
        /// a mail that says so, nothing changes, and the returned id leads nowhere).
        async fn register(&self, new: NewCustomer) -> Customer;
        async fn find(&self, id: CustomerId) -> Customer;
        /// Newest first. `q` matches the start of the e-mail or a part of the name.
        async fn list(&self, q: Option<String>, page: PageRequest) -> Page<Customer>;
        /// `version` is the one the caller has seen; `PreconditionFailed/version` if it has moved on.
        async fn update(&self, id: CustomerId, patch: CustomerPatch, version: Option<i64>) -> Customer;
        /// Erases the person: e-mail, name, addresses, sessions, credentials. Idempotent.
        async fn delete(&self, id: CustomerId) -> ();

        /// Sends a new verification mail if the account exists and is not verified; always succeeds.
        async fn request_verification(&self, email: Email) -> ();
        /// `Gone/token_used` when used or expired, `NotFound` when it was never ours.
        async fn verify_email(&self, token: String) -> Customer;
        /// Always succeeds, and takes the same time for known and unknown addresses.
        async fn request_password_reset(&self, email: Email) -> ();
        /// Sets the password and ends all sessions. `Gone/token_used` when used or expired.
        async fn reset_password(&self, token: String, password: String) -> ();
        /// `Forbidden/invalid_credentials` if `current` is wrong. Ends all other sessions than `keep`.
        async fn change_password(&self, id: CustomerId, current: String, new: String, keep: Option<SessionId>) -> ();

        /// `Unauthenticated/invalid_credentials` for a wrong password and an unknown address alike.
        async fn log_in(&self, login: Login) -> Tokens;
        /// Rotates the refresh token. A token used twice ends the session (`Unauthenticated/invalid_grant`).
        async fn refresh(&self, refresh_token: String) -> Tokens;
        /// Idempotent.
        async fn log_out(&self, session: SessionId) -> ();
        /// Logs in for a browser: the cookie's value opens the session until it ends. Errors as `log_in`.
        async fn open_browser_session(&self, login: Login) -> BrowserSession;
        /// Whose cookie this is, and notes that it is in use. `Unauthenticated/session_ended` when it is nobody's (any
        /// more). Staff have to come back within `staff_idle_seconds`.
        async fn resume_browser_session(&self, token: String) -> Claims;
        async fn sessions(&self, customer: CustomerId) -> Vec<Session>;
        /// True while the session is neither ended nor expired. Asked by the gateway (cached) for each access token.
        async fn session_alive(&self, session: SessionId) -> bool;
        /// The public keys that access tokens are signed with, as a JSON Web Key Set.
        async fn jwks(&self) -> serde_json::Value;

        async fn addresses(&self, customer: CustomerId) -> Vec<SavedAddress>;
        async fn add_address(&self, customer: CustomerId, address: Address) -> SavedAddress;
        async fn update_address(&self, customer: CustomerId, id: AddressId, address: Address) -> SavedAddress;
        async fn delete_address(&self, customer: CustomerId, id: AddressId) -> ();

        /// Gives an account roles, opening it when the address has none (then `password` is needed).
        async fn add_staff(&self, new: NewStaff) -> StaffMember;
        async fn staff(&self) -> Vec<StaffMember>;
        /// No roles: no longer staff. Ends the member's sessions. The last owner stays (`Conflict/last_owner`).
        async fn set_roles(&self, id: CustomerId, roles: Vec<String>) -> StaffMember;
        async fn roles(&self) -> Vec<Role>;

        /// Demo data: opens verified accounts without mails. Existing addresses are left alone.
        async fn import(&self, people: Vec<NewCustomer>) -> Vec<Customer>;
    }
}

/// An account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Customer {
    pub id: CustomerId,
    pub email: Email,
    pub name: String,
    pub email_verified: bool,
    /// Customer group, for price lists: `wholesale`.
    pub group: Option<String>,
    pub created_at: Time,
    pub version: i64,
}

/// Wants an account.
#[derive(Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCustomer {
    pub email: Email,
    /// 8..=128 characters.
    pub password: String,
    pub name: String,
}

impl std::fmt::Debug for NewCustomer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewCustomer({:?})", self.email)
    }
}

/// What to change; absent members stay.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerPatch {
    pub name: Option<String>,
    /// Staff only.
    pub group: Option<String>,
}

/// Wants a session.
#[derive(Clone, Serialize, Deserialize)]
pub struct Login {
    pub email: Email,
    pub password: String,
    /// Shown in the list of sessions.
    pub user_agent: Option<String>,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({:?})", self.email)
    }
}

/// A session's keys.
#[derive(Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Tokens {
    /// A JWT signed with EdDSA; its claims are [`Claims`].
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds until the access token expires, at most 600.
    pub expires_in: u32,
    /// Opaque, single use: each refresh gives a new one.
    pub refresh_token: String,
    pub customer: Customer,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tokens(of {})", self.customer.id)
    }
}

/// A session in a browser.
#[derive(Clone, Serialize, Deserialize)]
pub struct BrowserSession {
    /// The cookie's value: 256 random bits, stored nowhere.
    pub token: String,
    pub claims: Claims,
}

impl std::fmt::Debug for BrowserSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BrowserSession(of {})", self.claims.sub)
    }
}

/// What an access token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// Always `bodega`.
    pub iss: String,
    /// Always `bodega`.
    pub aud: String,
    pub sub: CustomerId,
    pub sid: SessionId,
    /// Seconds since the epoch.
    pub iat: i64,
    pub exp: i64,
    pub email: Email,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Empty for shoppers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<Permission>,
}

/// A login somewhere.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Session {
    pub id: SessionId,
    pub user_agent: Option<String>,
    pub created_at: Time,
    pub last_used_at: Time,
    pub expires_at: Time,
}

/// An address in the book.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SavedAddress {
    pub id: AddressId,
    pub address: Address,
}

/// Somebody who works here.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StaffMember {
    pub id: CustomerId,
    pub email: Email,
    pub name: String,
    pub roles: Vec<String>,
}

/// Wants to work here.
#[derive(Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewStaff {
    pub email: Email,
    pub name: Option<String>,
    /// `owner`, `manager` or `support`.
    pub role: String,
    /// Needed when the address has no account yet.
    pub password: Option<String>,
}

impl std::fmt::Debug for NewStaff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewStaff({:?}, {})", self.email, self.role)
    }
}

/// A named set of permissions.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Role {
    pub name: String,
    pub permissions: Vec<Permission>,
}

/// What staff may do: resource and action.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
pub enum Permission {
    #[serde(rename = "products:read")]
    ProductsRead,
    #[serde(rename = "products:write")]
    ProductsWrite,
    #[serde(rename = "inventory:read")]
    InventoryRead,
    #[serde(rename = "inventory:write")]
    InventoryWrite,
    #[serde(rename = "orders:read")]
    OrdersRead,
    /// Cancel, capture.
    #[serde(rename = "orders:write")]
    OrdersWrite,
    #[serde(rename = "orders:refund")]
    OrdersRefund,
    /// Shipments and notes.
    #[serde(rename = "orders:ship")]
    OrdersShip,
    #[serde(rename = "customers:read")]
    CustomersRead,
    #[serde(rename = "customers:write")]
    CustomersWrite,
    #[serde(rename = "promotions:read")]
    PromotionsRead,
    #[serde(rename = "promotions:write")]
    PromotionsWrite,
    #[serde(rename = "reviews:read")]
    ReviewsRead,
    #[serde(rename = "reviews:write")]
    ReviewsWrite,
    /// Shipping zones and tax rates.
    #[serde(rename = "settings:read")]
    SettingsRead,
    #[serde(rename = "settings:write")]
    SettingsWrite,
    #[serde(rename = "staff:read")]
    StaffRead,
    #[serde(rename = "staff:write")]
    StaffWrite,
    /// Modules, outbox lag, dead letters, jobs.
    #[serde(rename = "system:read")]
    SystemRead,
    #[serde(rename = "system:write")]
    SystemWrite,
}

impl Permission {
    /// Every permission: the owner's.
    pub const ALL: [Self; 20] = [
        Self::ProductsRead,
        Self::ProductsWrite,
        Self::InventoryRead,
        Self::InventoryWrite,
        Self::OrdersRead,
        Self::OrdersWrite,
        Self::OrdersRefund,
        Self::OrdersShip,
        Self::CustomersRead,
        Self::CustomersWrite,
        Self::PromotionsRead,
        Self::PromotionsWrite,
        Self::ReviewsRead,
        Self::ReviewsWrite,
        Self::SettingsRead,
        Self::SettingsWrite,
        Self::StaffRead,
        Self::StaffWrite,
        Self::SystemRead,
        Self::SystemWrite,
    ];
}

/// What a mailed token is for; also the `purpose` it is signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenPurpose {
    VerifyEmail,
    ResetPassword,
}

impl TokenPurpose {
    /// The text that is signed and stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
        }
    }
}

/// A mail with a link is due. The link's token is `Signer::token(purpose, token_id)`: it is stored nowhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TokenIssued {
    pub customer_id: CustomerId,
    pub email: Email,
    pub name: String,
    pub purpose: TokenPurpose,
    pub token_id: TokenId,
    pub expires_at: Time,
}
impl Event for TokenIssued {
    const TYPE: &'static str = "customer.token_issued";
}

/// Somebody tried to register an address that has an account: its owner is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegistrationRepeated {
    pub email: Email,
    pub name: String,
}
impl Event for RegistrationRepeated {
    const TYPE: &'static str = "customer.registration_repeated";
}

/// A new account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CustomerRegistered {
    pub customer: Customer,
}
impl Event for CustomerRegistered {
    const TYPE: &'static str = "customer.registered";
}

/// The address belongs to the account: guest orders with it become the account's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EmailVerified {
    pub customer_id: CustomerId,
    pub email: Email,
}
impl Event for EmailVerified {
    const TYPE: &'static str = "customer.email_verified";
}

/// The person is to be forgotten everywhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CustomerDeleted {
    pub customer_id: CustomerId,
}
impl Event for CustomerDeleted {
    const TYPE: &'static str = "customer.deleted";
}

/// Sessions ended before their time: gateways forget that they were alive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionsRevoked {
    pub sessions: Vec<SessionId>,
}
impl Event for SessionsRevoked {
    const TYPE: &'static str = "session.revoked";
}
