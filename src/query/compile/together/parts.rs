//! What queries are taken apart into, and which of it goes together.

use super::super::plan::{Computed, Plan};
use super::super::tiers::{self, Of};
use super::super::wholes;
use super::NAMES;
use crate::query::dimension::{Dimension, Field};
use crate::query::filter::{Filter, Subject};
use crate::query::interval::Interval;
use crate::query::measure::Measure;
use crate::query::metric::{Formula, Metric, Unit, Whole};
use crate::query::{Order, OrderKey, Page, Query};

/// What is counted for a query of one kind of things.
pub(in crate::query::compile) struct Part<'query> {
    /// Which of the statement's parts it is.
    pub(in crate::query::compile) mark: u32,
    pub(in crate::query::compile) query: &'query Query,
    pub(in crate::query::compile) metrics: Vec<Computed>,
    pub(super) of: Of,
    pub(super) whose: Whose,
}

/// For which of the queries something is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Whose {
    /// The place of the query.
    pub(super) place: usize,
    /// Whether it is what rows of that query are shares of.
    pub(super) is_whole: bool,
}

/// The report whose visitors the rows of this one are shares of, if it tells shares.
pub(super) fn whole(query: &Query) -> Option<Query> {
    let tells =
        |metric: Metric| query.metrics.iter().any(|measure| measure.metric() == Some(metric));
    let whole = match (tells(Metric::Percentage), tells(Metric::ConversionRate)) {
        (true, _) => Whole::Report,
        (false, true) => Whole::Unconverted,
        (false, false) => return None,
    };
    Some(wholes::wider(query, whole).0)
}

/// The query without its rate of conversion, if it tells one: its rows have a statement of their own, and what they are
/// shares of, which is one of the headline figures, is read with others.
pub(super) fn rows_alone_of(query: &Query) -> Option<Query> {
    let all: Vec<Metric> = query.metrics.iter().map(Measure::metric).collect::<Option<_>>()?;
    let is_share = |metric: &Metric| matches!(metric.spec().formula, Formula::Share { .. });
    let shares: Vec<Metric> = all.iter().copied().filter(is_share).collect();
    let counted: Vec<Metric> = all.iter().copied().filter(|metric| !is_share(metric)).collect();
    if shares != [Metric::ConversionRate]
        || !counted.contains(&Metric::Visitors)
        || query.floored.is_some()
    {
        return None;
    }
    let order = query.order.iter().map(|order| {
        let key = match order.key {
            OrderKey::Metric(index) => {
                let metric = all.get(index)?;
                OrderKey::Metric(counted.iter().position(|counted| counted == metric)?)
            }
            key => key,
        };
        Some(Order { key, ..*order })
    });
    let order = order.collect::<Option<_>>()?;
    // Which of its rows are wanted is looked to where they are told.
    let page = Page { limit: query.page.limit.saturating_add(query.page.offset), offset: 0 };
    let metrics = counted.into_iter().map(Measure::Metric).collect();
    Some(Query { metrics, order, page, ..query.clone() })
}

/// What a query is taken apart into; `None` if it can not be.
pub(super) fn parts<'query>(
    place: usize,
    query: &'query Query,
    wider: Option<&'query Query>,
) -> Option<Vec<Part<'query>>> {
    let part = |query, of, metrics: Vec<Computed>, is_whole| {
        let whose = Whose { place, is_whole };
        (!metrics.is_empty()).then_some(Part { mark: 0, query, metrics, of, whose })
    };
    let of_whole = wider.into_iter().flat_map(|wider| {
        let Plan { events, visits, .. } = Plan::of(wider);
        [part(wider, Of::Events, events, true), part(wider, Of::Visits, visits, true)]
    });
    let of_whole = of_whole.flatten();
    if rows_alone_of(query).is_some() {
        return Some(of_whole.collect());
    }
    let plan = Plan::of(query);
    let metrics = || plan.events.iter().chain(&plan.visits).map(|(metric, _)| *metric);
    // A page means another thing where visits are counted, and money is of some events alone.
    let is_of_entries =
        !plan.visits.is_empty() && query.dimensions.contains(&Dimension::Field(Field::Page));
    let is_plain = plan.engagement.is_empty()
        && !is_of_entries
        && metrics()
            .all(|metric| metric != Metric::EngagementRate && metric.spec().unit != Unit::Money)
        && plan.wholes.iter().all(|whole| *whole == Whole::Report)
        && query.metrics.iter().all(|measure| measure.metric().is_some())
        && query.floored.is_none();
    let is_alone = plan.events.is_empty() || plan.visits.is_empty();
    let tells = query.dimensions.len() < NAMES.len() && query.dimensions.iter().all(is_text);
    if !is_plain
        || !tells
        || !(is_alone || query.dimensions.is_empty())
        || order_key(query).is_none()
    {
        return None;
    }
    let own = [(Of::Events, plan.events), (Of::Visits, plan.visits)];
    let own = own.into_iter().filter_map(|(of, metrics)| part(query, of, metrics, false));
    Some(own.chain(of_whole).collect())
}

