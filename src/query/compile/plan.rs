//! Which metrics of a report are computed from events, and which from visits.

use crate::query::Query;
use crate::query::dimension::Dimension;
use crate::query::filter::Filter;
use crate::query::interval::Interval;
use crate::query::metric::{Formula, Metric};

/// The metrics to compute, each from one of the two, with the formula over it.
pub(super) struct Plan {
    /// From events.
    pub(super) events: Vec<(Metric, &'static str)>,
    /// From visits.
    pub(super) visits: Vec<(Metric, &'static str)>,
    /// Whether a row's share of all visitors is asked for.
    pub(super) totals: bool,
}

impl Plan {
    pub(super) fn of(query: &Query) -> Self {
        let mut plan = Self { events: Vec::new(), visits: Vec::new(), totals: false };
        let by_visits = undecided_go_by_visits(query);
        for metric in query.metrics.iter().copied().chain(visitors_behind(query)) {
            match metric.spec().formula {
                Formula::Events(formula) => plan.events.push((metric, formula)),
                Formula::Visits(formula) => plan.visits.push((metric, formula)),
                Formula::Either { visits, .. } if by_visits => plan.visits.push((metric, visits)),
                Formula::Either { events, .. } => plan.events.push((metric, events)),
                Formula::OfTotal(_) => plan.totals = true,
            }
        }
        plan
    }
}

/// Visitors, when they are not asked for but a share of them is.
fn visitors_behind(query: &Query) -> Option<Metric> {
    let shares =
        query.metrics.iter().any(|metric| matches!(metric.spec().formula, Formula::OfTotal(_)));
    (shares && !query.metrics.contains(&Metric::Visitors)).then_some(Metric::Visitors)
}

/// Whether visitors and visits, which either side can count, are counted from visits. They are, if
/// nothing in the query is about single events; but then a row of events may be without them in the
/// buckets of time in which a visit was merely under way.
fn undecided_go_by_visits(query: &Query) -> bool {
    let by_event = query.dimensions.iter().any(Dimension::is_of_event);
    if by_event {
        return false;
    }
    if query.dimensions.iter().any(Dimension::is_of_visit) {
        return true;
    }
    if query.filters.iter().any(Filter::asks_about_events) {
        return false;
    }
    let counts_events = query.metrics.iter().any(|metric| metric.is_of_event());
    let counts_visits = query.metrics.iter().any(|metric| metric.is_of_visit());
    match query.interval() {
        Some(Interval::Minute) => true,
        Some(Interval::Hour) => counts_visits || !counts_events,
        Some(Interval::Day | Interval::Week | Interval::Month) | None => !counts_events,
    }
}
