//! UTC times in whole microseconds, and the clock they come from.

use std::{fmt, sync::Arc, sync::Mutex, time::Duration};

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    serialize::{self, IsNull, Output, ToSql},
    sql_types::{self, SqlType},
    sqlite::Sqlite,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment, UTC, whole microseconds. As text RFC 3339: `2026-03-01T12:00:00.000000Z`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = SqlTime)]
pub struct Time(DateTime<Utc>);

impl Time {
    /// Cut to whole microseconds, because PostgreSQL keeps no more.
    pub fn new(time: DateTime<Utc>) -> Self {
        Self::from_micros(time.timestamp_micros())
    }

    /// Microseconds since 1970-01-01T00:00:00Z. Out of range: the epoch.
    pub fn from_micros(micros: i64) -> Self {
        Self(DateTime::from_timestamp_micros(micros).unwrap_or_default())
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// Seconds since 1970-01-01T00:00:00Z, for tokens.
    pub fn seconds(self) -> i64 {
        self.0.timestamp()
    }

    /// The moment `duration` later. Saturates.
    pub fn after(self, duration: Duration) -> Self {
        Self::from_micros(
            self.micros().saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// The moment `duration` earlier. Saturates.
    pub fn before(self, duration: Duration) -> Self {
        Self::from_micros(
            self.micros().saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.micros() - earlier.micros()).unwrap_or(0))
    }

    /// For calendars.
    pub fn utc(self) -> DateTime<Utc> {
        self.0
    }

    /// Fixed width, so that the text sorts like the time.
    fn text(self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::Micros, true)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}
impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}
impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        DateTime::<Utc>::deserialize(deserializer).map(Self::new)
    }
}
impl utoipa::PartialSchema for Time {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::DateTime)))
            .into()
    }
}
impl utoipa::ToSchema for Time {}

/// `timestamptz` in PostgreSQL, RFC 3339 text of fixed width in SQLite.
#[derive(Clone, Copy, Debug, SqlType, diesel::query_builder::QueryId)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185), sqlite_type(name = "Text"))]
pub struct SqlTime;

impl ToSql<SqlTime, Pg> for Time {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<sql_types::Timestamptz, Pg>::to_sql(&self.0, &mut out.reborrow())
    }
}
impl FromSql<SqlTime, Pg> for Time {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<sql_types::Timestamptz, Pg>::from_sql(bytes).map(Self::new)
    }
}
impl ToSql<SqlTime, Sqlite> for Time {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.text());
        Ok(IsNull::No)
    }
}
impl FromSql<SqlTime, Sqlite> for Time {
    fn from_sql(bytes: <Sqlite as diesel::backend::Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<sql_types::Text, Sqlite>>::from_sql(bytes)?;
        Ok(Self::new(DateTime::parse_from_rfc3339(&text)?.to_utc()))
    }
}

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Time;
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one clock that reads the machine's time")]
    fn now(&self) -> Time {
        Time::new(Utc::now())
    }
}

/// The machine's clock, shared.
pub fn system_clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// A clock that a test moves by hand.
pub struct ManualClock(Mutex<Time>);

impl ManualClock {
    /// Stands still at `start`.
    pub fn at(start: Time) -> Arc<Self> {
        Arc::new(Self(Mutex::new(start)))
    }

    /// Moves forward.
    pub fn advance(&self, duration: Duration) {
        let mut now = self.0.lock().expect("nobody panics while holding the clock");
        *now = now.after(duration);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        *self.0.lock().expect("nobody panics while holding the clock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_sorts_like_time() {
        let times = [0, 1, 999_999, 1_000_000, 1_700_000_000_123_456].map(Time::from_micros);
        assert!(
            times.windows(2).all(|w| w[0].text() < w[1].text() && w[0].text().len() == w[1].text().len())
        );
    }

    #[test]
    fn a_time_keeps_microseconds_through_json() {
        let time = Time::from_micros(1_700_000_000_123_456);
        assert_eq!(serde_json::from_str::<Time>(&serde_json::to_string(&time).unwrap()).unwrap(), time);
    }
}
