//! A site's page: what it asks, and the view model of the answers.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::future::try_join_all;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::annotations::Note;
use super::ask::{Asker, names};
use super::chart::{Chart, HEIGHT, WIDTH};
use super::columns::{few, headlines, leave_no_bounces_of_nothing};
use super::figure::Figure;
use super::format::number;
use super::frame::{Frame, Link, page};
use super::funnel;
use super::hours::{self, Hours};
use super::live::visitors_now;
use super::map::{self, WorldMap};
use super::panels::{PANELS, Panel, Tab};
use super::ranking::{self, Order, Row};
use super::series::{self, Series};
use super::shell::{self, Shell};
use super::view::Comparison;
use super::words::fill;
use super::words::names::{column as column_name, metric as metric_name};
use crate::query::metric::Metric;
use crate::report::{self, AskError};

/// How many rows a panel shows.
const PANEL_ROWS: usize = 9;

#[derive(Template)]
#[template(path = "site.html")]
struct SitePage {
    frame: Frame,
    shell: Shell,
    /// Whether there is nothing because of the filters.
    is_unmatched: bool,
    /// What is said instead of numbers, where nothing has happened in the period.
    nothing: Option<Nothing>,
    /// What brings the first visit.
    tag: String,
    figures: Vec<Figure>,
    chart: Option<Chart>,
    /// What happened in the period.
    notes: Vec<Note>,
    /// What the chart shows.
    shown: &'static str,
    over_time: String,
    days_of: String,
    /// What it is compared with; empty without a comparison.
    compared: String,
    /// That the period goes on, and what that means for what is compared; empty if it is over.
    unfinished: &'static str,
    intervals: Vec<Link>,
    series_csv: String,
    panels: Vec<Shown>,
    hours: Option<Hours>,
    size: (f64, f64),
    /// The days of the period.
    range: String,
}

/// Why there is nothing to see, and what leads on.
struct Nothing {
    title: &'static str,
    sentence: String,
    onward: Option<Link>,
    /// Whether the site waits for its first visit, which the tag brings.
    wants_tag: bool,
}

/// A panel with its rows.
pub(super) struct Shown {
    name: &'static str,
    /// The dimension whose values it has.
    values_of: &'static str,
    pub(super) title: &'static str,
    tabs: Vec<Link>,
    /// The heading of the names.
    pub(super) dimension: String,
    by_name: Option<String>,
    pub(super) columns: Vec<Column>,
    /// The heading of how their first metric has changed, where it is compared.
    pub(super) change: Option<String>,
    pub(super) rows: Vec<Row>,
    pub(super) map: Option<WorldMap>,
    details: String,
    details_label: String,
    csv: String,
    csv_label: String,
    /// The page that looks at the panel's values one after another, where there is one.
    onward: Option<Link>,
    /// Whether there are no goals to have rows.
    lacks_goals: bool,
}

/// The heading of a column.
pub(super) struct Column {
    pub(super) label: String,
    pub(super) url: String,
    pub(super) aria: &'static str,
}

pub(super) async fn show(asker: Asker) -> Response {
    match model(&asker).await {
        Ok(model) => page(StatusCode::OK, &model),
        Err(error) => asker.refuse(&error),
    }
}

async fn model(asker: &Asker) -> Result<SitePage, AskError> {
    let metrics = headlines(asker);
    let totals = totals_query(asker, &metrics);
    let panels = PANELS.iter().filter_map(|panel| Some((panel, panel.open(asker)?)));
    let panels = try_join_all(panels.map(|(panel, tab)| ask_for(asker, panel, tab)));
    let (mut totals, series, now, hours, panels) = tokio::try_join!(
        asker.ask(&totals),
        Series::ask(asker),
        visitors_now(asker),
        hours(asker),
        panels
    )?;
    leave_no_bounces_of_nothing(&metrics, &mut totals);
    let result = &totals["results"][0];
    let is_nothing = |value: &Value| value.as_f64().unwrap_or(0.0) == 0.0;
    let has_nothing =
        asker.floor.is_none() && result["metrics"].as_array().into_iter().flatten().all(is_nothing);
    let is_empty = has_nothing && asker.view.filters.is_empty();
    let nothing = if is_empty { Some(nothing(asker).await?) } else { None };
    let panels: Vec<Shown> =
        panels.into_iter().map(|asked| filled(asker, asked, &metrics, result)).collect();
    let shell = panels.iter().fold(Shell::of(asker, now), |shell, panel| {
        let countries = panel.map.iter().flat_map(|map| &map.countries);
        let countries = countries.map(|country| country.name.as_str());
        let labels = panel.rows.iter().map(|row| row.label.as_str()).chain(countries);
        shell.offering(asker, panel.values_of, labels)
    });
    let words = asker.words();
    let shown = metric_name(asker.lang, series.metric);
    let figure = |(place, metric): (usize, &Metric)| {
        Figure::of(asker, *metric, place, result, series.metric)
    };
    Ok(SitePage {
        frame: asker.frame(),
        over_time: fill(words.over_time, &[shown]),
        days_of: fill(words.days_of, &[asker.site.timezone_name()]),
        is_unmatched: has_nothing && !is_empty,
        shell,
        nothing,
        range: match asker.view.is_of_all_time() {
            true => series.range(asker),
            false => shell::period(asker)[1].clone(),
        },
        tag: asker.tag(),
        figures: metrics.iter().enumerate().map(figure).collect(),
        chart: series.chart(asker),
        notes: series.notes().to_vec(),
        shown,
        compared: compared_with(asker),
        unfinished: unfinished(asker, &series),
        intervals: series::links(asker, &series),
        series_csv: format!("{}/csv/time{}", asker.home(), asker.view.url()),
        panels,
        hours,
        size: (WIDTH, HEIGHT),
    })
}

