//! A funnel: of the visitors who did its first step, how many went on to each of the others.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::ask::{Asker, rows};
use super::format::{NO_NUMBER, number};
use super::frame::{Frame, Link, page};
use super::live::visitors_now;
use super::ranking::{self, Order};
use super::refusal::{self, refuse};
use super::shell::{Shell, owned, value_of};
use super::stop::{Kind, Stop};
use super::view::{Comparison, STOPS_MAX};
use super::words::{fill, names::metric};
use crate::query::metric::Metric;
use crate::report::AskError;
use crate::site::funnel::Funnel;
use crate::site::member::Role;

/// The fewest steps that can be asked about.
const STOPS_MIN: usize = 2;
/// How many pages and events are offered as the next step.
const OFFERED: usize = 8;

#[derive(Template)]
#[template(path = "funnel.html")]
struct FunnelPage {
    frame: Frame,
    shell: Shell,
    /// The funnels that the site has given names.
    saved: Vec<Link>,
    /// Where the viewer may give one to this funnel, and the query string that it is saved from.
    save_at: Option<String>,
    view: String,
    /// The page of the journey that begins with the first step.
    journey: String,
    steps: Vec<Step>,
    /// Whether there are numbers of the steps, and of the period that they are compared with.
    is_asked: bool,
    is_compared: bool,
    /// What that one is called.
    before: &'static str,
    visitors: &'static str,
    /// What share of those who began came to the end.
    result: String,
    kinds: Vec<(&'static str, &'static str)>,
    offers: Vec<Offer>,
    has_room: bool,
    hidden: Vec<(String, String)>,
    query: String,
}

/// A step and who reached it.
#[derive(Default)]
struct Step {
    name: String,
    kind: &'static str,
    remove: String,
    remove_label: String,
    visitors: String,
    /// Of the first step.
    rate: String,
    /// Of the step before.
    step_rate: String,
    /// Who did not go on to this step.
    drop_off: String,
    /// Of the first step, in the period that this one is compared with.
    rate_before: String,
    /// The bar behind it, of a thousand.
    share: u32,
}

/// What may be the next step.
struct Offer {
    title: &'static str,
    stops: Vec<Link>,
}

/// Whether there are funnels to see: not where the site's profile measures no conversions, nor for those who
/// are told no small numbers.
pub(super) fn is_for(asker: &Asker) -> bool {
    !asker.site.policy.profile.is_strict() && asker.floor.is_none()
}

pub(super) async fn show(asker: Asker) -> Response {
    if !is_for(&asker) {
        return refuse(asker.lang, StatusCode::NOT_FOUND, refusal::NOT_FOUND);
    }
    match model(&asker).await {
        Ok(model) => page(StatusCode::OK, &model),
        Err(error) => asker.refuse(&error),
    }
}

async fn model(asker: &Asker) -> Result<FunnelPage, AskError> {
    let stops = &asker.view.stops;
    let is_asked = stops.len() >= STOPS_MIN;
    let has_room = stops.len() < STOPS_MAX;
    let answer =
        async { if is_asked { asker.ask_funnel(&query(asker)).await } else { Ok(json!({})) } };
    let offers = async { if has_room { offers(asker).await } else { Ok(Vec::new()) } };
    let (answer, offers, now) = tokio::try_join!(answer, offers, visitors_now(asker))?;
    let result = &answer["results"][0];
    let words = asker.words();
    Ok(FunnelPage {
        frame: asker.frame(),
        saved: asker.site.funnels.iter().filter_map(|funnel| saved(asker, funnel)).collect(),
        save_at: (asker.may(Role::Editor) && is_asked)
            .then(|| format!("{}/settings{}", asker.home(), asker.view.url())),
        view: asker.view.url().trim_start_matches('?').to_owned(),
        journey: format!("{}/journey{}", asker.home(), asker.view.url()),
        steps: stops
            .iter()
            .enumerate()
            .map(|(place, stop)| step(asker, place, stop, result))
            .collect(),
        is_asked,
        visitors: metric(asker.lang, Metric::Visitors),
        is_compared: result["comparison"].is_object(),
        before: match asker.view.comparison {
            Comparison::YearBefore => words.of_first_year_before,
            Comparison::Days(..) => words.of_first_other,
            Comparison::Before | Comparison::Nothing => words.of_first_before,
        },
        result: match result["steps"].as_array().map(Vec::as_slice) {
            Some([first, .., last]) if has_visitors(first) => {
                fill(words.funnel_result, &[&percent(asker, &last["conversion_rate"])])
            }
            _ => words.nobody_began.to_owned(),
        },
        kinds: Kind::choices(words),
        offers,
        has_room,
        hidden: owned(asker.view.pairs()),
        query: serde_json::to_string_pretty(&answer["query"]).unwrap_or_default(),
        shell: Shell::of(asker, now),
    })
}

