//! `bodega`: serve, migrate, seed, import, export, staff, reviews, config, doctor, topology, dead-letters, copy, openapi,
//! completions.
#![expect(clippy::print_stdout, reason = "the command line answers on standard output")]

mod doctor;
mod recommend;
mod serve;
mod topology;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use shared::{Error, Kind, Result, telemetry, values::Email};

use crate::{
    App, Settings,
    copy::{self, Copied},
    databases::{Contents, Databases},
    export, import, seed,
    seed::Progress,
    settings,
};

/// A complete online shop in one binary.
#[derive(Parser)]
#[command(name = "bodega", version, arg_required_else_help = false)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Settings that override the defaults (TOML).
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Start the shop (this is what `bodega` alone does).
    Serve(Serve),
    /// Bring the databases up to date.
    Migrate {
        /// Only say what is applied.
        #[arg(long)]
        status: bool,
    },
    /// Load the demo shop, or large made-up data.
    Seed(Seed),
    /// Take data in.
    Import {
        #[command(subcommand)]
        what: Import,
    },
    /// Give data out, as CSV on standard output.
    Export { what: Export },
    /// People who work here.
    Staff {
        #[command(subcommand)]
        what: Staff,
    },
    /// Train recommendations, or say how good they are.
    Recommend {
        #[command(subcommand)]
        what: recommend::Recommend,
    },
    /// Reviews.
    Reviews {
        #[command(subcommand)]
        what: Reviews,
    },
    /// Settings.
    Config {
        #[command(subcommand)]
        what: ConfigCommand,
    },
    /// Check that everything is in order.
    Doctor(Doctor),
    /// Every module: where it runs, how it is, how much it has to do. Exit code 1 if one runs nowhere.
    Topology {
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Write the gateways that Consul knows as nginx's upstreams.
    #[cfg(feature = "distributed")]
    Upstreams {
        /// Whose instances.
        #[arg(long, default_value = "bodega-gateway", value_name = "NAME")]
        service: String,
        /// The file to write, to be included by nginx inside `upstream { }`.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// What to run when it has changed: "nginx -s reload".
        #[arg(long, value_name = "CMD")]
        reload: Option<String>,
        /// Go on until told to stop.
        #[arg(long)]
        watch: bool,
    },
    /// Events that somebody could not take.
    DeadLetters {
        #[command(subcommand)]
        what: topology::DeadLetters,
    },
    /// Copy a whole shop to other databases, embedded or not, and compare them. Neither shop may run meanwhile.
    Copy {
        /// The settings of the shop that is there (TOML).
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// The settings of the shop to be (TOML).
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Print the OpenAPI document.
    Openapi,
    /// Print shell completions.
    Completions { shell: clap_complete::Shell },
}

#[derive(Args, Default)]
struct Serve {
    /// Modules to run in this process, separated by commas.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    host: Vec<String>,
    /// Address to listen on.
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

#[derive(Args)]
struct Seed {
    /// Make this many products instead of loading the demo shop.
    #[arg(long, value_name = "N")]
    products: Option<u64>,
    /// Make this many orders of the past.
    #[arg(long, value_name = "N", default_value_t = 0)]
    orders: u64,
    /// The same seed makes the same data.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Prepare an empty shop: no demo data, now or at the first start.
    #[arg(long, conflicts_with_all = ["products", "orders"])]
    empty: bool,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Args)]
struct Doctor {
    /// Fill an empty or made-up shop, use all of it, and find the queries that no index serves. It writes to that shop.
    #[arg(long)]
    queries: bool,
    /// Made-up products for that.
    #[arg(long, value_name = "N", default_value_t = 1_500, requires = "queries")]
    products: u64,
    /// Made-up orders for that.
    #[arg(long, value_name = "N", default_value_t = 1_500, requires = "queries")]
    orders: u64,
    /// A table with more rows may not be read from end to end.
    #[arg(long, value_name = "N", default_value_t = 1_000, requires = "queries")]
    rows: u64,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Subcommand)]
