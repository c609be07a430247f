//! The metric of the view over time: what is asked, and the chart that comes of the answer.

use std::collections::HashMap;

use jiff::ToSpan;
use jiff::civil::{Date, Time};
use serde_json::{Value, json};

use super::annotations::{self, Note};
use super::ask::{Asker, rows};
use super::chart::{Chart, Sample, Style};
use super::frame::Link;
use super::view::Span;
use super::words::Words;
use crate::query::interval::Interval;
use crate::query::measure::Measure;
use crate::query::metric::Metric;
use crate::query::{Dialect, Query};
use crate::report::{self, AskError};

/// The widths of buckets that the chart offers.
const INTERVALS: [Interval; 7] = [
    Interval::QuarterHour,
    Interval::Hour,
    Interval::Day,
    Interval::Week,
    Interval::Month,
    Interval::Quarter,
    Interval::Year,
];
/// So many buckets make a line, and are told apart on a screen.
const BUCKETS: std::ops::RangeInclusive<usize> = 3..=800;

/// A metric over time.
pub(super) struct Series {
    pub(super) metric: Metric,
    interval: Interval,
    samples: Vec<Sample>,
    /// What happened in the period, whether or not it has a place in the chart.
    notes: Vec<Note>,
    is_unfinished: bool,
    /// The first and the last day.
    days: Option<(Date, Date)>,
}

/// The metric that the chart shows: the one of the view, if it has a meaning there.
pub(super) fn metric(asker: &Asker) -> Metric {
    let with = |metric: Metric| {
        asker.query(json!({ "metrics": [metric.spec().name], "dimensions": ["time"] }))
    };
    match asker.parse(&with(asker.view.metric)) {
        Some(_) => asker.view.metric,
        None => Metric::Visitors,
    }
}

/// The question that the chart answers.
pub(super) fn query(asker: &Asker) -> Value {
    question(asker, metric(asker))
}

/// The same of another metric. Conversions are a share of each bucket's visitors: of all the period's, which the rate of a report
/// without rows is of, a bucket has few.
fn question(asker: &Asker, metric: Metric) -> Value {
    let asked = match metric {
        Metric::ConversionRate => Metric::GroupConversionRate,
        metric => metric,
    };
    let dimension = match asker.view.interval.filter(|wanted| intervals(asker).contains(wanted)) {
        Some(interval) => interval.name(),
        // The interval that fits a short period may not be told.
        None if !asker.lists(&["time"]) => "time:day",
        None => "time",
    };
    asker.query(json!({
        "metrics": [asked.spec().name], "dimensions": [dimension], "include": {"time_labels": true},
    }))
}

/// The intervals that make sense for the view's period.
fn intervals(asker: &Asker) -> Vec<Interval> {
    // When all time began is not known here: it may be years.
    if asker.view.period == Span::Named("all".to_owned()) {
        return vec![Interval::Day, Interval::Week, Interval::Month];
    }
    let query = json!({
        "site_id": asker.site.domain, "metrics": ["visitors"], "date_range": asker.view.period.to_query(),
    });
    let Some(query) = asker.parse(&query) else { return Vec::new() };
    // Fewer are counted than is at most possible, which is what is known without making them all.
    let fits = |interval: &Interval| {
        usize::try_from(interval.labels_max(query.period()))
            .is_ok_and(|count| BUCKETS.contains(&count.saturating_sub(1)))
    };
    let is_told = |interval: &Interval| asker.lists(&[interval.name()]);
    INTERVALS.into_iter().filter(fits).filter(is_told).collect()
}

/// A metric over time as a chart of it would show it, in every bucket: the label, and the value.
pub(super) async fn values(
    asker: &Asker,
    metric: Metric,
) -> Result<Vec<(String, Value)>, AskError> {
    let query = question(asker, metric);
    let answer = asker.ask_in(Dialect::V1, &query).await?;
    Ok(every_label(metric, &answer, asker.of_nothing(metric, &query)))
}

/// Every label of the answer with its value, also where nothing has happened.
fn every_label(metric: Metric, answer: &Value, of_nothing: Value) -> Vec<(String, Value)> {
    let values = by_label(rows(answer));
    let of_nothing = Measure::from(metric).of_nothing_beside(of_nothing, values.values().copied());
    let labels = answer["meta"]["time_labels"].as_array().into_iter().flatten();
    let labels = labels.filter_map(Value::as_str);
    let value = |label| values.get(label).copied().unwrap_or(&of_nothing).clone();
    labels.map(|label| (label.to_owned(), value(label))).collect()
}

