//! Rows of visits on closed days, standing in for visits and for events.
//!
//! What no sum of whole numbers tells (a filter on something else than the dimension, a goal, a median) is
//! counted from rows; but of closed days there are few of them: `visit_days` has one for each visit and day, with
//! a list of what happened, instead of one for each event. Read like this they have the columns of
//! [`visits()`](super::super::visits::visits) or of `events`, so that filters, dimensions and formulas are the same over both, and
//! nothing is counted by other rules. Between closed days the rows are made of events.
//!
//! A visit stands on its last day, as everywhere. The days of events are told, not their seconds.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use jiff::civil::Date;

use super::super::conditions::{ATTENTION, COUNTED, Conditions, on_field};
use super::super::visits::{self, MARGIN_HOURS};
use super::super::{SETTINGS_OF_PART, between, kept_from};
use super::Closed;
use super::attention;
use super::by::stored;
use super::columns::{Columns, Shape};
use super::counted::Counted;
use super::lists::List;
use super::read::{has_ended, noon};
use super::split::{Split, Stretch, Told, around};
use crate::query::Query;
use crate::query::dimension::{Field, Home};
use crate::query::filter::{Filter, Subject};
use crate::query::interval::Interval;
use crate::query::period::Period;
use crate::query::statement::{Sql, sql};

/// The visitor of a row of `visit_days`. Whoever has one visit alone, on one day alone, is told by the visit.
const VISITOR: &str = "if(d.visitor_id = 0, d.session_id, d.visitor_id)";

/// Whether the visitor of a row of `visit_days` is such a one, and is counted without being told from others.
/// That it has a visit is told by the row having no event's id: those of visits are long, and read for nothing else.
pub(super) const IS_LONE: &str = "(d.visitor_id = 0 AND d.event_id = 0)";

/// The fields that `visit_days` has of visits.
pub(super) fn kept_fields() -> impl Iterator<Item = Field> {
    let fields = Field::ALL.iter().copied();
    fields.filter(|field| *field == stored(*field) && !field.is_of_event())
}

/// The column of `visit_days` that a stored field is.
pub(super) fn kept_column(field: Field) -> &'static str {
    let name = field.spec().name;
    match field.spec().home {
        Home::Event(column) | Home::Either(column) => column,
        Home::Visit(_) => name.split_once(':').map_or(name, |(_, name)| name),
    }
}

/// The visits that overlap the period, a row each, with the fields named.
pub(in crate::query::compile) fn visits(
    query: &Query,
    fields: impl IntoIterator<Item = Field>,
    closed: &Closed,
) -> Sql {
    visits_that_had(query, fields, &[], None, closed).rows
}

/// Visits that overlap the period.
pub(in crate::query::compile) struct Visits {
    /// A row each.
    pub(in crate::query::compile) rows: Sql,
    /// The condition on rows that the visit had an event that is asked for; `None` where that is to be looked up for each.
    pub(in crate::query::compile) had: Option<Sql>,
    /// How rows tell which visitors are counted, where it is told: they have its columns.
    pub(in crate::query::compile) counted: Option<Counted>,
}

/// The same, of which it is asked whether they had an event in the period that meets the filters, all of them. A visit that is over by the
/// end of its day tells it by its row, if a list does; the few others are looked up. Rows tell how visitors are counted, if so wanted.
pub(in crate::query::compile) fn visits_that_had(
    query: &Query,
    fields: impl IntoIterator<Item = Field>,
    asked: &[&Filter],
    counted: Option<Counted>,
    closed: &Closed,
) -> Visits {
    let fields: BTreeSet<Field> = fields.into_iter().map(stored).collect();
    let Some(split) = Split::of(query, closed, Told::Visits) else {
        return Visits { rows: visits::visits(query, fields), had: None, counted: None };
    };
    let listed = Columns::of_visits_with(query, asked, closed);
    let event = listed.as_ref().and_then(Columns::met);
    let wanted = Wanted { fields, event, counted };
    let of_closed_days = split.condition(query);
    let stored = stored_visits(&wanted, wanted.had_event(), of_closed_days.clone());
    let made = split.stretches.iter().map(|stretch| {
        sql!["SELECT * FROM (", visits_of(query, &wanted, stretch), ") WHERE ", has_ended(stretch)]
    });
    let rows = Sql::join(std::iter::once(stored).chain(made), " UNION ALL ");
    let had = listed.map(|columns| {
        let went_on = sql![of_closed_days, " AND NOT d.ended"];
        let stored = stored_events(query, &columns, None, went_on);
        let open = split.stretches.iter().filter(|stretch| stretch.gone_on_into.is_none());
        let made = open.map(|stretch| made_events(query, &columns, None, stretch));
        let looked_up = Sql::join(std::iter::once(stored).chain(made), " UNION ALL ");
        sql!["(", HAD_EVENT, " OR visit IN (", looked_up, "))"]
    });
    Visits { rows, had, counted: wanted.counted }
}

