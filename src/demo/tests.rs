use std::collections::HashSet;

use contracts::{
    order::{FulfillmentStatus, ImportOrder},
    payment::ImportPayment,
    shipping::{NewZone, Zone, ZoneId},
};
use shared::{Money, Time};

use super::*;
use crate::import::tests::double;

fn now() -> Time {
    "2026-11-23T20:15:00Z".parse::<chrono::DateTime<chrono::Utc>>().map(Time::new).unwrap()
}

fn terms() -> Terms {
    let zone = |NewZone { name, countries, methods }| Zone { id: ZoneId::new(), name, countries, methods };
    let rate = |rate| contracts::cart::TaxRate { id: contracts::cart::TaxRateId::new(), rate };
    Terms {
        now: now(),
        zones: shop::zones().unwrap().into_iter().map(zone).collect(),
        tax_rates: shop::tax_rates().unwrap().into_iter().map(rate).collect(),
    }
}

/// The whole history as it would be imported.
fn records() -> Vec<(ImportOrder, ImportPayment)> {
    let catalogue = Catalogue::load().unwrap();
    let history = History::draw(&catalogue, SHOPPERS, now(), SEED).unwrap();
    let products: Vec<Product> =
        catalogue.products.iter().map(|p| double::product(&p.import(&BTreeMap::new(), 0))).collect();
    let (terms, customers) = (terms(), HashMap::new());
    let record = |(n, order): (usize, &baskets::Order)| {
        past(format!("demo:{n}"), order, &history, &customers, &products).unwrap().record(&terms).unwrap()
    };
    history.orders.iter().enumerate().map(record).collect()
}

#[test]
fn every_product_of_the_catalogue_can_be_taken() {
    let catalogue = Catalogue::load().unwrap();
    let slugs: HashSet<&str> = catalogue.products.iter().map(|product| product.slug.as_str()).collect();
    let categories: BTreeMap<_, _> =
        catalogue.categories.iter().map(|category| (category.slug.clone(), CategoryId::new())).collect();
    let pictures: HashSet<String> = media::all().into_iter().collect();
    let mut skus = HashSet::new();
    assert_eq!((catalogue.products.len(), slugs.len()), (64, 64));
    for source in &catalogue.products {
        let product = source.import(&categories, 0).product;
        assert_eq!(product.category_ids.len(), source.categories.len(), "{}", source.slug);
        assert!(source.bought_together.iter().all(|other| slugs.contains(other.as_str())), "{}", source.slug);
        let offers = |name: &String, value: &String| {
            let option = product.options.iter().find(|option| option.name == *name);
            option.is_some_and(|option| option.values.iter().any(|known| known.value == *value))
        };
        let mut combinations = HashSet::new();
        for variant in &product.variants {
            assert_eq!(variant.options.len(), product.options.len(), "{}", variant.sku);
            assert!(variant.options.iter().all(|(name, value)| offers(name, value)), "{}", variant.sku);
            assert!(
                skus.insert(variant.sku.clone()) && combinations.insert(variant.options.clone()),
                "{}",
                variant.sku
            );
            assert_eq!(variant.prices.len(), 3, "{}", variant.sku);
            for former in &variant.compare_at_prices {
                assert!(
                    variant.prices.iter().any(|p| p.currency == former.currency && p.amount < former.amount)
                );
            }
        }
        for (image, picture) in product.images.iter().zip(&source.images) {
            assert!(pictures.contains(&picture.file) && image.width > 0, "{}", image.file);
            assert!(
                !image.options.is_empty() && image.options.iter().all(|(name, value)| offers(name, value))
            );
        }
    }
}

#[test]
fn facts_are_written_for_people() {
    let catalogue = Catalogue::load().unwrap();
    let attributes = |slug: &str| {
        let product = catalogue.products.iter().find(|product| product.slug == slug).unwrap();
        product.import(&BTreeMap::new(), 0).product.attributes
    };
    let vase = attributes("terra-bottle-vase");
    assert_eq!(vase["dimensions"], "132 × 132 × 280 mm");
    assert_eq!((vase["weight"].as_str(), vase["capacity"].as_str()), ("1,180 g", "1,400 ml"));
    assert_eq!(attributes("noon-desk-clock")["battery"], "1 x AA");
}

#[test]
fn every_order_adds_up() {
    for (order, payment) in records() {
        let sum = |of: fn(&contracts::cart::PricedLine) -> Money| {
            Money::sum(order.currency, order.lines.iter().map(of)).unwrap()
        };
        for line in &order.lines {
            assert_eq!(line.subtotal, line.unit_price.times(line.quantity).unwrap());
            assert_eq!(
                line.total,
                line.subtotal.sub(line.discount).unwrap(),
                "every country of the history has its tax inside"
            );
            assert!(line.tax.amount >= 0 && line.tax.amount < line.total.amount);
        }
        let total = sum(|line| line.subtotal)
            .sub(sum(|line| line.discount))
            .unwrap()
            .add(order.shipping.price)
            .unwrap();
        assert_eq!((payment.amount, payment.order_id, payment.refunded.amount), (total, order.id(), 0));
        let taxed = Money::sum(order.currency, order.tax_lines.iter().map(|line| line.tax)).unwrap();
        assert_eq!(taxed, order.tax_total);
        for line in &order.tax_lines {
            assert_eq!(line.net.add(line.tax).unwrap(), total);
            let exact = line.net.amount * line.rate_basis_points / 10_000;
            assert!((exact - line.tax.amount).abs() <= 1 + order.lines.len() as i64, "rounded line by line");
        }
        assert_eq!(order.tax_lines.is_empty(), matches!(order.address.country.code(), "US" | "CA"));
    }
}

