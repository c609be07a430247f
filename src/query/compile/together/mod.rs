//! Queries of one site and period that are asked at the same time, in fewer statements than one each.
//!
//! Where days are closed little is left to be counted, and most of what a report costs is the statement itself: to
//! read and plan it, and to count what lies between the closed days. So queries are taken apart into what is counted
//! of visits and what of events ([`Part`]), and parts that go together are read by one statement, in rows that say
//! whose they are. A query that does not go with any other has its own statement, as ever.

mod sets;

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

pub(super) use self::sets::Sets;
use super::plan::{Computed, Plan};
use super::tiers::{self, Closed, Of};
use super::{events, visits, wholes};
use crate::query::dimension::{Dimension, Field};
use crate::query::filter::{Filter, Subject};
use crate::query::interval::Interval;
use crate::query::metric::{Metric, Unit, Whole, percentage};
use crate::query::statement::{Sql, Statement, sql};
use crate::query::{OrderKey, Query};

/// What a row of such a statement begins with: whose it is, and the values of at most two dimensions.
pub(super) const NAMES: [&str; 3] = ["q", "e0", "e1"];

/// What is counted for a query of one kind of things.
pub(super) struct Part<'query> {
    /// Which of the statement's parts it is.
    pub(super) mark: u32,
    pub(super) query: &'query Query,
    pub(super) metrics: Vec<Computed>,
    of: Of,
    /// The place of the query that it is counted for.
    place: usize,
    /// Whether it is what rows of that query are shares of.
    is_whole: bool,
}

/// Statements that read for several queries.
pub struct Together<'query> {
    queries: &'query [Query],
    joints: Vec<Joint>,
    /// The places of the queries of which every part is read.
    read: BTreeSet<usize>,
}

/// A statement, and whom it reads for.
struct Joint {
    statement: Statement,
    metrics: Vec<Metric>,
    /// By their marks: the place of the query, and whether it is a whole.
    parts: Vec<(usize, bool)>,
}

/// A row of a query: the values of its dimensions, and of the metrics that were counted for it.
#[derive(Default)]
struct Row {
    dimensions: Vec<Value>,
    told: HashMap<Metric, Value>,
}

impl<'query> Together<'query> {
    /// The statements for those of the queries that go together. All are of one site.
    pub fn of(queries: &'query [Query], closed: &Closed) -> Self {
        let wider: Vec<Option<Query>> = queries.iter().map(whole).collect();
        let mut families: Vec<Vec<Part>> = Vec::new();
        for (place, query) in queries.iter().enumerate() {
            for part in parts(place, query, wider[place].as_ref()).into_iter().flatten() {
                let family = families.iter_mut().find(|family| go_together(&family[0], &part));
                match family {
                    Some(family) => family.push(part),
                    None => families.push(vec![part]),
                }
            }
        }
        // For one alone its own statement does.
        let is_of_several =
            |family: &Vec<Part>| family.iter().any(|part| part.place != family[0].place);
        let has_company: BTreeSet<usize> = families
            .iter()
            .filter(|family| is_of_several(family))
            .flatten()
            .map(|part| part.place)
            .collect();
        let mut joints = Vec::new();
        for mut family in families {
            family.retain(|part| has_company.contains(&part.place));
            for (mark, part) in (0..).zip(&mut family) {
                part.mark = mark;
            }
            joints.extend(joint(&family, closed));
        }
        let is_read = |place: &usize| {
            let parts = parts(*place, &queries[*place], wider[*place].as_ref());
            let of_joints = joints.iter().flat_map(|joint: &Joint| &joint.parts);
            let read = of_joints.filter(|(of, _)| of == place).count();
            parts.is_some_and(|parts| parts.len() == read)
        };
        let read = has_company.into_iter().filter(is_read).collect();
        Self { queries, joints, read }
    }

    /// Whether the query at this place is read by the statements.
    pub fn reads(&self, place: usize) -> bool {
        self.read.contains(&place)
    }

    /// The statements.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.joints.iter().map(|joint| &joint.statement)
    }

    /// The rows of each query as its own statement would return them, out of the answers to the statements; `None` for
    /// those that were not read.
    pub fn rows(&self, answers: Vec<Vec<Vec<Value>>>) -> Vec<Option<Vec<Vec<Value>>>> {
        let mut read: HashMap<(usize, bool), Vec<Row>> = HashMap::new();
        for (joint, rows) in self.joints.iter().zip(answers) {
            for mut row in rows {
                let metrics = row.split_off(NAMES.len().min(row.len()));
                let mark =
                    row.first().and_then(Value::as_u64).and_then(|mark| usize::try_from(mark).ok());
                let Some(part) = mark.and_then(|mark| joint.parts.get(mark)) else { continue };
                let told = joint.metrics.iter().copied().zip(metrics);
                let rows = read.entry(*part).or_default();
                match rows.first_mut() {
                    // Both parts of a query without dimensions make its only row.
                    Some(first) if self.queries[part.0].dimensions.is_empty() => {
                        first.told.extend(told)
                    }
                    _ => rows.push(Row { dimensions: row.split_off(1), told: told.collect() }),
                }
            }
        }
        let of_query = |(place, query): (usize, &Query)| {
            if !self.reads(place) {
                return None;
            }
            let of_whole = read.get(&(place, true)).and_then(|rows| rows.first());
            let of_whole = of_whole.and_then(|row| row.told.get(&Metric::Visitors));
            let rows = read.get(&(place, false)).map(Vec::as_slice).unwrap_or_default();
            // Without dimensions there is always a row, if only of nothing.
            let nothing = [Row::default()];
            let rows = if query.dimensions.is_empty() && rows.is_empty() { &nothing } else { rows };
            let page = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
            let rows = rows.iter().skip(page(query.page.offset)).take(page(query.page.limit));
            Some(rows.map(|row| values(query, row, of_whole)).collect())
        };
        self.queries.iter().enumerate().map(of_query).collect()
    }
}

