//! Settings: `config/default.toml` < what Consul keeps < a file < the environment. The only code that reads the environment.

use std::path::{Path, PathBuf};

use config::{Config, Environment, File, FileFormat};
use serde::Deserialize;
use shared::{Currency, Error, Result, redis::Redis, telemetry::Format, values::Country};

/// The defaults, which are also their documentation.
pub const DEFAULTS: &str = include_str!("../config/default.toml");

/// A module, and the database it lives in.
pub struct Module {
    pub name: &'static str,
    pub database: Option<&'static str>,
}

/// Every module of the shop.
pub const MODULES: [Module; 12] = {
    const fn module(name: &'static str, database: Option<&'static str>) -> Module {
        Module { name, database }
    }
    [
        module("product", Some("products")),
        module("customer", Some("customers")),
        module("cart", Some("metadata")),
        module("payment", Some("orders")),
        module("shipping", Some("orders")),
        module("order", Some("orders")),
        module("notification", Some("metadata")),
        module("review", Some("metadata")),
        module("recommendation", Some("metadata")),
        module("metadata", Some("metadata")),
        module("gateway", None),
        module("web", None),
    ]
};

/// Everything that can be set. See `config/default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub environment: Mode,
    pub data_dir: PathBuf,
    pub public_url: String,
    pub secret_key: Secret,
    pub demo: bool,
    pub server: Server,
    pub log: Log,
    pub shop: Shop,
    pub modules: Modules,
    pub database: Database,
    pub events: Events,
    pub gateway: gateway::Settings,
    pub product: product::Settings,
    pub customer: customer::Settings,
    pub cart: cart::Settings,
    pub payment: payment::Settings,
    pub shipping: shipping::Settings,
    pub order: order::Settings,
    pub notification: notification::Settings,
    pub recommendation: recommendation::Settings,
    pub metadata: metadata::Settings,
    pub review: review::Settings,
    pub web: web::Settings,
    pub cache: SharedCache,
    pub broker: Broker,
    pub consul: Consul,
    pub testing: Testing,
    /// A name of this process that no other has: it is made up whenever settings are read.
    #[serde(skip, default = "instance")]
    pub instance: String,
}

fn instance() -> String {
    shared::telemetry::trace_id()[..12].to_owned()
}

/// Whether this is for real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Development,
    Production,
}

/// A text that is never printed.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "(none)" } else { "(secret)" })
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub listen: String,
    pub workers: usize,
    pub shutdown_seconds: u64,
    pub max_connections: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub format: LogFormat,
    pub filter: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Pretty,
    Json,
}

