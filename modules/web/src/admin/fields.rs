//! Custom fields: their definitions.

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;
use contracts::{
    customer::Permission,
    metadata::{Definition, DefinitionId, DefinitionPatch, Kind, NewDefinition, Owner, Rules, Visibility},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::Error;

use crate::{
    Answer, Fault, Page,
    app::{at, get, post},
    forms::{Empty, Fields, Post},
};

const OWNERS: [&str; 7] = ["product", "variant", "category", "collection", "customer", "order", "page"];
const KINDS: [&str; 9] =
    ["text", "integer", "decimal", "boolean", "date", "money", "reference", "list", "json"];

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/fields", [get(list)]);
    at(config, "/admin/fields/new", [get(blank), post(create)]);
    at(config, "/admin/fields/{id}", [get(show), post(save)]);
    at(config, "/admin/fields/{id}/delete", [post(delete)]);
}

#[derive(Template)]
#[template(path = "admin/fields.html")]
struct List<'a> {
    p: &'a Page,
    definitions: Vec<Definition>,
}

#[derive(Template)]
#[template(path = "admin/field.html")]
struct Editor<'a> {
    p: &'a Page,
    /// Absent for a new one.
    x: Option<Definition>,
    f: Fields,
    owners: &'static [&'static str],
    kinds: &'static [&'static str],
    /// Somebody else has changed it meanwhile.
    conflict: bool,
    /// Values that do not fit the change: how many there are, and some of them with what is wrong.
    unfit: Option<(u64, Vec<(String, String)>)>,
}

impl<'a> Editor<'a> {
    fn new(p: &'a Page, x: Option<Definition>, f: Fields) -> Self {
        Self { p, x, f, owners: &OWNERS, kinds: &KINDS, conflict: false, unfit: None }
    }
}

async fn list(p: Page) -> Answer {
    p.staff(Permission::SettingsRead)?;
    let definitions = p.ports().metadata.definitions(None).await?;
    p.html(&List { p: &p, definitions })
}

async fn blank(p: Page) -> Answer {
    p.staff(Permission::SettingsWrite)?;
    p.html(&Editor::new(&p, None, Fields::default().with("owner", "product").with("kind", "text")))
}

async fn show(p: Page, id: web::Path<String>) -> Answer {
    p.staff(Permission::SettingsRead)?;
    let x = p.ports().metadata.definition(parse(&id)?).await?;
    let f = filled(&x)?;
    p.html(&Editor::new(&p, Some(x), f))
}

fn parse(id: &str) -> Answer<DefinitionId> {
    id.parse().map_err(|_| Fault::not_found())
}

/// The form with the definition as it is.
fn filled(x: &Definition) -> Answer<Fields> {
    let (terms, rules) = (&x.terms, &x.terms.rules);
    let mut f = Fields::default()
        .with("name", &terms.name)
        .with("description", &terms.description)
        .with("kind", written(&serde_json::to_value(terms.kind).map_err(Error::from)?));
    for (name, set) in [
        ("visible", terms.visibility == Visibility::Storefront),
        ("searchable", terms.searchable),
        ("facet", terms.facet),
    ] {
        if set {
            f = f.with(name, 1);
        }
    }
    if let Value::Object(rules) = serde_json::to_value(rules).map_err(Error::from)? {
        for (name, rule) in &rules {
            let text = match rule {
                Value::Array(choices) => choices.iter().map(written).collect::<Vec<_>>().join("\n"),
                rule => written(rule),
            };
            f = f.with(name, text);
        }
    }
    Ok(f)
}

/// A text as it is, everything else as JSON.
fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What the form says; wrong JSON is noted.
struct Terms {
    kind: Kind,
    rules: Rules,
    visibility: Visibility,
}

fn terms(p: &Page, f: &mut Fields) -> Terms {
    let kind = choice(f.value("kind")).unwrap_or(Kind::Text);
    let items: Option<Kind> = f.given("items").and_then(choice).filter(|_| kind == Kind::List);
    let plain = items.unwrap_or(kind);
    let schema = f.given("schema").map(serde_json::from_str::<Value>);
    if let Some(Err(_)) = schema {
        f.fail("schema", p.error("schema", "this is not JSON"));
    }
    let bound = |name: &str| f.given(name).map(|text| typed(plain, text));
    let rules = Rules {
        min: bound("min"),
        max: bound("max"),
        max_length: f.given("max_length").and_then(|text| text.parse().ok()),
        pattern: f.given("pattern").map(str::to_owned),
        choices: f
            .value("choices")
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(|line| typed(plain, line))
            .collect(),
        reference: f.given("reference").and_then(choice).filter(|_| plain == Kind::Reference),
        items,
        max_items: f.given("max_items").and_then(|text| text.parse().ok()),
        schema: schema.and_then(Result::ok),
    };
    let visibility = if f.ticked("visible") { Visibility::Storefront } else { Visibility::Admin };
    Terms { kind, rules, visibility }
}

fn choice<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(text.into()).ok()
}

