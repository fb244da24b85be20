//! This process in Consul, if the settings name an agent.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use shared::{Result, jobs::Jobs};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    Settings,
    consul::{Consul, Registration},
};

/// How long whoever sends requests here may take to hear that it is over.
const FAREWELL: Duration = Duration::from_secs(2);

/// An entry in the registry, kept as long as the process wants it.
pub struct Registered {
    stop: CancellationToken,
    keeping: Option<JoinHandle<()>>,
    farewell: Duration,
}

/// Registers every module that is hosted here as `bodega-<module>`, with a check of `/readyz`.
pub fn register(settings: &Settings, addresses: &[SocketAddr], jobs: &Jobs) -> Result<Registered> {
    let stop = CancellationToken::new();
    let mut registered = Registered { stop: stop.clone(), keeping: None, farewell: Duration::ZERO };
    if settings.consul.url.is_empty() {
        return Ok(registered);
    }
    let consul = client(settings)?;
    // Port 0 is known by now only.
    let listening = addresses.first().map(ToString::to_string).unwrap_or_default();
    let address = Some(settings.consul.address.clone()).filter(|a| !a.is_empty()).unwrap_or(listening);
    let shape = if settings.hosts_everything() { "whole" } else { "split" };
    let entry = |module: &str| Registration {
        module: module.to_owned(),
        address: address.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        tags: vec![format!("shape={shape}")],
        check_url: format!("http://{address}/readyz"),
        check_interval: Duration::from_secs(settings.consul.check_seconds.max(1)),
        deregister_after: Duration::from_secs(settings.consul.forget_seconds),
    };
    let modules = crate::settings::MODULES.iter().filter(|module| settings.hosts(module.name));
    let entries = modules.map(|module| entry(module.name)).collect();
    elect(&consul, settings, jobs, &stop);
    registered.keeping = Some(tokio::spawn(async move { consul.keep_registered(entries, stop).await }));
    if settings.hosts("gateway") {
        registered.farewell = FAREWELL;
    }
    Ok(registered)
}

/// Lets the processes that host a module elect one of them for what is to be done once.
fn elect(consul: &Consul, settings: &Settings, jobs: &Jobs, stop: &CancellationToken) {
    let hosted = crate::settings::MODULES.iter().filter(|module| settings.hosts(module.name));
    let lead = |module: &str| {
        let key = format!("{}/leader/{module}", settings.broker.namespace);
        consul.lead(&key, &settings.instance, stop.clone())
    };
    let leads: BTreeMap<_, _> = hosted.map(|module| (module.name, lead(module.name))).collect();
    jobs.elect(Box::new(move |module| leads.get(module).is_none_or(|leads| *leads.borrow())));
}

/// The agent that the settings name.
///
/// # Errors
/// `Invalid` if they name none.
pub fn client(settings: &Settings) -> Result<Consul> {
    let token = Some(settings.consul.token.0.as_str()).filter(|token| !token.is_empty());
    Consul::new(&settings.consul.url, token)
}

impl Registered {
    /// Takes the entry away, and gives those who send requests here a moment to notice.
    pub async fn end(self) {
        self.stop.cancel();
        if let Some(keeping) = self.keeping {
            keeping.await.ok();
            tokio::time::sleep(self.farewell).await;
        }
    }
}
