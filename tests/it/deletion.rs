//! What leaves: what is erased, and what a site keeps no longer. On the real engine, down to its files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hyper::{Method, StatusCode};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use passerby::clock::{Clock, SystemClock};
use passerby::event::{Attributes, Event, Happening, SCROLL_DEPTH_UNKNOWN, SessionId, VisitorId};
use passerby::report;
use passerby::site::member::Role;
use passerby::site::policy::Policies;
use passerby::site::{Site, SiteId};
use passerby::store::catalog::Catalog;
use passerby::store::engine::Engine;
use passerby::store::{Path as PagePath, Selection, Store};
use serde_json::{Value, json};

use crate::support::{
    Collector, connect, engine_directory, engine_settings, eventually, files, run_program, store,
};

/// Sites of this file's tests.
static NEXT_SITE: AtomicU32 = AtomicU32::new(60_000);

fn at(moment: &str) -> Timestamp {
    moment.parse().unwrap()
}

fn site(retention_days: Option<u32>) -> Site {
    let id = SiteId(NEXT_SITE.fetch_add(1, Ordering::SeqCst));
    let timezone = TimeZone::get("Europe/Berlin").unwrap();
    Site { retention_days, ..Site::new(id, "example.com", timezone) }
}

/// A page view or another event, of a visit that began on `entry`.
fn event(site: &Site, moment: &str, visitor: u32, path: &str, entry: &str) -> Event {
    let timestamp = u32::try_from(at(moment).as_second()).unwrap();
    let happening = Happening {
        site_id: site.id.0,
        timestamp,
        name: "pageview".into(),
        visitor_id: VisitorId(visitor.into()),
        session_id: SessionId((1_700_000_000 << 32) | u64::from(visitor)),
        seq: timestamp % 86_400,
        event_id: getrandom::u64().unwrap(),
        hostname: "example.com".into(),
        pathname: path.into(),
        interactive: true,
        engagement_ms: 0,
        scroll_depth: SCROLL_DEPTH_UNKNOWN,
        props: Vec::new(),
        revenue_amount: 0,
        revenue_currency: String::new(),
        entry_hostname: "example.com".into(),
        entry_pathname: entry.into(),
    };
    Event { happening, attributes: Arc::new(Attributes::default()) }
}

async fn insert(store: &Store, events: &[Event]) {
    let columns = Event::columns().collect::<Vec<_>>().join(", ");
    let mut rows = Vec::new();
    events.iter().for_each(|event| event.encode(&mut rows));
    store.insert_events(&columns, rows).await.unwrap();
}

/// The paths of what a site has, in their order.
async fn paths(store: &Store, site: &Site) -> Vec<String> {
    let sql = "SELECT pathname FROM events FINAL WHERE site_id = ? ORDER BY pathname";
    store.writer().query(sql).bind(site.id.0).fetch_all::<String>().await.unwrap()
}

/// The files that hold the bytes.
fn files_with(directory: &Path, needle: &str) -> Vec<PathBuf> {
    let search = aho_corasick::AhoCorasick::new([needle]).unwrap();
    // A file may go away while others are read.
    let holds = |path: &PathBuf| std::fs::read(path).is_ok_and(|bytes| search.is_match(&bytes));
    files(directory).into_iter().filter(holds).collect()
}

fn random_word() -> String {
    // Nothing that a compression could shorten: of hexadecimal digits it makes four bits each, now and then.
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).unwrap();
    bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 64)])).collect()
}

