//! A line of an import: its wire form, and its rules. Fields that are given are kept as they are given,
//! but for what may be personal in them; what is missing is derived as for a beacon.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::beacon::{NAME_CHARS_MAX, Props, Revenue};
use crate::enrich::acquisition::{Acquisition, ClickId, Tags, channel};
use crate::enrich::page::{Page, PageError, host_named_by, path, stored_host, stored_referrer};
use crate::enrich::places::{city_name, region_name};
use crate::enrich::profile::kept;
use crate::enrich::scrub::storable;
use crate::enrich::text::{clean, is_blank};
use crate::event::{Attributes, PAGEVIEW, SCROLL_DEPTH_UNKNOWN};
use crate::session::Kind;
use crate::site::Site;

/// The longest text of a field, in bytes; what is longer is cut.
const TEXT_BYTES_MAX: usize = 2_000;

/// The fields of a line.
pub const FIELDS: [&str; 33] = [
    "site",
    "timestamp",
    "name",
    "url",
    "hostname",
    "pathname",
    "visitor",
    "new_visit",
    "referrer",
    "source",
    "channel",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_content",
    "utm_term",
    "click_id_kind",
    "browser",
    "browser_version",
    "os",
    "os_version",
    "device",
    "language",
    "country",
    "region",
    "region_name",
    "city",
    "city_name",
    "props",
    "revenue",
    "interactive",
    "engagement_ms",
    "scroll_depth",
];

/// A line, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    site: String,
    timestamp: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    hostname: Option<String>,
    #[serde(default)]
    pathname: Option<String>,
    #[serde(default)]
    visitor: Option<Visitor>,
    /// Begins a visit, though one of the visitor's may be open.
    #[serde(default)]
    new_visit: bool,
    #[serde(default)]
    referrer: Option<String>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    utm_source: Option<String>,
    #[serde(default)]
    utm_medium: Option<String>,
    #[serde(default)]
    utm_campaign: Option<String>,
    #[serde(default)]
    utm_content: Option<String>,
    #[serde(default)]
    utm_term: Option<String>,
    #[serde(default)]
    click_id_kind: Option<String>,
    #[serde(default)]
    browser: Option<String>,
    #[serde(default)]
    browser_version: Option<String>,
    #[serde(default)]
    os: Option<String>,
    #[serde(default)]
    os_version: Option<String>,
    #[serde(default)]
    device: Option<String>,
    #[serde(default)]
    language: Option<String>,
    #[serde(default)]
    country: Option<String>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    region_name: Option<String>,
    #[serde(default)]
    city: Option<u32>,
    #[serde(default)]
    city_name: Option<String>,
    #[serde(default)]
    props: Option<Value>,
    #[serde(default)]
    revenue: Option<Value>,
    #[serde(default)]
    interactive: Option<bool>,
    #[serde(default)]
    engagement_ms: Option<u32>,
    #[serde(default)]
    scroll_depth: Option<u8>,
}

/// Any opaque text; numbers are taken too.
#[derive(Deserialize)]
#[serde(untagged)]
enum Visitor {
    Text(String),
    Number(u64),
}

/// What a line says.
pub(super) struct Told {
    pub(super) timestamp: u32,
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) page: Page,
    pub(super) visitor: Option<String>,
    pub(super) new_visit: bool,
    pub(super) attributes: Attributes,
    pub(super) props: Vec<(String, String)>,
    pub(super) revenue: Option<Revenue>,
    pub(super) interactive: bool,
    pub(super) engagement_ms: u32,
    pub(super) scroll_depth: u8,
}

/// A rule that a line breaks.
#[derive(Debug, thiserror::Error)]
#[error("{field}: {rule}")]
pub(super) struct LineError {
    field: &'static str,
    rule: String,
}

impl LineError {
    pub(super) fn new(field: &'static str, rule: impl Into<String>) -> Self {
        Self { field, rule: rule.into() }
    }
}

impl Line {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, LineError> {
        serde_json::from_slice(bytes).map_err(|error| {
            wrong_field(bytes).unwrap_or_else(|| LineError::new("line", error.to_string()))
        })
    }

    pub(super) fn domain(&self) -> &str {
        &self.site
    }

    pub(super) fn unknown_site(&self) -> LineError {
        LineError::new(
            "site",
            format!("`{}` is not registered: `passerby site add` registers it", self.site),
        )
    }

