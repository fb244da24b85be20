use std::time::Duration;

use contracts::customer::{
    CustomerId, Customers, EmailVerified, RegistrationRepeated, SessionsRevoked, TokenEntity, TokenIssued,
    TokenPurpose::{ResetPassword, VerifyEmail},
};
use futures::future::join_all;
use shared::Kind;

use super::{PASSWORD, Shop, code};
use crate::repo;

const NEW: &str = "a much better password";

#[tokio::test]
async fn a_link_verifies_the_address_once() {
    let shop = Shop::open().await;
    let ada = shop.register("ada@example.com").await;
    let token = shop.token(VerifyEmail);
    let verified = shop.service.verify_email(token.clone()).await.unwrap();
    assert!(verified.email_verified && verified.version == 2);
    assert_eq!(shop.heard::<EmailVerified>()[0].customer_id, ada.id);
    let again = shop.service.verify_email(token).await.unwrap_err();
    assert_eq!((again.kind, again.code.as_ref()), (Kind::Gone, "token_used"));
}

#[tokio::test]
async fn a_link_expires() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    shop.service.request_password_reset("ada@example.com".parse().unwrap()).await.unwrap();
    let (verify, reset) = (shop.token(VerifyEmail), shop.token(ResetPassword));
    shop.clock.advance(Duration::from_secs(30 * 60));
    assert_eq!(code(shop.service.reset_password(reset, NEW.into()).await), "token_used");
    shop.clock.advance(Duration::from_secs(24 * 3600));
    assert_eq!(code(shop.service.verify_email(verify.clone()).await), "token_used");
    shop.clock.advance(Duration::from_secs(30 * 24 * 3600));
    shop.service.prune().await.unwrap();
    assert_eq!(code(shop.service.verify_email(verify).await), "token_used", "also when its row is gone");
}

#[tokio::test]
async fn a_token_of_another_purpose_or_maker_was_never_ours() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    let token = shop.token(VerifyEmail);
    let stolen_id = shop.heard::<TokenIssued>()[0].token_id;
    let forged = shared::signer::Signer::new(b"guess").token::<TokenEntity>("verify_email", stolen_id);
    assert_eq!(shop.service.reset_password(token, NEW.into()).await.unwrap_err().kind, Kind::NotFound);
    for wrong in [forged, stolen_id.to_string(), String::new(), "x".repeat(10_000)] {
        assert_eq!(shop.service.verify_email(wrong).await.unwrap_err().kind, Kind::NotFound);
    }
}

#[tokio::test]
async fn a_reset_sets_the_password_verifies_the_address_and_ends_all_sessions_and_links() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    let tokens = shop.log_in("ada@example.com", PASSWORD).await.unwrap();
    let session = shop.claims(&tokens).await.sid;
    shop.service.request_password_reset("ada@example.com".parse().unwrap()).await.unwrap();
    let (verify, reset) = (shop.token(VerifyEmail), shop.token(ResetPassword));
    assert_eq!(code(shop.service.reset_password(reset.clone(), "short".into()).await), "weak_password");
    shop.service.reset_password(reset.clone(), NEW.into()).await.unwrap();
    assert!(!shop.service.session_alive(session).await.unwrap());
    assert_eq!(shop.heard::<SessionsRevoked>()[0].sessions, [session]);
    assert_eq!(code(shop.service.refresh(tokens.refresh_token).await), "invalid_grant");
    assert_eq!(code(shop.log_in("ada@example.com", PASSWORD).await), "invalid_credentials");
    assert!(shop.log_in("ada@example.com", NEW).await.unwrap().customer.email_verified);
    assert_eq!(shop.heard::<EmailVerified>().len(), 1);
    assert_eq!(code(shop.service.reset_password(reset, PASSWORD.into()).await), "token_used");
    assert_eq!(code(shop.service.verify_email(verify).await), "token_used");
}

#[tokio::test]
async fn parallel_resets_with_one_link_set_one_password() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    shop.service.request_password_reset("ada@example.com".parse().unwrap()).await.unwrap();
    let token = shop.token(ResetPassword);
    let resets = (0..8).map(|n| shop.service.reset_password(token.clone(), format!("{NEW} {n}")));
    let done = join_all(resets).await;
    assert_eq!(done.iter().filter(|r| r.is_ok()).count(), 1);
}

#[tokio::test]
async fn a_new_reset_link_ends_the_one_before() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    shop.service.request_password_reset("ada@example.com".parse().unwrap()).await.unwrap();
    let first = shop.token(ResetPassword);
    shop.service.request_password_reset("ada@example.com".parse().unwrap()).await.unwrap();
    assert_eq!(code(shop.service.reset_password(first, NEW.into()).await), "token_used");
    shop.service.reset_password(shop.token(ResetPassword), NEW.into()).await.unwrap();
}

#[tokio::test]
async fn three_mails_an_hour_are_enough_and_nobody_is_told() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    for _ in 0..5 {
        shop.service.request_password_reset("ada@example.com".parse().unwrap()).await.unwrap();
        shop.service.request_verification("ada@example.com".parse().unwrap()).await.unwrap();
    }
    let count = |purpose| shop.heard::<TokenIssued>().iter().filter(|t| t.purpose == purpose).count();
    assert_eq!((count(ResetPassword), count(VerifyEmail)), (3, 3));
    shop.service.reset_password(shop.token(ResetPassword), NEW.into()).await.unwrap();
    shop.clock.advance(Duration::from_secs(3600));
    shop.service.request_password_reset("ada@example.com".parse().unwrap()).await.unwrap();
    assert_eq!(count(ResetPassword), 4);
}