#[tokio::test]
async fn what_is_erased_is_gone_and_the_rest_is_not() {
    let store = store().await;
    let (site, other) = (site(None), site(None));
    let mut events = vec![
        event(&site, "2024-05-01T10:00:00Z", 1, "/a", "/a"),
        event(&site, "2024-05-01T10:00:01Z", 1, "/b", "/a"),
        event(&site, "2024-05-02T10:00:00Z", 2, "/b/c", "/b/c"),
        event(&site, "2024-05-02T10:00:01Z", 2, "/d", "/b/c"),
        event(&site, "2024-05-03T10:00:00Z", 3, "/e", "/e"),
        event(&other, "2024-05-01T10:00:00Z", 1, "/b", "/b"),
    ];
    events[0].happening.props = vec![("plan".into(), "pro".into())];
    events[4].happening.name = "Signup".into();
    insert(&store, &events).await;
    let all = || Selection::of(site.id);

    // A page that nobody viewed, a property with another value, a name that is none, a day without events.
    for nothing in [
        Selection { path: Some(PagePath::of("/")), ..all() },
        Selection { props: vec![("plan".into(), "free".into())], ..all() },
        Selection { event: Some("signup".into()), ..all() },
        Selection { visitors: vec![VisitorId(9)], ..all() },
        Selection { from: Some(at("2024-05-04T00:00:00Z")), ..all() },
    ] {
        assert_eq!(store.erase(&nothing).await.unwrap().events, 0);
    }
    let erased =
        store.erase(&Selection { path: Some(PagePath::of("/b*")), ..all() }).await.unwrap();
    assert_eq!((erased.events, erased.days, erased.entry_pages), (2, 2, 1));
    assert_eq!(paths(&store, &site).await, ["/a", "/d", "/e"]);
    let entries =
        "SELECT count() FROM events WHERE site_id = ? AND startsWith(entry_pathname, '/b')";
    let entries = store.writer().query(entries).bind(site.id.0).fetch_one::<u64>();
    assert_eq!(entries.await.unwrap(), 0, "an erased page is still an entry page");

    let pro = Selection { props: vec![("plan".into(), "pro".into())], ..all() };
    assert_eq!(store.erase(&pro).await.unwrap().events, 1);
    assert_eq!(paths(&store, &site).await, ["/d", "/e"]);
    let before = Selection { to: Some(at("2024-05-03T10:00:00Z")), ..all() };
    assert_eq!(store.erase(&before).await.unwrap().events, 1);
    let signup = Selection { event: Some("Signup".into()), ..all() };
    assert_eq!(store.erase(&signup).await.unwrap().events, 1);
    assert_eq!(paths(&store, &site).await, [""; 0]);
    assert_eq!(paths(&store, &other).await, ["/b"], "another site lost something");
    let doomed = "SELECT count() FROM doomed WHERE site_id = ?";
    let doomed = store.writer().query(doomed).bind(site.id.0).fetch_one::<u64>();
    assert_eq!(doomed.await.unwrap(), 0);
}

#[tokio::test]
async fn an_erased_page_is_no_entry_page_of_what_its_visit_went_on_with_after_the_time_that_is_meant()
 {
    let store = store().await;
    let site = site(None);
    let of_visit = |moment: &str, begun: &str, visitor: u32, path: &str| {
        let mut event = event(&site, moment, visitor, path, "/secret");
        let begun = u64::try_from(at(begun).as_second()).unwrap();
        event.happening.session_id = SessionId(begun << 32 | u64::from(visitor));
        event
    };
    let (before, within, after) =
        ("2024-05-01T08:00:00Z", "2024-05-01T23:50:00Z", "2024-05-02T10:00:00Z");
    let events = [
        of_visit(before, before, 1, "/secret"),
        of_visit("2024-05-01T08:01:00Z", before, 1, "/of-before"),
        of_visit(within, within, 2, "/secret"),
        of_visit("2024-05-01T23:59:00Z", within, 2, "/a"),
        of_visit("2024-05-02T00:10:00Z", within, 2, "/b"),
        of_visit(after, after, 3, "/secret"),
        of_visit("2024-05-02T10:01:00Z", after, 3, "/of-after"),
    ];
    insert(&store, &events).await;
    let evening = Selection {
        path: Some(PagePath::of("/secret")),
        from: Some(at("2024-05-01T23:00:00Z")),
        to: Some(at("2024-05-02T00:00:00Z")),
        ..Selection::of(site.id)
    };
    let erased = store.erase(&evening).await.unwrap();
    assert_eq!((erased.events, erased.entry_pages), (1, 2));
    let told = "SELECT pathname FROM events FINAL WHERE site_id = ? AND entry_pathname = '/secret' ORDER BY timestamp";
    let told = store.writer().query(told).bind(site.id.0).fetch_all::<String>();
    assert_eq!(told.await.unwrap(), ["/secret", "/of-before", "/secret", "/of-after"]);

    // What is of no visit, and has no first page, is left alone where every page is meant.
    let mut nobodys = event(&site, "2024-05-03T10:00:00Z", 0, "/c", "");
    nobodys.happening.session_id = SessionId(0);
    insert(&store, &[nobodys]).await;
    let path = Some(PagePath::of("*"));
    let all = Selection { path, to: Some(at("2024-05-03T00:00:00Z")), ..Selection::of(site.id) };
    let erased = store.erase(&all).await.unwrap();
    assert_eq!((erased.events, erased.entry_pages), (6, 0));
    assert_eq!(paths(&store, &site).await, ["/c"]);
}

