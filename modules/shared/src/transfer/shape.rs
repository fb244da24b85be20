//! A table's columns, and the queries that read it as JSON and write it from JSON: PostgreSQL and SQLite have the same
//! tables, made by the same migrations.

use diesel::{
    QueryableByName, sql_query,
    sql_types::{BigInt, Text},
};
use diesel_async::RunQueryDsl;
use serde_json::Value;

use super::Item;
use crate::{
    Result,
    db::{Conn, Db, on},
};

#[derive(QueryableByName)]
pub struct Column {
    #[diesel(sql_type = Text)]
    pub name: String,
    /// As the migration calls it, but for PostgreSQL's long word for times.
    #[diesel(sql_type = Text)]
    kind: String,
    /// In the key, from 1; 0 outside.
    #[diesel(sql_type = BigInt)]
    pub position: i64,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    value: String,
}

impl Column {
    /// The column as JSON has it, equal on both databases.
    fn read(&self, sqlite: bool) -> String {
        let name = quoted(&self.name);
        match (sqlite, self.kind.as_str()) {
            (true, "boolean") => format!("json(case {name} when 1 then 'true' when 0 then 'false' end)"),
            // By itself SQLite says fifteen digits, and not all that there are.
            (true, "double precision") => {
                format!("json(case when {name} is not null then printf('%!.17g', {name}) end)")
            }
            (false, "timestamp with time zone") => {
                format!("to_char({name} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
            }
            _ => name,
        }
    }

    /// The column from a JSON value.
    fn write(&self, sqlite: bool, json: &str, path: &str) -> String {
        if sqlite {
            return format!("{json} ->> '{path}'");
        }
        format!("({json} ->> {path})::{}", self.kind)
    }
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// The queries of one table. Each has one parameter or none.
pub struct Shape {
    sqlite: bool,
    pub table: String,
    pub columns: Vec<Column>,
    /// What is read besides the columns: a name and the expression.
    pub also: Option<(&'static str, &'static str)>,
}

impl Shape {
    /// As the database knows the table; its key is the primary key.
    pub async fn of(db: &Db, table: &str) -> Result<Self> {
        let query = if db.is_sqlite() {
            "select name, lower(type) as kind, pk as position from pragma_table_info(?1) order by cid"
        } else {
            "select a.attname::text as name, format_type(a.atttypid, null) as kind,
                coalesce((select array_position(i.indkey::int[], a.attnum::int) + 1 from pg_index i
                    where i.indrelid = a.attrelid and i.indisprimary), 0)::bigint as position
             from pg_attribute a where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped
             order by a.attnum"
        };
        let mut conn = db.get().await?;
        let columns: Vec<Column> = on!(&mut conn, |c| sql_query(query).bind::<Text, _>(table).load(c).await)?;
        if columns.iter().all(|column| column.position == 0) {
            let problem = format!("the table {table} is not there or has no primary key");
            return Err(crate::Error::internal(problem));
        }
        Ok(Self { sqlite: db.is_sqlite(), table: table.to_owned(), columns, also: None })
    }

    /// With another key.
    pub fn by(mut self, key: &[&str]) -> Self {
        for column in &mut self.columns {
            let place = key.iter().position(|name| *name == column.name);
            column.position = place.map_or(0, |place| i64::try_from(place + 1).unwrap_or(0));
        }
        self
    }

    /// The columns of the key, in its order.
    fn key(&self) -> Vec<&Column> {
        let mut key: Vec<_> = self.columns.iter().filter(|column| column.position > 0).collect();
        key.sort_by_key(|column| column.position);
        key
    }

    fn names(&self) -> String {
        self.key().iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ")
    }

    /// Rows by their key.
    pub fn read(&self, filter: &str, order: &str, limit: u32) -> String {
        let mut value: Vec<_> =
            self.columns.iter().map(|c| format!("'{}', {}", c.name, c.read(self.sqlite))).collect();
        value.extend(self.also.map(|(name, expression)| format!("'{name}', {expression}")));
        self.select(&value, filter, order, limit)
    }

    /// The keys that there are, each once.
    pub fn read_keys(&self, filter: &str, order: &str, limit: u32) -> String {
        let value: Vec<_> =
            self.key().iter().map(|c| format!("'{}', {}", c.name, c.read(self.sqlite))).collect();
        self.select(&value, &format!("{filter} group by {}", self.names()), order, limit)
    }

    fn select(&self, value: &[String], filter: &str, order: &str, limit: u32) -> String {
        let (array, object) = match self.sqlite {
            true => ("json_array", "json_object"),
            false => ("json_build_array", "json_build_object"),
        };
        let key: Vec<_> = self.key().iter().map(|column| column.read(self.sqlite)).collect();
        let by: Vec<_> = self.key().iter().map(|c| format!("{} {order}", quoted(&c.name))).collect();
        format!(
            "select cast({array}({}) as text) as key, cast({object}({}) as text) as value from {} {filter} order by {} \
             limit {limit}",
            key.join(", "),
            value.join(", "),
            quoted(&self.table),
            by.join(", ")
        )
    }

    /// A filter for rows whose key compares so with the parameter, a JSON list.
    pub fn that(&self, comparison: &str) -> String {
        let json = if self.sqlite { "?1" } else { "$1::json" };
        format!("where ({}) {comparison} ({})", self.names(), self.values(json, ""))
    }

    /// A filter for rows from the first to the second of the keys in the parameter, both included.
    pub fn between(&self) -> String {
        let [from, to] = [0, 1].map(|place| match self.sqlite {
            true => self.values("?1", &format!("[{place}]")),
            false => self.values(&format!("$1::json -> {place}"), ""),
        });
        format!("where ({0}) >= ({from}) and ({0}) <= ({to})", self.names())
    }

    /// The values of a key that is in JSON.
    fn values(&self, json: &str, place: &str) -> String {
        let value = |(i, column): (usize, &&Column)| match self.sqlite {
            true => column.write(true, json, &format!("${place}[{i}]")),
            false => column.write(false, json, &i.to_string()),
        };
        self.key().iter().enumerate().map(value).collect::<Vec<_>>().join(", ")
    }

    /// Deletes the rows with the keys in the parameter.
    pub fn delete(&self) -> String {
        let (rows, json) = self.each();
        let values = self.values(json, "");
        format!(
            "delete from {} where ({}) in (select {values} from {rows})",
            quoted(&self.table),
            self.names()
        )
    }

    /// The elements of the JSON list that is the parameter, and what one is called.
    fn each(&self) -> (&'static str, &'static str) {
        match self.sqlite {
            true => ("json_each(?1) as r where true", "r.value"),
            false => ("json_array_elements($1::json) as r", "r"),
        }
    }

    /// Rows from the JSON list that is the parameter.
    pub fn write(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| quoted(&column.name)).collect();
        let (rows, json) = self.each();
        let values: Vec<_> = self
            .columns
            .iter()
            .map(|column| match self.sqlite {
                true => column.write(true, json, &format!("$.\"{}\"", column.name)),
                false => column.write(false, json, &format!("'{}'", column.name)),
            })
            .collect();
        let rest: Vec<_> = self
            .columns
            .iter()
            .filter(|column| column.position == 0)
            .map(|column| format!("{0} = excluded.{0}", quoted(&column.name)))
            .collect();
        let replace = match rest.is_empty() {
            true => "nothing".to_owned(),
            false => format!("update set {}", rest.join(", ")),
        };
        format!(
            "insert into {} ({}) select {} from {rows} on conflict ({}) do {replace}",
            quoted(&self.table),
            names.join(", "),
            values.join(", "),
            self.names()
        )
    }
}

/// What a query of a [`Shape`] finds.
pub async fn rows(conn: &mut Conn, query: &str, parameter: Option<&str>) -> Result<Vec<Item>> {
    let rows: Vec<Row> = match parameter {
        Some(parameter) => on!(conn, |c| sql_query(query).bind::<Text, _>(parameter).load(c).await)?,
        None => on!(conn, |c| sql_query(query).load(c).await)?,
    };
    rows.into_iter()
        .map(|row| {
            // The databases put spaces at different places.
            let key = serde_json::from_str::<Value>(&row.key)?.to_string();
            Ok(Item { key, value: serde_json::from_str(&row.value)? })
        })
        .collect()
}

/// Runs a query of a [`Shape`] that changes something.
pub async fn run(conn: &mut Conn, query: &str, parameter: &str) -> Result<()> {
    on!(conn, |c| sql_query(query).bind::<Text, _>(parameter).execute(c).await)?;
    Ok(())
}
