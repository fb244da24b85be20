//! Lines, limits, owners and races.

use std::time::Duration;

use contracts::{
    cart::{CartId, Carts, NewCart},
    customer::{CustomerDeleted, CustomerId},
    order::OrderId,
    product::VariantId,
};
use shared::{Kind, events::Event};

use crate::shop::{account, eur, guest, line, new_cart, quantities, shop};

#[tokio::test]
async fn a_cart_adds_up_todays_prices() {
    let shop = shop().await;
    let (a, b) = (shop.catalogue.sells(1_999), shop.catalogue.sells(500));
    let cart = shop.cart_of(&[(a, 2), (b, 1)]).await;
    assert_eq!(
        (cart.subtotal, cart.total, cart.version, cart.currency.code()),
        (eur(4_498), eur(4_498), 1, "EUR")
    );
    shop.catalogue.change(a, |quote| quote.unit_price = eur(2_000));
    let again = shop.view(cart.id).await;
    assert_eq!(
        (again.total, again.lines[0].total, again.lines[0].available),
        (eur(4_500), eur(4_000), 1_000)
    );
    assert_eq!(again.version, cart.version);
}

#[tokio::test]
async fn a_view_costs_one_quote_call() {
    let shop = shop().await;
    let cart = shop.cart_of(&[(shop.catalogue.sells(1), 1), (shop.catalogue.sells(2), 1)]).await;
    let before = shop.catalogue.calls();
    shop.view(cart.id).await;
    assert_eq!(shop.catalogue.calls(), before + 1);
}

#[tokio::test]
async fn a_currency_without_prices_is_refused() {
    let shop = shop().await;
    let wants = |code: &str| NewCart { currency: Some(code.parse().unwrap()), lines: Vec::new() };
    assert_eq!(shop.carts.create(wants("USD"), guest()).await.unwrap().currency.code(), "USD");
    let error = shop.carts.create(wants("JPY"), guest()).await.unwrap_err();
    assert_eq!(
        (error.kind, &*error.code, error.fields[0].pointer.as_str()),
        (Kind::Invalid, "currency", "/currency")
    );
}

#[tokio::test]
async fn the_same_variant_is_one_line_and_0_removes_it() {
    let shop = shop().await;
    let a = shop.catalogue.sells(100);
    let cart = shop.cart_of(&[(a, 1), (a, 2)]).await;
    let cart = shop.carts.add_line(cart.id, line(a, 4), guest()).await.unwrap();
    assert_eq!((quantities(&cart), cart.version), (vec![(a, 7)], 2));
    let cart = shop.carts.set_quantity(cart.id, cart.lines[0].id, 3, guest()).await.unwrap();
    assert_eq!(quantities(&cart), [(a, 3)]);
    let same = shop.carts.set_quantity(cart.id, cart.lines[0].id, 3, guest()).await.unwrap();
    assert_eq!(same, cart);
    let line = cart.lines[0].id;
    assert!(shop.carts.set_quantity(cart.id, line, 0, guest()).await.unwrap().lines.is_empty());
    assert_eq!(shop.carts.remove_line(cart.id, line, guest()).await.unwrap_err().kind, Kind::NotFound);
}

#[tokio::test]
async fn wrong_lines_are_refused_with_pointers() {
    let shop = shop().await;
    let (a, dear) = (shop.catalogue.sells(100), shop.catalogue.sells(shared::money::MAX_AMOUNT));
    let id = shop.cart_of(&[]).await.id;
    for (wanted, pointer, code) in [
        (line(a, 0), "/quantity", "out_of_range"),
        (line(a, -1), "/quantity", "out_of_range"),
        (line(a, 10_000), "/quantity", "out_of_range"),
        (line(a, i64::MAX), "/quantity", "out_of_range"),
        (line(VariantId::new(), 1), "/variant_id", "unknown_variant"),
        (line(dear, 2), "/quantity", "amount_too_large"),
    ] {
        let error = shop.carts.add_line(id, wanted.clone(), guest()).await.unwrap_err();
        assert_eq!((error.kind, &*error.code), (Kind::Invalid, code), "{wanted:?}");
        assert_eq!(error.fields[0].pointer, pointer);
        let first = line(a, 1);
        let new = NewCart { currency: None, lines: vec![first, wanted] };
        let error = shop.carts.create(new, guest()).await.unwrap_err();
        assert_eq!(&*error.code, code);
        assert!(error.fields[0].pointer.starts_with("/lines"), "{error:?}");
    }
    assert_eq!(shop.view(id).await.version, 1);
    let many: Vec<_> = (0..101).map(|_| (shop.catalogue.sells(1), 1)).collect();
    assert_eq!(shop.carts.create(new_cart(&many), guest()).await.unwrap_err().code, "too_many_lines");
    let full = shop.cart_of(&many[..100]).await;
    let error = shop.carts.add_line(full.id, line(many[100].0, 1), guest()).await.unwrap_err();
    assert_eq!(error.code, "too_many_lines");
    let same: Vec<_> = (0..1_000).map(|_| (a, 1)).collect();
    assert_eq!(quantities(&shop.cart_of(&same).await), [(a, 1_000)]);
}

