//! Who works here and what they may do.

use std::collections::BTreeSet;

use contracts::customer::{CustomerId, CustomerRegistered, NewStaff, Role, StaffMember};
use shared::{
    Error, Result, Time,
    db::Tx,
    values::{self, Email},
};

use super::{MODULE, Service, credentials, sessions};
use crate::{
    model::{self, OWNER, Password},
    repo::{
        accounts::{self, AccountRow, Changes},
        roles as repo,
    },
};

impl Service {
    /// Roles are data: a shop's changes to them stay. Only the owner gets whatever there is.
    pub(super) async fn seed_roles(&self) -> Result<()> {
        self.db
            .transaction(async move |tx| {
                for (role, permissions) in model::first_roles() {
                    let new = repo::insert(tx, role).await?;
                    for permission in permissions.into_iter().filter(|_| new || role == OWNER) {
                        repo::permit(tx, role, &model::permission_name(permission)).await?;
                    }
                }
                Ok(())
            })
            .await
    }

    pub(super) async fn list_roles(&self) -> Result<Vec<Role>> {
        let mut conn = self.db.get().await?;
        let granted = repo::permissions(&mut conn).await?;
        let of = |name: &str| {
            model::permissions(
                granted.iter().filter(|(role, _)| role == name).map(|(_, permission)| permission.clone()),
            )
        };
        let names = repo::names(&mut conn).await?;
        Ok(names.into_iter().map(|name| Role { permissions: of(&name), name }).collect())
    }

    pub(super) async fn list_staff(&self) -> Result<Vec<StaffMember>> {
        let mut staff: Vec<StaffMember> = Vec::new();
        for (id, email, name, role) in repo::staff(&mut self.db.get().await?).await? {
            match staff.last_mut().filter(|member| member.id == id) {
                Some(member) => member.roles.push(role),
                None => {
                    let email = email.parse().map_err(|e: Error| Error::internal(format!("{id}: {e}")))?;
                    staff.push(StaffMember { id, email, name, roles: vec![role] });
                }
            }
        }
        Ok(staff)
    }

    pub(super) async fn appoint(&self, new: NewStaff) -> Result<StaffMember> {
        let name = match new.name.as_deref() {
            Some(name) => values::text("/name", name, 200)?,
            None => new.email.as_str().split('@').next().unwrap_or_default().to_owned(),
        };
        let known = accounts::by_email(&mut self.db.get().await?, &new.email).await?;
        let hash = match new.password.as_deref() {
            // A verified account keeps its password.
            Some(password) if !known.is_some_and(|account| account.email_verified) => {
                Some(self.passwords.hash(Password::new(password)?).await?)
            }
            _ => None,
        };
        let (email, role, now) = (new.email, new.role, self.clock.now());
        self.db
            .transaction(async move |tx| {
                if !repo::lock(tx, &role).await? {
                    return Err(unknown_role("/role", &role));
                }
                let account = employee(tx, &email, &name, hash.as_ref(), now).await?;
                repo::give(tx, account.id, &role).await?;
                sessions::end_all(tx, account.id, None, now).await?;
                member(tx, &account).await
            })
            .await
    }

    pub(super) async fn replace_roles(&self, id: CustomerId, roles: Vec<String>) -> Result<StaffMember> {
        let now = self.clock.now();
        self.db
            .transaction(async move |tx| {
                let known = repo::names(tx).await?;
                if let Some(wrong) = roles.iter().position(|role| !known.contains(role)) {
                    return Err(unknown_role(&format!("/roles/{wrong}"), &roles[wrong]));
                }
                match roles.iter().any(|role| role == OWNER) {
                    true => _ = repo::lock(tx, OWNER).await?,
                    false => keep_an_owner(tx, id).await?,
                }
                if !accounts::lock(tx, id).await? {
                    return Err(CustomerId::not_found());
                }
                let account = accounts::get(tx, id).await?.ok_or_else(CustomerId::not_found)?;
                if !account.email_verified && !roles.is_empty() {
                    return Err(unverified());
                }
                repo::take_all(tx, id).await?;
                for role in roles.iter().collect::<BTreeSet<_>>() {
                    repo::give(tx, id, role).await?;
                }
                sessions::end_all(tx, id, None, now).await?;
                member(tx, &account).await
            })
            .await
    }
}

/// `Conflict/last_owner` if `leaving` is the only one. Holds the role's lock, so that two owners cannot both be the
/// last but one.
pub(super) async fn keep_an_owner(tx: &mut Tx, leaving: CustomerId) -> Result<()> {
    repo::lock(tx, OWNER).await?;
    let is_owner = repo::of(tx, leaving).await?.iter().any(|role| role == OWNER);
    if is_owner && repo::count_others(tx, OWNER, leaving).await? == 0 {
        return Err(Error::conflict("last_owner", "a shop needs an owner"));
    }
    Ok(())
}

/// The account that is to work here, locked. An unverified one may have been opened by somebody else with a password
/// of theirs: it is taken over with `hash`, or not at all.
async fn employee(
    tx: &mut Tx,
    email: &Email,
    name: &str,
    hash: Option<&String>,
    now: Time,
) -> Result<AccountRow> {
    let missing =
        || Error::invalid("/password", "required", "this address has no account yet: it needs a password");
    let Some(account) = accounts::by_email(tx, email).await? else {
        let account = AccountRow::new(email, name, Some(hash.ok_or_else(missing)?.clone()), true, now);
        if !accounts::insert(tx, &account).await? {
            return Err(Error::conflict(
                "email_taken",
                "somebody has just opened an account with this address",
            ));
        }
        let event = CustomerRegistered { customer: account.customer()? };
        tx.emit(MODULE, account.id, account.version, &event).await?;
        credentials::announce_verified(tx, &account).await?;
        return Ok(account);
    };
    accounts::lock(tx, account.id).await?;
    if account.email_verified {
        return Ok(account);
    }
    let changes = Changes {
        password_hash: Some(Some(hash.ok_or_else(unverified)?.clone())),
        email_verified: Some(true),
        ..Changes::default()
    };
    accounts::update(tx, account.id, None, &changes, now).await?;
    let account = accounts::get(tx, account.id).await?.ok_or_else(CustomerId::not_found)?;
    credentials::announce_verified(tx, &account).await?;
    Ok(account)
}

async fn member(tx: &mut Tx, account: &AccountRow) -> Result<StaffMember> {
    let roles = repo::of(tx, account.id).await?;
    Ok(StaffMember { id: account.id, email: account.email()?, name: account.name.clone(), roles })
}

fn unknown_role(pointer: &str, role: &str) -> Error {
    Error::invalid(pointer, "unknown_role", format!("there is no role {role:?}"))
}

fn unverified() -> Error {
    Error::conflict("email_unverified", "this address is not confirmed: its owner has to, or give a password")
}
