//! The visitor's own page: what is counted about this browser today, and what can be done about it.
//!
//! The visitor is found as a beacon's is, through the same hash, and no identifier is asked for or shown. So
//! these requests are answered at the door, where the client is taken off them:
//!
//! - `GET /privacy?site=…`: the page; without `site` that of the host, or of the only site there is; in the language of the browser,
//!   or of `lang`;
//! - `GET /privacy/data.json?site=…`: the same as data, with everything that is stored but the ids;
//! - `POST /privacy/erase?site=…`: erases it, and answers with the page, which says what became of that.
//!
//! Pages of the site itself may use the last two, and no others may: otherwise any page could ask what its
//! visitor did on the site. A site that is not there is answered as one where nothing is counted.

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use url::form_urlencoded::{self, Serializer};

use super::frame::{Account, Frame, page};
use super::words::{Lang, Words, counted, fill, languages, names, values};
use crate::event::{ENGAGEMENT, PAGEVIEW, VisitorId};
use crate::http::Services;
use crate::ingest::Collector;
use crate::privacy::{Client, Signal};
use crate::site::Site;
use crate::site::domain::bare_domain;
use crate::store::{Selection, StoreError};

/// The script of the button that objects.
const SCRIPT: &str = include_str!("object.js");
/// The most events that are shown.
const EVENTS_MAX: u32 = 1_000;
/// The page may run its own script, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";
/// So long an id has events, at most: the day of the site, which may have an hour more, and the visit that is open at its end.
const ID_LASTS: SignedDuration = SignedDuration::from_hours(49);
/// When the answer to `/.well-known/gpc.json` last changed.
const GPC_UPDATED: &str = "2026-03-01";

/// The routes that need no client.
pub(super) fn routes() -> Router<Services> {
    Router::new().route("/privacy/object.js", get(script)).route("/.well-known/gpc.json", get(gpc))
}

/// Whether a path is one of those that are answered at the door.
pub(crate) fn is_visitors(path: &str) -> bool {
    matches!(path, "/privacy" | "/privacy/data.json" | "/privacy/erase")
}

/// Answers one of them.
pub(crate) async fn answer(
    services: &Services,
    collector: &Collector,
    parts: &Parts,
    client: Client,
) -> Response {
    let words = lang(parts).unwrap_or_else(|| Lang::accepted(&parts.headers)).words();
    if !collector.admits_look(&client) {
        let headers = [
            (header::RETRY_AFTER, HeaderValue::from_static("60")),
            (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
        ];
        return (StatusCode::TOO_MANY_REQUESTS, headers, words.own_too_much).into_response();
    }
    let asked = Asked::of(services, collector, parts, client);
    let answer = match (parts.uri.path(), &parts.method) {
        ("/privacy", &Method::GET) => asked.page(services, parts).await,
        ("/privacy/data.json", &Method::GET) => asked.data(services).await,
        ("/privacy/erase", &Method::POST) => asked.erase(services, parts).await,
        // Whoever loads the address of the answer to the form again.
        ("/privacy/erase", &Method::GET) => Ok(asked.back(parts)),
        _ => Ok(StatusCode::METHOD_NOT_ALLOWED.into_response()),
    };
    let mut answer = answer.unwrap_or_else(|error| {
        tracing::warn!(%error, "a visitor's question could not be answered");
        (StatusCode::SERVICE_UNAVAILABLE, words.own_not_at_hand).into_response()
    });
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("origin, accept-language"));
    if let Some(origin) =
        parts.headers.get(header::ORIGIN).filter(|origin| asked.is_of_site(origin))
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
    answer
}

/// Who asks about which site.
struct Asked {
    domain: String,
    host: String,
    site: Option<std::sync::Arc<Site>>,
    visitors: Vec<VisitorId>,
    objects: bool,
}

/// An event as it is shown.
struct Shown {
    page: String,
    what: String,
    hour: String,
}

#[derive(Template)]
#[template(path = "privacy.html")]
struct PrivacyPage {
    frame: Frame,
    /// The language that the address names, and goes on with.
    lang: Option<&'static str>,
    title: String,
    site: String,
    /// The site's day, told to those alone of whom something is counted: its zone tells that there is a site.
    day: Option<String>,
    is_named: bool,
    is_own: bool,
    object_here: String,
    objects: bool,
    heeds: bool,
    notice: Option<&'static str>,
    no_visit: String,
    page_heading: String,
    how_many: String,
    events: Vec<Shown>,
    facts: Vec<(String, String)>,
}

