//! One process that is the whole shop: without the cargo feature `distributed` there is nobody else.

use std::{net::SocketAddr, sync::Arc};

use contracts::system::System;
use shared::{
    Result,
    cache::Cache,
    db::Watcher,
    events::{Bus, Consumer, InProcess},
    jobs::Jobs,
    rpc::{Service, Transport},
};

use crate::{settings::Settings, system::Machinery};

/// An entry in no registry.
pub struct Registered;

impl Registered {
    pub async fn end(self) {}
}

/// The other processes of the shop: none.
pub struct Fleet;

impl Fleet {
    pub fn new(_: &Settings) -> Result<Self> {
        Ok(Self)
    }

    pub fn transport(&self) -> Option<Arc<dyn Transport>> {
        None
    }

    pub fn serve(&self, _: impl Service + 'static) {}

    pub fn bus(&self, consumers: Vec<Arc<dyn Consumer>>) -> Arc<dyn Bus> {
        Arc::new(InProcess::new(consumers))
    }

    pub fn system(&self, local: Arc<Machinery>) -> Arc<dyn System> {
        local
    }

    pub fn watcher(&self) -> Option<Watcher> {
        None
    }

    pub fn watch(&self, _: Vec<Watcher>, _: &Cache) {}

    pub async fn start(&self, _: &Jobs) {}

    pub fn register(&self, _: &Settings, _: &[SocketAddr], _: &Jobs) -> Result<Registered> {
        Ok(Registered)
    }

    pub async fn close(&self) {}
}
