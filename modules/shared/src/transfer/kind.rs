//! What a module keeps, said once for both families of databases: which rows make a thing, and which document it is.

use mongodb::bson::{self, Bson, Document};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{BATCH, Item};
use crate::{Error, Id, Result, Time, ids::Entity};

/// One kind of thing. Its items are its rows, as JSON; those of [`Kind::parts`] are inside the row they belong to, as a list
/// named like their table.
#[derive(Clone, Copy)]
pub struct Kind {
    /// The table whose rows are the items, and what the items are called in every database.
    pub table: &'static str,
    /// The columns that tell the items apart. What they hold makes the document's `_id`, with `/` between; they are members
    /// too, but for one that is called `_id`.
    pub key: &'static [Member],
    /// The other columns that the document has as members. The rest is known to `row` and `document`.
    pub members: &'static [Member],
    /// Rows of other tables that belong to an item.
    pub parts: &'static [Part],
    /// There is no table with a row an item: the rows of the one part are taken together by the key.
    pub grouped: bool,
    /// Where the documents are.
    pub collection: &'static str,
    /// Collections of documents that belong to an item's: their names, and the member of theirs that names the item's.
    /// [`Kind::row`] finds them in a list named like the collection, and [`Kind::document`] leaves them there.
    pub beside: &'static [(&'static str, &'static str)],
    /// The row of a document.
    pub row: fn(&Kind, &Document) -> Result<Value>,
    /// The document of a row; its `_id` need not be there.
    pub document: fn(&Kind, &Value) -> Result<Document>,
    /// Changes a row of the tables to what it is after it has been a document: the two mean the same.
    pub same: fn(&mut Value) -> Result<()>,
    /// The item that a collection without documents stands for.
    pub first: Option<fn() -> Value>,
    /// How many are read and written at a time.
    pub batch: u32,
}

/// What most kinds have, for `..KIND`.
pub const KIND: Kind = Kind {
    table: "",
    key: &[],
    members: &[],
    parts: &[],
    grouped: false,
    collection: "",
    beside: &[],
    row: Kind::row_of_members,
    document: Kind::document_of_members,
    same: |_| Ok(()),
    first: None,
    batch: BATCH,
};

/// Rows of a table that belong to another's.
#[derive(Clone, Copy)]
pub struct Part {
    pub table: &'static str,
    /// Its columns that hold the item's key. They are not in its rows here, because the item's row has them.
    pub key: &'static [&'static str],
    /// What its rows are in the document.
    pub form: Form,
    /// What is read besides its columns, and never written: a name and the expression.
    pub also: Option<(&'static str, &'static str)>,
}

