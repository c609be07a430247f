//! From a question to a statement, in stages, each of its own types.
//!
//! | stage     | from               | to            | what is newly true                                  |
//! |-----------|--------------------|---------------|-----------------------------------------------------|
//! | `wire`    | JSON               | [`Wire`]      | every part has its shape, every name is known       |
//! | here      | [`Wire`], [`Known`]| [`Query`]     | the parts go together; the period is two instants   |
//! | `compile` | [`Query`]          | [`Statement`] | it is text of ours, and values bound beside it      |
//!
//! `metric` and `dimension` are the registries: parsing, SQL, [`schema()`] and the documentation derive
//! from them. Nothing here does I/O, reads a clock, or logs; `report` asks and answers.

mod comparison;
mod compile;
pub(crate) mod countries;
pub mod dimension;
mod error;
pub mod filter;
pub mod floor;
pub mod interval;
pub mod measure;
pub mod metric;
mod paths;
pub mod period;
mod reference;
pub mod revenue;
mod rules;
mod schema;
mod several;
pub mod statement;
#[cfg(test)]
mod tests;
pub mod v1;
mod wire;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

pub use self::compile::{
    Closed, Counting, GoalsCounted, Making, Together, compile, first_event, made_of, may_add_up,
    set_of, total_rows,
};
pub use self::error::{Problem, QueryError};
pub use self::paths::{
    Direction, Funnel, FunnelMode, Journey, Step, Window, compile_funnel, compile_journey,
    funnel_schema, is_of_all_time, journey_schema,
};
pub use self::period::start_of;
pub use self::reference::reference;
pub use self::schema::schema;
pub use self::several::{are_several, several, several_schema};
pub use self::statement::Statement;
pub use self::wire::{Include, Order, OrderKey, Page, Wire};

use self::dimension::Dimension;
use self::error::Problems;
use self::filter::{Comparison, Filter, Subject, Test};
use self::floor::Floored;
use self::interval::Interval;
use self::measure::Measure;
use self::metric::Metric;
use self::period::Period;
use self::revenue::Revenue;
use self::wire::{Breakdown, Filters};
use crate::site::floor::Floor;
use crate::site::goal::Goal;
use crate::site::segment::Segment;
use crate::site::{Site, SiteId};

/// The most goals that the filters of a query mean together: each is a condition of the statement.
const GOALS_MEANT_MAX: usize = 500;

/// Of so many rows of the other period, at most, those are found that a report's rows are compared with.
const COMPARED_ROWS_MAX: u64 = 100_000;

/// So many rows, at most, a report has whose empty buckets are filled.
pub const FILLED_ROWS_MAX: u64 = 100_000;

/// What a query is read against.
#[derive(Clone, Copy)]
pub struct Known<'site> {
    /// The site it is about.
    pub site: &'site Site,
    /// The moment of asking.
    pub now: Timestamp,
    /// The site's first event, where [`Wire::needs_first_event`] and there is one; of a reader who is told no small numbers,
    /// the beginning of the first day that is told.
    pub first_event: Option<Timestamp>,
    /// The goals of the site.
    pub goals: &'site [Goal],
    /// The segments of the site.
    pub segments: &'site [Segment],
    /// In which dialect it is asked.
    pub dialect: Dialect,
    /// The least number of visitors that the reader is told, where there is one.
    pub floor: Option<Floor>,
    /// The filters, as queries write them, of the part of the site that the reader sees; none is all of it.
    pub within: &'site [Value],
}

/// The dialects in which queries are asked. They mean the same, but one allows a little more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// The older one: page views a visit may be broken down.
    V1,
    /// The newer one.
    #[default]
    V2,
}

impl<'site> Known<'site> {
    /// A site with its goals and segments, of whose first event nothing is known, and a reader who may see
    /// every number of it.
    pub fn new(site: &'site Site, now: Timestamp) -> Self {
        let Site { goals, segments, .. } = site;
        Self {
            site,
            now,
            first_event: None,
            goals,
            segments,
            dialect: Dialect::V2,
            floor: None,
            within: &[],
        }
    }
}

