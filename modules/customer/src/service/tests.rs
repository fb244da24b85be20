//! Every rule, through the port, each on its own database.

mod accounts;
mod credentials;
mod sessions;
mod staff;

use std::sync::{Arc, Mutex};

use contracts::customer::{
    BrowserSession, Customer, Customers, Login, NewCustomer, NewStaff, TokenIssued, TokenPurpose, Tokens,
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use shared::{
    Result, Time,
    db::{Db, Options},
    events::{self, Envelope, Event},
    signer::Signer,
    time::ManualClock,
};
use tempfile::TempDir;

use super::Service;
use crate::{MIGRATIONS, Settings};

const PASSWORD: &str = "correct horse battery";

/// A module on its own database, with a clock to turn and an ear for its events.
struct Shop {
    service: Arc<Service>,
    clock: Arc<ManualClock>,
    signer: Signer,
    events: Arc<Mutex<Vec<Envelope>>>,
    db: Db,
    _folder: TempDir,
}

impl Shop {
    async fn open() -> Self {
        Self::with(Settings::default()).await
    }

    async fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = shared::testing::relational(folder.path(), "customers").await.unwrap();
        let db = Db::open(&url, &Options::default()).await.unwrap();
        db.migrate(&[events::MIGRATIONS, MIGRATIONS]).await.unwrap();
        let events = Arc::new(Mutex::new(Vec::new()));
        let heard = events.clone();
        db.watch(Arc::new(move |new: &[Envelope]| heard.lock().unwrap().extend_from_slice(new)));
        let clock = ManualClock::at(Time::from_micros(1_800_000_000_000_000));
        let signer = Signer::new(b"a secret of the shop");
        let service = Service::new(db.clone(), clock.clone(), signer.clone(), settings).await.unwrap();
        Self { service, clock, signer, events, db, _folder: folder }
    }

    async fn register(&self, email: &str) -> Customer {
        self.service.register(person(email)).await.unwrap()
    }

    /// Registers and follows the link.
    async fn verified(&self, email: &str) -> Customer {
        self.register(email).await;
        self.service.verify_email(self.token(TokenPurpose::VerifyEmail)).await.unwrap()
    }

    async fn log_in(&self, email: &str, password: &str) -> Result<Tokens> {
        let (email, password) = (email.parse().unwrap(), password.to_owned());
        self.service.log_in(Login { email, password, user_agent: Some("Lynx".into()) }).await
    }

    async fn browser(&self, email: &str) -> BrowserSession {
        let login = Login { email: email.parse().unwrap(), password: PASSWORD.into(), user_agent: None };
        self.service.open_browser_session(login).await.unwrap()
    }

    /// Somebody who may do everything.
    async fn owner(&self) {
        let new = NewStaff {
            email: "owner@example.com".parse().unwrap(),
            name: None,
            role: "owner".into(),
            password: Some(PASSWORD.into()),
        };
        self.service.add_staff(new).await.unwrap();
    }

    fn heard<E: Event>(&self) -> Vec<E> {
        let events = self.events.lock().unwrap();
        events.iter().filter(|e| e.is::<E>()).map(|e| e.parse().unwrap()).collect()
    }

    /// The token in the last mail for `purpose`.
    fn token(&self, purpose: TokenPurpose) -> String {
        let issued = self.heard::<TokenIssued>().into_iter().rfind(|event| event.purpose == purpose).unwrap();
        self.signer.token(purpose.as_str(), issued.token_id)
    }

    /// The claims of an access token, checked with the published key.
    async fn claims(&self, tokens: &Tokens) -> contracts::customer::Claims {
        let jwks: JwkSet = serde_json::from_value(self.service.jwks().await.unwrap()).unwrap();
        let kid = jsonwebtoken::decode_header(&tokens.access_token).unwrap().kid.unwrap();
        let key = DecodingKey::from_jwk(jwks.find(&kid).unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&["bodega"]);
        validation.set_issuer(&["bodega"]);
        validation.validate_exp = false;
        jsonwebtoken::decode(&tokens.access_token, &key, &validation).unwrap().claims
    }
}

fn person(email: &str) -> NewCustomer {
    NewCustomer { email: email.parse().unwrap(), password: PASSWORD.into(), name: "Ada Lovelace".into() }
}

fn code<T>(result: Result<T>) -> String {
    result.err().map(|error| error.code.into_owned()).expect("an error")
}
