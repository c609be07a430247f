//! Signing in with a provider: `/sign-in/oidc` sends the browser there, and `/sign-in/oidc/done` is where it comes
//! back to.
//!
//! Whoever comes back has a cookie that says what was begun here; without it, nothing that comes signs in. The
//! session is a cookie that no page elsewhere can send, not even one that leads here: so the browser goes on from
//! a page of ours.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::access::{Next, local};
use super::cookies::{FLOW, SESSION, with_cookies};
use super::frame::{Frame, page};
use super::refusal::{self, Message, refuse};
use super::words::Lang;
use crate::http::Services;
use crate::sign_in::{Flow, SignInError, base64url, of_base64url};
use crate::site::member::Person;

/// The longest path that is remembered on the way, in bytes.
const NEXT_BYTES_MAX: usize = 1_500;

#[derive(Template)]
#[template(path = "onward.html")]
struct OnwardPage {
    frame: Frame,
    next: String,
}

/// What a browser brings back.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Back {
    code: String,
    state: String,
    error: String,
    iss: Option<String>,
}

pub(super) async fn begin(
    State(services): State<Services>,
    Query(asked): Query<Next>,
    headers: HeaderMap,
) -> Response {
    let lang = asked.lang(&headers);
    let Some(provider) = &services.sign_in.provider else {
        return refuse(lang, StatusCode::NOT_FOUND, refusal::NOT_FOUND);
    };
    let Ok(flow) = Flow::begin() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    match provider.begin(&flow, services.clock.now()).await {
        Ok(url) => {
            let next = local(&asked.next);
            let next = if next.len() > NEXT_BYTES_MAX { "/" } else { next };
            let kept = format!("{}.{}", flow.secret(), base64url(next.as_bytes()));
            let cookie = FLOW.set(&kept, services.public_url.as_deref());
            with_cookies(Redirect::to(url.as_str()).into_response(), [cookie])
        }
        Err(error) => failed(lang, &error),
    }
}

pub(super) async fn done(
    State(services): State<Services>,
    Query(back): Query<Back>,
    headers: HeaderMap,
) -> Response {
    let kept = FLOW.of(&headers, services.public_url.as_deref());
    let (flow, next) = kept.and_then(|kept| kept.split_once('.')).unwrap_or_default();
    let next = of_base64url(next).and_then(|bytes| String::from_utf8(bytes).ok());
    let next = Next::to(next.unwrap_or_default());
    let lang = next.lang(&headers);
    let Some(provider) = &services.sign_in.provider else {
        return refuse(lang, StatusCode::NOT_FOUND, refusal::NOT_FOUND);
    };
    let began_here = !flow.is_empty() && Flow::shown(flow).state() == back.state;
    let is_its_own = back.iss.as_deref().is_none_or(|issuer| provider.is(issuer));
    if !began_here || !is_its_own {
        return refuse(lang, StatusCode::BAD_REQUEST, refusal::SIGN_IN_ASTRAY);
    }
    if !back.error.is_empty() {
        return refuse(lang, StatusCode::FORBIDDEN, refusal::SIGN_IN_DENIED);
    }
    let finished = provider.finish(&Flow::shown(flow), &back.code, services.clock.now()).await;
    match finished {
        Ok(person) => signed_in(&services, &headers, lang, &next.next, person),
        Err(error) => failed(lang, &error),
    }
}

/// The page from which the browser goes on, by itself, with a session.
fn signed_in(
    services: &Services,
    headers: &HeaderMap,
    lang: Lang,
    next: &str,
    person: Person,
) -> Response {
    let (sessions, url) = (&services.sign_in.sessions, services.public_url.as_deref());
    if let Some(before) = SESSION.of(headers, url) {
        sessions.end(before);
    }
    let Ok(secret) = sessions.begin(person, services.clock.now()) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let next = local(next).to_owned();
    let refresh = HeaderValue::try_from(format!("0; url={next}"));
    let frame = Frame::bare(lang);
    let mut answer = page(StatusCode::OK, &OnwardPage { frame, next });
    if let Ok(refresh) = refresh {
        answer.headers_mut().insert(header::REFRESH, refresh);
    }
    with_cookies(answer, [SESSION.set(&secret, url), FLOW.unset(url)])
}

/// The page that says why nobody was signed in. What the provider answered is for the log alone.
fn failed(lang: Lang, error: &SignInError) -> Response {
    use SignInError::{Away, Busy, Code, NoName, NotVerified, Odd, OtherIssuer, Unbelievable};
    tracing::warn!(error = %error_chain(error), "nobody was signed in");
    let (status, message): (_, Message) = match error {
        Away(_) | Odd { .. } | OtherIssuer { .. } => {
            (StatusCode::BAD_GATEWAY, refusal::PROVIDER_AWAY)
        }
        Busy => (StatusCode::SERVICE_UNAVAILABLE, refusal::PROVIDER_AWAY),
        Code(_) | Unbelievable(_) => (StatusCode::BAD_REQUEST, refusal::SIGN_IN_ASTRAY),
        NoName(_) => (StatusCode::FORBIDDEN, refusal::PROVIDER_NAMES_NOBODY),
        NotVerified => (StatusCode::FORBIDDEN, refusal::ADDRESS_NOT_VERIFIED),
    };
    refuse(lang, status, message)
}

/// An error with what is behind it.
fn error_chain(error: &SignInError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(behind) = cause {
        text += &format!(": {behind}");
        cause = behind.source();
    }
    text
}
