//! What staff write beside the catalogue: offers, custom fields, pages, settings, decisions on reviews.

use reqwest::Method;
use serde_json::{Value, json};

use super::{script::Script, staff::CODES};
use crate::harness::{eur, number, text};

impl Script<'_> {
    pub(super) async fn make_promotion(&mut self) {
        let terms = self.terms().await;
        let made = self.staff(Method::POST, "/admin/promotions", terms).await;
        if made.status == 201 {
            self.promotions.push(made.body);
        }
    }

    pub(super) async fn change_promotions(&mut self) {
        let Some(one) = self.one_of(self.promotions.len()) else { return self.make_promotion().await };
        let path = format!("/admin/promotions/{}", text(&self.promotions[one]["id"]));
        match self.choose(&[(6, "make"), (2, "change"), (1, "remove")]) {
            "make" => self.make_promotion().await,
            "change" => {
                let (mut terms, version) = (self.terms().await, number(&self.promotions[one]["version"]));
                terms["code"] = self.promotions[one]["code"].clone();
                let changed = self.staff_having_seen(Method::PUT, &path, terms, version).await;
                if changed.status == 200 {
                    self.promotions[one] = changed.body;
                }
            }
            _ => {
                self.staff(Method::DELETE, &path, Value::Null).await.expect(204);
                self.promotions.remove(one);
            }
        }
    }

    async fn terms(&mut self) -> Value {
        let code = CODES[self.one_of(CODES.len()).unwrap()];
        let mut terms = match self.between(1, 5) {
            1 | 2 => json!({"kind": "percentage", "value": self.between(5, 60)}),
            3 => json!({"kind": "fixed", "value": self.between(100, 3_000), "currency": "EUR"}),
            4 => json!({"kind": "free_shipping"}),
            _ => json!({"kind": "buy_x_get_y", "value": 100, "buy_quantity": 2, "get_quantity": 1}),
        };
        terms["title"] = format!("Offer {}", self.outcomes.len()).into();
        terms["combinable"] = self.chance(50).into();
        terms["enabled"] = self.chance(94).into();
        if self.chance(90) {
            terms["code"] = code.into();
        }
        if self.chance(50) {
            terms["usage_limit"] = self.between(1, 6).into();
        }
        if self.chance(40) {
            terms["usage_limit_per_customer"] = self.between(1, 2).into();
        }
        if self.chance(25) {
            terms["minimum_subtotal"] = eur(self.between(500, 9_000));
        }
        if self.chance(5) {
            terms["ends_at"] = "2020-01-01T00:00:00Z".into();
        }
        if self.chance(15) {
            let (product, _) = self.some_variant();
            terms["product_ids"] = json!([self.products[product]["id"]]);
        } else if let Some(i) = self.one_of(self.categories.len()).filter(|i| i % 3 == 1) {
            terms["category_ids"] = json!([self.categories[i]]);
        }
        terms
    }

    /// A custom field: made, narrowed or taken away.
    pub(super) async fn define(&mut self) {
        if let Some(one) = self.one_of(self.definitions.len()).filter(|i| i % 3 == 2) {
            let path = format!("/admin/metafield_definitions/{}", text(&self.definitions[one]["id"]));
            if self.chance(60) {
                let patch = json!({"rules": {"choices": ["Jura", "Alps"]}, "drop_invalid": self.chance(50)});
                let version = number(&self.definitions[one]["version"]);
                let answer = self.staff_having_seen(Method::PATCH, &path, patch, version).await;
                if answer.status == 200 {
                    self.definitions[one] = answer.body;
                }
            } else {
                self.staff(Method::DELETE, &path, Value::Null).await.expect(204);
                self.definitions.remove(one);
            }
            return;
        }
        let owner = self.choose(&[(4, "product"), (1, "order"), (1, "customer"), (1, "page")]);
        let kind = self.choose(&[(4, "text"), (2, "integer"), (1, "boolean"), (1, "decimal")]);
        let key = format!("{kind}_{}", self.between(1, 2));
        let visibility = if self.chance(60) { "storefront" } else { "admin" };
        let new = json!({"owner": owner, "namespace": "care", "key": key, "name": key, "kind": kind,
            "visibility": visibility, "facet": visibility == "storefront", "searchable": visibility == "storefront"});
        let made = self.staff(Method::POST, "/admin/metafield_definitions", new).await;
        if made.status == 201 {
            self.definitions.push(made.body);
        }
    }

    pub(super) async fn set_fields(&mut self) {
        let Some(one) = self.one_of(self.fields.len()) else { return };
        let (owner, id, version) = self.fields[one].clone();
        let defined = self.definitions.iter().filter(|definition| definition["owner"] == owner).cloned();
        let defined: Vec<Value> = defined.collect();
        let mut values = json!({});
        for definition in defined.into_iter().take(3) {
            let value = match definition["kind"].as_str() {
                _ if self.chance(10) => Value::Null,
                Some("integer") => self.between(-5, 500).into(),
                Some("boolean") => self.chance(50).into(),
                Some("decimal") => format!("{}.{:02}", self.between(0, 99), self.between(0, 99)).into(),
                _ if self.chance(8) => json!(7),
                _ => self.choose(&[(3, "Jura"), (2, "Alps"), (1, "Black Forest")]).into(),
            };
            values[format!("care.{}", text(&definition["key"]))] = value;
        }
        if self.chance(6) {
            values["care.nothing"] = 1.into();
        }
        let path = format!("/admin/metafields/{owner}/{id}");
        let answer = self.staff_having_seen(Method::PATCH, &path, values, version).await;
        if answer.status == 200 {
            self.fields[one].2 = number(&answer.body["version"]);
        } else if answer.status == 412 {
            // A change of a definition has changed the values.
            let found = self.staff(Method::GET, &path, Value::Null).await.expect(200);
            self.fields[one].2 = number(&found["version"]);
        }
    }

    pub(super) async fn change_pages(&mut self) {
        let n = self.outcomes.len();
        let words =
            json!({"title": format!("Page {n}"), "body": format!("Number *{n}*.\n\n<script>1</script>")});
        let one = self.one_of(self.pages.len()).filter(|_| n.is_multiple_of(2));
        let Some(one) = one else {
            let slug = format!("page-{}", n % 17);
            let kind = self.choose(&[(3, "page"), (2, "journal"), (1, "block")]);
            let status = if self.chance(75) { "published" } else { "draft" };
            let new = json!({"kind": kind, "slug": slug, "status": status, "texts": {"en": words}});
            let made = self.staff(Method::POST, "/admin/pages", new).await;
            if made.status == 201 {
                self.fields.push(("page", text(&made.body["id"]), 0));
                self.pages.push(made.body);
            }
            return;
        };
        let path = format!("/admin/pages/{}", text(&self.pages[one]["id"]));
        let patch = match self.between(1, 4) {
            1 => json!({"texts": {"de": words}}),
            2 => json!({"slug": format!("moved-{n}"), "status": "published"}),
            3 => json!({"texts": {"en": words, "de": null}}),
            _ => {
                self.staff(Method::DELETE, &path, Value::Null).await.expect(204);
                self.pages.remove(one);
                return;
            }
        };
        let answer =
            self.staff_having_seen(Method::PATCH, &path, patch, number(&self.pages[one]["version"])).await;
        if answer.status == 200 {
            self.pages[one] = answer.body;
        }
    }

    pub(super) async fn change_settings(&mut self) {
        let n = self.outcomes.len();
        let answer = if self.chance(20) && self.settings_version > 0 {
            let (owner, seen) = (self.owner.clone(), format!("\"{}\"", self.settings_version));
            let back = self.between(0, self.settings_version);
            let path = format!("/admin/settings/history/{back}/restore");
            self.ask(&owner, Method::POST, &path, Value::Null, &[("if-match", &seen)]).await
        } else {
            let patch = match self.between(1, 3) {
                1 => json!({"name": format!("Bodega {n}"), "return_days": n % 60}),
                2 => json!({"announcement": {"en": format!("News {n}"), "de": null}}),
                _ => json!({"low_stock_threshold": n % 9, "contact_phone": format!("+49 {n}")}),
            };
            self.staff_having_seen(Method::PATCH, "/admin/settings", patch, self.settings_version).await
        };
        if answer.status == 200 {
            self.settings_version = number(&answer.body["version"]);
        }
    }

    pub(super) async fn change_group(&mut self) {
        let Some(who) = self.somebody() else { return };
        let path = format!("/admin/customers/{}", self.people[who].id);
        let found = self.staff(Method::GET, &path, Value::Null).await;
        if found.status == 200 {
            let group = if self.chance(70) { "trade" } else { "" };
            let version = number(&found.body["version"]);
            self.staff_having_seen(Method::PATCH, &path, json!({"group": group}), version).await;
        }
    }

    /// A decision on a review, or an answer to it.
    pub(super) async fn moderate(&mut self) {
        let Some(one) = self.one_of(self.reviews.len()) else { return };
        let path = format!("/admin/reviews/{}", self.reviews[one].id);
        let (what, body, method) =
            match self.choose(&[(6, "approve"), (2, "reject"), (1, "reopen"), (2, "reply")]) {
                "reject" => ("reject", json!({"reason": "off topic"}), Method::POST),
                "reply" if self.chance(80) => {
                    ("reply", json!({"text": format!("Thanks {}", self.day)}), Method::PUT)
                }
                "reply" => ("reply", json!({"text": null}), Method::PUT),
                what => (what, json!({}), Method::POST),
            };
        let path = format!("{path}/{what}");
        let answer = if self.chance(30) {
            let version = self.reviews[one].version;
            self.staff_having_seen(method, &path, body, version).await
        } else {
            self.staff(method, &path, body).await
        };
        if answer.status == 200 {
            self.reviews[one].version = number(&answer.body["version"]);
        }
    }
}
