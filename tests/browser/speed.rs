//! How fast pages are there, as the browser sees it.

use serde_json::{Value, json};

use crate::{
    driver::{Browser, Scripts},
    shop::DemoShop,
    steps,
};

/// Watches from before the first byte.
const WATCH: &str = "
    window.seen = { lcp: 0, cls: 0, long: 0 };
    new PerformanceObserver((l) => { for (const e of l.getEntries()) seen.lcp = e.startTime; })
        .observe({ type: 'largest-contentful-paint', buffered: true });
    new PerformanceObserver((l) => { for (const e of l.getEntries()) if (!e.hadRecentInput) seen.cls += e.value; })
        .observe({ type: 'layout-shift', buffered: true });
    new PerformanceObserver((l) => { for (const e of l.getEntries()) seen.long += e.duration; })
        .observe({ type: 'longtask', buffered: true });";

#[tokio::test]
async fn pages_are_there_at_once_and_stay_where_they_are() {
    let shop = DemoShop::start().await;
    let browser = Browser::start(&shop, Scripts::On).await;
    browser.resize(390).await;
    browser.tell("Page.addScriptToEvaluateOnNewDocument", json!({"source": WATCH})).await;
    let product = format!("/products/{}", steps::several(&shop).await.slug);
    for path in ["/", "/categories", "/search?q=mug", &product, "/cart", "/account/sign-in"] {
        browser.open(path).await;
        let seen: Value = browser
            .until("the largest paint", async || {
                let seen = browser.js("return window.seen").await;
                (seen["lcp"].as_f64() > Some(0.0)).then_some(seen)
            })
            .await;
        let of = |name: &str| seen[name].as_f64().unwrap();
        let (lcp, cls, long) = (of("lcp"), of("cls"), of("long"));
        eprintln!("{path}: LCP {lcp:.0} ms, CLS {cls:.3}, long tasks {long:.0} ms");
        // What is called good, though the shop is built without optimisation and shares the machine.
        assert!(lcp < 2500.0 && cls < 0.1, "{path}: LCP {lcp:.0} ms, CLS {cls:.3}");
    }
    browser.close().await;
}
