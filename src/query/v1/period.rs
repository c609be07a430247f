//! The stretch of time, as the older dialect says it: a period, and the date that it is of.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::fmt::strtime;
use serde_json::{Value, json};

use super::Asked;
use crate::query::error::Problems;

/// Two dates, both within, and the buckets that a time series has when nothing is said.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span {
    first: Date,
    last: Date,
    interval: &'static str,
}

const PERIODS: &str = "day, 7d, 30d, month, 6mo, 12mo, or custom";

impl Span {
    pub(super) fn parse(asked: &Asked<'_>, problems: &mut Problems) -> Option<Self> {
        let period = asked.get("period").unwrap_or("30d");
        if period == "custom" {
            return Self::custom(asked, problems);
        }
        let date = match asked.get("date") {
            None => asked.today,
            Some(text) => date(text, problems)?,
        };
        let span = |first, last, interval| Some(Self { first, last, interval });
        let months = |count: i64| {
            let first = date.first_of_month().saturating_sub((count - 1).months());
            span(first, date.last_of_month(), "time:month")
        };
        match period {
            "day" => span(date, date, "time:hour"),
            "7d" => span(date.saturating_sub(7.days()), date.saturating_sub(1.day()), "time:day"),
            "30d" => span(date.saturating_sub(30.days()), date.saturating_sub(1.day()), "time:day"),
            "month" => span(date.first_of_month(), date.last_of_month(), "time:day"),
            "6mo" => months(6),
            "12mo" => months(12),
            other => problems.note("#/period", format!("Invalid period {other:?}: {PERIODS}.")),
        }
    }

    /// `date=2024-01-01,2024-01-31`; a space may follow the comma.
    fn custom(asked: &Asked<'_>, problems: &mut Problems) -> Option<Self> {
        let text = asked.get("date").unwrap_or_default();
        let Some((first, last)) = text.split_once(',') else {
            let rule = "the period custom needs two dates, \"2024-01-01,2024-01-31\".";
            return problems.note("#/date", format!("Invalid date {text:?}: {rule}"));
        };
        let (first, last) = (date(first.trim(), problems), date(last.trim(), problems));
        let (first, last) = (first?, last?);
        Some(Self { first, last, interval: "time:day" })
    }

    pub(super) fn interval(&self) -> &'static str {
        self.interval
    }

    pub(super) fn to_wire(&self) -> Value {
        json!([self.first.to_string(), self.last.to_string()])
    }
}

fn date(text: &str, problems: &mut Problems) -> Option<Date> {
    let date = strtime::parse("%Y-%m-%d", text).ok().and_then(|parsed| parsed.to_date().ok());
    date.or_else(|| {
        problems.note("#/date", format!("Invalid date {text:?}: it is written \"2024-01-31\"."))
    })
}
