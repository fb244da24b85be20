//! Which of several processes does what must be done once.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use shared::Result;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Consul, unavailable};

/// A leader that is silent for so long is none any more; ten seconds at least.
const TTL: Duration = Duration::from_secs(15);

/// How often a session is renewed, and who does not lead tries to.
const BEAT: Duration = Duration::from_secs(5);

/// So much earlier than Consul a leader believes that it is none.
const MARGIN: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct Session {
    #[serde(rename = "ID")]
    id: String,
}

impl Consul {
    /// Whether this process leads, from now on: of all that name the same `key` at most one does. When Consul is away
    /// nobody does after [`TTL`].
    pub fn lead(&self, key: &str, instance: &str, stop: CancellationToken) -> watch::Receiver<bool> {
        let (sender, receiver) = watch::channel(false);
        let (consul, key, instance) = (self.clone(), key.to_owned(), instance.to_owned());
        tokio::spawn(async move {
            let mut session = None;
            stop.run_until_cancelled(consul.campaign(&key, &instance, &mut session, &sender)).await;
            sender.send_replace(false);
            if let Some(id) = session {
                let over = consul.ask(Method::PUT, &format!("v1/session/destroy/{id}"));
                consul.answer(over).await.ok();
            }
        });
        receiver
    }

    async fn campaign(
        &self,
        key: &str,
        instance: &str,
        session: &mut Option<String>,
        leads: &watch::Sender<bool>,
    ) {
        let mut renewed = Instant::now();
        loop {
            let asked = Instant::now();
            match self.beat(key, instance, session).await {
                Ok(leading) => {
                    renewed = asked;
                    if leads.send_replace(leading) != leading {
                        tracing::info!(key, leading, "leadership");
                    }
                }
                Err(error) => {
                    tracing::debug!(key, error = error.chain(), "the session was not renewed");
                    if renewed.elapsed() + BEAT + MARGIN > TTL {
                        leads.send_replace(false);
                    }
                }
            }
            tokio::time::sleep(BEAT).await;
        }
    }

    /// Renews the session, or makes one, and takes the key if nobody has it.
    async fn beat(&self, key: &str, instance: &str, session: &mut Option<String>) -> Result<bool> {
        if let Some(id) = session.as_deref() {
            let renewed = self.found(self.ask(Method::PUT, &format!("v1/session/renew/{id}"))).await?;
            if renewed.is_none() {
                *session = None;
            }
        }
        let id = match session {
            Some(id) => id.clone(),
            None => {
                let new = json!({
                    "Name": format!("bodega {key}"),
                    "TTL": format!("{}s", TTL.as_secs()),
                    "LockDelay": "1s",
                    "Behavior": "delete",
                });
                let made = self.answer(self.ask(Method::PUT, "v1/session/create").json(&new)).await?;
                let Session { id } = made.json().await.map_err(unavailable)?;
                session.insert(id).clone()
            }
        };
        let taking = self.ask(Method::PUT, &format!("v1/kv/{key}")).query(&[("acquire", &id)]);
        let taken = self.answer(taking.body(instance.to_owned())).await?;
        Ok(taken.text().await.map_err(unavailable)?.trim() == "true")
    }
}
