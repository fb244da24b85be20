//! Reviews: one each, read by staff, verified by a delivery, counted without a mistake.

use std::sync::Arc;

use futures::{StreamExt, stream};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    browser::{Browser, Form, Page},
    client::Client,
    harness::{Goods, PASSWORD, Shape, Shop, eventually, list, number, text, wait_for},
    rules,
};

rules! {
    a_customer_has_one_review_of_a_product,
    only_what_staff_approve_is_public,
    an_edit_waits_again,
    a_review_that_breaks_a_rule_is_held,
    a_delivery_makes_a_review_verified,
    a_vote_counts_once_and_never_for_ones_own,
    what_is_reported_is_looked_at,
    who_is_erased_leaves_only_stars,
    stars_reach_the_list_and_its_filters,
    a_thousand_operations_at_once_equal_a_recount,
    a_reader_writes_votes_and_reports_without_scripts,
    staff_decide_in_the_queue_and_take_it_back,
    an_open_page_hears_of_a_new_review,
}

fn words(rating: i64) -> Value {
    json!({"rating": rating, "title": "Keeps tea hot", "body": "For an hour, and looks good doing it."})
}

fn reviews(goods: &Goods) -> String {
    format!("/products/{}/reviews", goods.slug)
}

/// Writes a review and returns it.
async fn write(who: &Client, goods: &Goods, rating: i64) -> Value {
    who.post(&reviews(goods), &words(rating)).await.expect(201)
}

async fn decide(shop: &Shop, review: &Value, what: &str, body: Value) -> Value {
    shop.owner.post(&format!("/admin/reviews/{}/{what}", text(&review["id"])), &body).await.expect(200)
}

/// Writes a review that staff approve.
async fn approved(shop: &Shop, who: &Client, goods: &Goods, rating: i64) -> Value {
    let review = write(who, goods, rating).await;
    decide(shop, &review, "approve", json!({})).await
}

async fn public(shop: &Shop, goods: &Goods) -> Value {
    shop.guest.get(&reviews(goods)).await.expect(200)
}

async fn a_customer_has_one_review_of_a_product(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(5).await;
    shop.guest.post(&reviews(&mug), &words(5)).await.refused(401, "unauthenticated");
    let carla = shop.customer("carla@example.com").await;
    let review = write(&carla, &mug, 5).await;
    assert_eq!((text(&review["status"]), text(&review["author"])), ("pending".into(), "Carla C.".into()));
    let refused = carla.post(&reviews(&mug), &words(4)).await.refused(409, "review_exists");
    assert_eq!(refused["review_id"], review["id"]);
    carla.post("/products/nothing/reviews", &words(4)).await.expect(404);
    let dora = shop.customer("dora@example.com").await;
    dora.patch(&format!("/reviews/{}", text(&review["id"])), &json!({"rating": 1})).await.expect(404);
    dora.delete(&format!("/reviews/{}", text(&review["id"]))).await.expect(404);
    let wrong = json!({"rating": 6, "title": "", "body": "x"});
    dora.post(&reviews(&mug), &wrong).await.refused_at(422, "out_of_range", "/rating");
    assert_eq!(list(&carla.get("/customers/me/reviews").await.expect(200)).len(), 1);
    carla.delete(&format!("/reviews/{}", text(&review["id"]))).await.expect(204);
    write(&carla, &mug, 4).await;
}

