//! Logging in, staying in, logging out.

use std::time::Duration;

use contracts::customer::{
    BrowserSession, Claims, Customer, CustomerId, Login, Permission, Session, SessionId, SessionsRevoked,
    Tokens,
};
use data_encoding::{BASE64URL_NOPAD as BASE64, HEXLOWER};
use sha2::{Digest, Sha256};
use shared::{Error, Kind, Result, Time, db::Tx};

use super::{MODULE, Service};
use crate::{
    model::{self, Password},
    passwords,
    repo::{
        accounts::{self, AccountRow},
        roles,
        sessions::{self as repo, SessionRow},
    },
};

/// Access tokens live no longer, whatever the settings say: nobody can take one back.
const LONGEST_ACCESS: u64 = 600;

/// A session's last use is written down no more often than this.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// What a session was opened or continued with.
struct Grant {
    account: AccountRow,
    session: SessionRow,
    permissions: Vec<Permission>,
    at: Time,
}

/// The hash of what continues a session.
enum Key {
    /// Single use: each one is replaced by the next.
    Refresh(String),
    /// A browser's cookie, which stays.
    Browser(String),
}

/// What became of a refresh token.
enum Rotation {
    Rotated(Box<Grant>),
    Refused,
}

impl Service {
    pub(super) async fn open_session(&self, login: Login) -> Result<Tokens> {
        let (refresh, hash) = new_token();
        let grant = self.log_in_with(login, Key::Refresh(hash)).await?;
        self.tokens(grant, refresh)
    }

    pub(super) async fn open_in_browser(&self, login: Login) -> Result<BrowserSession> {
        let (token, hash) = new_token();
        let grant = self.log_in_with(login, Key::Browser(hash)).await?;
        Ok(BrowserSession { token, claims: self.claims(grant)?.0 })
    }

    pub(super) async fn resume(&self, token: String) -> Result<Claims> {
        let ended = || Error::new(Kind::Unauthenticated, "session_ended", "sign in again");
        let (hash, now) = (hash_of(&token), self.clock.now());
        let mut conn = self.db.get().await?;
        let session = repo::of_browser_token(&mut conn, &hash).await?.ok_or_else(ended)?;
        let account = accounts::get(&mut conn, session.account_id).await?.ok_or_else(ended)?;
        let permissions = model::permissions(roles::permissions_of(&mut conn, account.id).await?);
        drop(conn);
        let staff_idle = Duration::from_secs(self.settings.staff_idle_seconds);
        let idle = if permissions.is_empty() { self.idle() } else { staff_idle.min(self.idle()) };
        if !is_open(&session, idle, now) {
            return Err(ended());
        }
        if session.last_used_at.after(TOUCH_EVERY) <= now {
            let id = session.id;
            self.db.transaction(async move |tx| repo::touch(tx, id, now).await).await?;
        }
        Ok(self.claims(Grant { account, session, permissions, at: now })?.0)
    }

    async fn log_in_with(&self, login: Login, key: Key) -> Result<Grant> {
        let wrong = || {
            Error::new(Kind::Unauthenticated, "invalid_credentials", "the address or the password is wrong")
        };
        let password = Password::attempt(&login.password).ok_or_else(wrong)?;
        let account = accounts::by_email(&mut self.db.get().await?, &login.email).await?;
        let hash = account.as_ref().and_then(|a| a.password_hash.clone());
        let right = self.passwords.verify(password.clone(), hash.clone()).await?;
        let (Some(account), Some(hash), true) = (account, hash, right) else { return Err(wrong()) };
        let rehashed = match passwords::is_outdated(&hash) {
            true => Some(self.passwords.hash(password).await?),
            false => None,
        };
        let (now, user_agent) = (self.clock.now(), login.user_agent.map(|agent| shown(&agent)));
        let (shopper, staff) = (self.settings.session_seconds, self.settings.staff_session_seconds);
        let grant = self
            .db
            .transaction(async move |tx| {
                accounts::lock(tx, account.id).await?;
                // Hashing took time: the password that was right may have been changed since.
                let current = accounts::get(tx, account.id).await?;
                let Some(account) = current.filter(|a| a.password_hash.as_ref() == Some(&hash)) else {
                    return Ok(None);
                };
                if let Some(rehashed) = &rehashed {
                    accounts::rehash(tx, account.id, rehashed).await?;
                }
                let permissions = model::permissions(roles::permissions_of(tx, account.id).await?);
                let life = if permissions.is_empty() { shopper } else { staff };
                let session = new_session(account.id, user_agent.clone(), Duration::from_secs(life), now);
                repo::insert(tx, &session).await?;
                match &key {
                    Key::Refresh(hash) => repo::insert_token(tx, hash, session.id, now).await?,
                    Key::Browser(hash) => repo::insert_browser_token(tx, hash, session.id, now).await?,
                }
                Ok(Some(Grant { account, session, permissions, at: now }))
            })
            .await?;
        grant.ok_or_else(wrong)
    }

