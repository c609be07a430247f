//! What a row of `visit_days` has of a visit's attention on its day, page by page: for how long, and how far down.
//!
//! Each page stands there once, so that the attention of a visitor who was there then alone needs not be put together with that
//! of any other row.

use crate::event::SCROLL_DEPTH_UNKNOWN;
use crate::query::statement::{Sql, sql};

/// The pages, the milliseconds and the depths, by the names that events have for them.
pub(super) const COLUMNS: [(&str, &str); 3] = [
    ("pathname", "attention_pages"),
    ("engagement_ms", "attention_ms"),
    ("scroll_depth", "attention_depths"),
];

/// What makes them, with their names, of events that are alike, `times` of them, with `ms` and `depth` of each.
pub(super) fn made() -> Vec<Sql> {
    // A depth that is not known is 0, and any other one more than it is, so that the deepest is the greatest.
    let attended = "sumMapIf([toString(pathname)], [ms], [times], name = 'engagement')";
    let scrolled = sql![
        "maxMapIf([toString(pathname)], [if(depth = ",
        Sql::number(SCROLL_DEPTH_UNKNOWN),
        ", 0, depth + 1)], name = 'engagement')",
    ];
    let [(_, pages), (_, ms), (_, depths)] = COLUMNS;
    vec![
        sql![attended, " AS attended"],
        sql!["attended.1 AS ", pages],
        sql!["attended.2 AS ", ms],
        sql!["arrayMap(depth -> ", depth_of("depth".into()), ", (", scrolled, ").2) AS ", depths],
    ]
}

/// Whether there was attention to a page that meets the condition.
pub(super) fn has(met: &Sql) -> Sql {
    sql!["arrayExists(pathname -> ", met, ", d.attention_pages)"]
}

/// For how long pages had attention that meet the condition.
pub(super) fn ms_of(met: &Sql) -> Sql {
    sql!["arraySum((pathname, ms) -> if(", met, ", ms, 0), d.attention_pages, d.attention_ms)"]
}

/// How far down the deepest scroll of them went.
pub(super) fn deepest_of(met: &Sql) -> Sql {
    let told = sql!["depth != ", Sql::number(SCROLL_DEPTH_UNKNOWN)];
    let deepest = sql![
        "arrayMax((pathname, depth) -> if(",
        met,
        " AND ",
        told,
        ", depth + 1, 0), d.attention_pages, d.attention_depths)"
    ];
    depth_of(deepest)
}

/// The depth of which this is one more, or 0 if it is not known.
fn depth_of(one_more: Sql) -> Sql {
    sql![
        "toUInt8(if(",
        &one_more,
        " = 0, ",
        Sql::number(SCROLL_DEPTH_UNKNOWN),
        ", ",
        one_more,
        " - 1))"
    ]
}
