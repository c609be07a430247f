//! Visitors who are counted without being told from each other.
//!
//! To tell visitors apart takes more than all the rest of a report under a filter, and only those with several visits have to be. Rows of
//! closed days tell which visits of theirs were [`earlier`](super::earlier): a visitor counts at a visit where none of these is in
//! the same row of the report, that is, where no bit is left in all that the row is told by. Those who are not told by bits are told
//! apart, and so is everybody who is there on a day that is not closed.
//!
//! Notable events have no bits, but tell what came earlier in the same visit: so visitors with one visit alone are counted there.

use std::collections::BTreeSet;

use super::super::plan::Computed;
use super::by::{chosen_by, keeps_blanks_together, stored, told_by};
use super::earlier::{ALL, column, column_of_set, is_of_visitor};
use super::notable::{GOAL_AGAIN, NAME_AGAIN, are_told_again};
use super::rows::IS_LONE;
use crate::query::dimension::{Dimension, Field};
use crate::query::filter::{Filter, Subject};
use crate::query::metric::Metric;
use crate::query::statement::{Sql, sql};
use crate::site::goal::Goal;

/// How many visitors there are: those who are told apart, and what [`Counted::told`] calls `told`.
const VISITORS: &str = "uniqExactIf(apart, apart != 0) + told";

/// For each part of a statement, at which rows of closed days visitors are counted.
#[derive(Clone, Debug)]
pub(in crate::query::compile) struct Counted {
    /// The conditions, without repetition.
    conditions: Vec<Sql>,
    /// Which of them each part has.
    of_parts: Vec<usize>,
    /// Who is to be told apart, of a row `d`; 0: nobody.
    apart: &'static str,
}

/// The dimensions and the filters of a part of a statement.
pub(in crate::query::compile) type Asked<'query> = (Vec<Dimension>, Vec<&'query Filter>);

impl Counted {
    /// Of parts with these dimensions and filters, where a row is a visit's; `None` where one of them is not told so.
    pub(in crate::query::compile) fn of<'query>(
        parts: impl IntoIterator<Item = Asked<'query>>,
    ) -> Option<Self> {
        let condition = |(dimensions, filters): Asked| condition(&dimensions, &filters);
        Self::at("d.apart", parts.into_iter().map(condition))
    }

    /// The same where a row is of `notable_events`, for a query by the names of events, or by goals of the site's: a visitor who has one
    /// visit alone is counted where it has one for the first time.
    pub(super) fn of_notable<'query>(
        parts: impl IntoIterator<Item = Asked<'query>>,
        goals: &[Goal],
    ) -> Option<Self> {
        let condition = |(dimensions, filters): Asked| first_of_visit(&dimensions, &filters, goals);
        Self::at("d.visitor_id", parts.into_iter().map(condition))
    }

    fn at(apart: &'static str, of_parts: impl Iterator<Item = Option<Sql>>) -> Option<Self> {
        let mut counted = Self { conditions: Vec::new(), of_parts: Vec::new(), apart };
        for condition in of_parts {
            let condition = condition?;
            let known = counted.conditions.iter().position(|known| *known == condition);
            counted.of_parts.push(known.unwrap_or(counted.conditions.len()));
            if known.is_none() {
                counted.conditions.push(condition);
            }
        }
        Some(counted)
    }

    /// The columns of rows of closed days: whoever is to be told apart, and for each condition whether the visitor is counted.
    pub(super) fn of_stored(&self) -> Sql {
        self.columns(self.apart, Sql::clone)
    }

    /// The same of rows that are made of events: all are to be told apart.
    pub(super) fn of_made(&self, visitor: &'static str) -> Sql {
        self.columns(visitor, |_| "0".into())
    }

    fn columns(&self, apart: &'static str, counted: impl Fn(&Sql) -> Sql) -> Sql {
        let conditions = self.conditions.iter().enumerate();
        let counted =
            conditions.map(|(place, met)| sql![", ", counted(met), " AS ", Self::name(place)]);
        sql![", ", apart, " AS apart", Sql::join(counted, "")]
    }

    /// The condition on such rows that there is anybody to be counted.
    pub(in crate::query::compile) fn is_anybody(&self) -> Sql {
        let counted = (0..self.conditions.len()).map(Self::name);
        Sql::any(counted.chain(["apart != 0".into()]).collect())
    }

    /// How many visitors were counted so, as `told`: of each part, where the condition is that rows are grouped for it.
    pub(in crate::query::compile) fn told(&self, is_of_part: impl Fn(usize) -> Sql) -> Sql {
        let sum = |place| sql!["sum(", Self::name(place), ")"];
        if self.conditions.len() == 1 {
            return sql![sum(0), " AS told"];
        }
        let parts = self.of_parts.iter().enumerate();
        let each = parts.map(|(part, place)| sql![is_of_part(part), ", ", sum(*place), ", "]);
        sql!["multiIf(", Sql::join(each, ""), "0) AS told"]
    }

    /// The metrics, of which visitors are counted so.
    pub(in crate::query::compile) fn metrics(mut metrics: Vec<Computed>) -> Vec<Computed> {
        for (metric, formula) in &mut metrics {
            if *metric == Metric::Visitors {
                *formula = VISITORS;
            }
        }
        metrics
    }

    fn name(place: usize) -> Sql {
        Sql::name("counted", place)
    }
}

