use contracts::payment::PaymentState;
use proptest::prelude::*;
use shared::{Currency, Money};

use super::*;

const ALL: [PaymentState; 7] = [Pending, RequiresAction, Authorized, Captured, Failed, Voided, Refunded];

/// How far along a payment is. Every legal move must raise it.
fn rank(state: PaymentState) -> u8 {
    match state {
        Pending => 0,
        RequiresAction => 1,
        Authorized => 2,
        Captured => 3,
        Failed | Voided | Refunded => 4,
    }
}

fn truth(state: TruthState, authorized: i64, captured: i64, refunded: i64) -> Truth {
    Truth {
        reference: "tpi_1".to_owned(),
        payment_id: None,
        order_id: None,
        amount: Money::new(100, Currency::EUR),
        state,
        authorized,
        captured,
        refunded,
    }
}

fn shopper() -> TruthState {
    TruthState::NeedsShopper { url: "/test-payments/tpi_1".to_owned() }
}

/// The lives a payment can have at its provider, as seen from time to time.
fn lives() -> Vec<Vec<Truth>> {
    let declined = TruthState::Failed { decline_code: "declined".to_owned() };
    let held = || truth(TruthState::Authorized, 100, 0, 0);
    let step = |authorized, captured, refunded| truth(TruthState::Authorized, authorized, captured, refunded);
    vec![
        vec![truth(shopper(), 0, 0, 0), held(), step(100, 60, 0), step(100, 60, 20), step(60, 60, 20)],
        vec![held(), step(100, 100, 0), step(100, 100, 40), step(100, 100, 100)],
        vec![truth(shopper(), 0, 0, 0), held(), truth(TruthState::Voided, 0, 0, 0)],
        vec![truth(shopper(), 0, 0, 0), truth(declined, 0, 0, 0)],
        vec![truth(TruthState::Open, 0, 0, 0), truth(TruthState::Voided, 0, 0, 0)],
    ]
}

fn holds(s: &Standing) -> bool {
    let sums = [s.authorized, s.captured, s.refunded, s.capturing, s.refunding].iter().all(|sum| *sum >= 0);
    sums && s.authorized <= s.amount
        && s.captured + s.capturing <= s.authorized
        && s.refunded + s.refunding <= s.captured
}

#[test]
fn every_state_has_its_moves_and_none_leads_back() {
    for from in ALL {
        assert_eq!(MOVES.iter().filter(|(state, _)| *state == from).count(), 1);
        assert_eq!(state_named(state_name(from)), Some(from));
        for to in ALL {
            assert!(!may_move(from, to) || rank(from) < rank(to), "{from:?} -> {to:?}");
        }
    }
}

#[test]
fn a_payment_that_is_closing_does_not_become_authorised() {
    let mut standing = Standing::new(100);
    standing.closing = true;
    let held = truth(TruthState::Authorized, 100, 0, 0);
    assert_eq!(standing.hear(&held), Elsewhere::default());
    assert_eq!(standing.status, Pending);
    assert!(standing.leaves_orphan(&held));
    standing.close();
    standing.hear(&held);
    assert_eq!(standing.status, Voided);
    assert!(standing.leaves_orphan(&held));
}

#[test]
fn money_captured_elsewhere_is_not_forgotten_when_the_rest_goes_back() {
    let mut standing = Standing::new(100);
    let elsewhere = standing.hear(&truth(TruthState::Authorized, 60, 60, 0));
    assert_eq!((standing.status, standing.captured, standing.authorized), (Captured, 60, 60));
    assert_eq!(elsewhere, Elsewhere { captured: 60, refunded: 0 });
}

#[test]
fn what_is_under_way_is_not_booked_as_somebody_elses() {
    let mut standing = Standing::new(100);
    standing.authorize(100);
    standing.capturing = 60;
    assert_eq!(standing.hear(&truth(TruthState::Authorized, 100, 60, 0)), Elsewhere::default());
    standing.end_capture(60, true);
    assert_eq!((standing.status, standing.captured, standing.capturing), (Captured, 60, 0));
}

#[test]
fn a_capture_under_way_while_the_rest_goes_back_decides_what_is_left() {
    for (happened, status, authorized) in [(true, Captured, 60), (false, Voided, 0)] {
        let mut standing = Standing::new(100);
        standing.authorize(100);
        standing.capturing = 60;
        standing.close();
        assert_eq!((standing.status, standing.authorized), (Authorized, 60));
        standing.end_capture(60, happened);
        assert_eq!((standing.status, standing.authorized), (status, authorized));
    }
}

/// One thing that can happen to a payment.
#[derive(Clone, Debug)]
enum Act {
    Shopper,
    Authorize,
    Fail,
    Closing,
    Close,
    ReserveCapture(i64),
    ReserveRefund(i64),
    EndCapture(bool),
    EndRefund(bool),
    Hear(Truth),
}

fn acts() -> impl Strategy<Value = Act> {
    let truths: Vec<_> = lives().into_iter().flatten().collect();
    prop_oneof![
        Just(Act::Shopper),
        Just(Act::Authorize),
        Just(Act::Fail),
        Just(Act::Closing),
        Just(Act::Close),
        (1_i64..120).prop_map(Act::ReserveCapture),
        (1_i64..120).prop_map(Act::ReserveRefund),
        any::<bool>().prop_map(Act::EndCapture),
        any::<bool>().prop_map(Act::EndRefund),
        prop::sample::select(truths).prop_map(Act::Hear),
    ]
}

fn apply(s: &mut Standing, act: Act) {
    match act {
        Act::Shopper => s.needs_shopper(),
        Act::Authorize => s.authorize(100),
        Act::Fail => s.fail(),
        Act::Closing => s.closing = true,
        Act::Close => s.close(),
        Act::ReserveCapture(amount) if s.may_capture(amount) => s.capturing += amount,
        Act::ReserveRefund(amount) if s.may_refund(amount) => s.refunding += amount,
        Act::EndCapture(happened) => s.end_capture(s.capturing, happened),
        Act::EndRefund(happened) => s.end_refund(s.refunding, happened),
        Act::Hear(truth) => {
            s.hear(&truth);
        }
        Act::ReserveCapture(_) | Act::ReserveRefund(_) => {}
    }
}

proptest! {
    #[test]
    fn whatever_happens_a_payment_moves_forward_and_its_sums_hold(acts in prop::collection::vec(acts(), 1..40)) {
        let mut standing = Standing::new(100);
        for act in acts {
            let before = standing.clone();
            apply(&mut standing, act);
            prop_assert!(holds(&standing), "{standing:?}");
            prop_assert!(before.status == standing.status || may_move(before.status, standing.status));
            prop_assert!(before.captured <= standing.captured && before.refunded <= standing.refunded);
        }
    }

    #[test]
    fn news_in_any_order_and_number_ends_where_news_in_order_does(
        life in prop::sample::select(lives()),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        last_at in any::<prop::sample::Index>(),
    ) {
        let mut in_order = Standing::new(100);
        for truth in &life {
            in_order.hear(truth);
        }
        let mut news: Vec<_> = picks.iter().map(|pick| pick.get(&life).clone()).collect();
        news.insert(last_at.index(news.len() + 1), life.last().expect("a life has news").clone());
        let mut shuffled = Standing::new(100);
        let mut booked = Elsewhere::default();
        for truth in &news {
            let elsewhere = shuffled.hear(truth);
            booked.captured += elsewhere.captured;
            booked.refunded += elsewhere.refunded;
        }
        prop_assert_eq!(&shuffled, &in_order);
        prop_assert_eq!((booked.captured, booked.refunded), (shuffled.captured, shuffled.refunded));
    }
}
