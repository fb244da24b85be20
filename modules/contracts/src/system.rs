//! The machinery behind the shop, as its operators see it. Not a port: it is the process's own.

use async_trait::async_trait;
use serde::Serialize;
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
}

/// Where a module runs.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ModulePlace {
    pub name: String,
    /// `in_process`, `loopback`, `remote`.
    pub place: String,
    /// `sqlite`, `postgres`, …
    pub store: String,
}

/// Events that are written and not yet heard.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Health {
    pub name: String,
    pub ok: bool,
}
