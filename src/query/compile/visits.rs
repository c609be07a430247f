//! What the events of a visit come to, and the subquery over visits.
//!
//! A visit is made of its events each time it is asked for: there is no second truth beside them.
//! Arrival (`seq`) and not the timestamp says which is its first and its last event.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::conditions::{COUNTED, Conditions, entered_condition, hosts_of_visits, meets};
use super::plan::Computed;
use super::tiers::{Asked, Counted, stored};
use super::together::{self, Part, Sets, Wanted};
use super::{
    Closed, are_few, between, between_in_partitions, group, kept_from, labelled, named, of_visit,
    select, settings, tiers,
};
use crate::event::SessionId;
use crate::query::Query;
use crate::query::countries::COUNTRY_NAME_OF_VISIT;
use crate::query::dimension::{Dimension, Field, Home};
use crate::query::filter::{Filter, Subject};
use crate::query::metric::Metric;
use crate::query::statement::{Sql, sql};

/// How far beyond the period the events of a visit that overlaps it can lie. A visit lasts a day at
/// most; an hour more costs little.
pub(in crate::query::compile) const MARGIN_HOURS: i64 = 25;

/// A visit that had a page visible and focused for longer than so many milliseconds was engaged.
const ENGAGED_MS: u32 = 10_000;

/// The value of a field, of a row of [`visits`].
pub(super) fn field_value(field: Field) -> Sql {
    match field {
        // It is long, and stands once where the code is read in several places.
        Field::CountryName => COUNTRY_NAME_OF_VISIT.into(),
        field => column(field),
    }
}

/// The column of [`visits`] that holds a field, or what it is made of: `visit_source`.
pub(super) fn column(field: Field) -> Sql {
    let name = stored(field).spec().name;
    sql!["visit_", name.split_once(':').map_or(name, |(_, name)| name)]
}

/// The metrics (with their formulas over visits) by the query's dimensions.
pub(super) fn subquery(query: &Query, metrics: &[Computed], closed: &Closed) -> Sql {
    let seen = query.dimensions.contains(&Dimension::Field(Field::Page));
    // Of a page a visit is part of the report's row if it entered there: so the filters mean, too.
    let mean = |filter: &Filter| {
        if seen { filter.with_field(Field::Page, Field::EntryPage) } else { filter.clone() }
    };
    let mut filters: Vec<Filter> = query.filters.iter().map(mean).collect();
    filters.extend(hosts_of_visits(query));

    let dimensions: Vec<Dimension> = query.dimensions.iter().map(of_visit).collect();
    let values = dimensions.iter().map(|dimension| value(dimension, query)).collect();
    let (entered, entered_fields) =
        match metrics.iter().any(|(metric, _)| *metric == Metric::BounceRate) {
            true => entered_condition(query),
            false => ("1".into(), None),
        };
    let in_dimensions = dimensions.iter().filter_map(field_of);
    let fields = in_dimensions.chain(fields_of(&filters)).chain(entered_fields);
    let counted = counting(metrics, [(dimensions.clone(), filters.iter().collect())]);
    let visits = tiers::visits_that_had(query, fields, &about_events(&filters), counted, closed);
    let metrics = tell(metrics, visits.counted.as_ref());
    let told = visits.counted.map(|counted| counted.told(|_| "1".into()));
    let wanted = Conditions::of(query, closed).on_visits(&filters, visits.had);
    let engaged = match metrics.iter().any(|(metric, _)| *metric == Metric::EngagementRate) {
        true => sql![", ", engaged_condition(query), " AS engaged"],
        false => Sql::default(),
    };
    sql![
        select(values, named(&metrics).chain(told)),
        " FROM (SELECT *, ",
        entered,
        " AS entered",
        engaged,
        " FROM (",
        visits.rows,
        ")) WHERE ",
        wanted,
        group(query),
    ]
}

