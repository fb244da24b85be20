//! Examples, then properties.

use contracts::{
    cart::{NewPromotion, Promotion, PromotionKind, TaxRate},
    product::CategoryId,
};
use proptest::prelude::*;
use shared::Money;

use super::{
    Basket, Item, Priced, Taxes, price,
    testing::{eur, fixed, item, of_class, percent, promotion, rate, taxes, terms},
};

fn priced(items: &[Item], promotions: &[NewPromotion], taxes: &Taxes, shipping: Option<i64>) -> Priced {
    let promotions: Vec<Promotion> = promotions.iter().cloned().map(promotion).collect();
    price_of(items, &promotions, taxes, shipping)
}

fn price_of(items: &[Item], promotions: &[Promotion], taxes: &Taxes, shipping: Option<i64>) -> Priced {
    let promotions: Vec<&Promotion> = promotions.iter().collect();
    let shipping = shipping.map(eur);
    price(&Basket { currency: shared::Currency::EUR, items, promotions: &promotions, taxes, shipping })
        .unwrap()
}

fn german() -> Taxes {
    taxes(&[rate("DE", None, "standard", 1_900, true), rate("DE", None, "reduced", 700, true)], "DE", None)
}

fn american() -> Taxes {
    taxes(&[rate("US", None, "standard", 825, false)], "US", None)
}

fn combinable(terms: NewPromotion) -> NewPromotion {
    NewPromotion { combinable: true, ..terms }
}

fn coded(code: &str, terms: NewPromotion) -> NewPromotion {
    NewPromotion { code: Some(code.into()), ..terms }
}

fn group(buy: i64, get: i64, value: i64) -> NewPromotion {
    let (buy_quantity, get_quantity) = (Some(buy), Some(get));
    NewPromotion { value, buy_quantity, get_quantity, ..terms(PromotionKind::BuyXGetY) }
}

fn discounts(priced: &Priced) -> Vec<i64> {
    priced.lines.iter().map(|line| line.discount.amount).collect()
}

#[test]
fn an_empty_cart_costs_nothing() {
    let empty = priced(&[], &[percent(10), fixed(500)], &german(), None);
    assert_eq!((empty.totals.total, empty.discounts.len()), (eur(0), 0));
}

#[test]
fn included_tax_is_within_the_line_and_its_shipping() {
    let items = [item(11_900, 1), of_class("reduced", item(1_070, 2))];
    let got = priced(&items, &[], &german(), Some(595));
    assert_eq!(got.lines.iter().map(|l| l.tax.amount).collect::<Vec<_>>(), [1_900, 140]);
    assert_eq!(got.shipping_tax, eur(95));
    assert_eq!((got.totals.tax, got.totals.total), (eur(2_135), eur(14_635)));
    assert!(got.prices_include_tax);
    let lines: Vec<_> =
        got.tax_lines.iter().map(|t| (t.rate_basis_points, t.net.amount, t.tax.amount)).collect();
    assert_eq!(lines, [(1_900, 10_500, 1_995), (700, 2_000, 140)]);
}

#[test]
fn added_tax_is_on_top_of_the_discounted_line() {
    let got = priced(&[item(10_000, 1)], &[percent(50)], &american(), Some(1_000));
    assert_eq!((got.lines[0].tax, got.lines[0].total, got.shipping_tax), (eur(412), eur(5_412), eur(82)));
    assert_eq!((got.totals.tax, got.totals.total), (eur(494), eur(6_494)));
    assert!(!got.prices_include_tax);
}

#[test]
fn the_rate_is_the_regions_then_the_countrys_then_the_standard_and_nowhere_nothing() {
    let all = [
        rate("US", None, "standard", 500, false),
        rate("US", Some("CA"), "standard", 725, false),
        rate("US", None, "food", 0, false),
    ];
    let rate_at = |country, region, class: &str| {
        let taxes = taxes(&all, country, region);
        let got = priced(&[of_class(class, item(10_000, 1))], &[], &taxes, None);
        (got.lines[0].tax_rate_basis_points, got.prices_include_tax)
    };
    assert_eq!(rate_at("US", Some(" ca "), "standard"), (725, false));
    assert_eq!(rate_at("US", Some("NY"), "standard"), (500, false));
    assert_eq!(rate_at("US", Some("CA"), "food"), (0, false));
    assert_eq!(rate_at("US", None, "books"), (500, false));
    assert_eq!(rate_at("US", None, "zero"), (0, false));
    assert_eq!(rate_at("FR", None, "standard"), (0, true));
}

