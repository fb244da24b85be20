//! Promotions, codes and tax rates.

use std::time::Duration;

use contracts::{
    cart::{Carts, NewPromotion, PromotionChanged, PromotionId, PromotionKind, TaxRateId},
    order::OrderId,
    product::CategoryId,
};
use shared::{Kind, PageRequest, events::Event};

use crate::shop::{Shop, eur, guest, line, percent, rate, shop, terms};

async fn refusal(shop: &Shop, id: contracts::cart::CartId, code: &str) -> (Kind, String) {
    let error = shop.carts.apply_code(id, code.into(), guest()).await.expect_err("a refusal");
    (error.kind, error.code.into_owned())
}

#[tokio::test]
async fn a_code_is_one_code_whatever_its_case_and_spaces() {
    let shop = shop().await;
    shop.carts.create_promotion(percent(" Summer ", 10)).await.unwrap();
    let error = shop.carts.create_promotion(percent("SUMMER", 20)).await.unwrap_err();
    assert_eq!((error.kind, &*error.code), (Kind::Conflict, "code_taken"));
    let cart = shop.cart_of(&[(shop.catalogue.sells(1_000), 1)]).await;
    let with = shop.carts.apply_code(cart.id, "  sUMMER".into(), guest()).await.unwrap();
    assert_eq!((with.discount_codes.as_slice(), with.total), (&["Summer".to_owned()][..], eur(900)));
    assert_eq!((with.discounts.len(), with.discounts[0].amount), (1, eur(100)));
    assert_eq!(shop.carts.apply_code(cart.id, "summer".into(), guest()).await.unwrap(), with);
    let without = shop.carts.remove_code(cart.id, "SUMMER ".into(), guest()).await.unwrap();
    assert_eq!((without.discount_codes.len(), without.total), (0, eur(1_000)));
    assert_eq!(shop.carts.remove_code(cart.id, "summer".into(), guest()).await.unwrap(), without);
}

#[tokio::test]
async fn a_code_says_why_it_does_not_apply() {
    let shop = shop().await;
    let now = shared::Clock::now(&*shop.clock);
    let promotions = [
        NewPromotion { enabled: false, ..percent("OFF", 10) },
        NewPromotion { ends_at: Some(now), ..percent("OVER", 10) },
        NewPromotion { starts_at: Some(now.after(Duration::from_secs(1))), ..percent("SOON", 10) },
        NewPromotion { minimum_subtotal: Some(eur(1_001)), ..percent("MINIMUM", 10) },
        NewPromotion { category_ids: vec![CategoryId::new()], ..percent("ELSEWHERE", 10) },
        NewPromotion { combinable: true, ..percent("ONE", 10) },
        NewPromotion { combinable: true, ..percent("TWO", 10) },
        percent("ALONE", 10),
        NewPromotion { usage_limit: Some(1), ..percent("ONCE", 10) },
        NewPromotion {
            code: Some("DOLLARS".into()),
            currency: Some("USD".parse().unwrap()),
            ..terms(PromotionKind::Fixed, 10)
        },
        NewPromotion {
            code: Some("GROUP".into()),
            buy_quantity: Some(2),
            get_quantity: Some(1),
            ..terms(PromotionKind::BuyXGetY, 100)
        },
    ];
    let mut once = None;
    for new in promotions {
        let promotion = shop.carts.create_promotion(new).await.unwrap();
        once = once.or((promotion.terms.code.as_deref() == Some("ONCE")).then_some(promotion.id));
    }
    let cart = shop.cart_of(&[(shop.catalogue.sells(1_000), 1)]).await;
    shop.carts.claim(OrderId::new(), vec![once.unwrap()], "a@example.com".parse().unwrap()).await.unwrap();
    for (code, why) in [
        ("NOBODY", "coupon_unknown"),
        ("", "coupon_unknown"),
        ("OFF", "coupon_unknown"),
        ("OVER", "coupon_expired"),
        ("SOON", "coupon_expired"),
        ("MINIMUM", "coupon_minimum"),
        ("ELSEWHERE", "coupon_not_applicable"),
        ("DOLLARS", "coupon_not_applicable"),
        ("GROUP", "coupon_not_applicable"),
    ] {
        assert_eq!(refusal(&shop, cart.id, code).await, (Kind::Invalid, why.to_owned()), "{code}");
    }
    assert_eq!(refusal(&shop, cart.id, "once").await, (Kind::Conflict, "coupon_exhausted".into()));
    shop.carts.apply_code(cart.id, "one".into(), guest()).await.unwrap();
    assert_eq!(refusal(&shop, cart.id, "alone").await, (Kind::Invalid, "coupon_not_combinable".into()));
    let both = shop.carts.apply_code(cart.id, "two".into(), guest()).await.unwrap();
    assert_eq!((both.discounts.len(), both.total), (2, eur(800)));
    shop.clock.advance(Duration::from_secs(2));
    let alone = shop.cart_of(&[(shop.catalogue.sells(1_000), 1)]).await;
    shop.carts.apply_code(alone.id, "soon".into(), guest()).await.unwrap();
    assert_eq!(refusal(&shop, alone.id, "one").await.1, "coupon_not_combinable");
}

