//! Reviews: what customers think of products, and what the shop does with it.

use serde::{Deserialize, Serialize};
use shared::{Id, Page, PageRequest, Time, events::Event, ids::Entity, port, values::Email};

use crate::{Actor, customer::CustomerId, order::OrderId, product::ProductId};

/// Names a review.
pub enum ReviewEntity {}
impl Entity for ReviewEntity {
    const PREFIX: &'static str = "rev";
    const NOUN: &'static str = "review";
}
/// A review's id.
pub type ReviewId = Id<ReviewEntity>;

port! {
    /// Reviews, votes for them, and their moderation.
    ///
    /// Only approved reviews are public: to everybody but their author and staff the others are `NotFound`.
    pub trait Reviews as "review" repeats [list, aggregate, own, of_customer, voted, vote, unvote, queue, find, reports, rebuild, import] {
        /// Approved reviews of a product, with the sums over all of them.
        async fn list(&self, product_id: ProductId, filter: ReviewFilter, page: PageRequest) -> ProductReviews;
        /// The sums of one product; zeros where nobody has reviewed it.
        async fn aggregate(&self, product_id: ProductId) -> Aggregate;
        /// The customer's own review of the product, in any status.
        async fn own(&self, product_id: ProductId, customer_id: CustomerId) -> Option<Review>;
        /// The customer's own reviews in any status, newest first.
        async fn of_customer(&self, customer_id: CustomerId, page: PageRequest) -> Page<Review>;
        /// Which reviews of the product the customer has found helpful.
        async fn voted(&self, product_id: ProductId, customer_id: CustomerId) -> Vec<ReviewId>;

        /// Writes the customer's one review of a published product. It is pending unless the shop's settings approve it
        /// at once. `Conflict/review_exists` with `review_id`; `Invalid` with pointers into [`NewReview`].
        async fn create(&self, product_id: ProductId, new: NewReview, customer_id: CustomerId) -> Review;
        /// Changes one's own review, which is judged anew. `NotFound` for other people's.
        async fn update(&self, id: ReviewId, patch: ReviewPatch, customer_id: CustomerId) -> Review;
        /// Deletes one's own review with its votes. `NotFound` for other people's.
        async fn delete(&self, id: ReviewId, customer_id: CustomerId) -> ();
        /// Finds an approved review helpful, once per account. Idempotent. `Forbidden/own_review` for one's own.
        async fn vote(&self, id: ReviewId, customer_id: CustomerId) -> Review;
        /// Takes the vote back. Idempotent.
        async fn unvote(&self, id: ReviewId, customer_id: CustomerId) -> Review;
        /// Tells staff that an approved review should not be there, once per account. Idempotent.
        async fn report(&self, id: ReviewId, report: NewReport, customer_id: CustomerId) -> ();

        /// What staff have to look at, the last change first.
        async fn queue(&self, filter: QueueFilter, page: PageRequest) -> Page<ModeratedReview>;
        async fn find(&self, id: ReviewId) -> ModeratedReview;
        /// What was said against a review, newest first.
        async fn reports(&self, id: ReviewId) -> Vec<Report>;
        /// Makes it public and dismisses what was said against it. Idempotent. `version` is the one the caller has seen:
        /// `PreconditionFailed/version` if it has moved on.
        async fn approve(&self, id: ReviewId, version: Option<i64>, actor: Actor) -> ModeratedReview;
        /// Takes it away or does not let it in; the author sees the reason. Idempotent. `version` as above.
        async fn reject(&self, id: ReviewId, reason: String, version: Option<i64>, actor: Actor) -> ModeratedReview;
        /// Takes a decision back: it waits again. Idempotent. `version` as above.
        async fn reopen(&self, id: ReviewId, version: Option<i64>, actor: Actor) -> ModeratedReview;
        /// The shop's public answer, in place of the last one; `None` takes it back. `version` as above.
        async fn reply(&self, id: ReviewId, text: Option<String>, version: Option<i64>) -> ModeratedReview;
        /// Counts the approved reviews of every product anew and corrects what differs.
        async fn rebuild(&self) -> Rebuilt;
        /// Demo data: reviews and deliveries of the past. Known ones are left alone. There is one
        /// `review.aggregate_changed` per product and no event per review.
        async fn import(&self, past: ImportReviews) -> u32;
    }
}

/// Where a review stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewStatus {
    /// Waits for staff. Each change of the text by its author leads back here.
    Pending,
    /// Public, and counted.
    Approved,
    /// Not public; see `rejection_reason`.
    Rejected,
}

/// A review as shoppers and its author see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Review {
    pub id: ReviewId,
    pub product_id: ProductId,
    /// What the product was called when the review was written.
    pub product_title: String,
    /// 1..=5.
    #[schema(minimum = 1, maximum = 5)]
    pub rating: u8,
    /// Plain text; empty once the author is erased.
    pub title: String,
    /// Plain text with line breaks; empty once the author is erased.
    pub body: String,
    /// Files served at `/media/<file>`.
    pub pictures: Vec<String>,
    /// `Robin S.`; absent once the author is erased: then only the stars stay.
    pub author: Option<String>,
    /// The author has bought the product here, and it was delivered.
    pub verified: bool,
    pub status: ReviewStatus,
    /// Why it is not public.
    pub rejection_reason: Option<String>,
    /// How many accounts found it helpful.
    pub helpful: i64,
    pub reply: Option<Reply>,
    pub created_at: Time,
    /// The author's or the staff's last change.
    pub updated_at: Time,
    /// Present while it is approved.
    pub approved_at: Option<Time>,
    pub version: i64,
}

