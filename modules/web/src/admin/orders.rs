//! The list of orders.

use actix_web::web;
use askama::Template;
use chrono::{Days, NaiveDate};
use contracts::{
    customer::Permission,
    order::{FulfillmentStatus, OrderFilter, OrderPaymentStatus, OrderStatus, OrderSummary},
};
use serde::Deserialize;
use shared::{PageRequest, Time};

use crate::{
    Answer, Page,
    app::{at, get},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/orders", [get(list)]);
}

/// The saved views, in order: the name in the address, and the key of the title.
pub const VIEWS: [(&str, &str); 7] = [
    ("", "view-all"),
    ("to-fulfil", "view-to-fulfil"),
    ("shipped", "view-shipped"),
    ("to-capture", "view-to-capture"),
    ("pending", "view-pending"),
    ("refunded", "view-refunded"),
    ("cancelled", "view-cancelled"),
];

/// What a view shows.
pub fn filter(view: &str) -> OrderFilter {
    let all = OrderFilter::default();
    match view {
        "to-fulfil" => OrderFilter {
            status: Some(OrderStatus::Placed),
            fulfillment_status: Some(FulfillmentStatus::Unfulfilled),
            ..all
        },
        "shipped" => OrderFilter { fulfillment_status: Some(FulfillmentStatus::Shipped), ..all },
        "to-capture" => OrderFilter {
            status: Some(OrderStatus::Placed),
            payment_status: Some(OrderPaymentStatus::Authorized),
            ..all
        },
        "pending" => OrderFilter { status: Some(OrderStatus::Pending), ..all },
        "refunded" => OrderFilter { payment_status: Some(OrderPaymentStatus::Refunded), ..all },
        "cancelled" => OrderFilter { status: Some(OrderStatus::Cancelled), ..all },
        _ => all,
    }
}

#[derive(Template)]
#[template(path = "admin/orders.html")]
struct Orders<'a> {
    p: &'a Page,
    asked: Asked,
    orders: Vec<OrderSummary>,
    /// The query that shows older ones.
    more: Option<String>,
}

/// What the toolbar holds.
#[derive(Clone, Default, Deserialize, serde::Serialize)]
#[serde(default)]
struct Asked {
    view: String,
    q: String,
    from: String,
    to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

impl Orders<'_> {
    fn views(&self) -> [(&'static str, &'static str); 7] {
        VIEWS
    }
}

async fn list(p: Page, asked: web::Query<Asked>) -> Answer {
    p.staff(Permission::OrdersRead)?;
    let mut asked = asked.0;
    let day = |text: &str, days: u64| {
        let day = text.parse::<NaiveDate>().ok()?.checked_add_days(Days::new(days))?;
        Some(p.formats().start_of(day))
    };
    let filter = OrderFilter {
        q: Some(asked.q.trim().to_owned()).filter(|q| !q.is_empty()),
        placed_from: day(&asked.from, 0),
        placed_to: day(&asked.to, 1),
        ..filter(&asked.view)
    };
    let page = PageRequest { limit: 50, cursor: asked.cursor.take() };
    let found = p.ports().orders.list(filter, page).await?;
    let more = found.next_cursor.map(|cursor| {
        let next = Asked { cursor: Some(cursor), ..asked.clone() };
        serde_html_form::to_string(next).unwrap_or_default()
    });
    p.html(&Orders { p: &p, asked, orders: found.data, more })
}

impl Page {
    /// Where an order's money is, as a tone and a word.
    pub fn paid(&self, status: &OrderPaymentStatus) -> (&'static str, String) {
        let (tone, key) = match status {
            OrderPaymentStatus::Awaiting => ("warn", "paid-awaiting"),
            OrderPaymentStatus::Authorized => ("info", "paid-authorized"),
            OrderPaymentStatus::Captured => ("ok", "paid-captured"),
            OrderPaymentStatus::PartiallyRefunded => ("", "paid-partially-refunded"),
            OrderPaymentStatus::Refunded => ("", "paid-refunded"),
            OrderPaymentStatus::Failed => ("bad", "paid-failed"),
            OrderPaymentStatus::Disputed => ("bad", "paid-disputed"),
        };
        (tone, self.t(key))
    }

    /// Where an order's goods are, as a tone and a word.
    pub fn sent(&self, status: &FulfillmentStatus) -> (&'static str, String) {
        let (tone, key) = match status {
            FulfillmentStatus::Unfulfilled => ("warn", "sent-unfulfilled"),
            FulfillmentStatus::PartiallyShipped => ("info", "sent-partially-shipped"),
            FulfillmentStatus::Shipped => ("info", "sent-shipped"),
            FulfillmentStatus::Delivered => ("ok", "sent-delivered"),
            FulfillmentStatus::Returned => ("", "sent-returned"),
        };
        (tone, self.t(key))
    }

    /// Whether an order counts, as a tone and a word.
    pub fn counts(&self, status: &OrderStatus) -> (&'static str, String) {
        let (tone, key) = match status {
            OrderStatus::Pending => ("warn", "order-is-pending"),
            OrderStatus::Placed => ("info", "order-is-placed"),
            OrderStatus::Completed => ("ok", "order-is-completed"),
            OrderStatus::Cancelled => ("bad", "order-is-cancelled"),
        };
        (tone, self.t(key))
    }

    /// When an order came in.
    pub fn came(&self, order: &OrderSummary) -> String {
        let at: &Time = order.placed_at.as_ref().unwrap_or(&order.created_at);
        self.moment(at)
    }
}