/// The column of rows of visits that tells of an event that is asked for. Without it a visit may have had one nevertheless.
const HAD_EVENT: &str = "had_event";

/// What rows of visits have beside their numbers.
struct Wanted {
    fields: BTreeSet<Field>,
    /// The event that is asked for, by the list that tells of it, and the condition on its values.
    event: Option<(List, Sql)>,
    /// Which visitors are counted.
    counted: Option<Counted>,
}

impl Wanted {
    /// Whether a row of `visit_days` tells that its visit had the event, if one is asked for.
    fn had_event(&self) -> Option<Sql> {
        self.event.as_ref().map(|(list, met)| list.has(met))
    }

    /// The same of rows that do not tell it.
    fn nothing(&self) -> Option<Sql> {
        self.event.as_ref().map(|_| "0".into())
    }

    /// The columns of fields and of the event, which is told by `had`, where `value` is that of a field.
    fn columns(&self, value: impl Fn(Field) -> Sql, had: Option<Sql>) -> Sql {
        let fields = self.fields.iter().map(|field| sql![", ", value(*field)]);
        let had = had.map(|had| sql![", ", had, " AS ", HAD_EVENT]);
        Sql::join(fields.chain(had), "")
    }
}

/// The visits that ended on closed days, of the rows of these days that meet the condition.
fn stored_visits(wanted: &Wanted, had: Option<Sql>, condition: Sql) -> Sql {
    let value = |field| sql!["d.", kept_column(field), " AS ", visits::column(field)];
    sql![
        "SELECT d.session_id AS visit, d.visitor_id AS visitor, ",
        IS_LONE,
        " AS lone, d.first AS first, d.first + d.duration AS last, last - d.first AS duration, ",
        "toUInt64(d.views) AS views, toUInt8(d.bounced) AS bounced",
        wanted.columns(value, had),
        wanted.counted.as_ref().map(Counted::of_stored).unwrap_or_default(),
        " FROM visit_days AS d WHERE ",
        condition,
        " AND ended",
    ]
}

/// The visits of a stretch, a row each.
fn visits_of(query: &Query, wanted: &Wanted, stretch: &Stretch) -> Sql {
    with_stored(query, wanted, stretch, Vec::new())
}

/// The same, and the visits that ended on the day before of visitors who may have been carried into it.
pub(super) fn visits_of_carried(query: &Query, fields: BTreeSet<Field>, stretch: &Stretch) -> Sql {
    let carried =
        stretch.before.map(|(day, counting)| carried_from(query, (day, counting.version)));
    let wanted = Wanted { fields, event: None, counted: None };
    with_stored(query, &wanted, stretch, carried.into_iter().collect())
}

/// The visits of a stretch, and those that ended on closed days, of rows that meet one of the conditions. These and the visits
/// of a day of which some went on are read at once: a reading costs more than its rows.
fn with_stored(query: &Query, wanted: &Wanted, stretch: &Stretch, mut stored: Vec<Sql>) -> Sql {
    if let Some(day) = stretch.gone_on_into {
        let began = Sql::moment(query.period.to());
        stored.push(sql![of_day(query, day), " AND d.first <= ", began]);
        // What its row tells of is later than the period.
        return stored_visits(wanted, wanted.nothing(), Sql::any(stored));
    }
    let period = Period::new(stretch.from, stretch.to, query.period.zone());
    let of_stretch = Query { period, ..query.clone() };
    let fields = wanted.fields.iter().copied();
    let made = visits::visits_since(&of_stretch, stretch.counted_from, fields);
    let made = sql![
        "SELECT visit, visitor, lone, first, last, duration, views, bounced",
        wanted.columns(as_kept, wanted.nothing()),
        wanted.counted.as_ref().map(|counted| counted.of_made("visitor")).unwrap_or_default(),
        " FROM (",
        made,
        ")",
    ];
    if let Some(day) = stretch.going_on {
        stored.push(sql![
            of_day(query, day),
            " AND NOT (",
            visits::of_visits_after(query, stretch.counted_from, COUNTED),
            ")",
        ]);
    }
    if stored.is_empty() {
        return made;
    }
    sql![stored_visits(wanted, wanted.had_event(), Sql::any(stored)), " UNION ALL ", made]
}

