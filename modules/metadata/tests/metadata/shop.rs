//! A database around the module, with a clock that is moved by hand.

use std::sync::{Arc, Mutex};

use contracts::{
    Actor,
    metadata::{Definition, FieldValues, Metadata, NewDefinition},
};
use metadata::{Service, Settings};
use serde_json::{Value, json};
use shared::{
    Database, Time,
    db::Options,
    events::{Envelope, Event},
    time::ManualClock,
};

pub struct Shop {
    pub metadata: Arc<Service>,
    pub clock: Arc<ManualClock>,
    emitted: Arc<Mutex<Vec<Envelope>>>,
    _folder: tempfile::TempDir,
}

pub async fn shop() -> Shop {
    let folder = tempfile::tempdir().unwrap();
    let url = shared::testing::documents(folder.path(), "metadata").unwrap();
    let clock = ManualClock::at(Time::from_micros(1_800_000_000_000_000));
    let options = Options { clock: clock.clone(), ..Options::default() };
    let db = Database::open(&url, &options).await.unwrap();
    db.migrate(
        &[shared::events::MIGRATIONS, metadata::MIGRATIONS],
        &[shared::events::SCHEMA, metadata::SCHEMA],
    )
    .await
    .unwrap();
    let emitted = Arc::new(Mutex::new(Vec::new()));
    let sink = emitted.clone();
    db.watch(Arc::new(move |events| sink.lock().unwrap().extend_from_slice(events)));
    let metadata = Service::new(db, clock.clone(), Settings::default());
    Shop { metadata, clock, emitted, _folder: folder }
}

impl Shop {
    /// A field of products `care.<key>`, with further terms.
    pub async fn field(&self, key: &str, terms: Value) -> Definition {
        self.metadata.create_definition(new(key, terms)).await.unwrap()
    }

    /// What was said since the last question.
    pub fn said<E: Event>(&self) -> Vec<E> {
        let events = std::mem::take(&mut *self.emitted.lock().unwrap());
        events.iter().filter(|event| event.is::<E>()).map(|event| event.parse().unwrap()).collect()
    }
}

pub fn new(key: &str, terms: Value) -> NewDefinition {
    let mut whole = json!({"owner": "product", "namespace": "care", "key": key, "name": key, "kind": "text"});
    whole.as_object_mut().unwrap().extend(terms.as_object().unwrap().clone());
    serde_json::from_value(whole).unwrap()
}

pub fn values(values: Value) -> FieldValues {
    serde_json::from_value(values).unwrap()
}

/// Any other type that JSON describes.
pub fn parsed<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

pub fn staff() -> Actor {
    Actor::Staff(contracts::customer::CustomerId::new())
}
