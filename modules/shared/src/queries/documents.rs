//! MongoDB explains a command as it was sent, without the session that it was sent in.

use std::collections::BTreeSet;

use mongodb::bson::{Bson, Document, doc};

use super::Scan;
use crate::{Result, mongo::Mongo};

/// What of each command decides how it is run.
const COMMANDS: [(&str, &[&str]); 8] = [
    ("find", &["filter", "sort", "projection", "limit", "skip", "hint", "collation"]),
    ("aggregate", &["pipeline", "cursor", "hint", "let", "collation"]),
    ("count", &["query", "limit", "skip", "hint", "collation"]),
    ("distinct", &["key", "query", "collation"]),
    ("update", &["updates"]),
    ("delete", &["deletes"]),
    ("findAndModify", &["query", "sort", "update", "remove", "upsert", "new", "fields", "arrayFilters"]),
    ("insert", &[]),
];

/// Members whose values belong to the shape: an order, a choice of members.
const VERBATIM: [&str; 8] = ["sort", "$sort", "projection", "$project", "fields", "hint", "key", "limit"];

/// Each query of a command by its shape: an update may hold several.
pub(super) fn parts(name: &str, command: &Document) -> Vec<(String, Document)> {
    let Some((name, members)) = COMMANDS.iter().find(|(known, _)| *known == name) else { return Vec::new() };
    let mut whole = Document::new();
    for member in std::iter::once(name).chain(*members) {
        if let Some(value) = command.get(member) {
            whole.insert(*member, value.clone());
        }
    }
    let several = match *name {
        "update" => "updates",
        "delete" => "deletes",
        _ => return vec![(shape(&whole), whole)],
    };
    let each = whole.get_array(several).cloned().unwrap_or_default();
    let one = each.into_iter().map(|query| {
        let mut one = whole.clone();
        one.insert(several, vec![query]);
        (shape(&one), one)
    });
    one.collect()
}

