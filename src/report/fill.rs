//! The rows of a time series for the buckets in which nothing happened: `include.zero_fill`.
//!
//! Every series has every bucket of the period: with further dimensions, a series is what they say
//! together, of those that occur. The database sorts and cuts what it has; so what is filled is sorted and
//! cut here, by the same rules.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use super::comparison::key;
use super::money::amount;
use super::{AskError, Row};
use crate::query::dimension::Dimension;
use crate::query::measure::Measure;
use crate::query::{FILLED_ROWS_MAX, OrderKey, Query};

/// All the rows of the report with those of its empty buckets, in the order that was asked for.
///
/// # Errors
/// [`AskError::Invalid`] when they are too many.
pub(super) fn filled(mut rows: Vec<Row>, query: &Query) -> Result<Vec<Row>, AskError> {
    let time =
        query.dimensions().iter().position(|dimension| matches!(dimension, Dimension::Time(_)));
    let (Some(time), Some(interval)) = (time, query.interval()) else { return Ok(rows) };
    let labels = interval.labels(query.period());
    let series = series(&rows, time, query);
    let most = usize::try_from(FILLED_ROWS_MAX).unwrap_or(usize::MAX);
    if rows.len() > most || labels.len().saturating_mul(series.len()) > most {
        return Err(AskError::Invalid(format!(
            "#/include/zero_fill: Invalid zero_fill true: the report has more than {FILLED_ROWS_MAX} rows then."
        )));
    }
    let told: HashSet<String> = rows.iter().map(|row| key(&row.dimensions)).collect();
    let told_rows = rows.len();
    for dimensions in series {
        let of_nothing = of_nothing(query, &dimensions, &rows[..told_rows]);
        for label in &labels {
            let mut dimensions = dimensions.clone();
            dimensions[time] = label.clone();
            if !told.contains(&key(&dimensions)) {
                rows.push(Row { dimensions, metrics: of_nothing.clone() });
            }
        }
    }
    Ok(sorted(rows, told_rows, query))
}

/// The metrics of a row of these dimensions where nothing has happened, beside the rows of its report.
pub(super) fn of_nothing(query: &Query, dimensions: &[Value], rows: &[Row]) -> Vec<Value> {
    let of_nothing = |(place, metric): (usize, &Measure)| {
        let told = rows.iter().map(|row| &row.metrics[place]);
        metric.of_nothing_beside(query.of_nothing(metric, dimensions), told)
    };
    query.metrics().iter().enumerate().map(of_nothing).collect()
}

/// The dimensions of each series, with a null for the time. Without further dimensions there is one, also
/// where nothing happened at all.
fn series(rows: &[Row], time: usize, query: &Query) -> Vec<Vec<Value>> {
    if query.dimensions().len() == 1 {
        return vec![vec![Value::Null]];
    }
    let without_time = |row: &Row| {
        let mut dimensions = row.dimensions.clone();
        dimensions[time] = Value::Null;
        (key(&dimensions), dimensions)
    };
    rows.iter().map(without_time).collect::<BTreeMap<_, _>>().into_values().collect()
}

/// Sorts rows of which all are told by their metrics.
pub(super) fn sort(rows: &mut Vec<Row>, query: &Query) {
    let told_rows = rows.len();
    *rows = sorted(std::mem::take(rows), told_rows, query);
}

/// As asked for, then by the dimensions. The first so many rows are the database's, and in its order.
fn sorted(rows: Vec<Row>, told_rows: usize, query: &Query) -> Vec<Row> {
    let mut rows: Vec<(bool, Row)> =
        rows.into_iter().enumerate().map(|(index, row)| (index >= told_rows, row)).collect();
    rows.sort_by(|(filled, row), (other_filled, other)| {
        for order in query.order() {
            let ordering = match order.key {
                OrderKey::Metric(index) => {
                    compared(&row.metrics[index], &other.metrics[index], order.descending)
                }
                OrderKey::Dimension(index) => {
                    compared(&row.dimensions[index], &other.dimensions[index], order.descending)
                }
                // How many there were, the database alone knew; but none were where a row is filled in.
                OrderKey::Visitors if !filled && !other_filled => return Ordering::Equal,
                OrderKey::Visitors => filled.cmp(other_filled),
            };
            if ordering.is_ne() {
                return ordering;
            }
        }
        let pairs = row.dimensions.iter().zip(&other.dimensions);
        pairs
            .map(|(one, two)| compared(one, two, false))
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal)
    });
    rows.into_iter().map(|(_, row)| row).collect()
}

/// As the database compares: numbers by what they are worth, texts byte by byte, nulls last.
fn compared(one: &Value, two: &Value, descending: bool) -> Ordering {
    match (one.is_null(), two.is_null()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let ordering = match (amount(one), amount(two)) {
        (Some(one), Some(two)) => one.total_cmp(&two),
        _ => one.as_str().cmp(&two.as_str()),
    };
    if descending { ordering.reverse() } else { ordering }
}
