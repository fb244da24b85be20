//! The business as it stands when everything is quiet, and what is true of it however it came about.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Map, Value, json};
use shared::PageRequest;

use super::script::Script;
use crate::harness::{adds_up, all, list, number, text, wait_for};

/// Kinds of timeline rows that are moves of a state.
const STATES: [&str; 3] = ["status", "payment_status", "fulfillment_status"];

impl Script<'_> {
    /// Everything that matters, with names for ids and without times.
    pub async fn books(&mut self) -> Value {
        let owner = self.owner.clone();
        let whole = async |path: &str| all(&owner, path).await.into_iter().rev().collect::<Vec<_>>();
        let products = whole("/admin/products").await;
        let orders = self.orders_in_full(&whole("/admin/orders").await).await;
        let (levels, movements) = self.stock(&products, &orders).await;
        let mut reviews = whole("/admin/reviews").await;
        // They are listed by their last change, and a delivery changes the reviews of several at once.
        reviews.sort_by_key(|review| text(&review["id"]));
        let books = json!({
            "products": products,
            "levels": levels,
            "movements": movements,
            "categories": self.shop.guest.get("/categories").await.expect(200)["data"],
            "collections": self.shop.guest.get("/collections").await.expect(200)["data"],
            "price_lists": list(&owner.get("/admin/price_lists").await.expect(200)),
            "orders": orders,
            "promotions": self.promotions_used(whole("/admin/promotions").await, &orders),
            "reviews": reviews,
            "definitions": list(&owner.get("/admin/metafield_definitions").await.expect(200)),
            "fields": self.custom_fields().await,
            "pages": whole("/admin/pages").await,
            "settings": owner.get("/admin/settings").await.expect(200),
            "settings_history": whole("/admin/settings/history").await,
            "customers": whole("/admin/customers").await,
            "addresses": self.address_books().await,
            "carts": self.open_carts().await,
            "mails": self.mails().await,
            "for_sale": self.for_sale(&products).await,
            "zones": list(&owner.get("/admin/shipping_zones").await.expect(200)),
            "taxes": list(&owner.get("/admin/tax_rates").await.expect(200)),
        });
        self.no_case_is_open().await;
        self.names.canonical(&books)
    }

    /// Each order with its ledger. It has ended, its sums add up, and the books agree with it.
    async fn orders_in_full(&self, orders: &[Value]) -> Vec<Value> {
        let mut full = Vec::new();
        for order in orders {
            let id = text(&order["id"]);
            let mut order = self.owner.get(&format!("/admin/orders/{id}")).await.expect(200);
            adds_up(&order);
            assert_ne!(order["status"], "pending", "{order}");
            let ledger = list(&self.owner.get(&format!("/admin/orders/{id}/ledger")).await.expect(200));
            order["ledger"] = balanced(&order, &ledger);
            order["timeline"] = moves(&order["timeline"]);
            // How often it was written depends on who was faster, a command or the news of what it did.
            order.as_object_mut().unwrap().remove("version");
            full.push(order);
        }
        full
    }

    /// What is there of each variant and what happened to it. Nothing is held, and every unit that went was bought.
    async fn stock(&self, products: &[Value], orders: &[Value]) -> (Vec<Value>, Value) {
        let mut levels = all(&self.owner, "/admin/inventory/levels").await;
        levels.sort_by_key(|level| (text(&level["sku"]), text(&level["location_id"])));
        let variants = products.iter().flat_map(|product| product["variants"].as_array().unwrap());
        // Of what is always there, no stock is taken.
        let tracked = variants.clone().filter(|variant| variant["tracked"] == true);
        let tracked: Vec<String> = tracked.map(|variant| text(&variant["id"])).collect();
        let mut variants: Vec<String> = variants.map(|variant| text(&variant["id"])).collect();
        variants.extend(levels.iter().map(|level| text(&level["variant_id"])));
        variants.sort();
        variants.dedup();
        let mut all_moves = Map::new();
        for variant in variants {
            let path = format!("/admin/inventory/movements?variant_id={variant}");
            let mut moves = all(&self.owner, &path).await;
            let here = levels.iter().filter(|level| level["variant_id"] == variant.as_str());
            let (mut on_hand, mut known) = (0, false);
            for level in here {
                assert_eq!(level["reserved"], 0, "{level}");
                (on_hand, known) = (on_hand + number(&level["on_hand"]), true);
            }
            let moved: i64 = moves.iter().map(|movement| number(&movement["delta"])).sum();
            assert!(!known || moved == on_hand, "{variant}: {on_hand} of {moves:?}");
            if tracked.contains(&variant) {
                conserved(&variant, &moves, orders);
            }
            // Goods of two orders that came back on one evening came in any order.
            moves.iter_mut().for_each(|movement| {
                movement.as_object_mut().unwrap().remove("id");
            });
            moves.sort_by_key(|m| {
                (text(&m["kind"]), number(&m["delta"]), m["order_id"].to_string(), text(&m["reason"]))
            });
            all_moves.insert(variant, moves.into());
        }
        (levels, all_moves.into())
    }

    /// As many uses as orders hold it.
    fn promotions_used(&self, promotions: Vec<Value>, orders: &[Value]) -> Vec<Value> {
        for promotion in &promotions {
            let holds = |order: &&Value| {
                let discounts = order["discounts"].as_array().unwrap();
                order["status"] != "cancelled"
                    && discounts.iter().any(|d| d["promotion_id"] == promotion["id"])
            };
            let used = orders.iter().filter(holds).count();
            assert_eq!(promotion["used"], used, "{promotion}");
            assert!(
                promotion["usage_limit"]
                    .as_u64()
                    .is_none_or(|limit| used as u64 <= limit || number(&promotion["version"]) > 1),
                "{promotion}"
            );
        }
        promotions
    }

    async fn custom_fields(&self) -> Vec<Value> {
        let mut found = Vec::new();
        for (owner, id, _) in &self.fields {
            found.push(self.owner.get(&format!("/admin/metafields/{owner}/{id}")).await.expect(200));
        }
        found
    }

    async fn address_books(&mut self) -> Vec<Value> {
        let mut books = Vec::new();
        for who in (0..self.people.len()).filter(|who| !self.people[*who].erased).collect::<Vec<_>>() {
            let client = self.client_of(Some(who)).await;
            books.push(json!({"of": self.people[who].email,
                "data": client.get("/customers/me/addresses").await.expect(200)["data"]}));
        }
        books
    }

    async fn open_carts(&mut self) -> Vec<Value> {
        let mut carts = Vec::new();
        for cart in self.carts.clone() {
            let client = self.client_of(cart.owner).await;
            let seen = client.get(&format!("/carts/{}", cart.id)).await.expect(200);
            adds_up(&seen);
            carts.push(seen);
        }
        carts
    }

    /// How many mails of each kind went to each address.
    async fn mails(&mut self) -> Value {
        let (mut count, mut cursor) = (BTreeMap::<String, u64>::new(), None);
        loop {
            let page = PageRequest { limit: 100, cursor };
            let page = self.shop.app.ports.notifications.mails(None, page).await.unwrap();
            for mail in page.data {
                *count.entry(format!("{} to {}", mail.template, self.names.text(&mail.to))).or_default() += 1;
            }
            cursor = page.next_cursor;
            if cursor.is_none() {
                return json!(count);
            }
        }
    }

    /// What shoppers find: all that is published and has a price in euros, with the stars of its reviews.
    async fn for_sale(&self, products: &[Value]) -> Vec<Value> {
        let in_euros = |product: &Value| {
            let variants = product["variants"].as_array().unwrap();
            variants
                .iter()
                .any(|v| v["prices"].as_array().unwrap().iter().any(|price| price["currency"] == "EUR"))
        };
        let published =
            products.iter().filter(|product| product["status"] == "published" && in_euros(product));
        let mut published: Vec<_> =
            published.map(|product| (text(&product["slug"]), product["rating"].clone())).collect();
        published.sort_by(|a, b| a.0.cmp(&b.0));
        let mut cards = Vec::new();
        wait_for("search knows what is for sale", async || {
            cards = all(&self.shop.guest, "/products?sort=newest&facets=false").await;
            cards.sort_by_key(|card| text(&card["slug"]));
            cards.iter().map(|card| (text(&card["slug"]), card["rating"].clone())).collect::<Vec<_>>()
                == published
        })
        .await;
        cards
    }

    /// Nothing was given up, and the provider knows of the same money.
    async fn no_case_is_open(&self) {
        let letters = list(&self.owner.get("/admin/system/dead_letters").await.expect(200));
        assert!(letters.is_empty(), "{letters:?}");
        let compared = self.owner.request(Method::POST, "/admin/system/reconcile").send().await.expect(200);
        assert_eq!((&compared["repaired"], &compared["cases"]), (&json!(0), &json!([])), "{compared}");
    }
}

