//! Opening, reading, changing and erasing accounts.

use std::collections::HashMap;

use contracts::customer::{
    Customer, CustomerDeleted, CustomerId, CustomerPatch, CustomerRegistered, NewCustomer,
    RegistrationRepeated, TokenPurpose,
};
use shared::{Error, Kind, Page, PageRequest, Result, Time, db::Tx, events, values};

use super::{MODULE, Service, credentials, staff};
use crate::{
    model::Password,
    repo::{
        accounts::{self as repo, AccountRow, Changes, Position},
        addresses, mailed_tokens, roles, sessions,
    },
};

/// Accounts in one transaction of an import.
const BATCH: usize = 200;

impl Service {
    pub(super) async fn open_account(&self, new: NewCustomer) -> Result<Customer> {
        let name = values::text("/name", &new.name, 200)?;
        let hash = self.passwords.hash(Password::new(&new.password)?).await?;
        let (email, now, life) = (new.email, self.clock.now(), self.life_of(TokenPurpose::VerifyEmail));
        self.db
            .transaction(async move |tx| {
                let row = AccountRow::new(&email, &name, Some(hash.clone()), false, now);
                let customer = row.customer()?;
                if repo::insert(tx, &row).await? {
                    let event = CustomerRegistered { customer: customer.clone() };
                    tx.emit(MODULE, row.id, row.version, &event).await?;
                    credentials::issue(tx, Some(&row), TokenPurpose::VerifyEmail, life, now).await?;
                } else if let Some(owner) = repo::by_email(tx, &email).await? {
                    tell_owner(tx, &owner, now).await?;
                }
                Ok(customer)
            })
            .await
    }

    pub(super) async fn find_account(&self, id: CustomerId) -> Result<Customer> {
        repo::get(&mut self.db.get().await?, id).await?.ok_or_else(CustomerId::not_found)?.customer()
    }

    pub(super) async fn list_accounts(&self, q: Option<String>, page: PageRequest) -> Result<Page<Customer>> {
        let q = q.map(|q| q.trim().to_lowercase()).filter(|q| !q.is_empty());
        let scope = format!("customers:{}", q.as_deref().unwrap_or_default());
        let position: Option<Position> = page.position(&scope)?;
        let limit = page.limit.clamp(1, 100);
        let rows =
            repo::list(&mut self.db.get().await?, q.as_deref(), position, i64::from(limit) + 1).await?;
        let customers = rows.iter().map(AccountRow::customer).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(customers, limit, &scope, |customer| (customer.created_at, customer.id)))
    }

    pub(super) async fn update_account(
        &self,
        id: CustomerId,
        patch: CustomerPatch,
        version: Option<i64>,
    ) -> Result<Customer> {
        let name = patch.name.map(|name| values::text("/name", &name, 200)).transpose()?;
        let group = match patch.group.as_deref().map(str::trim) {
            // Nothing is no group.
            Some("") => Some(None),
            Some(group) => Some(Some(values::text("/group", group, 60)?)),
            None => None,
        };
        let now = self.clock.now();
        self.db
            .transaction(async move |tx| {
                let changes = Changes {
                    name_lower: name.as_ref().map(|name| name.to_lowercase()),
                    name: name.clone(),
                    customer_group: group.clone(),
                    ..Changes::default()
                };
                let updated = repo::update(tx, id, version, &changes, now).await?;
                let row = repo::get(tx, id).await?.ok_or_else(CustomerId::not_found)?;
                if !updated {
                    let detail = format!("the customer is at version {} now", row.version);
                    return Err(Error::new(Kind::PreconditionFailed, "version", detail));
                }
                row.customer()
            })
            .await
    }

    pub(super) async fn erase(&self, id: CustomerId) -> Result<()> {
        let now = self.clock.now();
        self.db
            .transaction(async move |tx| {
                staff::keep_an_owner(tx, id).await?;
                if !repo::lock(tx, id).await? {
                    return if repo::existed(tx, id).await? { Ok(()) } else { Err(CustomerId::not_found()) };
                }
                super::sessions::end_all(tx, id, None, now).await?;
                sessions::delete_all(tx, id).await?;
                roles::take_all(tx, id).await?;
                addresses::delete_all(tx, id).await?;
                mailed_tokens::delete_all(tx, id).await?;
                events::forget(tx, &id.to_string()).await?;
                let row = repo::get(tx, id).await?.ok_or_else(CustomerId::not_found)?;
                repo::update(tx, id, None, &erased(id, now), now).await?;
                tx.emit(MODULE, id, row.version + 1, &CustomerDeleted { customer_id: id }).await?;
                Ok(())
            })
            .await
    }

    pub(super) async fn import_accounts(&self, people: Vec<NewCustomer>) -> Result<Vec<Customer>> {
        let mut hashes: HashMap<String, String> = HashMap::new();
        let mut customers = Vec::with_capacity(people.len());
        for batch in people.chunks(BATCH) {
            let mut rows = Vec::with_capacity(batch.len());
            for new in batch {
                // Hashing is slow on purpose; the people of a demo share a few passwords.
                if !hashes.contains_key(&new.password) {
                    let hash = self.passwords.hash(Password::new(&new.password)?).await?;
                    hashes.insert(new.password.clone(), hash);
                }
                let name = values::text("/name", &new.name, 200)?;
                let hash = hashes.get(&new.password).cloned();
                rows.push((
                    new.email.clone(),
                    AccountRow::new(&new.email, &name, hash, true, self.clock.now()),
                ));
            }
            let imported = self.db.transaction(async move |tx| {
                let mut imported = Vec::with_capacity(rows.len());
                for (email, row) in &rows {
                    if repo::insert(tx, row).await? {
                        imported.push(row.customer()?);
                    } else if let Some(owner) = repo::by_email(tx, email).await? {
                        imported.push(owner.customer()?);
                    }
                }
                Ok(imported)
            });
            customers.extend(imported.await?);
        }
        Ok(customers)
    }
}

/// Somebody registers an address that has an account: its owner is told, a few times an hour at most.
async fn tell_owner(tx: &mut Tx, owner: &AccountRow, now: Time) -> Result<()> {
    if let Some(notice) = credentials::record(tx, Some(owner), "registration_repeated", now, now).await? {
        let event = RegistrationRepeated { email: owner.email()?, name: owner.name.clone() };
        tx.emit(MODULE, notice.id, 1, &event).await?;
    }
    Ok(())
}

/// What is left of a person: nothing.
fn erased(id: CustomerId, now: Time) -> Changes {
    Changes {
        email: Some(format!("deleted-{id}@invalid.invalid")),
        name: Some("Deleted".into()),
        name_lower: Some("deleted".into()),
        password_hash: Some(None),
        email_verified: Some(false),
        customer_group: Some(None),
        deleted_at: Some(now),
    }
}
