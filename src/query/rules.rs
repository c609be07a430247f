//! What goes together in a query, and what does not.
//!
//! An event can be of many pages and have many names within one visit, so a metric of visits has no
//! meaning by them; entry and exit belong to the visit, so counts of events have none by those.

use super::dimension::{Dimension, Field};
use super::error::Problems;
use super::filter::{Filter, Subject, Test};
use super::measure::Measure;
use super::metric::Metric;
use super::period::Period;
use super::{Dialect, FILLED_ROWS_MAX, Query};
use crate::site::policy::Profile;

/// The most labels of a time axis: 5,000 days by the hour fit.
const LABELS_MAX: i64 = 150_000;

/// Notes every combination of the query that has no answer.
pub(super) fn check(query: &Query, dialect: Dialect, problems: &mut Problems) {
    for (index, metric) in query.metrics.iter().enumerate() {
        let pointer = format!("#/metrics/{index}");
        let why = match metric {
            Measure::Metric(metric) => refusal(*metric, query, dialect),
            Measure::Property(..) => None,
        };
        if let Some(why) = why.or_else(|| refusal_of_sides(metric, query)) {
            let name = metric.to_string();
            problems.note::<()>(pointer, format!("Invalid metric {name:?}: {why}"));
        }
    }
    one_time_dimension(query, problems);
    labels_of_an_axis(query, problems);
}

/// Notes what the profile of the site does not measure.
pub(super) fn check_profile(query: &Query, profile: Profile, problems: &mut Problems) {
    if !profile.is_strict() {
        return;
    }
    const WHY: &str = "it is not measured under the profile cnil.";
    for (index, metric) in query.metrics.iter().enumerate() {
        if matches!(metric, Measure::Metric(metric) if metric.is_of_conversion()) {
            let name = metric.to_string();
            problems.note::<()>(
                format!("#/metrics/{index}"),
                format!("Invalid metric {name:?}: {WHY}"),
            );
        }
    }
    let is_out = |field: &Field| field.is_left_out_by_strict_profiles();
    for (index, dimension) in query.dimensions.iter().enumerate() {
        if matches!(dimension, Dimension::Field(field) if is_out(field)) {
            let message = format!("Invalid dimension \"{dimension}\": {WHY}");
            problems.note::<()>(format!("#/dimensions/{index}"), message);
        }
    }
    for field in
        query.filters.iter().flat_map(Filter::tests).filter_map(|test| match &test.subject {
            Subject::Field(field) => Some(field),
            Subject::Property(_) | Subject::Goal(_) => None,
        })
    {
        if is_out(field) {
            let name = field.spec().name;
            problems.note::<()>("#/filters", format!("Invalid filter on {name:?}: {WHY}"));
        }
    }
}

/// Why the metric has no meaning in this query, by its own rules.
fn refusal(metric: Metric, query: &Query, dialect: Dialect) -> Option<String> {
    let has = |wanted: &dyn Fn(&Dimension) -> bool| query.dimensions.iter().any(wanted);
    let by_page = has(&|dimension| *dimension == Dimension::Field(Field::Page));
    match metric {
        Metric::ViewsPerVisit if dialect == Dialect::V2 && !query.dimensions.is_empty() => {
            return Some("it cannot be broken down by dimensions.".into());
        }
        Metric::ViewsPerVisit if query.filters.iter().flat_map(Filter::tests).any(of_page) => {
            return Some("it cannot be combined with a filter on event:page.".into());
        }
        Metric::ConversionRate | Metric::GroupConversionRate => return refusal_of_rate(query),
        Metric::ExitRate => return refusal_of_exits(query),
        _ => {}
    }
    (metric.is_of_attention() && !by_page && !top_tests(query).any(of_page))
        .then(|| "it needs the dimension event:page or, at the top level, a filter on it.".into())
}

/// Metrics of visits go by what a visit has, and metrics of events by what an event has.
fn refusal_of_sides(metric: &Measure, query: &Query) -> Option<String> {
    let of_event: Vec<_> =
        query.dimensions.iter().filter(|dimension| dimension.is_of_event()).collect();
    let only_page = of_event == [&Dimension::Field(Field::Page)];
    if let Some(dimension) = of_event.first().filter(|_| metric.is_of_visit() && !only_page) {
        return Some(format!(
            "a metric of visits cannot be broken down by the event dimension \"{dimension}\"."
        ));
    }
    let of_visit = query.dimensions.iter().find(|dimension| dimension.is_of_visit());
    let dimension = of_visit.filter(|_| metric.is_of_event())?;
    Some(format!(
        "a metric of events cannot be broken down by the visit dimension \"{dimension}\"."
    ))
}

fn refusal_of_rate(query: &Query) -> Option<String> {
    let by_goal = query.dimensions.iter().any(|dimension| matches!(dimension, Dimension::Goal(_)));
    if !by_goal && !top_tests(query).any(|test| matches!(test.subject, Subject::Goal(_))) {
        return Some("it needs the dimension event:goal or a filter on it.".into());
    }
    let of_property = |test: &Test| matches!(test.subject, Subject::Property(_));
    let nested = query.filters.iter().filter(|filter| !matches!(filter, Filter::Test(_)));
    let nested_property = nested.flat_map(Filter::tests).any(of_property);
    nested_property
        .then(|| "filters on properties must then stand at the top level of the filters.".into())
}

fn refusal_of_exits(query: &Query) -> Option<String> {
    if query.dimensions != [Dimension::Field(Field::ExitPage)] {
        return Some("it needs the dimension visit:exit_page, and no other.".into());
    }
    let on_events = query.filters.iter().any(Filter::asks_about_events);
    on_events.then(|| "it cannot be combined with filters on events.".into())
}

fn of_page(test: &Test) -> bool {
    test.subject == Subject::Field(Field::Page)
}

/// The tests that stand alone at the top level of the filters.
fn top_tests(query: &Query) -> impl Iterator<Item = &Test> {
    query.filters.iter().filter_map(|filter| match filter {
        Filter::Test(test) => Some(test),
        Filter::All(_) | Filter::Any(_) | Filter::Not(_) | Filter::Done(..) => None,
    })
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
    let Some(interval) = query.interval() else {
        let wanted =
            [("time_labels", query.include.time_labels), ("zero_fill", query.include.zero_fill)];
        for (key, _) in wanted.into_iter().filter(|(_, wanted)| *wanted) {
            let message = format!("Invalid include.{key} true: it needs a time dimension.");
            problems.note::<()>(format!("#/include/{key}"), message);
        }
        return;
    };
    let rows_max = i64::try_from(FILLED_ROWS_MAX).unwrap_or(i64::MAX);
    if query.include.zero_fill && interval.labels_max(&query.period) > rows_max {
        let rule = format!("there are more than {rows_max} buckets of {}.", interval.name());
        let message = format!("Invalid include.zero_fill true: {rule}");
        problems.note::<()>("#/include/zero_fill", message);
    }
    let too_many = |period: &Period| interval.labels_max(period) > LABELS_MAX;
    let rule = format!("there are more than {LABELS_MAX} labels of {}.", interval.name());
    if query.include.time_labels && too_many(&query.period) {
        let message = format!("Invalid include.time_labels true: {rule}");
        problems.note::<()>("#/include/time_labels", message);
    }
    // Buckets are compared by their place on the axis.
    let compared = query.compared();
    if compared.is_some_and(|other| too_many(&query.period) || too_many(&other.period)) {
        problems.note::<()>("#/include/comparisons", format!("Invalid comparisons: {rule}"));
    }
}
