//! The subquery over events.
//!
//! Events without a visitor are counted as events, and never as visitors or visits. Engagement is a
//! row, but not an event that a report counts.

use serde_json::Value;

use super::conditions::{
    COUNTED, Conditions, denies_scrolling, hosts_of_visits, meets, tests_scrolling,
};
use super::plan::Computed;
use super::tiers::{self, Asked, Columns, Counted, are_notable};
use super::together::{self, Part, Sets, Wanted};
use super::{Closed, group, labelled, named, of_property, select, visits, within};
use crate::query::Query;
use crate::query::dimension::{Dimension, Field, Home};
use crate::query::filter::Filter;
use crate::query::interval::Interval;
use crate::query::metric::{Metric, Unit};
use crate::query::statement::{Sql, sql};
use crate::site::goal::Goal;

/// The metrics (with their formulas over events) by the query's dimensions.
pub(super) fn subquery(query: &Query, metrics: &[Computed], closed: &Closed) -> Sql {
    let filters: Vec<&Filter> = query.filters.iter().collect();
    let hosts = hosts_of_visits(query);
    let part = (query.dimensions.clone(), filters.iter().copied().chain(&hosts).collect());
    let rows = Rows::of(query, metrics, &filters, &[], vec![part], closed);
    let form = rows.form;
    let value = |dimension: &Dimension| match form {
        Form::Hour | Form::AlikeOfHour => "hour".into(),
        Form::Event | Form::Alike | Form::Day => value(dimension, query),
    };
    let dimensions = query.dimensions.iter().map(value).collect();
    let metrics = rows.tell(metrics, query);
    let wanted = wanted(query, &metrics, &rows, closed);
    let (table, within) = source(query, rows.sql);
    let wanted = std::iter::once(within).chain(wanted);
    let wanted = Sql::join(wanted, " AND ");
    let revenue = match metrics.iter().any(|(metric, _)| metric.spec().unit == Unit::Money) {
        true => sql!["WITH ", query.revenue.amount(), " AS revenue "],
        false => Sql::default(),
    };
    let of_properties = query.metrics.iter().enumerate().filter_map(|(place, measure)| {
        Some(sql![measure.of_property()?, " AS ", measure.column(place)])
    });
    let told = rows.counted.as_ref().map(|counted| counted.told(|_| "1".into()));
    sql![
        revenue,
        select(dimensions, named(&metrics).chain(told).chain(of_properties)),
        " FROM ",
        beside_visits(table, query, closed),
        " WHERE ",
        wanted,
        group(query)
    ]
}

