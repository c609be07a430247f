//! Which columns of events a statement looks at, and what rows of closed days tell them: the fewer columns, the more a row may
//! stand for.

use std::collections::BTreeSet;

use super::super::conditions::Conditions;
use super::by::stored;
use super::counted::{Asked, Counted};
use super::lists::List;
use super::rows::kept_column;
use super::{Closed, attention};
use crate::query::Query;
use crate::query::dimension::{Dimension, Field};
use crate::query::filter::{Filter, Subject, Test};
use crate::query::statement::{Sql, sql};
use crate::site::goal::Goal;

/// What the list of a row of `visit_days` has of each event, and alike ones together.
pub(super) const HAPPENED: [&str; 8] = [
    "name",
    "hostname",
    "pathname",
    "times",
    "engagement_ms",
    "scroll_depth",
    "revenue_currency",
    "revenue_amount",
];

/// In which hours of its day each element of the list happened, and its properties: as rows have them, and the lists beside that one.
pub(super) const HOURS: (&str, &str) = ("hours", "hours_happened");
pub(super) const PROPS: (&str, &str) = ("props", "props_happened");

/// What rows of events stand for.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// Events of a visit's day that are alike.
    Alike,
    /// The same, of events that are notable: see [`notable`](super::notable).
    Notable,
    /// All of a visit's day.
    Day,
    /// What a visit did on its day by one value of the list.
    Value(List),
    /// What a visit did on its day by the values of the list that meet the condition, where there are any.
    Such(List, Sql),
    /// The same for each of the hours of the day in which it did any of it, which the last tells.
    Hour(List, Sql, Sql),
    /// The attention of a visit's day to one page.
    AttentionByPage,
    /// The attention of a visit's day to the pages that meet the condition, together.
    AttentionTo(Sql),
}

/// Columns of events that a statement looks at.
pub(in crate::query::compile) struct Columns {
    pub(super) names: BTreeSet<&'static str>,
    pub(super) shape: Shape,
    /// Filters on what only a visit as a whole has, which the visits of all rows meet.
    pub(super) of_visits: Vec<Filter>,
}

