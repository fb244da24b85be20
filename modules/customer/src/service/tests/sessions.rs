use std::time::Duration;

use contracts::customer::{Customers, SessionId, SessionsRevoked};
use futures::future::join_all;
use shared::Kind;

use super::{PASSWORD, Shop, code};
use crate::{Service, Settings};

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn a_login_gives_a_signed_access_token_and_a_session() {
    let shop = Shop::open().await;
    let ada = shop.register("ada@example.com").await;
    let tokens = shop.log_in("ADA@example.com", PASSWORD).await.unwrap();
    assert_eq!((tokens.token_type.as_str(), tokens.expires_in, &tokens.customer), ("Bearer", 600, &ada));
    assert_eq!(tokens.refresh_token.len(), 43);
    let claims = shop.claims(&tokens).await;
    assert_eq!((claims.sub, claims.exp - claims.iat), (ada.id, 600));
    assert!(claims.permissions.is_empty() && claims.email == ada.email);
    assert!(shop.service.session_alive(claims.sid).await.unwrap());
    let sessions = shop.service.sessions(ada.id).await.unwrap();
    assert_eq!((sessions[0].id, sessions[0].user_agent.as_deref()), (claims.sid, Some("Lynx")));
    let other = shop.log_in("ada@example.com", PASSWORD).await.unwrap();
    assert_ne!(shop.claims(&other).await.sid, claims.sid, "each login is a new session");
}

#[tokio::test]
async fn an_access_token_never_lives_longer_than_ten_minutes() {
    let shop = Shop::with(Settings { access_token_seconds: 86_400, ..Settings::default() }).await;
    shop.register("ada@example.com").await;
    assert_eq!(shop.log_in("ada@example.com", PASSWORD).await.unwrap().expires_in, 600);
}

#[tokio::test]
async fn the_key_set_is_public_and_outlives_a_restart() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    let before = shop.log_in("ada@example.com", PASSWORD).await.unwrap();
    let jwks = shop.service.jwks().await.unwrap();
    let key = &jwks["keys"][0];
    assert_eq!(
        (key["kty"].as_str(), key["crv"].as_str(), key["alg"].as_str()),
        (Some("OKP"), Some("Ed25519"), Some("EdDSA"))
    );
    assert!(key.get("d").is_none() && key["kid"].is_string());
    let restarted =
        Service::new(shop.db.clone(), shop.clock.clone(), shop.signer.clone(), Settings::default());
    assert_eq!(restarted.await.unwrap().jwks().await.unwrap(), jwks);
    let stranger = shared::signer::Signer::new(b"another secret");
    let other =
        Service::new(shop.db.clone(), shop.clock.clone(), stranger, Settings::default()).await.unwrap();
    let theirs = other.jwks().await.unwrap();
    assert_ne!(theirs["keys"][0]["kid"], jwks["keys"][0]["kid"], "the database alone does not sign");
    shop.claims(&before).await;
}

#[tokio::test]
async fn a_refresh_token_works_once_and_its_reuse_ends_the_session() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    let first = shop.log_in("ada@example.com", PASSWORD).await.unwrap();
    let second = shop.service.refresh(first.refresh_token.clone()).await.unwrap();
    assert_ne!(first.refresh_token, second.refresh_token);
    let session = shop.claims(&second).await.sid;
    assert_eq!(shop.claims(&first).await.sid, session);
    let reuse = shop.service.refresh(first.refresh_token).await.unwrap_err();
    assert_eq!((reuse.kind, reuse.code.as_ref()), (Kind::Unauthenticated, "invalid_grant"));
    assert!(!shop.service.session_alive(session).await.unwrap());
    assert_eq!(shop.heard::<SessionsRevoked>()[0].sessions, [session]);
    assert_eq!(code(shop.service.refresh(second.refresh_token).await), "invalid_grant", "the family is gone");
    assert_eq!(code(shop.service.refresh("never ours".into()).await), "invalid_grant");
}

