//! The state of a page, as its URL holds it: period, comparison, filters, what the chart shows, and which
//! tab of each panel is open. Every change of the view is a link to another URL.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};
use url::form_urlencoded::{self, Serializer};

use super::filter::{Filter, GOAL, Relation, SEGMENT, VALUES_MAX};
use super::stop::Stop;
use super::words::{Lang, Words, fill};
use crate::query::interval::Interval;
use crate::query::metric::Metric;

const PERIOD: &str = "30d";
/// The most filters of a view.
pub(super) const FILTERS_MAX: usize = 10;
/// The most steps of a funnel.
pub(super) const STOPS_MAX: usize = 12;
/// The most panels whose state a URL may hold.
const PANELS_MAX: usize = 24;
/// The fields of forms: a page that is asked for with them answers with the address of the view.
const FORM_FIELDS: [&str; 10] =
    ["from", "to", "first", "last", "dimension", "relation", "among", "kind", "stop", VALUE];
/// The one that a form may have several of.
const VALUE: &str = "value";
/// One value more of the filter before it.
const OR: &str = "or";

/// The stretch of time that is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// By its name in queries.
    Named(String),
    /// From one day to another, both within.
    Days(String, String),
}

/// The periods of the menu, in groups of likes.
pub(super) const PERIODS: [&[&str]; 3] =
    [&["day", "24h"], &["7d", "30d", "91d"], &["month", "year", "12mo", "all"]];

impl Span {
    /// As the URL has it, and as it was asked for.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Named(name) => name.clone(),
            Self::Days(from, to) => format!("{from},{to}"),
        }
    }

    fn read(text: &str) -> Self {
        match text.split_once(',') {
            Some((from, to)) => Self::between(from, to),
            None => Self::Named(text.to_owned()),
        }
    }

    /// Two days in either order; a day alone is both.
    fn between(from: &str, to: &str) -> Self {
        let (from, to) = match (from, to) {
            (from, "") => (from, from),
            ("", to) => (to, to),
            // Dates as forms send them are in the order of their texts.
            (from, to) => (from.min(to), from.max(to)),
        };
        Self::Days(from.to_owned(), to.to_owned())
    }

    pub(super) fn of([from, to]: [Date; 2]) -> Self {
        Self::Days(from.to_string(), to.to_string())
    }

    /// The stretch of the same length before some days: so many months, if they are whole ones, or else so many days.
    pub(super) fn before(days: [Date; 2], today: Date) -> Option<Self> {
        Some(Self::shifted(days, -1)?.0.named(today))
    }

    /// The same after them, if it has begun by the last day that there are numbers of. Of days, the last whole ones are as far as it goes.
    pub(super) fn after(days: [Date; 2], today: Date, last: Date) -> Option<Self> {
        let (span, from, is_of_calendar) = Self::shifted(days, 1)?;
        let has_begun = if is_of_calendar { from <= last } else { from < last };
        has_begun.then(|| span.named(today))
    }

    /// So many times its length later, its first day, and whether it is a day, months or years.
    fn shifted([from, to]: [Date; 2], times: i32) -> Option<(Self, Date, bool)> {
        let is_of_months = from.day() == 1 && to == to.last_of_month();
        let is_of_calendar = is_of_months || from == to;
        let [from, to] = if is_of_months {
            let months =
                i32::from(to.year() - from.year()) * 12 + i32::from(to.month() - from.month()) + 1;
            let from = from.checked_add((months * times).months()).ok()?;
            let last = from.checked_add((months - 1).months()).ok()?;
            [from, last.last_of_month()]
        } else {
            let days = (from.until(to).ok()?.get_days() + 1) * times;
            [from.checked_add(days.days()).ok()?, to.checked_add(days.days()).ok()?]
        };
        // Nothing is asked of the time before.
        (from.year() > 1970).then(|| (Self::of([from, to]), from, is_of_calendar))
    }

    /// By its name, if it is the current day, month or year.
    fn named(self, today: Date) -> Self {
        let current = [
            ("day", [today; 2]),
            ("month", [today.first_of_month(), today.last_of_month()]),
            ("year", [today.first_of_year(), today.last_of_year()]),
        ];
        let name = current.into_iter().find(|(_, days)| Self::of(*days) == self);
        name.map_or(self, |(name, _)| Self::Named(name.to_owned()))
    }

    /// Its days, or what the menu calls it.
    pub(super) fn in_words(&self, lang: Lang) -> String {
        match self {
            Self::Named(name) => self.label(lang.words()).unwrap_or(name).to_owned(),
            Self::Days(from, to) => match (from.parse(), to.parse()) {
                (Ok(from), Ok(to)) => lang.days(from, to),
                _ => self.text(),
            },
        }
    }

    /// In the words of a query.
    pub(super) fn to_query(&self) -> Value {
        match self {
            Self::Named(name) => json!(name),
            Self::Days(from, to) => json!([from, to]),
        }
    }

    /// What the menu calls it; nothing, if it is not in the menu.
    pub(super) fn label(&self, words: &Words) -> Option<&'static str> {
        let Self::Named(name) = self else { return None };
        Some(match name.as_str() {
            "day" => words.today,
            "24h" => words.hours_24,
            "7d" => words.days_7,
            "30d" => words.days_30,
            "91d" => words.days_91,
            "month" => words.this_month,
            "year" => words.this_year,
            "6mo" => words.months_6,
            "12mo" => words.months_12,
            "all" => words.all_time,
            _ => return None,
        })
    }
}

