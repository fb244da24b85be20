//! Keys to one thing, made from a secret instead of being stored: links in mails, the key to a guest's order.

use std::str::FromStr;

use data_encoding::BASE32_DNSSEC as BASE32;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{Id, ids::Entity};

/// Makes and checks tokens of the form `<id>.<mac>` with HMAC-SHA-256. A database that leaks does not hold them.
#[derive(Clone)]
pub struct Signer(Hmac<Sha256>);

impl Signer {
    /// `secret` should have at least 32 random bytes.
    pub fn new(secret: &[u8]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("HMAC takes keys of any length"))
    }

    /// The token that opens `id` for `purpose`, such as `password_reset`.
    pub fn token<E: Entity>(&self, purpose: &str, id: Id<E>) -> String {
        let mac = self.mac(purpose, &id.to_string()).finalize().into_bytes();
        format!("{id}.{}", BASE32.encode(&mac[..20]))
    }

    /// The id that `token` opens for `purpose`, if we made it.
    pub fn open<E: Entity>(&self, purpose: &str, token: &str) -> Option<Id<E>> {
        let (id, mac) = token.split_once('.')?;
        let mac = BASE32.decode(mac.as_bytes()).ok().filter(|mac| mac.len() == 20)?;
        self.mac(purpose, id).verify_truncated_left(&mac).ok()?;
        Id::from_str(id).ok()
    }

    /// The HMAC-SHA-256 of `bytes` in lower-case hexadecimal, for signed webhooks.
    pub fn sign(&self, bytes: &[u8]) -> String {
        data_encoding::HEXLOWER.encode(&self.0.clone().chain_update(bytes).finalize().into_bytes())
    }

    /// Compares in constant time.
    pub fn verify(&self, bytes: &[u8], signature: &str) -> bool {
        data_encoding::HEXLOWER
            .decode(signature.as_bytes())
            .is_ok_and(|mac| self.0.clone().chain_update(bytes).verify_slice(&mac).is_ok())
    }

    fn mac(&self, purpose: &str, id: &str) -> Hmac<Sha256> {
        self.0.clone().chain_update(purpose).chain_update([0]).chain_update(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing;
    impl Entity for Thing {
        const PREFIX: &'static str = "thg";
        const NOUN: &'static str = "thing";
    }

    #[test]
    fn a_token_opens_one_thing_for_one_purpose() {
        let signer = Signer::new(b"secret");
        let id = Id::<Thing>::random();
        let token = signer.token("reset", id);
        assert_eq!(signer.open::<Thing>("reset", &token), Some(id));
        assert_eq!(signer.open::<Thing>("verify", &token), None);
        assert_eq!(Signer::new(b"other").open::<Thing>("reset", &token), None);
        let other = Id::<Thing>::random();
        assert_eq!(signer.open::<Thing>("reset", &token.replace(&id.to_string(), &other.to_string())), None);
        assert_eq!(signer.open::<Thing>("reset", &token[..token.len() - 8]), None);
    }
}