/// The metrics of all parts, by their dimensions, out of one reading; `None` if one of them reads otherwise.
pub(super) fn together(parts: &[Part], metrics: &[Computed], closed: &Closed) -> Option<Sql> {
    let (common, own) = together::filters(parts)?;
    let any = parts.first()?.query;
    // What looks at everything that one of the parts looks at.
    let all = Query {
        dimensions: parts.iter().flat_map(|part| part.query.dimensions.clone()).collect(),
        filters: parts.iter().flat_map(|part| part.query.filters.clone()).collect(),
        ..any.clone()
    };
    if all.dimensions.iter().any(Dimension::is_of_visit) {
        return None;
    }
    let all_own: Vec<&Filter> = own.iter().flatten().copied().collect();
    let hosts: Vec<Vec<Filter>> = parts.iter().map(|part| hosts_of_visits(part.query)).collect();
    let each = parts.iter().zip(&hosts).map(|(part, hosts)| {
        (part.query.dimensions.clone(), part.query.filters.iter().chain(hosts).collect())
    });
    let rows = Rows::of(&all, metrics, &common, &all_own, each.collect(), closed);
    let form = rows.form;
    let metrics = rows.tell(metrics, any);
    let people = |part: &Part| rows.of_people(part.query, &part.metrics);
    // What all parts want is no key: it would be one more for each.
    let of_all = parts.iter().map(people).collect::<Option<Vec<Sql>>>();
    let of_all = of_all.and_then(|mut of_all| of_all.pop());
    let sets = Sets::of(parts.iter().zip(own).zip(&hosts).map(|((part, own), hosts)| {
        let query = part.query;
        let conditions = Conditions::of(query, closed);
        let people = people(part).filter(|_| of_all.is_none());
        let value = |dimension: &Dimension| value(dimension, query);
        let told = together::told_by_value(&own, &query.dimensions);
        let with_name = with_name(query, form);
        let is_whole = people.is_none() && hosts.is_empty() && with_name.is_none();
        let wanted = match told.filter(|_| is_whole) {
            Some((field, test)) => Wanted::Values(field_value(field), field, test),
            None => {
                let filters = own.into_iter().chain(hosts);
                let filters = filters.map(|filter| conditions.on_event(filter));
                Wanted::Rows(Sql::all(people.into_iter().chain(with_name).chain(filters).collect()))
            }
        };
        (wanted, query.dimensions.as_slice(), value)
    }));
    let conditions = Conditions::of(any, closed);
    let common = common.into_iter().filter(|filter| rows.leaves_open(filter));
    let common: Vec<Sql> = common.map(|filter| conditions.on_event(filter)).collect();
    let told = rows.counted.as_ref().map(|counted| counted.told(|part| sets.is_of(part)));
    let (table, within) = source(any, rows.sql);
    let wanted = [Some(within), counted(any, form), of_all].into_iter().flatten().chain(common);
    let grouped = sql![
        "SELECT ",
        Sql::join(sets.values().into_iter().chain(named(&metrics)).chain(told), ", "),
        " FROM ",
        table,
        " WHERE ",
        Sql::join(wanted, " AND "),
        sets.group(),
    ];
    Some(sets.told(parts, grouped, metrics.iter().map(|(metric, _)| metric.spec().name)))
}

/// What is read for a query.
pub(super) struct Rows {
    /// What each of them stands for.
    pub(super) form: Form,
    /// The rows; `None`: `events` itself has them.
    pub(super) sql: Option<Sql>,
    /// Those of the filters which all rows are to meet, and are not known to.
    left: Vec<Filter>,
    /// How they tell which visitors are counted, where it is told.
    counted: Option<Counted>,
}

impl Rows {
    /// What tells the metrics by the query's dimensions. Its filters are those that all rows are to meet (`common`), and those
    /// that some are to meet. `parts` are the dimensions and all filters of each of those that visitors are counted for.
    pub(super) fn of(
        query: &Query,
        metrics: &[Computed],
        common: &[&Filter],
        own: &[&Filter],
        parts: Vec<Asked>,
        closed: &Closed,
    ) -> Self {
        let read = columns(query, metrics, common, own, closed).and_then(|(form, columns)| {
            let columns = columns.of_visits_that_meet(common);
            let visitors = metrics.iter().any(|(metric, _)| *metric == Metric::Visitors);
            let counted = visitors.then(|| columns.counted(parts, &query.goals)).flatten();
            let left = common.iter().copied().filter(|filter| columns.leave_open(filter));
            let left = left.cloned().collect();
            let sql = Some(tiers::events(query, Some(columns), counted.as_ref(), closed)?);
            Some(Self { form, sql, left, counted })
        });
        read.unwrap_or(Self {
            form: Form::Event,
            sql: None,
            left: common.iter().copied().cloned().collect(),
            counted: None,
        })
    }

    /// The metrics, with their formulas over such rows.
    fn tell(&self, metrics: &[Computed], query: &Query) -> Vec<Computed> {
        let told = metrics.iter().map(|computed| self.form.tells(*computed));
        let told = told.map(|computed| told_of_goals(computed, self.form, query)).collect();
        if self.counted.is_some() { Counted::metrics(told) } else { told }
    }

