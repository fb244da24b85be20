//! What the modules ask their databases, and whether an index answers it.
//!
//! A [`Recorder`] in the [`Options`](crate::db::Options) of a database notes every distinct statement;
//! [`Database::scans`] then asks the database itself how it would run one. Without a recorder nothing is noted, and
//! nothing is paid for it.

mod documents;
mod postgres;
mod sqlite;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use diesel::{
    connection::{Instrumentation, InstrumentationEvent},
    dsl::sql,
    sql_types::BigInt,
};
use diesel_async::RunQueryDsl;
use mongodb::{
    bson::Document,
    event::{EventHandler, command::CommandEvent},
};

use crate::{Database, Result, db::on};

/// Notes every distinct statement that a database is asked to run. Clones share what they noted.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<BTreeMap<String, Statement>>>);

/// Something that a module asks for, without the values of one time.
#[derive(Clone, Debug)]
pub enum Statement {
    /// With the placeholders of its database.
    Sql(String),
    /// A command of MongoDB with the values that it was first seen with.
    Command(Document),
}

/// A table or collection that a statement reads from end to end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scan {
    /// Its name.
    pub table: String,
    /// What the database says that it does: `Seq Scan`, `SCAN`, `COLLSCAN`, or a whole index.
    pub how: String,
}

impl Recorder {
    /// Nothing noted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// All that was noted so far, in a stable order.
    pub fn statements(&self) -> Vec<Statement> {
        self.lock().values().cloned().collect()
    }

    /// What MongoDB's driver tells of its commands.
    pub(crate) fn listener(&self) -> EventHandler<CommandEvent> {
        let recorder = self.clone();
        EventHandler::callback(move |event| {
            if let CommandEvent::Started(started) = event {
                for (shape, command) in documents::parts(&started.command_name, &started.command) {
                    recorder.note(shape, Statement::Command(command));
                }
            }
        })
    }

    fn note(&self, key: String, statement: Statement) {
        self.lock().entry(key).or_insert(statement);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Statement>> {
        self.0.lock().expect("nobody panics while holding what was noted")
    }
}

impl Instrumentation for Recorder {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event
            && let Some(text) = without_values(&query.to_string())
        {
            self.note(text.clone(), Statement::Sql(text));
        }
    }
}

impl Statement {
    /// As people read it: values of documents are left out.
    pub fn text(&self) -> String {
        match self {
            Self::Sql(text) => text.clone(),
            Self::Command(command) => documents::shape(command),
        }
    }

    /// Which of `known` it names.
    pub fn tables<'a>(&self, known: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
        let named: BTreeSet<String> = match self {
            Self::Sql(text) => words(text).map(str::to_owned).collect(),
            Self::Command(command) => documents::collections(command),
        };
        known.into_iter().filter(|table| named.contains(*table)).collect()
    }
}

impl Database {
    /// Which of `tables` are read from end to end by this statement: because no index serves it, or an index only for
    /// its order while nothing limits how far it is read. Whether one is large enough for that to matter is the
    /// caller's business.
    ///
    /// PostgreSQL is asked for a plan that avoids scans and joins without indexes wherever it can, whatever its
    /// statistics say of the few rows that there are now.
    pub async fn scans(&self, statement: &Statement, tables: &[String]) -> Result<Vec<Scan>> {
        let mut scans = match (self, statement) {
            (Self::Sql(_), Statement::Sql(text)) if reads_nothing(text) => Vec::new(),
            (Self::Sql(db), Statement::Sql(text)) if db.is_sqlite() => {
                sqlite::scans(db, text, tables).await?
            }
            (Self::Sql(db), Statement::Sql(text)) => postgres::scans(db, text).await?,
            (Self::Mongo(db), Statement::Command(command)) => documents::scans(db, command).await?,
            _ => Vec::new(),
        };
        scans.retain(|scan| tables.contains(&scan.table));
        scans.sort();
        scans.dedup();
        Ok(scans)
    }

    /// How many rows or documents there are in a table of this database.
    pub async fn rows(&self, table: &str) -> Result<u64> {
        let rows = match self {
            Self::Sql(db) => {
                let count = format!("select count(*) from {table}");
                on!(&mut db.get().await?, |c| sql::<BigInt>(&count).get_result::<i64>(c).await)?
                    .unsigned_abs()
            }
            Self::Mongo(db) => db.collection(table).count_documents(Document::new()).await?,
        };
        Ok(rows)
    }
}

/// The text of a statement that reads or writes rows, the same however many values it has; `None` for others.
fn without_values(query: &str) -> Option<String> {
    let text = query.rsplit_once(" -- binds: ").map_or(query, |(text, _)| text).trim();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let first = text.split(' ').next().unwrap_or_default().to_lowercase();
    if !["select", "insert", "update", "delete", "with"].contains(&first.as_str()) {
        return None;
    }
    // A list without values is answered without looking, though plans do not say so.
    if text.contains("(1=0)") {
        return None;
    }
    let mut text = short_lists(&text);
    if reads_nothing(&text)
        && let Some(values) = text.find(" VALUES ")
    {
        text.truncate(values + " VALUES".len());
    }
    Some(text)
}

/// SQLite has a placeholder for each value of a list: two stand for all.
fn short_lists(text: &str) -> String {
    let mut short = String::new();
    let mut rest = text;
    while let Some(place) = rest.find(" IN (?, ?, ") {
        let (before, list) = rest.split_at(place + " IN (".len());
        let end = list.find(')').unwrap_or(list.len());
        short.push_str(before);
        short.push_str("?, ?");
        rest = &list[end..];
    }
    short + rest
}

/// Whether it only adds rows.
fn reads_nothing(text: &str) -> bool {
    let text = text.to_lowercase();
    text.starts_with("insert ") && !text.contains("select ") && !text.contains(" on conflict ")
}

/// What may be names in SQL, without their quotes.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}
