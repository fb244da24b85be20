//! All ports in one value: what the edges of the shop (gateway, web) are given.

use std::sync::Arc;

use crate::{
    cart::Carts,
    customer::Customers,
    idempotency::Idempotency,
    metadata::Metadata,
    notification::Notifications,
    order::Orders,
    payment::Payments,
    product::{Products, stock::Stock},
    recommendation::Recommendations,
    review::Reviews,
    shipping::Shipping,
};

/// Every module, wherever it runs.
#[derive(Clone)]
pub struct Ports {
    pub products: Arc<dyn Products>,
    pub stock: Arc<dyn Stock>,
    pub customers: Arc<dyn Customers>,
    pub carts: Arc<dyn Carts>,
    pub payments: Arc<dyn Payments>,
    pub shipping: Arc<dyn Shipping>,
    pub orders: Arc<dyn Orders>,
    pub idempotency: Arc<dyn Idempotency>,
    pub notifications: Arc<dyn Notifications>,
    pub recommendations: Arc<dyn Recommendations>,
    pub metadata: Arc<dyn Metadata>,
    pub reviews: Arc<dyn Reviews>,
}