/// Whole numbers as numbers where the kind writes them so.
fn typed(kind: Kind, text: &str) -> Value {
    let number = text.parse::<i64>().ok().filter(|_| matches!(kind, Kind::Integer | Kind::Money));
    number.map_or_else(|| text.into(), Value::from)
}

async fn create(p: Page, form: Post<Fields>) -> Answer {
    p.staff(Permission::SettingsWrite)?;
    let mut f = form.0;
    let Terms { kind, rules, visibility } = terms(&p, &mut f);
    if f.failed() {
        return p.html_as(StatusCode::UNPROCESSABLE_ENTITY, &Editor::new(&p, None, f));
    }
    let new = NewDefinition {
        owner: choice(f.value("owner")).unwrap_or(Owner::Product),
        namespace: f.value("namespace").to_owned(),
        key: f.value("key").to_owned(),
        name: f.value("name").to_owned(),
        description: f.value("description").to_owned(),
        kind,
        rules,
        visibility,
        searchable: f.ticked("searchable"),
        facet: f.ticked("facet"),
    };
    match p.ports().metadata.create_definition(new).await {
        Ok(x) => saved(&p, x.id),
        Err(error) => refused(&p, None, f, error),
    }
}

async fn save(p: Page, id: web::Path<String>, form: Post<Fields>) -> Answer {
    p.staff(Permission::SettingsWrite)?;
    let (id, mut f) = (parse(&id)?, form.0);
    let x = p.ports().metadata.definition(id).await?;
    let Terms { kind, rules, visibility } = terms(&p, &mut f);
    if f.failed() {
        return p.html_as(StatusCode::UNPROCESSABLE_ENTITY, &Editor::new(&p, Some(x), f));
    }
    let patch = DefinitionPatch {
        name: Some(f.value("name").to_owned()),
        description: Some(f.value("description").to_owned()),
        kind: Some(kind),
        rules: Some(rules),
        visibility: Some(visibility),
        searchable: Some(f.ticked("searchable")),
        facet: Some(f.ticked("facet")),
        drop_invalid: f.ticked("drop_invalid"),
    };
    match p.ports().metadata.update_definition(id, patch, f.value("version").parse().ok()).await {
        Ok(_) => saved(&p, id),
        Err(error) => refused(&p, Some(x), f, error),
    }
}

fn saved(p: &Page, id: DefinitionId) -> Answer {
    let mut response = p.see_other(&format!("/admin/fields/{id}"));
    p.notify(&mut response, "ok", p.t("field-saved"));
    Ok(response)
}

/// The form again, with what was entered and what stands in the way.
fn refused(p: &Page, x: Option<Definition>, mut f: Fields, error: Error) -> Answer {
    use shared::Kind as Why;
    if matches!(error.kind, Why::Internal | Why::NotFound | Why::Unavailable) {
        return Err(error.into());
    }
    let conflict = error.kind == Why::PreconditionFailed;
    let unfit = (error.code == "definition_in_use").then(|| {
        let examples = error.extra.get("examples").and_then(Value::as_array).cloned().unwrap_or_default();
        let example = |example: &Value| (written(&example["value"]), written(&example["detail"]));
        let count = error.extra.get("count").and_then(Value::as_u64).unwrap_or_default();
        (count, examples.iter().map(example).collect())
    });
    let status = match () {
        () if conflict || unfit.is_some() => StatusCode::CONFLICT,
        () => {
            f.refuse(p, &error);
            StatusCode::UNPROCESSABLE_ENTITY
        }
    };
    p.html_as(status, &Editor { conflict, unfit, ..Editor::new(p, x, f) })
}

async fn delete(p: Page, id: web::Path<String>, _: Post<Empty>) -> Answer<HttpResponse> {
    p.staff(Permission::SettingsWrite)?;
    p.ports().metadata.delete_definition(parse(&id)?).await?;
    let mut response = p.see_other("/admin/fields");
    p.notify(&mut response, "ok", p.t("field-deleted"));
    Ok(response)
}

/// Words of custom fields.
impl Page {
    /// What can have the field.
    pub fn field_owner(&self, owner: &str) -> String {
        self.t(match owner {
            "variant" => "field-owner-variant",
            "category" => "field-owner-category",
            "collection" => "field-owner-collection",
            "customer" => "field-owner-customer",
            "order" => "field-owner-order",
            "page" => "field-owner-page",
            _ => "field-owner-product",
        })
    }

    /// What its values are.
    pub fn field_kind(&self, kind: &str) -> String {
        self.t(match kind {
            "integer" => "field-kind-integer",
            "decimal" => "field-kind-decimal",
            "boolean" => "field-kind-boolean",
            "date" => "field-kind-date",
            "money" => "field-kind-money",
            "reference" => "field-kind-reference",
            "list" => "field-kind-list",
            "json" => "field-kind-json",
            _ => "field-kind-text",
        })
    }

    /// A kind as forms write it.
    pub fn field_kind_of(&self, kind: &Kind) -> String {
        let word = serde_json::to_value(kind).unwrap_or_default();
        self.field_kind(word.as_str().unwrap_or_default())
    }
}