/// What a part's rows are in the document.
#[derive(Clone, Copy)]
pub enum Form {
    /// A list of documents.
    Documents(&'static str, &'static [Member]),
    /// A list of values.
    Values(&'static str, Member),
    /// A list of values whose order counts. The rows have it in the column `position`, and are numbered anew.
    Ordered(&'static str, Member),
    /// [`Kind::row`] and [`Kind::document`] know.
    Other,
}

/// A column, and the member of the document that holds the same.
#[derive(Clone, Copy)]
pub struct Member {
    column: &'static str,
    name: &'static str,
    absent: bool,
    to: fn(&Value) -> Result<Bson>,
    from: fn(&Bson) -> Result<Value>,
    same: fn(&Value) -> Result<Value>,
}

impl Member {
    /// It has another name in the document.
    pub const fn called(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// What is null in the table is absent from the document.
    pub const fn optional(self) -> Self {
        Self { absent: true, ..self }
    }

    fn to(&self, row: &Value) -> Result<Bson> {
        match row.get(self.column) {
            None | Some(Value::Null) => Ok(Bson::Null),
            Some(value) => (self.to)(value).map_err(|error| self.malformed(error)),
        }
    }

    fn from(&self, document: &Document) -> Result<Value> {
        match document.get(self.name) {
            None | Some(Bson::Null) => Ok(Value::Null),
            Some(value) => (self.from)(value).map_err(|error| self.malformed(error)),
        }
    }

    fn same(&self, row: &mut Value) -> Result<()> {
        match row.get_mut(self.column) {
            None | Some(Value::Null) => {}
            Some(value) => *value = (self.same)(value).map_err(|error| self.malformed(error))?,
        }
        Ok(())
    }

    fn malformed(&self, error: Error) -> Error {
        Error::internal(format!("{} is malformed", self.column)).caused_by(error)
    }
}

/// Text, a whole number, or a truth.
pub const fn plain(column: &'static str) -> Member {
    Member {
        column,
        name: column,
        absent: false,
        to: plain_to,
        from: plain_from,
        same: |value| Ok(value.clone()),
    }
}

/// A UUID in the table, an id with its prefix in the document.
pub const fn id<E: Entity>(column: &'static str) -> Member {
    Member { to: id_to::<E>, from: id_from::<E>, ..plain(column) }
}

/// A time; in the document µs.
pub const fn time(column: &'static str) -> Member {
    Member { to: time_to, from: time_from, ..plain(column) }
}

/// A whole number that is the `_id`: text of one width, so that ids sort like numbers.
pub const fn number_id(column: &'static str) -> Member {
    Member { name: "_id", to: number_to, from: number_from, ..plain(column) }
}

/// JSON text in the table, and what it says in the document.
pub const fn json<T: Serialize + DeserializeOwned>(column: &'static str) -> Member {
    Member { to: json_to::<T>, from: json_from::<T>, same: json_same::<T>, ..plain(column) }
}

fn plain_to(value: &Value) -> Result<Bson> {
    match value {
        Value::String(text) => Ok(Bson::String(text.clone())),
        Value::Bool(truth) => Ok(Bson::Boolean(*truth)),
        Value::Number(number) => number.as_i64().map(Bson::Int64).ok_or_else(|| wrong(value)),
        _ => Err(wrong(value)),
    }
}

fn plain_from(value: &Bson) -> Result<Value> {
    match value {
        Bson::String(text) => Ok(json!(text)),
        Bson::Boolean(truth) => Ok(json!(truth)),
        Bson::Int64(number) => Ok(json!(number)),
        Bson::Int32(number) => Ok(json!(number)),
        _ => Err(wrong(value)),
    }
}

fn id_to<E: Entity>(value: &Value) -> Result<Bson> {
    Ok(Bson::String(parsed::<E>(value)?.to_string()))
}

/// The id whose UUID is in a row.
pub fn parsed<E: Entity>(value: &Value) -> Result<Id<E>> {
    Ok(Id::from_uuid(text(value)?.parse::<Uuid>().map_err(Error::internal)?))
}

fn id_from<E: Entity>(value: &Bson) -> Result<Value> {
    let id: Id<E> = value.as_str().ok_or_else(|| wrong(value))?.parse().map_err(Error::internal)?;
    Ok(json!(id.uuid()))
}

fn time_to(value: &Value) -> Result<Bson> {
    Ok(Bson::Int64(Time::deserialize(value)?.micros()))
}

fn time_from(value: &Bson) -> Result<Value> {
    Ok(json!(Time::from_micros(value.as_i64().ok_or_else(|| wrong(value))?)))
}

fn number_to(value: &Value) -> Result<Bson> {
    Ok(Bson::String(format!("{:019}", value.as_i64().ok_or_else(|| wrong(value))?)))
}

fn number_from(value: &Bson) -> Result<Value> {
    let number: i64 = value.as_str().ok_or_else(|| wrong(value))?.parse().map_err(Error::internal)?;
    Ok(json!(number))
}

fn json_to<T: Serialize + DeserializeOwned>(value: &Value) -> Result<Bson> {
    let said: T = serde_json::from_str(text(value)?)?;
    bson::serialize_to_bson(&said).map_err(Error::internal)
}

fn json_from<T: Serialize + DeserializeOwned>(value: &Bson) -> Result<Value> {
    let said: T = bson::deserialize_from_bson(value.clone()).map_err(Error::internal)?;
    Ok(Value::String(serde_json::to_string(&said)?))
}

fn json_same<T: Serialize + DeserializeOwned>(value: &Value) -> Result<Value> {
    let said: T = serde_json::from_str(text(value)?)?;
    Ok(Value::String(serde_json::to_string(&said)?))
}

/// The text that a value must be.
pub fn text(value: &Value) -> Result<&str> {
    value.as_str().ok_or_else(|| wrong(value))
}

fn wrong(value: &impl std::fmt::Debug) -> Error {
    Error::internal(format!("something else is expected than {value:?}"))
}

impl Kind {
    /// [`Kind::row`] where the members are everything.
    pub fn row_of_members(&self, document: &Document) -> Result<Value> {
        let mut row = Map::new();
        for member in self.key.iter().chain(self.members) {
            row.insert(member.column.to_owned(), member.from(document)?);
        }
        for part in self.parts {
            if let Some(rows) = part.rows(document)? {
                row.insert(part.table.to_owned(), Value::Array(rows));
            }
        }
        Ok(Value::Object(row))
    }

    /// [`Kind::document`] where the members are everything.
    pub fn document_of_members(&self, row: &Value) -> Result<Document> {
        let mut document = document(self.members, row)?;
        for member in self.key.iter().filter(|member| member.name != "_id") {
            document.insert(member.name, member.to(row)?);
        }
        for part in self.parts {
            if let Some((name, list)) = part.list(row)? {
                document.insert(name, list);
            }
        }
        Ok(document)
    }

    /// The columns of the key.
    pub(super) fn columns(&self) -> Vec<&'static str> {
        self.key.iter().map(|member| member.column).collect()
    }

    /// The key of an item: the JSON list of what its columns hold.
    pub(super) fn key_of(&self, row: &Value) -> Result<String> {
        let columns: Vec<_> = self.key.iter().map(|member| row.get(member.column)).collect();
        Ok(serde_json::to_string(&columns)?)
    }

    /// The `_id` of the document whose item has this key.
    pub(super) fn id_of(&self, key: &str) -> Result<String> {
        let values: Vec<Value> = serde_json::from_str(key)?;
        let texts = self.key.iter().zip(&values).map(|(member, value)| match (member.to)(value)? {
            Bson::String(text) => Ok(text),
            Bson::Int64(number) => Ok(number.to_string()),
            other => Err(wrong(&other)),
        });
        Ok(texts.collect::<Result<Vec<_>>>()?.join("/"))
    }

    pub(super) fn item(&self, document: &Document) -> Result<Item> {
        let mut value = (self.row)(self, document)?;
        self.sort(&mut value);
        Ok(Item { key: self.key_of(&value)?, value })
    }

    /// Brings what the tables hold to the one form.
    pub(super) fn unify(&self, row: &mut Value) -> Result<()> {
        for member in self.members {
            member.same(row)?;
        }
        for part in self.parts {
            part.unify(row.get_mut(part.table))?;
        }
        (self.same)(row)?;
        self.sort(row);
        Ok(())
    }

    /// What belongs to an item comes in no order of its own.
    fn sort(&self, row: &mut Value) {
        for part in self.parts.iter().filter(|part| !matches!(part.form, Form::Ordered(..))) {
            if let Some(Value::Array(rows)) = row.get_mut(part.table) {
                rows.sort_by_cached_key(ToString::to_string);
            }
        }
    }
}

impl Part {
    fn rows(&self, document: &Document) -> Result<Option<Vec<Value>>> {
        let (name, members) = match &self.form {
            Form::Documents(name, members) => (name, *members),
            Form::Values(name, member) | Form::Ordered(name, member) => (name, std::slice::from_ref(member)),
            Form::Other => return Ok(None),
        };
        let mut rows = Vec::new();
        for (position, element) in list(document, name)?.iter().enumerate() {
            let mut row = Map::new();
            for member in members {
                let value = match (&self.form, element) {
                    (Form::Documents(..), Bson::Document(inner)) => member.from(inner)?,
                    _ => (member.from)(element)?,
                };
                row.insert(member.column.to_owned(), value);
            }
            if let Form::Ordered(..) = self.form {
                row.insert("position".to_owned(), json!(position));
            }
            rows.push(Value::Object(row));
        }
        Ok(Some(rows))
    }

    fn list(&self, row: &Value) -> Result<Option<(&'static str, Vec<Bson>)>> {
        let rows = part_rows(row, self.table)?;
        let (name, list) = match &self.form {
            Form::Documents(name, members) => {
                let inner = |row| Ok(Bson::Document(document(members, row)?));
                (*name, rows.iter().map(inner).collect::<Result<_>>()?)
            }
            Form::Values(name, member) | Form::Ordered(name, member) => {
                (*name, rows.iter().map(|row| member.to(row)).collect::<Result<_>>()?)
            }
            Form::Other => return Ok(None),
        };
        Ok(Some((name, list)))
    }

    fn unify(&self, rows: Option<&mut Value>) -> Result<()> {
        let Some(Value::Array(rows)) = rows else { return Ok(()) };
        let members = match &self.form {
            Form::Documents(_, members) => *members,
            Form::Values(_, member) | Form::Ordered(_, member) => std::slice::from_ref(member),
            Form::Other => &[],
        };
        for row in rows.iter_mut() {
            for member in members {
                member.same(row)?;
            }
        }
        if let Form::Ordered(..) = self.form {
            rows.sort_by_cached_key(|row| (row.get("position").and_then(Value::as_i64), row.to_string()));
            for (position, row) in rows.iter_mut().enumerate() {
                if let Some(place) = row.get_mut("position") {
                    *place = json!(position);
                }
            }
        }
        Ok(())
    }
}

/// The rows of a part, in an item's row.
pub fn part_rows<'a>(row: &'a Value, table: &str) -> Result<&'a [Value]> {
    match row.get(table) {
        Some(Value::Array(rows)) => Ok(rows),
        _ => Err(Error::internal(format!("{table} is not in {row}"))),
    }
}

/// A list in a document.
pub fn list<'a>(document: &'a Document, name: &str) -> Result<&'a [Bson]> {
    Ok(document.get_array(name).map_err(Error::internal)?)
}

fn document(members: &[Member], row: &Value) -> Result<Document> {
    let mut document = Document::new();
    for member in members {
        match member.to(row)? {
            Bson::Null if member.absent => {}
            value => {
                document.insert(member.name, value);
            }
        }
    }
    Ok(document)
}

/// Brings JSON text in a column to what this version would write.
pub fn rewritten<T: Serialize + DeserializeOwned>(row: &mut Value, column: &'static str) -> Result<()> {
    json::<T>(column).same(row)
}
