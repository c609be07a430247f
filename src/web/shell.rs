//! What the pages of a site have in common above their numbers: the bar with its menus, and the filters.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::ask::Asker;
use super::filter::{Filter, GOAL, Relation, SEGMENT, VALUES_MAX};
use super::frame::Link;
use super::panels;
use super::ranking::product_of;
use super::view::{Comparison, PERIODS, Span, Typed, View};
use super::words::{Lang, Words, countries, fill, languages, names, values};
use crate::http::links::in_a_path;
use crate::query::dimension::DIRECT_OR_NONE;
use crate::query::{Dialect, Query};
use crate::site::member::Role;
use crate::site::segment::Segment;

/// How many values the form for filters has fields for; more are added to a filter that is there.
const VALUE_FIELDS: usize = 5;

/// What `bar.html` and `filters.html` need.
pub(super) struct Shell {
    pub(super) site: String,
    /// The site's page, with this view.
    pub(super) home: String,
    /// What happens right now; not where small numbers are not told.
    pub(super) live: Option<String>,
    /// Whether the numbers can be filtered.
    pub(super) can_filter: bool,
    /// That small numbers are not told, if they are not.
    pub(super) note: Option<String>,
    /// That filters of the URL were left out, because they are none, or are not for this reader.
    pub(super) lost_filter: Option<&'static str>,
    /// How many values a filter has at most.
    pub(super) values_max: usize,
    /// The filter that was typed and can not be asked for, and why.
    pub(super) untaken: Option<Untaken>,
    /// What leads on where nothing meets the filters; whether that is so, the page knows.
    pub(super) loosened: Vec<Link>,
    /// The values that the page shows, which are offered where one is typed.
    pub(super) values: Vec<Offered>,
    pub(super) goals: Vec<String>,
    /// Where the site is set up, for those who may.
    pub(super) settings: Option<String>,
    /// How many visitors are there now, in words.
    pub(super) now: String,
    pub(super) is_busy: bool,
    /// Whether the page is about the view's period.
    pub(super) is_timed: bool,
    /// What the period is called, and its days.
    pub(super) period: String,
    pub(super) range: String,
    pub(super) periods: Vec<Vec<Link>>,
    /// The stretches of the same length before this one and after it, where they are days.
    pub(super) earlier: Option<Link>,
    pub(super) later: Option<Link>,
    pub(super) comparison: String,
    pub(super) comparisons: Vec<Link>,
    /// The days of the comparison, for the form.
    pub(super) compared_days: [String; 2],
    /// The days of the period, for the form.
    pub(super) days: [String; 2],
    pub(super) pills: Vec<Pill>,
    /// The view without filters.
    pub(super) bare: String,
    /// What the URL says, for forms.
    pub(super) hidden: Vec<(String, String)>,
    /// The dimensions of the form for filters: name and label.
    pub(super) dimensions: Vec<(&'static str, String)>,
    pub(super) relations: Vec<(&'static str, &'static str)>,
    /// The view with each of the site's saved segments.
    pub(super) segments: Vec<Link>,
}

/// A filter that was typed in vain.
pub(super) struct Untaken {
    pub(super) dimension: String,
    pub(super) relation: &'static str,
    pub(super) values: Vec<String>,
    /// The place of the filter that they were typed for, if it was one of the view.
    pub(super) among: Option<usize>,
    pub(super) error: String,
}

impl Untaken {
    /// The value at a place, from 0.
    fn value(&self, place: usize) -> &str {
        self.values.get(place).map_or("", String::as_str)
    }
}

/// A value of a dimension, by its name and its label.
pub(super) struct Offered {
    pub(super) dimension: &'static str,
    pub(super) label: String,
    pub(super) value: String,
}

/// A filter, as it is shown.
pub(super) struct Pill {
    /// The names of its dimension and relation in queries.
    pub(super) names: [String; 2],
    pub(super) dimension: String,
    pub(super) relation: &'static str,
    pub(super) values: Vec<PillValue>,
    /// The view with the opposite, where there is one.
    pub(super) turn: Option<String>,
    pub(super) remove: String,
    pub(super) remove_label: String,
    /// What adds a value to it.
    pub(super) add_label: String,
    /// The values that can be added, each by its name and its label, where they are chosen and not typed.
    pub(super) choices: Option<Vec<(String, String)>>,
    /// The list of the values that it would leave out.
    pub(super) others: String,
}

impl Pill {
    /// Whether there is a value that can be added.
    pub(super) fn has_choice(&self) -> bool {
        self.values.len() < VALUES_MAX
            && self.choices.as_ref().is_none_or(|choices| !choices.is_empty())
    }
}

/// One of the values of a filter.
pub(super) struct PillValue {
    pub(super) label: String,
    /// The view without it, where there are others.
    pub(super) remove: Option<String>,
    pub(super) remove_label: String,
}

impl Shell {
    pub(super) fn of(asker: &Asker, now: u64) -> Self {
        let (view, words) = (&asker.view, asker.words());
        let days = days(asker);
        let [period, range] = period(asker);
        let [earlier, later] = neighbours(asker);
        let visitors = asker.lang.whole(now as f64);
        Self {
            site: asker.site.domain.clone(),
            home: asker.home() + &view.url(),
            live: asker.floor.is_none().then(|| asker.home() + "/live" + &view.url()),
            can_filter: asker.floor.is_none(),
            lost_filter: asker.view.has_lost_filter.then_some(match asker.floor {
                Some(_) => words.no_filters_here,
                None => words.lost_filter,
            }),
            untaken: asker.untaken.as_ref().map(|(Typed { filter, among }, error)| Untaken {
                dimension: filter.dimension.clone(),
                relation: filter.relation.name(),
                values: filter.values.clone(),
                among: *among,
                error: error.clone(),
            }),
            loosened: loosened(asker),
            values_max: VALUES_MAX,
            values: Vec::new(),
            goals: asker.site.goals.iter().map(|goal| goal.name.clone()).collect(),
            note: note(asker),
            settings: asker.may(Role::Editor).then(|| asker.home() + "/settings" + &view.url()),
            now: fill(words.now_there, &[&visitors]),
            is_busy: now > 0,
            is_timed: true,
            earlier,
            later,
            range,
            period,
            periods: PERIODS
                .iter()
                .map(|group| group.iter().flat_map(|name| period_links(asker, name)).collect())
                .filter(|group: &Vec<Link>| !group.is_empty())
                .collect(),
            comparison: view.comparison.in_words(asker.lang),
            comparisons: if view.period == Span::Named("all".to_owned()) {
                Vec::new()
            } else {
                Comparison::NAMED.into_iter().map(|other| comparison_link(asker, other)).collect()
            },
            compared_days: compared_days(asker)
                .map_or_else(Default::default, |days| days.map(|day| day.to_string())),
            days: days.map_or_else(Default::default, |days| days.map(|day| day.to_string())),
            pills: view.filters.iter().map(|filter| pill(asker, filter)).collect(),
            bare: asker.here(&view.without_filters()),
            hidden: owned(view.pairs().into_iter().chain(asker.listing.at(1).pairs()).collect()),
            dimensions: names::filterable()
                .filter(|name| panels::is_measured(name, asker.site.policy.profile))
                // One of the site's goals is chosen, and either met or not asked about.
                .filter(|name| *name != GOAL)
                .map(|name| (name, names::one_of(asker.lang, name)))
                .collect(),
            segments: asker
                .site
                .segments
                .iter()
                .map(|segment| segment_link(asker, segment))
                .collect(),
            relations: Relation::ALL.map(|known| (known.name(), known.label(words))).to_vec(),
        }
    }

