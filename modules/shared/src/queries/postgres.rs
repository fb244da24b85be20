//! PostgreSQL explains a statement without its values: a prepared one, by the plan for whatever values.

use std::collections::BTreeMap;

use diesel::{
    dsl::sql,
    sql_types::{Bool, Text},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use serde_json::Value;

use super::{Scan, words};
use crate::{
    Error, Result,
    db::{Conn, Db},
};

/// The planner weighs pages, and a table of a test has few: without these it uses an index wherever one serves.
const ASK: &str = "begin; set local plan_cache_mode = force_generic_plan; set local enable_seqscan = off; \
     set local enable_hashjoin = off; set local enable_mergejoin = off";

/// Nodes that have read everything below them before they give anything.
const BLOCKING: [&str; 7] = ["Sort", "Aggregate", "Hash", "Materialize", "WindowAgg", "SetOp", "ModifyTable"];

pub(super) async fn scans(db: &Db, text: &str) -> Result<Vec<Scan>> {
    let Conn::Postgres(mut object) = db.get().await? else { return Ok(Vec::new()) };
    let conn = &mut *object;
    let plan = explain(conn, text).await;
    conn.batch_execute("rollback").await?;
    if plan.is_ok() {
        // A rollback leaves what was prepared.
        conn.batch_execute("deallocate bodega_query").await?;
    }
    let plan: Value = serde_json::from_str(&plan?)?;
    let indexes = indexes(conn).await?;
    let lower = text.to_lowercase();
    let reading = Reading {
        indexes,
        of_limit: if lower.contains(" order by ") { Ends::Early } else { Ends::AtFirst },
        of_subquery: if lower.contains("exists (") { Ends::AtFirst } else { Ends::Late },
    };
    let mut scans = Vec::new();
    reading.node(&plan[0]["Plan"], Ends::Late, &mut scans);
    Ok(scans)
}

async fn explain(conn: &mut AsyncPgConnection, text: &str) -> Result<String> {
    conn.batch_execute(&format!("{ASK}; prepare bodega_query as {text}")).await?;
    let values = vec!["null"; placeholders(text)].join(", ");
    let values = if values.is_empty() { values } else { format!("({values})") };
    let explain = sql::<Text>(&format!("explain (format json) execute bodega_query{values}"));
    explain.get_result(conn).await.map_err(Error::from)
}

/// The highest number behind a `$`.
fn placeholders(text: &str) -> usize {
    let numbers = text.split('$').skip(1).map(|rest| {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..digits].parse().unwrap_or(0)
    });
    numbers.max().unwrap_or(0)
}

/// What must be known of an index to say how much of it is read.
struct Index {
    /// Its first column, or the expression in its place.
    first: String,
    /// It holds only what is looked for.
    partial: bool,
}

async fn indexes(conn: &mut AsyncPgConnection) -> Result<BTreeMap<String, Index>> {
    let all = sql::<(Text, Text, Bool)>(
        "select c.relname::text, pg_get_indexdef(i.indexrelid, 1, true), i.indpred is not null \
         from pg_index i join pg_class c on c.oid = i.indexrelid",
    );
    let all: Vec<(String, String, bool)> = all.load(conn).await?;
    Ok(all.into_iter().map(|(name, first, partial)| (name, Index { first, partial })).collect())
}

struct Reading {
    indexes: BTreeMap<String, Index>,
    of_limit: Ends,
    of_subquery: Ends,
}

/// When a node is asked for no more.
#[derive(Clone, Copy, PartialEq)]
enum Ends {
    /// Once it has given everything.
    Late,
    /// As soon as it has given something: early unless it has to look for that.
    AtFirst,
    /// When it has given enough in the order that is wanted. How much of that it leaves out nobody knows.
    Early,
}

impl Reading {
    fn node(&self, node: &Value, ends: Ends, scans: &mut Vec<Scan>) {
        let text = |member: &str| node[member].as_str().unwrap_or_default();
        let kind = text("Node Type");
        let looks = node["Filter"].is_string() || node["Index Cond"].is_string();
        let late = ends == Ends::Late || (ends == Ends::AtFirst && looks);
        let whole = match kind {
            "Seq Scan" => late || looks,
            "Index Scan" | "Index Only Scan" | "Bitmap Index Scan" => {
                late && self.is_whole(text("Index Name"), text("Index Cond"))
            }
            _ => false,
        };
        if whole {
            let index = text("Index Name");
            let how = if index.is_empty() { kind.to_owned() } else { format!("{kind} of all of {index}") };
            scans.push(Scan { table: text("Relation Name").to_owned(), how });
        }
        for inner in node["Plans"].as_array().into_iter().flatten() {
            let ends = match inner["Parent Relationship"].as_str().unwrap_or_default() {
                "InitPlan" | "SubPlan" => self.of_subquery,
                "Inner" => Ends::Late,
                _ if kind == "Limit" => self.of_limit,
                _ if BLOCKING.contains(&kind) => Ends::Late,
                _ => ends,
            };
            self.bitmap(node, inner, ends, scans);
        }
    }

    /// Whether a condition leaves an index to be read from end to end: what is not about its first column does.
    fn is_whole(&self, index: &str, condition: &str) -> bool {
        let Some(index) = self.indexes.get(index) else { return condition.is_empty() };
        !index.partial && !words(condition).any(|word| words(&index.first).any(|first| first == word))
    }

    /// The index below a bitmap scan does not name its table.
    fn bitmap(&self, node: &Value, inner: &Value, ends: Ends, scans: &mut Vec<Scan>) {
        let before = scans.len();
        self.node(inner, ends, scans);
        for scan in &mut scans[before..] {
            if scan.table.is_empty() {
                scan.table = node["Relation Name"].as_str().unwrap_or_default().to_owned();
            }
        }
    }
}
