//! A site's page: what it asks, and the view model of the answers.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::access::{Viewer, to_the_form};
use super::chart::{Chart, Sample};
use super::format::{duration, number, short, whole};
use super::panels::{Headline, PANELS, Panel, dimension_label, headlines, left_out};
use super::view::{Filter, PERIODS, View};
use super::{messages, page, refusal, style_path};
use crate::beacon::decode::bare_domain;
use crate::http::Services;
use crate::report::{self, AskError};
use crate::site::Site;
use crate::store::StoreError;

/// How many rows a panel shows.
const PANEL_ROWS: usize = 9;

#[derive(Template)]
#[template(path = "site.html")]
struct SitePage {
    style: String,
    site: String,
    timezone: String,
    signed_in: bool,
    is_empty: bool,
    tag: String,
    range: String,
    compared: String,
    periods: Vec<Link>,
    filters: Vec<Pill>,
    headlines: Vec<Figure>,
    chart: Option<Chart>,
    panels: Vec<Shown>,
}

struct Link {
    label: &'static str,
    url: String,
    is_current: bool,
}

/// A filter, as it is shown.
struct Pill {
    dimension: String,
    relation: &'static str,
    value: String,
    turn: String,
    remove: String,
}

/// A metric at the head of the page.
struct Figure {
    label: &'static str,
    value: String,
    exact: String,
    change: Option<Change>,
}

/// How much a metric has changed since the period before.
struct Change {
    text: String,
    /// `better`, `worse` or `same`.
    mood: &'static str,
}

/// A panel with its rows.
struct Shown {
    title: &'static str,
    metric_label: &'static str,
    tabs: Vec<Link>,
    rows: Vec<Row>,
}

struct Row {
    label: String,
    url: String,
    value: String,
    exact: String,
    /// Of a thousand, beside the first row.
    share: u32,
}

/// Asks one question about the view.
struct Asker<'a> {
    services: &'a Services,
    site: &'a Site,
    view: &'a View,
}

impl Asker<'_> {
    async fn ask(&self, with: Value) -> Result<Value, AskError> {
        let mut query = json!({
            "site_id": self.site.domain, "date_range": self.view.period, "filters": self.view.filters(),
        });
        if let (Some(query), Value::Object(with)) = (query.as_object_mut(), with) {
            query.extend(with);
        }
        report::ask(&self.services.store, self.site, self.services.clock.now(), &query).await
    }

    async fn headlines(&self) -> Result<Value, AskError> {
        let metrics: Vec<_> = headlines(self.view).iter().map(|headline| headline.metric).collect();
        // There is nothing before all time.
        let include = if self.view.period == "all" {
            json!({})
        } else {
            json!({"comparisons": {"mode": "previous_period"}})
        };
        self.ask(json!({"metrics": metrics, "include": include})).await
    }

    async fn series(&self) -> Result<Value, AskError> {
        let mut include = json!({"time_labels": true});
        if self.view.period != "all" {
            include["comparisons"] = json!({"mode": "previous_period"});
        }
        self.ask(json!({"metrics": ["visitors"], "dimensions": ["time"], "include": include})).await
    }

    async fn panel(&self, panel: &Panel) -> Result<Value, AskError> {
        let dimension = open_tab(panel, self.view);
        let mut query = json!({
            "metrics": [panel.metric], "dimensions": [dimension], "pagination": {"limit": PANEL_ROWS},
        });
        if let Some(value) = left_out(dimension) {
            let mut filters = self.view.filters();
            if let Some(filters) = filters.as_array_mut() {
                filters.push(json!(["is_not", dimension, [value]]));
            }
            query["filters"] = filters;
        }
        self.ask(query).await
    }
}

/// The dimension of a panel's open tab: the one in the URL, if the panel has it.
fn open_tab(panel: &Panel, view: &View) -> &'static str {
    let wanted = view.tab(panel.name);
    let known = panel.tabs.iter().find(|(dimension, _)| Some(*dimension) == wanted);
    known.or(panel.tabs.first()).map_or("visit:source", |(dimension, _)| dimension)
}

