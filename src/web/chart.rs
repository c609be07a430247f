//! The chart of a metric over time: an SVG drawing, made of numbers alone.
//!
//! Lines are drawn in units of their own and stretched to the width of the screen; all else is placed in
//! percent, so that text and points keep their size on every screen.

use jiff::civil::{Date, DateTime};
use serde_json::Value;

use super::annotations::Note;
use super::format::number;
use super::words::Lang;
use crate::query::metric::{Metric, Unit};

/// The lines' own units.
pub(super) const WIDTH: f64 = 1000.0;
pub(super) const HEIGHT: f64 = 200.0;
/// About as many labels fit below on a wide screen, half of them on a telephone, and a quarter on the smallest.
const LABELS_MAX: usize = 8;
/// About as many marks the axis has above 0.
const MARKS: f64 = 4.0;
/// Steps in which people count the minutes of a day.
const MINUTES: [i32; 9] = [15, 30, 60, 120, 180, 240, 360, 720, MINUTES_OF_A_DAY];
const MINUTES_OF_A_DAY: i32 = 1_440;
/// Nearer to an edge than this, in percent, a label does not reach over it.
const EDGE: f64 = 3.0;
/// How near marks may be to each other, in percent, by the width that there is for the drawing. A mark is 24 pixels
/// wide, which fingers need; the stylesheet has the widths, and shows the marks of one of these names.
const SPACING: [(&str, f64); 3] = [("narrow", 13.0), ("medium", 5.4), ("wide", 2.9)];
/// Steps in which seconds are counted.
const SECONDS: [f64; 13] =
    [5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0];

/// A drawing.
pub(super) struct Chart {
    pub(super) line: String,
    pub(super) area: String,
    /// To the bucket that is not over yet, and to those that the period has not got as a whole.
    pub(super) unfinished: String,
    /// Whether there are such.
    pub(super) is_cut: bool,
    /// The same of the period before; empty without one.
    pub(super) before: String,
    pub(super) grid: Vec<Tick>,
    pub(super) labels: Vec<Tick>,
    pub(super) points: Vec<Point>,
    /// Below the buckets that have annotations, for each width of the drawing.
    pub(super) marks: Vec<Marks>,
}

/// The marks of the drawings that are as wide as any of these names says.
pub(super) struct Marks {
    pub(super) widths: String,
    pub(super) marks: Vec<Mark>,
}

/// A mark below a bucket, in percent, that leads to its first annotation in the list. It stands for those, too, that
/// are too near after it for marks of their own.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mark {
    pub(super) at: f64,
    /// The bucket, if it stands for that one alone.
    pub(super) place: Option<usize>,
    pub(super) first: u32,
    /// Its annotations with their days.
    pub(super) said: Vec<String>,
}

/// A mark on an axis, in percent.
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) text: String,
    /// `start`, `middle` or `end` of the text is there.
    pub(super) anchor: &'static str,
    /// Whether it is left out where there is little room.
    pub(super) is_minor: bool,
    /// Whether it is left out where there is hardly any.
    pub(super) is_spare: bool,
}

/// A value, in percent of the drawing, and the column over it that shows it.
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) column: f64,
    pub(super) width: f64,
    pub(super) label: String,
    pub(super) value: String,
    pub(super) before: String,
    /// Whether its time has come.
    pub(super) is_there: bool,
    /// Whether there is a number to tell of it.
    pub(super) is_told: bool,
    /// Whether there is none before and after it, so that no line leads there.
    pub(super) is_alone: bool,
    pub(super) notes: Vec<Note>,
}

/// A bucket of time.
pub(super) struct Sample {
    /// As the query language calls it.
    pub(super) label: String,
    /// `None` where it lies in the future.
    pub(super) value: Option<Value>,
    /// What it is compared with.
    pub(super) before: Option<Value>,
    /// Its days that lie in the period, where its label does not tell them.
    pub(super) days: Option<(Date, Date)>,
    /// Whether not all of its days do: a week at an end of a month.
    pub(super) is_cut: bool,
    /// What happened in it.
    pub(super) notes: Vec<Note>,
}

