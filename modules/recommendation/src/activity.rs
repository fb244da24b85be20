//! What visitors did last.

use std::sync::{Arc, Mutex};

use contracts::{
    product::ProductId,
    recommendation::{Interaction, InteractionKind, Visitor},
};
use moka::sync::Cache;
use shared::Time;

use crate::model::Who;

/// How much of somebody is remembered.
pub const LENGTH: usize = 50;
/// Of how many.
const VISITORS: u64 = 200_000;

/// Something that somebody did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    pub product: ProductId,
    pub kind: InteractionKind,
    pub at: Time,
}

/// The last doings of the last visitors.
pub struct Activity(Cache<Who, Arc<Mutex<Vec<Seen>>>>);

impl Default for Activity {
    fn default() -> Self {
        Self(Cache::new(VISITORS))
    }
}

impl Activity {
    /// Somebody did something.
    pub fn add(&self, interaction: &Interaction) {
        let Some(who) = self.adopt(interaction.visitor) else { return };
        let Interaction { product_id: product, kind, at, .. } = *interaction;
        let seen = self.0.get_with(who, Arc::default);
        insert(&mut lock(&seen), Seen { product, kind, at });
    }

    /// It has turned out that somebody did not do that.
    pub fn remove(&self, interaction: &Interaction) {
        let Some(seen) = Who::of(interaction.visitor).and_then(|who| self.0.get(&who)) else { return };
        let Interaction { product_id: product, kind, at, .. } = *interaction;
        lock(&seen).retain(|one| *one != Seen { product, kind, at });
    }

    /// What the visitor did, last first.
    pub fn of(&self, visitor: Visitor) -> Vec<Seen> {
        let seen = self.adopt(visitor).and_then(|who| self.0.get(&who));
        seen.map(|seen| lock(&seen).clone()).unwrap_or_default()
    }

    /// The visitor did this and nothing else.
    pub fn set(&self, visitor: Visitor, all: impl IntoIterator<Item = Interaction>) {
        let Some(who) = self.adopt(visitor) else { return };
        let mut list = Vec::new();
        for Interaction { product_id: product, kind, at, .. } in all {
            insert(&mut list, Seen { product, kind, at });
        }
        self.0.insert(who, Arc::new(Mutex::new(list)));
    }

    /// Nothing is known of the visitor any more.
    pub fn forget(&self, visitor: Visitor) {
        visitor.customer_id.into_iter().for_each(|id| self.0.invalidate(&Who::Customer(id)));
        visitor.visitor_id.into_iter().for_each(|id| self.0.invalidate(&Who::Anonymous(id)));
    }

    /// With both ids, what the anonymous visitor did is the customer's.
    fn adopt(&self, visitor: Visitor) -> Option<Who> {
        let who = Who::of(visitor)?;
        if let (Who::Customer(_), Some(anonymous)) = (who, visitor.visitor_id)
            && let Some(before) = self.0.remove(&Who::Anonymous(anonymous))
        {
            let seen = self.0.get_with(who, Arc::default);
            let before = std::mem::take(&mut *lock(&before));
            before.into_iter().for_each(|one| insert(&mut lock(&seen), one));
        }
        Some(who)
    }
}

/// Keeps the list in order, last first.
fn insert(list: &mut Vec<Seen>, seen: Seen) {
    if list.contains(&seen) {
        return;
    }
    let place = list.partition_point(|known| known.at > seen.at);
    list.insert(place, seen);
    list.truncate(LENGTH);
}

fn lock(list: &Mutex<Vec<Seen>>) -> std::sync::MutexGuard<'_, Vec<Seen>> {
    list.lock().expect("nobody panics while holding the list")
}

#[cfg(test)]
mod tests {
    use contracts::{customer::CustomerId, recommendation::VisitorId};

    use super::*;

    fn view(visitor: Visitor, product: ProductId, at: i64) -> Interaction {
        Interaction { visitor, product_id: product, kind: InteractionKind::View, at: Time::from_micros(at) }
    }

    #[test]
    fn what_an_anonymous_visitor_did_becomes_the_customers() {
        let (activity, a, b) = (Activity::default(), ProductId::new(), ProductId::new());
        let anonymous = Visitor { visitor_id: Some(VisitorId::random()), customer_id: None };
        let both = Visitor { customer_id: Some(CustomerId::new()), ..anonymous };
        let customer = Visitor { visitor_id: None, ..both };
        activity.add(&view(anonymous, a, 1));
        activity.add(&view(customer, b, 2));
        let products = |visitor| activity.of(visitor).iter().map(|seen| seen.product).collect::<Vec<_>>();
        assert_eq!(products(both), [b, a]);
        assert_eq!(products(customer), [b, a]);
        assert!(products(anonymous).is_empty());
        activity.forget(both);
        assert!(products(customer).is_empty());
    }

    #[test]
    fn nothing_is_kept_of_who_does_not_want_to_be_remembered() {
        let activity = Activity::default();
        activity.add(&view(Visitor::default(), ProductId::new(), 1));
        assert!(activity.of(Visitor::default()).is_empty());
        activity.0.run_pending_tasks();
        assert_eq!(activity.0.entry_count(), 0);
    }
}
