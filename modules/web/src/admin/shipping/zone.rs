//! The form of a zone: from its methods to rows, and back.

use contracts::shipping::{Method, MethodId, NewZone, RateTier, Zone};
use shared::{Error, Money, values::Country};

use crate::{Page, admin::conflict::print, forms::Fields};

/// Methods and prices that a form can hold.
const METHODS: usize = 30;
const TIERS: usize = 40;

/// The form of a zone.
pub fn filled(p: &Page, zone: &Zone) -> Fields {
    let codes: Vec<&str> = zone.countries.iter().map(Country::code).collect();
    let mut f = Fields::default()
        .with("version", print(zone))
        .with("name", &zone.name)
        .with("countries", codes.join(", "));
    for (n, method) in zone.methods.iter().enumerate() {
        f = f
            .with(&format!("m{n}-id"), method.id)
            .with(&format!("m{n}-name"), &method.name)
            .with(&format!("m{n}-carrier"), &method.carrier)
            .with(&format!("m{n}-classes"), method.classes.join(", "))
            .with(&format!("m{n}-min_days"), method.min_days)
            .with(&format!("m{n}-max_days"), method.max_days);
        for free in &method.free_above {
            f = f.with(&format!("m{n}-free.{}", free.currency), p.amount(free));
        }
        for (k, tier) in method.tiers.iter().enumerate() {
            let currency = tier.price.currency;
            let subtotal = tier.min_subtotal.map(|amount| p.amount(&Money { amount, currency }));
            f = f
                .with(&format!("m{n}-tier_price.{k}"), p.amount(&tier.price))
                .with(&format!("m{n}-tier_currency.{k}"), currency)
                .with(
                    &format!("m{n}-tier_weight.{k}"),
                    tier.max_weight_grams.map(|g| g.to_string()).unwrap_or_default(),
                )
                .with(&format!("m{n}-tier_subtotal.{k}"), subtotal.unwrap_or_default());
        }
    }
    f
}

/// The methods of the form, and an empty one.
pub fn methods(f: &Fields) -> std::ops::Range<usize> {
    let last = (0..METHODS).rev().find(|n| f.given(&format!("m{n}-name")).is_some());
    0..last.map_or(1, |last| last + 2).min(METHODS)
}

/// The prices of a method in the form, and an empty one.
pub fn tiers(f: &Fields, n: usize) -> std::ops::Range<usize> {
    let last = (0..TIERS).rev().find(|k| f.given(&format!("m{n}-tier_price.{k}")).is_some());
    0..last.map_or(1, |last| last + 2).min(TIERS)
}

/// Reads the form. A method without a name and a price without an amount are left out.
pub fn read(p: &Page, f: &mut Fields) -> NewZone {
    let name = f.required(p, "name");
    let mut countries = Vec::new();
    let codes = f.required(p, "countries");
    for code in codes.split([',', ' ', '\n']).map(str::trim).filter(|code| !code.is_empty()) {
        match code.to_uppercase().parse::<Country>() {
            Ok(country) => countries.push(country),
            Err(_) => f.fail("countries", p.text("error-no-country").arg("code", code).to_string()),
        }
    }
    let methods = (0..METHODS).filter_map(|n| method(p, f, n)).collect();
    NewZone { name, countries, methods }
}

fn method(p: &Page, f: &mut Fields, n: usize) -> Option<Method> {
    let name = f.given(&format!("m{n}-name"))?.to_owned();
    if f.ticked(&format!("m{n}-drop")) {
        return None;
    }
    let tiers: Vec<RateTier> = (0..TIERS).filter_map(|k| tier(p, f, n, k)).collect();
    if tiers.is_empty() {
        f.required(p, &format!("m{n}-tier_price.0"));
    }
    let free = p.currencies().to_vec().into_iter();
    let days = |f: &mut Fields, name: &str| f.count(p, &format!("m{n}-{name}")).unwrap_or(0);
    let min_days = days(f, "min_days");
    Some(Method {
        id: f.value(&format!("m{n}-id")).parse().unwrap_or_else(|_| MethodId::new()),
        name,
        carrier: f.value(&format!("m{n}-carrier")).to_owned(),
        classes: crate::admin::products::words(f.value(&format!("m{n}-classes"))),
        tiers,
        free_above: free.filter_map(|c| f.money(p, &format!("m{n}-free.{c}"), c)).collect(),
        min_days,
        max_days: days(f, "max_days").max(min_days),
    })
}

fn tier(p: &Page, f: &mut Fields, n: usize, k: usize) -> Option<RateTier> {
    let currency = f.value(&format!("m{n}-tier_currency.{k}")).parse().unwrap_or(p.currencies()[0]);
    let price = f.money(p, &format!("m{n}-tier_price.{k}"), currency)?;
    Some(RateTier {
        max_weight_grams: f.count(p, &format!("m{n}-tier_weight.{k}")),
        min_subtotal: f.money(p, &format!("m{n}-tier_subtotal.{k}"), currency).map(|money| money.amount),
        price,
    })
}

/// Notes what the shipping module has refused, each at its field.
pub fn refuse(p: &Page, f: &mut Fields, error: &Error) {
    if error.code == "country_taken" {
        return f.fail("countries", p.error("country_taken", &error.detail));
    }
    let Some(field) = error.fields.first() else { return f.refuse(p, error) };
    let text = p.error(&field.code, &field.detail);
    match place(f, &field.pointer) {
        Some(name) => f.fail(&name, text),
        None => f.refuse(p, error),
    }
}

/// `/methods/1/tiers/0/price/amount` is a field of the second method that the form holds.
fn place(f: &Fields, pointer: &str) -> Option<String> {
    let mut parts = pointer.strip_prefix("/methods/")?.split('/');
    let index: usize = parts.next()?.parse().ok()?;
    let is_kept = |n: &usize| f.given(&format!("m{n}-name")).is_some() && !f.ticked(&format!("m{n}-drop"));
    let n = (0..METHODS).filter(is_kept).nth(index)?;
    match (parts.next()?, parts.next()) {
        ("tiers", tier) => Some(format!("m{n}-tier_price.{}", tier.unwrap_or("0"))),
        (name @ ("name" | "carrier" | "classes" | "min_days" | "max_days"), _) => {
            Some(format!("m{n}-{name}"))
        }
        _ => None,
    }
}
