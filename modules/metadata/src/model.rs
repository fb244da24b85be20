//! The rules. No async, no database.

pub mod checker;
pub mod definitions;
pub mod json;
pub mod kinds;
pub mod markdown;
pub mod pages;
pub mod settings;

use shared::{Error, Kind, Result, error::FieldError, values};

/// What is wrong with a request, collected so that the caller hears of all of it at once.
#[derive(Default)]
pub struct Faults(pub Vec<FieldError>);

impl Faults {
    /// Notes one.
    pub fn add(&mut self, pointer: impl Into<String>, code: &str, detail: impl Into<String>) {
        self.0.push(FieldError { pointer: pointer.into(), code: code.to_owned(), detail: detail.into() });
    }

    /// Notes one unless it `holds`.
    pub fn check(&mut self, holds: bool, pointer: impl Into<String>, code: &str, detail: &str) {
        if !holds {
            self.add(pointer, code, detail);
        }
    }

    /// A text that must be there.
    pub fn text(&mut self, pointer: &str, value: &str, max: usize) -> String {
        values::text(pointer, value, max).unwrap_or_else(|error| {
            self.0.extend(error.fields);
            String::new()
        })
    }

    /// A text that may be empty.
    pub fn optional(&mut self, pointer: &str, value: &str, max: usize) -> String {
        if value.trim().is_empty() { String::new() } else { self.text(pointer, value, max) }
    }

    /// `Invalid` if there is any.
    pub fn done(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::invalid_fields(self.0)) }
    }
}

/// Holds if `seen`, where the caller has named one, is what is there.
pub fn expect_version(seen: Option<i64>, there: i64, what: &str) -> Result<()> {
    if seen.is_none_or(|seen| seen == there) {
        return Ok(());
    }
    let detail = format!("the {what} has been changed since you read it");
    Err(Error::new(Kind::PreconditionFailed, "version", detail))
}
