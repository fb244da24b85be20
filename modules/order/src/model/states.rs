//! The published tables: every move of an order's three states is in one of them.

use contracts::order::{
    FulfillmentStatus as Fulfillment, OrderPaymentStatus as Payment, OrderStatus as Status, Transition,
    TransitionTable,
};
use serde::Serialize;
use shared::{Error, Result};

use crate::rows::word;

/// A state with a table of legal moves.
pub trait State: Copy + PartialEq + Serialize + 'static {
    /// The member of an order that shows it.
    const NAME: &'static str;
    /// From, to.
    const MOVES: &'static [(Self, Self)];
}

impl State for Status {
    const NAME: &'static str = "status";
    const MOVES: &'static [(Self, Self)] = &[
        (Self::Pending, Self::Placed),
        (Self::Pending, Self::Cancelled),
        (Self::Placed, Self::Completed),
        (Self::Placed, Self::Cancelled),
    ];
}

impl State for Payment {
    const NAME: &'static str = "payment_status";
    const MOVES: &'static [(Self, Self)] = &[
        (Self::Awaiting, Self::Authorized),
        (Self::Awaiting, Self::Captured),
        (Self::Awaiting, Self::Failed),
        (Self::Authorized, Self::Captured),
        (Self::Authorized, Self::PartiallyRefunded),
        (Self::Authorized, Self::Refunded),
        (Self::Authorized, Self::Failed),
        (Self::Authorized, Self::Disputed),
        (Self::Captured, Self::PartiallyRefunded),
        (Self::Captured, Self::Refunded),
        (Self::Captured, Self::Disputed),
        (Self::PartiallyRefunded, Self::Refunded),
        (Self::PartiallyRefunded, Self::Disputed),
        (Self::Failed, Self::Refunded),
        (Self::Disputed, Self::Captured),
        (Self::Disputed, Self::PartiallyRefunded),
        (Self::Disputed, Self::Refunded),
    ];
}

impl State for Fulfillment {
    const NAME: &'static str = "fulfillment_status";
    const MOVES: &'static [(Self, Self)] = &[
        (Self::Unfulfilled, Self::PartiallyShipped),
        (Self::Unfulfilled, Self::Shipped),
        (Self::PartiallyShipped, Self::Shipped),
        (Self::Shipped, Self::Delivered),
        (Self::Shipped, Self::Returned),
        (Self::Delivered, Self::Returned),
    ];
}

/// `Conflict/illegal_transition` unless the table has the move.
pub fn check<S: State>(from: S, to: S) -> Result<()> {
    if S::MOVES.contains(&(from, to)) {
        return Ok(());
    }
    Err(Error::illegal_transition(S::NAME, word(&from), word(&to)))
}

/// The table, as published.
pub fn table<S: State>() -> TransitionTable {
    let moves = S::MOVES.iter().map(|(from, to)| Transition { from: word(from), to: word(to) }).collect();
    TransitionTable { state: S::NAME.to_owned(), moves }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_ends_and_nothing_moves_to_itself() {
        assert!(check(Status::Cancelled, Status::Placed).is_err());
        assert!(check(Status::Completed, Status::Cancelled).is_err());
        assert!(check(Payment::Refunded, Payment::Captured).is_err());
        assert!(check(Fulfillment::Delivered, Fulfillment::Shipped).is_err());
        assert!(Status::MOVES.iter().all(|(from, to)| from != to));
        assert!(Payment::MOVES.iter().all(|(from, to)| from != to));
    }

    #[test]
    fn an_illegal_move_says_from_and_to() {
        let error = check(Status::Cancelled, Status::Placed).unwrap_err();
        assert_eq!(error.code, "illegal_transition");
        assert_eq!((&error.extra["from"], &error.extra["to"]), (&"cancelled".into(), &"placed".into()));
    }
}