#[tokio::test]
async fn where_only_some_of_what_happened_on_a_page_is_erased_it_is_still_an_entry_page() {
    let store = store().await;
    let site = site(None);
    let mut events = ["2024-05-01T10:00:00Z", "2024-05-01T10:00:01Z"]
        .map(|moment| event(&site, moment, 1, "/e", "/e"));
    events[1].happening.name = "Signup".into();
    insert(&store, &events).await;
    let signups = Selection {
        path: Some(PagePath::of("/e")),
        event: Some("Signup".into()),
        ..Selection::of(site.id)
    };
    let erased = store.erase(&signups).await.unwrap();
    assert_eq!((erased.events, erased.entry_pages), (1, 0));
    let entries = "SELECT count() FROM events FINAL WHERE site_id = ? AND entry_pathname = '/e'";
    let entries = store.writer().query(entries).bind(site.id.0).fetch_one::<u64>();
    assert_eq!(entries.await.unwrap(), 1);
}

#[tokio::test]
async fn what_is_erased_leaves_no_byte_on_the_disk_and_neither_does_its_name() {
    let store = store().await;
    let site = site(None);
    let (word, value, kept) = (random_word(), random_word(), random_word());
    let path = format!("/{word}");
    let mut events = [
        event(&site, "2024-05-01T10:00:00Z", 1, &path, &path),
        event(&site, "2024-05-01T10:00:01Z", 1, &format!("/{kept}"), &path),
        event(&site, "2024-05-02T10:00:00Z", 2, "/", "/"),
    ];
    events[2].happening.props = vec![("email".into(), value.clone())];
    insert(&store, &events[..2]).await;
    insert(&store, &events[2..]).await;
    // An old part leaves in a second instead of a minute.
    let hurry = "ALTER TABLE events MODIFY SETTING old_parts_lifetime = 1";
    store.writer().query_raw(hurry).execute().await.unwrap();
    let directory = engine_directory();
    // A merge may move the bytes between the listing of the files and their reading.
    let is_found = async |marker: &String| {
        eventually("the search finds what is kept", async || {
            (!files_with(&directory, marker).is_empty()).then_some(())
        })
        .await;
    };
    for marker in [&word, &value, &kept] {
        is_found(marker).await;
    }
    let selection = Selection::of(site.id);
    store.erase(&Selection { path: Some(PagePath::Is(path)), ..selection.clone() }).await.unwrap();
    let props = vec![("email".into(), value.clone())];
    store.erase(&Selection { props, ..selection }).await.unwrap();
    eventually("the bytes are gone", async || {
        let left = [&word, &value].map(|marker| files_with(&directory, marker));
        left.iter().all(Vec::is_empty).then_some(())
    })
    .await;
    is_found(&kept).await;
    let of_erasure =
        |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("mutation_");
    assert!(
        files_with(&directory, "doomed").iter().any(of_erasure),
        "the file of an erasure is not among those that were searched"
    );
}

