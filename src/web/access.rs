//! Who may see a page: everybody, when the site is public; otherwise whoever signed in with a token that
//! opens its reports, or came by a shared link of the site ([`share`]).
//!
//! The token is kept in a cookie of the dashboard's own, which no script can read and no other site's
//! page can send. Beacons have nothing to do with it.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::{messages, page, share, style_path};
use crate::http::Services;
use crate::site::{Site, SiteId};
use crate::store::catalog::Token;

const COOKIE: &str = "passerby-token";

/// Whoever looks at a page: by a token, by a shared link, or by neither.
pub(super) struct Viewer {
    token: Option<Token>,
    link: Option<SiteId>,
}

impl Viewer {
    /// Reads the cookies.
    pub(super) fn of(services: &Services, headers: &HeaderMap) -> Self {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs: Vec<_> = lines
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .collect();
        let cookie =
            |wanted: &str| pairs.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
        Self {
            token: cookie(COOKIE).and_then(|secret| services.catalog.token(secret)),
            link: cookie(share::COOKIE).and_then(|slug| services.catalog.opened_by(slug)),
        }
    }

    pub(super) fn may_see(&self, services: &Services, site: &Site) -> bool {
        let reads = |token: &Token| token.reads(site.id, services.clock.now());
        site.public || self.link == Some(site.id) || self.token.as_ref().is_some_and(reads)
    }

    pub(super) fn has_signed_in(&self) -> bool {
        self.token.is_some()
    }
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    style: String,
    next: String,
    error: Option<&'static str>,
}

/// Where to go after signing in.
#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct SignIn {
    token: String,
    #[serde(default)]
    next: String,
}

/// A path of this site, and of no other.
fn local(next: &str) -> &str {
    let is_local = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && !next.contains(char::is_control);
    if is_local { next } else { "/" }
}

/// Sends somebody who may not see a page to the form, and back afterwards.
pub(super) fn to_the_form(next: &str) -> Response {
    let query =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    Redirect::to(&format!("/sign-in?{query}")).into_response()
}

pub(super) async fn form(Query(Next { next }): Query<Next>) -> Response {
    page(
        StatusCode::OK,
        &SignInPage { style: style_path(), next: local(&next).to_owned(), error: None },
    )
}

pub(super) async fn sign_in(
    State(services): State<Services>,
    Form(SignIn { token, next }): Form<SignIn>,
) -> Response {
    let token = token.trim();
    if services.catalog.token(token).is_none() {
        let next = local(&next).to_owned();
        let form = SignInPage { style: style_path(), next, error: Some(messages::WRONG_TOKEN) };
        return page(StatusCode::UNAUTHORIZED, &form);
    }
    with_cookie(&services, token, "31536000", local(&next))
}

pub(super) async fn sign_out(State(services): State<Services>) -> Response {
    with_cookie(&services, "", "0", "/")
}

fn with_cookie(services: &Services, token: &str, age: &str, next: &str) -> Response {
    let is_https = services.public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
    let secure = if is_https { "; Secure" } else { "" };
    let cookie =
        format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}");
    let mut answer = Redirect::to(next).into_response();
    match HeaderValue::try_from(cookie) {
        Ok(cookie) => drop(answer.headers_mut().insert(header::SET_COOKIE, cookie)),
        // A token that is in the catalog has no character that a header may not have.
        Err(_) => return StatusCode::BAD_REQUEST.into_response(),
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn after_signing_in_nobody_is_sent_elsewhere() {
        for (next, expected) in [
            ("/a.test?period=7d", "/a.test?period=7d"),
            ("https://evil.test/", "/"),
            ("//evil.test/", "/"),
            ("/\\evil.test", "/"),
            ("", "/"),
        ] {
            assert_eq!(local(next), expected);
        }
    }
}
