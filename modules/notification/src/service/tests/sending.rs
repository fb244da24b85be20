use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use contracts::{
    customer::{CustomerId, TokenPurpose::VerifyEmail},
    order::OrderPlaced,
};
use secrecy::SecretString;
use shared::{Database, db::Options, jobs::Jobs, signer::Signer, time::system_clock};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

use super::{Office, order, token_issued};
use crate::{Service, Settings, TransportKind};

#[tokio::test]
async fn a_mail_is_a_file_with_a_text_and_an_html_part() {
    let office = Office::open().await;
    office
        .hear(&token_issued(
            CustomerId::new(),
            VerifyEmail,
            "Ada \"Bcc: x@example.com\" Ü\r\nBcc: all@example.com",
        ))
        .await;
    assert!(office.mail().await.sent_at.is_none());
    assert!(office.service.send_next().await.unwrap());
    assert!(!office.service.send_next().await.unwrap(), "once");
    let mail = office.mail().await;
    assert_eq!(mail.sent_at, Some(super::now()));
    let files = office.files();
    let (headers, body) = files[0].split_once("\r\n\r\n").unwrap();
    assert!(headers.contains("From: Bodega <shop@example.com>") && headers.contains("<ada@example.com>"));
    assert!(headers.contains(&format!("Message-ID: <{}@example.com>", mail.id)));
    assert!(headers.contains("multipart/alternative") && headers.contains("Date: Fri, 15 Jan 2027 08:00:00"));
    assert!(!headers.lines().any(|line| line.starts_with("Bcc")), "a name is no header:\n{headers}");

    assert!(body.contains("Content-Type: text/plain") && body.contains("Content-Type: text/html"));
}

#[tokio::test]
async fn a_failing_transport_is_tried_again_and_then_succeeds() {
    let office = Office::open().await;
    let blocked = office.folder.path().join("mail");
    std::fs::write(&blocked, "a file where the folder should be").unwrap();
    office.hear(&OrderPlaced { order: order() }).await;
    for pause in [10, 20, 40] {
        assert!(office.service.send_next().await.unwrap());
        assert!(office.mail().await.sent_at.is_none());
        assert!(!office.service.send_next().await.unwrap(), "not at once");
        office.clock.advance(Duration::from_secs(pause));
    }
    std::fs::remove_file(&blocked).unwrap();
    assert!(office.service.send_next().await.unwrap());
    assert!(office.mail().await.sent_at.is_some());
    assert_eq!(office.files().len(), 1);
}

#[tokio::test]
async fn a_mail_that_fails_for_a_day_is_given_up() {
    let office = Office::open().await;
    std::fs::write(office.folder.path().join("mail"), "in the way").unwrap();
    office.hear(&OrderPlaced { order: order() }).await;
    let mut tries = 0;
    for _ in 0..48 {
        tries += u32::from(office.service.send_next().await.unwrap());
        office.clock.advance(Duration::from_secs(3600));
    }
    assert!((10..30).contains(&tries), "{tries}");
    assert!(office.mail().await.sent_at.is_none());
}

#[tokio::test]
async fn parallel_senders_send_a_mail_once() {
    let office = Office::open().await;
    office.hear(&OrderPlaced { order: order() }).await;
    let store = &office.service.store;
    let due = store.due(super::now()).await.unwrap().unwrap();
    let until = super::now().after(Duration::from_secs(60));
    let (a, b) = tokio::join!(
        store.claim(due.mail.id, due.next_at, until),
        store.claim(due.mail.id, due.next_at, until)
    );
    assert!(a.unwrap() != b.unwrap());
}

#[tokio::test]
async fn the_worker_sends_what_is_queued_over_smtp_and_again_after_a_refusal() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let received = Arc::new(Mutex::new(Vec::new()));
    tokio::spawn(mail_server(listener, received.clone()));
    let office = Office::with(|settings| {
        settings.transport = TransportKind::Smtp;
        settings.smtp_url = Some(SecretString::from(url));
    })
    .await;
    let jobs = Jobs::new();
    office.service.start(&jobs);
    office.hear(&OrderPlaced { order: order() }).await;
    let tried = async {
        // The pause after the refusal counts from when the worker noted it, so time passes until the mail is out.
        while office.mail().await.sent_at.is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            office.clock.advance(Duration::from_secs(60));
            office.service.queued.notify_one();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), tried).await.unwrap();
    jobs.stop(Duration::from_secs(5)).await;
    let received = received.lock().unwrap();
    assert_eq!(received.len(), 1);
    assert!(received[0].contains("Subject: Your order B-7K2Q-9XM4"), "{}", received[0]);
}

/// Refuses the first mail and keeps the others.
async fn mail_server(listener: TcpListener, received: Arc<Mutex<Vec<String>>>) {
    let mut refused = false;
    while let Ok((stream, _)) = listener.accept().await {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 test\r\n").await.unwrap();
        let (mut line, mut data) = (String::new(), None::<String>);
        while {
            line.clear();
            stream.read_line(&mut line).await.is_ok_and(|n| n > 0)
        } {
            let reply: &[u8] = match (&mut data, line.trim_end()) {
                (Some(text), ".") => {
                    received.lock().unwrap().push(std::mem::take(text));
                    data = None;
                    b"250 kept\r\n"
                }
                (Some(text), _) => {
                    text.push_str(&line);
                    continue;
                }
                (None, "DATA") => {
                    data = Some(String::new());
                    b"354 go on\r\n"
                }
                (None, command) if command.starts_with("MAIL") && !refused => {
                    refused = true;
                    b"451 later\r\n"
                }
                (None, "QUIT") => b"221 bye\r\n",
                (None, _) => b"250 fine\r\n",
            };
            stream.write_all(reply).await.unwrap();
        }
    }
}

#[tokio::test]
async fn settings_that_cannot_send_are_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let url = shared::testing::documents(folder.path(), "metadata").unwrap();
    let db = Database::open(&url, &Options::default()).await.unwrap();
    for wrong in [
        Settings { from: "nobody".into(), ..Settings::default() },
        Settings { transport: TransportKind::Smtp, ..Settings::default() },
    ] {
        assert!(Service::new(db.clone(), system_clock(), Signer::new(b"x"), wrong).await.is_err());
    }
    let secret = Settings { smtp_url: Some(SecretString::from("smtp://u:hunter2@h")), ..Settings::default() };
    assert!(!format!("{secret:?}").contains("hunter2"));
}
