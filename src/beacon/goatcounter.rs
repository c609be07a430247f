//! The wire form of GoatCounter's script: `/count`, with everything in the query.
//!
//! ```text
//! p  the path, or the name of an event      r  the referrer
//! e  true for an event                      q  the query of the page, with its campaign
//! t, s, b, rnd  title, screen, what the script thinks of who is there, a number against caches
//! ```
//!
//! There a host name belongs to one site, so that nothing says which site it is. Here the browser does, in `Origin`
//! or `Referer`; where it does not, the address may end in the site's domain: `/count/example.com`.

use url::Url;
use url::form_urlencoded;

use super::decode;
use super::fields::Chosen;
use super::{Beacon, BeaconError, Field};
use crate::event::PAGEVIEW;

/// Decodes the query of `/count`, with the domain that its path ends in and the page's address or
/// origin as the browser told it.
///
/// # Errors
/// The first field that breaks a rule, and the rule.
pub fn query(query: &str, domain: Option<&str>, told: Option<&str>) -> Result<Beacon, BeaconError> {
    let told = told.and_then(|told| Url::parse(told).ok());
    let host = domain.or_else(|| told.as_ref().and_then(Url::host_str)).ok_or_else(|| {
        let rule = "neither Origin nor Referer tells it: end the address with it, as in /count/example.com";
        BeaconError::new(Field::Domain, rule)
    })?;
    let sent: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let field = |name: &str| {
        sent.iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_ref())
            .unwrap_or_default()
    };
    let is_event = field("e") == "true";
    let path = field("p");
    if path.is_empty() {
        let (field, rule) = if is_event {
            (Field::EventName, "p is required: the name of the event")
        } else {
            (Field::Url, "p is required: the path of the page")
        };
        return Err(BeaconError::new(field, rule));
    }
    // The script ends the path with the query as well, unless the page names another address as its own.
    let query = field("q").trim_start_matches('?');
    let campaign = match path.split_once('?') {
        _ if query.is_empty() => String::new(),
        Some((_, told)) if told.ends_with(query) => String::new(),
        Some(_) => format!("&{query}"),
        None => format!("?{query}"),
    };
    let on_host = format!("https://{host}/{}{campaign}", path.trim_start_matches('/'));
    let url = match (&told, is_event) {
        (Some(page), true) => page.to_string(),
        (None, true) => format!("https://{host}/"),
        (_, false) => on_host,
    };
    decode::beacon(Chosen {
        name: Some(if is_event { path.into() } else { PAGEVIEW.into() }),
        url: Some(url.into()),
        domain: Some(host.into()),
        referrer: Some(field("r").into()),
        ..Chosen::of_a_person()
    })
}

/// Whether the script thinks that nobody is there: it found the marks of an automated browser.
pub fn is_automated(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes())
        .any(|(key, value)| key == "b" && !matches!(&*value, "" | "0"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beacon::Kind;

    #[test]
    fn a_path_is_a_page_view_of_the_site_that_the_browser_tells() {
        let sent = "p=%2Fa%20b&r=https%3A%2F%2Fb.test%2F&t=A&s=1920,1080,1&q=%3Futm_source%3Dx&b=0&rnd=abcde";
        let beacon = query(sent, None, Some("https://www.example.com/")).unwrap();
        assert_eq!(beacon.kind, Kind::Pageview);
        assert_eq!(beacon.domains, ["example.com"]);
        assert_eq!(beacon.page.pathname, "/a b");
        assert_eq!(beacon.query, "utm_source=x");
        assert_eq!(beacon.referrer.as_deref(), Some("https://b.test/"));
    }

    #[test]
    fn a_query_that_is_sent_twice_is_there_once() {
        let campaign = "%3Futm_source%3Dnews%26utm_medium%3Demail";
        for sent in [format!("p=%2Fa{campaign}&q={campaign}"), format!("p=%2Fa&q={campaign}")] {
            let beacon = query(&sent, Some("example.com"), None).unwrap();
            assert_eq!(beacon.page.pathname, "/a", "{sent}");
            assert_eq!(beacon.query, "utm_source=news&utm_medium=email", "{sent}");
        }
    }

    #[test]
    fn a_page_that_names_another_address_with_a_query_keeps_the_campaign() {
        let sent = "p=%2Fp%3Fid%3D5&q=%3Fid%3D5%26utm_source%3Dnews";
        let beacon = query(sent, Some("example.com"), None).unwrap();
        assert_eq!(beacon.query, "id=5&id=5&utm_source=news");
    }

    #[test]
    fn an_event_has_a_name_and_the_page_it_happened_on() {
        let beacon = query("p=click-here&e=true", None, Some("https://example.com/page")).unwrap();
        assert_eq!(beacon.kind, Kind::Custom { name: "click-here".into(), interactive: true });
        assert_eq!(beacon.page.pathname, "/page");
        let beacon = query("p=click-here&e=true", Some("example.com"), None).unwrap();
        assert_eq!(
            (beacon.domains[0].as_str(), beacon.page.pathname.as_str()),
            ("example.com", "/")
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        for (sent, domain, field) in [
            ("p=/x", None, "domain"),
            ("", Some("a.test"), "url"),
            ("e=true", Some("a.test"), "event_name"),
        ] {
            let error =
                query(sent, domain, None).err().unwrap_or_else(|| panic!("{sent} was taken"));
            assert_eq!(error.field.as_str(), field, "{sent}");
        }
    }

    #[test]
    fn the_script_may_say_that_nobody_is_there() {
        assert!(is_automated("p=/&b=153"));
        for sent in ["p=/", "p=/&b=0", "p=/&b="] {
            assert!(!is_automated(sent), "{sent}");
        }
    }
}
