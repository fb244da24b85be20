//! The first page: how the shop does, and what waits for somebody.

use std::{collections::BTreeMap, fmt::Write as _};

use actix_web::web;
use askama::Template;
use chrono::{Days, NaiveDate};
use contracts::{
    customer::Permission,
    order::{OrderSummary, SalesSummary},
    product::stock::{Level, LevelFilter},
};
use serde::Deserialize;
use shared::{Currency, Money, PageRequest};

use super::orders;
use crate::{
    Answer, Page,
    app::{at, get},
};

pub fn configure(config: &mut web::ServiceConfig) {
    at(config, "/admin", [get(overview)]);
}

/// How many orders a to-do counts before it says "and more".
const COUNTED: u32 = 100;

#[derive(Template)]
#[template(path = "admin/overview.html")]
struct Overview<'a> {
    p: &'a Page,
    days: u64,
    figures: Vec<Figure>,
    chart: Chart,
    /// What waits: the view of the list, the icon, the key of the text, how many, and whether there are more.
    todo: Vec<Todo>,
    sales: SalesSummary,
    low: Vec<Level>,
    latest: Vec<OrderSummary>,
}

/// A number with what it was in the period before.
struct Figure {
    label: &'static str,
    value: String,
    /// Percent up or down; none where there was nothing before.
    change: Option<i64>,
    /// Points of a line in a field of 100 by 32.
    line: String,
}

struct Todo {
    view: &'static str,
    icon: &'static str,
    text: &'static str,
    count: usize,
    more: bool,
}

/// Net sales by day, beside the period before.
struct Chart {
    /// SVG path data in a field of 640 by 200.
    now: String,
    area: String,
    before: String,
    /// Heights of the lines with their labels.
    marks: Vec<(f64, String)>,
    /// Places of days with their labels.
    ticks: Vec<(f64, String)>,
    /// Every day with its sales: the same as a table.
    rows: Vec<(String, Money, i64)>,
}

#[derive(Deserialize)]
struct Period {
    days: Option<u64>,
}

async fn overview(p: Page, period: web::Query<Period>) -> Answer {
    p.staff(Permission::OrdersRead)?;
    let days = period.0.days.filter(|days| [7, 30, 90].contains(days)).unwrap_or(30);
    // Whole UTC days, as the summary counts them; today is the last.
    let today = p.now.utc().date_naive();
    let begin = |days: u64| today.checked_sub_days(Days::new(days)).unwrap_or(today);
    let (first, before) = (begin(days - 1), begin(2 * days - 1));
    let midnight = |day: NaiveDate| shared::Time::new(day.and_time(chrono::NaiveTime::MIN).and_utc());
    let ports = p.ports();
    let few = PageRequest { limit: 6, cursor: None };
    let (sales, former, latest) = futures::try_join!(
        ports.orders.summary(midnight(first), p.now),
        ports.orders.summary(midnight(before), midnight(first)),
        ports.orders.list(Default::default(), few.clone())
    )?;
    let low = match p.may(&Permission::InventoryRead) {
        true => {
            let filter = LevelFilter { below: Some(p.said.few + 1), ..LevelFilter::default() };
            ports.stock.levels(filter, few).await?.data
        }
        false => Vec::new(),
    };
    let currency = p.currencies()[0];
    let (series, past) = (series(&sales, first, days, currency), series(&former, before, days, currency));
    let figures = figures(&p, &sales, &former, &series, currency);
    let chart = chart(&p, first, &series, &past, currency);
    let page =
        Overview { p: &p, days, figures, chart, todo: todo(&p).await?, sales, low, latest: latest.data };
    p.html(&page)
}

async fn todo(p: &Page) -> Answer<Vec<Todo>> {
    let mut todo = Vec::new();
    let kinds = [
        ("to-fulfil", "package", "todo-fulfil"),
        ("to-capture", "credit-card", "todo-capture"),
        ("pending", "clock", "todo-pending"),
    ];
    for (view, icon, text) in kinds {
        let page = PageRequest { limit: COUNTED, cursor: None };
        let found = p.ports().orders.list(orders::filter(view), page).await?;
        let (count, more) = (found.data.len(), found.next_cursor.is_some());
        if count > 0 {
            todo.push(Todo { view, icon, text, count, more });
        }
    }
    Ok(todo)
}

/// Sales and orders of each day, days without any included.
fn series(
    sales: &SalesSummary,
    first: NaiveDate,
    days: u64,
    currency: Currency,
) -> Vec<(NaiveDate, i64, i64)> {
    let known: BTreeMap<&str, (i64, i64)> = sales
        .days
        .iter()
        .filter(|day| day.gross.currency == currency)
        .map(|day| (day.day.as_str(), (day.gross.amount, day.orders)))
        .collect();
    let day = |day: NaiveDate| {
        let (amount, orders) = known.get(day.to_string().as_str()).copied().unwrap_or_default();
        (day, amount, orders)
    };
    first.iter_days().take(days as usize).map(day).collect()
}