/// How samples are drawn.
pub(super) struct Style {
    pub(super) lang: Lang,
    pub(super) metric: Metric,
    pub(super) by_month: bool,
    /// Whether the last value is of a bucket that is not over yet.
    pub(super) is_unfinished: bool,
}

impl Chart {
    /// Draws samples in their order; `None` when there are fewer than two.
    pub(super) fn of(samples: &[Sample], style: &Style) -> Option<Self> {
        if samples.len() < 2 {
            return None;
        }
        // Where there is no number to tell, the line has a gap.
        let told =
            |value: &Option<Value>| value.as_ref().filter(|value| !value.is_null()).map(number);
        let values: Vec<Option<f64>> = samples.iter().map(|sample| told(&sample.value)).collect();
        let before: Vec<Option<f64>> = samples.iter().map(|sample| told(&sample.before)).collect();
        let highest = values.iter().chain(&before).flatten().copied().fold(0.0, f64::max);
        let (step, top) = scale(highest, style.metric.spec().unit, MARKS);
        let plane = Plane { last: samples.len() - 1, top };
        let there = samples.iter().filter(|sample| sample.value.is_some()).count();
        // Of what is there as a part alone the line is dashed: it is less for that reason.
        let is_cut = |place: usize| samples[place].is_cut;
        let begin = usize::from(there > 1 && is_cut(0));
        let last_is_less = style.is_unfinished || (there > 1 && is_cut(there - 1));
        let solid = if last_is_less { there.saturating_sub(1) } else { there };
        let stretches = plane.stretches(&values[..solid], begin);
        let mut dashed = match begin {
            0 => Vec::new(),
            begin => plane.stretches(&values[..=begin], 0),
        };
        if there > solid && (begin == 0 || there > 2) {
            dashed.extend(plane.stretches(&values[..there], solid.saturating_sub(1)));
        }
        Some(Self {
            area: stretches.iter().map(Stretch::area).collect(),
            line: stretches.iter().map(Stretch::line).collect(),
            unfinished: dashed.iter().map(Stretch::line).collect(),
            is_cut: (0..there).any(is_cut),
            before: plane.stretches(&before, 0).iter().map(Stretch::line).collect(),
            grid: grid(step, top, style.lang, style.metric),
            labels: labels(samples, &plane, style),
            marks: marks(samples, &plane),
            points: samples
                .iter()
                .enumerate()
                .map(|(place, sample)| point(place, sample, &values, &plane, style))
                .collect(),
        })
    }
}

/// As precisely as a screen shows it.
pub(super) fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// Where values are on the drawing, in percent.
struct Plane {
    last: usize,
    top: f64,
}

impl Plane {
    fn x(&self, place: usize) -> f64 {
        hundredths(100.0 * place as f64 / self.last as f64)
    }

    fn y(&self, value: f64) -> f64 {
        hundredths(100.0 - 100.0 * value / self.top)
    }

    /// The values from a place on, in stretches without a gap.
    fn stretches(&self, values: &[Option<f64>], first: usize) -> Vec<Stretch> {
        let points: Vec<Option<(f64, f64)>> = values
            .iter()
            .enumerate()
            .skip(first)
            .map(|(place, value)| {
                Some((self.x(place) * WIDTH / 100.0, self.y((*value)?) * HEIGHT / 100.0))
            })
            .collect();
        let stretches = points.split(Option::is_none).filter(|stretch| !stretch.is_empty());
        stretches.map(|stretch| Stretch(stretch.iter().flatten().copied().collect())).collect()
    }
}

/// Points that a line connects, at least one.
struct Stretch(Vec<(f64, f64)>);

impl Stretch {
    fn line(&self) -> String {
        let points: Vec<String> = self.0.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        // A point alone is a line of no length, of which the round ends are seen.
        let alone = if points.len() == 1 { "h0" } else { "" };
        format!("M{}{alone}", points.join("L"))
    }

