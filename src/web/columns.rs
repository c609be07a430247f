//! Which metrics a page shows beside each other: those that have a meaning together, the telling ones first.

use serde_json::{Value, json};

use super::ask::Asker;
use crate::query::Query;
use crate::query::dimension::Field;
use crate::query::filter::Subject;
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
/// The same where the view is about events of some name, or with some property: a rate or a length is of whole visits, in
/// which much else happened.
const EVENTS: &[Metric] = &[Metric::Visitors, Metric::Visits, Metric::Events];
/// Page views may have a property, and be among what is left by a filter on names.
const WITH_PAGEVIEWS: &[Metric] =
    &[Metric::Visitors, Metric::Visits, Metric::Pageviews, Metric::Events];
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

/// Takes the bounce rate out of results of these metrics where there was no page view, and what it would be compared with: of no visit
/// that saw a page none has bounced, which queries call 0 %, as if it were a good result.
pub(super) fn leave_no_bounces_of_nothing(metrics: &[Metric], answer: &mut Value) {
    let place = |wanted| metrics.iter().position(|metric| *metric == wanted);
    let (Some(rate), Some(views)) = (place(Metric::BounceRate), place(Metric::Pageviews)) else {
        return;
    };
    let blank = |numbers: &mut Value| {
        let is_of_nothing = numbers[views].as_f64() == Some(0.0);
        if is_of_nothing && let Some(rate) = numbers.get_mut(rate) {
            *rate = Value::Null;
        }
        is_of_nothing
    };
    for row in answer["results"].as_array_mut().into_iter().flatten() {
        let now = row.get_mut("metrics").is_some_and(blank);
        let Some(compared) = row.get_mut("comparison") else { continue };
        let before = compared.get_mut("metrics").is_some_and(blank);
        if (now || before)
            && let Some(change) = compared["change"].get_mut(rate)
        {
            *change = Value::Null;
        }
    }
}

/// What a view is about, by what its filters ask of single events; the last of these that one asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    /// Of nothing but pages and hosts.
    Visits,
    EventsAndPageviews,
    Events,
    Goal,
}

impl About {
    /// Segments are looked into. Of what a reader sees alone, all have met the goal.
    fn of(asker: &Asker) -> Self {
        let query = asker.parse(&asker.query(json!({})));
        let leaves_no_pageviews = query.as_ref().is_some_and(Query::leaves_no_pageviews);
        let about = |(subject, is_own): (&Subject, bool)| match subject {
            Subject::Field(Field::EventName) if leaves_no_pageviews => Self::Events,
            Subject::Field(Field::EventName) | Subject::Property(_) => Self::EventsAndPageviews,
            Subject::Field(_) => Self::Visits,
            Subject::Goal(_) if is_own => Self::Goal,
            Subject::Goal(_) => Self::Events,
        };
        let asked = query.iter().flat_map(Query::asked_of_events).map(about);
        asked.max().unwrap_or(Self::Visits)
    }
}

/// The headline figures of the view.
pub(super) fn headlines(asker: &Asker) -> Vec<Metric> {
    let wanted = match About::of(asker) {
        About::Visits => HEADLINES,
        About::EventsAndPageviews => WITH_PAGEVIEWS,
        About::Events => EVENTS,
        About::Goal => CONVERSIONS,
    };
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
    let converts = About::of(asker) == About::Goal;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_no_page_was_viewed_there_is_no_bounce_rate_nor_a_change_of_it() {
        let metrics = [Metric::Visitors, Metric::Pageviews, Metric::BounceRate];
        let told = |now: Value, before: Value| {
            let compared = json!({"metrics": before, "change": [0, 0, 0]});
            let mut answer = json!({"results": [{"metrics": now, "comparison": compared}]});
            leave_no_bounces_of_nothing(&metrics, &mut answer);
            let row = &answer["results"][0];
            let rate = |numbers: &Value| numbers[2].clone();
            [&row["metrics"], &row["comparison"]["metrics"], &row["comparison"]["change"]].map(rate)
        };
        let (some, nothing) = (json!([3, 5, 0]), json!([3, 0, 0]));
        assert_eq!(told(some.clone(), some.clone()), [json!(0), json!(0), json!(0)]);
        assert_eq!(told(nothing.clone(), some.clone()), [json!(null), json!(0), json!(null)]);
        assert_eq!(told(some, nothing), [json!(0), json!(null), json!(null)]);
        // Numbers that are not told are not nothing.
        let untold = json!([null, null, 0]);
        assert_eq!(told(untold.clone(), untold), [json!(0), json!(0), json!(0)]);
        let mut alone = json!({"results": [{"metrics": [0]}]});
        leave_no_bounces_of_nothing(&[Metric::BounceRate], &mut alone);
        assert_eq!(alone["results"][0]["metrics"][0], 0);
    }
}