/// What the period is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Before,
    YearBefore,
    /// From one day to another, both within.
    Days(Date, Date),
    Nothing,
}

impl Comparison {
    /// Those of the menu.
    pub(super) const NAMED: [Self; 3] = [Self::Before, Self::YearBefore, Self::Nothing];

    /// As the URL has it.
    fn text(self) -> String {
        match self {
            Self::Before => "before".to_owned(),
            Self::YearBefore => "year".to_owned(),
            Self::Days(from, to) => format!("{from},{to}"),
            Self::Nothing => "none".to_owned(),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let named = Self::NAMED.into_iter().find(|known| known.text() == text);
        named.or_else(|| text.split_once(',').and_then(|(from, to)| Self::between(from, to)))
    }

    /// Two days in either order; a day alone is both, and what is no day is none.
    fn between(from: &str, to: &str) -> Option<Self> {
        let day = |text: &str| text.parse::<Date>().ok();
        let (from, to) = match (from, to) {
            (day_alone, "") | ("", day_alone) => (day(day_alone)?, day(day_alone)?),
            (from, to) => (day(from)?, day(to)?),
        };
        Some(Self::Days(from.min(to), from.max(to)))
    }

    pub(super) fn in_words(self, lang: Lang) -> String {
        let words = lang.words();
        match self {
            Self::Before => words.with_before.to_owned(),
            Self::YearBefore => words.with_year_before.to_owned(),
            Self::Days(from, to) => fill(words.with_days, &[&lang.days(from, to)]),
            Self::Nothing => words.with_nothing.to_owned(),
        }
    }
}

/// A filter that a form asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Typed {
    pub(super) filter: Filter,
    /// The place of the filter of the view to whose values these are added, from 0.
    pub(super) among: Option<usize>,
}

/// Why a filter has no room in a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TooMany {
    Filters,
    Values,
}

/// What is looked at.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct View {
    /// The language, if it was chosen.
    pub(super) lang: Option<Lang>,
    pub(super) period: Span,
    pub(super) comparison: Comparison,
    /// What the chart shows.
    pub(super) metric: Metric,
    /// By what time the chart shows it, if that was chosen.
    pub(super) interval: Option<Interval>,
    pub(super) filters: Vec<Filter>,
    /// Whether the URL has a filter that is not among them, because it is none or one too many.
    pub(super) has_lost_filter: bool,
    /// The steps of a funnel; a journey begins at the first.
    pub(super) stops: Vec<Stop>,
    /// Whether a journey is followed back to where it came from.
    pub(super) is_backward: bool,
    /// Of each panel that is not as by default: the panel, and its open tab or its order.
    panels: Vec<(String, String)>,
}

impl View {
    /// Reads a query string; what it does not say, or says wrongly, is as by default.
    pub(super) fn read(query: &str) -> Self {
        match Self::read_apart(query) {
            (view, Some(typed)) => view.with_typed(&typed).unwrap_or(view),
            (view, None) => view,
        }
    }

