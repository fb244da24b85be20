//! The cluster that `tests/cluster` starts, and the parts of it that an experiment stops.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
    time::{Duration, Instant},
};

use serde_json::Value;

/// What makes things happen soon enough for a test.
const IMPATIENT: [(&str, &str); 11] = [
    ("LOG__FILTER", "info,bodega::calls=debug,bodega::access=debug"),
    ("LOG__FORMAT", "json"),
    ("ORDER__RESERVATION_SECONDS", "10"),
    ("ORDER__CALL_TIMEOUT_SECONDS", "4"),
    ("ORDER__LEASE_SECONDS", "5"),
    ("PAYMENT__TEST__CONFIRM_AFTER_SECONDS", "0"),
    ("PAYMENT__SETTLE_AFTER_SECONDS", "1"),
    ("PAYMENT__RECONCILE_SECONDS", "1"),
    ("PRODUCT__SWEEP_SECONDS", "1"),
    ("GATEWAY__LIMITS__CHECKOUT_PER_ADDRESS", "1000000"),
    ("GATEWAY__LIMITS__LOGIN_PER_ACCOUNT", "1000"),
];

/// The modules that run as services, two of each.
pub const SERVICES: [&str; 10] = [
    "product",
    "customer",
    "cart",
    "payment",
    "shipping",
    "order",
    "review",
    "recommendation",
    "metadata",
    "notification",
];

/// A running cluster in a folder; it ends with this.
pub struct Cluster {
    folder: tempfile::TempDir,
    /// What it says of itself, such as `CLUSTER_URL`.
    named: BTreeMap<String, String>,
}

impl Cluster {
    /// An empty shop with an owner.
    pub async fn start() -> Self {
        let mut cluster = Self { folder: tempfile::tempdir().unwrap(), named: BTreeMap::new() };
        cluster.ask("cluster", cluster.path(), &["up"]).await;
        for file in ["env", "servers/env"] {
            for line in std::fs::read_to_string(cluster.path().join(file)).unwrap().lines() {
                cluster.named.extend(named(line));
            }
        }
        cluster
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn named(&self, name: &str) -> &str {
        self.named.get(name).unwrap_or_else(|| panic!("no {name}: {:?}", self.named))
    }

    /// Ends an instance by a signal and waits for its end.
    pub async fn stop(&self, service: &str, number: usize, signal: &str) {
        self.ask("cluster", self.path(), &["stop", service, &number.to_string(), signal]).await;
    }

    /// Starts an instance again and waits until it is ready.
    pub async fn again(&self, service: &str, number: usize) {
        self.ask("cluster", self.path(), &["start", service, &number.to_string()]).await;
    }

    /// Ends one of the servers by a signal.
    pub async fn stop_server(&self, server: &str, signal: &str) {
        self.ask("servers", &self.path().join("servers"), &["stop", server, signal]).await;
    }

    /// Starts it again and waits until it takes connections.
    pub async fn server_again(&self, server: &str) {
        self.ask("servers", &self.path().join("servers"), &["start", server]).await;
    }

    /// `rabbitmqctl`.
    pub async fn rabbitmq(&self, words: &[&str]) {
        let mut command = Command::new(self.named("BODEGA_TEST_RABBITMQCTL"));
        command.args(words).stdout(Stdio::null());
        run(command, words).await;
    }

    /// Everything that an experiment has left stopped runs again.
    pub async fn complete(&self) {
        for (folder, tool) in [("servers", "servers"), ("", "cluster")] {
            let folder = self.path().join(folder);
            for (name, pid) in pids(&folder) {
                if !alive(pid) {
                    let (service, number) = name.rsplit_once('-').unwrap_or((&name, ""));
                    let words =
                        [&["start", service][..], if number.is_empty() { &[] } else { &[number][..] }];
                    println!("{name} is started again");
                    self.ask(tool, &folder, &words.concat()).await;
                }
            }
        }
    }

    /// The process of an instance.
    pub fn pid(&self, name: &str) -> u32 {
        let found = pids(self.path()).into_iter().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("{name} does not run")).1
    }

