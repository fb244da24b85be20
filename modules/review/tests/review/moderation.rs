//! Approving, rejecting, answering, reports.

use contracts::{
    customer::CustomerId,
    review::{
        Hold, NewReport, NewReview, QueueFilter, ReviewApproved, ReviewChanged, ReviewId, ReviewPatch,
        ReviewStatus, Reviews,
    },
};
use shared::{Kind, PageRequest};

use crate::shop::{content, shop, staff};

#[tokio::test]
async fn what_staff_approve_is_public_and_told_once() {
    let shop = shop().await;
    let (mug, ada) = (shop.world.sells("Mug"), shop.world.person("Ada"));
    let review = shop.written(mug, ada, 4).await;
    let approved = shop.reviews.approve(review.id, Some(review.version), staff()).await.unwrap();
    assert_eq!((approved.review.status, approved.decided_by), (ReviewStatus::Approved, Some(staff())));
    assert_eq!(shop.reviews.approve(review.id, None, staff()).await.unwrap(), approved);
    assert_eq!(shop.listed(mug, Default::default()).await, [review.id]);
    let told = shop.told::<ReviewApproved>();
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0].1.review, told[0].1.aggregate), (&approved.review, shop.aggregate(mug).await));
    let stale = shop.reviews.approve(review.id, Some(review.version), staff()).await.unwrap_err();
    assert_eq!((stale.kind, &*stale.code), (Kind::PreconditionFailed, "version"));
    let unknown = shop.reviews.approve(ReviewId::new(), None, staff()).await.unwrap_err();
    assert_eq!(unknown.kind, Kind::NotFound);
}

#[tokio::test]
async fn what_staff_reject_is_taken_away_and_its_author_sees_why() {
    let shop = shop().await;
    let (mug, ada) = (shop.world.sells("Mug"), shop.world.person("Ada"));
    let review = shop.public(mug, ada, 1).await;
    let reject = |reason: &str| shop.reviews.reject(review.id, reason.into(), None, staff());
    assert_eq!(reject(" ").await.unwrap_err().fields[0].pointer, "/reason");
    let rejected = reject("off topic").await.unwrap();
    assert_eq!(reject("off topic").await.unwrap(), rejected);
    let own = shop.reviews.own(mug, ada).await.unwrap().unwrap();
    assert_eq!((own.status, own.rejection_reason.as_deref()), (ReviewStatus::Rejected, Some("off topic")));
    assert_eq!((shop.aggregate(mug).await.count, own.approved_at), (0, None));
    assert_eq!(shop.told::<ReviewChanged>().len(), 2);
    let patch = ReviewPatch { body: Some("The glaze is thin.".into()), ..Default::default() };
    let edited = shop.reviews.update(review.id, patch, ada).await.unwrap();
    assert_eq!((edited.status, edited.rejection_reason), (ReviewStatus::Pending, None));
    reject("still off topic").await.unwrap();
    let back = shop.reviews.approve(review.id, None, staff()).await.unwrap().review;
    assert_eq!((back.status, back.rejection_reason), (ReviewStatus::Approved, None));
    assert_eq!(shop.aggregate(mug).await.histogram, [1, 0, 0, 0, 0]);
}

