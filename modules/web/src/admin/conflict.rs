//! Two people changed the same thing: what is saved now beside what was entered.

use data_encoding::HEXLOWER;
use serde::Serialize;
use sha2::{Digest, Sha256};
use shared::{Error, Kind};

use crate::{Page, forms::Fields};

/// A field in which the two differ.
#[derive(Debug)]
pub struct Difference {
    pub label: String,
    pub theirs: String,
    pub yours: String,
}

/// Was it changed since it was read?
pub fn stale(error: &Error) -> bool {
    error.kind == Kind::PreconditionFailed
}

/// Changes when the thing does, for what has no version of its own.
pub fn print(thing: &impl Serialize) -> String {
    let json = serde_json::to_vec(thing).unwrap_or_default();
    HEXLOWER.encode(&Sha256::digest(json)[..12])
}

/// The fields in which `yours` differs from what is saved; `show` makes a value readable. A field is called by the text
/// `label-<name>`; one of a row (`v0-price.EUR`) also by its currency and the number of the row.
pub fn differences(
    p: &Page,
    theirs: &Fields,
    yours: &Fields,
    show: impl Fn(&str, &str) -> String,
) -> Vec<Difference> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in theirs.iter().chain(yours.iter()) {
        if !names.contains(&name) && !["version", "do"].contains(&name) {
            names.push(name);
        }
    }
    let joined = |fields: &Fields, name: &str| {
        fields.all(name).map(|value| show(name, value.trim())).collect::<Vec<_>>().join(", ")
    };
    let differences = names.into_iter().filter_map(|name| {
        let (theirs, yours) = (joined(theirs, name), joined(yours, name));
        (theirs.replace("\r\n", "\n") != yours.replace("\r\n", "\n")).then(|| Difference {
            label: label(p, name),
            theirs,
            yours,
        })
    });
    differences.collect()
}

fn label(p: &Page, name: &str) -> String {
    let (row, field) = name.split_once('-').map_or((None, name), |(row, field)| (Some(row), field));
    let (field, currency) = field.split_once('.').unwrap_or((field, ""));
    let number = row.and_then(|row| row.get(1..)?.parse::<usize>().ok()).map(|n| format!("({})", n + 1));
    let words =
        [p.t(&format!("label-{}", field.replace('_', "-"))), currency.to_owned(), number.unwrap_or_default()];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
