//! Forms that change something, and what comes of them.
//!
//! They are taken from pages of this collector alone: the cookie that signs in is not sent from elsewhere, and the
//! browser says where the form stood.

use axum::http::{HeaderMap, header};

/// Whether the form stood on a page of this collector.
pub(super) fn stood_here(headers: &HeaderMap, public_url: Option<&str>) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else { return false };
    let host = origin.split_once("://").map(|(_, host)| host);
    let is_public_url = public_url == Some(origin);
    is_public_url || (host.is_some() && host == text(header::HOST))
}

/// The time zones that a field offers: `UTC`, and those of places.
pub(super) fn timezones() -> Vec<String> {
    // Systems have every zone twice more, as machines would count leap seconds, and as they do not.
    let is_of_a_place = |name: &str| {
        let area = name.split_once('/').map(|(area, _)| area);
        area.is_some_and(|area| !matches!(area, "Etc" | "posix" | "right" | "SystemV"))
    };
    let names = jiff::tz::db().available().map(|name| name.as_str().to_owned());
    let mut names: Vec<_> = names.filter(|name| name == "UTC" || is_of_a_place(name)).collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_zone_that_is_offered_is_one() {
        let names = timezones();
        for name in &names {
            assert!(jiff::tz::TimeZone::get(name).is_ok(), "{name}");
        }
        for name in ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"] {
            assert!(names.iter().any(|other| other == name), "{name}");
        }
    }

    #[test]
    fn a_form_of_another_page_is_not_taken() {
        let stood = |origin: Option<&'static str>, public_url| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "stats.test:8000".parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            stood_here(&headers, public_url)
        };
        assert!(stood(Some("http://stats.test:8000"), None));
        assert!(stood(Some("https://public.test"), Some("https://public.test")));
        for origin in [None, Some("null"), Some("https://evil.test"), Some("http://stats.test")] {
            assert!(!stood(origin, None), "{origin:?}");
        }
    }
}
