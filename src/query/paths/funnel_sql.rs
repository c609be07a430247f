//! From a funnel to a statement.
//!
//! For each visit (or each visitor of a day) its events are put in order, each with which of the steps it
//! is, and folded to how far they come. The database has `windowFunnel` for this, which is not used: it
//! takes one event for two steps that follow each other (a page seen once is seen twice), its
//! `strict_increase` never takes two steps that are alike, and its `strict_order` gives a visit up at the
//! first attempt that is interrupted, whatever comes after.
//!
//! The fold's state is, for each step, when the latest chain of steps that has come so far began; 0: none
//! has. So a window is measured from the first step, to the second, and events of the same second
//! keep the order in which they arrived.

use super::{Funnel, FunnelMode, Window};
use crate::query::compile::{
    Closed, Conditions, SETTINGS, counted_or, of_whole_visits, table, value, within,
};
use crate::query::statement::{Sql, Statement, sql};

/// The steps are done in the order of events within one visit however long it is: in seconds.
const NO_WINDOW: u64 = 1 << 40;

/// The statement whose rows are the funnel's: the dimension, if there is one, and how many visitors
/// reached each step, by the visitors of the first.
pub fn compile_funnel(funnel: &Funnel) -> Statement {
    let base = &funnel.base;
    let by = base.dimensions().first();
    let shown: Sql = by.map_or_else(Sql::default, |_| "d0, ".into());
    let steps = (1..=funnel.steps.len()).map(|step| {
        let step_number = Sql::number(step as u64);
        sql!["uniqExactIf(person, level >= ", step_number, ") AS ", Sql::name("s", step)]
    });
    let (group, order): (Sql, &'static str) = match by {
        None => (Sql::default(), "s1 DESC"),
        Some(_) => (" GROUP BY d0".into(), "s1 DESC, d0 ASC"),
    };
    let page = base.page();
    sql![
        "SELECT ",
        &shown,
        Sql::join(steps, ", "),
        " FROM (SELECT person, ",
        &shown,
        "arrayLastIndex(begun -> begun > 0, ",
        fold(funnel),
        ") AS level FROM (",
        events(funnel),
        "))",
        group,
        " ORDER BY ",
        order,
        " LIMIT ",
        Sql::number(page.limit),
        " OFFSET ",
        Sql::number(page.offset),
        SETTINGS,
    ]
    .into()
}

/// The events of each visit, or visitor, that did the first step, in order: when each was, and which of
/// the steps it is.
fn events(funnel: &Funnel) -> Sql {
    let base = &funnel.base;
    let closed = Closed::none();
    let conditions = Conditions::of(base, &closed);
    let hits =
        funnel.steps.iter().map(|step| sql!["toUInt8(", conditions.on_event(step.filter()), ")"]);
    // Within a visit arrival is the order; between visits of a visitor, time is.
    let (order, of, known): (&'static str, &'static str, &'static str) = match funnel.window {
        Window::Visit => ("seq", "site_id, session_id", "session_id != 0"),
        Window::Seconds(_) => ("(timestamp, session_id, seq)", "visitor_id", "visitor_id != 0"),
    };
    let by = base.dimensions().first().map_or_else(Sql::default, |dimension| {
        sql!["argMinIf(", value(dimension, base), ", ", order, ", hits[1]) AS d0, "]
    });
    // What is no step matters only where nothing may come between.
    let of_steps = match funnel.mode {
        FunnelMode::Loose => "arrayExists(hit -> hit, hits)".into(),
        FunnelMode::Strict => counted_or("arrayExists(hit -> hit, hits)"),
    };
    sql![
        "WITH [",
        Sql::join(hits, ", "),
        "] AS hits SELECT any(visitor_id) AS person, ",
        by,
        "arraySort(event -> event.1, groupArray((",
        order,
        ", toUInt64(toUnixTimestamp(timestamp)), hits))) AS told FROM ",
        table(base),
        " WHERE ",
        within(base),
        " AND ",
        known,
        " AND ",
        of_steps,
        of_whole_visits(base),
        " GROUP BY ",
        of,
        " HAVING countIf(hits[1]) > 0",
    ]
}

/// For each step, when a chain that came so far began.
fn fold(funnel: &Funnel) -> Sql {
    let window = match funnel.window {
        Window::Visit => NO_WINDOW,
        Window::Seconds(seconds) => seconds,
    };
    let none = sql!["arrayWithConstant(", Sql::number(funnel.steps.len() as u64), ", toUInt64(0))"];
    let goes_on = sql!["hit AND before > 0 AND event.2 <= before + ", Sql::number(window)];
    // What each step goes on from: the first from the event itself, the others from the step before it.
    let befores =
        |begun: &'static str| sql!["arrayPushFront(arrayPopBack(", begun, "), event.2), event.3"];
    match funnel.mode {
        FunnelMode::Loose => sql![
            "arrayFold((begun, event) -> arrayMap((reached, before, hit) -> if(",
            goes_on,
            ", greatest(reached, before), reached), begun, ",
            befores("begun"),
            "), told, ",
            none,
            ")"
        ],
        // The chains that end with the last event, and those that ever were.
        FunnelMode::Strict => sql![
            "arrayMap(chains -> arrayMap((now, ever) -> greatest(now, ever), chains.1, chains.2), ",
            "[arrayFold((chains, event) -> (arrayMap((before, hit) -> if(",
            goes_on,
            ", before, 0), ",
            befores("chains.1"),
            "), arrayMap((now, ever) -> greatest(now, ever), chains.1, chains.2)), told, (",
            &none,
            ", ",
            none,
            "))])[1]",
        ],
    }
}
