//! SQLite says in words what it does for a statement.

use diesel::{
    dsl::sql,
    sql_types::{Integer, Text},
};
use diesel_async::RunQueryDsl;

use super::{Scan, words};
use crate::{
    Result,
    db::{Conn, Db},
};

pub(super) async fn scans(db: &Db, text: &str, tables: &[String]) -> Result<Vec<Scan>> {
    let steps = plan(db, text).await?;
    // A limit ends a scan in the order of an index early, unless everything is sorted first.
    let lower = text.to_lowercase();
    let limited = lower.contains(" limit ");
    let (ordered, looks) = (lower.contains(" order by "), lower.contains(" where "));
    let sorted = steps.iter().any(|step| step.starts_with("USE TEMP B-TREE"));
    let mut scans = Vec::new();
    for step in &steps {
        let Some((name, how)) = scan(step) else { continue };
        let table = table_of(name, text, tables);
        let whole_index = how.strip_prefix("USING INDEX ").or(how.strip_prefix("USING COVERING INDEX "));
        let harmless = match whole_index {
            Some(index) => (limited && !sorted && (ordered || !looks)) || is_partial(db, index).await?,
            None => limited && !sorted && !looks,
        };
        if !harmless {
            scans.push(Scan { table, how: step.clone() });
        }
    }
    Ok(scans)
}

async fn plan(db: &Db, text: &str) -> Result<Vec<String>> {
    let Conn::Sqlite(mut lease) = db.get().await? else { return Ok(Vec::new()) };
    type Row = (i32, i32, i32, String);
    let explain = sql::<(Integer, Integer, Integer, Text)>(&format!("explain query plan {text}"));
    let rows: Vec<Row> = explain.load(&mut *lease).await?;
    Ok(rows.into_iter().map(|row| row.3).collect())
}

/// The name and the way of a step that reads everything: `SCAN t USING INDEX i`. An index that SQLite makes for one
/// statement has read everything before.
fn scan(step: &str) -> Option<(&str, &str)> {
    if let Some(rest) = step.strip_prefix("SEARCH ") {
        let (name, how) = rest.split_once(' ')?;
        return how.starts_with("USING AUTOMATIC ").then_some((name, how));
    }
    let rest = step.strip_prefix("SCAN ")?;
    Some(rest.split_once(' ').unwrap_or((rest, "")))
}

/// A plan names an alias where there is one: it stands behind its table.
fn table_of(name: &str, text: &str, tables: &[String]) -> String {
    if tables.iter().any(|table| table == name) {
        return name.to_owned();
    }
    let words: Vec<&str> = words(text).collect();
    let is_alias = |table: &str, next: &[&str]| {
        tables.iter().any(|known| known == table)
            && (next.first() == Some(&name)
                || (next.first().is_some_and(|word| word.eq_ignore_ascii_case("as"))
                    && next.get(1) == Some(&name)))
    };
    let found = (0..words.len()).find(|place| is_alias(words[*place], &words[place + 1..]));
    found.map_or(name, |place| words[place]).to_owned()
}

/// A partial index holds only what is looked for.
async fn is_partial(db: &Db, index: &str) -> Result<bool> {
    let Conn::Sqlite(mut lease) = db.get().await? else { return Ok(false) };
    let definition =
        sql::<Text>("select coalesce(sql, '') from sqlite_master where type = 'index' and name = ")
            .bind::<Text, _>(index.to_owned());
    let definition: Vec<String> = definition.load(&mut *lease).await?;
    Ok(definition.iter().any(|text| text.to_lowercase().contains(" where ")))
}
