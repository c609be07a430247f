//! The subqueries over events, visits and attention, of numbers that are added up.
//!
//! Each is a union of the closed days' rows and of what the stretches between them come to, all in the
//! same columns ([`Column`]), which are then summed and made into metrics.

use std::collections::BTreeSet;

use super::super::conditions::{ATTENTION, COUNTED, Conditions, entered_condition, meets};
use super::super::plan::Computed;
use super::super::visits;
use super::super::{between, events, group, kept_from, of_property, of_visit};
use super::by::{By, Of, column_of, stored};
use super::columns::Columns;
use super::rows;
use super::split::{Split, Stretch, Told, around};
use super::{Closed, goals, set_of, start_of};
use crate::event::SCROLL_DEPTH_UNKNOWN;
use crate::query::Query;
use crate::query::dimension::{Dimension, Field};
use crate::query::filter::{Filter, Subject};
use crate::query::interval::Interval;
use crate::query::metric::{Metric, Unit};
use crate::query::period::Period;
use crate::query::statement::{Sql, sql};

/// A number that may be added up.
pub(super) struct Column {
    /// What it is called here.
    pub(super) name: &'static str,
    /// What a closed day adds.
    closed: &'static str,
    /// What of it is carried from the day before.
    carried: Option<&'static str>,
    /// What a stretch adds, where `fresh` says that a row is of the stretch and not of the day before.
    open: &'static str,
}

impl Column {
    /// What a closed day adds, where the condition says whether its report has the day before in the same row.
    pub(super) fn of_closed_day(&self, is_carried: &Sql) -> Sql {
        match self.carried {
            None => self.closed.into(),
            Some(carried) => sql![self.closed, " - if(", is_carried, ", ", carried, ", 0)"],
        }
    }
}

const OF_EVENTS: &[Column] = &[
    Column {
        name: "s_visitors",
        closed: "toInt64(visitors)",
        carried: Some("visitors_carried"),
        open: "toInt64(uniqExactIf(visitor_id, visitor_id != 0 AND visitor_id % 2 = 0)) \
               - toInt64(uniqExactIf(visitor_id, visitor_id != 0 AND visitor_id % 2 = 0 AND NOT fresh))",
    },
    Column {
        name: "s_lasting",
        closed: NOBODY,
        carried: None,
        open: "groupUniqArrayIf(visitor_id, visitor_id % 2 = 1)",
    },
    Column {
        name: "s_visits",
        closed: "toInt64(visits)",
        carried: Some("visits_carried"),
        open: "toInt64(uniqExactIf(session_id, session_id != 0)) \
               - toInt64(uniqExactIf(session_id, session_id != 0 AND NOT fresh))",
    },
    Column {
        name: "s_pageviews",
        closed: "toInt64(pageviews)",
        carried: None,
        open: "toInt64(countIf(name = 'pageview' AND fresh))",
    },
    Column {
        name: "s_events",
        closed: "toInt64(events)",
        carried: None,
        open: "toInt64(countIf(fresh))",
    },
];

/// What goals bring, where that is asked for.
const OF_REVENUE: &[Column] = &[
    Column {
        name: "s_paid",
        closed: "toInt64(paid)",
        carried: None,
        open: "toInt64(countIf(fresh AND revenue IS NOT NULL))",
    },
    Column {
        name: "s_revenue",
        closed: "revenue",
        carried: None,
        open: "sumIf(ifNull(revenue, 0), fresh)",
    },
];