#[tokio::test]
async fn more_than_there_is_is_refused_with_what_there_is() {
    let shop = shop().await;
    let a = shop.catalogue.sells(100);
    shop.catalogue.change(a, |quote| quote.available = 3);
    let cart = shop.cart_of(&[(a, 2)]).await;
    let error = shop.carts.add_line(cart.id, line(a, 2), guest()).await.unwrap_err();
    assert_eq!((error.kind, &*error.code), (Kind::Conflict, "out_of_stock"));
    let short = serde_json::json!([{"variant_id": a, "requested": 4, "available": 3}]);
    assert_eq!(error.extra["available"], short);
    let set = shop.carts.set_quantity(cart.id, cart.lines[0].id, 4, guest()).await;
    assert_eq!(set.unwrap_err().code, "out_of_stock");
    let create = shop.carts.create(new_cart(&[(a, 2), (a, 2)]), guest()).await;
    assert_eq!(create.unwrap_err().extra["available"], short);
    assert_eq!(quantities(&shop.view(cart.id).await), [(a, 2)]);
}

#[tokio::test]
async fn a_variant_that_is_gone_is_not_shown_and_leaves_at_the_next_change() {
    let shop = shop().await;
    let (gone, stays) = (shop.catalogue.sells(100), shop.catalogue.sells(200));
    let cart = shop.cart_of(&[(gone, 1), (stays, 1)]).await;
    shop.catalogue.remove(gone);
    let shown = shop.view(cart.id).await;
    assert_eq!((quantities(&shown), shown.total, shown.version), (vec![(stays, 1)], eur(200), 1));
    let set = shop.carts.set_quantity(cart.id, cart.lines[0].id, 2, guest()).await;
    assert_eq!(set.unwrap_err().kind, Kind::NotFound);
    shop.carts.add_line(cart.id, line(stays, 1), guest()).await.unwrap();
    assert_eq!(quantities(&shop.view(cart.id).await), [(stays, 2)]);
}

#[tokio::test]
async fn a_cart_with_an_owner_is_not_found_by_others() {
    let shop = shop().await;
    let (owner, stranger, a) = (CustomerId::new(), CustomerId::new(), shop.catalogue.sells(100));
    let first = shop.carts.create(new_cart(&[(a, 1)]), account(owner)).await.unwrap();
    let second = shop.carts.create(new_cart(&[(a, 2)]), account(owner)).await.unwrap();
    for cart in [&first, &second] {
        assert_eq!(cart.customer_id, Some(owner));
        assert_eq!(&shop.carts.view(cart.id, account(owner)).await.unwrap(), cart);
        for viewer in [guest(), account(stranger)] {
            let (id, line_id) = (cart.id, cart.lines[0].id);
            assert_eq!(shop.carts.view(id, viewer.clone()).await.unwrap_err().kind, Kind::NotFound);
            assert_eq!(
                shop.carts.add_line(id, line(a, 1), viewer.clone()).await.unwrap_err().kind,
                Kind::NotFound
            );
            assert_eq!(
                shop.carts.remove_line(id, line_id, viewer.clone()).await.unwrap_err().kind,
                Kind::NotFound
            );
        }
    }
    assert_eq!(shop.carts.of_customer(owner).await.unwrap().map(|cart| cart.id), Some(first.id));
    assert_eq!(shop.carts.of_customer(stranger).await.unwrap(), None);
    assert_eq!(shop.carts.view(CartId::random(), guest()).await.unwrap_err().kind, Kind::NotFound);
}

