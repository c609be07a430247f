//! From beacons to numbers, on the real program and the real engine.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{CHROME, Collector, eventually};

/// Trusts the test as a proxy, so that it can be many visitors.
const PROXY: (&str, &str) = ("PASSERBY_TRUSTED_PROXIES", "127.0.0.0/8");

async fn collector(variables: &[(&str, &str)]) -> (Collector, String) {
    let collector = Collector::start(variables).await;
    assert_eq!(
        collector.run(&["site", "add", "example.com", "--timezone", "Europe/Berlin"]),
        "example.com"
    );
    let token = collector.run(&["token", "create", "--scope", "stats", "--site", "example.com"]);
    (collector, token)
}

fn page_view(path: &str) -> Value {
    json!({"n": "pageview", "u": format!("https://example.com{path}"), "d": "example.com"})
}

/// One beacon of a visitor with an address of its own.
async fn visit(collector: &Collector, visitor: usize, beacon: &Value) {
    let address = format!("10.{}.{}.7", visitor / 256, visitor % 256);
    let headers = [("user-agent", CHROME), ("x-forwarded-for", address.as_str())];
    let answer = collector.request(Method::POST, "/api/event", &headers, beacon.to_string()).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.header("x-plausible-dropped"), None);
}

/// The numbers of the last day, once as many events are there.
async fn numbers(collector: &Collector, token: &str, events: u64) -> Value {
    let query = json!({
        "site_id": "example.com",
        "metrics": ["visitors", "visits", "pageviews", "events", "bounce_rate", "views_per_visit"],
        "date_range": "24h",
    });
    eventually("the events are in the report", async || {
        // While the engine is away there is no answer.
        let answer = collector.query(token, &query).await;
        let results = (answer.status == StatusCode::OK).then(|| answer.json()["results"].take())?;
        (results[0]["metrics"][3].as_u64() == Some(events)).then_some(results)
    })
    .await[0]["metrics"]
        .take()
}

#[tokio::test]
async fn a_thousand_beacons_of_a_hundred_addresses_are_exactly_their_visitors_and_visits() {
    let (collector, token) = collector(&[PROXY]).await;
    // 50 visitors see one page; 30 see ten; 20 see one and do something; 640 more views for the first of them.
    let mut sent = 0;
    for visitor in 0..100 {
        let views = match visitor {
            0..50 => 1,
            50..80 => 10,
            _ => 1,
        };
        for view in 0..views {
            visit(&collector, visitor, &page_view(&format!("/{view}"))).await;
            sent += 1;
        }
        if visitor >= 80 {
            visit(
                &collector,
                visitor,
                &json!({"n": "Signup", "u": "https://example.com/", "d": "example.com"}),
            )
            .await;
            sent += 1;
        }
    }
    while sent < 1000 {
        visit(&collector, 50, &page_view("/again")).await;
        sent += 1;
    }
    let numbers = numbers(&collector, &token, 1000).await;
    assert_eq!(numbers, json!([100, 100, 980, 1000, 50, 9.8]));
}

#[tokio::test]
async fn visits_and_visitors_go_on_through_a_stop_and_a_crash() {
    let (mut collector, token) = collector(&[PROXY]).await;
    visit(&collector, 1, &page_view("/first")).await;
    let stopped_in = collector.terminate();
    assert!(stopped_in < Duration::from_secs(10), "{stopped_in:?}");
    collector.restart().await;
    visit(&collector, 1, &page_view("/second")).await;
    collector.crash_and_restart().await;
    visit(&collector, 1, &page_view("/third")).await;
    assert_eq!(numbers(&collector, &token, 3).await, json!([1, 1, 3, 3, 0, 3.0]));
    let query = json!({
        "site_id": "example.com", "metrics": ["visits"], "date_range": "24h",
        "dimensions": ["visit:entry_page", "visit:exit_page"],
    });
    let results = collector.results(&token, &query).await;
    assert_eq!(results, json!([{"metrics": [1], "dimensions": ["/first", "/third"]}]));
}

