//! The machinery: modules, health, outboxes, dead letters, jobs.

use actix_web::web;
use askama::Template;
use contracts::{
    customer::Permission,
    system::{DeadLetter, Process, SystemReport},
};
use shared::Kind;

use crate::{
    Answer, Page,
    app::{at, get, post},
    forms::{Empty, Post},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/system", [get(show)]);
    at(config, "/admin/system/dead-letters/{id}/replay", [post(replay)]);
    at(config, "/admin/system/dead-letters/{id}/discard", [post(discard)]);
}

#[derive(Template)]
#[template(path = "admin/system.html")]
struct SystemPage<'a> {
    p: &'a Page,
    report: SystemReport,
    dead: Vec<DeadLetter>,
}

#[derive(Template)]
#[template(path = "admin/system-part.html")]
struct SystemPart<'a> {
    p: &'a Page,
    report: SystemReport,
    dead: Vec<DeadLetter>,
}

/// What the tables say of a process; both templates include them.
macro_rules! words {
    ($($Template:ident),+) => {$(
        impl $Template<'_> {
            fn modules(&self, process: &Process) -> String {
                let names: Vec<_> = process.modules.iter().map(|module| module.name.as_str()).collect();
                names.join(", ")
            }

            fn is_healthy(&self, process: &Process) -> bool {
                process.health.iter().all(|health| health.ok)
            }

            fn rounded(&self, rate: &f64) -> u64 {
                rate.round() as u64
            }

            fn milliseconds(&self, microseconds: &u64) -> String {
                format!("{:.1}", *microseconds as f64 / 1000.0)
            }

            fn waiting(&self, process: &Process) -> u64 {
                process.queues.iter().map(|queue| u64::from(queue.waiting)).sum()
            }
        }
    )+};
}
words!(SystemPage, SystemPart);

async fn show(p: Page) -> Answer {
    p.staff(Permission::SystemRead)?;
    let (report, dead) = futures::try_join!(p.state.system.report(), p.state.system.dead_letters())?;
    match p.fragment {
        true => p.html(&SystemPart { p: &p, report, dead }),
        false => p.html(&SystemPage { p: &p, report, dead }),
    }
}

async fn replay(p: Page, id: web::Path<String>, _: Post<Empty>) -> Answer {
    p.staff(Permission::SystemWrite)?;
    let replayed = p.state.system.replay(&id).await;
    back(&p, replayed, "letter-replayed")
}

async fn discard(p: Page, id: web::Path<String>, _: Post<Empty>) -> Answer {
    p.staff(Permission::SystemWrite)?;
    let discarded = p.state.system.discard(&id).await;
    back(&p, discarded, "letter-discarded")
}

fn back(p: &Page, result: shared::Result<()>, said: &str) -> Answer {
    let mut response = p.see_other("/admin/system");
    match result {
        Ok(()) => p.notify(&mut response, "ok", p.t(said)),
        // Somebody else was quicker.
        Err(error) if error.kind == Kind::NotFound => p.notify(&mut response, "info", p.t("letter-gone")),
        Err(error) if error.kind == Kind::Internal => return Err(error.into()),
        Err(error) => p.notify(&mut response, "bad", p.error(&error.code, &error.detail)),
    }
    Ok(response)
}
