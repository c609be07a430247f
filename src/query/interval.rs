//! The buckets of time that a report can be broken down by, and their labels.
//!
//! A bucket is known by its label alone, in the site's local time: that is how rows of two subqueries
//! find each other, and why the hour that a clock change repeats is one bucket with both in it.
//! The labels are made twice, in SQL and here for the axis; the integration tests hold them together.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::{ToSpan, Unit};

use super::period::Period;
use super::statement::{Sql, sql};

/// The width of a bucket. In the order of width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Interval {
    /// A minute of the clock, `2024-05-01 13:05:00`.
    Minute,
    /// An hour of the clock, `2024-05-01 13:00:00`.
    Hour,
    /// A calendar day, `2024-05-01`.
    Day,
    /// A week from Monday; one that began before the period is labelled with the period's first day.
    Week,
    /// A calendar month, by its first day.
    Month,
}

impl Interval {
    /// Every interval, from the narrowest.
    pub const ALL: &'static [Self] =
        &[Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month];

    /// Its name in queries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minute => "time:minute",
            Self::Hour => "time:hour",
            Self::Day => "time:day",
            Self::Week => "time:week",
            Self::Month => "time:month",
        }
    }

    /// What it is, in a sentence.
    pub fn doc(self) -> &'static str {
        match self {
            Self::Minute => {
                "Minute of the site's clock. A visit counts in every minute of its duration."
            }
            Self::Hour => {
                "Hour of the site's clock. A visit counts in every hour in which it was under way."
            }
            Self::Day => {
                "Day of the site's calendar. Visit metrics go by the visit's last activity."
            }
            Self::Week => {
                "Week from Monday; the first is labelled with the first day of the period."
            }
            Self::Month => "Month of the site's calendar.",
        }
    }

    /// The interval of this public name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|interval| interval.name() == name)
    }

    /// What the bare dimension `time` means: some dozens of buckets.
    pub fn fitting(period: &Period) -> Self {
        let (from, end) = (period.from_local(), period.end_local());
        if end <= from.saturating_add(48.hours()) {
            Self::Hour
        } else if end <= from.saturating_add(40.days()) {
            Self::Day
        } else if end <= from.saturating_add(52.weeks()) {
            Self::Week
        } else {
            Self::Month
        }
    }

    /// Whether a visit counts in every bucket in which it was under way, not in its last one alone.
    pub fn smears(self) -> bool {
        self.slot_seconds().is_some()
    }

    /// The grid, in seconds, on which smearing looks for a visit. A quarter of an hour divides the
    /// hours of every time zone.
    fn slot_seconds(self) -> Option<u32> {
        match self {
            Self::Minute => Some(60),
            Self::Hour => Some(900),
            Self::Day | Self::Week | Self::Month => None,
        }
    }

    /// The label of the bucket that the moment `moment` (an expression) falls into.
    pub(super) fn label_sql(self, moment: impl Into<Sql>, period: &Period) -> Sql {
        let (moment, zone) = (moment.into(), Sql::text(period.zone_name()));
        match self {
            Self::Minute => sql!["formatDateTime(", moment, ", '%Y-%m-%d %H:%i:00', ", zone, ")"],
            Self::Hour => sql!["formatDateTime(", moment, ", '%Y-%m-%d %H:00:00', ", zone, ")"],
            Self::Day => sql!["toString(toDate(", moment, ", ", zone, "))"],
            Self::Week => {
                let first = Sql::text(period.from_local().date().to_string());
                sql!["toString(greatest(toMonday(", moment, ", ", zone, "), toDate(", first, ")))"]
            }
            Self::Month => sql!["toString(toStartOfMonth(", moment, ", ", zone, "))"],
        }
    }

    /// One row for each bucket in which a visit from `first` to `last` (expressions) counts.
    pub(super) fn visit_label_sql(
        self,
        first: impl Into<Sql>,
        last: impl Into<Sql>,
        period: &Period,
    ) -> Sql {
        let (first, last) = (first.into(), last.into());
        let from = sql!["greatest(", first, ", ", Sql::moment(period.from()), ")"];
        let to = sql!["least(", last, ", ", Sql::moment(period.to()), ")"];
        let Some(seconds) = self.slot_seconds() else {
            return self.label_sql(to, period);
        };
        let slots = sql![
            "timeSlots(",
            &from,
            ", toUInt32(",
            to,
            " - ",
            &from,
            "), ",
            Sql::number(seconds),
            ")"
        ];
        sql![
            "arrayJoin(arrayDistinct(arrayMap(slot -> ",
            self.label_sql("slot", period),
            ", ",
            slots,
            ")))"
        ]
    }

    /// How many labels the period has at most: cheap, unlike [`Self::labels`].
    pub fn labels_max(self, period: &Period) -> i64 {
        let seconds = period.to().as_second() - period.from().as_second();
        seconds / self.shortest_seconds() + 2
    }

    fn shortest_seconds(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 23 * 3_600,
            Self::Week => 7 * 23 * 3_600,
            Self::Month => 27 * 24 * 3_600,
        }
    }

    /// The labels of every bucket of the period, with data or without, in order.
    pub fn labels(self, period: &Period) -> Vec<String> {
        let (from, to) = (period.from_local(), period.to_local());
        match self {
            Self::Minute | Self::Hour => self.clock_labels(period),
            Self::Day => dates(from.date(), to.date(), |day| day.saturating_add(1.day())),
            Self::Week => {
                let next = |day: Date| monday(day).saturating_add(7.days());
                dates(from.date(), to.date(), next)
            }
            Self::Month => {
                dates(from.date().first_of_month(), to.date(), |day| day.saturating_add(1.month()))
            }
        }
    }

    /// Walks the real time line, so that hours that a clock change leaves out are left out.
    fn clock_labels(self, period: &Period) -> Vec<String> {
        let (unit, slot) =
            if self == Self::Minute { (Unit::Minute, 60) } else { (Unit::Hour, 900) };
        let mut labels: Vec<String> = Vec::new();
        let first_slot = period.from().as_second().div_euclid(slot) * slot;
        for second in
            (first_slot..=period.to().as_second()).step_by(usize::try_from(slot).unwrap_or(60))
        {
            let local = period.local(second.max(period.from().as_second()));
            let label = label_of(floor(local, unit));
            if labels.last() != Some(&label) {
                labels.push(label);
            }
        }
        // An hour that comes twice is one bucket.
        let mut known = std::collections::HashSet::new();
        labels.retain(|label| known.insert(label.clone()));
        labels
    }
}

fn floor(local: DateTime, unit: Unit) -> DateTime {
    let minute = if unit == Unit::Minute { local.minute() } else { 0 };
    local.date().at(local.hour(), minute, 0, 0)
}

fn label_of(local: DateTime) -> String {
    local.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn monday(day: Date) -> Date {
    let since = day.weekday().since(Weekday::Monday);
    day.saturating_sub(i64::from(since).days())
}

fn dates(from: Date, to: Date, next: impl Fn(Date) -> Date) -> Vec<String> {
    let mut labels = Vec::new();
    let mut day = from;
    while day <= to {
        labels.push(day.to_string());
        day = next(day);
    }
    labels
}
