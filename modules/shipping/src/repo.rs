//! The SQL: one query each.

pub mod shipments;
pub mod zones;
