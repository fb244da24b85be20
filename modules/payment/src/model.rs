//! The rules of money: which moves a payment may make, and what news from the provider does to it.

use contracts::payment::PaymentState::{
    self, Authorized, Captured, Failed, Pending, Refunded, RequiresAction, Voided,
};

use crate::provider::{Truth, TruthState};

/// Every legal move. All lead forward: nothing that is heard late or twice can take a payment back.
pub const MOVES: &[(PaymentState, &[PaymentState])] = &[
    (Pending, &[RequiresAction, Authorized, Captured, Failed, Voided, Refunded]),
    (RequiresAction, &[Authorized, Captured, Failed, Voided, Refunded]),
    (Authorized, &[Captured, Voided, Refunded]),
    (Captured, &[Refunded]),
    (Failed, &[]),
    (Voided, &[]),
    (Refunded, &[]),
];

/// Whether [`MOVES`] has it.
pub fn may_move(from: PaymentState, to: PaymentState) -> bool {
    MOVES.iter().any(|(state, next)| *state == from && next.contains(&to))
}

const NAMES: [(PaymentState, &str); 7] = [
    (Pending, "pending"),
    (RequiresAction, "requires_action"),
    (Authorized, "authorized"),
    (Captured, "captured"),
    (Failed, "failed"),
    (Voided, "voided"),
    (Refunded, "refunded"),
];

/// A state as it is stored.
pub fn state_name(state: PaymentState) -> &'static str {
    NAMES.iter().find(|(s, _)| *s == state).map_or("pending", |(_, name)| name)
}

/// The state that is stored as `name`.
pub fn state_named(name: &str) -> Option<PaymentState> {
    NAMES.iter().find(|(_, n)| *n == name).map(|(state, _)| *state)
}

/// Where a payment's money stands, in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Only ever moves along [`MOVES`].
    pub status: PaymentState,
    /// What was asked for.
    pub amount: i64,
    /// What is held for us, captured money included.
    pub authorized: i64,
    /// What was taken.
    pub captured: i64,
    /// What went back, out of `captured`.
    pub refunded: i64,
    /// Reserved by captures whose outcome is unknown.
    pub capturing: i64,
    /// Reserved by refunds whose outcome is unknown.
    pub refunding: i64,
    /// The rest is to be given back: nothing more may be authorised or captured.
    pub closing: bool,
    /// The provider holds nothing more for us, and never will.
    pub closed: bool,
}

/// Money that moved at the provider without us: to be written into the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// Captured there.
    pub captured: i64,
    /// Refunded there.
    pub refunded: i64,
}

impl Standing {
    /// Written down, nothing known.
    pub fn new(amount: i64) -> Self {
        Self {
            status: Pending,
            amount,
            authorized: 0,
            captured: 0,
            refunded: 0,
            capturing: 0,
            refunding: 0,
            closing: false,
            closed: false,
        }
    }

    /// The shopper must do something first.
    pub fn needs_shopper(&mut self) {
        if !self.closing {
            self.go(RequiresAction);
        }
    }

    /// The provider holds `amount` for us. Not heard once the payment is closing: then it only has to give it back.
    pub fn authorize(&mut self, amount: i64) {
        if !self.closing && may_move(self.status, Authorized) {
            self.authorized = amount;
            self.go(Authorized);
        }
    }

    /// Declined.
    pub fn fail(&mut self) {
        self.go(Failed);
    }

    /// The provider holds no more than what was captured.
    pub fn close(&mut self) {
        (self.closing, self.closed) = (true, true);
        self.settle();
    }

    /// Whether `amount` more may be captured.
    pub fn may_capture(&self, amount: i64) -> bool {
        matches!(self.status, Authorized | Captured)
            && !self.closing
            && self.captured + self.capturing + amount <= self.authorized
    }

    /// Whether `amount` more may be refunded.
    pub fn may_refund(&self, amount: i64) -> bool {
        self.refunded + self.refunding + amount <= self.captured
    }

    /// A reserved capture happened, or never will.
    pub fn end_capture(&mut self, amount: i64, happened: bool) {
        self.capturing -= amount;
        self.captured += if happened { amount } else { 0 };
        self.settle();
    }

    /// A reserved refund happened, or never will.
    pub fn end_refund(&mut self, amount: i64, happened: bool) {
        self.refunding -= amount;
        self.refunded += if happened { amount } else { 0 };
        self.settle();
    }

    /// Takes over what the provider says. `truth` may be old: what is already known stays.
    ///
    /// Sums are only compared while nothing of ours is under way: what is under way counts itself when it ends.
    pub fn hear(&mut self, truth: &Truth) -> Elsewhere {
        match &truth.state {
            TruthState::Open => {}
            TruthState::NeedsShopper { .. } => self.needs_shopper(),
            TruthState::Failed { .. } => self.fail(),
            TruthState::Authorized => self.authorize(truth.authorized),
            TruthState::Voided => {}
        }
        let mut elsewhere = Elsewhere::default();
        if self.capturing == 0
            && matches!(self.status, Authorized | Captured)
            && truth.captured > self.captured
        {
            elsewhere.captured = truth.captured - self.captured;
            self.captured = truth.captured;
            self.authorized = self.authorized.max(self.captured);
            self.settle();
        }
        let refunded = truth.refunded.min(self.captured);
        if self.refunding == 0 && refunded > self.refunded {
            elsewhere.refunded = refunded - self.refunded;
            self.refunded = refunded;
            self.settle();
        }
        // Last, because a payment is only void if nothing was captured.
        let given_back = truth.state == TruthState::Authorized && truth.authorized < truth.amount.amount;
        if given_back || truth.state == TruthState::Voided {
            self.close();
        }
        elsewhere
    }

    /// Whether the provider, as `truth` has it, holds or may yet hold money that nobody here wants any more.
    pub fn leaves_orphan(&self, truth: &Truth) -> bool {
        let unwanted = self.closing || matches!(self.status, Failed | Voided);
        let held = match truth.state {
            TruthState::Authorized => truth.authorized > truth.captured,
            TruthState::NeedsShopper { .. } | TruthState::Open => true,
            TruthState::Failed { .. } | TruthState::Voided => false,
        };
        unwanted && held
    }

    /// Brings limits and status in line with the sums.
    fn settle(&mut self) {
        if self.closed {
            self.authorized = self.captured + self.capturing;
        }
        if self.captured > 0 {
            self.go(Captured);
        }
        if self.captured > 0 && self.refunded == self.captured && self.capturing == 0 {
            self.go(Refunded);
        }
        if self.closed && self.captured == 0 && self.capturing == 0 {
            self.go(Voided);
        }
    }

    fn go(&mut self, to: PaymentState) {
        if may_move(self.status, to) {
            self.status = to;
        }
    }
}

#[cfg(test)]
mod tests;