/// The condition on a row `d` that its visitor is counted there, and at no other one of these dimensions that meets the filters.
fn condition(dimensions: &[Dimension], filters: &[&Filter]) -> Option<Sql> {
    let mut alike = BTreeSet::new();
    for dimension in dimensions {
        match dimension {
            Dimension::Field(field) => alike.insert(stored(*field)),
            // All of a visitor who is counted so was on one day.
            Dimension::Time(interval) if interval.is_of_days() => continue,
            Dimension::Time(_)
            | Dimension::Property(_)
            | Dimension::Properties
            | Dimension::Goal(_) => return None,
        };
    }
    let of_dimensions = alike.clone();
    let mut set = BTreeSet::new();
    let is_about_visitor =
        |subject: &Subject| matches!(subject, Subject::Field(field) if is_of_visitor(*field));
    for filter in filters {
        if !filter.looks_at_whole_visits()
            && filter.tests().iter().all(|test| is_about_visitor(&test.subject))
        {
            // What one visit meets all do.
            continue;
        }
        let Filter::Test(test) = filter else { return None };
        let Subject::Field(field) = test.subject else { return None };
        let field = stored(field);
        if of_dimensions.contains(&field) {
            // All of a row of the report meet it, or none does.
            keeps_blanks_together(test, field).then_some(())?;
        } else if told_by(test) == Some(field) {
            set.insert(field);
        } else {
            alike.insert(chosen_by(test)?);
        }
    }
    if alike.iter().any(|field| field.is_of_event()) {
        return None;
    }
    let differ = alike.into_iter().filter(|field| !is_of_visitor(*field));
    let bits: Vec<Sql> = differ.map(column).chain(set.into_iter().map(column_of_set)).collect();
    let bits = if bits.is_empty() { vec![ALL.into()] } else { bits };
    let bits = bits.into_iter().map(|column| sql!["d.", column]);
    let left = bits.reduce(|left, bits| sql!["bitAnd(", left, ", ", bits, ")"])?;
    Some(sql!["(", left, " = 0)"])
}

/// The condition on a row `d` of `notable_events` that it is the first of its visit for these dimensions, and its visitor has no other visit.
fn first_of_visit(dimensions: &[Dimension], filters: &[&Filter], goals: &[Goal]) -> Option<Sql> {
    let mut again = None;
    for dimension in dimensions {
        match dimension {
            Dimension::Field(Field::EventName) if again.is_none() => again = Some(NAME_AGAIN),
            Dimension::Goal(_) if again.is_none() && are_told_again(goals) => {
                again = Some(GOAL_AGAIN);
            }
            Dimension::Field(field) if !field.is_of_event() => {}
            Dimension::Time(interval) if interval.is_of_days() => {}
            _ => return None,
        }
    }
    let again = again?;
    // What its visit meets all rows of a visit do, and what is asked of names those of one name.
    let is_met_by_all = |filter: &&&Filter| {
        !filter.asks_about_events() || (again == NAME_AGAIN && filter.is_about(Field::EventName))
    };
    let are_met_by_all = filters.iter().all(|filter| is_met_by_all(&filter));
    are_met_by_all.then(|| sql!["(", IS_LONE, " AND NOT d.", again, ")"])
}
