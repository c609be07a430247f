//! A shared link: `/share/{site}?auth=…` leads to the site's page, and opens it; where the link has a
//! password, once that is given.
//!
//! The link's slug goes into a cookie of its own, so that it does not stay in the address, from which it
//! would get into histories and bookmarks. People follow such links from elsewhere, so that browsers must
//! send the cookie then, too (`Lax`); it reads pages, and can do nothing else.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::cookies::{LINK, with_cookies};
use super::frame::{Account, Frame, page};
use super::refusal::{self, refuse};
use super::words::Lang;
use crate::access_log::Reader;
use crate::http::Services;
use crate::http::links::in_a_path;
use crate::http::noting::Noted;
use crate::site::Site;
use crate::site::domain::bare_domain;
use crate::store::catalog::SharedLink;

#[derive(Deserialize)]
pub(super) struct Auth {
    #[serde(default)]
    auth: String,
    #[serde(default)]
    lang: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Guess {
    password: String,
}

#[derive(Template)]
#[template(path = "share.html")]
struct PasswordPage {
    frame: Frame,
    site: String,
    error: Option<&'static str>,
}

/// A link that was asked for, and how the page about it speaks.
struct Asked {
    site: std::sync::Arc<Site>,
    link: SharedLink,
    auth: Auth,
    lang: Lang,
}

impl Asked {
    /// The link, if there is one that opens this site; else the language in which to say that there is none.
    fn of(
        services: &Services,
        domain: &str,
        auth: Auth,
        headers: &HeaderMap,
    ) -> Result<Self, Lang> {
        let lang = Lang::of_tag(&auth.lang).unwrap_or_else(|| Lang::accepted(headers));
        let site = services.catalog.site(&bare_domain(domain));
        let link = services.catalog.shared_link(&auth.auth, services.clock.now());
        match (site, link) {
            (Some(site), Some(link)) if link.site == site.id => Ok(Self { site, link, auth, lang }),
            _ => Err(lang),
        }
    }

    fn note(&self, noted: &Noted) {
        noted.site(&self.site);
        let (id, name) = (self.link.id.to_string(), self.link.name.clone());
        noted.reader(Reader::Link { id, name });
    }

    /// The page that asks for the password.
    fn form(&self, status: StatusCode, error: Option<&'static str>) -> Response {
        let switch = |lang: Lang| {
            let mut query = Serializer::for_suffix("?".to_owned(), 1);
            query.append_pair("auth", &self.auth.auth).append_pair("lang", lang.tag()).finish()
        };
        let frame = Frame::around(self.lang, Account::default(), switch);
        let mut answer =
            page(status, &PasswordPage { frame, site: self.site.domain.clone(), error });
        // The address has the slug in it: no other page learns it.
        answer
            .headers_mut()
            .insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        answer
    }

    /// The way to the site's page, with the cookie that opens it.
    fn opened(&self, services: &Services) -> Response {
        let cookie = LINK.set(&self.link.shown(), services.public_url.as_deref());
        let onward = Redirect::to(&format!("/{}", in_a_path(&self.site.domain)));
        with_cookies(([(header::REFERRER_POLICY, "no-referrer")], onward).into_response(), [cookie])
    }
}

pub(super) async fn open(
    State(services): State<Services>,
    Path(domain): Path<String>,
    Query(auth): Query<Auth>,
    noted: Noted,
    headers: HeaderMap,
) -> Response {
    let asked = match Asked::of(&services, &domain, auth, &headers) {
        Ok(asked) => asked,
        Err(lang) => return refuse(lang, StatusCode::NOT_FOUND, refusal::LINK_GONE),
    };
    if asked.link.password.is_some() {
        return asked.form(StatusCode::OK, None);
    }
    asked.note(&noted);
    asked.opened(&services)
}

pub(super) async fn unlock(
    State(services): State<Services>,
    Path(domain): Path<String>,
    Query(auth): Query<Auth>,
    noted: Noted,
    headers: HeaderMap,
    Form(Guess { password }): Form<Guess>,
) -> Response {
    let asked = match Asked::of(&services, &domain, auth, &headers) {
        Ok(asked) => asked,
        Err(lang) => return refuse(lang, StatusCode::NOT_FOUND, refusal::LINK_GONE),
    };
    noted.site(&asked.site);
    let words = asked.lang.words();
    if let Some(known) = asked.link.password.clone() {
        let now = services.clock.now();
        match services.guesses.look(asked.link.id, now, move || known.is(&password)).await {
            Some(true) => {}
            Some(false) => {
                return asked.form(StatusCode::UNAUTHORIZED, Some(words.wrong_password));
            }
            None => {
                return asked.form(StatusCode::TOO_MANY_REQUESTS, Some(words.too_many_guesses));
            }
        }
    }
    asked.note(&noted);
    asked.opened(&services)
}
