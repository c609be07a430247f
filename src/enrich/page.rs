//! The page that a beacon comes from, out of its URL.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::scrub::{is_address_of_host, scrub, storable};
use super::text::{cleaned, cut};
use crate::site::domain::{bare_host, host_of};

/// The longest host, in bytes (RFC 1035).
const HOSTNAME_BYTES_MAX: usize = 253;
/// The longest path, in bytes.
const PATHNAME_BYTES_MAX: usize = 2_000;
/// What is stored of a host that is an address.
const ADDRESS: &str = "[ip]";
/// The host of a URL that has none.
const NO_HOST: &str = "(none)";
/// Schemes of pages that nobody visits.
const REFUSED_SCHEMES: [&str; 5] = ["data", "javascript", "blob", "about", "vbscript"];

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Lower-case, decoded, without a leading `www.`; `(none)` when the URL has no host. It is stored as [`stored_host`] says.
    pub hostname: String,
    /// Percent-decoded, without the query string; `/` when there is none.
    pub pathname: String,
}

/// A URL that is no page's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// Its scheme is one of content, not of places.
    #[error("the scheme is not allowed")]
    Scheme,
    /// It is not a URL.
    #[error("not a valid URL")]
    Invalid,
}

/// A URL in its parts, as generic syntax (RFC 3986, appendix B) has them: it is split, not judged, because
/// pages report URLs that a strict reader would refuse.
struct Parts<'a> {
    scheme: &'a str,
    host: &'a str,
    path: &'a str,
    query: &'a str,
    fragment: &'a str,
}

fn split(url: &str) -> Parts<'_> {
    let (rest, fragment) = url.split_once('#').unwrap_or((url, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_scheme = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || "+-.".contains(character))
    };
    let (scheme, rest) = match rest.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (scheme, rest),
        _ => ("", rest),
    };
    let (authority, path) = match rest.strip_prefix("//") {
        None => ("", rest),
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
    };
    let host = authority.rsplit('@').next().unwrap_or(authority);
    // A port follows the last colon, unless that is inside of an IPv6 address.
    let host = match host.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        _ => host,
    };
    Parts { scheme, host, path, query, fragment }
}

impl Page {
    /// Reads a URL; in hash mode its fragment belongs to the path. The query string is returned beside
    /// the page: it has the campaign's tags, and is not part of the page.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn parse(url: &str, hash_mode: bool) -> Result<(Self, String), PageError> {
        let url = url.trim();
        let parts = split(url);
        if REFUSED_SCHEMES.iter().any(|refused| parts.scheme.eq_ignore_ascii_case(refused)) {
            return Err(PageError::Scheme);
        }
        if url.is_empty()
            || parts
                .host
                .contains(|character: char| character.is_whitespace() || "<>\"".contains(character))
        {
            return Err(PageError::Invalid);
        }
        let mut pathname = decoded(parts.path);
        if hash_mode && !parts.fragment.is_empty() {
            pathname = format!("{}#{}", pathname.trim_end(), decoded(parts.fragment)).into();
        }
        let pathname = path(pathname.trim_end());
        let pathname = if pathname.is_empty() { "/".to_owned() } else { pathname };
        Ok((Self { hostname: hostname(parts.host), pathname }, parts.query.to_owned()))
    }

    /// How long the path of a URL is before anything of it is masked or cut, in bytes.
    pub fn path_bytes(url: &str, hash_mode: bool) -> usize {
        let parts = split(url.trim());
        let fragment = if hash_mode { parts.fragment } else { "" };
        decoded(parts.path).len() + decoded(fragment).len()
    }
}

/// A path as it is stored: without what may be personal in it.
pub fn path(path: &str) -> String {
    storable(path, PATHNAME_BYTES_MAX)
}

/// A host as it is told apart from others. What may be personal in it is there still: see [`stored_host`].
pub fn hostname(host: &str) -> String {
    // The cut comes last: some small letters take more bytes than their capitals.
    let host = cut(bare_host(&cleaned(host.to_owned())), HOSTNAME_BYTES_MAX);
    if host.is_empty() { NO_HOST.to_owned() } else { host }
}

/// The host that a text names, which may have more of a URL: who signs in, a port, a path.
pub fn host_named_by(text: &str) -> String {
    hostname(split(&format!("//{}", text.trim())).host)
}

/// A host as it is stored for the site of a domain. One that is an address of a network is masked, for it may be a person's own
/// machine; but not where the site is registered under it.
pub fn stored_host<'a>(host: &'a str, domain: &str) -> Cow<'a, str> {
    if host == host_of(domain) {
        Cow::Borrowed(host)
    } else if is_address_of_host(host) {
        Cow::Borrowed(ADDRESS)
    } else if host.contains(['%', '@']) {
        scrub(host)
    } else {
        Cow::Borrowed(host)
    }
}

/// The host and path of a referrer as they are stored: no site is registered under a referrer of its own.
pub fn stored_referrer(referrer: &str) -> String {
    let (host, path) = referrer.split_at(referrer.find('/').unwrap_or(referrer.len()));
    stored_host(host, "").into_owned() + path
}

/// Percent-decoded, where that gives text.
fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8().unwrap_or(Cow::Borrowed(text))
}