    /// The same, and apart from it the filter that a form asks for: whether that can be asked, the site knows.
    pub(super) fn read_apart(query: &str) -> (Self, Option<Typed>) {
        let mut view = Self {
            lang: None,
            period: Span::Named(PERIOD.to_owned()),
            comparison: Comparison::Before,
            metric: Metric::Visitors,
            interval: None,
            filters: Vec::new(),
            has_lost_filter: false,
            stops: Vec::new(),
            is_backward: false,
            panels: Vec::new(),
        };
        let mut form = [const { String::new() }; FORM_FIELDS.len()];
        let mut values = Vec::new();
        // Values beyond the first belong to the filter that they stand behind: if that is lost, so are they.
        let mut is_whole = false;
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            let known = view.filters.len();
            match (&*key, FORM_FIELDS.iter().position(|field| *field == key)) {
                (VALUE, _) => values.push(value.into_owned()),
                (_, Some(field)) => form[field] = value.into_owned(),
                (OR, None) => view.has_lost_filter |= !(is_whole && view.widen(&value)),
                (key, None) => view.take(key, &value),
            }
            if key == "filter" {
                is_whole = view.filters.len() > known;
            }
        }
        let [from, to, first, last, dimension, relation, among, kind, stop, _] = &form;
        if !from.is_empty() || !to.is_empty() {
            view.period = Span::between(from, to);
        }
        view.comparison = Comparison::between(first, last).unwrap_or(view.comparison);
        if let Some(stop) = Stop::of(kind, stop) {
            view = view.with_stop(stop);
        }
        let typed = Filter::of(relation, dimension, &values);
        (view, typed.map(|filter| Typed { filter, among: among.parse().ok() }))
    }

    /// Takes one value more of the last filter; whether it is among its values now.
    fn widen(&mut self, value: &str) -> bool {
        let Some(filter) = self.filters.last_mut() else { return false };
        let has_room = filter.values.len() < VALUES_MAX && !value.is_empty();
        if has_room {
            filter.admit(value);
        }
        has_room
    }

    /// Takes one pair of a query string.
    fn take(&mut self, key: &str, value: &str) {
        match key {
            "lang" => self.lang = Lang::of_tag(value),
            "period" => self.period = Span::read(value),
            "compare" => self.comparison = Comparison::read(value).unwrap_or(self.comparison),
            "metric" => self.metric = Metric::named(value).unwrap_or(self.metric),
            "interval" => self.interval = Interval::named(&format!("time:{value}")),
            "filter" => {
                let read = Filter::read(value).filter(|_| self.filters.len() < FILTERS_MAX);
                self.has_lost_filter |= read.is_none();
                self.filters.extend(read);
            }
            "step" if self.stops.len() < STOPS_MAX => self.stops.extend(Stop::read(value)),
            "way" => self.is_backward = value == "back",
            key if is_of_panel(key) && self.panels.len() < PANELS_MAX => {
                self.panels.push((key.to_owned(), value.to_owned()));
            }
            _ => {}
        }
    }

    /// Whether a query string is what a form sends.
    pub(super) fn is_of_form(query: &str) -> bool {
        form_urlencoded::parse(query.as_bytes()).any(|(key, _)| FORM_FIELDS.contains(&&*key))
    }

    /// The view's own URL, below the path of a page.
    pub(super) fn url(&self) -> String {
        let mut query = Serializer::for_suffix(String::from("?"), 1);
        for (key, value) in self.pairs() {
            query.append_pair(key, &value);
        }
        query.finish()
    }

    /// What is taken along to another site: the language alone, since what is looked at there is chosen there.
    pub(super) fn kept(&self) -> String {
        self.lang.map_or_else(String::new, |lang| format!("?lang={}", lang.tag()))
    }

    /// What the URL says, in its order; also the hidden fields of forms.
    pub(super) fn pairs(&self) -> Vec<(&str, String)> {
        let mut pairs = Vec::new();
        if let Some(lang) = self.lang {
            pairs.push(("lang", lang.tag().to_owned()));
        }
        if self.period != Span::Named(PERIOD.to_owned()) {
            pairs.push(("period", self.period.text()));
        }
        if self.comparison != Comparison::Before {
            pairs.push(("compare", self.comparison.text()));
        }
        if self.metric != Metric::Visitors {
            pairs.push(("metric", self.metric.spec().name.to_owned()));
        }
        if let Some(interval) = self.interval {
            pairs.push(("interval", interval.name().trim_start_matches("time:").to_owned()));
        }
        for filter in &self.filters {
            let (first, others) = filter.texts();
            pairs.push(("filter", first));
            pairs.extend(others.iter().map(|value| (OR, value.clone())));
        }
        pairs.extend(self.stops.iter().map(|stop| ("step", stop.text())));
        if self.is_backward {
            pairs.push(("way", "back".to_owned()));
        }
        pairs.extend(self.panels.iter().map(|(key, value)| (key.as_str(), value.clone())));
        pairs
    }

    pub(super) fn with_lang(&self, lang: Lang) -> Self {
        Self { lang: Some(lang), ..self.clone() }
    }

    /// Another period; the interval that was chosen for this one may not fit.
    pub(super) fn with_period(&self, period: &str) -> Self {
        self.with_span(Span::Named(period.to_owned()))
    }

    /// The same of any stretch.
    pub(super) fn with_span(&self, period: Span) -> Self {
        Self { period, interval: None, ..self.clone() }
    }

    /// A stretch as long as this one: it has the same intervals.
    pub(super) fn moved_to(&self, period: Span) -> Self {
        Self { period, ..self.clone() }
    }

    pub(super) fn with_comparison(&self, comparison: Comparison) -> Self {
        Self { comparison, ..self.clone() }
    }

    pub(super) fn with_metric(&self, metric: Metric) -> Self {
        Self { metric, ..self.clone() }
    }

    pub(super) fn with_interval(&self, interval: Interval) -> Self {
        Self { interval: Some(interval), ..self.clone() }
    }

    pub(super) fn with_filter(&self, filter: Filter) -> Self {
        let mut view = self.clone();
        view.filters.retain(|other| !filter.replaces(other));
        if view.filters.len() < FILTERS_MAX {
            view.filters.push(filter);
        }
        view
    }

    /// The same with a filter that somebody typed. Its values stand beside those that the dimension may have already, for nobody
    /// types a second one to see nothing; goals and segments are chosen, and the one takes the place of the other.
    pub(super) fn with_typed(&self, typed: &Typed) -> Result<Self, TooMany> {
        let Typed { filter, among } = typed;
        let is_chosen = [GOAL, SEGMENT].contains(&filter.dimension.as_str());
        let adds = filter.relation == Relation::Is && !is_chosen;
        let named = among.and_then(|place| self.filters.get(place));
        let beside = named.filter(|known| known.is_like(filter));
        let beside =
            beside.or_else(|| self.filters.iter().find(|known| adds && known.is_like(filter)));
        let whole = beside.map_or_else(|| filter.clone(), |known| known.or(filter));
        if whole.values.len() > VALUES_MAX {
            return Err(TooMany::Values);
        }
        let view = match beside {
            Some(known) => self.with_instead(known, &whole),
            None => self.with_filter(whole.clone()),
        };
        view.filters.contains(&whole).then_some(view).ok_or(TooMany::Filters)
    }

    pub(super) fn without_filter(&self, filter: &Filter) -> Self {
        let filters = self.filters.iter().filter(|other| *other != filter).cloned().collect();
        Self { filters, ..self.clone() }
    }

    pub(super) fn without_filters(&self) -> Self {
        Self { filters: Vec::new(), ..self.clone() }
    }

    /// The same for a reader who sees the whole alone, and is told if that is not what the URL asks for.
    pub(super) fn losing_filters(&self) -> Self {
        let has_lost_filter = self.has_lost_filter || !self.filters.is_empty();
        Self { has_lost_filter, ..self.without_filters() }
    }

    pub(super) fn with_turned(&self, filter: &Filter) -> Self {
        self.with_instead(filter, &filter.turned().unwrap_or_else(|| filter.clone()))
    }

    /// The same with another filter in the place of this one.
    pub(super) fn with_instead(&self, filter: &Filter, other: &Filter) -> Self {
        let instead = |known: &Filter| if known == filter { other.clone() } else { known.clone() };
        Self { filters: self.filters.iter().map(instead).collect(), ..self.clone() }
    }

    /// One step more, if there is room.
    pub(super) fn with_stop(&self, stop: Stop) -> Self {
        let mut view = self.clone();
        if view.stops.len() < STOPS_MAX {
            view.stops.push(stop);
        }
        view
    }

    /// The same without the step of this place, from 0.
    pub(super) fn without_stop(&self, place: usize) -> Self {
        let mut view = self.clone();
        if place < view.stops.len() {
            view.stops.remove(place);
        }
        view
    }

    pub(super) fn with_stops(&self, stops: Vec<Stop>) -> Self {
        Self { stops, ..self.clone() }
    }

    pub(super) fn with_way(&self, is_backward: bool) -> Self {
        Self { is_backward, ..self.clone() }
    }

    pub(super) fn with_tab(&self, panel: &str, tab: &str) -> Self {
        self.with_panel(format!("tab.{panel}"), tab)
    }

    pub(super) fn with_order(&self, panel: &str, order: &str) -> Self {
        self.with_panel(format!("order.{panel}"), order)
    }

    fn with_panel(&self, key: String, value: &str) -> Self {
        let mut view = self.clone();
        view.panels.retain(|(other, _)| *other != key);
        view.panels.push((key, value.to_owned()));
        view
    }

    /// The open tab of a panel, if one was chosen.
    pub(super) fn tab(&self, panel: &str) -> Option<&str> {
        self.panel("tab.", panel)
    }

    /// The order of a panel, if one was chosen.
    pub(super) fn order(&self, panel: &str) -> Option<&str> {
        self.panel("order.", panel)
    }

    fn panel(&self, prefix: &str, panel: &str) -> Option<&str> {
        let of_panel = |key: &str| key.strip_prefix(prefix) == Some(panel);
        self.panels.iter().find(|(key, _)| of_panel(key)).map(|(_, value)| value.as_str())
    }

    /// The filters in the words of a query, as they are read in a language.
    pub(super) fn filters(&self, lang: Lang) -> Vec<Value> {
        self.filters.iter().map(|filter| filter.to_query(lang)).collect()
    }

    pub(super) fn is_of_all_time(&self) -> bool {
        self.period == Span::Named("all".to_owned())
    }

    /// The comparison in the words of a query: there is nothing before all time.
    pub(super) fn compared(&self) -> Option<Value> {
        match self.comparison {
            _ if self.is_of_all_time() => None,
            Comparison::Before => Some(json!({ "mode": "previous_period" })),
            Comparison::YearBefore => Some(json!({ "mode": "year_over_year" })),
            Comparison::Days(from, to) => {
                let days = [from, to].map(|day| day.to_string());
                Some(json!({ "mode": "custom", "date_range": days }))
            }
            Comparison::Nothing => None,
        }
    }
}