#[tokio::test]
async fn a_code_that_expires_stays_in_the_cart_without_effect() {
    let shop = shop().await;
    let ends_at = Some(shared::Clock::now(&*shop.clock).after(Duration::from_secs(60)));
    shop.carts.create_promotion(NewPromotion { ends_at, ..percent("HOUR", 50) }).await.unwrap();
    let cart = shop.cart_of(&[(shop.catalogue.sells(1_000), 1)]).await;
    assert_eq!(shop.carts.apply_code(cart.id, "hour".into(), guest()).await.unwrap().total, eur(500));
    shop.clock.advance(Duration::from_secs(60));
    let after = shop.view(cart.id).await;
    assert_eq!((after.total, after.discount_codes.len(), after.discounts.len()), (eur(1_000), 1, 0));
}

#[tokio::test]
async fn automatic_promotions_apply_by_themselves_and_a_change_is_seen_at_once() {
    let shop = shop().await;
    let a = shop.catalogue.sells(1_000);
    let cart = shop.cart_of(&[(a, 1)]).await;
    let minimum = NewPromotion { minimum_subtotal: Some(eur(2_000)), ..terms(PromotionKind::Percentage, 10) };
    let made = shop.carts.create_promotion(minimum.clone()).await.unwrap();
    assert_eq!(shop.view(cart.id).await.total, eur(1_000));
    assert_eq!(shop.carts.add_line(cart.id, line(a, 1), guest()).await.unwrap().total, eur(1_800));
    let halved = NewPromotion { value: 50, ..minimum };
    let changed = shop.carts.update_promotion(made.id, halved.clone(), Some(1)).await.unwrap();
    assert_eq!((changed.version, changed.created_at), (2, made.created_at));
    assert_eq!(shop.view(cart.id).await.total, eur(1_000));
    let stale = shop.carts.update_promotion(made.id, halved.clone(), Some(1)).await.unwrap_err();
    assert_eq!((stale.kind, &*stale.code), (Kind::PreconditionFailed, "version"));
    assert_eq!(shop.carts.update_promotion(made.id, halved.clone(), None).await.unwrap().version, 3);
    shop.carts.delete_promotion(made.id).await.unwrap();
    assert_eq!(shop.view(cart.id).await.total, eur(2_000));
    assert_eq!(shop.carts.promotion(made.id).await.unwrap_err().kind, Kind::NotFound);
    assert_eq!(shop.carts.delete_promotion(made.id).await.unwrap_err().kind, Kind::NotFound);
    let nothing = shop.carts.update_promotion(PromotionId::new(), halved, None).await;
    assert_eq!(nothing.unwrap_err().kind, Kind::NotFound);
    assert_eq!(shop.told(PromotionChanged::TYPE), 4);
}

#[tokio::test]
async fn another_instance_hears_of_a_change() {
    let shop = shop().await;
    let other = shop.other_instance().await;
    let cart = shop.cart_of(&[(shop.catalogue.sells(1_000), 1)]).await;
    shop.carts.create_promotion(terms(PromotionKind::Percentage, 10)).await.unwrap();
    assert_eq!(other.view(cart.id, guest()).await.unwrap().total, eur(1_000));
    let event = shop.emitted.lock().unwrap().iter().find(|e| e.is::<PromotionChanged>()).unwrap().clone();
    // A code that it has not heard of yet is looked for before it is refused.
    shop.carts.create_promotion(percent("NEW", 20)).await.unwrap();
    let unheard = shop.cart_of(&[(shop.catalogue.sells(1_000), 1)]).await;
    assert_eq!(other.apply_code(unheard.id, "new".into(), guest()).await.unwrap().total, eur(800));

    shop.carts.create_promotion(terms(PromotionKind::Percentage, 30)).await.unwrap();
    assert_eq!(other.view(cart.id, guest()).await.unwrap().total, eur(900));
    other.consumers()[0].handle(&event).await.unwrap();
    assert_eq!(other.view(cart.id, guest()).await.unwrap().total, eur(700));
}

