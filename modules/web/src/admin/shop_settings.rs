//! What the shop says of itself, and who has changed it.

use std::collections::BTreeMap;

use actix_web::{http::StatusCode, web};
use askama::Template;
use contracts::{
    Actor,
    customer::Permission,
    metadata::settings::{SettingsChange, SettingsPatch, StoredSettings},
};
use serde::Deserialize;
use serde_json::Value;
use shared::{Error, Kind, PageRequest, values};

use crate::{
    Answer, Page,
    app::{at, get, post},
    forms::{Fields, Post},
    locale::Locale,
};

/// Texts in each language.
const LOCALIZED: [&str; 3] = ["tagline", "announcement", "checkout_note"];

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin/settings/shop", [get(show), post(save)]);
    at(config, "/admin/settings/shop/restore", [post(restore)]);
}

#[derive(Template)]
#[template(path = "admin/shop-settings.html")]
struct Shop<'a> {
    p: &'a Page,
    x: StoredSettings,
    f: Fields,
    /// Somebody else has changed them meanwhile.
    conflict: bool,
    changes: Vec<Change>,
    more: Option<String>,
    localized: &'static [&'static str],
}

/// A change with the name of who made it.
struct Change {
    change: SettingsChange,
    who: String,
}

#[derive(Deserialize)]
struct Asked {
    cursor: Option<String>,
}

async fn show(p: Page, asked: web::Query<Asked>) -> Answer {
    p.staff(Permission::SettingsRead)?;
    let x = p.ports().metadata.settings().await?;
    let f = filled(&x);
    page(&p, StatusCode::OK, x, f, false, asked.0.cursor).await
}

async fn page(
    p: &Page,
    status: StatusCode,
    x: StoredSettings,
    f: Fields,
    conflict: bool,
    cursor: Option<String>,
) -> Answer {
    let found = p.ports().metadata.settings_history(PageRequest { limit: 20, cursor }).await?;
    let mut changes = Vec::new();
    for change in found.data {
        let who = who(p, change.actor).await;
        changes.push(Change { change, who });
    }
    let more = found.next_cursor;
    p.html_as(status, &Shop { p, x, f, conflict, changes, more, localized: &LOCALIZED })
}

/// Somebody's name, or what stands in for one.
async fn who(p: &Page, actor: Actor) -> String {
    let account = match actor {
        Actor::Staff(id) | Actor::Customer(id) => p.ports().customers.find(id).await.ok(),
        _ => None,
    };
    account.map_or_else(|| p.t("settings-nobody"), |account| account.name)
}

/// The form with the settings as they are.
fn filled(x: &StoredSettings) -> Fields {
    let settings = &x.settings;
    let mut f = Fields::default()
        .with("name", &settings.name)
        .with("contact_email", settings.contact_email.as_ref().map_or("", |email| email.as_str()))
        .with("contact_phone", settings.contact_phone.as_deref().unwrap_or_default())
        .with("return_days", settings.return_days)
        .with("low_stock_threshold", settings.low_stock_threshold);
    let texts = [&settings.tagline, &settings.announcement, &settings.checkout_note];
    for (name, texts) in LOCALIZED.into_iter().zip(texts) {
        for locale in Locale::ALL {
            let text = texts.get(&locale.tag()).map_or("", String::as_str);
            f = f.with(&format!("{name}-{}", locale.code()), text);
        }
    }
    f
}

async fn save(p: Page, form: Post<Fields>) -> Answer {
    let actor = p.staff(Permission::SettingsWrite)?;
    let mut f = form.0;
    let patch = patch(&p, &mut f);
    let version = f.value("version").parse().ok();
    if f.failed() {
        let x = p.ports().metadata.settings().await?;
        return page(&p, StatusCode::UNPROCESSABLE_ENTITY, x, f, false, None).await;
    }
    match p.ports().metadata.update_settings(patch, version, actor).await {
        Ok(_) => saved(&p, "settings-saved"),
        Err(error) => refused(&p, f, error).await,
    }
}

