//! Lists and charts as CSV (RFC 4180), for spreadsheets.
//!
//! Numbers and names are those of the query language, in every language of the page; lines are those of
//! reports.

use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::ask::{Asker, names};
use super::columns;
use super::details::whole_list;
use super::{ranking, series};
use crate::query::metric::Metric;
use crate::report::AskError;
use crate::report::format::Table;
use crate::report::format::csv::write;

/// The path of the chart's numbers.
const TIME: &str = "time";

pub(super) async fn download(
    asker: Asker,
    Path((_, dimension)): Path<(String, String)>,
) -> Response {
    match table(&asker, &dimension).await {
        Ok(text) => attachment(text, &asker.site.domain, &dimension),
        Err(error) => asker.refuse(&error),
    }
}

async fn table(asker: &Asker, dimension: &str) -> Result<String, AskError> {
    if dimension == TIME {
        return over_time(asker).await;
    }
    let metrics = columns::all(asker, dimension);
    let query = whole_list(asker, dimension, &metrics);
    let mut answer = ranking::ask(asker, &query, &metrics).await?;
    // What is filled in is a column like the others.
    answer["query"]["metrics"] = json!(names(&metrics));
    // Money has a column for its currency.
    Ok(Table::of_answer(&answer).as_ref().map(write).unwrap_or_default())
}

/// The chart's metric, and others beside it: each as its own chart shows it, for together they would be other questions.
async fn over_time(asker: &Asker) -> Result<String, AskError> {
    let shown = series::metric(asker);
    let others = asker.askable(columns::OVER_TIME, &series::query(asker));
    let others = others.into_iter().filter(|metric| *metric != shown);
    let metrics: Vec<Metric> = std::iter::once(shown).chain(others).collect();
    let asked = metrics.iter().map(|metric| series::values(asker, *metric));
    let answers = try_join_all(asked).await?;
    let columns = std::iter::once(TIME).chain(names(&metrics)).map(str::to_owned);
    Ok(write(&Table::new_with_amounts(1, columns.collect(), beside_each_other(&answers))))
}

/// A row for each label, with the value that each of the answers has for it. All have the same labels.
fn beside_each_other(answers: &[Vec<(String, Value)>]) -> Vec<Vec<Value>> {
    let labels = answers.first().into_iter().flatten().map(|(label, _)| label);
    let row = |(place, label): (usize, &String)| {
        let values = answers.iter().map(|answer| answer.get(place).map(|(_, value)| value.clone()));
        std::iter::once(json!(label)).chain(values.map(Option::unwrap_or_default)).collect()
    };
    labels.enumerate().map(row).collect()
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
    fn every_label_has_a_row_with_each_value() {
        let answer = |values: [Value; 2]| {
            ["2026-11-01", "2026-11-02"].map(str::to_owned).into_iter().zip(values).collect()
        };
        let rows =
            beside_each_other(&[answer([json!(0), json!(7)]), answer([json!(null), json!(1.5)])]);
        assert_eq!(
            rows,
            [
                vec![json!("2026-11-01"), json!(0), json!(null)],
                vec![json!("2026-11-02"), json!(7), json!(1.5)],
            ]
        );
    }
}
