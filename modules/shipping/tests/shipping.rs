//! The module through its port, on a database of its own.

use std::sync::{Arc, Mutex};

use contracts::{
    Actor,
    cart::{Destination, LineId},
    customer::CustomerId,
    order::OrderId,
    shipping::{
        Method, MethodId, NewShipment, NewZone, RateRequest, RateTier, ShipmentChanged, ShipmentId,
        ShipmentLine, ShipmentStatus, ShipmentUpdate, Shipping, ZoneId,
    },
};
use shared::{
    Currency, Money, Time,
    db::{Db, Options},
    events::Envelope,
    time::ManualClock,
};
use shipping::{Service, Settings};

struct Shop {
    shipping: Arc<Service>,
    emitted: Arc<Mutex<Vec<Envelope>>>,
    _folder: tempfile::TempDir,
}

async fn shop() -> Shop {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = shared::testing::relational(folder.path(), "orders").await.expect("a database");
    let db = Db::open(&url, &Options::default()).await.expect("a database");
    db.migrate(&[shared::events::MIGRATIONS, shipping::MIGRATIONS]).await.expect("tables");
    let emitted = Arc::new(Mutex::new(Vec::new()));
    let sink = emitted.clone();
    db.watch(Arc::new(move |events| sink.lock().expect("no panic").extend_from_slice(events)));
    // A Friday, so that the windows cross a weekend.
    let clock = ManualClock::at(Time::new("2026-11-27T09:00:00Z".parse().expect("a time")));
    Shop { shipping: Service::new(db, clock, Settings::default()), emitted, _folder: folder }
}

impl Shop {
    /// The shipment events so far: their sequence and the status they tell.
    fn told(&self) -> Vec<(i64, ShipmentStatus)> {
        let events = self.emitted.lock().expect("no panic");
        events
            .iter()
            .filter(|e| e.is::<ShipmentChanged>())
            .map(|e| (e.sequence, e.parse::<ShipmentChanged>().expect("a shipment").shipment.status))
            .collect()
    }
}

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn method(name: &str, price: i64) -> Method {
    Method {
        id: MethodId::new(),
        name: name.into(),
        carrier: "DHL".into(),
        classes: Vec::new(),
        tiers: vec![RateTier { max_weight_grams: Some(30_000), min_subtotal: None, price: eur(price) }],
        free_above: vec![eur(5_000)],
        min_days: 1,
        max_days: 2,
    }
}

fn zone(name: &str, countries: &[&str], methods: Vec<Method>) -> NewZone {
    let countries = countries.iter().map(|code| code.parse().expect("a country")).collect();
    NewZone { name: name.into(), countries, methods }
}

fn request(country: &str, subtotal: i64) -> RateRequest {
    RateRequest {
        destination: Destination {
            country: country.parse().expect("a country"),
            region: None,
            postal_code: None,
        },
        subtotal: eur(subtotal),
        weight_grams: 500,
        classes: vec!["parcel".into()],
    }
}

fn parcel() -> NewShipment {
    NewShipment {
        id: ShipmentId::new(),
        order_id: OrderId::new(),
        lines: vec![ShipmentLine { line_id: LineId::new(), quantity: 2 }],
        carrier: Some(" DHL ".into()),
        tracking_number: Some("0034".into()),
        actor: Actor::Staff(CustomerId::new()),
    }
}

fn news(status: ShipmentStatus) -> ShipmentUpdate {
    ShipmentUpdate { status, carrier: None, tracking_number: None, description: None }
}