    /// The places of the fields for further values of a filter: as many as were typed in vain, or a few.
    pub(super) fn more_values(&self) -> std::ops::Range<usize> {
        let typed = self.untaken.as_ref().map_or(0, |untaken| untaken.values.len());
        1..typed.max(VALUE_FIELDS)
    }

    /// What was typed in vain into one of the fields for values, from 0.
    pub(super) fn typed(&self, place: &usize) -> &str {
        self.untaken.as_ref().map_or("", |untaken| untaken.value(*place))
    }

    /// The place of the filter for which values were typed in vain, if it was one of the view.
    pub(super) fn among(&self) -> Option<usize> {
        self.untaken.as_ref().and_then(|untaken| untaken.among)
    }

    /// Whether a filter that was typed in vain has this dimension, relation or value.
    pub(super) fn is_typed(&self, part: &str) -> bool {
        let is_of = |untaken: &Untaken| {
            [untaken.dimension.as_str(), untaken.relation, untaken.value(0)].contains(&part)
        };
        self.untaken.as_ref().is_some_and(is_of)
    }

    /// With the values of a list that the page shows, by the names that they are read by.
    pub(super) fn offering<'a>(
        mut self,
        asker: &Asker,
        dimension: &str,
        labels: impl Iterator<Item = &'a str>,
    ) -> Self {
        let words = asker.words();
        let none = [words.none, words.no_referrer, words.small_numbers];
        // What is read there as a version is its product as well.
        let is_typed = |name: &str| name == dimension && product_of(name).is_none();
        if let Some((name, label)) = self.dimensions.iter().find(|(name, _)| is_typed(name)) {
            let values = labels.filter(|value| !none.contains(value));
            self.values.extend(values.map(|value| Offered {
                dimension: name,
                label: label.clone(),
                value: value.to_owned(),
            }));
        }
        self
    }

