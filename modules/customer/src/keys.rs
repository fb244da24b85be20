//! The Ed25519 keys that access tokens are signed with.

use contracts::customer::Claims;
use data_encoding::BASE64URL_NOPAD as BASE64;
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{Jwk, ThumbprintHash},
};
use sha2::{Digest, Sha256};
use shared::{Error, Result, Time, db::Db, signer::Signer};

use crate::repo::keys::{self as repo, KeyRow};

/// What comes before the 32 bytes of an Ed25519 private key in PKCS#8 (RFC 8410).
const PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// Signs access tokens with the newest key and publishes all of them.
pub struct Keys {
    signer: Signer,
    current: SigningKey,
}

/// A key pair; its `kid` is the thumbprint of the public half.
struct SigningKey {
    jwk: Jwk,
    kid: String,
    private: EncodingKey,
}

impl Keys {
    /// Loads the newest key, or makes the first one. Keys masked with another secret are not ours to use.
    pub async fn open(db: &Db, signer: Signer, now: Time) -> Result<Self> {
        let rows = repo::list(&mut db.get().await?).await?;
        if let Some(current) = rows.iter().find_map(|row| SigningKey::unmask(row, &signer)) {
            return Ok(Self { signer, current });
        }
        let seed: [u8; 32] = rand::random();
        let current = SigningKey::from_seed(&seed)?;
        let masked = BASE64.encode(&mask(&signer, &current.kid, &seed));
        let row = KeyRow { kid: current.kid.clone(), seed: masked, created_at: now };
        db.transaction(async move |tx| repo::insert(tx, &row).await).await?;
        Ok(Self { signer, current })
    }

    /// The token for `claims`.
    pub fn sign(&self, claims: &Claims) -> Result<String> {
        let header = Header { kid: Some(self.current.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, claims, &self.current.private).map_err(Error::internal)
    }

    /// The public keys, as a JSON Web Key Set. Read from the database: other instances may have made theirs.
    pub async fn jwks(&self, db: &Db) -> Result<serde_json::Value> {
        let rows = repo::list(&mut db.get().await?).await?;
        let keys: Vec<Jwk> =
            rows.iter().filter_map(|row| SigningKey::unmask(row, &self.signer)).map(|key| key.jwk).collect();
        Ok(serde_json::json!({ "keys": keys }))
    }
}

impl SigningKey {
    fn from_seed(seed: &[u8; 32]) -> Result<Self> {
        let private = EncodingKey::from_ed_der(&[PKCS8.as_slice(), seed].concat());
        let mut jwk = Jwk::from_encoding_key(&private, Algorithm::EdDSA).map_err(Error::internal)?;
        let kid = jwk.thumbprint(ThumbprintHash::SHA256).map_err(Error::internal)?;
        jwk.common.key_id = Some(kid.clone());
        jwk.common.public_key_use = Some(jsonwebtoken::jwk::PublicKeyUse::Signature);
        Ok(Self { jwk, kid, private })
    }

    /// The key of a row, unless the secret has changed since: then another key comes out, with another thumbprint.
    fn unmask(row: &KeyRow, signer: &Signer) -> Option<Self> {
        let masked: [u8; 32] = BASE64.decode(row.seed.as_bytes()).ok()?.try_into().ok()?;
        Self::from_seed(&mask(signer, &row.kid, &masked)).ok().filter(|key| key.kid == row.kid)
    }
}

/// Hides or shows a seed: combines it with 32 bytes that only the shop's secret and this `kid` give.
fn mask(signer: &Signer, kid: &str, seed: &[u8; 32]) -> [u8; 32] {
    let pad = Sha256::digest(signer.sign(format!("customer.signing_key\0{kid}").as_bytes()));
    std::array::from_fn(|i| seed[i] ^ pad[i])
}
