//! The hours: shoppers fill carts and buy. Prices and stock move meanwhile.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    script::{Basket, Bought, Script},
    staff::CODES,
};
use crate::{
    client::Answer,
    harness::{adds_up, eur, number, text},
};

impl Script<'_> {
    pub(super) async fn hours(&mut self, until: usize) {
        while self.outcomes.len() < until {
            let weights = [
                (7, "cart"),
                (12, "line"),
                (5, "quantity"),
                (6, "code"),
                (3, "cart seen"),
                (18, "checkout"),
                (3, "register"),
                (2, "sign in"),
                (2, "address"),
                (1, "name"),
                (8, "review"),
                (2, "edit review"),
                (6, "vote"),
                (4, "stock"),
                (2, "price"),
                (3, "order seen"),
                (1, "reset"),
            ];
            match self.choose(&weights) {
                "cart" => self.open_cart().await,
                "line" => self.add_line().await,
                "quantity" => self.change_line().await,
                "code" => self.change_codes().await,
                "cart seen" => self.see_cart().await,
                "checkout" => self.check_out().await,
                "register" => self.register().await,
                "sign in" => self.sign_in().await,
                "address" => self.change_addresses().await,
                "name" => self.rename().await,
                "review" => self.review().await,
                "edit review" => self.edit_review().await,
                "vote" => self.vote().await,
                "stock" => self.adjust_stock().await,
                "price" => self.change_price().await,
                "order seen" => self.see_order().await,
                _ => self.forget_password().await,
            }
        }
    }

    /// A cart that can be filled.
    fn some_cart(&mut self) -> Option<usize> {
        let free: Vec<usize> = (0..self.carts.len()).filter(|i| !self.carts[*i].busy).collect();
        // The newest are the likeliest.
        let newest = if self.chance(70) { free.len().saturating_sub(4) } else { 0 };
        self.one_of(free.len() - newest).map(|i| free[newest + i])
    }

    async fn open_cart(&mut self) {
        let owner = if self.chance(50) { self.somebody() } else { None };
        let mut lines = Vec::new();
        for _ in 0..self.between(0, 4) {
            let (_, variant) = self.some_variant();
            lines.push(json!({"variant_id": variant["id"], "quantity": self.between(1, 3)}));
        }
        let currency = self.choose(&[(8, "EUR"), (2, "USD")]);
        let new = json!({"currency": currency, "lines": lines});
        let made = self.shopper(owner, Method::POST, "/carts", new).await;
        if made.status == 201 {
            let id = text(&made.body["id"]);
            self.carts.push(Basket { id, owner, currency, lines: Vec::new(), busy: false });
            let cart = self.carts.len() - 1;
            self.keep(cart, &made);
        }
    }

    /// Remembers the lines of a cart, which add up.
    pub(super) fn keep(&mut self, cart: usize, answer: &Answer) {
        if answer.status < 300 {
            adds_up(&answer.body);
            let lines = answer.body["lines"].as_array().unwrap();
            self.carts[cart].lines = lines.iter().map(|line| text(&line["id"])).collect();
        }
    }

    async fn in_cart(&mut self, cart: usize, method: Method, below: &str, body: Value) {
        let Basket { id, owner, .. } = self.carts[cart].clone();
        let answer = self.shopper(owner, method, &format!("/carts/{id}{below}"), body).await;
        self.keep(cart, &answer);
    }

    async fn add_line(&mut self) {
        let Some(cart) = self.some_cart() else { return self.open_cart().await };
        let (_, variant) = self.some_variant();
        let quantity = match self.choose(&[(30, "few"), (2, "many"), (1, "none"), (1, "too many")]) {
            "few" => self.between(1, 3),
            "many" => self.between(10, 40),
            "none" => 0,
            _ => 10_000,
        };
        let line = json!({"variant_id": variant["id"], "quantity": quantity});
        self.in_cart(cart, Method::POST, "/lines", line).await;
    }

    async fn change_line(&mut self) {
        let Some(cart) = self.some_cart() else { return self.open_cart().await };
        let Some(line) = self.one_of(self.carts[cart].lines.len()) else { return self.add_line().await };
        let path = format!("/lines/{}", self.carts[cart].lines[line]);
        if self.chance(30) {
            self.in_cart(cart, Method::DELETE, &path, Value::Null).await;
        } else {
            let quantity = self.between(0, 5);
            self.in_cart(cart, Method::PATCH, &path, json!({"quantity": quantity})).await;
        }
    }

    async fn change_codes(&mut self) {
        let Some(cart) = self.some_cart() else { return self.open_cart().await };
        let known = self.one_of(self.promotions.len()).filter(|_| !self.outcomes.len().is_multiple_of(6));
        let known = known.and_then(|i| self.promotions[i]["code"].as_str().map(str::to_owned));
        let some = CODES[self.one_of(CODES.len()).unwrap()];
        let code = known.unwrap_or(some.to_owned()).to_lowercase();
        match self.between(1, 10) {
            1 => self.in_cart(cart, Method::DELETE, &format!("/discount_codes/{code}"), Value::Null).await,
            2 => self.in_cart(cart, Method::POST, "/discount_codes", json!({"code": "NOTHING"})).await,
            _ => self.in_cart(cart, Method::POST, "/discount_codes", json!({"code": code})).await,
        }
    }

    async fn see_cart(&mut self) {
        let Some(cart) = self.some_cart() else { return self.open_cart().await };
        match self.between(1, 4) {
            1 => self.in_cart(cart, Method::GET, "", Value::Null).await,
            2 => {
                // Somebody else's.
                let (path, somebody) = (format!("/carts/{}", self.carts[cart].id), self.somebody());
                self.shopper(somebody, Method::GET, &path, Value::Null).await;
            }
            _ => {
                let country = self.choose(&[(6, "DE"), (2, "AT"), (2, "US"), (1, "JP")]);
                let Basket { id, owner, .. } = self.carts[cart].clone();
                let to = json!({"address": self.some_address(country)});
                let path = format!("/carts/{id}/shipping_options");
                let options = self.shopper(owner, Method::POST, &path, to).await;
                self.remark(&options.body["data"]);
            }
        }
    }

    async fn check_out(&mut self) {
        let Some(cart) = self.some_cart() else { return self.open_cart().await };
        if self.carts[cart].lines.is_empty() && self.chance(90) {
            return self.add_line().await;
        }
        let mut body = self.purchase(cart).await;
        let (owner, key) = (self.client_of(self.carts[cart].owner).await, self.key());
        let headers: &[(&str, &str)] = if self.chance(96) { &[("idempotency-key", &key)] } else { &[] };
        let answer = self.ask(&owner, Method::POST, "/checkout", body.clone(), headers).await;
        let token = text(&body["payment"]["token"]);
        self.bought(cart, &answer, &token);
        // Some who cannot have what they want go away.
        if answer.body["code"] == "cart_completed" || (answer.status == 409 && self.chance(50)) {
            self.carts.remove(cart);
            return;
        }
        // Whoever heard nothing asks again, and some have changed their minds.
        if self.chance(12) {
            if self.chance(30) {
                body["email"] = "somebody.else@example.com".into();
            }
            let again = self.ask(&owner, Method::POST, "/checkout", body.clone(), headers).await;
            if answer.status != 201 {
                self.bought(cart, &again, &token);
            }
        }
        // The bank says yes to tok_3ds when a second is over, which is no time to try again.
        if self.chance(8) && token != "tok_3ds" {
            body["payment"]["token"] = "tok_ok".into();
            let key = self.key();
            let other = self.ask(&owner, Method::POST, "/checkout", body, &[("idempotency-key", &key)]).await;
            self.bought(cart, &other, "tok_ok");
        }
    }

    async fn purchase(&mut self, cart: usize) -> Value {
        let owner = self.carts[cart].owner;
        let email = match owner {
            Some(who) => self.people[who].email.clone(),
            // Some have an account and have not signed in.
            None if self.chance(15) => match self.somebody() {
                Some(who) => self.people[who].email.clone(),
                None => "guest0@example.com".into(),
            },
            None => format!("guest{}@example.com", self.between(0, 6)),
        };
        // Germany's way to send something has no price in dollars.
        let in_dollars = self.carts[cart].currency == "USD" && self.chance(85);
        let country = match in_dollars {
            true => self.choose(&[(1, "AT"), (1, "US")]),
            false => self.choose(&[(7, "DE"), (2, "AT"), (2, "US")]),
        };
        let (country, method) = self.methods.iter().find(|(to, _)| *to == country).cloned().unwrap();
        let somewhere = if self.chance(96) { country } else { "DE" };
        let address = self.some_address(somewhere);
        let tokens = [
            (70, "tok_ok"),
            (8, "tok_declined"),
            (5, "tok_insufficient_funds"),
            (8, "tok_3ds"),
            (12, "tok_3ds_abandoned"),
        ];
        let token = self.choose(&tokens);
        let mut body = json!({
            "cart_id": self.carts[cart].id,
            "email": email,
            "shipping_address": address,
            "shipping_option_id": method,
            "payment": {"provider": "test", "token": token},
        });
        if self.chance(4) {
            body["expected_total"] = eur(1);
        }
        body
    }

    /// What came of a checkout.
    fn bought(&mut self, cart: usize, answer: &Answer, token: &str) {
        if answer.status != 201 {
            return;
        }
        let order = &answer.body;
        let id = text(&order["id"]);
        self.carts[cart].busy = true;
        if self.orders.iter().all(|known| known.id != id) {
            let url = order["payment"]["next_action"]["url"].as_str();
            let path = url.and_then(|url| Some(&url[url.find("/test-payments/")?..]));
            if let Some(path) = path.filter(|_| token == "tok_3ds_abandoned") {
                self.waiting.push((id.clone(), path.to_owned()));
            }
            let lines = order["lines"].as_array().unwrap();
            let lines = lines.iter().map(|line| (text(&line["id"]), number(&line["quantity"]))).collect();
            let (token, total) = (text(&order["token"]), order["total"].clone());
            self.orders.push(Bought {
                id,
                token,
                lines,
                total,
                shipments: Vec::new(),
                touched: 0,
                ended: false,
            });
        }
    }

    /// The shoppers who were asked by their bank say yes or no, or think better of it.
    pub(super) async fn answer_banks(&mut self) {
        for (order, path) in std::mem::take(&mut self.waiting) {
            let said = self.choose(&[(6, "true"), (3, "false"), (1, "cancel")]);
            let (guest, named) = (self.shop.guest.clone(), self.names.text(&order));
            if said == "cancel" {
                let token =
                    self.orders.iter().find(|known| known.id == order).map(|known| known.token.clone());
                let path = format!("/orders/{order}/cancel?token={}", token.unwrap());
                self.ask(&guest, Method::POST, &path, json!({"reason": "too long"}), &[]).await;
                continue;
            }
            let form = format!("accept={said}");
            let request = guest.root(Method::POST, &path).raw("application/x-www-form-urlencoded", form);
            let answer = request.send().await;
            self.note(&format!("the bank's question about {named}, {said}"), &answer);
        }
    }

    /// Carts that became orders are done with; those whose order came to nothing can be filled again.
    pub(super) async fn close_carts(&mut self) {
        for cart in (0..self.carts.len()).rev() {
            let Basket { id, owner, busy, .. } = self.carts[cart].clone();
            if !busy {
                continue;
            }
            let answer = self.shopper(owner, Method::GET, &format!("/carts/{id}"), Value::Null).await;
            self.remark(&answer.body["order_id"]);
            self.carts[cart].busy = false;
            // A cart that is an order already is changed and bought again, now and then.
            if answer.status != 200 || (!answer.body["order_id"].is_null() && self.chance(90)) {
                self.carts.remove(cart);
            }
        }
    }

    async fn see_order(&mut self) {
        let (Some(order), who) = (self.one_of(self.orders.len()), self.somebody()) else { return };
        let Bought { id, token, .. } = self.orders[order].clone();
        match self.between(1, 3) {
            // Its state is not noted: it may be on its way.
            1 => drop(self.shopper(who, Method::GET, "/orders?limit=5", Value::Null).await),
            2 => drop(self.shopper(None, Method::GET, &format!("/orders/{id}"), Value::Null).await),
            _ => {
                let answer = self.shop.guest.get(&format!("/orders/{id}?token={token}")).await.expect(200);
                adds_up(&answer);
            }
        }
    }
}
