//! The same change to many products.

use actix_web::HttpResponse;
use contracts::{
    customer::Permission,
    product::{NewVariant, Product, ProductId, ProductPatch, Variant},
};
use shared::{Money, Result};

use super::draft::{status_name, status_of};
use crate::{
    Answer, Page,
    forms::{Fields, Post},
    page::Undo,
};

/// What is to happen to each of them.
enum Change {
    Status(contracts::product::ProductStatus),
    AddTag(String),
    AddCategory(contracts::product::CategoryId),
    /// In percent, both ways.
    Prices(i64),
}

pub async fn change(p: Page, form: Post<Fields>) -> Answer {
    p.staff(Permission::ProductsWrite)?;
    let mut f = form.0;
    if f.value("do") == "restore" {
        return restore(&p, &f).await;
    }
    let ids: Vec<ProductId> = f.all("id").filter_map(|id| id.parse().ok()).take(100).collect();
    let Some(change) = wanted(&p, &mut f).filter(|_| !ids.is_empty()) else {
        let mut response = back(&p, &f);
        let key = if ids.is_empty() { "bulk-none" } else { "bulk-value" };
        p.notify(&mut response, "bad", p.t(key));
        return Ok(response);
    };
    let (mut done, mut failed, mut was) = (0_usize, 0_usize, Vec::new());
    for id in ids {
        match apply(&p, id, &change).await {
            Ok(before) => {
                done += 1;
                was.push(("was".to_owned(), format!("{id}:{}", status_name(before.status))));
            }
            Err(error) => {
                tracing::warn!(product = %id, error = %error.chain(), "a bulk change was refused");
                failed += 1;
            }
        }
    }
    let mut response = back(&p, &f);
    if failed > 0 {
        let text = p.text("bulk-failed").number("done", done).number("failed", failed);
        p.notify(&mut response, "bad", text);
    } else {
        let undo = matches!(change, Change::Status(_)).then(|| undo(&p, &f, was));
        p.notify_undoable(&mut response, "ok", p.text("bulk-done").number("count", done), undo);
    }
    Ok(response)
}

fn wanted(p: &Page, f: &mut Fields) -> Option<Change> {
    match f.value("do") {
        "tag" => f.given("tag").map(|tag| Change::AddTag(tag.to_owned())),
        "category" => f.value("to_category").parse().ok().map(Change::AddCategory),
        "price" => {
            let percent = f.change(p, "percent")?;
            ((-90..=500).contains(&percent) && percent != 0).then_some(Change::Prices(percent))
        }
        status => status_of(status).map(Change::Status),
    }
}

/// Changes one product as it is now: what somebody else writes in between is not overwritten, but read again.
async fn apply(p: &Page, id: ProductId, change: &Change) -> Result<Product> {
    let mut tries = 0;
    loop {
        let before = p.ports().products.find(id).await?;
        let patch = patch(&before, change);
        tries += 1;
        match p.ports().products.update(id, patch, Some(before.version)).await {
            Err(error) if crate::admin::conflict::stale(&error) && tries < 3 => {}
            result => return result.map(|_| before),
        }
    }
}

fn patch(product: &Product, change: &Change) -> ProductPatch {
    let mut patch = ProductPatch::default();
    match change {
        Change::Status(status) => patch.status = Some(*status),
        Change::AddTag(tag) => patch.tags = Some([&product.tags[..], std::slice::from_ref(tag)].concat()),
        Change::AddCategory(category) => {
            patch.category_ids = Some([&product.category_ids[..], &[*category]].concat());
        }
        Change::Prices(percent) => {
            patch.variants =
                Some(product.variants.iter().map(|variant| repriced(variant, *percent)).collect());
        }
    }
    patch
}

/// Half a cent is rounded up.
fn repriced(variant: &Variant, percent: i64) -> NewVariant {
    let change = |price: &Money| {
        let amount = (i128::from(price.amount) * i128::from(100 + percent) + 50) / 100;
        Money { amount: i64::try_from(amount).unwrap_or(i64::MAX), currency: price.currency }
    };
    let variant = variant.clone();
    NewVariant {
        id: Some(variant.id),
        sku: variant.sku,
        options: variant.options,
        prices: variant.prices.iter().map(change).collect(),
        compare_at_prices: variant.compare_at_prices,
        barcode: variant.barcode,
        stock: None,
        weight_grams: variant.weight_grams,
        tracked: variant.tracked,
    }
}

/// Gives each product back the status that it had.
async fn restore(p: &Page, f: &Fields) -> Answer {
    for was in f.all("was").take(100) {
        let Some((id, status)) = was.split_once(':') else { continue };
        if let (Ok(id), Some(status)) = (id.parse(), status_of(status)) {
            let patch = ProductPatch { status: Some(status), ..ProductPatch::default() };
            p.ports().products.update(id, patch, None).await?;
        }
    }
    let mut response = back(p, f);
    p.notify(&mut response, "ok", p.t("undone"));
    Ok(response)
}

/// A way back for a change of status.
pub fn undo(p: &Page, f: &Fields, was: Vec<(String, String)>) -> Undo {
    let to = f.given("to").map_or_else(|| p.here(), ToOwned::to_owned);
    let mut fields = vec![("do".to_owned(), "restore".to_owned()), ("to".to_owned(), to)];
    fields.extend(was);
    Undo { action: p.link("/admin/products/bulk"), label: p.t("undo"), fields }
}

fn back(p: &Page, f: &Fields) -> HttpResponse {
    p.back(f.given("to"), "/admin/products")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use contracts::product::VariantId;
    use shared::Currency;

    use super::*;

    #[test]
    fn prices_change_by_percent_and_halves_round_up() {
        let price = |amount| Money { amount, currency: Currency::EUR };
        let variant = Variant {
            id: VariantId::new(),
            sku: "A".into(),
            title: "A".into(),
            options: BTreeMap::new(),
            prices: vec![price(1005), price(0)],
            compare_at_prices: vec![price(2000)],
            barcode: None,
            weight_grams: 0,
            tracked: true,
            available: 3,
        };
        assert_eq!(repriced(&variant, 10).prices, [price(1106), price(0)]);
        assert_eq!(repriced(&variant, -10).prices, [price(905), price(0)]);
        assert_eq!(repriced(&variant, -10).compare_at_prices, [price(2000)]);
    }
}
