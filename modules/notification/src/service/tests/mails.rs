use std::time::Duration;

use contracts::{
    customer::{
        CustomerDeleted, CustomerId, RegistrationRepeated, TokenEntity,
        TokenPurpose::{ResetPassword, VerifyEmail},
    },
    notification::{MailId, Notifications},
    order::{OrderCancelled, OrderPlaced, OrderRefunded, OrderShipped},
};
use shared::{PageRequest, events::EventId};

use super::{Office, envelope, eur, order, refund, shipment, token_issued};

#[tokio::test]
async fn every_event_causes_one_mail_even_when_it_comes_twice() {
    let office = Office::open().await;
    let (id, order) = (CustomerId::new(), order());
    let repeated = RegistrationRepeated { email: order.email.clone(), name: "Ada".into() };
    let parcel = shipment(&order, "https://owl.example.com/42");
    let events = [
        envelope(&token_issued(id, VerifyEmail, "Ada")),
        envelope(&token_issued(id, ResetPassword, "Ada")),
        envelope(&repeated),
        envelope(&OrderPlaced { order: order.clone() }),
        envelope(&OrderCancelled { order: order.clone(), tell_shopper: true }),
        envelope(&OrderShipped { order: order.clone(), shipment: parcel }),
        envelope(&OrderRefunded { order: order.clone(), refund: refund(eur(1000)) }),
    ];
    for event in events.iter().chain(&events) {
        office.deliver(event).await;
    }
    let mut templates: Vec<_> = office.mails().await.into_iter().map(|mail| mail.template).collect();
    templates.sort();
    let expected = [
        "order_cancelled",
        "order_placed",
        "order_refunded",
        "order_shipped",
        "registration_repeated",
        "reset_password",
        "verify_email",
    ];
    assert_eq!(templates, expected);
}

#[tokio::test]
async fn an_event_delivered_in_parallel_causes_one_mail() {
    let office = Office::open().await;
    let event = envelope(&OrderPlaced { order: order() });
    tokio::join!(office.deliver(&event), office.deliver(&event), office.deliver(&event));
    assert_eq!(office.mails().await.len(), 1);
}

#[tokio::test]
async fn an_event_that_the_inbox_has_forgotten_causes_no_second_mail() {
    let office = Office::open().await;
    let event = envelope(&OrderPlaced { order: order() });
    office.deliver(&event).await;
    assert_eq!(shared::events::prune(&office.db, Duration::ZERO).await.unwrap(), 1);
    office.deliver(&event).await;
    assert_eq!(office.mails().await.len(), 1);
}

#[tokio::test]
async fn an_event_deletes_mails_once() {
    let office = Office::open().await;
    let event = EventId::new();
    for left in [0, 1] {
        office.hear(&OrderPlaced { order: order() }).await;
        let mails = office.mails().await.into_iter().map(|mail| mail.id).collect();
        office.service.store.forget(event, mails).await.unwrap();
        assert_eq!(office.mails().await.len(), left);
    }
}

#[tokio::test]
async fn the_token_in_the_link_opens() {
    let office = Office::open().await;
    for (purpose, path) in [(VerifyEmail, "verify-email"), (ResetPassword, "reset-password")] {
        let issued = token_issued(CustomerId::new(), purpose, "Ada");
        office.hear(&issued).await;
        let mails = office.mails().await;
        let mail = mails.iter().find(|mail| mail.template == purpose.as_str()).unwrap();
        let start = format!("https://shop.example.com/{path}?token=");
        for body in [&mail.text, &mail.html] {
            let token = body.split_once(&start).unwrap().1.split(['"', '\n']).next().unwrap();
            assert_eq!(office.signer.open::<TokenEntity>(purpose.as_str(), token), Some(issued.token_id));
        }
        assert!(
            mail.text.starts_with("Hello Ada,\n") && mail.text.contains("until 08:30 UTC on 15 January 2027")
        );
    }
}

#[tokio::test]
async fn an_order_mail_has_its_lines_sums_address_and_link() {
    let office = Office::open().await;
    let order = order();
    office.hear(&OrderPlaced { order: order.clone() }).await;
    let mail = office.mail().await;
    assert_eq!(
        (mail.to.as_str(), mail.subject.as_str()),
        ("ada@example.com", "Your order B-7K2Q-9XM4 at Bodega")
    );
    let link = format!("https://shop.example.com/orders/{}?token=secret.of.the.order", order.id);
    for wanted in [
        "2 x Shirt & <Tie> (M): 40.00 EUR",
        "Discount: -4.00 EUR",
        "Tax (included): 6.53 EUR",
        "Total: 40.90 EUR",
        "N1 London",
        &link,
    ] {
        assert!(mail.text.contains(wanted), "{wanted} in\n{}", mail.text);
    }
    for wanted in ["Shirt &#38; &#60;Tie&#62; (M)", "40.90 EUR", "1 Engine &#60;Row&#62;", &link] {
        assert!(mail.html.contains(wanted), "{wanted} in\n{}", mail.html);
    }
    assert!(!mail.html.contains("<Tie>") && !mail.html.contains("<Row>"));
}