/// The shop's public answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Reply {
    pub text: String,
    pub at: Time,
}

/// A review as staff see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ModeratedReview {
    #[serde(flatten)]
    pub review: Review,
    /// Absent once the author is erased.
    pub customer_id: Option<CustomerId>,
    /// Why a rule wants somebody to look at it.
    pub held_for: Vec<Hold>,
    /// How many accounts have reported it since staff last decided.
    pub reports: i64,
    /// Who approved or rejected it; the system where a setting did.
    pub decided_by: Option<Actor>,
}

/// A rule that keeps a review from being approved by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// It leads somewhere: a web or mail address.
    Links,
    /// It is mostly capitals.
    Shouting,
    /// The customer writes more reviews a day than people do.
    Rate,
}

/// The sums over a product's approved reviews.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Aggregate {
    /// 0 (none) to 5.
    pub average: f64,
    pub count: i64,
    /// How many gave 1, 2, 3, 4 and 5 stars.
    pub histogram: [i64; 5],
}

impl Aggregate {
    /// The sums of so many 1, 2, 3, 4 and 5 stars.
    pub fn of(histogram: [i64; 5]) -> Self {
        let count: i64 = histogram.iter().sum();
        let stars: i64 = (1..).zip(histogram).map(|(stars, times)| stars * times).sum();
        Self { average: if count > 0 { stars as f64 / count as f64 } else { 0.0 }, count, histogram }
    }
}

/// Which reviews of a product, and in which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewFilter {
    pub sort: ReviewSort,
    /// Only those with so many stars.
    pub rating: Option<u8>,
}

/// In which order. The newest decides between equals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewSort {
    #[default]
    Newest,
    Helpful,
    Highest,
    Lowest,
}

/// One page of a product's approved reviews.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ProductReviews {
    pub data: Vec<Review>,
    pub next_cursor: Option<String>,
    /// Of all approved reviews of the product, whatever the filter.
    pub aggregate: Aggregate,
}

/// Wants to be a review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReview {
    /// 1..=5.
    #[schema(minimum = 1, maximum = 5)]
    pub rating: u8,
    /// 1..=120 characters.
    pub title: String,
    /// 1..=5,000 characters.
    pub body: String,
    /// At most 6 files that are there.
    #[serde(default)]
    pub pictures: Vec<String>,
}

/// What to change; absent members stay.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewPatch {
    #[schema(minimum = 1, maximum = 5)]
    pub rating: Option<u8>,
    pub title: Option<String>,
    pub body: Option<String>,
    pub pictures: Option<Vec<String>>,
}

/// Wants staff to look at a review.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReport {
    /// 1..=1,000 characters.
    pub reason: String,
}

/// What somebody said against a review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Report {
    pub customer_id: CustomerId,
    pub reason: String,
    pub created_at: Time,
}

/// Which reviews staff want to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueFilter {
    pub status: Option<ReviewStatus>,
    pub product_id: Option<ProductId>,
    /// Only those that somebody has reported.
    #[serde(default)]
    pub reported: bool,
}

/// What a recount found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Rebuilt {
    /// Products that have or had reviews.
    pub products: u64,
    /// Those whose sums were wrong.
    pub corrected: u64,
}

impl std::fmt::Display for Rebuilt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "counted the reviews of {} products, {} corrected", self.products, self.corrected)
    }
}

/// Reviews and deliveries of the past.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ImportReviews {
    pub reviews: Vec<ImportReview>,
    /// Makes the reviews of these buyers verified.
    pub purchases: Vec<Purchase>,
}

/// A review of the past. Its `verified` mark comes from the purchases.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportReview {
    /// Fixed by the seed, so that a repeated import changes nothing.
    pub seed: String,
    pub product_id: ProductId,
    pub product_title: String,
    pub customer_id: CustomerId,
    /// Shown as it is.
    pub author: String,
    pub review: NewReview,
    /// Pending or approved.
    pub status: ReviewStatus,
    /// These found it helpful.
    pub voters: Vec<CustomerId>,
    pub reply: Option<String>,
    pub created_at: Time,
}

/// Something that was bought here and delivered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Purchase {
    pub order_id: OrderId,
    pub product_id: ProductId,
    /// Absent for a guest, until an account proves that the address is its own.
    pub customer_id: Option<CustomerId>,
    pub email: Email,
}

/// The sums of a product are different. `histogram` is that of [`Aggregate`]; the event's sequence only grows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AggregateChanged {
    pub product_id: ProductId,
    pub average: f64,
    pub count: i64,
    pub histogram: [i64; 5],
}
impl Event for AggregateChanged {
    const TYPE: &'static str = "review.aggregate_changed";
}

/// A review has become public: pages that show its product may add it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReviewApproved {
    pub review: Review,
    /// With the review in it.
    pub aggregate: Aggregate,
}
impl Event for ReviewApproved {
    const TYPE: &'static str = "review.approved";
}

/// What shoppers see of a product's reviews is different: a text, a mark, a vote, an answer, or one less.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReviewChanged {
    pub review_id: ReviewId,
    pub product_id: ProductId,
}
impl Event for ReviewChanged {
    const TYPE: &'static str = "review.changed";
}
