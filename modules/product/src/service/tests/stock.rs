mod documents;
mod levels;
mod races;

use std::time::Duration;

use contracts::{
    Actor,
    order::OrderId,
    product::stock::{Adjustment, LevelFilter, MovementId, StockChanged, StockLine},
};
use proptest::{prelude::*, test_runner::TestRunner};
use shared::{Kind, events::Envelope};

use super::*;

fn line(variant_id: VariantId, quantity: i64) -> StockLine {
    StockLine { variant_id, quantity }
}

impl Shop {
    fn soon(&self) -> Time {
        self.clock.now().after(Duration::from_secs(900))
    }

    async fn reserve(&self, order: OrderId, lines: Vec<StockLine>) -> Result<()> {
        self.stock().reserve(order, lines, self.soon()).await
    }

    /// on hand and reserved at the first place.
    async fn level(&self, variant: VariantId) -> (i64, i64) {
        let filter = LevelFilter { variant_ids: vec![variant], ..LevelFilter::default() };
        let levels = self.stock().levels(filter, PageRequest::default()).await.unwrap().data;
        levels.first().map_or((0, 0), |level| (level.on_hand, level.reserved))
    }

    async fn moved(&self, variant: VariantId) -> i64 {
        let page = PageRequest { limit: 100, cursor: None };
        let movements = self.stock().movements(variant, page).await.unwrap();
        assert!(movements.next_cursor.is_none());
        movements.data.iter().map(|movement| movement.delta).sum()
    }
}

