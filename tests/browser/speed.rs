//! How fast pages are there, and whether they move, as the browser sees it.

use serde_json::{Value, json};

use crate::driver::Browser;

/// More than this much movement is called bad.
const STILL: f64 = 0.1;
/// Watches from before the first byte.
const WATCH: &str = "
    window.seen = { lcp: 0, cls: 0, long: 0 };
    new PerformanceObserver((l) => { for (const e of l.getEntries()) seen.lcp = e.startTime; })
        .observe({ type: 'largest-contentful-paint', buffered: true });
    new PerformanceObserver((l) => { for (const e of l.getEntries()) if (!e.hadRecentInput) seen.cls += e.value; })
        .observe({ type: 'layout-shift', buffered: true });
    new PerformanceObserver((l) => { for (const e of l.getEntries()) seen.long += e.duration; })
        .observe({ type: 'longtask', buffered: true });";

/// From now on every page is watched.
pub async fn watch(browser: &Browser) {
    browser.tell("Page.addScriptToEvaluateOnNewDocument", json!({"source": WATCH})).await;
}

/// Prints how fast the page was, and returns what moved too much. Times are no rule: they say as much of the machine and
/// of what else it does as of the page.
pub async fn moved(browser: &Browser, page: &str) -> Vec<String> {
    // Who presses a key before the largest paint ends the search for it.
    browser.holds("performance.getEntriesByName('first-contentful-paint').length > 0").await;
    let seen: Value = browser.js("return window.seen").await;
    let of = |name: &str| seen[name].as_f64().unwrap();
    let (lcp, cls, long) = (of("lcp"), of("cls"), of("long"));
    eprintln!("{page}: LCP {lcp:.0} ms, CLS {cls:.3}, long tasks {long:.0} ms");
    if cls < STILL { Vec::new() } else { vec![format!("moves by {cls:.3}")] }
}
