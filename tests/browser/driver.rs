//! A Chromium of its own for each test, and a strict eye on what happens in it.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    shop::DemoShop,
    webdriver::{Element, Key, Session},
};

/// How long a page may take to become what a test waits for.
const PATIENCE: Duration = Duration::from_secs(15);

/// A browser on a shop.
pub struct Browser {
    pub session: Session,
    base: String,
}

/// Whether pages may run scripts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scripts {
    On,
    Off,
}

impl Browser {
    pub async fn start(shop: &DemoShop, scripts: Scripts) -> Self {
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--hide-scrollbars",
            "--force-prefers-reduced-motion",
            "--window-size=1440,1000",
        ];
        let preferences = json!({
            "profile.managed_default_content_settings.javascript": if scripts == Scripts::On { 1 } else { 2 },
            "intl.accept_languages": "en",
        });
        let session = Session::start(json!({
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments, "prefs": preferences},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "timeouts": {"script": 30_000, "pageLoad": 30_000},
        }));
        Self { session: session.await, base: shop.base.clone() }
    }

    /// The size of the window, in CSS pixels.
    pub async fn resize(&self, width: u32) {
        let metrics = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.tell("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// `light` or `dark`.
    pub async fn prefer(&self, theme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": theme}, {"name": "prefers-reduced-motion", "value": "reduce"}]);
        self.tell("Emulation.setEmulatedMedia", json!({"features": features})).await;
    }

    /// A command of the DevTools protocol.
    pub async fn tell(&self, method: &str, parameters: Value) {
        self.session.tell(method, parameters).await;
    }

    pub async fn open(&self, path: &str) {
        self.session.goto(&format!("{}{path}", self.base)).await;
    }

    /// Path and query of the page.
    pub async fn path(&self) -> String {
        self.session.url().await.trim_start_matches(&self.base).to_owned()
    }

    pub async fn js(&self, script: &str) -> Value {
        self.session.run(script).await
    }

    pub async fn count(&self, css: &str) -> usize {
        self.session.find_all(css).await.len()
    }

    /// The first that is visible, as soon as there is one.
    pub async fn see(&self, css: &str) -> Element {
        self.until(css, async || {
            for element in self.session.find_all(css).await {
                if self.session.is_displayed(&element).await {
                    return Some(element);
                }
            }
            None
        })
        .await
    }

    /// What a script swaps in may move under the pointer: then it is looked for again. The driver scrolls no further than
    /// it must, which may be below a bar that sticks to the edge.
    pub async fn click(&self, css: &str) {
        let what = format!("{css} can be clicked");
        self.until(&what, async || {
            let element = self.see(css).await;
            self.session.scroll_to(&element).await;
            self.session.click(&element).await
        })
        .await;
    }

    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.see(css).await;
        self.session.clear(&field).await;
        self.session.send_keys(&field, text).await;
    }

    pub async fn words(&self, css: &str) -> String {
        self.until(css, async || self.session.text(&self.see(css).await).await).await
    }

    /// Waits until the page says so.
    pub async fn says(&self, text: &str) {
        let what = format!("the page says {text:?}");
        self.until(&what, async || {
            let body = self.session.find_all("body").await.pop()?;
            self.session.text(&body).await?.to_lowercase().contains(&text.to_lowercase()).then_some(())
        })
        .await;
    }

    /// Waits until the address begins so.
    pub async fn arrives(&self, path: &str) {
        let what = format!("the address begins with {path}");
        self.until(&what, async || self.path().await.starts_with(path).then_some(())).await;
    }

    pub async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look().await {
                return found;
            }
            if Instant::now() > deadline {
                self.picture("failed").await;
                panic!("not within {PATIENCE:?} at {}: {what}", self.path().await);
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }

    /// Types into what has the focus.
    pub async fn press(&self, text: &str) {
        self.session.send_keys(&self.session.active().await, text).await;
    }

    /// Presses Tab until what has the focus is this.
    pub async fn tab_to(&self, css: &str) {
        let there = format!("return document.activeElement.matches({})", json!(css));
        for _ in 0..150 {
            if self.js(&there).await == true {
                let seen = "const s = getComputedStyle(document.activeElement); return s.outlineStyle !== 'none' || s.boxShadow !== 'none' || !!document.activeElement.closest(':focus-within')";
                assert_eq!(self.js(seen).await, true, "who has the focus can be seen: {css}");
                return;
            }
            self.press(Key::Tab.typed()).await;
        }
        self.picture("failed").await;
        panic!("{css} cannot be reached with the keyboard at {}", self.path().await);
    }

    /// Keeps a picture of the page in `target/screenshots`.
    pub async fn picture(&self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        let test = std::thread::current().name().unwrap_or_default().replace("::", "-");
        let file = if name == "failed" { format!("failed-{test}.png") } else { format!("{name}.png") };
        std::fs::write(folder.join(file), self.session.screenshot().await).unwrap();
    }

    /// Ends the session, and fails if a page had an error, broke its own policy or asked another host for something.
    pub async fn close(self) {
        let mut wrong = Vec::new();
        for entry in self.session.log("browser").await {
            let message = entry["message"].as_str().unwrap_or_default();
            // A page that says 404 or 422 is an answer, not an error.
            let answer = message.contains("the server responded with a status of 4");
            // The browser's own remark: the next page came before this one had faded in.
            let skipped = message.contains("Transition was skipped");
            if entry["level"] == "SEVERE" && !answer && !skipped
                || message.contains("Content Security Policy")
            {
                wrong.push(message.to_owned());
            }
        }
        for entry in self.session.log("performance").await {
            let event: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            let url = event["message"]["params"]["request"]["url"].as_str().unwrap_or_default();
            let sent = event["message"]["method"] == "Network.requestWillBeSent";
            if sent && url.starts_with("http") && !url.starts_with(&self.base) {
                wrong.push(format!("another host was asked: {url}"));
            }
        }
        self.session.end().await;
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
