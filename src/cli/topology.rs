//! `bodega topology` and `bodega dead-letters`: the shop as a whole, however many processes it is.

use std::process::ExitCode;

use clap::Subcommand;
use contracts::system::{DeadLetter, Process, System, SystemReport};
use shared::Result;

use super::{Format, quiet};
use crate::{App, Settings};

#[derive(Subcommand)]
pub enum DeadLetters {
    /// Events that a consumer could not take, newest first.
    List {
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Deliver one again.
    Replay { id: String },
    /// Give one up.
    Discard { id: String },
}

/// Every module: where it runs, how it is, how much it has to do.
pub async fn topology(settings: Settings, format: Format) -> Result<ExitCode> {
    let report = look(settings, async |system| system.report().await).await?;
    let missing = report.modules.iter().any(|module| module.place == "missing");
    match format {
        Format::Json => println!("{}", serde_json::to_string(&report)?),
        Format::Text => print(&report),
    }
    Ok(ExitCode::from(u8::from(missing)))
}

/// Lists, replays or discards.
pub async fn dead_letters(settings: Settings, what: DeadLetters) -> Result<ExitCode> {
    match what {
        DeadLetters::List { format } => {
            let letters = look(settings, async |system| system.dead_letters().await).await?;
            match format {
                Format::Json => println!("{}", serde_json::to_string(&letters)?),
                Format::Text => letters.iter().for_each(print_letter),
            }
        }
        DeadLetters::Replay { id } => {
            look(settings, async |system| system.replay(&id).await).await?;
            println!("{id} was delivered again");
        }
        DeadLetters::Discard { id } => {
            look(settings, async |system| system.discard(&id).await).await?;
            println!("{id} was given up");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Lets `work` see the shop: over its broker, without being part of it, or where there is none in its databases.
async fn look<T>(mut settings: Settings, work: impl AsyncFnOnce(&dyn System) -> Result<T>) -> Result<T> {
    if !settings.is_shared() {
        let app = quiet(settings.hosting(vec!["*".to_owned()])?).await?;
        return work(app.system()).await;
    }
    settings.modules.host.clear();
    let app = App::build(settings).await?;
    app.start().await?;
    let outcome = work(app.system()).await;
    app.stop().await;
    outcome
}

fn print(report: &SystemReport) {
    println!("{:<15} {:<11} {:<9} instances", "module", "place", "store");
    for module in &report.modules {
        println!("{:<15} {:<11} {:<9} {}", module.name, module.place, module.store, module.instances);
    }
    for process in report.processes.iter().filter(|process| !process.modules.is_empty()) {
        print_process(process);
    }
    for outbox in &report.outboxes {
        println!("outbox {:<10} {} waiting", outbox.database, outbox.unpublished);
    }
}

fn print_process(process: &Process) {
    let modules: Vec<_> = process.modules.iter().map(|module| module.name.as_str()).collect();
    let failing: Vec<_> = process.health.iter().filter(|h| !h.ok).map(|h| h.name.as_str()).collect();
    let health =
        if failing.is_empty() { "ready".to_owned() } else { format!("without {}", failing.join(", ")) };
    println!("\n{} {} ({}, {})", process.address, modules.join(", "), process.version, health);
    for service in &process.services {
        println!(
            "  calls  {:<22} {:>9} {:>8.1}/s   p50 {:>7} us   p99 {:>7} us   {} failed",
            service.service, service.calls, service.rate, service.p50_us, service.p99_us, service.failures
        );
    }
    for queue in process.queues.iter().filter(|queue| queue.waiting > 0) {
        println!("  queue  {:<22} {:>9} waiting", queue.name, queue.waiting);
    }
}

fn print_letter(letter: &DeadLetter) {
    let DeadLetter { id, consumer, kind, attempts, failed_at, error, .. } = letter;
    println!("{id}  {failed_at}  {kind} for {consumer}, tried {attempts} times: {error}");
}