/// The field of a visit that was made of events, with a dictionary, as `visit_days` has it. Aggregates return plain texts, and the
/// rows of all closed days beside them would be turned into such.
fn as_kept(field: Field) -> Sql {
    let column = visits::column(field);
    match field.spec().number {
        true => column,
        false => sql!["toLowCardinality(", &column, ") AS ", column],
    }
}

/// The condition on the rows of a closed day that are of visitors who may be there on the next one.
fn carried_from(query: &Query, before: (Date, u64)) -> Sql {
    sql![of_day(query, before), " AND d.visitor_id != 0"]
}

/// The condition on the same rows that their visitors are there in the stretch after it: on its first day, for an id ends with its
/// day, or with the visit that is open then.
fn are_there_in(query: &Query, stretch: &Stretch) -> Sql {
    let margin = SignedDuration::from_hours(MARGIN_HOURS);
    let to = stretch.from.saturating_add(margin).unwrap_or(stretch.to);
    sql![
        " AND d.visitor_id IN (SELECT visitor_id FROM events WHERE ",
        between(query, stretch.from, to.min(stretch.to)),
        ")",
    ]
}

/// The condition on rows that are of this day, of its version.
fn of_day(query: &Query, (day, version): (Date, u64)) -> Sql {
    sql![
        "site_id = ",
        Sql::number(query.site.0),
        " AND day = toDate(",
        Sql::text(day.to_string()),
        ") AND version = ",
        Sql::number(version),
    ]
}

/// Rows with these columns of events, and with those that tell which visitors are counted, of all events of the period. `None` where
/// there are none but in `events` itself.
pub(in crate::query::compile) fn events(
    query: &Query,
    columns: Option<Columns>,
    counted: Option<&Counted>,
    closed: &Closed,
) -> Option<Sql> {
    let columns = columns?;
    let told = if columns.of_visits.is_empty() { Told::Events } else { Told::OfVisits };
    let split = Split::of(query, closed, told)?;
    let condition = match columns.are_notable() {
        true => split.condition_by_goal(query),
        false => split.condition(query),
    };
    let of_closed_days = stored_events(query, &columns, counted, condition);
    let stretches = split.stretches.iter();
    let stretches = stretches.map(|stretch| made_events(query, &columns, counted, stretch));
    Some(Sql::join(std::iter::once(of_closed_days).chain(stretches), " UNION ALL "))
}

/// What happened on closed days, of the rows of these days that meet the condition.
fn stored_events(
    query: &Query,
    columns: &Columns,
    counted: Option<&Counted>,
    condition: Sql,
) -> Sql {
    // What is joined is read for each of its values, whether or not anything looks at it.
    let joined = columns.joined();
    let has_happened = match &columns.shape {
        Shape::Alike | Shape::Notable | Shape::Value(_) | Shape::AttentionByPage => Sql::default(),
        Shape::AttentionTo(met) => sql![" AND ", attention::has(met)],
        Shape::Day => " AND d.day_events > 0".into(),
        Shape::Such(list, met) => sql![" AND ", list.has(met)],
        // To look for the value first and for its hours then would be to look twice.
        Shape::Hour(.., hours) => sql![" AND ", hours, " != 0"],
    };
    let of_visit_days = columns.names.iter().map(|column| match (*column, &columns.shape) {
        (joined_as, _) if joined.iter().any(|(name, _)| *name == joined_as) => joined_as.into(),
        ("timestamp", _) => {
            sql!["toTimeZone(", noon("day", &query.period), ", 'UTC') AS timestamp"]
        }
        ("visitor_id", Shape::Alike) if !joined.is_empty() => sql![VISITOR, " AS visitor_id"],
        ("visitor_id", Shape::Notable) => sql![VISITOR, " AS visitor_id"],
        ("hour", shape) => {
            let hours = match shape {
                Shape::Hour(.., hours) => hours.clone(),
                _ if joined.is_empty() => "d.hours".into(),
                _ => "hours".into(),
            };
            let hour = sql!["arrayJoin(bitPositionsToArray(", hours, "))"];
            sql![hour_of("d.day", hour), " AS hour"]
        }
        ("lone", _) => sql![IS_LONE, " AS lone"],
        ("engagement_ms", Shape::AttentionTo(met)) => {
            sql![attention::ms_of(met), " AS engagement_ms"]
        }
        ("scroll_depth", Shape::AttentionTo(met)) => {
            sql![attention::deepest_of(met), " AS scroll_depth"]
        }
        ("day_views", Shape::Such(list, met)) => sql![list.views(met), " AS day_views"],
        ("day_events", Shape::Such(list, met)) => sql![list.events(met), " AS day_events"],
        (column, _) => sql!["d.", column, " AS ", column],
    });
    let of_visit_days = Sql::join(of_visit_days, ", ");
    let joined = joined.iter().map(|(name, column)| sql![column, " AS ", *name]);
    let joined: Vec<Sql> = joined.collect();
    sql![
        "SELECT ",
        of_visit_days,
        counted.map(Counted::of_stored).unwrap_or_default(),
        " FROM ",
        if columns.are_notable() { "notable_events" } else { "visit_days" },
        " AS d",
        if joined.is_empty() { "" } else { " ARRAY JOIN " },
        Sql::join(joined, ", "),
        " WHERE ",
        condition,
        has_happened,
        Sql::join(
            columns.of_visits.iter().filter_map(|filter| has_such_a_visit(query, columns, filter)),
            "",
        ),
    ]
}

