//! The final price.

use contracts::{
    cart::{Carts, NewPromotion, PriceRequest, PromotionKind, Viewer},
    customer::CustomerId,
    order::OrderId,
    shipping::MethodId,
};
use shared::Kind;

use crate::shop::{account, destination, eur, guest, line, new_cart, percent, quantities, rate, shop, terms};

fn request(option: MethodId) -> PriceRequest {
    PriceRequest {
        viewer: guest(),
        email: "ada@example.com".parse().expect("an address"),
        destination: destination("DE"),
        shipping_option_id: option,
    }
}

#[tokio::test]
async fn the_price_of_an_order_has_everything_and_adds_up() {
    let shop = shop().await;
    let option = shop.carriers.offer("Post", 595);
    shop.carts.put_tax_rate(rate("DE", "standard", 1_900, true)).await.unwrap();
    let promotion = shop.carts.create_promotion(percent("TEN", 10)).await.unwrap();
    let (a, customer) = (shop.catalogue.sells(11_900), CustomerId::new());
    let cart = shop.cart_of(&[(a, 2)]).await;
    let shown = shop.carts.apply_code(cart.id, "ten".into(), guest()).await.unwrap();
    let priced = shop
        .carts
        .price(cart.id, PriceRequest { viewer: account(customer), ..request(option) })
        .await
        .unwrap();
    assert_eq!(
        (priced.cart_id, priced.version, priced.customer_id),
        (cart.id, shown.version, Some(customer))
    );
    let line = &priced.lines[0];
    assert_eq!((line.id, line.quantity, line.subtotal), (cart.lines[0].id, 2, eur(23_800)));
    assert_eq!((line.discount, line.tax, line.total), (eur(2_380), eur(3_420), eur(21_420)));
    assert_eq!((line.tax_rate_basis_points, line.weight_grams), (1_900, 250));
    assert_eq!(
        (priced.shipping.price, priced.shipping_tax, priced.shipping_discount),
        (eur(595), eur(95), eur(0))
    );
    assert_eq!((priced.discounts.len(), priced.discounts[0].promotion_id), (1, promotion.id));
    assert_eq!((priced.totals.tax, priced.totals.total), (eur(3_515), eur(22_015)));
    priced.totals.check(priced.prices_include_tax).unwrap();
    assert_eq!((priced.tax_lines.len(), priced.tax_lines[0].net), (1, eur(18_500)));
    // What was shown, and the shipping.
    assert_eq!(shown.total.add(eur(595)).unwrap(), priced.totals.total);
}