#[tokio::test]
async fn what_was_accepted_while_the_engine_is_away_is_counted_when_it_is_back() {
    let (collector, token) = collector(&[PROXY]).await;
    visit(&collector, 1, &page_view("/before")).await;
    for round in 0..3 {
        crate::engine::kill_engine_of(&collector);
        for visitor in 0..20 {
            visit(&collector, 100 + round * 20 + visitor, &page_view("/during")).await;
        }
    }
    assert_eq!(numbers(&collector, &token, 61).await, json!([61, 61, 61, 61, 100, 1.0]));
    assert_eq!(collector.request(Method::GET, "/readyz", &[], "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_beacon_tells_where_the_visit_came_from_and_with_what() {
    let (collector, token) = collector(&[("PASSERBY_GEO_DATABASE", places())]).await;
    let mut beacon = page_view("/p%C3%A4th?utm_campaign=spring&email=me@example.com");
    beacon["r"] = json!("https://www.google.com/");
    assert_eq!(collector.beacon(&beacon).await.status, StatusCode::ACCEPTED);
    numbers(&collector, &token, 1).await;
    let dimensions = [
        ("event:page", "/päth"),
        ("event:hostname", "example.com"),
        ("visit:source", "Google"),
        ("visit:channel", "Organic Search"),
        ("visit:referrer", "google.com"),
        ("visit:utm_campaign", "spring"),
        ("visit:browser", "Chrome"),
        ("visit:browser_version", "131.0"),
        ("visit:os", "Windows"),
        ("visit:device", "Desktop"),
        ("visit:language", "de"),
        ("visit:country", "DE"),
        ("visit:region", "DE-BE"),
        ("visit:city_name", "Berlin"),
    ];
    for (dimension, expected) in dimensions {
        let query = json!({
            "site_id": "example.com", "metrics": ["visitors"], "date_range": "24h", "dimensions": [dimension],
        });
        let results = collector.results(&token, &query).await;
        assert_eq!(results, json!([{"metrics": [1], "dimensions": [expected]}]), "{dimension}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_believed_tells_of_anonymising_networks_and_data_centres() {
    let (collector, token) = collector(&[PROXY, ("PASSERBY_GEO_DATABASE", places())]).await;
    let send = async |kind: &str| {
        let headers = [("user-agent", CHROME), ("x-plausible-ip-type", kind)];
        let beacon = page_view("/").to_string();
        let answer = collector.request(Method::POST, "/api/event", &headers, beacon).await;
        answer.header("x-passerby-dropped").map(str::to_owned)
    };
    assert_eq!(send("dc_ip").await.as_deref(), Some("dc_ip"));
    assert_eq!(send("anonymous_vpn_ip").await, None);
    numbers(&collector, &token, 1).await;
    let query = json!({
        "site_id": "example.com", "metrics": ["visitors"], "date_range": "24h", "dimensions": ["visit:country"],
    });
    let results = collector.results(&token, &query).await;
    assert_eq!(results, json!([{"metrics": [1], "dimensions": ["A1"]}]));
}

#[tokio::test]
async fn an_administrator_can_ask_which_address_a_beacon_comes_from_and_nobody_else() {
    let (collector, reader) = collector(&[PROXY]).await;
    let admin = collector.run(&["token", "create", "--scope", "admin"]);
    let ask = async |token: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("x-debug-request", "true"),
            ("x-forwarded-for", "198.51.100.7, 203.0.113.9"),
            ("authorization", bearer.as_str()),
        ];
        let beacon = page_view("/").to_string();
        collector.request(Method::POST, "/api/event", &headers, beacon).await
    };
    let told = ask(&admin).await;
    assert_eq!((told.status, &told.body[..]), (StatusCode::OK, &b"203.0.113.9"[..]));
    for other in [reader.as_str(), "psb_wrong", ""] {
        assert_eq!(ask(other).await.status, StatusCode::UNAUTHORIZED);
    }
    visit(&collector, 1, &page_view("/")).await;
    assert_eq!(numbers(&collector, &reader, 1).await[2], json!(1), "asking is not a view");
}

fn places() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/places.mmdb")
}

#[tokio::test]
async fn a_visitor_who_objects_is_counted_without_being_recognised() {
    let (collector, token) = collector(&[]).await;
    let headers = [("user-agent", CHROME), ("sec-gpc", "1")];
    for _ in 0..2 {
        let answer = collector
            .request(Method::POST, "/api/event", &headers, page_view("/").to_string())
            .await;
        assert_eq!(answer.header("x-passerby-dropped"), None);
    }
    let numbers = numbers(&collector, &token, 2).await;
    assert_eq!(numbers[0], json!(0), "no visitor");
    assert_eq!(numbers[1], json!(0), "no visit");
    assert_eq!(numbers[2], json!(2), "two page views");
}

#[tokio::test]
async fn the_pixel_counts_the_page_that_it_stands_on() {
    let (collector, token) = collector(&[]).await;
    let headers = [("user-agent", CHROME), ("referer", "https://example.com/no-script")];
    let answer =
        collector.request(Method::GET, "/api/event.gif?site=example.com", &headers, "").await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (StatusCode::ACCEPTED, Some("image/gif"))
    );
    assert!(answer.body.starts_with(b"GIF89a"));
    assert_eq!(answer.header("set-cookie"), None);
    for path in ["/api/event.gif?site=example.com", "/count/example.com?p=/no-script"] {
        let asked = collector.request(Method::HEAD, path, &headers, "").await;
        assert_eq!(
            (asked.status, asked.header("content-type")),
            (StatusCode::OK, Some("image/gif"))
        );
    }
    assert_eq!(numbers(&collector, &token, 1).await[2], json!(1));
}

