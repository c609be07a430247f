//! From a [`Query`] to a [`Statement`]: pure, total, and without a word of the client's in the text.
//!
//! A report is computed from events, from visits, or from both. Each of the two is a subquery with
//! the report's dimensions as `d0`, `d1`, … and its metrics by their names; what they have in common
//! is joined, and then sorted and cut.
//!
//! - `plan`: which metric is computed from which of the two;
//! - `events`: the subquery over events;
//! - `visits`: what the events of a visit come to, and the subquery over visits;
//! - `conditions`: filters, on an event and on a visit.

mod conditions;
mod events;
mod plan;
mod visits;

#[cfg(test)]
mod tests;

use jiff::Timestamp;

use self::plan::Plan;
use super::dimension::{Dimension, FieldSpec};
use super::metric::{Formula, Metric};
use super::statement::{Sql, Statement, sql};
use super::{Order, OrderKey, Query};
use crate::site::SiteId;

/// How the statements are run. Visits are read in the order of the table, which is that of time, and
/// grouped as they pass: over 2.5 million visits of 60 days this takes 0.1 to 0.4 GB where grouping
/// them in any other way takes more than a report may. So partitions are merged with each other
/// (cheap: they follow one another), in small blocks (one is held for each partition).
const SETTINGS: &str = " SETTINGS optimize_aggregation_in_order = 1, max_block_size = 8192, \
     do_not_merge_across_partitions_select_final = 0";

/// The statement whose rows are the report's: its dimensions in order, then its metrics in order.
pub fn compile(query: &Query) -> Statement {
    let limit =
        sql![" LIMIT ", Sql::number(query.page.limit), " OFFSET ", Sql::number(query.page.offset)];
    sql![rows(query), " ORDER BY ", order(query), limit, SETTINGS].into()
}

/// The statement whose only row says how many rows the report has without pagination.
pub fn total_rows(query: &Query) -> Statement {
    sql!["SELECT count() FROM (", rows(query), ")", SETTINGS].into()
}

/// The statement whose only row is the second, since 1970, of the site's first event; 0 without any.
pub fn first_event(site: SiteId) -> Statement {
    let site = Sql::number(site.0);
    sql!["SELECT toUnixTimestamp(min(timestamp)) FROM events WHERE site_id = ", site].into()
}

/// The report's rows in no order.
fn rows(query: &Query) -> Sql {
    let plan = Plan::of(query);
    let dimensions = (0..query.dimensions.len()).map(|index| Sql::name("d", index));
    let metrics = query.metrics.iter().map(|metric| final_metric(*metric));
    let columns = Sql::join(dimensions.chain(metrics), ", ");
    sql![totals(query, &plan), "SELECT ", columns, " FROM ", source(query, &plan)]
}

fn source(query: &Query, plan: &Plan) -> Sql {
    if plan.visits.is_empty() {
        return sql!["(", events::subquery(query, &plan.events), ")"];
    }
    if plan.events.is_empty() {
        return sql!["(", visits::subquery(query, &plan.visits), ")"];
    }
    let (events, visits) =
        (events::subquery(query, &plan.events), visits::subquery(query, &plan.visits));
    if query.dimensions.is_empty() {
        return sql!["(", events, ") AS of_events CROSS JOIN (", visits, ") AS of_visits"];
    }
    let keys = Sql::join((0..query.dimensions.len()).map(|index| Sql::name("d", index)), ", ");
    // Events say which rows there are; but in a bucket in which a visit was merely under way there
    // may be none.
    let join = if query.interval().is_some_and(super::interval::Interval::smears) {
        "FULL"
    } else {
        "LEFT"
    };
    sql![
        "(",
        events,
        ") AS of_events ",
        join,
        " JOIN (",
        visits,
        ") AS of_visits USING (",
        keys,
        ")"
    ]
}

