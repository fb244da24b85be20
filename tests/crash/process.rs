//! The binary as its users run it.

use std::{
    fs::File,
    io::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::{client::Client, harness::eventually};

/// A process that serves the shop in a folder.
pub struct Process {
    child: std::sync::Mutex<Child>,
    pub client: Client,
    log: PathBuf,
}

impl Process {
    /// Starts it and waits until it is ready. `crash_at` names the point at which it dies, if it does.
    pub async fn start(folder: &Path, crash_at: &str) -> Self {
        let listen = format!("127.0.0.1:{}", free_port());
        let log = folder.join("shop.log");
        let child = command(folder)
            .env("BODEGA__SERVER__LISTEN", &listen)
            .env("BODEGA__SERVER__WORKERS", "2")
            .env("BODEGA__ORDER__RESERVATION_SECONDS", "3")
            .env("BODEGA__PAYMENT__TEST__CONFIRM_AFTER_SECONDS", "0")
            .env("BODEGA__PAYMENT__SETTLE_AFTER_SECONDS", "1")
            .env("BODEGA__PAYMENT__RECONCILE_SECONDS", "1")
            .env("BODEGA__PRODUCT__SWEEP_SECONDS", "1")
            .env("BODEGA__TESTING__CRASH_AT", crash_at)
            .stdin(Stdio::null())
            .stderr(File::options().append(true).create(true).open(&log).unwrap())
            .spawn()
            .unwrap();
        let process = Self { child: child.into(), client: Client::new(format!("http://{listen}")), log };
        eventually("the shop opens", async || {
            assert!(process.exit().is_none(), "it does not start: {}", process.said());
            let ready = process.client.root(reqwest::Method::GET, "/readyz").try_send().await;
            ready.ok().filter(|answer| answer.status == 200)
        })
        .await;
        process
    }

    /// Opens an account for the owner, before there is anything else.
    pub fn appoint(folder: &Path, (email, password): (&str, &str)) {
        let staff =
            command(folder).args(["staff", "add", email, "--role", "owner"]).stdin(Stdio::piped()).spawn();
        let mut staff = staff.unwrap();
        staff.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
        assert!(staff.wait().unwrap().success());
    }

    /// SIGKILL.
    pub fn kill(&self) {
        self.child.lock().unwrap().kill().unwrap();
    }

    /// Waits for a death that was not asked for.
    pub async fn dies(&mut self) {
        let status = eventually("the process dies", async || self.exit()).await;
        assert_eq!(status.code(), None, "it was to be killed: {}", self.said());
    }

    /// SIGTERM: it finishes what it is doing and ends well.
    pub async fn stop(&mut self) {
        let id = self.child.lock().unwrap().id();
        let told = Command::new("sh").args(["-c", &format!("kill -TERM {id}")]).status().unwrap();
        assert!(told.success());
        let status = eventually("the process ends", async || self.exit()).await;
        assert_eq!(status.code(), Some(0), "{}", self.said());
        assert!(!self.said().contains("panicked"), "{}", self.said());
    }

    fn exit(&self) -> Option<std::process::ExitStatus> {
        self.child.lock().unwrap().try_wait().unwrap()
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap();
        child.kill().ok();
        child.wait().ok();
        if std::thread::panicking() {
            eprintln!("--- the shop said:\n{}", self.said());
        }
    }
}

/// The binary on a folder.
fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bodega"));
    command.env("BODEGA__DATA_DIR", folder).env("BODEGA__DEMO", "false").env("BODEGA__LOG__FILTER", "info");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