/// Links to the intervals that make sense, the one that is shown being current.
pub(super) fn links(asker: &Asker, series: &Series) -> Vec<Link> {
    let link = |interval: Interval| Link {
        label: label(interval, asker.words()).to_owned(),
        url: asker.view.with_interval(interval).url(),
        is_current: interval == series.interval,
    };
    intervals(asker).into_iter().map(link).collect()
}

fn label(interval: Interval, words: &Words) -> &'static str {
    match interval {
        Interval::QuarterHour => words.by_15_minutes,
        Interval::Hour => words.by_hour,
        Interval::Day => words.by_day,
        Interval::Week => words.by_week,
        Interval::Month => words.by_month,
        Interval::Quarter => words.by_quarter,
        Interval::Year => words.by_year,
        // The chart does not offer the others: they have too many buckets, or come round again.
        Interval::Minute | Interval::HourOfDay | Interval::DayOfWeek => interval.name(),
    }
}

impl Series {
    /// Asks for the metric in the view's period, and in the one that this is compared with.
    pub(super) async fn ask(asker: &Asker) -> Result<Self, AskError> {
        let query = query(asker);
        let store = &asker.services.store;
        let compared = asker.view.compared().and_then(|comparison| {
            let mut query = query.clone();
            query["include"]["comparisons"] = comparison;
            let query = asker.parse(&query)?;
            let compared = query.compared()?;
            Some((query, compared))
        });
        let before = async {
            match &compared {
                Some((query, compared)) => {
                    let report = report::answer_beside(store, &asker.gathering, compared).await?;
                    Ok(values_before(query, &report))
                }
                None => Ok(HashMap::new()),
            }
        };
        let (answer, before) = tokio::try_join!(asker.ask_in(Dialect::V1, &query), before)?;
        let wanted = answer["query"]["dimensions"][0].as_str().and_then(Interval::named);
        Ok(Self::of(asker, &answer, &before, wanted.unwrap_or(Interval::Day)))
    }

    fn of(
        asker: &Asker,
        answer: &Value,
        before: &HashMap<String, Value>,
        interval: Interval,
    ) -> Self {
        let metric = metric(asker);
        let of_nothing = asker.of_nothing(metric, &query(asker));
        // Of today nothing is told to whoever is told no small numbers.
        let is_told_until = match asker.floor {
            None => asker.local_now(),
            Some(_) => {
                asker.local_now().date().to_datetime(Time::midnight()).saturating_sub(1.second())
            }
        };
        let now = is_told_until.strftime("%Y-%m-%d %H:%M:%S").to_string();
        let period = period(answer);
        let sample = |(label, value): (String, Value)| {
            // Labels are texts of the site's clock, and stand in the order of time.
            let is_over = label <= now;
            let (days, is_cut) = days(interval, &label, period);
            Sample {
                value: is_over.then_some(value),
                before: before.get(&label).cloned(),
                days,
                is_cut,
                notes: Vec::new(),
                label,
            }
        };
        let labelled = every_label(metric, answer, of_nothing).into_iter();
        let mut samples: Vec<Sample> = labelled.map(sample).collect();
        let notes = notes(asker, answer);
        annotate(&mut samples, &notes);
        let end = answer["query"]["date_range"][1].as_str();
        let end = end.and_then(|end| end.parse::<jiff::Timestamp>().ok());
        let is_unfinished = end.is_some_and(|end| end >= asker.now);
        Self { metric, interval, samples, notes, is_unfinished, days: period }
    }

    pub(super) fn chart(&self, asker: &Asker) -> Option<Chart> {
        // Whole days alone are told to whoever is told no small numbers: the last one is over.
        let is_of_whole_days = asker.floor.is_some() && self.interval == Interval::Day;
        let style = Style {
            lang: asker.lang,
            metric: self.metric,
            by_month: matches!(self.interval, Interval::Month | Interval::Quarter | Interval::Year),
            is_unfinished: self.is_unfinished && !is_of_whole_days,
        };
        Chart::of(&self.samples, &style)
    }

    /// What happened in the period.
    pub(super) fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The days of the period in words: of all time, nobody knew where it begins before this was asked.
    pub(super) fn range(&self, asker: &Asker) -> String {
        self.days.map_or_else(String::new, |(first, last)| asker.lang.days(first, last))
    }

