//! What may be asked by readers who are told no small numbers, and the questions behind their answers.
//!
//! Such a reader must not find out a small number by taking the difference of two answers. So few
//! questions are permitted, and all answers are made of the same few numbers (`report::floor`): those of
//! whole days that are over, and of the values of one dimension.
//!
//! The filters of such a reader choose among the rows that are told, and change none of them.

use jiff::{SignedDuration, Timestamp, ToSpan};

use super::compile::of_floor;
use super::dimension::{Dimension, Field};
use super::error::Problems;
use super::filter::{Comparison, Filter, Subject, Test};
use super::interval::Interval;
use super::measure::Measure;
use super::metric::Metric;
use super::period::{Period, start_of};
use super::statement::Statement;
use super::wire::{Include, Page};
use super::{Known, Query};
use crate::site::floor::Floor;

/// The metrics that such a reader may ask for: all others are about few, or about one.
const METRICS: [Metric; 8] = [
    Metric::Visitors,
    Metric::Visits,
    Metric::Pageviews,
    Metric::Events,
    Metric::ViewsPerVisit,
    Metric::BounceRate,
    Metric::VisitDuration,
    Metric::Percentage,
];

/// The dimensions. Those that are missing say more of one that is there, or are the site's own.
const FIELDS: [Field; 18] = [
    Field::Page,
    Field::EntryPage,
    Field::ExitPage,
    Field::Source,
    Field::Channel,
    Field::UtmSource,
    Field::UtmMedium,
    Field::UtmCampaign,
    Field::UtmContent,
    Field::UtmTerm,
    Field::Device,
    Field::Screen,
    Field::Browser,
    Field::Os,
    Field::Language,
    Field::Country,
    Field::CountryName,
    Field::Hostname,
];

/// The intervals, all of whole days.
const INTERVALS: [Interval; 5] =
    [Interval::Day, Interval::Week, Interval::Month, Interval::Quarter, Interval::Year];

/// What a query of such a reader has besides.
#[derive(Clone, Debug, PartialEq)]
pub struct Floored {
    /// The least number of visitors that is told.
    pub floor: Floor,
    /// The last second of the last day that is over.
    pub(super) over: Timestamp,
    /// The moment of asking.
    pub(super) now: Timestamp,
    /// Which of the rows are wanted.
    pub picked: Vec<Test>,
    /// Whether the reader may see a part of the site only: then what is not in it must not be few.
    pub(super) is_part: bool,
}

impl Floored {
    pub(super) fn of(floor: Floor, known: &Known<'_>, picked: Vec<Test>) -> Self {
        let zone = &known.site.timezone;
        let today = start_of(zone.to_datetime(known.now).date(), zone);
        let over = today.saturating_sub(SignedDuration::from_secs(1)).unwrap_or(today);
        Self { floor, over, now: known.now, picked, is_part: !known.within.is_empty() }
    }
}

/// Refuses what such a reader may not ask.
pub(super) fn check(query: &Query, problems: &mut Problems) {
    const WHY: &str = "small numbers are not told to this reader, and";
    for (index, metric) in query.metrics.iter().enumerate() {
        let by_page = query.dimensions.contains(&Dimension::Field(Field::Page));
        let by_value = query.dimensions.iter().any(|by| !matches!(by, Dimension::Time(_)));
        let why = match metric.metric() {
            // A mean is not rounded, and one visit may be most of it: two lists of nearly the same visitors would tell of the
            // few by whom they differ.
            Some(Metric::VisitDuration) if by_value => "it is told of whole days alone.",
            Some(Metric::BounceRate | Metric::ViewsPerVisit) if by_page => {
                "it is not told by page."
            }
            Some(metric) if METRICS.contains(&metric) => continue,
            _ => "it could tell of few.",
        };
        let message = format!("Invalid metric \"{metric}\": {WHY} {why}");
        problems.note::<()>(format!("#/metrics/{index}"), message);
    }
    for (index, dimension) in query.dimensions.iter().enumerate() {
        let is_permitted = match dimension {
            Dimension::Field(field) => FIELDS.contains(field),
            Dimension::Time(interval) => INTERVALS.contains(interval),
            Dimension::Property(_) | Dimension::Properties | Dimension::Goal(_) => false,
        };
        if !is_permitted {
            let message = format!("Invalid dimension \"{dimension}\": {WHY} it could tell of few.");
            problems.note::<()>(format!("#/dimensions/{index}"), message);
        }
    }
    // A country and its name are one dimension.
    let is_country = query.dimensions
        == [Dimension::Field(Field::Country), Dimension::Field(Field::CountryName)];
    if query.dimensions.len() > 1 && !is_country {
        let message =
            format!("Invalid dimensions: {WHY} numbers are told by one dimension at most.");
        problems.note::<()>("#/dimensions", message);
    }
    let picks = |test: &Test| {
        let by = query.dimensions.iter().any(|dimension| is_about(test, dimension));
        by && (matches!(test.comparison, Comparison::Is | Comparison::Contains | Comparison::IsSet)
            || is_of_any(test))
    };
    let picked = query.floored.iter().flat_map(|floored| &floored.picked);
    if picked.into_iter().any(|test| !picks(test)) {
        problems.note::<()>("#/filters", format!("Invalid filters: {FILTERS}"));
    }
    let periods = [Some(query.period.clone()), query.compared().map(|other| other.period)];
    if periods.iter().flatten().any(|period| !period.is_of_whole_days()) {
        let message = format!("Invalid date_range: {WHY} numbers are told of whole days.");
        problems.note::<()>("#/date_range", message);
    }
}