fn is_of_panel(key: &str) -> bool {
    key.starts_with("tab.") || key.starts_with("order.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_its_url() {
        let url = "?lang=de&period=7d&compare=year&metric=bounce_rate&interval=week\
            &filter=is%2Cvisit%3Asource%2CA%26B%2C+C&or=Bing&or=a%7Cb%2Cc&filter=contains_not%2Cevent%3Apage%2C%2Fx\
            &step=page%2C%2Fa&step=goal%2CSignup&way=back&tab.sources=visit%3Areferrer&order.pages=name";
        let view = View::read(&url[1..]);
        assert_eq!(view.url(), url);
        assert_eq!(view.filters[0].values, ["A&B, C", "Bing", "a|b,c"]);
        assert_eq!(
            (view.tab("sources"), view.order("pages")),
            (Some("visit:referrer"), Some("name"))
        );
        assert_eq!(view.compared(), Some(json!({"mode": "year_over_year"})));
    }

    #[test]
    fn a_url_that_says_nothing_is_the_first_view() {
        for query in
            ["", "filter=nonsense&x=y&metric=luck&compare=that", "from=&to=&dimension=&value=x"]
        {
            assert_eq!(View::read(query).url(), "?", "{query}");
        }
        // But of a filter that is none it is said, for the numbers are others than whoever sent it had.
        for (query, is_lost) in [("filter=nonsense", true), ("filter=is,event:page,/a", false)] {
            assert_eq!(View::read(query).has_lost_filter, is_lost, "{query}");
        }
        let whole = View::read("filter=is,event:page,/a").losing_filters();
        assert_eq!((whole.url().as_str(), whole.has_lost_filter), ("?", true));
        assert!(!View::read("").losing_filters().has_lost_filter);
    }

    #[test]
    fn what_a_form_sends_becomes_part_of_the_view() {
        let query = "period=7d&from=2026-03-09&to=2026-03-01";
        assert!(View::is_of_form(query));
        assert_eq!(View::read(query).url(), "?period=2026-03-01%2C2026-03-09");
        let view = View::read("dimension=event%3Apage&relation=contains&value=blog&from=&to=");
        assert_eq!(view.url(), "?filter=contains%2Cevent%3Apage%2Cblog");
        assert!(!View::is_of_form(&view.url()[1..]));
        let view = View::read("step=page%2C%2Fa&kind=goal&stop=Signup");
        assert_eq!(view.url(), "?step=page%2C%2Fa&step=goal%2CSignup");
        assert_eq!(view.without_stop(0).url(), "?step=goal%2CSignup");
    }

    #[test]
    fn a_filter_that_a_form_asks_for_is_apart_from_the_view_that_it_stood_in() {
        let query = "filter=is,visit:source,Bing&dimension=visit:source&relation=is&value=Google";
        let (view, typed) = View::read_apart(query);
        assert_eq!(view.filters, [Filter::is("visit:source", "Bing")]);
        let filter = Filter::is("visit:source", "Google");
        assert_eq!(typed, Some(Typed { filter, among: None }));
        assert_eq!(View::read(query).url(), "?filter=is%2Cvisit%3Asource%2CBing&or=Google");
    }

    #[test]
    fn values_stand_beside_those_of_the_filter_that_they_are_typed_for() {
        let url = |query| View::read(query).url();
        for (query, expected) in [
            (
                "dimension=event:page&relation=contains&value=a&value=&value=b",
                "?filter=contains%2Cevent%3Apage%2Ca&or=b",
            ),
            // Both parts are asked for, unless the one is typed for the other.
            (
                "filter=contains,event:page,a&dimension=event:page&relation=contains&value=b",
                "?filter=contains%2Cevent%3Apage%2Ca&filter=contains%2Cevent%3Apage%2Cb",
            ),
            (
                "filter=contains,event:page,a&dimension=event:page&relation=contains&value=b&among=0",
                "?filter=contains%2Cevent%3Apage%2Ca&or=b",
            ),
            (
                "filter=is,visit:os,a&filter=is_not,visit:os,b&among=1&dimension=visit:os&relation=is_not&value=c",
                "?filter=is%2Cvisit%3Aos%2Ca&filter=is_not%2Cvisit%3Aos%2Cb&or=c",
            ),
            // Typed for another one than it is like.
            (
                "filter=contains,event:page,a&dimension=event:page&relation=contains_not&value=b&among=0",
                "?filter=contains%2Cevent%3Apage%2Ca&filter=contains_not%2Cevent%3Apage%2Cb",
            ),
            (
                "filter=is,event:goal,a&dimension=event:goal&relation=is&value=b",
                "?filter=is%2Cevent%3Agoal%2Cb",
            ),
            (
                "filter=is,event:goal,a&dimension=event:goal&relation=is&value=b&among=0",
                "?filter=is%2Cevent%3Agoal%2Ca&or=b",
            ),
        ] {
            assert_eq!(url(query), expected, "{query}");
            assert_eq!(url(&expected[1..]), expected);
        }
    }

    #[test]
    fn a_value_is_of_the_filter_before_it_and_lost_with_that() {
        for (query, expected, is_lost) in [
            ("filter=is,visit:os,a&or=b&or=b&or=a", "?filter=is%2Cvisit%3Aos%2Ca&or=b", false),
            (
                "filter=is,visit:os,a&period=7d&or=b",
                "?period=7d&filter=is%2Cvisit%3Aos%2Ca&or=b",
                false,
            ),
            ("filter=is,visit:os,a&filter=nonsense&or=b", "?filter=is%2Cvisit%3Aos%2Ca", true),
            ("filter=is,visit:os,a&or=", "?filter=is%2Cvisit%3Aos%2Ca", true),
            ("or=b&filter=is,visit:os,a", "?filter=is%2Cvisit%3Aos%2Ca", true),
        ] {
            let view = View::read(query);
            assert_eq!((view.url().as_str(), view.has_lost_filter), (expected, is_lost), "{query}");
        }
    }

    #[test]
    fn a_filter_has_so_many_values_and_a_view_so_many_filters() {
        let values = |from: usize, to: usize| {
            (from..to).map(|value| format!("&or={value}")).collect::<String>()
        };
        let first = "filter=is,visit:os,0".to_owned();
        let full = View::read(&(first.clone() + &values(1, VALUES_MAX)));
        assert_eq!((full.filters[0].values.len(), full.has_lost_filter), (VALUES_MAX, false));
        assert!(View::read(&(first + &values(1, VALUES_MAX + 1))).has_lost_filter);
        let typed = |dimension| Typed { filter: Filter::is(dimension, "x"), among: None };
        assert_eq!(full.with_typed(&typed("visit:os")), Err(TooMany::Values));
        let many = (0..FILTERS_MAX).map(|place| format!("filter=is,event:props:{place},x&"));
        let many = View::read(&many.collect::<String>());
        assert_eq!(many.with_typed(&typed("visit:os")), Err(TooMany::Filters));
        assert!(many.with_typed(&typed("event:props:1")).is_ok());
    }

    #[test]
    fn a_filter_can_be_turned_and_removed() {
        let view = View::read("")
            .with_filter(Filter::is("visit:source", "Google"))
            .with_filter(Filter::is("visit:source", "Bing"));
        assert_eq!(view.filters.len(), 1);
        let turned = view.with_turned(&view.filters[0]);
        assert_eq!(turned.filters(Lang::English), [json!(["is_not", "visit:source", ["Bing"]])]);
        assert_eq!(turned.without_filter(&turned.filters[0]).url(), "?");
    }

    #[test]
    fn the_stretches_beside_a_period_are_as_long_and_end_with_today() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let today = day("2026-11-27");
        for (from, to, before, after) in [
            ("2026-11-26", "2026-11-26", "2026-11-25,2026-11-25", Some("day")),
            ("2026-11-27", "2026-11-27", "2026-11-26,2026-11-26", None),
            ("2026-11-20", "2026-11-26", "2026-11-13,2026-11-19", None),
            ("2026-11-13", "2026-11-19", "2026-11-06,2026-11-12", Some("2026-11-20,2026-11-26")),
            ("2026-11-01", "2026-11-30", "2026-10-01,2026-10-31", None),
            ("2026-10-01", "2026-10-31", "2026-09-01,2026-09-30", Some("month")),
            ("2025-01-01", "2025-12-31", "2024-01-01,2024-12-31", Some("year")),
            ("2025-12-01", "2026-11-30", "2024-12-01,2025-11-30", None),
        ] {
            let days = [from, to].map(day);
            let text = |span: Option<Span>| span.map(|span| span.text());
            assert_eq!(text(Span::before(days, today)).as_deref(), Some(before), "{from}");
            assert_eq!(text(Span::after(days, today, today)).as_deref(), after, "{from}");
        }
        let yesterday = day("2026-11-26");
        assert_eq!(Span::after([yesterday; 2], today, yesterday), None, "nothing is told of today");
        assert_eq!(Span::before([day("1971-01-01"); 2], today), None);
    }

    #[test]
    fn there_is_nothing_before_all_time() {
        assert!(View::read("period=7d").compared().is_some());
        assert_eq!(View::read("period=all").compared(), None);
        assert_eq!(View::read("compare=none").compared(), None);
    }

    #[test]
    fn a_comparison_may_be_with_any_days() {
        let view = View::read("period=7d&compare=2026-03-01,2026-03-09");
        assert_eq!(view.url(), "?period=7d&compare=2026-03-01%2C2026-03-09");
        let custom = json!({"mode": "custom", "date_range": ["2026-03-01", "2026-03-09"]});
        assert_eq!(view.compared(), Some(custom));
        assert_eq!(view.comparison.in_words(Lang::English), "vs. 1 – 9 March 2026");
        for (form, expected) in [
            ("first=2026-03-09&last=2026-03-01", "?compare=2026-03-01%2C2026-03-09"),
            ("first=2026-03-09&last=", "?compare=2026-03-09%2C2026-03-09"),
            ("compare=year&first=&last=", "?compare=year"),
            ("first=soon&last=2026-03-01", "?"),
            ("compare=2026-03-01,2026-02-30", "?"),
        ] {
            assert_eq!(View::read(form).url(), expected, "{form}");
        }
        assert!(View::is_of_form("first=2026-03-09&last="));
    }

    #[test]
    fn every_period_of_the_menu_has_a_name_and_can_be_asked_for() {
        for period in PERIODS.into_iter().flatten() {
            let span = Span::Named((*period).to_owned());
            assert!(span.label(Lang::German.words()).is_some(), "{period}");
            let query = json!({"site_id": "a.test", "metrics": ["visitors"], "date_range": span.to_query()});
            assert!(crate::query::Wire::parse(&query, &[]).is_ok(), "{period}");
        }
    }
}