    /// Every process that is the shop itself.
    pub fn instances() -> Vec<(&'static str, usize)> {
        let services = SERVICES.into_iter().chain(["gateway"]);
        services.flat_map(|service| [(service, 1), (service, 2)]).collect()
    }

    /// What an instance has said.
    pub fn said(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(format!("{name}.out"))).unwrap_or_default()
    }

    /// The addresses that nginx balances over.
    pub fn upstreams(&self) -> Vec<String> {
        let file = std::fs::read_to_string(self.path().join("nginx/bodega/upstreams.conf")).unwrap();
        let servers = file.lines().filter_map(|line| line.strip_prefix("server ")?.split(' ').next());
        servers.map(str::to_owned).collect()
    }

    /// How many instances of a service Consul sends callers to; none if there is no Consul.
    pub async fn passing(&self, service: &str) -> Option<usize> {
        let consul = self.named("BODEGA_TEST_CONSUL_URL");
        let url = format!("{consul}/v1/health/service/bodega-{service}?passing=true");
        let answer = reqwest::get(url).await.ok()?.json::<Value>().await.ok()?;
        answer.as_array().map(Vec::len)
    }

    async fn ask(&self, tool: &str, folder: &Path, words: &[&str]) {
        let mut command = self::tool(tool);
        command.arg(words[0]).arg(folder).args(&words[1..]);
        run(command, words).await;
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let kept = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("split");
            let copy = "rm -rf $1 && mkdir -p $1 && cp $0/*.out $0/nginx/*.log $0/servers/*.out $1";
            Command::new("sh").args(["-c", copy]).arg(self.path()).arg(&kept).status().ok();
            println!("what the processes said is in {}", kept.display());
        }
        tool("cluster").arg("down").arg(self.path()).status().ok();
    }
}

/// `export A=b C='d e'`
fn named(line: &str) -> BTreeMap<String, String> {
    let (mut rest, mut named) = (line.trim_start_matches("export "), BTreeMap::new());
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = match after.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').unwrap_or((quoted, "")),
            None => after.split_once(' ').unwrap_or((after, "")),
        };
        named.insert(name.trim().to_owned(), value.to_owned());
        rest = after;
    }
    named
}

/// Waits for a condition with a deadline; says how long it took.
pub async fn within(most: Duration, what: &str, mut holds: impl AsyncFnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < most, "not within {most:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    begun.elapsed()
}

/// Sends a signal, and does not wait.
pub fn signal(pid: u32, signal: &str) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]).status().unwrap();
    assert!(sent.success(), "{signal} to {pid}");
}

fn alive(pid: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
}

fn pids(folder: &Path) -> Vec<(String, u32)> {
    let file = std::fs::read_to_string(folder.join("pids")).unwrap_or_default();
    let pairs = file.lines().filter_map(|line| line.split_once(' '));
    pairs.map(|(name, pid)| (name.to_owned(), pid.parse().unwrap())).collect()
}

/// The rest of the test goes on meanwhile.
async fn run(mut command: Command, words: &[&str]) {
    command.stdin(Stdio::null());
    let done = tokio::task::spawn_blocking(move || command.status().unwrap()).await.unwrap();
    assert!(done.success(), "{words:?}");
}

/// The program under a name of its own: building it again meanwhile changes nothing.
pub static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let (built, own) =
        (env!("CARGO_BIN_EXE_bodega"), Path::new(env!("CARGO_TARGET_TMPDIR")).join("split-bodega"));
    std::fs::remove_file(&own).ok();
    std::fs::hard_link(built, &own).or_else(|_| std::fs::copy(built, &own).map(drop)).unwrap();
    own
});

fn tool(name: &str) -> Command {
    let mut command = Command::new(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join(name));
    command.env("BODEGA_BIN", &*PROGRAM).env("CLUSTER_EMPTY", "yes").stdout(Stdio::null());
    for (key, value) in IMPATIENT {
        command.env(format!("BODEGA__{key}"), value);
    }
    for name in ["POSTGRES", "MONGODB", "REDIS", "RABBITMQ", "CONSUL"] {
        command.env_remove(format!("BODEGA_TEST_{name}_URL"));
    }
    command
}
