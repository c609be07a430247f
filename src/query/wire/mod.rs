//! The wire form of a query, read: every part has its shape, and every name is known.
//!
//! What the parts mean together, and what the time is, is not known here: that is [`Query`]'s part.
//!
//! [`Query`]: super::Query

mod extras;

use serde_json::{Map, Value};

use self::extras::{include, order, page};
use super::comparison::Comparison;
use super::dimension::{Dimension, Field, GOAL, PROPERTIES, PropertyName};
use super::error::{Problems, QueryError, child, shown};
use super::filter::Filter;
use super::filter::segments::{Places, Segments};
use super::interval::Interval;
use super::measure::Measure;
use super::period::Range;
use crate::site::segment::Segment;

/// The most rows of an answer, and how many it has when nothing is said.
pub(super) const LIMIT_MAX: u64 = 10_000;

/// The keys of a query.
pub(super) const KEYS: [&str; 8] = [
    "site_id",
    "metrics",
    "date_range",
    "dimensions",
    "filters",
    "order_by",
    "include",
    "pagination",
];

/// The most entries of the lists `metrics`, `dimensions`, `filters` and `order_by`.
pub(super) const ENTRIES_MAX: usize = 100;

/// The most comparisons in all filters: each may need parameters of its own, and a look at the visits.
const TESTS_MAX: usize = 100;

/// The most bytes of values in all filters: escaped, they go into the database's request line of 1 MiB.
const TESTS_BYTES_MAX: usize = 128 * 1024;

/// A query whose parts are well-formed, each by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Wire {
    pub(super) metrics: Vec<Measure>,
    pub(super) dimensions: Vec<Breakdown>,
    pub(super) range: Range,
    pub(super) filters: Filters,
    pub(super) order: Vec<Order>,
    pub(super) include: Include,
    pub(super) page: Page,
}

/// Filters that are well-formed, each by itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Filters {
    /// Each with its place in the query's list: a segment there may be several here.
    pub(super) each: Vec<(usize, Filter)>,
    /// Which of them are of segments.
    pub(super) of_segments: Places,
}

/// A dimension as asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Breakdown {
    /// This one.
    By(Dimension),
    /// `time`: by whichever interval fits the period.
    ByTime,
    /// `event:goal`: by the goals that the site has.
    ByGoal,
}

/// What rows are sorted by: the place of a metric or a dimension in the query's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderKey {
    /// The metric at this place.
    Metric(usize),
    /// The dimension at this place.
    Dimension(usize),
    /// The visitors, which are not among the metrics. Not to be asked for.
    Visitors,
}

/// One entry of `order_by`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// By what.
    pub key: OrderKey,
    /// From the greatest to the least.
    pub descending: bool,
}

/// What an answer has besides its rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Include {
    /// What was imported from elsewhere. Ours is not told apart: it counts in any case.
    pub imports: bool,
    /// The labels of every bucket of the period, with data or without.
    pub time_labels: bool,
    /// How many rows there are without pagination.
    pub total_rows: bool,
    /// A row for every bucket of time, also where nothing happened.
    pub zero_fill: bool,
    /// What each row is compared with.
    pub comparison: Option<Comparison>,
}

/// Which of the rows an answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most so many: 1 to 10,000.
    pub limit: u64,
    /// After so many.
    pub offset: u64,
}

impl Wire {
    /// Reads a query, which may name these segments.
    ///
    /// # Errors
    /// Everything that is wrong with its form, all at once.
    pub fn parse(value: &Value, segments: &[Segment]) -> Result<Self, QueryError> {
        let mut problems = Problems::default();
        let wire = Self::read(value, segments, &mut problems);
        problems.finish(wire)
    }

    /// Whether the period depends on when the site's first event was.
    pub fn needs_first_event(&self) -> bool {
        self.range.needs_first_event()
    }

    fn read(value: &Value, segments: &[Segment], problems: &mut Problems) -> Option<Self> {
        let Some(parts) = value.as_object() else {
            return problems
                .note("#", format!("Invalid query {}: it is a JSON object.", shown(value)));
        };
        refuse_other_keys(parts, &KEYS, "#", "a query", problems);
        if required(parts, "site_id", problems).is_some_and(|site| !site.is_string()) {
            problems.note::<()>(
                "#/site_id",
                format!("Invalid site_id {}: a string.", shown(&parts["site_id"])),
            );
        }
        let metrics =
            required(parts, "metrics", problems).and_then(|value| metrics(value, problems));
        let range = required(parts, "date_range", problems)
            .and_then(|value| Range::parse(value, "#/date_range", problems));
        let dimensions = match parts.get("dimensions") {
            None => Some(Vec::new()),
            Some(value) => dimensions(value, problems),
        };
        let filters = filters(parts.get("filters"), segments, problems);
        let order = match (&metrics, &dimensions) {
            (Some(metrics), Some(dimensions)) => {
                order(parts.get("order_by"), metrics, dimensions, problems)
            }
            // What could be sorted by is not known.
            _ => None,
        };
        let include = include(parts.get("include"), problems);
        let page = page(parts.get("pagination"), problems);
        Some(Self {
            metrics: metrics?,
            dimensions: dimensions?,
            range: range?,
            filters: filters?,
            order: order?,
            include: include?,
            page: page?,
        })
    }
}