    /// The condition that there is a visitor, where only visitors and visits are counted.
    fn of_people(&self, query: &Query, metrics: &[Computed]) -> Option<Sql> {
        if !metrics.iter().all(is_of_people) || query.metrics.iter().any(of_property) {
            return None;
        }
        let only_visitors = metrics.iter().all(|(metric, _)| *metric == Metric::Visitors);
        if let Some(counted) = self.counted.as_ref().filter(|_| only_visitors) {
            return Some(counted.is_anybody());
        }
        Some(match self.form {
            Form::Day | Form::Hour => "(lone OR visitor_id != 0)".into(),
            Form::Event | Form::Alike | Form::AlikeOfHour => "visitor_id != 0".into(),
        })
    }

    /// Whether rows may or may not meet the filter, which all are to meet.
    pub(super) fn leaves_open(&self, filter: &Filter) -> bool {
        self.left.contains(filter)
    }
}

fn wanted(query: &Query, metrics: &[Computed], rows: &Rows, closed: &Closed) -> Vec<Sql> {
    let people = rows.of_people(query, metrics);
    let counted = counted(query, rows.form).or_else(|| with_name(query, rows.form));
    let mut wanted: Vec<Sql> = counted.into_iter().chain(people).collect();
    if query.dimensions.iter().any(|dimension| matches!(dimension, Dimension::Goal(_))) {
        wanted.push(Sql::any(goals(query).map(meets).collect()));
    }
    let hosts = hosts_of_visits(query);
    let conditions = Conditions::of(query, closed);
    let filters = query.filters.iter().filter(|filter| rows.leaves_open(filter)).chain(&hosts);
    wanted.extend(filters.map(|filter| conditions.on_event(filter)));
    wanted
}

/// The condition on rows of events that are counted as such, unless engagement counts as well.
fn counted(query: &Query, form: Form) -> Option<Sql> {
    match form {
        Form::Day | Form::Hour => None,
        Form::Event | Form::Alike | Form::AlikeOfHour => {
            let is_of_scrolling =
                filtered_by_scrolling(query) || goals(query).any(Goal::is_of_scrolling);
            (!is_of_scrolling).then(|| COUNTED.into())
        }
    }
}

/// The same where engagement counts, but its name would be a row: it is none of an event.
fn with_name(query: &Query, form: Form) -> Option<Sql> {
    let is_by_name = query.dimensions.contains(&Dimension::Field(Field::EventName));
    let is_kept = match form {
        Form::Day | Form::Hour => false,
        Form::Event | Form::Alike | Form::AlikeOfHour => counted(query, form).is_none(),
    };
    (is_by_name && is_kept).then(|| COUNTED.into())
}

fn is_of_people((metric, _): &Computed) -> bool {
    tiers::is_of_people(*metric)
}

/// What a row of events stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One event.
    Event,
    /// Events of a visit's day that are alike, `times` of them.
    Alike,
    /// The same of an hour, which is its column `hour` and the only dimension. How many these are is not told.
    AlikeOfHour,
    /// All events of a visit's day; of these, those that meet the filters on one field, or those of one value of it.
    Day,
    /// The same of an hour, which is its column `hour` and the only dimension.
    Hour,
}

impl Form {
    /// The metric, with its formula over such rows.
    fn tells(self, (metric, formula): Computed) -> Computed {
        let formula = match (self, metric) {
            (Self::Alike, Metric::Events) => "sumIf(times, name != 'engagement')",
            (Self::Alike, Metric::Pageviews) => "sumIf(times, name = 'pageview')",
            (Self::Alike, Metric::AverageRevenue) => {
                "sum(revenue) / greatest(sumIf(times, revenue IS NOT NULL), 1)"
            }
            (Self::Day | Self::Hour, Metric::Visitors) => {
                "uniqExactIf(visitor_id, visitor_id != 0) + sum(lone)"
            }
            (Self::Day | Self::Hour, Metric::Visits) => {
                "uniqExactIf(session_id, session_id != 0 AND NOT lone) + sum(lone)"
            }
            (Self::Day, Metric::Events) => "sum(day_events)",
            (Self::Day, Metric::Pageviews) => "sum(day_views)",
            _ => formula,
        };
        (metric, formula)
    }
}

