//! The document of the API says what the API does.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Shape, Shop, fresh};

crate::rules! {
    the_document_is_openapi_3_1,
    every_documented_route_is_served_with_these_methods_only,
    every_answer_of_the_main_flow_is_as_documented,
    the_page_works_without_the_internet,
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

async fn document(shop: &Shop) -> Value {
    shop.guest.get("/openapi.json").await.expect(200)
}

/// Every method and path below `/api/v1`, with its placeholders.
pub async fn operations(shop: &Shop) -> Vec<(Method, String)> {
    let document = document(shop).await;
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in METHODS.iter().filter(|method| item[**method].is_object()) {
            operations.push((method.to_uppercase().parse().unwrap(), path.clone()));
        }
    }
    operations
}

/// For each operation that reads JSON: method, path, and a body with a member that nobody knows.
pub async fn bodies(shop: &Shop) -> Vec<(Method, String, Value)> {
    let document = document(shop).await;
    let mut bodies = Vec::new();
    for (method, path) in operations(shop).await {
        let operation = &document["paths"][&path][method.as_str().to_lowercase()];
        if operation["requestBody"]["content"]["application/json"].is_object() {
            bodies.push((method, filled(&path), json!({"surprise": 1})));
        }
    }
    assert!(bodies.len() > 25, "{bodies:?}");
    bodies
}

/// A path with something in each placeholder.
pub fn filled(path: &str) -> String {
    path.replace(['{', '}'], "")
}

async fn the_document_is_openapi_3_1(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let document = document(&shop).await;
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1.")));
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    assert_eq!(document["servers"][0]["url"], "/api/v1");
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");

    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(path.starts_with('/') && !path.ends_with('/'), "{path}");
        let mut wanted: Vec<&str> = path.split('/').filter(|part| part.starts_with('{')).collect();
        wanted.sort_unstable();
        for (method, operation) in item.as_object().unwrap() {
            assert!(METHODS.contains(&method.as_str()), "{path} {method}");
            assert!(names.insert(operation["operationId"].to_string() + path + method), "{path} {method}");
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let mut placed: Vec<String> = parameters
                .iter()
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()))
                .collect();
            placed.sort();
            assert_eq!(placed, wanted, "{method} {path}");
            let answers = operation["responses"].as_object().unwrap();
            assert!(answers.keys().any(|status| status.starts_with('2')), "{method} {path}");
            assert!(answers["default"]["content"]["application/problem+json"].is_object(), "{method} {path}");
            assert_eq!(operation["security"].is_array(), path.starts_with("/admin/"), "{method} {path}");
        }
    }
    references(&document, &document);
}

/// Every `$ref` leads somewhere.
fn references(document: &Value, part: &Value) {
    match part {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference}");
            }
            members.values().for_each(|member| references(document, member));
        }
        Value::Array(items) => items.iter().for_each(|item| references(document, item)),
        _ => {}
    }
}

async fn every_documented_route_is_served_with_these_methods_only(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mut by_path: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (method, path) in operations(&shop).await {
        by_path.entry(path).or_default().insert(method.to_string());
    }
    assert!(by_path.len() > 60, "{}", by_path.len());
    for (path, documented) in by_path {
        for method in METHODS.map(str::to_uppercase) {
            // What would end the session of who asks, or the account, is asked for by nobody.
            let ends = path.starts_with("/customers/me") || path.starts_with("/sessions/current");
            let who = if ends { &shop.guest } else { &shop.owner };
            let request = who.request(method.parse().unwrap(), &filled(&path)).key(&fresh());
            let answer = request.raw("application/json", "[]").send().await;
            if documented.contains(&method) {
                assert_ne!(answer.status, 405, "{method} {path}: {answer}");
                assert_ne!(answer.body["detail"], "there is nothing here", "{method} {path}: {answer}");
            } else {
                let allow = answer.header("allow").to_owned();
                answer.refused(405, "method_not_allowed");
                let mut served: BTreeSet<String> = allow.split(", ").map(str::to_owned).collect();
                served.remove("HEAD");
                assert_eq!(served, documented, "{path}");
            }
        }
    }
}

