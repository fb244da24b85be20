//! What is true of every page: no violation that axe-core finds, in both themes, on a phone and on a desk, and nothing
//! that is wider than its window.

use std::sync::Mutex;

use serde_json::Value;

use crate::{
    driver::{Browser, Scripts},
    shop::DemoShop,
    walk::walk,
};

/// axe-core 4.14.1, under the Mozilla Public License 2.0.
const AXE: &str = include_str!("vendor/axe.min.js");
const RUN: &str = "
    const done = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ['violations'] }).then(
        (found) => done(found.violations.flatMap((v) => v.nodes.slice(0, 3).map((n) =>
            `${v.id}: ${n.target.join(' ')}: ${n.any.concat(n.all, n.none).map((c) => c.message).join('; ')}`))),
        (error) => done([String(error)]));";
/// What sticks out of the window, with the widest first.
const TOO_WIDE: &str = "
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth) return [];
    return [...document.body.querySelectorAll('*')]
        .map((e) => [Math.round(e.getBoundingClientRect().right), e])
        .filter(([right]) => right > root.clientWidth + 1)
        .slice(0, 4)
        .map(([right, e]) => `${e.tagName.toLowerCase()}.${e.className} ends at ${right}`)
        .concat(`scrolls to ${root.scrollWidth}`);";

/// What `look` finds wrong on every page.
async fn everywhere(theme: &str, width: u32, look: impl AsyncFn(&Browser, &str) -> Vec<String>) {
    let shop = DemoShop::start().await;
    let browser = Browser::start(&shop, Scripts::On).await;
    browser.resize(width).await;
    browser.prefer(theme).await;
    let wrong = Mutex::new(Vec::new());
    walk(&shop, &browser, async |b, page| {
        let found = look(b, page).await;
        wrong.lock().unwrap().extend(found.into_iter().map(|what| format!("{page}: {what}")));
    })
    .await;
    browser.close().await;
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

async fn violations(theme: &str, width: u32) {
    everywhere(theme, width, async |b, page| {
        b.picture(&format!("{page}-{width}-{theme}")).await;
        b.js(AXE).await;
        texts(b.session.run_later(RUN).await)
    })
    .await;
}

fn texts(found: Value) -> Vec<String> {
    found.as_array().unwrap().iter().map(|text| text.as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn every_page_is_accessible_on_a_phone_in_light() {
    violations("light", 390).await;
}

#[tokio::test]
async fn every_page_is_accessible_on_a_phone_in_the_dark() {
    violations("dark", 390).await;
}

#[tokio::test]
async fn every_page_is_accessible_on_a_desk_in_light() {
    violations("light", 1440).await;
}

#[tokio::test]
async fn every_page_is_accessible_on_a_desk_in_the_dark() {
    violations("dark", 1440).await;
}

#[tokio::test]
async fn no_page_is_wider_than_its_window() {
    everywhere("light", 1440, async |b, _| {
        let mut wrong = Vec::new();
        for width in [320, 390, 768, 1440] {
            b.resize(width).await;
            wrong.extend(texts(b.js(TOO_WIDE).await).into_iter().map(|what| format!("at {width}: {what}")));
        }
        wrong
    })
    .await;
}
