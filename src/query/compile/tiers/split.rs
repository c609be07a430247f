//! The period of a query, as closed days and stretches that are counted from events.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::super::kept_from;
use super::super::visits::MARGIN_HOURS;
use super::{CLOSED_DAYS_MIN, Closed, Counting, end_of, start_of};
use crate::query::Query;
use crate::query::period::Period;
use crate::query::statement::{Sql, sql};

/// More stretches than this are not worth it: closed days between them are counted from events, too.
const STRETCHES_MAX: usize = 4;

/// Days in whose neighbourhood a site's retention ends are counted from events: their visits may be cut.
const CUT_DAYS: i64 = 3;

/// What days are to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Events, or attention.
    Events,
    /// Events, or attention, of visits that have some value as a whole.
    OfVisits,
    /// Visits, each on its last day.
    Visits,
    /// Visits with an event in the period that has some value, each on its last day.
    VisitsWith,
    /// Visits, in each hour in which they were under way.
    Hours,
    /// Events that meet goals, of this set: see [`set_of`](super::set_of).
    Goals(u64),
}

/// The period of a query.
#[derive(Debug, PartialEq)]
pub(super) struct Split {
    /// The days whose numbers are added up, in their order.
    pub(super) closed: Vec<(Date, Counting)>,
    /// What is counted from events, in the order of time.
    pub(super) stretches: Vec<Stretch>,
}

/// A stretch of time without a closed day.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stretch {
    /// Its first second.
    pub(super) from: Timestamp,
    /// Its last second.
    pub(super) to: Timestamp,
    /// The closed day before it, if there is one.
    pub(super) before: Option<(Date, Counting)>,
    /// Its first day, with its version, if visits of that may go on: rows tell of the others. Of a second such day they would tell
    /// again of visits that went on into it after the first was counted.
    pub(super) going_on: Option<(Date, u64)>,
    /// The first second after that.
    pub(super) counted_from: Timestamp,
    /// Whether the period ends with it.
    pub(super) is_last: bool,
    /// The closed day after the period, with its version, if the stretch is nothing but the visits that went on into that.
    pub(super) gone_on_into: Option<(Date, u64)>,
}

impl Stretch {
    fn between(
        from: Timestamp,
        to: Timestamp,
        before: Option<(Date, Counting)>,
        is_last: bool,
    ) -> Self {
        let counted_from = from;
        Self { from, to, before, going_on: None, counted_from, is_last, gone_on_into: None }
    }
}

impl Split {
    /// `None` if there are too few closed days to be of use. Of visits, the last day is closed only if the one after it is as
    /// well: rows of that tell which went on into it.
    pub(super) fn of(query: &Query, closed: &Closed, told: Told) -> Option<Self> {
        let (from, to) = (kept_from(query), query.period.to());
        let zone = query.period.zone();
        let day_of = |moment: Timestamp| zone.to_datetime(moment).date();
        let mut first = day_of(from);
        if start_of(first, zone) != from {
            // Of a day that is cut it is not known who was carried into the next one.
            first = first.saturating_add(2.days());
        } else if told == Told::VisitsWith {
            // A visit that ended on the first day may have had its event before that.
            first = first.saturating_add(1.day());
        }
        if let Some(kept) = query.kept_from {
            first = first.max(day_of(kept).saturating_add(CUT_DAYS.days()));
        }
        let mut last = day_of(to);
        let after = day_after(last, closed);
        let is_of_visits = matches!(told, Told::Visits | Told::VisitsWith);
        if end_of(last, zone) > to || (is_of_visits && after.is_none()) {
            last = last.saturating_sub(1.day());
        }
        if first > last {
            return None;
        }
        let (mut chosen, mut going_on) = (Vec::new(), Vec::new());
        for (day, counting) in closed.0.range(first..=last) {
            match (counting.goes_on, told) {
                (_, Told::Goals(set)) if counting.goals.set != set => {}
                (false, _) | (true, Told::Events | Told::Goals(_)) => {
                    chosen.push((*day, *counting))
                }
                // The last day of the report has the visits as well that went on after it.
                (true, Told::Visits | Told::VisitsWith | Told::Hours)
                    if end_of(*day, zone) < to =>
                {
                    going_on.push((*day, counting.version));
                }
                (true, Told::Visits | Told::VisitsWith | Told::Hours | Told::OfVisits) => {}
            }
        }
        let split = Self { closed: chosen, stretches: Vec::new() };
        let mut split = split.with_few_stretches(query, from, to, &going_on);
        if let Some((before, after)) = split.closed.last().zip(after)
            && is_of_visits
            && end_of(before.0, zone) == to
        {
            let begins = start_of(after.0, zone);
            let gone_on = Stretch::between(begins, to, Some(*before), true);
            split.stretches.push(Stretch { gone_on_into: Some(after), ..gone_on });
        }
        (split.closed.len() >= CLOSED_DAYS_MIN).then_some(split)
    }