fn adjustment(variant_id: VariantId, delta: i64) -> Adjustment {
    let reason = "counted".into();
    Adjustment { id: MovementId::new(), variant_id, location_id: None, delta, reason, actor: Actor::System }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_who_want_the_last_ten_exactly_ten_get_one() {
    let shop = Shop::open().await;
    let (product, variant) = shop.simple("A", 10).await;
    let until = shop.soon();
    let rush = (0..200).map(|_| {
        let service = shop.service.clone();
        tokio::spawn(async move { service.reserve(OrderId::new(), vec![line(variant, 1)], until).await })
    });
    let mut won = 0;
    for done in futures::future::join_all(rush).await {
        match done.unwrap() {
            Ok(()) => won += 1,
            Err(error) => assert_eq!((error.kind, error.code.as_ref()), (Kind::Conflict, "out_of_stock")),
        }
    }
    assert_eq!(won, 10);
    assert_eq!(shop.level(variant).await, (10, 10));
    assert_eq!(shop.available(product.id).await, 0);
}

#[tokio::test]
async fn two_lines_of_one_item_are_one_claim() {
    let shop = Shop::open().await;
    let (_, variant) = shop.simple("A", 3).await;
    let error = shop.reserve(OrderId::new(), vec![line(variant, 2), line(variant, 2)]).await.unwrap_err();
    assert_eq!(error.extra["available"], json!([{"variant_id": variant, "requested": 4, "available": 3}]));
    shop.reserve(OrderId::new(), vec![line(variant, 2), line(variant, 1)]).await.unwrap();
    assert_eq!(shop.level(variant).await, (3, 3));
}

#[tokio::test]
async fn a_reservation_takes_all_or_nothing_and_names_all_that_is_missing() {
    let shop = Shop::open().await;
    let (_, a) = shop.simple("A", 5).await;
    let (_, b) = shop.simple("B", 1).await;
    let unknown = VariantId::new();
    let lines = vec![line(b, 2), line(a, 1), line(unknown, 1)];
    let error = shop.reserve(OrderId::new(), lines).await.unwrap_err();
    let missing: Vec<_> =
        error.extra["available"].as_array().unwrap().iter().map(|m| m["variant_id"].clone()).collect();
    assert!(missing.len() == 2 && missing.contains(&json!(b)) && missing.contains(&json!(unknown)));
    assert_eq!(shop.level(a).await, (5, 0));
    let none = shop.reserve(OrderId::new(), vec![line(a, 0)]).await.unwrap_err();
    assert_eq!(none.fields[0].pointer, "/lines/0/quantity");
}

#[tokio::test]
async fn an_order_reserves_commits_and_releases_once() {
    let shop = Shop::open().await;
    let (_, variant) = shop.simple("A", 5).await;
    let order = OrderId::new();
    for _ in 0..2 {
        shop.reserve(order, vec![line(variant, 2)]).await.unwrap();
        assert_eq!(shop.level(variant).await, (5, 2));
    }
    for _ in 0..2 {
        shop.stock().release(order).await.unwrap();
        assert_eq!(shop.level(variant).await, (5, 0));
    }
    // Released, it can be tried anew.
    shop.reserve(order, vec![line(variant, 3)]).await.unwrap();
    for _ in 0..2 {
        shop.stock().commit(order).await.unwrap();
        assert_eq!(shop.level(variant).await, (2, 0));
    }
    shop.stock().release(order).await.unwrap();
    shop.reserve(order, vec![line(variant, 3)]).await.unwrap();
    assert_eq!(shop.level(variant).await, (2, 0));
    assert_eq!(shop.moved(variant).await, 2);
    assert_eq!(shop.stock().commit(OrderId::new()).await.unwrap_err().kind, Kind::NotFound);
    shop.stock().release(OrderId::new()).await.unwrap();
}

#[tokio::test]
async fn the_sweeper_gives_back_what_nobody_paid_for() {
    let shop = Shop::open().await;
    let (_, variant) = shop.simple("A", 5).await;
    let (paid, forgotten) = (OrderId::new(), OrderId::new());
    shop.reserve(paid, vec![line(variant, 1)]).await.unwrap();
    shop.stock().commit(paid).await.unwrap();
    shop.reserve(forgotten, vec![line(variant, 3)]).await.unwrap();
    shop.clock.advance(Duration::from_secs(899));
    shop.service.sweep().await.unwrap();
    assert_eq!(shop.level(variant).await, (4, 3));
    shop.clock.advance(Duration::from_secs(1));
    shop.service.sweep().await.unwrap();
    assert_eq!(shop.level(variant).await, (4, 0));
    // The payment came late: the goods are still there.
    shop.stock().commit(forgotten).await.unwrap();
    assert_eq!(shop.level(variant).await, (1, 0));
}

#[tokio::test]
async fn an_expired_reservation_whose_goods_are_gone_cannot_be_committed() {
    let shop = Shop::open().await;
    let (_, variant) = shop.simple("A", 2).await;
    let late = OrderId::new();
    shop.reserve(late, vec![line(variant, 2)]).await.unwrap();
    shop.clock.advance(Duration::from_secs(901));
    shop.service.sweep().await.unwrap();
    shop.reserve(OrderId::new(), vec![line(variant, 1)]).await.unwrap();
    for _ in 0..2 {
        let error = shop.stock().commit(late).await.unwrap_err();
        assert_eq!((error.kind, error.code.as_ref()), (Kind::Conflict, "reservation_expired"));
    }
    assert_eq!(shop.level(variant).await, (2, 1));
}

#[tokio::test]
async fn orders_take_from_the_first_place_first() {
    let shop = Shop::open().await;
    let (product, variant) = shop.simple("A", 2).await;
    let far = shop.stock().create_location(parse(json!({"name": "Far", "priority": 5}))).await.unwrap();
    let there = Adjustment { location_id: Some(far.id), ..adjustment(variant, 3) };
    shop.stock().adjust(there).await.unwrap();
    assert_eq!(shop.available(product.id).await, 5);
    let order = OrderId::new();
    shop.reserve(order, vec![line(variant, 4)]).await.unwrap();
    let levels = async || {
        let page = shop.stock().levels(LevelFilter::default(), PageRequest::default()).await.unwrap();
        let mut levels: Vec<_> =
            page.data.iter().map(|l| (l.location_id == far.id, l.on_hand, l.reserved)).collect();
        levels.sort();
        levels
    };
    assert_eq!(levels().await, [(false, 2, 2), (true, 3, 2)]);
    shop.stock().commit(order).await.unwrap();
    assert_eq!(levels().await, [(false, 0, 0), (true, 1, 0)]);
}

#[tokio::test]
async fn an_adjustment_happens_once_and_never_takes_what_is_claimed() {
    let shop = Shop::open().await;
    let (_, variant) = shop.simple("A", 5).await;
    let more = adjustment(variant, 3);
    for _ in 0..2 {
        assert_eq!(shop.stock().adjust(more.clone()).await.unwrap().on_hand, 8);
    }
    shop.reserve(OrderId::new(), vec![line(variant, 6)]).await.unwrap();
    let error = shop.stock().adjust(adjustment(variant, -3)).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_ref()), (Kind::Conflict, "insufficient_stock"));
    assert_eq!(shop.stock().adjust(adjustment(variant, -2)).await.unwrap().available, 0);
    assert_eq!(shop.moved(variant).await, 6);
    for (wrong, pointer) in [
        (adjustment(variant, 0), "/delta"),
        (adjustment(variant, 1_000_001), "/delta"),
        (Adjustment { reason: " ".into(), ..adjustment(variant, 1) }, "/reason"),
        (Adjustment { reason: "x".repeat(201), ..adjustment(variant, 1) }, "/reason"),
    ] {
        assert_eq!(shop.stock().adjust(wrong).await.unwrap_err().fields[0].pointer, pointer);
    }
    assert_eq!(shop.stock().adjust(adjustment(VariantId::new(), 1)).await.unwrap_err().kind, Kind::NotFound);
}

