//! What was entered so far.

use contracts::{Address, cart::Destination, shipping::MethodId};
use serde::{Deserialize, Serialize};
use shared::values::Email;

use crate::{Page, cookies::Name, forms::new_key};

/// The steps, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Contact,
    Address,
    Delivery,
    Payment,
    Review,
}

impl Step {
    pub const ALL: [Self; 5] = [Self::Contact, Self::Address, Self::Delivery, Self::Payment, Self::Review];

    /// Its part of the address, and of the keys of its texts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Address => "address",
            Self::Delivery => "delivery",
            Self::Payment => "payment",
            Self::Review => "review",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }

    /// The one after it.
    pub fn next(self) -> Self {
        Self::ALL.into_iter().find(|step| *step > self).unwrap_or(Self::Review)
    }

    pub fn path(self) -> String {
        format!("/checkout/{}", self.name())
    }
}

/// The checkout as far as it has come.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Draft {
    pub email: Option<Email>,
    pub address: Option<Address>,
    /// Where it differs from the delivery address.
    pub billing: Option<Address>,
    pub option: Option<MethodId>,
    /// How it is paid: a provider's name for a card.
    pub card: Option<String>,
    /// Makes the order happen once, however often the last form is sent. New after a decline.
    pub key: String,
}

impl Draft {
    /// The visitor's, or an empty one.
    pub fn read(p: &Page) -> Self {
        let mut draft: Self = p.cookies.json(Name::Checkout).unwrap_or_default();
        if draft.key.is_empty() {
            draft.key = new_key();
        }
        if draft.email.is_none() {
            draft.email = p.claims.as_ref().map(|claims| claims.email.clone());
        }
        draft
    }

    /// The first step that is not done yet.
    pub fn missing(&self) -> Step {
        match self {
            Self { email: None, .. } => Step::Contact,
            Self { address: None, .. } => Step::Address,
            Self { option: None, .. } => Step::Delivery,
            Self { card: None, .. } => Step::Payment,
            _ => Step::Review,
        }
    }

    /// Where it goes.
    pub fn destination(&self) -> Option<Destination> {
        self.address.as_ref().map(Destination::from)
    }

    /// A new attempt to pay.
    pub fn renew(&mut self) {
        self.card = None;
        self.key = new_key();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_that_is_missing_is_next() {
        let mut draft = Draft::default();
        assert_eq!(draft.missing(), Step::Contact);
        draft.email = Some("ada@example.com".parse().unwrap());
        assert_eq!(draft.missing(), Step::Address);
        assert_eq!(Step::parse("delivery").map(Step::next), Some(Step::Payment));
        assert_eq!(Step::Review.next(), Step::Review);
    }

    #[test]
    fn a_new_attempt_has_a_new_key_and_no_card() {
        let mut draft = Draft { card: Some("tok_ok".into()), key: "one".into(), ..Draft::default() };
        draft.renew();
        assert!(draft.card.is_none() && draft.key.len() == 22);
    }
}