pub(super) async fn show(
    State(services): State<Services>,
    Path(domain): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let viewer = Viewer::of(&services, &headers);
    let domain = bare_domain(&domain);
    let query = query.unwrap_or_default();
    // A site that there is not is answered as one that may not be seen.
    let Some(site) = services.catalog.site(&domain).filter(|site| viewer.may_see(&services, site))
    else {
        return if viewer.has_signed_in() {
            refusal(StatusCode::NOT_FOUND, messages::NOT_FOUND)
        } else {
            to_the_form(&format!("/{domain}?{query}"))
        };
    };
    let view = View::read(&query);
    let asker = Asker { services: &services, site: &site, view: &view };
    let [sources, pages, places, devices, campaigns, events] = &PANELS;
    let answers = tokio::try_join!(
        asker.headlines(),
        asker.series(),
        asker.panel(sources),
        asker.panel(pages),
        asker.panel(places),
        asker.panel(devices),
        asker.panel(campaigns),
        asker.panel(events),
    );
    match answers {
        Ok((totals, series, first, second, third, fourth, fifth, sixth)) => {
            let panels = PANELS.iter().zip([first, second, third, fourth, fifth, sixth]);
            let origin = origin(&services, &headers);
            let model =
                model(&site, &view, viewer.has_signed_in(), &origin, &totals, &series, panels);
            page(StatusCode::OK, &model)
        }
        Err(AskError::Invalid(_)) => refusal(StatusCode::BAD_REQUEST, messages::WRONG_VIEW),
        Err(AskError::Store(StoreError::Limit { .. })) => {
            refusal(StatusCode::UNPROCESSABLE_ENTITY, messages::TOO_EXPENSIVE)
        }
        Err(AskError::Store(error)) => {
            tracing::warn!(%error, "a page could not be shown");
            refusal(StatusCode::SERVICE_UNAVAILABLE, messages::DATABASE_AWAY)
        }
    }
}

/// The address of this collector, for the tag: as the operator said, or as the page was asked for.
fn origin(services: &Services, headers: &HeaderMap) -> String {
    let asked = || {
        let host =
            headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        format!("http://{host}")
    };
    services.public_url.clone().unwrap_or_else(asked)
}

fn model<'a>(
    site: &Site,
    view: &View,
    signed_in: bool,
    origin: &str,
    totals: &Value,
    series: &Value,
    panels: impl Iterator<Item = (&'a Panel, Value)>,
) -> SitePage {
    let result = &totals["results"][0];
    let figures = headlines(view)
        .into_iter()
        .enumerate()
        .map(|(place, headline)| figure(headline, place, result));
    let panels: Vec<Shown> = panels.map(|(panel, answer)| shown(panel, &answer, view)).collect();
    let is_empty =
        number(&result["metrics"][2]) == 0.0 && panels.iter().all(|panel| panel.rows.is_empty());
    SitePage {
        style: style_path(),
        site: site.domain.clone(),
        timezone: site.timezone_name().to_owned(),
        signed_in,
        is_empty,
        tag: format!(
            "<script defer data-domain=\"{}\" src=\"{origin}/js/script.js\"></script>",
            site.domain
        ),
        range: range(&totals["query"]["date_range"]),
        compared: if view.period == "all" {
            String::new()
        } else {
            "compared with the period before".to_owned()
        },
        periods: PERIODS
            .iter()
            .map(|&(period, label)| Link {
                label,
                url: view.with_period(period).url(),
                is_current: view.period == period,
            })
            .collect(),
        filters: view.filters.iter().map(|filter| pill(filter, view)).collect(),
        headlines: figures.collect(),
        chart: Chart::of(&samples(series)),
        panels,
    }
}

fn figure(headline: &Headline, place: usize, result: &Value) -> Figure {
    let value = number(&result["metrics"][place]);
    let (text, exact) = match headline.metric {
        "bounce_rate" => (format!("{value:.0}%"), format!("{value:.0} %")),
        "visit_duration" => (duration(value), format!("{} seconds", whole(value))),
        "views_per_visit" => (format!("{value:.1}"), format!("{value:.2}")),
        _ => (short(value), whole(value)),
    };
    Figure {
        label: headline.label,
        value: text,
        exact,
        change: change(headline, &result["comparison"]["change"][place]),
    }
}

fn change(headline: &Headline, change: &Value) -> Option<Change> {
    let change = change.as_f64()?;
    let unit = if headline.metric == "bounce_rate" { " pts" } else { "%" };
    let (text, mood) = match change {
        0.0 => ("no change".to_owned(), "same"),
        1.0.. => (
            format!("+{change:.0}{unit}"),
            if headline.less_is_better { "worse" } else { "better" },
        ),
        ..0.0 => (
            format!("\u{2212}{:.0}{unit}", -change),
            if headline.less_is_better { "better" } else { "worse" },
        ),
        _ => (format!("+{change:.1}{unit}"), "same"),
    };
    Some(Change { text, mood })
}