#[tokio::test]
async fn what_is_erased_or_kept_no_longer_leaves_the_disk_also_when_merges_are_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::start(engine_settings(directory.path())).unwrap();
    let store = connect(&engine.writer(), &engine.reader()).await;
    let run = async |sql: &str| store.writer().query_raw(sql).execute().await.unwrap();
    let count = async |sql: &str| store.writer().query_raw(sql).fetch_one::<u64>().await.unwrap();
    run("ALTER TABLE events MODIFY SETTING old_parts_lifetime = 1").await;
    // Of every table: that of the numbers of days among them. And before anything is there: a merge moves
    // bytes from one file to another, so that a search in between finds them in neither.
    let stop = "SYSTEM STOP MERGES";
    run(stop).await;
    let (short, all) = (site(Some(10)), site(None));
    let [erased, expired, kept] = [random_word(), random_word(), random_word()];
    let now = at("2024-06-30T12:00:00Z");
    insert(
        &store,
        &[
            event(&all, "2024-05-01T10:00:00Z", 1, &format!("/{erased}"), "/"),
            event(&all, "2024-05-01T10:00:01Z", 1, &format!("/{kept}"), "/"),
            event(&short, "2024-05-01T10:00:00Z", 2, &format!("/{expired}"), "/"),
        ],
    )
    .await;
    for marker in [&erased, &expired, &kept] {
        assert!(!files_with(directory.path(), marker).is_empty(), "the search finds nothing");
    }
    let pending = "SELECT count() FROM system.mutations WHERE table = 'events' AND NOT is_done";
    // A deletion of somebody else's waits for the merges: so they are stopped indeed.
    run("ALTER TABLE events DELETE WHERE site_id = 1 SETTINGS mutations_sync = 0").await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(count(pending).await, 1, "merges go on");

    let sites = [&short, &all].map(|site| Arc::new(site.clone()));
    assert_eq!(store.expire(&sites, now).await.unwrap(), 1);
    run(stop).await;
    let path = Some(PagePath::of(&format!("/{erased}")));
    assert_eq!(store.erase(&Selection { path, ..Selection::of(all.id) }).await.unwrap().events, 1);
    run(stop).await;
    assert_eq!(paths(&store, &all).await, [format!("/{kept}")]);
    assert_eq!(paths(&store, &short).await, [""; 0]);
    eventually("the bytes are gone", async || {
        let left = [&erased, &expired].map(|marker| files_with(directory.path(), marker));
        left.iter().all(Vec::is_empty).then_some(())
    })
    .await;
    assert!(!files_with(directory.path(), &kept).is_empty(), "what was not meant is gone, too");
    engine.stop().await;
}

#[tokio::test]
async fn parts_that_the_server_set_aside_because_it_can_not_read_them_have_an_end() {
    let directory = tempfile::tempdir().unwrap();
    let mut engine = Engine::start(engine_settings(directory.path())).unwrap();
    let mut store = connect(&engine.writer(), &engine.reader()).await;
    let (site, word) = (site(None), random_word());
    insert(&store, &[event(&site, "2024-05-01T10:00:00Z", 1, &format!("/{word}"), "/")]).await;
    insert(&store, &[event(&site, "2024-05-02T10:00:00Z", 1, "/by-hand", "/")]).await;
    let run =
        async |store: &Store, sql: &str| store.writer().query_raw(sql).execute().await.unwrap();
    run(&store, "ALTER TABLE events DETACH PARTITION ID '20240502'").await;
    assert_eq!(store.detached().await.unwrap(), []);
    engine.stop().await;
    // Also of a part that was packed meanwhile, and is not removed yet.
    let of_part = |path: &PathBuf| path.ends_with("data.bin");
    let holding: Vec<PathBuf> =
        files_with(directory.path(), &word).into_iter().filter(of_part).collect();
    assert!(!holding.is_empty(), "no part has the word");
    for data in holding {
        let bytes = std::fs::read(&data).unwrap();
        std::fs::write(&data, &bytes[..bytes.len() / 2]).unwrap();
    }

    engine = Engine::start(engine_settings(directory.path())).unwrap();
    store = connect(&engine.writer(), &engine.reader()).await;
    assert_eq!(paths(&store, &site).await, [""; 0]);
    let detached = store.detached().await.unwrap();
    assert!(!detached.is_empty());
    for part in &detached {
        assert_eq!((part.table.as_str(), part.reason.as_str()), ("events", "broken-on-start"));
    }
    let aside = || {
        let files = files(directory.path()).into_iter();
        files.filter(|path| path.to_string_lossy().contains("broken-on-start")).count()
    };
    assert!(aside() > 0);
    let now = SystemClock.now();
    assert_eq!(store.end_detached(now - SignedDuration::from_mins(10)).await.unwrap(), []);
    assert_eq!(store.end_detached(now + SignedDuration::from_mins(10)).await.unwrap(), detached);
    assert_eq!((store.detached().await.unwrap(), aside()), (Vec::new(), 0));
    // What somebody took out by hand can be put back.
    run(&store, "ALTER TABLE events ATTACH PARTITION ID '20240502'").await;
    assert_eq!(paths(&store, &site).await, ["/by-hand"]);
    engine.stop().await;
}