impl From<LogFormat> for Format {
    fn from(format: LogFormat) -> Self {
        match format {
            LogFormat::Pretty => Self::Pretty,
            LogFormat::Json => Self::Json,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    pub name: String,
    pub currencies: Vec<Currency>,
    pub default_country: Country,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Modules {
    pub host: Vec<String>,
    pub transport: Transport,
}

/// How modules of one process reach each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    InProcess,
    Loopback,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub products: String,
    pub customers: String,
    pub orders: String,
    pub metadata: String,
    pub readers: usize,
    pub connections: usize,
    pub acquire_timeout_ms: u64,
    pub statement_timeout_ms: u64,
    pub transaction_timeout_ms: u64,
    pub tls_ca: PathBuf,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedCache {
    pub url: String,
    pub namespace: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broker {
    pub url: String,
    pub namespace: String,
    pub call_timeout_ms: u64,
    pub max_calls: usize,
    pub workers: u16,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consul {
    pub url: String,
    pub token: Secret,
    pub address: String,
    pub settings_key: String,
    pub check_seconds: u64,
    pub forget_seconds: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    pub delivery_limit: u32,
    pub keep_days: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Testing {
    pub crash_at: String,
}

impl Settings {
    /// Reads defaults, `file` and the environment. The error names the key.
    pub fn load(file: Option<&Path>) -> Result<Self> {
        Self::from_config(&layers(file)?)
    }

    /// The defaults with `overrides` (`"server.listen"` to a value): for tests and tools.
    pub fn with(overrides: &[(&str, &str)]) -> Result<Self> {
        let mut builder = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        for (key, value) in overrides {
            builder = builder.set_override(*key, *value).map_err(wrong)?;
        }
        Self::from_config(&builder.build().map_err(wrong)?)
    }

    fn from_config(config: &Config) -> Result<Self> {
        let settings: Self = config.clone().try_deserialize().map_err(wrong)?;
        settings.check()?;
        Ok(settings.resolved())
    }

    /// Whether only developers see it.
    pub fn is_development(&self) -> bool {
        self.environment == Mode::Development
    }

    fn check(&self) -> Result<()> {
        let wrong = |key: &str, detail: &str| Err(Error::invalid(key, "setting", format!("{key}: {detail}")));
        if self.shop.currencies.is_empty() {
            return wrong("shop.currencies", "at least one currency is needed");
        }
        let listen = self.server.listen.rsplit_once(':');
        if !listen.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok()) {
            return wrong("server.listen", "host:port is needed");
        }
        self.check_split()?;
        if self.environment == Mode::Production && !self.testing.crash_at.is_empty() {
            return wrong("testing.crash_at", "not in production");
        }
        if !self.secret_key.0.is_empty() && self.secret_key.0.len() < 32 {
            return wrong("secret_key", "at least 32 characters are needed");
        }
        self.redis()?;
        let databases = self.databases();
        for (key, url) in &databases {
            let scheme = url.split("://").next().unwrap_or_default();
            let (server, schemes) = match *key {
                "products" | "metadata" => ("mongodb://…", ["mongodb", "mongodb+srv"]),
                _ => ("postgres://…", ["postgres", "postgresql"]),
            };
            if scheme != "sqlite" && !schemes.contains(&scheme) {
                return wrong(&format!("database.{key}"), &format!("sqlite://… or {server} is needed"));
            }
            if databases.iter().any(|(other, theirs)| other != key && theirs == url) {
                return wrong(&format!("database.{key}"), "each database needs a URL of its own");
            }
        }
        Ok(())
    }

    /// What a process that is not alone needs.
    fn check_split(&self) -> Result<()> {
        let wrong = |key: &str, detail: &str| Err(Error::invalid(key, "setting", format!("{key}: {detail}")));
        let known = |name: &String| name == "*" || MODULES.iter().any(|module| module.name == name);
        if let Some(unknown) = self.modules.host.iter().find(|name| !known(name)) {
            let names = MODULES.map(|module| module.name).join(", ");
            return wrong("modules.host", &format!("there is no module {unknown:?}; there are {names}"));
        }
        let everything = self.hosts_everything();
        if !cfg!(feature = "distributed") {
            let without = "this binary was built without the feature \"distributed\"";
            if !everything {
                return wrong("modules.host", &format!("{without}: it must host everything, [\"*\"]"));
            }
            if self.is_shared() {
                return wrong("broker.url", &format!("{without}: it can only be \"memory\""));
            }
            if !self.consul.url.is_empty() {
                return wrong("consul.url", &format!("{without}: it can only be empty"));
            }
            return Ok(());
        }
        if self.modules.host.is_empty() {
            return wrong("modules.host", "at least one module is needed");
        }
        if everything {
            return Ok(());
        }
        if !self.is_shared() {
            return wrong("broker.url", "a process that does not host everything needs a broker (amqp://…)");
        }
        if self.hosts("web") && !self.hosts("gateway") {
            return wrong("modules.host", "web needs gateway beside it");
        }
        if self.secret_key.0.is_empty() {
            return wrong("secret_key", "all processes of a shop need the same one");
        }
        for (database, url) in self.databases() {
            let in_it = || MODULES.iter().filter(|module| module.database == Some(database));
            let some = in_it().any(|module| self.hosts(module.name));
            if some && url.starts_with("sqlite:") && !in_it().all(|module| self.hosts(module.name)) {
                let all = in_it().map(|module| module.name).collect::<Vec<_>>().join(", ");
                return wrong(
                    &format!("database.{database}"),
                    &format!("only a server can be shared by several processes; or host all of {all} here"),
                );
            }
        }
        Ok(())
    }

    /// The same with these modules in this process.
    pub fn hosting(mut self, modules: Vec<String>) -> Result<Self> {
        self.modules.host = modules;
        self.check()?;
        Ok(self)
    }

    /// Whether a module runs in this process.
    pub fn hosts(&self, module: &str) -> bool {
        self.modules.host.iter().any(|name| name == "*" || name == module)
    }

    /// Whether every module runs in this process.
    pub fn hosts_everything(&self) -> bool {
        MODULES.iter().all(|module| self.hosts(module.name))
    }

    /// Where others reach this process.
    pub fn address(&self) -> &str {
        if self.consul.address.is_empty() { &self.server.listen } else { &self.consul.address }
    }

    /// Whether there may be other processes.
    pub fn is_shared(&self) -> bool {
        self.broker.url != "memory"
    }

    /// What instances share, where the cache is not this process's memory alone.
    pub fn redis(&self) -> Result<Option<Redis>> {
        match self.cache.url.as_str() {
            "memory" => Ok(None),
            url => {
                let version = env!("CARGO_PKG_VERSION");
                Redis::new(url, &format!("{}:{version}", self.cache.namespace)).map(Some)
            }
        }
    }

    /// The URL of each database by its name.
    pub fn databases(&self) -> [(&'static str, String); 4] {
        let url = |name: &str, url: &str| match url {
            "" => format!("sqlite://{}", self.data_dir.join(format!("{name}.db")).display()),
            url => url.to_owned(),
        };
        [
            ("products", url("products", &self.database.products)),
            ("customers", url("customers", &self.database.customers)),
            ("orders", url("orders", &self.database.orders)),
            ("metadata", url("metadata", &self.database.metadata)),
        ]
    }

    /// Hands the shop-wide settings to the modules that need them.
    fn resolved(mut self) -> Self {
        let development = self.is_development();
        self.gateway.currencies.clone_from(&self.shop.currencies);
        self.gateway.development = development;
        self.gateway.metrics_token = self.gateway.metrics_token.filter(|t| !t.is_empty());
        self.product.currencies.clone_from(&self.shop.currencies);
        self.product.media_dir = self.data_dir.join("media");
        self.product.search_dir = Some(self.data_dir.join("search"));
        self.cart.currencies.clone_from(&self.shop.currencies);
        self.cart.default_country = self.shop.default_country;
        self.payment.public_url.clone_from(&self.public_url);
        self.payment.test.enabled &= development;
        self.notification.public_url.clone_from(&self.public_url);
        self.notification.shop_name.clone_from(&self.shop.name);
        self.metadata.name.clone_from(&self.shop.name);
        self.web.shop = web::Shop {
            name: self.shop.name.clone(),
            currencies: self.shop.currencies.clone(),
            default_country: self.shop.default_country,
        };
        self.web.trusted_proxies.clone_from(&self.gateway.trusted_proxies);
        self.web.development = development;
        self.web.public_url.clone_from(&self.public_url);
        self.notification.folder = self.data_dir.join("mail");
        self
    }
}

/// All settings as they are in force, secrets hidden, as TOML.
pub fn show(file: Option<&Path>) -> Result<String> {
    let config = layers(file)?;
    Settings::from_config(&config)?;
    let mut table: toml::Table = config.try_deserialize().map_err(wrong)?;
    hide(&mut table);
    toml::to_string_pretty(&table).map_err(Error::internal)
}

fn hide(table: &mut toml::Table) {
    for (key, value) in table.iter_mut() {
        match value {
            toml::Value::Table(inner) => hide(inner),
            toml::Value::String(text) if !text.is_empty() => {
                let secret = ["secret", "password", "token", "_key"].iter().any(|word| key.contains(word));
                let credentials = text.split_once("://").is_some_and(|(_, rest)| rest.contains('@'));
                if secret || credentials {
                    *text = "(hidden)".to_owned();
                }
            }
            _ => {}
        }
    }
}

fn layers(file: Option<&Path>) -> Result<Config> {
    let own = layers_over(None, file)?;
    match shared_settings(&own)? {
        Some(shared) => layers_over(Some(&shared), file),
        None => Ok(own),
    }
}

/// What Consul keeps for the whole shop, where the settings say so.
#[cfg(feature = "distributed")]
fn shared_settings(own: &Config) -> Result<Option<String>> {
    let text = |key: &str| own.get_string(key).map_err(wrong);
    let (url, key, token) = (text("consul.url")?, text("consul.settings_key")?, text("consul.token")?);
    if url.is_empty() || key.is_empty() {
        return Ok(None);
    }
    let consul = crate::consul::Consul::new(&url, Some(token.as_str()).filter(|token| !token.is_empty()))?;
    // Settings come before everything else, the runtime's work included: a thread of its own waits for the answer.
    let asking = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let found = runtime.map_err(Error::internal)?.block_on(consul.get(&key))?;
        let missing = || {
            let detail = format!("consul.settings_key: Consul keeps nothing under {key}");
            Error::invalid("consul.settings_key", "setting", detail)
        };
        String::from_utf8(found.ok_or_else(missing)?).map_err(Error::internal)
    });
    asking.join().map_err(|_| Error::internal("a thread panicked"))?.map(Some)
}

#[cfg(not(feature = "distributed"))]
fn shared_settings(_: &Config) -> Result<Option<String>> {
    Ok(None)
}

fn layers_over(shared: Option<&str>, file: Option<&Path>) -> Result<Config> {
    let mut builder = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
    if let Some(shared) = shared {
        builder = builder.add_source(File::from_str(shared, FileFormat::Toml));
    }
    if let Some(file) = file {
        builder = builder.add_source(File::from(file).format(FileFormat::Toml));
    }
    let lists = ["shop.currencies", "modules.host", "gateway.trusted_proxies"];
    let mut source = Environment::with_prefix("BODEGA")
        .prefix_separator("__")
        .separator("__")
        .try_parsing(true)
        .list_separator(",");
    for key in lists {
        source = source.with_list_parse_key(key);
    }
    builder = builder.add_source(source);
    builder.build().map_err(wrong)
}

fn wrong(error: config::ConfigError) -> Error {
    Error::invalid("", "setting", error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        let settings = Settings::with(&[]).unwrap();
        assert_eq!(settings.shop.currencies[0], Currency::EUR);
        assert!(settings.databases()[2].1.ends_with("orders.db"));
    }

    #[test]
    fn unknown_and_impossible_settings_are_named() {
        let unknown = Settings::with(&[("server.lisen", "x")]).unwrap_err();
        assert!(unknown.detail.contains("lisen"), "{}", unknown.detail);
        let host = Settings::with(&[("database.orders", "mysql://x")]).unwrap_err();
        assert!(host.detail.contains("database.orders"), "{}", host.detail);
        for nowhere in ["zz", ":80", "host:", "host:port"] {
            let listen = Settings::with(&[("server.listen", nowhere)]).unwrap_err();
            assert!(listen.detail.contains("server.listen"), "{}", listen.detail);
        }
        assert!(
            Settings::with(&[("environment", "production"), ("testing.crash_at", "saga.created:1")]).is_err()
        );
    }

    #[test]
    fn secrets_are_hidden() {
        let mut table: toml::Table =
            "secret_key = \"x\"\n[database]\norders = \"postgres://u:p@h/d\"\nproducts = \"\""
                .parse()
                .unwrap();
        hide(&mut table);
        let text = table.to_string();
        assert!(!text.contains("u:p") && !text.contains("\"x\""), "{text}");
    }
}
