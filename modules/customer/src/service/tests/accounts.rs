use contracts::{
    Address,
    customer::{
        CustomerDeleted, CustomerId, CustomerPatch, CustomerRegistered, Customers, RegistrationRepeated,
        SessionsRevoked, TokenIssued,
    },
};
use futures::future::join_all;
use shared::{Kind, PageRequest};

use super::{PASSWORD, Shop, code, person};

fn address(city: &str) -> Address {
    Address {
        name: " Ada ".into(),
        company: None,
        line1: "1 Engine Row".into(),
        line2: None,
        city: city.into(),
        region: None,
        postal_code: "N1".into(),
        country: "GB".parse().unwrap(),
        phone: None,
    }
}

#[tokio::test]
async fn registering_opens_an_unverified_account_and_mails_a_link() {
    let shop = Shop::open().await;
    let ada = shop.register("Ada@Example.com").await;
    assert_eq!((ada.email.as_str(), ada.email_verified, ada.version), ("ada@example.com", false, 1));
    assert_eq!(shop.service.find(ada.id).await.unwrap(), ada);
    assert_eq!(shop.heard::<CustomerRegistered>()[0].customer, ada);
    assert_eq!(shop.heard::<TokenIssued>()[0].customer_id, ada.id);
}

#[tokio::test]
async fn a_taken_address_gets_the_same_answer_for_the_same_work_and_its_owner_a_mail() {
    let shop = Shop::open().await;
    let ada = shop.register("ada@example.com").await;
    let hashes = shop.service.passwords.hashes();
    let mut again = person("ada@example.com");
    (again.name, again.password) = ("Eve".into(), "another password".into());
    let answer = shop.service.register(again).await.unwrap();
    assert_eq!(shop.service.passwords.hashes(), hashes + 1);
    assert_eq!((answer.name.as_str(), answer.email_verified, answer.version), ("Eve", false, 1));
    assert_eq!(shop.service.find(answer.id).await.unwrap_err().kind, Kind::NotFound);
    assert_eq!(shop.heard::<CustomerRegistered>().len(), 1);
    assert_eq!(shop.heard::<RegistrationRepeated>()[0].name, ada.name, "the owner's name, not the one typed");
    shop.log_in("ada@example.com", PASSWORD).await.unwrap();
    assert_eq!(code(shop.log_in("ada@example.com", "another password").await), "invalid_credentials");
}

#[tokio::test]
async fn an_owner_is_not_mailed_without_end() {
    let shop = Shop::open().await;
    for _ in 0..6 {
        shop.register("ada@example.com").await;
    }
    assert_eq!(shop.heard::<RegistrationRepeated>().len(), 3);
}

#[tokio::test]
async fn parallel_registrations_of_one_address_open_one_account() {
    let shop = Shop::open().await;
    let all = join_all((0..20).map(|_| shop.service.register(person("ada@example.com")))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(shop.heard::<CustomerRegistered>().len(), 1);
    assert_eq!(shop.service.list(None, PageRequest::default()).await.unwrap().data.len(), 1);
}

#[tokio::test]
async fn a_weak_password_or_an_empty_name_opens_nothing() {
    let shop = Shop::open().await;
    for weak in ["short", "password123", &"ab".repeat(65)] {
        let error = shop.service.register({
            let mut new = person("ada@example.com");
            new.password = weak.into();
            new
        });
        let error = error.await.unwrap_err();
        assert_eq!((error.kind, error.code.as_ref()), (Kind::Invalid, "weak_password"));
        assert_eq!(error.fields[0].pointer, "/password");
    }
    let mut nameless = person("ada@example.com");
    nameless.name = " ".into();
    assert_eq!(shop.service.register(nameless).await.unwrap_err().fields[0].pointer, "/name");
    assert_eq!(shop.service.passwords.hashes(), 0);
}

#[tokio::test]
async fn an_update_needs_the_version_it_has_seen() {
    let shop = Shop::open().await;
    let ada = shop.register("ada@example.com").await;
    let patch = |name: &str| CustomerPatch { name: Some(name.into()), group: None };
    let updated = shop.service.update(ada.id, patch("Countess"), Some(1)).await.unwrap();
    assert_eq!((updated.name.as_str(), updated.version), ("Countess", 2));
    let error = shop.service.update(ada.id, patch("Late"), Some(1)).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_ref()), (Kind::PreconditionFailed, "version"));
    let group = CustomerPatch { name: None, group: Some("wholesale".into()) };
    let grouped = shop.service.update(ada.id, group, None).await.unwrap();
    assert_eq!((grouped.name.as_str(), grouped.group.as_deref()), ("Countess", Some("wholesale")));
    let tokens = shop.log_in("ada@example.com", PASSWORD).await.unwrap();
    assert_eq!(shop.claims(&tokens).await.group.as_deref(), Some("wholesale"));
    let none = CustomerPatch { name: None, group: Some(String::new()) };
    assert_eq!(shop.service.update(ada.id, none, None).await.unwrap().group, None);
    let nobody = shop.service.update(CustomerId::new(), patch("x"), None).await;
    assert_eq!(code(nobody), "not_found");
}

