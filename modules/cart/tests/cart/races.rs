//! Rules that hold when several processes do the same at once.

use std::{sync::Arc, time::Duration};

use cart::Service;
use contracts::{
    cart::{Carts, NewPromotion, PromotionChanged},
    customer::CustomerId,
    order::OrderId,
};
use shared::{Error, Kind, Result, events::Event, values::Email};

use crate::shop::{Shop, account, eur, guest, line, new_cart, percent, quantities, rate, shop};

/// Does it `times` times at once, in two processes by turns.
async fn race<T, F>(shop: &Shop, times: usize, what: impl Fn(Arc<Service>, usize) -> F) -> Vec<Result<T>>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let instances = [shop.carts.clone(), shop.other_instance().await];
    let runs: Vec<_> = (0..times).map(|i| tokio::spawn(what(instances[i % 2].clone(), i))).collect();
    let mut results = Vec::new();
    for run in runs {
        results.push(run.await.expect("no panic"));
    }
    results
}

/// The one that won; all others lost with `code`.
fn winner<T>(results: Vec<Result<T>>, code: &str) -> T {
    let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    for error in lost.into_iter().filter_map(Result::err) {
        assert_eq!(error.code, code);
    }
    let mut won: Vec<T> = won.into_iter().filter_map(Result::ok).collect();
    assert_eq!(won.len(), 1);
    won.remove(0)
}

fn email(name: &str) -> Email {
    format!("{name}@example.com").parse().expect("an address")
}

#[tokio::test]
async fn a_customer_has_one_current_cart_however_many_are_made() {
    let shop = shop().await;
    let (owner, a) = (CustomerId::new(), shop.catalogue.sells(100));
    let made =
        race(&shop, 12, |carts, _| async move { carts.create(new_cart(&[(a, 1)]), account(owner)).await })
            .await;
    let made: Vec<_> = made.into_iter().map(Result::unwrap).collect();
    let current = shop.carts.of_customer(owner).await.unwrap().unwrap();
    assert!(made.contains(&current));
    for cart in &made {
        assert_eq!(&shop.carts.view(cart.id, account(owner)).await.unwrap(), cart);
    }
    // The further ones join it, so nothing is lost.
    for cart in &made {
        assert_eq!(shop.carts.merge(cart.id, owner).await.unwrap().id, current.id);
    }
}

#[tokio::test]
async fn of_many_orders_one_gets_the_cart() {
    let shop = shop().await;
    let id = shop.cart_of(&[(shop.catalogue.sells(100), 1)]).await.id;
    let completed = race(&shop, 12, |carts, _| async move {
        let order = OrderId::new();
        carts.complete(id, order).await.map(|()| order)
    });
    let order = winner(completed.await, "cart_completed");
    let cart = shop.view(id).await;
    assert_eq!((cart.order_id, cart.version, shop.told("cart.completed")), (Some(order), 2, 1));
}

#[tokio::test]
async fn a_line_comes_before_the_order_or_not_at_all() {
    let shop = shop().await;
    let a = shop.catalogue.sells(100);
    let id = shop.cart_of(&[(a, 1)]).await.id;
    let results = race(&shop, 12, |carts, i| async move {
        if i == 6 {
            return carts.complete(id, OrderId::new()).await.map(|()| 0);
        }
        carts.add_line(id, line(a, 1), guest()).await.map(|_| 1)
    })
    .await;
    let refused = |error: &Error| assert_eq!(error.code, "cart_completed");
    let added: i64 =
        results.iter().filter_map(|result| result.as_ref().inspect_err(|e| refused(e)).ok()).sum();
    let cart = shop.view(id).await;
    assert_eq!((quantities(&cart), cart.version), (vec![(a, 1 + added)], 2 + added));
}

#[tokio::test]
async fn a_cart_that_two_customers_want_is_one_customers() {
    let shop = shop().await;
    let a = shop.catalogue.sells(100);
    let from = shop.cart_of(&[(a, 3)]).await.id;
    let merged = race(&shop, 6, |carts, _| async move { carts.merge(from, CustomerId::new()).await });
    let cart = winner(merged.await, "not_found");
    let owner = cart.customer_id.unwrap();
    assert_eq!(shop.carts.of_customer(owner).await.unwrap(), Some(cart));
}

