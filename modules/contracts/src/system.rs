//! The machinery behind the shop, as its operators see it. Not a port: it is the process's own.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use shared::{Result, Time, jobs::JobStatus};

/// What the process knows of itself. Implemented by the wiring, which alone knows every database.
#[async_trait]
pub trait System: Send + Sync {
    /// Modules, outbox lag, jobs, health.
    async fn report(&self) -> Result<SystemReport>;
    /// Asks every dependency whether it is there; each has two seconds to answer.
    async fn health(&self) -> Vec<Health>;
    /// Events that a consumer could not take, newest first.
    async fn dead_letters(&self) -> Result<Vec<DeadLetter>>;
    /// Delivers one again; `NotFound`.
    async fn replay(&self, id: &str) -> Result<()>;
    /// Gives one up; `NotFound`.
    async fn discard(&self, id: &str) -> Result<()>;
}

/// The state of the machinery.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct SystemReport {
    pub version: String,
    pub started_at: Time,
    pub modules: Vec<ModulePlace>,
    pub outboxes: Vec<OutboxLag>,
    #[schema(value_type = Vec<Object>)]
    pub jobs: Vec<JobStatus>,
    /// What the process depends on.
    pub health: Vec<Health>,
    /// Every process of the shop that has answered.
    pub processes: Vec<Process>,
}

/// Where a module runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ModulePlace {
    pub name: String,
    /// `in_process`, `loopback`, `remote`; `missing` if no process that answers hosts it.
    pub place: String,
    /// `sqlite`, `postgres`, …
    pub store: String,
    /// In how many processes it runs.
    pub instances: usize,
}

/// One process of the shop, as it sees itself.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Process {
    /// A name that no other process has.
    pub instance: String,
    /// Where it listens.
    pub address: String,
    pub version: String,
    pub started_at: Time,
    pub modules: Vec<HostedModule>,
    pub outboxes: Vec<OutboxLag>,
    #[schema(value_type = Vec<Object>)]
    pub jobs: Vec<JobStatus>,
    pub health: Vec<Health>,
    /// What it has answered to other processes.
    pub services: Vec<ServiceLoad>,
    /// What waits in the queues that it works on.
    pub queues: Vec<QueueDepth>,
}

/// A module of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HostedModule {
    pub name: String,
    /// `in_process`, `loopback`.
    pub place: String,
    /// `sqlite`, `postgres`, …
    pub store: String,
}

/// Calls of one service that one process has answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ServiceLoad {
    /// The port's name.
    pub service: String,
    /// Since the process started.
    pub calls: u64,
    /// Of these, how many failed by our own fault.
    pub failures: u64,
    /// Calls per second, in the last minute or two.
    pub rate: f64,
    /// Microseconds within which half were answered.
    pub p50_us: u64,
    /// Microseconds within which 99 of 100 were answered.
    pub p99_us: u64,
}

/// A queue of the broker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QueueDepth {
    /// `rpc.<service>`, `events.<consumer>`.
    pub name: String,
    pub waiting: u32,
}

/// Events that are written and not yet heard.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OutboxLag {
    pub database: String,
    pub unpublished: i64,
    pub oldest: Option<Time>,
}

/// An event that a consumer could not take.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct DeadLetter {
    pub id: String,
    pub database: String,
    pub consumer: String,
    pub kind: String,
    pub error: String,
    pub attempts: i64,
    pub failed_at: Time,
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
}

/// A dependency's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Health {
    pub name: String,
    pub ok: bool,
}
