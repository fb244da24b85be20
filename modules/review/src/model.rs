//! The stored review and its rules. No async, no database.

mod holds;
mod texts;

use std::time::Duration;

use contracts::{
    Actor,
    customer::CustomerId,
    product::ProductId,
    review::{Hold, ModeratedReview, NewReview, Reply, Review, ReviewId, ReviewStatus},
};
use serde::{Deserialize, Serialize};
use shared::{Error, Kind, Result, Time};

pub use texts::{author, buyer, text, validated};

/// How long a review counts against its author's next ones.
pub const RATE_PERIOD: Duration = Duration::from_secs(24 * 3_600);

/// What the operator decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Which reviews need nobody to approve them.
    pub auto_approve: AutoApprove,
    /// Who has written so many reviews in a day has the next ones looked at.
    pub max_per_day: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { auto_approve: AutoApprove::Never, max_per_day: 5 }
    }
}

/// Which reviews need nobody to approve them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutoApprove {
    /// None: all wait for staff.
    Never,
    /// Those of who has bought the product here, unless a rule holds them.
    Verified,
    /// All that no rule holds.
    Clean,
}

/// A review as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredReview {
    /// Its id.
    pub id: ReviewId,
    /// What it is about.
    pub product_id: ProductId,
    /// What that was called.
    pub product_title: String,
    /// Who wrote it; nobody once they are erased.
    pub customer_id: Option<CustomerId>,
    /// What they are called in public.
    pub author: Option<String>,
    /// Stars, title, body and pictures.
    pub content: NewReview,
    /// The author's purchase of the product has arrived.
    pub verified: bool,
    /// Where it stands.
    pub status: ReviewStatus,
    /// Why it is not let in.
    pub rejection_reason: Option<String>,
    /// What rules say against it, until staff decide.
    pub held_for: Vec<Hold>,
    /// Who approved or rejected it.
    pub decided_by: Option<Actor>,
    /// The shop's answer.
    pub reply: Option<Reply>,
    /// When it was written.
    pub created_at: Time,
    /// The author's or the staff's last change.
    pub updated_at: Time,
    /// Since when it has been public.
    pub approved_at: Option<Time>,
    /// Grows with each change but those of the two counts.
    pub version: i64,
    /// How many accounts found it helpful; counted beside the document.
    #[serde(skip)]
    pub helpful: i64,
    /// How many accounts reported it since staff decided; counted beside the document.
    #[serde(skip)]
    pub reports: i64,
}

impl StoredReview {
    /// A pending one that nobody has judged yet.
    pub fn new(
        product: (ProductId, String),
        author: (CustomerId, String),
        content: NewReview,
        now: Time,
    ) -> Self {
        Self {
            id: ReviewId::new(),
            product_id: product.0,
            product_title: product.1,
            customer_id: Some(author.0),
            author: Some(author.1),
            content,
            verified: false,
            status: ReviewStatus::Pending,
            rejection_reason: None,
            held_for: Vec::new(),
            decided_by: None,
            reply: None,
            created_at: now,
            updated_at: now,
            approved_at: None,
            version: 1,
            helpful: 0,
            reports: 0,
        }
    }

    /// Whether shoppers see it.
    pub fn is_public(&self) -> bool {
        self.status == ReviewStatus::Approved
    }

    /// `NotFound` for everybody but the author.
    pub fn open_to(&self, customer: CustomerId) -> Result<()> {
        if self.customer_id == Some(customer) { Ok(()) } else { Err(ReviewId::not_found()) }
    }

    /// `NotFound` unless it is public, `Forbidden/own_review` for its author.
    pub fn votable_by(&self, voter: CustomerId) -> Result<()> {
        if !self.is_public() {
            return Err(ReviewId::not_found());
        }
        match self.customer_id == Some(voter) {
            true => Err(Error::new(Kind::Forbidden, "own_review", "this review is your own")),
            false => Ok(()),
        }
    }

    /// `PreconditionFailed/version` unless it is the version that the caller has seen.
    pub fn expect_version(&self, seen: Option<i64>) -> Result<()> {
        if seen.is_none_or(|seen| seen == self.version) {
            return Ok(());
        }
        Err(Error::new(Kind::PreconditionFailed, "version", "it has been changed since you read it"))
    }