/// A question that has an answer. Made by [`Query::resolve`] alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    site: SiteId,
    domain: String,
    metrics: Vec<Measure>,
    dimensions: Vec<Dimension>,
    period: Period,
    kept_from: Option<Timestamp>,
    filters: Vec<Filter>,
    /// Those of them beyond which its reader is told nothing: they narrow what its rows are shares of as well.
    within: Vec<Filter>,
    /// All the goals of the site.
    goals: Vec<Goal>,
    order: Vec<Order>,
    include: Include,
    page: Page,
    revenue: Revenue,
    /// Where its reader is told no small numbers.
    floored: Option<Floored>,
}

impl Query {
    /// Reads a query in one go: [`Wire::parse`] and [`Query::resolve`].
    ///
    /// # Errors
    /// What is wrong with its form or, if nothing is, with how its parts go together.
    pub fn parse(value: &Value, known: &Known<'_>) -> Result<Self, QueryError> {
        Self::resolve(Wire::parse(value, known.segments)?, known)
    }

    /// What the query comes to for this site, at this moment.
    ///
    /// # Errors
    /// Parts that do not go together, all of them at once.
    pub fn resolve(wire: Wire, known: &Known<'_>) -> Result<Self, QueryError> {
        let mut problems = Problems::default();
        let kept_from = known.site.kept_from(known.now);
        let first_event =
            known.first_event.map(|first| kept_from.map_or(first, |kept| first.max(kept)));
        let period = wire.range.resolve(&known.site.timezone, known.now, first_event);
        let own = resolve_filters(wire.filters, known.goals, &mut problems);
        let (Some(own), Some(within)) = (own, filters_within(known, &mut problems)) else {
            return problems.finish(None);
        };
        let (filters, floored) = match known.floor {
            None => (own.into_iter().chain(within.iter().cloned()).collect(), None),
            Some(floor) => {
                let picked = Self::picked(own, &mut problems);
                (within.clone(), Some(Floored::of(floor, known, picked)))
            }
        };
        let fitting = Interval::fitting(&period);
        let dimensions: Vec<_> = wire
            .dimensions
            .into_iter()
            .map(|breakdown| match breakdown {
                Breakdown::By(dimension) => dimension,
                Breakdown::ByTime => Dimension::Time(fitting),
                Breakdown::ByGoal => Dimension::Goal(goals_asked_for(known.goals, &filters)),
            })
            .collect();
        let query = Self {
            site: known.site.id,
            domain: known.site.domain.clone(),
            metrics: wire.metrics,
            revenue: Revenue::of(known.goals, &dimensions, &filters),
            dimensions,
            period,
            kept_from,
            filters,
            within,
            goals: known.goals.to_vec(),
            order: wire.order,
            include: wire.include,
            page: wire.page,
            floored,
        };
        rules::check(&query, known.dialect, &mut problems);
        rules::check_profile(&query, known.site.policy.profile, &mut problems);
        if query.floored.is_some() {
            floor::check(&query, &mut problems);
        }
        problems.finish(Some(query))
    }

    /// What is counted, in the order in which it was asked for. At least one.
    pub fn metrics(&self) -> &[Measure] {
        &self.metrics
    }

    /// What it is broken down by, in the order in which it was asked for.
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// The site it is about.
    pub fn site(&self) -> SiteId {
        self.site
    }

    /// The stretch of time it is about.
    pub fn period(&self) -> &Period {
        &self.period
    }

    /// What the answer has besides its rows.
    pub fn include(&self) -> &Include {
        &self.include
    }

    /// Which of the rows are wanted.
    pub fn page(&self) -> Page {
        self.page
    }

