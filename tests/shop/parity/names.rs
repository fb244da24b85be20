//! Names for what is called differently in every run, and where two values differ.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

/// Members that say when, or what only one run can know.
const OF_ONE_RUN: [&str; 9] =
    ["at", "delivery", "next_action", "next_cursor", "number", "token", "tracking_url", "trace_id", "url"];

/// Ids by the order in which they were met: `order 3` is the third.
#[derive(Default)]
pub struct Names {
    known: HashMap<String, String>,
    met: BTreeMap<String, usize>,
}

impl Names {
    /// Meets every id of an answer, so that each has the name of its first appearance.
    pub fn learn(&mut self, value: &Value) {
        self.canonical(value);
    }

    /// The same text in every run.
    pub fn text(&mut self, text: &str) -> String {
        let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let (mut said, mut rest) = (String::new(), text);
        while let Some(start) = rest.find(is_part) {
            let (before, from) = rest.split_at(start);
            let (word, after) = from.split_at(from.find(|c| !is_part(c)).unwrap_or(from.len()));
            said += before;
            match kind_of(word) {
                Some(kind) => said += &self.name(word, kind),
                None => said += word,
            }
            rest = after;
        }
        said + rest
    }

    /// A value with names for ids, and without what differs from run to run.
    pub fn canonical(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => items.iter().map(|item| self.canonical(item)).collect(),
            Value::Object(members) => Value::Object(self.members(members)),
            other => other.clone(),
        }
    }

    fn members(&mut self, members: &Map<String, Value>) -> Map<String, Value> {
        let same = |name: &str| !name.ends_with("_at") && !OF_ONE_RUN.contains(&name);
        let members = members.iter().filter(|(name, _)| same(name));
        members.map(|(name, value)| (self.text(name), self.canonical(value))).collect()
    }

    fn name(&mut self, id: &str, kind: &str) -> String {
        if let Some(name) = self.known.get(id) {
            return name.clone();
        }
        let met = self.met.entry(kind.to_owned()).or_default();
        *met += 1;
        let name = format!("{kind} {met}");
        self.known.insert(id.to_owned(), name.clone());
        name
    }
}

/// `ord` of `ord_06ar…`: what an id names.
fn kind_of(word: &str) -> Option<&str> {
    let (kind, code) = word.rsplit_once('_')?;
    (code.len() == 26 && code.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'v').contains(&c)))
        .then_some(kind)
}

/// Each place where two values differ, with both.
pub fn differences(one: &Value, other: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", one, other, &mut found);
    found
}

fn compare(at: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            let more = b.keys().filter(|name| !a.contains_key(*name));
            for name in a.keys().chain(more) {
                compare(&format!("{at}/{name}"), &one[name.as_str()], &other[name.as_str()], found);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for i in 0..a.len().max(b.len()) {
                let item = |items: &[Value]| items.get(i).cloned().unwrap_or_default();
                compare(&format!("{at}/{}", place(a, b, i)), &item(a), &item(b), found);
            }
        }
        _ if one == other => {}
        _ => found.push(format!("{at}: {one} and {other}")),
    }
}

/// An item's name says more than its position.
fn place(a: &[Value], b: &[Value], i: usize) -> String {
    let id = |items: &[Value]| Some(items.get(i)?.get("id")?.as_str()?.to_owned());
    id(a).or_else(|| id(b)).unwrap_or_else(|| i.to_string())
}

/// Two lines: what they begin with, and each from shortly before they part.
pub fn side_by_side(one: &str, other: &str) -> String {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let from = |line: &str| line.chars().skip(same.saturating_sub(60)).take(160).collect::<String>();
    let head: String = one.chars().take(60).collect();
    format!("{head}\n  {}\n  {}", from(one), from(other))
}
