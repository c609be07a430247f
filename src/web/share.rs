//! A shared link: `/share/{site}?auth=…` leads to the site's page, and opens it.
//!
//! The link's slug goes into a cookie of its own, so that it does not stay in the address, from which it
//! would get into histories and bookmarks. People follow such links from elsewhere, so that browsers must
//! send the cookie then, too (`Lax`); it reads pages, and can do nothing else.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::refusal::{self, refuse};
use super::words::Lang;
use crate::beacon::decode::bare_domain;
use crate::http::Services;
use crate::http::links::in_a_path;

/// The cookie that holds the slug.
pub(super) const COOKIE: &str = "passerby-link";
/// For how long a browser keeps it, in seconds: 30 days.
const COOKIE_SECONDS: u32 = 2_592_000;

#[derive(Deserialize)]
pub(super) struct Auth {
    #[serde(default)]
    auth: String,
}

pub(super) async fn open(
    State(services): State<Services>,
    Path(domain): Path<String>,
    Query(Auth { auth }): Query<Auth>,
    headers: HeaderMap,
) -> Response {
    let no_such = || refuse(Lang::accepted(&headers), StatusCode::NOT_FOUND, refusal::NOT_FOUND);
    let site = services.catalog.site(&bare_domain(&domain));
    let opened = site.filter(|site| services.catalog.opened_by(&auth) == Some(site.id));
    let Some(site) = opened else {
        return no_such();
    };
    let is_https = services.public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
    let secure = if is_https { "; Secure" } else { "" };
    // What is in the catalog as a slug has no character that a header may not have.
    let cookie = format!(
        "{COOKIE}={auth}; Path=/; HttpOnly; SameSite=Lax; Max-Age={COOKIE_SECONDS}{secure}"
    );
    let Ok(cookie) = HeaderValue::try_from(cookie) else {
        return no_such();
    };
    let headers = HeaderMap::from_iter([
        (header::SET_COOKIE, cookie),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ]);
    (headers, Redirect::to(&format!("/{}", in_a_path(&site.domain)))).into_response()
}
