//! Short ways to write promotions, quotes and rates in tests.

use contracts::{
    cart::{
        Destination, LineId, NewPromotion, NewTaxRate, Promotion, PromotionId, PromotionKind, TaxRate,
        TaxRateId,
    },
    product::{ProductId, Quote, VariantId},
};
use shared::{Currency, Money, Time};

use super::{Item, Taxes};

pub fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

pub fn terms(kind: PromotionKind) -> NewPromotion {
    NewPromotion {
        title: None,
        code: None,
        kind,
        value: 0,
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
        combinable: false,
        enabled: true,
    }
}

pub fn promotion(terms: NewPromotion) -> Promotion {
    Promotion { id: PromotionId::new(), terms, used: 0, created_at: Time::from_micros(0), version: 1 }
}

pub fn percent(value: i64) -> NewPromotion {
    NewPromotion { value, ..terms(PromotionKind::Percentage) }
}

pub fn fixed(value: i64) -> NewPromotion {
    NewPromotion { value, currency: Some(Currency::EUR), ..terms(PromotionKind::Fixed) }
}

pub fn item(unit_price: i64, quantity: i64) -> Item {
    Item {
        line_id: LineId::new(),
        quantity,
        quote: Quote {
            variant_id: VariantId::new(),
            product_id: ProductId::new(),
            slug: "thing".into(),
            sku: "THING".into(),
            title: "Thing".into(),
            variant_title: String::new(),
            image: None,
            unit_price: eur(unit_price),
            compare_at_price: None,
            weight_grams: 100,
            tax_class: "standard".into(),
            shipping_class: "parcel".into(),
            category_ids: Vec::new(),
            collection_ids: Vec::new(),
            available: 100,
        },
    }
}

pub fn of_class(class: &str, mut item: Item) -> Item {
    item.quote.tax_class = class.into();
    item
}

pub fn rate(
    country: &str,
    region: Option<&str>,
    class: &str,
    rate_basis_points: i64,
    included: bool,
) -> TaxRate {
    let rate = NewTaxRate {
        country: country.parse().unwrap(),
        region: region.map(str::to_owned),
        tax_class: class.into(),
        name: format!("{country} {class}"),
        rate_basis_points,
        included,
    };
    TaxRate { id: TaxRateId::new(), rate }
}

pub fn taxes(all: &[TaxRate], country: &str, region: Option<&str>) -> Taxes {
    let destination = Destination {
        country: country.parse().unwrap(),
        region: region.map(str::to_owned),
        postal_code: None,
    };
    Taxes::at(all, &destination)
}
