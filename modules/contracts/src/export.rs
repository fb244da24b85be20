//! What the shop knows of somebody, put together from the modules: for whoever wants to take it along.

use serde::Serialize;
use shared::{PageRequest, Result};

use crate::{
    Ports,
    customer::{Customer, CustomerId, SavedAddress, Session},
    order::{Order, OrderFilter, Viewer},
    review::Review,
};

/// Everything the shop knows of somebody.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Export {
    customer: Customer,
    addresses: Vec<SavedAddress>,
    sessions: Vec<Session>,
    orders: Vec<Order>,
    reviews: Vec<Review>,
}

impl Ports {
    /// Everything the shop knows of an account. `NotFound`.
    pub async fn everything_of(&self, id: CustomerId) -> Result<Export> {
        Ok(Export {
            customer: self.customers.find(id).await?,
            addresses: self.customers.addresses(id).await?,
            sessions: self.customers.sessions(id).await?,
            orders: self.orders_of(id).await?,
            reviews: self.reviews_of(id).await?,
        })
    }

    async fn orders_of(&self, id: CustomerId) -> Result<Vec<Order>> {
        let filter = OrderFilter { customer_id: Some(id), ..OrderFilter::default() };
        let mut page = PageRequest { limit: 100, cursor: None };
        let mut orders = Vec::new();
        loop {
            let found = self.orders.list(filter.clone(), page.clone()).await?;
            for order in found.data {
                orders.push(self.orders.find(order.id, Viewer::Customer(id)).await?);
            }
            match found.next_cursor {
                Some(cursor) => page.cursor = Some(cursor),
                None => return Ok(orders),
            }
        }
    }

    async fn reviews_of(&self, id: CustomerId) -> Result<Vec<Review>> {
        let mut page = PageRequest { limit: 100, cursor: None };
        let mut reviews = Vec::new();
        loop {
            let found = self.reviews.of_customer(id, page.clone()).await?;
            reviews.extend(found.data);
            match found.next_cursor {
                Some(cursor) => page.cursor = Some(cursor),
                None => return Ok(reviews),
            }
        }
    }
}
