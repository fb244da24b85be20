//! The module through its port, on a database of its own, with small doubles of the catalogue and the carriers.

mod carts;
mod checkout;
mod claims;
mod documents;
mod merging;
mod offers;
mod races;
mod shop;
