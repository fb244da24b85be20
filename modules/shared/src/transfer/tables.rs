//! Tables of a relational database, row by row: PostgreSQL and SQLite have the same ones, made by the same migrations.

use async_trait::async_trait;
use diesel::{
    QueryableByName, sql_query,
    sql_types::{BigInt, Text},
};
use diesel_async::RunQueryDsl;
use serde_json::Value;

use super::{Item, Transfer};
use crate::{
    Error, Result,
    db::{Db, Migrations, on},
};

/// The tables that some migrations make. A key is the JSON list of the primary key's columns.
pub struct Tables {
    db: Db,
    names: Vec<String>,
}

impl Tables {
    /// In the order in which they are made, so that what is referred to comes first.
    pub fn new(db: Db, migrations: &[Migrations]) -> Self {
        let statements =
            migrations.iter().flat_map(|module| module.list.iter().map(|migration| migration.up));
        let names = statements.flat_map(made).collect();
        Self { db, names }
    }

    async fn columns(&self, table: &str) -> Result<Vec<Column>> {
        let query = if self.db.is_sqlite() {
            "select name, lower(type) as kind, pk as position from pragma_table_info(?1) order by cid"
        } else {
            "select a.attname::text as name, format_type(a.atttypid, null) as kind,
                coalesce((select array_position(i.indkey::int[], a.attnum::int) + 1 from pg_index i
                    where i.indrelid = a.attrelid and i.indisprimary), 0)::bigint as position
             from pg_attribute a where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped
             order by a.attnum"
        };
        let mut conn = self.db.get().await?;
        let columns: Vec<Column> = on!(&mut conn, |c| sql_query(query).bind::<Text, _>(table).load(c).await)?;
        if columns.iter().all(|column| column.position == 0) {
            return Err(Error::internal(format!("the table {table} is not there or has no primary key")));
        }
        Ok(columns)
    }
}

/// The tables that a migration makes.
fn made(sql: &'static str) -> impl Iterator<Item = String> {
    sql.lines().filter_map(|line| {
        let name = line.trim().strip_prefix("create table ")?;
        Some(name.split([' ', '(']).next()?.to_owned())
    })
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    /// As the migration calls it, but for PostgreSQL's long word for times.
    #[diesel(sql_type = Text)]
    kind: String,
    /// In the primary key, from 1; 0 outside.
    #[diesel(sql_type = BigInt)]
    position: i64,
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

/// The queries of one table.
struct Shape {
    sqlite: bool,
    table: String,
    columns: Vec<Column>,
}

impl Shape {
    /// The columns of the primary key, in its order.
    fn key(&self) -> Vec<&Column> {
        let mut key: Vec<_> = self.columns.iter().filter(|column| column.position > 0).collect();
        key.sort_by_key(|column| column.position);
        key
    }

    fn read(&self, filter: &str, order: &str, limit: u32) -> String {
        let (array, object) = match self.sqlite {
            true => ("json_array", "json_object"),
            false => ("json_build_array", "json_build_object"),
        };
        let key: Vec<_> = self.key().iter().map(|column| column.read(self.sqlite)).collect();
        let value: Vec<_> =
            self.columns.iter().map(|c| format!("'{}', {}", c.name, c.read(self.sqlite))).collect();
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

    /// Rows after the key that is the one parameter.
    fn after(&self) -> String {
        let names: Vec<_> = self.key().iter().map(|column| quoted(&column.name)).collect();
        let json = if self.sqlite { "?1" } else { "$1::json" };
        let values: Vec<_> = self
            .key()
            .iter()
            .enumerate()
            .map(|(i, column)| match self.sqlite {
                true => column.write(true, json, &format!("$[{i}]")),
                false => column.write(false, json, &i.to_string()),
            })
            .collect();
        format!("where ({}) > ({})", names.join(", "), values.join(", "))
    }

    /// Rows from the JSON list that is the one parameter.
    fn write(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| quoted(&column.name)).collect();
        let (rows, json) = match self.sqlite {
            true => ("json_each(?1) as r where true", "r.value"),
            false => ("json_array_elements($1::json) as r", "r"),
        };
        let values: Vec<_> = self
            .columns
            .iter()
            .map(|column| match self.sqlite {
                true => column.write(true, json, &format!("$.\"{}\"", column.name)),
                false => column.write(false, json, &format!("'{}'", column.name)),
            })
            .collect();
        let key: Vec<_> = self.key().iter().map(|column| quoted(&column.name)).collect();
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
            key.join(", ")
        )
    }
}

impl Tables {
    async fn shape(&self, table: &str) -> Result<Shape> {
        let columns = self.columns(table).await?;
        Ok(Shape { sqlite: self.db.is_sqlite(), table: table.to_owned(), columns })
    }

    async fn rows(&self, query: String, after: Option<&str>) -> Result<Vec<Item>> {
        let mut conn = self.db.get().await?;
        let rows: Vec<Row> = match after {
            Some(after) => on!(&mut conn, |c| sql_query(&query).bind::<Text, _>(after).load(c).await)?,
            None => on!(&mut conn, |c| sql_query(&query).load(c).await)?,
        };
        rows.into_iter()
            .map(|row| {
                // The databases put spaces at different places.
                let key = serde_json::from_str::<Value>(&row.key)?.to_string();
                Ok(Item { key, value: serde_json::from_str(&row.value)? })
            })
            .collect()
    }
}

#[async_trait]
impl Transfer for Tables {
    async fn kinds(&self) -> Result<Vec<String>> {
        Ok(self.names.clone())
    }

    async fn read(&self, kind: &str, after: Option<&str>, limit: u32) -> Result<Vec<Item>> {
        let shape = self.shape(kind).await?;
        let filter = if after.is_some() { shape.after() } else { String::new() };
        self.rows(shape.read(&filter, "asc", limit), after).await
    }

    async fn write(&self, kind: &str, items: Vec<Item>) -> Result<()> {
        let query = self.shape(kind).await?.write();
        let rows = serde_json::to_string(&items.into_iter().map(|item| item.value).collect::<Vec<_>>())?;
        self.db
            .transaction(async move |tx| {
                on!(tx, |c| sql_query(&query).bind::<Text, _>(&rows).execute(c).await)?;
                Ok(())
            })
            .await
    }

    async fn last(&self, kind: &str) -> Result<Option<String>> {
        let shape = self.shape(kind).await?;
        Ok(self.rows(shape.read("", "desc", 1), None).await?.pop().map(|item| item.key))
    }
}
