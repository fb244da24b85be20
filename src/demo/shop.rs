//! How the demo shop sends, what its countries take, and what it offers.

use contracts::Ports;
use contracts::{
    cart::{NewPromotion, NewTaxRate, PromotionKind},
    product::Product,
    shipping::{Method, MethodId, NewZone, RateTier},
};
use shared::{Currency, Money, PageRequest, Result};

/// Countries with the same ways to send. Prices are in euro cents, by weight; days are working days.
struct ZonePlan {
    key: &'static str,
    name: &'static str,
    countries: &'static [&'static str],
    carrier: &'static str,
    standard: [i64; 3],
    standard_days: (i64, i64),
    express: [i64; 3],
    express_days: (i64, i64),
    freight: [i64; 2],
    freight_days: (i64, i64),
}

/// A parcel weighs at most this, in grams, for the price of its place.
const PARCEL_TIERS: [i64; 3] = [2_000, 10_000, 31_500];
/// Furniture up to this many grams, and anything heavier.
const FREIGHT_TIERS: [Option<i64>; 2] = [Some(30_000), None];
/// Standard parcels cost nothing from here on.
const FREE_ABOVE: [(&str, i64); 3] = [("EUR", 7_500), ("USD", 8_500), ("GBP", 6_500)];

const ZONES: [ZonePlan; 5] = [
    ZonePlan {
        key: "de",
        name: "Germany",
        countries: &["DE"],
        carrier: "DHL",
        standard: [490, 690, 1_290],
        standard_days: (1, 3),
        express: [1_290, 1_690, 2_490],
        express_days: (1, 1),
        freight: [3_990, 6_990],
        freight_days: (3, 7),
    },
    ZonePlan {
        key: "eu",
        name: "European Union",
        countries: &[
            "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "GR", "HU", "IE", "IT", "LV", "LT",
            "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE",
        ],
        carrier: "DPD",
        standard: [890, 1_290, 2_290],
        standard_days: (3, 6),
        express: [2_290, 2_990, 4_490],
        express_days: (1, 2),
        freight: [6_990, 10_990],
        freight_days: (5, 10),
    },
    ZonePlan {
        key: "gb",
        name: "United Kingdom",
        countries: &["GB"],
        carrier: "Royal Mail",
        standard: [990, 1_490, 2_490],
        standard_days: (3, 6),
        express: [2_490, 3_490, 4_990],
        express_days: (1, 2),
        freight: [7_990, 12_990],
        freight_days: (6, 12),
    },
    ZonePlan {
        key: "ch-no",
        name: "Switzerland and Norway",
        countries: &["CH", "LI", "NO"],
        carrier: "DHL",
        standard: [1_190, 1_690, 2_990],
        standard_days: (3, 6),
        express: [2_990, 3_990, 5_990],
        express_days: (2, 3),
        freight: [8_990, 13_990],
        freight_days: (6, 12),
    },
    ZonePlan {
        key: "na",
        name: "United States and Canada",
        countries: &["US", "CA"],
        carrier: "UPS",
        standard: [1_490, 2_990, 5_990],
        standard_days: (6, 12),
        express: [3_990, 6_990, 11_990],
        express_days: (2, 4),
        freight: [14_990, 24_990],
        freight_days: (12, 25),
    },
];

/// Standard rates of value-added tax in basis points; prices contain them.
const VAT: [(&str, i64); 30] = [
    ("AT", 2_000),
    ("BE", 2_100),
    ("BG", 2_000),
    ("HR", 2_500),
    ("CY", 1_900),
    ("CZ", 2_100),
    ("DK", 2_500),
    ("EE", 2_400),
    ("FI", 2_550),
    ("FR", 2_000),
    ("DE", 1_900),
    ("GR", 2_400),
    ("HU", 2_700),
    ("IE", 2_300),
    ("IT", 2_200),
    ("LV", 2_100),
    ("LT", 2_100),
    ("LU", 1_700),
    ("MT", 1_800),
    ("NL", 2_100),
    ("PL", 2_300),
    ("PT", 2_300),
    ("RO", 2_100),
    ("SK", 2_300),
    ("SI", 2_200),
    ("ES", 2_100),
    ("SE", 2_500),
    ("GB", 2_000),
    ("CH", 810),
    ("NO", 2_500),
];

/// Sales tax of the states where the shop collects it, added to prices.
const SALES_TAX: [(&str, i64); 4] = [("CA", 725), ("NY", 400), ("TX", 625), ("WA", 650)];

/// Makes zones and tax rates where there are none.
pub(crate) async fn open(ports: &Ports) -> Result<()> {
    if ports.shipping.zones().await?.is_empty() {
        for zone in zones()? {
            ports.shipping.create_zone(zone).await?;
        }
    }
    if ports.carts.tax_rates().await?.is_empty() {
        for rate in tax_rates()? {
            ports.carts.put_tax_rate(rate).await?;
        }
    }
    Ok(())
}

/// Makes the offers whose code or title nobody has yet.
pub(crate) async fn promote(ports: &Ports, products: &[Product]) -> Result<()> {
    let there = ports.carts.promotions(PageRequest { limit: 100, cursor: None }).await?.data;
    for offer in promotions(products)? {
        if !there.iter().any(|promotion| promotion.terms.title == offer.title) {
            ports.carts.create_promotion(offer).await?;
        }
    }
    Ok(())
}

