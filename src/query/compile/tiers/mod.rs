//! Closed days: what is added up instead of being counted again.
//!
//! Of each of a site's days that are over, the table `daily` has whole numbers: how many visitors, visits,
//! page views there were, in all and of each value of a dimension. A report over many days adds those
//! of the closed days up, counts the rest (today, and whatever has changed) from events, and is the
//! same to the last visitor as if all had been counted.
//!
//! # Why visitors may be added up
//! The id of a visitor ends with the site's day, or with the visit that is open then. So whoever is
//! counted on two days is counted on two that follow each other. Beside each distinct count of a day stands
//! how many of it were *carried*, that is, belong to the day before as well:
//!
//! > carried(D) = count(D − 1) + count(D) − count(D − 1 and D together)
//!
//! and the count of days that follow each other is the sum of theirs, less what was carried into each but
//! the first. Days that have anybody who does not keep to this (an id that an import made, a visit through
//! three days) are never closed. Where a stretch of days is counted from events after a closed day,
//! the same is done there: that day is counted together with the stretch, and taken off again. Visitors that
//! last are in such stretches alone, and are told by name, for several stretches may have the same.
//!
//! A visit belongs to its last day, for that is where reports by time have it. The last day of a report
//! has those as well that go on after it: where the next day is closed, its rows tell which these are, and otherwise the last day is
//! counted from events.
//!
//! A day is closed for good when no visit of it goes on any more, mostly an hour later, and a day later in any case. Before that, from the moment on when
//! it is over, it is closed for the time being ([`Counting::goes_on`]): what happened on it is known, and so are its
//! numbers of events and of attention. Of its visits there are rows, and those hold that did not go on; which did is
//! read off the first events after the day. Nobody is looked for who is there on a third day: a visit lasts a day
//! at most.
//!
//! - `by`: what the numbers of a day are kept by, and which of it answers a query;
//! - `goals`: what is kept by goal;
//! - `split`: the period as closed days, and stretches between them;
//! - `read`: the subqueries over events, visits and attention, of numbers that are added up;
//! - `together`: several such subqueries as one;
//! - `rows`: where no number is kept, rows of visits on closed days, instead of those of events;
//! - `columns`: what such a row stands for, by what is asked of it;
//! - `lists`: what it tells by one field of the events;
//! - `attention`: what it tells of attention;
//! - `earlier`: what it tells of earlier visits of its visitor;
//! - `counted`: visitors who therefore need not be told apart;
//! - `notable`: rows of the few events that are more than page views, in their place;
//! - `make`: the statements that make the numbers and the rows of days.
//!
//! Which days are closed is told from outside (`store::tiers`).

mod attention;
mod by;
mod columns;
mod counted;
mod earlier;
mod goals;
mod lists;
mod make;
mod notable;
mod read;
mod rows;
mod split;
#[cfg(test)]
mod tests;
mod together;

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

use self::by::By;
pub(super) use self::by::{Of, stored};
pub(super) use self::columns::Columns;
pub(super) use self::counted::{Asked, Counted};
pub use self::goals::set_of;
pub use self::make::{Making, made_of};
pub(in crate::query) use self::notable::asks_for_no_pageviews;
pub(super) use self::notable::{are_told as are_notable, asks_for_properties};
pub(super) use self::read::{formula, is_of_people, subquery};
pub(super) use self::rows::{events, visits, visits_that_had};
pub(super) use self::together::together;
use crate::query::Query;
use crate::query::period::{end_of, start_of};

/// So many closed days, at least, are worth being added up.
const CLOSED_DAYS_MIN: usize = 3;

/// The closed days of a site, each with the counting of it that holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closed(BTreeMap<Date, Counting>);

/// A counting of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counting {
    /// The version of its numbers.
    pub version: u64,
    /// Whether visits of the day may go on: its numbers of visits are not known yet.
    pub goes_on: bool,
    /// What it has by goal.
    pub goals: GoalsCounted,
}

/// The counting of a day by goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoalsCounted {
    /// Which goals were counted: see [`set_of`].
    pub set: u64,
    /// The version of the numbers.
    pub version: u64,
}

impl Closed {
    /// No day is closed: everything is counted from events.
    pub const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// Those that lie in the query's period, and the day after it: of visits it is known then which went on after the period.
    #[must_use]
    pub fn within(&self, query: &Query) -> Self {
        let (from, to) = (query.period.from_local().date(), query.period.to_local().date());
        let to = to.saturating_add(1.day());
        Self(self.0.range(from..=to).map(|(day, counting)| (*day, *counting)).collect())
    }

    /// Whether each of these is still closed, with the same numbers.
    pub fn holds(&self, earlier: &Self) -> bool {
        earlier.iter().all(|(day, counting)| self.counting(day) == Some(counting))
    }

    /// Whether there are too few to be of use.
    pub fn are_few(&self) -> bool {
        self.0.len() < CLOSED_DAYS_MIN
    }

    /// The counting of a day, if it is closed.
    pub fn counting(&self, day: Date) -> Option<Counting> {
        self.0.get(&day).copied()
    }

    /// Each day with its counting, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (Date, Counting)> {
        self.0.iter().map(|(day, counting)| (*day, *counting))
    }
}

impl FromIterator<(Date, Counting)> for Closed {
    fn from_iter<T: IntoIterator<Item = (Date, Counting)>>(days: T) -> Self {
        Self(days.into_iter().collect())
    }
}

/// Whether numbers of whole closed days tell what is counted for the query.
pub(super) fn adds_up(query: &Query, of: Of) -> bool {
    By::of(query, of).is_some_and(By::is_of_days)
}

/// Whether closed days could be of use for the query: it is about more than a few.
pub fn may_add_up(query: &Query) -> bool {
    // Its days, and not its seconds: a period ends with its last second, which three whole days have one too few for.
    usize::try_from(query.period.days()).is_ok_and(|days| days >= CLOSED_DAYS_MIN)
}
