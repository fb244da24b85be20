//! Shoppers of every kind, who write down what they did and what they were told.

use futures::{StreamExt, future::join_all};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Client},
    harness::{Goods, OWNER, all, eur, fresh, goods, list, log_in, number, tax, text, zone},
    journal::{Journal, Purchase},
};

/// How many of the scarce thing there are, and of the other.
pub const SCARCE: i64 = 4;
pub const PLENTY: i64 = 100_000;

/// How many are in the shop at the same time.
const AT_ONCE: usize = 8;

/// What somebody came for: the token they pay with, and what they do afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Pays,
    PaysForTheScarceThing,
    PaysWithACoupon,
    IsDeclined,
    IsDeclinedWithACoupon,
    LosesTheReply,
    MustConfirm,
    NeverConfirms,
    Cancels,
    IsRefunded,
}

/// Three of each, but one who never comes back.
pub const KINDS: [Kind; 10] = [
    Kind::Pays,
    Kind::PaysForTheScarceThing,
    Kind::PaysWithACoupon,
    Kind::IsDeclined,
    Kind::IsDeclinedWithACoupon,
    Kind::LosesTheReply,
    Kind::MustConfirm,
    Kind::Cancels,
    Kind::IsRefunded,
    Kind::NeverConfirms,
];

impl Kind {
    fn token(self) -> &'static str {
        match self {
            Self::IsDeclined | Self::IsDeclinedWithACoupon => "tok_declined",
            Self::LosesTheReply => "tok_lost_reply",
            Self::MustConfirm => "tok_3ds",
            Self::NeverConfirms => "tok_3ds_abandoned",
            _ => "tok_ok",
        }
    }

    fn has_coupon(self) -> bool {
        matches!(self, Self::PaysWithACoupon | Self::IsDeclinedWithACoupon)
    }
}

/// What is in a shop before anything goes wrong.
pub struct Town {
    pub goods: [Goods; 2],
    method: String,
    promotion: String,
}

/// A running shop, seen from behind the counter.
pub struct Counter {
    pub guest: Client,
    pub owner: Client,
    pub goods: [Goods; 2],
    pub promotion: String,
}

impl Town {
    /// Fills an empty shop that has an owner.
    pub async fn found(shop: &Client) -> Self {
        let owner = log_in(shop, OWNER.0, OWNER.1).await;
        let method = zone(&owner, "Germany", &["DE"], 490).await;
        tax(&owner, "DE", 1900, true).await;
        let goods =
            [goods(&owner, "Rare thing", 9900, SCARCE).await, goods(&owner, "Thing", 1250, PLENTY).await];
        let coupon = json!({"code": "TENTH", "kind": "percentage", "value": 10, "usage_limit": 10_000});
        let promotion = owner.post("/admin/promotions", &coupon).await.expect(201);
        Self { goods, method, promotion: text(&promotion["id"]) }
    }

    /// Somebody of the staff looks into the running shop.
    pub async fn counter(&self, shop: &Client) -> Counter {
        let owner = log_in(shop, OWNER.0, OWNER.1).await;
        let (goods, promotion) = (self.goods.clone(), self.promotion.clone());
        Counter { guest: shop.clone(), owner, goods, promotion }
    }

    /// Everybody, a few at a time: some are done when others begin. Nobody minds if the shop vanishes in the middle.
    pub async fn go_shopping(&self, shop: &Client, round: usize) -> Journal {
        let login = json!({"email": OWNER.0, "password": OWNER.1});
        let login = shop.request(Method::POST, "/sessions").json(&login).try_send().await;
        let Ok(login) = login else { return Journal::default() };
        let owner = shop.with_token(&text(&login.expect(201)["access_token"]));
        let shoppers = (0..28).map(|i| {
            let kind = KINDS[if i < 27 { i % 9 } else { 9 }];
            self.shop_alone(shop, &owner, kind, format!("shopper-{round}-{i}@example.com"))
        });
        let seen: Vec<_> = futures::stream::iter(shoppers).buffer_unordered(AT_ONCE).collect().await;
        seen.into_iter().flatten().collect()
    }

    /// What buys a cart.
    pub fn checkout_of(&self, cart: &Value, email: &str, token: &str) -> Value {
        json!({
            "cart_id": cart["id"],
            "email": email,
            "shipping_address": crate::harness::address("DE"),
            "shipping_option_id": self.method,
            "payment": {"provider": "test", "token": token},
        })
    }

