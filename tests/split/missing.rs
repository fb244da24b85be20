//! What still works while something is away altogether.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::Client,
    cluster::{SERVICES, within},
    harness::{Goods, fresh, goods, text},
    journal::{Journal, Purchase},
    shop::{DEADLINE, Shop},
    shoppers::Counter,
};

/// Modules without which the shop still shows and sells.
const OPTIONAL: [&str; 4] = ["review", "recommendation", "metadata", "notification"];

const SERVERS: [&[&str]; 5] =
    [&["postgres"], &["mongodb1", "mongodb2", "mongodb3"], &["redis"], &["rabbitmq"], &["consul"]];

/// One thing somebody tried: what, how it ended, and the whole answer.
struct Tried {
    what: &'static str,
    status: u16,
    body: Value,
    took: Duration,
}

pub async fn without_a_module_the_others_go_on(shop: &Shop) {
    let counter = shop.counter().await;
    let mut journal = Journal::default();
    let whole = look_around(shop, &counter, &mut journal).await;
    row("nothing", &whole);
    assert!(whole.iter().all(|tried| tried.status < 300), "without a fault everything works");
    let mut wrong = Vec::new();
    for module in SERVICES {
        let goods = [new_goods(&counter).await, new_goods(&counter).await];
        for number in [1, 2] {
            shop.cluster.stop(module, number, "KILL").await;
        }
        let tried = look(shop, &counter, goods, &mut journal).await;
        for number in [1, 2] {
            shop.cluster.again(module, number).await;
        }
        row(module, &tried);
        if OPTIONAL.contains(&module) {
            let fails = |what: &&str| tried.iter().any(|tried| tried.what == *what && tried.status >= 300);
            wrong.extend(
                ["product page", "product", "checkout"]
                    .into_iter()
                    .filter(fails)
                    .map(|what| format!("{what} without {module}")),
            );
            let own = tried.iter().find(|tried| tried.what == own(module)).unwrap();
            if own.status != 503 || own.body["module"] != module {
                wrong.push(format!("{} without {module}: {} {}", own.what, own.status, own.body));
            }
        }
        wrong.extend(slow(module, &tried));
        is_whole_again(shop, &counter).await;
    }
    for servers in SERVERS {
        let goods = [new_goods(&counter).await, new_goods(&counter).await];
        for server in servers {
            shop.cluster.stop_server(server, "KILL").await;
        }
        let tried = look(shop, &counter, goods, &mut journal).await;
        for server in servers {
            shop.cluster.server_again(server).await;
        }
        row(servers[0], &tried);
        wrong.extend(slow(servers[0], &tried));
        is_whole_again(shop, &counter).await;
    }
    shop.owes_nobody_anything(journal).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What asks nothing but this module.
fn own(module: &str) -> &'static str {
    match module {
        "review" => "reviews",
        "recommendation" => "recommendations",
        "metadata" => "settings",
        _ => "mails",
    }
}

/// Nobody waits longer than they may.
fn slow<'a>(missing: &'a str, tried: &'a [Tried]) -> impl Iterator<Item = String> + 'a {
    let late = tried.iter().filter(|tried| tried.took > DEADLINE || tried.status == 0);
    late.map(move |tried| format!("{} without {missing} took {:.1?}", tried.what, tried.took))
}

fn row(missing: &str, tried: &[Tried]) {
    let names = |chosen: &dyn Fn(u16) -> bool| {
        let names = tried.iter().filter(|tried| chosen(tried.status)).map(|tried| match tried.status {
            0..300 | 503 => tried.what.to_owned(),
            status => format!("{} ({status})", tried.what),
        });
        names.collect::<Vec<_>>().join(", ")
    };
    let slowest = tried.iter().map(|tried| tried.took).max().unwrap_or_default();
    let (works, refused) = (names(&|s| (200..300).contains(&s)), names(&|s| s == 503));
    let other = names(&|s| !(200..300).contains(&s) && s != 503);
    println!("| {missing} | {works} | {refused} | {other} | {slowest:.1?} |");
}

async fn is_whole_again(shop: &Shop, counter: &Counter) {
    let begun = Instant::now();
    within(Duration::from_secs(60), "it sells again", async || {
        let cart = make_cart(&shop.guest, &shop.town.goods[1]).await;
        let system = counter.owner.get("/admin/system").await;
        let modules = system.body["modules"].as_array().cloned().unwrap_or_default();
        cart.is_some() && !modules.is_empty() && modules.iter().all(|module| module["place"] != "missing")
    })
    .await;
    if begun.elapsed() > Duration::from_secs(5) {
        println!("(it sold again after {:.1?})", begun.elapsed());
    }
}