    /// Of which events, and in which currency, its revenue is.
    pub fn revenue(&self) -> &Revenue {
        &self.revenue
    }

    /// Whether the site keeps all events of its period still.
    pub fn is_wholly_kept(&self) -> bool {
        self.kept_from.is_none_or(|kept| self.period.from() >= kept)
    }

    /// The regular expressions among its filters.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        let tests = self.filters.iter().flat_map(Filter::tests);
        let tests = tests.filter(|test| test.comparison == Comparison::Matches);
        tests.flat_map(|test| test.values.iter().map(String::as_str))
    }

    /// What its filters ask of single events, those of its segments among them: of the events that have none of it, nothing
    /// is counted. And whether its reader is told of what is beyond them.
    pub fn asked_of_events(&self) -> impl Iterator<Item = (&Subject, bool)> {
        self.filters.iter().flat_map(|filter| {
            let is_own = !self.within.contains(filter);
            filter.tests_of_events().into_iter().map(move |test| (&test.subject, is_own))
        })
    }

    /// Whether it can be seen of its filters that no page view meets them.
    pub fn leaves_no_pageviews(&self) -> bool {
        self.filters.iter().any(compile::asks_for_no_pageviews)
    }

    /// What its rows are sorted by.
    pub fn order(&self) -> &[Order] {
        &self.order
    }

    /// The same for all its rows, and one more than may be filled.
    pub fn to_fill(&self) -> Self {
        Self { page: Page { limit: FILLED_ROWS_MAX + 1, offset: 0 }, ..self.clone() }
    }

    /// What a measure comes to in a row of these dimensions where nothing has happened.
    pub fn of_nothing(&self, measure: &Measure, dimensions: &[Value]) -> Value {
        match measure {
            Measure::Metric(Metric::Events) if self.is_of_scrolling(dimensions) => Value::Null,
            Measure::Metric(metric) => compile::of_nothing(*metric, self),
            Measure::Property(..) => measure.of_nothing(),
        }
    }

    /// Whether the row of these dimensions is that of a goal of scrolling.
    fn is_of_scrolling(&self, dimensions: &[Value]) -> bool {
        self.dimensions.iter().zip(dimensions).any(|(dimension, value)| match dimension {
            Dimension::Goal(goals) => {
                goals.iter().any(|goal| goal.is_of_scrolling() && *value == goal.name)
            }
            Dimension::Field(_)
            | Dimension::Property(_)
            | Dimension::Properties
            | Dimension::Time(_) => false,
        })
    }

    /// The interval of time it is broken down by, if it is.
    pub fn interval(&self) -> Option<Interval> {
        self.dimensions.iter().find_map(|dimension| match dimension {
            Dimension::Time(interval) => Some(*interval),
            Dimension::Field(_)
            | Dimension::Property(_)
            | Dimension::Properties
            | Dimension::Goal(_) => None,
        })
    }

    /// The query of the period that this one is compared with, for all its rows.
    pub fn compared(&self) -> Option<Self> {
        let comparison = self.include.comparison.as_ref()?;
        let include = Include::default();
        let page = Page { limit: COMPARED_ROWS_MAX, offset: 0 };
        Some(Self { period: comparison.period(&self.period), include, page, ..self.clone() })
    }

    /// The comparison that sets what there is at `now` of a period that goes on beside as much of the other one;
    /// `None` when the period is over, or nothing is compared. Where small numbers are not told, there are the days that are over.
    pub fn compared_so_far(&self, now: Timestamp) -> Option<Value> {
        let until = self.floored.as_ref().map_or(now, |floored| floored.over);
        self.include.comparison.as_ref()?.so_far(&self.period, until)
    }

    /// The query as it was understood: asked again as it stands, it has the same answer.
    pub fn to_wire(&self) -> Value {
        let order = self.order.iter().map(|order| {
            let name = match order.key {
                OrderKey::Metric(index) => Some(self.metrics[index].to_string()),
                OrderKey::Dimension(index) => Some(self.dimensions[index].to_string()),
                OrderKey::Visitors => None,
            };
            Some(json!([name?, if order.descending { "desc" } else { "asc" }]))
        });
        // What has no name is what is done when nothing is asked for, together with what stands before it.
        let order: Vec<Value> = order.collect::<Option<_>>().unwrap_or_default();
        let filters: Vec<Value> = match &self.floored {
            None => self.filters.iter().map(Filter::to_wire).collect(),
            Some(floored) => floored.picked.iter().map(Test::to_wire).collect(),
        };
        let Include { imports, time_labels, total_rows, zero_fill, .. } = self.include;
        let wanted = [
            ("imports", imports),
            ("time_labels", time_labels),
            ("total_rows", total_rows),
            ("zero_fill", zero_fill),
        ];
        let wanted = wanted.into_iter().filter(|(_, wanted)| *wanted);
        let mut include: Map<_, _> = wanted.map(|(key, _)| (key.to_owned(), json!(true))).collect();
        if let Some(comparison) = &self.include.comparison {
            include.insert("comparisons".into(), comparison.to_wire());
        }
        json!({
            "site_id": self.domain,
            "metrics": self.metrics.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "date_range": self.period.to_wire(),
            "filters": filters,
            "dimensions": self.dimensions.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "order_by": order,
            "include": include,
            "pagination": { "limit": self.page.limit, "offset": self.page.offset },
        })
    }
}