fn required<'query>(
    parts: &'query Map<String, Value>,
    key: &str,
    problems: &mut Problems,
) -> Option<&'query Value> {
    parts
        .get(key)
        .or_else(|| problems.note(format!("#/{key}"), format!("Missing: {key} is required.")))
}

fn refuse_other_keys(
    parts: &Map<String, Value>,
    known: &[&str],
    pointer: &str,
    what: &str,
    problems: &mut Problems,
) {
    for key in parts.keys().filter(|key| !known.contains(&key.as_str())) {
        let message = format!("Unknown key {key:?}: {what} has the keys {}.", known.join(", "));
        problems.note::<()>(child(pointer, key), message);
    }
}

/// The entries of a list, which may neither be too many nor repeat.
fn entries<'query>(
    value: &'query Value,
    key: &str,
    problems: &mut Problems,
) -> Option<&'query [Value]> {
    let pointer = format!("#/{key}");
    let Some(list) = value.as_array() else {
        return problems.note(pointer, format!("Invalid {key} {}: a list.", shown(value)));
    };
    if list.len() > ENTRIES_MAX {
        return problems.note(
            pointer,
            format!("Invalid {key}: {} entries, at most {ENTRIES_MAX}.", list.len()),
        );
    }
    for (index, entry) in list.iter().enumerate() {
        if key != "filters" && list[..index].contains(entry) {
            return problems.note(
                format!("{pointer}/{index}"),
                format!("Invalid {key}: {} is there twice.", shown(entry)),
            );
        }
    }
    Some(list)
}

fn metrics(value: &Value, problems: &mut Problems) -> Option<Vec<Measure>> {
    let list = entries(value, "metrics", problems)?;
    if list.is_empty() {
        return problems.note("#/metrics", "Invalid metrics []: at least one metric is required.");
    }
    each(list, |index, entry| {
        let metric = entry.as_str().and_then(Measure::named);
        metric.or_else(|| {
            problems.note(format!("#/metrics/{index}"), format!("Invalid metric {}", shown(entry)))
        })
    })
}

fn dimensions(value: &Value, problems: &mut Problems) -> Option<Vec<Breakdown>> {
    let list = entries(value, "dimensions", problems)?;
    each(list, |index, entry| {
        let dimension = entry.as_str().and_then(Breakdown::named);
        dimension.or_else(|| {
            problems.note(
                format!("#/dimensions/{index}"),
                format!("Invalid dimension {}", shown(entry)),
            )
        })
    })
}

/// Reads every entry, so that every problem is told.
fn each<T>(list: &[Value], mut read: impl FnMut(usize, &Value) -> Option<T>) -> Option<Vec<T>> {
    let read: Vec<_> = list.iter().enumerate().map(|(index, entry)| read(index, entry)).collect();
    read.into_iter().collect()
}

impl Breakdown {
    fn named(name: &str) -> Option<Self> {
        match name {
            "time" => return Some(Self::ByTime),
            GOAL => return Some(Self::ByGoal),
            PROPERTIES => return Some(Self::By(Dimension::Properties)),
            _ => {}
        }
        let field = Field::named(name).map(Dimension::Field);
        let time = || Interval::named(name).map(Dimension::Time);
        let property = || PropertyName::of_dimension(name).map(Dimension::Property);
        field.or_else(time).or_else(property).map(Self::By)
    }

    pub(super) fn is_time(&self) -> bool {
        matches!(self, Self::ByTime | Self::By(Dimension::Time(_)))
    }
}

pub(super) fn filters(
    value: Option<&Value>,
    segments: &[Segment],
    problems: &mut Problems,
) -> Option<Filters> {
    let Some(value) = value else { return Some(Filters::default()) };
    let list = entries(value, "filters", problems)?;
    let mut segments = Segments::of(segments);
    let pointer = |index: usize| format!("#/filters/{index}");
    let expanded: Vec<_> = list
        .iter()
        .enumerate()
        .map(|(index, entry)| segments.expand(entry, &pointer(index), problems))
        .collect();
    let (of_segments, before) = (segments.places(), problems.count());
    // Every entry is looked at, so that every problem is told.
    let read: Vec<Option<Vec<_>>> = expanded
        .iter()
        .enumerate()
        .map(|(index, entries)| {
            let pointer = pointer(index);
            let read = each(entries.as_ref()?, |_, entry| Filter::parse(entry, &pointer, problems));
            Some(read?.into_iter().map(|filter| (index, filter)).collect())
        })
        .collect();
    of_segments.name(problems.since(before));
    let filters: Vec<_> =
        read.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
    let tests: Vec<_> = filters.iter().flat_map(|(_, filter)| filter.tests()).collect();
    let bytes: usize = tests.iter().flat_map(|test| &test.values).map(String::len).sum();
    if tests.len() > TESTS_MAX || bytes > TESTS_BYTES_MAX {
        let rule =
            format!("at most {TESTS_MAX} comparisons with values of {TESTS_BYTES_MAX} bytes.");
        let message = format!("Invalid filters: {} with {bytes} bytes in all; {rule}", tests.len());
        return problems.note("#/filters", message);
    }
    Some(Filters { each: filters, of_segments })
}