#[tokio::test]
async fn the_name_of_a_member_who_was_removed_leaves_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::start(engine_settings(&directory.path().join("engine"))).unwrap();
    let store = connect(&engine.writer(), &engine.reader()).await;
    let hurry = "ALTER TABLE members MODIFY SETTING old_parts_lifetime = 1";
    store.writer().query_raw(hurry).execute().await.unwrap();
    // Nothing that merges by itself, which takes more rows than a few changes are.
    let stop = "SYSTEM STOP MERGES members";
    let catalog = Catalog::open(directory.path().join("catalog.json"), Policies::default());
    let (removed, stays) = (random_word(), random_word());
    store.writer().query_raw(stop).execute().await.unwrap();
    let now = SystemClock.now();
    for person in [&removed, &stays] {
        catalog.put_member(&store, person, None, Role::Viewer, now).await.unwrap();
    }
    catalog.remove_member(&store, &removed, None, now).await.unwrap();
    let holding = |word| files_with(&directory.path().join("engine"), word).len();
    assert!(holding(&removed) > 0, "the search does not find what was written");
    store.writer().query_raw("SYSTEM START MERGES members").execute().await.unwrap();
    assert_eq!(store.end_superseded().await.unwrap(), ["members"]);
    assert_eq!(store.end_superseded().await.unwrap(), [""; 0]);
    eventually("the bytes are gone", async || (holding(&removed) == 0).then_some(())).await;
    assert!(holding(&stays) > 0, "who was not removed is gone, too");
    engine.stop().await;
}

#[tokio::test]
async fn the_events_of_a_removed_site_can_be_erased() {
    let collector = Collector::start(&[]).await;
    let view = |page: &str| json!({"n": "pageview", "u": format!("https://example.com/{page}")});
    collector.run(&["site", "add", "example.com"]);
    collector.beacon(&view("first")).await;
    collector.run(&["site", "remove", "example.com"]);
    let erase = |more: &[&str]| {
        let arguments = [&["erase", "example.com"], more].concat();
        run_program(&collector.data_dir, &[], &arguments)
    };
    let told = |output: &std::process::Output| {
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    };
    assert_eq!(told(&erase(&["--path", "/other"])), "0");
    assert_eq!(told(&erase(&[])), "1");

    // Another site that has the domain by now is left alone, unless it is meant.
    for page in ["second", "third"] {
        collector.run(&["site", "add", "example.com"]);
        collector.beacon(&view(page)).await;
        if page == "second" {
            collector.run(&["site", "remove", "example.com"]);
        }
    }
    assert_eq!(told(&erase(&["--removed"])), "1");
    assert_eq!(told(&erase(&[])), "1");
    let never = run_program(&collector.data_dir, &[], &["erase", "never.example"]);
    assert!(!never.status.success(), "a site that never was has been erased");
}