    /// What is below the line.
    fn area(&self) -> String {
        match self.0.as_slice() {
            [(begin, _), .., (end, _)] => {
                format!("{}L{end:.1},{HEIGHT}L{begin:.1},{HEIGHT}Z", self.line())
            }
            _ => String::new(),
        }
    }
}

fn is_alone(values: &[Option<f64>], place: usize) -> bool {
    let is_told = |place: Option<usize>| place.and_then(|place| *values.get(place)?).is_some();
    is_told(Some(place)) && !is_told(place.checked_sub(1)) && !is_told(place.checked_add(1))
}

/// The marks for each width; widths that have the same ones share them.
fn marks(samples: &[Sample], plane: &Plane) -> Vec<Marks> {
    let each =
        || samples.iter().enumerate().filter_map(|(place, sample)| mark(place, sample, plane));
    let mut all: Vec<Marks> = Vec::new();
    for (width, spacing) in SPACING {
        let marks = apart(each(), spacing);
        match all.last_mut() {
            Some(last) if last.marks == marks => last.widths = format!("{} {width}", last.widths),
            _ => all.push(Marks { widths: width.to_owned(), marks }),
        }
    }
    all.retain(|marks| !marks.marks.is_empty());
    all
}

/// Marks of which none is nearer to another than that: one that would be is said by the one before it.
fn apart(each: impl Iterator<Item = Mark>, spacing: f64) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    for mark in each {
        match marks.last_mut() {
            Some(last) if mark.at - last.at < spacing => {
                last.place = None;
                last.said.extend(mark.said);
            }
            _ => marks.push(mark),
        }
    }
    marks
}

fn mark(place: usize, sample: &Sample, plane: &Plane) -> Option<Mark> {
    let first = sample.notes.first()?.id;
    let said = |note: &Note| format!("{}: {}", note.date, note.text);
    let said = sample.notes.iter().map(said).collect();
    Some(Mark { at: plane.x(place), place: Some(place), first, said })
}

fn point(
    place: usize,
    sample: &Sample,
    values: &[Option<f64>],
    plane: &Plane,
    style: &Style,
) -> Point {
    let width = 100.0 / plane.last as f64;
    let x = plane.x(place);
    let (left, right) = ((x - width / 2.0).max(0.0), (x + width / 2.0).min(100.0));
    let written = |value: &Value| style.lang.exact(style.metric, value);
    Point {
        x,
        y: plane.y(sample.value.as_ref().map_or(0.0, number)),
        column: hundredths(left),
        width: hundredths(right - left),
        label: match sample.days {
            Some((from, to)) => style.lang.days(from, to),
            None => style.lang.long_time(&sample.label, style.by_month),
        },
        value: sample.value.as_ref().map(written).unwrap_or_default(),
        before: sample.before.as_ref().map(written).unwrap_or_default(),
        is_there: sample.value.is_some(),
        is_told: values[place].is_some(),
        is_alone: is_alone(values, place),
        notes: sample.notes.clone(),
    }
}