#[tokio::test]
async fn wrong_promotions_are_refused_and_a_taken_code_cannot_be_taken_later() {
    let shop = shop().await;
    let error = shop.carts.create_promotion(percent("X", 101)).await.unwrap_err();
    assert_eq!((error.kind, error.fields[0].pointer.as_str()), (Kind::Invalid, "/value"));
    let first = shop.carts.create_promotion(percent("FIRST", 10)).await.unwrap();
    shop.carts.create_promotion(percent("SECOND", 10)).await.unwrap();
    let error = shop.carts.update_promotion(first.id, percent("second", 10), None).await.unwrap_err();
    assert_eq!(error.code, "code_taken");
    assert_eq!(shop.carts.promotion(first.id).await.unwrap(), first);
}

#[tokio::test]
async fn promotions_are_listed_page_by_page_newest_first() {
    let shop = shop().await;
    let mut ids = Vec::new();
    for i in 1..=5 {
        ids.insert(0, shop.carts.create_promotion(percent(&format!("CODE{i}"), i)).await.unwrap().id);
    }
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = shop.carts.promotions(PageRequest { limit: 2, cursor }).await.unwrap();
        seen.extend(page.data.iter().map(|promotion| promotion.id));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn taxes_are_those_of_the_default_country_until_the_destination_is_known() {
    let shop = shop().await;
    shop.carriers.offer("Post", 490);
    shop.carts.put_tax_rate(rate("DE", "Standard ", 1_900, true)).await.unwrap();
    shop.carts.put_tax_rate(rate("GB", "standard", 2_000, false)).await.unwrap();
    let cart = shop.cart_of(&[(shop.catalogue.sells(11_900), 1)]).await;
    assert_eq!((cart.tax_total, cart.total, cart.prices_include_tax), (eur(1_900), eur(11_900), true));
    shop.carts.shipping_options(cart.id, crate::shop::destination("GB"), guest()).await.unwrap();
    let cart = shop.view(cart.id).await;
    assert_eq!((cart.tax_total, cart.total, cart.prices_include_tax), (eur(2_380), eur(14_280), false));
}

#[tokio::test]
async fn a_country_has_one_rate_for_a_class_and_one_answer_to_included() {
    let shop = shop().await;
    let first = shop.carts.put_tax_rate(rate("DE", "standard", 1_900, true)).await.unwrap();
    let error = shop.carts.put_tax_rate(rate("DE", "reduced", 700, false)).await.unwrap_err();
    assert_eq!((error.kind, error.fields[0].pointer.as_str()), (Kind::Invalid, "/included"));
    let second = shop.carts.put_tax_rate(rate("DE", "standard", 1_600, false)).await.unwrap();
    assert_eq!((second.id, shop.carts.tax_rates().await.unwrap()), (first.id, vec![second.clone()]));
    let mut regional = rate("DE", "standard", 500, false);
    regional.region = Some("BY".into());
    let regional = shop.carts.put_tax_rate(regional).await.unwrap();
    assert_eq!(shop.carts.tax_rates().await.unwrap().len(), 2);
    shop.carts.delete_tax_rate(regional.id).await.unwrap();
    assert_eq!(shop.carts.delete_tax_rate(regional.id).await.unwrap_err().kind, Kind::NotFound);
    assert_eq!(shop.carts.delete_tax_rate(TaxRateId::new()).await.unwrap_err().kind, Kind::NotFound);
    for wrong in [rate("DE", "x", -1, false), rate("DE", "x", 10_001, false), rate("DE", " ", 1, false)] {
        assert_eq!(shop.carts.put_tax_rate(wrong).await.unwrap_err().kind, Kind::Invalid);
    }
}