    /// The condition on rows that are of the closed days, of what was counted with them.
    pub(super) fn condition(&self, query: &Query) -> Sql {
        self.of_versions(query, |counting| counting.version)
    }

    /// The same of what was counted by goal.
    pub(super) fn condition_by_goal(&self, query: &Query) -> Sql {
        self.of_versions(query, |counting| counting.goals.version)
    }

    fn of_versions(&self, query: &Query, version: fn(&Counting) -> u64) -> Sql {
        let day = |place: Option<&(Date, Counting)>| {
            let day = place.map(|(day, _)| day.to_string()).unwrap_or_default();
            sql!["toDate(", Sql::text(day), ")"]
        };
        sql![
            "site_id = ",
            Sql::number(query.site.0),
            " AND day >= ",
            day(self.closed.first()),
            " AND day <= ",
            day(self.closed.last()),
            " AND version IN ",
            Sql::numbers(self.closed.iter().map(|(_, counting)| version(counting)).collect()),
        ]
    }

    /// With the stretches between the closed days, some of which are given up if they lie between stretches that are near
    /// to each other.
    fn with_few_stretches(
        mut self,
        query: &Query,
        from: Timestamp,
        to: Timestamp,
        going_on: &[(Date, u64)],
    ) -> Self {
        loop {
            self.stretches = stretches(&self.closed, query, from, to);
            if self.stretches.len() <= STRETCHES_MAX {
                break;
            }
            let gaps = self.stretches.windows(2).map(|pair| (pair[0].to, pair[1].from));
            let Some((end, next)) = gaps.min_by_key(|(end, next)| next.duration_since(*end)) else {
                break;
            };
            let zone = query.period.zone();
            self.closed.retain(|(day, _)| {
                let begins = start_of(*day, zone);
                begins < end || begins >= next
            });
        }
        let zone = query.period.zone();
        for stretch in &mut self.stretches {
            let first = going_on.iter().find(|(day, _)| start_of(*day, zone) == stretch.from);
            if let Some((day, version)) = first {
                stretch.going_on = Some((*day, *version));
                stretch.counted_from = start_of(day.saturating_add(1.day()), zone);
            }
        }
        self
    }
}

/// The query of what visits can have done in the period that did anything in this part of it.
pub(super) fn around(query: &Query, from: Timestamp, to: Timestamp) -> Query {
    let margin = SignedDuration::from_hours(MARGIN_HOURS);
    let from = from.saturating_add(-margin).unwrap_or(from).max(query.period.from());
    let to = to.saturating_add(margin).unwrap_or(to).min(query.period.to());
    let period = Period::new(from, to, query.period.zone());
    Query { period, ..query.clone() }
}

/// The day after this one, with its version, if it is closed for good: then it is known which visits went on into it.
fn day_after(day: Date, closed: &Closed) -> Option<(Date, u64)> {
    let next = day.saturating_add(1.day());
    let counting = closed.counting(next)?;
    (!counting.goes_on).then_some((next, counting.version))
}

/// What lies between the closed days.
fn stretches(
    closed: &[(Date, Counting)],
    query: &Query,
    from: Timestamp,
    to: Timestamp,
) -> Vec<Stretch> {
    let zone = query.period.zone();
    let (mut found, mut next, mut before) = (Vec::new(), from, None);
    for (day, counting) in closed {
        let begins = start_of(*day, zone);
        if next < begins {
            let end = begins - SignedDuration::from_secs(1);
            found.push(Stretch::between(next, end, before, false));
        }
        next = start_of(day.saturating_add(1.day()), zone);
        before = Some((*day, *counting));
    }
    if next <= to {
        found.push(Stretch::between(next, to, before, true));
    }
    found
}
