use std::time::Duration;

use contracts::idempotency::{Answer, Claim, ClaimId, Claimed};
use shared::{jobs::Jobs, values::Blob};

use crate::shop::{Shop, answers};

fn claim(scope: &str, hash: &str) -> Claim {
    Claim { id: ClaimId::new(), scope: scope.into(), key: "key".into(), request_hash: hash.into() }
}

fn answer() -> Answer {
    Answer {
        status: 201,
        content_type: "application/json".into(),
        body: Blob(bytes::Bytes::from_static(b"{}")),
        headers: vec![("location".into(), "/x".into())],
    }
}

#[tokio::test]
async fn a_key_is_claimed_once_and_remembers_its_answer() {
    let shop = Shop::open().await;
    let port = answers(&shop);
    let first = claim("a", "h");
    assert!(matches!(port.claim(first.clone()).await.unwrap(), Claimed::Fresh));
    assert!(matches!(port.claim(claim("a", "h")).await.unwrap(), Claimed::InProgress));
    assert!(matches!(port.claim(claim("a", "other")).await.unwrap(), Claimed::Reused));
    assert!(matches!(port.claim(claim("b", "other")).await.unwrap(), Claimed::Fresh), "scopes are apart");
    port.complete(first.clone(), answer()).await.unwrap();
    let Claimed::Done { answer: stored } = port.claim(claim("a", "h")).await.unwrap() else {
        panic!("it is done")
    };
    assert_eq!((stored.status, &stored.body, &stored.headers), (201, &answer().body, &answer().headers));
    assert!(matches!(port.claim(claim("a", "other")).await.unwrap(), Claimed::Reused));
    port.abandon(first).await.unwrap();
    assert!(
        matches!(port.claim(claim("a", "h")).await.unwrap(), Claimed::Done { .. }),
        "what is done stays done"
    );
}

#[tokio::test]
async fn who_did_not_hear_the_answer_asks_again_with_the_same_claim() {
    let shop = Shop::open().await;
    let port = answers(&shop);
    let mine = claim("a", "h");
    for _ in 0..2 {
        assert!(matches!(port.claim(mine.clone()).await.unwrap(), Claimed::Fresh));
    }
    assert!(matches!(port.claim(claim("a", "h")).await.unwrap(), Claimed::InProgress));
}

#[tokio::test]
async fn an_abandoned_or_dead_claim_may_be_taken_again() {
    let shop = Shop::open().await;
    let port = answers(&shop);
    let first = claim("a", "h");
    port.claim(first.clone()).await.unwrap();
    port.abandon(first).await.unwrap();
    let second = claim("a", "other");
    assert!(matches!(port.claim(second.clone()).await.unwrap(), Claimed::Fresh));
    shop.clock.advance(Duration::from_secs(39));
    assert!(matches!(port.claim(claim("a", "other")).await.unwrap(), Claimed::InProgress));
    shop.clock.advance(Duration::from_secs(1));
    assert!(matches!(port.claim(claim("a", "h")).await.unwrap(), Claimed::Reused));
    let heir = claim("a", "other");
    assert!(matches!(port.claim(heir.clone()).await.unwrap(), Claimed::Fresh));
    assert!(matches!(port.claim(claim("a", "other")).await.unwrap(), Claimed::InProgress), "one heir only");
    // Whoever was thought dead ends nothing of the heir's.
    port.abandon(second.clone()).await.unwrap();
    port.complete(second, Answer { status: 202, ..answer() }).await.unwrap();
    assert!(matches!(port.claim(claim("a", "other")).await.unwrap(), Claimed::InProgress));
    port.complete(heir, answer()).await.unwrap();
    let done = port.claim(claim("a", "other")).await.unwrap();
    assert!(matches!(done, Claimed::Done { answer: Answer { status: 201, .. } }), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_claims_at_once_one_is_fresh() {
    let shop = Shop::open().await;
    let port = answers(&shop);
    let all = futures::future::join_all((0..30).map(|_| port.claim(claim("a", "h")))).await;
    assert_eq!(all.iter().filter(|claimed| matches!(claimed.as_ref().unwrap(), Claimed::Fresh)).count(), 1);
}

#[tokio::test]
async fn answers_are_kept_for_two_days_and_workers_stop_when_told() {
    let shop = Shop::open().await;
    let port = answers(&shop);
    let first = claim("a", "h");
    port.claim(first.clone()).await.unwrap();
    port.complete(first, answer()).await.unwrap();
    shop.clock.advance(Duration::from_secs(47 * 3600));
    assert!(matches!(port.claim(claim("a", "h")).await.unwrap(), Claimed::Done { .. }));
    shop.clock.advance(Duration::from_secs(2 * 3600));
    let jobs = Jobs::new();
    shop.service.start(&jobs);
    crate::until(async || jobs.status().iter().all(|job| job.runs > 0)).await;
    jobs.stop(Duration::from_secs(5)).await;
    assert!(jobs.status().iter().all(|job| job.failures == 0));
    assert!(matches!(port.claim(claim("a", "h")).await.unwrap(), Claimed::Fresh));
}