#[tokio::test]
async fn rates_are_asked_with_weight_classes_and_the_discounted_subtotal() {
    let shop = shop().await;
    let post = shop.carriers.offer("Post", 490);
    let (a, b) = (shop.catalogue.sells(1_000), shop.catalogue.sells(2_000));
    shop.catalogue.change(b, |quote| quote.shipping_class = "bulky".into());
    shop.carts.create_promotion(percent("TEN", 10)).await.unwrap();
    let cart = shop.cart_of(&[(a, 2), (b, 1)]).await;
    shop.carts.apply_code(cart.id, "ten".into(), guest()).await.unwrap();
    let options = shop.carts.shipping_options(cart.id, destination("DE"), guest()).await.unwrap();
    assert_eq!(options[0].id, post);
    shop.carts.price(cart.id, request(post)).await.unwrap();
    for asked in shop.carriers.asked.lock().unwrap().iter() {
        assert_eq!((asked.subtotal, asked.weight_grams), (eur(3_600), 750));
        assert_eq!(asked.classes, ["bulky", "parcel"]);
        assert_eq!(asked.destination, destination("DE"));
    }
    assert_eq!(shop.carriers.asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn asking_for_options_again_changes_nothing() {
    let shop = shop().await;
    shop.carriers.offer("Post", 490);
    let cart = shop.cart_of(&[(shop.catalogue.sells(1_000), 1)]).await;
    for _ in 0..3 {
        shop.carts.shipping_options(cart.id, destination("DE"), guest()).await.unwrap();
    }
    assert_eq!(shop.view(cart.id).await.version, cart.version + 1);
    assert!(shop.carts.shipping_options(cart.id, destination("US"), guest()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_viewer_with_a_group_pays_its_prices_from_the_cart_to_the_order() {
    let shop = shop().await;
    let post = shop.carriers.offer("Post", 490);
    let (a, b) = (shop.catalogue.sells(1_000), shop.catalogue.sells(2_000));
    shop.catalogue.sells_to("wholesale", a, 700);
    let viewer = Viewer { customer_id: Some(CustomerId::new()), group: Some("wholesale".into()) };
    let who = || viewer.clone();

    let cart = shop.carts.create(new_cart(&[(a, 1)]), who()).await.unwrap();
    assert_eq!(cart.total, eur(700));
    assert_eq!(shop.carts.add_line(cart.id, line(b, 1), who()).await.unwrap().total, eur(2_700));
    let first = cart.lines[0].id;
    assert_eq!(shop.carts.set_quantity(cart.id, first, 2, who()).await.unwrap().total, eur(3_400));
    assert_eq!(shop.carts.view(cart.id, who()).await.unwrap().total, eur(3_400));
    shop.carts.shipping_options(cart.id, destination("DE"), who()).await.unwrap();
    let priced = shop.carts.price(cart.id, PriceRequest { viewer: who(), ..request(post) }).await.unwrap();
    assert_eq!((priced.totals.total, priced.customer_id), (eur(3_890), viewer.customer_id));
    // Free shipping from 30.00 must count the same money.
    assert_eq!(
        shop.carriers.asked.lock().unwrap().iter().map(|r| r.subtotal).collect::<Vec<_>>(),
        [eur(3_400); 2]
    );

    let other = Viewer { group: Some("staff".into()), ..who() };
    assert_eq!(shop.carts.view(cart.id, other).await.unwrap().total, eur(4_000), "another group");
    assert_eq!(shop.cart_of(&[(a, 2)]).await.total, eur(2_000), "a guest");
}

#[tokio::test]
async fn a_price_needs_a_cart_with_lines_that_is_still_open_and_the_viewers() {
    let shop = shop().await;
    let option = shop.carriers.offer("Post", 490);
    let (a, owner, order) = (shop.catalogue.sells(100), CustomerId::new(), OrderId::new());
    let empty = shop.carts.price(shop.cart_of(&[]).await.id, request(option)).await.unwrap_err();
    assert_eq!((empty.kind, &*empty.code), (Kind::Conflict, "cart_empty"));
    let owned = shop.carts.create(new_cart(&[(a, 1)]), account(owner)).await.unwrap();
    assert_eq!(shop.carts.price(owned.id, request(option)).await.unwrap_err().kind, Kind::NotFound);
    shop.carts.complete(owned.id, order).await.unwrap();
    let done = shop.carts.price(owned.id, PriceRequest { viewer: account(owner), ..request(option) }).await;
    let done = done.unwrap_err();
    assert_eq!((&*done.code, &done.extra["order_id"]), ("cart_completed", &order.to_string().into()));
}

#[tokio::test]
async fn the_shipping_option_must_be_one_of_the_destinations() {
    let shop = shop().await;
    let option = shop.carriers.offer("Post", 490);
    let id = shop.cart_of(&[(shop.catalogue.sells(100), 1)]).await.id;
    let error = shop.carts.price(id, request(MethodId::new())).await.unwrap_err();
    assert_eq!((error.kind, &*error.code), (Kind::Invalid, "shipping_option"));
    assert_eq!(error.fields[0].pointer, "/shipping_option_id");
    let abroad = PriceRequest { destination: destination("US"), ..request(option) };
    let error = shop.carts.price(id, abroad).await.unwrap_err();
    assert_eq!((error.kind, &*error.code), (Kind::Invalid, "not_shippable"));
    assert_eq!(error.fields[0].pointer, "/shipping_address/country");
}

#[tokio::test]
async fn a_line_that_is_gone_stops_the_checkout_once() {
    let shop = shop().await;
    let option = shop.carriers.offer("Post", 490);
    let (gone, stays) = (shop.catalogue.sells(100), shop.catalogue.sells(200));
    let cart = shop.cart_of(&[(gone, 1), (stays, 1)]).await;
    shop.catalogue.remove(gone);
    let error = shop.carts.price(cart.id, request(option)).await.unwrap_err();
    assert_eq!((error.kind, &*error.code), (Kind::Conflict, "line_unavailable"));
    assert_eq!(error.extra["variant_ids"], serde_json::json!([gone]));
    let priced = shop.carts.price(cart.id, request(option)).await.unwrap();
    assert_eq!((priced.lines.len(), priced.version), (1, cart.version + 1));
    assert_eq!(quantities(&shop.view(cart.id).await), [(stays, 1)]);
}

#[tokio::test]
async fn a_code_that_is_used_up_stops_the_checkout_instead_of_costing_more() {
    let shop = shop().await;
    let option = shop.carriers.offer("Post", 490);
    let terms = NewPromotion { usage_limit: Some(1), ..percent("ONCE", 10) };
    let id = shop.carts.create_promotion(terms).await.unwrap().id;
    let cart = shop.cart_of(&[(shop.catalogue.sells(1_000), 1)]).await;
    shop.carts.apply_code(cart.id, "once".into(), guest()).await.unwrap();
    assert_eq!(shop.carts.price(cart.id, request(option)).await.unwrap().totals.total, eur(1_390));
    // Another process sells the last use.
    let other = shop.other_instance().await;
    other.claim(OrderId::new(), vec![id], "bob@example.com".parse().unwrap()).await.unwrap();
    let error = shop.carts.price(cart.id, request(option)).await.unwrap_err();
    assert_eq!(
        (error.kind, &*error.code, &error.extra["code"]),
        (Kind::Conflict, "coupon_exhausted", &"ONCE".into())
    );
    shop.carts.remove_code(cart.id, "once".into(), guest()).await.unwrap();
    assert_eq!(shop.carts.price(cart.id, request(option)).await.unwrap().totals.total, eur(1_490));
}

#[tokio::test]
async fn the_limit_for_each_customer_holds_at_the_checkout() {
    let shop = shop().await;
    let option = shop.carriers.offer("Post", 490);
    let per_customer = |terms| NewPromotion { usage_limit_per_customer: Some(1), ..terms };
    let coded = shop.carts.create_promotion(per_customer(percent("WELCOME", 10))).await.unwrap().id;
    let cart = shop.cart_of(&[(shop.catalogue.sells(1_000), 1)]).await;
    shop.carts.apply_code(cart.id, "welcome".into(), guest()).await.unwrap();
    shop.carts.claim(OrderId::new(), vec![coded], "ADA@example.com".parse().unwrap()).await.unwrap();
    assert_eq!(shop.carts.price(cart.id, request(option)).await.unwrap_err().code, "coupon_exhausted");
    let bob = PriceRequest { email: "bob@example.com".parse().unwrap(), ..request(option) };
    assert_eq!(shop.carts.price(cart.id, bob).await.unwrap().totals.discount, eur(100));

    shop.carts.remove_code(cart.id, "welcome".into(), guest()).await.unwrap();
    let automatic =
        shop.carts.create_promotion(per_customer(terms(PromotionKind::Percentage, 20))).await.unwrap().id;
    assert_eq!(shop.carts.price(cart.id, request(option)).await.unwrap().totals.discount, eur(200));
    shop.carts.claim(OrderId::new(), vec![automatic], "ada@example.com".parse().unwrap()).await.unwrap();
    assert_eq!(shop.carts.price(cart.id, request(option)).await.unwrap().totals.discount, eur(0));
}

#[tokio::test]
async fn free_shipping_takes_the_price_of_the_option() {
    let shop = shop().await;
    let option = shop.carriers.offer("Post", 490);
    let free = NewPromotion { code: Some("FREE".into()), ..terms(PromotionKind::FreeShipping, 0) };
    shop.carts.create_promotion(free).await.unwrap();
    let cart = shop.cart_of(&[(shop.catalogue.sells(1_000), 1)]).await;
    let shown = shop.carts.apply_code(cart.id, "free".into(), guest()).await.unwrap();
    assert_eq!((shown.discounts.len(), shown.total), (1, eur(1_000)));
    let priced = shop.carts.price(cart.id, request(option)).await.unwrap();
    assert_eq!((priced.shipping_discount, priced.totals.total), (eur(490), eur(1_000)));
    assert_eq!(priced.discounts[0].amount, eur(490));
}

#[tokio::test]
async fn only_promotions_that_take_something_off_are_in_the_price() {
    let shop = shop().await;
    let option = shop.carriers.offer("Pick-up", 0);
    let combinable = |terms| NewPromotion { combinable: true, ..terms };
    shop.carts.create_promotion(combinable(terms(PromotionKind::FreeShipping, 0))).await.unwrap();
    let big = combinable(NewPromotion { minimum_subtotal: Some(eur(5_000)), ..percent("BIG", 10) });
    shop.carts.create_promotion(big).await.unwrap();
    let a = shop.catalogue.sells(5_000);
    let cart = shop.cart_of(&[(a, 1)]).await;
    shop.carts.apply_code(cart.id, "big".into(), guest()).await.unwrap();
    assert_eq!(shop.carts.price(cart.id, request(option)).await.unwrap().discounts.len(), 1);
    shop.catalogue.change(a, |quote| quote.unit_price = eur(4_999));
    let priced = shop.carts.price(cart.id, request(option)).await.unwrap();
    assert_eq!((priced.discounts.len(), priced.totals.total), (0, eur(4_999)));
}
