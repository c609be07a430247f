//! Exports: what comes out goes in again, and is the same.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hyper::{Method, StatusCode};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use passerby::demo::{self, Amount};
use passerby::export::{Days, Export};
use passerby::import::Import;
use passerby::query::Known;
use passerby::report;
use passerby::site::{Site, SiteId};
use passerby::store::Store;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::support::{Collector, run_program, store};

/// Sites of this file's tests.
static NEXT_SITE: AtomicU32 = AtomicU32::new(70_000);

/// A site of its own under the same domain: an export of one can be imported into another.
fn site() -> Arc<Site> {
    let id = SiteId(NEXT_SITE.fetch_add(1, Ordering::SeqCst));
    Arc::new(Site::new(id, "example.com", TimeZone::get("Europe/Berlin").unwrap()))
}

fn now() -> Timestamp {
    "2026-04-01T12:00:00Z".parse().unwrap()
}

async fn exported(store: &Arc<Store>, site: &Arc<Site>, days: Days) -> String {
    let mut export = Export::begin(Arc::clone(store), Arc::clone(site), days, now()).await.unwrap();
    let mut lines = Vec::new();
    while let Some(more) = export.next().await.unwrap() {
        lines.extend(more);
    }
    String::from_utf8(lines).unwrap()
}

async fn import(store: &Store, site: &Arc<Site>, lines: &str) {
    let site_of = |_: &str| Some(Arc::clone(site));
    let mut import = Import::new(store, &site_of);
    import.feed(lines.as_bytes()).await.unwrap();
    let summary = import.finish().await.unwrap();
    assert_eq!(summary.bad_lines, 0, "{:?}", summary.errors);
}

/// A report by each of many dimensions.
async fn reports(store: &Store, site: &Site) -> Vec<Value> {
    let mut reports = Vec::new();
    for (metrics, dimensions) in [
        (json!(["visitors", "visits", "pageviews", "bounce_rate", "visit_duration"]), json!([])),
        (json!(["visitors", "visits", "events"]), json!(["time:day", "event:name"])),
        (json!(["visitors", "time_on_page", "scroll_depth"]), json!(["event:page"])),
        (json!(["visits", "bounce_rate"]), json!(["visit:entry_page", "visit:exit_page"])),
        (json!(["visitors"]), json!(["visit:channel", "visit:source", "visit:referrer"])),
        (
            json!(["visitors"]),
            json!(["visit:utm_medium", "visit:utm_source", "visit:utm_campaign"]),
        ),
        (json!(["visitors"]), json!(["visit:country", "visit:region_name", "visit:city_name"])),
        (json!(["visitors"]), json!(["visit:browser", "visit:browser_version", "visit:os"])),
        (json!(["visitors"]), json!(["visit:device", "visit:language", "visit:city"])),
        (json!(["visitors", "events"]), json!(["event:props:plan", "event:hostname"])),
    ] {
        let query = json!({
            "site_id": site.domain, "metrics": metrics, "dimensions": dimensions,
            "date_range": ["2026-01-01", "2026-03-31"],
        });
        let answer = report::ask_knowing(store, Known::new(site, now()), &query).await;
        reports.push(answer.unwrap_or_else(|error| panic!("{query}: {error}"))["results"].take());
    }
    reports
}

/// Exports a site, imports that into another, and finds no difference.
async fn check(store: &Arc<Store>, original: &Arc<Site>) -> String {
    let first = exported(store, original, Days::default()).await;
    let copy = site();
    import(store, &copy, &first).await;
    let second = exported(store, &copy, Days::default()).await;
    for (number, (one, other)) in first.lines().zip(second.lines()).enumerate() {
        assert_eq!(one, other, "line {}", number + 1);
    }
    assert_eq!(first.len(), second.len());
    let (before, after) = (reports(store, original).await, reports(store, &copy).await);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before, after);
    }
    first
}