enum Import {
    /// Products from Shopify's CSV export, or from Bodega's own.
    Products {
        file: PathBuf,
        /// Only say what would happen.
        #[arg(long)]
        dry_run: bool,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Export {
    Products,
    Orders,
    Customers,
}

#[derive(Subcommand)]
enum Staff {
    /// Give somebody a role. The password is read from standard input when the address has no account.
    Add {
        email: String,
        /// owner, manager or support.
        #[arg(long)]
        role: String,
        #[arg(long)]
        name: Option<String>,
    },
}

#[derive(Subcommand)]
enum Reviews {
    /// Count the stars of every product anew and correct what differs.
    Rebuild {
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Print the settings in force, secrets hidden.
    Show,
    /// Check the settings.
    Check,
}

/// What a command prints.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

/// Runs what the arguments say. 0: done, 1: failed, 2: asked wrongly.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome = actix_rt::System::new().block_on(dispatch(cli));
    match outcome {
        Ok(code) => code,
        Err(error) => {
            let detail = if error.kind == Kind::Internal { error.chain() } else { error.detail.clone() };
            let _ = writeln!(std::io::stderr(), "bodega: {detail}");
            ExitCode::from(if matches!(error.kind, Kind::Invalid | Kind::Malformed) { 2 } else { 1 })
        }
    }
}

async fn dispatch(cli: Cli) -> Result<ExitCode> {
    let file = cli.config.as_deref();
    match cli.command.unwrap_or_else(|| Command::Serve(Serve::default())) {
        Command::Serve(options) => serve::run(load(file)?, options).await,
        Command::Migrate { status } => migrate(load_whole(file)?, status).await,
        Command::Seed(options) => seed(load_whole(file)?, options).await,
        Command::Import { what: Import::Products { file: csv, dry_run, format } } => {
            import_products(load_whole(file)?, &csv, dry_run, format).await
        }
        Command::Export { what } => export_csv(load_whole(file)?, what).await,
        Command::Staff { what: Staff::Add { email, role, name } } => {
            add_staff(load_whole(file)?, &email, role, name).await
        }
        Command::Recommend { what } => recommend::run(what, || load_whole(file)).await,
        Command::Reviews { what: Reviews::Rebuild { format } } => {
            rebuild_reviews(load_whole(file)?, format).await
        }
        Command::Config { what: ConfigCommand::Show } => {
            print!("{}", settings::show(file)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Config { what: ConfigCommand::Check } => {
            Settings::load(file)?;
            println!("the settings are valid");
            Ok(ExitCode::SUCCESS)
        }
        Command::Doctor(options) if options.queries => doctor::queries(load_whole(file)?, &options).await,
        Command::Doctor(options) => doctor::run(load_whole(file)?, options.format).await,
        Command::Topology { format } => topology::topology(load(file)?, format).await,
        #[cfg(feature = "distributed")]
        Command::Upstreams { service, out, reload, watch } => {
            let consul = crate::registry::client(&load(file)?)?;
            let stop = tokio_util::sync::CancellationToken::new();
            let stopped = stop.clone();
            tokio::spawn(async move {
                serve::stop_signal().await;
                stopped.cancel();
            });
            crate::consul::upstreams(&consul, &service, &out, reload.as_deref(), watch, stop).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::DeadLetters { what } => topology::dead_letters(load(file)?, what).await,
        Command::Copy { from, to, format } => copy_shop(&from, &to, format).await,
        Command::Openapi => {
            println!("{}", gateway::document().to_pretty_json().map_err(Error::internal)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "bodega", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The settings of a command that needs the whole shop, whatever this process would host.
fn load_whole(file: Option<&Path>) -> Result<Settings> {
    load(file)?.hosting(vec!["*".to_owned()])
}

fn load(file: Option<&Path>) -> Result<Settings> {
    let settings = Settings::load(file)?;
    telemetry::init(settings.log.format.into(), &settings.log.filter)?;
    Ok(settings)
}

async fn copy_shop(from: &Path, to: &Path, format: Format) -> Result<ExitCode> {
    let (from, to) = (Settings::load(Some(from))?, load(Some(to))?);
    let copied = copy::copy(&from, &to, &Progress::new(format == Format::Text)).await?;
    match format {
        Format::Json => println!("{}", serde_json::to_string(&copied)?),
        Format::Text => {
            for Copied { database, kind, count, hash } in &copied {
                println!("{database:<10} {kind:<28} {count:>9}  {}", &hash[..16]);
            }
            println!("everything is there, and equal");
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn migrate(settings: Settings, status: bool) -> Result<ExitCode> {
    let databases = Databases::open(&settings, shared::time::system_clock()).await?;
    if !status {
        let applied = databases.migrate().await?;
        applied.iter().for_each(|name| println!("applied {name}"));
        println!("{} applied, up to date", applied.len());
        return Ok(ExitCode::SUCCESS);
    }
    let mut missing = 0;
    for Contents { name: place, database, tables, documents } in databases.contents() {
        for (name, applied) in database.migration_status(&tables, &documents).await? {
            missing += usize::from(!applied);
            println!("{} {place}/{name}", if applied { "applied" } else { "missing" });
        }
    }
    Ok(ExitCode::from(u8::from(missing > 0)))
}

/// A shop for one command: it reads and writes, and nothing runs in it. What has changed is heard by the process that
/// serves, now or when it next starts: it hands on the events and brings the search index up to date.
async fn quiet(mut settings: Settings) -> Result<App> {
    settings.broker.url = "memory".to_owned();
    settings.product.search_dir = None;
    App::build(settings).await
}

/// A shop with its workers, for a command that fills it. While another process has the search index, which is normal
/// beside a running shop, it does without, as [`quiet`] does.
struct Tool {
    app: App,
    alone: bool,
}

impl Tool {
    async fn open(settings: Settings) -> Result<Self> {
        match App::build(settings.clone()).await {
            Err(error) if error.code == "search_in_use" => {}
            app => {
                let app = app?;
                app.start().await?;
                return Ok(Self { app, alone: true });
            }
        }
        Ok(Self { app: quiet(settings).await?, alone: false })
    }

    async fn close(self) -> Result<()> {
        if self.alone {
            self.app.search_idle().await?;
        }
        self.app.stop().await;
        Ok(())
    }
}

/// Marks a data folder whose owner wants no demo shop.
pub(crate) const NO_DEMO: &str = "no-demo";

async fn seed(settings: Settings, options: Seed) -> Result<ExitCode> {
    if !settings.is_development() && !options.empty {
        return Err(Error::invalid(
            "environment",
            "setting",
            "made-up data and logins do not belong into production",
        ));
    }
    let tool = Tool::open(settings).await?;
    let app = &tool.app;
    if options.empty {
        std::fs::write(app.settings.data_dir.join(NO_DEMO), "").map_err(Error::internal)?;
        println!("an empty shop is ready; add an owner with: bodega staff add EMAIL --role owner");
        return tool.close().await.map(|()| ExitCode::SUCCESS);
    }
    let progress = Progress::new(options.format == Format::Text);
    let clock = shared::time::system_clock();
    let report = match options.products {
        Some(products) => {
            seed::synthetic(&app.ports, &*clock, products, options.orders, options.seed, &progress).await?
        }
        None if options.orders > 0 => {
            return Err(Error::invalid("--orders", "required", "--orders needs --products"));
        }
        None => crate::demo::load(&app.ports, &*clock, &progress).await?,
    };
    tool.close().await?;
    print_report(options.format, &report)
}

async fn import_products(settings: Settings, csv: &Path, dry_run: bool, format: Format) -> Result<ExitCode> {
    let currency = settings.shop.currencies[0];
    let app = quiet(settings).await?;
    let progress = Progress::new(format == Format::Text);
    let report = import::products_csv(&app.ports, csv, currency, dry_run, &progress).await?;
    let failed = report.failed > 0;
    print_report(format, &report)?;
    Ok(ExitCode::from(u8::from(failed)))
}

async fn export_csv(settings: Settings, what: Export) -> Result<ExitCode> {
    let app = quiet(settings).await?;
    let out = std::io::stdout().lock();
    match what {
        Export::Products => export::products_csv(&app.ports, out).await?,
        Export::Orders => export::orders_csv(&app.ports, out).await?,
        Export::Customers => export::customers_csv(&app.ports, out).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn add_staff(settings: Settings, email: &str, role: String, name: Option<String>) -> Result<ExitCode> {
    let email: Email = email.parse()?;
    let app = quiet(settings).await?;
    let known = app.ports.customers.list(Some(email.to_string()), Default::default()).await?;
    let password = if known.data.iter().any(|c| c.email == email) { None } else { Some(read_password()?) };
    let new = contracts::customer::NewStaff { email, name, role, password };
    let member = app.ports.customers.add_staff(new).await?;
    println!("{} has the roles {}", member.email, member.roles.join(", "));
    Ok(ExitCode::SUCCESS)
}

async fn rebuild_reviews(settings: Settings, format: Format) -> Result<ExitCode> {
    let tool = Tool::open(settings).await?;
    let rebuilt = tool.app.ports.reviews.rebuild().await?;
    tool.close().await?;
    print_report(format, &rebuilt)
}

fn read_password() -> Result<String> {
    eprint_prompt("password: ");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(Error::internal)?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        return Err(Error::invalid(
            "/password",
            "required",
            "a new account needs a password on standard input",
        ));
    }
    Ok(password)
}

fn eprint_prompt(text: &str) {
    let mut stderr = std::io::stderr();
    let _ = stderr.write_all(text.as_bytes());
    let _ = stderr.flush();
}

fn print_report(format: Format, report: &(impl serde::Serialize + std::fmt::Display)) -> Result<ExitCode> {
    match format {
        Format::Text => println!("{report}"),
        Format::Json => println!("{}", serde_json::to_string(report)?),
    }
    Ok(ExitCode::SUCCESS)
}