/// The rule of filters.
pub(super) const FILTERS: &str = "small numbers are not told to this reader, and filters only choose among the rows that are \
     told, by is, contains or is_set and the dimension of the report.";

/// `matches .`: whatever is not blank, as the older dialect says it.
fn is_of_any(test: &Test) -> bool {
    test.comparison == Comparison::Matches && test.values == ["."]
}

/// Whether a test looks for values, rather than leaving some out: what is told together is none of them.
pub fn looks_for(test: &Test) -> bool {
    !test.negated && matches!(test.comparison, Comparison::Is | Comparison::Contains)
}

/// Whether a test is about a dimension.
pub fn is_about(test: &Test, dimension: &Dimension) -> bool {
    match (dimension, &test.subject) {
        (Dimension::Field(field), Subject::Field(of_test)) => field == of_test,
        _ => false,
    }
}

/// Whether a row with this value is wanted.
pub fn picks(test: &Test, value: &str) -> bool {
    let folded =
        |text: &str| if test.case_sensitive { text.to_owned() } else { text.to_lowercase() };
    let blank = match &test.subject {
        Subject::Field(field) => folded(field.spec().blank),
        Subject::Property(_) | Subject::Goal(_) => String::new(),
    };
    let value = folded(value);
    let mut values = test.values.iter().map(|wanted| folded(wanted));
    let is_blank = value.is_empty() || value == blank;
    let found = match test.comparison {
        // A blank has other names than that which it is shown by.
        Comparison::Is => {
            values.any(|wanted| wanted == value) || (is_blank && test.values_and_blank().1)
        }
        // What it is shown by is no text of its own, but for channels, which are stored by it.
        Comparison::Contains if is_blank && test.subject != Subject::Field(Field::Channel) => {
            values.any(|wanted| wanted.is_empty())
        }
        Comparison::Contains => values.any(|wanted| value.contains(&wanted)),
        // The others are refused, but for what is not blank.
        Comparison::IsSet
        | Comparison::StartsWith
        | Comparison::EndsWith
        | Comparison::Matches
        | Comparison::MatchesWildcard => !is_blank,
    };
    found != test.negated
}

impl Query {
    /// What it has besides, if its reader is told no small numbers.
    pub fn floored(&self) -> Option<&Floored> {
        self.floored.as_ref()
    }

    /// Whether a visitor may be in several rows: of pages, and of hosts.
    pub fn has_overlapping_rows(&self) -> bool {
        self.dimensions.iter().any(Dimension::is_of_event)
    }

    /// The days of the period that are over, first and last; `None` without any.
    pub fn days_over(&self) -> Option<[jiff::civil::Date; 2]> {
        let over = self.period.local(self.floored()?.over.as_second()).date();
        let (from, to) = (self.period.from_local().date(), self.period.to_local().date().min(over));
        (from <= to).then_some([from, to])
    }

    /// The first day that the site still keeps, where it does not keep all.
    pub fn kept_from_day(&self) -> Option<jiff::civil::Date> {
        self.kept_from.map(|kept| self.period.local(kept.as_second()).date())
    }

    /// The query of each day of the months that the period touches. What is told of a day must not hang on
    /// which other days are asked for: so whole months are asked for and, since a visit belongs to the day
    /// on which it ends, a day more.
    pub fn of_days(&self) -> Self {
        self.behind(vec![Dimension::Time(Interval::Day)], vec![])
    }

    /// The same of the whole site, where the reader sees a part of it.
    pub fn of_days_outside(&self) -> Option<Self> {
        let is_part = self.floored().is_some_and(|floored| floored.is_part);
        is_part.then(|| Self { filters: Vec::new(), ..self.of_days() })
    }

