//! The chart of a metric over time: an SVG drawing, made of numbers alone.

use super::format::{short, whole};

/// The drawing's own units.
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 28.0;
/// About as many labels fit below.
const LABELS_MAX: usize = 8;

/// A drawing: its parts in units of its own.
pub(super) struct Chart {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) base: f64,
    pub(super) line: String,
    pub(super) area: String,
    /// The same of the period before; empty without one.
    pub(super) before: String,
    pub(super) grid: Vec<Tick>,
    pub(super) labels: Vec<Tick>,
    pub(super) points: Vec<Point>,
}

/// A mark on an axis.
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) text: String,
}

/// A value: an invisible column over it, which tells what it is.
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) column_x: f64,
    pub(super) column_width: f64,
    pub(super) label: String,
    pub(super) value: String,
    pub(super) before: String,
}

/// A value over time, and that of the period before.
pub(super) struct Sample {
    pub(super) label: String,
    pub(super) value: f64,
    pub(super) before: Option<f64>,
}

impl Chart {
    /// Draws samples in their order; `None` when there are fewer than two.
    pub(super) fn of(samples: &[Sample]) -> Option<Self> {
        if samples.len() < 2 {
            return None;
        }
        let highest = samples
            .iter()
            .flat_map(|sample| [Some(sample.value), sample.before])
            .flatten()
            .fold(0.0, f64::max);
        let (step, top) = scale(highest);
        let base = HEIGHT - BOTTOM;
        let x = |place: usize| {
            LEFT + (WIDTH - LEFT - RIGHT) * place as f64 / (samples.len() - 1) as f64
        };
        let y = |value: f64| base - (base - TOP) * value / top;
        let path = |value: &dyn Fn(&Sample) -> Option<f64>| {
            let points = samples
                .iter()
                .enumerate()
                .filter_map(|(place, sample)| Some((x(place), y(value(sample)?))));
            let points: Vec<String> = points.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            if points.is_empty() { String::new() } else { format!("M{}", points.join("L")) }
        };
        let line = path(&|sample| Some(sample.value));
        let width = (WIDTH - LEFT - RIGHT) / (samples.len() - 1) as f64;
        Some(Self {
            width: WIDTH,
            height: HEIGHT,
            left: LEFT,
            right: WIDTH - RIGHT,
            base,
            area: format!("{line}L{:.1},{base:.1}L{LEFT:.1},{base:.1}Z", x(samples.len() - 1)),
            before: path(&|sample| sample.before),
            line,
            grid: (0..=(top / step).round() as u32)
                .map(|mark| f64::from(mark) * step)
                .map(|value| Tick { at: y(value), text: short(value) })
                .collect(),
            labels: labels(samples)
                .into_iter()
                .map(|(place, text)| Tick { at: x(place), text })
                .collect(),
            points: samples
                .iter()
                .enumerate()
                .map(|(place, sample)| Point {
                    x: x(place),
                    y: y(sample.value),
                    column_x: x(place) - width / 2.0,
                    column_width: width,
                    label: sample.label.clone(),
                    value: whole(sample.value),
                    before: sample.before.map(whole).unwrap_or_default(),
                })
                .collect(),
        })
    }
}

/// Every so many samples one has its label, without the part of the date that all share.
fn labels(samples: &[Sample]) -> Vec<(usize, String)> {
    let every = samples.len().div_ceil(LABELS_MAX).max(1);
    samples
        .iter()
        .enumerate()
        .step_by(every)
        .map(|(place, sample)| (place, sample.label.clone()))
        .collect()
}

/// A step that people count in, and the multiple of it above the highest value.
fn scale(highest: f64) -> (f64, f64) {
    let rough = (highest / 4.0).max(1.0);
    let magnitude = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * magnitude)
        .find(|step| *step >= rough);
    let step = step.unwrap_or(10.0 * magnitude);
    (step, (highest / step).ceil().max(1.0) * step)
}

/// A small line without axes.
pub(super) fn sparkline(values: &[f64], width: f64, height: f64) -> String {
    let highest = values.iter().copied().fold(1.0, f64::max);
    let last = values.len().saturating_sub(1).max(1) as f64;
    let point = |(place, value): (usize, &f64)| {
        format!(
            "{:.1},{:.1}",
            width * place as f64 / last,
            height - 1.0 - (height - 2.0) * value / highest
        )
    };
    let points: Vec<String> = values.iter().enumerate().map(point).collect();
    if points.is_empty() { String::new() } else { format!("M{}", points.join("L")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_counts_in_steps_that_people_count_in() {
        for (highest, expected) in [
            (0.0, (1.0, 1.0)),
            (3.0, (1.0, 3.0)),
            (17.0, (5.0, 20.0)),
            (942.0, (500.0, 1000.0)),
            (4_100.0, (2_000.0, 6_000.0)),
        ] {
            assert_eq!(scale(highest), expected, "{highest}");
        }
    }

    #[test]
    fn a_line_goes_from_the_first_sample_to_the_last_within_the_drawing() {
        let samples: Vec<Sample> = (0..30)
            .map(|day| Sample { label: format!("{day}"), value: f64::from(day), before: Some(1.0) })
            .collect();
        let chart = Chart::of(&samples).unwrap();
        assert!(
            chart.line.starts_with(&format!("M{LEFT:.1},{:.1}L", chart.base)),
            "{}",
            chart.line
        );
        assert!(chart.points.iter().all(|point| (TOP..=chart.base).contains(&point.y)));
        assert!(chart.labels.len() <= LABELS_MAX && !chart.before.is_empty());
        assert!(Chart::of(&samples[..1]).is_none());
    }
}
