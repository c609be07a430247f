//! Lists and charts as CSV (RFC 4180), for spreadsheets.
//!
//! Numbers and names are those of the query language, in every language of the page; lines are those of
//! reports.

use axum::extract::{Path, RawQuery};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::ask::{Asker, names, rows};
use super::columns;
use super::details::whole_list;
use super::series;
use crate::report::AskError;
use crate::report::format::Table;
use crate::report::format::csv::{harmless, line, write};

/// The path of the chart's numbers.
const TIME: &str = "time";

pub(super) async fn download(
    asker: Asker,
    Path((_, dimension)): Path<(String, String)>,
    RawQuery(url): RawQuery,
) -> Response {
    match table(&asker, &dimension, url.as_deref().unwrap_or_default()).await {
        Ok(text) => attachment(text, &asker.site.domain, &dimension),
        Err(error) => asker.refuse(&error),
    }
}

async fn table(asker: &Asker, dimension: &str, url: &str) -> Result<String, AskError> {
    let is_time = dimension == TIME;
    let metrics = if is_time {
        asker.askable(columns::OVER_TIME, &series::query(asker))
    } else {
        columns::all(asker, dimension)
    };
    let mut query =
        if is_time { series::query(asker) } else { whole_list(asker, dimension, url, &metrics) };
    query["metrics"] = json!(names(&metrics));
    let answer = asker.ask(&query).await?;
    if !is_time {
        // Money has a column for its currency.
        return Ok(Table::of_answer(&answer).as_ref().map(write).unwrap_or_default());
    }
    let mut text = line(std::iter::once(dimension).chain(names(&metrics)).map(ToOwned::to_owned));
    let nothing: Vec<Value> =
        metrics.iter().map(|metric| asker.of_nothing(*metric, &query)).collect();
    text.extend(every_label(&answer, &nothing).iter().map(|row| {
        let label = row["dimensions"][0].as_str().unwrap_or_default();
        let metrics = row["metrics"].as_array().into_iter().flatten();
        line(std::iter::once(harmless(label)).chain(metrics.map(plain)))
    }));
    Ok(text)
}

/// A row for each label, also where nothing has happened.
fn every_label(answer: &Value, nothing: &[Value]) -> Vec<Value> {
    let labels = answer["meta"]["time_labels"].as_array().into_iter().flatten();
    let mut known = rows(answer).iter().peekable();
    // Both are in the order of time.
    labels
        .map(|label| match known.next_if(|row| row["dimensions"][0] == *label) {
            Some(row) => row.clone(),
            None => json!({ "dimensions": [label], "metrics": nothing }),
        })
        .collect()
}

/// A number as it is; nothing where there is none.
fn plain(value: &Value) -> String {
    if value.is_null() { String::new() } else { value.to_string() }
}

fn attachment(text: String, domain: &str, dimension: &str) -> Response {
    let plain = |part: &str| -> String {
        part.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect()
    };
    let name = format!("attachment; filename=\"{}-{}.csv\"", plain(domain), plain(dimension));
    let mut answer = ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response();
    let headers = answer.headers_mut();
    if let Ok(name) = HeaderValue::try_from(name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_has_a_row() {
        let answer = json!({
            "results": [{"dimensions": ["2026-11-02"], "metrics": [7]}],
            "meta": {"time_labels": ["2026-11-01", "2026-11-02", "2026-11-03"]},
        });
        let rows = every_label(&answer, &[json!(0)]);
        let values: Vec<_> = rows.iter().map(|row| row["metrics"][0].clone()).collect();
        assert_eq!(values, [json!(0), json!(7), json!(0)]);
    }
}