/// The host and path of a referring URL, for its storage: without scheme, query and fragment.
pub(super) fn host_and_path(url: &str) -> Option<(String, String, String)> {
    let parts = split(url.trim());
    let scheme = parts.scheme.to_ascii_lowercase();
    let host = hostname(parts.host);
    (host != NO_HOST).then(|| (scheme, host, path(&decoded(parts.path))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::enrich::text::clean;

    #[track_caller]
    fn check(url: &str, hostname: &str, pathname: &str) {
        let (page, _) = Page::parse(url, false).unwrap_or_else(|error| panic!("{url}: {error}"));
        assert_eq!((page.hostname.as_str(), page.pathname.as_str()), (hostname, pathname), "{url}");
    }

    #[test]
    fn a_page_is_a_host_and_a_decoded_path() {
        check("https://www.Example.com/p%C3%A4th/?q=1#f", "example.com", "/päth/");
        check("https://example.com", "example.com", "/");
        check("https://example.com?x=/y", "example.com", "/");
        check("https://user:secret@example.com:8443/x", "example.com", "/x");
        check("https://[2001:db8::1]:80/x", "[2001:db8::1]", "/x");
        check("https://example.com/x%20", "example.com", "/x");
        check("https://example.com/%ff", "example.com", "/%ff");
        check("/only/a/path", "(none)", "/only/a/path");
        check("example.com/x", "(none)", "example.com/x");
        check("file:///home/me/x.html", "(none)", "/home/me/x.html");
        check("https://example.com/a%00b%E2%80%AEc", "example.com", "/abc");
        check("https://example.com/a//b", "example.com", "/a//b");
        check("app://screen/start", "screen", "/start");
        check("https://xn--mller-kva.test/x", "müller.test", "/x");
        check("https://WWW.MÜLLER.test.:8443/x", "müller.test", "/x");
        check("https://www.example.com./x", "example.com", "/x");
        check("https://./x", "(none)", "/x");
    }

    #[test]
    fn the_fragment_belongs_to_the_path_in_hash_mode() {
        let path = |url| Page::parse(url, true).unwrap().0.pathname;
        assert_eq!(path("https://example.com/x#/y%20z"), "/x#/y z");
        assert_eq!(path("https://example.com/#/y"), "/#/y");
        assert_eq!(path("https://example.com/x#"), "/x");
        assert_eq!(path("https://example.com#a"), "#a");
    }

    #[test]
    fn the_query_string_is_beside_the_page() {
        assert_eq!(Page::parse("https://example.com/x?a=b&c#d", false).unwrap().1, "a=b&c");
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for url in ["data:text/html,x", "javascript:alert(1)", "DATA:x", "about:blank"] {
            assert_eq!(Page::parse(url, false), Err(PageError::Scheme), "{url}");
        }
        for url in ["", "  ", "https://exa mple.com/", "https://<script>/"] {
            assert_eq!(Page::parse(url, false), Err(PageError::Invalid), "{url}");
        }
    }

    #[test]
    fn a_host_that_is_an_address_is_masked_unless_it_is_the_sites_own() {
        for (host, stored) in [
            ("84.12.33.12", "[ip]"),
            ("8.8.8.8", "[ip]"),
            ("[2001:db8:1:2:3:4:5:6]", "[ip]"),
            ("2001:db8::1", "[ip]"),
            ("[ip]", "[ip]"),
            ("anna%40secret.test", "[email]"),
            ("(none)", "(none)"),
            ("1.2.3.4.example.com", "1.2.3.4.example.com"),
            ("a1B2c3D4e5F6g7H8i9J0k1L2.example.com", "a1B2c3D4e5F6g7H8i9J0k1L2.example.com"),
        ] {
            assert_eq!(stored_host(host, "example.com"), stored, "{host}");
        }
        for own in ["84.12.33.12", "84.12.33.12:8080", "84.12.33.12/shop"] {
            assert_eq!(stored_host("84.12.33.12", own), "84.12.33.12", "{own}");
        }
        let named = "https://84.12.33.12:8080/x";
        let (page, _) = Page::parse(named, false).unwrap();
        assert_eq!(page.hostname, "84.12.33.12", "the site of a page is looked up by its host");
    }

    #[test]
    fn a_text_names_a_host_whatever_stands_around_it() {
        for (text, host) in [
            ("www.Example.com", "example.com"),
            ("anna@secret.test:80/x", "secret.test"),
            ("[2001:db8::1]:80", "[2001:db8::1]"),
            ("[ip]", "[ip]"),
            ("(none)", "(none)"),
            ("", "(none)"),
        ] {
            assert_eq!(host_named_by(text), host, "{text}");
        }
    }

    #[test]
    fn a_host_whose_small_letters_take_more_bytes_is_as_short_as_any() {
        assert_eq!("Ⱦ".len() + 1, "ⱦ".len());
        let host = hostname(&"Ⱦ".repeat(120));
        assert_eq!(host, "ⱦ".repeat(84));
    }

    proptest! {
        #[test]
        fn any_text_is_a_page_or_refused_and_stored_text_can_be_seen(url in any::<String>(), hash_mode: bool) {
            if let Ok((page, _)) = Page::parse(&url, hash_mode) {
                prop_assert!((1..=HOSTNAME_BYTES_MAX).contains(&page.hostname.len()));
                prop_assert!(page.pathname.len() <= PATHNAME_BYTES_MAX);
                prop_assert_eq!(clean(&page.pathname, usize::MAX), page.pathname);
            }
        }
    }
}