/// What is said of a period in which nothing has happened.
async fn nothing(asker: &Asker) -> Result<Nothing, AskError> {
    let words = asker.words();
    let began = report::when_it_began(&asker.services.store, &asker.site).await?;
    let began = began.map(|moment| asker.site.timezone.to_datetime(moment).date());
    let today = asker.local_now().date();
    let link = |label: &str, period| Link {
        label: label.to_owned(),
        url: asker.view.with_period(period).url(),
        is_current: false,
    };
    let see_all = || Some(link(words.see_all_time, "all"));
    let (title, sentence, onward) = match Emptiness::of(began, shell::days(asker), today) {
        Emptiness::OfNewSite => {
            (words.no_visits_yet, fill(words.put_tag, &[&asker.site.domain]), None)
        }
        Emptiness::UntilYesterday => {
            let sentence = words.visits_today.to_owned();
            (words.no_visits_yet, sentence, Some(link(words.see_today, "day")))
        }
        Emptiness::Before(first) => {
            let sentence = fill(words.first_visit_later, &[&asker.lang.day(first)]);
            (words.no_visits, sentence, see_all())
        }
        Emptiness::ToCome => (words.no_visits_yet, words.period_to_come.to_owned(), see_all()),
        Emptiness::Between => (words.no_visits, words.visits_elsewhere.to_owned(), see_all()),
    };
    Ok(Nothing { title, sentence, onward, wants_tag: began.is_none() })
}

/// Why a period has no visits.
#[derive(Debug, PartialEq)]
enum Emptiness {
    /// The site has none at all.
    OfNewSite,
    /// The first have come today, and it ended yesterday.
    UntilYesterday,
    /// It ended before the first visit, which came on this day.
    Before(Date),
    ToCome,
    /// There are some before it or after it.
    Between,
}

impl Emptiness {
    /// By the day of the first visit, and the days of the period, of which all time has none.
    fn of(began: Option<Date>, days: Option<[Date; 2]>, today: Date) -> Self {
        let Some(began) = began else { return Self::OfNewSite };
        match days {
            Some([from, _]) if from > today => Self::ToCome,
            Some([_, to]) if began == today && to.tomorrow().ok() == Some(today) => {
                Self::UntilYesterday
            }
            Some([_, to]) if began > to => Self::Before(began),
            _ => Self::Between,
        }
    }
}

/// What the view is compared with, in words; nothing without a comparison.
pub(super) fn compared_with(asker: &Asker) -> String {
    match (asker.view.compared(), asker.view.comparison) {
        (None, _) | (_, Comparison::Nothing) => String::new(),
        (_, Comparison::Before) => asker.words().before.to_owned(),
        (_, Comparison::YearBefore) => asker.words().year_before.to_owned(),
        (_, Comparison::Days(from, to)) => asker.lang.days(from, to),
    }
}

/// What a comparison means of a period that goes on; nothing, if it is over or compared with nothing.
pub(super) fn unfinished(asker: &Asker, series: &Series) -> &'static str {
    match (series.is_unfinished(), asker.comparison(), asker.compared_so_far()) {
        (false, _, _) | (_, None, _) => "",
        (true, Some(_), Some(_)) => asker.words().unfinished,
        (true, Some(_), None) => asker.words().unfinished_whole,
    }
}

async fn hours(asker: &Asker) -> Result<Option<Hours>, AskError> {
    match hours::query(asker) {
        Some(query) => asker.ask(&query).await.map(|answer| Hours::of(asker, &answer)),
        None => Ok(None),
    }
}

/// The question that the headline figures answer.
pub(super) fn totals_query(asker: &Asker, metrics: &[Metric]) -> Value {
    let mut query = asker.query(json!({ "metrics": names(metrics) }));
    if let Some(comparison) = asker.comparison() {
        query["include"] = json!({ "comparisons": comparison });
    }
    query
}

/// A panel whose list has been asked for.
pub(super) struct Asked {
    panel: &'static Panel,
    tab: &'static Tab,
    metrics: Vec<Metric>,
    order: Order,
    is_compared: bool,
    answer: Value,
}

