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
use super::details::{List, whole_list};
use super::shell;
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
        Ok(text) => attachment(text, &file_name(&asker.site.domain, &dimension, &period(&asker))),
        Err(error) => asker.refuse(&error),
    }
}

async fn table(asker: &Asker, dimension: &str) -> Result<String, AskError> {
    if dimension == TIME {
        return over_time(asker).await;
    }
    let list = List::named(dimension);
    let metrics = columns::all(asker, list.dimension);
    let query = whole_list(asker, list, &metrics);
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

/// The days that the numbers are of; of all time, until when.
fn period(asker: &Asker) -> String {
    match shell::days(asker) {
        Some([from, to]) => format!("{from}-to-{to}"),
        None => format!("all-to-{}", asker.local_now().date()),
    }
}

/// The name of a file, which tells what it is of beside others: what is not of every system's names is a dash.
fn file_name(domain: &str, dimension: &str, period: &str) -> String {
    let plain = |part: &str| -> String {
        part.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect()
    };
    [domain, dimension, period].map(plain).join("-") + ".csv"
}

fn attachment(text: String, name: &str) -> Response {
    let name = format!("attachment; filename=\"{name}\"");
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
    fn the_file_of_a_period_is_not_that_of_another() {
        let name = |period| file_name("example.test/a", "event:props:size, in cm", period);
        assert_eq!(
            name("2026-11-01-to-2026-11-07"),
            "example.test-a-event-props-size--in-cm-2026-11-01-to-2026-11-07.csv"
        );
        assert_ne!(name("2026-11-01-to-2026-11-07"), name("2026-10-01-to-2026-11-07"));
    }

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