/// Whether the filters, as queries write them, are such of a site: of what a segment is made. A segment
/// has no segments in it.
///
/// # Errors
/// Everything that is wrong with them, all at once.
pub fn check_filters(filters: &[Value], site: &Site) -> Result<(), QueryError> {
    let mut problems = Problems::default();
    let read = wire::filters(Some(&json!(filters)), &[], &mut problems);
    let resolved = read.and_then(|read| resolve_filters(read, &site.goals, &mut problems));
    problems.finish(resolved).map(drop)
}

/// The filters of the part of the site that the reader sees.
fn filters_within(known: &Known<'_>, problems: &mut Problems) -> Option<Vec<Filter>> {
    let read = wire::filters(Some(&json!(known.within)), &[], problems)?;
    resolve_filters(read, known.goals, problems)
}

/// The filters with the goals that they mean; each has its place in the query's list.
fn resolve_filters(
    filters: Filters,
    goals: &[Goal],
    problems: &mut Problems,
) -> Option<Vec<Filter>> {
    let before = problems.count();
    let each = filters
        .each
        .into_iter()
        .map(|(index, filter)| filter.resolve(goals, &format!("#/filters/{index}"), problems));
    let resolved: Vec<_> = each.collect();
    filters.of_segments.name(problems.since(before));
    let filters = resolved.into_iter().collect::<Option<Vec<Filter>>>()?;
    let meant = filters.iter().flat_map(Filter::tests).map(|test| match &test.subject {
        Subject::Goal(goals) => goals.len(),
        Subject::Field(_) | Subject::Property(_) => 0,
    });
    let meant: usize = meant.sum();
    if meant > GOALS_MEANT_MAX {
        let rule = format!("at most {GOALS_MEANT_MAX}, each counted as often as it is meant.");
        return problems
            .note("#/filters", format!("Invalid filters: they mean {meant} goals; {rule}"));
    }
    Some(filters)
}

/// The goals that a report by goal has rows for: those that every filter on goals means.
fn goals_asked_for(goals: &[Goal], filters: &[Filter]) -> Vec<Goal> {
    let meant = filters.iter().filter_map(|filter| match filter {
        Filter::Test(Test { subject: Subject::Goal(meant), .. }) => Some(meant),
        _ => None,
    });
    let meant: Vec<_> = meant.collect();
    goals.iter().filter(|goal| meant.iter().all(|meant| meant.contains(goal))).cloned().collect()
}