#[tokio::test]
async fn goods_come_back_once() {
    let shop = Shop::open().await;
    let (_, a) = shop.simple("A", 5).await;
    let (_, b) = shop.simple("B", 5).await;
    let order = OrderId::new();
    shop.reserve(order, vec![line(a, 2), line(b, 1)]).await.unwrap();
    shop.stock().commit(order).await.unwrap();
    let id = MovementId::new();
    for _ in 0..2 {
        let lines = vec![line(a, 1), line(b, 1), line(a, 1)];
        shop.stock().restock(id, order, lines, Actor::System).await.unwrap();
        assert_eq!((shop.level(a).await, shop.level(b).await), ((5, 0), (5, 0)));
    }
    assert_eq!(shop.moved(a).await, 5);
}

#[tokio::test]
async fn what_is_not_tracked_is_always_there() {
    let shop = Shop::open().await;
    let mut service = simple("S", 0);
    service["variants"][0]["tracked"] = json!(false);
    let product = shop.create(service).await;
    let variant = product.variants[0].id;
    let order = OrderId::new();
    shop.reserve(order, vec![line(variant, 1000)]).await.unwrap();
    shop.stock().commit(order).await.unwrap();
    assert_eq!(shop.moved(variant).await, 0);
    assert!(shop.products().view(product.slug, euros()).await.unwrap().variants[0].in_stock);
}

#[tokio::test]
async fn a_change_of_stock_says_what_is_left_and_when_it_flips() {
    let shop = Shop::open().await;
    let (_, variant) = shop.simple("A", 2).await;
    let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
    let ears = heard.clone();
    shop.db.watch(Arc::new(move |events: &[Envelope]| {
        let changes = events.iter().filter(|event| event.is::<StockChanged>());
        let items = changes.flat_map(|event| event.parse::<StockChanged>().unwrap().items);
        ears.lock().unwrap().extend(items.map(|item| (item.available, item.flipped)));
    }));
    let (first, second) = (OrderId::new(), OrderId::new());
    shop.reserve(first, vec![line(variant, 1)]).await.unwrap();
    shop.reserve(second, vec![line(variant, 1)]).await.unwrap();
    assert!(shop.reserve(OrderId::new(), vec![line(variant, 1)]).await.is_err());
    shop.stock().commit(first).await.unwrap();
    shop.stock().release(second).await.unwrap();
    shop.stock().adjust(adjustment(variant, -1)).await.unwrap();
    shop.stock().restock(MovementId::new(), first, vec![line(variant, 1)], Actor::System).await.unwrap();
    // A sale takes what was claimed before: nothing that can be sold has changed.
    let wanted = [(1, false), (0, true), (1, true), (0, true), (1, true)];
    assert_eq!(*heard.lock().unwrap(), wanted);
}

#[derive(Clone, Debug)]
enum Step {
    Reserve(usize, i64),
    Commit(usize),
    Release(usize),
    Restock(usize, i64),
    Adjust(i64),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_usize..4, 1_i64..6).prop_map(|(order, units)| Step::Reserve(order, units)),
        (0_usize..4).prop_map(Step::Commit),
        (0_usize..4).prop_map(Step::Release),
        (0_usize..4, 1_i64..3).prop_map(|(order, units)| Step::Restock(order, units)),
        (-6_i64..6).prop_filter("not 0", |delta| *delta != 0).prop_map(Step::Adjust),
        (0_u64..1000).prop_map(Step::Wait),
    ]
}

async fn take_steps(shop: &Shop, steps: Vec<Step>) {
    let (_, variant) = shop.simple(&OrderId::new().to_string(), 8).await;
    let orders: [OrderId; 4] = std::array::from_fn(|_| OrderId::new());
    for step in steps {
        // Refusals are part of the game; what matters is what they leave behind.
        let _refused = match step {
            Step::Reserve(order, units) => shop.reserve(orders[order], vec![line(variant, units)]).await,
            Step::Commit(order) => shop.stock().commit(orders[order]).await,
            Step::Release(order) => shop.stock().release(orders[order]).await,
            Step::Restock(order, units) => {
                let lines = vec![line(variant, units)];
                shop.stock().restock(MovementId::new(), orders[order], lines, Actor::Guest).await
            }
            Step::Adjust(delta) => shop.stock().adjust(adjustment(variant, delta)).await.map(drop),
            Step::Wait(seconds) => {
                shop.clock.advance(Duration::from_secs(seconds));
                shop.service.sweep().await
            }
        };
        let (on_hand, reserved) = shop.level(variant).await;
        assert!(0 <= reserved && reserved <= on_hand, "{on_hand} {reserved}");
        assert_eq!(shop.moved(variant).await, on_hand);
    }
    for order in orders {
        shop.stock().release(order).await.unwrap();
    }
    assert_eq!(shop.level(variant).await.1, 0);
}

#[test]
fn the_movements_add_up_to_what_is_on_hand() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let shop = runtime.block_on(Shop::open());
    let mut runner = TestRunner::new(ProptestConfig { cases: 24, ..ProptestConfig::default() });
    let done = runner.run(&prop::collection::vec(step(), 1..30), |steps| {
        runtime.block_on(take_steps(&shop, steps));
        Ok(())
    });
    done.unwrap();
}
