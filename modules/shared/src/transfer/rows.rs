//! Things in the tables of a relational database.

use std::collections::HashMap;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    BATCH, Item, Kind, Transfer,
    kind::{Part, part_rows},
    shape::{Shape, rows, run},
};
use crate::{Error, Result, db::Db};

/// What is kept in tables.
pub struct Rows {
    db: Db,
    kinds: &'static [Kind],
}

impl Rows {
    /// In the order in which they may be written.
    pub fn new(db: Db, kinds: &'static [Kind]) -> Self {
        Self { db, kinds }
    }

    fn kind(&self, name: &str) -> Result<&'static Kind> {
        let found = self.kinds.iter().find(|kind| kind.table == name);
        found.ok_or_else(|| Error::internal(format!("nobody keeps {name}")))
    }

    async fn shape(&self, kind: &Kind) -> Result<Shape> {
        Ok(Shape::of(&self.db, kind.table).await?.by(&kind.columns()))
    }

    async fn part(&self, part: &Part) -> Result<Shape> {
        let mut shape = Shape::of(&self.db, part.table).await?.by(part.key);
        shape.also = part.also;
        Ok(shape)
    }

    async fn items(&self, kind: &Kind, query: &str, parameter: Option<&str>) -> Result<Vec<Item>> {
        let mut items = rows(&mut self.db.get().await?, query, parameter).await?;
        let (Some(first), Some(last)) = (items.first(), items.last()) else { return Ok(items) };
        let range = format!("[{},{}]", first.key, last.key);
        for part in kind.parts {
            let shape = self.part(part).await?;
            let query = shape.read(&shape.between(), "asc", u32::MAX);
            let mut theirs = HashMap::<String, Vec<Value>>::new();
            for Item { key, mut value } in rows(&mut self.db.get().await?, &query, Some(&range)).await? {
                if let Value::Object(row) = &mut value {
                    row.retain(|name, _| !part.key.contains(&name.as_str()));
                }
                theirs.entry(key).or_default().push(value);
            }
            for Item { key, value } in &mut items {
                let theirs = theirs.remove(key).unwrap_or_default();
                if let Value::Object(row) = value {
                    row.insert(part.table.to_owned(), Value::Array(theirs));
                }
            }
        }
        for item in &mut items {
            kind.unify(&mut item.value)?;
        }
        Ok(items)
    }
}

#[async_trait]
impl Transfer for Rows {
    async fn kinds(&self) -> Result<Vec<String>> {
        Ok(self.kinds.iter().map(|kind| kind.table.to_owned()).collect())
    }

    fn batch(&self, kind: &str) -> u32 {
        self.kind(kind).map_or(BATCH, |kind| kind.batch)
    }

    async fn read(&self, kind: &str, after: Option<&str>, limit: u32) -> Result<Vec<Item>> {
        let kind = self.kind(kind)?;
        let shape = self.shape(kind).await?;
        let filter = if after.is_some() { shape.that(">") } else { String::new() };
        let query = match kind.grouped {
            true => shape.read_keys(&filter, "asc", limit),
            false => shape.read(&filter, "asc", limit),
        };
        self.items(kind, &query, after).await
    }

    async fn write(&self, kind: &str, items: Vec<Item>) -> Result<()> {
        let kind = self.kind(kind)?;
        let keys = format!("[{}]", items.iter().map(|item| item.key.as_str()).collect::<Vec<_>>().join(","));
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for part in kind.parts {
            before.push((self.part(part).await?.delete(), keys.clone()));
            let rows =
                items.iter().map(|item| with_key(kind, part, &item.value)).collect::<Result<Vec<_>>>()?;
            let rows = Value::Array(rows.into_iter().flatten().collect()).to_string();
            after.push((Shape::of(&self.db, part.table).await?.write(), rows));
        }
        if !kind.grouped {
            let rows = Value::Array(items.into_iter().map(|item| item.value).collect()).to_string();
            before.push((self.shape(kind).await?.write(), rows));
        }
        before.extend(after);
        self.db
            .transaction(async move |tx| {
                for (query, parameter) in &before {
                    run(tx, query, parameter).await?;
                }
                Ok(())
            })
            .await
    }

    async fn last(&self, kind: &str) -> Result<Option<String>> {
        let kind = self.kind(kind)?;
        let query = self.shape(kind).await?.read_keys("", "desc", 1);
        Ok(rows(&mut self.db.get().await?, &query, None).await?.pop().map(|item| item.key))
    }

    async fn has(&self, kind: &str, key: &str) -> Result<bool> {
        let shape = self.shape(self.kind(kind)?).await?;
        let query = shape.read_keys(&shape.that("="), "asc", 1);
        Ok(!rows(&mut self.db.get().await?, &query, Some(key)).await?.is_empty())
    }
}

/// The rows of a part, with the key of the item that they belong to.
fn with_key(kind: &Kind, part: &Part, item: &Value) -> Result<Vec<Value>> {
    let mut rows = part_rows(item, part.table)?.to_vec();
    for row in rows.iter_mut().filter_map(Value::as_object_mut) {
        for (name, column) in part.key.iter().zip(kind.columns()) {
            row.insert((*name).to_owned(), item.get(column).cloned().unwrap_or(json!(null)));
        }
    }
    Ok(rows)
}
