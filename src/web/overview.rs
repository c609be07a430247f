//! The overview: every site that the viewer may see, with its last thirty days.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::access::{Viewer, to_the_form};
use super::chart::sparkline;
use super::format::{number, short, whole};
use super::{page, style_path};
use crate::http::Services;
use crate::report;
use crate::site::Site;

/// The most sites of the page.
const SITES_MAX: usize = 60;
/// The size of a card's line.
const LINE: (f64, f64) = (220.0, 44.0);

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    style: String,
    signed_in: bool,
    cards: Vec<Card>,
}

struct Card {
    domain: String,
    visitors: String,
    exact: String,
    change: String,
    line: String,
    is_known: bool,
}

pub(super) async fn show(State(services): State<Services>, headers: HeaderMap) -> Response {
    let viewer = Viewer::of(&services, &headers);
    let sites = services.catalog.sites();
    let sites: Vec<_> =
        sites.into_iter().filter(|site| viewer.may_see(&services, site)).take(SITES_MAX).collect();
    if sites.is_empty() && !viewer.has_signed_in() {
        return to_the_form("/");
    }
    let mut cards = JoinSet::new();
    for (place, site) in sites.into_iter().enumerate() {
        let services = services.clone();
        cards.spawn(async move { (place, card(&services, &site).await) });
    }
    let mut cards = cards.join_all().await;
    cards.sort_by_key(|(place, _)| *place);
    let cards = cards.into_iter().map(|(_, card)| card).collect();
    page(
        StatusCode::OK,
        &OverviewPage { style: style_path(), signed_in: viewer.has_signed_in(), cards },
    )
}

/// A site whose numbers are not at hand is shown without them.
async fn card(services: &Services, site: &Arc<Site>) -> Card {
    let ask = async |with: Value| {
        let mut query =
            json!({"site_id": site.domain, "metrics": ["visitors"], "date_range": "30d"});
        if let (Some(query), Value::Object(with)) = (query.as_object_mut(), with) {
            query.extend(with);
        }
        report::ask(&services.store, site, services.clock.now(), &query).await
    };
    let answers = tokio::try_join!(
        ask(json!({"include": {"comparisons": {"mode": "previous_period"}}})),
        ask(json!({"dimensions": ["time:day"], "include": {"time_labels": true}})),
    );
    let domain = site.domain.clone();
    match answers {
        Ok((whole_period, days)) => {
            let result = &whole_period["results"][0];
            let visitors = number(&result["metrics"][0]);
            let change = result["comparison"]["change"][0].as_f64().unwrap_or(0.0);
            Card {
                domain,
                visitors: short(visitors),
                exact: whole(visitors),
                change: if change < 0.0 {
                    format!("\u{2212}{:.0}%", -change)
                } else {
                    format!("+{change:.0}%")
                },
                line: sparkline(&by_day(&days), LINE.0, LINE.1),
                is_known: true,
            }
        }
        Err(_) => Card {
            domain,
            visitors: String::new(),
            exact: String::new(),
            change: String::new(),
            line: String::new(),
            is_known: false,
        },
    }
}

fn by_day(days: &Value) -> Vec<f64> {
    let rows = days["results"].as_array().map(Vec::as_slice).unwrap_or_default();
    let value = |label: &Value| {
        let row = rows.iter().find(|row| row["dimensions"][0] == *label);
        row.map_or(0.0, |row| number(&row["metrics"][0]))
    };
    days["meta"]["time_labels"].as_array().into_iter().flatten().map(value).collect()
}
