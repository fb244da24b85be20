//! The morning: staff change what is sold, for how much, and how much of it is there.

use reqwest::Method;
use serde_json::{Value, json};

use super::script::Script;
use crate::harness::{eur, list, number, text};

const NOUNS: [&str; 8] = ["Mug", "Pot", "Lamp", "Chair", "Bowl", "Rug", "Clock", "Vase"];
pub(super) const CODES: [&str; 8] = ["TEN", "FIVE", "HALF", "SHIP", "BUNDLE", "FIRST", "SPRING", "FEW"];

impl Script<'_> {
    pub(super) async fn morning(&mut self, until: usize) {
        while self.outcomes.len() < until {
            let weights = [
                (4, "product"),
                (2, "category"),
                (1, "collection"),
                (3, "promotion"),
                (1, "price list"),
                (1, "definition"),
                (2, "fields"),
                (2, "page"),
                (1, "settings"),
                (1, "group"),
                (5, "review"),
                (3, "search"),
                (2, "edit"),
                (1, "forbidden"),
            ];
            match self.choose(&weights) {
                "product" => self.make_product().await,
                "category" => self.change_categories().await,
                "collection" => self.change_collections().await,
                "promotion" => self.change_promotions().await,
                "price list" => self.change_price_lists().await,
                "definition" => self.define().await,
                "fields" => self.set_fields().await,
                "page" => self.change_pages().await,
                "settings" => self.change_settings().await,
                "group" => self.change_group().await,
                "review" => self.moderate().await,
                "search" => self.search().await,
                "edit" => self.edit_product().await,
                _ => self.overreach().await,
            }
        }
    }

    pub(super) async fn make_product(&mut self) {
        let n = self.outcomes.len();
        let noun = NOUNS[self.one_of(NOUNS.len()).unwrap()];
        let colours = &["red", "green", "blue"][..self.between(2, 3) as usize];
        let variants = match self.between(1, 3) {
            1 => vec![json!({})],
            2 => colours.iter().map(|colour| json!({"Colour": colour})).collect(),
            _ => colours
                .iter()
                .flat_map(|colour| ["S", "L"].map(|size| json!({"Colour": colour, "Size": size})))
                .collect(),
        };
        let mut options = Vec::new();
        if variants[0].get("Colour").is_some() {
            options.push(json!({"name": "Colour", "values": colours}));
        }
        if variants[0].get("Size").is_some() {
            options.push(json!({"name": "Size", "values": ["S", "L"]}));
        }
        let mut lines = Vec::new();
        for (i, options) in variants.into_iter().enumerate() {
            lines.push(self.new_variant(&format!("SKU-{n}-{i}"), options));
        }
        if self.chance(5) && !self.products.is_empty() {
            lines[0]["sku"] = self.some_variant().1["sku"].clone();
        }
        let category = self.one_of(self.categories.len()).map(|i| self.categories[i].clone());
        let mut product = json!({
            "title": format!("{noun} {n}"),
            "status": if self.chance(90) { "published" } else { "draft" },
            "category_ids": category.into_iter().collect::<Vec<_>>(),
            "tax_class": if self.chance(85) { "standard" } else { "zero" },
            "tags": if self.chance(30) { vec!["new"] } else { Vec::new() },
            "options": options,
            "variants": lines,
        });
        if self.chance(5) {
            product["slug"] = "the-same".into();
        }
        let made = self.staff(Method::POST, "/admin/products", product).await;
        if made.status == 201 {
            self.fields.push(("product", text(&made.body["id"]), 0));
            self.products.push(made.body);
        }
    }

    fn new_variant(&mut self, sku: &str, options: Value) -> Value {
        let price = self.between(199, 9_000);
        let mut prices = vec![eur(price)];
        if self.chance(70) {
            prices.push(json!({"amount": price + 100, "currency": "USD"}));
        }
        json!({"sku": sku, "options": options, "prices": prices, "stock": self.between(0, 50),
            "weight_grams": self.between(50, 2_000), "tracked": self.chance(95)})
    }

    /// The variants of a product, as a change of it names them.
    fn variants_of(product: &Value) -> Vec<Value> {
        let kept = ["id", "sku", "options", "prices", "compare_at_prices", "weight_grams", "tracked"];
        let variants = product["variants"].as_array().unwrap();
        let variant =
            |variant: &Value| kept.map(|name| (name.to_owned(), variant[name].clone())).into_iter().collect();
        variants.iter().map(variant).collect()
    }

    pub(super) async fn change_price(&mut self) {
        let (product, variant) = self.some_variant();
        let mut variants = Self::variants_of(&self.products[product]);
        let price = self.between(199, 9_000);
        for changed in variants.iter_mut().filter(|changed| changed["id"] == variant["id"]) {
            if price < number(&changed["prices"][0]["amount"]) {
                changed["compare_at_prices"] = json!([changed["prices"][0]]);
            }
            changed["prices"][0] = eur(price);
        }
        self.patch_product(product, json!({"variants": variants})).await;
    }

    async fn edit_product(&mut self) {
        let (product, _) = self.some_variant();
        let n = self.outcomes.len();
        let category = self.one_of(self.categories.len()).map(|i| self.categories[i].clone());
        let patch = match self.choose(&[
            (2, "title"),
            (2, "slug"),
            (2, "status"),
            (2, "category"),
            (1, "variant"),
            (1, "archive"),
        ]) {
            "title" => json!({"title": format!("Renamed {n}"), "subtitle": "As good as ever"}),
            "slug" => json!({"slug": format!("moved-{n}")}),
            "status" => json!({"status": if self.chance(70) { "published" } else { "draft" }}),
            "category" => {
                json!({"category_ids": category.into_iter().collect::<Vec<_>>(), "tags": [format!("tag-{}", n % 3)]})
            }
            "variant" => {
                let mut variants = Self::variants_of(&self.products[product]);
                if variants.len() > 1 {
                    variants.pop();
                }
                json!({"variants": variants})
            }
            _ => {
                let path = format!("/admin/products/{}", text(&self.products[product]["id"]));
                self.staff(Method::DELETE, &path, Value::Null).await;
                let found = self.staff(Method::GET, &path, Value::Null).await;
                self.products[product] = found.expect(200);
                return;
            }
        };
        self.patch_product(product, patch).await;
    }

    async fn patch_product(&mut self, product: usize, patch: Value) {
        let path = format!("/admin/products/{}", text(&self.products[product]["id"]));
        let version = number(&self.products[product]["version"]);
        let answer = self.staff_having_seen(Method::PATCH, &path, patch, version).await;
        if answer.status == 200 {
            self.products[product] = answer.body;
        }
    }

    pub(super) async fn adjust_stock(&mut self) {
        let (_, variant) = self.some_variant();
        let delta = match self.choose(&[(6, "more"), (2, "less"), (1, "too much less"), (1, "none")]) {
            "more" => self.between(5, 30),
            "less" => -self.between(1, 3),
            "too much less" => -100_000,
            _ => 0,
        };
        let mut adjustment = json!({"variant_id": variant["id"], "delta": delta, "reason": "counted"});
        if self.chance(20) {
            adjustment["location_id"] = self.location.clone().into();
        }
        let (key, owner) = (self.key(), self.owner.clone());
        let times = if self.chance(15) { 2 } else { 1 };
        for _ in 0..times {
            let key = [("idempotency-key", key.as_str())];
            self.ask(&owner, Method::POST, "/admin/inventory/adjustments", adjustment.clone(), &key).await;
        }
    }

    pub(super) async fn make_category(&mut self) {
        let n = self.outcomes.len();
        let parent = self.one_of(self.categories.len()).map(|i| self.categories[i].clone());
        let category =
            json!({"title": format!("Category {n}"), "parent_id": parent.filter(|_| n.is_multiple_of(2))});
        let made = self.staff(Method::POST, "/admin/categories", category).await;
        self.categories.push(text(&made.expect(201)["id"]));
    }

    async fn change_categories(&mut self) {
        let Some(one) = self.one_of(self.categories.len()) else { return self.make_category().await };
        let path = format!("/admin/categories/{}", self.categories[one]);
        match self.choose(&[(3, "make"), (1, "rename"), (2, "move"), (1, "remove")]) {
            "make" => self.make_category().await,
            "rename" => {
                let title = format!("Once more {}", self.outcomes.len());
                self.staff(Method::PATCH, &path, json!({"title": title, "position": self.day})).await;
            }
            "move" => {
                let parent = self.one_of(self.categories.len()).map(|i| self.categories[i].clone());
                self.staff(Method::PATCH, &path, json!({"parent_id": parent})).await;
            }
            _ => {
                if self.staff(Method::DELETE, &path, Value::Null).await.status == 204 {
                    self.categories.remove(one);
                }
            }
        }
    }

    async fn change_collections(&mut self) {
        let one = self.one_of(self.collections.len());
        let mut ids = Vec::new();
        for _ in 0..self.between(0, 4) {
            let (product, _) = self.some_variant();
            let id = text(&self.products[product]["id"]);
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let new = json!({"title": format!("Collection {}", self.outcomes.len()), "product_ids": ids});
        match one {
            Some(one) if self.chance(50) => {
                let path = format!("/admin/collections/{}", self.collections[one]);
                if self.chance(70) {
                    self.staff(Method::PUT, &path, new).await;
                } else {
                    self.staff(Method::DELETE, &path, Value::Null).await.expect(204);
                    self.collections.remove(one);
                }
            }
            _ => {
                let made = self.staff(Method::POST, "/admin/collections", new).await.expect(201);
                self.collections.push(text(&made["id"]));
            }
        }
    }

    async fn change_price_lists(&mut self) {
        let mut prices: Vec<Value> = Vec::new();
        for _ in 0..self.between(1, 4) {
            let (_, variant) = self.some_variant();
            let least = if self.chance(50) { 1 } else { 3 };
            if prices.iter().all(|price| price["variant_id"] != variant["id"]) {
                let amount = self.between(150, 5_000);
                prices.push(json!({"variant_id": variant["id"], "min_quantity": least, "amount": amount}));
            }
        }
        let name = format!("List {}", self.outcomes.len());
        let group = if self.chance(60) { json!("trade") } else { Value::Null };
        let new = json!({"name": name, "currency": "EUR", "group": group, "prices": prices});
        match self.one_of(self.price_lists.len()) {
            Some(one) if self.chance(60) => {
                let path = format!("/admin/price_lists/{}", text(&self.price_lists[one]["id"]));
                if self.chance(50) {
                    self.staff(Method::PUT, &path, new).await;
                } else {
                    self.staff(Method::DELETE, &path, Value::Null).await.expect(204);
                    self.price_lists.remove(one);
                }
            }
            _ => {
                let made = self.staff(Method::POST, "/admin/price_lists", new).await;
                self.price_lists.extend((made.status == 201).then_some(made.body));
            }
        }
    }

    /// Lists as staff search them: what was found, in which order.
    async fn search(&mut self) {
        let n = self.outcomes.len();
        let noun = NOUNS[n % NOUNS.len()].to_lowercase();
        let path = match self.between(1, 7) {
            1 => format!("/admin/products?limit=10&q={noun}"),
            2 => "/admin/products?limit=10&status=draft".into(),
            3 => format!("/admin/customers?limit=10&q=p{}", n % 10),
            4 => format!("/admin/orders?limit=10&q=guest{}", n % 5),
            5 => "/admin/orders?limit=10&fulfillment_status=shipped&payment_status=captured".into(),
            6 => format!("/admin/inventory/levels?limit=10&below=3&q=sku-{}", n % 10),
            _ => "/admin/reviews?limit=10&status=approved".into(),
        };
        let found = list(&self.staff(Method::GET, &path, Value::Null).await.expect(200));
        let id = |item: &Value| if item["id"].is_null() { item["sku"].clone() } else { item["id"].clone() };
        self.remark(&found.iter().map(id).collect());
    }

    /// Support may read orders, and neither refund nor change what is sold.
    async fn overreach(&mut self) {
        let (who, order) = (self.support.clone(), self.one_of(self.orders.len()));
        let path = order.map_or("/admin/orders".into(), |i| format!("/admin/orders/{}", self.orders[i].id));
        self.ask(&who, Method::GET, &path, Value::Null, &[]).await;
        let key = self.key();
        let path = format!("{path}/refunds");
        if order.is_some() {
            self.ask(&who, Method::POST, &path, json!({"reason": "?"}), &[("idempotency-key", &key)]).await;
        } else {
            self.ask(&who, Method::POST, "/admin/products", json!({}), &[]).await;
        }
    }
}