async fn only_what_staff_approve_is_public(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(5).await;
    let carla = shop.customer("carla@example.com").await;
    let review = write(&carla, &mug, 4).await;
    assert_eq!(public(&shop, &mug).await["aggregate"]["count"], 0);
    let path = format!("/admin/reviews/{}", text(&review["id"]));
    carla.post(&format!("{path}/approve"), &json!({})).await.refused(403, "forbidden");
    assert_eq!(list(&shop.owner.get("/admin/reviews?status=pending").await.expect(200)).len(), 1);
    let stale = shop.owner.request(Method::POST, &format!("{path}/approve")).header("if-match", "\"9\"");
    stale.json(&json!({})).send().await.refused(412, "version");
    decide(&shop, &review, "approve", json!({})).await;
    let shown = public(&shop, &mug).await;
    assert_eq!(shown["aggregate"], json!({"average": 4.0, "count": 1, "histogram": [0, 0, 0, 1, 0]}));
    assert_eq!(shown["data"][0]["id"], review["id"]);
    assert_eq!(list(&shop.guest.get(&format!("{}?rating=5", reviews(&mug))).await.expect(200)).len(), 0);
    shop.guest.get(&format!("{}?rating=7", reviews(&mug))).await.expect(422);
    let reply = json!({"text": "Thank you!"});
    shop.owner.put(&format!("{path}/reply"), &reply).await.expect(200);
    assert_eq!(public(&shop, &mug).await["data"][0]["reply"]["text"], "Thank you!");
    let rejected = decide(&shop, &review, "reject", json!({"reason": "off topic"})).await;
    assert_eq!(rejected["rejection_reason"], "off topic");
    assert_eq!(public(&shop, &mug).await["aggregate"]["count"], 0);
    let reopened = decide(&shop, &review, "reopen", json!({})).await;
    assert_eq!((text(&reopened["status"]), &reopened["rejection_reason"]), ("pending".into(), &Value::Null));
}

async fn an_edit_waits_again(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(5).await;
    let carla = shop.customer("carla@example.com").await;
    let review = approved(&shop, &carla, &mug, 5).await;
    let path = format!("/reviews/{}", text(&review["id"]));
    let edited = carla.patch(&path, &json!({"rating": 1})).await.expect(200);
    assert_eq!((text(&edited["status"]), number(&edited["rating"])), ("pending".into(), 1));
    assert_eq!(public(&shop, &mug).await["aggregate"]["count"], 0);
}

async fn a_review_that_breaks_a_rule_is_held(shape: Shape) {
    let settings = [("review.auto_approve", "clean"), ("review.max_per_day", "2")];
    let shop = Shop::start(shape, &settings).await;
    let carla = shop.customer("carla@example.com").await;
    let write = async |body: &str| {
        let goods = shop.buyable(1).await;
        let new = json!({"rating": 3, "title": "A mug", "body": body});
        let review = carla.post(&reviews(&goods), &new).await.expect(201);
        let found = shop.owner.get(&format!("/admin/reviews/{}", text(&review["id"]))).await.expect(200);
        (text(&found["status"]), found["held_for"].clone())
    };
    assert_eq!(write("Holds tea.").await, ("approved".into(), json!([])));
    assert_eq!(write("SEE HTTPS://CHEAP.EXAMPLE NOW").await.1, json!(["links", "shouting"]));
    assert_eq!(write("Holds tea.").await, ("pending".into(), json!(["rate"])));
}

async fn a_delivery_makes_a_review_verified(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(5).await;
    let carla = shop.customer("carla@example.com").await;
    let review = approved(&shop, &carla, &mug, 5).await;
    assert_eq!(review["verified"], false);
    let order = shop.buy_as(&carla, &mug, 1).await;
    let lines = json!([{"line_id": order["lines"][0]["id"], "quantity": 1}]);
    let path = format!("/admin/orders/{}/shipments", text(&order["id"]));
    let sent = shop.owner.post(&path, &json!({"lines": lines, "carrier": "DHL"})).await.expect(201);
    assert_eq!(public(&shop, &mug).await["data"][0]["verified"], false);
    let parcel = format!("/admin/shipments/{}", text(&sent["shipments"][0]["id"]));
    shop.owner.patch(&parcel, &json!({"status": "delivered"})).await.expect(200);
    wait_for("it is verified", async || public(&shop, &mug).await["data"][0]["verified"] == true).await;
}

