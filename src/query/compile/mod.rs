//! From a [`Query`] to a [`Statement`]: pure, total, and without a word of the client's in the text.
//!
//! A report is computed from events, from visits, or from both, and some of it from engagement. Each
//! of these is a subquery with the report's dimensions as `d0`, `d1`, … and its metrics by their
//! names; they are joined by the dimensions, and then sorted and cut.
//!
//! - `plan`: which metric is computed from what;
//! - `events`: the subquery over events;
//! - `visits`: what the events of a visit come to, and the subquery over visits;
//! - `engagement`: the subquery over engagement;
//! - `wholes`: what rows are shares of;
//! - `of_floor`: rows that are enough, where small numbers are not told;
//! - `together`: several queries in fewer statements;
//! - `conditions`: filters, on an event and on a visit;
//! - `tiers`: the same subqueries, where days that are over have been counted already.

mod conditions;
mod engagement;
mod events;
pub(super) mod of_floor;
mod plan;
mod tiers;
mod together;
mod visits;
mod wholes;

#[cfg(test)]
mod tests;

use jiff::Timestamp;

pub(super) use self::conditions::Conditions;
use self::conditions::{COUNTED, hosts_of_visits};
pub(super) use self::events::{of_nothing, table, value};
use self::plan::{Computed, Plan};
use self::tiers::Of;
pub(super) use self::tiers::asks_for_no_pageviews;
pub use self::tiers::{Closed, Counting, GoalsCounted, Making, made_of, may_add_up, set_of};
pub use self::together::Together;
use super::dimension::{Dimension, FieldSpec};
use super::filter::Filter;
use super::interval::Interval;
use super::measure::Measure;
use super::metric::{Formula, Metric};
use super::statement::{Sql, Statement, sql};
use super::{Order, OrderKey, Query};
use crate::site::SiteId;

/// How statements are run that group the visits of a long time. They are read in the order of the table, which is that of
/// time, and grouped as they pass: over 2.5 million visits of 60 days this takes 0.1 to 0.4 GB where grouping
/// them in any other way takes more than a report may. So partitions are merged with each other
/// (cheap: they follow one another), in small blocks (one is held for each partition).
pub(super) const SETTINGS: &str = " SETTINGS optimize_aggregation_in_order = 1, max_block_size = 8192, \
     do_not_merge_across_partitions_select_final = 0";

/// How the visits of a short time are grouped: a third quicker, with all of them in memory.
const SETTINGS_OF_FEW: &str =
    " SETTINGS optimize_aggregation_in_order = 0, do_not_merge_across_partitions_select_final = 1";

/// How a short time is read within statements that may be run with [`SETTINGS`]: as reports are, by the client.
const SETTINGS_OF_PART: &str = " SETTINGS do_not_merge_across_partitions_select_final = 1";

/// So many days are few.
const FEW_DAYS: i64 = 8;

/// The settings for grouping the visits of the query's period.
fn settings(query: &Query) -> &'static str {
    if are_few(query) { SETTINGS_OF_FEW } else { SETTINGS }
}

/// Whether the visits of the query's period are grouped as few.
fn are_few(query: &Query) -> bool {
    let seconds = query.period.to().duration_since(kept_from(query)).as_secs();
    seconds <= FEW_DAYS * 86_400
}

/// The statement whose rows are the report's: its dimensions in order, then its metrics in order. Its numbers
/// are the same whichever days are closed.
pub fn compile(query: &Query, closed: &Closed) -> Statement {
    let limit =
        sql![" LIMIT ", Sql::number(query.page.limit), " OFFSET ", Sql::number(query.page.offset)];
    sql![rows(query, closed), " ORDER BY ", order(query), limit].into()
}

/// The statement whose only row says how many rows the report has without pagination.
pub fn total_rows(query: &Query, closed: &Closed) -> Statement {
    sql!["SELECT count() FROM (", rows(query, closed), ")"].into()
}

/// The statement whose only row is the second, since 1970, of the site's first event; 0 without any.
pub fn first_event(site: SiteId) -> Statement {
    let site = Sql::number(site.0);
    sql!["SELECT toUnixTimestamp(min(timestamp)) FROM events WHERE site_id = ", site].into()
}