    /// Of a page whose numbers are not compared: there is nothing to choose.
    pub(super) fn uncompared(self) -> Self {
        Self { comparisons: Vec::new(), ..self }
    }
}

/// What readers are told who are told no small numbers.
pub(super) fn note(asker: &Asker) -> Option<String> {
    let least = asker.floor?.least().to_string();
    Some(fill(asker.words().floor_note, &[&least, &least]))
}

/// What the view's period is called, and its days, if they are not what it is called.
pub(super) fn period(asker: &Asker) -> [String; 2] {
    let range = days(asker).map_or_else(String::new, |[from, to]| asker.lang.days(from, to));
    let past = past_periods(asker).into_iter().find(|(_, span, _)| *span == asker.view.period);
    let label = asker.view.period.label(asker.words()).or(past.map(|(_, _, label)| label));
    match label {
        Some(label) => [label.to_owned(), range],
        None => [range, String::new()],
    }
}

/// Pairs that outlive the view.
pub(super) fn owned(pairs: Vec<(&str, String)>) -> Vec<(String, String)> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The first and the last day of the view's period; of all time only the last is known here.
pub(super) fn days(asker: &Asker) -> Option<[Date; 2]> {
    if asker.view.is_of_all_time() {
        return None;
    }
    let query = json!({
        "site_id": asker.site.domain, "metrics": ["visitors"], "date_range": asker.view.period.to_query(),
    });
    let query = Query::parse(&query, &asker.known(Dialect::V2)).ok()?;
    Some([query.period().from_local().date(), query.period().to_local().date()])
}

/// The first and the last day of what the view is compared with or, without a comparison, of the period before; nothing of all time.
fn compared_days(asker: &Asker) -> Option<[Date; 2]> {
    let view = match asker.view.comparison {
        Comparison::Days(from, to) => return Some([from, to]),
        Comparison::Nothing => &asker.view.with_comparison(Comparison::Before),
        Comparison::Before | Comparison::YearBefore => &asker.view,
    };
    let query = json!({
        "site_id": asker.site.domain, "metrics": ["visitors"], "date_range": view.period.to_query(),
        "include": { "comparisons": view.compared()? },
    });
    let other = Query::parse(&query, &asker.known(Dialect::V2)).ok()?.compared()?;
    Some([other.period().from_local().date(), other.period().to_local().date()])
}

/// Days that are not over have no numbers where small ones are not told.
fn is_offered(asker: &Asker, period: &str) -> bool {
    asker.floor.is_none() || !matches!(period, "day" | "24h")
}

/// A period of the menu, and the one before it that has a name as well.
fn period_links(asker: &Asker, name: &str) -> Vec<Link> {
    let named = Span::Named(name.to_owned());
    let label = named.label(asker.words()).unwrap_or_default();
    let current = is_offered(asker, name).then_some((named, label));
    let past = past_periods(asker).into_iter().filter(|(after, ..)| *after == name);
    let links = current.into_iter().chain(past.map(|(_, span, label)| (span, label)));
    links.map(|(span, label)| span_link(asker, span, label)).collect()
}

