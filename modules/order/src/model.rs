//! The rules: legal moves, sums, numbers. No database, no waiting.

mod states;

use std::time::Duration;

use contracts::{
    cart::{PricedCart, PricedLine},
    order::{FulfillmentStatus, OrderPaymentStatus},
    payment::PaymentState,
};
use sha2::{Digest, Sha256};
use shared::{Error, Money, Result, values::Email};

pub use states::{State, check, table};

/// The virtual shard of a customer: orders live with the address they were bought with.
pub fn bucket(email: &Email) -> u16 {
    let digest = Sha256::digest(email.as_str());
    u16::from_be_bytes([digest[0], digest[1]]) % 1024
}

/// `B-7K2Q-9XM4`: forty bits as letters and digits that nobody confuses on the phone.
pub fn number(bits: u64) -> String {
    const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let letter = |i: u32| char::from(ALPHABET[(bits >> (5 * i)) as usize & 31]);
    let half = |from: u32| (from..from + 4).map(letter).collect::<String>();
    format!("B-{}-{}", half(0), half(4))
}

/// A number that always belongs to `seed`.
pub fn number_of(seed: &str) -> String {
    let digest = Sha256::digest(seed);
    number(u64::from_be_bytes(std::array::from_fn(|i| digest[i])))
}

/// An order is written down only if its parts sum to its total.
pub fn check_sums(priced: &PricedCart) -> Result<()> {
    let totals = &priced.totals;
    totals.check(priced.prices_include_tax)?;
    let subtotal = Money::sum(priced.currency, priced.lines.iter().map(|line| line.subtotal))?;
    let discounts = priced.lines.iter().map(|line| line.discount).chain([priced.shipping_discount]);
    let discount = Money::sum(priced.currency, discounts)?;
    if subtotal != totals.subtotal || discount != totals.discount {
        return Err(Error::internal(format!("lines do not add up to {totals:?}")));
    }
    Ok(())
}

/// What `quantity` units of a line are worth when `before` units of it were refunded already. All units together are
/// worth exactly the line's total.
pub fn refund_amount(line: &PricedLine, before: i64, quantity: i64) -> Result<Money> {
    let units = line.total.allocate(&vec![1; usize::try_from(line.quantity).unwrap_or(0)]);
    let skip = usize::try_from(before).unwrap_or(0);
    let take = usize::try_from(quantity).unwrap_or(0);
    Money::sum(line.total.currency, units.into_iter().skip(skip).take(take))
}

/// What an order says about its money, from what the payment says.
pub fn payment_status(
    state: PaymentState,
    captured: Money,
    refunded: Money,
    total: Money,
) -> OrderPaymentStatus {
    match state {
        _ if refunded.amount > 0 && refunded.amount >= captured.amount => OrderPaymentStatus::Refunded,
        _ if refunded.amount > 0 => OrderPaymentStatus::PartiallyRefunded,
        PaymentState::Captured if captured.amount >= total.amount => OrderPaymentStatus::Captured,
        PaymentState::Authorized | PaymentState::Captured => OrderPaymentStatus::Authorized,
        // What is left of the authorisation is gone, what was captured is ours.
        _ if captured.amount > 0 => OrderPaymentStatus::Captured,
        PaymentState::Failed | PaymentState::Voided | PaymentState::Refunded => OrderPaymentStatus::Failed,
        PaymentState::Pending | PaymentState::RequiresAction => OrderPaymentStatus::Awaiting,
    }
}

/// The moves to take from one state of the money to another: no stage is left out of the timeline.
pub fn payment_path(
    from: OrderPaymentStatus,
    to: OrderPaymentStatus,
    captured: bool,
) -> Vec<OrderPaymentStatus> {
    use OrderPaymentStatus::{Authorized, Awaiting, Captured, PartiallyRefunded, Refunded};
    let back = matches!(to, PartiallyRefunded | Refunded);
    let mut path = Vec::new();
    if from == Awaiting && captured && (back || to == Captured) {
        path.push(Authorized);
    }
    if matches!(from, Awaiting | Authorized) && captured && back {
        path.push(Captured);
    }
    if from != to {
        path.push(to);
    }
    path
}

/// How far a payment is: news of an earlier stage is old news.
pub fn payment_stage(state: PaymentState) -> u8 {
    match state {
        PaymentState::Pending => 0,
        PaymentState::RequiresAction => 1,
        PaymentState::Authorized => 2,
        PaymentState::Captured => 3,
        PaymentState::Failed | PaymentState::Voided | PaymentState::Refunded => 4,
    }
}

/// How much of a line is where.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub quantity: i64,
    pub shipped: i64,
    pub refunded: i64,
}

/// Where the goods are: refunded units that were never sent need not be sent.
pub fn fulfillment(lines: &[Progress], all_delivered: bool) -> FulfillmentStatus {
    if lines.iter().all(|line| line.shipped == 0) {
        FulfillmentStatus::Unfulfilled
    } else if lines.iter().any(|line| line.shipped + line.refunded < line.quantity) {
        FulfillmentStatus::PartiallyShipped
    } else if all_delivered {
        FulfillmentStatus::Delivered
    } else {
        FulfillmentStatus::Shipped
    }
}

