//! What shoppers see: one file per group of pages.

mod home;
mod preferences;

use actix_web::web;

/// Registers the storefront, for one language.
pub fn configure(config: &mut web::ServiceConfig) {
    home::configure(config);
    preferences::configure(config);
}