/// Scrolling is no event: where it meets a goal, or may have, there is no number of events to tell.
fn told_of_goals((metric, formula): Computed, form: Form, query: &Query) -> Computed {
    let formula = match (metric, form) {
        // As an aggregate: of nothing else there would be a row for each event.
        (Metric::Events, _) if filtered_by_scrolling(query) => "nullIf(countIf(0), 0)",
        (Metric::Events, Form::Alike) if goals(query).any(Goal::is_of_scrolling) => {
            "nullIf(sumIf(times, name != 'engagement'), 0)"
        }
        (Metric::Events, _) if goals(query).any(Goal::is_of_scrolling) => {
            "nullIf(countIf(name != 'engagement'), 0)"
        }
        _ => formula,
    };
    (metric, formula)
}

/// What a metric comes to where there is nothing.
pub(in crate::query) fn of_nothing(metric: Metric, query: &Query) -> Value {
    match metric {
        Metric::Events if filtered_by_scrolling(query) => Value::Null,
        metric => metric.of_nothing(),
    }
}

fn filtered_by_scrolling(query: &Query) -> bool {
    query.filters.iter().any(|filter| matches!(filter, Filter::Test(_)) && tests_scrolling(filter))
}

/// The goals that the query is broken down by.
pub(super) fn goals(query: &Query) -> impl Iterator<Item = &Goal> {
    query.dimensions.iter().flat_map(|dimension| match dimension {
        Dimension::Goal(goals) => goals.as_slice(),
        Dimension::Field(_)
        | Dimension::Property(_)
        | Dimension::Properties
        | Dimension::Time(_) => &[],
    })
}

/// What the metrics, the dimensions and the filters look at, and what rows of it stand for; `None` if only events
/// themselves have it.
fn columns(
    query: &Query,
    metrics: &[Computed],
    common: &[&Filter],
    own: &[&Filter],
    closed: &Closed,
) -> Option<(Form, Columns)> {
    if query.metrics.iter().any(of_property) || query.filters.iter().any(denies_scrolling) {
        return None;
    }
    let conditions = Conditions::of(query, closed);
    let condition = |filter: &Filter| conditions.on_event(filter);
    if query.dimensions == [Dimension::Time(Interval::Hour)] && metrics.iter().all(is_of_people) {
        let columns = || Columns::of(&[], &query.filters);
        if let Some(columns) = columns()?.of_hours(common, condition) {
            return Some((Form::Hour, columns));
        }
        // Alike attention has its deepest scroll, whichever hour that was in.
        if query.filters.iter().any(tests_scrolling) {
            return None;
        }
        let columns = columns()?.by_hour().and(&["name"]);
        let is_notable = are_notable(query, common, closed);
        let columns = if is_notable { columns.of_notable() } else { columns };
        return Some((Form::AlikeOfHour, columns));
    }
    let columns = Columns::of(&query.dimensions, &query.filters)?;
    let has = |wanted: &[Metric]| metrics.iter().any(|(metric, _)| wanted.contains(metric));
    let of_all = [Metric::Visitors, Metric::Visits, Metric::Pageviews, Metric::Events];
    let of_money = [Metric::TotalRevenue, Metric::AverageRevenue];
    // Of which rows that stand for several events are not known to tell it.
    if metrics.iter().any(|(metric, _)| !of_all.contains(metric) && !of_money.contains(metric)) {
        return None;
    }
    let columns = if are_notable(query, common, closed) {
        columns.of_notable()
    } else if has(&of_money) {
        columns
    } else {
        match columns.of_days(&query.dimensions, common, own, condition) {
            Ok(of_days) => {
                let numbers = [(Metric::Pageviews, "day_views"), (Metric::Events, "day_events")];
                let numbers = numbers.into_iter().filter(|(metric, _)| has(&[*metric]));
                let numbers: Vec<&'static str> = numbers.map(|(_, column)| column).collect();
                return Some((Form::Day, of_days.and(&numbers)));
            }
            Err(columns) => columns,
        }
    };
    let columns = columns.and(&["name"]);
    let columns = match has(&[Metric::Pageviews, Metric::Events]) || has(&of_money) {
        true => columns.and(&["times"]),
        false => columns,
    };
    Some(match has(&of_money) {
        true => (Form::Alike, columns.and(&["revenue_currency", "revenue_amount"])),
        false => (Form::Alike, columns),
    })
}

