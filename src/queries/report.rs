//! What was found, for people and for programs.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use shared::{Result, queries::Scan, queries::Statement};

/// How much of a statement is shown.
const SHORT: usize = 220;

/// What the tour saw.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Distinct statements.
    pub statements: usize,
    pub tables: Vec<Table>,
    pub findings: Vec<Finding>,
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
            if rows > large || table.is_empty() {
                self.findings.push(Finding { database, table, rows, how, statement: statement.text() });
            }
        }
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
        for Finding { database, table, rows, how, statement } in &self.findings {
            let short: String = statement.chars().take(SHORT).collect();
            let more = if short.len() < statement.len() { "…" } else { "" };
            writeln!(f, "FAIL {database}/{table} ({rows} rows): {how}: {short}{more}")?;
        }
        let verdict = if self.findings.is_empty() { "ok  " } else { "FAIL" };
        write!(f, "{verdict} {} distinct statements, {} findings", self.statements, self.findings.len())
    }
}
