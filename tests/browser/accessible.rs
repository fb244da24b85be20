//! What is true of every page: no violation that axe-core finds, in both themes, on a phone and on a desk; nothing that is
//! wider than its window; nothing that moves once it is there.

use std::sync::Mutex;

use serde_json::Value;

use crate::{
    driver::{Browser, Scripts},
    shop::DemoShop,
    speed, walk,
};

/// axe-core 4.14.1, under the Mozilla Public License 2.0.
const AXE: &str = include_str!("vendor/axe.min.js");
const RUN: &str = "
    const done = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ['violations'], preload: false }).then(
        (found) => done(found.violations.flatMap((v) => v.nodes.slice(0, 3).map((n) =>
            `${v.id}: ${n.target.join(' ')}: ${n.any.concat(n.all, n.none).map((c) => c.message).join('; ')}`))),
        (error) => done([String(error)]));";
/// What sticks out of the window, with the widest first.
const TOO_WIDE: &str = "
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth) return [];
    return [...document.body.querySelectorAll('*')]
        .map((e) => [Math.round(e.getBoundingClientRect().right), e])
        .filter(([right, e]) => right > root.clientWidth + 1 && !e.closest('.tbl'))
        .slice(0, 4)
        .map(([right, e]) => `${e.tagName.toLowerCase()}.${e.className} ends at ${right}`)
        .concat(`scrolls to ${root.scrollWidth}`);";

/// The widths at which a page is looked at, and the themes in which axe does so there. One page is opened once: what
/// differs is emulated.
const LOOKS: [(u32, &[&str]); 4] =
    [(PHONE, &["light", "dark"]), (320, &[]), (768, &[]), (1440, &["dark", "light"])];
/// The width at which pages are opened.
const PHONE: u32 = 390;

#[tokio::test]
async fn every_page_for_shoppers_is_accessible_fits_and_keeps_still() {
    let shop = DemoShop::start().await;
    let watch = Watch::start(&shop).await;
    walk::storefront(&shop, &watch.browser, async |page| watch.look(page).await).await;
    watch.end().await;
}

#[tokio::test]
async fn every_page_for_staff_is_accessible_fits_and_keeps_still() {
    let shop = DemoShop::start().await;
    let watch = Watch::start(&shop).await;
    walk::admin(&watch.browser, async |page| watch.look(page).await).await;
    watch.end().await;
}

/// A browser, and what was wrong with the pages that it has shown.
struct Watch {
    browser: Browser,
    wrong: Mutex<Vec<String>>,
}

impl Watch {
    async fn start(shop: &DemoShop) -> Self {
        let browser = Browser::start(&shop.base, Scripts::On).await;
        speed::watch(&browser).await;
        browser.resize(PHONE).await;
        browser.prefer("light").await;
        Self { browser, wrong: Mutex::default() }
    }

    /// Looks at what the browser shows, and leaves it as it was.
    async fn look(&self, page: &str) {
        let b = &self.browser;
        let mut wrong = speed::moved(b, page).await;
        b.js(AXE).await;
        for (width, themes) in LOOKS {
            b.resize(width).await;
            wrong.extend(texts(b.js(TOO_WIDE).await).into_iter().map(|what| format!("at {width}: {what}")));
            for theme in themes {
                b.prefer(theme).await;
                b.picture(&format!("{page}-{width}-{theme}")).await;
                let found = texts(b.js_later(RUN).await);
                wrong.extend(found.into_iter().map(|what| format!("at {width} in {theme}: {what}")));
            }
        }
        b.resize(PHONE).await;
        self.wrong.lock().unwrap().extend(wrong.into_iter().map(|what| format!("{page}: {what}")));
    }

    async fn end(self) {
        self.browser.close().await;
        let wrong = self.wrong.into_inner().unwrap();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

fn texts(found: Value) -> Vec<String> {
    found.as_array().unwrap().iter().map(|text| text.as_str().unwrap_or_default().to_owned()).collect()
}