    /// Buys something in the way of a kind. None if it did not come to that.
    pub async fn shop_alone(
        &self,
        guest: &Client,
        owner: &Client,
        kind: Kind,
        email: String,
    ) -> Option<Purchase> {
        let goods = &self.goods[usize::from(kind != Kind::PaysForTheScarceThing)];
        let lines = json!([{"variant_id": goods.variant, "quantity": 2}]);
        let cart = said(guest.request(Method::POST, "/carts").json(&json!({"lines": lines}))).await?;
        if [409, 503].contains(&cart.status) {
            // The scarce thing is gone already; or nobody could be asked.
            return None;
        }
        let cart = cart.expect(201);
        if kind.has_coupon() {
            let path = format!("/carts/{}/discount_codes", text(&cart["id"]));
            let redeemed = said(guest.request(Method::POST, &path).json(&json!({"code": "TENTH"}))).await?;
            if redeemed.status == 503 {
                return None;
            }
            redeemed.expect(201);
        }
        let mut purchase = Purchase::new(self.checkout_of(&cart, &email, kind.token()));
        purchase.answer = said(purchase.request(guest)).await;
        if let Some(order) = purchase.order() {
            let id = text(&order["id"]);
            match kind {
                Kind::Cancels => {
                    let path = format!("/orders/{id}/cancel?token={}", text(&order["token"]));
                    purchase.cancelled = true;
                    said(guest.request(Method::POST, &path).json(&json!({}))).await;
                }
                Kind::IsRefunded => {
                    let line = json!([{"line_id": order["lines"][0]["id"], "quantity": 1, "restock": true}]);
                    let refund = json!({"lines": line, "reason": "one too many"});
                    let path = format!("/admin/orders/{id}/refunds");
                    let key = fresh();
                    let answer = said(owner.request(Method::POST, &path).json(&refund).key(&key)).await;
                    purchase.refund = Some((path, refund, key, answer));
                }
                _ => {}
            }
        }
        Some(purchase)
    }
}

/// The answer, or none if the shop died.
async fn said(request: crate::client::Request) -> Option<Answer> {
    request.try_send().await.ok()
}

impl Counter {
    /// Every order, whole.
    pub async fn orders(&self) -> Vec<Value> {
        let ids: Vec<String> =
            all(&self.owner, "/admin/orders").await.iter().map(|o| text(&o["id"])).collect();
        let paths: Vec<String> = ids.iter().map(|id| format!("/admin/orders/{id}")).collect();
        let answers = join_all(paths.iter().map(|path| self.owner.get(path))).await;
        answers.into_iter().map(|answer| answer.expect(200)).collect()
    }

    /// Nothing is on its way any more: no order, no event, no reservation, no mail.
    pub async fn is_quiet(&self) -> bool {
        let mut reserved = 0;
        for level in all(&self.owner, "/admin/inventory/levels").await {
            let (on_hand, held) = (number(&level["on_hand"]), number(&level["reserved"]));
            assert!(0 <= held && held <= on_hand, "{level}");
            reserved += held;
        }
        let pending = list(&self.owner.get("/admin/orders?status=pending").await.expect(200));
        let report = self.owner.get("/admin/system").await.expect(200);
        let outboxes = report["outboxes"].as_array().unwrap();
        let heard = outboxes.iter().all(|outbox| outbox["unpublished"] == 0);
        pending.is_empty() && reserved == 0 && heard && self.is_mailed().await
    }

    /// Whoever has bought something knows it.
    async fn is_mailed(&self) -> bool {
        let placed = self.orders().await.into_iter().filter(|order| !order["placed_at"].is_null());
        let mails = self.mails().await;
        placed.into_iter().all(|order| mails.iter().any(|mail| is_about(mail, &order, "order_placed")))
    }

    /// Every mail that was ever written.
    pub async fn mails(&self) -> Vec<Value> {
        let (mut mails, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/dev/mail.json?limit=100{cursor}");
            let page = self.guest.root(Method::GET, &path).send().await.expect(200);
            mails.extend(list(&page));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return mails,
            }
        }
    }
}

/// Whether a mail of a kind is about an order.
pub fn is_about(mail: &Value, order: &Value, template: &str) -> bool {
    mail["template"] == template && text(&mail["subject"]).contains(&text(&order["number"]))
}

/// What a purchase of two things costs with their shipping, before discounts.
pub fn is_price(order: &Value) -> bool {
    [eur(2 * 9900 + 490), eur(2 * 1250 + 490), eur(2 * 1250 - 250 + 490)].contains(&order["total"])
}
