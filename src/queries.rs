//! Whether an index serves every query: a shop is walked through from end to end, and its databases say how they ran
//! what they were asked.

mod pages;
mod report;
mod shopper;
mod staff;
mod tour;
mod visitor;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use contracts::product::ProductFilter;
use shared::{Clock, Error, PageRequest, Result, events, queries::Recorder};

pub use report::{Finding, Report, Table};

use crate::{
    App, Settings,
    databases::{Contents, Databases},
    demo,
    seed::{self, Progress},
};

/// How long what happens by itself may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How large the shop is made, and what is large.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Made-up products, besides the demo's.
    pub products: u64,
    /// Made-up orders, besides the demo's.
    pub orders: u64,
    /// A table with more rows may not be read from end to end.
    pub rows: u64,
}

/// Fills the shop of these settings, uses all of it, and finds the statements that no index serves.
///
/// It writes to that shop, so `Invalid` unless it is in development, and empty or made up.
pub async fn check(settings: Settings, size: Size, progress: &Progress) -> Result<Report> {
    if !settings.is_development() {
        return Err(refused("it writes made-up data and logins, which do not belong into production"));
    }
    let settings = restless(settings);
    let clock = shared::time::system_clock();
    let recorders =
        ["products", "customers", "orders", "metadata"].map(|name| (name, Recorder::new())).into();
    let databases = Databases::open_recorded(&settings, clock.clone(), &recorders).await?;
    let app = App::build_on(databases, settings, clock.clone()).await?;
    refuse_a_real_shop(&app).await?;
    app.start().await?;
    let outcome = fill_and_walk(&app, &clock, size, progress).await;
    app.stop().await;
    let refused = outcome?;
    report(&app, &recorders, size.rows, refused, progress).await
}

fn refused(why: &str) -> Error {
    Error::invalid("--queries", "shop", format!("doctor --queries writes to the shop: {why}"))
}

/// Workers that wait for nothing, and no limits for the one visitor.
fn restless(mut settings: Settings) -> Settings {
    const MANY: u32 = 1_000_000;
    settings.gateway.limits = shared::limits::Quotas {
        login_per_address: MANY,
        login_per_account: MANY,
        reset_per_address: MANY,
        register_per_address: MANY,
        checkout_per_address: MANY,
        review_per_address: MANY,
    };
    settings.product.sweep_seconds = 1;
    settings.product.refresh_seconds = 1;
    settings.cart.sweep_seconds = 1;
    settings.payment.reconcile_seconds = 1;
    settings.payment.settle_after_seconds = 0;
    settings
}

/// Only a shop without products, or one that `bodega seed` made, may be written to.
async fn refuse_a_real_shop(app: &App) -> Result<()> {
    let one = PageRequest { limit: 1, cursor: None };
    let products = app.ports.products.list(ProductFilter::default(), one.clone()).await?;
    let orders = app.ports.orders.list(Default::default(), one.clone()).await?;
    if products.data.is_empty() && orders.data.is_empty() {
        return Ok(());
    }
    let owner = app.ports.customers.list(Some(demo::OWNER.0.to_owned()), one).await?;
    let is_made_up = |sku: &str| sku.strip_prefix('S').is_some_and(|rest| rest.starts_with(char::is_numeric));
    let mut skus =
        products.data.iter().flat_map(|product| &product.variants).map(|variant| variant.sku.as_str());
    if !owner.data.is_empty() || skus.any(is_made_up) {
        return Ok(());
    }
    Err(refused("this one was not made by bodega seed; name empty databases in the settings"))
}

/// Returns what the tour was refused.
async fn fill_and_walk(
    app: &App,
    clock: &Arc<dyn Clock>,
    size: Size,
    progress: &Progress,
) -> Result<Vec<String>> {
    demo::load(&app.ports, &**clock, progress).await?;
    seed::synthetic(&app.ports, &**clock, size.products, size.orders, 1, progress).await?;
    quiet(app).await?;
    let refused = tour::walk(app).await?;
    quiet(app).await?;
    Ok(refused)
}

/// Waits until every event is heard and the search index knows everything.
async fn quiet(app: &App) -> Result<()> {
    let until = tokio::time::Instant::now() + PATIENCE;
    for outbox in app.databases.outboxes() {
        while events::lag(&outbox.db).await?.unpublished > 0 && tokio::time::Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    app.search_idle().await
}

async fn report(
    app: &App,
    recorders: &BTreeMap<&'static str, Recorder>,
    large: u64,
    refused: Vec<String>,
    progress: &Progress,
) -> Result<Report> {
    let mut report = Report { refused, ..Report::default() };
    for contents in app.databases.contents() {
        let Some(recorder) = recorders.get(contents.name) else { continue };
        let statements = recorder.statements();
        let tables = tables(&contents);
        let names: Vec<String> = tables.iter().map(|(table, _)| table.clone()).collect();
        let mut rows = BTreeMap::new();
        for (table, module) in &tables {
            let touched =
                |statement: &&shared::queries::Statement| !statement.tables([table.as_str()]).is_empty();
            let count = contents.database.rows(table).await?;
            rows.insert(table.clone(), count);
            report.tables.push(Table {
                database: contents.name,
                module,
                table: table.clone(),
                rows: count,
                statements: statements.iter().filter(touched).count(),
            });
        }
        report.statements += statements.len();
        progress.begin(contents.name, statements.len() as u64);
        for statement in &statements {
            progress.advance(1);
            let scans = contents.database.scans(statement, &names).await;
            report.add(contents.name, statement, scans, &rows, large);
        }
    }
    progress.finish();
    Ok(report)
}

/// The tables or collections of a database, each with its module.
fn tables(contents: &Contents) -> Vec<(String, &'static str)> {
    if contents.database.kind() == "mongodb" {
        let specs = contents.documents.iter().flat_map(|schema| {
            (schema.collections)().into_iter().map(|spec| (spec.name.to_owned(), schema.module))
        });
        return specs.collect();
    }
    let steps = contents.tables.iter().flat_map(|m| m.list.iter().map(|step| (step.up, m.module)));
    let created = steps.flat_map(|(up, module)| up.lines().map(move |line| (line, module))).filter_map(
        |(line, module)| {
            let name = line.trim_start().strip_prefix("create table ")?;
            Some((name.split([' ', '(']).next()?.to_owned(), module))
        },
    );
    created.collect()
}