async fn a_vote_counts_once_and_never_for_ones_own(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(5).await;
    let (carla, dora) = (shop.customer("carla@example.com").await, shop.customer("dora@example.com").await);
    let pending = write(&carla, &mug, 5).await;
    let path = format!("/reviews/{}/vote", text(&pending["id"]));
    dora.put(&path, &Value::Null).await.expect(404);
    decide(&shop, &pending, "approve", json!({})).await;
    for _ in 0..2 {
        assert_eq!(number(&dora.put(&path, &Value::Null).await.expect(200)["helpful"]), 1);
    }
    assert_eq!(number(&public(&shop, &mug).await["data"][0]["helpful"]), 1);
    carla.put(&path, &Value::Null).await.refused(403, "own_review");
    shop.guest.put(&path, &Value::Null).await.refused(401, "unauthenticated");
    for _ in 0..2 {
        assert_eq!(number(&dora.delete(&path).await.expect(200)["helpful"]), 0);
    }
}

async fn what_is_reported_is_looked_at(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(5).await;
    let (carla, dora) = (shop.customer("carla@example.com").await, shop.customer("dora@example.com").await);
    let review = approved(&shop, &carla, &mug, 5).await;
    let path = format!("/reviews/{}/reports", text(&review["id"]));
    for _ in 0..2 {
        dora.post(&path, &json!({"reason": "an advertisement"})).await.expect(204);
    }
    let reported = list(&shop.owner.get("/admin/reviews?reported=true").await.expect(200));
    assert_eq!((reported.len(), number(&reported[0]["reports"])), (1, 1));
    let said = shop.owner.get(&format!("/admin/reviews/{}/reports", text(&review["id"]))).await.expect(200);
    assert_eq!(list(&said)[0]["reason"], "an advertisement");
    decide(&shop, &review, "approve", json!({})).await;
    assert!(list(&shop.owner.get("/admin/reviews?reported=true").await.expect(200)).is_empty());
}

async fn who_is_erased_leaves_only_stars(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(5).await;
    let carla = shop.customer("carla@example.com").await;
    approved(&shop, &carla, &mug, 2).await;
    carla.delete("/customers/me").await.expect(204);
    let left = eventually("the author is forgotten", async || {
        let shown = public(&shop, &mug).await["data"][0].clone();
        shown["author"].is_null().then_some(shown)
    })
    .await;
    assert_eq!(
        (number(&left["rating"]), text(&left["title"]), text(&left["body"])),
        (2, "".into(), "".into())
    );
}

async fn stars_reach_the_list_and_its_filters(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (mug, bowl) = (shop.goods("Mug", 2500, 5).await, shop.goods("Bowl", 2500, 5).await);
    let carla = shop.customer("carla@example.com").await;
    approved(&shop, &carla, &mug, 3).await;
    approved(&shop, &carla, &bowl, 5).await;
    let titles = async |query: &str| -> Vec<String> {
        let found = list(&shop.guest.get(&format!("/products?{query}")).await.expect(200));
        found.iter().map(|card| text(&card["title"])).collect()
    };
    wait_for("both are rated", async || titles("rating=3").await.len() == 2).await;
    assert_eq!(titles("sort=rating").await, ["Bowl", "Mug"]);
    assert_eq!(titles("rating=4").await, ["Bowl"]);
    let facets = shop.guest.get("/products").await.expect(200)["facets"]["rating"].clone();
    let count = |stars: &str| {
        facets.as_array().unwrap().iter().find(|v| v["value"] == stars).unwrap()["count"].clone()
    };
    assert_eq!((count("5"), count("3")), (json!(1), json!(2)));
    let view = shop.guest.get(&format!("/products/{}", bowl.slug)).await.expect(200);
    assert_eq!(view["rating"], json!({"average": 5.0, "count": 1}));
    // A change of the product keeps its stars.
    let patch = shop.owner.request(Method::PATCH, &format!("/admin/products/{}", bowl.product));
    let patch = patch.header("if-match", "*").json(&json!({"title": "Large bowl"}));
    assert_eq!(patch.send().await.expect(200)["rating"]["count"], 1);
}

