//! The buckets of time that a report can be broken down by, and their labels.
//!
//! A bucket is known by its label alone, in the site's local time: that is how rows of two subqueries
//! find each other, and why the hour that a clock change repeats is one bucket with both in it.
//! The labels are made twice, here in SQL and in `labels` for the axis; the integration tests hold them
//! together.

mod labels;

use jiff::ToSpan;

use super::period::Period;
use super::statement::{Sql, sql};

/// The width of a bucket, in the order of width; and after these the buckets that come round again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Interval {
    /// A minute of the clock, `2024-05-01 13:05:00`.
    Minute,
    /// A quarter of an hour of the clock, `2024-05-01 13:15:00`.
    QuarterHour,
    /// An hour of the clock, `2024-05-01 13:00:00`.
    Hour,
    /// A calendar day, `2024-05-01`.
    Day,
    /// A week from Monday; one that began before the period is labelled with the period's first day.
    Week,
    /// A calendar month, by its first day.
    Month,
    /// A quarter of a year, by its first day.
    Quarter,
    /// A calendar year, by its first day.
    Year,
    /// The hour of the clock, whatever the day: 0 to 23.
    HourOfDay,
    /// The day of the week: 1, Monday, to 7, Sunday.
    DayOfWeek,
}

impl Interval {
    /// Every interval, from the narrowest; and then those that come round again.
    pub const ALL: &'static [Self] = &[
        Self::Minute,
        Self::QuarterHour,
        Self::Hour,
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Quarter,
        Self::Year,
        Self::HourOfDay,
        Self::DayOfWeek,
    ];

    /// Whether all of a day is in the same of its buckets.
    pub(crate) fn is_of_days(self) -> bool {
        !matches!(self, Self::Minute | Self::QuarterHour | Self::Hour | Self::HourOfDay)
    }

    /// Its name in queries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minute => "time:minute",
            Self::QuarterHour => "time:15min",
            Self::Hour => "time:hour",
            Self::Day => "time:day",
            Self::Week => "time:week",
            Self::Month => "time:month",
            Self::Quarter => "time:quarter",
            Self::Year => "time:year",
            Self::HourOfDay => "time:hour_of_day",
            Self::DayOfWeek => "time:day_of_week",
        }
    }

    /// What it is, in a sentence.
    pub fn doc(self) -> &'static str {
        match self {
            Self::Minute => {
                "Minute of the site's clock. A visit counts in every minute of its duration."
            }
            Self::QuarterHour => {
                "Quarter of an hour of the site's clock. A visit counts in every one in which it was under way."
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
            Self::Quarter => "Quarter of the year, labelled with its first day.",
            Self::Year => "Year of the site's calendar, labelled with its first day.",
            Self::HourOfDay => {
                "Hour of the day, a number from 0 to 23. A visit counts in every hour in which it was under way."
            }
            Self::DayOfWeek => "Day of the week, a number from 1 (Monday) to 7.",
        }
    }

    /// The label of one of its buckets.
    pub fn example(self) -> &'static str {
        match self {
            Self::Minute => "2024-05-01 13:05:00",
            Self::QuarterHour => "2024-05-01 13:15:00",
            Self::Hour => "2024-05-01 13:00:00",
            Self::Day => "2024-05-01",
            Self::Week => "2024-05-06",
            Self::Month => "2024-05-01",
            Self::Quarter => "2024-04-01",
            Self::Year => "2024-01-01",
            Self::HourOfDay => "13",
            Self::DayOfWeek => "3",
        }
    }

    /// The interval of this public name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|interval| interval.name() == name)
    }

    /// What the bare dimension `time` means: some dozens of buckets.
    pub fn fitting(period: &Period) -> Self {
        // From the first second to the last: two moments that are 48 hours apart, both within, are 48 hours.
        let (from, to) = (period.from_local(), period.to_local());
        if to <= from.saturating_add(48.hours()) {
            Self::Hour
        } else if to <= from.saturating_add(40.days()) {
            Self::Day
        } else if to <= from.saturating_add(52.weeks()) {
            Self::Week
        } else {
            Self::Month
        }
    }

    /// Whether a visit counts in every bucket in which it was under way, not in its last one alone.
    pub fn smears(self) -> bool {
        self.slot_seconds().is_some()
    }

    /// Whether its buckets come round again, so that the same one of another period is a like one.
    pub fn is_cyclic(self) -> bool {
        matches!(self, Self::HourOfDay | Self::DayOfWeek)
    }

    /// The grid, in seconds, on which smearing looks for a visit. A quarter of an hour divides the
    /// hours of every time zone.
    fn slot_seconds(self) -> Option<u32> {
        match self {
            Self::Minute => Some(60),
            Self::QuarterHour | Self::Hour | Self::HourOfDay => Some(900),
            Self::Day | Self::Week | Self::Month | Self::Quarter | Self::Year | Self::DayOfWeek => {
                None
            }
        }
    }

    /// The label of the bucket that the moment `moment` (an expression) falls into.
    pub(super) fn label_sql(self, moment: impl Into<Sql>, period: &Period) -> Sql {
        let (moment, zone) = (moment.into(), Sql::text(period.zone_name()));
        let clock = |moment: Sql, form: &'static str| {
            sql!["formatDateTime(", moment, ", '", form, "', ", &zone, ")"]
        };
        let date = |of: &'static str| sql!["toString(", of, "(", &moment, ", ", &zone, "))"];
        match self {
            Self::Minute => clock(moment, "%Y-%m-%d %H:%i:00"),
            Self::QuarterHour => {
                let begins = sql!["toStartOfFifteenMinutes(", moment, ", ", &zone, ")"];
                clock(begins, "%Y-%m-%d %H:%i:00")
            }
            Self::Hour => clock(moment, "%Y-%m-%d %H:00:00"),
            Self::Day => date("toDate"),
            Self::Week => {
                let first = Sql::text(period.from_local().date().to_string());
                sql!["toString(greatest(toMonday(", moment, ", ", zone, "), toDate(", first, ")))"]
            }
            Self::Month => date("toStartOfMonth"),
            Self::Quarter => date("toStartOfQuarter"),
            Self::Year => date("toStartOfYear"),
            Self::HourOfDay => sql!["toHour(", moment, ", ", zone, ")"],
            Self::DayOfWeek => sql!["toDayOfWeek(", moment, ", 0, ", zone, ")"],
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
}