const OF_VISITS: &[Column] = &[
    Column {
        name: "s_visitors",
        closed: "toInt64(visitors)",
        carried: Some("visitors_carried"),
        open: "toInt64(uniqExactIf(visitor, visitor % 2 = 0)) \
               - toInt64(uniqExactIf(visitor, visitor % 2 = 0 AND NOT fresh))",
    },
    Column {
        name: "s_lasting",
        closed: NOBODY,
        carried: None,
        open: "groupUniqArrayIf(visitor, visitor % 2 = 1)",
    },
    Column {
        name: "s_visits",
        closed: "toInt64(visits)",
        carried: None,
        open: "toInt64(countIf(fresh))",
    },
    Column {
        name: "s_views",
        closed: "toInt64(pageviews)",
        carried: None,
        open: "toInt64(sumIf(views, fresh))",
    },
    Column {
        name: "s_entered",
        closed: "toInt64(entered)",
        carried: None,
        open: "toInt64(countIf(entered AND fresh))",
    },
    Column {
        name: "s_bounces",
        closed: "toInt64(bounces)",
        carried: None,
        open: "toInt64(countIf(bounced AND entered AND fresh))",
    },
    Column {
        name: "s_seconds",
        closed: "toInt64(seconds)",
        carried: None,
        open: "toInt64(sumIf(duration, fresh))",
    },
];

const OF_ATTENTION: &[Column] = &[
    Column {
        name: "s_visits",
        closed: "toInt64(visits)",
        carried: Some("visits_carried"),
        open: "toInt64(count()) - toInt64(countIf(was_there))",
    },
    Column {
        name: "s_attention_ms",
        closed: "toInt64(attention_ms)",
        carried: None,
        open: "toInt64(sum(attention_ms))",
    },
    Column {
        name: "s_told",
        closed: "toInt64(told)",
        carried: Some("told_carried"),
        open: "toInt64(countIf(told)) - toInt64(countIf(had_told))",
    },
    Column {
        name: "s_depth",
        closed: "toInt64(depth)",
        carried: Some("depth_carried"),
        open: "toInt64(sumIf(depth, told)) - toInt64(sumIf(depth_before, had_told))",
    },
];

/// Closed days have no visitor that lasts longer than a day.
const NOBODY: &str = "emptyArrayUInt64()";

/// The visitors: those that end with their day, whom each stretch counts by itself, and those that last, of
/// whom two stretches may have the same.
macro_rules! visitors {
    () => {
        "sum(s_visitors) + length(groupUniqArrayArray(s_lasting))"
    };
}

/// The metric, of the summed columns; `None` if they do not tell it. The same numbers go through the same
/// operations as in the formulas of `metric`, so that they are rounded alike.
pub(in crate::query::compile) fn formula(metric: Metric, of: Of) -> Option<&'static str> {
    Some(match (of, metric) {
        (Of::Events | Of::Visits, Metric::Visitors) => concat!("toUInt64(", visitors!(), ")"),
        (Of::Events | Of::Visits, Metric::Visits) => "toUInt64(sum(s_visits))",
        (Of::Events, Metric::Pageviews) => "toUInt64(sum(s_pageviews))",
        (Of::Events, Metric::Events) => "toUInt64(sum(s_events))",
        (Of::Events, Metric::TotalRevenue) => "if(sum(s_paid) = 0, NULL, sum(s_revenue))",
        (Of::Events, Metric::AverageRevenue) => {
            "if(sum(s_paid) = 0, NULL, sum(s_revenue) / greatest(sum(s_paid), 1))"
        }
        (Of::Visits, Metric::ViewsPerVisit) => {
            "ifNotFinite(round(sum(s_views) / sum(s_visits), 2), 0)"
        }
        (Of::Visits, Metric::BounceRate) => {
            "toUInt64(ifNotFinite(round(sum(s_bounces) / sum(s_entered) * 100), 0))"
        }
        (Of::Visits, Metric::VisitDuration) => {
            "toUInt64(ifNotFinite(round(sum(s_seconds) / sum(s_visits)), 0))"
        }
        (Of::Attention, Metric::TimeOnPage) => {
            "if(sum(s_visits) = 0, NULL, toUInt64(round(sum(s_attention_ms) / 1000 / sum(s_visits))))"
        }
        (Of::Attention, Metric::ScrollDepth) => {
            "if(sum(s_told) = 0, NULL, toUInt64(round(sum(s_depth) / sum(s_told))))"
        }
        _ => return None,
    })
}

