//! A Chromium of its own for each test, and a strict eye on what happens in it.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::webdriver::{Element, Key, Session};

/// How long a page may take to become what a test waits for, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);
/// How a browser starts: without a window, and without anything that it does for itself.
const ARGUMENTS: [&str; 14] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-prefers-reduced-motion",
    "--window-size=1440,1000",
    "--lang=en",
    // Whatever it would still ask for is nowhere.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/// A browser on a shop.
pub struct Browser {
    session: Session,
    base: String,
}

/// Whether pages may run scripts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scripts {
    On,
    Off,
}

impl Browser {
    /// On the shop at `base`, such as `http://127.0.0.1:8080`.
    pub async fn start(base: &str, scripts: Scripts) -> Self {
        let preferences = json!({
            "profile.managed_default_content_settings.javascript": if scripts == Scripts::On { 1 } else { 2 },
            "intl.accept_languages": "en",
        });
        Self { session: Session::start(&ARGUMENTS, preferences).await, base: base.to_owned() }
    }

    /// Makes the window so many CSS pixels wide.
    pub async fn resize(&self, width: u32) {
        let metrics = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.tell("Emulation.setDeviceMetricsOverride", metrics).await;
        self.holds(&format!("innerWidth === {width}")).await;
    }

    /// `light` or `dark`.
    pub async fn prefer(&self, theme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": theme}, {"name": "prefers-reduced-motion", "value": "reduce"}]);
        self.tell("Emulation.setEmulatedMedia", json!({"features": features})).await;
        self.holds(&format!("matchMedia('(prefers-color-scheme: {theme})').matches")).await;
    }

    /// A command of the DevTools protocol.
    pub async fn tell(&self, method: &str, parameters: Value) {
        self.until(method, async || self.session.tell(method, parameters.clone()).await).await;
    }

    pub async fn open(&self, path: &str) {
        let url = format!("{}{path}", self.base);
        self.until(&format!("{path} opens"), async || self.session.goto(&url).await).await;
    }

    /// Path and query of the page.
    pub async fn path(&self) -> String {
        self.until("the page has an address", async || self.path_now().await).await
    }

    async fn path_now(&self) -> Option<String> {
        Some(self.session.url().await?.trim_start_matches(&self.base).to_owned())
    }

    pub async fn js(&self, script: &str) -> Value {
        self.until(script, async || self.session.run(script).await).await
    }

    /// `script` calls its last argument with the answer.
    pub async fn js_later(&self, script: &str) -> Value {
        self.until(script, async || self.session.run_later(script).await).await
    }

    /// Waits until an expression is true.
    pub async fn holds(&self, expression: &str) {
        let script = format!("return Boolean({expression})");
        let holds = async || (self.session.run(&script).await? == true).then_some(());
        self.until(expression, holds).await;
    }

    pub async fn count(&self, css: &str) -> usize {
        self.until(css, async || self.session.find_all(css).await).await.len()
    }

    /// Waits until nothing on the page is this any more.
    pub async fn gone(&self, css: &str) {
        let what = format!("{css} is gone");
        self.until(&what, async || self.session.find_all(css).await?.is_empty().then_some(())).await;
    }

    pub async fn forget_cookies(&self) {
        self.until("cookies are forgotten", async || self.session.forget_cookies().await).await;
    }

    /// Waits until one is visible.
    pub async fn see(&self, css: &str) {
        self.until(css, async || self.visible(css).await).await;
    }

    /// The first that is visible.
    async fn visible(&self, css: &str) -> Option<Element> {
        for element in self.session.find_all(css).await? {
            if self.session.is_displayed(&element).await? {
                return Some(element);
            }
        }
        None
    }

    /// What a script swaps in may move under the pointer: then it is looked for again. The driver scrolls no further than
    /// it must, which may be below a bar that sticks to the edge.
    pub async fn click(&self, css: &str) {
        let what = format!("{css} can be clicked");
        self.until(&what, async || {
            let element = self.visible(css).await?;
            self.session.scroll_to(&element).await?;
            self.session.click(&element).await
        })
        .await;
    }

