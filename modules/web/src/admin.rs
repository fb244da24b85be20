//! The admin: one file per group of pages.

mod customers;
mod menu;
mod order;
mod orders;
mod overview;
mod palette;
mod sign_in;
mod system;

use actix_web::web;

/// Registers the admin, for one language.
pub fn configure(config: &mut web::ServiceConfig) {
    sign_in::configure(config);
    overview::configure(config);
    palette::configure(config);
    orders::configure(config);
    order::configure(config);
    customers::configure(config);
    system::configure(config);
}