#[tokio::test]
async fn options_come_from_the_zone_of_the_country_and_are_empty_outside_all_zones() {
    let shop = shop().await;
    let methods = vec![method("Express", 990), method("Standard", 490)];
    shop.shipping.create_zone(zone("Germany", &["DE"], methods)).await.unwrap();
    shop.shipping.create_zone(zone("France", &["FR"], vec![method("Colis", 790)])).await.unwrap();
    let options = shop.shipping.options(request("DE", 4_999)).await.unwrap();
    assert_eq!(options.iter().map(|o| o.name.as_str()).collect::<Vec<_>>(), ["Standard", "Express"]);
    assert_eq!(options[0].price, eur(490));
    assert_eq!(
        (options[0].delivery.from.as_str(), options[0].delivery.to.as_str()),
        ("2026-11-30", "2026-12-01")
    );
    assert_eq!(shop.shipping.options(request("FR", 1)).await.unwrap()[0].name, "Colis");
    assert!(shop.shipping.options(request("US", 1)).await.unwrap().is_empty());
    assert!(shop.shipping.options(request("DE", 5_000)).await.unwrap().iter().all(|o| o.price == eur(0)));
}

#[tokio::test]
async fn a_country_is_in_one_zone_and_a_refused_zone_leaves_nothing_behind() {
    let shop = shop().await;
    let first = shop.shipping.create_zone(zone("Germany", &["DE"], vec![method("Post", 490)])).await.unwrap();
    let error = shop.shipping.create_zone(zone("DACH", &["AT", "DE"], Vec::new())).await.unwrap_err();
    assert_eq!((&*error.code, error.extra["country"].as_str()), ("country_taken", Some("DE")));
    assert_eq!(shop.shipping.zones().await.unwrap(), std::slice::from_ref(&first));
    let second = shop.shipping.create_zone(zone("Austria", &["AT"], Vec::new())).await.unwrap();
    let error =
        shop.shipping.update_zone(second.id, zone("Austria", &["AT", "DE"], Vec::new())).await.unwrap_err();
    assert_eq!(error.code, "country_taken");
    assert_eq!(shop.shipping.zones().await.unwrap(), [second, first]);
}

#[tokio::test]
async fn a_replaced_zone_keeps_the_ids_of_its_methods() {
    let shop = shop().await;
    let made = shop.shipping.create_zone(zone("Germany", &["DE"], vec![method("Post", 490)])).await.unwrap();
    let mut kept = made.methods[0].clone();
    kept.name = "Parcel".into();
    let changed = shop
        .shipping
        .update_zone(made.id, zone("DE+AT", &["AT", "DE"], vec![kept, method("New", 1)]))
        .await
        .unwrap();
    assert_eq!(shop.shipping.zones().await.unwrap(), std::slice::from_ref(&changed));
    assert_eq!((changed.methods[0].id, changed.methods[0].name.as_str()), (made.methods[0].id, "Parcel"));
    assert_eq!(shop.shipping.options(request("AT", 1)).await.unwrap().len(), 2);

    let stolen = zone("France", &["FR"], vec![changed.methods[0].clone()]);
    assert_eq!(shop.shipping.create_zone(stolen).await.unwrap_err().code, "method_taken");
    shop.shipping.delete_zone(made.id).await.unwrap();
    assert!(shop.shipping.options(request("AT", 1)).await.unwrap().is_empty());
    assert_eq!(shop.shipping.delete_zone(made.id).await.unwrap_err().code, "not_found");
    let nowhere = shop.shipping.update_zone(ZoneId::new(), zone("X", &["FR"], Vec::new())).await;
    assert_eq!(nowhere.unwrap_err().code, "not_found");
}

#[tokio::test]
async fn a_shipment_is_made_once_whatever_is_repeated() {
    let shop = shop().await;
    let new = parcel();
    let made = shop.shipping.create_shipment(new.clone()).await.unwrap();
    assert_eq!((made.status, made.carrier.as_deref()), (ShipmentStatus::Shipped, Some("DHL")));
    assert!(made.tracking_url.as_deref().is_some_and(|url| url.ends_with("tracking-id=0034")));
    assert_eq!((made.events.len(), made.events[0].actor), (1, new.actor));
    let repeats = (0..10).map(|_| {
        let (shipping, new) = (shop.shipping.clone(), new.clone());
        tokio::spawn(async move { shipping.create_shipment(new).await.unwrap() })
    });
    for repeat in repeats.collect::<Vec<_>>() {
        assert_eq!(repeat.await.unwrap(), made);
    }
    assert_eq!(shop.shipping.shipments(new.order_id).await.unwrap(), [made]);
    assert_eq!(shop.told(), [(1, ShipmentStatus::Shipped)]);
}