fn pill(filter: &Filter, view: &View) -> Pill {
    Pill {
        dimension: dimension_label(&filter.dimension),
        relation: if filter.negated { "is not" } else { "is" },
        value: filter.value.clone(),
        turn: view.with_negated(filter).url(),
        remove: view.without_filter(filter).url(),
    }
}

fn shown(panel: &Panel, answer: &Value, view: &View) -> Shown {
    let open = open_tab(panel, view);
    let rows = answer["results"].as_array().map(Vec::as_slice).unwrap_or_default();
    let highest = rows.iter().map(|row| number(&row["metrics"][0])).fold(1.0, f64::max);
    let row = |row: &Value| {
        let value = number(&row["metrics"][0]);
        let label = row["dimensions"][0].as_str().unwrap_or_default().to_owned();
        Row {
            url: view.with_filter(open, &label).url(),
            value: short(value),
            exact: whole(value),
            share: (1000.0 * value / highest) as u32,
            label: if label.is_empty() { "(none)".to_owned() } else { label },
        }
    };
    let tabs = panel.tabs.iter().map(|&(dimension, label)| Link {
        label,
        url: view.with_tab(panel.name, dimension).url(),
        is_current: dimension == open,
    });
    Shown {
        title: panel.title,
        metric_label: panel.metric_label,
        tabs: tabs.collect(),
        rows: rows.iter().map(row).collect(),
    }
}

/// A value for each label; 0 where there was nothing.
fn samples(series: &Value) -> Vec<Sample> {
    let rows = series["results"].as_array().map(Vec::as_slice).unwrap_or_default();
    let labels = series["meta"]["time_labels"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of_label = |label: &str| rows.iter().find(|row| row["dimensions"][0] == label);
    let sample = |label: &Value| {
        let label = label.as_str().unwrap_or_default();
        let row = of_label(label);
        Sample {
            value: row.map_or(0.0, |row| number(&row["metrics"][0])),
            before: row.and_then(|row| row["comparison"]["metrics"][0].as_f64()),
            label: label_of(label),
        }
    };
    labels.iter().map(sample).collect()
}

/// `2026-11-24` as `24 Nov`, `2026-11-24 13:00:00` as `13:00`.
fn label_of(label: &str) -> String {
    if let Some((_, time)) = label.split_once(' ') {
        return time.get(..5).unwrap_or(time).to_owned();
    }
    label
        .parse::<jiff::civil::Date>()
        .map_or_else(|_| label.to_owned(), |date| date.strftime("%-d %b").to_string())
}

/// The first and the last day of a period.
fn range(dates: &Value) -> String {
    let day = |place: usize| {
        let text = dates[place].as_str().unwrap_or_default();
        let date = text.get(..10).and_then(|date| date.parse::<jiff::civil::Date>().ok());
        date.map(|date| date.strftime("%-d %B %Y").to_string()).unwrap_or_default()
    };
    let (from, to) = (day(0), day(1));
    if from == to { from } else { format!("{from} – {to}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_better_or_worse_by_its_metric() {
        let [visitors, .., bounce_rate, _] = headlines(&View::read(""))[..] else {
            panic!("too few headlines")
        };
        let told =
            |headline, by: Value| change(headline, &by).map(|change| (change.text, change.mood));
        assert_eq!(told(visitors, json!(12)), Some(("+12%".to_owned(), "better")));
        assert_eq!(told(visitors, json!(-3)), Some(("\u{2212}3%".to_owned(), "worse")));
        assert_eq!(told(bounce_rate, json!(4)), Some(("+4 pts".to_owned(), "worse")));
        assert_eq!(told(visitors, json!(0)), Some(("no change".to_owned(), "same")));
        assert_eq!(told(visitors, Value::Null), None);
    }

    #[test]
    fn every_label_has_a_sample() {
        let series = json!({
            "results": [{"dimensions": ["2026-11-02"], "metrics": [7], "comparison": {"metrics": [3]}}],
            "meta": {"time_labels": ["2026-11-01", "2026-11-02"]},
        });
        let samples = samples(&series);
        assert_eq!(samples.iter().map(|sample| sample.value).collect::<Vec<_>>(), [0.0, 7.0]);
        assert_eq!((samples[1].label.as_str(), samples[1].before), ("2 Nov", Some(3.0)));
        assert_eq!(label_of("2026-11-24 13:00:00"), "13:00");
    }
}
