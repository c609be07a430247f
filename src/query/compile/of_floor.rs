//! The statement behind a report whose reader is told no small numbers: each value in each block of days.

use super::{Closed, rows};
use crate::query::Query;
use crate::query::dimension::Dimension;
use crate::query::measure::Measure;
use crate::query::metric::Metric;
use crate::query::statement::{Sql, Statement, sql};
use crate::site::floor::Floor;

/// Of a query by some dimensions and, last, by day.
pub(in crate::query) fn cells(
    query: &Query,
    blocks: Vec<(String, String)>,
    floor: Floor,
) -> Statement {
    let is_day = |dimension: &&Dimension| matches!(dimension, Dimension::Time(_));
    let day = query.dimensions.iter().take_while(|dimension| !is_day(dimension)).count();
    let (days, blocks) = blocks.into_iter().unzip();
    let block = sql![
        "transform(",
        Sql::name("d", day),
        ", ",
        Sql::texts(days),
        ", ",
        Sql::texts(blocks),
        ", '')"
    ];
    let values = || (0..day).map(|index| Sql::name("d", index));
    let sums = query.metrics.iter().filter_map(Measure::metric).enumerate();
    let sums = sums.map(|(place, metric)| sql![sum(metric), " AS ", Sql::name("c", place)]);
    let group = || Sql::join(values().chain([Sql::from("block")]), ", ");
    let columns = Sql::join(values().chain([sql![block, " AS block"]]).chain(sums), ", ");
    let enough = sql![" HAVING ", Sql::name("c", 0), " >= ", Sql::number(floor.least())];
    sql![
        "SELECT ",
        columns,
        " FROM (",
        rows(query, &Closed::none()),
        ") WHERE block != '' GROUP BY ",
        group(),
        enough,
    ]
    .into()
}

/// What the days of a block come to together.
fn sum(metric: Metric) -> Sql {
    match metric {
        Metric::BounceRate => "toUInt64(sum(round(bounce_rate * visits / 100)))".into(),
        metric => sql!["sum(", metric.spec().name, ")"],
    }
}