#[tokio::test]
async fn parallel_changes_lose_nothing() {
    let shop = shop().await;
    let a = shop.catalogue.sells(100);
    let id = shop.cart_of(&[]).await.id;
    let others: Vec<_> = (0..20).map(|_| shop.catalogue.sells(1)).collect();
    let changes = (0..60).map(|i| {
        let carts = shop.carts.clone();
        let wanted = if i % 3 == 0 { others[i / 3] } else { a };
        tokio::spawn(async move { carts.add_line(id, line(wanted, 1), guest()).await.unwrap() })
    });
    for change in changes.collect::<Vec<_>>() {
        change.await.unwrap();
    }
    let cart = shop.view(id).await;
    assert_eq!((cart.version, cart.lines.len()), (61, 21));
    assert_eq!(cart.lines.iter().map(|line| line.quantity).sum::<i64>(), 60);
}

#[tokio::test]
async fn two_processes_changing_one_cart_lose_nothing() {
    let shop = shop().await;
    let a = shop.catalogue.sells(100);
    let id = shop.cart_of(&[]).await.id;
    let instances = [shop.carts.clone(), shop.other_instance().await];
    let changes = instances.map(|carts| {
        tokio::spawn(async move {
            for _ in 0..25 {
                carts.add_line(id, line(a, 1), guest()).await.unwrap();
            }
        })
    });
    for change in changes {
        change.await.unwrap();
    }
    let cart = shop.view(id).await;
    assert_eq!((cart.version, quantities(&cart)), (51, vec![(a, 50)]));
}

#[tokio::test]
async fn a_completed_cart_is_frozen_and_completed_once() {
    let shop = shop().await;
    let (owner, a, order) = (CustomerId::new(), shop.catalogue.sells(100), OrderId::new());
    let cart = shop.carts.create(new_cart(&[(a, 1)]), account(owner)).await.unwrap();
    shop.carts.complete(cart.id, order).await.unwrap();
    shop.carts.complete(cart.id, order).await.unwrap();
    let other = shop.carts.complete(cart.id, OrderId::new()).await.unwrap_err();
    let change = shop.carts.add_line(cart.id, line(a, 1), account(owner)).await.unwrap_err();
    for error in [other, change] {
        assert_eq!((error.kind, &*error.code), (Kind::Conflict, "cart_completed"));
        assert_eq!(error.extra["order_id"], order.to_string());
    }
    assert_eq!(shop.told("cart.completed"), 1);
    let seen = shop.carts.view(cart.id, account(owner)).await.unwrap();
    assert_eq!((seen.order_id, seen.version), (Some(order), 2));
    // The next cart is the current one.
    assert_eq!(shop.carts.of_customer(owner).await.unwrap(), None);
    let next = shop.carts.create(new_cart(&[]), account(owner)).await.unwrap();
    assert_eq!(shop.carts.of_customer(owner).await.unwrap().map(|cart| cart.id), Some(next.id));
    assert_eq!(shop.carts.complete(CartId::random(), order).await.unwrap_err().kind, Kind::NotFound);
}

#[tokio::test]
async fn idle_carts_without_an_owner_are_deleted() {
    let shop = shop().await;
    let (owner, a) = (CustomerId::new(), shop.catalogue.sells(100));
    let idle = shop.cart_of(&[(a, 1)]).await.id;
    let owned = shop.carts.create(new_cart(&[]), account(owner)).await.unwrap().id;
    shop.clock.advance(Duration::from_secs(30 * 24 * 3_600));
    let fresh = shop.cart_of(&[(a, 1)]).await.id;
    shop.clock.advance(Duration::from_secs(1));
    let jobs = shared::jobs::Jobs::new();
    shop.carts.start(&jobs);
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while shop.carts.view(idle, guest()).await.is_ok() {
        assert!(std::time::Instant::now() < deadline, "the sweeper does not come");
        tokio::task::yield_now().await;
    }
    assert!(shop.carts.view(fresh, guest()).await.is_ok());
    assert!(shop.carts.view(owned, account(owner)).await.is_ok());
    jobs.token().cancel();
}

#[tokio::test]
async fn a_deleted_customer_leaves_no_carts() {
    let shop = shop().await;
    let owner = CustomerId::new();
    let cart = shop.carts.create(new_cart(&[(shop.catalogue.sells(1), 1)]), account(owner)).await.unwrap();
    let consumer = shop.carts.consumers().remove(0);
    assert!(consumer.hears().kinds.contains(&CustomerDeleted::TYPE));
    let event = shop.says(owner, CustomerDeleted { customer_id: owner });
    consumer.handle(&event).await.unwrap();
    assert_eq!(shop.carts.view(cart.id, account(owner)).await.unwrap_err().kind, Kind::NotFound);
}