    /// Applies the rules.
    pub(super) fn read(self, site: &Site) -> Result<Told, LineError> {
        let timestamp = timestamp(&self.timestamp)?;
        let (page, query) = self.page(site)?;
        let attributes = kept(site.policy.profile, self.attributes(&query, &page));
        let hostname = stored_host(&page.hostname, &site.domain).into_owned();
        let page = Page { hostname, ..page };
        let name = name(self.name)?;
        let kind = Kind::of(&name);
        let revenue = match self.revenue {
            None | Some(Value::Null) => None,
            Some(sent) => Some(Revenue::read(sent).ok_or_else(|| {
                LineError::new("revenue", "must be an amount and an ISO 4217 currency, {\"amount\": 12.5, \"currency\": \"EUR\"}")
            })?),
        };
        let props = Props::read(self.props).map_err(|error| LineError::new("props", error.rule))?;
        let is_engagement = kind == Kind::Engagement;
        let told = self.scroll_depth.filter(|&depth| depth != SCROLL_DEPTH_UNKNOWN);
        let scroll_depth = told.map_or(SCROLL_DEPTH_UNKNOWN, |depth| depth.min(100));
        Ok(Told {
            timestamp,
            kind,
            props: props.with_path(&name, &page.pathname).into_pairs(),
            name,
            page,
            visitor: self.visitor.map(|visitor| match visitor {
                Visitor::Text(text) => text,
                Visitor::Number(number) => number.to_string(),
            }),
            new_visit: self.new_visit,
            attributes,
            revenue: revenue.filter(|_| !site.policy.profile.is_strict()),
            interactive: self.interactive.unwrap_or(true),
            engagement_ms: if is_engagement { self.engagement_ms.unwrap_or(0) } else { 0 },
            scroll_depth: if is_engagement { scroll_depth } else { SCROLL_DEPTH_UNKNOWN },
        })
    }

    /// From `url`, from `hostname` and `pathname`, or from both: what is given by itself wins.
    fn page(&self, site: &Site) -> Result<(Page, String), LineError> {
        let given = |text: &Option<String>| text.as_deref().map(|text| clean(text, TEXT_BYTES_MAX));
        let (mut page, query) = match (&self.url, &self.hostname, &self.pathname) {
            (Some(url), ..) => Page::parse(url, false).map_err(|error| {
                LineError::new(
                    "url",
                    match error {
                        PageError::Scheme => "scheme is not allowed",
                        PageError::Invalid => "must be a valid url",
                    },
                )
            })?,
            (None, None, None) => {
                return Err(LineError::new("url", "is required, or hostname and pathname"));
            }
            (None, ..) => (
                Page { hostname: host_named_by(&site.domain), pathname: "/".to_owned() },
                String::new(),
            ),
        };
        if let Some(hostname) = given(&self.hostname) {
            page.hostname = host_named_by(&hostname);
        }
        if let Some(pathname) = given(&self.pathname) {
            page.pathname = path(&pathname);
        }
        Ok((page, query))
    }

    fn attributes(&self, query: &str, page: &Page) -> Attributes {
        let given =
            |text: &Option<String>| text.as_deref().map(|text| storable(text, TEXT_BYTES_MAX));
        let or = |text: &Option<String>, derived: String| given(text).unwrap_or(derived);
        let from_url = Tags::from_query(query);
        let tags = Tags {
            utm_source: or(&self.utm_source, from_url.utm_source),
            utm_medium: or(&self.utm_medium, from_url.utm_medium),
            utm_campaign: or(&self.utm_campaign, from_url.utm_campaign),
            utm_content: or(&self.utm_content, from_url.utm_content),
            utm_term: or(&self.utm_term, from_url.utm_term),
            click_id: self.click_id_kind.as_deref().map_or(from_url.click_id, ClickId::of),
            source: from_url.source,
            reference: from_url.reference,
        };
        let acquisition = Acquisition::of(&tags, self.referrer.as_deref(), &page.hostname);
        let region = or(&self.region, String::new());
        let city = self.city.unwrap_or(0);
        let derived = acquisition.onto(Attributes {
            country: or(&self.country, String::new()),
            region_name: or(&self.region_name, region_name(&region).unwrap_or_default().to_owned()),
            region,
            city_name: or(&self.city_name, city_name(city).unwrap_or_default().to_owned()),
            city,
            browser: or(&self.browser, String::new()),
            browser_version: or(&self.browser_version, String::new()),
            os: or(&self.os, String::new()),
            os_version: or(&self.os_version, String::new()),
            device: or(&self.device, String::new()),
            language: or(&self.language, String::new()),
            ..Attributes::default()
        });
        let source = or(&self.source, derived.source.clone());
        let of_source = channel(
            &source,
            &tags.utm_source,
            &tags.utm_medium,
            &tags.utm_campaign,
            &derived.click_id_kind,
        );
        // What has a scheme is a URL, of which nobody keeps the query; an export has host and path.
        let is_url = |referrer: &str| {
            referrer.split_once("://").is_some_and(|(scheme, _)| !scheme.contains('/'))
        };
        let stored = self.referrer.as_deref().filter(|referrer| !is_url(referrer));
        let stored = stored.map(stored_referrer);
        Attributes {
            referrer: or(&stored, derived.referrer.clone()),
            utm_medium: or(&self.utm_medium, derived.utm_medium.clone()),
            channel: or(&self.channel, of_source.to_owned()),
            source,
            ..derived
        }
    }
}