    pub async fn fill(&self, css: &str, text: &str) {
        let what = format!("{css} can be filled");
        self.until(&what, async || {
            let field = self.visible(css).await?;
            self.session.clear(&field).await?;
            self.session.send_keys(&field, text).await
        })
        .await;
    }

    pub async fn words(&self, css: &str) -> String {
        self.until(css, async || self.session.text(&self.visible(css).await?).await).await
    }

    /// An attribute of the first that has it.
    pub async fn attribute(&self, css: &str, name: &str) -> String {
        let script = format!("return document.querySelector({})?.getAttribute({})", json!(css), json!(name));
        self.until(css, async || self.session.run(&script).await?.as_str().map(ToOwned::to_owned)).await
    }

    /// Waits until the page says so.
    pub async fn says(&self, text: &str) {
        self.says_in("body", text).await;
    }

    /// Waits until a part of the page says so.
    pub async fn says_in(&self, css: &str, text: &str) {
        let what = format!("{css} says {text:?}");
        self.until(&what, async || {
            let part = self.session.find_all(css).await?.pop()?;
            self.session.text(&part).await?.to_lowercase().contains(&text.to_lowercase()).then_some(())
        })
        .await;
    }

    /// Waits until the address begins so.
    pub async fn arrives(&self, path: &str) {
        let what = format!("the address begins with {path}");
        self.until(&what, async || self.path_now().await?.starts_with(path).then_some(())).await;
    }

    /// Asks again until there is an answer.
    pub async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look().await {
                return found;
            }
            if Instant::now() > deadline {
                self.give_up(&format!("not within {PATIENCE:?}: {what}")).await;
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }

    /// Keeps a picture of what is there instead.
    async fn give_up(&self, what: &str) -> ! {
        let test = std::thread::current().name().unwrap_or_default().replace("::", "-");
        self.keep(&format!("failed-{test}")).await;
        panic!("{what} at {}", self.path_now().await.unwrap_or_default());
    }

    /// Types into what has the focus.
    pub async fn press(&self, keys: &str) {
        self.until("keys can be pressed", async || self.session.press(keys).await).await;
    }

    /// Presses Tab until what has the focus is this.
    pub async fn tab_to(&self, css: &str) {
        let script = format!(
            "const e = document.activeElement, s = getComputedStyle(e);
             const seen = s.outlineStyle !== 'none' || s.boxShadow !== 'none' || !!e.closest(':focus-within');
             return e.matches({}) ? [seen] : [];",
            json!(css)
        );
        for _ in 0..150 {
            if let Some(seen) = self.js(&script).await.get(0) {
                assert_eq!(seen, true, "who has the focus can be seen: {css}");
                return;
            }
            self.press(Key::Tab.typed()).await;
        }
        self.give_up(&format!("{css} cannot be reached with the keyboard")).await;
    }

    /// Keeps a picture of the page in `target/screenshots`.
    pub async fn picture(&self, name: &str) {
        self.until("a picture is taken", async || self.keep(name).await).await;
    }

    async fn keep(&self, name: &str) -> Option<()> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), self.session.screenshot().await?).unwrap();
        Some(())
    }

    /// Ends the session, and fails if a page had an error, broke its own policy or asked another host for something.
    pub async fn close(self) {
        let mut wrong = Vec::new();
        for entry in self.log("browser").await {
            let message = entry["message"].as_str().unwrap_or_default();
            // A page that says 404 or 422 is an answer, not an error.
            let answer = message.contains("the server responded with a status of 4");
            // The browser's own remark: the next page came before this one had faded in.
            let skipped = message.contains("Transition was ");
            if entry["level"] == "SEVERE" && !answer && !skipped
                || message.contains("Content Security Policy")
            {
                wrong.push(message.to_owned());
            }
        }
        for entry in self.log("performance").await {
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

    async fn log(&self, kind: &str) -> Vec<Value> {
        self.until(kind, async || self.session.log(kind).await).await
    }
}
