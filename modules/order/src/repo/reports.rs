//! Sums over placed orders. Cancelled ones do not count: nothing was sold.

use contracts::product::ProductId;
use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Text},
};
use diesel_async::RunQueryDsl;
use shared::{
    Currency, Time,
    db::{Conn, on},
};

use crate::{
    rows::Word,
    schema::{order_lines, orders},
};

const CANCELLED: &str = "cancelled";

#[derive(Queryable)]
pub struct CurrencySums {
    pub currency: Word<Currency>,
    pub orders: i64,
    pub units: i64,
    pub gross: i64,
    pub refunded: i64,
}

pub async fn by_currency(conn: &mut Conn, from: Time, to: Time) -> QueryResult<Vec<CurrencySums>> {
    on!(conn, |c| orders::table
        .filter(orders::placed_at.ge(from).and(orders::placed_at.lt(to)).and(orders::status.ne(CANCELLED)))
        .group_by(orders::currency)
        .select((
            orders::currency,
            sql::<BigInt>("count(*)"),
            sql::<BigInt>("cast(sum(units) as bigint)"),
            sql::<BigInt>("cast(sum(total) as bigint)"),
            sql::<BigInt>("cast(sum(refunded_total) as bigint)"),
        ))
        .order(orders::currency)
        .load(c)
        .await)
}

#[derive(Queryable)]
pub struct DaySums {
    pub day: String,
    pub currency: Word<Currency>,
    pub orders: i64,
    pub gross: i64,
}

/// A UTC day is the start of SQLite's text and a conversion in PostgreSQL.
pub async fn by_day(conn: &mut Conn, from: Time, to: Time) -> QueryResult<Vec<DaySums>> {
    let day = match conn {
        Conn::Postgres(_) => "to_char(placed_at at time zone 'UTC', 'YYYY-MM-DD')",
        Conn::Sqlite(_) => "substr(placed_at, 1, 10)",
    };
    on!(conn, |c| orders::table
        .filter(orders::placed_at.ge(from).and(orders::placed_at.lt(to)).and(orders::status.ne(CANCELLED)))
        .group_by(sql::<Text>("1, 2"))
        .select((
            sql::<Text>(day),
            sql::<Text>("currency"),
            sql::<BigInt>("count(*)"),
            sql::<BigInt>("cast(sum(total) as bigint)"),
        ))
        .order(sql::<Text>("1, 2"))
        .load(c)
        .await)
}

#[derive(Queryable)]
pub struct ProductSums {
    pub product_id: ProductId,
    pub currency: Word<Currency>,
    pub title: String,
    pub units: i64,
    pub gross: i64,
}

pub async fn best_sellers(
    conn: &mut Conn,
    from: Time,
    to: Time,
    limit: i64,
) -> QueryResult<Vec<ProductSums>> {
    on!(conn, |c| order_lines::table
        .inner_join(orders::table)
        .filter(orders::placed_at.ge(from).and(orders::placed_at.lt(to)).and(orders::status.ne(CANCELLED)))
        .group_by((order_lines::product_id, orders::currency))
        .select((
            order_lines::product_id,
            orders::currency,
            sql::<Text>("max(order_lines.title)"),
            sql::<BigInt>("cast(sum(order_lines.quantity) as bigint)"),
            sql::<BigInt>("cast(sum(order_lines.total) as bigint)"),
        ))
        .order((sql::<BigInt>("4 desc"), order_lines::product_id))
        .limit(limit)
        .load(c)
        .await)
}