    /// Whether the period goes on.
    pub(super) fn is_unfinished(&self) -> bool {
        self.is_unfinished
    }
}

/// The day of a label, or of an end of a range: texts of the site's clock, which begin with it.
fn day(text: &str) -> Option<Date> {
    text.get(..10)?.parse().ok()
}

/// The first and the last day that the answer is about.
fn period(answer: &Value) -> Option<(Date, Date)> {
    let range = &answer["query"]["date_range"];
    let [first, last] = [0, 1].map(|end| range[end].as_str().and_then(day));
    first.zip(last)
}

/// The days of a bucket that lie in the period, where its label does not tell them; and whether not all of them do.
/// Only months are told by their first day.
fn days(
    interval: Interval,
    label: &str,
    period: Option<(Date, Date)>,
) -> (Option<(Date, Date)>, bool) {
    let whole = day(label).and_then(|day| interval.days_around(day));
    let (Some(whole), Some((first, last))) = (whole, period) else { return (None, false) };
    let within = (whole.0.max(first), whole.1.min(last));
    let is_cut = within != whole;
    ((is_cut || interval != Interval::Month).then_some(within), is_cut)
}

/// The annotations of the days that the answer is about.
fn notes(asker: &Asker, answer: &Value) -> Vec<Note> {
    let Some((first, last)) = period(answer) else { return Vec::new() };
    annotations::shown(asker).filter(|note| (first..=last).contains(&note.day)).collect()
}

/// Puts annotations to their buckets.
fn annotate(samples: &mut [Sample], notes: &[Note]) {
    let begins: Vec<_> = samples.iter().map(|sample| day(&sample.label)).collect();
    for note in notes {
        if let Some(place) = annotations::bucket(&begins, note.day) {
            samples[place].notes.push(note.clone());
        }
    }
}

/// The first metric of each row, by the label of its time.
fn by_label(rows: &[Value]) -> HashMap<&str, &Value> {
    rows.iter()
        .filter_map(|row| Some((row["dimensions"][0].as_str()?, &row["metrics"][0])))
        .collect()
}

/// What each bucket of the query is compared with, by its label: the value of the bucket at the same place of the period
/// that the report is about, with data or without. What has no bucket there is compared with nothing.
fn values_before(query: &Query, report: &report::Report) -> HashMap<String, Value> {
    let other = report.query();
    let (Some(interval), Some(metric)) = (other.interval(), other.metrics().first()) else {
        return HashMap::new();
    };
    let values: HashMap<&str, &Value> = report
        .rows()
        .iter()
        .filter_map(|row| Some((row.dimensions.first()?.as_str()?, row.metrics.first()?)))
        .collect();
    let of_nothing = match metric {
        Measure::Metric(Metric::BounceRate) => Value::Null,
        _ => metric.of_nothing_beside(other.of_nothing(metric, &[]), values.values().copied()),
    };
    let counterparts = interval.counterparts(query.period(), other.period());
    let before = |label: Value| {
        let there = counterparts.get(&label.to_string())?.as_str()?;
        let value = values.get(there);
        let value = value.map_or_else(|| of_nothing.clone(), |value| (*value).clone());
        Some((label.as_str()?.to_owned(), value))
    };
    interval.labels(query.period()).into_iter().filter_map(before).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_bucket_of_several_days_is_told_by_those_that_the_period_has() {
        let november = |from, to| (date(2026, 11, from), date(2026, 11, to));
        let told = |interval, label| days(interval, label, Some(november(4, 30)));
        for (interval, label, expected) in [
            (Interval::Week, "2026-11-09", (Some(november(9, 15)), false)),
            (Interval::Week, "2026-11-04", (Some(november(4, 8)), true)),
            (Interval::Month, "2026-11-01", (Some(november(4, 30)), true)),
            (Interval::Day, "2026-11-09", (None, false)),
            (Interval::Hour, "2026-11-09 13:00:00", (None, false)),
        ] {
            assert_eq!(told(interval, label), expected, "{label}");
        }
        let year = Some((date(2026, 1, 1), date(2026, 12, 31)));
        assert_eq!(days(Interval::Month, "2026-11-01", year), (None, false), "it has a name");
        assert_eq!(days(Interval::Year, "2026-01-01", year), (year, false));
    }
}
