//! What is in the carts.

use contracts::{
    cart::{CartId, Discount, LineId, PricedCart, PricedLine, PromotionId, Totals},
    product::{ProductId, VariantId},
    shipping::{DeliveryWindow, MethodId, ShippingOption},
};
use shared::{Currency, Money};

pub fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

pub fn shipping_option(price: i64) -> ShippingOption {
    ShippingOption {
        id: MethodId::new(),
        name: "Standard".into(),
        carrier: "post".into(),
        price: eur(price),
        delivery: DeliveryWindow { from: "2026-12-01".into(), to: "2026-12-03".into() },
    }
}

pub fn line(variant: VariantId, quantity: i64, unit: i64) -> PricedLine {
    PricedLine {
        id: LineId::new(),
        variant_id: variant,
        product_id: ProductId::derived(&variant.to_string()),
        slug: "tea".into(),
        sku: "TEA".into(),
        title: "Tea".into(),
        variant_title: "100 g".into(),
        image: None,
        quantity,
        unit_price: eur(unit),
        subtotal: eur(unit * quantity),
        discount: eur(0),
        tax: eur(0),
        total: eur(unit * quantity),
        tax_rate_basis_points: 1900,
        weight_grams: 100,
    }
}

/// A cart of these lines; `coupon` takes that much off the first line.
pub fn cart(lines: Vec<PricedLine>, shipping: i64, coupon: i64) -> PricedCart {
    let mut lines = lines;
    let mut discounts = Vec::new();
    if coupon > 0 {
        lines[0].discount = eur(coupon);
        lines[0].total = lines[0].subtotal.sub(eur(coupon)).expect("a small coupon");
        let promotion_id = PromotionId::new();
        discounts.push(Discount {
            promotion_id,
            code: Some("TEA".into()),
            title: "Tea".into(),
            amount: eur(coupon),
        });
    }
    let subtotal: i64 = lines.iter().map(|line| line.subtotal.amount).sum();
    PricedCart {
        cart_id: CartId::random(),
        version: 1,
        currency: Currency::EUR,
        customer_id: None,
        lines,
        shipping: shipping_option(shipping),
        shipping_discount: eur(0),
        shipping_tax: eur(0),
        discounts,
        totals: Totals {
            subtotal: eur(subtotal),
            discount: eur(coupon),
            shipping: eur(shipping),
            tax: eur(0),
            total: eur(subtotal - coupon + shipping),
        },
        prices_include_tax: true,
        tax_lines: vec![],
    }
}
