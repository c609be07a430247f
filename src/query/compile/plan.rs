//! Which metrics of a report are computed from what.

use std::collections::BTreeSet;

use crate::query::dimension::Dimension;
use crate::query::filter::Filter;
use crate::query::interval::Interval;
use crate::query::measure::Measure;
use crate::query::metric::{Formula, Metric, Whole};
use crate::query::{OrderKey, Query};

/// A metric, and its formula over what it is computed from.
pub(super) type Computed = (Metric, &'static str);

/// What to compute, and from what.
#[derive(Default)]
pub(super) struct Plan {
    /// From events.
    pub(super) events: Vec<Computed>,
    /// From visits.
    pub(super) visits: Vec<Computed>,
    /// From engagement.
    pub(super) engagement: Vec<Computed>,
    /// What rows are shares of.
    pub(super) wholes: BTreeSet<Whole>,
}

impl Plan {
    pub(super) fn of(query: &Query) -> Self {
        let mut plan = Self::default();
        let by_visits = undecided_go_by_visits(query);
        for metric in with_what_is_behind(query) {
            match metric.spec().formula {
                Formula::Events(formula) => plan.events.push((metric, formula)),
                Formula::Visits(formula) => plan.visits.push((metric, formula)),
                Formula::Either { visits, .. } if by_visits => plan.visits.push((metric, visits)),
                Formula::Either { events, .. } => plan.events.push((metric, events)),
                Formula::Engagement(formula) => plan.engagement.push((metric, formula)),
                Formula::Share { whole, .. } => {
                    plan.wholes.insert(whole);
                }
            }
        }
        plan
    }
}

/// The metrics asked for, and those that they are computed from or sorted by.
fn with_what_is_behind(query: &Query) -> BTreeSet<Metric> {
    let mut metrics: BTreeSet<Metric> = query.metrics.iter().filter_map(Measure::metric).collect();
    for metric in query.metrics.iter().filter_map(Measure::metric) {
        if let Formula::Share { of, .. } = metric.spec().formula {
            metrics.insert(of);
        }
    }
    let sorted_by_visitors = query.order.iter().any(|order| order.key == OrderKey::Visitors);
    // Attention alone makes no row: that there was a visitor does.
    let only_attention = query.metrics.iter().all(|metric| {
        metric
            .metric()
            .is_some_and(|metric| matches!(metric.spec().formula, Formula::Engagement(_)))
    });
    if sorted_by_visitors || only_attention {
        metrics.insert(Metric::Visitors);
    }
    metrics
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
    let counts_events = query.metrics.iter().any(Measure::is_of_event);
    let counts_visits = query.metrics.iter().any(Measure::is_of_visit);
    match query.interval() {
        Some(Interval::Minute) => true,
        Some(interval) if interval.smears() => counts_visits || !counts_events,
        Some(_) | None => !counts_events,
    }
}