fn patch(p: &Page, f: &mut Fields) -> SettingsPatch {
    let email = f.given("contact_email").map(str::parse::<values::Email>);
    if let Some(Err(error)) = &email {
        f.fail("contact_email", p.error("email", &error.detail));
    }
    let days = f.count(p, "return_days").map(|days| u16::try_from(days).unwrap_or(u16::MAX));
    let few = f.count(p, "low_stock_threshold").map(|units| u32::try_from(units).unwrap_or(u32::MAX));
    let texts = |name: &str| -> BTreeMap<values::Locale, Option<String>> {
        let text = |locale: Locale| f.given(&format!("{name}-{}", locale.code())).map(str::to_owned);
        Locale::ALL.map(|locale| (locale.tag(), text(locale))).into()
    };
    SettingsPatch {
        name: Some(f.value("name").to_owned()),
        tagline: texts("tagline"),
        announcement: texts("announcement"),
        checkout_note: texts("checkout_note"),
        contact_email: Some(email.and_then(Result::ok)),
        contact_phone: Some(f.given("contact_phone").map(str::to_owned)),
        return_days: days,
        low_stock_threshold: few,
        ..SettingsPatch::default()
    }
}

fn saved(p: &Page, text: &str) -> Answer {
    let mut response = p.see_other("/admin/settings/shop");
    p.notify(&mut response, "ok", p.t(text));
    Ok(response)
}

async fn refused(p: &Page, mut f: Fields, mut error: Error) -> Answer {
    if matches!(error.kind, Kind::Internal | Kind::NotFound | Kind::Unavailable) {
        return Err(error.into());
    }
    let conflict = error.kind == Kind::PreconditionFailed;
    let status = if conflict { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY };
    if !conflict {
        for field in &mut error.fields {
            let text = LOCALIZED.iter().find_map(|name| {
                let locale = field.pointer.strip_prefix('/')?.strip_prefix(name)?.strip_prefix('/')?;
                Some(format!("/{name}-{locale}"))
            });
            field.pointer = text.unwrap_or_else(|| field.pointer.clone());
        }
        f.refuse(p, &error);
    }
    let x = p.ports().metadata.settings().await?;
    page(p, status, x, f, conflict, None).await
}

#[derive(Deserialize)]
struct Back {
    /// To which version.
    to: i64,
    /// Seen when it was asked for.
    version: i64,
}

async fn restore(p: Page, form: Post<Back>) -> Answer {
    let actor = p.staff(Permission::SettingsWrite)?;
    match p.ports().metadata.restore_settings(form.0.to, Some(form.0.version), actor).await {
        Ok(_) => saved(&p, "settings-restored"),
        Err(error) if error.kind == Kind::PreconditionFailed => {
            let x = p.ports().metadata.settings().await?;
            let f = filled(&x);
            page(&p, StatusCode::CONFLICT, x, f, true, None).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Words of the shop's settings.
impl Page {
    /// What a text is called.
    pub fn setting_label(&self, name: &str) -> String {
        self.t(match name {
            "tagline" => "settings-tagline",
            "announcement" => "settings-announcement",
            _ => "settings-checkout-note",
        })
    }

    /// A setting of the history by its pointer: `Announcement (de)`.
    pub fn setting_name(&self, pointer: &str) -> String {
        let (name, locale) =
            pointer.trim_start_matches('/').split_once('/').unwrap_or((pointer.trim_start_matches('/'), ""));
        let label = self.t(match name {
            "name" => "settings-name",
            "tagline" => "settings-tagline",
            "announcement" => "settings-announcement",
            "checkout_note" => "settings-checkout-note",
            "contact_email" => "settings-contact-email",
            "contact_phone" => "settings-contact-phone",
            "return_days" => "settings-return-days",
            "low_stock_threshold" => "settings-low-stock",
            "address" => "settings-address",
            "social" => "settings-social",
            _ => "settings-locales",
        });
        if locale.is_empty() { label } else { format!("{label} ({locale})") }
    }

    /// A value of the history.
    pub fn setting_value(&self, value: &Value) -> String {
        match value {
            Value::Null => "–".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}
