//! Reports for readers who are told no small numbers.
//!
//! Whoever is told few would be able to find a person among them, and two numbers that are great have a
//! difference that may be small. So what such a reader is told is not cut out of each answer, but made of
//! the same pieces whatever is asked, and no answer can be taken apart further than to these:
//!
//! - of a day that is over, the whole of it, unless fewer than the least number of visitors came;
//! - of a [`Block`], which is one such day or a few in a row, each value with enough visitors, where the rest
//!   of the block is not few either;
//! - both rounded to a multiple of the least number, for what is known from elsewhere of how two lists hang
//!   together (a page's entries are among its views).
//!
//! What is not told by value is told together, as [`OTHER`].
//!
//! `publish` decides what is told, and is pure; here the database is asked, and rows are made.

pub mod publish;

use std::collections::HashMap;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use self::publish::{Block, Cell, Counts, Day, Told};
use super::{AskError, Row};
use crate::query::dimension::Dimension;
use crate::query::filter::Test;
use crate::query::floor::{Floored, cells, is_about, looks_for, picks};
use crate::query::measure::Measure;
use crate::query::metric::Metric;
use crate::query::{Closed, Known, Query, compile, start_of};
use crate::store::{Store, StoreError};

/// The row of all that is not told by its value.
pub const OTHER: &str = "(other)";

/// All rows of a report, in the order that was asked for.
pub(super) async fn read(
    store: &Store,
    query: &Query,
    floored: &Floored,
) -> Result<Vec<Row>, StoreError> {
    let Some([first, last]) = query.days_over() else { return Ok(rows(query, Vec::new(), 0)) };
    let told = told(store, query, floored).await?;
    let asked = (first, last);
    let whole = told.whole(asked);
    let results = match query.dimensions() {
        [] => vec![(Vec::new(), whole)],
        [Dimension::Time(interval)] => {
            let labels = interval.labels(query.period());
            let label = |day: Date| label_of(&labels, day);
            told.by_label(asked, label)
                .into_iter()
                .map(|(label, counts)| (vec![label], counts))
                .collect()
        }
        dimensions => {
            let cells = read_cells(store, query, &told.blocks(asked), floored).await?;
            let overlap = query.has_overlapping_rows();
            let (values, rest) = told.by_value(asked, cells, overlap);
            let mut rows: Vec<_> = values.into_iter().collect();
            if rest.visitors > 0 {
                rows.push((vec![json!(OTHER); dimensions.len()], rest));
            }
            rows
        }
    };
    Ok(rows(query, results, whole.visitors))
}

/// So many months are looked through at first for a day that is told, and then so many times as many.
const MONTHS_AT_FIRST: i64 = 2;
const TIMES_AS_MANY: i64 = 4;

/// The beginning of the first day that is told to a reader; none, if none is. It hangs on that day's visitors alone, and says no
/// more than that they are enough: whatever came before it was few. `first_event` is when the site's first event was.
pub(super) async fn first_told(
    store: &Store,
    known: &Known<'_>,
    first_event: Timestamp,
) -> Result<Option<Timestamp>, AskError> {
    let zone = &known.site.timezone;
    let kept = known.site.kept_from(known.now);
    let day_of = |moment: Timestamp| zone.to_datetime(moment).date();
    let today = day_of(known.now);
    let mut from = day_of(kept.map_or(first_event, |kept| kept.max(first_event))).first_of_month();
    let mut months = MONTHS_AT_FIRST;
    while from <= today {
        let next = from.saturating_add(months.months());
        let until = next.saturating_sub(1.day()).min(today);
        let query = json!({
            "site_id": known.site.domain, "metrics": ["visitors"], "date_range": [from.to_string(), until.to_string()],
        });
        let query = Query::parse(&query, known)?;
        if let (Some(floored), Some(asked)) = (query.floored(), query.days_over()) {
            let told = told(store, &query, floored).await?;
            if let Some(day) = told.first(asked.into()) {
                return Ok(Some(start_of(day, zone)));
            }
        }
        (from, months) = (next, months * TIMES_AS_MANY);
    }
    Ok(None)
}

