//! Argon2id on a bounded pool.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{self, PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use shared::{Error, Kind, Result};
use tokio::sync::Semaphore;

use crate::model::Password;

/// The hash that a login without an account is checked against. Nobody knows a password for it.
const DUMMY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$Ym9kZWdhLW5vYm9keS0wMQ$q8eOIo2DkqzE3NCvv2tWtQWd0hTwCN5iZVqVJPOcW3c";

/// Hashes and checks passwords, a few at a time: a flood of logins costs its senders their turn, and nobody else.
pub struct Passwords {
    workers: Arc<Semaphore>,
    /// Workers and waiters together.
    places: Arc<Semaphore>,
    /// How many hashes were computed, to show that a known and an unknown address cost the same.
    hashes: Arc<AtomicU64>,
}

impl Passwords {
    /// At most `workers` hashes at once and `queue` that wait.
    pub fn new(workers: usize, queue: usize) -> Self {
        let workers = workers.max(1);
        Self {
            workers: Arc::new(Semaphore::new(workers)),
            places: Arc::new(Semaphore::new(workers + queue)),
            hashes: Arc::default(),
        }
    }

    /// The PHC string to store.
    pub async fn hash(&self, password: Password) -> Result<String> {
        self.run(move || {
            Ok(hasher().hash_password(password.as_bytes()).map_err(Error::internal)?.to_string())
        })
        .await
    }

    /// Whether `password` belongs to `hash`; without a hash the work is the same and the answer no.
    pub async fn verify(&self, password: Password, hash: Option<String>) -> Result<bool> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| DUMMY.to_owned());
        let right = self
            .run(move || {
                let hash = PasswordHash::new(&hash).map_err(Error::internal)?;
                match hasher().verify_password(password.as_bytes(), &hash) {
                    Ok(()) => Ok(true),
                    Err(password_hash::Error::PasswordInvalid) => Ok(false),
                    Err(error) => Err(Error::internal(error)),
                }
            })
            .await?;
        Ok(right && known)
    }

    /// How many hashes were computed so far.
    #[cfg(test)]
    pub fn hashes(&self) -> u64 {
        self.hashes.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let busy = || Error::new(Kind::RateLimited, "busy", "too many logins at this moment").retry_after(1);
        let place = self.places.clone().try_acquire_owned().map_err(|_| busy())?;
        let worker = self.workers.clone().acquire_owned().await.map_err(Error::internal)?;
        let hashes = self.hashes.clone();
        let hashed = tokio::task::spawn_blocking(move || {
            hashes.fetch_add(1, Ordering::Relaxed);
            let result = work();
            // Given back here and not by the caller: one who has left does not make room for work still running.
            drop((worker, place));
            result
        });
        hashed.await.map_err(Error::internal)?
    }
}

/// True if `hash` was made with other parameters than today's.
pub fn is_outdated(hash: &str) -> bool {
    !PasswordHash::new(hash).is_ok_and(|hash| {
        hash.algorithm == Algorithm::Argon2id.ident()
            && hash.version == Some(Version::V0x13.into())
            && Params::try_from(&hash).is_ok_and(|p| {
                let wanted = params();
                (p.m_cost(), p.t_cost(), p.p_cost()) == (wanted.m_cost(), wanted.t_cost(), wanted.p_cost())
            })
    })
}

fn hasher() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params())
}

/// OWASP's minimum: 19 MiB, two passes, one lane.
fn params() -> Params {
    Params::new(19_456, 2, 1, None).expect("these parameters are within Argon2's bounds")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::attempt(text).unwrap()
    }

    #[tokio::test]
    async fn a_hash_fits_its_password_only() {
        let passwords = Passwords::new(2, 2);
        let hash = passwords.hash(password("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify(password("correct horse"), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify(password("correct horsf"), Some(hash)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_costs_as_much_as_somebody() {
        let passwords = Passwords::new(2, 2);
        assert!(!passwords.verify(password("anything"), None).await.unwrap());
        assert_eq!(passwords.hashes(), 1);
        assert!(!is_outdated(DUMMY), "the dummy has today's parameters");
    }

    #[test]
    fn hashes_of_other_parameters_are_outdated() {
        let weaker = Params::new(8192, 1, 1, None).unwrap();
        let hash = Argon2::new(Algorithm::Argon2id, Version::V0x13, weaker)
            .hash_password(b"old")
            .unwrap()
            .to_string();
        assert!(is_outdated(&hash));
        assert!(is_outdated("not a hash"));
    }

    #[tokio::test]
    async fn a_flood_is_turned_away_at_once() {
        let passwords = Arc::new(Passwords::new(2, 3));
        let tries = (0..50).map(|_| passwords.verify(password("anything"), None));
        let answers = futures::future::join_all(tries).await;
        let busy =
            answers.iter().filter(|a| matches!(a, Err(e) if e.code == "busy" && e.retry_after == Some(1)));
        assert_eq!((busy.count(), passwords.hashes()), (45, 5));
        assert!(!passwords.verify(password("anything"), None).await.unwrap(), "there is room again");
    }
}