/// The metrics by the query's dimensions, added up where days are closed; `None` where closed days do not
/// tell them, or are too few.
pub(in crate::query::compile) fn subquery(
    query: &Query,
    metrics: &[Computed],
    of: Of,
    closed: &Closed,
) -> Option<Sql> {
    if of == Of::Events && query.metrics.iter().any(of_property) {
        return None;
    }
    let by = By::of(query, of)?;
    let of_money = |(metric, _): &Computed| metric.spec().unit == Unit::Money;
    let of_revenue = metrics.iter().any(of_money);
    if of_revenue && by != By::Goals {
        return None;
    }
    let formulas = metrics
        .iter()
        .map(|(metric, _)| {
            let formula: Sql = match (by, metric) {
                (By::Goals, Metric::Events) => events_of_goals(query),
                (_, metric) => formula(*metric, of)?.into(),
            };
            Some(sql![formula, " AS ", metric.spec().name])
        })
        .collect::<Option<Vec<Sql>>>()?;
    let only_people = metrics.iter().all(|(metric, _)| is_of_people(*metric));
    if by.has_hours() && !only_people {
        return None;
    }
    let told = match (of, by) {
        (Of::Visits, by) if by.is_by_hour() => Told::Hours,
        (Of::Visits, by) if by.is_of_events() => Told::VisitsWith,
        (Of::Visits, _) => Told::Visits,
        (_, by) if by.is_by_goal() => Told::Goals(set_of(&query.goals)),
        (Of::Events | Of::Attention, _) => Told::Events,
    };
    let split = Split::of(query, closed, told)?;
    let reading = Reading { query, of, by, only_people, of_revenue, closed };
    let stretches = split.stretches.iter().map(|stretch| reading.stretch(stretch));
    let stretches = stretches.collect::<Option<Vec<Sql>>>()?;
    let arms = std::iter::once(reading.closed_days(&split)).chain(stretches);
    let arms = arms.map(|arm| sql!["SELECT * FROM (", arm, ")"]);
    let columns = reading.dimension_names().chain(formulas);
    let there_is_a_row = match query.dimensions.is_empty() {
        true => Sql::default(),
        false => sql![" HAVING ", there_is_a_row(of, only_people)],
    };
    Some(sql![
        "SELECT ",
        Sql::join(columns, ", "),
        " FROM (",
        Sql::join(arms, " UNION ALL "),
        ")",
        group(query),
        there_is_a_row,
    ])
}

/// The events that met a goal: of scrolling, which is no event, there is no number to tell.
fn events_of_goals(query: &Query) -> Sql {
    let place =
        query.dimensions.iter().position(|dimension| matches!(dimension, Dimension::Goal(_)));
    let of_scrolling = events::goals(query).filter(|goal| goal.is_of_scrolling());
    let of_scrolling: Vec<Sql> = of_scrolling
        .flat_map(|goal| Some(sql![Sql::name("d", place?), " = ", Sql::text(&goal.name)]))
        .collect();
    match of_scrolling.is_empty() {
        true => "toUInt64(sum(s_events))".into(),
        false => sql!["if(", Sql::any(of_scrolling), ", NULL, toUInt64(sum(s_events)))"],
    }
}

/// The condition on summed columns that there is a row of a report, where it has dimensions.
pub(super) fn there_is_a_row(of: Of, only_people: bool) -> &'static str {
    match of {
        Of::Events if only_people => concat!(visitors!(), " > 0"),
        Of::Events => "sum(s_events) > 0",
        Of::Visits | Of::Attention => "sum(s_visits) > 0",
    }
}

/// With such metrics alone, a row of events is one of events that have a visitor.
pub(in crate::query::compile) fn is_of_people(metric: Metric) -> bool {
    matches!(metric, Metric::Visitors | Metric::Visits)
}

