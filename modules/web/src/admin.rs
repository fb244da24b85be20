//! What staff see: one file per group of pages. Every page and command asks [`Page::staff`] for its permission.
//!
//! [`Page::staff`]: crate::Page::staff

mod menu;
mod sign_in;

use actix_web::web;

/// Registers the admin, for one language.
pub fn configure(config: &mut web::ServiceConfig) {
    sign_in::configure(config);
}
