//! The checkout: one address a step, each a plain form. What was entered stays in a sealed cookie until it is bought.

mod draft;
mod outcome;
mod steps;

use actix_web::web;

use crate::app::{at, get, post};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/checkout", [get(steps::begin)]);
    at(config, "/checkout/pay/{id}", [get(outcome::step), post(outcome::answer)]);
    at(config, "/checkout/thanks/{id}", [get(outcome::thanks)]);
    at(config, "/checkout/review", [get(steps::show_review), post(outcome::buy)]);
    at(config, "/checkout/{step}", [get(steps::show), post(steps::save)]);
}
