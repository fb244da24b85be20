//! As much of the WebDriver protocol as the tests speak. A crate for it would change how the whole shop is built for tests:
//! `thirtyfour` makes `serde_json` keep the order of members, which it does not do in the shop.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use reqwest::Method;
use serde_json::{Value, json};

/// How the protocol names an element in JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A key that has no letter.
#[derive(Clone, Copy)]
pub enum Key {
    Tab,
    Enter,
}

impl Key {
    /// As text that is typed.
    pub fn typed(self) -> &'static str {
        match self {
            Self::Tab => "\u{e004}",
            Self::Enter => "\u{e007}",
        }
    }
}

/// One browser window.
pub struct Session {
    http: reqwest::Client,
    base: String,
    // Kept until the end: the browser goes with it.
    _process: Process,
}

/// Something on the page.
#[derive(Clone)]
pub struct Element(String);

/// `chromedriver`, ended by its own id. It ends its browser when it is asked to end.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let asked = Command::new("kill").arg(self.0.id().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

impl Session {
    /// Starts a driver on a port that is free, and a browser with these capabilities.
    pub async fn start(capabilities: Value) -> Self {
        let (process, port) = tokio::task::spawn_blocking(launch).await.unwrap();
        let mut session = Self {
            http: reqwest::Client::new(),
            base: format!("http://127.0.0.1:{port}/session"),
            _process: process,
        };
        let wanted = json!({"capabilities": {"alwaysMatch": capabilities}});
        let made = session.try_send(Method::POST, "", wanted).await.unwrap();
        session.base = format!("{}/{}", session.base, made["sessionId"].as_str().unwrap());
        session
    }

    /// What the driver answers, or its error.
    async fn try_send(&self, method: Method, path: &str, body: Value) -> Result<Value, String> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.base));
        if method == Method::POST {
            request = request.json(&body);
        }
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let ok = answer.status().is_success();
        let body: Value = answer.json().await.map_err(|error| error.to_string())?;
        let value = body["value"].clone();
        if ok { Ok(value) } else { Err(format!("{path}: {}", value["message"])) }
    }

    async fn get(&self, path: &str) -> Value {
        self.try_send(Method::GET, path, Value::Null).await.unwrap()
    }

    /// A command that has no reason to fail.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.try_send(Method::POST, path, body).await.unwrap()
    }

    pub async fn goto(&self, url: &str) {
        self.post("/url", json!({"url": url})).await;
    }

    pub async fn url(&self) -> String {
        self.get("/url").await.as_str().unwrap().to_owned()
    }

    pub async fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({"script": script, "args": []})).await
    }

    /// `script` calls its last argument with the answer.
    pub async fn run_later(&self, script: &str) -> Value {
        self.post("/execute/async", json!({"script": script, "args": []})).await
    }

    /// A command of the DevTools protocol.
    pub async fn tell(&self, method: &str, parameters: Value) {
        self.post("/goog/cdp/execute", json!({"cmd": method, "params": parameters})).await;
    }

    /// A PNG of what can be seen.
    pub async fn screenshot(&self) -> Vec<u8> {
        let shot = self.get("/screenshot").await;
        data_encoding::BASE64.decode(shot.as_str().unwrap().as_bytes()).unwrap()
    }

    /// What was logged since this was last asked: `browser` or `performance`.
    pub async fn log(&self, kind: &str) -> Vec<Value> {
        self.post("/se/log", json!({"type": kind})).await.as_array().unwrap().clone()
    }

    pub async fn forget_cookies(&self) {
        self.try_send(Method::DELETE, "/cookie", Value::Null).await.unwrap();
    }

    pub async fn end(&self) {
        self.try_send(Method::DELETE, "", Value::Null).await.unwrap();
    }

    pub async fn find_all(&self, css: &str) -> Vec<Element> {
        let found = self.post("/elements", json!({"using": "css selector", "value": css})).await;
        let id = |element: &Value| Element(element[ELEMENT].as_str().unwrap().to_owned());
        found.as_array().unwrap().iter().map(id).collect()
    }

    /// What has the focus.
    pub async fn active(&self) -> Element {
        Element(self.get("/element/active").await[ELEMENT].as_str().unwrap().to_owned())
    }

    /// False if it is hidden, or no longer on the page.
    pub async fn is_displayed(&self, element: &Element) -> bool {
        let path = format!("/element/{}/displayed", element.0);
        self.try_send(Method::GET, &path, Value::Null).await.is_ok_and(|shown| shown == true)
    }

    /// `None` if it is no longer on the page.
    pub async fn text(&self, element: &Element) -> Option<String> {
        let path = format!("/element/{}/text", element.0);
        self.try_send(Method::GET, &path, Value::Null).await.ok()?.as_str().map(ToOwned::to_owned)
    }

    /// To the middle of the window, if it is still on the page.
    pub async fn scroll_to(&self, element: &Element) {
        let script = "arguments[0].scrollIntoView({ block: 'center' })";
        let body = json!({"script": script, "args": [{ELEMENT: element.0}]});
        self.try_send(Method::POST, "/execute/sync", body).await.ok();
    }

    /// `None` if it cannot be clicked now: it moves, something lies over it, or it is no longer on the page.
    pub async fn click(&self, element: &Element) -> Option<()> {
        self.try_send(Method::POST, &format!("/element/{}/click", element.0), json!({})).await.ok().map(drop)
    }

    pub async fn clear(&self, element: &Element) {
        self.post(&format!("/element/{}/clear", element.0), json!({})).await;
    }

    pub async fn send_keys(&self, element: &Element, text: &str) {
        self.post(&format!("/element/{}/value", element.0), json!({"text": text})).await;
    }
}

fn launch() -> (Process, u16) {
    let mut child = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver runs: apt-get install chromium chromium-driver");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let process = Process(child);
    let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
        line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok()
    });
    // Whatever else it says must go somewhere.
    std::thread::spawn(move || lines.for_each(drop));
    (process, port.expect("chromedriver names its port"))
}