#[tokio::test]
async fn the_list_is_newest_first_page_by_page_and_searched_by_address_and_name() {
    let shop = Shop::open().await;
    let mut people: Vec<_> = (0..7).map(|n| person(&format!("p{n}_x@example.com"))).collect();
    people[3].name = "Zoë ÖZDEMIR 100%".into();
    shop.service.import(people).await.unwrap();
    let mut seen = Vec::new();
    let mut page = PageRequest { limit: 3, cursor: None };
    loop {
        let part = shop.service.list(None, page.clone()).await.unwrap();
        seen.extend(part.data.into_iter().map(|c| c.email.as_str()[..2].to_owned()));
        page.cursor = part.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["p6", "p5", "p4", "p3", "p2", "p1", "p0"]);
    for (q, found) in [
        ("P3", 1),
        ("özdemir", 1),
        ("100%", 1),
        ("%", 1),
        ("_", 0),
        ("p3_", 1),
        ("example", 0),
        ("lovelace", 6),
    ] {
        let hits = shop.service.list(Some(q.into()), PageRequest::default()).await.unwrap();
        assert_eq!(hits.data.len(), found, "{q}");
    }
}

#[tokio::test]
async fn deleting_erases_the_person_everywhere_and_can_be_repeated() {
    let shop = Shop::open().await;
    let ada = shop.verified("ada@example.com").await;
    shop.service.add_address(ada.id, address("London")).await.unwrap();
    let tokens = shop.log_in("ada@example.com", PASSWORD).await.unwrap();
    let session = shop.claims(&tokens).await.sid;
    shop.service.delete(ada.id).await.unwrap();
    shop.service.delete(ada.id).await.unwrap();
    assert_eq!(shop.heard::<CustomerDeleted>().len(), 1);
    assert!(shop.heard::<SessionsRevoked>()[0].sessions.contains(&session));
    assert!(!shop.service.session_alive(session).await.unwrap());
    assert_eq!(code(shop.service.refresh(tokens.refresh_token).await), "invalid_grant");
    assert_eq!(code(shop.service.find(ada.id).await), "not_found");
    assert_eq!(code(shop.log_in("ada@example.com", PASSWORD).await), "invalid_credentials");
    assert!(shop.service.addresses(ada.id).await.unwrap().is_empty());
    assert!(shop.service.list(None, PageRequest::default()).await.unwrap().data.is_empty());
    assert_eq!(code(shop.service.delete(CustomerId::new()).await), "not_found");
    let again = shop.register("ada@example.com").await;
    assert_ne!(again.id, ada.id, "the address is free again");
}

#[tokio::test]
async fn an_address_is_seen_and_changed_by_its_owner_only() {
    let shop = Shop::open().await;
    let (ada, eve) = (shop.register("ada@example.com").await.id, shop.register("eve@example.com").await.id);
    let saved = shop.service.add_address(ada, address("London")).await.unwrap();
    assert_eq!(saved.address.name, "Ada", "trimmed");
    assert!(shop.service.addresses(eve).await.unwrap().is_empty());
    assert_eq!(code(shop.service.update_address(eve, saved.id, address("Rome")).await), "not_found");
    assert_eq!(code(shop.service.delete_address(eve, saved.id).await), "not_found");
    let moved = shop.service.update_address(ada, saved.id, address("Paris")).await.unwrap();
    assert_eq!((moved.id, moved.address.city.as_str()), (saved.id, "Paris"));
    assert_eq!(shop.service.addresses(ada).await.unwrap()[0].address.city, "Paris");
    let error = shop.service.add_address(ada, address("")).await.unwrap_err();
    assert_eq!(error.fields[0].pointer, "/city");
    shop.service.delete_address(ada, saved.id).await.unwrap();
    assert!(shop.service.addresses(ada).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_book_holds_fifty_addresses() {
    let shop = Shop::open().await;
    let ada = shop.register("ada@example.com").await.id;
    let tries = join_all((0..60).map(|_| shop.service.add_address(ada, address("London")))).await;
    assert_eq!(tries.iter().filter(|t| t.is_ok()).count(), 50);
    assert_eq!(code(shop.service.add_address(ada, address("London")).await), "too_many_addresses");
    assert_eq!(code(shop.service.add_address(CustomerId::new(), address("London")).await), "not_found");
}

#[tokio::test]
async fn an_import_hashes_a_shared_password_once_and_leaves_known_addresses_alone() {
    let shop = Shop::open().await;
    let ada = shop.register("p1@example.com").await;
    let hashes = shop.service.passwords.hashes();
    let people: Vec<_> = (0..450).map(|n| person(&format!("p{n}@example.com"))).collect();
    let imported = shop.service.import(people.clone()).await.unwrap();
    assert_eq!(shop.service.passwords.hashes(), hashes + 1);
    assert_eq!((imported.len(), imported[1].id, imported[1].email_verified), (450, ada.id, false));
    assert!(imported[2].email_verified);
    assert_eq!(shop.service.import(people).await.unwrap(), imported);
    assert_eq!(shop.heard::<TokenIssued>().len(), 1, "no mails");
    shop.log_in("p449@example.com", PASSWORD).await.unwrap();
}
