//! What one network or one site may send: the rest is not counted, and that is told and counted.

use std::time::Instant;

use futures_util::StreamExt;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::collecting::Sums;
use crate::support::{CHROME, Collector};

/// Trusts the test as a proxy, so that it can be many visitors.
const PROXY: (&str, &str) = ("PASSERBY_TRUSTED_PROXIES", "127.0.0.0/8");
/// Events a minute.
const LIMIT: u64 = 100;

async fn collector(key: &str, limit: &str) -> Collector {
    let collector = Collector::start(&[PROXY, (key, limit)]).await;
    for site in ["example.com", "other.test"] {
        collector.run(&["site", "add", site]);
    }
    collector
}

async fn limited_networks() -> Collector {
    collector("PASSERBY_LIMITS_EVENTS_PER_NETWORK", &LIMIT.to_string()).await
}

/// What became of the events of some visitors: how many were counted, and how many were not for this reason.
struct Outcome {
    counted: u64,
    throttled: u64,
}

/// Each address sends one beacon for these sites.
async fn send(
    collector: &Collector,
    addresses: impl Iterator<Item = String>,
    sites: &str,
    reason: &str,
) -> Outcome {
    let events = sites.split(',').count() as u64;
    let beacon = json!({"n": "pageview", "u": "https://example.com/", "d": sites}).to_string();
    let one = async |address: String| {
        let headers = [("user-agent", CHROME), ("x-forwarded-for", address.as_str())];
        let answer = collector.request(Method::POST, "/api/event", &headers, beacon.clone()).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        let dropped =
            answer.header("x-plausible-dropped").map_or(0, |count| count.parse().unwrap());
        assert_eq!(answer.header("x-passerby-dropped"), (dropped > 0).then_some(reason));
        dropped
    };
    let (sent, throttled) = futures_util::stream::iter(addresses)
        .map(one)
        .buffer_unordered(16)
        .fold((0, 0), async |(sent, all), dropped| (sent + events, all + dropped))
        .await;
    Outcome { counted: sent - throttled, throttled }
}

/// As many may come again as have been paid off since then.
fn paid_off(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap() * LIMIT / 60_000 + 1
}

/// As many as there may be of one network since then.
fn allowed(begun: Instant) -> std::ops::RangeInclusive<u64> {
    LIMIT..=LIMIT + paid_off(begun)
}

#[tokio::test]
async fn a_network_is_counted_up_to_its_limit_and_others_all_the_same() {
    let collector = limited_networks().await;
    let begun = Instant::now();
    let of_one = (0..5_000).map(|number| format!("198.51.100.{}", number % 256));
    let one = send(&collector, of_one, "example.com", "throttle_network").await;
    assert!(allowed(begun).contains(&one.counted), "{} were counted", one.counted);
    // The control: as many from networks of their own are all counted.
    let of_many = (0..5_000).map(|number| format!("198.18.{}.{}", number % 250, number / 250));
    let many = send(&collector, of_many, "example.com", "throttle_network").await;
    assert_eq!((many.counted, many.throttled), (5_000, 0));
    // What is not public comes through a proxy that nobody told of: everybody comes from there.
    let of_a_proxy = std::iter::repeat_n("10.0.0.7".to_owned(), 1_000);
    let proxy = send(&collector, of_a_proxy, "example.com", "throttle_network").await;
    assert_eq!((proxy.counted, proxy.throttled), (1_000, 0));

    let sums = Sums::of(&collector).await;
    assert_eq!(sums.received, 11_000);
    assert_eq!(sums.accepted, one.counted + 6_000);
    assert_eq!(sums.rejected, [("throttle_network".to_owned(), one.throttled)].into());
}

#[tokio::test]
async fn the_networks_of_one_customer_have_one_limit_together() {
    let collector = limited_networks().await;
    let begun = Instant::now();
    let address = |network: u16| format!("2001:db8:7:{network:x}::1");
    let one = send(&collector, (0..2_000).map(address), "example.com", "throttle_network").await;
    assert!(allowed(begun).contains(&one.counted), "{} were counted", one.counted);
    let address = |network: u16| format!("2001:db8:{network:x}::1");
    let many =
        send(&collector, (1_000..3_000).map(address), "example.com", "throttle_network").await;
    assert_eq!((many.counted, many.throttled), (2_000, 0));
}

#[tokio::test]
async fn a_beacon_for_many_sites_is_as_many_events() {
    let collector = limited_networks().await;
    let begun = Instant::now();
    let of_one = std::iter::repeat_n("198.51.100.1".to_owned(), 500);
    send(&collector, of_one, "example.com,other.test", "throttle_network").await;
    // A beacon that is not let in at all is not read: of it one event was received, and one rejected.
    let sums = Sums::of(&collector).await;
    assert!(allowed(begun).contains(&sums.accepted), "{} were counted", sums.accepted);
    assert!(sums.add_up());
}

#[tokio::test]
async fn a_site_is_counted_up_to_its_limit_whoever_sends_and_another_site_all_the_same() {
    let collector = collector("PASSERBY_LIMITS_EVENTS_PER_SITE", &LIMIT.to_string()).await;
    let begun = Instant::now();
    let address = |number: u32| format!("198.18.{}.{}", number % 250, number / 250);
    let one = send(&collector, (0..1_000).map(address), "example.com", "throttle_site").await;
    assert!(allowed(begun).contains(&one.counted), "{} were counted", one.counted);
    let other = send(&collector, (0..50).map(address), "other.test", "throttle_site").await;
    assert_eq!((other.counted, other.throttled), (50, 0));
    assert!(Sums::of(&collector).await.add_up());
}

#[tokio::test]
async fn a_limit_is_met_before_a_beacon_is_read_in_every_form_that_there_is() {
    let collector = limited_networks().await;
    let of_one = std::iter::repeat_n("198.51.100.1".to_owned(), 500);
    send(&collector, of_one, "example.com", "throttle_network").await;
    // Nothing is left from here on but what is paid off.
    let begun = Instant::now();
    let headers = [("user-agent", CHROME), ("x-forwarded-for", "198.51.100.2")];
    let umami = json!({"type": "event", "payload": {"website": "example.com", "url": "/"}});
    let ways: [(Method, &str, Value); 5] = [
        // Of a beacon that were read, it would be said what is wrong with it.
        (Method::POST, "/api/event", json!([])),
        (Method::GET, "/api/event.gif?site=example.com", Value::Null),
        (Method::POST, "/api/send", umami),
        (Method::GET, "/count?p=/", Value::Null),
        (Method::GET, "/count/example.com?p=/", Value::Null),
    ];
    let mut throttled = 0;
    for (method, path, body) in &ways {
        let answer = collector.request(method.clone(), path, &headers, body.to_string()).await;
        throttled += usize::from(answer.header("x-passerby-dropped") == Some("throttle_network"));
    }
    let again = usize::try_from(paid_off(begun)).unwrap();
    assert!(throttled + again >= ways.len(), "{throttled}");
    assert!(Sums::of(&collector).await.add_up());
}
