//! The admin: one file per group of pages.

mod categories;
mod collections;
mod conflict;
mod content;
mod customers;
mod fields;
mod inventory;
mod menu;
mod order;
mod orders;
mod overview;
mod palette;
mod places;
mod products;
mod promotions;
mod reviews;
mod shipping;
mod shop;
mod shop_settings;
mod sign_in;
mod staff;
mod system;
mod taxes;

use actix_web::web;

/// Registers the admin, for one language.
pub fn configure(config: &mut web::ServiceConfig) {
    sign_in::configure(config);
    overview::configure(config);
    palette::configure(config);
    orders::configure(config);
    order::configure(config);
    products::configure(config);
    inventory::configure(config);
    categories::configure(config);
    collections::configure(config);
    promotions::configure(config);
    shipping::configure(config);
    taxes::configure(config);
    staff::configure(config);
    shop::configure(config);
    customers::configure(config);
    reviews::configure(config);
    system::configure(config);
    content::configure(config);
    fields::configure(config);
    shop_settings::configure(config);
}
