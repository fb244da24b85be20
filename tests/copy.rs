//! A whole shop moves between databases of whichever family: embedded ones, and those that the environment names.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{collections::BTreeSet, time::Duration};

use bodega::{
    App, Settings,
    copy::{Copied, copy},
    queries::{self, Size},
    seed::Progress,
};
use contracts::{
    customer::Login,
    metadata::Owner,
    product::{PriceContext, stock::LevelFilter},
    review::ReviewFilter,
};
use serde::Serialize;
use serde_json::{Value, json};
use shared::{
    Currency, PageRequest, events, testing,
    transfer::{self, Item},
};
use tempfile::TempDir;

/// Where a shop is. Its databases go with it.
struct Place {
    folder: TempDir,
    databases: Vec<(&'static str, String)>,
}

impl Place {
    fn embedded() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), databases: Vec::new() }
    }

    /// On the servers that the environment names.
    async fn grown() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let databases = testing::databases(folder.path()).await.unwrap().into();
        Self { folder, databases }
    }

    fn settings(&self) -> Settings {
        let folder = self.folder.path().to_str().unwrap();
        let mut all = vec![("data_dir", folder), ("demo", "false"), ("server.listen", "127.0.0.1:0")];
        all.extend(self.databases.iter().map(|(key, url)| (*key, url.as_str())));
        Settings::with(&all).unwrap()
    }

    async fn open(&self) -> App {
        App::build(self.settings()).await.unwrap()
    }

    async fn leave(self) {
        for (_, url) in self.databases {
            testing::discard(&url).await.unwrap();
        }
    }
}

fn silent() -> Progress {
    Progress::new(false)
}

/// Everything that was copied, with count and hash.
async fn move_shop(from: &Place, to: &Place) -> shared::Result<Vec<(&'static str, String, u64, String)>> {
    let copied = copy(&from.settings(), &to.settings(), &silent()).await?;
    Ok(copied
        .into_iter()
        .map(|Copied { database, kind, count, hash }| (database, kind, count, hash))
        .collect())
}

fn page(limit: u32) -> PageRequest {
    PageRequest { limit, cursor: None }
}

