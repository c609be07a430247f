//! From a journey to a statement.
//!
//! For each visit in which the start happened, its events from there on (or back) become a path of stops;
//! equal paths are counted. Then, step by step from the start, of all the ways on from one place the
//! commonest are kept, and the others become one.
//!
//! A stop is a text: `p` and the path of a page, `e` and the name of an event, `o` for others; blank when
//! the visit was at its end.

use super::Direction;
use super::journey::{Journey, Stops};
use crate::query::compile::{
    Closed, Conditions, SETTINGS, counted_or, of_whole_visits, table, within,
};
use crate::query::statement::{Sql, Statement, sql};

/// The statement whose rows are the kept paths, each as a list of stops, and the visits that went so.
pub fn compile_journey(journey: &Journey) -> Statement {
    let steps = usize::try_from(journey.depth).unwrap_or_default();
    let kept = |upto: usize| Sql::join((1..=upto).map(|step| Sql::name("k", step)), ", ");
    let mut source = paths(journey);
    for step in 1..=steps {
        let before = kept(step - 1);
        let along = |also: Sql| match step {
            1 => also,
            _ => sql![&before, ", ", also],
        };
        source = at(step, source, journey, &along);
    }
    sql![
        "SELECT [",
        kept(steps),
        "] AS way, sum(visits) AS went FROM (",
        source,
        ") GROUP BY way ORDER BY went DESC, way ASC",
        SETTINGS
    ]
    .into()
}

/// The paths, with one more step of which only the commonest stops are kept. `along` is what a way is
/// told apart by, with something besides.
fn at(step: usize, source: Sql, journey: &Journey, along: &dyn Fn(Sql) -> Sql) -> Sql {
    let [stop, total, rank, kept] = ["n", "t", "r", "k"].map(|stem| Sql::name(stem, step));
    let place = Sql::number(step as u64);
    // After other stops nothing more is told.
    let here = match step {
        1 => sql!["path[", place, "]"],
        _ => sql!["if(", Sql::name("k", step - 1), " = 'o', '', path[", place, "])"],
    };
    let stops = sql!["SELECT *, ", here, " AS ", &stop, " FROM (", source, ")"];
    let totals = sql![
        "SELECT *, sum(visits) OVER (PARTITION BY ",
        along(stop.clone()),
        ") AS ",
        &total,
        " FROM (",
        stops,
        ")"
    ];
    // The end is no stop, so it takes no place from one.
    let ranks = sql![
        "SELECT *, dense_rank() OVER (PARTITION BY ",
        along(sql![&stop, " = ''"]),
        " ORDER BY ",
        total,
        " DESC, ",
        &stop,
        " ASC) AS ",
        &rank,
        " FROM (",
        totals,
        ")"
    ];
    let most = Sql::number(journey.branches);
    sql![
        "SELECT *, if(",
        &stop,
        " = '' OR ",
        rank,
        " <= ",
        most,
        ", ",
        stop,
        ", 'o') AS ",
        kept,
        " FROM (",
        ranks,
        ")"
    ]
}

/// The paths of the visits, and how many went so.
fn paths(journey: &Journey) -> Sql {
    let base = &journey.base;
    let closed = Closed::none();
    let conditions = Conditions::of(base, &closed);
    let hit = sql!["toUInt8(", conditions.on_event(journey.from.filter()), ")"];
    let way = match journey.direction {
        Direction::Forward => "arraySlice(told, start + 1)",
        Direction::Backward => "arrayReverse(arraySlice(told, 1, start - 1))",
    };
    let wanted = match journey.of {
        Stops::Both => "stop != 'eengagement'",
        Stops::Pages => "startsWith(stop, 'p')",
        Stops::Events => "startsWith(stop, 'e') AND stop != 'eengagement'",
    };
    let visits = sql![
        "WITH ",
        hit,
        " AS hit SELECT arraySort(event -> event.1, groupArray((seq, ",
        "if(name = 'pageview', concat('p', pathname), concat('e', name)), hit))) AS told, ",
        "arrayFirstIndex(event -> event.3, told) AS start FROM ",
        table(base),
        " WHERE ",
        within(base),
        " AND session_id != 0 AND ",
        counted_or("hit"),
        of_whole_visits(base),
        " GROUP BY site_id, session_id HAVING countIf(hit) > 0",
    ];
    sql![
        "SELECT arraySlice(arrayCompact(arrayPushFront(arrayFilter(stop -> ",
        wanted,
        ", arrayMap(event -> event.2, ",
        way,
        ")), told[start].2)), 2, ",
        Sql::number(journey.depth),
        ") AS path, count() AS visits FROM (",
        visits,
        ") GROUP BY path"
    ]
}