#[test]
fn a_percentage_is_rounded_once_and_allocated_by_largest_remainder() {
    let got = priced(&[item(333, 1), item(333, 1), item(333, 1)], &[percent(10)], &Taxes::default(), None);
    assert_eq!((got.totals.discount, got.discounts[0].amount), (eur(100), eur(100)));
    assert_eq!(discounts(&got), [34, 33, 33]);
}

#[test]
fn a_fixed_discount_never_makes_money() {
    let got = priced(&[item(300, 1), item(100, 1)], &[fixed(100_000)], &german(), Some(500));
    assert_eq!((discounts(&got), got.totals.total), (vec![300, 100], eur(500)));
    let usd = NewPromotion { currency: Some("USD".parse().unwrap()), ..fixed(100) };
    assert!(priced(&[item(300, 1)], &[usd], &german(), None).discounts.is_empty());
}

#[test]
fn a_promotion_takes_only_of_its_categories_and_products() {
    let category = CategoryId::new();
    let mut items = [item(1_000, 1), item(1_000, 1), item(1_000, 1)];
    items[1].quote.category_ids = vec![CategoryId::new(), category];
    let in_category = NewPromotion { category_ids: vec![category], ..percent(10) };
    assert_eq!(discounts(&priced(&items, std::slice::from_ref(&in_category), &german(), None)), [0, 100, 0]);
    let both = NewPromotion { product_ids: vec![items[2].quote.product_id], ..in_category };
    assert_eq!(discounts(&priced(&items, &[both], &german(), None)), [0, 100, 100]);
    let elsewhere = NewPromotion { category_ids: vec![CategoryId::new()], ..fixed(100) };
    assert!(priced(&items, &[elsewhere], &german(), None).discounts.is_empty());
}

#[test]
fn a_minimum_must_be_reached_by_the_undiscounted_subtotal_in_its_currency() {
    let minimum = |money| NewPromotion { minimum_subtotal: Some(money), ..percent(10) };
    let total = |promotion| priced(&[item(1_000, 2)], &[promotion], &german(), None).totals.total;
    assert_eq!(total(minimum(eur(2_000))), eur(1_800));
    assert_eq!(total(minimum(eur(2_001))), eur(2_000));
    assert_eq!(total(minimum(Money::new(1, "USD".parse().unwrap()))), eur(2_000));
}

#[test]
fn combinable_promotions_stand_together_and_others_alone() {
    let items = [item(10_000, 1)];
    let total = |promotions: &[NewPromotion]| {
        let got = priced(&items, promotions, &german(), None);
        (got.totals.total.amount, got.discounts.len())
    };
    assert_eq!(total(&[combinable(percent(10)), combinable(fixed(500))]), (8_500, 2));
    assert_eq!(total(&[combinable(percent(10)), percent(20)]), (8_000, 1));
    assert_eq!(total(&[combinable(percent(10)), combinable(fixed(1_500)), percent(20)]), (7_500, 2));
    assert_eq!(total(&[percent(10), percent(15)]), (8_500, 1));
}

#[test]
fn of_two_equal_discounts_the_code_wins() {
    let got = priced(&[item(1_000, 1)], &[percent(10), coded("TEN", percent(10))], &german(), None);
    assert_eq!(got.discounts[0].code.as_deref(), Some("TEN"));
}

#[test]
fn stacked_discounts_stop_at_nothing() {
    let got =
        priced(&[item(999, 1)], &[combinable(percent(60)), combinable(percent(60))], &german(), Some(100));
    assert_eq!((got.totals.discount, got.totals.total), (eur(999), eur(100)));
    assert_eq!(got.discounts.iter().map(|d| d.amount.amount).sum::<i64>(), 999);
}

#[test]
fn free_shipping_takes_the_shipping_and_is_promised_before_it_is_chosen() {
    let free = coded("FREE", terms(PromotionKind::FreeShipping));
    let got = priced(&[item(1_000, 1)], std::slice::from_ref(&free), &german(), Some(490));
    assert_eq!((got.shipping_discount, got.shipping_tax, got.totals.total), (eur(490), eur(0), eur(1_000)));
    assert_eq!((got.totals.shipping, got.totals.discount), (eur(490), eur(490)));
    assert_eq!(got.discounted_subtotal().unwrap(), eur(1_000));
    let promised = priced(&[item(1_000, 1)], std::slice::from_ref(&free), &german(), None);
    assert_eq!((promised.discounts.len(), promised.discounts[0].amount), (1, eur(0)));
    assert!(priced(&[item(1_000, 1)], &[free], &german(), Some(0)).discounts.is_empty());
}