/// ` AND` the condition on a row of a closed day that its visit meets the filter on what only a visit as a whole has.
fn has_such_a_visit(query: &Query, columns: &Columns, filter: &Filter) -> Option<Sql> {
    let Filter::Test(test) = filter else { return None };
    let Subject::Field(field) = test.subject else { return None };
    let met = on_field(sql!["d.", kept_column(field)], field, test);
    // The visit is one of the period's. Of events without one, and of attention alone, it began in 1970.
    let (from, to) = (Sql::moment(kept_from(query)), Sql::moment(query.period.to()));
    Some(match columns.are_notable() {
        // It began before anything of it happened.
        true => sql![" AND d.last >= ", from, " AND ", met],
        false => {
            sql![" AND d.first + d.duration >= ", from, " AND ", to, " >= d.first AND ", met]
        }
    })
}

/// An hour of a day as reports call it.
pub(super) fn hour_of(day: &'static str, hour: impl Into<Sql>) -> Sql {
    let hour = sql!["leftPad(toString(", hour.into(), "), 2, '0')"];
    sql!["concat(toString(", day, "), ' ', ", hour, ", ':00:00')"]
}

/// What happened in a stretch.
fn made_events(
    query: &Query,
    columns: &Columns,
    counted: Option<&Counted>,
    stretch: &Stretch,
) -> Sql {
    let wanted = match &columns.shape {
        Shape::Alike | Shape::Notable => Sql::default(),
        Shape::Day | Shape::Value(_) => sql![" AND ", COUNTED],
        Shape::AttentionByPage => sql![" AND ", ATTENTION],
        Shape::AttentionTo(met) => sql![" AND ", ATTENTION, " AND ", met],
        Shape::Such(_, met) | Shape::Hour(_, met, _) => sql![" AND ", COUNTED, " AND ", met],
    };
    let of_visits = &columns.of_visits;
    let columns = columns.names.iter().map(|column| match *column {
        "times" => "1 AS times".into(),
        "hour" => sql![Interval::Hour.label_sql("timestamp", &query.period), " AS hour"],
        "lone" => "0 AS lone".into(),
        "day_views" => "toUInt32(name = 'pageview') AS day_views".into(),
        "day_events" => "toUInt32(name != 'engagement') AS day_events".into(),
        column => column.into(),
    });
    let within = between(query, stretch.from, stretch.to);
    // Attention may come after all that its visit did.
    let (reached, closed) = (around(query, stretch.from, stretch.to), Closed::none());
    let conditions = Conditions::of(&reached, &closed);
    let of_visits = of_visits.iter().map(|filter| sql![" AND ", conditions.on_event(filter)]);
    sql![
        "SELECT ",
        Sql::join(columns, ", "),
        counted.map(|counted| counted.of_made("visitor_id")).unwrap_or_default(),
        " FROM events FINAL WHERE ",
        within,
        wanted,
        Sql::join(of_visits, ""),
        SETTINGS_OF_PART,
    ]
}

/// What happened in a stretch, and on the day before of visitors who may have been carried into it.
pub(super) fn events_of(query: &Query, columns: &Columns, stretch: &Stretch) -> Sql {
    let made = made_events(query, columns, None, stretch);
    let Some((day, counting)) = stretch.before else { return made };
    let version = if columns.are_notable() { counting.goals.version } else { counting.version };
    let mut carried = carried_from(query, (day, version));
    if counting.goes_on && !columns.are_notable() {
        // Nobody is known to be alone yet, so that these are all who were there.
        carried = sql![carried, are_there_in(query, stretch)];
    }
    sql![stored_events(query, columns, None, carried), " UNION ALL ", made]
}
