//! The few endpoints of Consul's HTTP API that a process needs: to be found, to find others, to lead, to be configured.
//!
//! See <https://developer.hashicorp.com/consul/api-docs>.

mod lead;
#[cfg(test)]
mod tests;
mod upstreams;
mod watch;

use std::{collections::HashSet, time::Duration};

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde_json::json;
use shared::{Error, Result};
use tokio_util::sync::CancellationToken;

pub use upstreams::upstreams;

/// How long the agent may take for an ordinary answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often it is looked whether the agent still knows what was registered: one that was restarted does not.
const LOOK: Duration = Duration::from_secs(5);

/// A Consul agent. Cheap to clone.
#[derive(Clone)]
pub struct Consul {
    http: Client,
    url: Url,
    token: Option<String>,
}

/// One module of one process, as others are to find it.
#[derive(Clone, Debug)]
pub struct Registration {
    /// It is registered as the service `bodega-<module>`.
    pub module: String,
    /// Where others reach the process: `host:port`. With the module it is the entry's name, so that whoever comes after a
    /// process that was killed takes its entry's place: its check would go on well.
    pub address: String,
    pub version: String,
    pub tags: Vec<String>,
    /// Asked by the agent; 200 means that the process is ready.
    pub check_url: String,
    pub check_interval: Duration,
    /// A process that was not ready for so long is forgotten; a minute at least.
    pub deregister_after: Duration,
}

/// Where a service answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instance {
    pub id: String,
    pub address: String,
    pub port: u16,
    pub version: String,
}

impl Registration {
    fn id(&self) -> String {
        format!("{}-{}", self.module, self.address)
    }

    /// What the agent is told.
    fn body(&self) -> Result<serde_json::Value> {
        let wrong = || {
            let detail = format!("consul.address: {:?} is not host:port", self.address);
            Error::invalid("consul.address", "setting", detail)
        };
        let (host, port) = self.address.rsplit_once(':').ok_or_else(wrong)?;
        let port: u16 = port.parse().map_err(|_| wrong())?;
        let tags = [vec![format!("version={}", self.version)], self.tags.clone()].concat();
        let seconds = |time: Duration| format!("{}s", time.as_secs().max(1));
        Ok(json!({
            "ID": self.id(),
            "Name": service(&self.module),
            "Address": host.trim_matches(['[', ']']),
            "Port": port,
            "Tags": tags,
            "Meta": {"version": self.version},
            "Check": {
                "Name": "ready",
                "HTTP": self.check_url,
                "Interval": seconds(self.check_interval),
                "Timeout": seconds(PATIENCE),
                // It listens already; without this nobody would come before the first check.
                "Status": "passing",
                "DeregisterCriticalServiceAfter": seconds(self.deregister_after.max(Duration::from_secs(60))),
            },
        }))
    }
}

/// The name of a module's service.
pub fn service(module: &str) -> String {
    format!("bodega-{module}")
}

impl Consul {
    /// The agent at `url` (`http://127.0.0.1:8500`).
    ///
    /// # Errors
    /// `Invalid` if that is no URL.
    pub fn new(url: &str, token: Option<&str>) -> Result<Self> {
        let wrong = |detail: String| Error::invalid("consul.url", "setting", format!("consul.url: {detail}"));
        let url: Url = url.parse().map_err(|error| wrong(format!("{error}")))?;
        if url.scheme() != "http" {
            return Err(wrong("http://host:8500 is needed: the agent of this machine".to_owned()));
        }
        let http = Client::builder().connect_timeout(PATIENCE).build().map_err(Error::internal)?;
        Ok(Self { http, url, token: token.map(str::to_owned) })
    }

    /// Registers, keeps it so while the agent forgets it, and deregisters on `stop`; returns after that.
    pub async fn keep_registered(&self, entries: Vec<Registration>, stop: CancellationToken) {
        let (mut failing, mut told) = (false, HashSet::new());
        while !stop.is_cancelled() {
            match self.register_missing(&entries, &mut told).await {
                Ok(()) if std::mem::take(&mut failing) => tracing::info!("registered in Consul again"),
                Ok(()) => {}
                Err(error) if !std::mem::replace(&mut failing, true) => {
                    tracing::warn!(error = error.chain(), "not registered in Consul; trying again");
                }
                Err(_) => {}
            }
            let pause = if failing { LOOK / 5 } else { LOOK };
            stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
        let leaving = entries.iter().map(|entry| {
            self.answer(self.ask(Method::PUT, &format!("v1/agent/service/deregister/{}", entry.id())))
        });
        for left in futures::future::join_all(leaving).await {
            if let Err(error) = left {
                tracing::warn!(error = error.chain(), "not deregistered from Consul");
            }
        }
    }

    /// Those that the agent was not told yet, or has forgotten.
    async fn register_missing(&self, entries: &[Registration], told: &mut HashSet<String>) -> Result<()> {
        for entry in entries {
            let id = entry.id();
            let known = self.ask(Method::GET, &format!("v1/agent/service/{id}"));
            if !told.contains(&id) || self.found(known).await?.is_none() {
                let body = entry.body()?;
                self.answer(self.ask(Method::PUT, "v1/agent/service/register").json(&body)).await?;
                told.insert(id);
            }
        }
        Ok(())
    }

    /// The instances of a service that are ready.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn passing(&self, service: &str) -> Result<Vec<Instance>> {
        let asked =
            self.ask(Method::GET, &format!("v1/health/service/{service}")).query(&[("passing", "true")]);
        instances(self.answer(asked).await?).await
    }

    /// The value under a key of the store, if it is there.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let asked = self.ask(Method::GET, &format!("v1/kv/{key}")).query(&[("raw", "true")]);
        match self.found(asked).await? {
            Some(value) => Ok(Some(value.bytes().await.map_err(unavailable)?.to_vec())),
            None => Ok(None),
        }
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let url = self.url.join(path).unwrap_or_else(|_| self.url.clone());
        let request = self.http.request(method, url).timeout(PATIENCE);
        match &self.token {
            Some(token) => request.header("X-Consul-Token", token),
            None => request,
        }
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Response> {
        self.found(request).await?.ok_or_else(|| Error::unavailable("Consul does not know this"))
    }

    /// None for 404.
    async fn found(&self, request: RequestBuilder) -> Result<Option<Response>> {
        let response = request.send().await.map_err(unavailable)?;
        match response.status() {
            status if status.is_success() => Ok(Some(response)),
            StatusCode::NOT_FOUND => Ok(None),
            status => {
                let text = response.text().await.unwrap_or_default();
                Err(Error::unavailable(format!("Consul answers {status}: {}", text.trim())))
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    node: Node,
    service: Service,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Node {
    address: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Service {
    #[serde(rename = "ID")]
    id: String,
    address: String,
    port: u16,
    #[serde(default)]
    meta: std::collections::BTreeMap<String, String>,
}

async fn instances(response: Response) -> Result<Vec<Instance>> {
    let entries: Vec<Entry> = response.json().await.map_err(unavailable)?;
    let mut instances: Vec<_> = entries
        .into_iter()
        .map(|Entry { node, service }| Instance {
            id: service.id,
            address: if service.address.is_empty() { node.address } else { service.address },
            port: service.port,
            version: service.meta.get("version").cloned().unwrap_or_default(),
        })
        .collect();
    instances.sort();
    Ok(instances)
}

fn unavailable(error: reqwest::Error) -> Error {
    Error::unavailable("Consul cannot be reached").caused_by(error)
}
