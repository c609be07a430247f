//! Answers in the older dialect of the reporting API.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::comparison::key;
use super::format::Table;
use super::{AskError, Report, answer, refuse_the_floored};
use crate::query::measure::Measure;
use crate::query::metric::Metric;
use crate::query::v1::{Kind, Parameters, in_its_words, translate};
use crate::query::{Dialect, Known, Query};
use crate::store::Store;

/// Who was on the site within this time is there now.
const NOW_MINUTES: i64 = 5;

/// Answers a request with the parameters of the older dialect: as its JSON, and as a table.
///
/// # Errors
/// As [`super::ask`].
pub async fn ask_v1(
    store: &Store,
    known: Known<'_>,
    kind: Kind,
    parameters: &Parameters,
) -> Result<(Value, Table), AskError> {
    let today = known.site.timezone.to_datetime(known.now).date();
    let query = translate(kind, parameters, today)?;
    let query = Query::parse(&query, &Known { dialect: Dialect::V1, ..known })
        .map_err(|error| in_its_words(error, kind, parameters))?;
    let report = answer(store, &query).await?;
    let results = match kind {
        Kind::Aggregate => aggregate(&report),
        Kind::Timeseries => timeseries(&report),
        Kind::Breakdown => breakdown(&report),
    };
    let table = match kind {
        Kind::Aggregate => table_of_numbers(&report),
        Kind::Timeseries => table_of_buckets(&report, &results),
        Kind::Breakdown => table_of_rows(&report),
    };
    Ok((json!({ "results": results }), table))
}

/// One row, with what it is compared with behind it.
fn table_of_numbers(report: &Report) -> Table {
    let mut columns: Vec<String> = names(report).collect();
    let mut row = report.rows().first().map(|row| row.metrics.clone()).unwrap_or_default();
    if let Some(compared) = report.compared().first() {
        columns.extend(names(report).map(|name| format!("comparison.{name}")));
        columns.extend(names(report).map(|name| format!("change.{name}")));
        row.extend(compared.row.metrics.iter().chain(&compared.change).cloned());
    }
    Table::new_with_amounts(0, columns, vec![row])
}

/// The buckets, by the names of their columns.
fn table_of_buckets(report: &Report, results: &Value) -> Table {
    let columns: Vec<String> = std::iter::once("date".to_owned()).chain(names(report)).collect();
    let row = |row: &Value| columns.iter().map(|name| row[name].clone()).collect();
    let rows = results.as_array().into_iter().flatten().map(row).collect();
    Table::new_with_amounts(1, columns, rows)
}

/// The rows by their places: a property may have the name of a metric.
fn table_of_rows(report: &Report) -> Table {
    let properties = properties(report);
    let dimensions = properties.len();
    let columns = properties.into_iter().chain(names(report)).collect();
    let rows = report.rows().iter().map(|row| [&row.dimensions[..], &row.metrics].concat());
    Table::new_with_amounts(dimensions, columns, rows.collect())
}

/// How many visitors have done something within the last five minutes, of those that the filters leave.
///
/// # Errors
/// [`AskError::Store`] when the database does not answer.
pub async fn visitors_now(
    store: &Store,
    known: Known<'_>,
    filters: &[Value],
) -> Result<u64, AskError> {
    refuse_the_floored(&known, "the visitors of this moment")?;
    let from = known.now - SignedDuration::from_mins(NOW_MINUTES);
    let query = json!({
        "site_id": known.site.domain,
        // With events among the metrics, visitors are counted from these.
        "metrics": ["visitors", "events"],
        "date_range": [from.to_string(), Timestamp::to_string(&known.now)],
        "filters": filters,
    });
    let report = answer(store, &Query::parse(&query, &known)?).await?;
    Ok(report.rows().first().and_then(|row| row.metrics[0].as_u64()).unwrap_or(0))
}

/// What this dialect calls the metrics: it has one name for both rates of conversion.
fn names(report: &Report) -> impl Iterator<Item = String> {
    report.query().metrics().iter().map(|measure| match measure.metric() {
        Some(Metric::GroupConversionRate) => Metric::ConversionRate.spec().name.to_owned(),
        _ => measure.to_string(),
    })
}

fn aggregate(report: &Report) -> Value {
    let Some(row) = report.rows().first() else { return json!({}) };
    let mut results = Map::new();
    for (index, name) in names(report).enumerate() {
        let mut result = json!({ "value": row.metrics[index] });
        if let Some(compared) = report.compared().first() {
            result["comparison_value"] = compared.row.metrics[index].clone();
            result["change"] = compared.change[index].clone();
        }
        results.insert(name, result);
    }
    Value::Object(results)
}

/// Every bucket of the period has a row.
fn timeseries(report: &Report) -> Value {
    let query = report.query();
    let rows: std::collections::HashMap<_, _> =
        report.rows().iter().map(|row| (key(&row.dimensions), row)).collect();
    let labels =
        query.interval().map(|interval| interval.labels(query.period())).unwrap_or_default();
    let row = |label: Value| {
        let known = rows.get(&key(std::slice::from_ref(&label)));
        let mut bucket = Map::from_iter([("date".to_owned(), label)]);
        for (index, (metric, name)) in query.metrics().iter().zip(names(report)).enumerate() {
            let in_empty_bucket = || {
                let told = report.rows().iter().map(|row| &row.metrics[index]);
                metric.of_nothing_beside(in_empty_bucket(metric, query), told)
            };
            let value = known.map_or_else(in_empty_bucket, |row| row.metrics[index].clone());
            bucket.insert(name, value);
        }
        Value::Object(bucket)
    };
    labels.into_iter().map(row).collect()
}

fn in_empty_bucket(metric: &Measure, query: &Query) -> Value {
    match metric.metric() {
        Some(Metric::VisitDuration) => Value::Null,
        _ => query.of_nothing(metric, &[]),
    }
}

fn breakdown(report: &Report) -> Value {
    let properties = properties(report);
    let row = |row: &super::Row| {
        let properties = properties.iter().cloned().zip(row.dimensions.iter().cloned());
        let metrics = names(report).zip(row.metrics.iter().cloned());
        Value::Object(properties.chain(metrics).collect())
    };
    report.rows().iter().map(row).collect()
}

fn properties(report: &Report) -> Vec<String> {
    report.query().dimensions().iter().map(|dimension| short(&dimension.to_string())).collect()
}

/// `source` of `visit:source`, `plan` of `event:props:plan`.
fn short(name: &str) -> String {
    let name = name
        .strip_prefix("event:props:")
        .or_else(|| name.split_once(':').map(|(_, name)| name))
        .unwrap_or(name);
    name.to_owned()
}
