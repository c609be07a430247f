//! Queries of one site and period that are asked at the same time, in fewer statements than one each.
//!
//! Where days are closed little is left to be counted, and most of what a report costs is the statement itself: to
//! read and plan it, and to count what lies between the closed days. So queries are taken apart into what is counted
//! of visits and what of events ([`Part`]), and parts that go together are read by one statement, in rows that say
//! whose they are. A query that does not go with any other has its own statement, as ever.
//!
//! - `parts`: what queries are taken apart into, and which of it goes together;
//! - `sets`: rows for several parts out of one reading.

mod parts;
mod sets;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

pub(super) use self::parts::{Part, filters};
use self::parts::{go_together, order_key, parts, rows_alone_of, rows_max, whole};
pub(super) use self::sets::Sets;
use super::tiers::{self, Closed, Of};
use super::{compile, events, visits};
use crate::query::Query;
use crate::query::measure::Measure;
use crate::query::metric::{Metric, conversion_rate, percentage};
use crate::query::statement::{Sql, Statement, sql};

/// What a row of such a statement begins with: whose it is, and the values of at most two dimensions.
pub(super) const NAMES: [&str; 3] = ["q", "e0", "e1"];

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
    /// Whether it is a query's own, whose rows have its dimensions and no mark.
    is_own: bool,
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
        let read: BTreeSet<usize> = has_company.into_iter().filter(is_read).collect();
        joints.extend(read.iter().filter_map(|place| alone(*place, &queries[*place], closed)));
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
                let (mark, dimensions, metrics) = match joint.is_own {
                    true => {
                        let dimensions = self.queries[joint.parts[0].0].dimensions.len();
                        let metrics = row.split_off(dimensions.min(row.len()));
                        (Some(0), row, metrics)
                    }
                    false => {
                        let metrics = row.split_off(NAMES.len().min(row.len()));
                        let dimensions = row.split_off(1.min(row.len()));
                        let mark = row.first().and_then(Value::as_u64);
                        (mark.and_then(|mark| usize::try_from(mark).ok()), dimensions, metrics)
                    }
                };
                let Some(part) = mark.and_then(|mark| joint.parts.get(mark)) else { continue };
                let told = joint.metrics.iter().copied().zip(metrics);
                let rows = read.entry(*part).or_default();
                match rows.first_mut() {
                    // Both parts of a query without dimensions make its only row.
                    Some(first) if self.queries[part.0].dimensions.is_empty() => {
                        first.told.extend(told)
                    }
                    _ => rows.push(Row { dimensions, told: told.collect() }),
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
        Metric::ConversionRate => {
            conversion_rate(number(told.get(&Metric::Visitors)), number(whole))
        }
        metric => told.get(&metric).cloned().unwrap_or_else(|| metric.of_nothing()),
    };
    let dimensions = dimensions.iter().take(query.dimensions.len()).cloned();
    dimensions
        .chain(query.metrics.iter().filter_map(|measure| Some(metric(measure.metric()?))))
        .collect()
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
        is_own: false,
    })
}

/// The statement for a query of which only what its rows are shares of goes with others, if it is such a one.
fn alone(place: usize, query: &Query, closed: &Closed) -> Option<Joint> {
    let rows = rows_alone_of(query)?;
    Some(Joint {
        statement: compile(&rows, &closed.within(&rows)),
        metrics: rows.metrics.iter().filter_map(Measure::metric).collect(),
        parts: vec![(place, false)],
        is_own: true,
    })
}
