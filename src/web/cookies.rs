//! The dashboard's cookies: which there are, and how they are set. No script reads any of them, and over TLS
//! browsers take them from this host alone: what a host beside it sets is another cookie.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::sign_in::SESSION_SECONDS;

/// A cookie.
pub(super) struct Cookie {
    name: &'static str,
    /// `Lax` is for those that have to come along when a page elsewhere leads here; they open nothing that can
    /// be changed.
    same_site: &'static str,
    /// For how long a browser keeps it.
    seconds: u32,
}

/// The token that one signed in with: for a year.
pub(super) const TOKEN: Cookie =
    Cookie { name: "passerby-token", same_site: "Strict", seconds: 31_536_000 };

/// A shared link's slug and, of a password, the proof: for 30 days. People follow such links from elsewhere.
pub(super) const LINK: Cookie =
    Cookie { name: "passerby-link", same_site: "Lax", seconds: 2_592_000 };

/// The session of a person whom the provider signed in.
pub(super) const SESSION: Cookie =
    Cookie { name: "passerby-session", same_site: "Strict", seconds: SESSION_SECONDS };

/// What is remembered on the way to the provider and back, from where the browser comes: for ten minutes.
pub(super) const FLOW: Cookie = Cookie { name: "passerby-sign-in", same_site: "Lax", seconds: 600 };

impl Cookie {
    /// What a browser shows of it.
    pub(super) fn of<'headers>(
        &self,
        headers: &'headers HeaderMap,
        public_url: Option<&str>,
    ) -> Option<&'headers str> {
        let name = self.name(public_url);
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// The line of an answer that sets it; `None` when the value has what a header may not have.
    pub(super) fn set(&self, value: &str, public_url: Option<&str>) -> Option<HeaderValue> {
        self.line(value, self.seconds, public_url)
    }

    /// The line of an answer that takes it away.
    pub(super) fn unset(&self, public_url: Option<&str>) -> Option<HeaderValue> {
        self.line("", 0, public_url)
    }

    fn line(&self, value: &str, seconds: u32, public_url: Option<&str>) -> Option<HeaderValue> {
        let (name, same_site) = (self.name(public_url), self.same_site);
        let secure = if is_encrypted(public_url) { "; Secure" } else { "" };
        let line = format!(
            "{name}={value}; Path=/; HttpOnly; SameSite={same_site}; Max-Age={seconds}{secure}"
        );
        HeaderValue::try_from(line).ok()
    }

    /// Browsers take a name of this form only with `Secure`, and so only over TLS.
    fn name(&self, public_url: Option<&str>) -> String {
        let prefix = if is_encrypted(public_url) { "__Host-" } else { "" };
        format!("{prefix}{}", self.name)
    }
}

/// An answer that is nobody else's, with cookies.
pub(super) fn with_cookies(
    mut answer: Response,
    cookies: impl IntoIterator<Item = Option<HeaderValue>>,
) -> Response {
    let headers = answer.headers_mut();
    for cookie in cookies {
        // What the dashboard itself makes has no character that a header may not have.
        let Some(cookie) = cookie else { return StatusCode::BAD_REQUEST.into_response() };
        headers.append(header::SET_COOKIE, cookie);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    answer
}

/// Whether browsers reach the collector over TLS, as far as the operator said so.
fn is_encrypted(public_url: Option<&str>) -> bool {
    public_url.is_some_and(|url| url.starts_with("https://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENCRYPTED: Option<&str> = Some("https://stats.test");

    #[test]
    fn over_tls_every_cookie_is_of_this_host_alone() {
        let line =
            |cookie: &Cookie, url| cookie.set("x", url).unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            line(&SESSION, ENCRYPTED),
            "__Host-passerby-session=x; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200; Secure"
        );
        assert_eq!(
            line(&FLOW, ENCRYPTED),
            "__Host-passerby-sign-in=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=600; Secure"
        );
        assert_eq!(
            line(&SESSION, Some("http://stats.test")),
            "passerby-session=x; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200"
        );
        for cookie in [TOKEN, LINK, SESSION, FLOW] {
            let line = line(&cookie, ENCRYPTED);
            assert!(line.starts_with("__Host-passerby-") && line.ends_with("; Secure"), "{line}");
            assert!(line.contains("; Path=/; HttpOnly; "), "{line}");
        }
    }

    #[test]
    fn over_tls_a_cookie_that_another_host_could_have_set_is_none() {
        let shown = |line: &'static str, url| {
            let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static(line))]);
            SESSION.of(&headers, url).map(str::to_owned)
        };
        assert_eq!(shown("a=b; passerby-session=x", ENCRYPTED), None);
        assert_eq!(shown("a=b; __Host-passerby-session=x", ENCRYPTED), Some("x".to_owned()));
        assert_eq!(shown("passerby-session=x", None), Some("x".to_owned()));
        assert_eq!(shown("passerby-sessions=x", None), None);
    }

    #[test]
    fn no_value_writes_a_line_of_its_own() {
        assert!(SESSION.set("x\r\nset-cookie: a=b", None).is_none());
    }
}
