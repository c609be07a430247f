//! Comparing a period with another: which other.

use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Map, Value, json};

use super::error::{Problems, child, shown};
use super::period::{Period, Range};

/// What a report is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    mode: Mode,
    match_day_of_week: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Mode {
    /// The stretch of time of the same length that ends where the period begins.
    PreviousPeriod,
    /// The same dates a year before.
    YearOverYear,
    /// This one, in the words of the query.
    Custom(Range, Value),
}

const KEYS: [&str; 3] = ["mode", "date_range", "match_day_of_week"];
const MODES: &str = "\"previous_period\", \"year_over_year\", or \"custom\" with a date_range";

impl Comparison {
    /// Reads the value of `include.comparisons`.
    pub(super) fn parse(value: &Value, pointer: &str, problems: &mut Problems) -> Option<Self> {
        let Some(parts) = value.as_object() else {
            return problems.note(
                pointer,
                format!("Invalid comparisons {}: an object with a mode.", shown(value)),
            );
        };
        for key in parts.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            let message =
                format!("Unknown key {key:?}: comparisons has the keys {}.", KEYS.join(", "));
            problems.note::<()>(child(pointer, key), message);
        }
        let mode = Mode::parse(parts, pointer, problems);
        let match_day_of_week = match parts.get("match_day_of_week") {
            None => Some(false),
            Some(Value::Bool(wanted)) => Some(*wanted),
            Some(other) => {
                let message = format!("Invalid match_day_of_week {}: true or false.", shown(other));
                problems.note(format!("{pointer}/match_day_of_week"), message)
            }
        };
        Some(Self { mode: mode?, match_day_of_week: match_day_of_week? })
    }

    /// The period to compare with.
    pub(super) fn period(&self, period: &Period) -> Period {
        self.part(period, period)
    }

    /// What there is at `now` of a period that goes on is compared with: as much of the other period, in the words of
    /// a query. `None` when the period is over or has not begun, and when the other one was named.
    pub(super) fn so_far(&self, period: &Period, now: Timestamp) -> Option<Value> {
        let goes_on = (period.from()..period.to()).contains(&now);
        if !goes_on || matches!(self.mode, Mode::Custom(..)) {
            return None;
        }
        let part = self.part(&period.clone().until(now), period);
        Some(json!({ "mode": "custom", "date_range": part.to_wire() }))
    }

    /// Of the other period what a part of the period is compared with.
    fn part(&self, part: &Period, period: &Period) -> Period {
        let other = match &self.mode {
            Mode::Custom(range, _) => return range.resolve(period.zone(), period.to(), None),
            Mode::YearOverYear => part.moved(|local| local.saturating_sub(1.year())),
            Mode::PreviousPeriod => before(part, period),
        };
        if self.match_day_of_week { on_same_weekdays(other, period) } else { other }
    }

    /// The comparison as queries write it.
    pub(super) fn to_wire(&self) -> Value {
        let mut parts = Map::new();
        let (mode, date_range) = match &self.mode {
            Mode::PreviousPeriod => ("previous_period", None),
            Mode::YearOverYear => ("year_over_year", None),
            Mode::Custom(_, date_range) => ("custom", Some(date_range)),
        };
        parts.insert("mode".into(), json!(mode));
        if let Some(date_range) = date_range {
            parts.insert("date_range".into(), date_range.clone());
        }
        if self.match_day_of_week {
            parts.insert("match_day_of_week".into(), json!(true));
        }
        Value::Object(parts)
    }
}

impl Mode {
    fn parse(parts: &Map<String, Value>, pointer: &str, problems: &mut Problems) -> Option<Self> {
        let date_range = format!("{pointer}/date_range");
        match (parts.get("mode").and_then(Value::as_str), parts.get("date_range")) {
            (Some("previous_period"), None) => Some(Self::PreviousPeriod),
            (Some("year_over_year"), None) => Some(Self::YearOverYear),
            (Some("custom"), Some(value)) => match Range::parse(value, &date_range, problems)? {
                range @ (Range::Dates(..) | Range::Instants(..)) => {
                    Some(Self::Custom(range, value.clone()))
                }
                _ => {
                    let message = format!(
                        "Invalid date_range {}: two dates, or two date-times with offset.",
                        shown(value)
                    );
                    problems.note(date_range, message)
                }
            },
            (Some("custom"), None) => {
                problems.note(date_range, "Missing: the mode \"custom\" needs a date_range.")
            }
            (Some("previous_period" | "year_over_year"), Some(value)) => {
                let message = format!(
                    "Invalid date_range {}: only the mode \"custom\" takes one.",
                    shown(value)
                );
                problems.note(date_range, message)
            }
            (mode, _) => {
                let mode = mode.map_or_else(
                    || parts.get("mode").map_or("null".into(), shown),
                    |mode| format!("{mode:?}"),
                );
                problems.note(format!("{pointer}/mode"), format!("Invalid mode {mode}: {MODES}."))
            }
        }
    }
}

/// A part of the period, as many days before as the period has or, if it does not consist of days, as many seconds.
fn before(part: &Period, period: &Period) -> Period {
    if period.is_of_whole_days() {
        let days = period.days();
        return part.moved(|local| local.saturating_sub(days.days()));
    }
    let length = period.to().duration_since(period.from()) + SignedDuration::from_secs(1);
    part.shifted(-length)
}

/// The other period, moved by the fewest days after which it begins on the same day of the week as the
/// period, and still before it.
fn on_same_weekdays(other: Period, period: &Period) -> Period {
    let (own, others) = (period.from_local().date(), other.from_local().date());
    let forward = i64::from(own.weekday().since(others.weekday()));
    let moved = match forward {
        0 => 0,
        days @ 1..=3 if others.saturating_add(days.days()) < own => days,
        days => days - 7,
    };
    other.moved(|local| local.saturating_add(moved.days()))
}
