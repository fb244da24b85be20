//! As much of the WebDriver protocol as the tests speak. A crate for it would change how the whole shop is built for tests:
//! `thirtyfour` makes `serde_json` keep the order of members, which it does not do in the shop.

use std::{
    fs::DirEntry,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
};

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::wait_for;

/// How the protocol names an element in JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// What the driver says of a page that goes while it is asked.
const GONE: &str = "aborted by navigation";
/// What it says of a page that is not there yet, or has changed since it was looked at.
const NOT_YET: [&str; 10] = [
    GONE,
    "no such execution context",
    "Cannot find context",
    "cannot determine loading status",
    "does not belong to the document",
    "stale element reference",
    "no such element",
    "element not interactable",
    "element click intercepted",
    "move target out of bounds",
];

/// A key that has no letter.
#[derive(Clone, Copy)]
pub enum Key {
    Tab,
    Enter,
    Escape,
}

impl Key {
    /// As text that is typed.
    pub fn typed(self) -> &'static str {
        match self {
            Self::Tab => "\u{e004}",
            Self::Enter => "\u{e007}",
            Self::Escape => "\u{e00c}",
        }
    }
}

/// One browser window. A question is answered with `None` while the page cannot be asked: ask again.
pub struct Session {
    http: reqwest::Client,
    base: String,
    // Kept until the end: the browser goes with it, and then its files.
    _process: Process,
    _profile: TempDir,
}

/// Something on the page.
#[derive(Clone)]
pub struct Element(String);

/// A shell with `chromedriver` and its browsers, in a process group of their own. The driver itself leaves its browsers
/// running when it is ended. The shell reads until there is nobody who could write to it, which is so when this is dropped
/// and when the test is killed, and then ends its group: all of those, and nothing else.
struct Process(Child);

const DRIVER: &str = "chromedriver --port=0 & exec >/dev/null; read -r _; kill -KILL 0";

impl Drop for Process {
    fn drop(&mut self) {
        // This closes what the shell reads from.
        let _ = self.0.wait();
    }
}