fn told(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

/// A shop that has been used, by the walk that looks for slow queries, with what that walk takes away again.
async fn used() -> Place {
    let place = Place::embedded();
    let size = Size { products: 20, orders: 20, rows: u64::MAX };
    queries::check(place.settings(), size, &silent()).await.unwrap();
    let shop = place.open().await;
    let ports = &shop.ports;
    let all = ports.products.export(None, 100).await.unwrap();
    let sold = all.iter().find(|product| product.rating.count > 0).unwrap();
    let variant = &sold.variants[0];

    let list = json!({
        "name": "Trade", "currency": "EUR", "group": "trade", "starts_at": null, "ends_at": "2030-01-01T00:00:00Z",
        "prices": [
            {"variant_id": variant.id, "min_quantity": 10, "amount": 100},
            {"variant_id": variant.id, "amount": 200},
            {"variant_id": all[0].variants[0].id, "min_quantity": 3, "amount": 300},
        ],
    });
    ports.products.create_price_list(serde_json::from_value(list).unwrap()).await.unwrap();
    let category = ports.products.categories().await.unwrap().remove(0).category.id;
    let renamed = serde_json::from_value(json!({"slug": "renamed"})).unwrap();
    ports.products.update_category(category, renamed, None).await.unwrap();
    // Names that mean something to MongoDB, and numbers that it has no room for.
    let odd = json!({
        "title": "Odd", "status": "published", "attributes": {"$oid": "a", "a.b": "b", "＄c": "c"},
        "options": [{"name": "$where", "values": ["1", "2"]}],
        "variants": [
            {"sku": "ODD-1", "options": {"$where": "1"}, "prices": [{"amount": 100, "currency": "EUR"}], "stock": 3},
            {"sku": "ODD-2", "options": {"$where": "2"}, "prices": [{"amount": 100, "currency": "EUR"}]},
        ],
    });
    let odd = ports.products.create(serde_json::from_value(odd).unwrap()).await.unwrap();
    let field = json!({"owner": "product", "namespace": "odd", "key": "any", "name": "Any", "kind": "json"});
    ports.metadata.create_definition(serde_json::from_value(field).unwrap()).await.unwrap();
    let value = json!({"n": u64::MAX, "x": [0.1, null]});
    let values = [("odd.any".to_owned(), value)].into();
    ports.metadata.set_fields(Owner::Product, odd.id.to_string(), values, None).await.unwrap();

    let reviews = ports.reviews.list(sold.id, ReviewFilter::default(), page(9)).await.unwrap();
    let customers = ports.customers.list(None, page(9)).await.unwrap().data;
    let (review, customer) = (reviews.data[0].id, customers[0].id);
    let report = serde_json::from_value(json!({"reason": "Unkind."})).unwrap();
    ports.reviews.report(review, report, customer).await.unwrap();
    ports.reviews.reply(review, Some("Thank you.".into()), None).await.unwrap();

    let databases = [shop.databases.products().clone(), shop.databases.metadata().clone()];
    for database in databases {
        let events = transfer::open(database, events::KINDS);
        let event = events.read("outbox", None, 1).await.unwrap().pop().unwrap();
        let id = &event.value["id"];
        let letter = json!({
            "event_id": id, "consumer": "nobody", "envelope": "{}", "error": "refused", "attempts": 5,
            "failed_at": "2026-01-01T00:00:00.000000Z",
        });
        let key = json!([id, "nobody"]).to_string();
        events.write("dead_letters", vec![Item { key, value: letter }]).await.unwrap();
    }
    place
}

/// What a shop says of itself to shoppers and staff.
async fn answers(shop: &App) -> Vec<Value> {
    let ports = &shop.ports;
    let mut said = Vec::new();
    let context = PriceContext { currency: Currency::EUR, group: Some("trade".into()) };
    for product in ports.products.export(None, 200).await.unwrap() {
        if let Ok(view) = ports.products.view(product.slug.clone(), context.clone()).await {
            said.push(told(view));
        }
        let filter = LevelFilter {
            variant_ids: product.variants.iter().map(|variant| variant.id).collect(),
            ..LevelFilter::default()
        };
        said.push(told(ports.stock.levels(filter, page(100)).await.unwrap()));
        said.push(told(ports.stock.movements(product.variants[0].id, page(100)).await.unwrap()));
        said.push(told(ports.reviews.list(product.id, ReviewFilter::default(), page(50)).await.unwrap()));
        let fields = ports.metadata.fields(Owner::Product, product.id.to_string()).await.unwrap();
        said.push(told(fields));
        said.push(told(product));
    }
    for customer in ports.customers.list(None, page(100)).await.unwrap().data {
        said.push(told(ports.carts.of_customer(customer.id).await.unwrap()));
    }
    said.push(told(ports.products.categories().await.unwrap()));
    said.push(told(ports.products.collections().await.unwrap()));
    said.push(told(ports.products.price_lists().await.unwrap()));
    said.push(told(ports.stock.locations().await.unwrap()));
    said.push(told(ports.carts.promotions(page(100)).await.unwrap().data));
    said.push(told(ports.carts.tax_rates().await.unwrap()));
    said.push(told(ports.reviews.queue(Default::default(), page(100)).await.unwrap().data));
    said.push(told(ports.metadata.list_pages(Default::default(), page(100)).await.unwrap().data));
    said.push(told(ports.metadata.settings_history(page(100)).await.unwrap().data));
    said.push(told(ports.recommendations.models().await.unwrap()));
    said.push(told(ports.notifications.mails(None, page(100)).await.unwrap().data));
    said.push(told(ports.orders.list(Default::default(), page(100)).await.unwrap().data));
    said
}

fn run(test: impl Future<Output = ()>) {
    actix_rt::System::new().block_on(test);
}

/// How a small shop grows: everything that it has is on the servers afterwards, and sells there.
#[test]
fn a_shop_with_everything_moves_to_other_databases_and_back() {
    run(async {
        let small = used().await;
        let shop = small.open().await;
        let before = answers(&shop).await;
        drop(shop);
        let [grown, further, home] = [Place::grown().await, Place::grown().await, Place::embedded()];
        let first = move_shop(&small, &grown).await.unwrap();
        let empty: BTreeSet<_> = first
            .iter()
            .filter(|(database, _, count, _)| *count == 0 && ["products", "metadata"].contains(database))
            .map(|(_, kind, ..)| kind.as_str())
            .collect();
        assert!(empty.is_empty(), "the walk has left nothing of {empty:?}, so that nothing is said of it");
        assert_eq!(move_shop(&small, &grown).await.unwrap(), first, "what is there already stays");
        assert_eq!(move_shop(&grown, &further).await.unwrap(), first);
        assert_eq!(move_shop(&further, &home).await.unwrap(), first);

        let shop = grown.open().await;
        let after = answers(&shop).await;
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before, after);
        }
        assert_eq!(before.len(), after.len());
        shop.start().await.unwrap();
        shop.search_idle().await.unwrap();
        assert!(!shop.ports.products.suggest("odd".into(), 5).await.unwrap().products.is_empty());
        let login = Login {
            email: "shopper@example.com".parse().unwrap(),
            password: "bodega-shopper".into(),
            user_agent: None,
        };
        shop.ports.customers.log_in(login).await.unwrap();
        shop.stop().await;
        let back = home.open().await;
        assert_eq!(answers(&back).await, before);
        drop(back);
        for place in [small, grown, further, home] {
            place.leave().await;
        }
    });
}

#[test]
fn an_interrupted_copy_goes_on() {
    run(async {
        let small = used().await;
        let grown = Place::grown().await;
        let mut interrupted = 0;
        for patience in [20, 100, 300, 1_000] {
            let some = tokio::time::timeout(Duration::from_millis(patience), move_shop(&small, &grown)).await;
            match some {
                Err(_) => interrupted += 1,
                Ok(copied) => drop(copied.unwrap()),
            }
        }
        assert!(interrupted > 0, "the copy was too fast to be interrupted");
        let home = Place::embedded();
        let copied = move_shop(&small, &grown).await.unwrap();
        assert_eq!(move_shop(&grown, &home).await.unwrap(), copied);
        for place in [small, grown, home] {
            place.leave().await;
        }
    });
}

#[test]
fn a_shop_is_not_copied_onto_another() {
    run(async {
        let (one, other) = (Place::embedded(), Place::grown().await);
        for (place, title) in [(&one, "Lamp"), (&other, "Chair")] {
            let shop = place.open().await;
            let variant = json!({"sku": title, "prices": [{"amount": 100, "currency": "EUR"}], "stock": 1});
            let new = json!({"title": title, "variants": [variant]});
            shop.ports.products.create(serde_json::from_value(new).unwrap()).await.unwrap();
        }
        for (from, to) in [(&one, &other), (&other, &one)] {
            assert_eq!(move_shop(from, to).await.unwrap_err().code, "not_empty");
            let shop = to.open().await;
            assert_eq!(shop.ports.products.export(None, 9).await.unwrap().len(), 1, "nothing was written");
        }
        one.leave().await;
        other.leave().await;
    });
}
