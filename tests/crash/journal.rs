//! What the shoppers wrote down: what they sent, and what they were told. Nothing told is taken back.

use reqwest::Method;
use serde_json::Value;

use crate::{
    client::{Answer, Client, Request},
    harness::{fresh, text, wait_for},
    shoppers::{Counter, is_price},
};

/// All purchases.
#[derive(Default)]
pub struct Journal(Vec<Purchase>);

/// Somebody wanted to buy a cart.
pub struct Purchase {
    body: Value,
    key: String,
    /// None: nobody knows whether it happened.
    pub answer: Option<Answer>,
    /// A cancellation was asked for.
    pub cancelled: bool,
    /// A refund was asked for: path, body, key, answer.
    pub refund: Option<(String, Value, String, Option<Answer>)>,
}

impl Purchase {
    pub fn new(body: Value) -> Self {
        Self { body, key: fresh(), answer: None, cancelled: false, refund: None }
    }

    /// Sends it, for the first time or again.
    pub fn request(&self, guest: &Client) -> Request {
        guest.request(Method::POST, "/checkout").json(&self.body).key(&self.key)
    }

    /// The order, if the shop said that there is one.
    pub fn order(&self) -> Option<&Value> {
        self.answer.as_ref().filter(|answer| answer.status == 201).map(|answer| &answer.body)
    }

    /// An answer that stays what it was.
    pub fn is_final(answer: &Answer) -> bool {
        [201, 402, 409].contains(&answer.status) && answer.body["code"] != "idempotency_in_progress"
    }
}

impl FromIterator<Purchase> for Journal {
    fn from_iter<T: IntoIterator<Item = Purchase>>(purchases: T) -> Self {
        Self(purchases.into_iter().collect())
    }
}

impl Journal {
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Who got an answer gets the same bytes again; who got none asks with the same key until there is one.
    pub async fn ask_again(&self, counter: &Counter) {
        let asking = self.0.iter().map(|purchase| async move {
            wait_for("an answer", async || {
                let again = purchase.request(&counter.guest).send().await;
                if !Purchase::is_final(&again) {
                    assert!([409, 503].contains(&again.status), "{again}");
                    return false;
                }
                match &purchase.answer {
                    Some(first) if Purchase::is_final(first) => {
                        assert_eq!((again.status, &again.bytes), (first.status, &first.bytes), "{again}");
                    }
                    _ => assert!(again.status != 201 || is_price(&again.body), "{again}"),
                }
                true
            })
            .await;
            let Some((path, body, key, first)) = &purchase.refund else { return };
            wait_for("the refund", async || {
                let again = counter.owner.post_once(path, body, key).await;
                if [409, 503].contains(&again.status) {
                    return false;
                }
                if let Some(first) = first.as_ref().filter(|first| first.status == 201) {
                    assert_eq!(again.bytes, first.bytes);
                }
                again.expect(201);
                true
            })
            .await;
        });
        futures::future::join_all(asking).await;
    }

    /// Every order that somebody was told of is there, for the same money, and no cart is two orders.
    pub async fn is_kept(&self, counter: &Counter) {
        let orders = counter.orders().await;
        assert!(orders.iter().all(is_price));
        for purchase in &self.0 {
            let of_cart = orders.iter().filter(|order| order["cart_id"] == purchase.body["cart_id"]);
            let live = of_cart.filter(|order| order["status"] != "cancelled").count();
            assert!(live <= 1, "{live} orders of one cart: {}", purchase.body);
            let Some(told) = purchase.order() else { continue };
            let kept = orders.iter().find(|order| order["id"] == told["id"]);
            let kept = kept.unwrap_or_else(|| panic!("an order is lost: {told}"));
            assert_eq!((&kept["total"], &kept["number"]), (&told["total"], &told["number"]));
            let waited = told["status"] == "pending";
            let may_end = purchase.cancelled || waited;
            assert!(kept["status"] == "placed" || (may_end && kept["status"] == "cancelled"), "{kept}");
            if let Some((_, refund, ..)) = &purchase.refund {
                let refunds = kept["refunds"].as_array().unwrap();
                assert_eq!((refunds.len(), &refunds[0]["reason"]), (1, &refund["reason"]), "{kept}");
                assert_eq!(text(&refunds[0]["status"]), "succeeded");
            }
        }
    }
}
