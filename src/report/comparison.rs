//! Each row of a report beside what it was in another period.
//!
//! Rows pair by their dimensions, and those of a time series by the place of the bucket in its period,
//! save for the buckets that come round again.
//! What the other period has no row for was nothing there: zeros. But where it has no bucket at the place, nothing is known of it.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::Row;
use super::fill::of_nothing;
use super::money::amount;
use crate::query::Query;
use crate::query::dimension::Dimension;
use crate::query::measure::Measure;
use crate::query::metric::Metric;

/// What a row is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The row of the other period; of nulls where that has no bucket at the place.
    pub row: Row,
    /// How each metric changed; null where that has no number, and everywhere if the other period has no such bucket, or the site
    /// does not keep all of it any more: what is not there, or is gone, would be growth.
    pub change: Vec<Value>,
}

/// The rows of the other period that belong to the rows, in their order.
pub(super) fn pair(rows: &[Row], query: &Query, others: &[Row], other: &Query) -> Vec<Compared> {
    let known: HashMap<String, &Row> =
        others.iter().map(|row| (key(&row.dimensions), row)).collect();
    let counterparts = counterparts(query, other);
    let pair = |row: &Row| {
        let (dimensions, is_there) = counterparts.of(&row.dimensions);
        if !is_there {
            let nulls = vec![Value::Null; row.metrics.len()];
            return Compared { row: Row { dimensions, metrics: nulls.clone() }, change: nulls };
        }
        let row_there = known.get(&key(&dimensions)).map(|row| (*row).clone());
        let row_there = row_there
            .unwrap_or_else(|| Row { metrics: of_nothing(query, &dimensions, others), dimensions });
        let metrics = query.metrics().iter().zip(row_there.metrics.iter().zip(&row.metrics));
        let change = metrics.map(|(metric, (old, new))| match metric {
            _ if !other.is_wholly_kept() => Value::Null,
            Measure::Metric(metric) => change(*metric, old, new),
            Measure::Property(..) => change_in_percent(old, new),
        });
        let change = change.collect();
        Compared { row: row_there, change }
    };
    rows.iter().map(pair).collect()
}

/// What rows are found by.
pub(super) fn key(dimensions: &[Value]) -> String {
    json!(dimensions).to_string()
}

/// The buckets of the other period that are at the same places.
pub(super) struct Counterparts {
    time: Option<usize>,
    labels: HashMap<String, Value>,
}

pub(super) fn counterparts(query: &Query, other: &Query) -> Counterparts {
    let places = |dimension: &Dimension| match dimension {
        // A Monday is compared with a Monday, whichever came first in its period.
        Dimension::Time(interval) => !interval.is_cyclic(),
        Dimension::Field(_)
        | Dimension::Property(_)
        | Dimension::Properties
        | Dimension::Goal(_) => false,
    };
    let time = query.dimensions().iter().position(places);
    let labels = query.interval().filter(|_| time.is_some());
    let labels = labels.map(|interval| interval.counterparts(query.period(), other.period()));
    Counterparts { time, labels: labels.unwrap_or_default() }
}

impl Counterparts {
    /// The dimensions of the row that one with these is compared with, and whether the other period has such a bucket; the time
    /// is null where it has not.
    pub(super) fn of(&self, dimensions: &[Value]) -> (Vec<Value>, bool) {
        let mut there = dimensions.to_vec();
        let Some(time) = self.time.and_then(|place| there.get_mut(place)) else {
            return (there, true);
        };
        let label = self.labels.get(&time.to_string());
        *time = label.cloned().unwrap_or_default();
        (there, label.is_some())
    }
}

/// Whether a metric's change is in points, and not in percent: not all that is in percent itself is a share.
pub fn is_in_points(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::BounceRate
            | Metric::ConversionRate
            | Metric::GroupConversionRate
            | Metric::ExitRate
            | Metric::EngagementRate
    )
}

/// How a metric changed: in percent, and shares in points.
fn change(metric: Metric, old: &Value, new: &Value) -> Value {
    let (Some(old), Some(new)) = (amount(old), amount(new)) else { return Value::Null };
    match metric {
        Metric::BounceRate if old == 0.0 => Value::Null,
        Metric::BounceRate => json!((new - old) as i64),
        _ if is_in_points(metric) => json!(((new - old) * 10.0).round() / 10.0),
        _ => json!(percent(old, new)),
    }
}

fn change_in_percent(old: &Value, new: &Value) -> Value {
    match (old.as_f64(), new.as_f64()) {
        (Some(old), Some(new)) => json!(percent(old, new)),
        _ => Value::Null,
    }
}

fn percent(old: f64, new: f64) -> i64 {
    if old == 0.0 {
        return if new == 0.0 { 0 } else { 100 };
    }
    ((new - old) / old * 100.0).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_in_percent_and_of_shares_in_points() {
        let check = |metric, old: Value, new: Value, expected: Value| {
            assert_eq!(change(metric, &old, &new), expected, "{metric:?}: {old} to {new}");
        };
        check(Metric::Visitors, json!(0), json!(0), json!(0));
        check(Metric::Visitors, json!(0), json!(7), json!(100));
        check(Metric::Visitors, json!(4), json!(0), json!(-100));
        check(Metric::Visitors, json!(3), json!(4), json!(33));
        check(Metric::TimeOnPage, json!(null), json!(4), json!(null));
        check(Metric::TimeOnPage, json!(4), json!(null), json!(null));
        check(Metric::BounceRate, json!(50), json!(40), json!(-10));
        check(Metric::BounceRate, json!(0), json!(40), json!(null));
        check(Metric::ConversionRate, json!(12.34), json!(10.0), json!(-2.3));
        check(Metric::ConversionRate, json!(0.0), json!(10.0), json!(10.0));
        check(Metric::TotalRevenue, json!({ "value": 8.0 }), json!({ "value": 10.0 }), json!(25));
        check(Metric::TotalRevenue, json!(null), json!({ "value": 10.0 }), json!(null));
        check(Metric::ExitRate, json!(12.5), json!(33.3), json!(20.8));
        check(Metric::EngagementRate, json!(40.0), json!(38.5), json!(-1.5));
        assert_eq!(change_in_percent(&json!(2.5), &json!(5.0)), 100);
        assert_eq!(change_in_percent(&json!(null), &json!(5.0)), json!(null));
    }
}
