//! What was found, for people and for programs.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use shared::{Result, queries::Scan, queries::Statement};

/// How much of a statement is shown.
const SHORT: usize = 220;

/// What may read a whole table: the table, a part of the statement, and why.
const ACCEPTED: [(&str, &str, &str); 13] = [
    ("product_categories", "published = ", "the counts of all categories, which are kept for a minute"),
    ("recommendation_interactions", "count(*)", "every few minutes, from an index alone"),
    ("pictures", "select pictures.file from pictures", "an import asks once which pictures there are"),
    ("pictures", "find: pictures, filter: {}", "an import asks once which pictures there are"),
    (
        "placements",
        "find: placements, filter: {}",
        "the counts of all categories, which are kept for a minute",
    ),
    ("variants", "{$unwind: $levels}", "staff's list of the stock: from the cursor on, until a page is full"),
    (
        "accounts",
        "from (staff_roles inner join accounts",
        "staff are few: many accounts are looked up by their keys",
    ),
    ("reviews", "select distinct reviews.product_id", "bodega reviews rebuild"),
    ("reviews", "distinct: reviews", "bodega reviews rebuild"),
    ("review_aggregates", "select review_aggregates.product_id from", "bodega reviews rebuild"),
    ("review_aggregates", "filter: {}", "bodega reviews rebuild"),
    ("idempotency_keys", "update", "once at each start; keys are kept for two days"),
    ("idempotency_keys", "like", "when somebody's account is erased; keys are kept for two days"),
];

/// What the tour saw.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Distinct statements.
    pub statements: usize,
    pub tables: Vec<Table>,
    pub findings: Vec<Finding>,
    /// Those that are meant to read everything, each with the reason.
    pub accepted: Vec<(Finding, &'static str)>,
    /// What the tour asked for and did not get, so that some statements may not have been seen.
    pub refused: Vec<String>,
}

/// A table or collection.
#[derive(Clone, Debug, Serialize)]
pub struct Table {
    pub database: &'static str,
    pub module: &'static str,
    pub table: String,
    pub rows: u64,
    /// How many of the statements name it.
    pub statements: usize,
}

/// A statement that reads a large table from end to end, or that the database would not explain.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub database: &'static str,
    pub table: String,
    pub rows: u64,
    /// What the database does.
    pub how: String,
    pub statement: String,
}

impl Report {
    /// The tables that no statement named.
    pub fn untouched(&self) -> impl Iterator<Item = &Table> {
        self.tables.iter().filter(|table| table.statements == 0)
    }

    pub(super) fn add(
        &mut self,
        database: &'static str,
        statement: &Statement,
        scans: Result<Vec<Scan>>,
        rows: &BTreeMap<String, u64>,
        large: u64,
    ) {
        let found = match scans {
            Ok(scans) => scans,
            Err(error) => {
                vec![Scan { table: String::new(), how: format!("not explained: {}", error.chain()) }]
            }
        };
        for Scan { table, how } in found {
            let rows = rows.get(&table).copied().unwrap_or_default();
            let finding = Finding { database, table, rows, how, statement: statement.text() };
            match finding.reason() {
                Some(reason) if rows > large => self.accepted.push((finding, reason)),
                None if rows > large || finding.table.is_empty() => self.findings.push(finding),
                _ => {}
            }
        }
    }
}

impl Finding {
    /// Why it may be so.
    fn reason(&self) -> Option<&'static str> {
        let plain = self.statement.replace(['"', '`'], "").to_lowercase();
        let accepted = ACCEPTED.iter().find(|(table, part, _)| self.table == *table && plain.contains(part));
        accepted.map(|(_, _, reason)| *reason)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, table, rows, how, statement } = self;
        let short: String = statement.chars().take(SHORT).collect();
        let more = if short.len() < statement.len() { "…" } else { "" };
        write!(f, "{database}/{table} ({rows} rows): {how}: {short}{more}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Table { database, module, table, rows, statements } in &self.tables {
            writeln!(
                f,
                "     {:<40} {rows:>9} rows {statements:>4} statements",
                format!("{database}/{module}/{table}")
            )?;
        }
        for Table { database, module, table, .. } in self.untouched() {
            writeln!(f, "     no statement touched {database}/{module}/{table}")?;
        }
        for step in &self.refused {
            writeln!(f, "     the tour could not: {step}")?;
        }
        for (finding, reason) in &self.accepted {
            writeln!(f, "ok   {reason}: {finding}")?;
        }
        for finding in &self.findings {
            writeln!(f, "FAIL {finding}")?;
        }
        let verdict = if self.findings.is_empty() { "ok  " } else { "FAIL" };
        write!(f, "{verdict} {} distinct statements, {} findings", self.statements, self.findings.len())
    }
}
