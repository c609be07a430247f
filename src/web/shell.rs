//! What the pages of a site have in common above their numbers: the bar with its menus, and the filters.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::ask::Asker;
use super::filter::{Filter, Relation, SEGMENT};
use super::frame::Link;
use super::panels;
use super::view::{Comparison, PERIODS, Span};
use super::words::{Lang, countries, fill, languages, names, values};
use crate::query::dimension::DIRECT_OR_NONE;
use crate::query::{Dialect, Query};
use crate::site::member::Role;
use crate::site::segment::Segment;

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
    /// Whether a filter of the URL was left out, because it is none.
    pub(super) has_lost_filter: bool,
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
    pub(super) comparison: String,
    pub(super) comparisons: Vec<Link>,
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

/// A filter, as it is shown.
pub(super) struct Pill {
    pub(super) dimension: String,
    pub(super) relation: &'static str,
    pub(super) value: String,
    /// The view with the opposite, where there is one.
    pub(super) turn: Option<String>,
    pub(super) remove: String,
    pub(super) remove_label: String,
}

impl Shell {
    pub(super) fn of(asker: &Asker, now: u64) -> Self {
        let (view, words) = (&asker.view, asker.words());
        let days = days(asker);
        let [period, range] = period(asker);
        let visitors = asker.lang.whole(now as f64);
        Self {
            site: asker.site.domain.clone(),
            home: asker.home() + &view.url(),
            live: asker.floor.is_none().then(|| asker.home() + "/live" + &view.url()),
            can_filter: asker.floor.is_none(),
            has_lost_filter: asker.view.has_lost_filter,
            note: note(asker),
            settings: asker.may(Role::Editor).then(|| asker.home() + "/settings" + &view.url()),
            now: fill(words.now_there, &[&visitors]),
            is_busy: now > 0,
            is_timed: true,
            range,
            period,
            periods: PERIODS
                .iter()
                .map(|group| group.iter().filter(|name| is_offered(asker, name)))
                .map(|group| group.map(|name| period_link(asker, name)).collect())
                .filter(|group: &Vec<Link>| !group.is_empty())
                .collect(),
            comparison: view.comparison.label(words).to_owned(),
            comparisons: if view.period == Span::Named("all".to_owned()) {
                Vec::new()
            } else {
                Comparison::ALL.into_iter().map(|other| comparison_link(asker, other)).collect()
            },
            days: days.map_or_else(Default::default, |days| days.map(|day| day.to_string())),
            pills: view.filters.iter().map(|filter| pill(asker, filter)).collect(),
            bare: asker.here(&view.without_filters()),
            hidden: owned(view.pairs().into_iter().chain(asker.listing.at(1).pairs()).collect()),
            dimensions: names::filterable()
                .filter(|name| panels::is_measured(name, asker.site.policy.profile))
                .filter(|name| *name != "event:goal" || !asker.site.goals.is_empty())
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
}

/// What readers are told who are told no small numbers.
pub(super) fn note(asker: &Asker) -> Option<String> {
    let least = asker.floor?.least().to_string();
    Some(fill(asker.words().floor_note, &[&least, &least]))
}

/// What the view's period is called, and its days, if they are not what it is called.
pub(super) fn period(asker: &Asker) -> [String; 2] {
    let range = days(asker).map_or_else(String::new, |[from, to]| asker.lang.days(from, to));
    match asker.view.period.label(asker.words()) {
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

/// Days that are not over have no numbers where small ones are not told.
fn is_offered(asker: &Asker, period: &str) -> bool {
    asker.floor.is_none() || !matches!(period, "day" | "24h")
}

fn period_link(asker: &Asker, name: &str) -> Link {
    let view = asker.view.with_period(name);
    Link {
        label: view.period.label(asker.words()).unwrap_or_default().to_owned(),
        url: asker.here(&view),
        is_current: view.period == asker.view.period,
    }
}

fn comparison_link(asker: &Asker, comparison: Comparison) -> Link {
    Link {
        label: comparison.label(asker.words()).to_owned(),
        url: asker.here(&asker.view.with_comparison(comparison)),
        is_current: comparison == asker.view.comparison,
    }
}

fn segment_link(asker: &Asker, segment: &Segment) -> Link {
    let filter = Filter::is(SEGMENT, &segment.id.to_string());
    Link {
        label: segment.name.clone(),
        is_current: asker.view.filters.contains(&filter),
        url: asker.here(&asker.view.with_filter(filter)),
    }
}

/// The name of a segment; its number, if there is none of that number any more.
fn segment_name(asker: &Asker, id: &str) -> String {
    let segment = asker.site.segments.iter().find(|segment| segment.id.to_string() == id);
    segment.map_or_else(|| id.to_owned(), |segment| segment.name.clone())
}

fn pill(asker: &Asker, filter: &Filter) -> Pill {
    let (view, words) = (&asker.view, asker.words());
    let relation = filter.relation.label(words);
    let (dimension, value) = match filter.dimension.as_str() {
        SEGMENT => (words.segment.to_owned(), segment_name(asker, &filter.value)),
        name => (names::one_of(asker.lang, name), shown(asker.lang, name, &filter.value)),
    };
    Pill {
        remove_label: fill(words.remove_filter, &[&format!("{dimension} {relation} {value}")]),
        turn: filter.turned().map(|_| asker.here(&view.with_turned(filter))),
        remove: asker.here(&view.without_filter(filter)),
        dimension,
        relation,
        value,
    }
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
