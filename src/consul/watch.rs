//! Following a service by blocking queries.

use std::time::Duration;

use reqwest::Method;
use shared::Result;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Consul, Instance, PATIENCE, instances};

/// How long the agent holds a question when nothing changes.
const WAIT: Duration = Duration::from_secs(30);

/// The pause after a failure, doubled up to the last.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(4)];

impl Consul {
    /// The ready instances of a service, from now on. When the agent is away, or knows nobody all of a sudden, the last
    /// good list stays: an instance that is really gone is noticed by whoever calls it.
    pub fn watch(&self, service: &str, stop: CancellationToken) -> watch::Receiver<Vec<Instance>> {
        let (sender, receiver) = watch::channel(Vec::new());
        let (consul, service) = (self.clone(), service.to_owned());
        tokio::spawn(async move { stop.run_until_cancelled(consul.follow(&service, sender)).await });
        receiver
    }

    async fn follow(&self, service: &str, known: watch::Sender<Vec<Instance>>) {
        let [first, longest] = PAUSES;
        let (mut index, mut pause) = (0, first);
        while !known.is_closed() {
            match self.next(service, index).await {
                Ok((new_index, found)) => {
                    // An index that goes back means that the agent was set up anew.
                    index = if new_index < index { 0 } else { new_index };
                    pause = first;
                    if !found.is_empty() {
                        known.send_if_modified(|last| {
                            let changed = *last != found;
                            *last = found;
                            changed
                        });
                    }
                }
                Err(error) => {
                    if pause == first {
                        tracing::warn!(
                            service,
                            error = error.chain(),
                            "no word from Consul; the last list stays"
                        );
                    }
                    index = 0;
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(longest);
                }
            }
        }
    }

    /// Answers when something has changed since `index`, or after a while.
    async fn next(&self, service: &str, index: u64) -> Result<(u64, Vec<Instance>)> {
        let wait = format!("{}s", WAIT.as_secs());
        let asked = self
            .ask(Method::GET, &format!("v1/health/service/{service}"))
            .query(&[("passing", "true"), ("wait", &wait), ("index", &index.to_string())])
            // The agent adds up to a sixteenth, so that not everybody comes at once.
            .timeout(WAIT + WAIT / 16 + PATIENCE);
        let answer = self.answer(asked).await?;
        let index =
            answer.headers().get("x-consul-index").and_then(|value| value.to_str().ok()?.parse().ok());
        Ok((index.unwrap_or(0), instances(answer).await?))
    }
}