async fn every_answer_of_the_main_flow_is_as_documented(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let mug = shop.buyable(10).await;
    let order = shop.buy(&mug, 1).await;
    let document = document(&shop).await;
    let id = order["id"].as_str().unwrap();
    let cart = crate::harness::cart(&shop.guest, &[(&mug, 1)]).await;
    let samples = [
        ("/products", shop.guest.get("/products").await.expect(200)),
        ("/products/{key}", shop.guest.get(&format!("/products/{}", mug.slug)).await.expect(200)),
        (
            "/carts/{id}",
            shop.guest.get(&format!("/carts/{}", cart["id"].as_str().unwrap())).await.expect(200),
        ),
        ("/admin/orders/{id}", shop.owner.get(&format!("/admin/orders/{id}")).await.expect(200)),
        (
            "/admin/products/{id}",
            shop.owner.get(&format!("/admin/products/{}", mug.product)).await.expect(200),
        ),
        ("/admin/inventory/levels", shop.owner.get("/admin/inventory/levels").await.expect(200)),
        ("/admin/system", shop.owner.get("/admin/system").await.expect(200)),
    ];
    for (path, sample) in samples {
        let schema =
            &document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        assert!(!schema.is_null(), "{path}");
        fits(&document, schema, &sample, path);
    }
}

/// Whether a value is what a schema says: types, required members, no members that are not there.
fn fits(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        return fits(document, document.pointer(&reference[1..]).unwrap(), value, at);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        fits(document, part, value, at);
    }
    if let Some(choices) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
        let fitting = choices
            .iter()
            .any(|choice| std::panic::catch_unwind(|| fits(document, choice, value, at)).is_ok());
        assert!(fitting, "{at}: {value} is none of {schema}");
        return;
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return,
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let number = kind == "integer" && kinds.contains(&"number");
    assert!(kinds.contains(&kind) || number, "{at}: {value} is no {kinds:?}");
    for member in schema["required"].as_array().into_iter().flatten().filter(|_| kind == "object") {
        assert!(value.get(member.as_str().unwrap()).is_some(), "{at}: {member} is missing in {value}");
    }
    for (member, inner) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(found) = value.get(member) {
            fits(document, inner, found, &format!("{at}/{member}"));
        }
    }
    for (i, item) in value.as_array().into_iter().flatten().enumerate() {
        fits(document, &schema["items"], item, &format!("{at}/{i}"));
    }
}

async fn the_page_works_without_the_internet(shape: Shape) {
    let shop = Shop::start(shape, &[]).await;
    let moved = shop.guest.root(Method::GET, "/api/docs").send().await;
    assert_eq!((moved.status, moved.header("location")), (308, "/api/docs/"));
    let page = shop.guest.root(Method::GET, "/api/docs/").send().await;
    assert!(page.status == 200 && page.header("content-type").starts_with("text/html"), "{page}");
    let html = String::from_utf8(page.bytes.clone()).unwrap();
    assert!(!html.contains("https://") && !html.contains("http://"), "{html}");
    assert!(page.header("content-security-policy").contains("default-src 'self'"));
    let files: Vec<&str> =
        html.split(['"', '\'']).filter(|text| text.ends_with(".js") || text.ends_with(".css")).collect();
    assert!(files.len() >= 3, "{html}");
    for file in files {
        let answer = shop
            .guest
            .root(Method::GET, &format!("/api/docs/{}", file.trim_start_matches("./")))
            .send()
            .await;
        assert_eq!(answer.status, 200, "{file}");
    }
    // The page runs what its own policy lets it run.
    assert!(!html.contains("<script>"), "an inline script: {html}");
    shop.guest.root(Method::GET, "/api/docs/nothing.js").send().await.refused(404, "not_found");
}
