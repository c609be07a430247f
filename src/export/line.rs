//! An event as a line of an import: what `import` reads as that same event.
//!
//! What is empty is left out where an import would find nothing for it either. The visitor has the name
//! that the export gives; ids stay here.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::event::{Event, PAGEVIEW, SCROLL_DEPTH_UNKNOWN};

/// Amounts below are numbers of which every reader has all digits; others are text.
const EXACT_THOUSANDTHS: u64 = 1_000_000_000_000_000;

/// How an event is told, beside what it says itself.
#[derive(Clone, Copy)]
pub(super) struct Telling<'a> {
    /// The domain of the site.
    pub(super) site: &'a str,
    /// The name of the visitor; `None` for nobody.
    pub(super) visitor: Option<&'a str>,
    /// Whether an import must be told that the event begins a visit.
    pub(super) new_visit: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    site: &'a str,
    timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    visitor: Option<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    new_visit: bool,
    #[serde(skip_serializing_if = "is_pageview")]
    name: &'a str,
    hostname: &'a str,
    pathname: &'a str,
    #[serde(skip_serializing_if = "is_true")]
    interactive: bool,
    #[serde(skip_serializing_if = "is_zero")]
    engagement_ms: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    scroll_depth: Option<u8>,
    #[serde(skip_serializing_if = "<[_]>::is_empty", serialize_with = "object")]
    props: &'a [(String, String)],
    #[serde(skip_serializing_if = "Option::is_none")]
    revenue: Option<Revenue<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    referrer: &'a str,
    // Given even when they are empty: an import derives them from the rest otherwise.
    source: &'a str,
    channel: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    utm_source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    utm_medium: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    utm_campaign: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    utm_content: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    utm_term: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    click_id_kind: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    country: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    region: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    region_name: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    city: u32,
    #[serde(skip_serializing_if = "str::is_empty")]
    city_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    browser: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    browser_version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    os: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    os_version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    device: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    language: &'a str,
}

#[derive(Serialize)]
struct Revenue<'a> {
    amount: Amount,
    currency: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Amount {
    Number(f64),
    Text(String),
}

impl Amount {
    fn of(thousandths: i64) -> Self {
        let magnitude = thousandths.unsigned_abs();
        if magnitude < EXACT_THOUSANDTHS {
            return Self::Number(thousandths as f64 / 1000.0);
        }
        let sign = if thousandths < 0 { "-" } else { "" };
        Self::Text(format!("{sign}{}.{:03}", magnitude / 1000, magnitude % 1000))
    }
}

/// Appends the line of an event, with its end.
pub(super) fn write(event: &Event, telling: Telling<'_>, lines: &mut Vec<u8>) {
    let (happening, attributes) = (&event.happening, &*event.attributes);
    let revenue = (!happening.revenue_currency.is_empty()).then(|| Revenue {
        amount: Amount::of(happening.revenue_amount),
        currency: &happening.revenue_currency,
    });
    let depth = happening.scroll_depth;
    let medium_is_derived = attributes.click_id_kind.is_empty();
    let line = Line {
        site: telling.site,
        timestamp: Timestamp::from_second(happening.timestamp.into()).unwrap_or_default(),
        visitor: telling.visitor,
        new_visit: telling.new_visit,
        name: &happening.name,
        hostname: &happening.hostname,
        pathname: &happening.pathname,
        interactive: happening.interactive,
        engagement_ms: happening.engagement_ms,
        scroll_depth: (depth != SCROLL_DEPTH_UNKNOWN).then_some(depth),
        props: &happening.props,
        revenue,
        referrer: &attributes.referrer,
        source: &attributes.source,
        channel: &attributes.channel,
        utm_source: &attributes.utm_source,
        utm_medium: Some(&*attributes.utm_medium)
            .filter(|medium| !(medium_is_derived && medium.is_empty())),
        utm_campaign: &attributes.utm_campaign,
        utm_content: &attributes.utm_content,
        utm_term: &attributes.utm_term,
        click_id_kind: &attributes.click_id_kind,
        country: &attributes.country,
        region: &attributes.region,
        region_name: &attributes.region_name,
        city: attributes.city,
        city_name: &attributes.city_name,
        browser: &attributes.browser,
        browser_version: &attributes.browser_version,
        os: &attributes.os,
        os_version: &attributes.os_version,
        device: &attributes.device,
        language: &attributes.language,
    };
    // A vector takes everything, and every field of a line can be written.
    let written = serde_json::to_writer(&mut *lines, &line);
    debug_assert!(written.is_ok(), "a line could not be written");
    lines.push(b'\n');
}

fn object<S: Serializer>(props: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(props.iter().map(|(key, value)| (key, value)))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_true(value: &bool) -> bool {
    *value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(value: &u32) -> bool {
    *value == 0
}

fn is_pageview(name: &str) -> bool {
    name == PAGEVIEW
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(thousandths: i64) -> String {
        serde_json::to_string(&Amount::of(thousandths)).unwrap()
    }

    #[test]
    fn an_amount_keeps_every_digit() {
        for (thousandths, expected) in [
            (12_500, "12.5"),
            (-1, "-0.001"),
            (999_999_999_999_999, "999999999999.999"),
            (1_000_000_000_000_000, r#""1000000000000.000""#),
            (-999_999_999_999_999_999, r#""-999999999999999.999""#),
        ] {
            assert_eq!(amount(thousandths), expected);
        }
    }
}