pub(super) struct Reading<'query> {
    pub(super) query: &'query Query,
    pub(super) of: Of,
    pub(super) by: By,
    pub(super) only_people: bool,
    pub(super) of_revenue: bool,
    pub(super) closed: &'query Closed,
}

impl Reading<'_> {
    pub(super) fn columns(&self) -> impl Iterator<Item = &'static Column> + use<> {
        let columns = match self.of {
            Of::Events => OF_EVENTS,
            Of::Visits => OF_VISITS,
            Of::Attention => OF_ATTENTION,
        };
        columns.iter().chain(if self.of_revenue { OF_REVENUE } else { &[] })
    }

    pub(super) fn dimension_names(&self) -> impl Iterator<Item = Sql> + use<> {
        (0..self.query.dimensions.len()).map(|index| Sql::name("d", index))
    }

    /// The dimensions as reports show them, of a row of events or of visits.
    pub(super) fn values(&self, query: &Query) -> Vec<Sql> {
        query.dimensions.iter().map(|dimension| self.value(dimension, query)).collect()
    }

    /// One of them.
    pub(super) fn value(&self, dimension: &Dimension, query: &Query) -> Sql {
        match self.of {
            Of::Events | Of::Attention => events::value(dimension, query),
            Of::Visits => visits::value(&of_visit(dimension), query),
        }
    }

    /// The fields of the query's dimensions and filters, as this kind of row has them.
    pub(super) fn fields(&self) -> BTreeSet<Field> {
        let of_dimensions = self.query.dimensions.iter().filter_map(|dimension| {
            let dimension =
                if self.of == Of::Visits { of_visit(dimension) } else { dimension.clone() };
            match dimension {
                Dimension::Field(field) => Some(field),
                Dimension::Property(_)
                | Dimension::Properties
                | Dimension::Goal(_)
                | Dimension::Time(_) => None,
            }
        });
        let tests = self.query.filters.iter().flat_map(Filter::tests);
        let of_filters = tests.filter_map(|test| match test.subject {
            Subject::Field(field) => Some(field),
            Subject::Property(_) | Subject::Goal(_) => None,
        });
        of_dimensions.chain(of_filters).map(stored).collect()
    }

    /// Values of the dimensions by the names of these.
    fn named(&self, values: Vec<Sql>) -> Vec<Sql> {
        let values = values.into_iter().zip(self.dimension_names());
        values.map(|(value, name)| sql![value, " AS ", name]).collect()
    }

    /// `SELECT values, columns`, the latter by their names.
    fn select(&self, values: Vec<Sql>, columns: impl Iterator<Item = Sql>) -> Sql {
        let values = values.into_iter();
        let columns = columns.zip(self.columns());
        let columns = columns.map(|(value, column)| sql![value, " AS ", column.name]);
        sql!["SELECT ", Sql::join(values.chain(columns), ", ")]
    }

    pub(super) fn closed_days(&self, split: &Split) -> Sql {
        let period = &self.query.period;
        let values = match self.by {
            By::Hour => vec!["value".into()],
            By::HourOf(_) | By::HourOfGoal => vec![rows::hour_of("day", "told.hour")],
            By::Site | By::Field(_) | By::Having(_) => self.values(self.query),
            By::Goals => self.values_by_goal(),
        };
        let is_carried = self.is_carried();
        let columns = self.columns().map(|column| column.of_closed_day(&is_carried));
        let condition = match self.by.is_by_goal() {
            true => split.condition_by_goal(self.query),
            false => split.condition(self.query),
        };
        let (row, hours) = match self.by.has_hours() {
            true => (
                "* REPLACE (told.visitors AS visitors, told.visits AS visits), told",
                " ARRAY JOIN hours AS told",
            ),
            false => ("*", ""),
        };
        sql![
            self.select(self.named(values), columns),
            " FROM (SELECT ",
            row,
            self.as_a_row(period),
            " FROM daily",
            hours,
            " WHERE counted = '",
            self.of.name(),
            "' AND dimension = ",
            Sql::text(self.by.name()),
            " AND ",
            condition,
            ") WHERE ",
            self.filters_of_closed_days(),
        ]
    }

    /// The dimensions, of a row of `daily` by goal.
    fn values_by_goal(&self) -> Vec<Sql> {
        let value = |dimension: &Dimension| match dimension {
            Dimension::Goal(goals) => {
                let keys = goals.iter().map(goals::key).collect();
                let names = goals.iter().map(|goal| goal.name.clone()).collect();
                sql!["transform(value, ", Sql::texts(keys), ", ", Sql::texts(names), ", '')"]
            }
            dimension => events::value(dimension, self.query),
        };
        self.query.dimensions.iter().map(value).collect()
    }

    /// The columns under which expressions over a row of events, or of visits, find what a row of `daily` has.
    fn as_a_row(&self, period: &Period) -> Sql {
        let fields = match self.by {
            By::Field(_) | By::HourOf(_) => self.fields(),
            By::Site | By::Hour | By::Having(_) | By::Goals | By::HourOfGoal => BTreeSet::new(),
        };
        as_a_row(self.of, &fields, period)
    }

    /// Whether what is carried into a closed day is in the same row of the report on the day before.
    fn is_carried(&self) -> Sql {
        let same = self.has_the_day_before_in_the_same_row();
        let after = self.is_after_the_first();
        same.map_or_else(|| after.clone(), |same| sql![&after, " AND ", same])
    }

    /// Whether a closed day is not the first of the report.
    pub(super) fn is_after_the_first(&self) -> Sql {
        let first = self.query.period.zone().to_datetime(kept_from(self.query)).date();
        sql!["day > toDate(", Sql::text(first.to_string()), ")"]
    }

    /// Whether the report has the day before in the same row as a closed day; `None` where it always has.
    pub(super) fn has_the_day_before_in_the_same_row(&self) -> Option<Sql> {
        let period = &self.query.period;
        match self.query.interval()? {
            Interval::Day | Interval::Hour => Some("0".into()),
            interval => Some(sql![
                interval.label_sql(noon("day", period), period),
                " = ",
                interval.label_sql(noon("(day - 1)", period), period),
            ]),
        }
    }

    /// The condition on the value of a row of `daily`, where it has one.
    pub(super) fn filters_of_closed_days(&self) -> Sql {
        match self.by {
            // It is that of an event of the visit's.
            by if by.is_of_events() => Sql::all(self.event_filters()),
            By::Field(_) | By::HourOf(_) => self.filters(self.query),
            By::Goals | By::HourOfGoal => {
                let keys = goals::counted(self.query).into_iter().map(goals::key).collect();
                sql!["has(", Sql::texts(keys), ", value)"]
            }
            By::Site | By::Hour | By::Having(_) => "1".into(),
        }
    }

    /// The condition on what is counted in the stretch. What is asked of the visits' events is looked up among those that
    /// these can have had.
    pub(super) fn filters_in(&self, stretch: &Stretch) -> Sql {
        let zone = self.query.period.zone();
        let from = stretch.before.map_or(stretch.from, |(day, _)| start_of(day, zone));
        self.filters(&around(self.query, from, stretch.to))
    }

    fn filters(&self, query: &Query) -> Sql {
        match self.of {
            Of::Events | Of::Attention => Sql::all(self.event_filters()),
            Of::Visits => Conditions::of(query, self.closed).on_visits(&query.filters, None),
        }
    }

    fn event_filters(&self) -> Vec<Sql> {
        let closed = Closed::none();
        let conditions = Conditions::of(self.query, &closed);
        self.query.filters.iter().map(|filter| conditions.on_event(filter)).collect()
    }

    /// What is counted from events, in a stretch that has no closed day.
    fn stretch(&self, stretch: &Stretch) -> Option<Sql> {
        let mut stretch = stretch.clone();
        if self.by.is_by_hour() {
            // Nobody is carried from one hour into another: each is counted by itself.
            stretch.before = None;
        }
        match self.of {
            Of::Events => self.events(&stretch),
            Of::Visits => Some(self.visits(&stretch)),
            Of::Attention => Some(self.attention(&stretch)),
        }
    }

    fn open_columns(&self) -> impl Iterator<Item = Sql> + use<> {
        self.columns().map(|column| column.open.into())
    }

    fn events(&self, stretch: &Stretch) -> Option<Sql> {
        // By the hour nothing is carried, so that these rows are events themselves, each with its second.
        let dimensions = if self.by.is_by_hour() { &[] } else { self.query.dimensions.as_slice() };
        let columns = Columns::of(dimensions, &self.query.filters)?;
        let counted = match self.by {
            By::Goals | By::HourOfGoal => {
                Sql::any(goals::counted(self.query).into_iter().map(meets).collect())
            }
            By::Site | By::Hour | By::HourOf(_) | By::Field(_) | By::Having(_) => COUNTED.into(),
        };
        let wanted = sql![counted, " AND ", self.wanted_of_events()];
        let values = self.named(self.values(self.query));
        let columns = if self.by == By::Goals { columns.of_notable() } else { columns };
        Some(self.events_by(stretch, columns, values, wanted, group(self.query)))
    }

    /// The condition on events of the stretch beyond that they are such.
    pub(super) fn wanted_of_events(&self) -> Sql {
        let people = self.only_people.then(|| "visitor_id != 0".into());
        Sql::all(people.into_iter().chain(self.event_filters()).collect())
    }

    /// What is counted from events of the stretch that are wanted, by these values, which have the columns at hand.
    pub(super) fn events_by(
        &self,
        stretch: &Stretch,
        columns: Columns,
        values: Vec<Sql>,
        wanted: Sql,
        group: Sql,
    ) -> Sql {
        let columns = columns.and(&["name", "timestamp"]);
        let (columns, revenue) = match self.of_revenue {
            true => (
                columns.and(&["revenue_currency", "revenue_amount"]),
                sql![", ", self.query.revenue.amount(), " AS revenue"],
            ),
            false => (columns, Sql::default()),
        };
        sql![
            "WITH ",
            is_fresh("timestamp", stretch),
            " AS fresh",
            revenue,
            " ",
            self.select(values, self.open_columns()),
            " FROM (",
            rows::events_of(self.query, &columns, stretch),
            ") AS events WHERE ",
            wanted,
            group,
        ]
    }

    fn visits(&self, stretch: &Stretch) -> Sql {
        let zone = self.query.period.zone();
        let (values, ended) = match self.by {
            by if by.is_by_hour() => {
                let period = Period::new(stretch.from, stretch.to, zone);
                (self.values(&Query { period, ..self.query.clone() }), "1".into())
            }
            _ => (self.values(self.query), has_ended(stretch)),
        };
        let wanted = sql![ended, " AND ", self.filters_in(stretch)];
        self.visits_by(
            stretch,
            self.fields_of_visits(),
            self.named(values),
            wanted,
            group(self.query),
        )
    }

    /// The fields of a visit that the dimensions and the filters look at.
    pub(super) fn fields_of_visits(&self) -> BTreeSet<Field> {
        self.fields().into_iter().filter(|field| !field.is_of_event()).collect()
    }

    /// What is counted from visits of the stretch that are wanted, by these values, which have the fields at hand.
    pub(super) fn visits_by(
        &self,
        stretch: &Stretch,
        mut fields: BTreeSet<Field>,
        values: Vec<Sql>,
        wanted: Sql,
        group: Sql,
    ) -> Sql {
        let (entered, looked_at) = entered_condition(self.query);
        fields.extend(looked_at);
        sql![
            "WITH ",
            is_fresh("last", stretch),
            " AS fresh, ",
            entered,
            " AS entered ",
            self.select(values, self.open_columns()),
            " FROM (",
            rows::visits_of_carried(self.query, fields, stretch),
            ") WHERE ",
            wanted,
            group,
        ]
    }

    fn attention(&self, stretch: &Stretch) -> Sql {
        let keys: Vec<Sql> = self.dimension_names().chain(["session_id".into()]).collect();
        let values = self.values(self.query).into_iter().zip(self.dimension_names());
        let values = values.map(|(value, name)| sql![value, " AS ", name, ", "]);
        let unknown = Sql::number(SCROLL_DEPTH_UNKNOWN);
        let told = sql!["scroll_depth != ", unknown];
        let within = match stretch.before {
            None => sql![between(self.query, stretch.from, stretch.to), " AND session_id != 0"],
            Some((day, _)) => {
                let from = start_of(day, self.query.period.zone());
                let goes_on = visits::of_visits_after(self.query, stretch.from, ATTENTION);
                sql![between(self.query, from, stretch.to), " AND ", goes_on]
            }
        };
        let of_visits = sql![
            "WITH ",
            is_fresh("timestamp", stretch),
            " AS fresh SELECT ",
            Sql::join(values, ""),
            "session_id, sumIf(engagement_ms, fresh) AS attention_ms, ",
            "maxIf(scroll_depth, ",
            &told,
            ") AS depth, countIf(",
            &told,
            ") > 0 AS told, maxIf(scroll_depth, NOT fresh AND ",
            &told,
            ") AS depth_before, countIf(NOT fresh AND ",
            told,
            ") > 0 AS had_told, countIf(NOT fresh) > 0 AS was_there FROM events FINAL WHERE ",
            within,
            " AND ",
            ATTENTION,
            " AND ",
            Sql::all(self.event_filters()),
            " GROUP BY ",
            Sql::join(keys, ", "),
        ];
        let names = self.dimension_names().collect();
        sql![self.select(names, self.open_columns()), " FROM (", of_visits, ")", group(self.query)]
    }
}