/// The labels of the axis, as many as there is room for. A day stands at its midnight, and a year at the first label of it,
/// if the axis has more than one: so they are among those that stay where there is little room.
fn labels(samples: &[Sample], plane: &Plane, style: &Style) -> Vec<Tick> {
    let labelled = match hours(samples) {
        Some(labelled) => labelled,
        None => (0..samples.len()).step_by(samples.len().div_ceil(LABELS_MAX).max(1)).collect(),
    };
    let year = |place: &usize| samples[*place].label.get(..4).unwrap_or_default();
    let spans_years = year(&0) != year(&(samples.len() - 1));
    let begins_year = |order: usize| {
        spans_years && (order == 0 || year(&labelled[order - 1]) != year(&labelled[order]))
    };
    let is_day = |place: usize| has_date(samples, place);
    // What is told of a year or a day at its beginning is lost last.
    let landmark = (1..labelled.len()).find(|order| begins_year(*order));
    let landmark = landmark.or_else(|| labelled.iter().position(|place| is_day(*place)));
    let landmark = landmark.unwrap_or_default();
    let tick = |(order, place): (usize, &usize)| {
        let at = plane.x(*place);
        let label = &samples[*place].label;
        let label = if is_day(*place) { label.get(..10).unwrap_or(label) } else { label };
        let mut text = style.lang.short_time(label, style.by_month);
        if begins_year(order) {
            text = format!("{text} {}", year(place));
        }
        let anchor = match at {
            ..EDGE => "start",
            at if at > 100.0 - EDGE => "end",
            _ => "middle",
        };
        let apart = order.abs_diff(landmark);
        Tick { at, text, anchor, is_minor: apart % 2 == 1, is_spare: apart % 4 == 2 }
    };
    labelled.iter().enumerate().map(tick).collect()
}

/// Of buckets shorter than a day those that have labels: what people would read off a clock.
fn hours(samples: &[Sample]) -> Option<Vec<usize>> {
    let minute = |sample: &Sample| {
        let (_, time) = sample.label.split_once(' ')?;
        let time = time.parse::<jiff::civil::Time>().ok()?;
        Some(i32::from(time.hour()) * 60 + i32::from(time.minute()))
    };
    let minutes: Vec<i32> = samples.iter().map(minute).collect::<Option<_>>()?;
    let at = |step: i32| -> Vec<usize> {
        let is_at = |place: &usize| minutes[*place] % step == 0;
        (0..minutes.len()).filter(is_at).collect()
    };
    let fitting = MINUTES.into_iter().map(at).find(|labelled| labelled.len() <= LABELS_MAX);
    let midnights = || {
        let midnights = at(MINUTES_OF_A_DAY);
        let every = midnights.len().div_ceil(LABELS_MAX).max(1);
        midnights.into_iter().step_by(every).collect()
    };
    Some(fitting.unwrap_or_else(midnights))
}

/// Whether the label of a bucket is its day, and not its hour: it begins one of several days.
fn has_date(samples: &[Sample], place: usize) -> bool {
    let day = |place: usize| samples[place].label.parse::<DateTime>().ok().map(DateTime::date);
    let label = &samples[place].label;
    label.ends_with(" 00:00:00") && day(0) != day(samples.len() - 1)
}

/// The marks of the axis from 0 to its top.
pub(super) fn grid(step: f64, top: f64, lang: Lang, metric: Metric) -> Vec<Tick> {
    let mark = |mark: u32| {
        let value = f64::from(mark) * step;
        let at = hundredths(100.0 - 100.0 * value / top);
        Tick { at, text: lang.mark(metric, value), anchor: "end", is_minor: false, is_spare: false }
    };
    (0..=(top / step).round() as u32).map(mark).collect()
}