#[tokio::test]
async fn a_shipment_moves_forward_only_and_each_move_is_one_event_with_its_actor() {
    let shop = shop().await;
    let id = shop.shipping.create_shipment(parcel()).await.unwrap().id;
    let moved = shop
        .shipping
        .update_shipment(
            id,
            ShipmentUpdate { description: Some(" Hamburg ".into()), ..news(ShipmentStatus::InTransit) },
            Actor::Provider,
        )
        .await
        .unwrap();
    assert_eq!((moved.status, moved.events.len()), (ShipmentStatus::InTransit, 2));
    assert_eq!(
        (moved.events[1].description.as_deref(), moved.events[1].actor),
        (Some("Hamburg"), Actor::Provider)
    );
    let update = |status| shop.shipping.update_shipment(id, news(status), Actor::System);
    assert_eq!(update(ShipmentStatus::InTransit).await.unwrap(), moved);
    let error = update(ShipmentStatus::Shipped).await.unwrap_err();
    assert_eq!((&*error.code, error.extra["from"].as_str()), ("illegal_transition", Some("in_transit")));
    assert_eq!(update(ShipmentStatus::Delivered).await.unwrap().status, ShipmentStatus::Delivered);
    assert_eq!(update(ShipmentStatus::Pending).await.unwrap_err().code, "illegal_transition");
    use ShipmentStatus::{Delivered, InTransit, Shipped};
    assert_eq!(shop.told(), [(1, Shipped), (2, InTransit), (3, Delivered)]);
}

#[tokio::test]
async fn many_carriers_calling_at_once_write_one_event() {
    let shop = shop().await;
    let id = shop.shipping.create_shipment(parcel()).await.unwrap().id;
    let calls = (0..20).map(|_| {
        let shipping = shop.shipping.clone();
        tokio::spawn(async move {
            shipping.update_shipment(id, news(ShipmentStatus::Delivered), Actor::Provider).await.unwrap()
        })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().events.len(), 2);
    }
    assert_eq!(shop.told().len(), 2);
}

#[tokio::test]
async fn a_tracking_number_may_come_later() {
    let shop = shop().await;
    let new = NewShipment { carrier: None, tracking_number: None, ..parcel() };
    let made = shop.shipping.create_shipment(new).await.unwrap();
    assert_eq!(made.tracking_url, None);
    let update = ShipmentUpdate {
        carrier: Some("UPS".into()),
        tracking_number: Some("1Z".into()),
        ..news(ShipmentStatus::InTransit)
    };
    let moved = shop.shipping.update_shipment(made.id, update, Actor::System).await.unwrap();
    assert_eq!(moved.tracking_url.as_deref(), Some("https://www.ups.com/track?tracknum=1Z"));
}

#[tokio::test]
async fn a_shipment_without_goods_is_refused_and_lines_of_one_item_are_summed() {
    let shop = shop().await;
    for lines in [Vec::new(), vec![ShipmentLine { line_id: LineId::new(), quantity: 0 }]] {
        let error = shop.shipping.create_shipment(NewShipment { lines, ..parcel() }).await.unwrap_err();
        assert_eq!(error.kind, shared::Kind::Invalid);
    }
    let line = ShipmentLine { line_id: LineId::new(), quantity: 2 };
    let new = NewShipment { lines: vec![line.clone(), line], ..parcel() };
    assert_eq!(shop.shipping.create_shipment(new).await.unwrap().lines[0].quantity, 4);
    assert_eq!(shop.shipping.shipment(ShipmentId::new()).await.unwrap_err().code, "not_found");
}
