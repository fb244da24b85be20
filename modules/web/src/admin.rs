//! The admin: one file per group of pages.

mod content;
mod customers;
mod fields;
mod menu;
mod order;
mod orders;
mod overview;
mod palette;
mod reviews;
mod shop_settings;
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
    reviews::configure(config);
    system::configure(config);
    content::configure(config);
    fields::configure(config);
    shop_settings::configure(config);
}
