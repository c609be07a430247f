//! The dashboard: pages for people, rendered here, that need no script.
//!
//! It is a client of the query language, and holds no SQL: [`panels`] says which questions a page asks,
//! [`site`] and [`overview`] make view models of the answers, [`chart`] draws, [`view`] is the state that
//! the URL holds, so that a link is a view. [`access`] decides who may see a page.

mod access;
mod chart;
mod format;
mod messages;
mod overview;
mod panels;
mod share;
mod site;
mod view;

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use crate::http::Services;

/// The one stylesheet.
const STYLE: &str = include_str!("style.css");

/// What a browser shows beside the title.
const ICON: &str = include_str!("icon.svg");

/// Pages load nothing but their own stylesheet, and can not be framed.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The dashboard's routes.
pub(crate) fn routes() -> Router<Services> {
    Router::new()
        .route("/", get(overview::show))
        .route("/sign-in", get(access::form).post(access::sign_in))
        .route("/sign-out", axum::routing::post(access::sign_out))
        .route("/share/{site}", get(share::open))
        .route("/assets/{name}", get(asset))
        .route("/{site}", get(site::show))
}

/// The stylesheet's path: it has the contents' hash in it, so that it may be kept for ever.
fn style_path() -> String {
    let digest = Sha256::digest(STYLE.as_bytes());
    let hash: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("/assets/{hash}.css")
}

async fn asset(Path(name): Path<String>) -> Response {
    let (content_type, contents) = match name.as_str() {
        "icon.svg" => ("image/svg+xml", ICON),
        name if style_path().ends_with(&format!("/{name}")) => ("text/css; charset=utf-8", STYLE),
        _ => return refusal(StatusCode::NOT_FOUND, messages::NOT_FOUND),
    };
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, contents).into_response()
}

/// A page as an answer.
fn page(status: StatusCode, template: &impl Template) -> Response {
    let Ok(text) = template.render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut answer = (status, Html(text)).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    answer
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct RefusalPage {
    style: String,
    title: &'static str,
    advice: &'static str,
}

/// A page that says what went wrong and what to do.
fn refusal(status: StatusCode, (title, advice): (&'static str, &'static str)) -> Response {
    page(status, &RefusalPage { style: style_path(), title, advice })
}