#[tokio::test]
async fn an_idle_cart_that_somebody_signs_in_with_stays() {
    let shop = shop().await;
    let owner = CustomerId::new();
    let (theirs, nobodys) = (shop.cart_of(&[]).await.id, shop.cart_of(&[]).await.id);
    shop.carts.merge(theirs, owner).await.unwrap();
    shop.clock.advance(Duration::from_secs(31 * 24 * 3_600));
    let jobs = shared::jobs::Jobs::new();
    shop.carts.start(&jobs);
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while shop.carts.view(nobodys, guest()).await.is_ok() {
        assert!(std::time::Instant::now() < deadline, "the sweeper does not come");
        tokio::task::yield_now().await;
    }
    assert_eq!(shop.carts.of_customer(owner).await.unwrap().map(|cart| cart.id), Some(theirs));
    jobs.token().cancel();
}

#[tokio::test]
async fn a_code_is_one_promotions_however_many_want_it_and_free_when_it_goes() {
    let shop = shop().await;
    let wanted = ["summer", "Summer", " SUMMER "];
    let made =
        race(&shop, 9, |carts, i| async move { carts.create_promotion(percent(wanted[i % 3], 10)).await });
    let first = winner(made.await, "code_taken");
    assert_eq!(shop.told(PromotionChanged::TYPE), 1);
    // Several may have none.
    let without = || NewPromotion { code: None, ..percent("", 10) };
    shop.carts.update_promotion(first.id, without(), None).await.unwrap();
    shop.carts.create_promotion(without()).await.unwrap();
    let second = shop.carts.create_promotion(percent("SUMMER", 20)).await.unwrap();
    assert_eq!(shop.carts.create_promotion(percent("summer", 20)).await.unwrap_err().code, "code_taken");
    shop.carts.delete_promotion(second.id).await.unwrap();
    let third = shop.carts.create_promotion(percent("summer", 30)).await.unwrap();
    assert_eq!(shop.carts.promotion(third.id).await.unwrap(), third);
}

#[tokio::test]
async fn of_many_who_saw_one_version_one_changes_the_promotion() {
    let shop = shop().await;
    let id = shop.carts.create_promotion(percent("TEN", 10)).await.unwrap().id;
    let changed = race(&shop, 12, |carts, i| async move {
        carts.update_promotion(id, percent("TEN", 20 + i64::try_from(i).unwrap()), Some(1)).await
    });
    let changed = winner(changed.await, "version");
    assert_eq!((shop.carts.promotion(id).await.unwrap(), changed.version), (changed, 2));
    assert_eq!(shop.told(PromotionChanged::TYPE), 2);
}

#[tokio::test]
async fn new_terms_and_claims_at_once_lose_no_use() {
    let shop = shop().await;
    let id = shop.carts.create_promotion(percent("BUSY", 10)).await.unwrap().id;
    let results = race(&shop, 30, |carts, i| async move {
        if i % 6 == 0 {
            let terms = percent("BUSY", 1 + i64::try_from(i).unwrap());
            // Who wants whatever version may be told that it has moved on, but not more.
            return match carts.update_promotion(id, terms, None).await {
                Err(error) if error.kind == Kind::PreconditionFailed => Ok(()),
                result => result.map(|_| ()),
            };
        }
        carts.claim(OrderId::new(), vec![id], email("ada")).await
    })
    .await;
    results.into_iter().for_each(|result| result.unwrap());
    assert_eq!(shop.carts.promotion(id).await.unwrap().used, 25);
}

#[tokio::test]
async fn a_limit_by_customer_holds_for_each_of_them_in_all_processes() {
    let shop = shop().await;
    let terms = NewPromotion { usage_limit_per_customer: Some(2), ..percent("WELCOME", 10) };
    let id = shop.carts.create_promotion(terms).await.unwrap().id;
    let results = race(&shop, 40, |carts, i| async move {
        carts.claim(OrderId::new(), vec![id], email(["ada", "bob", "eve", "max"][i % 4])).await
    })
    .await;
    let won = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!((won, shop.carts.promotion(id).await.unwrap().used), (8, 8));
    let refused = results.into_iter().filter_map(Result::err);
    refused.for_each(|error| assert_eq!((error.kind, &*error.code), (Kind::Conflict, "coupon_exhausted")));
}