/// The pieces that all answers about the query's period are made of.
async fn told(store: &Store, query: &Query, floored: &Floored) -> Result<Told, StoreError> {
    let outside = query.of_days_outside();
    let (days, outside) = tokio::try_join!(days(store, query.of_days()), async {
        match outside {
            Some(outside) => days_of(store, outside).await.map(Some),
            None => Ok(None),
        }
    })?;
    Ok(Told::of(days, outside, query.kept_from_day(), floored.floor))
}

/// The last label that is not after the day: labels are texts of days, in their order.
fn label_of(labels: &[Value], day: Date) -> Value {
    let day = day.to_string();
    let label = labels.iter().rev().find(|label| label.as_str() <= Some(day.as_str()));
    label.cloned().unwrap_or_default()
}

/// Each day with its counts.
async fn days(store: &Store, query: Query) -> Result<Vec<Day>, StoreError> {
    let metrics: Vec<Metric> = query.metrics().iter().filter_map(Measure::metric).collect();
    let rows = store.select(&compile(&query, &Closed::none())).await?;
    let day = |row: Vec<Value>| {
        let date = row.first()?.as_str()?.parse().ok()?;
        let mut counts = Counts::default();
        for (metric, value) in metrics.iter().zip(&row[1..]) {
            counts.take(*metric, value.as_f64().unwrap_or(0.0));
        }
        Some(Day { date, counts: counts.of_rates() })
    };
    let mut days: Vec<Day> = rows.into_iter().filter_map(day).collect();
    days.sort_by_key(|day| day.date);
    Ok(days)
}

/// How many visitors each day had.
async fn days_of(store: &Store, query: Query) -> Result<HashMap<Date, u64>, StoreError> {
    let days = days(store, query).await?;
    Ok(days.into_iter().map(|day| (day.date, day.counts.visitors)).collect())
}

async fn read_cells(
    store: &Store,
    query: &Query,
    blocks: &[&Block],
    floored: &Floored,
) -> Result<Vec<Cell>, StoreError> {
    let named = |(place, block): (usize, &&Block)| {
        block.days.iter().map(|day| (day.to_string(), place.to_string())).collect::<Vec<_>>()
    };
    let days: Vec<_> = blocks.iter().enumerate().flat_map(named).collect();
    if days.is_empty() {
        return Ok(Vec::new());
    }
    let (metrics, statement) = cells(query, days, floored.floor);
    let dimensions = query.dimensions().len();
    let cell = |mut row: Vec<Value>| {
        let numbers = row.split_off((dimensions + 1).min(row.len()));
        let block = row.pop()?.as_str()?.parse().ok()?;
        let mut counts = Counts::default();
        for (metric, number) in metrics.iter().zip(numbers) {
            counts.take(*metric, number.as_f64().unwrap_or(0.0));
        }
        Some(Cell { value: row, block, counts })
    };
    Ok(store.select(&statement).await?.into_iter().filter_map(cell).collect())
}

/// The rows that are wanted, in their order, the rest behind them.
fn rows(query: &Query, results: Vec<(Vec<Value>, Counts)>, whole: u64) -> Vec<Row> {
    let results = match (results.is_empty(), query.dimensions().is_empty()) {
        (true, true) => vec![(Vec::new(), Counts::default())],
        _ => results,
    };
    let is_other = |row: &Row| row.dimensions.first().is_some_and(|value| value == OTHER);
    let picked = query.floored().map_or(&[][..], |floored| &floored.picked);
    let is_wanted = |row: &Row| {
        let value = |test: &Test| {
            let place = query.dimensions().iter().position(|dimension| is_about(test, dimension));
            place.and_then(|place| row.dimensions.get(place)?.as_str()).unwrap_or_default()
        };
        match is_other(row) {
            true => !picked.iter().any(looks_for),
            false => picked.iter().all(|test| picks(test, value(test))),
        }
    };
    let row = |(dimensions, counts): (Vec<Value>, Counts)| Row {
        metrics: query.metrics().iter().map(|metric| counts.value(metric, whole)).collect(),
        dimensions,
    };
    let rows = results.into_iter().map(row).filter(is_wanted);
    let (mut rest, mut rows): (Vec<Row>, Vec<Row>) = rows.partition(is_other);
    super::fill::sort(&mut rows, query);
    rows.append(&mut rest);
    rows
}