/// Whether the values of the dimension are texts, and no times of day.
fn is_text(dimension: &Dimension) -> bool {
    match dimension {
        Dimension::Field(field) => !field.spec().number,
        Dimension::Time(interval) => matches!(
            interval,
            Interval::Day | Interval::Week | Interval::Month | Interval::Quarter | Interval::Year
        ),
        Dimension::Property(_) | Dimension::Properties | Dimension::Goal(_) => false,
    }
}

/// By which metric the query's rows are ordered before their dimensions, if by any, and whether the most come first; the
/// outer is `None` if they are ordered in another way.
pub(super) fn order_key(query: &Query) -> Option<Option<(Metric, bool)>> {
    let (mut key, mut dimensions) = (None, 0);
    let entries = query.order.iter().map(|order| (order.key, order.descending));
    let rest = (0..query.dimensions.len()).map(|index| (OrderKey::Dimension(index), false));
    let rest = rest.filter(|(rest, _)| query.order.iter().all(|order| order.key != *rest));
    for (by, descending) in entries.chain(rest) {
        if dimensions == query.dimensions.len() {
            break;
        }
        match by {
            OrderKey::Dimension(index) if index == dimensions && !descending => dimensions += 1,
            OrderKey::Metric(index) if dimensions == 0 && key.is_none() => {
                let metric = query.metrics.get(index)?.metric()?;
                key = Some((metric, descending));
                if metric == Metric::Percentage {
                    return None;
                }
            }
            OrderKey::Visitors if dimensions == 0 && key.is_none() => {
                key = Some((Metric::Visitors, descending));
            }
            OrderKey::Dimension(_) | OrderKey::Metric(_) | OrderKey::Visitors => return None,
        }
    }
    Some(key)
}

/// Whether one statement may read both.
pub(super) fn go_together<'query>(one: &Part<'query>, other: &Part<'query>) -> bool {
    let (a, b) = (one.query, other.query);
    let adds_up = tiers::adds_up(a, one.of);
    let of_properties = |query: &'query Query| -> Vec<&'query Filter> {
        query.filters.iter().filter(|filter| tiers::asks_for_properties(filter)).collect()
    };
    let properties = of_properties(a);
    // What is counted of events is counted for all, and who is told from whom there is dear, unless few are left by what takes
    // longest to look at.
    let counts_alike = adds_up
        || one.of == Of::Visits
        || !properties.is_empty()
        || (one.metrics == other.metrics && of_events(a).eq(of_events(b)));
    // Of visits that had an event it matters which entered where: that is looked to once for all.
    let asked =
        |query: &'query Query| query.filters.iter().filter(|filter| filter.asks_about_events());
    let asks_alike = one.of != Of::Visits || !adds_up || asked(a).eq(asked(b));
    one.of == other.of
        && (a.site, &a.period, a.kept_from, &a.goals) == (b.site, &b.period, b.kept_from, &b.goals)
        && adds_up == tiers::adds_up(b, other.of)
        && properties == of_properties(b)
        && counts_alike
        && asks_alike
}

/// The dimensions of which one visit may have several values: what is read depends on them.
fn of_events(query: &Query) -> impl Iterator<Item = &Dimension> {
    query.dimensions.iter().filter(|dimension| dimension.is_of_event())
}

/// The filters that all the parts have, and those of each that not all have. `None` where one of the latter is more than
/// a condition on a row of its own.
pub(in crate::query::compile) fn filters<'query>(
    family: &[Part<'query>],
) -> Option<(Vec<&'query Filter>, Vec<Vec<&'query Filter>>)> {
    let has = |part: &Part, filter: &Filter| part.query.filters.contains(filter);
    let (first, _) = family.split_first()?;
    let shared = |filter: &&Filter| family.iter().all(|part| has(part, filter));
    let common: Vec<&Filter> = first.query.filters.iter().filter(shared).collect();
    let own = |part: &Part<'query>| -> Vec<&'query Filter> {
        part.query.filters.iter().filter(|filter| !common.contains(filter)).collect()
    };
    let own: Vec<Vec<&Filter>> = family.iter().map(own).collect();
    // What is asked of one and the same event of a visit is asked at once.
    let is_plain = |filter: &&&Filter| {
        let Filter::Test(test) = filter else { return false };
        matches!(test.subject, Subject::Field(_))
            && (first.of == Of::Events || !filter.asks_about_events())
    };
    own.iter().flatten().all(|filter| is_plain(&filter)).then_some((common, own))
}

/// So many of its rows are wanted, at most, from the first on.
pub(super) fn rows_max(query: &Query) -> u64 {
    let wanted = query.page.limit.saturating_add(query.page.offset);
    match query.dimensions.as_slice() {
        [] => 1,
        [Dimension::Time(interval)] => {
            wanted.min(u64::try_from(interval.labels_max(&query.period)).unwrap_or(wanted) + 1)
        }
        _ => wanted,
    }
}