/// What the rows are shares of.
fn totals(query: &Query, plan: &Plan) -> Sql {
    if !plan.totals {
        return Sql::default();
    }
    let whole = Query { metrics: vec![Metric::Visitors], dimensions: Vec::new(), ..query.clone() };
    sql!["WITH (", rows(&whole), ") AS total_visitors "]
}

fn final_metric(metric: Metric) -> Sql {
    let name = metric.spec().name;
    match metric.spec().formula {
        Formula::OfTotal(formula) => sql![formula, " AS ", name],
        Formula::Events(_) | Formula::Visits(_) | Formula::Either { .. } => name.into(),
    }
}

/// As asked for, then by the dimensions, so that pages do not overlap.
fn order(query: &Query) -> Sql {
    let rest = (0..query.dimensions.len())
        .map(|index| Order { key: OrderKey::Dimension(index), descending: false });
    let rest = rest.filter(|rest| query.order.iter().all(|order| order.key != rest.key));
    let entries = query.order.iter().copied().chain(rest).map(|order| {
        let key = match order.key {
            OrderKey::Metric(index) => query.metrics[index].spec().name.into(),
            OrderKey::Dimension(index) => Sql::name("d", index),
        };
        sql![key, if order.descending { " DESC" } else { " ASC" }, " NULLS LAST"]
    });
    Sql::join(entries, ", ")
}

/// `SELECT dimensions AS d0, …, metrics AS their names`: the head of either subquery.
fn select(dimensions: Vec<Sql>, metrics: &[(Metric, &'static str)]) -> Sql {
    let dimensions = dimensions
        .into_iter()
        .enumerate()
        .map(|(index, value)| sql![value, " AS ", Sql::name("d", index)]);
    let metrics =
        metrics.iter().map(|(metric, formula)| sql![*formula, " AS ", metric.spec().name]);
    sql!["SELECT ", Sql::join(dimensions.chain(metrics), ", ")]
}

/// ` GROUP BY` the dimensions: the foot of either subquery. Without dimensions there is always a row.
fn group(query: &Query) -> Sql {
    if query.dimensions.is_empty() {
        return Sql::default();
    }
    sql![
        " GROUP BY ",
        Sql::join((0..query.dimensions.len()).map(|index| Sql::name("d", index)), ", ")
    ]
}

/// A field as reports show it: its value, or the label of a blank.
fn labelled(value: Sql, spec: &FieldSpec) -> Sql {
    match (spec.number, spec.blank) {
        (true, _) => value,
        (false, "") => sql!["toString(", value, ")"],
        (false, blank) => sql!["if(", &value, " = '', '", blank, "', toString(", value, "))"],
    }
}

/// The condition on events of the site, and of the period, that the site still keeps.
fn within(query: &Query) -> Sql {
    between(query, kept_from(query), query.period.to())
}

/// The first second of the period that the site still keeps.
fn kept_from(query: &Query) -> Timestamp {
    query.kept_from.map_or(query.period.from(), |kept| kept.max(query.period.from()))
}

/// The condition on events of the site between two moments. It names the days' partitions, too: a
/// table that is read with FINAL and merges partitions does not leave any out by the timestamp.
fn between(query: &Query, from: Timestamp, to: Timestamp) -> Sql {
    let day = |moment: Timestamp| Sql::text(moment.strftime("%Y%m%d").to_string());
    sql![
        "site_id = ",
        Sql::number(query.site.0),
        " AND timestamp >= ",
        Sql::moment(from),
        " AND timestamp <= ",
        Sql::moment(to),
        " AND _partition_id >= ",
        day(from),
        " AND _partition_id <= ",
        day(to),
    ]
}

/// The dimension, where a visit is meant though an event is asked for: a visit has its entry page.
fn of_visit(dimension: &Dimension) -> Dimension {
    use super::dimension::Field;
    match dimension {
        Dimension::Field(Field::Page) => Dimension::Field(Field::EntryPage),
        other => other.clone(),
    }
}