#[tokio::test]
async fn a_promotion_that_is_in_every_order_is_counted_for_all_of_them() {
    let shop = shop().await;
    let id = shop.carts.create_promotion(percent("ALL", 10)).await.unwrap().id;
    let results = race(&shop, 150, |carts, i| async move {
        let order = OrderId::new();
        carts.claim(order, vec![id], email("ada")).await?;
        if i % 3 == 0 { carts.release(order).await } else { Ok(()) }
    })
    .await;
    results.into_iter().for_each(|result| result.unwrap());
    assert_eq!(shop.carts.promotion(id).await.unwrap().used, 100);
}

#[tokio::test]
async fn all_or_none_holds_among_many_orders_too() {
    let shop = shop().await;
    let mut ids = Vec::new();
    for (code, limit) in [("FREE", None), ("FIVE", Some(5)), ("THREE", Some(3))] {
        let terms = NewPromotion { usage_limit: limit, ..percent(code, 10) };
        ids.push(shop.carts.create_promotion(terms).await.unwrap().id);
    }
    let wanted = ids.clone();
    let results = race(&shop, 24, |carts, i| {
        // In any order.
        let mut wanted = wanted.clone();
        wanted.rotate_left(i % 3);
        async move { carts.claim(OrderId::new(), wanted, email(&format!("c{i}"))).await }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 3);
    for id in ids {
        assert_eq!(shop.carts.promotion(id).await.unwrap().used, 3);
    }
}

#[tokio::test]
async fn an_order_that_claims_and_gives_back_at_once_holds_nothing() {
    let shop = shop().await;
    let terms = NewPromotion { usage_limit: Some(1), ..percent("ONCE", 10) };
    let id = shop.carts.create_promotion(terms).await.unwrap().id;
    for _ in 0..5 {
        let order = OrderId::new();
        let results = race(&shop, 8, |carts, i| async move {
            if i % 2 == 0 {
                return carts.claim(order, vec![id], email("ada")).await;
            }
            carts.release(order).await
        })
        .await;
        let refused = results.into_iter().filter_map(Result::err);
        refused.for_each(|error| assert_eq!(error.code, "claim_released"));
        assert_eq!(shop.carts.promotion(id).await.unwrap().used, 0);
    }
    shop.carts.claim(OrderId::new(), vec![id], email("ada")).await.unwrap();
}

#[tokio::test]
async fn a_second_claim_of_an_order_adds_nothing() {
    let shop = shop().await;
    let first = shop.carts.create_promotion(percent("FIRST", 10)).await.unwrap().id;
    let second = shop.carts.create_promotion(percent("SECOND", 10)).await.unwrap().id;
    let order = OrderId::new();
    shop.carts.claim(order, vec![first], email("ada")).await.unwrap();
    shop.carts.claim(order, vec![first, second], email("bob")).await.unwrap();
    let used = async |id| shop.carts.promotion(id).await.unwrap().used;
    assert_eq!((used(first).await, used(second).await), (1, 0));
    shop.carts.release(order).await.unwrap();
    assert_eq!((used(first).await, used(second).await), (0, 0));
}

#[tokio::test]
async fn the_rates_of_a_country_agree_although_they_are_made_at_once() {
    let shop = shop().await;
    let classes = ["standard", "reduced", "books", "food", "none", "other"];
    let made = race(&shop, 6, |carts, i| async move {
        carts.put_tax_rate(rate("DE", classes[i], 100, i % 2 == 0)).await
    })
    .await;
    let rates = shop.carts.tax_rates().await.unwrap();
    let mut kept: Vec<_> = made.iter().filter_map(|result| result.as_ref().ok()).cloned().collect();
    kept.sort_by(|a, b| a.rate.tax_class.cmp(&b.rate.tax_class));
    assert_eq!(rates, kept);
    assert!(!rates.is_empty() && rates.iter().all(|other| other.rate.included == rates[0].rate.included));
    let refused = made.into_iter().filter_map(Result::err);
    refused.for_each(|error| assert_eq!(error.code, "included"));
    assert_eq!(shop.told(PromotionChanged::TYPE), rates.len());
}

#[tokio::test]
async fn rates_that_are_made_and_deleted_at_once_are_all_accounted_for() {
    let shop = shop().await;
    let classes: Vec<String> = (0..8).map(|i| format!("class{i}")).collect();
    let mut old = Vec::new();
    for class in &classes[..4] {
        old.push(shop.carts.put_tax_rate(rate("DE", class, 100, true)).await.unwrap().id);
    }
    let results = race(&shop, 8, |carts, i| {
        let (id, class) = (old.get(i).copied(), classes[i].clone());
        async move {
            match id {
                Some(id) => carts.delete_tax_rate(id).await,
                None => carts.put_tax_rate(rate("DE", &class, 200, true)).await.map(|_| ()),
            }
        }
    })
    .await;
    results.into_iter().for_each(|result| result.unwrap());
    let left: Vec<_> =
        shop.carts.tax_rates().await.unwrap().into_iter().map(|rate| rate.rate.tax_class).collect();
    assert_eq!(left, classes[4..]);
}

#[tokio::test]
async fn rates_are_listed_by_country_region_and_class() {
    let shop = shop().await;
    let in_region = |country: &str, region: Option<&str>, class: &str| contracts::cart::NewTaxRate {
        region: region.map(str::to_owned),
        ..rate(country, class, 100, true)
    };
    let mut sorted = vec![
        in_region("AT", None, "standard"),
        in_region("DE", None, "reduced"),
        in_region("DE", None, "standard"),
        in_region("DE", Some("bayern"), "standard"),
        in_region("DE", Some("Berlin"), "reduced"),
        in_region("FR", Some("Corse"), "standard"),
    ];
    for rate in sorted.iter().rev() {
        shop.carts.put_tax_rate(rate.clone()).await.unwrap();
    }
    // A region has one spelling: the last.
    sorted[3].region = Some("Bayern".into());
    shop.carts.put_tax_rate(sorted[3].clone()).await.unwrap();
    let listed: Vec<_> = shop.carts.tax_rates().await.unwrap().into_iter().map(|rate| rate.rate).collect();
    assert_eq!(listed, sorted);
}

#[tokio::test]
async fn a_refused_change_leaves_nothing_and_tells_nobody() {
    let shop = shop().await;
    let (a, b) = (shop.catalogue.sells(100), shop.catalogue.sells(200));
    let owner = CustomerId::new();
    let many: Vec<_> = (0..100).map(|_| (shop.catalogue.sells(1), 1)).collect();
    let full = shop.carts.create(new_cart(&many), account(owner)).await.unwrap();
    let from = shop.cart_of(&[(a, 1), (b, 1)]).await;
    assert_eq!(shop.carts.merge(from.id, owner).await.unwrap_err().code, "too_many_lines");
    assert_eq!(shop.view(from.id).await, from);
    assert_eq!(shop.carts.of_customer(owner).await.unwrap(), Some(full));
    let first = shop.carts.create_promotion(percent("FIRST", 10)).await.unwrap();
    shop.carts.create_promotion(percent("SECOND", 10)).await.unwrap();
    shop.carts.put_tax_rate(rate("DE", "standard", 1_900, true)).await.unwrap();
    let told = shop.told(PromotionChanged::TYPE);
    assert!(shop.carts.create_promotion(percent("second", 10)).await.is_err());
    assert!(shop.carts.update_promotion(first.id, percent("second", 10), None).await.is_err());
    assert!(shop.carts.update_promotion(first.id, percent("first", 20), Some(7)).await.is_err());
    assert!(shop.carts.put_tax_rate(rate("DE", "reduced", 700, false)).await.is_err());
    assert_eq!(shop.told(PromotionChanged::TYPE), told);
    assert_eq!(shop.view(from.id).await.total, eur(300));
}