#[tokio::test]
async fn what_is_counted_and_what_is_not_add_up_to_what_was_received() {
    let (collector, _) = collector(&[PROXY]).await;
    visit(&collector, 1, &page_view("/")).await;
    let drops = [
        (json!({"n": "pageview", "u": "https://unknown.test/"}), CHROME, "unknown_site"),
        (
            page_view("/"),
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "bot",
        ),
        (
            json!({"n": "pageview", "u": "https://example.com/", "r": "https://semalt.com/"}),
            CHROME,
            "spam_referrer",
        ),
        (
            json!({"n": "engagement", "u": "https://example.com/", "sd": 10}),
            CHROME,
            "no_session_for_engagement",
        ),
    ];
    for (beacon, agent, reason) in drops {
        let answer = collector
            .request(Method::POST, "/api/event", &[("user-agent", agent)], beacon.to_string())
            .await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        assert_eq!(
            (answer.header("x-plausible-dropped"), answer.header("x-passerby-dropped")),
            (Some("1"), Some(reason))
        );
    }
    let both =
        json!({"n": "pageview", "u": "https://example.com/", "d": "example.com, www.unknown.test"});
    let answer = collector.beacon(&both).await;
    assert_eq!(answer.header("x-plausible-dropped"), Some("1"));
    assert_eq!(collector.beacon(&json!({"n": 1})).await.status, StatusCode::BAD_REQUEST);

    let figure = |metrics: &str, name: &str| -> u64 {
        let lines = metrics.lines().filter_map(|line| line.split_once(' '));
        lines
            .filter(|(key, _)| key.split('{').next() == Some(name))
            .map(|(_, value)| value.parse::<u64>().unwrap())
            .sum()
    };
    let metrics = eventually("everything is stored", async || {
        let metrics = control_metrics(&collector).await;
        (figure(&metrics, "passerby_events_waiting") == 0).then_some(metrics)
    })
    .await;
    let received = figure(&metrics, "passerby_events_received_total");
    let accepted = figure(&metrics, "passerby_events_accepted_total");
    assert_eq!(received, 8);
    assert_eq!(received, accepted + figure(&metrics, "passerby_events_rejected_total"));
    assert_eq!(
        accepted,
        figure(&metrics, "passerby_events_stored_total")
            + figure(&metrics, "passerby_events_quarantined_total")
    );
    let on_the_outside = collector.request(Method::GET, "/metrics", &[], "").await;
    // It could be the page of a site, which asks who is there.
    assert_eq!(on_the_outside.status, StatusCode::SEE_OTHER, "metrics are the operator's");
}

/// Its segment would not have ended before the spool was full of what ClickHouse has.
#[tokio::test]
async fn a_spool_smaller_than_a_segment_takes_more_than_it_holds_at_once() {
    let (collector, _) = collector(&[PROXY, ("PASSERBY_SPOOL_BYTES_MAX", "1048576")]).await;
    let beacon = json!({
        "n": "pageview", "u": "https://example.com/", "d": "example.com", "p": {"text": "word ".repeat(380)},
    });
    for round in 0..4 {
        for visitor in 0..200 {
            visit(&collector, 200 * round + visitor, &beacon).await;
        }
        eventually("nothing waits", async || {
            let metrics = control_metrics(&collector).await;
            metrics.contains("passerby_events_waiting 0\n").then_some(())
        })
        .await;
    }
}

pub(crate) async fn control_metrics(collector: &Collector) -> String {
    let mut caller = passerby::http::control::Caller::connect(&collector.data_dir).await.unwrap();
    let (_, body) = caller.call(Method::GET, "/metrics", axum::body::Body::empty()).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

/// What became of the events that arrived, as the collector counts it.
pub(crate) struct Sums {
    pub(crate) received: u64,
    pub(crate) accepted: u64,
    pub(crate) rejected: BTreeMap<String, u64>,
}

impl Sums {
    pub(crate) async fn of(collector: &Collector) -> Self {
        let metrics = control_metrics(collector).await;
        let figures = |name: &str| -> BTreeMap<String, u64> {
            let lines = metrics.lines().filter_map(|line| line.strip_prefix(name)?.split_once(' '));
            let label = |key: &str| key.split('"').nth(1).unwrap_or_default().to_owned();
            lines.map(|(key, value)| (label(key), value.parse().unwrap())).collect()
        };
        let mut rejected = figures("passerby_events_rejected_total");
        rejected.retain(|_, count| *count > 0);
        Self {
            received: figures("passerby_events_received_total")[""],
            accepted: figures("passerby_events_accepted_total")[""],
            rejected,
        }
    }

    /// received = accepted + rejected by reason
    pub(crate) fn add_up(&self) -> bool {
        self.received == self.accepted + self.rejected.values().sum::<u64>()
    }
}