    fn behind(&self, time: Vec<Dimension>, dimensions: Vec<Dimension>) -> Self {
        let first = self.period.from_local().date().first_of_month();
        let last = self.period.to_local().date().last_of_month().saturating_add(1.day());
        let period = Period::of_days(first, last, self.period.zone());
        let now = self.floored.as_ref().map_or(period.to(), |floored| floored.now);
        let period = period.until(now);
        let dimensions: Vec<_> = dimensions.into_iter().chain(time).collect();
        let metrics = self.behind_metrics(&dimensions).into_iter().map(Measure::Metric).collect();
        Self {
            dimensions,
            metrics,
            period,
            order: Vec::new(),
            include: Include::default(),
            page: Page { limit: super::FILLED_ROWS_MAX, offset: 0 },
            floored: None,
            ..self.clone()
        }
    }

    /// The metrics that those asked for are made of, in the order of [`Self::BEHIND`]. Page views are always
    /// among them where they have a meaning, so that visitors are counted in one and the same way.
    fn behind_metrics(&self, dimensions: &[Dimension]) -> Vec<Metric> {
        let wants = |metrics: &[Metric]| {
            self.metrics.iter().filter_map(Measure::metric).any(|asked| metrics.contains(&asked))
        };
        let of_visits = dimensions.iter().any(Dimension::is_of_visit);
        let by_page = dimensions.iter().any(Dimension::is_of_event);
        let rates = [Metric::BounceRate, Metric::VisitDuration, Metric::ViewsPerVisit];
        let wanted = |metric: &Metric| match metric {
            Metric::Visitors => true,
            Metric::Pageviews => !of_visits,
            Metric::Events => !of_visits && wants(&[Metric::Events]),
            Metric::Visits => wants(&[Metric::Visits]) || wants(&rates),
            metric => !by_page && wants(&[*metric]),
        };
        Self::BEHIND.into_iter().filter(wanted).collect()
    }

    /// What all metrics that such a reader may ask for are made of.
    pub const BEHIND: [Metric; 6] = [
        Metric::Visitors,
        Metric::Visits,
        Metric::Pageviews,
        Metric::Events,
        Metric::BounceRate,
        Metric::VisitDuration,
    ];
}

/// The statement whose rows are values of the query's dimensions, a block of days, and what they come to.
///
/// That is the metrics behind the query in their order, with how many visits bounced for the bounce rate. Of each pair of `blocks`, a day and the name of its block. Values
/// with fewer visitors than the floor are not among the rows.
pub fn cells(
    query: &Query,
    blocks: Vec<(String, String)>,
    floor: Floor,
) -> (Vec<Metric>, Statement) {
    let day = vec![Dimension::Time(Interval::Day)];
    let behind = query.behind(day, query.dimensions.clone());
    let metrics = behind.metrics.iter().filter_map(Measure::metric).collect();
    (metrics, of_floor::cells(&behind, blocks, floor))
}

impl Query {
    /// The filters of a reader who is told no small numbers, if they are single tests.
    pub(super) fn picked(filters: Vec<Filter>, problems: &mut Problems) -> Vec<Test> {
        let test = |filter: Filter| match filter {
            Filter::Test(test) => Some(test),
            Filter::All(_) | Filter::Any(_) | Filter::Not(_) | Filter::Done(..) => None,
        };
        let tests: Option<Vec<_>> = filters.into_iter().map(test).collect();
        tests
            .or_else(|| problems.note("#/filters", format!("Invalid filters: {FILTERS}")))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_is_picked_by_each_of_its_names_and_by_no_part_of_the_one_that_is_shown() {
        let test = |field, comparison, negated, value: &str| Test {
            subject: Subject::Field(field),
            comparison,
            negated,
            values: vec![value.to_owned()],
            case_sensitive: true,
            numbers: false,
        };
        for field in [Field::UtmSource, Field::Source, Field::EntryPage, Field::Os] {
            let shown = field.spec().blank;
            for name in field.blank_names().iter().copied().chain([shown]) {
                let is = test(field, Comparison::Is, false, name);
                assert!(picks(&is, shown), "{name} for {shown}");
                assert!(!picks(&is, "other"), "{name}");
                assert!(!picks(&test(field, Comparison::Is, true, name), shown), "not {name}");
            }
            let part = test(field, Comparison::Contains, false, "e");
            assert!(!picks(&part, shown) && picks(&part, "the other"), "{shown}");
        }
        assert!(picks(&test(Field::Channel, Comparison::Contains, false, "ire"), "Direct"));
    }
}
