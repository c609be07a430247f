//! The statements of an export: which days there is something of, and the events of a day, in pages.

use crate::event::{Event, SessionId};
use crate::query::statement::{Sql, Statement, sql};
use crate::session::LENGTH_MAX_S;
use crate::site::SiteId;

/// Seconds of a day.
pub(super) const DAY_S: u64 = 24 * 60 * 60;
/// Rows of a page: some ten megabytes, and far fewer than the reader may have of one statement.
pub(super) const PAGE_ROWS: u64 = 50_000;

/// Columns that are others after an import.
const IDS: [&str; 4] = ["site_id", "visitor_id", "session_id", "event_id"];

/// Which events of a day are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Those of the visits that began on it.
    OfVisits,
    /// Those without a visit that happened on it.
    OfNobody,
}

/// Seconds since 1970 UTC, the first and the one after the last.
pub(super) type Seconds = std::ops::Range<u64>;

/// The place of an event among those of a day: visit, place in it, and id; without a visit, the second
/// takes the place of the visit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place(u64, u64, u64);

impl Place {
    pub(super) fn of(event: &Event) -> Self {
        let happening = &event.happening;
        let first = match happening.session_id.0 {
            0 => happening.timestamp.into(),
            session => session,
        };
        Self(first, happening.seq.into(), happening.event_id)
    }
}

/// A row for each UTC day: its number, and how many events of visits and of nobody there are.
pub(super) fn days(site: SiteId) -> Statement {
    let second = "if(session_id = 0, toUnixTimestamp(timestamp), bitShiftRight(session_id, 32))";
    sql![
        "SELECT intDiv(",
        second,
        ", ",
        Sql::number(DAY_S),
        ") AS day, countIf(session_id != 0), countIf(session_id = 0) FROM events WHERE site_id = ",
        Sql::number(site.0),
        " GROUP BY day ORDER BY day"
    ]
    .into()
}

/// The next events after a place, at most [`PAGE_ROWS`].
pub(super) fn page(
    site: SiteId,
    which: Which,
    seconds: &Seconds,
    after: Option<Place>,
) -> Statement {
    let columns = Sql::join(Event::columns().map(Sql::from), ", ");
    let place = match which {
        Which::OfVisits => "session_id, toUInt64(seq), event_id",
        Which::OfNobody => "toUInt64(toUnixTimestamp(timestamp)), toUInt64(seq), event_id",
    };
    let mut conditions = vec![sql!["site_id = ", Sql::number(site.0)], within(which, seconds)];
    if let Some(Place(first, seq, id)) = after {
        let values = Sql::join([first, seq, id].map(Sql::number), ", ");
        conditions.push(sql!["(", place, ") > (", values, ")"]);
        if which == Which::OfVisits {
            conditions.push(sql!["session_id >= ", Sql::number(first)]);
        }
    }
    let conditions = Sql::join(conditions, " AND ");
    let from = sql!["SELECT ", columns, " FROM events FINAL WHERE ", conditions];
    sql![from, " ORDER BY ", place, " LIMIT ", Sql::number(PAGE_ROWS)].into()
}

/// A row for each of these visitors who comes again: the id, and a number that stands for what happens then,
/// whoever it happens to.
pub(super) fn later(site: SiteId, visitors: Vec<String>, seconds: &Seconds) -> Statement {
    let happens = Event::columns().filter(|column| !IDS.contains(column)).map(|column| {
        // Not every function takes a map.
        if column == "props" { "toString(props)".into() } else { Sql::from(column) }
    });
    let ids = sql!["SELECT toUInt64(arrayJoin(", Sql::texts(visitors), "))"];
    sql![
        "SELECT visitor_id, sum(sipHash64(bitShiftRight(session_id, 32), ",
        Sql::join(happens, ", "),
        ")) FROM events FINAL WHERE site_id = ",
        Sql::number(site.0),
        " AND ",
        within(Which::OfVisits, seconds),
        " AND visitor_id IN (",
        ids,
        ") GROUP BY visitor_id"
    ]
    .into()
}

/// The condition that names the events, and the partitions that they can be in.
fn within(which: Which, seconds: &Seconds) -> Sql {
    let (margin, own) = match which {
        Which::OfVisits => {
            let bound = |second: u64| Sql::number(SessionId::first_of(second).0);
            let from = sql!["session_id >= ", bound(seconds.start)];
            (LENGTH_MAX_S.unsigned_abs(), sql![from, " AND session_id < ", bound(seconds.end)])
        }
        Which::OfNobody => {
            let timestamp = "toUnixTimestamp(timestamp)";
            let from = sql!["session_id = 0 AND ", timestamp, " >= ", Sql::number(seconds.start)];
            (0, sql![from, " AND ", timestamp, " < ", Sql::number(seconds.end)])
        }
    };
    let day = |second: u64| {
        let second = Sql::number(second.min(u64::from(u32::MAX)));
        sql!["toString(toYYYYMMDD(toDateTime(", second, ", 'UTC')))"]
    };
    let partitions = sql![
        "_partition_id >= ",
        day(seconds.start.saturating_sub(margin)),
        " AND _partition_id <= ",
        day(seconds.end + margin)
    ];
    sql![own, " AND ", partitions]
}