    /// Lets the rules have their say about what was written: it is pending, or approved where the settings say so.
    /// `today`: how many other reviews the author has written within a day.
    pub fn judge(&mut self, settings: &Settings, today: i64, now: Time) {
        self.held_for = holds::against(self, today >= i64::from(settings.max_per_day));
        self.status = ReviewStatus::Pending;
        self.rejection_reason = None;
        self.decided_by = None;
        self.approved_at = None;
        self.approve_if_allowed(settings, now);
    }

    /// Its author's purchase has arrived.
    pub fn verify(&mut self, settings: &Settings, now: Time) {
        self.verified = true;
        self.version += 1;
        self.approve_if_allowed(settings, now);
    }

    fn approve_if_allowed(&mut self, settings: &Settings, now: Time) {
        let allowed = match settings.auto_approve {
            AutoApprove::Never => false,
            AutoApprove::Verified => self.verified,
            AutoApprove::Clean => true,
        };
        if allowed && self.held_for.is_empty() && self.status == ReviewStatus::Pending {
            self.approve(Actor::System, now);
        }
    }

    /// Makes it public.
    pub fn approve(&mut self, actor: Actor, now: Time) {
        self.status = ReviewStatus::Approved;
        self.approved_at = Some(self.approved_at.unwrap_or(now));
        self.rejection_reason = None;
        self.held_for.clear();
        self.decided_by = Some(actor);
    }

    /// Takes it away, or does not let it in.
    pub fn reject(&mut self, reason: String, actor: Actor) {
        self.status = ReviewStatus::Rejected;
        self.approved_at = None;
        self.rejection_reason = Some(reason);
        self.held_for.clear();
        self.decided_by = Some(actor);
    }

    /// Lets it wait again, as if nobody had decided.
    pub fn reopen(&mut self, actor: Actor) {
        self.status = ReviewStatus::Pending;
        self.approved_at = None;
        self.rejection_reason = None;
        self.decided_by = Some(actor);
    }

    /// Forgets who wrote it and what: the stars alone are nobody's.
    pub fn anonymise(&mut self, now: Time) {
        self.customer_id = None;
        self.author = None;
        self.content = NewReview {
            rating: self.content.rating,
            title: String::new(),
            body: String::new(),
            pictures: Vec::new(),
        };
        self.reply = None;
        self.touch(now);
    }

    /// Notes a change of the author's or the staff's.
    pub fn touch(&mut self, now: Time) {
        self.version += 1;
        self.updated_at = now;
    }

    /// As its author and, if it is public, shoppers see it.
    pub fn view(self) -> Review {
        Review {
            id: self.id,
            product_id: self.product_id,
            product_title: self.product_title,
            rating: self.content.rating,
            title: self.content.title,
            body: self.content.body,
            pictures: self.content.pictures,
            author: self.author,
            verified: self.verified,
            status: self.status,
            rejection_reason: self.rejection_reason,
            helpful: self.helpful,
            reply: self.reply,
            created_at: self.created_at,
            updated_at: self.updated_at,
            approved_at: self.approved_at,
            version: self.version,
        }
    }

    /// As staff see it.
    pub fn moderated(self) -> ModeratedReview {
        ModeratedReview {
            customer_id: self.customer_id,
            held_for: self.held_for.clone(),
            reports: self.reports,
            decided_by: self.decided_by,
            review: self.view(),
        }
    }
}