#[test]
fn of_each_group_the_cheapest_units_cost_less() {
    let off = |items: &[Item], terms| discounts(&priced(items, &[terms], &german(), None));
    assert_eq!(off(&[item(1_000, 2)], group(2, 1, 100)), [0]);
    assert_eq!(off(&[item(1_000, 3)], group(2, 1, 100)), [1_000]);
    assert_eq!(off(&[item(1_000, 5)], group(2, 1, 100)), [1_000]);
    assert_eq!(off(&[item(1_000, 9_999)], group(2, 1, 50)), [3_333 * 500]);
    // Dearest first: (900, 900, 500), (500, 100, 100) and one 100 that is left over.
    assert_eq!(off(&[item(100, 3), item(900, 2), item(500, 2)], group(2, 1, 100)), [100, 0, 500]);
    assert_eq!(off(&[item(300, 1), item(200, 1), item(100, 1)], group(1, 2, 100)), [0, 200, 100]);
}

#[test]
fn an_amount_beyond_what_can_be_written_is_refused() {
    let items = [item(shared::money::MAX_AMOUNT, 1), item(1, 1)];
    let taxes = Taxes::default();
    let basket = |items| Basket {
        currency: shared::Currency::EUR,
        items,
        promotions: &[],
        taxes: &taxes,
        shipping: None,
    };
    assert!(price(&basket(&items[..1])).is_ok());
    assert_eq!(price(&basket(&items)).unwrap_err().code, "amount_too_large");
    assert_eq!(price(&basket(&[item(i64::MAX, 9_999)])).unwrap_err().code, "amount_too_large");
}

/// A promotion of any kind, scoped to the first category, with or without a minimum.
fn any_promotion() -> impl Strategy<Value = Promotion> {
    let kind = prop_oneof![
        Just(PromotionKind::Percentage),
        Just(PromotionKind::Fixed),
        Just(PromotionKind::FreeShipping),
        Just(PromotionKind::BuyXGetY)
    ];
    let scope = prop::option::of(0_usize..3);
    let minimum = prop::option::of(0_i64..100_000);
    (kind, 1_i64..=100, 1_i64..20_000, scope, minimum, 1_i64..4, 1_i64..4, any::<bool>(), any::<bool>())
        .prop_map(|(kind, percent, amount, scope, minimum, buy, get, combinable, coded)| {
            promotion(NewPromotion {
                value: if kind == PromotionKind::Fixed { amount } else { percent },
                currency: Some(shared::Currency::EUR),
                buy_quantity: Some(buy),
                get_quantity: Some(get),
                category_ids: scope.map(category).into_iter().collect(),
                minimum_subtotal: minimum.map(eur),
                combinable,
                code: coded.then(|| format!("CODE{amount}")),
                ..terms(kind)
            })
        })
}

fn category(n: usize) -> CategoryId {
    CategoryId::derived(&n.to_string())
}

fn any_item() -> impl Strategy<Value = Item> {
    let class = prop_oneof![Just("standard"), Just("reduced"), Just("unknown")];
    (prop_oneof![0_i64..10, 0_i64..50_000], prop_oneof![1_i64..4, 1_i64..200], class, 0_usize..4).prop_map(
        |(price, quantity, class, n)| {
            let mut item = of_class(class, item(price, quantity));
            item.quote.category_ids = vec![category(n)];
            item
        },
    )
}

fn any_taxes() -> impl Strategy<Value = Taxes> {
    (0_i64..3_000, 0_i64..1_000, any::<bool>(), any::<bool>()).prop_map(
        |(standard, reduced, included, taxed)| {
            let all: &[TaxRate] = &[
                rate("DE", None, "standard", standard, included),
                rate("DE", None, "reduced", reduced, included),
            ];
            taxes(if taxed { all } else { &[] }, "DE", None)
        },
    )
}

fn any_basket() -> impl Strategy<Value = (Vec<Item>, Vec<Promotion>, Taxes, Option<i64>)> {
    (
        prop::collection::vec(any_item(), 0..12),
        prop::collection::vec(any_promotion(), 0..6),
        any_taxes(),
        prop::option::of(0_i64..5_000),
    )
}

