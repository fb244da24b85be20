//! Mailed tokens and passwords.

use std::time::Duration;

use contracts::customer::{
    Customer, CustomerId, EmailVerified, SessionId, TokenEntity, TokenId, TokenIssued, TokenPurpose,
};
use shared::{Error, Kind, Result, Time, db::Tx, values::Email};

use super::{MODULE, Service, sessions};
use crate::{
    model::Password,
    repo::{
        accounts::{self, AccountRow, Changes},
        mailed_tokens::{self, TokenRow},
    },
};

/// Mails of one kind that one account gets within an hour. Further requests are met with silence.
const MAILS_AN_HOUR: i64 = 3;
const HOUR: Duration = Duration::from_secs(3600);

impl Service {
    /// How long a link for `purpose` works.
    pub(super) fn life_of(&self, purpose: TokenPurpose) -> Duration {
        Duration::from_secs(match purpose {
            TokenPurpose::VerifyEmail => self.settings.verification_seconds,
            TokenPurpose::ResetPassword => self.settings.password_reset_seconds,
        })
    }

    pub(super) async fn mail_verification(&self, email: Email) -> Result<()> {
        self.mail(email, TokenPurpose::VerifyEmail, |account| !account.email_verified).await
    }

    pub(super) async fn mail_password_reset(&self, email: Email) -> Result<()> {
        self.mail(email, TokenPurpose::ResetPassword, |_| true).await
    }

    async fn mail(&self, email: Email, purpose: TokenPurpose, wanted: fn(&AccountRow) -> bool) -> Result<()> {
        let (now, life) = (self.clock.now(), self.life_of(purpose));
        self.db
            .transaction(async move |tx| {
                let account = accounts::by_email(tx, &email).await?.filter(wanted);
                issue(tx, account.as_ref(), purpose, life, now).await
            })
            .await
    }

    pub(super) async fn verify(&self, token: String) -> Result<Customer> {
        let (id, now) = (self.opened(TokenPurpose::VerifyEmail, &token)?, self.clock.now());
        self.db
            .transaction(async move |tx| {
                let account = consume(tx, id, TokenPurpose::VerifyEmail, now).await?;
                mailed_tokens::invalidate(tx, account.id, TokenPurpose::VerifyEmail.as_str(), now).await?;
                change(tx, account, Changes::default(), now).await?.customer()
            })
            .await
    }

    pub(super) async fn reset(&self, token: String, password: String) -> Result<()> {
        let purpose = TokenPurpose::ResetPassword;
        let id = self.opened(purpose, &token)?;
        // Asked before the hash is made: a dead link costs nothing.
        let live =
            mailed_tokens::live(&mut self.db.get().await?, id, purpose.as_str(), self.clock.now()).await?;
        live.ok_or_else(used)?;
        let hash = self.passwords.hash(Password::new(&password)?).await?;
        let now = self.clock.now();
        self.db
            .transaction(async move |tx| {
                let account = consume(tx, id, purpose, now).await?;
                let changes = Changes { password_hash: Some(Some(hash.clone())), ..Changes::default() };
                mailed_tokens::invalidate(tx, account.id, TokenPurpose::VerifyEmail.as_str(), now).await?;
                mailed_tokens::invalidate(tx, account.id, purpose.as_str(), now).await?;
                sessions::end_all(tx, account.id, None, now).await?;
                change(tx, account, changes, now).await?;
                Ok(())
            })
            .await
    }

    pub(super) async fn replace_password(
        &self,
        id: CustomerId,
        current: String,
        new: String,
        keep: Option<SessionId>,
    ) -> Result<()> {
        let wrong = || Error::new(Kind::Forbidden, "invalid_credentials", "the current password is wrong");
        let new = Password::new(&new)?;
        let account =
            accounts::get(&mut self.db.get().await?, id).await?.ok_or_else(CustomerId::not_found)?;
        let current = Password::attempt(&current).ok_or_else(wrong)?;
        if !self.passwords.verify(current, account.password_hash.clone()).await? {
            return Err(wrong());
        }
        let hash = self.passwords.hash(new).await?;
        let (seen, now) = (account.password_hash, self.clock.now());
        let changed = self
            .db
            .transaction(async move |tx| {
                accounts::lock(tx, id).await?;
                if accounts::get(tx, id).await?.is_none_or(|account| account.password_hash != seen) {
                    return Ok(false);
                }
                let changes = Changes { password_hash: Some(Some(hash.clone())), ..Changes::default() };
                accounts::update(tx, id, None, &changes, now).await?;
                mailed_tokens::invalidate(tx, id, TokenPurpose::ResetPassword.as_str(), now).await?;
                sessions::end_all(tx, id, keep, now).await?;
                Ok(true)
            })
            .await?;
        if changed { Ok(()) } else { Err(wrong()) }
    }