/// The sum of each account. Each movement of money balances, and the provider holds what the order says.
fn balanced(order: &Value, ledger: &[Value]) -> Value {
    let (mut movements, mut accounts) = (BTreeMap::<String, i64>::new(), BTreeMap::<String, i64>::new());
    for entry in ledger {
        let amount = number(&entry["amount"]["amount"]);
        *movements.entry(text(&entry["transaction_id"])).or_default() += amount;
        *accounts.entry(text(&entry["account"])).or_default() += amount;
    }
    assert!(movements.values().all(|sum| *sum == 0), "{ledger:?}");
    let held = number(&order["captured_total"]["amount"]) - number(&order["refunded_total"]["amount"]);
    assert_eq!(accounts.get("provider").copied().unwrap_or_default(), held, "{order} {ledger:?}");
    assert!(order["status"] != "cancelled" || held == 0, "{order}");
    json!(accounts)
}

/// The moves of each state, and apart from them what else was written. Which module was first to say that money had
/// moved is left out: its command or its news.
fn moves(timeline: &Value) -> Value {
    let rows = timeline.as_array().unwrap();
    let mut told = Map::new();
    for state in STATES {
        let moves = rows.iter().filter(|row| row["kind"] == state);
        let said = |row: &Value| match state {
            "payment_status" => json!([row["from"], row["to"]]),
            _ => json!([row["from"], row["to"], row["message"], row["actor"]]),
        };
        told.insert(state.into(), moves.map(said).collect());
    }
    let others = rows.iter().filter(|row| !STATES.iter().any(|state| row["kind"] == *state));
    told.insert("remarks".into(), others.cloned().collect());
    told.into()
}