fn check_sums(got: &Priced) -> Result<(), TestCaseError> {
    let sum = |f: fn(&super::LinePrice) -> Money| got.lines.iter().map(|line| f(line).amount).sum::<i64>();
    got.totals.check(got.prices_include_tax).unwrap();
    prop_assert_eq!(sum(|l| l.subtotal), got.totals.subtotal.amount);
    prop_assert_eq!(sum(|l| l.discount) + got.shipping_discount.amount, got.totals.discount.amount);
    prop_assert_eq!(sum(|l| l.tax) + got.shipping_tax.amount, got.totals.tax.amount);
    let shipping = got.totals.shipping.amount - got.shipping_discount.amount
        + if got.prices_include_tax { 0 } else { got.shipping_tax.amount };
    prop_assert_eq!(sum(|l| l.total) + shipping, got.totals.total.amount);
    prop_assert_eq!(got.discounts.iter().map(|d| d.amount.amount).sum::<i64>(), got.totals.discount.amount);
    prop_assert_eq!(got.tax_lines.iter().map(|t| t.tax.amount).sum::<i64>(), got.totals.tax.amount);
    Ok(())
}

fn check_signs(got: &Priced) -> Result<(), TestCaseError> {
    for line in &got.lines {
        prop_assert!(line.discount.amount >= 0 && line.discount.amount <= line.subtotal.amount);
        prop_assert!(line.tax.amount >= 0 && line.total.amount >= 0);
    }
    prop_assert!(got.shipping_discount.amount >= 0 && got.shipping_tax.amount >= 0);
    prop_assert!(got.shipping_discount.amount <= got.totals.shipping.amount);
    prop_assert!(got.totals.total.amount >= 0 && got.totals.tax.amount >= 0);
    prop_assert!(got.tax_lines.iter().all(|t| t.net.amount >= 0 && t.tax.amount >= 0));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn the_parts_sum_to_the_total_and_nothing_is_negative((items, promotions, taxes, shipping) in any_basket()) {
        let got = price_of(&items, &promotions, &taxes, shipping);
        prop_assert_eq!(got.lines.len(), items.len());
        check_sums(&got)?;
        check_signs(&got)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_order_of_lines_and_promotions_does_not_matter(
        (items, promotions, taxes, shipping) in any_basket(),
        turn in 0_usize..12,
    ) {
        let got = price_of(&items, &promotions, &taxes, shipping);
        let mut turned = items.clone();
        let turn = turn.min(items.len());
        turned.rotate_left(turn);
        let reversed: Vec<Promotion> = promotions.iter().rev().cloned().collect();
        let mut again = price_of(&turned, &reversed, &taxes, shipping);
        again.lines.rotate_right(turn);
        prop_assert_eq!(got, again);
    }

    #[test]
    fn a_promotion_never_makes_a_cart_dearer((items, promotions, taxes, shipping) in any_basket()) {
        let got = price_of(&items, &promotions, &taxes, shipping).totals.total.amount;
        // Added tax is rounded by line, so moving a discount between rates may cost a cent for each part.
        let slack = i64::try_from(items.len()).unwrap() + 1;
        prop_assert!(got <= price_of(&items, &[], &taxes, shipping).totals.total.amount + slack);
        for promotion in promotions.iter().filter(|p| !p.terms.combinable) {
            let alone = price_of(&items, std::slice::from_ref(promotion), &taxes, shipping);
            prop_assert!(got <= alone.totals.total.amount);
        }
    }

    #[test]
    fn one_more_unit_never_makes_it_cheaper(
        (items, mut promotions, taxes, shipping) in any_basket(),
        line in 0_usize..12,
        more in 1_i64..50,
    ) {
        prop_assume!(!items.is_empty());
        promotions.retain(|p| p.terms.kind != PromotionKind::BuyXGetY);
        for promotion in &mut promotions {
            promotion.terms.minimum_subtotal = None;
        }
        let mut larger = items.clone();
        larger[line % items.len()].quantity += more;
        let total = |items: &[Item], promotions: &[Promotion]| {
            price_of(items, promotions, &taxes, shipping).totals.total.amount
        };
        let slack = i64::try_from((items.len() + 1) * (promotions.len() + 1)).unwrap();
        prop_assert!(total(&larger, &promotions) + slack >= total(&items, &promotions));
        for promotion in &mut promotions {
            promotion.terms.category_ids.clear();
        }
        let mut percentages = 0;
        promotions.retain(|p| {
            percentages += i64::from(p.terms.kind == PromotionKind::Percentage && p.terms.combinable);
            p.terms.kind != PromotionKind::Percentage || !p.terms.combinable || percentages == 1
        });
        if taxes.included() {
            prop_assert!(total(&larger, &promotions) >= total(&items, &promotions));
        }
    }
}