impl Asked {
    fn of(services: &Services, collector: &Collector, parts: &Parts, client: Client) -> Self {
        let host = host(&parts.headers);
        let named = parameter(parts, "site").map(|site| bare_domain(site.trim()));
        let domain = named.unwrap_or_else(|| {
            let own = bare_domain(&host);
            match services.catalog.sites().as_slice() {
                sites if sites.iter().any(|site| site.domain == own) => own,
                [only] => only.domain.clone(),
                _ => String::new(),
            }
        });
        let site = services.catalog.site(&domain);
        let objects = client.signal == Signal::Objects && services.heeds_objections;
        let visitors =
            site.as_ref().map(|site| collector.who_asks(client, site)).unwrap_or_default();
        Self { domain, host, site, visitors, objects }
    }

    /// Whether an origin is the site's own. The domain that it had before it was renamed may be somebody else's by now.
    fn is_of_site(&self, origin: &HeaderValue) -> bool {
        let host = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        let host = host.map(|(_, host)| bare_domain(without_port(host)));
        self.site.as_ref().is_some_and(|site| host.is_some_and(|host| host == site.domain))
    }

    /// The visitor's events; `None`, when there can be none.
    fn selection(&self, services: &Services) -> Option<Selection> {
        let site = self.site.as_ref().filter(|_| !self.visitors.is_empty())?;
        let from = services.clock.now() - ID_LASTS;
        Some(Selection {
            visitors: self.visitors.clone(),
            from: Some(from),
            ..Selection::of(site.id)
        })
    }

    /// It takes as much as a report.
    async fn events(&self, services: &Services) -> Result<Vec<Map<String, Value>>, StoreError> {
        let Some(selection) = self.selection(services) else { return Ok(Vec::new()) };
        let place = services.visitors.place().await;
        let _place =
            place.ok_or_else(|| StoreError::crowded("too many visitors ask at the moment"))?;
        services.store.disclose(&selection, EVENTS_MAX).await
    }

    async fn page(&self, services: &Services, parts: &Parts) -> Result<Response, StoreError> {
        let events = self.events(services).await?;
        Ok(self.page_of(&events, services, parts, None))
    }

    /// The page with these events, and what became of the erasure that it answers, if it does. Only an answer to the form itself says
    /// that something is erased: an address that said so could be in anybody's link.
    fn page_of(
        &self,
        events: &[Map<String, Value>],
        services: &Services,
        parts: &Parts,
        erasure: Option<StatusCode>,
    ) -> Response {
        let timezone = self.site.as_ref().map_or(TimeZone::UTC, |site| site.timezone.clone());
        let named = lang(parts);
        let lang = named.unwrap_or_else(|| Lang::accepted(&parts.headers));
        let words = lang.words();
        let site = match self.domain.as_str() {
            "" => words.own_this_site,
            domain => domain,
        };
        let today = || lang.day(timezone.to_datetime(services.clock.now()).date());
        let how_many = counted(events.len() as u64, words.own_event, words.own_events);
        let shown = PrivacyPage {
            frame: self.frame(lang, parts),
            lang: named.map(Lang::tag),
            title: fill(words.own_title, &[site]),
            site: site.to_owned(),
            day: (!events.is_empty()).then(today),
            is_named: !self.domain.is_empty(),
            is_own: bare_domain(&self.host) == self.domain,
            object_here: fill(words.own_object_here, &[&self.host]),
            objects: self.objects,
            heeds: services.heeds_objections,
            notice: erasure.map(|status| match status {
                StatusCode::TOO_MANY_REQUESTS => words.own_others_erase,
                StatusCode::SERVICE_UNAVAILABLE => words.own_not_all_erased,
                _ => words.own_erased,
            }),
            no_visit: fill(words.own_no_visit, &[site]),
            how_many: fill(how_many, &[&events.len().to_string()]),
            facts: facts(events, lang),
            page_heading: names::one_of(lang, "event:page"),
            events: events.iter().map(|event| shown(event, &timezone, words)).collect(),
        };
        let mut answer = page(erasure.unwrap_or(StatusCode::OK), &shown);
        let policy = HeaderValue::from_static(POLICY);
        answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        answer
    }

    /// Around the page: another language is of the same site, and of the page itself also where this one answers a form.
    fn frame(&self, lang: Lang, parts: &Parts) -> Frame {
        let site = parameter(parts, "site").map(|_| self.domain.as_str());
        let langs = Frame::around(lang, Account::default(), |other| address(site, other));
        Frame { script: "", ..langs }
    }

    async fn data(&self, services: &Services) -> Result<Response, StoreError> {
        let events = self.events(services).await?;
        Ok(Json(json!({
            "site": self.domain,
            "recognised_until": "the end of the site's day, and half an hour",
            "objects": self.objects,
            "events": events,
        }))
        .into_response())
    }