impl Columns {
    /// Those that the dimensions and the filters look at, the visitor and the visit; `None` if closed days do not tell
    /// one of them. Whether that is so of what each row stands for, the caller adds: with `name` for events
    /// that are alike, `times` of them, or by [`of_days`](Self::of_days).
    pub(in crate::query::compile) fn of<'a>(
        dimensions: &[Dimension],
        filters: impl IntoIterator<Item = &'a Filter>,
    ) -> Option<Self> {
        let mut columns = BTreeSet::from(["session_id", "visitor_id"]);
        let mut fields = Vec::new();
        let mut of_goals = false;
        for dimension in dimensions {
            match dimension {
                Dimension::Field(field) => fields.push(*field),
                Dimension::Goal(_) => of_goals = true,
                Dimension::Property(_) | Dimension::Properties => {
                    columns.insert(PROPS.0);
                }
                Dimension::Time(interval) if !interval.is_of_days() => return None,
                Dimension::Time(_) => {
                    columns.insert("timestamp");
                }
            }
        }
        for test in filters.into_iter().flat_map(Filter::tests) {
            match &test.subject {
                Subject::Field(field) => fields.push(*field),
                Subject::Goal(_) => of_goals = true,
                Subject::Property(_) => {
                    columns.insert(PROPS.0);
                }
            }
        }
        if of_goals {
            columns.extend(["name", "pathname", "scroll_depth"]);
        }
        // What a visit alone has is looked up by the visit.
        let fields = fields.into_iter().map(stored).filter(|field| !field.is_of_visit());
        columns.extend(fields.map(kept_column));
        Some(Self { names: columns, shape: Shape::Alike, of_visits: Vec::new() })
    }

    /// The ids of visits with an event that meets the filters, all of them; `None` where no list tells of it.
    pub(super) fn of_visits_with(
        query: &Query,
        filters: &[&Filter],
        closed: &Closed,
    ) -> Option<Self> {
        let conditions = Conditions::of(query, closed);
        let columns = Self::of(&[], filters.iter().copied())?;
        let columns =
            columns.of_days(&[], filters, &[], |filter| conditions.on_event(filter)).ok()?;
        columns.met()?;
        Some(Self { names: BTreeSet::from(["session_id"]), ..columns })
    }

    /// The list that tells which rows there are, and the condition on its values.
    pub(super) fn met(&self) -> Option<(List, Sql)> {
        match &self.shape {
            Shape::Such(list, met) => Some((*list, met.clone())),
            Shape::Alike
            | Shape::Notable
            | Shape::Day
            | Shape::Value(_)
            | Shape::Hour(..)
            | Shape::AttentionByPage
            | Shape::AttentionTo(_) => None,
        }
    }

    /// The same, of events whose visits meet those of the filters that ask for nothing but what a visit as a whole has, unless their rows do
    /// not tell it.
    pub(in crate::query::compile) fn of_visits_that_meet(self, filters: &[&Filter]) -> Self {
        let is_of_visit =
            |test: &Test| matches!(test.subject, Subject::Field(field) if field.is_of_visit());
        let asks = |filter: &&Filter| matches!(filter, Filter::Test(test) if is_of_visit(test));
        let of_visits = filters.iter().copied().filter(asks);
        Self { of_visits: of_visits.cloned().collect(), ..self }
    }

    /// Whether rows may or may not meet the filter.
    pub(in crate::query::compile) fn leave_open(&self, filter: &Filter) -> bool {
        !self.of_visits.contains(filter)
            && !self.within().is_some_and(|field| filter.is_about(field))
    }

    /// Those of rows that stand for a visit's day each, or for what it did then by one value of a field, where anything happened
    /// that counts as an event; with `lone`, whether the visitor was there then alone, and to which the caller adds
    /// `day_views` and `day_events`. What is asked of a field that a list tells, and by which nothing is grouped, is looked
    /// to within, where all rows are to meet it (`common`; `own` is what some are to meet): see
    /// [`within`](Self::within). If that does not do, these columns as they are.
    pub(in crate::query::compile) fn of_days(
        mut self,
        dimensions: &[Dimension],
        common: &[&Filter],
        own: &[&Filter],
        condition: impl Fn(&Filter) -> Sql,
    ) -> Result<Self, Self> {
        if self.names.contains(PROPS.0) {
            return Err(self);
        }
        let listed: Vec<&str> =
            HAPPENED.into_iter().filter(|column| self.names.contains(column)).collect();
        self.shape = match listed.as_slice() {
            [] => Shape::Day,
            [only] => {
                let Some(list) = List::of(only) else { return Err(self) };
                let asks = |filter: &&&Filter| filter.asks_of(list.field);
                let asked: Vec<&&Filter> = common.iter().filter(asks).collect();
                let is_alone = !own.iter().any(|filter| asks(&filter))
                    && asked.iter().all(|filter| filter.is_about(list.field));
                if dimensions.contains(&Dimension::Field(list.field)) {
                    Shape::Value(list)
                } else if is_alone {
                    self.names.remove(list.value());
                    Shape::Such(
                        list,
                        Sql::all(asked.into_iter().map(|filter| condition(filter)).collect()),
                    )
                } else {
                    return Err(self);
                }
            }
            _ => return Err(self),
        };
        self.names.insert("lone");
        Ok(self)
    }

    /// Those of rows that stand for the attention of a visit's day, to a page each where pages are asked for, with `lone`: whether
    /// the visitor was there then alone. What is asked of pages otherwise is looked to [within](Self::within). `None` where other
    /// fields of events are looked at.
    pub(in crate::query::compile) fn of_attention(
        mut self,
        dimensions: &[Dimension],
        filters: &[&Filter],
        condition: impl Fn(&Filter) -> Sql,
    ) -> Option<Self> {
        let page = kept_column(Field::Page);
        let others = HAPPENED.into_iter().filter(|column| *column != page).chain([PROPS.0]);
        if others.into_iter().any(|column| self.names.contains(column)) {
            return None;
        }
        self.shape = if dimensions.contains(&Dimension::Field(Field::Page)) {
            Shape::AttentionByPage
        } else {
            let asked = filters.iter().filter(|filter| filter.asks_of(Field::Page));
            if !asked.clone().all(|filter| filter.is_about(Field::Page)) {
                return None;
            }
            self.names.remove(page);
            Shape::AttentionTo(Sql::all(asked.map(|filter| condition(filter)).collect()))
        };
        self.names.extend(["lone", "engagement_ms", "scroll_depth"]);
        Some(self)
    }

    /// The same of events that are notable, as all that are counted have to be: see [`are_told`](super::are_notable).
    pub(in crate::query::compile) fn of_notable(self) -> Self {
        Self { shape: Shape::Notable, ..self }
    }

    /// Whether they are.
    pub(super) fn are_notable(&self) -> bool {
        matches!(self.shape, Shape::Notable)
    }

    /// How rows tell which visitors are counted in parts with these dimensions and filters, if they do. `goals` are those of the
    /// site.
    pub(in crate::query::compile) fn counted<'query>(
        &self,
        parts: impl IntoIterator<Item = Asked<'query>>,
        goals: &[Goal],
    ) -> Option<Counted> {
        match self.shape {
            Shape::Day => Counted::of(parts),
            Shape::Notable => Counted::of_notable(parts, goals),
            Shape::Alike
            | Shape::Value(_)
            | Shape::Such(..)
            | Shape::Hour(..)
            | Shape::AttentionByPage
            | Shape::AttentionTo(_) => None,
        }
    }

    /// Those of rows that stand for what a visit did in an hour of its day, which is the column `hour`, as reports call it. All filters
    /// on single events are to be about one field of these that a list tells with its hours.
    pub(in crate::query::compile) fn of_hours(
        self,
        common: &[&Filter],
        condition: impl Fn(&Filter) -> Sql,
    ) -> Option<Self> {
        let mut columns = self.of_days(&[], common, &[], condition).ok()?;
        let Shape::Such(list, met) = columns.shape else { return None };
        let hours = list.hours_of(&met)?;
        columns.names.insert("hour");
        Some(Self { shape: Shape::Hour(list, met, hours), ..columns })
    }

    /// The field of which rows are told that meet the filters about it alone.
    fn within(&self) -> Option<Field> {
        match &self.shape {
            Shape::Such(list, _) | Shape::Hour(list, ..) => Some(list.field),
            Shape::AttentionTo(_) => Some(Field::Page),
            Shape::Alike
            | Shape::Notable
            | Shape::Day
            | Shape::Value(_)
            | Shape::AttentionByPage => None,
        }
    }

    /// Of these columns, those that are read off a list, with what they are there.
    pub(super) fn joined(&self) -> Vec<(&'static str, Sql)> {
        let all: Vec<(&'static str, Sql)> = match &self.shape {
            Shape::Alike => {
                let listed = HAPPENED.map(|column| (column, sql!["happened.", column]));
                let beside = [HOURS, PROPS].map(|(name, list)| (name, list.into()));
                listed.into_iter().chain(beside).collect()
            }
            Shape::Value(list) => list.columns().into(),
            Shape::AttentionByPage => {
                attention::COLUMNS.map(|(name, column)| (name, column.into())).into()
            }
            Shape::Notable
            | Shape::Day
            | Shape::Such(..)
            | Shape::Hour(..)
            | Shape::AttentionTo(_) => Vec::new(),
        };
        let hours = self.names.contains("hour").then_some(HOURS.0);
        let is_read = |name| self.names.contains(name) || hours == Some(name);
        all.into_iter().filter(|(name, _)| is_read(name)).collect()
    }

    /// With the hours in which each of these rows happened, one for each, which is the column `hour`.
    pub(in crate::query::compile) fn by_hour(self) -> Self {
        self.and(&["hour"])
    }

    /// Those of another as well.
    pub(in crate::query::compile) fn with(mut self, another: Self) -> Self {
        self.names.extend(another.names);
        self
    }

    /// These as well.
    pub(in crate::query::compile) fn and(mut self, columns: &[&'static str]) -> Self {
        self.names.extend(columns);
        self
    }
}