async fn new_goods(counter: &Counter) -> Goods {
    goods(&counter.owner, "Novelty", 2000, 5).await
}

async fn make_cart(guest: &Client, goods: &Goods) -> Option<Value> {
    let lines = json!({"lines": [{"variant_id": goods.variant, "quantity": 2}]});
    let answer = guest.request(Method::POST, "/carts").json(&lines).try_send().await.ok()?;
    (answer.status == 201).then_some(answer.body)
}

async fn look_around(shop: &Shop, counter: &Counter, journal: &mut Journal) -> Vec<Tried> {
    let goods = [new_goods(counter).await, new_goods(counter).await];
    look(shop, counter, goods, journal).await
}

/// Tries everything at once. Nobody has looked at these goods before, so that no cache knows them.
async fn look(shop: &Shop, counter: &Counter, goods: [Goods; 2], journal: &mut Journal) -> Vec<Tried> {
    let (guest, owner) = (&shop.guest, &counter.owner);
    let [shown, asked] = &goods;
    let login = json!({"email": crate::harness::OWNER.0, "password": crate::harness::OWNER.1});
    let address = json!({"lines": [{"variant_id": shop.town.goods[1].variant, "quantity": 1}]});
    let root = |path: &str| guest.root(Method::GET, path);
    let get = |path: &str| guest.request(Method::GET, path);
    let staff = |path: &str| owner.request(Method::GET, path);
    let fresh = fresh();
    let requests = [
        ("home page", root("/")),
        ("product page", root(&format!("/products/{}", shown.slug))),
        ("known product page", root(&format!("/products/{}", shop.town.goods[1].slug))),
        ("search page", root(&format!("/search?q=novelty+{fresh}"))),
        ("product", get(&format!("/products/{}", asked.slug))),
        ("search", get(&format!("/products?q=novelty+{fresh}"))),
        ("categories", get("/categories")),
        ("reviews", get(&format!("/products/{}/reviews", asked.slug))),
        ("related", get(&format!("/products/{}/related", asked.product))),
        ("recommendations", get("/recommendations")),
        ("cart", guest.request(Method::POST, "/carts").json(&address)),
        ("login", guest.request(Method::POST, "/sessions").json(&login)),
        ("orders (staff)", staff("/admin/orders")),
        ("customers (staff)", staff("/admin/customers")),
        ("stock (staff)", staff("/admin/inventory/levels")),
        ("settings", staff("/admin/settings")),
        ("mails", root("/dev/mail.json")),
        ("shipping zones (staff)", staff("/admin/shipping_zones")),
        ("system (staff)", staff("/admin/system")),
    ];
    let tries = requests.map(|(what, request)| async move {
        let begun = Instant::now();
        let answer = tokio::time::timeout(Duration::from_secs(35), request.try_send()).await.ok();
        let answer = answer.and_then(Result::ok);
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        Tried { what, status, body: answer.map_or(Value::Null, |answer| answer.body), took: begun.elapsed() }
    });
    let mut tried = join_all(tries).await;
    tried.push(check_out(shop, journal).await);
    tried
}

async fn check_out(shop: &Shop, journal: &mut Journal) -> Tried {
    let begun = Instant::now();
    let lines = json!({"lines": [{"variant_id": shop.town.goods[1].variant, "quantity": 2}]});
    let cart = shop.guest.request(Method::POST, "/carts").json(&lines).try_send().await;
    let mut answer = cart.ok();
    if let Some(cart) = answer.as_ref().filter(|answer| answer.status == 201) {
        let email = format!("{}@example.com", text(&cart.body["id"]).to_lowercase());
        let mut purchase = Purchase::new(shop.town.checkout_of(&cart.body, &email, "tok_ok"));
        answer = purchase.request(&shop.guest).try_send().await.ok();
        purchase.answer = answer.clone();
        journal.extend(Journal::from_iter([purchase]));
    }
    let status = answer.as_ref().map_or(0, |answer| answer.status);
    Tried { what: "checkout", status, body: answer.map_or(Value::Null, |a| a.body), took: begun.elapsed() }
}