impl Session {
    /// Starts a driver on a port that is free, and a browser with these arguments and preferences.
    pub async fn start(arguments: &[&str], preferences: Value) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let folder = profile.path().to_owned();
        let (process, port) = tokio::task::spawn_blocking(move || launch(&folder)).await.unwrap();
        let mut session = Self {
            http: reqwest::Client::new(),
            base: format!("http://127.0.0.1:{port}/session"),
            _process: process,
            _profile: profile,
        };
        let folder = format!("--user-data-dir={}", session._profile.path().join("profile").display());
        let arguments: Vec<_> = arguments.iter().copied().chain([folder.as_str()]).collect();
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {
                "args": arguments,
                "prefs": preferences,
                "perfLoggingPrefs": {"enableNetwork": true, "enablePage": false},
            },
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            // Longer than a page takes on the busiest machine.
            "timeouts": {"script": 120_000, "pageLoad": 120_000},
        });
        let wanted = json!({"capabilities": {"alwaysMatch": capabilities}});
        let made = session.send(Method::POST, "", wanted).await.unwrap();
        session.base = format!("{}/{}", session.base, made["sessionId"].as_str().unwrap());
        session
    }

    /// What the driver answers, or its error.
    async fn send(&self, method: Method, path: &str, body: Value) -> Result<Value, String> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.base));
        if method == Method::POST {
            request = request.json(&body);
        }
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let ok = answer.status().is_success();
        let body: Value = answer.json().await.map_err(|error| error.to_string())?;
        let value = body["value"].clone();
        if ok { Ok(value) } else { Err(format!("{path}: {}: {}", value["error"], value["message"])) }
    }

    /// Panics if the driver refuses for a reason that does not pass by itself.
    async fn ask(&self, method: Method, path: &str, body: Value) -> Option<Value> {
        match self.send(method, path, body).await {
            Ok(value) => Some(value),
            Err(error) if NOT_YET.iter().any(|known| error.contains(known)) => None,
            Err(error) => panic!("{error}"),
        }
    }

    async fn get(&self, path: &str) -> Option<Value> {
        self.ask(Method::GET, path, Value::Null).await
    }

    async fn post(&self, path: &str, body: Value) -> Option<Value> {
        self.ask(Method::POST, path, body).await
    }

    /// Something that is done once. What it leads to may come before the driver's answer.
    async fn act(&self, path: &str, body: Value) -> Option<()> {
        match self.send(Method::POST, path, body).await {
            Err(error) if error.contains(GONE) => Some(()),
            Err(error) if NOT_YET.iter().any(|known| error.contains(known)) => None,
            done => done.map(|_| Some(())).unwrap_or_else(|error| panic!("{error}")),
        }
    }

    pub async fn goto(&self, url: &str) -> Option<()> {
        self.post("/url", json!({"url": url})).await.map(drop)
    }

    pub async fn url(&self) -> Option<String> {
        self.get("/url").await?.as_str().map(ToOwned::to_owned)
    }

    pub async fn run(&self, script: &str) -> Option<Value> {
        self.post("/execute/sync", json!({"script": script, "args": []})).await
    }

    /// `script` calls its last argument with the answer.
    pub async fn run_later(&self, script: &str) -> Option<Value> {
        self.post("/execute/async", json!({"script": script, "args": []})).await
    }

    /// A command of the DevTools protocol.
    pub async fn tell(&self, method: &str, parameters: Value) -> Option<()> {
        self.post("/goog/cdp/execute", json!({"cmd": method, "params": parameters})).await.map(drop)
    }

    /// A PNG of what can be seen.
    pub async fn screenshot(&self) -> Option<Vec<u8>> {
        let shot = self.get("/screenshot").await?;
        Some(data_encoding::BASE64.decode(shot.as_str()?.as_bytes()).unwrap())
    }

    /// What was logged since this was last asked: `browser` or `performance`.
    pub async fn log(&self, kind: &str) -> Option<Vec<Value>> {
        self.post("/se/log", json!({"type": kind})).await?.as_array().cloned()
    }

    pub async fn forget_cookies(&self) -> Option<()> {
        self.ask(Method::DELETE, "/cookie", Value::Null).await.map(drop)
    }

    pub async fn end(&self) {
        self.send(Method::DELETE, "", Value::Null).await.unwrap();
    }

    pub async fn find_all(&self, css: &str) -> Option<Vec<Element>> {
        let found = self.post("/elements", json!({"using": "css selector", "value": css})).await?;
        let id = |element: &Value| element[ELEMENT].as_str().map(|id| Element(id.to_owned()));
        found.as_array()?.iter().map(id).collect()
    }

    pub async fn is_displayed(&self, element: &Element) -> Option<bool> {
        self.get(&format!("/element/{}/displayed", element.0)).await?.as_bool()
    }

    pub async fn text(&self, element: &Element) -> Option<String> {
        self.get(&format!("/element/{}/text", element.0)).await?.as_str().map(ToOwned::to_owned)
    }

    /// To the middle of the window.
    pub async fn scroll_to(&self, element: &Element) -> Option<()> {
        let script = "arguments[0].scrollIntoView({ block: 'center' })";
        let body = json!({"script": script, "args": [{ELEMENT: element.0}]});
        self.post("/execute/sync", body).await.map(drop)
    }

    /// `None` if it cannot be clicked now: it moves, something lies over it, or it is no longer on the page.
    pub async fn click(&self, element: &Element) -> Option<()> {
        self.act(&format!("/element/{}/click", element.0), json!({})).await
    }

    pub async fn clear(&self, element: &Element) -> Option<()> {
        self.post(&format!("/element/{}/clear", element.0), json!({})).await.map(drop)
    }

    pub async fn send_keys(&self, element: &Element, text: &str) -> Option<()> {
        self.act(&format!("/element/{}/value", element.0), json!({"text": text})).await
    }

    /// Presses keys one after the other; what has the focus gets them.
    pub async fn press(&self, keys: &str) -> Option<()> {
        let strokes: Vec<_> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key})))
            .collect();
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": strokes});
        self.act("/actions", json!({"actions": [keyboard]})).await
    }
}

/// Whatever the driver and its browser leave behind is in `folder`.
fn launch(folder: &Path) -> (Process, u16) {
    let mut child = Command::new("sh")
        .args(["-c", DRIVER])
        .env("TMPDIR", folder)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let process = Process(child);
    let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
        line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok()
    });
    // Whatever else it says must go somewhere.
    std::thread::spawn(move || lines.for_each(drop));
    (process, port.expect("chromedriver runs and names its port: apt-get install chromium chromium-driver"))
}

#[tokio::test]
async fn no_browser_outlives_a_test_that_has_not_closed_it() {
    let session = Session::start(&["--headless", "--no-sandbox", "--disable-gpu"], json!({})).await;
    let folder = session._profile.path().to_str().unwrap().to_owned();
    assert!(running_with(&folder) > 1);
    drop(session);
    wait_for("the browser has ended", async || running_with(&folder) == 0).await;
}

/// How many processes name it in their arguments.
fn running_with(text: &str) -> usize {
    let arguments = |entry: std::io::Result<DirEntry>| std::fs::read(entry.ok()?.path().join("cmdline")).ok();
    let all = std::fs::read_dir("/proc").unwrap().filter_map(arguments);
    all.filter(|arguments| String::from_utf8_lossy(arguments).contains(text)).count()
}
