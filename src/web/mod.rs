//! The dashboard: pages for people, rendered here, that need no script.
//!
//! It is a client of the query language, and holds no SQL. A page of a site begins with [`ask`], which
//! finds out who asks about which [`view`], and of a list which [`listing`]; these are what the URL holds, so that a link
//! is a view.
//!
//! - [`overview`], [`site`], [`details`], [`funnel`], [`journey`], [`live`], [`why`] and [`settings`] are the pages,
//!   [`csv`] the downloads.
//! - [`figure`], [`series`] with [`chart`], [`annotations`], [`ranking`], [`map`] and [`hours`] are what pages show.
//! - [`panels`] and [`columns`] say which questions are asked.
//! - [`words`] and [`format`](mod@format) speak the viewer's language; [`frame`] and [`shell`] are around the numbers.
//! - [`forms`] guards the forms that change something.
//! - [`access`] decides who may see a page, [`share`] lets in who comes by a shared link, and [`provider`] signs
//!   people in; [`cookies`] is what browsers keep of that.
//! - [`embed`] is what stands in pages of other sites: a frame and a badge.
//! - [`letter`] is what is mailed: the numbers of a site's page, and alerts.
//! - [`visitor`] is not the dashboard's: it is the page of those who are counted, and has a script for those
//!   who object.

mod access;
mod annotations;
mod ask;
mod assets;
mod chart;
mod columns;
mod cookies;
mod csv;
mod details;
mod embed;
mod figure;
mod filter;
mod format;
mod forms;
mod frame;
mod funnel;
mod hours;
mod journey;
pub(crate) mod letter;
mod listing;
mod live;
mod map;
mod overview;
mod panels;
mod provider;
mod ranking;
mod refusal;
mod series;
mod settings;
mod share;
mod shell;
mod site;
mod stop;
mod view;
pub(crate) mod visitor;
mod why;
mod words;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::compression::CompressionLayer;

use self::refusal::refuse;
use self::words::Lang;
use crate::http::Services;
use crate::http::answer::no_such_route;

/// The pages that show a site's numbers.
pub(crate) fn routes() -> Router<Services> {
    Router::new()
        .route("/", get(overview::show).post(overview::add))
        .route("/share/{site}", get(share::open).post(share::unlock))
        .route("/{site}", get(site::show))
        .route("/{site}/by/{dimension}", get(details::show))
        .route("/{site}/csv/{dimension}", get(csv::download))
        .route("/{site}/badge.svg", get(embed::badge))
        .route("/{site}/embed", get(embed::show))
        .route("/{site}/funnel", get(funnel::show))
        .route("/{site}/journey", get(journey::show))
        .route("/{site}/live", get(live::show))
        .route("/{site}/live/now", get(live::stream))
        .route("/{site}/settings", get(settings::show).post(settings::change))
        .route("/{site}/why", get(why::show))
        .layer(compression())
}

/// What stands around them: it shows no numbers, so that it waits for no report and is no reading.
pub(crate) fn entrance_routes() -> Router<Services> {
    Router::new()
        .route("/sign-in", get(access::form).post(access::sign_in))
        .route("/sign-in/oidc", get(provider::begin))
        .route("/sign-in/oidc/done", get(provider::done))
        .route("/sign-out", post(access::sign_out))
        .route("/assets/{name}", get(assets::asset))
        .merge(visitor::routes())
        .layer(compression())
}

/// For whoever asks for a page that there is not: in words, where a browser shows them to a person.
pub(crate) async fn nothing_here(headers: HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT).and_then(|accepted| accepted.to_str().ok());
    match accepted.is_some_and(|accepted| accepted.contains("text/html")) {
        true => refuse(Lang::accepted(&headers), StatusCode::NOT_FOUND, refusal::NOT_FOUND),
        false => no_such_route().await.into_response(),
    }
}

/// What is small already, pictures, and streams are left as they are.
fn compression() -> CompressionLayer {
    CompressionLayer::new()
}
