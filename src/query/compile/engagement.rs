//! The subquery over engagement: for how long, and how far down, visits attended to pages.

use super::conditions::{Conditions, hosts_of_visits};
use super::plan::Computed;
use super::tiers::{self, Columns};
use super::{Closed, events, group, named, settings};
use crate::event::SCROLL_DEPTH_UNKNOWN;
use crate::query::Query;
use crate::query::statement::{Sql, sql};

/// The metrics (with their formulas over visits' attention) by the query's dimensions.
pub(super) fn subquery(query: &Query, metrics: &[Computed], closed: &Closed) -> Sql {
    let columns = Columns::of(&query.dimensions, &query.filters)
        .map(|columns| columns.and(&["name", "engagement_ms", "scroll_depth"]));
    let (table, within) = events::source(query, tiers::events(query, columns, closed));
    let mut wanted = vec![within, "name = 'engagement' AND session_id != 0".into()];
    let filters = query
        .filters
        .iter()
        .chain(hosts_of_visits(query).iter())
        .map(|filter| Conditions::of(query, closed).on_event(filter))
        .collect::<Vec<_>>();
    wanted.extend(filters);
    let names: Vec<Sql> = (0..query.dimensions.len()).map(|index| Sql::name("d", index)).collect();
    let keys = Sql::join(names.iter().cloned().chain(["session_id".into()]), ", ");
    let values = query
        .dimensions
        .iter()
        .zip(&names)
        .map(|(dimension, name)| sql![events::value(dimension, query), " AS ", name, ", "]);
    let unknown = Sql::number(SCROLL_DEPTH_UNKNOWN);
    let attention = sql![
        "SELECT ",
        Sql::join(values, ""),
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
