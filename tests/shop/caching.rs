//! Answers that are known already, and changes by who has seen what they change.

use std::io::Read;

use reqwest::Method;
use serde_json::json;

use crate::harness::{Goods, Shape, Shop, variant, wait_for};

crate::rules! {
    what_has_not_changed_is_not_sent_again,
    answers_are_compressed_for_who_can_read_it,
    a_change_needs_the_version_that_was_seen,
    what_is_personal_is_never_stored,
    a_head_is_a_get_without_a_body,
    a_picture_is_told_by_its_content,
}

/// A product with enough text to be worth compressing.
async fn described(shop: &Shop) -> Goods {
    let description = "A mug for coffee, for tea, and for pens. ".repeat(60);
    let product = json!({"title": "Mug", "description": description, "variants": [variant("MUG", 2500, 9)]});
    let mug = shop.product(product).await;
    wait_for("it is listed", async || shop.guest.get("/products").await.expect(200)["total"] == 1).await;
    mug
}

async fn what_has_not_changed_is_not_sent_again(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = described(&shop).await;
    for path in
        [format!("/products/{}", mug.slug), "/products".into(), "/categories".into(), "/collections".into()]
    {
        let first = shop.guest.get(&path).await;
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"') || tag.starts_with("W/\""), "{path}: {tag:?}");
        let ask = |tag: &str| shop.guest.request(Method::GET, &path).header("if-none-match", tag).send();
        for known in
            [tag.as_str(), "*", &format!("\"other\", {tag}"), &format!("W/{}", tag.trim_start_matches("W/"))]
        {
            let again = ask(known).await;
            assert_eq!(
                (again.status, again.bytes.len(), again.header("etag")),
                (304, 0, tag.as_str()),
                "{path} {known}"
            );
        }
        assert_eq!(ask("\"other\"").await.status, 200);
    }
    let path = format!("/products/{}", mug.slug);
    let old = shop.guest.get(&path).await.header("etag").to_owned();
    let patch = shop
        .owner
        .request(Method::PATCH, &format!("/admin/products/{}", mug.product))
        .header("if-match", "*");
    patch.json(&json!({"title": "Cup"})).send().await.expect(200);
    let new = shop.guest.request(Method::GET, &path).header("if-none-match", &old).send().await;
    assert_eq!((new.status, &new.body["title"]), (200, &json!("Cup")));
}

async fn answers_are_compressed_for_who_can_read_it(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = described(&shop).await;
    let path = format!("/products/{}", mug.slug);
    let plain = shop.guest.get(&path).await;
    assert_eq!(plain.header("content-encoding"), "");
    let ask = |accept: &str| shop.guest.request(Method::GET, &path).header("accept-encoding", accept).send();

    // What is asked for again is worth the work, which is done meanwhile.
    wait_for("it is compressed", async || !ask("gzip").await.header("content-encoding").is_empty()).await;
    let gzip = ask("gzip").await;
    assert_eq!((gzip.status, gzip.header("content-encoding")), (200, "gzip"));
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(gzip.bytes.as_slice()).read_to_end(&mut unpacked).unwrap();
    assert!(unpacked == plain.bytes && gzip.bytes.len() < plain.bytes.len() / 2);

    let brotli = ask("gzip, deflate, br").await;
    assert_eq!((brotli.status, brotli.header("content-encoding")), (200, "br"));
    let mut unpacked = Vec::new();
    brotli::Decompressor::new(brotli.bytes.as_slice(), 4096).read_to_end(&mut unpacked).unwrap();
    assert!(unpacked == plain.bytes && brotli.bytes.len() < plain.bytes.len() / 2);

    assert_eq!(ask("br;q=0, identity").await.header("content-encoding"), "");
    for answer in [&plain, &gzip, &brotli] {
        assert!(answer.header("vary").to_lowercase().contains("accept-encoding"));
    }
}

async fn a_change_needs_the_version_that_was_seen(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = described(&shop).await;
    let path = format!("/admin/products/{}", mug.product);
    let seen = shop.owner.get(&path).await.header("etag").to_owned();
    let change = |tag: Option<&str>, title: &str| {
        let request = shop.owner.request(Method::PATCH, &path).json(&json!({"title": title}));
        match tag {
            Some(tag) => request.header("if-match", tag).send(),
            None => request.send(),
        }
    };
    change(None, "A").await.refused(428, "if_match_required");
    let changed = change(Some(&seen), "B").await;
    let next = changed.header("etag").to_owned();
    changed.expect(200);
    assert_ne!(seen, next);
    change(Some(&seen), "C").await.refused(412, "version");
    for wrong in ["\"x\"", "x", "\"-1\"", "\"99999999999999999999\""] {
        change(Some(wrong), "C").await.refused(412, "version");
    }
    change(Some(&next), "D").await.expect(200);
    assert_eq!(shop.owner.get(&path).await.expect(200)["title"], "D");

    // Of two who have seen the same, one was faster.
    let seen = shop.owner.get(&path).await.header("etag").to_owned();
    let both = futures::future::join(change(Some(&seen), "E"), change(Some(&seen), "F")).await;
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
}

