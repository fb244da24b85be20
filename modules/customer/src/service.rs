//! The port: each method is in the file of its noun.

mod accounts;
mod addresses;
mod credentials;
mod sessions;
mod staff;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use contracts::{
    Address,
    customer::{
        AddressId, BrowserSession, Claims, Customer, CustomerId, CustomerPatch, Customers, Login,
        NewCustomer, NewStaff, Role, SavedAddress, Session, SessionId, StaffMember, Tokens,
    },
};
use shared::{
    Clock, Page, PageRequest, Result, db::Db, events::Consumer, jobs::Jobs, signer::Signer, values::Email,
};

use crate::{Settings, keys::Keys, passwords::Passwords};

/// This module's name in events.
const MODULE: &str = "customer";

/// Accounts and who may do what.
pub struct Service {
    pub(crate) db: Db,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Settings,
    signer: Signer,
    keys: Keys,
    passwords: Passwords,
}

impl Service {
    /// Makes the signing key and the first roles if there are none yet. The database must be migrated.
    pub async fn new(db: Db, clock: Arc<dyn Clock>, signer: Signer, settings: Settings) -> Result<Arc<Self>> {
        let keys = Keys::open(&db, signer.clone(), clock.now()).await?;
        let passwords = Passwords::new(settings.password_workers, settings.password_queue);
        let service = Arc::new(Self { db, clock, settings, signer, keys, passwords });
        service.seed_roles().await?;
        Ok(service)
    }

    /// It hears nothing.
    pub fn consumers(self: &Arc<Self>) -> Vec<Arc<dyn Consumer>> {
        Vec::new()
    }

    /// Starts the hourly pruning.
    pub fn start(self: &Arc<Self>, jobs: &Jobs) {
        let service = self.clone();
        jobs.every_elected("customer.prune", Duration::from_secs(3600), move || {
            let service = service.clone();
            async move { service.prune().await }
        });
    }
}

#[async_trait]
impl Customers for Service {
    async fn register(&self, new: NewCustomer) -> Result<Customer> {
        self.open_account(new).await
    }
    async fn find(&self, id: CustomerId) -> Result<Customer> {
        self.find_account(id).await
    }
    async fn list(&self, q: Option<String>, page: PageRequest) -> Result<Page<Customer>> {
        self.list_accounts(q, page).await
    }
    async fn update(&self, id: CustomerId, patch: CustomerPatch, version: Option<i64>) -> Result<Customer> {
        self.update_account(id, patch, version).await
    }
    async fn delete(&self, id: CustomerId) -> Result<()> {
        self.erase(id).await
    }

    async fn request_verification(&self, email: Email) -> Result<()> {
        self.mail_verification(email).await
    }
    async fn verify_email(&self, token: String) -> Result<Customer> {
        self.verify(token).await
    }
    async fn request_password_reset(&self, email: Email) -> Result<()> {
        self.mail_password_reset(email).await
    }
    async fn reset_password(&self, token: String, password: String) -> Result<()> {
        self.reset(token, password).await
    }
    async fn change_password(
        &self,
        id: CustomerId,
        current: String,
        new: String,
        keep: Option<SessionId>,
    ) -> Result<()> {
        self.replace_password(id, current, new, keep).await
    }

    async fn log_in(&self, login: Login) -> Result<Tokens> {
        self.open_session(login).await
    }
    async fn refresh(&self, refresh_token: String) -> Result<Tokens> {
        self.rotate(refresh_token).await
    }
    async fn log_out(&self, session: SessionId) -> Result<()> {
        self.end_session(session).await
    }
    async fn open_browser_session(&self, login: Login) -> Result<BrowserSession> {
        self.open_in_browser(login).await
    }
    async fn resume_browser_session(&self, token: String) -> Result<Claims> {
        self.resume(token).await
    }
    async fn sessions(&self, customer: CustomerId) -> Result<Vec<Session>> {
        self.list_sessions(customer).await
    }
    async fn session_alive(&self, session: SessionId) -> Result<bool> {
        self.is_alive(session).await
    }
    async fn jwks(&self) -> Result<serde_json::Value> {
        self.keys.jwks(&self.db).await
    }

    async fn addresses(&self, customer: CustomerId) -> Result<Vec<SavedAddress>> {
        self.list_addresses(customer).await
    }
    async fn add_address(&self, customer: CustomerId, address: Address) -> Result<SavedAddress> {
        self.save_address(customer, address).await
    }
    async fn update_address(
        &self,
        customer: CustomerId,
        id: AddressId,
        address: Address,
    ) -> Result<SavedAddress> {
        self.replace_address(customer, id, address).await
    }
    async fn delete_address(&self, customer: CustomerId, id: AddressId) -> Result<()> {
        self.remove_address(customer, id).await
    }

    async fn add_staff(&self, new: NewStaff) -> Result<StaffMember> {
        self.appoint(new).await
    }
    async fn staff(&self) -> Result<Vec<StaffMember>> {
        self.list_staff().await
    }
    async fn set_roles(&self, id: CustomerId, roles: Vec<String>) -> Result<StaffMember> {
        self.replace_roles(id, roles).await
    }
    async fn roles(&self) -> Result<Vec<Role>> {
        self.list_roles().await
    }

    async fn import(&self, people: Vec<NewCustomer>) -> Result<Vec<Customer>> {
        self.import_accounts(people).await
    }
}