/// The metrics of all parts, by their dimensions, out of one reading; `None` if one of them reads otherwise.
pub(super) fn together(parts: &[Part], metrics: &[Computed], closed: &Closed) -> Option<Sql> {
    let (common, own) = together::filters(parts)?;
    let any = parts.first()?.query;
    let of_dimensions = parts.iter().flat_map(|part| &part.query.dimensions);
    let fields: Vec<Field> = of_dimensions.filter_map(field_of).collect();
    let of_parts: Vec<Vec<Filter>> = parts
        .iter()
        .zip(own)
        .map(|(part, own)| own.into_iter().cloned().chain(hosts_of_visits(part.query)).collect())
        .collect();
    let common: Vec<Filter> = common.into_iter().cloned().collect();
    let (entered, entered_field) = entered_condition(any);
    let fields = fields.into_iter().chain(entered_field);
    let fields =
        fields.chain(fields_of(&common)).chain(of_parts.iter().flat_map(|own| fields_of(own)));
    let each = parts
        .iter()
        .zip(&of_parts)
        .map(|(part, own)| (part.query.dimensions.clone(), common.iter().chain(own).collect()));
    let counted = counting(metrics, each);
    let visits = tiers::visits_that_had(any, fields, &about_events(&common), counted, closed);
    let metrics = tell(metrics, visits.counted.as_ref());
    let sets = Sets::of(parts.iter().zip(&of_parts).map(|(part, own)| {
        let query = part.query;
        let filters: Vec<&Filter> = own.iter().collect();
        let wanted = match together::told_by_value(&filters, &query.dimensions) {
            Some((field, test)) => Wanted::Values(field_value(field), field, test),
            None => Wanted::Rows(Conditions::of(query, closed).on_visits(own, None)),
        };
        (wanted, query.dimensions.as_slice(), |dimension: &Dimension| value(dimension, query))
    }));
    let told = visits.counted.map(|counted| counted.told(|part| sets.is_of(part)));
    let grouped = sql![
        "SELECT ",
        Sql::join(sets.values().into_iter().chain(named(&metrics)).chain(told), ", "),
        " FROM (SELECT *, ",
        entered,
        " AS entered FROM (",
        visits.rows,
        ")) WHERE ",
        Conditions::of(any, closed).on_visits(&common, visits.had),
        sets.group(),
    ];
    Some(sets.told(parts, grouped, metrics.iter().map(|(metric, _)| metric.spec().name)))
}

/// How visitors are counted in parts with these dimensions and filters, if they are.
fn counting<'query>(
    metrics: &[Computed],
    parts: impl IntoIterator<Item = Asked<'query>>,
) -> Option<Counted> {
    let are = metrics.iter().any(|(metric, _)| *metric == Metric::Visitors);
    are.then(|| Counted::of(parts)).flatten()
}

/// The metrics, with their formulas over visits that tell which visitors are counted, or do not.
fn tell(metrics: &[Computed], counted: Option<&Counted>) -> Vec<Computed> {
    let metrics = metrics.to_vec();
    if counted.is_some() { Counted::metrics(metrics) } else { metrics }
}

fn field_of(dimension: &Dimension) -> Option<Field> {
    match dimension {
        Dimension::Field(field) => Some(*field),
        Dimension::Property(_)
        | Dimension::Properties
        | Dimension::Goal(_)
        | Dimension::Time(_) => None,
    }
}

/// The fields that the filters test and a visit has.
fn fields_of(filters: &[Filter]) -> impl Iterator<Item = Field> {
    filters.iter().flat_map(Filter::tests).filter_map(|test| match &test.subject {
        Subject::Field(field) if !field.is_of_event() => Some(*field),
        Subject::Field(_) | Subject::Property(_) | Subject::Goal(_) => None,
    })
}

/// Those of the filters that one and the same event of a visit is to meet.
fn about_events(filters: &[Filter]) -> Vec<&Filter> {
    filters.iter().filter(|filter| filter.asks_about_events()).collect()
}

/// The condition on the events of visits that may overlap the period, and had an event at the moment, in it, or later.
fn of_visits_around(query: &Query, since: Timestamp) -> Sql {
    let margin = SignedDuration::from_hours(MARGIN_HOURS);
    let (from, to) = (kept_from(query), query.period.to());
    let read_from = from.saturating_add(-margin).unwrap_or(from);
    // A visit that began before what the site keeps is made of what is kept of it.
    let read_from = query.kept_from.map_or(read_from, |kept| kept.max(read_from));
    let read_to = to.saturating_add(margin).unwrap_or(to);
    let within = if are_few(query) { between } else { between_in_partitions };
    sql![within(query, read_from, read_to), " AND ", of_visits_after(query, since, COUNTED)]
}