async fn what_is_personal_is_never_stored(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = described(&shop).await;
    let ada = shop.customer("ada@example.com").await;
    let order = shop.buy_as(&ada, &mug, 1).await;
    let token = order["token"].as_str().unwrap();
    let id = order["id"].as_str().unwrap();
    for answer in [
        ada.get("/customers/me").await,
        ada.get("/orders").await,
        shop.guest.get(&format!("/orders/{id}?token={token}")).await,
        shop.guest.get(&format!("/carts/{}", order["cart_id"].as_str().unwrap())).await,
        shop.owner.get("/admin/orders").await,
    ] {
        assert!(answer.status == 404 || answer.header("cache-control") == "no-store", "{answer}");
    }
    let public = shop.guest.get(&format!("/products/{}", mug.slug)).await;
    assert!(public.header("vary").to_lowercase().contains("authorization"), "{:?}", public.headers);
}

async fn a_head_is_a_get_without_a_body(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = described(&shop).await;
    for path in [format!("/products/{}", mug.slug), "/products".into(), "/products/nothing".into()] {
        let get = shop.guest.get(&path).await;
        let head = shop.guest.request(Method::HEAD, &path).send().await;
        assert_eq!((head.status, head.bytes.len()), (get.status, 0));
        assert_eq!(head.header("etag"), get.header("etag"));
        assert_eq!(head.header("content-type"), get.header("content-type"));
    }
}

async fn a_picture_is_told_by_its_content(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = described(&shop).await;
    let path = format!("/admin/products/{}/images?alt=A%20mug", mug.product);
    let upload = |bytes: Vec<u8>| shop.owner.request(Method::POST, &path).raw("image/png", bytes).send();
    for wrong in [
        b"".to_vec(),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(),
        b"<script>".to_vec(),
        b"\x89PNG".to_vec(),
    ] {
        upload(wrong).await.refused(422, "media_type");
    }
    upload(pixel()[..45].to_vec()).await.refused(422, "broken");
    // The same pixel, saying that there are 50,000 x 50,000 of it.
    let mut bomb = pixel();
    bomb[16..24].copy_from_slice(&[0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50]);
    bomb[29..33].copy_from_slice(&0x6ec4_6216_u32.to_be_bytes());
    upload(bomb).await.refused(422, "too_many_pixels");
    let product = upload(pixel()).await.expect(201);
    let image = &product["images"][0];
    assert_eq!((&image["alt"], &image["width"], &image["height"]), (&json!("A mug"), &json!(1), &json!(1)));
    let file = image["file"].as_str().unwrap();
    let served = shop.guest.root(Method::GET, &format!("/media/{file}")).send().await;
    assert_eq!((served.status, served.header("content-type"), &served.bytes), (200, "image/png", &pixel()));
    for outside in ["/media/..%2fsecret.key", "/media/%2e%2e%2fsecret.key", "/media/nothing.png"] {
        let answer = shop.guest.root(Method::GET, outside).send().await;
        assert!([400, 404].contains(&answer.status), "{answer}");
    }
    let remove = format!("/admin/products/{}/images/{file}", mug.product);
    assert_eq!(shop.owner.delete(&remove).await.expect(200)["images"], json!([]));
}

/// A PNG of one grey pixel.
pub fn pixel() -> Vec<u8> {
    const HEAD: [u8; 33] = [
        0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0,
        0, 0, 1, 8, 0, 0, 0, 0, 0x3a, 0x7e, 0x9b, 0x55,
    ];
    const DATA: [u8; 22] = [
        0, 0, 0, 10, b'I', b'D', b'A', b'T', 0x78, 0x9c, 0x63, 0x68, 0, 0, 0, 0x82, 0, 0x81, 0x77, 0xcd,
        0x72, 0xb6,
    ];
    const END: [u8; 12] = [0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82];
    [HEAD.as_slice(), &DATA, &END].concat()
}