#[tokio::test]
async fn of_twenty_parallel_refreshes_one_succeeds_and_the_family_is_revoked() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    let tokens = shop.log_in("ada@example.com", PASSWORD).await.unwrap();
    let session = shop.claims(&tokens).await.sid;
    let tries = join_all((0..20).map(|_| shop.service.refresh(tokens.refresh_token.clone()))).await;
    let (good, bad): (Vec<_>, Vec<_>) = tries.into_iter().partition(Result::is_ok);
    assert_eq!((good.len(), bad.len()), (1, 19));
    assert!(bad.into_iter().all(|error| code(error) == "invalid_grant"));
    assert!(!shop.service.session_alive(session).await.unwrap());
    assert_eq!(shop.heard::<SessionsRevoked>().len(), 1, "said once");
    let winner = good.into_iter().next().unwrap().unwrap();
    assert_eq!(code(shop.service.refresh(winner.refresh_token).await), "invalid_grant");
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_and_on_its_last_day() {
    let shop = Shop::open().await;
    let ada = shop.register("ada@example.com").await.id;
    let idle = shop.log_in("ada@example.com", PASSWORD).await.unwrap();
    let mut used = shop.log_in("ada@example.com", PASSWORD).await.unwrap();
    shop.clock.advance(DAY * 10);
    used = shop.service.refresh(used.refresh_token).await.unwrap();
    shop.clock.advance(DAY * 4);
    assert!(!shop.service.session_alive(shop.claims(&idle).await.sid).await.unwrap());
    assert_eq!(code(shop.service.refresh(idle.refresh_token.clone()).await), "invalid_grant");
    assert_eq!(shop.service.sessions(ada).await.unwrap().len(), 1);
    shop.clock.advance(DAY * 8);
    used = shop.service.refresh(used.refresh_token).await.unwrap();
    assert!(shop.service.session_alive(shop.claims(&used).await.sid).await.unwrap());
    shop.clock.advance(DAY * 8);
    assert_eq!(code(shop.service.refresh(used.refresh_token).await), "invalid_grant", "30 days are over");
    shop.clock.advance(DAY * 30);
    shop.service.prune().await.unwrap();
    assert!(!shop.service.session_alive(shop.claims(&idle).await.sid).await.unwrap());
}

#[tokio::test]
async fn logging_out_ends_one_session_and_can_be_repeated() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    let tokens = shop.log_in("ada@example.com", PASSWORD).await.unwrap();
    let session = shop.claims(&tokens).await.sid;
    shop.service.log_out(session).await.unwrap();
    shop.service.log_out(session).await.unwrap();
    shop.service.log_out(SessionId::new()).await.unwrap();
    assert!(!shop.service.session_alive(session).await.unwrap());
    assert_eq!(shop.heard::<SessionsRevoked>().len(), 1);
    assert_eq!(code(shop.service.refresh(tokens.refresh_token).await), "invalid_grant");
}

#[tokio::test]
async fn a_browser_session_is_resumed_by_its_cookie_until_it_ends() {
    let shop = Shop::open().await;
    let ada = shop.register("ada@example.com").await;
    let one = shop.browser("ada@example.com").await;
    let other = shop.browser("ada@example.com").await;
    assert_ne!(one.token, other.token, "each login is a new session");
    assert_eq!(one.token.len(), 43);
    let claims = shop.service.resume_browser_session(one.token.clone()).await.unwrap();
    assert_eq!((claims.sub, claims.sid), (ada.id, one.claims.sid));
    let kind = async |token: &str| shop.service.resume_browser_session(token.into()).await.unwrap_err().kind;
    assert_eq!(kind("of nobody").await, Kind::Unauthenticated);
    shop.service.log_out(one.claims.sid).await.unwrap();
    assert_eq!(kind(&one.token).await, Kind::Unauthenticated);
    assert!(shop.service.resume_browser_session(other.token).await.is_ok());
}

#[tokio::test]
async fn staff_who_do_nothing_for_half_an_hour_sign_in_again() {
    let shop = Shop::open().await;
    shop.owner().await;
    shop.register("ada@example.com").await;
    let (staff, shopper) = (shop.browser("owner@example.com").await, shop.browser("ada@example.com").await);
    let minutes = |n: u64| Duration::from_secs(n * 60);
    for _ in 0..3 {
        shop.clock.advance(minutes(20));
        shop.service.resume_browser_session(staff.token.clone()).await.unwrap();
    }
    shop.clock.advance(minutes(31));
    let ended = shop.service.resume_browser_session(staff.token).await.unwrap_err();
    assert_eq!((ended.kind, ended.code.as_ref()), (Kind::Unauthenticated, "session_ended"));
    assert!(shop.service.resume_browser_session(shopper.token).await.is_ok());
}