#[tokio::test]
async fn generated_traffic_is_the_same_after_an_export_and_an_import() {
    let (store, site) = (store().await, site());
    let amount = Amount { days: 30, events: 15_000, seed: 7 };
    let events = demo::load(&store, &site, amount, now(), |_| {}).await.unwrap();
    assert_eq!(check(&store, &site).await.lines().count() as u64, events);
}

fn line(visitor: &str, timestamp: &str, rest: Value) -> String {
    let mut line = json!({"site": "example.com", "timestamp": timestamp, "pathname": "/"});
    if !visitor.is_empty() {
        line["visitor"] = json!(visitor);
    }
    for (key, value) in rest.as_object().unwrap() {
        line[key] = value.clone();
    }
    line.to_string() + "\n"
}

#[tokio::test]
async fn everything_that_an_event_has_survives() {
    let (store, site) = (store().await, site());
    let lines = [
        line(
            "a",
            "2026-03-01T10:00:00Z",
            json!({
                "hostname": "shop.example.com", "pathname": "/ä \"quoted\" /", "referrer": "news.example/x", "source": "",
                "channel": "", "utm_source": "s", "utm_medium": "", "utm_campaign": "c", "utm_content": "d", "utm_term": "t",
                "click_id_kind": "gclid", "browser": "Firefox", "browser_version": "130.0", "os": "Linux", "os_version": "6",
                "device": "Desktop", "language": "de", "country": "DE", "region": "DE-BE", "region_name": "Berlin",
                "city": 2_950_159, "city_name": "Berlin", "props": {"z": "1", "plan": "pro", "a": "ü\n"},
            }),
        ),
        line(
            "a",
            "2026-03-01T10:00:05Z",
            json!({
            "name": "engagement", "engagement_ms": 4_000_000_000u32, "scroll_depth": 0}),
        ),
        line(
            "a",
            "2026-03-01T10:00:06Z",
            json!({
            "name": "Purchase", "interactive": false, "revenue": {"amount": "-999999999999999.999", "currency": "JPY"}}),
        ),
        line(
            "a",
            "2026-03-01T10:00:07Z",
            json!({
            "name": "404", "revenue": {"amount": 12.5, "currency": "EUR"}, "pathname": ""}),
        ),
        line(
            "g",
            "2026-03-01T10:00:00Z",
            json!({
            "source": "Google", "click_id_kind": "gclid", "utm_medium": ""}),
        ),
        line("", "2026-03-01T10:00:07Z", json!({"name": "Seen", "props": {"plan": "x"}})),
    ];
    import(&store, &site, &lines.concat()).await;
    let exported = check(&store, &site).await;
    insta::assert_snapshot!(exported.lines().next().unwrap(), @r#"{"site":"example.com","timestamp":"2026-03-01T10:00:00Z","visitor":"1772359200-1","hostname":"example.com","pathname":"/","source":"Google","channel":"Paid Search","utm_medium":"","click_id_kind":"gclid"}"#);
    insta::assert_snapshot!(exported.lines().nth(3).unwrap(), @r#"{"site":"example.com","timestamp":"2026-03-01T10:00:06Z","visitor":"1772359200-2","name":"Purchase","hostname":"example.com","pathname":"/","interactive":false,"revenue":{"amount":"-999999999999999.999","currency":"JPY"},"referrer":"news.example/x","source":"","channel":"","utm_source":"s","utm_medium":"","utm_campaign":"c","utm_content":"d","utm_term":"t","click_id_kind":"gclid","country":"DE","region":"DE-BE","region_name":"Berlin","city":2950159,"city_name":"Berlin","browser":"Firefox","browser_version":"130.0","os":"Linux","os_version":"6","device":"Desktop","language":"de"}"#);
}

#[tokio::test]
async fn visits_are_cut_where_they_were_cut() {
    let (store, site) = (store().await, site());
    let view = |visitor: &str, timestamp: &str| line(visitor, timestamp, json!({}));
    let first = [
        // Late arrivals: the event before the last decides, and the first begins the visit.
        view("late", "2026-03-02T12:00:00Z"),
        view("late", "2026-03-02T10:00:00Z"),
        view("late", "2026-03-02T10:30:59Z"),
        view("late", "2026-03-02T11:31:00Z"),
        // More than a day, without a pause.
        (0..60)
            .map(|half| {
                let moment: Timestamp = "2026-03-03T00:00:00Z".parse().unwrap();
                view("long", &(moment + jiff::SignedDuration::from_mins(half * 30)).to_string())
            })
            .collect(),
        // A day back.
        view("back", "2026-03-05T12:00:00Z"),
        view("back", "2026-03-04T11:00:00Z"),
        view("back", "2026-03-05T12:10:00Z"),
        // Twins, of whom one comes back.
        view("one", "2026-03-06T12:00:00Z"),
        view("two", "2026-03-06T12:00:00Z"),
        view("two", "2026-03-06T13:00:00Z"),
        view("three", "2026-03-06T12:00:00Z"),
        // Of nobody, some twice.
        view("", "2026-03-06T12:00:00Z"),
        view("", "2026-03-06T12:00:00Z"),
        view("", "2026-03-06T11:00:00Z"),
    ];
    import(&store, &site, &first.concat()).await;
    // Another file has the same visitors: their visits lie beside those that are there.
    let second = [
        view("one", "2026-03-06T12:10:00Z"),
        view("one", "2026-03-06T12:50:00Z"),
        view("late", "2026-03-02T12:10:00Z"),
    ];
    import(&store, &site, &second.concat()).await;
    let exported = check(&store, &site).await;
    // At 12:10 of the 2nd, the 5th and the 6th.
    assert_eq!(exported.matches("\"new_visit\":true").count(), 3, "{exported}");
}

/// Lines of wild traffic in no order: few visitors, many ties between them. No visitor does two things in
/// one second: two visits of one visitor that begin in the same second have the same id.
fn wild(seed: u64, lines: usize) -> String {
    let mut taken = std::collections::HashSet::new();
    let mut random = StdRng::seed_from_u64(seed);
    let begin: Timestamp = "2026-02-10T00:00:00Z".parse().unwrap();
    let mut second = 0;
    let mut some = |random: &mut StdRng| {
        let visitor = *["", "a", "b", "c", "d", "e"].choose(random).unwrap();
        let moment = loop {
            second = (second + random.random_range(-3_000..4_000)).max(0) / 60 * 60;
            if visitor.is_empty() || taken.insert((visitor, second)) {
                break begin + jiff::SignedDuration::from_secs(second);
            }
        };
        let mut rest = json!({});
        let name = *["pageview", "Signup", "404", "engagement"].choose(random).unwrap();
        if name != "engagement" {
            rest["name"] = json!(name);
            rest["pathname"] = json!(*["/", "/x", ""].choose(random).unwrap());
        }
        for key in ["source", "referrer", "utm_medium", "utm_source", "region_name", "channel"] {
            if random.random_ratio(1, 3) {
                rest[key] = json!(*["", "Google", "fb", "=x"].choose(random).unwrap());
            }
        }
        line(visitor, &moment.to_string(), rest)
    };
    (0..lines).map(|_| some(&mut random)).collect()
}

#[tokio::test]
async fn wild_traffic_is_the_same_after_an_export_and_an_import() {
    let store = store().await;
    for seed in 0..4 {
        let site = site();
        import(&store, &site, &wild(seed, 800)).await;
        check(&store, &site).await;
    }
}

#[tokio::test]
async fn exports_of_parts_of_the_time_make_up_the_whole() {
    let (store, site) = (store().await, site());
    let amount = Amount { days: 10, events: 3_000, seed: 3 };
    demo::load(&store, &site, amount, now(), |_| {}).await.unwrap();
    let whole = exported(&store, &site, Days::default()).await;
    let until =
        exported(&store, &site, Days { from: None, to: Some("2026-03-28".parse().unwrap()) });
    let since =
        exported(&store, &site, Days { from: Some("2026-03-29".parse().unwrap()), to: None });
    let (until, since) = (until.await, since.await);
    assert!(!until.is_empty() && !since.is_empty());
    // A visitor from before the cut has another name after it.
    let told = |lines: &str| {
        let without_name = |line: &str| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            line.as_object_mut().unwrap().shift_remove("visitor");
            line.to_string()
        };
        let mut told: Vec<String> = lines.lines().map(without_name).collect();
        told.sort_unstable();
        told
    };
    assert!(told(&whole) == told(&(until + &since)));
}

#[tokio::test]
async fn what_a_site_no_longer_keeps_is_not_exported() {
    let store = store().await;
    let kept = Arc::new(Site { retention_days: Some(21), ..(*site()).clone() });
    let view = |timestamp| line("a", timestamp, json!({}));
    import(&store, &kept, &[view("2026-03-11T12:00:00Z"), view("2026-03-12T12:00:00Z")].concat())
        .await;
    let lines = exported(&store, &kept, Days::default()).await;
    assert!(lines.contains("2026-03-12") && !lines.contains("2026-03-11"), "{lines}");
}

fn write(directory: &Path, lines: &str) -> String {
    let path = directory.join("events.jsonl");
    std::fs::write(&path, lines).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_program_exports_into_a_file_and_onto_another_site() {
    let collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "example.com", "--timezone", "Europe/Berlin"]);
    collector.run(&["site", "add", "other.example"]);
    let directory = tempfile::tempdir().unwrap();
    let lines = wild(9, 100);
    collector.run(&["import", &write(directory.path(), &lines)]);
    let file = directory.path().join("export.jsonl");
    // What a command that was killed has left, for anybody to read.
    std::fs::write(file.with_extension("jsonl.part"), "half").unwrap();
    collector.run(&["export", "example.com", "-o", file.to_str().unwrap()]);
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "single events are for their owner alone");
    let exported = std::fs::read_to_string(&file).unwrap();
    assert_eq!(exported.trim_end(), collector.run(&["export", "www.example.com"]));
    assert!(!directory.path().join("export.jsonl.part").exists());
    collector.run(&["import", file.to_str().unwrap(), "--site", "other.example"]);
    let other = collector.run(&["export", "other.example"]);
    assert_eq!(other.replace("other.example", "example.com"), exported.trim_end());
    let nothing = collector.run(&["export", "example.com", "--from", "2030-01-01"]);
    assert_eq!(nothing, "");
    let unknown = run_program(&collector.data_dir, &[], &["export", "unknown.test"]);
    assert!(!unknown.status.success());
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("unknown.test"));
}

