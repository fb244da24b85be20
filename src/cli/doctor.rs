//! `bodega doctor`: one line per check, exit code 1 when one fails. With `--queries`, one line per query that no index
//! serves.

use std::process::ExitCode;

use serde::Serialize;
use shared::{Database, Result, events};

use super::{Doctor, Format};
use crate::{
    Settings,
    databases::{Contents, Databases},
    queries::{self, Size},
    seed::Progress,
};

#[derive(Serialize)]
struct Finding {
    check: String,
    ok: bool,
    detail: String,
}

fn finding(check: impl Into<String>, outcome: Result<String>) -> Finding {
    let check = check.into();
    match outcome {
        Ok(detail) => Finding { check, ok: true, detail },
        Err(error) => Finding { check, ok: false, detail: error.chain() },
    }
}

/// Checks folder, databases, migrations, outboxes and dead letters.
pub async fn run(settings: Settings, format: Format) -> Result<ExitCode> {
    let mut findings =
        vec![finding("settings", Ok("valid".to_owned())), finding("data folder", writable(&settings))];
    match Databases::open(&settings, shared::time::system_clock()).await {
        Ok(databases) => {
            for Contents { name, database, tables, documents } in databases.contents() {
                let pending = database.migration_status(&tables, &documents).await;
                let migrated = pending.as_ref().is_ok_and(|all| all.iter().all(|(_, applied)| *applied));
                findings
                    .push(finding(format!("{name}: migrations"), pending.and_then(|all| up_to_date(&all))));
                if migrated {
                    findings.push(finding(format!("{name}: outbox"), outbox(&database).await));
                    findings.push(finding(format!("{name}: dead letters"), dead_letters(&database).await));
                }
            }
        }
        Err(error) => findings.push(finding("databases", Err(error))),
    }
    let healthy = findings.iter().all(|f| f.ok);
    match format {
        Format::Json => println!("{}", serde_json::to_string(&findings)?),
        Format::Text => findings.iter().for_each(|f| {
            println!("{} {:<28} {}", if f.ok { "ok  " } else { "FAIL" }, f.check, f.detail);
        }),
    }
    Ok(ExitCode::from(u8::from(!healthy)))
}

/// Uses the whole shop and asks its databases how they found what they were asked for.
pub async fn queries(settings: Settings, options: &Doctor) -> Result<ExitCode> {
    let size = Size { products: options.products, orders: options.orders, rows: options.rows };
    let progress = Progress::new(options.format == Format::Text);
    let report = queries::check(settings, size, &progress).await?;
    match options.format {
        Format::Json => println!("{}", serde_json::to_string(&report)?),
        Format::Text => println!("{report}"),
    }
    Ok(ExitCode::from(u8::from(!report.findings.is_empty())))
}

fn writable(settings: &Settings) -> Result<String> {
    let probe = settings.data_dir.join(".doctor");
    let written = std::fs::create_dir_all(&settings.data_dir).and_then(|()| std::fs::write(&probe, "x"));
    written.and_then(|()| std::fs::remove_file(&probe)).map_err(shared::Error::internal)?;
    Ok(settings.data_dir.display().to_string())
}

fn up_to_date(all: &[(String, bool)]) -> Result<String> {
    let missing: Vec<_> = all.iter().filter(|(_, applied)| !applied).map(|(name, _)| name.as_str()).collect();
    if missing.is_empty() {
        return Ok(format!("{} applied", all.len()));
    }
    Err(shared::Error::conflict("migrations", format!("missing {}; run bodega migrate", missing.join(", "))))
}

async fn outbox(db: &Database) -> Result<String> {
    let lag = events::lag(db).await?;
    Ok(format!("{} events wait", lag.unpublished))
}

async fn dead_letters(db: &Database) -> Result<String> {
    match events::dead_letters::count(db).await? {
        0 => Ok("none".to_owned()),
        count => Err(shared::Error::conflict(
            "dead_letters",
            format!("{count}: see /api/v1/admin/system/dead_letters"),
        )),
    }
}