/// Each order has taken as much of a variant as it bought, less what came back onto the shelf. A cancelled one has
/// taken nothing but what was refunded before and did not come back.
fn conserved(variant: &str, movements: &[Value], orders: &[Value]) {
    for order in orders {
        let lines = order["lines"].as_array().unwrap().iter().filter(|line| line["variant_id"] == variant);
        let mut expected = 0;
        for line in lines {
            let gone = if order["status"] == "cancelled" { "refunded_quantity" } else { "quantity" };
            expected += restocked(order, &line["id"]) - number(&line[gone]);
        }
        let of_order = movements.iter().filter(|movement| movement["order_id"] == order["id"]);
        let moved: i64 = of_order.map(|movement| number(&movement["delta"])).sum();
        assert_eq!(moved, expected, "{variant} in {order}");
    }
}

/// The units of a line that came back onto the shelf with a refund.
fn restocked(order: &Value, line: &Value) -> i64 {
    let refunds =
        order["refunds"].as_array().unwrap().iter().filter(|refund| refund["status"] == "succeeded");
    let lines = refunds.flat_map(|refund| refund["lines"].as_array().unwrap());
    let back = lines.filter(|back| back["line_id"] == *line && back["restock"] == true);
    back.map(|back| number(&back["quantity"])).sum()
}
