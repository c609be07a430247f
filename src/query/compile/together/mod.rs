//! Queries of one site and period that are asked at the same time, in fewer statements than one each.
//!
//! Where days are closed little is left to be counted, and most of what a report costs is the statement itself: to
//! read and plan it, and to count what lies between the closed days. So queries are taken apart into what is counted
//! of visits and what of events ([`Part`]), and parts that go together are read by one statement, in rows that say
//! whose they are. A query of which there is one part alone, that goes with no other, has its own statement, as ever; one of
//! several parts gains by itself, for they are read with each other, or at the same time.
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
use self::parts::{Whose, go_together, order_key, parts, rows_alone_of, rows_max, whole};
pub(super) use self::sets::{Sets, Wanted, told_by_value};
use super::plan::Computed;
use super::tiers::{self, Closed, Of};
use super::{compile, events, visits};
use crate::query::Query;
use crate::query::measure::Measure;
use crate::query::metric::{Metric, conversion_rate, percentage};
use crate::query::statement::{Sql, Statement, sql};

/// What a row of such a statement begins with: whose it is, and the values of at most two dimensions.
pub(super) const NAMES: [&str; 3] = ["q", "e0", "e1"];

/// So many parts, at most, are read by one statement: it tells their keys, three of each at most, apart by the bits of one
/// number ([`Sets`]).
const PARTS_MAX: usize = 21;

/// Statements that read for several queries.
pub struct Together<'query> {
    queries: &'query [Query],
    joints: Vec<Joint>,
    /// The places of the queries of which every part is read.
    read: BTreeSet<usize>,
}

/// A statement, and for whom it reads.
struct Joint {
    statement: Statement,
    metrics: Vec<Metric>,
    rows: Rows,
}

/// Whose the rows of a statement are.
enum Rows {
    /// They say so by a mark: these by their marks.
    Marked(Vec<Whose>),
    /// All of the query at this place, with its dimensions and no mark.
    Of(usize),
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
        // Those that go with others, and those of which several things are read, with or beside each other.
        let mut gain = BTreeSet::new();
        for (place, query) in queries.iter().enumerate() {
            let parts = parts(place, query, wider[place].as_ref()).unwrap_or_default();
            let statements = parts.len() + usize::from(rows_alone_of(query).is_some());
            if !parts.is_empty() && statements > 1 {
                gain.insert(place);
            }
            for part in parts {
                let family = families
                    .iter_mut()
                    .find(|family| family.len() < PARTS_MAX && go_together(&family[0], &part));
                match family {
                    Some(family) => family.push(part),
                    None => families.push(vec![part]),
                }
            }
        }
        let is_of_several = |family: &&Vec<Part>| {
            family.iter().any(|part| part.whose.place != family[0].whose.place)
        };
        let of_several = families.iter().filter(is_of_several).flatten();
        gain.extend(of_several.map(|part| part.whose.place));
        let (mut joints, mut not_read) = (Vec::new(), BTreeSet::new());
        for mut family in families {
            family.retain(|part| gain.contains(&part.whose.place));
            for (mark, part) in (0..).zip(&mut family) {
                part.mark = mark;
            }
            match joint(&family, closed) {
                Some(joint) => joints.push(joint),
                None => not_read.extend(family.iter().map(|part| part.whose.place)),
            }
        }
        let read = &gain - &not_read;
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
        let mut read: HashMap<Whose, Vec<Row>> = HashMap::new();
        for (joint, rows) in self.joints.iter().zip(answers) {
            for row in rows {
                let Some((whose, dimensions, metrics)) = self.taken_apart(joint, row) else {
                    continue;
                };
                let told = joint.metrics.iter().copied().zip(metrics);
                let rows = read.entry(whose).or_default();
                match rows.first_mut() {
                    // Both parts of a query without dimensions make its only row.
                    Some(first) if self.queries[whose.place].dimensions.is_empty() => {
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
            let of_whole = read.get(&Whose { place, is_whole: true }).and_then(|rows| rows.first());
            let of_whole = of_whole.and_then(|row| row.told.get(&Metric::Visitors));
            let rows =
                read.get(&Whose { place, is_whole: false }).map(Vec::as_slice).unwrap_or_default();
            // Without dimensions there is always a row, if only of nothing.
            let nothing = [Row::default()];
            let rows = if query.dimensions.is_empty() && rows.is_empty() { &nothing } else { rows };
            let page = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
            let rows = rows.iter().skip(page(query.page.offset)).take(page(query.page.limit));
            Some(rows.map(|row| values(query, row, of_whole)).collect())
        };
        self.queries.iter().enumerate().map(of_query).collect()
    }

    /// Whose a row of a statement is, its dimensions, and its metrics.
    fn taken_apart(
        &self,
        joint: &Joint,
        mut row: Vec<Value>,
    ) -> Option<(Whose, Vec<Value>, Vec<Value>)> {
        match &joint.rows {
            Rows::Of(place) => {
                let dimensions = self.queries[*place].dimensions.len();
                let metrics = row.split_off(dimensions.min(row.len()));
                Some((Whose { place: *place, is_whole: false }, row, metrics))
            }
            Rows::Marked(parts) => {
                let mark = usize::try_from(row.first()?.as_u64()?).ok()?;
                let metrics = row.split_off(NAMES.len().min(row.len()));
                Some((*parts.get(mark)?, row.split_off(1), metrics))
            }
        }
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
        metric => told.get(&metric).cloned().unwrap_or_else(|| events::of_nothing(metric, query)),
    };
    let dimensions = dimensions.iter().take(query.dimensions.len()).cloned();
    dimensions
        .chain(query.metrics.iter().filter_map(|measure| Some(metric(measure.metric()?))))
        .collect()
}

/// The statement for a family of parts; `None` if there is none.
fn joint(family: &[Part], closed: &Closed) -> Option<Joint> {
    let of = family.first()?.of;
    let metrics: BTreeSet<Computed> =
        family.iter().flat_map(|part| &part.metrics).copied().collect();
    let metrics: Vec<Computed> = metrics.into_iter().collect();
    let rows = tiers::together(family, &metrics, of, closed).or_else(|| match of {
        Of::Events => events::together(family, &metrics, closed),
        Of::Visits => visits::together(family, &metrics, closed),
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
        metrics: metrics.into_iter().map(|(metric, _)| metric).collect(),
        rows: Rows::Marked(family.iter().map(|part| part.whose).collect()),
    })
}

/// The statement for the rows of a query that is told apart from what these are shares of, if it is such a one.
fn alone(place: usize, query: &Query, closed: &Closed) -> Option<Joint> {
    let rows = rows_alone_of(query)?;
    Some(Joint {
        statement: compile(&rows, &closed.within(&rows)),
        metrics: rows.metrics.iter().filter_map(Measure::metric).collect(),
        rows: Rows::Of(place),
    })
}
