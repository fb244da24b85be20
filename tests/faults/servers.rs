//! Servers that belong to one test, so that it may kill them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Private servers in a folder; they end with this.
pub struct Servers {
    folder: tempfile::TempDir,
    /// What `tests/servers` says of them, such as `BODEGA_TEST_REDIS_URL`.
    named: BTreeMap<String, String>,
}

impl Servers {
    /// Starts these of `postgres`, `mongodb` and `redis`.
    pub async fn start(wanted: &[&'static str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut words = vec!["up"];
        words.extend(wanted);
        let mut servers = Self { folder, named: BTreeMap::new() };
        servers.ask(&words).await;
        let lines = std::fs::read_to_string(servers.path().join("env")).unwrap();
        let pairs = lines.split_whitespace().filter_map(|word| word.split_once('='));
        servers.named =
            pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned())).collect();
        servers
    }

    /// Ends one by a signal, and waits for its end.
    pub async fn stop(&self, server: &'static str, signal: &'static str) {
        self.ask(&["stop", server, signal]).await;
    }

    /// Starts one again, and waits until it takes connections.
    pub async fn again(&self, server: &'static str) {
        self.ask(&["start", server]).await;
    }

    pub fn postgres(&self) -> Option<&str> {
        self.url("BODEGA_TEST_POSTGRES_URL")
    }

    pub fn mongodb(&self) -> Option<&str> {
        self.url("BODEGA_TEST_MONGODB_URL")
    }

    pub fn redis(&self) -> Option<&str> {
        self.url("BODEGA_TEST_REDIS_URL")
    }

    /// The port that one listens on.
    pub fn port(&self, server: &str) -> String {
        std::fs::read_to_string(self.path().join(format!("{server}.port"))).unwrap().trim().to_owned()
    }

    fn url(&self, name: &str) -> Option<&str> {
        self.named.get(name).map(String::as_str)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The rest of the test goes on meanwhile.
    async fn ask(&self, words: &[&'static str]) {
        let mut command = tool();
        command.arg(words[0]).arg(self.path()).args(&words[1..]).stdin(Stdio::null());
        let done = tokio::task::spawn_blocking(move || command.status().unwrap()).await.unwrap();
        assert!(done.success(), "{words:?}");
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        tool().arg("down").arg(self.path()).status().ok();
    }
}

/// `tests/servers`, which is not told of anybody else's servers.
fn tool() -> Command {
    let mut command = Command::new(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/servers"));
    for name in ["POSTGRES", "MONGODB", "REDIS"] {
        command.env_remove(format!("BODEGA_TEST_{name}_URL"));
    }
    command
}