/// How a product's stars move when a review goes from one state to another; `None` where there is no review.
pub fn moved(before: Option<&StoredReview>, after: Option<&StoredReview>) -> [i64; 5] {
    let mut stars = [0; 5];
    let public = |review: Option<&StoredReview>| review.filter(|r| r.is_public()).map(|r| r.content.rating);
    if let Some(rating) = public(before) {
        stars[usize::from(rating) - 1] -= 1;
    }
    if let Some(rating) = public(after) {
        stars[usize::from(rating) - 1] += 1;
    }
    stars
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(rating: u8, body: &str) -> StoredReview {
        let content =
            NewReview { rating, title: "A fine mug".into(), body: body.into(), pictures: Vec::new() };
        let author = (CustomerId::new(), "Ada L.".to_owned());
        StoredReview::new((ProductId::new(), "Mug".into()), author, content, Time::from_micros(1))
    }

    fn judged(settings: AutoApprove, body: &str, verified: bool, today: i64) -> StoredReview {
        let mut review = StoredReview { verified, ..review(4, body) };
        review.judge(&Settings { auto_approve: settings, max_per_day: 5 }, today, Time::from_micros(2));
        review
    }

    #[test]
    fn the_settings_decide_who_needs_nobody_to_approve() {
        use AutoApprove::{Clean, Never, Verified};
        use ReviewStatus::{Approved, Pending};
        for (setting, verified, status) in [
            (Never, true, Pending),
            (Never, false, Pending),
            (Verified, true, Approved),
            (Verified, false, Pending),
            (Clean, false, Approved),
        ] {
            assert_eq!(judged(setting, "Keeps tea hot.", verified, 0).status, status, "{setting:?}");
        }
        for setting in [Never, Verified, Clean] {
            let held = judged(setting, "See www.cheap-mugs.example for more", true, 0);
            assert_eq!((held.status, held.held_for), (Pending, vec![Hold::Links]), "{setting:?}");
            let held = judged(setting, "Keeps tea hot.", true, 5);
            assert_eq!((held.status, held.held_for), (Pending, vec![Hold::Rate]), "{setting:?}");
        }
        assert_eq!(judged(Clean, "Keeps tea hot.", false, 4).status, Approved);
    }

    #[test]
    fn a_purchase_that_arrives_later_approves_only_what_waits_for_nothing_else() {
        let settings = Settings { auto_approve: AutoApprove::Verified, max_per_day: 5 };
        let now = Time::from_micros(3);
        let mut waiting = judged(AutoApprove::Verified, "Keeps tea hot.", false, 0);
        waiting.verify(&settings, now);
        assert_eq!((waiting.status, waiting.approved_at), (ReviewStatus::Approved, Some(now)));
        let mut held = judged(AutoApprove::Verified, "MINE KEEPS TEA HOT FOR HOURS", false, 0);
        held.verify(&settings, now);
        assert_eq!((held.status, held.verified), (ReviewStatus::Pending, true));
        let mut rejected = judged(AutoApprove::Verified, "Keeps tea hot.", false, 0);
        rejected.reject("off topic".into(), Actor::System);
        rejected.verify(&settings, now);
        assert_eq!((rejected.status, rejected.verified), (ReviewStatus::Rejected, true));
    }

    #[test]
    fn stars_move_with_what_is_public() {
        let pending = review(4, "Keeps tea hot.");
        let mut approved = pending.clone();
        approved.approve(Actor::System, Time::from_micros(2));
        let mut five = approved.clone();
        five.content.rating = 5;
        assert_eq!(moved(None, Some(&pending)), [0; 5]);
        assert_eq!(moved(Some(&pending), Some(&approved)), [0, 0, 0, 1, 0]);
        assert_eq!(moved(Some(&approved), Some(&five)), [0, 0, 0, -1, 1]);
        assert_eq!(moved(Some(&approved), Some(&approved)), [0; 5]);
        assert_eq!(moved(Some(&five), None), [0, 0, 0, 0, -1]);
    }

    #[test]
    fn who_is_erased_leaves_stars_and_nothing_else() {
        let mut review = review(4, "Ada Lovelace, 1 Engine Row, loves it");
        review.content.pictures = vec!["ada.webp".into()];
        review.reply = Some(Reply { text: "Thank you, Ada!".into(), at: Time::from_micros(2) });
        review.approve(Actor::System, Time::from_micros(2));
        review.anonymise(Time::from_micros(3));
        let kept = serde_json::to_string(&review).unwrap();
        assert!(!kept.contains("Ada") && !kept.contains("cus_") && !kept.contains("ada.webp"), "{kept}");
        assert_eq!((review.content.rating, review.is_public()), (4, true));
    }
}