/// The columns under which expressions over a row of events, or of visits, find what a row of `daily` has, whose value is
/// that of each of the fields.
pub(super) fn as_a_row(of: Of, fields: &BTreeSet<Field>, period: &Period) -> Sql {
    let noon = noon("day", period);
    let times = match of {
        Of::Events | Of::Attention => vec![sql![noon, " AS timestamp"]],
        Of::Visits => vec![sql![&noon, " AS first"], sql![noon, " AS last"]],
    };
    let values = fields.iter().map(|field| {
        let value = if field.spec().number { "toUInt32OrZero(value)" } else { "value" };
        let column = match of {
            Of::Events | Of::Attention => column_of(*field).into(),
            Of::Visits if field.is_of_event() => column_of(*field).into(),
            Of::Visits => visits::column(*field),
        };
        sql![value, " AS ", column]
    });
    Sql::join(times.into_iter().chain(values).map(|column| sql![", ", column]), "")
}

/// The condition on visits of a stretch that they are of a day of it, and not of a later one.
pub(super) fn has_ended(stretch: &Stretch) -> Sql {
    match stretch.is_last {
        true => "1".into(),
        false => sql!["last <= ", Sql::moment(stretch.to)],
    }
}

fn is_fresh(moment: &'static str, stretch: &Stretch) -> Sql {
    match stretch.before {
        None => "1".into(),
        Some(_) => sql!["(", moment, " >= ", Sql::moment(stretch.from), ")"],
    }
}

/// A moment that is on the day, whatever clocks do at midnight.
pub(super) fn noon(day: &'static str, period: &Period) -> Sql {
    sql!["(toDateTime(", day, ", ", Sql::text(period.zone_name()), ") + 43200)"]
}
