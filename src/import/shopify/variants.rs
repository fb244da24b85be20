//! The rows that are variants.

use std::collections::BTreeMap;

use contracts::product::{NewVariant, OptionValue, ProductOption};
use shared::{Currency, Money};

use super::Columns;
use crate::import::{
    cells,
    draft::Faults,
    sheet::{Column, Group, Row},
};

/// The longest SKU.
const MAX_SKU: usize = 64;

/// What can be chosen and bought.
pub(super) struct Offer {
    pub options: Vec<ProductOption>,
    pub variants: Vec<NewVariant>,
    /// Where each variant is.
    pub lines: Vec<u64>,
    /// What is said of the first variant counts for the product.
    pub taxable: bool,
}

pub(super) fn offer(columns: &Columns, group: &Group, currency: Currency, faults: &mut Faults<'_>) -> Offer {
    let rows: Vec<&Row> = group.rows.iter().filter(|row| is_variant(columns, row)).collect();
    let options = options(columns, group, &rows, faults);
    let (mut variants, mut lines) = (Vec::new(), Vec::new());
    if rows.is_empty() {
        faults.add(&group.rows[0], columns.price.name, "required", "the product has no row with a price");
    }
    for row in rows {
        let chosen = chosen(row, &options, faults);
        if let Some(variant) = variant(columns, group, row, chosen, currency, faults) {
            variants.push(variant);
            lines.push(row.line);
        }
    }
    let taxable = cells::truth(columns.taxable.text(&group.rows[0])).unwrap_or(true);
    Offer { options: options.into_iter().map(|(_, option)| option).collect(), variants, lines, taxable }
}

/// A row with a picture alone is none.
fn is_variant(columns: &Columns, row: &Row) -> bool {
    let values = columns.options.iter().map(|(_, value)| *value);
    values.chain([columns.price, columns.sku]).any(|column| !column.text(row).is_empty())
}

/// The options that the first row names, with the values of all rows in the order they come in. The one variant of a
/// product without options is called `Title: Default Title`.
fn options(
    columns: &Columns,
    group: &Group,
    rows: &[&Row],
    faults: &mut Faults<'_>,
) -> Vec<(Column, ProductOption)> {
    let first = &group.rows[0];
    let mut options = Vec::new();
    for (name_column, value_column) in columns.options {
        let name = name_column.text(first);
        let mut values: Vec<OptionValue> = Vec::new();
        for row in rows {
            let value = value_column.text(row);
            if !value.is_empty() && values.iter().all(|known| known.value != value) {
                values.push(OptionValue { value: value.to_owned(), label: value.to_owned(), swatch: None });
            }
        }
        let only = |value: &str| values.iter().all(|known| known.value == value);
        if values.is_empty() || (only("Default Title") && matches!(name, "" | "Title")) {
            continue;
        }
        if name.is_empty() {
            faults.add(first, name_column.name, "option_name_missing", "the option has values and no name");
        }
        options.push((value_column, ProductOption { name: name.to_owned(), values }));
    }
    options
}

fn chosen(
    row: &Row,
    options: &[(Column, ProductOption)],
    faults: &mut Faults<'_>,
) -> BTreeMap<String, String> {
    let mut chosen = BTreeMap::new();
    for (column, option) in options {
        match column.text(row) {
            "" => faults.add(
                row,
                column.name,
                "option_value_missing",
                format!("the variant has no {}", option.name),
            ),
            value => drop(chosen.insert(option.name.clone(), value.to_owned())),
        }
    }
    chosen
}

fn variant(
    columns: &Columns,
    group: &Group,
    row: &Row,
    options: BTreeMap<String, String>,
    currency: Currency,
    faults: &mut Faults<'_>,
) -> Option<NewVariant> {
    let decimal = format!("a price in {currency} such as 19.99");
    let mut price = |column: Column| -> Option<Money> {
        faults.parse((row, column.name), column.text(row), "price", &decimal, |text| {
            cells::money(text, currency)
        })
    };
    let unit_price = price(columns.price);
    let compare_at = if columns.compare_at.text(row).is_empty() { None } else { price(columns.compare_at) };
    let mut count = |column: Column| match column.text(row) {
        "" => None,
        text => faults.parse((row, column.name), text, "number", "a number", cells::count),
    };
    let (grams, quantity) = (count(columns.grams), count(columns.quantity));
    let unit_price = unit_price?;
    Some(NewVariant {
        id: None,
        sku: sku(columns, group, row, &options),
        options,
        prices: vec![unit_price],
        // Shopify writes 0.00 and prices below the price for "none".
        compare_at_prices: compare_at
            .filter(|former| former.amount > unit_price.amount)
            .into_iter()
            .collect(),
        barcode: Some(unquoted(columns.barcode.text(row))).filter(|code| !code.is_empty()).map(str::to_owned),
        // Below zero: sold before it was there.
        stock: quantity.map(|quantity| quantity.max(0)),
        weight_grams: grams.unwrap_or(0),
        tracked: is_tracked(columns, row),
    })
}

/// Nobody counts it, or it is sold whether or not it is there.
fn is_tracked(columns: &Columns, row: &Row) -> bool {
    let continues = matches!(columns.policy.text(row).to_lowercase().as_str(), "continue" | "true" | "yes");
    let counted = !columns.tracker.is_there() || !columns.tracker.text(row).is_empty();
    counted && !continues
}

/// Its own, or one made of handle and choices that stays the same.
fn sku(columns: &Columns, group: &Group, row: &Row, options: &BTreeMap<String, String>) -> String {
    let own = unquoted(columns.sku.text(row));
    if !own.is_empty() {
        return own.to_owned();
    }
    let parts: Vec<String> = [&group.slug].into_iter().chain(options.values()).map(slug::slugify).collect();
    let made = parts.join("-");
    if made.len() <= MAX_SKU {
        return made;
    }
    let whole = contracts::product::VariantId::derived(&made).to_string();
    format!("{}-{}", &made[..MAX_SKU - 13], &whole[whole.len() - 12..])
}

/// Shopify puts an apostrophe before numbers, so that spreadsheets leave them alone.
fn unquoted(text: &str) -> &str {
    text.strip_prefix('\'').unwrap_or(text)
}