/// A step that people count in, and the multiple of it above the highest value, which is about so many steps high.
pub(super) fn scale(highest: f64, unit: Unit, marks: f64) -> (f64, f64) {
    let least = if unit == Unit::Ratio { 0.1 } else { 1.0 };
    let rough = (highest / marks).max(least);
    let magnitude = 10f64.powf(rough.log10().floor());
    let decimal = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * magnitude);
    let steps: &[f64] = if unit == Unit::Seconds { &SECONDS } else { &decimal };
    let step = steps.iter().copied().find(|step| *step >= rough).unwrap_or(decimal[3]);
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
    use serde_json::json;

    use super::*;

    fn style(is_unfinished: bool) -> Style {
        let lang = Lang::English;
        Style { lang, metric: Metric::Visitors, by_month: false, is_unfinished }
    }

    fn days(values: &[Option<u32>]) -> Vec<Sample> {
        let sample = |(day, value): (usize, &Option<u32>)| Sample {
            label: format!("2026-11-{:02}", day + 1),
            value: value.map(|value| json!(value)),
            before: Some(json!(1)),
            days: None,
            is_cut: false,
            notes: Vec::new(),
        };
        values.iter().enumerate().map(sample).collect()
    }

    #[test]
    fn the_axis_counts_in_steps_that_people_count_in() {
        for (highest, unit, expected) in [
            (0.0, Unit::Count, (1.0, 1.0)),
            (3.0, Unit::Count, (1.0, 3.0)),
            (17.0, Unit::Count, (5.0, 20.0)),
            (942.0, Unit::Count, (500.0, 1000.0)),
            (4_100.0, Unit::Count, (2_000.0, 6_000.0)),
            (48.0, Unit::Percent(0), (20.0, 60.0)),
            (137.0, Unit::Seconds, (60.0, 180.0)),
            (2.7, Unit::Ratio, (1.0, 3.0)),
        ] {
            assert_eq!(scale(highest, unit, MARKS), expected, "{highest}");
        }
    }

    #[test]
    fn a_low_axis_has_one_mark_above_0_or_two() {
        for highest in [4.0, 5.0, 6.0, 7.0, 23.0, 950.0, 1_001.0] {
            let (step, top) = scale(highest, Unit::Count, 2.0);
            let grid = grid(step, top, Lang::English, Metric::Visitors);
            assert!((2..=3).contains(&grid.len()) && top >= highest, "{highest}: {top}");
            assert_eq!((grid[0].at, grid[0].text.as_str()), (100.0, "0"));
        }
    }

    /// The labels of the axis on a wide screen, on a telephone, and on the smallest.
    fn axis(labels: &[&str], by_month: bool) -> [Vec<String>; 3] {
        let sample = |label: &&str| Sample {
            label: (*label).to_owned(),
            value: Some(json!(1)),
            before: None,
            days: None,
            is_cut: false,
            notes: Vec::new(),
        };
        let samples: Vec<Sample> = labels.iter().map(sample).collect();
        let chart = Chart::of(&samples, &Style { by_month, ..style(false) }).unwrap();
        let shown = |keeps: fn(&&Tick) -> bool| {
            chart.labels.iter().filter(keeps).map(|tick| tick.text.clone()).collect()
        };
        [
            shown(|_| true),
            shown(|tick| !tick.is_minor),
            shown(|tick| !tick.is_minor && !tick.is_spare),
        ]
    }

    #[test]
    fn an_axis_of_hours_says_which_day_begins_at_midnight() {
        let hours = |days: &[u32], from: usize, count: usize| -> Vec<String> {
            let hour = |day: &u32| {
                let day = *day;
                (0..24).map(move |hour| format!("2026-11-{day:02} {hour:02}:00:00"))
            };
            days.iter().flat_map(hour).skip(from).take(count).collect()
        };
        let axis = |labels: Vec<String>| {
            axis(&labels.iter().map(String::as_str).collect::<Vec<_>>(), false)
        };
        let [wide, telephone, smallest] = axis(hours(&[24, 25, 26], 0, 72));
        assert_eq!(wide, ["24 Nov", "12:00", "25 Nov", "12:00", "26 Nov", "12:00"]);
        assert_eq!(telephone, ["24 Nov", "25 Nov", "26 Nov"]);
        assert_eq!(smallest, ["24 Nov", "26 Nov"]);
        let [wide, ..] = axis(hours(&(1..=20).collect::<Vec<_>>(), 0, 480));
        assert_eq!(wide, ["1 Nov", "4 Nov", "7 Nov", "10 Nov", "13 Nov", "16 Nov", "19 Nov"]);
        let [wide, telephone, _] = axis(hours(&[26, 27], 14, 25));
        assert_eq!(wide[..5], ["15:00", "18:00", "21:00", "27 Nov", "03:00"]);
        assert_eq!(telephone, ["18:00", "27 Nov", "06:00", "12:00"]);
        // Of one day everybody knows which it is.
        let [wide, ..] = axis(hours(&[27], 0, 24));
        assert_eq!(wide[..2], ["00:00", "03:00"]);
    }

    #[test]
    fn an_axis_over_a_turn_of_the_year_says_which_years() {
        let months: Vec<String> = (0..13)
            .map(|month| format!("{}-{:02}-01", 2025 + (month + 10) / 12, (month + 10) % 12 + 1))
            .collect();
        let months: Vec<&str> = months.iter().map(String::as_str).collect();
        let [wide, telephone, _] = axis(&months, true);
        assert_eq!(wide, ["Nov 2025", "Jan 2026", "Mar", "May", "Jul", "Sep", "Nov"]);
        assert_eq!(telephone, ["Jan 2026", "May", "Sep"]);
        let [wide, ..] = axis(&months[2..], true);
        assert_eq!(wide[..2], ["Jan", "Mar"], "one year needs no number");
        let [wide, ..] = axis(&["2026-12-30", "2026-12-31", "2027-01-01", "2027-01-02"], false);
        assert_eq!(wide, ["30 Dec 2026", "31 Dec", "1 Jan 2027", "2 Jan"]);
    }

    #[test]
    fn a_line_goes_from_the_first_sample_to_the_last_within_the_drawing() {
        let values: Vec<_> = (0..30).map(Some).collect();
        let chart = Chart::of(&days(&values), &style(false)).unwrap();
        assert!(chart.line.starts_with("M0.0,200.0L"), "{}", chart.line);
        assert!(chart.line.ends_with("L1000.0,6.7"), "{}", chart.line);
        assert!(chart.points.iter().all(|point| (0.0..=100.0).contains(&point.y)));
        assert!(chart.labels.len() <= LABELS_MAX && !chart.before.is_empty());
        assert!(chart.unfinished.is_empty());
        assert!(Chart::of(&days(&[Some(1)]), &style(false)).is_none());
    }

    #[test]
    fn a_bucket_with_annotations_has_one_mark_below_it() {
        let mut samples = days(&[Some(1), Some(2), Some(3)]);
        let note = |id, text: &str| {
            let day = jiff::civil::date(2026, 11, 2);
            Note { id, day, date: "2 November 2026".into(), text: text.into() }
        };
        samples[1].notes = vec![note(7, "Relaunch"), note(8, "Sale")];
        let chart = Chart::of(&samples, &style(false)).unwrap();
        let [Marks { widths, marks }] = chart.marks.as_slice() else { panic!("several widths") };
        assert_eq!(widths, "narrow medium wide");
        let [mark] = marks.as_slice() else { panic!("{} marks", marks.len()) };
        assert_eq!((mark.at, mark.place, mark.first), (50.0, Some(1), 7));
        assert_eq!(mark.said, ["2 November 2026: Relaunch", "2 November 2026: Sale"]);
        assert_eq!(chart.points[1].notes.len(), 2);
        assert!(Chart::of(&days(&[Some(1), Some(2)]), &style(false)).unwrap().marks.is_empty());
    }

    #[test]
    fn marks_are_as_far_apart_as_fingers_need_and_say_all_that_is_near() {
        let mut samples = days(&[Some(1); 30]);
        for (day, sample) in samples.iter_mut().enumerate() {
            let date =
                jiff::civil::date(2026, 11, 1).saturating_add(jiff::Span::new().days(day as i64));
            let (id, text) = (day as u32 + 1, format!("of day {day}"));
            sample.notes = vec![Note { id, day: date, date: date.to_string(), text }];
        }
        let chart = Chart::of(&samples, &style(false)).unwrap();
        let [narrow, medium, wide] = chart.marks.as_slice() else { panic!("three widths") };
        for (marks, (name, spacing)) in [narrow, medium, wide].into_iter().zip(SPACING) {
            assert_eq!(marks.widths, name);
            assert!(marks.marks.windows(2).all(|pair| pair[1].at - pair[0].at >= spacing));
            let said: Vec<_> = marks.marks.iter().flat_map(|mark| &mark.said).collect();
            assert_eq!(said.len(), 30, "nothing is left out");
        }
        // Days are 3.45 percent apart.
        let counts = [narrow, medium, wide].map(|marks| marks.marks.len());
        assert_eq!(counts, [8, 15, 30]);
        assert_eq!((narrow.marks[1].first, narrow.marks[1].place), (5, None));
        assert_eq!((wide.marks[1].first, wide.marks[1].place), (2, Some(1)));
    }

    #[test]
    fn where_there_is_no_number_to_tell_the_line_has_a_gap() {
        let mut samples = days(&[Some(2), Some(4), None, Some(4), None, Some(2), Some(1)]);
        for (place, value) in [(2, json!(null)), (4, json!(null))] {
            samples[place].value = Some(value.clone());
            samples[place].before = Some(value);
        }
        let chart = Chart::of(&samples, &style(true)).unwrap();
        assert_eq!(chart.line, "M0.0,100.0L166.7,0.0M500.0,0.0h0M833.3,100.0h0");
        assert_eq!(chart.area, "M0.0,100.0L166.7,0.0L166.7,200L0.0,200Z");
        assert_eq!(chart.unfinished, "M833.3,100.0L1000.0,150.0");
        assert_eq!(chart.before.matches('M').count(), 3);
        assert!(chart.points[2].is_there && !chart.points[2].is_told);
        let alone: Vec<bool> = chart.points.iter().map(|point| point.is_alone).collect();
        assert_eq!(alone, [false, false, false, true, false, false, false]);
    }

    #[test]
    fn the_line_is_dashed_to_what_the_period_has_not_got_as_a_whole() {
        let mut samples = days(&[Some(1), Some(4), Some(4), Some(2)]);
        let day = |day| jiff::civil::date(2026, 11, day);
        let cut = |sample: &mut Sample, from, to| {
            sample.days = Some((day(from), day(to)));
            sample.is_cut = true;
        };
        cut(&mut samples[0], 1, 1);
        let chart = Chart::of(&samples, &style(false)).unwrap();
        assert_eq!(chart.unfinished, "M0.0,150.0L333.3,0.0");
        assert_eq!(chart.line, "M333.3,0.0L666.7,0.0L1000.0,100.0");
        cut(&mut samples[3], 16, 18);
        let chart = Chart::of(&samples, &style(false)).unwrap();
        assert_eq!(chart.unfinished, "M0.0,150.0L333.3,0.0M666.7,0.0L1000.0,100.0");
        assert_eq!(chart.line, "M333.3,0.0L666.7,0.0");
        assert_eq!(chart.points[0].label, "1 November 2026");
        assert_eq!(chart.points[3].label, "16 – 18 November 2026");
        assert!(chart.is_cut);
        samples[1].days = Some((day(2), day(8)));
        let chart = Chart::of(&samples, &style(false)).unwrap();
        assert_eq!(chart.points[1].label, "2 – 8 November 2026");
        assert_eq!(chart.line, "M333.3,0.0L666.7,0.0", "a whole week is not dashed");
        let two = [samples.remove(0), samples.remove(2)];
        assert_eq!(Chart::of(&two, &style(false)).unwrap().unfinished, "M0.0,100.0L1000.0,0.0");
    }

    #[test]
    fn a_line_ends_now_and_its_last_stretch_is_apart() {
        let chart =
            Chart::of(&days(&[Some(2), Some(4), Some(1), None, None]), &style(true)).unwrap();
        assert_eq!(chart.line, "M0.0,100.0L250.0,0.0");
        assert_eq!(chart.unfinished, "M250.0,0.0L500.0,150.0");
        assert!(chart.before.ends_with("L1000.0,150.0"), "what is compared with goes on");
        assert!(!chart.points[3].is_there && chart.points[2].is_there);
    }
}