/// Does one random thing; what is refused is no mistake.
async fn operate(shop: &Shop, goods: &[Goods], people: &[Client], seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let (goods, who) = (goods.choose(&mut rng).unwrap(), people.choose(&mut rng).unwrap());
    let (voter, what) = (people.choose(&mut rng).unwrap(), rng.random_range(0..100));
    let rating = rng.random_range(1..=5);
    if what < 25 {
        who.post(&reviews(goods), &words(rating)).await;
        return;
    }
    let own = list(&who.get("/customers/me/reviews").await.expect(200));
    let Some(review) = own.iter().find(|review| review["product_id"] == goods.product.as_str()) else {
        return;
    };
    let (path, admin) =
        (format!("/reviews/{}", text(&review["id"])), format!("/admin/reviews/{}", text(&review["id"])));
    let answer = match what {
        25..35 => who.patch(&path, &json!({"rating": rating})).await,
        35..60 => shop.owner.post(&format!("{admin}/approve"), &json!({})).await,
        60..68 => shop.owner.post(&format!("{admin}/reject"), &json!({"reason": "no"})).await,
        68..75 => who.delete(&path).await,
        75..95 => voter.put(&format!("{path}/vote"), &Value::Null).await,
        _ => voter.delete(&format!("{path}/vote")).await,
    };
    assert!([200, 204, 403, 404, 409].contains(&answer.status), "{answer}");
}

async fn a_thousand_operations_at_once_equal_a_recount(shape: Shape) {
    let shop = Arc::new(Shop::start(shape, &[("gateway.limits.review_per_address", "100000")]).await);
    let (mut goods, mut people) = (Vec::new(), Vec::new());
    for number in 0..8 {
        people.push(shop.customer(&format!("c{number}@example.com")).await);
    }
    for _ in 0..3 {
        goods.push(shop.buyable(1).await);
    }
    let (goods, people) = (Arc::new(goods), Arc::new(people));
    let work = stream::iter(0..1_000).map(|seed| {
        let (shop, goods, people) = (shop.clone(), goods.clone(), people.clone());
        async move { operate(&shop, &goods, &people, seed).await }
    });
    work.buffer_unordered(16).collect::<Vec<()>>().await;
    for goods in goods.iter() {
        let shown = public(&shop, goods).await;
        let all = list(&shop.guest.get(&format!("{}?limit=100", reviews(goods))).await.expect(200));
        let mut histogram = [0; 5];
        all.iter().for_each(|review| histogram[number(&review["rating"]) as usize - 1] += 1);
        assert_eq!(shown["aggregate"]["histogram"], json!(histogram), "{shown}");
        wait_for("the product has heard the last sums", async || {
            let view = shop.guest.get(&format!("/products/{}", goods.slug)).await.expect(200);
            let sums = &shown["aggregate"];
            (&view["rating"]["count"], &view["rating"]["average"]) == (&sums["count"], &sums["average"])
        })
        .await;
    }
    assert_eq!(shop.app.ports.reviews.rebuild().await.unwrap().corrected, 0);
}

/// A browser that is signed in.
async fn signed_in(shop: &Shop, email: &str) -> Browser {
    shop.customer(email).await;
    let browser = Browser::new(shop);
    let form = browser.open("/account/sign-in").await.expect(200).form("main form");
    browser.submit(form.with("email", email).with("password", PASSWORD)).await.expect(200);
    browser
}

async fn page(browser: &Browser, goods: &Goods) -> Page {
    browser.open(&reviews(goods)).await.expect(200)
}

