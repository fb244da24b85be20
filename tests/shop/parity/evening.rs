//! The evening: parcels leave, money goes back, people are forgotten. Each order has one thing done to it an evening, so
//! that what follows from it by itself is over before the next.

use reqwest::Method;
use serde_json::{Value, json};

use super::script::{Bought, Script};
use crate::{
    client::Answer,
    harness::{number, text},
};

impl Script<'_> {
    pub(super) async fn evening(&mut self, until: usize) {
        while self.outcomes.len() < until {
            let weights = [
                (9, "ship"),
                (11, "move"),
                (3, "cancel"),
                (4, "capture"),
                (5, "refund an amount"),
                (5, "refund lines"),
                (1, "refund all"),
                (2, "note"),
                (3, "verify"),
            ];
            match self.choose(&weights) {
                "verify" => self.verify_address().await,
                what => {
                    let ended = self.chance(10);
                    let is_open = |order: &Bought| order.touched < self.day && (ended || !order.ended);
                    let open: Vec<usize> =
                        (0..self.orders.len()).filter(|i| is_open(&self.orders[*i])).collect();
                    // Later orders have more before them.
                    let newest = if self.chance(70) { open.len().saturating_sub(8) } else { 0 };
                    match self.one_of(open.len() - newest).map(|i| open[newest + i]) {
                        Some(order) => self.care_for(order, what).await,
                        // Nothing was bought yet, or everything was dealt with.
                        None => self.settle_accounts().await,
                    }
                }
            }
        }
    }

    async fn care_for(&mut self, order: usize, what: &str) {
        self.orders[order].touched = self.day;
        self.do_to(order, what).await;
        // Its last answer tells whether there is more to do.
        let last = self.outcomes.last().map_or("", String::as_str);
        self.orders[order].ended |= last.contains("illegal_transition") || last.contains("\"cancelled\"");
    }

    async fn do_to(&mut self, order: usize, what: &str) {
        match what {
            "ship" => self.ship(order).await,
            "move" => self.move_parcel(order).await,
            "cancel" => self.cancel(order).await,
            "capture" => self.capture(order).await,
            "refund an amount" => {
                let total = number(&self.orders[order].total["amount"]);
                let mut amount = self.orders[order].total.clone();
                amount["amount"] = self.between(1, total + total / 5).into();
                self.refund(order, json!({"amount": amount, "reason": "came late"})).await;
            }
            "refund lines" => {
                let (lines, restock) = (self.some_lines(order), self.chance(60));
                let lines: Vec<Value> = lines
                    .into_iter()
                    .map(
                        |(line, quantity)| json!({"line_id": line, "quantity": quantity, "restock": restock}),
                    )
                    .collect();
                self.refund(order, json!({"lines": lines, "reason": "broken"})).await;
            }
            "refund all" => self.refund(order, json!({"reason": "sorry"})).await,
            _ => {
                let path = format!("/admin/orders/{}/notes", self.orders[order].id);
                self.staff(Method::POST, &path, json!({"text": format!("Called on day {}", self.day)})).await;
            }
        }
    }

    /// Some units of some lines; now and then more than there are.
    fn some_lines(&mut self, order: usize) -> Vec<(String, i64)> {
        let all = self.orders[order].lines.clone();
        let mut some = Vec::new();
        for (line, quantity) in all {
            if self.chance(70) {
                let more = i64::from(self.chance(5));
                some.push((line, self.between(1, quantity) + more));
            }
        }
        some
    }

    /// Everything that has an `Idempotency-Key` is sent twice now and then, as somebody who heard nothing would.
    async fn once(&mut self, path: &str, body: Value) -> Answer {
        let (owner, key) = (self.owner.clone(), self.key());
        let headers = [("idempotency-key", key.as_str())];
        let answer = self.ask(&owner, Method::POST, path, body.clone(), &headers).await;
        if self.chance(12) {
            return self.ask(&owner, Method::POST, path, body, &headers).await;
        }
        answer
    }

    async fn ship(&mut self, order: usize) {
        let lines = if self.chance(60) { self.orders[order].lines.clone() } else { self.some_lines(order) };
        let lines: Vec<Value> = lines
            .into_iter()
            .map(|(line, quantity)| json!({"line_id": line, "quantity": quantity}))
            .collect();
        let parcel = json!({"lines": lines, "carrier": "DHL", "tracking_number": format!("{:08}", self.outcomes.len())});
        let path = format!("/admin/orders/{}/shipments", self.orders[order].id);
        let answer = self.once(&path, parcel).await;
        if answer.status == 201 {
            let shipments = answer.body["shipments"].as_array().unwrap();
            self.orders[order].shipments = shipments.iter().map(|shipment| text(&shipment["id"])).collect();
        }
    }

    async fn move_parcel(&mut self, order: usize) {
        let Some(parcel) = self.one_of(self.orders[order].shipments.len()) else {
            return self.ship(order).await;
        };
        let status = self.choose(&[(1, "shipped"), (2, "in_transit"), (6, "delivered")]);
        let path = format!("/admin/shipments/{}", self.orders[order].shipments[parcel]);
        self.staff(Method::PATCH, &path, json!({"status": status})).await;
    }

    async fn cancel(&mut self, order: usize) {
        let Bought { id, token, .. } = self.orders[order].clone();
        let reason = json!({"reason": "found a better one"});
        if self.chance(50) {
            self.staff(Method::POST, &format!("/admin/orders/{id}/cancel"), reason).await;
        } else {
            self.shopper(None, Method::POST, &format!("/orders/{id}/cancel?token={token}"), reason).await;
        }
    }

    async fn capture(&mut self, order: usize) {
        let mut body = json!({});
        if self.chance(40) {
            let total = number(&self.orders[order].total["amount"]);
            body["amount"] = self.orders[order].total.clone();
            body["amount"]["amount"] = self.between(1, total + total / 10).into();
        }
        let path = format!("/admin/orders/{}/capture", self.orders[order].id);
        self.once(&path, body).await;
    }

    async fn refund(&mut self, order: usize, refund: Value) {
        let path = format!("/admin/orders/{}/refunds", self.orders[order].id);
        self.once(&path, refund).await;
    }

    /// Somebody follows the link in the mail: what they bought as a guest is theirs from now on.
    async fn verify_address(&mut self) {
        let Some(who) = self.somebody() else { return self.settle_accounts().await };
        if self.people[who].verified {
            return self.settle_accounts().await;
        }
        let mail = self.shop.mail(&self.people[who].email, "verify_email").await;
        let body = text(&mail["text"]);
        let token = body.split("?token=").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
        let path = format!("/email_verifications/{token}");
        let answer = self.shopper(None, Method::POST, &path, Value::Null).await;
        self.people[who].verified = answer.status == 200;
    }

    /// What was sold so far; the days are left out, because a run may begin before midnight.
    async fn settle_accounts(&mut self) {
        let path = "/admin/reviews?limit=5&status=pending";
        let found = self.staff(Method::GET, path, Value::Null).await.expect(200);
        let ids = found["data"].as_array().unwrap().iter().map(|review| review["id"].clone()).collect();
        self.remark(&ids);
    }

    /// When everything is quiet, shoppers see what staff have written.
    pub(super) async fn look_round(&mut self) {
        let (product, _) = self.some_variant();
        let id = text(&self.products[product]["id"]);
        for path in [
            format!("/products/{id}"),
            format!("/products/{id}/reviews"),
            "/categories".into(),
            "/pages".into(),
            "/shop".into(),
        ] {
            let seen = self.shopper(None, Method::GET, &path, Value::Null).await;
            if seen.status == 200 {
                self.remark(&seen.body);
            }
        }
    }

    /// Somebody wants to be forgotten. Nothing else happens until they are.
    pub(super) async fn erase_somebody(&mut self) {
        let Some(who) = self.somebody().filter(|_| self.day % 3 == 2) else { return };
        if self.chance(60) {
            self.shopper(Some(who), Method::DELETE, "/customers/me", Value::Null).await.expect(204);
        } else {
            let path = format!("/admin/customers/{}", self.people[who].id);
            self.staff(Method::DELETE, &path, Value::Null).await.expect(204);
        }
        self.people[who].erased = true;
        self.carts.retain(|cart| cart.owner != Some(who));
        self.settle().await;
    }
}
