//! The wire form of Umami's trackers: `POST /api/send`.
//!
//! ```text
//! { "type": "event",
//!   "payload": { "website": …, "hostname": "example.com", "url": "/path?query", "referrer": …,
//!                "name": …, "data": { … }, "language": …, "screen": …, "title": … } }
//! ```
//!
//! A payload with a name is a custom event, one without a page view. `website` is the site when it
//! is a domain; there it mostly is a number, and then the site is `hostname`. The browser tells its
//! language itself; screen, title and every id are not wanted.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::fields::Chosen;
use super::{Beacon, BeaconError, Field};
use super::{decode, json};
use crate::event::PAGEVIEW;

/// What such a tracker sent.
pub enum Sent {
    /// An event.
    Event(Box<Beacon>),
    /// Something that is no event, such as who the visitor is: not wanted, and not kept.
    Other,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "type")]
    kind: Value,
    payload: Payload,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Payload {
    website: Value,
    hostname: Value,
    url: Value,
    referrer: Value,
    name: Value,
    data: Value,
}

/// Decodes the body of `POST /api/send`.
///
/// # Errors
/// The first field that breaks a rule, and the rule.
pub fn body(body: &[u8]) -> Result<Sent, BeaconError> {
    let broken = |_| {
        let rule = "the body must be a JSON object with type and payload";
        BeaconError::new(Field::Request, rule)
    };
    let Envelope { kind, payload } = json::read(body).map_err(broken)?;
    if kind != "event" {
        return Ok(Sent::Other);
    }
    let (website, hostname) = (payload.website.as_str(), payload.hostname.as_str());
    let site = website.filter(|website| website.contains('.')).or(hostname).unwrap_or_default();
    let host = hostname.unwrap_or(site);
    if host.is_empty() {
        return Err(BeaconError::new(Field::Domain, "hostname is required"));
    }
    let fields = Chosen {
        name: Some(payload.name).filter(is_told).or_else(|| Some(PAGEVIEW.into())),
        url: whole_url(&payload.url, host),
        // A port is no part of a site.
        domain: site.split(':').next().map(Value::from),
        referrer: Some(payload.referrer),
        revenue: revenue(&payload.data),
        props: Some(payload.data),
        ..Chosen::of_a_person()
    };
    decode::beacon(fields).map(|beacon| Sent::Event(Box::new(beacon)))
}

fn is_told(value: &Value) -> bool {
    !matches!(value, Value::Null) && value != ""
}

/// Its URLs are mostly paths on the host that stands beside them.
fn whole_url(url: &Value, host: &str) -> Option<Value> {
    match url {
        Value::String(path) if path.starts_with('/') && !path.starts_with("//") => {
            Some(format!("https://{host}{path}").into())
        }
        Value::Null => None,
        other => Some(other.clone()),
    }
}

/// There, `revenue` and `currency` are properties like any other.
fn revenue(data: &Value) -> Option<Value> {
    let (amount, currency) = (data.get("revenue")?, data.get("currency")?);
    let both = [("amount".to_owned(), amount.clone()), ("currency".to_owned(), currency.clone())];
    Some(Value::Object(Map::from_iter(both)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::beacon::Kind;

    #[track_caller]
    fn event(payload: Value) -> Beacon {
        let sent = json!({"type": "event", "payload": payload}).to_string();
        match body(sent.as_bytes()) {
            Ok(Sent::Event(beacon)) => *beacon,
            Ok(Sent::Other) => panic!("{sent} is no event"),
            Err(error) => panic!("{sent}: {error}"),
        }
    }

    #[test]
    fn a_payload_without_a_name_is_a_page_view_of_its_host() {
        let beacon = event(json!({
            "website": "b59e9c65-ae32-47f1-8400-119fcf4861c4", "hostname": "example.com", "screen": "1920x1080",
            "language": "en-US", "title": "A", "url": "/a?utm_source=x", "referrer": "https://b.test/",
        }));
        assert_eq!(beacon.kind, Kind::Pageview);
        assert_eq!(beacon.domains, ["example.com"]);
        assert_eq!(
            (beacon.page.hostname.as_str(), beacon.page.pathname.as_str()),
            ("example.com", "/a")
        );
        assert_eq!(beacon.query, "utm_source=x");
        assert_eq!(beacon.referrer.as_deref(), Some("https://b.test/"));
    }

    #[test]
    fn a_name_and_data_are_a_custom_event_with_properties_and_worth() {
        let beacon = event(json!({
            "website": "example.com", "hostname": "www.example.com:8080", "url": "https://www.example.com/a",
            "name": "buy", "data": {"plan": "pro", "revenue": 19.99, "currency": "EUR"},
        }));
        assert_eq!(beacon.kind, Kind::Custom { name: "buy".into(), interactive: true });
        assert_eq!(beacon.domains, ["example.com"]);
        assert_eq!(beacon.revenue.map(|revenue| revenue.thousandths), Some(19_990));
        assert_eq!(beacon.props.into_pairs()[0], ("plan".to_owned(), "pro".to_owned()));
    }

    #[test]
    fn who_a_visitor_is_is_not_wanted() {
        let sent =
            br#"{"type": "identify", "payload": {"website": "x", "data": {"email": "a@b.test"}}}"#;
        assert!(matches!(body(sent), Ok(Sent::Other)));
    }

    #[test]
    fn what_is_missing_is_named() {
        for (sent, field) in [
            (json!([]), "request"),
            (json!({"type": "event"}), "request"),
            (json!({"type": "event", "payload": {"hostname": "a.test"}}), "url"),
            (json!({"type": "event", "payload": {"website": "7", "url": "/x"}}), "domain"),
            (
                json!({"type": "event", "payload": {"website": " . ", "hostname": "a.test", "url": 7}}),
                "url",
            ),
        ] {
            let error = body(sent.to_string().as_bytes())
                .err()
                .unwrap_or_else(|| panic!("{sent} was taken"));
            assert_eq!(error.field.as_str(), field, "{sent}");
        }
    }
}
