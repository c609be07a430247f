//! The labels of an axis: every bucket of a period, with data or without, in order.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Weekday};
use serde_json::{Value, json};

use super::Interval;
use crate::query::period::Period;

/// After so many seconds every hour of the day has been, also where a clock change leaves one out.
const EVERY_HOUR_SECONDS: i64 = 25 * 3_600;

/// The grid, in seconds, on which hours are looked for: a quarter of an hour divides those of every time
/// zone.
const QUARTER_SECONDS: i64 = 900;

impl Interval {
    /// How many labels the period has at most: cheap, unlike [`Self::labels`].
    pub fn labels_max(self, period: &Period) -> i64 {
        let shortest_seconds = match self {
            Self::HourOfDay => return 24,
            Self::DayOfWeek => return 7,
            Self::Minute => 60,
            Self::QuarterHour => QUARTER_SECONDS,
            Self::Hour => 3_600,
            Self::Day => 23 * 3_600,
            Self::Week => 7 * 23 * 3_600,
            Self::Month => 27 * 24 * 3_600,
            Self::Quarter => 89 * 24 * 3_600,
            Self::Year => 364 * 24 * 3_600,
        };
        let seconds = period.to().as_second() - period.from().as_second();
        seconds / shortest_seconds + 2
    }

    /// The first and the last day of the bucket that a day lies in; `None` where buckets are a day or less, or come round again.
    pub fn days_around(self, day: Date) -> Option<(Date, Date)> {
        let (first, next) = match self {
            Self::Week => (monday(day), monday(day).saturating_add(7.days())),
            Self::Month => (day.first_of_month(), day.first_of_month().saturating_add(1.month())),
            Self::Quarter => {
                (first_of_quarter(day), first_of_quarter(day).saturating_add(3.months()))
            }
            Self::Year => (day.first_of_year(), day.first_of_year().saturating_add(1.year())),
            Self::Minute
            | Self::QuarterHour
            | Self::Hour
            | Self::Day
            | Self::HourOfDay
            | Self::DayOfWeek => return None,
        };
        Some((first, next.saturating_sub(1.day())))
    }

    /// The labels of every bucket of the period, with data or without, in order.
    pub fn labels(self, period: &Period) -> Vec<Value> {
        let (from, to) = (period.from_local().date(), period.to_local().date());
        if let Some(clock) = self.clock() {
            return clock
                .buckets(period)
                .into_iter()
                .map(|begins| json!(clock_label(begins)))
                .collect();
        }
        match self {
            // Those of the clock are told above.
            Self::Minute | Self::QuarterHour | Self::Hour => Vec::new(),
            Self::Day => dates(from, to, |day| day.saturating_add(1.day())),
            Self::Week => dates(from, to, |day| monday(day).saturating_add(7.days())),
            Self::Month => dates(from.first_of_month(), to, |day| day.saturating_add(1.month())),
            Self::Quarter => {
                dates(first_of_quarter(from), to, |day| day.saturating_add(3.months()))
            }
            Self::Year => dates(from.first_of_year(), to, |day| day.saturating_add(1.year())),
            Self::HourOfDay => hours_of_day(period),
            Self::DayOfWeek => days_of_week(from, to),
        }
    }

    /// The label of the bucket of another period that is at the same place, for each bucket of a period that has one there.
    ///
    /// The place is how many buckets of the calendar lie before it in the period or, of those that are shorter than a
    /// day, how far it is on the clock from where the period begins. An hour that a change of the clock leaves out
    /// is a place without a bucket, and moves none of those after it.
    pub(crate) fn counterparts(self, period: &Period, other: &Period) -> HashMap<String, Value> {
        let mut others: HashMap<i64, Value> = self.places(other).collect();
        let pair = |(place, label): (i64, Value)| Some((label.to_string(), others.remove(&place)?));
        self.places(period).filter_map(pair).collect()
    }

