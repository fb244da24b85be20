//! Queries: one each.

pub mod accounts;
pub mod addresses;
pub mod keys;
pub mod mailed_tokens;
pub mod roles;
pub mod sessions;