fn span_link(asker: &Asker, span: Span, label: &str) -> Link {
    Link {
        label: label.to_owned(),
        is_current: span == asker.view.period,
        url: asker.here(&asker.view.with_span(span)),
    }
}

/// The periods of the menu that are over, which queries have no names for: each after which one it stands, its days, and what it is
/// called.
fn past_periods(asker: &Asker) -> [(&'static str, Span, &'static str); 2] {
    let (today, words) = (asker.local_now().date(), asker.words());
    let yesterday = today.saturating_sub(1.day());
    let month = today.first_of_month().saturating_sub(1.day());
    [
        ("day", Span::of([yesterday; 2]), words.yesterday),
        ("month", Span::of([month.first_of_month(), month]), words.last_month),
    ]
}

/// The way to the stretch before the view's and to the one after it.
fn neighbours(asker: &Asker) -> [Option<Link>; 2] {
    let today = asker.local_now().date();
    // The last 24 hours are not days.
    let is_of_days = asker.view.period != Span::Named("24h".to_owned());
    let days = days(asker).filter(|_| is_of_days);
    // Today has no numbers where small ones are not told.
    let last = if asker.floor.is_some() { today.saturating_sub(1.day()) } else { today };
    let spans = days.map(|days| [Span::before(days, today), Span::after(days, today, last)]);
    let [earlier, later] = spans.unwrap_or_default();
    let link = |span: Option<Span>, sentence: &str| {
        let view = asker.view.moved_to(span?);
        let label = fill(sentence, &[&view.period.in_words(asker.lang)]);
        Some(Link { label, url: view.url(), is_current: false })
    };
    let words = asker.words();
    [link(earlier, words.earlier), link(later, words.later)]
}

fn comparison_link(asker: &Asker, comparison: Comparison) -> Link {
    Link {
        label: comparison.in_words(asker.lang),
        url: asker.here(&asker.view.with_comparison(comparison)),
        is_current: comparison == asker.view.comparison,
    }
}

fn segment_link(asker: &Asker, segment: &Segment) -> Link {
    let filter = Filter::is(SEGMENT, &segment.id.to_string());
    Link {
        label: segment.name.clone(),
        is_current: asker.view.filters.iter().any(|known| known.or(&filter) == *known),
        url: asker.here(&asker.view.with_filter(filter)),
    }
}

/// The name of a segment; its number, if there is none of that number any more.
fn segment_name(asker: &Asker, id: &str) -> String {
    let segment = asker.site.segments.iter().find(|segment| segment.id.to_string() == id);
    segment.map_or_else(|| id.to_owned(), |segment| segment.name.clone())
}

/// A value of a filter, as it is read.
fn value_in_words(asker: &Asker, dimension: &str, value: &str) -> String {
    match dimension {
        SEGMENT => segment_name(asker, value),
        _ => shown(asker.lang, dimension, value),
    }
}

/// Values of which one is enough.
fn one_of(words: &Words, values: &[String]) -> String {
    values.join(&format!(" {} ", words.or))
}

/// A filter in words: its dimension, its relation, and its values.
fn said(asker: &Asker, filter: &Filter) -> (String, &'static str, Vec<String>) {
    let words = asker.words();
    let name = filter.dimension.as_str();
    let dimension = match name {
        SEGMENT => words.segment.to_owned(),
        name => names::one_of(asker.lang, name),
    };
    let values = filter.values.iter().map(|value| value_in_words(asker, name, value)).collect();
    (dimension, filter.relation.label(words), values)
}

/// The same as one sentence.
fn sentence(asker: &Asker, filter: &Filter) -> String {
    let (dimension, relation, values) = said(asker, filter);
    format!("{dimension} {relation} {}", one_of(asker.words(), &values))
}