    /// The labels of every bucket of the period, each with its place.
    fn places(self, period: &Period) -> Box<dyn Iterator<Item = (i64, Value)>> {
        let Some(clock) = self.clock() else {
            return Box::new((0..).zip(self.labels(period)));
        };
        // A day without a midnight begins where it would have had one.
        let first = clock.beginning(period.beginning_on_the_clock());
        let place = move |begins: DateTime| {
            begins.duration_since(first).as_secs() / (60 * i64::from(clock.minutes))
        };
        let buckets = clock.buckets(period).into_iter();
        Box::new(buckets.map(move |begins| (place(begins), json!(clock_label(begins)))))
    }

    /// The buckets of the clock that it is, if it is shorter than a day and does not come round again.
    fn clock(self) -> Option<Clock> {
        let (minutes, slot_seconds) = match self {
            Self::Minute => (1, 60),
            Self::QuarterHour => (15, QUARTER_SECONDS),
            Self::Hour => (60, QUARTER_SECONDS),
            Self::Day
            | Self::Week
            | Self::Month
            | Self::Quarter
            | Self::Year
            | Self::HourOfDay
            | Self::DayOfWeek => return None,
        };
        Some(Clock { minutes, slot_seconds })
    }
}

/// Buckets of the site's clock.
#[derive(Clone, Copy)]
struct Clock {
    /// How long they are: a part of an hour, or all of it.
    minutes: i8,
    /// The grid on which they are looked for.
    slot_seconds: i64,
}

impl Clock {
    /// What the clock shows when the bucket of a moment begins.
    fn beginning(self, local: DateTime) -> DateTime {
        local.date().at(local.hour(), local.minute() / self.minutes * self.minutes, 0, 0)
    }

    /// The beginnings of those that the period has. Walks the real time line, so that hours that a clock change leaves out
    /// are left out; an hour that comes twice is one bucket.
    fn buckets(self, period: &Period) -> Vec<DateTime> {
        let mut known = HashSet::new();
        slots(period, self.slot_seconds)
            .map(|local| self.beginning(local))
            .filter(|begins| known.insert(*begins))
            .collect()
    }
}

fn clock_label(begins: DateTime) -> String {
    begins.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The site's clock at the beginning of each slot, or of the period in its first.
fn slots(period: &Period, slot: i64) -> impl Iterator<Item = DateTime> {
    let (from, to) = (period.from().as_second(), period.to().as_second());
    let first = from.div_euclid(slot) * slot;
    let step = usize::try_from(slot).unwrap_or(60);
    (first..=to).step_by(step).map(move |second| period.local(second.max(from)))
}

/// The hours of the day that the period has.
fn hours_of_day(period: &Period) -> Vec<Value> {
    if period.to().as_second() - period.from().as_second() >= EVERY_HOUR_SECONDS {
        return (0..24).map(Value::from).collect();
    }
    let hours: BTreeSet<i8> = slots(period, QUARTER_SECONDS).map(|local| local.hour()).collect();
    hours.into_iter().map(|hour| json!(hour)).collect()
}

/// The days of the week that lie between two days.
fn days_of_week(from: Date, to: Date) -> Vec<Value> {
    let last = to.min(from.saturating_add(6.days()));
    let days: BTreeSet<i8> = days(from, last, |day| day.saturating_add(1.day()))
        .map(|day| day.weekday().to_monday_one_offset())
        .collect();
    days.into_iter().map(|day| json!(day)).collect()
}

fn first_of_quarter(day: Date) -> Date {
    let months_in = (day.month() - 1) % 3;
    day.first_of_month().saturating_sub(i64::from(months_in).months())
}

fn monday(day: Date) -> Date {
    let since = day.weekday().since(Weekday::Monday);
    day.saturating_sub(i64::from(since).days())
}

fn dates(from: Date, to: Date, next: impl Fn(Date) -> Date) -> Vec<Value> {
    days(from, to, next).map(|day| json!(day.to_string())).collect()
}

fn days(from: Date, to: Date, next: impl Fn(Date) -> Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(from), move |day| Some(next(*day))).take_while(move |day| *day <= to)
}
