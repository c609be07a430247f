//! The overview: every site that the viewer may see, with its last thirty days.

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::access::{Sight, Viewer, to_the_form};
use super::chart::sparkline;
use super::figure::{Change, change};
use super::format::number;
use super::frame::{Frame, page};
use super::refusal::refuse_person;
use super::view::View;
use super::words::Lang;
use crate::http::Services;
use crate::http::links::in_a_path;
use crate::http::noting::Noted;
use crate::query::Known;
use crate::query::metric::Metric;
use crate::report;
use crate::site::Site;

/// The most sites of the page.
const SITES_MAX: usize = 60;
/// The size of a card's line.
const LINE: (f64, f64) = (220.0, 44.0);

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    cards: Vec<Card>,
}

struct Card {
    domain: String,
    url: String,
    /// Its numbers, if they are at hand.
    numbers: Option<Numbers>,
}

struct Numbers {
    visitors: String,
    change: Option<Change>,
    line: String,
}

pub(super) async fn show(
    State(services): State<Services>,
    noted: Noted,
    viewer: Viewer,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let view = View::read(query.as_deref().unwrap_or_default());
    let lang = view.lang.unwrap_or_else(|| Lang::accepted(&headers));
    let sites = services.catalog.sites();
    let seen = |site: Arc<Site>| viewer.sees(&services, &site).map(|sight| (site, sight));
    let sites: Vec<_> = sites.into_iter().filter_map(seen).take(SITES_MAX).collect();
    noted.reader(sites.first().map_or_else(|| viewer.reader(), |(_, sight)| sight.reader.clone()));
    if sites.is_empty() && !viewer.has_signed_in() {
        return to_the_form("/");
    }
    if let Some(person) = viewer.stranger(&services).filter(|_| sites.is_empty()) {
        return refuse_person(lang, viewer.account(&services), person);
    }
    // Only the language is taken along to a site: what is looked at there is chosen there.
    let kept = view.lang.map_or_else(String::new, |lang| format!("?lang={}", lang.tag()));
    let mut cards = JoinSet::new();
    for (place, (site, sight)) in sites.into_iter().enumerate() {
        let (services, url) = (services.clone(), format!("/{}{kept}", in_a_path(&site.domain)));
        cards.spawn(async move {
            let numbers = numbers(&services, &site, &sight, lang).await;
            (place, Card { domain: site.domain.clone(), url, numbers })
        });
    }
    let mut cards = cards.join_all().await;
    cards.sort_by_key(|(place, _)| *place);
    let cards = cards.into_iter().map(|(_, card)| card).collect();
    let frame = Frame::of_view(lang, viewer.account(&services), &view);
    page(StatusCode::OK, &OverviewPage { frame, cards })
}

async fn numbers(services: &Services, site: &Site, sight: &Sight, lang: Lang) -> Option<Numbers> {
    let known = Known {
        floor: sight.floor,
        within: &sight.within,
        ..Known::new(site, services.clock.now())
    };
    let ask = async |with: Value| {
        let mut query =
            json!({"site_id": site.domain, "metrics": ["visitors"], "date_range": "30d"});
        if let (Some(query), Value::Object(with)) = (query.as_object_mut(), with) {
            query.extend(with);
        }
        report::ask_knowing(&services.store, known, &query).await
    };
    let answers = tokio::try_join!(
        ask(json!({"include": {"comparisons": {"mode": "previous_period"}}})),
        ask(json!({"dimensions": ["time:day"], "include": {"time_labels": true}})),
    );
    // A site whose numbers are not at hand is shown without them.
    let (whole_period, days) = answers.ok()?;
    let result = &whole_period["results"][0];
    Some(Numbers {
        visitors: lang.whole(number(&result["metrics"][0])),
        change: change(lang, Metric::Visitors, &result["comparison"]["change"][0]),
        line: sparkline(&by_day(&days), LINE.0, LINE.1),
    })
}

fn by_day(days: &Value) -> Vec<f64> {
    let rows = days["results"].as_array().map(Vec::as_slice).unwrap_or_default();
    let value = |label: &Value| {
        let row = rows.iter().find(|row| row["dimensions"][0] == *label);
        row.map_or(0.0, |row| number(&row["metrics"][0]))
    };
    days["meta"]["time_labels"].as_array().into_iter().flatten().map(value).collect()
}