#[tokio::test]
async fn the_queue_says_what_rules_hold_and_has_pages() {
    let shop = shop().await;
    let mug = shop.world.sells("Mug");
    let write = |name: &str, body: &str| {
        let new = NewReview { body: body.into(), ..content(5) };
        shop.reviews.create(mug, new, shop.world.person(name))
    };
    let link = write("Ada", "Look at https://mugs.example").await.unwrap();
    let loud = write("Bob", "EVERYBODY MUST BUY THIS MUG TODAY, REALLY EVERYBODY").await.unwrap();
    let named = write("www.mugs.example", "Nice and round.").await.unwrap();
    let plain = write("Cid", "Nice and round.").await.unwrap();
    let held = async |id| shop.reviews.find(id).await.unwrap().held_for;
    assert_eq!(held(link.id).await, [Hold::Links]);
    assert_eq!(held(loud.id).await, [Hold::Shouting]);
    assert_eq!(held(named.id).await, [Hold::Links]);
    assert!(held(plain.id).await.is_empty());
    let decided = shop.reviews.approve(loud.id, None, staff()).await.unwrap();
    assert!(decided.held_for.is_empty());

    let pending = QueueFilter { status: Some(ReviewStatus::Pending), ..Default::default() };
    let (mut found, mut page) = (Vec::new(), PageRequest { limit: 1, cursor: None });
    loop {
        let one = shop.reviews.queue(pending, page.clone()).await.unwrap();
        found.extend(one.data.into_iter().map(|queued| queued.review.id));
        match one.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => break,
        }
    }
    assert_eq!(found, [plain.id, named.id, link.id]);
    let all = QueueFilter::default();
    assert_eq!(shop.reviews.queue(all, PageRequest::default()).await.unwrap().data.len(), 4);
    let foreign = PageRequest { limit: 1, cursor: Some(shared::page::encode("x", &1)) };
    assert_eq!(shop.reviews.queue(all, foreign).await.unwrap_err().code, "invalid_cursor");
}

#[tokio::test]
async fn the_shop_answers_in_public_and_takes_it_back() {
    let shop = shop().await;
    let (mug, ada) = (shop.world.sells("Mug"), shop.world.person("Ada"));
    let review = shop.public(mug, ada, 2).await;
    let reply = |text: Option<&str>| shop.reviews.reply(review.id, text.map(str::to_owned), None);
    assert_eq!(reply(Some("")).await.unwrap_err().fields[0].pointer, "/text");
    let answered = reply(Some("A new handle is on its way.")).await.unwrap();
    assert_eq!(answered.review.reply.unwrap().text, "A new handle is on its way.");
    assert_eq!(
        (answered.review.version, answered.review.status),
        (review.version + 1, ReviewStatus::Approved)
    );
    let seen = reply(Some("A new handle is on its way.")).await.unwrap();
    assert_eq!(seen.review.version, review.version + 1);
    assert_eq!(reply(None).await.unwrap().review.reply, None);
    assert_eq!((shop.told::<ReviewChanged>().len(), shop.told::<ReviewApproved>().len()), (3, 1));
    let stale = shop.reviews.reply(review.id, None, Some(review.version)).await.unwrap_err();
    assert_eq!(stale.code, "version");
}

#[tokio::test]
async fn reports_count_once_an_account_until_staff_decide() {
    let shop = shop().await;
    let (mug, ada) = (shop.world.sells("Mug"), shop.world.person("Ada"));
    let pending = shop.written(mug, ada, 5).await;
    let report = |customer: CustomerId, reason: &str| {
        shop.reviews.report(pending.id, NewReport { reason: reason.into() }, customer)
    };
    let (bob, cid) = (CustomerId::new(), CustomerId::new());
    assert_eq!(report(bob, "spam").await.unwrap_err().kind, Kind::NotFound);
    shop.reviews.approve(pending.id, None, staff()).await.unwrap();
    assert_eq!(report(bob, "").await.unwrap_err().kind, Kind::Invalid);
    for (customer, reason) in [(bob, "spam"), (bob, "spam again"), (cid, "rude")] {
        report(customer, reason).await.unwrap();
    }
    let reported = QueueFilter { reported: true, ..Default::default() };
    let queue = shop.reviews.queue(reported, PageRequest::default()).await.unwrap();
    assert_eq!((queue.data.len(), queue.data[0].reports), (1, 2));
    let mut said: Vec<_> =
        shop.reviews.reports(pending.id).await.unwrap().into_iter().map(|r| r.reason).collect();
    said.sort();
    assert_eq!(said, ["rude", "spam"]);
    let decided = shop.reviews.approve(pending.id, None, staff()).await.unwrap();
    assert_eq!((decided.reports, decided.review.status), (0, ReviewStatus::Approved));
    assert!(shop.reviews.reports(pending.id).await.unwrap().is_empty());
    assert_eq!(shop.aggregate(mug).await.count, 1);
}
