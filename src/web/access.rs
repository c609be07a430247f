//! Who may see a page: everybody, when the site is public; otherwise whoever signed in as a member of the site,
//! or with a token that opens its reports, or came by a shared link of the site ([`super::share`]).
//!
//! Who is a person, a proxy in front says, or the provider did ([`super::provider`]). A token is kept in a cookie
//! of the dashboard's own, which no script can read and no other site's page can send. Beacons have nothing to
//! do with it.

use std::convert::Infallible;

use askama::Template;
use axum::Form;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::cookies::{LINK, SESSION, TOKEN, with_cookies};
use super::frame::{Account, Frame, Link, page};
use super::refusal::{self, refuse};
use super::view::View;
use super::words::{Lang, fill};
use crate::access_log::Reader;
use crate::http::Services;
use crate::http::access::{SignedInByProxy, token_reader};
use crate::site::Site;
use crate::site::floor::Floor;
use crate::site::member::{Person, Role};
use crate::store::catalog::{SharedLink, Token};

/// Whoever looks at a page: a person, whoever has a token or a shared link, or none of these.
pub(super) struct Viewer {
    person: Option<Person>,
    /// Whether a proxy says so; otherwise a session does.
    is_by_proxy: bool,
    token: Option<Token>,
    link: Option<SharedLink>,
}

/// What a viewer sees of a site.
pub(super) struct Sight {
    /// What the viewer may do with the site, where that is more than to look at this.
    pub(super) role: Option<Role>,
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
    /// Reads the cookies, and what a proxy says.
    pub(super) fn of(services: &Services, parts: &Parts) -> Self {
        let (now, url) = (services.clock.now(), services.public_url.as_deref());
        let by_proxy = parts.extensions.get::<SignedInByProxy>().map(|by| by.0.clone());
        let session = SESSION.of(&parts.headers, url);
        let by_session = session.and_then(|secret| services.sign_in.sessions.person(secret, now));
        Self {
            is_by_proxy: by_proxy.is_some(),
            person: by_proxy.or(by_session),
            token: TOKEN
                .of(&parts.headers, url)
                .and_then(|secret| services.catalog.token(secret))
                .filter(|token| token.is_alive(now)),
            link: LINK.of(&parts.headers, url).and_then(|shown| opened(services, shown)),
        }
    }

    /// Whoever comes by the address of a frame or a picture: by this shared link, if it is one that needs no
    /// password.
    pub(super) fn of_link(services: &Services, slug: &str) -> Self {
        Self {
            person: None,
            is_by_proxy: false,
            token: None,
            link: opened(services, slug).filter(|link| link.password.is_none()),
        }
    }

    /// What is seen of a site, if anything is: as a member or by the token, whichever may do more with it, or
    /// else by the link, or else by everybody.
    pub(super) fn sees(&self, services: &Services, site: &Site) -> Option<Sight> {
        let by_token = self.token.as_ref().and_then(|token| {
            let role = Some(token.role(site.id, services.clock.now())?);
            let reader = token_reader(token);
            Some(Sight { role, floor: token.floor(), within: Vec::new(), reader })
        });
        let as_member = self.person.as_ref().and_then(|person| {
            let role = Some(services.catalog.role(person, site.id)?);
            Some(Sight { role, floor: None, within: Vec::new(), reader: person_reader(person) })
        });
        // Of two that may do the same, the last is taken.
        let best = by_token.into_iter().chain(as_member).max_by_key(|sight| sight.role);
        if best.is_some() {
            return best;
        }
        let link = self.link.as_ref().filter(|link| link.site == site.id);
        // A link to a segment that there is no more opens nothing.
        if let Some((link, within)) = link.and_then(|link| Some((link, within(link, site)?))) {
            let reader = Reader::Link { id: link.id.to_string(), name: link.name.clone() };
            return Some(Sight { role: None, floor: link.floor(), within, reader });
        }
        let reader = Reader::Public;
        let floor = site.public_floor();
        site.public.then(|| Sight { role: None, floor, within: Vec::new(), reader })
    }

    /// As whom the log of reads knows the viewer where nothing is seen.
    pub(super) fn reader(&self) -> Reader {
        let person = self.person.as_ref().map(person_reader);
        person.or_else(|| self.token.as_ref().map(token_reader)).unwrap_or_default()
    }

    /// Whether the viewer owns every site, those to come among them.
    pub(super) fn owns_every_site(&self, services: &Services) -> bool {
        let owns = |person: &Person| services.catalog.owns_every_site(person);
        self.token.as_ref().is_some_and(|token| token.administers(services.clock.now()))
            || self.person.as_ref().is_some_and(owns)
    }

    pub(super) fn has_signed_in(&self) -> bool {
        self.token.is_some() || self.person.is_some()
    }