/// The field for which a line was not taken: one that is missing, or has a value of another type. Of fields that there are
/// not, and of what is no object, the reader's own words tell.
fn wrong_field(bytes: &[u8]) -> Option<LineError> {
    let given: Map<String, Value> = serde_json::from_slice(bytes).ok()?;
    if given.keys().any(|name| !FIELDS.contains(&name.as_str())) {
        return None;
    }
    let missing = ["site", "timestamp"].into_iter().find(|field| !given.contains_key(*field));
    if let Some(field) = missing {
        return Some(LineError::new(field, "is required"));
    }
    let is_wrong = |field: &&str| given.get(*field).is_some_and(|value| !is_taken(field, value));
    let field = FIELDS.into_iter().find(is_wrong)?;
    Some(LineError::new(field, type_of(field)))
}

/// Whether a line takes the value for the field.
fn is_taken(field: &str, value: &Value) -> bool {
    let mut alone = json!({ "site": "", "timestamp": "" });
    alone[field] = value.clone();
    Line::deserialize(alone).is_ok()
}

fn type_of(field: &str) -> &'static str {
    match field {
        "new_visit" | "interactive" => "must be true or false",
        "visitor" => "must be a text or a whole number",
        "city" | "engagement_ms" => "must be a whole number from 0 to 4294967295",
        "scroll_depth" => "must be a whole number from 0 to 255",
        _ => "must be a text",
    }
}

fn name(given: Option<String>) -> Result<String, LineError> {
    let name = given.map_or_else(|| PAGEVIEW.to_owned(), |name| storable(&name, usize::MAX));
    match name.chars().count() {
        _ if is_blank(&name) => Err(LineError::new("name", "can't be blank")),
        count if count > NAME_CHARS_MAX => {
            Err(LineError::new("name", "must not exceed 120 characters"))
        }
        _ => Ok(name),
    }
}

