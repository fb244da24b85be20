//! `bodega serve`.

use std::{pin::pin, process::ExitCode, time::Instant};

use contracts::product::ProductFilter;
use futures::future::{Either, join, select};
use shared::{Error, PageRequest, Result};

use super::{NO_DEMO, Serve};
use crate::{App, Settings, demo, seed::Progress};

/// Starts the shop; on an empty one it loads the demo first. Returns when the process is told to stop.
pub async fn run(mut settings: Settings, options: Serve) -> Result<ExitCode> {
    let started = Instant::now();
    if let Some(listen) = options.listen {
        settings.server.listen = listen;
    }
    if !options.host.is_empty() {
        settings = settings.hosting(options.host)?;
    }
    let app = App::build(settings).await?;
    app.start().await?;
    let (server, addresses) = app.serve()?;
    let demo = wants_demo(&app).await?;
    if demo {
        let loading = app.settings.data_dir.join(LOADING);
        std::fs::write(&loading, "").map_err(Error::internal)?;
        let report = demo::load(&app.ports, &*shared::time::system_clock(), &Progress::new(true)).await?;
        app.search_idle().await?;
        std::fs::write(app.settings.data_dir.join(DEMO), "").map_err(Error::internal)?;
        std::fs::remove_file(loading).map_err(Error::internal)?;
        println!("{report}");
    }
    let registration = app.register(&addresses)?;
    announce(&app, &addresses, started);
    let handle = server.handle();
    let ending = async {
        stop_signal().await;
        tracing::info!("stopping");
        app.leave();
        registration.end().await;
        app.close_streams();
        handle.stop(true).await;
    };
    let serving = async {
        let (served, ()) = join(server, ending).await;
        served.map_err(Error::internal)?;
        app.stop().await;
        Ok(ExitCode::SUCCESS)
    };
    let impatient = async {
        stop_signal().await;
        stop_signal().await;
    };
    match select(pin!(serving), pin!(impatient)).await {
        Either::Left((code, _)) => code,
        // Whoever asks twice does not want to wait.
        Either::Right(_) => Ok(ExitCode::FAILURE),
    }
}

#[cfg(unix)]
/// Returns when the process is told to stop.
pub async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
/// Returns when the process is told to stop.
pub async fn stop_signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

/// Marks a data folder that holds the demo shop.
const DEMO: &str = "demo";

/// Marks a data folder whose demo shop is not complete yet: loading it again completes it.
const LOADING: &str = "demo-loading";

async fn wants_demo(app: &App) -> Result<bool> {
    let wanted = app.settings.hosts_everything()
        && app.settings.demo
        && app.settings.is_development()
        && !app.settings.data_dir.join(NO_DEMO).exists();
    if !wanted {
        return Ok(false);
    }
    if app.settings.data_dir.join(LOADING).exists() {
        return Ok(true);
    }
    let one = PageRequest { limit: 1, cursor: None };
    let products = app.ports.products.list(ProductFilter::default(), one.clone()).await?;
    let people = app.ports.customers.list(None, one).await?;
    Ok(products.data.is_empty() && people.data.is_empty())
}

fn announce(app: &App, addresses: &[std::net::SocketAddr], started: Instant) {
    let Some(address) = addresses.first() else { return };
    let url = format!("http://{address}");
    if !app.settings.hosts("gateway") {
        let modules = app.settings.modules.host.join(", ");
        println!("{modules} at {url} ({} ms)", started.elapsed().as_millis());
        return;
    }
    println!("\n  {} is open ({} ms)\n", app.settings.shop.name, started.elapsed().as_millis());
    if app.settings.hosts("web") {
        println!("  Shop       {url}/");
        println!("  Admin      {url}/admin");
    }
    println!("  API        {url}/api/v1/products");
    println!("  API docs   {url}/api/docs/");
    if app.settings.is_development() {
        println!("  Mail       {url}/dev/mail");
        println!("  Metrics    {url}/metrics");
    }
    println!("  Data       {}", app.settings.data_dir.display());
    if app.settings.data_dir.join(DEMO).exists() && app.settings.is_development() {
        println!("\n  Logins     owner@example.com    bodega-owner     all rights");
        println!("             support@example.com  bodega-support   reads, shipments, reviews");
        println!("             shopper@example.com  bodega-shopper   a customer");
    }
    println!("\n  Stop with Ctrl-C.\n");
}