#[tokio::test]
async fn what_a_site_keeps_no_longer_is_removed_and_what_another_keeps_is_not() {
    let store = store().await;
    let (short, long, keeps_all) = (site(Some(10)), site(Some(30)), site(None));
    let now = at("2001-03-31T12:00:00Z");
    for site in [&short, &long, &keeps_all] {
        for (moment, path) in [
            // Of 10 days, the first begins on 21 March at 23:00 UTC.
            ("2001-03-31T10:00:00Z", "/today"),
            ("2001-03-21T23:00:00Z", "/tenth"),
            ("2001-03-21T22:59:59Z", "/eleventh"),
            ("2001-02-01T10:00:00Z", "/old"),
        ] {
            insert(&store, &[event(site, moment, 1, path, "/")]).await;
        }
    }
    let sites =
        |sites: &[&Site]| sites.iter().map(|site| Arc::new((*site).clone())).collect::<Vec<_>>();
    assert_eq!(store.expire(&sites(&[&keeps_all]), now).await.unwrap(), 0);
    assert_eq!(store.expire(&sites(&[&short, &long, &keeps_all]), now).await.unwrap(), 2);
    assert_eq!(paths(&store, &short).await, ["/tenth", "/today"]);
    assert_eq!(paths(&store, &long).await, ["/eleventh", "/tenth", "/today"]);
    assert_eq!(paths(&store, &keeps_all).await, ["/eleventh", "/old", "/tenth", "/today"]);
    assert_eq!(store.expire(&sites(&[&short, &long, &keeps_all]), now).await.unwrap(), 0);

    // When there is no site that keeps it, a day goes as a whole, and at once.
    store.erase(&Selection::of(keeps_all.id)).await.unwrap();
    let later = at("2001-06-30T12:00:00Z");
    store.expire(&sites(&[&short, &long]), later).await.unwrap();
    let days = "SELECT count() FROM system.parts WHERE database = currentDatabase() AND active AND partition LIKE '2001%' AND rows > 0";
    assert_eq!(store.writer().query_raw(days).fetch_one::<u64>().await.unwrap(), 0);
}

#[tokio::test]
async fn no_query_tells_anything_of_what_a_site_keeps_no_longer() {
    let store = store().await;
    let (with, without) = (site(Some(10)), site(Some(10)));
    let now = at("2024-05-31T12:00:00Z");
    // A visit that began before and ended after what is kept begins; another page, source and goal before.
    for moment in ["2024-05-21T22:30:00Z", "2024-05-21T22:59:00Z", "2024-05-10T10:00:00Z"] {
        let mut old = event(&with, "2024-05-21T21:50:00Z", 1, "/old", "/old");
        old.happening.timestamp = u32::try_from(at(moment).as_second()).unwrap() - 3600;
        old.happening.seq = 1;
        old.happening.name =
            if moment.contains("22:30") { "Old goal".into() } else { "pageview".into() };
        insert(&store, &[old]).await;
    }
    for site in [&with, &without] {
        let mut kept = [
            event(site, "2024-05-21T22:05:00Z", 1, "/kept", ""),
            event(site, "2024-05-22T10:00:00Z", 2, "/other", ""),
        ];
        kept.iter_mut().for_each(|event| event.happening.event_id = 7);
        insert(&store, &kept).await;
    }
    let metrics =
        json!(["visitors", "visits", "pageviews", "events", "bounce_rate", "visit_duration"]);
    let mut queries = Vec::new();
    for range in [json!("all"), json!("12mo"), json!("30d"), json!(["2024-05-01", "2024-05-31"])] {
        for (dimensions, filters) in [
            (json!([]), json!([])),
            (json!(["event:page"]), json!([])),
            (json!(["visit:entry_page"]), json!([])),
            (json!(["visit:exit_page"]), json!([])),
            (json!(["event:name"]), json!([])),
            (json!(["time:day"]), json!([])),
            (json!([]), json!([["has_done", ["is", "event:name", ["Old goal"]]]])),
            (json!([]), json!([["has_not_done", ["is", "event:page", ["/old"]]]])),
            (json!([]), json!([["is", "visit:entry_page", ["/old"]]])),
            (json!([]), json!([["is_not", "visit:entry_page", ["/old"]]])),
        ] {
            let metrics =
                if dimensions == json!(["event:page"]) || dimensions == json!(["event:name"]) {
                    json!(["visitors", "events"])
                } else if dimensions == json!(["visit:entry_page"])
                    || dimensions == json!(["visit:exit_page"])
                {
                    json!(["visitors", "visits", "visit_duration"])
                } else {
                    metrics.clone()
                };
            queries.push(json!({
                "site_id": "example.com", "metrics": metrics, "date_range": range, "dimensions": dimensions,
                "filters": filters, "include": {"time_labels": dimensions == json!(["time:day"])},
            }));
        }
    }
    let ask =
        async |site: &Site, query: &Value| report::ask(&store, site, now, query).await.unwrap();
    for query in &queries {
        let (told, expected) = (ask(&with, query).await, ask(&without, query).await);
        assert_eq!(told, expected, "{query}");
    }
    let keeps_all = Site { retention_days: None, ..with };
    let differs = async |query: &Value| ask(&keeps_all, query).await != ask(&without, query).await;
    assert!(differs(&queries[0]).await, "there is nothing old to tell of");
}