/// One currency's part of a sum.
fn part(all: &[Money], currency: Currency) -> Money {
    all.iter().find(|money| money.currency == currency).copied().unwrap_or(Money::zero(currency))
}

fn figures(
    p: &Page,
    now: &SalesSummary,
    before: &SalesSummary,
    series: &[(NaiveDate, i64, i64)],
    currency: Currency,
) -> Vec<Figure> {
    let net = |sales: &SalesSummary| part(&sales.net, currency).amount;
    let average = |sales: &SalesSummary| match sales.orders {
        0 => 0,
        orders => part(&sales.gross, currency).amount / orders,
    };
    let money = |amount: i64| p.money(&Money { amount, currency });
    let amounts: Vec<i64> = series.iter().map(|day| day.1).collect();
    let orders: Vec<i64> = series.iter().map(|day| day.2).collect();
    let averages: Vec<i64> = series.iter().map(|day| if day.2 > 0 { day.1 / day.2 } else { 0 }).collect();
    let figure = |label, value, pair: (i64, i64), line: &[i64]| Figure {
        label,
        value,
        change: change(pair.0, pair.1),
        line: points(line),
    };
    vec![
        figure("net-sales", money(net(now)), (net(now), net(before)), &amounts),
        figure("orders-count", p.number(now.orders), (now.orders, before.orders), &orders),
        figure("average-order", money(average(now)), (average(now), average(before)), &averages),
        figure("units-sold", p.number(now.units), (now.units, before.units), &orders),
    ]
}

/// Percent more than before.
fn change(now: i64, before: i64) -> Option<i64> {
    (before > 0).then(|| (now - before) * 100 / before)
}

/// A line through the values, in a field of 100 by 32.
fn points(values: &[i64]) -> String {
    let highest = values.iter().copied().max().unwrap_or(0).max(1) as f64;
    let step = 100.0 / (values.len().max(2) - 1) as f64;
    let mut line = String::new();
    for (index, value) in values.iter().enumerate() {
        write!(line, "{:.1},{:.1} ", index as f64 * step, 30.0 - *value as f64 / highest * 28.0).ok();
    }
    line
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 200.0;

fn chart(
    p: &Page,
    first: NaiveDate,
    now: &[(NaiveDate, i64, i64)],
    before: &[(NaiveDate, i64, i64)],
    currency: Currency,
) -> Chart {
    let highest = now.iter().chain(before).map(|day| day.1).max().unwrap_or(0);
    let unit = 10_i64.pow(currency.exponent());
    let top = round_up((highest / unit).max(1)) * unit;
    let step = WIDTH / (now.len().max(2) - 1) as f64;
    let height = |amount: i64| HEIGHT - amount as f64 / top as f64 * HEIGHT;
    let path = |days: &[(NaiveDate, i64, i64)]| {
        let mut path = String::new();
        for (index, (_, amount, _)) in days.iter().enumerate() {
            let letter = if index == 0 { 'M' } else { 'L' };
            write!(path, "{letter}{:.1} {:.1} ", index as f64 * step, height(*amount)).ok();
        }
        path
    };
    let line = path(now);
    let marks = (0..=4).map(|n| {
        let amount = top * n / 4;
        (height(amount), p.price(&Money { amount, currency }))
    });
    let every = (now.len() / 5).max(1);
    let tick = |index: usize| {
        let day = first.checked_add_days(Days::new(index as u64)).unwrap_or(first);
        (index as f64 * step, p.formats().month_day(day))
    };
    Chart {
        area: format!("{line}L{WIDTH:.1} {HEIGHT:.1} L0 {HEIGHT:.1}Z"),
        now: line,
        before: path(before),
        marks: marks.collect(),
        ticks: (0..now.len()).step_by(every).map(tick).collect(),
        rows: now
            .iter()
            .rev()
            .map(|(day, amount, orders)| {
                (p.formats().month_day(*day), Money { amount: *amount, currency }, *orders)
            })
            .collect(),
    }
}

/// The next number that divides well by four: 4, 8, 20, 40, 80, 200, …
fn round_up(value: i64) -> i64 {
    let mut scale = 1;
    loop {
        for step in [4, 8, 20] {
            if step * scale >= value {
                return step * scale;
            }
        }
        scale *= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_needs_something_before() {
        assert_eq!((change(150, 100), change(50, 100), change(5, 0)), (Some(50), Some(-50), None));
    }

    #[test]
    fn the_axis_ends_at_a_round_number() {
        let tops: Vec<i64> = [1, 5, 9, 21, 81, 4_100].into_iter().map(round_up).collect();
        assert_eq!(tops, [4, 8, 20, 40, 200, 8_000]);
    }

    #[test]
    fn a_line_stays_in_its_field() {
        assert_eq!(points(&[0, 5, 10]), "0.0,30.0 50.0,16.0 100.0,2.0 ");
        assert_eq!(points(&[]), "");
    }
}
