//! Accounts, and what their owners think of products.

use reqwest::Method;
use serde_json::{Value, json};

use super::script::{Basket, Opinion, Person, Script};
use crate::harness::{PASSWORD, number, text};

impl Script<'_> {
    pub(super) async fn register(&mut self) {
        let n = self.people.len();
        let again = self.one_of(n).filter(|_| n > 3 && self.outcomes.len().is_multiple_of(7));
        let email = again.map_or(format!("p{n}@example.com"), |who| self.people[who].email.clone());
        let name = format!("{} Person", ["Ada", "Bob", "Cleo", "Dan", "Eve"][n % 5]);
        let new = json!({"email": email, "password": PASSWORD, "name": name});
        let made = self.shopper(None, Method::POST, "/customers", new).await.expect(201);
        // A second registration is answered as the first one was; only an erased address is free again.
        if self.people.iter().all(|person| person.erased || person.email != email) {
            let id = text(&made["id"]);
            self.fields.push(("customer", id.clone(), 0));
            self.people.push(Person {
                id,
                email,
                client: None,
                verified: false,
                erased: false,
                addresses: Vec::new(),
            });
        }
    }

    /// Signs in with a cart that was filled as a guest.
    pub(super) async fn sign_in(&mut self) {
        let guests: Vec<usize> = (0..self.carts.len())
            .filter(|i| self.carts[*i].owner.is_none() && !self.carts[*i].busy)
            .collect();
        let (Some(cart), Some(who)) = (self.one_of(guests.len()).map(|i| guests[i]), self.somebody()) else {
            return;
        };
        // A cart of theirs that is about to be an order is left alone.
        if self.carts.iter().any(|cart| cart.owner == Some(who) && cart.busy) {
            return;
        }
        let (email, id) = (self.people[who].email.clone(), self.carts[cart].id.clone());
        let password = if self.chance(85) { PASSWORD } else { "something else entirely" };
        let session = json!({"email": email, "password": password, "cart_id": id});
        let signed_in = self.shopper(None, Method::POST, "/sessions", session).await;
        if signed_in.status != 201 {
            return;
        }
        let merged = self.shopper(Some(who), Method::GET, &format!("/carts/{id}"), Value::Null).await;
        self.carts.remove(cart);
        if merged.status == 200 {
            let id = text(&merged.body["id"]);
            let known = self.carts.iter().position(|cart| cart.id == id);
            let cart = known.unwrap_or_else(|| {
                let currency = if merged.body["currency"] == "USD" { "USD" } else { "EUR" };
                self.carts.push(Basket { id, owner: Some(who), currency, lines: Vec::new(), busy: false });
                self.carts.len() - 1
            });
            self.keep(cart, &merged);
        }
    }

    pub(super) async fn change_addresses(&mut self) {
        let Some(who) = self.somebody() else { return };
        let address = self.some_address("DE");
        let known = self.one_of(self.people[who].addresses.len());
        let Some(known) = known.filter(|_| self.outcomes.len().is_multiple_of(2)) else {
            let added = self.shopper(Some(who), Method::POST, "/customers/me/addresses", address).await;
            if added.status == 201 {
                self.people[who].addresses.push(text(&added.body["id"]));
            }
            return;
        };
        let path = format!("/customers/me/addresses/{}", self.people[who].addresses[known]);
        if self.chance(60) {
            self.shopper(Some(who), Method::PUT, &path, address).await;
        } else {
            self.shopper(Some(who), Method::DELETE, &path, Value::Null).await.expect(204);
            self.people[who].addresses.remove(known);
        }
    }

    pub(super) async fn rename(&mut self) {
        let Some(who) = self.somebody() else { return };
        let name = format!("Renamed {}", self.outcomes.len());
        self.shopper(Some(who), Method::PATCH, "/customers/me", json!({"name": name})).await;
    }

    pub(super) async fn forget_password(&mut self) {
        let Some(who) = self.somebody() else { return };
        let email = self.people[who].email.clone();
        self.shopper(None, Method::POST, "/password_resets", json!({"email": email})).await;
    }

    pub(super) async fn review(&mut self) {
        let Some(who) = self.somebody() else { return };
        let (product, _) = self.some_variant();
        let path = format!("/products/{}/reviews", text(&self.products[product]["id"]));
        let body = match self.between(1, 10) {
            1 => "SEE WWW.EXAMPLE.COM FOR MORE OF THIS",
            _ => "For an hour, and looks good doing it.",
        };
        let rating = if self.chance(95) { self.between(1, 5) } else { 6 };
        let new = json!({"rating": rating, "title": "Keeps tea hot", "body": body});
        let written = self.shopper(Some(who), Method::POST, &path, new).await;
        if written.status == 201 {
            let version = number(&written.body["version"]);
            self.reviews.push(Opinion { id: text(&written.body["id"]), author: who, version });
        }
    }

    pub(super) async fn edit_review(&mut self) {
        let Some(one) = self.one_of(self.reviews.len()) else { return self.review().await };
        let Opinion { id, author, .. } = self.reviews[one].clone();
        let who = if self.chance(90) { Some(author) } else { self.somebody() };
        if who.is_some_and(|who| self.people[who].erased) {
            return;
        }
        let path = format!("/reviews/{id}");
        if self.chance(75) {
            let rating = self.between(1, 5);
            let answer = self.shopper(who, Method::PATCH, &path, json!({"rating": rating})).await;
            if answer.status == 200 {
                self.reviews[one].version = number(&answer.body["version"]);
            }
        } else if self.shopper(who, Method::DELETE, &path, Value::Null).await.status == 204 {
            self.reviews.remove(one);
        }
    }

    pub(super) async fn vote(&mut self) {
        let (Some(one), Some(who)) = (self.one_of(self.reviews.len()), self.somebody()) else { return };
        let path = format!("/reviews/{}", self.reviews[one].id);
        match self.choose(&[(6, "vote"), (2, "unvote"), (1, "report")]) {
            "vote" => self.shopper(Some(who), Method::PUT, &format!("{path}/vote"), Value::Null).await,
            "unvote" => self.shopper(Some(who), Method::DELETE, &format!("{path}/vote"), Value::Null).await,
            _ => {
                let report = json!({"reason": "not about the product"});
                self.shopper(Some(who), Method::POST, &format!("{path}/reports"), report).await
            }
        };
    }
}