#[tokio::test]
async fn a_period_that_is_kept_no_longer_as_a_whole_is_nothing_to_have_grown_from() {
    let store = store().await;
    let site = site(Some(10));
    insert(&store, &[event(&site, "2024-05-30T10:00:00Z", 1, "/", "/")]).await;
    let query = json!({
        "site_id": "example.com", "metrics": ["pageviews"], "date_range": ["2024-05-25", "2024-05-30"],
        "include": {"comparisons": {"mode": "previous_period"}},
    });
    let now = at("2024-05-31T12:00:00Z");
    let change = async |site: &Site| {
        let told = report::ask(&store, site, now, &query).await.unwrap();
        told["results"][0]["comparison"]["change"][0].clone()
    };
    assert_eq!(change(&site).await, Value::Null);
    for retention_days in [Some(13), None] {
        assert_eq!(change(&Site { retention_days, ..site.clone() }).await, json!(100));
    }
}

#[tokio::test]
async fn an_erasure_reaches_the_spool_the_open_visits_and_whoever_asks() {
    let mut collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "example.com"]);
    let token = collector.run(&["token", "create", "--scope", "stats", "--site", "example.com"]);
    let admin = collector.run(&["token", "create", "--scope", "admin"]);
    let view = |path: &str| json!({"n": "pageview", "u": format!("https://example.com/{path}")});
    // Short: what is long and random is masked.
    let secret = format!("page-{:011x}", getrandom::u64().unwrap() >> 20);
    for path in [secret.as_str(), "public"] {
        assert_eq!(collector.beacon(&view(path)).await.status, StatusCode::ACCEPTED);
    }
    let spool = collector.data_dir.join("spool");
    assert!(
        !files_with(&spool, &secret).is_empty(),
        "the search does not find what is in the spool"
    );
    let body = json!({"site_id": "example.com", "path": format!("/{secret}")}).to_string();
    let erase = async |token: &str, body: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        collector.request(Method::POST, "/api/v1/erase", &headers, body.to_owned()).await
    };
    assert_eq!(erase(&token, &body).await.status, StatusCode::FORBIDDEN);
    for bad in [
        json!({"site_id": "example.com", "path": ""}),
        json!({"site_id": "example.com", "from": "soon"}),
        json!({"site_id": "example.com", "from": "2026-01-02", "to": "2026-01-01"}),
        json!({"site_id": "example.com", "pth": "/x"}),
    ] {
        assert_eq!(erase(&admin, &bad.to_string()).await.status, StatusCode::BAD_REQUEST, "{bad}");
    }
    let answer = erase(&admin, &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    let outcome = answer.json();
    assert_eq!((&outcome["events"], &outcome["entry_pages"]), (&json!(1), &json!(1)), "{outcome}");
    assert_eq!(outcome["complete"], true, "{outcome}");
    assert!(files_with(&spool, &secret).is_empty(), "the spool still holds it");
    // The visit goes on, and does not bring it back.
    assert_eq!(collector.beacon(&view("later")).await.status, StatusCode::ACCEPTED);
    assert!(files_with(&spool, &secret).is_empty(), "an open visit brought it back");
    let pages = json!({"site_id": "example.com", "metrics": ["pageviews"], "date_range": "24h", "dimensions": ["event:page"]});
    eventually("the rest is told", async || {
        let results = collector.results(&token, &pages).await;
        (results == json!([
            {"metrics": [1], "dimensions": ["/later"]}, {"metrics": [1], "dimensions": ["/public"]}
        ]))
        .then_some(())
    })
    .await;
    assert_eq!(collector.run(&["erase", "example.com", "--path", "/*"]), "2");
    assert_eq!(collector.results(&token, &pages).await, json!([]));
    collector.terminate();
    assert!(!collector.log().contains(&secret), "the log tells what was erased");
    // Without a collector that runs a command does the same, and says what it can not reach.
    assert_eq!(collector.run(&["erase", "example.com"]), "0");
}
