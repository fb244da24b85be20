//! Remembered answers: a command repeated with the same key has one effect and one answer.
//!
//! Served by the order module, because the record belongs into the database of the orders.

use serde::{Deserialize, Serialize};
use shared::{
    ids::{Entity, Id},
    port,
    values::Blob,
};

port! {
    /// Answers by key. The scope is principal and route, so nobody ever sees another's answer.
    pub trait Idempotency as "order.idempotency" repeats [claim, complete, abandon] {
        /// Takes the key, or says what it already stands for. The same claim may ask twice. If it is neither completed nor
        /// abandoned within 40 s, which is longer than a request may take, whoever made it has died, and the key may be
        /// taken by another claim.
        async fn claim(&self, claim: Claim) -> Claimed;
        /// Keeps the answer for at least 24 hours. Only final answers: 2xx and 4xx that a repeat cannot change.
        /// Nothing happens if the key is another claim's by now.
        async fn complete(&self, claim: Claim, answer: Answer) -> ();
        /// Gives the key back: the command did not happen and may be repeated. Nothing happens if the key is not this
        /// claim's, or done.
        async fn abandon(&self, claim: Claim) -> ();
    }
}

/// See [`ClaimId`].
pub enum Claimant {}

impl Entity for Claimant {
    const PREFIX: &'static str = "clm";
    const NOUN: &'static str = "claim";
}

/// The id of a claim.
pub type ClaimId = Id<Claimant>;

/// A request that wants to happen once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claim {
    /// A new one for each request, repeats included.
    pub id: ClaimId,
    /// Principal and route: `cus_… POST /api/v1/checkout`.
    pub scope: String,
    /// The client's key, 1..=255 visible ASCII characters.
    pub key: String,
    /// SHA-256 of the body, hexadecimal.
    pub request_hash: String,
}

/// What the key stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "claimed", rename_all = "snake_case")]
pub enum Claimed {
    /// It is yours: do it, then complete or abandon.
    Fresh,
    /// It was done; this was the answer.
    Done { answer: Answer },
    /// Somebody is doing it right now.
    InProgress,
    /// The key was used for another body.
    Reused,
}

/// A stored HTTP answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub body: Blob,
    /// The `Location` or `ETag` header, where there was one.
    pub headers: Vec<(String, String)>,
}