/// Rows of events, by the name of `events`, and the condition that they are in the period: `rows`, which are in it, or
/// those of the table.
pub(super) fn source(query: &Query, rows: Option<Sql>) -> (Sql, Sql) {
    match rows {
        Some(rows) => (sql!["(", rows, ") AS events"], "1".into()),
        None => ("events FINAL".into(), within(query)),
    }
}

/// Events, beside the visit that each belongs to where a dimension is of visits only.
pub(in crate::query) fn table(query: &Query) -> Sql {
    beside_visits("events FINAL".into(), query, &Closed::none())
}

/// Rows of events, which are called so, beside their visits where a dimension is of visits only.
pub(super) fn beside_visits(events: Sql, query: &Query, closed: &Closed) -> Sql {
    let of_visit = |dimension: &Dimension| match dimension {
        Dimension::Field(field) if field.is_of_visit() => Some(*field),
        Dimension::Field(_)
        | Dimension::Property(_)
        | Dimension::Properties
        | Dimension::Goal(_)
        | Dimension::Time(_) => None,
    };
    let fields: Vec<Field> = query.dimensions.iter().filter_map(of_visit).collect();
    if fields.is_empty() {
        return events;
    }
    sql![
        events,
        " INNER JOIN (",
        tiers::visits(query, fields, closed),
        ") AS visits ON events.session_id = visits.visit"
    ]
}

/// The dimension of a row of `events`, as reports show it.
pub(in crate::query) fn value(dimension: &Dimension, query: &Query) -> Sql {
    match dimension {
        Dimension::Field(field) => labelled(field_value(*field), field.spec()),
        Dimension::Property(name) => {
            let name = Sql::text(name.as_str());
            sql!["if(mapContains(props, ", &name, "), props[", name, "], '(none)')"]
        }
        Dimension::Properties => {
            "arrayJoin(arrayMap(name -> toString(name), mapKeys(props)))".into()
        }
        Dimension::Goal(goals) => goals_met(goals),
        Dimension::Time(interval) => interval.label_sql("timestamp", &query.period),
    }
}

/// The value of a field, of a row of events beside what is looked up of its visit.
fn field_value(field: Field) -> Sql {
    match field.spec().home {
        Home::Event(column) | Home::Either(column) => column.into(),
        Home::Visit(_) => visits::field_value(field),
    }
}

/// A row for each goal that the event meets, of events that meet one.
pub(super) fn goals_met(goals: &[Goal]) -> Sql {
    if goals.is_empty() {
        return "arrayJoin(emptyArrayString())".into();
    }
    if exclude_each_other(goals) {
        // Rows need not be copied, which takes a quarter of all.
        return goal_met(goals);
    }
    let each = goals.iter().map(|goal| {
        sql!["if(", meets(goal), ", [", Sql::text(&goal.name), "], emptyArrayString())"]
    });
    sql!["arrayJoin(arrayConcat(", Sql::join(each, ", "), "))"]
}

/// The goal that the event meets, of goals that exclude each other; empty: none.
pub(super) fn goal_met(goals: &[Goal]) -> Sql {
    let each = goals.iter().map(|goal| sql![meets(goal), ", ", Sql::text(&goal.name), ", "]);
    sql!["multiIf(", Sql::join(each, ""), "0, '', '')"]
}

/// Whether no event meets two of the goals.
pub(super) fn exclude_each_other(goals: &[Goal]) -> bool {
    goals
        .iter()
        .enumerate()
        .all(|(place, goal)| goals[place + 1..].iter().all(|other| goal.kind.excludes(&other.kind)))
}