pub(super) fn zones() -> Result<Vec<NewZone>> {
    ZONES.iter().map(zone).collect()
}

fn zone(plan: &ZonePlan) -> Result<NewZone> {
    let method = |kind: &str, name: &str, classes: &[&str], (min_days, max_days)| Method {
        id: MethodId::derived(&format!("demo:{}:{kind}", plan.key)),
        name: name.to_owned(),
        carrier: plan.carrier.to_owned(),
        classes: classes.iter().map(|class| (*class).to_owned()).collect(),
        tiers: Vec::new(),
        free_above: Vec::new(),
        min_days,
        max_days,
    };
    let parcel = PARCEL_TIERS.map(Some);
    let methods = vec![
        Method {
            tiers: tiers(&parcel, &plan.standard)?,
            free_above: FREE_ABOVE
                .iter()
                .map(|(code, amount)| Ok(Money::new(*amount, code.parse()?)))
                .collect::<Result<_>>()?,
            ..method("standard", "Standard", &["parcel"], plan.standard_days)
        },
        Method {
            tiers: tiers(&parcel, &plan.express)?,
            ..method("express", "Express", &["parcel"], plan.express_days)
        },
        Method {
            tiers: tiers(&FREIGHT_TIERS, &plan.freight)?,
            ..method("freight", "Freight, carried to your room", &["parcel", "bulky"], plan.freight_days)
        },
    ];
    let countries = plan.countries.iter().map(|code| code.parse()).collect::<Result<_>>()?;
    Ok(NewZone { name: plan.name.to_owned(), countries, methods })
}

/// Each weight in each currency.
fn tiers(weights: &[Option<i64>], euro_cents: &[i64]) -> Result<Vec<RateTier>> {
    let mut tiers = Vec::new();
    for (code, percent) in [("EUR", 100), ("USD", 110), ("GBP", 86)] {
        let currency: Currency = code.parse()?;
        tiers.extend(weights.iter().zip(euro_cents).map(|(max_weight_grams, cents)| RateTier {
            max_weight_grams: *max_weight_grams,
            min_subtotal: None,
            price: Money::new(to_ninety(cents * percent / 100), currency),
        }));
    }
    Ok(tiers)
}

/// The nearest amount that ends in 90.
fn to_ninety(amount: i64) -> i64 {
    ((amount + 60) / 100 * 100 - 10).max(90)
}

pub(super) fn tax_rates() -> Result<Vec<NewTaxRate>> {
    let mut rates = Vec::new();
    let mut add = |country: &str, region: Option<&str>, basis_points: i64, name: String, included| {
        rates.push(NewTaxRate {
            country: country.parse()?,
            region: region.map(str::to_owned),
            tax_class: "standard".to_owned(),
            name,
            rate_basis_points: basis_points,
            included,
        });
        Ok::<_, shared::Error>(())
    };
    for (country, rate) in VAT {
        add(country, None, rate, format!("VAT {} %", percent(rate)), true)?;
    }
    for (state, rate) in SALES_TAX {
        add("US", Some(state), rate, format!("{state} sales tax {} %", percent(rate)), false)?;
    }
    add("US", None, 0, "No sales tax".to_owned(), false)?;
    Ok(rates)
}

/// `1900` as `19`, `2550` as `25.5`.
fn percent(basis_points: i64) -> String {
    let text = format!("{}.{:02}", basis_points / 100, basis_points % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn promotions(products: &[Product]) -> Result<Vec<NewPromotion>> {
    let euro = |amount| Money::new(amount, Currency::EUR);
    let of_scent = |product: &&Product| {
        product.tags.iter().any(|tag| matches!(tag.as_str(), "candle" | "scent" | "bath"))
    };
    let offer = |title: &str, code: Option<&str>, kind, value| NewPromotion {
        title: Some(title.to_owned()),
        code: code.map(str::to_owned),
        kind,
        value,
        currency: None,
        buy_quantity: None,
        get_quantity: None,
        starts_at: None,
        ends_at: None,
        usage_limit: None,
        usage_limit_per_customer: None,
        minimum_subtotal: None,
        category_ids: Vec::new(),
        product_ids: Vec::new(),
        combinable: true,
        enabled: true,
    };
    Ok(vec![
        NewPromotion {
            usage_limit_per_customer: Some(1),
            ..offer("10 % off your first order", Some("WELCOME10"), PromotionKind::Percentage, 10)
        },
        NewPromotion {
            minimum_subtotal: Some(euro(3_000)),
            ..offer("Free shipping from 30 €", Some("FREESHIP"), PromotionKind::FreeShipping, 0)
        },
        NewPromotion {
            currency: Some(Currency::EUR),
            combinable: false,
            ..offer("5 € off", Some("BODEGA5"), PromotionKind::Fixed, 500)
        },
        NewPromotion {
            buy_quantity: Some(2),
            get_quantity: Some(1),
            product_ids: products.iter().filter(of_scent).map(|product| product.id).collect(),
            ..offer("Buy three, pay two: bath and scent", None, PromotionKind::BuyXGetY, 100)
        },
    ])
}