async fn a_reader_writes_votes_and_reports_without_scripts(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(5).await;
    let guest = Browser::new(&shop);
    let product = guest.open(&format!("/products/{}", mug.slug)).await.expect(200);
    assert_eq!(product.attribute("#reviews a", "href"), reviews(&mug));
    page(&guest, &mug).await.says("Nobody has reviewed this yet");
    assert!(guest.open(&format!("{}/new", reviews(&mug))).await.path.starts_with("/account/sign-in"));

    let carla = signed_in(&shop, "carla@example.com").await;
    let form = carla.open(&format!("{}/new", reviews(&mug))).await.expect(200).form("main form");
    let body = "Thin <b>walls</b>, warm hands.";
    let form = form.with("title", "").with("body", body).without("rating");
    let again = carla.send_form(form).await.expect(422);
    again.says("Choose one to five stars").says("This is needed").says(body);
    let form = again.form("main form").with("title", "Fine & light").with("rating", "4");
    carla.submit(form).await.expect(200).says("Your review appears as soon as we have read it");
    page(&guest, &mug).await.never_says("warm hands");
    let own = carla.open(&format!("{}/new", reviews(&mug))).await.expect(200);
    own.says("Waiting").says(body);

    let review = list(&shop.owner.get("/admin/reviews").await.expect(200))[0].clone();
    decide(&shop, &review, "approve", json!({})).await;
    let shown = page(&guest, &mug).await;
    shown.says("Fine & light").says(body).says("Carla C.").never_says("Verified purchase");
    assert_eq!((shown.count("#said article"), shown.count(".words b")), (1, 0));
    assert_eq!(page(&guest, &mug).await.count("main script"), 0);
    let asked = guest.send_form(shown.form("#said form")).await.expect(303);
    assert!(asked.location().unwrap().starts_with("/account/sign-in?to="), "{:?}", asked.location());

    let dora = signed_in(&shop, "dora@example.com").await;
    let form = page(&dora, &mug).await.form("#said form");
    let voted = dora.submit(form.clone()).await.expect(200);
    voted.says("Thank you for your vote").says("Helpful (1)");
    dora.submit(voted.form(".notice form")).await.expect(200).says("taken back");
    carla.submit(form).await.expect(200).says("This review is your own");
    let report = format!("/reviews/{}/report", text(&review["id"]));
    let form = dora.open(&report).await.expect(200).form("main form");
    dora.send_form(form.clone()).await.expect(422).says("This is needed");
    dora.submit(form.with("reason", "An advertisement")).await.expect(200).says("We will look at it");

    let form = carla.open(&format!("{}/new", reviews(&mug))).await.form("form[action$=delete]");
    carla.submit(form).await.expect(200).says("Your review has been deleted");
    page(&guest, &mug).await.says("Nobody has reviewed this yet");
}

async fn staff_decide_in_the_queue_and_take_it_back(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(5).await;
    let carla = shop.customer("carla@example.com").await;
    write(&carla, &mug, 4).await;
    let owner = Browser::new(&shop);
    let form = owner.open("/admin/sign-in?to=/admin/reviews").await.form("form");
    let (email, password) = crate::harness::OWNER;
    let queue = owner.submit(form.with("email", email).with("password", password)).await.expect(200);
    queue.says("Keeps tea hot").says("Waiting");
    let done = owner.submit(queue.form("[data-review] form").with("do", "approve")).await.expect(200);
    done.says("The review is public").says("Nothing to look at here");
    assert_eq!(public(&shop, &mug).await["aggregate"]["count"], 1);
    let back = owner.submit(done.form(".notice form")).await.expect(200);
    back.says("The review waits again").says("Keeps tea hot");
    assert_eq!(public(&shop, &mug).await["aggregate"]["count"], 0);
    let reject = back.form("details form[action*=reviews]").with("reason", "It is not about the product.");
    owner.submit(reject).await.expect(200).says("The review is not public");
    owner.open("/admin/reviews?view=rejected").await.expect(200).says("It is not about the product.");
    // What somebody else has changed meanwhile is not decided blindly.
    let old = queue.form("[data-review] form").with("do", "approve");
    owner.submit(old).await.expect(200).says("Somebody else has changed this meanwhile");
    let forged = Form::post("/admin/reviews/rev_0").with("do", "approve");
    assert_eq!(Browser::new(&shop).send_form(forged).await.status, 303);
}

async fn an_open_page_hears_of_a_new_review(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let (mug, other) = (shop.buyable(5).await, shop.buyable(5).await);
    let carla = shop.customer("carla@example.com").await;
    let address = format!("{}/products/{}/reviews/events", shop.guest.base(), mug.slug);
    let mut stream = reqwest::get(&address).await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    assert_eq!(stream.chunk().await.unwrap().unwrap(), ":\n\n");
    approved(&shop, &carla, &other, 5).await;
    approved(&shop, &carla, &mug, 5).await;
    assert_eq!(stream.chunk().await.unwrap().unwrap(), "event: review\ndata:\n\n");
}