/// The moves that lead from one state of the goods to another; none backwards.
pub fn fulfillment_path(from: FulfillmentStatus, to: FulfillmentStatus) -> Vec<FulfillmentStatus> {
    use FulfillmentStatus::{Delivered, PartiallyShipped, Returned, Shipped, Unfulfilled};
    match (from, to) {
        (Unfulfilled | PartiallyShipped, Delivered) => vec![Shipped, Delivered],
        (Unfulfilled, PartiallyShipped | Shipped) | (PartiallyShipped, Shipped) | (Shipped, Delivered) => {
            vec![to]
        }
        (Shipped | Delivered, Returned) => vec![to],
        _ => vec![],
    }
}

/// How long to wait before the try after the `attempts`th: a second, two, four, at most half a minute; after twenty
/// failures ten minutes, because then a person has to look.
pub fn backoff(attempts: i64) -> Duration {
    let exponent = u32::try_from(attempts - 1).unwrap_or(0).min(5);
    if attempts > 20 { Duration::from_secs(600) } else { Duration::from_secs((1 << exponent).min(30)) }
}

#[cfg(test)]
mod tests {
    use contracts::{
        cart::LineId,
        product::{ProductId, VariantId},
    };
    use proptest::prelude::*;
    use shared::Currency;

    use super::*;

    fn eur(amount: i64) -> Money {
        Money::new(amount, Currency::EUR)
    }

    fn line(quantity: i64, total: i64) -> PricedLine {
        PricedLine {
            id: LineId::new(),
            variant_id: VariantId::new(),
            product_id: ProductId::new(),
            slug: String::new(),
            sku: String::new(),
            title: String::new(),
            variant_title: String::new(),
            image: None,
            quantity,
            unit_price: eur(0),
            subtotal: eur(total),
            discount: eur(0),
            tax: eur(0),
            total: eur(total),
            tax_rate_basis_points: 0,
            weight_grams: 0,
        }
    }

    #[test]
    fn numbers_have_no_letters_that_look_alike() {
        for seed in ["a", "b", "c", "d"] {
            let number = number_of(seed);
            assert_eq!(number.len(), 11);
            assert!(number.starts_with("B-") && !number[2..].contains(['0', 'O', '1', 'I']), "{number}");
        }
    }

    #[test]
    fn a_customers_orders_live_in_one_bucket() {
        let email: Email = "Ada@Example.com".parse().unwrap();
        assert_eq!(bucket(&email), bucket(&"ada@example.com".parse().unwrap()));
        assert!(bucket(&email) < 1024);
    }

    #[test]
    fn the_wait_grows_and_is_bounded() {
        let seconds: Vec<_> = [1, 2, 3, 6, 20, 21, i64::MAX].iter().map(|n| backoff(*n).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 30, 30, 600, 600]);
    }

    #[test]
    fn the_sums_decide_where_the_money_is() {
        use OrderPaymentStatus as Is;
        use PaymentState as P;
        let of = |state, captured, refunded| payment_status(state, eur(captured), eur(refunded), eur(100));
        assert_eq!(of(P::RequiresAction, 0, 0), Is::Awaiting);
        assert_eq!(of(P::Authorized, 0, 0), Is::Authorized);
        assert_eq!(of(P::Captured, 40, 0), Is::Authorized);
        assert_eq!(of(P::Captured, 100, 0), Is::Captured);
        assert_eq!(of(P::Captured, 100, 1), Is::PartiallyRefunded);
        assert_eq!(of(P::Refunded, 100, 100), Is::Refunded);
        assert_eq!(of(P::Voided, 0, 0), Is::Failed);
        assert_eq!(of(P::Voided, 40, 0), Is::Captured);
        assert_eq!(payment_status(P::Captured, eur(0), eur(0), eur(0)), Is::Captured);
    }

    proptest! {
        #[test]
        fn refunding_a_line_bit_by_bit_is_refunding_all_of_it(quantity in 1_i64..50, total in 0_i64..100_000, cut in 0_i64..50) {
            let line = line(quantity, total);
            let cut = cut.min(quantity);
            let first = refund_amount(&line, 0, cut).unwrap();
            let rest = refund_amount(&line, cut, quantity - cut).unwrap();
            prop_assert_eq!(first.add(rest).unwrap(), line.total);
        }

        #[test]
        fn the_path_of_goods_is_legal(steps in prop::collection::vec((0_i64..4, 0_i64..4, any::<bool>()), 1..6)) {
            let mut at = FulfillmentStatus::Unfulfilled;
            for (shipped, refunded, delivered) in steps {
                let to = fulfillment(&[Progress { quantity: 3, shipped: shipped.min(3), refunded }], delivered);
                for next in fulfillment_path(at, to) {
                    prop_assert!(check(at, next).is_ok());
                    at = next;
                }
            }
        }
    }
}
