//! Which metrics a page shows beside each other: those that have a meaning together, the telling ones first.

use serde_json::json;

use super::ask::Asker;
use crate::query::metric::{Metric, Unit};

/// The metrics at the head of a site's page.
const HEADLINES: &[Metric] = &[
    Metric::Visitors,
    Metric::Visits,
    Metric::Pageviews,
    Metric::ViewsPerVisit,
    Metric::BounceRate,
    Metric::VisitDuration,
    Metric::TimeOnPage,
    Metric::ScrollDepth,
];
/// The same where the view is about a goal.
const CONVERSIONS: &[Metric] = &[
    Metric::Visitors,
    Metric::Visits,
    Metric::Events,
    Metric::ConversionRate,
    Metric::TotalRevenue,
    Metric::AverageRevenue,
];
/// The metrics of the CSV of a chart.
pub(super) const OVER_TIME: &[Metric] = &[
    Metric::Visitors,
    Metric::Visits,
    Metric::Pageviews,
    Metric::BounceRate,
    Metric::VisitDuration,
    Metric::ConversionRate,
];
/// So many of them fit beside each other.
const HEADLINES_MAX: usize = 7;

/// Whether less of it is better.
pub(super) fn less_is_better(metric: Metric) -> bool {
    matches!(metric, Metric::BounceRate | Metric::ExitRate)
}

/// The headline figures of the view.
pub(super) fn headlines(asker: &Asker) -> Vec<Metric> {
    let wanted = if asker.view.is_about("event:goal") { CONVERSIONS } else { HEADLINES };
    let mut metrics = asker.askable(wanted, &asker.query(json!({})));
    metrics.retain(|metric| is_told(asker, *metric));
    metrics.truncate(HEADLINES_MAX);
    metrics
}

/// All columns of a list by a dimension.
pub(super) fn all(asker: &Asker, dimension: &str) -> Vec<Metric> {
    let candidates: &[Metric] = match dimension {
        "event:page" => &[
            Metric::Visitors,
            Metric::Percentage,
            Metric::Visits,
            Metric::Pageviews,
            Metric::BounceRate,
            Metric::TimeOnPage,
            Metric::ScrollDepth,
            Metric::GroupConversionRate,
        ],
        "visit:exit_page" => &[
            Metric::Visitors,
            Metric::Percentage,
            Metric::Visits,
            Metric::ExitRate,
            Metric::VisitDuration,
        ],
        "event:goal" => &[
            Metric::Visitors,
            Metric::Events,
            Metric::ConversionRate,
            Metric::TotalRevenue,
            Metric::AverageRevenue,
        ],
        _ if is_of_events(dimension) => {
            &[Metric::Visitors, Metric::Events, Metric::Percentage, Metric::GroupConversionRate]
        }
        _ => &[
            Metric::Visitors,
            Metric::Percentage,
            Metric::Visits,
            Metric::Pageviews,
            Metric::BounceRate,
            Metric::VisitDuration,
            Metric::GroupConversionRate,
        ],
    };
    askable(asker, dimension, candidates)
}

/// The columns of a panel: two, and the revenue of goals.
pub(super) fn few(asker: &Asker, dimension: &str) -> Vec<Metric> {
    let converts = asker.view.is_about("event:goal");
    let second = match dimension {
        "event:goal" => Metric::ConversionRate,
        _ if converts => Metric::GroupConversionRate,
        _ if is_of_events(dimension) => Metric::Events,
        _ => Metric::Percentage,
    };
    let metrics = [Metric::Visitors, second, Metric::TotalRevenue];
    let wanted = if dimension == "event:goal" { &metrics[..] } else { &metrics[..2] };
    askable(asker, dimension, wanted)
}

fn is_of_events(dimension: &str) -> bool {
    dimension.starts_with("event:") && dimension != "event:page" && dimension != "event:hostname"
}

fn askable(asker: &Asker, dimension: &str, candidates: &[Metric]) -> Vec<Metric> {
    let mut metrics = asker.askable(candidates, &asker.query(json!({ "dimensions": [dimension] })));
    metrics.retain(|metric| is_told(asker, *metric));
    metrics
}

fn is_money(metric: Metric) -> bool {
    metric.spec().unit == Unit::Money
}

/// Revenue is told where a goal brings any.
fn is_told(asker: &Asker, metric: Metric) -> bool {
    !is_money(metric) || asker.site.goals.iter().any(|goal| goal.currency.is_some())
}