/// The condition on events of visits with such an event at the moment or later, however early these began. It reads
/// little of what was before: a visit's id begins with its first second, and the table is in the order of the ids.
pub(super) fn of_visits_after(query: &Query, moment: Timestamp, such: &'static str) -> Sql {
    let margin = SignedDuration::from_hours(MARGIN_HOURS);
    let second = u64::try_from(moment.as_second()).unwrap_or(0);
    let begun = Sql::number(SessionId::first_of(second).0);
    sql![
        "session_id != 0 AND (session_id >= ",
        &begun,
        " OR session_id IN (SELECT session_id FROM events WHERE ",
        between(query, moment, moment.saturating_add(margin).unwrap_or(moment)),
        " AND session_id < ",
        begun,
        " AND ",
        such,
        "))"
    ]
}

/// Whether a visit was engaged: by its views, or by attention or a goal, which its other rows tell of.
fn engaged_condition(query: &Query) -> Sql {
    let attended = sql!["sum(engagement_ms) > ", Sql::number(ENGAGED_MS)];
    let converted = Sql::any(query.goals.iter().map(meets).collect());
    sql![
        "views > 1 OR visit IN (SELECT session_id FROM events FINAL WHERE ",
        of_visits_around(query, kept_from(query)),
        " GROUP BY site_id, session_id HAVING ",
        Sql::any(vec![attended, sql!["countIf(", converted, ") > 0"]]),
        settings(query),
        ")"
    ]
}

/// The visits that overlap the period, a row each, with the fields named.
pub(super) fn visits(query: &Query, fields: impl IntoIterator<Item = Field>) -> Sql {
    visits_since(query, kept_from(query), fields)
}

/// The same, of those with an event at the moment, in the period, or later. The last of it may be earlier: what a visit did last is
/// what arrived last.
pub(super) fn visits_since(
    query: &Query,
    since: Timestamp,
    fields: impl IntoIterator<Item = Field>,
) -> Sql {
    let (from, to) = (kept_from(query), query.period.to());
    let fields: BTreeSet<Field> = fields.into_iter().map(stored).collect();
    let fields =
        fields.into_iter().map(|field| sql![", ", aggregate(field), " AS ", column(field)]);
    sql![
        "SELECT session_id AS visit, any(visitor_id) AS visitor, 0 AS lone, ",
        "argMin(timestamp, seq) AS arrival, argMax(timestamp, seq) AS departure, ",
        "least(arrival, departure) AS first, greatest(arrival, departure) AS last, last - first AS duration, ",
        "countIf(name = 'pageview') AS views, ",
        "views < 2 AND countIf(name != 'pageview' AND interactive) = 0 AS bounced",
        Sql::join(fields, ""),
        " FROM events FINAL WHERE ",
        of_visits_around(query, since),
        " AND name != 'engagement' GROUP BY site_id, session_id",
        " HAVING last >= ",
        Sql::moment(from),
        " AND first <= ",
        Sql::moment(to),
        settings(query),
    ]
}

/// The field as an aggregate over the events of a visit: of what these differ in, all values.
fn aggregate(field: Field) -> Sql {
    match field.spec().home {
        Home::Event(column) => sql!["groupUniqArray(", column, ")"],
        Home::Either(column) => sql!["any(", column, ")"],
        Home::Visit(aggregate) => aggregate.into(),
    }
}

/// The dimension of a row of [`visits`], as reports show it.
pub(super) fn value(dimension: &Dimension, query: &Query) -> Sql {
    match dimension {
        Dimension::Field(field) => labelled(field_value(*field), field.spec()),
        // Refused by the rules: a visit has no one value of it.
        Dimension::Property(_) | Dimension::Properties | Dimension::Goal(_) => "''".into(),
        Dimension::Time(interval) => interval.visit_label_sql("first", "last", &query.period),
    }
}