/// A command without its values.
pub(super) fn shape(command: &Document) -> String {
    let members = command.iter().map(|(name, value)| match value {
        // The first member names the collection.
        Bson::String(collection) if COMMANDS.iter().any(|(known, _)| known == name) => {
            format!("{name}: {collection}")
        }
        // The new content is no part of the question.
        _ if name == "update" || name == "u" => format!("{name}: …"),
        Bson::Array(several) if name == "updates" || name == "deletes" => {
            let each = several.iter().filter_map(Bson::as_document).map(shape);
            format!("{name}: [{}]", each.collect::<Vec<_>>().join(", "))
        }
        value => format!("{name}: {}", value_shape(name, value)),
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
}

fn value_shape(name: &str, value: &Bson) -> String {
    if VERBATIM.contains(&name) && !matches!(value, Bson::Int32(_) | Bson::Int64(_)) {
        return value.to_string();
    }
    match value {
        Bson::Document(document) => {
            let members =
                document.iter().map(|(name, value)| format!("{name}: {}", value_shape(name, value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Bson::Array(items) => {
            let shapes: BTreeSet<String> = items.iter().map(|item| value_shape("", item)).collect();
            // A pipeline has an order, a list of values has none.
            if items.iter().all(|item| matches!(item, Bson::Document(_))) {
                let shapes = items.iter().map(|item| value_shape("", item));
                return format!("[{}]", shapes.collect::<Vec<_>>().join(", "));
            }
            format!("[{}]", shapes.into_iter().collect::<Vec<_>>().join(", "))
        }
        Bson::String(text) if text.starts_with('$') => text.clone(),
        Bson::Null => "null".to_owned(),
        Bson::Boolean(is) => is.to_string(),
        _ => "?".to_owned(),
    }
}

/// The collections that a command names, those that it joins included.
pub(super) fn collections(command: &Document) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if let Some((_, Bson::String(name))) = command.iter().next() {
        names.insert(name.clone());
    }
    for stage in command.get_array("pipeline").into_iter().flatten().filter_map(Bson::as_document) {
        for (name, inner) in stage {
            let inner = inner.as_document();
            let place = if name == "$lookup" || name == "$graphLookup" { "from" } else { "into" };
            if let Some(Ok(joined)) = inner.map(|inner| inner.get_str(place)) {
                names.insert(joined.to_owned());
            }
        }
    }
    names
}

pub(super) async fn scans(db: &Mongo, command: &Document) -> Result<Vec<Scan>> {
    if command.contains_key("insert") {
        return Ok(Vec::new());
    }
    let explained = db.explain(command.clone()).await?;
    let mut scans = Vec::new();
    planners(&Bson::Document(explained), changes_one(command), &mut scans);
    Ok(scans)
}

/// Whether the first match ends it.
fn changes_one(command: &Document) -> bool {
    let only = |several: &str| command.get_array(several).ok()?.first()?.as_document().cloned();
    command.contains_key("findAndModify")
        || only("updates").is_some_and(|update| !update.get_bool("multi").unwrap_or(false))
        || only("deletes").is_some_and(|delete| delete.get("limit").and_then(number) == Some(1))
}

fn number(value: &Bson) -> Option<i64> {
    value.as_i64().or_else(|| value.as_i32().map(i64::from))
}

/// Every plan that was chosen, wherever in the answer.
fn planners(answer: &Bson, limited: bool, scans: &mut Vec<Scan>) {
    match answer {
        Bson::Array(items) => items.iter().for_each(|item| planners(item, limited, scans)),
        Bson::Document(document) => {
            if let (Ok(namespace), Ok(plan)) =
                (document.get_str("namespace"), document.get_document("winningPlan"))
            {
                let table = namespace.split_once('.').map_or(namespace, |(_, collection)| collection);
                let plan = plan.get_document("queryPlan").unwrap_or(plan);
                return stage(plan, table, limited, scans);
            }
            let inner = document.iter().filter(|(name, _)| *name != "command" && *name != "rejectedPlans");
            inner.for_each(|(_, value)| planners(value, limited, scans));
        }
        _ => {}
    }
}

fn stage(plan: &Document, table: &str, limited: bool, scans: &mut Vec<Scan>) {
    let kind = plan.get_str("stage").unwrap_or_default();
    let filters = plan.get_document("filter").is_ok_and(|filter| !filter.is_empty());
    let index = plan.get_str("indexName").unwrap_or_default();
    let how = match kind {
        "COLLSCAN" if !limited || filters => Some(kind.to_owned()),
        "EQ_LOOKUP" if plan.get_str("strategy").is_ok_and(|how| how == "NestedLoopJoin") => {
            Some("NestedLoopJoin".to_owned())
        }
        "IXSCAN" if !limited && is_whole(plan) => Some(format!("all of {index}")),
        _ => None,
    };
    scans.extend(how.map(|how| Scan { table: table.to_owned(), how }));
    let limited = kind == "LIMIT" || (limited && !["SORT", "GROUP"].contains(&kind));
    for member in ["inputStage", "outerStage", "innerStage", "thenStage", "elseStage"] {
        if let Ok(inner) = plan.get_document(member) {
            stage(inner, table, limited, scans);
        }
    }
    for inner in plan.get_array("inputStages").into_iter().flatten().filter_map(Bson::as_document) {
        stage(inner, table, limited, scans);
    }
}

/// Whether an index is read from end to end: one that holds every document, and whose first key is not asked for.
fn is_whole(plan: &Document) -> bool {
    let holds_all = |option: &str| !plan.get_bool(option).unwrap_or(false);
    let ends = [Bson::from("[MinKey, MaxKey]"), Bson::from("[MaxKey, MinKey]")];
    let first = plan.get_document("indexBounds").ok().and_then(|bounds| bounds.values().next()?.as_array());
    holds_all("isPartial")
        && holds_all("isSparse")
        && first.is_some_and(|b| b.len() == 1 && ends.contains(&b[0]))
}

impl Mongo {
    /// How the server would run a command.
    async fn explain(&self, command: Document) -> Result<Document> {
        self.run_command(doc! {"explain": command, "verbosity": "queryPlanner"}).await
    }
}