#[test]
fn a_year_of_orders_looks_like_one() {
    let orders: Vec<ImportOrder> = records().into_iter().map(|(order, _)| order).collect();
    assert!((850..1_250).contains(&orders.len()), "{}", orders.len());
    let oldest = now().before(std::time::Duration::from_secs(14 * 30 * 86_400));
    assert!(
        orders
            .iter()
            .all(|order| order.placed_at > oldest && order.placed_at < now() && !order.lines.is_empty())
    );
    assert!(orders.is_sorted_by_key(|order| order.placed_at));

    let half =
        orders.iter().filter(|order| order.placed_at.since(oldest).as_secs() < 7 * 30 * 86_400).count();
    assert!(half * 5 < orders.len() * 2, "{half}: the shop grows");
    let count = |status| orders.iter().filter(|order| order.fulfillment_status == status).count();
    use FulfillmentStatus::{Delivered, PartiallyShipped, Shipped, Unfulfilled};
    let states = [Unfulfilled, PartiallyShipped, Shipped, Delivered].map(count);
    assert!(states.iter().all(|count| *count > 0) && states[3] * 10 > orders.len() * 9, "{states:?}");
    let sold: HashSet<&str> =
        orders.iter().flat_map(|order| &order.lines).map(|line| line.slug.as_str()).collect();
    assert_eq!(sold.len(), 64, "everything is bought by somebody");
    assert!(orders.iter().all(|order| !order.shipping.carrier.is_empty()), "there is a way to everybody");

    let own: Vec<_> = orders.iter().filter(|order| order.email.as_str() == SHOPPER).collect();
    assert_eq!(own.len(), 5);
    assert_eq!((own[0].fulfillment_status, own[4].fulfillment_status), (Delivered, Unfulfilled));
    assert!(own.iter().all(|order| order.address.country.code() == "DE"));
}

#[test]
fn the_history_is_the_same_each_time() {
    let json = |records: &[(ImportOrder, ImportPayment)]| serde_json::to_string(records).unwrap();
    // Zones have new ids each time, methods do not.
    assert_eq!(json(&records()), json(&records()));
}

#[test]
fn prices_of_shipping_end_in_ninety() {
    for tier in shop::zones().unwrap().iter().flat_map(|zone| &zone.methods).flat_map(|method| &method.tiers)
    {
        assert_eq!(tier.price.amount % 100, 90);
    }
}

/// A shop of our own modules on empty databases.
async fn app(folder: &std::path::Path) -> crate::App {
    let folder = folder.to_str().unwrap();
    crate::App::build(crate::Settings::with(&[("data_dir", folder)]).unwrap()).await.unwrap()
}

async fn orders_placed(app: &crate::App) -> i64 {
    app.ports.orders.summary(Time::from_micros(0), now()).await.unwrap().orders
}

#[tokio::test]
async fn the_demo_shop_opens_and_a_second_load_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path()).await;
    let clock = shared::time::ManualClock::at(now());
    let first = load(&app.ports, &*clock, &Progress::new(false)).await.unwrap();
    assert_eq!((first.products, first.created, first.failed), (64, 64, 0));
    assert_eq!(orders_placed(&app).await, first.orders as i64);
    let offers = app.ports.carts.promotions(shared::PageRequest::default()).await.unwrap().data.len();

    let second = load(&app.ports, &*clock, &Progress::new(false)).await.unwrap();
    assert_eq!((second.products, second.created, second.failed), (64, 0, 0));
    assert_eq!(orders_placed(&app).await, first.orders as i64);
    assert_eq!(app.ports.carts.promotions(shared::PageRequest::default()).await.unwrap().data.len(), offers);
    assert_eq!(app.ports.products.collections().await.unwrap().len(), 5);
    let waiting = contracts::review::QueueFilter {
        status: Some(contracts::review::ReviewStatus::Pending),
        ..Default::default()
    };
    assert_eq!(app.ports.reviews.queue(waiting, shared::PageRequest::default()).await.unwrap().data.len(), 5);
    assert_eq!(app.ports.reviews.rebuild().await.unwrap().corrected, 0);

    for (email, password, _, role) in LOGINS {
        let (email, password) = (email.parse().unwrap(), password.to_owned());
        let login = contracts::customer::Login { email, password, user_agent: None };
        let customer = app.ports.customers.log_in(login).await.unwrap().customer;
        let staff = app.ports.customers.staff().await.unwrap();
        let roles = staff.into_iter().find(|member| member.id == customer.id).map(|member| member.roles);
        assert_eq!(roles, role.map(|role| vec![role.to_owned()]));
        assert!(customer.email_verified);
    }
}

#[tokio::test]
async fn made_up_data_of_one_seed_grows_and_is_never_made_twice() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path()).await;
    let clock = shared::time::ManualClock::at(now());
    let make = async |products, orders| {
        crate::seed::synthetic(&app.ports, &*clock, products, orders, 1, &Progress::new(false)).await.unwrap()
    };
    let first = make(250, 60).await;
    assert_eq!((first.products, first.created, first.failed), (250, 250, 0));
    let second = make(450, 90).await;
    assert_eq!((second.products, second.created, second.failed), (450, 200, 0));
    assert_eq!(orders_placed(&app).await, 90);
    make(450, 90).await;
    assert_eq!(orders_placed(&app).await, 90);
}