/// A row as the query's own statement returns it.
fn values(query: &Query, row: &Row, whole: Option<&Value>) -> Vec<Value> {
    let Row { dimensions, told } = row;
    let number = |value: Option<&Value>| value.and_then(Value::as_f64).unwrap_or_default();
    let metric = |metric| match metric {
        Metric::Percentage => percentage(number(told.get(&Metric::Visitors)), number(whole)),
        metric => told.get(&metric).cloned().unwrap_or_else(|| metric.of_nothing()),
    };
    let dimensions = dimensions.iter().take(query.dimensions.len()).cloned();
    dimensions
        .chain(query.metrics.iter().filter_map(|measure| Some(metric(measure.metric()?))))
        .collect()
}

/// The report whose visitors the rows of this one are shares of, if it tells shares.
fn whole(query: &Query) -> Option<Query> {
    let has_shares =
        query.metrics.iter().any(|measure| measure.metric() == Some(Metric::Percentage));
    has_shares.then(|| wholes::wider(query, Whole::Report).0)
}

/// What a query is taken apart into; `None` if it can not be.
fn parts<'query>(
    place: usize,
    query: &'query Query,
    wider: Option<&'query Query>,
) -> Option<Vec<Part<'query>>> {
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
    let part = |query, of, metrics: Vec<Computed>, is_whole| {
        (!metrics.is_empty()).then_some(Part { mark: 0, query, metrics, of, place, is_whole })
    };
    let own = [(Of::Events, plan.events), (Of::Visits, plan.visits)];
    let own = own.into_iter().filter_map(|(of, metrics)| part(query, of, metrics, false));
    let of_whole = wider.into_iter().flat_map(|wider| {
        let Plan { events, visits, .. } = Plan::of(wider);
        [part(wider, Of::Events, events, true), part(wider, Of::Visits, visits, true)]
    });
    Some(own.chain(of_whole.flatten()).collect())
}

/// Whether the values of the dimension are texts, and as many days are behind each as behind any other.
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
fn order_key(query: &Query) -> Option<Option<(Metric, bool)>> {
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
fn go_together(one: &Part, other: &Part) -> bool {
    let (a, b) = (one.query, other.query);
    one.of == other.of
        && (a.site, &a.period, a.kept_from, &a.goals) == (b.site, &b.period, b.kept_from, &b.goals)
        && tiers::adds_up(a, one.of) == tiers::adds_up(b, other.of)
}

/// The filters that all the parts have, and those of each that not all have. `None` where one of the latter is more than
/// a condition on a row of its own.
pub(super) fn filters<'query>(
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

/// The statement for a family of parts; `None` if there is none.
fn joint(family: &[Part], closed: &Closed) -> Option<Joint> {
    let of = family.first()?.of;
    let metrics: BTreeSet<Metric> =
        family.iter().flat_map(|part| &part.metrics).map(|(metric, _)| *metric).collect();
    let rows = tiers::together(family, &metrics, of, closed).or_else(|| match of {
        Of::Events => events::together(family, closed),
        Of::Visits => visits::together(family, closed),
        Of::Attention => None,
    })?;
    let keys = family.iter().filter_map(|part| {
        let (metric, descending) = order_key(part.query)??;
        let sign = if descending { "-" } else { "" };
        Some(sql![
            "q = ",
            Sql::number(part.mark),
            ", ",
            sign,
            "toFloat64(",
            metric.spec().name,
            "), "
        ])
    });
    let limit = family.iter().map(|part| rows_max(part.query)).max().unwrap_or(1);
    let statement = sql![
        "SELECT * FROM (",
        rows,
        ") ORDER BY q, multiIf(",
        Sql::join(keys, ""),
        "1, 0., 0.), e0, e1 LIMIT ",
        Sql::number(limit),
        " BY q",
    ];
    Some(Joint {
        statement: statement.into(),
        metrics: metrics.into_iter().collect(),
        parts: family.iter().map(|part| (part.place, part.is_whole)).collect(),
    })
}

/// So many of its rows are wanted, at most, from the first on.
fn rows_max(query: &Query) -> u64 {
    let wanted = query.page.limit.saturating_add(query.page.offset);
    match query.dimensions.as_slice() {
        [] => 1,
        [Dimension::Time(interval)] => {
            wanted.min(u64::try_from(interval.labels_max(&query.period)).unwrap_or(wanted) + 1)
        }
        _ => wanted,
    }
}
