//! What goes together in a query, and what does not.
//!
//! An event can be of many pages and have many names within one visit, so a metric of visits has no
//! meaning by them; entry and exit belong to the visit, so counts of events have none by those.

use super::dimension::{Dimension, Field};
use super::error::Problems;
use super::filter::{Filter, Subject};
use super::metric::Metric;
use super::{Query, interval::Interval};

/// The most labels of a time axis: 5,000 days by the hour fit.
const LABELS_MAX: i64 = 150_000;

/// Notes every combination of the query that has no answer.
pub(super) fn check(query: &Query, problems: &mut Problems) {
    for (index, metric) in query.metrics.iter().enumerate() {
        let pointer = format!("#/metrics/{index}");
        let name = metric.spec().name;
        if let Some(why) = refusal(*metric, query) {
            problems.note::<()>(pointer, format!("Invalid metric {name:?}: {why}"));
        }
    }
    one_time_dimension(query, problems);
    labels_of_an_axis(query, problems);
}

/// Why the metric has no meaning in this query.
fn refusal(metric: Metric, query: &Query) -> Option<String> {
    let of_event: Vec<_> =
        query.dimensions.iter().filter(|dimension| dimension.is_of_event()).collect();
    let only_page = of_event == [&Dimension::Field(Field::Page)];
    let of_visit = query.dimensions.iter().find(|dimension| dimension.is_of_visit());
    if metric == Metric::ViewsPerVisit && !query.dimensions.is_empty() {
        return Some("it cannot be broken down by dimensions.".into());
    }
    if metric == Metric::ViewsPerVisit && tests_page(&query.filters) {
        return Some("it cannot be combined with a filter on event:page.".into());
    }
    match of_event.first() {
        Some(dimension) if metric.is_of_visit() && !only_page => {
            return Some(format!(
                "a metric of visits cannot be broken down by the event dimension \"{dimension}\"."
            ));
        }
        _ => {}
    }
    let dimension = of_visit.filter(|_| metric.is_of_event())?;
    Some(format!(
        "a metric of events cannot be broken down by the visit dimension \"{dimension}\"."
    ))
}

fn tests_page(filters: &[Filter]) -> bool {
    filters.iter().flat_map(Filter::tests).any(|test| test.subject == Subject::Field(Field::Page))
}

fn one_time_dimension(query: &Query, problems: &mut Problems) {
    let times = query
        .dimensions
        .iter()
        .enumerate()
        .filter(|(_, dimension)| matches!(dimension, Dimension::Time(_)));
    for (index, dimension) in times.skip(1) {
        let message =
            format!("Invalid dimension \"{dimension}\": a query has one time dimension at most.");
        problems.note::<()>(format!("#/dimensions/{index}"), message);
    }
}

fn labels_of_an_axis(query: &Query, problems: &mut Problems) {
    if !query.include.time_labels {
        return;
    }
    let too_long = |interval: &Interval| interval.labels_max(&query.period) > LABELS_MAX;
    let message = match query.interval() {
        None => "Invalid include.time_labels true: it needs a time dimension.".into(),
        Some(interval) if too_long(&interval) => {
            format!(
                "Invalid include.time_labels true: more than {LABELS_MAX} labels of {}.",
                interval.name()
            )
        }
        Some(_) => return,
    };
    problems.note::<()>("#/include/time_labels", message);
}