    pub(super) async fn rotate(&self, token: String) -> Result<Tokens> {
        let (refresh, next_hash) = new_token();
        let (hash, idle, now) = (hash_of(&token), self.idle(), self.clock.now());
        let rotation = self
            .db
            .transaction(async move |tx| {
                let Some(session) = repo::of_token(tx, &hash).await? else { return Ok(Rotation::Refused) };
                if !repo::use_token(tx, &hash, now).await? {
                    // Two hold this token, and one of them has stolen it.
                    end(tx, &[session.id], now).await?;
                    return Ok(Rotation::Refused);
                }
                if !is_open(&session, idle, now) || !repo::touch(tx, session.id, now).await? {
                    return Ok(Rotation::Refused);
                }
                let Some(account) = accounts::get(tx, session.account_id).await? else {
                    return Ok(Rotation::Refused);
                };
                repo::insert_token(tx, &next_hash, session.id, now).await?;
                let permissions = model::permissions(roles::permissions_of(tx, account.id).await?);
                let session = SessionRow { last_used_at: now, ..session };
                Ok(Rotation::Rotated(Box::new(Grant { account, session, permissions, at: now })))
            })
            .await?;
        match rotation {
            Rotation::Rotated(grant) => self.tokens(*grant, refresh),
            Rotation::Refused => Err(Error::new(
                Kind::Unauthenticated,
                "invalid_grant",
                "this refresh token is not valid (any more)",
            )),
        }
    }

    pub(super) async fn end_session(&self, session: SessionId) -> Result<()> {
        let now = self.clock.now();
        self.db.transaction(async move |tx| end(tx, &[session], now).await).await
    }

    pub(super) async fn list_sessions(&self, customer: CustomerId) -> Result<Vec<Session>> {
        let (idle, now) = (self.idle(), self.clock.now());
        let rows = repo::open(&mut self.db.get().await?, customer).await?;
        let open = rows.into_iter().filter(|row| is_open(row, idle, now));
        Ok(open
            .map(|row| Session {
                id: row.id,
                created_at: row.created_at,
                last_used_at: row.last_used_at,
                expires_at: model::session_end(row.expires_at, row.last_used_at, idle),
                user_agent: row.user_agent,
            })
            .collect())
    }

    pub(super) async fn is_alive(&self, session: SessionId) -> Result<bool> {
        let session = repo::get(&mut self.db.get().await?, session).await?;
        Ok(session.is_some_and(|session| is_open(&session, self.idle(), self.clock.now())))
    }

    fn tokens(&self, grant: Grant, refresh_token: String) -> Result<Tokens> {
        let (claims, customer) = self.claims(grant)?;
        Ok(Tokens {
            access_token: self.keys.sign(&claims)?,
            token_type: "Bearer".into(),
            expires_in: u32::try_from(claims.exp - claims.iat).unwrap_or_default(),
            refresh_token,
            customer,
        })
    }

    fn claims(&self, grant: Grant) -> Result<(Claims, Customer)> {
        let Grant { account, session, permissions, at: now } = grant;
        let customer = account.customer()?;
        let life = Duration::from_secs(self.settings.access_token_seconds.min(LONGEST_ACCESS));
        let end =
            model::session_end(session.expires_at, session.last_used_at, self.idle()).min(now.after(life));
        let claims = Claims {
            iss: "bodega".into(),
            aud: "bodega".into(),
            sub: account.id,
            sid: session.id,
            iat: now.seconds(),
            exp: end.seconds(),
            email: customer.email.clone(),
            group: customer.group.clone(),
            permissions,
        };
        Ok((claims, customer))
    }

    fn idle(&self) -> Duration {
        Duration::from_secs(self.settings.session_idle_seconds)
    }
}

/// Ends all sessions of an account but `keep`.
pub(super) async fn end_all(
    tx: &mut Tx,
    account: CustomerId,
    keep: Option<SessionId>,
    now: Time,
) -> Result<()> {
    let open = repo::open(tx, account).await?;
    let ending: Vec<SessionId> = open.iter().map(|s| s.id).filter(|id| Some(*id) != keep).collect();
    end(tx, &ending, now).await
}

/// Ends those that are not ended yet, and says so.
async fn end(tx: &mut Tx, sessions: &[SessionId], now: Time) -> Result<()> {
    let mut ended = Vec::new();
    for session in sessions {
        if repo::revoke(tx, *session, now).await? {
            ended.push(*session);
        }
    }
    if let Some(first) = ended.first().copied() {
        tx.emit(MODULE, first, now.micros(), &SessionsRevoked { sessions: ended }).await?;
    }
    Ok(())
}

fn new_session(account_id: CustomerId, user_agent: Option<String>, life: Duration, now: Time) -> SessionRow {
    SessionRow {
        id: SessionId::new(),
        account_id,
        user_agent,
        created_at: now,
        last_used_at: now,
        expires_at: now.after(life),
        revoked_at: None,
    }
}

fn is_open(session: &SessionRow, idle: Duration, now: Time) -> bool {
    session.revoked_at.is_none() && now < model::session_end(session.expires_at, session.last_used_at, idle)
}

/// A token and what is stored of it.
fn new_token() -> (String, String) {
    let token = BASE64.encode(&rand::random::<[u8; 32]>());
    let hash = hash_of(&token);
    (token, hash)
}

fn hash_of(token: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(token))
}

/// A user agent as it can be stored and shown.
fn shown(agent: &str) -> String {
    agent.chars().filter(|c| !c.is_control()).take(200).collect()
}