    /// Erases the visitor's events, when a page of this host or of the site asks for it.
    async fn erase(&self, services: &Services, parts: &Parts) -> Result<Response, StoreError> {
        let is_own = |origin: &HeaderValue| {
            let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
            origin.is_some_and(|(_, host)| without_port(host) == self.host)
        };
        let origin = parts.headers.get(header::ORIGIN);
        if !origin.is_some_and(|origin| is_own(origin) || self.is_of_site(origin)) {
            let advice = "Erase on the page /privacy, or from a page of the site.";
            return Ok((StatusCode::FORBIDDEN, advice).into_response());
        }
        let events = self.events(services).await?;
        let is_there =
            |selection: &Selection| !events.is_empty() || services.eraser.may_know_more(selection);
        let Some(selection) = self.selection(services).filter(is_there) else {
            return Ok(self.page_of(&[], services, parts, Some(StatusCode::OK)));
        };
        let (status, seconds) = match services.eraser.erase_for_visitor(&selection).await? {
            Some(outcome) if outcome.complete => {
                // It is gone, also if ClickHouse does not say any more what came meanwhile.
                let events = self.events(services).await.unwrap_or_default();
                return Ok(self.page_of(&events, services, parts, Some(StatusCode::OK)));
            }
            Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "60"),
            None => (StatusCode::TOO_MANY_REQUESTS, "5"),
        };
        let events = self.events(services).await?;
        let mut answer = self.page_of(&events, services, parts, Some(status));
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        Ok(answer)
    }

    /// To the page.
    fn back(&self, parts: &Parts) -> Response {
        let site = form_urlencoded::byte_serialize(self.domain.as_bytes()).collect::<String>();
        let lang = lang(parts).map(|lang| format!("&lang={}", lang.tag())).unwrap_or_default();
        Redirect::to(&format!("/privacy?site={site}{lang}")).into_response()
    }
}

fn shown(event: &Map<String, Value>, timezone: &TimeZone, words: &Words) -> Shown {
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    let hour = text("timestamp").replace(' ', "T") + "Z";
    let hour = hour.parse::<Timestamp>().map(|moment| timezone.to_datetime(moment).hour());
    Shown {
        page: format!("{}{}", text("hostname"), text("pathname")),
        what: match text("name") {
            PAGEVIEW => words.own_viewed.to_owned(),
            ENGAGEMENT => words.own_looked_at.to_owned(),
            other => other.to_owned(),
        },
        hour: hour.map_or_else(|_| String::new(), |hour| format!("{hour:02}:00")),
    }
}

/// What was worked out from the requests, of the last event.
fn facts(events: &[Map<String, Value>], lang: Lang) -> Vec<(String, String)> {
    let Some(event) = events.last() else { return Vec::new() };
    let words = lang.words();
    let named = |name| names::one_of(lang, name);
    let told = |names: &[&str]| {
        let texts = names.iter().filter_map(|name| event.get(*name)?.as_str());
        texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
    };
    let facts = [
        (named("visit:browser"), told(&["browser", "browser_version"])),
        (named("visit:os"), told(&["os", "os_version"])),
        (named("visit:device"), values::name(lang, "visit:device", &told(&["device"])).to_owned()),
        (named("visit:language"), languages::name(lang, &told(&["language"])).to_owned()),
        (words.own_place.to_owned(), told(&["city_name", "region_name", "country"])),
        (words.own_came_from.to_owned(), told(&["source"])),
        (words.own_referrer.to_owned(), told(&["referrer"])),
    ];
    facts.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

/// The address of the page about a site in a language.
fn address(site: Option<&str>, lang: Lang) -> String {
    let mut query = Serializer::for_suffix(String::from("/privacy?"), "/privacy?".len());
    if let Some(site) = site {
        query.append_pair("site", site);
    }
    query.append_pair("lang", lang.tag()).finish()
}

fn host(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    without_port(host).to_owned()
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn parameter(parts: &Parts, wanted: &str) -> Option<String> {
    let query = parts.uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
}

/// The language that the address names, if there is one.
fn lang(parts: &Parts) -> Option<Lang> {
    parameter(parts, "lang").and_then(|tag| Lang::of_tag(&tag))
}

async fn script() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=86400"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, SCRIPT).into_response()
}

/// What Global Privacy Control asks of a site: whether it is heeded.
async fn gpc(State(services): State<Services>) -> Json<Value> {
    Json(json!({ "gpc": services.heeds_objections, "lastUpdate": GPC_UPDATED }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_language_is_of_the_same_site() {
        assert_eq!(address(Some("a&b.test"), Lang::German), "/privacy?site=a%26b.test&lang=de");
        assert_eq!(address(None, Lang::English), "/privacy?lang=en");
    }
}
