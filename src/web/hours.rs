//! The hours of the week: how many visitors are there, on an average day of the week, in each hour.
//!
//! The table of numbers is the drawing: its cells are shaded.

use jiff::civil::DateTime;
use serde_json::{Value, json};

use super::ask::{Asker, rows};
use super::format::number;
use super::view::Span;

/// So many hours of a period are asked for: of longer ones this is not shown.
const HOURS_MAX: i64 = 10_000;
/// Shorter periods have no average day of the week.
const HOURS_MIN: i64 = 7 * 24 - 1;

/// The table.
pub(super) struct Hours {
    pub(super) days: Vec<Day>,
}

/// A day of the week, from Monday.
pub(super) struct Day {
    pub(super) name: &'static str,
    pub(super) cells: Vec<Cell>,
}

/// An hour of it.
pub(super) struct Cell {
    pub(super) visitors: String,
    /// From 0 to 6.
    pub(super) shade: u32,
}

/// The question that it answers, if the period is fit for it.
pub(super) fn query(asker: &Asker) -> Option<Value> {
    if asker.view.period == Span::Named("all".to_owned()) {
        return None;
    }
    let query = asker.query(json!({
        "metrics": ["visitors"], "dimensions": ["time:hour"], "include": {"time_labels": true},
    }));
    let parsed = asker.parse(&query)?;
    let hours = parsed.interval()?.labels_max(parsed.period());
    (HOURS_MIN..=HOURS_MAX).contains(&hours).then_some(query)
}

impl Hours {
    /// Of its answer; `None` where nobody came.
    pub(super) fn of(asker: &Asker, answer: &Value) -> Option<Self> {
        let now = asker.local_now().strftime("%Y-%m-%d %H:%M:%S").to_string();
        let labels = answer["meta"]["time_labels"].as_array().into_iter().flatten();
        let labels = labels.filter_map(Value::as_str).filter(|label| *label <= now.as_str());
        let averages = averages(labels, rows(answer));
        let highest = averages.iter().flatten().copied().fold(0.0, f64::max);
        if highest == 0.0 {
            return None;
        }
        let cell = |average: &f64| Cell {
            visitors: asker.lang.decimal(*average, if highest < 10.0 { 1 } else { 0 }),
            shade: shade(*average, highest),
        };
        let day = |(day, hours): (usize, &[f64; 24])| Day {
            name: asker.lang.weekday(day),
            cells: hours.iter().map(cell).collect(),
        };
        Some(Self { days: averages.iter().enumerate().map(day).collect() })
    }
}

/// From 0 to 6, in even steps.
fn shade(average: f64, highest: f64) -> u32 {
    (average / highest * 6.0).round() as u32
}

/// The day of the week, from Monday, and the hour of a label.
fn place(label: &str) -> Option<(usize, usize)> {
    let moment: DateTime = label.parse().ok()?;
    let day = usize::try_from(moment.weekday().to_monday_zero_offset()).ok()?;
    Some((day, usize::try_from(moment.hour()).ok()?))
}

fn averages<'a>(labels: impl Iterator<Item = &'a str>, rows: &[Value]) -> [[f64; 24]; 7] {
    let (mut sums, mut counts) = ([[0.0; 24]; 7], [[0.0_f64; 24]; 7]);
    for (day, hour) in labels.filter_map(place) {
        counts[day][hour] += 1.0;
    }
    for row in rows {
        if let Some((day, hour)) = row["dimensions"][0].as_str().and_then(place) {
            sums[day][hour] += number(&row["metrics"][0]);
        }
    }
    for (sum, count) in sums.iter_mut().flatten().zip(counts.iter().flatten()) {
        *sum /= count.max(1.0);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_without_visitors_counts_in_the_average() {
        // Two Mondays.
        let labels = ["2026-11-16 09:00:00", "2026-11-23 09:00:00"];
        let rows = [json!({"dimensions": ["2026-11-16 09:00:00"], "metrics": [8]})];
        let averages = averages(labels.into_iter(), &rows);
        assert_eq!(averages[0][9], 4.0);
        assert_eq!(averages.iter().flatten().sum::<f64>(), 4.0);
    }
}
