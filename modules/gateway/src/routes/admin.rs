//! What staff do. Every handler names the permission it needs as an extractor.

pub mod catalogue;
pub mod content;
pub mod inventory;
pub mod metafields;
pub mod orders;
pub mod people;
pub mod recommendations;
pub mod reviews;
pub mod selling;
pub mod system;

use actix_web::web;

/// All routes below `/api/v1/admin`.
pub fn configure(config: &mut web::ServiceConfig) {
    catalogue::configure(config);
    content::configure(config);
    inventory::configure(config);
    metafields::configure(config);
    orders::configure(config);
    people::configure(config);
    recommendations::configure(config);
    reviews::configure(config);
    selling::configure(config);
    system::configure(config);
}
