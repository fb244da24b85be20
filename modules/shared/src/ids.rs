//! Typed ids: a prefix and 16 bytes in lower-case base32 that sorts by time (`ord_06ar…`).

use std::{cmp::Ordering, fmt, hash, marker::PhantomData, str::FromStr};

use data_encoding::BASE32_DNSSEC as BASE32;
use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    serialize::{self, IsNull, Output, ToSql},
    sql_types::{self, SqlType},
    sqlite::Sqlite,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::Error;

/// What an id names. Implemented by empty types beside the contract that owns the thing.
pub trait Entity: Send + Sync + 'static {
    /// Three or four letters, without the underscore.
    const PREFIX: &'static str;
    /// The noun for messages: "no such order".
    const NOUN: &'static str;
}

/// The id of an `E`. As text: `<prefix>_<26 characters>`; as JSON that text;
/// in PostgreSQL `uuid`, in SQLite the UUID's 36 characters.
#[derive(AsExpression, FromSqlRow)]
#[diesel(sql_type = SqlId)]
pub struct Id<E: Entity>(Uuid, PhantomData<fn() -> E>);

impl<E: Entity> Id<E> {
    /// A new id that sorts after earlier ones (UUIDv7).
    #[expect(clippy::new_without_default, reason = "a default id would be a different one each time")]
    pub fn new() -> Self {
        Self(Uuid::now_v7(), PhantomData)
    }

    /// A new id that nobody can guess (UUIDv4): for things whose id is the key to them, such as carts.
    pub fn random() -> Self {
        Self(Uuid::new_v4(), PhantomData)
    }

    /// A new id that carries a hash bucket (0..1024) in its last ten bits: see [`Id::bucket`].
    pub fn in_bucket(bucket: u16) -> Self {
        let mut bytes = *Uuid::now_v7().as_bytes();
        bytes[14] = (bytes[14] & !0b11) | ((bucket >> 8) as u8 & 0b11);
        bytes[15] = bucket as u8;
        Self(Uuid::from_bytes(bytes), PhantomData)
    }

    /// The id that always belongs to `seed`: for records that must be written at most once per cause.
    pub fn derived(seed: &str) -> Self {
        use sha2::Digest;
        let digest = sha2::Sha256::digest(format!("{}:{seed}", E::PREFIX));
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid(), PhantomData)
    }

    /// The last ten bits: the virtual shard an order lives in.
    pub fn bucket(&self) -> u16 {
        let bytes = self.0.as_bytes();
        u16::from(bytes[14] & 0b11) << 8 | u16::from(bytes[15])
    }

    /// The 16 bytes.
    pub const fn uuid(&self) -> Uuid {
        self.0
    }

    /// From the 16 bytes.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// "no such order".
    pub fn not_found() -> Error {
        Error::not_found(E::NOUN)
    }
}

impl<E: Entity> fmt::Display for Id<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", E::PREFIX, BASE32.encode(self.0.as_bytes()))
    }
}

impl<E: Entity> fmt::Debug for Id<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not an id of this kind.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("not a valid id: expected {0}_ and 26 characters")]
pub struct ParseIdError(&'static str);

impl<E: Entity> FromStr for Id<E> {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let wrong = ParseIdError(E::PREFIX);
        let encoded = text.strip_prefix(E::PREFIX).and_then(|t| t.strip_prefix('_')).ok_or(wrong)?;
        let mut bytes = [0; 16];
        if encoded.len() != 26 || encoded.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(wrong);
        }
        BASE32.decode_mut(encoded.as_bytes(), &mut bytes).map_err(|_| wrong)?;
        Ok(Self(Uuid::from_bytes(bytes), PhantomData))
    }
}

impl<E: Entity> Clone for Id<E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E: Entity> Copy for Id<E> {}
impl<E: Entity> PartialEq for Id<E> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<E: Entity> Eq for Id<E> {}
impl<E: Entity> PartialOrd for Id<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<E: Entity> Ord for Id<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<E: Entity> hash::Hash for Id<E> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<E: Entity> Serialize for Id<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de, E: Entity> Deserialize<'de> for Id<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl<E: Entity> utoipa::PartialSchema for Id<E> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some(format!("^{}_[0-9a-v]{{26}}$", E::PREFIX)))
            .into()
    }
}
impl<E: Entity> utoipa::ToSchema for Id<E> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("{}_id", E::PREFIX).into()
    }
}

/// `uuid` in PostgreSQL, `TEXT` in SQLite.
#[derive(Clone, Copy, Debug, SqlType, diesel::query_builder::QueryId)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951), sqlite_type(name = "Text"))]
pub struct SqlId;

impl<E: Entity> ToSql<SqlId, Pg> for Id<E> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<sql_types::Uuid, Pg>::to_sql(&self.0, out)
    }
}
impl<E: Entity> FromSql<SqlId, Pg> for Id<E> {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<sql_types::Uuid, Pg>::from_sql(bytes).map(Self::from_uuid)
    }
}
impl<E: Entity> ToSql<SqlId, Sqlite> for Id<E> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.to_string());
        Ok(IsNull::No)
    }
}
impl<E: Entity> FromSql<SqlId, Sqlite> for Id<E> {
    fn from_sql(bytes: <Sqlite as diesel::backend::Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<sql_types::Text, Sqlite>>::from_sql(bytes)?;
        Ok(Self::from_uuid(text.parse()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing;
    impl Entity for Thing {
        const PREFIX: &'static str = "thg";
        const NOUN: &'static str = "thing";
    }

    #[test]
    fn an_id_survives_text_and_sorts_by_time() {
        let first = Id::<Thing>::new();
        let second = Id::<Thing>::new();
        assert_eq!(first.to_string().parse::<Id<Thing>>().unwrap(), first);
        assert!(first.to_string() < second.to_string());
    }

    #[test]
    fn ids_of_other_kinds_and_other_spellings_are_refused() {
        let id = Id::<Thing>::new().to_string();
        for wrong in [
            id.replace("thg", "ord"),
            id.to_uppercase(),
            id[..10].to_owned(),
            format!("{id}0"),
            "thg_".to_owned(),
            String::new(),
        ] {
            assert!(wrong.parse::<Id<Thing>>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_id_carries_its_bucket() {
        for bucket in [0, 1, 255, 256, 1023] {
            assert_eq!(Id::<Thing>::in_bucket(bucket).bucket(), bucket);
        }
    }
}