pub(super) async fn ask_for(
    asker: &Asker,
    panel: &'static Panel,
    tab: &'static Tab,
) -> Result<Asked, AskError> {
    let metrics = few(asker, tab.dimension);
    let order = Order::read(asker.view.order(panel.name), &metrics);
    let mut is_compared = false;
    let answer = if tab.dimension == "event:goal" && asker.site.goals.is_empty() {
        Value::Null
    } else if tab.has_map {
        asker.ask(&map::query(asker)).await?
    } else {
        let mut query = ranking::query(asker, tab.dimension, &metrics, order, of_event(tab));
        query["pagination"] = json!({ "limit": PANEL_ROWS });
        if let Some(comparison) = ranking::comparison_in_brief(asker) {
            query["include"] = json!({ "comparisons": comparison });
            is_compared = true;
        }
        asker.ask(&query).await?
    };
    Ok(Asked { panel, tab, metrics, order, is_compared, answer })
}

/// The panel, on a page with these headline figures.
pub(super) fn filled(asker: &Asker, asked: Asked, headlines: &[Metric], totals: &Value) -> Shown {
    let Asked { panel, tab, metrics, order, is_compared, mut answer } = asked;
    let lacks_goals = answer.is_null();
    if !lacks_goals {
        let visitors = headlines.iter().position(|metric| *metric == Metric::Visitors);
        let visitors = visitors.map_or(0.0, |place| number(&totals["metrics"][place]));
        ranking::fill_in_shares(asker, &mut answer, &metrics, visitors);
    }
    let (rows, map) = match tab.has_map {
        true => (Vec::new(), Some(WorldMap::of(asker, &answer))),
        false => (ranking::shown_rows(asker, tab.dimension, &metrics, &answer), None),
    };
    let title = (panel.title)(asker.words());
    let column = |metric: &Metric| Column {
        label: column_name(asker.lang, *metric),
        url: asker.view.with_order(panel.name, &order.clicked(*metric).text()).url(),
        aria: order.aria(*metric),
    };
    let [details, csv] = ["by", "csv"].map(|page| list_url(asker, page, tab));
    Shown {
        name: panel.name,
        values_of: tab.dimension,
        title,
        tabs: panel.offered(asker).map(|other| tab_link(asker, panel, other, tab)).collect(),
        dimension: tab.label(asker.lang),
        by_name: ranking::has_order_by_name(tab.dimension)
            .then(|| asker.view.with_order(panel.name, "name").url()),
        columns: metrics.iter().map(column).collect(),
        change: metrics
            .first()
            .filter(|_| is_compared)
            .map(|metric| change_heading(asker, *metric)),
        rows,
        map,
        details,
        details_label: fill(asker.words().details_of, &[&tab.label(asker.lang)]),
        csv,
        csv_label: format!("{}: CSV", tab.label(asker.lang)),
        onward: onward(asker, panel),
        lacks_goals,
    }
}

/// The heading of how a metric of a list has changed, as it is read out.
pub(super) fn change_heading(asker: &Asker, metric: Metric) -> String {
    let metric = metric_name(asker.lang, metric);
    format!("{metric}, {}", asker.view.comparison.in_words(asker.lang))
}

fn onward(asker: &Asker, panel: &Panel) -> Option<Link> {
    if asker.floor.is_some() {
        return None;
    }
    let words = asker.words();
    let (page, label) = match panel.name {
        "pages" => ("journey", words.journey),
        "goals" if funnel::is_for(asker) => ("funnel", words.funnel),
        _ => return None,
    };
    let url = format!("{}/{page}{}", asker.home(), asker.view.url());
    Some(Link { label: label.to_owned(), url, is_current: false })
}

fn tab_link(asker: &Asker, panel: &Panel, tab: &Tab, open: &Tab) -> Link {
    Link {
        label: tab.label(asker.lang),
        url: asker.view.with_tab(panel.name, tab.name).url(),
        is_current: tab.name == open.name,
    }
}

/// The filter of a tab that is about one kind of events.
pub(super) fn of_event(tab: &Tab) -> Vec<Value> {
    tab.event.map(|event| json!(["is", "event:name", [event]])).into_iter().collect()
}

/// The page with all of a panel's list.
fn list_url(asker: &Asker, page: &str, tab: &Tab) -> String {
    format!("{}/{page}/{}{}", asker.home(), tab.page(), asker.view.url())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_period_without_visits_is_before_the_first_one_to_come_or_between() {
        let (november, today) = (|day| date(2026, 11, day), date(2026, 11, 27));
        for (began, days, expected) in [
            (None, Some([november(1), november(26)]), Emptiness::OfNewSite),
            (Some(today), Some([november(1), november(26)]), Emptiness::UntilYesterday),
            (Some(today), Some([november(1), november(20)]), Emptiness::Before(today)),
            (
                Some(november(20)),
                Some([november(1), november(19)]),
                Emptiness::Before(november(20)),
            ),
            (Some(november(20)), Some([november(28), november(29)]), Emptiness::ToCome),
            (Some(november(20)), Some([november(21), november(22)]), Emptiness::Between),
            (Some(november(20)), None, Emptiness::Between),
        ] {
            assert_eq!(Emptiness::of(began, days, today), expected);
        }
    }
}
