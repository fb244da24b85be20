use std::time::Duration;

use contracts::customer::{CustomerId, Customers, NewStaff, Permission, SessionsRevoked};
use futures::future::join;
use shared::Kind;

use super::{PASSWORD, Shop, code};

fn staff(email: &str, role: &str, password: Option<&str>) -> NewStaff {
    NewStaff {
        email: email.parse().unwrap(),
        name: None,
        role: role.into(),
        password: password.map(Into::into),
    }
}

#[tokio::test]
async fn an_unknown_address_becomes_a_verified_employee_with_a_password() {
    let shop = Shop::open().await;
    let missing = shop.service.add_staff(staff("boss@example.com", "owner", None)).await.unwrap_err();
    assert_eq!(missing.fields[0].pointer, "/password");
    let unknown =
        shop.service.add_staff(staff("boss@example.com", "pope", Some(PASSWORD))).await.unwrap_err();
    assert_eq!((unknown.kind, unknown.fields[0].pointer.as_str()), (Kind::Invalid, "/role"));
    let boss = shop.service.add_staff(staff("boss@example.com", "owner", Some(PASSWORD))).await.unwrap();
    assert_eq!((boss.name.as_str(), boss.roles.as_slice()), ("boss", ["owner".to_owned()].as_slice()));
    let tokens = shop.log_in("boss@example.com", PASSWORD).await.unwrap();
    assert!(tokens.customer.email_verified);
    assert_eq!(shop.claims(&tokens).await.permissions, Permission::ALL);
    assert_eq!(shop.service.staff().await.unwrap()[0].id, boss.id);
}

#[tokio::test]
async fn a_verified_account_keeps_its_password_and_loses_its_sessions() {
    let shop = Shop::open().await;
    let ada = shop.verified("ada@example.com").await;
    let before = shop.log_in("ada@example.com", PASSWORD).await.unwrap();
    shop.service.add_staff(staff("ada@example.com", "support", Some("ignored password"))).await.unwrap();
    let both = shop.service.add_staff(staff("ada@example.com", "manager", None)).await.unwrap();
    assert_eq!((both.id, both.roles), (ada.id, vec!["manager".to_owned(), "support".to_owned()]));
    assert_eq!(code(shop.service.refresh(before.refresh_token).await), "invalid_grant");
    let tokens = shop.log_in("ada@example.com", PASSWORD).await.unwrap();
    let permissions = shop.claims(&tokens).await.permissions;
    assert!(
        permissions.contains(&Permission::OrdersRefund) && !permissions.contains(&Permission::StaffWrite)
    );
}

#[tokio::test]
async fn an_account_that_somebody_else_may_have_opened_is_not_promoted_with_their_password() {
    let shop = Shop::open().await;
    let squatter = shop.register("boss@example.com").await;
    assert_eq!(
        code(shop.service.add_staff(staff("boss@example.com", "owner", None)).await),
        "email_unverified"
    );
    assert_eq!(code(shop.service.set_roles(squatter.id, vec!["owner".into()]).await), "email_unverified");
    shop.service.add_staff(staff("boss@example.com", "owner", Some("the boss's own"))).await.unwrap();
    assert_eq!(code(shop.log_in("boss@example.com", PASSWORD).await), "invalid_credentials");
    shop.log_in("boss@example.com", "the boss's own").await.unwrap();
}

#[tokio::test]
async fn a_change_of_roles_ends_sessions_and_the_last_owner_stays() {
    let shop = Shop::open().await;
    let boss = shop.service.add_staff(staff("boss@example.com", "owner", Some(PASSWORD))).await.unwrap().id;
    assert_eq!(code(shop.service.set_roles(boss, vec!["manager".into()]).await), "last_owner");
    assert_eq!(code(shop.service.delete(boss).await), "last_owner");
    let second = shop.service.add_staff(staff("two@example.com", "owner", Some(PASSWORD))).await.unwrap().id;
    let tokens = shop.log_in("boss@example.com", PASSWORD).await.unwrap();
    let session = shop.claims(&tokens).await.sid;
    let wrong = shop.service.set_roles(boss, vec!["manager".into(), "pope".into()]).await.unwrap_err();
    assert_eq!(wrong.fields[0].pointer, "/roles/1");
    let left = shop.service.set_roles(boss, Vec::new()).await.unwrap();
    assert!(left.roles.is_empty() && !shop.service.session_alive(session).await.unwrap());
    assert!(shop.heard::<SessionsRevoked>().iter().any(|event| event.sessions == [session]));
    assert_eq!(shop.service.staff().await.unwrap().len(), 1);
    assert_eq!(code(shop.service.delete(second).await), "last_owner");
    assert_eq!(code(shop.service.set_roles(CustomerId::new(), Vec::new()).await), "not_found");
}

#[tokio::test]
async fn two_owners_cannot_leave_at_the_same_time() {
    let shop = Shop::open().await;
    let one = shop.service.add_staff(staff("one@example.com", "owner", Some(PASSWORD))).await.unwrap().id;
    let two = shop.service.add_staff(staff("two@example.com", "owner", Some(PASSWORD))).await.unwrap().id;
    let (a, b) = join(shop.service.delete(one), shop.service.set_roles(two, Vec::new())).await;
    assert!(a.is_ok() != b.is_ok());
    assert_eq!(shop.service.staff().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_employees_session_lasts_half_a_day() {
    let shop = Shop::open().await;
    shop.service.add_staff(staff("boss@example.com", "owner", Some(PASSWORD))).await.unwrap();
    let tokens = shop.log_in("boss@example.com", PASSWORD).await.unwrap();
    shop.clock.advance(Duration::from_secs(12 * 3600 - 1));
    let last = shop.service.refresh(tokens.refresh_token).await.unwrap();
    assert_eq!(last.expires_in, 1, "an access token does not outlive its session");
    shop.clock.advance(Duration::from_secs(1));
    assert_eq!(code(shop.service.refresh(last.refresh_token).await), "invalid_grant");
}

#[tokio::test]
async fn roles_are_data() {
    let shop = Shop::open().await;
    let roles = shop.service.roles().await.unwrap();
    assert_eq!(
        roles.iter().map(|role| role.name.as_str()).collect::<Vec<_>>(),
        ["manager", "owner", "support"]
    );
    assert_eq!(roles[1].permissions, Permission::ALL);
    assert!(roles[2].permissions.contains(&Permission::OrdersShip));
    assert!(!roles[2].permissions.contains(&Permission::OrdersRefund));
}
