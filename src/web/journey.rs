//! A journey: where visits go from a page or event on, or where they came from.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::ask::Asker;
use super::format::number;
use super::frame::{Frame, Link, page};
use super::funnel::{self, commonest};
use super::live::visitors_now;
use super::shell::{Shell, owned};
use super::stop::{Kind, Stop};
use super::words::counted;
use crate::report::AskError;

/// How many steps are shown, and how many ways on from each stop: what fits a page.
const DEPTH: u64 = 2;
const BRANCHES: u64 = 5;

#[derive(Template)]
#[template(path = "journey.html")]
struct JourneyPage {
    frame: Frame,
    shell: Shell,
    /// Back to the funnel of the view, where there are funnels.
    funnel: Option<String>,
    ways: Vec<Link>,
    /// Where it begins; nothing, while nothing has happened.
    start: Option<Place>,
    kinds: Vec<(&'static str, &'static str)>,
    hidden: Vec<(String, String)>,
    query: String,
}

/// A stop of the tree, with those after it.
struct Place {
    name: String,
    kind: &'static str,
    /// The journey that begins here.
    url: String,
    visits: String,
    /// What so many are called.
    visits_of: &'static str,
    /// Of those that came to the stop before it.
    rate: String,
    /// The bar behind it, of a thousand.
    share: u32,
    next: Vec<Self>,
    /// Those that went no further, and those that went elsewhere.
    rest: Vec<Rest>,
}

struct Rest {
    name: &'static str,
    visits: String,
    rate: String,
}

pub(super) async fn show(asker: Asker) -> Response {
    if let Some(refused) = asker.refused_small_numbers() {
        return refused;
    }
    match model(&asker).await {
        Ok(model) => page(StatusCode::OK, &model),
        Err(error) => asker.refuse(&error),
    }
}

async fn model(asker: &Asker) -> Result<JourneyPage, AskError> {
    let (start, now) = tokio::try_join!(start(asker), visitors_now(asker))?;
    let answer = match &start {
        Some(start) => asker.ask_journey(&query(asker, start)).await?,
        None => Value::Null,
    };
    let words = asker.words();
    let tree = &answer["results"];
    let way = |label: &str, is_backward: bool| Link {
        label: label.to_owned(),
        url: asker.view.with_way(is_backward).url(),
        is_current: asker.view.is_backward == is_backward,
    };
    Ok(JourneyPage {
        frame: asker.frame(),
        funnel: funnel::is_for(asker)
            .then(|| format!("{}/funnel{}", asker.home(), asker.view.url())),
        ways: vec![way(words.way_on, false), way(words.way_back, true)],
        start: start.map(|start| place(asker, &start, tree, number(&tree["visits"]))),
        kinds: Kind::choices(words),
        // The form is for another start.
        hidden: owned(asker.view.with_stops(Vec::new()).pairs()),
        query: serde_json::to_string_pretty(&answer["query"]).unwrap_or_default(),
        shell: Shell::of(asker, now).uncompared(),
    })
}

/// The first step of the view, or the commonest page.
async fn start(asker: &Asker) -> Result<Option<Stop>, AskError> {
    if let Some(stop) = asker.view.stops.first() {
        return Ok(Some(stop.clone()));
    }
    let pages = commonest(asker, "event:page").await?;
    Ok(pages.into_iter().next().map(|value| Stop { kind: Kind::Page, value }))
}

fn query(asker: &Asker, start: &Stop) -> Value {
    json!({
        "site_id": asker.site.domain,
        "date_range": asker.view.period.to_query(),
        "filters": asker.view.filters(asker.lang),
        "from": start.to_query(),
        "direction": if asker.view.is_backward { "backward" } else { "forward" },
        "depth": DEPTH,
        "branches": BRANCHES,
    })
}

/// A stop as the answer tells of it; `before` are the visits that came to the stop before it.
fn place(asker: &Asker, stop: &Stop, told: &Value, before: f64) -> Place {
    let words = asker.words();
    let (ended, next, no_further) = match asker.view.is_backward {
        false => ("ended", "next", words.ended_there),
        true => ("began", "previous", words.began_there),
    };
    let visits = number(&told["visits"]);
    let rest = [(no_further, &told[ended]), (words.other_ways, &told["others"])];
    let rest =
        rest.into_iter().filter(|(_, count)| number(count) > 0.0).map(|(name, count)| Rest {
            name,
            visits: asker.lang.whole(number(count)),
            rate: rate(asker, number(count), visits),
        });
    let after = told[next].as_array().into_iter().flatten();
    let after = after.filter_map(|told| Some(place(asker, &Stop::of_answer(told)?, told, visits)));
    Place {
        name: stop.value.clone(),
        kind: stop.kind.label(words),
        url: asker.view.with_stops(vec![stop.clone()]).url(),
        visits: asker.lang.whole(visits),
        visits_of: counted(visits as u64, words.visit_of, words.visits_of),
        rate: rate(asker, visits, before),
        share: (1000.0 * visits / before.max(1.0)) as u32,
        next: after.collect(),
        rest: rest.collect(),
    }
}

fn rate(asker: &Asker, part: f64, whole: f64) -> String {
    asker.lang.percent(100.0 * part / whole.max(1.0), 1)
}