/// The report's rows in no order.
fn rows(query: &Query, closed: &Closed) -> Sql {
    let dimensions = (0..query.dimensions.len()).map(|index| Sql::name("d", index));
    let metrics = query.metrics.iter().enumerate().map(|(place, metric)| match metric {
        Measure::Metric(metric) => final_metric(*metric),
        Measure::Property(..) => metric.column(place),
    });
    let hidden = query.order.iter().filter(|order| order.key == OrderKey::Visitors);
    let hidden = hidden.map(|_| Metric::Visitors.spec().name.into());
    let columns = Sql::join(dimensions.chain(metrics).chain(hidden), ", ");
    sql!["SELECT ", columns, " FROM ", source(query, &Plan::of(query), closed)]
}

/// All that the columns are computed from, side by side.
fn source(query: &Query, plan: &Plan, closed: &Closed) -> Sql {
    let all: Vec<usize> = (0..query.dimensions.len()).collect();
    let names =
        |indices: &[usize]| indices.iter().map(|index| Sql::name("d", *index)).collect::<Vec<_>>();
    let using = |indices: &[usize]| sql![" USING (", Sql::join(names(indices), ", "), ")"];
    let of_events = !plan.events.is_empty() || query.metrics.iter().any(of_property);
    let added_up = |metrics: &[Computed], of| tiers::subquery(query, metrics, of, closed);
    let events = of_events.then(|| {
        added_up(&plan.events, Of::Events)
            .unwrap_or_else(|| events::subquery(query, &plan.events, closed))
    });
    let visits = (!plan.visits.is_empty()).then(|| {
        added_up(&plan.visits, Of::Visits)
            .unwrap_or_else(|| visits::subquery(query, &plan.visits, closed))
    });
    let mut source = match (events, visits) {
        (Some(events), Some(visits)) => {
            // Events say which rows there are; but in a bucket of time in which a visit was merely
            // under way there may be none.
            let smears = query.interval().is_some_and(Interval::smears);
            join(events, if smears { " FULL" } else { " LEFT" }, visits, &all, using(&all))
        }
        (Some(one), None) | (None, Some(one)) => one,
        // There is at least one metric, and each has one of the two behind it.
        (None, None) => sql!["SELECT 1"],
    };
    if !plan.engagement.is_empty() {
        let engagement = added_up(&plan.engagement, Of::Attention)
            .unwrap_or_else(|| engagement::subquery(query, &plan.engagement, closed));
        source = join(source, " LEFT", engagement, &all, using(&all));
    }
    for whole in &plan.wholes {
        let (whole, kept) = wholes::subquery(query, *whole, closed);
        let equal =
            kept.iter().map(|index| sql![Sql::name("d", *index), " = ", Sql::name("k", *index)]);
        let on = sql![" ON ", Sql::join(equal, " AND ")];
        source = join(source, " LEFT", whole, &kept, on);
    }
    sql!["(", source, ")"]
}

/// Two subqueries side by side: by the dimensions that they share or, without any, one row beside one.
fn join(left: Sql, kind: &'static str, right: Sql, shared: &[usize], on: Sql) -> Sql {
    let (kind, on) = if shared.is_empty() { (" CROSS", Sql::default()) } else { (kind, on) };
    sql!["SELECT * FROM (", left, ") AS l", kind, " JOIN (", right, ") AS r", on]
}

fn final_metric(metric: Metric) -> Sql {
    let name = metric.spec().name;
    match metric.spec().formula {
        Formula::Share { sql, .. } => sql![sql, " AS ", name],
        Formula::Events(_)
        | Formula::Visits(_)
        | Formula::Either { .. }
        | Formula::Engagement(_) => name.into(),
    }
}