    fn opened(&self, purpose: TokenPurpose, token: &str) -> Result<TokenId> {
        self.signer.open::<TokenEntity>(purpose.as_str(), token).ok_or_else(TokenId::not_found)
    }
}

/// Has a link mailed to the account, unless there is none or it got enough of them: then the work is the same.
pub(super) async fn issue(
    tx: &mut Tx,
    account: Option<&AccountRow>,
    purpose: TokenPurpose,
    life: Duration,
    now: Time,
) -> Result<()> {
    let row = record(tx, account, purpose.as_str(), now.after(life), now).await?;
    let (Some(row), Some(account)) = (row, account) else { return Ok(()) };
    let event = TokenIssued {
        customer_id: account.id,
        email: account.email()?,
        name: account.name.clone(),
        purpose,
        token_id: row.id,
        expires_at: row.expires_at,
    };
    tx.emit(MODULE, row.id, 1, &event).await?;
    Ok(())
}

/// Writes down that a mail is due, and says whether it is. Without an account a row for nobody is written, so that
/// the answer takes as long.
pub(super) async fn record(
    tx: &mut Tx,
    account: Option<&AccountRow>,
    purpose: &str,
    expires_at: Time,
    now: Time,
) -> Result<Option<TokenRow>> {
    let asked = account.map_or_else(CustomerId::random, |account| account.id);
    accounts::lock(tx, asked).await?;
    let sent = mailed_tokens::count_since(tx, asked, purpose, now.before(HOUR)).await?;
    let account = account.filter(|_| sent < MAILS_AN_HOUR);
    let account_id = account.map_or_else(CustomerId::random, |account| account.id);
    if purpose == TokenPurpose::ResetPassword.as_str() {
        mailed_tokens::invalidate(tx, account_id, purpose, now).await?;
    }
    let row = TokenRow {
        id: TokenId::new(),
        account_id,
        purpose: purpose.to_owned(),
        email: account.map(|account| account.email.clone()).unwrap_or_default(),
        created_at: now,
        expires_at,
        used_at: account.is_none().then_some(now),
    };
    mailed_tokens::insert(tx, &row).await?;
    Ok(account.map(|_| row))
}

/// Uses a token up and returns the account it was sent to, locked.
async fn consume(tx: &mut Tx, id: TokenId, purpose: TokenPurpose, now: Time) -> Result<AccountRow> {
    let token = mailed_tokens::live(tx, id, purpose.as_str(), now).await?.ok_or_else(used)?;
    if !accounts::lock(tx, token.account_id).await? || !mailed_tokens::consume(tx, id, now).await? {
        return Err(used());
    }
    // A link proves that its address is theirs: not another one that the account has got since.
    let account = accounts::get(tx, token.account_id).await?;
    account.filter(|account| account.email == token.email).ok_or_else(used)
}

/// Changes the account, whose owner has just shown that they read its mail.
async fn change(tx: &mut Tx, account: AccountRow, changes: Changes, now: Time) -> Result<AccountRow> {
    let changes = Changes { email_verified: Some(true), ..changes };
    accounts::update(tx, account.id, None, &changes, now).await?;
    let changed = accounts::get(tx, account.id).await?.ok_or_else(CustomerId::not_found)?;
    if !account.email_verified {
        announce_verified(tx, &changed).await?;
    }
    Ok(changed)
}

/// Says that the address belongs to the account.
pub(super) async fn announce_verified(tx: &mut Tx, account: &AccountRow) -> Result<()> {
    let event = EmailVerified { customer_id: account.id, email: account.email()? };
    tx.emit(MODULE, account.id, account.version, &event).await?;
    Ok(())
}

fn used() -> Error {
    Error::new(Kind::Gone, "token_used", "this link was used or is too old")
}