/// A filter of a segment in words, as [`said`] says one of the view. What no form of these pages makes stands as queries write it.
pub(super) fn in_words(asker: &Asker, filter: &Value) -> String {
    let words = asker.words();
    let parts = filter.as_array().map(Vec::as_slice).unwrap_or_default();
    if let [Value::String(both), Value::Array(filters)] = parts
        && let Some(between) =
            [("or", words.or), ("and", "·")].into_iter().find(|(name, _)| both == name)
    {
        let filters: Vec<_> = filters.iter().map(|filter| in_words(asker, filter)).collect();
        return filters.join(&format!(" {} ", between.1));
    }
    if let [Value::String(relation), Value::String(dimension), Value::Array(values), ..] = parts
        && let Some(relation) = Relation::named(relation)
        && let Some(values) = values.iter().map(Value::as_str).collect::<Option<Vec<_>>>()
    {
        let mut values: Vec<String> =
            values.into_iter().map(|value| shown(asker.lang, dimension, value)).collect();
        // Some have one name for several values.
        values.dedup();
        let dimension = names::one_of(asker.lang, dimension);
        return format!("{dimension} {} {}", relation.label(words), one_of(words, &values));
    }
    filter.to_string()
}

/// The view with each of its filters taken less strictly, and without each.
fn loosened(asker: &Asker) -> Vec<Link> {
    let view = &asker.view;
    let sentence = |filter: &Filter| sentence(asker, filter);
    let link = |label, view: View| Link { label, url: asker.here(&view), is_current: false };
    let links = view.filters.iter().flat_map(|filter| {
        let loose = filter.loosened();
        let loose = loose.map(|loose| link(sentence(&loose), view.with_instead(filter, &loose)));
        let without = fill(asker.words().without_filter, &[&sentence(filter)]);
        loose.into_iter().chain([link(without, view.without_filter(filter))])
    });
    links.collect()
}

fn pill(asker: &Asker, filter: &Filter) -> Pill {
    let (view, words) = (&asker.view, asker.words());
    let (dimension, relation, labels) = said(asker, filter);
    let whole = sentence(asker, filter);
    let value = |(value, label): (&String, String)| PillValue {
        remove: filter.without(value).map(|less| asker.here(&view.with_instead(filter, &less))),
        remove_label: fill(words.remove_value, &[&label, &dimension]),
        label,
    };
    let page = in_a_path(&filter.dimension);
    Pill {
        names: [filter.dimension.clone(), filter.relation.name().to_owned()],
        values: filter.values.iter().zip(labels).map(value).collect(),
        remove_label: fill(words.remove_filter, &[&whole]),
        add_label: fill(words.or_value, &[&whole]),
        turn: filter.turned().map(|_| asker.here(&view.with_turned(filter))),
        remove: asker.here(&view.without_filter(filter)),
        choices: choices(asker, filter),
        others: format!("{}/by/{page}{}", asker.home(), view.without_filter(filter).url()),
        dimension,
        relation,
    }
}

/// The goals or segments that a filter does not name yet; nothing, where it is by what is typed.
fn choices(asker: &Asker, filter: &Filter) -> Option<Vec<(String, String)>> {
    let site = &asker.site;
    let all: Vec<(String, String)> = match filter.dimension.as_str() {
        GOAL => site.goals.iter().map(|goal| (goal.name.clone(), goal.name.clone())).collect(),
        SEGMENT => {
            site.segments.iter().map(|known| (known.id.to_string(), known.name.clone())).collect()
        }
        _ => return None,
    };
    Some(all.into_iter().filter(|(value, _)| !filter.values.contains(value)).collect())
}

/// A value of a dimension as people read it.
pub(super) fn shown(lang: Lang, dimension: &str, value: &str) -> String {
    let name = match dimension {
        _ if value.is_empty() => lang.words().none,
        "visit:referrer" if value == DIRECT_OR_NONE => lang.words().no_referrer,
        "visit:country_name" => countries::name(lang, value),
        "visit:language" => languages::name(lang, value),
        _ => value,
    };
    // Whatever it is called, there may be none of it.
    values::name(lang, dimension, name).to_owned()
}

/// The value of a dimension in a row of an answer.
pub(super) fn value_of(row: &Value) -> &str {
    row["dimensions"][0].as_str().unwrap_or_default()
}
