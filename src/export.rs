//! Placeholder.
pub async fn products_csv(_: &gateway::Ports, _: impl std::io::Write) -> shared::Result<()> { Ok(()) }
pub async fn orders_csv(_: &gateway::Ports, _: impl std::io::Write) -> shared::Result<()> { Ok(()) }
pub async fn customers_csv(_: &gateway::Ports, _: impl std::io::Write) -> shared::Result<()> { Ok(()) }