    /// The person who signed in and has no role anywhere, nor a token.
    pub(super) fn stranger(&self, services: &Services) -> Option<&Person> {
        let is_stranger = |person: &&Person| !services.catalog.is_member(person);
        self.person.as_ref().filter(is_stranger).filter(|_| self.token.is_none())
    }

    /// Who is signed in, for the foot of a page.
    pub(super) fn account(&self, services: &Services) -> Account {
        let has_session = self.person.is_some() && !self.is_by_proxy;
        Account {
            is_signed_in: self.has_signed_in(),
            name: self.person.as_ref().map(|person| person.name().to_owned()),
            // Whoever signs out of the proxy does not get here to sign out of anything else.
            sign_out_url: services.sign_in.sign_out_url.clone().filter(|_| self.is_by_proxy),
            signs_out_here: self.token.is_some() || has_session,
        }
    }
}

impl FromRequestParts<Services> for Viewer {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        services: &Services,
    ) -> Result<Self, Infallible> {
        Ok(Self::of(services, parts))
    }
}

/// As whom the log of reads knows a person.
fn person_reader(person: &Person) -> Reader {
    Reader::Person { name: person.name().to_owned() }
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
    /// The way to the provider, if there is one.
    provider: Option<Link>,
    /// Whether there is nothing to see yet, for anybody.
    is_new: bool,
    error: Option<&'static str>,
}

/// Where to go after signing in.
#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    pub(super) next: String,
    #[serde(default)]
    lang: String,
}

impl Next {
    pub(super) fn to(next: String) -> Self {
        Self { next, lang: String::new() }
    }

    /// The language that was chosen here or where one came from, or else the browser's.
    pub(super) fn lang(&self, headers: &HeaderMap) -> Lang {
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
pub(super) fn local(next: &str) -> &str {
    let is_local = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && !next.contains(char::is_control);
    if is_local { next } else { "/" }
}

/// Sends somebody who may not see a page to the form, and back afterwards.
pub(super) fn to_the_form(next: &str) -> Response {
    let query = Serializer::new(String::new()).append_pair("next", next).finish();
    Redirect::to(&format!("/sign-in?{query}")).into_response()
}

pub(super) async fn form(
    State(services): State<Services>,
    Query(asked): Query<Next>,
    headers: HeaderMap,
) -> Response {
    sign_in_page(&services, StatusCode::OK, asked.lang(&headers), &asked.next, false)
}

fn sign_in_page(
    services: &Services,
    status: StatusCode,
    lang: Lang,
    next: &str,
    is_wrong: bool,
) -> Response {
    let next = local(next).to_owned();
    let with_next = |query: &mut Serializer<'_, String>| query.append_pair("next", &next).finish();
    let switch = |lang: Lang| {
        let mut query = Serializer::for_suffix("?".to_owned(), 1);
        with_next(query.append_pair("lang", lang.tag()))
    };
    let provider = services.sign_in.provider.as_ref().map(|provider| Link {
        label: fill(lang.words().sign_in_with, &[&provider.name()]),
        url: with_next(&mut Serializer::for_suffix("/sign-in/oidc?".to_owned(), 14)),
        is_current: false,
    });
    let frame = Frame::around(lang, Account::default(), switch);
    let error = is_wrong.then_some(lang.words().wrong_token);
    let is_new = services.catalog.is_loaded() && services.catalog.sites().is_empty();
    page(status, &SignInPage { frame, next, provider, is_new, error })
}

pub(super) async fn sign_in(
    State(services): State<Services>,
    headers: HeaderMap,
    Form(SignIn { token, next }): Form<SignIn>,
) -> Response {
    let lang = Next::to(next.clone()).lang(&headers);
    if is_from_elsewhere(&headers) {
        return refuse(lang, StatusCode::FORBIDDEN, refusal::FOREIGN_FORM);
    }
    let token = token.trim();
    let known = services.catalog.token(token);
    if !known.is_some_and(|token| token.is_alive(services.clock.now())) {
        return sign_in_page(&services, StatusCode::UNAUTHORIZED, lang, &next, true);
    }
    let cookie = TOKEN.set(token, services.public_url.as_deref());
    with_cookies(Redirect::to(local(&next)).into_response(), [cookie])
}

/// Whether the browser says that a page elsewhere sent the form: it would sign somebody in as another, or out.
/// Browsers say it over TLS and on their own machine.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}

pub(super) async fn sign_out(State(services): State<Services>, headers: HeaderMap) -> Response {
    if is_from_elsewhere(&headers) {
        let lang = Lang::accepted(&headers);
        return refuse(lang, StatusCode::FORBIDDEN, refusal::FOREIGN_FORM);
    }
    let url = services.public_url.as_deref();
    if let Some(session) = SESSION.of(&headers, url) {
        services.sign_in.sessions.end(session);
    }
    with_cookies(Redirect::to("/").into_response(), [TOKEN.unset(url), SESSION.unset(url)])
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