fn timestamp(text: &str) -> Result<u32, LineError> {
    let moment: Timestamp = text.parse().map_err(|_| {
        LineError::new(
            "timestamp",
            format!("`{text}` is not a moment in RFC 3339, such as 2026-01-31T23:59:59+01:00"),
        )
    })?;
    // Second 0 is what ClickHouse says for the first of no events.
    u32::try_from(moment.as_second())
        .map(|second| second.max(1))
        .map_err(|_| LineError::new("timestamp", "must be from 1970 to 2106"))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::site::SiteId;

    fn site() -> Site {
        Site::new(SiteId(1), "example.com", TimeZone::UTC)
    }

    fn told(with: &str) -> Result<Told, LineError> {
        let line =
            format!(r#"{{"site": "example.com", "timestamp": "2026-01-01T00:00:00+01:00"{with}}}"#);
        Line::parse(line.as_bytes())?.read(&site())
    }

    #[track_caller]
    fn refused(with: &str, part: &str) {
        let error = told(with).err().expect("it was taken").to_string();
        assert!(error.contains(part), "{error}");
    }

    #[test]
    fn what_is_given_is_kept_and_what_is_missing_is_derived() {
        let told = told(
            r#", "url": "https://www.example.com/a?utm_source=fb", "referrer": "https://www.google.com/x", "device": "Laptop", "visitor": 7"#,
        )
        .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            (told.page.hostname.as_str(), told.page.pathname.as_str()),
            ("example.com", "/a")
        );
        assert_eq!(
            (told.attributes.source.as_str(), told.attributes.channel.as_str()),
            ("Facebook", "Organic Social")
        );
        assert_eq!(told.attributes.referrer, "google.com/x");
        assert_eq!(told.attributes.device, "Laptop");
        assert_eq!(told.visitor.as_deref(), Some("7"));
        assert_eq!(told.timestamp, 1_767_222_000);
    }

    #[test]
    fn a_referrer_is_stored_without_its_query_and_as_an_export_has_it() {
        for (given, stored) in [
            ("https://www.google.com/search?q=my+illness#top", "google.com/search"),
            ("google.com/search", "google.com/search"),
            ("web.archive.org/web/https://example.org", "web.archive.org/web/https://example.org"),
            ("https://example.com/before", ""),
            ("84.12.33.99/p", "[ip]/p"),
            ("8.8.8.8", "[ip]"),
            ("[ip]/p", "[ip]/p"),
            ("http://84.12.33.99:8080/p", "[ip]/p"),
        ] {
            let told = told(&format!(r#", "pathname": "/", "referrer": "{given}""#));
            let referrer = told.map(|told| told.attributes.referrer).unwrap_or_default();
            assert_eq!(referrer, stored, "{given}");
        }
    }

    #[test]
    fn a_host_is_stored_as_of_a_beacon() {
        for (given, stored) in [
            (r#""hostname": "www.Example.com""#, "example.com"),
            (r#""hostname": "anna@secret.test""#, "secret.test"),
            (r#""hostname": "84.12.33.12""#, "[ip]"),
            (r#""hostname": "[ip]""#, "[ip]"),
            (r#""hostname": "(none)""#, "(none)"),
            (r#""url": "http://[2001:db8:1:2:3:4:5:6]/q""#, "[ip]"),
            (r#""pathname": "/""#, "example.com"),
        ] {
            let told = told(&format!(", {given}")).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(told.page.hostname, stored, "{given}");
        }
    }

    #[test]
    fn a_place_that_is_known_by_its_code_has_its_name() {
        let told = told(r#", "pathname": "/", "country": "EE", "region": "EE-37", "city": 588409"#);
        let place = told.map(|told| told.attributes).unwrap_or_default();
        assert_eq!((place.region_name.as_str(), place.city_name.as_str()), ("Harjumaa", "Tallinn"));
    }

    #[test]
    fn a_given_source_decides_the_channel_unless_that_is_given_too() {
        let attributes = |with: &str| {
            told(&format!(r#", "pathname": "/"{with}"#))
                .map(|told| told.attributes)
                .unwrap_or_default()
        };
        let google = attributes(r#", "source": "Google", "utm_medium": "cpc""#);
        assert_eq!(google.channel, "Paid Search");
        let own = attributes(r#", "source": "Google", "channel": "Mine""#);
        assert_eq!(own.channel, "Mine");
        assert_eq!(attributes("").channel, "Direct");
    }

    #[test]
    fn a_line_that_is_wrong_is_told_which_field_and_which_rule() {
        refused("", "url: is required");
        refused(r#", "url": "data:x""#, "url: scheme");
        refused(r#", "url": "https://e.test/", "unheard": 1"#, "unheard");
        refused(r#", "pathname": "/", "name": """#, "name: can't be blank");
        refused(r#", "pathname": "/", "name": "\u200b""#, "name: can't be blank");
        refused(r#", "pathname": "/", "revenue": {"amount": "x"}"#, "revenue: must be");
        refused(
            r#", "pathname": "/", "scroll_depth": 300"#,
            "scroll_depth: must be a whole number",
        );
        let wrong =
            Line::parse(br#"{"site": "example.com", "timestamp": "yesterday", "pathname": "/"}"#)
                .unwrap();
        assert!(wrong.read(&site()).err().unwrap().to_string().contains("timestamp: `yesterday`"));
    }

    #[test]
    fn a_field_of_another_type_is_named_with_what_it_must_be() {
        let text = ["pathname", "city_name", "utm_source"];
        for field in text {
            refused(&format!(r#", "{field}": 7"#), &format!("{field}: must be a text"));
        }
        refused(r#", "city": "Berlin""#, "city: must be a whole number");
        refused(r#", "engagement_ms": -1"#, "engagement_ms: must be a whole number");
        refused(r#", "new_visit": "yes""#, "new_visit: must be true or false");
        refused(r#", "interactive": 1"#, "interactive: must be true or false");
        refused(r#", "visitor": 1.5"#, "visitor: must be a text or a whole number");
        let parse = |line: &str| Line::parse(line.as_bytes()).err().unwrap().to_string();
        assert_eq!(parse(r#"{"site": "example.com"}"#), "timestamp: is required");
        assert_eq!(parse(r#"{"site": 7, "timestamp": "x"}"#), "site: must be a text");
        assert!(parse("{").starts_with("line: EOF"));
    }

    #[test]
    fn the_fields_that_are_listed_are_those_of_a_line() {
        let error = Line::parse(br#"{"unheard": 1}"#).err().unwrap().to_string();
        let expected = FIELDS.map(|name| format!("`{name}`")).join(", ");
        assert!(error.contains(&format!("expected one of {expected} at")), "{error}");
    }

    #[test]
    fn attention_is_kept_of_engagement_only() {
        let attention = |name: &str, depth: u8| {
            let told = told(&format!(
                r#", "pathname": "/", "name": "{name}", "engagement_ms": 5, "scroll_depth": {depth}"#
            ));
            told.map(|told| (told.engagement_ms, told.scroll_depth)).unwrap_or_default()
        };
        assert_eq!(attention("engagement", 120), (5, 100));
        assert_eq!(attention("engagement", 255), (5, SCROLL_DEPTH_UNKNOWN), "255 tells of none");
        assert_eq!(attention("pageview", 120), (0, SCROLL_DEPTH_UNKNOWN));
    }
}