#[tokio::test]
async fn the_export_route_is_for_administrators_and_says_what_is_wrong() {
    let collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "example.com"]);
    let ask = async |token: &str, path: &str| {
        let bearer = format!("Bearer {token}");
        collector.request(Method::GET, path, &[("authorization", &bearer)], "").await
    };
    let stats = collector.run(&["token", "create", "--scope", "stats", "--site", "example.com"]);
    let admin = collector.run(&["token", "create", "--scope", "admin"]);
    let path = "/api/v1/export?site_id=example.com";
    assert_eq!(ask(&stats, path).await.status, StatusCode::FORBIDDEN);
    let answer = ask(&admin, path).await;
    assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, &b""[..]));
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    for (parameters, status, part) in [
        ("", 400, "site_id"),
        ("?site_id=unknown.test", 404, "unknown.test"),
        ("?site_id=example.com&from=yesterday", 400, "#/from: Invalid from \\\"yesterday\\\""),
        ("?site_id=example.com&from=2026-02-01&to=2026-01-01", 400, "#/to"),
        ("?site_id=example.com&unheard=1", 400, "unheard"),
    ] {
        let answer = ask(&admin, &format!("/api/v1/export{parameters}")).await;
        assert_eq!(answer.status.as_u16(), status, "{parameters}");
        assert!(String::from_utf8_lossy(&answer.body).contains(part), "{:?}", answer.body);
    }
}