/// The view with the steps of a funnel; one that this page can not show whole is not offered.
pub(super) fn saved(asker: &Asker, funnel: &Funnel) -> Option<Link> {
    let stops: Vec<Stop> = funnel.steps.iter().map(Stop::of_answer).collect::<Option<_>>()?;
    Some(Link {
        label: funnel.name.clone(),
        is_current: stops == asker.view.stops,
        url: asker.view.with_stops(stops).url(),
    })
}

/// The question of the view's steps.
fn query(asker: &Asker) -> Value {
    let mut query = json!({
        "site_id": asker.site.domain,
        "date_range": asker.view.period.to_query(),
        "filters": asker.view.filters(asker.lang),
        "steps": asker.view.stops.iter().map(Stop::to_query).collect::<Vec<_>>(),
    });
    if let Some(comparison) = asker.comparison() {
        query["include"] = json!({ "comparisons": comparison });
    }
    query
}

fn step(asker: &Asker, place: usize, stop: &Stop, result: &Value) -> Step {
    let step = Step {
        name: stop.value.clone(),
        kind: stop.kind.label(asker.words()),
        remove: asker.view.without_stop(place).url(),
        remove_label: fill(asker.words().remove_step, &[&(place + 1).to_string()]),
        ..Step::default()
    };
    let told = &result["steps"][place];
    if told.is_null() {
        return step;
    }
    let drop_off = &told["drop_off"];
    // Of nobody there is no share.
    let of_first = |steps: &Value| match has_visitors(&steps[0]) {
        true => percent(asker, &steps[place]["conversion_rate"]),
        false => NO_NUMBER.to_owned(),
    };
    Step {
        visitors: asker.lang.whole(number(&told["visitors"])),
        rate: of_first(&result["steps"]),
        step_rate: match place.checked_sub(1) {
            Some(before) if !has_visitors(&result["steps"][before]) => NO_NUMBER.to_owned(),
            _ => percent(asker, &told["step_conversion_rate"]),
        },
        drop_off: if drop_off.is_null() {
            NO_NUMBER.to_owned()
        } else {
            asker.lang.whole(number(drop_off))
        },
        rate_before: of_first(&result["comparison"]["steps"]),
        share: (10.0 * number(&told["conversion_rate"])) as u32,
        ..step
    }
}

fn has_visitors(step: &Value) -> bool {
    number(&step["visitors"]) > 0.0
}

fn percent(asker: &Asker, value: &Value) -> String {
    value.as_f64().map_or_else(|| NO_NUMBER.to_owned(), |value| asker.lang.percent(value, 1))
}

/// The site's goals, and its commonest pages and events.
async fn offers(asker: &Asker) -> Result<Vec<Offer>, AskError> {
    let words = asker.words();
    let goals = asker.site.goals.iter().take(OFFERED).map(|goal| goal.name.clone()).collect();
    let lists = [("event:page", Kind::Page), ("event:name", Kind::Event)];
    let common = try_join_all(lists.map(|(dimension, kind)| async move {
        Ok::<_, AskError>((kind, commonest(asker, dimension).await?))
    }));
    let common = common.await?;
    let titled = std::iter::once((Kind::Goal, goals)).chain(common).map(|(kind, values)| {
        let title = match kind {
            Kind::Page => words.panel_pages,
            Kind::Event => words.panel_events,
            Kind::Goal => words.panel_goals,
        };
        Offer { title, stops: values.into_iter().map(|value| offer(asker, kind, value)).collect() }
    });
    Ok(titled.filter(|offer| !offer.stops.is_empty()).collect())
}

/// The values of a dimension that most visitors had in the view's period.
pub(super) async fn commonest(asker: &Asker, dimension: &str) -> Result<Vec<String>, AskError> {
    let order = Order::Most(Metric::Visitors);
    let mut query = ranking::query(asker, dimension, &[Metric::Visitors], order, Vec::new());
    query["pagination"] = json!({ "limit": OFFERED });
    let answer = asker.ask(&query).await?;
    Ok(rows(&answer).iter().map(|row| value_of(row).to_owned()).collect())
}

fn offer(asker: &Asker, kind: Kind, value: String) -> Link {
    let url = asker.view.with_stop(Stop { kind, value: value.clone() }).url();
    Link { label: value, url, is_current: false }
}
