use contracts::metadata::{Metadata, settings::SettingsChanged};
use serde_json::json;
use shared::{Kind, PageRequest};

use crate::shop::{parsed, shop, staff};

#[tokio::test]
async fn every_change_says_who_and_what() {
    let (shop, ada, ben) = (shop().await, staff(), staff());
    let initial = shop.metadata.settings().await.unwrap();
    assert_eq!((initial.version, initial.settings.return_days, initial.updated_by), (0, 30, None));
    let first = parsed(json!({"return_days": 14, "announcement": {"de": "Neu", "en": "New"}}));
    shop.metadata.update_settings(first, Some(0), ada).await.unwrap();
    let second = parsed(json!({"announcement": {"de": null}, "contact_email": "a@example.com"}));
    let now = shop.metadata.update_settings(second, Some(1), ben).await.unwrap();
    assert_eq!((now.version, now.updated_by, now.settings.announcement.len()), (2, Some(ben), 1));

    let history = shop.metadata.settings_history(PageRequest::default()).await.unwrap().data;
    assert_eq!(
        history.iter().map(|change| (change.version, change.actor)).collect::<Vec<_>>(),
        [(2, ben), (1, ada)]
    );
    let newest: Vec<_> =
        history[0].changes.iter().map(|c| (c.pointer.as_str(), &c.before, &c.after)).collect();
    assert_eq!(
        newest,
        [
            ("/announcement/de", &json!("Neu"), &json!(null)),
            ("/contact_email", &json!(null), &json!("a@example.com"))
        ]
    );
    let same = shop.metadata.update_settings(parsed(json!({"return_days": 14})), None, ada).await.unwrap();
    assert_eq!(same.version, 2);
    let stale =
        shop.metadata.update_settings(parsed(json!({"return_days": 9})), Some(1), ada).await.unwrap_err();
    assert_eq!(stale.kind, Kind::PreconditionFailed);
    assert_eq!(shop.said::<SettingsChanged>().len(), 2);
}

#[tokio::test]
async fn what_was_in_force_can_be_brought_back() {
    let (shop, ada) = (shop().await, staff());
    for days in [10, 20] {
        shop.metadata.update_settings(parsed(json!({"return_days": days})), None, ada).await.unwrap();
    }
    let back = shop.metadata.restore_settings(1, Some(2), ada).await.unwrap();
    assert_eq!((back.version, back.settings.return_days), (3, 10));
    let configured = shop.metadata.restore_settings(0, None, ada).await.unwrap();
    assert_eq!((configured.version, configured.settings.return_days), (4, 30));
    let history = shop.metadata.settings_history(PageRequest { limit: 1, cursor: None }).await.unwrap();
    assert_eq!(history.data[0].restored, Some(0));
    let next = PageRequest { limit: 9, cursor: history.next_cursor };
    let older: Vec<_> = shop.metadata.settings_history(next).await.unwrap().data;
    assert_eq!(older.iter().map(|change| change.restored).collect::<Vec<_>>(), [Some(1), None, None]);
    assert_eq!(shop.metadata.restore_settings(99, None, ada).await.unwrap_err().kind, Kind::NotFound);
}

#[tokio::test]
async fn wrong_settings_are_all_named() {
    let shop = shop().await;
    let wrong = parsed(json!({
        "name": " ", "return_days": 400, "social": [{"name": "X", "url": "javascript:alert(1)"}],
    }));
    let refused = shop.metadata.update_settings(wrong, None, staff()).await.unwrap_err();
    let pointers: Vec<_> = refused.fields.iter().map(|field| field.pointer.as_str()).collect();
    assert_eq!(pointers, ["/name", "/social/0/url", "/return_days"]);
}
