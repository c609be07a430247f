//! The subquery over engagement: for how long, and how far down, visits attended to pages.

use super::conditions::{ATTENTION, Conditions, hosts_of_visits, tests_scrolling};
use super::plan::Computed;
use super::tiers::{self, Columns, Of, asks_for_properties};
use super::{Closed, events, group, named, settings};
use crate::event::SCROLL_DEPTH_UNKNOWN;
use crate::query::Query;
use crate::query::filter::Filter;
use crate::query::statement::{Sql, sql};

/// The metrics (with their formulas over visits' attention) by the query's dimensions.
pub(super) fn subquery(query: &Query, metrics: &[Computed], closed: &Closed) -> Sql {
    of_days(query, metrics, closed).unwrap_or_else(|| of_visits(query, metrics, closed))
}

/// The metrics, as far as they can be added up, of rows that stand for the attention of a visit's day. Those of visitors who were there
/// then alone are added up as they are; all others are put together by their visits.
fn of_days(query: &Query, metrics: &[Computed], closed: &Closed) -> Option<Sql> {
    let metrics = metrics.iter().map(|(metric, _)| {
        Some(sql![tiers::formula(*metric, Of::Attention)?, " AS ", metric.spec().name])
    });
    let metrics = metrics.collect::<Option<Vec<Sql>>>()?;
    let conditions = Conditions::of(query, closed);
    let filters: Vec<&Filter> = query.filters.iter().collect();
    let columns = Columns::of(&query.dimensions, &query.filters)?;
    let columns =
        columns.of_attention(&query.dimensions, &filters, |filter| conditions.on_event(filter))?;
    let columns = columns.of_visits_that_meet(&filters);
    let left = filters.into_iter().filter(|filter| columns.leave_open(filter));
    let left: Vec<&Filter> = left.collect();
    let rows = tiers::events(query, Some(columns), None, closed)?;
    let (table, _) = events::source(query, Some(rows));
    let hosts = hosts_of_visits(query);
    let left = left.into_iter().chain(&hosts).map(|filter| conditions.on_event(filter));
    let wanted = std::iter::once("session_id != 0".into()).chain(left);
    let names: Vec<Sql> = names(query).collect();
    let unknown = Sql::number(SCROLL_DEPTH_UNKNOWN);
    let of_stays = sql![
        "WITH scroll_depth != ",
        unknown,
        " AS tells SELECT ",
        values(query),
        "if(lone, 0, session_id) AS stay, count() AS stays, sum(engagement_ms) AS ms, ",
        "countIf(tells) AS told, sumIf(scroll_depth, tells) AS depths, maxIf(scroll_depth, tells) AS depth FROM ",
        events::beside_visits(table, query, closed),
        " WHERE ",
        Sql::join(wanted, " AND "),
        " GROUP BY ",
        Sql::join(names.iter().cloned().chain(["stay".into()]), ", "),
    ];
    let columns = [
        "if(stay = 0, stays, 1) AS s_visits",
        "ms AS s_attention_ms",
        "if(stay = 0, told, told > 0) AS s_told",
        "if(stay = 0, depths, depth) AS s_depth",
    ];
    let columns = names.iter().cloned().chain(columns.map(Sql::from));
    let summed = sql!["SELECT ", Sql::join(columns, ", "), " FROM (", of_stays, ")"];
    let columns = names.iter().cloned().chain(metrics);
    Some(sql!["SELECT ", Sql::join(columns, ", "), " FROM (", summed, ")", group(query)])
}

fn names(query: &Query) -> impl Iterator<Item = Sql> + use<> {
    (0..query.dimensions.len()).map(|index| Sql::name("d", index))
}

/// The values of the dimensions, each with its name and a comma.
fn values(query: &Query) -> Sql {
    let values = query.dimensions.iter().zip(names(query));
    let values =
        values.map(|(dimension, name)| sql![events::value(dimension, query), " AS ", name, ", "]);
    Sql::join(values, "")
}

/// The metrics of all visits, one by one.
fn of_visits(query: &Query, metrics: &[Computed], closed: &Closed) -> Sql {
    let columns = Columns::of(&query.dimensions, &query.filters)
        .map(|columns| columns.and(&["name", "engagement_ms", "scroll_depth"]));
    let columns = match query.filters.iter().any(asks_for_properties) {
        true => columns.map(Columns::of_notable),
        false => columns,
    };
    // Alike attention is added up, and has its deepest scroll: how much of it went as deep is not told.
    let columns = columns.filter(|_| !query.filters.iter().any(tests_scrolling));
    let (table, within) = events::source(query, tiers::events(query, columns, None, closed));
    let mut wanted = vec![within, ATTENTION.into(), "session_id != 0".into()];
    let filters = query
        .filters
        .iter()
        .chain(hosts_of_visits(query).iter())
        .map(|filter| Conditions::of(query, closed).on_event(filter))
        .collect::<Vec<_>>();
    wanted.extend(filters);
    let names: Vec<Sql> = names(query).collect();
    let keys = Sql::join(names.iter().cloned().chain(["session_id".into()]), ", ");
    let unknown = Sql::number(SCROLL_DEPTH_UNKNOWN);
    let attention = sql![
        "SELECT ",
        values(query),
        "session_id, sum(engagement_ms) AS attention_ms, ",
        "maxIf(scroll_depth, scroll_depth != ",
        &unknown,
        ") AS depth, countIf(scroll_depth != ",
        unknown,
        ") > 0 AS told",
        " FROM ",
        events::beside_visits(table, query, closed),
        " WHERE ",
        Sql::join(wanted, " AND "),
        " GROUP BY ",
        keys,
        settings(query),
    ];
    let columns = names.into_iter().chain(named(metrics));
    sql!["SELECT ", Sql::join(columns, ", "), " FROM (", attention, ")", group(query)]
}