#[tokio::test]
async fn a_request_for_an_unknown_address_does_the_same_work_and_mails_nobody() {
    let shop = Shop::open().await;
    shop.verified("ada@example.com").await;
    let (mails, commits) = (shop.heard::<TokenIssued>().len(), shop.db.commits());
    shop.service.request_password_reset("nobody@example.com".parse().unwrap()).await.unwrap();
    shop.service.request_verification("nobody@example.com".parse().unwrap()).await.unwrap();
    shop.service.request_verification("ada@example.com".parse().unwrap()).await.unwrap();
    assert_eq!(shop.heard::<TokenIssued>().len(), mails, "and a verified one needs no link");
    assert_eq!(shop.db.commits(), commits + 3, "each wrote its row");
    assert!(shop.heard::<RegistrationRepeated>().is_empty());
}

#[tokio::test]
async fn changing_the_password_needs_the_current_one_and_ends_the_other_sessions() {
    let shop = Shop::open().await;
    let ada = shop.register("ada@example.com").await.id;
    let (here, there) = (
        shop.log_in("ada@example.com", PASSWORD).await.unwrap(),
        shop.log_in("ada@example.com", PASSWORD).await.unwrap(),
    );
    let (keep, other) = (shop.claims(&here).await.sid, shop.claims(&there).await.sid);
    let wrong =
        shop.service.change_password(ada, "not this one".into(), NEW.into(), Some(keep)).await.unwrap_err();
    assert_eq!((wrong.kind, wrong.code.as_ref()), (Kind::Forbidden, "invalid_credentials"));
    let weak = shop.service.change_password(ada, PASSWORD.into(), "12345678".into(), Some(keep)).await;
    assert_eq!(code(weak), "weak_password");
    shop.service.change_password(ada, PASSWORD.into(), NEW.into(), Some(keep)).await.unwrap();
    assert!(
        shop.service.session_alive(keep).await.unwrap() && !shop.service.session_alive(other).await.unwrap()
    );
    assert_eq!(shop.heard::<SessionsRevoked>()[0].sessions, [other]);
    shop.service.refresh(here.refresh_token).await.unwrap();
    shop.log_in("ada@example.com", NEW).await.unwrap();
    let nobody = shop.service.change_password(CustomerId::new(), PASSWORD.into(), NEW.into(), None).await;
    assert_eq!(code(nobody), "not_found");
}

#[tokio::test]
async fn unknown_addresses_and_wrong_passwords_get_one_answer_for_one_hash_each() {
    let shop = Shop::open().await;
    let deleted = shop.register("gone@example.com").await;
    shop.service.delete(deleted.id).await.unwrap();
    shop.register("ada@example.com").await;
    let mut answers = Vec::new();
    for email in ["ada@example.com", "nobody@example.com", "gone@example.com"] {
        let hashes = shop.service.passwords.hashes();
        let error = shop.log_in(email, "not this password").await.unwrap_err();
        assert_eq!(shop.service.passwords.hashes(), hashes + 1, "{email}");
        answers.push(serde_json::to_string(&error).unwrap());
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]) && answers[0].contains("unauthenticated"));
}

#[tokio::test]
async fn a_password_that_no_account_can_have_is_not_hashed() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    let hashes = shop.service.passwords.hashes();
    for password in [String::new(), "x".repeat(129), "x".repeat(4_000_000)] {
        assert_eq!(code(shop.log_in("ada@example.com", &password).await), "invalid_credentials");
    }
    assert_eq!(shop.service.passwords.hashes(), hashes);
}

#[tokio::test]
async fn a_login_renews_a_hash_of_other_parameters() {
    use argon2::{Algorithm, Argon2, Params, Version, password_hash::PasswordHasher};
    let shop = Shop::open().await;
    let ada = shop.register("ada@example.com").await.id;
    let weaker = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8192, 1, 1, None).unwrap());
    let old = weaker.hash_password(PASSWORD.as_bytes()).unwrap().to_string();
    let stored = old.clone();
    shop.db.transaction(async move |tx| repo::accounts::rehash(tx, ada, &stored).await).await.unwrap();
    shop.log_in("ada@example.com", PASSWORD).await.unwrap();
    let row = repo::accounts::get(&mut shop.db.get().await.unwrap(), ada).await.unwrap().unwrap();
    let renewed = row.password_hash.unwrap();
    assert!(renewed != old && renewed.contains("m=19456"));
    shop.log_in("ada@example.com", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_flood_of_logins_is_answered_busy() {
    let shop = Shop::open().await;
    let answers = join_all((0..200).map(|_| shop.log_in("nobody@example.com", PASSWORD))).await;
    let codes: Vec<_> = answers.into_iter().map(code).collect();
    assert!(codes.iter().filter(|c| *c == "busy").count() >= 100);
    assert!(codes.iter().filter(|c| *c == "invalid_credentials").count() >= 34);
}
