//! What the collector writes by itself: the report of a period, and an alert, as mails.
//!
//! A report asks what a site's page asks, for the same view, and links to it: so both say the same.

use std::sync::Arc;

use askama::Template;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use super::ask::Asker;
use super::columns::{few, headlines};
use super::figure::{Change, changed};
use super::panels::{PANELS, Panel, Tab};
use super::ranking::{self, Order, Row};
use super::site::{of_event, totals_query};
use super::view::View;
use super::words::{Lang, Words, fill, names};
use crate::config::{Every, When};
use crate::http::Services;
use crate::http::links::in_a_path;
use crate::record::Language;
use crate::report::AskError;
use crate::site::Site;

/// The panels of a report, and how many rows each has.
const LISTS: [&str; 3] = ["sources", "pages", "goals"];
const LIST_ROWS: usize = 5;
/// The colours of what got better, worse, and stayed: those of the light dashboard.
const MOODS: [(&str, &str); 3] = [("better", "#176b3d"), ("worse", "#ab2c22"), ("same", "#5b6270")];

/// A mail, but for its addresses.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// What an alert found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finding {
    pub(crate) when: When,
    /// So many hours were looked at together.
    pub(crate) hours: u32,
    /// The visitors in these hours.
    pub(crate) visitors: u64,
    /// The visitors in the same hours of the weeks before.
    pub(crate) usual: f64,
}

#[derive(Template)]
#[template(path = "letter/report.html")]
struct ReportHtml<'a>(&'a Report);

#[derive(Template)]
#[template(path = "letter/report.txt")]
struct ReportText<'a>(&'a Report);

struct Report {
    tag: &'static str,
    words: &'static Words,
    kind: &'static str,
    domain: String,
    days: String,
    figures: Vec<Figure>,
    lists: Vec<List>,
    /// The same numbers as a page, if browsers are known to reach it.
    url: Option<String>,
}

struct Figure {
    label: &'static str,
    value: String,
    change: Option<Change>,
}

struct List {
    title: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "letter/alert.html")]
struct AlertHtml<'a>(&'a Alert);

#[derive(Template)]
#[template(path = "letter/alert.txt")]
struct AlertText<'a>(&'a Alert);

struct Alert {
    tag: &'static str,
    words: &'static Words,
    title: String,
    sentences: Vec<String>,
    url: Option<String>,
}

impl From<Language> for Lang {
    fn from(language: Language) -> Self {
        match language {
            Language::En => Self::English,
            Language::De => Self::German,
        }
    }
}

impl Figure {
    /// The colour of its change.
    fn colour(&self) -> &'static str {
        let mood = self.change.as_ref().map_or("same", |change| change.mood);
        MOODS.iter().find(|(known, _)| *known == mood).map_or("", |(_, colour)| colour)
    }
}

/// Where browsers see a site's page, if the operator said where they reach the collector.
pub(crate) fn site_url(services: &Services, site: &Site) -> Option<String> {
    let origin = services.public_url.as_deref()?;
    Some(format!("{origin}/{}", in_a_path(&site.domain)))
}

/// The report of a site about the days from `first` to `last`, both within.
pub(crate) async fn report(
    services: &Services,
    site: &Arc<Site>,
    language: Language,
    every: Every,
    (first, last): (Date, Date),
    now: Timestamp,
) -> Result<Letter, AskError> {
    let lang = Lang::from(language);
    let view = View::read(&format!("period={first},{last}")).with_lang(lang);
    let asker = Asker::of_operator(services, site, view, lang, now);
    let words = lang.words();
    let report = Report {
        tag: lang.tag(),
        words,
        kind: match every {
            Every::Day => words.letter_day,
            Every::Week => words.letter_week,
            Every::Month => words.letter_month,
        },
        domain: site.domain.clone(),
        days: lang.days(first, last),
        figures: figures(&asker).await?,
        lists: lists(&asker).await?,
        url: site_url(services, site).map(|url| url + &asker.view.url()),
    };
    Ok(Letter {
        subject: format!("{}: {}", report.domain, report.days),
        text: ReportText(&report).render().unwrap_or_default(),
        html: ReportHtml(&report).render().unwrap_or_default(),
    })
}

async fn figures(asker: &Asker) -> Result<Vec<Figure>, AskError> {
    let metrics = headlines(asker);
    let totals = asker.ask(&totals_query(asker, &metrics)).await?;
    let result = &totals["results"][0];
    let figure = |(place, metric): (usize, &crate::query::metric::Metric)| Figure {
        label: names::metric(asker.lang, *metric),
        value: asker.lang.exact(*metric, &result["metrics"][place]),
        change: changed(asker.lang, *metric, place, result),
    };
    Ok(metrics.iter().enumerate().map(figure).collect())
}

/// One after the other: nobody waits for a mail, but somebody may wait for a page.
async fn lists(asker: &Asker) -> Result<Vec<List>, AskError> {
    let mut lists = Vec::new();
    for panel in PANELS.iter().filter(|panel| LISTS.contains(&panel.name)) {
        let tab = panel.open(asker);
        if let Some(tab) = tab.filter(|_| panel.name != "goals" || !asker.site.goals.is_empty()) {
            lists.push(list(asker, panel, tab).await?);
        }
    }
    Ok(lists)
}

async fn list(asker: &Asker, panel: &'static Panel, tab: &Tab) -> Result<List, AskError> {
    let metrics = few(asker, tab.dimension);
    let order = Order::read(None, &metrics);
    let mut query = ranking::query(asker, tab.dimension, &metrics, order, of_event(tab));
    query["pagination"] = json!({ "limit": LIST_ROWS });
    let answer = ranking::ask(asker, &query, &metrics).await?;
    Ok(List {
        title: (panel.title)(asker.words()),
        columns: metrics.iter().map(|metric| names::metric(asker.lang, *metric)).collect(),
        rows: ranking::shown_rows(asker, tab.dimension, &metrics, &answer),
    })
}

/// The mail about what an alert found. Its subject says it in a line.
pub(crate) fn alert(
    services: &Services,
    site: &Site,
    language: Language,
    finding: Finding,
) -> Letter {
    let lang = Lang::from(language);
    let words = lang.words();
    let advice = (finding.when != When::Spike).then_some(words.alert_check);
    let mut sentences = vec![numbers(lang, finding)];
    sentences.extend(advice.map(|advice| fill(advice, &[&site.domain])));
    sentences.push(words.alert_pause.to_owned());
    let alert = Alert {
        tag: lang.tag(),
        words,
        title: title(lang, site, finding),
        sentences,
        url: site_url(services, site),
    };
    Letter {
        text: AlertText(&alert).render().unwrap_or_default(),
        html: AlertHtml(&alert).render().unwrap_or_default(),
        subject: alert.title,
    }
}

/// What an alert found, in a line.
pub(crate) fn alert_in_short(site: &Site, language: Language, finding: Finding) -> String {
    let lang = Lang::from(language);
    format!("{}. {}", title(lang, site, finding), numbers(lang, finding))
}

fn title(lang: Lang, site: &Site, finding: Finding) -> String {
    let words = lang.words();
    let title = match finding.when {
        When::Spike => words.alert_spike,
        When::Drop => words.alert_drop,
        When::Silence => words.alert_silence,
    };
    fill(title, &[&site.domain])
}

fn numbers(lang: Lang, finding: Finding) -> String {
    let Finding { hours, visitors, usual, .. } = finding;
    let (visitors, usual) = (lang.whole(visitors as f64), lang.whole(usual.round()));
    fill(lang.words().alert_numbers, &[&hours.to_string(), &visitors, &usual])
}