/// As asked for, then by the dimensions, so that pages do not overlap.
fn order(query: &Query) -> Sql {
    let rest = (0..query.dimensions.len())
        .map(|index| Order { key: OrderKey::Dimension(index), descending: false });
    let rest = rest.filter(|rest| query.order.iter().all(|order| order.key != rest.key));
    let entries = query.order.iter().copied().chain(rest).map(|order| {
        let key = match order.key {
            OrderKey::Metric(index) => query.metrics[index].column(index),
            OrderKey::Dimension(index) => Sql::name("d", index),
            OrderKey::Visitors => Metric::Visitors.spec().name.into(),
        };
        sql![key, if order.descending { " DESC" } else { " ASC" }, " NULLS LAST"]
    });
    Sql::join(entries, ", ")
}

/// Whether a column is of a property: those are computed from events, beside the plan's metrics.
fn of_property(measure: &Measure) -> bool {
    matches!(measure, Measure::Property(..))
}

/// Metrics by their names.
fn named(metrics: &[Computed]) -> impl Iterator<Item = Sql> {
    metrics.iter().map(|(metric, formula)| sql![*formula, " AS ", metric.spec().name])
}

/// `SELECT dimensions AS d0, …, metrics AS their names`: the head of either subquery.
fn select(dimensions: Vec<Sql>, metrics: impl Iterator<Item = Sql>) -> Sql {
    let dimensions = dimensions
        .into_iter()
        .enumerate()
        .map(|(index, value)| sql![value, " AS ", Sql::name("d", index)]);
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
        // Of a column with a dictionary the dictionary alone is looked at.
        (false, blank) => sql!["transform(toString(", value, "), [''], ['", blank, "'])"],
    }
}

/// The condition on events of the site, and of the period, that the site still keeps; also where partitions are merged.
pub(super) fn within(query: &Query) -> Sql {
    between_in_partitions(query, kept_from(query), query.period.to())
}

/// The first second of the period that the site still keeps.
fn kept_from(query: &Query) -> Timestamp {
    query.kept_from.map_or(query.period.from(), |kept| kept.max(query.period.from()))
}

/// The condition on events of the site between two moments.
fn between(query: &Query, from: Timestamp, to: Timestamp) -> Sql {
    sql![
        "site_id = ",
        Sql::number(query.site.0),
        " AND timestamp >= ",
        Sql::moment(from),
        " AND timestamp <= ",
        Sql::moment(to),
    ]
}

/// The same, which names the days' partitions, too: a table that is read with FINAL and merges partitions ([`SETTINGS`]) does
/// not leave any out by the timestamp. Elsewhere it would cost a twelfth of a question, and leave out the same.
fn between_in_partitions(query: &Query, from: Timestamp, to: Timestamp) -> Sql {
    let day = |moment: Timestamp| Sql::text(moment.strftime("%Y%m%d").to_string());
    sql![
        between(query, from, to),
        " AND _partition_id >= ",
        day(from),
        " AND _partition_id <= ",
        day(to),
    ]
}

/// ` AND` the condition on events that their visits as a whole meet the query's filters: had an event, one
/// and the same, that meets all those on events, and meet the others themselves. Whoever is told of a part of the site alone
/// is told of the events of it, and not of what else such a visit did.
pub(super) fn of_whole_visits(query: &Query) -> Sql {
    let filters = query.filters.iter().cloned().chain(hosts_of_visits(query));
    let (of_events, mut wanted): (Vec<_>, Vec<_>) = filters.partition(Filter::asks_about_events);
    if !of_events.is_empty() {
        wanted.push(Filter::Done(Box::new(Filter::All(of_events)), true));
    }
    let closed = Closed::none();
    let conditions = Conditions::of(query, &closed);
    let told = query.within.iter().filter(|filter| filter.asks_about_events());
    let conditions =
        wanted.iter().chain(told).map(|filter| sql![" AND ", conditions.on_event(filter)]);
    Sql::join(conditions, "")
}

/// The condition on rows that are events in the sense of reports, or meet another condition.
pub(super) fn counted_or(other: &'static str) -> Sql {
    sql!["(", COUNTED, " OR ", other, ")"]
}

/// The dimension, where a visit is meant though an event is asked for: a visit has its entry page.
fn of_visit(dimension: &Dimension) -> Dimension {
    use super::dimension::Field;
    match dimension {
        Dimension::Field(Field::Page) => Dimension::Field(Field::EntryPage),
        other => other.clone(),
    }
}
