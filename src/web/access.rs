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
use serde_json::Value;

use super::frame::{Frame, page};
use super::share;
use super::view::View;
use super::words::Lang;
use crate::access_log::Reader;
use crate::http::Services;
use crate::http::access::token_reader;
use crate::site::Site;
use crate::site::floor::Floor;
use crate::store::catalog::{SharedLink, Token};

const COOKIE: &str = "passerby-token";

/// Whoever looks at a page: by a token, by a shared link, or by neither.
pub(super) struct Viewer {
    token: Option<Token>,
    link: Option<SharedLink>,
}

/// What a viewer sees of a site.
pub(super) struct Sight {
    /// The least number of visitors that is told, where there is one.
    pub(super) floor: Option<Floor>,
    /// The filters of the part that is seen; none is all of the site.
    pub(super) within: Vec<Value>,
    /// As whom the log of reads knows the viewer.
    pub(super) reader: Reader,
}

/// What a browser shows for a link opens it, if it is still what it was.
pub(super) fn opened(services: &Services, shown: &str) -> Option<SharedLink> {
    let slug = shown.split_once('.').map_or(shown, |(slug, _)| slug);
    let link = services.catalog.shared_link(slug, services.clock.now());
    link.filter(|link| link.is_proven_by(shown))
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
            token: cookie(COOKIE)
                .and_then(|secret| services.catalog.token(secret))
                .filter(|token| token.is_alive(services.clock.now())),
            link: cookie(share::COOKIE).and_then(|shown| opened(services, shown)),
        }
    }

    /// Whoever comes by the address of a frame or a picture: by this shared link, if it is one that needs no
    /// password.
    pub(super) fn of_link(services: &Services, slug: &str) -> Self {
        Self { token: None, link: opened(services, slug) }
    }

    /// What is seen of a site, if anything is: by the token, or else by the link, or else by everybody.
    pub(super) fn sees(&self, services: &Services, site: &Site) -> Option<Sight> {
        let reads = |token: &&Token| token.reads(site.id, services.clock.now());
        if let Some(token) = self.token.as_ref().filter(reads) {
            let reader = token_reader(token);
            return Some(Sight { floor: token.floor(), within: Vec::new(), reader });
        }
        let link = self.link.as_ref().filter(|link| link.site == site.id);
        // A link to a segment that there is no more opens nothing.
        if let Some((link, within)) = link.and_then(|link| Some((link, within(link, site)?))) {
            let reader = Reader::Link { id: link.id.to_string(), name: link.name.clone() };
            return Some(Sight { floor: link.floor(), within, reader });
        }
        let reader = Reader::Public;
        site.public.then(|| Sight { floor: site.public_floor(), within: Vec::new(), reader })
    }

    /// As whom the log of reads knows the viewer where nothing is seen.
    pub(super) fn reader(&self) -> Reader {
        self.token.as_ref().map_or(Reader::Nobody, token_reader)
    }

    pub(super) fn administers(&self, services: &Services) -> bool {
        self.token.as_ref().is_some_and(|token| token.administers(services.clock.now()))
    }

    pub(super) fn has_signed_in(&self) -> bool {
        self.token.is_some()
    }
}

/// The filters of the segment that a link is limited to, if there is one.
fn within(link: &SharedLink, site: &Site) -> Option<Vec<Value>> {
    let Some(id) = link.segment else { return Some(Vec::new()) };
    let segment = site.segments.iter().find(|segment| segment.id == id)?;
    Some(segment.filters.clone())
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    next: String,
    error: Option<&'static str>,
}

/// Where to go after signing in.
#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
    #[serde(default)]
    lang: String,
}

impl Next {
    /// The language that was chosen here or where one came from, or else the browser's.
    fn lang(&self, headers: &HeaderMap) -> Lang {
        let (_, query) = self.next.split_once('?').unwrap_or_default();
        let chosen = Lang::of_tag(&self.lang).or(View::read(query).lang);
        chosen.unwrap_or_else(|| Lang::accepted(headers))
    }
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

pub(super) async fn form(Query(asked): Query<Next>, headers: HeaderMap) -> Response {
    sign_in_page(StatusCode::OK, asked.lang(&headers), &asked.next, false)
}

fn sign_in_page(status: StatusCode, lang: Lang, next: &str, is_wrong: bool) -> Response {
    let next = local(next).to_owned();
    let switch = |lang: Lang| {
        let mut query = url::form_urlencoded::Serializer::for_suffix("?".to_owned(), 1);
        query.append_pair("lang", lang.tag()).append_pair("next", &next).finish()
    };
    let frame = Frame::around(lang, false, switch);
    let error = is_wrong.then_some(lang.words().wrong_token);
    page(status, &SignInPage { frame, next, error })
}

pub(super) async fn sign_in(
    State(services): State<Services>,
    headers: HeaderMap,
    Form(SignIn { token, next }): Form<SignIn>,
) -> Response {
    let token = token.trim();
    let known = services.catalog.token(token);
    if !known.is_some_and(|token| token.is_alive(services.clock.now())) {
        let lang = Next { next: next.clone(), lang: String::new() }.lang(&headers);
        return sign_in_page(StatusCode::UNAUTHORIZED, lang, &next, true);
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
