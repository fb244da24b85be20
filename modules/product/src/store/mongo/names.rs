//! Attributes and options are called whatever staff like, and their names become those of members. One that begins with
//! `$` would mean something else to MongoDB and its driver (`$oid`), so another sign goes before it.

use std::collections::BTreeMap;

const SIGN: char = '＄';

/// Makes the names fit for a document.
pub(super) fn escape(named: &mut BTreeMap<String, String>) {
    rename(named, |name| if name.starts_with(['$', SIGN]) { format!("{SIGN}{name}") } else { name });
}

/// Undoes [`escape`].
pub(super) fn unescape(named: &mut BTreeMap<String, String>) {
    rename(named, |name| name.strip_prefix(SIGN).map(str::to_owned).unwrap_or(name));
}

fn rename(named: &mut BTreeMap<String, String>, change: fn(String) -> String) {
    *named = std::mem::take(named).into_iter().map(|(name, value)| (change(name), value)).collect();
}