#[tokio::test]
async fn a_parcels_mail_names_what_is_in_it_and_how_to_follow_it() {
    let office = Office::open().await;
    let order = order();
    office
        .hear(&OrderShipped {
            shipment: shipment(&order, "https://owl.example.com/42?a=1&b=2"),
            order: order.clone(),
        })
        .await;
    let mail = office.mail().await;
    assert!(
        mail.text.contains("1 x Shirt & <Tie> (M)\n")
            && mail.text.contains("Owl Post carries it under the number OWL-42")
    );
    assert!(mail.text.contains("https://owl.example.com/42?a=1&b=2"));
    let other = Office::open().await;
    other.hear(&OrderShipped { shipment: shipment(&order, "javascript:alert(1)"), order }).await;
    assert!(!other.mail().await.html.contains("javascript:"));
}

#[tokio::test]
async fn html_in_a_name_is_escaped_and_a_link_in_it_left_out() {
    let office = Office::open().await;
    office.hear(&token_issued(CustomerId::new(), VerifyEmail, "<b onclick='x'>Bob")).await;
    let mail = office.mail().await;
    assert!(
        mail.html.contains("Hello &#60;b onclick=&#39;x&#39;&#62;Bob,") && !mail.html.contains("<b onclick")
    );
    let other = Office::open().await;
    other.hear(&token_issued(CustomerId::new(), VerifyEmail, "Win at http://evil.com")).await;
    let mail = other.mail().await;
    assert!(mail.text.starts_with("Hello,\n") && !mail.html.contains("evil.com"));
}

#[tokio::test]
async fn a_cancellation_that_the_shopper_saw_is_not_mailed() {
    let office = Office::open().await;
    office.hear(&OrderCancelled { order: order(), tell_shopper: false }).await;
    assert!(office.mails().await.is_empty());
    let mut unpaid = order();
    unpaid.captured_total = eur(0);
    office.hear(&OrderCancelled { order: unpaid, tell_shopper: true }).await;
    assert!(office.mail().await.text.contains("You were not charged."));
}

#[tokio::test]
async fn an_erased_persons_order_is_mailed_to_nobody() {
    let office = Office::open().await;
    let mut erased = order();
    erased.email = "deleted-1@invalid.invalid".parse().unwrap();
    office.hear(&OrderRefunded { order: erased, refund: refund(eur(100)) }).await;
    assert!(office.mails().await.is_empty());
}

#[tokio::test]
async fn a_deleted_persons_mails_are_deleted_with_their_files() {
    let office = Office::open().await;
    let id = CustomerId::new();
    office.hear(&token_issued(id, VerifyEmail, "Ada")).await;
    office
        .hear(&RegistrationRepeated { email: "ada@example.com".parse().unwrap(), name: "Ada".into() })
        .await;
    let mut theirs = order();
    (theirs.customer_id, theirs.email) = (Some(id), "friend@example.com".parse().unwrap());
    office.hear(&OrderPlaced { order: theirs }).await;
    let mut others = order();
    others.email = "friend@example.com".parse().unwrap();
    office.hear(&OrderPlaced { order: others.clone() }).await;
    while office.service.send_next().await.unwrap() {}
    assert_eq!(office.files().len(), 4);
    let event = office.hear(&CustomerDeleted { customer_id: id }).await;
    office.deliver(&event).await;
    let left = office.mail().await;
    assert!(left.text.contains(&others.id.to_string()));
    assert_eq!(office.files().len(), 1);
}

#[tokio::test]
async fn old_mails_are_forgotten() {
    let office = Office::open().await;
    office.hear(&OrderPlaced { order: order() }).await;
    office.service.send_next().await.unwrap();
    office.clock.advance(Duration::from_secs(29 * 24 * 3600));
    office.service.prune().await.unwrap();
    assert_eq!(office.mails().await.len(), 1);
    office.clock.advance(Duration::from_secs(2 * 24 * 3600));
    office.service.prune().await.unwrap();
    assert!(office.mails().await.is_empty() && office.files().is_empty());
}

#[tokio::test]
async fn mails_of_one_moment_are_each_listed_once() {
    let office = Office::open().await;
    for _ in 0..5 {
        office.hear(&OrderPlaced { order: order() }).await;
    }
    for to in [None, Some("ada@example.com".to_owned())] {
        let (mut ids, mut cursor) = (Vec::new(), None);
        loop {
            let page = office.service.mails(to.clone(), PageRequest { limit: 2, cursor }).await.unwrap();
            ids.extend(page.data.iter().map(|mail| mail.id));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert!(ids.len() == 5 && ids.is_sorted_by(|a, b| a > b), "{ids:?}");
    }
}

#[tokio::test]
async fn mails_are_listed_newest_first_and_by_address() {
    let office = Office::open().await;
    for n in 0..5 {
        let mut order = order();
        order.email = format!("p{n}@example.com").parse().unwrap();
        office.hear(&OrderPlaced { order }).await;
        office.clock.advance(Duration::from_secs(1));
    }
    let first = office.service.mails(None, PageRequest { limit: 3, cursor: None }).await.unwrap();
    let rest = PageRequest { limit: 3, cursor: first.next_cursor.clone() };
    let rest = office.service.mails(None, rest).await.unwrap();
    let to: Vec<_> = first.data.iter().chain(&rest.data).map(|mail| &mail.to[..2]).collect();
    assert_eq!(to, ["p4", "p3", "p2", "p1", "p0"]);
    assert!(rest.next_cursor.is_none());
    let one =
        office.service.mails(Some(" P3@example.com".into()), PageRequest::default()).await.unwrap().data;
    assert_eq!(one.len(), 1);
    assert_eq!(office.service.mail(one[0].id).await.unwrap().to, "p3@example.com");
    assert_eq!(office.service.mail(MailId::new()).await.unwrap_err().code, "not_found");
}
