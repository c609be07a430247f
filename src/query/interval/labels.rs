//! The labels of an axis: every bucket of a period, with data or without, in order.

use std::collections::{BTreeSet, HashSet};

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
        match self {
            Self::Minute => clock_labels(period, 60, |local| local.minute()),
            Self::QuarterHour => {
                clock_labels(period, QUARTER_SECONDS, |local| local.minute() / 15 * 15)
            }
            Self::Hour => clock_labels(period, QUARTER_SECONDS, |_| 0),
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
}

/// Walks the real time line, so that hours that a clock change leaves out are left out. `minute` is the
/// one that the bucket of a moment begins with.
fn clock_labels(period: &Period, slot: i64, minute: impl Fn(DateTime) -> i8) -> Vec<Value> {
    let label = |local: DateTime| {
        let begins = local.date().at(local.hour(), minute(local), 0, 0);
        begins.strftime("%Y-%m-%d %H:%M:%S").to_string()
    };
    // An hour that comes twice is one bucket.
    let mut known = HashSet::new();
    slots(period, slot)
        .map(label)
        .filter(|label| known.insert(label.clone()))
        .map(Value::from)
        .collect()
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
