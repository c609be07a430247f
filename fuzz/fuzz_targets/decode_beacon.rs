//! Beacons in every wire form: what is accepted keeps the limits that `Beacon` documents.
//!
//! The first byte says the form, the rest is what was sent.

#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use passerby::beacon::umami::Sent;
use passerby::beacon::{
    Beacon, BeaconError, DOMAINS_MAX, Kind, NAME_CHARS_MAX, PROPS_MAX, REFERRER_CHARS_MAX,
    URL_BYTES_MAX, decode, goatcounter, umami,
};
use passerby::enrich::text::clean;
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().build().expect("a runtime"));

fn decoded(form: u8, sent: &[u8]) -> Option<Result<Beacon, BeaconError>> {
    let body =
        |content_type| RUNTIME.block_on(decode::body(content_type, Bytes::copy_from_slice(sent)));
    let text = || String::from_utf8_lossy(sent);
    Some(match form {
        b'f' => body("application/x-www-form-urlencoded"),
        b'm' => body("multipart/form-data; boundary=b"),
        b'p' => decode::pixel(&text(), Some("https://example.com/page")),
        b'g' => goatcounter::query(&text(), None, Some("https://example.com/page")),
        b'u' => match umami::body(sent) {
            Ok(Sent::Event(beacon)) => Ok(*beacon),
            Ok(Sent::Other) => return None,
            Err(error) => Err(error),
        },
        _ => body("text/plain"),
    })
}

fn check(beacon: Beacon) {
    assert!((1..=DOMAINS_MAX).contains(&beacon.domains.len()));
    for domain in &beacon.domains {
        assert!(!domain.is_empty() && *domain == domain.to_lowercase());
    }
    match &beacon.kind {
        Kind::Pageview => {}
        Kind::Engagement { ms, scroll_depth } => {
            assert!(*ms < 30 * 24 * 60 * 60 * 1000 && matches!(scroll_depth, 0..=100 | 255));
            assert!(beacon.revenue.is_none(), "attention is worth nothing");
        }
        Kind::Custom { name, .. } => {
            assert!((1..=NAME_CHARS_MAX).contains(&name.chars().count()), "{name:?}");
        }
    }
    let page = &beacon.page;
    assert!((1..=253).contains(&page.hostname.len()), "{:?}", page.hostname);
    assert!((1..=2_000).contains(&page.pathname.len()), "{:?}", page.pathname);
    assert_eq!(clean(&page.hostname, usize::MAX), page.hostname);
    assert_eq!(clean(&page.pathname, usize::MAX), page.pathname);
    assert!(beacon.query.len() <= URL_BYTES_MAX);
    let referrer = beacon.referrer.unwrap_or_default();
    assert!(referrer.chars().count() <= REFERRER_CHARS_MAX);
    let props = beacon.props.into_pairs();
    assert!(props.len() <= PROPS_MAX);
    for (key, value) in props {
        assert!((1..=300).contains(&key.len()), "{key:?}");
        assert!((1..=2_000).contains(&value.len()), "{key:?} is {value:?}");
    }
    if let Some(revenue) = beacon.revenue {
        assert!(revenue.currency.len() == 3);
        assert!(revenue.thousandths.unsigned_abs() <= 10_u64.pow(18));
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((&form, sent)) = input.split_first() else { return };
    match decoded(form, sent) {
        None => {}
        Some(Ok(beacon)) => check(beacon),
        Some(Err(error)) => assert!(!error.rule.is_empty()),
    }
});
