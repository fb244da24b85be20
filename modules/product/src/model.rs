//! The rules, without a database: what a product may be, what it costs, where it stands, what can be taken of it.

pub mod draft;
pub mod faults;
pub mod fields;
pub mod picture;
pub mod price;
pub mod raster;
pub mod shelf;
pub mod tree;
