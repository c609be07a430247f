//! What is wrong is said: the field and the rule, or the setting and what to do. Nothing else is lost by it.

use std::fs::File;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use hyper::{Method, StatusCode};
use passerby::store::engine::Engine;
use serde_json::{Value, json};

use crate::support::{CHROME, Collector, connect, engine_settings, eventually, run_program};

#[tokio::test]
async fn a_beacon_that_is_wrong_is_told_which_field_and_which_rule() {
    let collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "example.com"]);
    let long_url = format!("https://example.com/{}", "x".repeat(2000));
    let cases = [
        ("{", "request"),
        ("[]", "request"),
        ("\u{feff}", "request"),
        (r#"{"u":"https://example.com/"}"#, "event_name"),
        (r#"{"n":"pageview"}"#, "url"),
        (r#"{"n":"pageview","u":7}"#, "url"),
        (r#"{"n":"pageview","u":"data:text/html,x"}"#, "url"),
        (&format!(r#"{{"n":"pageview","u":"{long_url}"}}"#), "url"),
        (r#"{"n":"pageview","u":"https://example.com/","d":""}"#, "domain"),
        (r#"{"n":"pageview","u":"https://example.com/","h":"x"}"#, "hash_mode"),
        (r#"{"n":"engagement","u":"https://example.com/"}"#, "event_name"),
        (
            &format!(r#"{{"n":"x","u":"https://example.com/","p":{{"{}":1}}}}"#, "k".repeat(301)),
            "props",
        ),
        (&"[".repeat(100_000), "request"),
        (&format!(r#"{{"n":"pageview","x":{}"#, "[".repeat(100_000)), "request"),
        (&"x".repeat(1_000_001), "request"),
    ];
    for (body, field) in cases {
        let headers = [("user-agent", CHROME), ("content-type", "text/plain")];
        let answer = collector.request(Method::POST, "/api/event", &headers, body.to_owned()).await;
        let shown = &body[..body.len().min(80)];
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{shown}");
        assert!(answer.json()["errors"][field][0].is_string(), "{shown}: {:?}", answer.body);
    }
    let get = collector.request(Method::GET, "/api/event", &[], "").await;
    assert_eq!(get.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(get.header("allow"), Some("POST, OPTIONS"));
    let compressed = [("user-agent", CHROME), ("content-encoding", "gzip")];
    let umami = r#"{"type":"event","payload":{"hostname":"example.com","url":"/"}}"#;
    for (path, body) in
        [("/api/event", "x"), ("/api/send", umami), ("/count/example.com?p=%2F", "")]
    {
        let answer = collector.request(Method::POST, path, &compressed, body).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path}");
        let answer = collector.request(Method::POST, path, &compressed[..1], body).await;
        assert_ne!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path}, as it is");
    }
    assert_eq!(
        collector.beacon(&json!({"n": "pageview", "u": "https://example.com/"})).await.status,
        StatusCode::ACCEPTED
    );
}

#[tokio::test]
async fn pages_of_every_origin_may_send_beacons_and_nobody_gets_a_cookie() {
    let collector = Collector::start(&[]).await;
    let preflight = collector
        .request(Method::OPTIONS, "/api/event", &[("origin", "https://example.com")], "")
        .await;
    assert!(preflight.status.is_success());
    // What instruments a page adds headers to its requests; browsers that do not know the star need the names.
    assert_eq!(
        preflight.header("access-control-allow-headers"),
        Some("*, content-type, x-umami-cache")
    );
    let accepted = collector.beacon(&json!({"n": "pageview", "u": "https://example.com/"})).await;
    let invalid = collector.beacon(&json!({})).await;
    for answer in [preflight, accepted, invalid] {
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert_eq!(answer.header("set-cookie"), None);
    }
}

#[tokio::test]
async fn a_query_that_is_wrong_is_told_where_and_why() {
    let collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "example.com"]);
    let token = collector.run(&["token", "create", "--scope", "stats"]);
    let with = |key: &str, value: Value| {
        let mut query =
            json!({"site_id": "example.com", "metrics": ["visitors"], "date_range": "7d"});
        query[key] = value;
        query
    };
    for (query, part) in [
        (with("metrics", json!(["visitors", "baa"])), "#/metrics/1: Invalid metric \"baa\""),
        (with("metrics", json!([])), "#/metrics"),
        (with("date_range", json!("yesterday")), "#/date_range"),
        (with("date_range", json!(["2026-02-30", "2026-03-01"])), "#/date_range"),
        (with("dimensions", json!(["visit:shoe_size"])), "#/dimensions/0"),
        (with("filters", json!([["is", "visit:nothing", ["x"]]])), "#/filters/0"),
        (with("filters", json!([["resembles", "visit:source", ["x"]]])), "#/filters/0"),
        (with("unheard_of", json!(1)), "unheard_of"),
        (with("pagination", json!({"limit": 0})), "#/pagination/limit"),
        (with("site_id", Value::Null), "site_id"),
        (with("site_id", json!(7)), "site_id"),
    ] {
        let answer = collector.query(&token, &query).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}: {:?}", answer.body);
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(part), "{query}: {error}");
    }
    let bearer = format!("Bearer {token}");
    let answer =
        collector.request(Method::POST, "/api/v2/query", &[("authorization", &bearer)], "{").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_report_needs_a_token_and_an_unknown_site_is_answered_like_a_forbidden_one() {
    let collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "one.test"]);
    collector.run(&["site", "add", "other.test"]);
    let token = collector.run(&["token", "create", "--scope", "stats", "--site", "one.test"]);
    let query = |site: &str| json!({"site_id": site, "metrics": ["visitors"], "date_range": "7d"});
    let without =
        collector.request(Method::POST, "/api/v2/query", &[], query("one.test").to_string()).await;
    assert_eq!(without.status, StatusCode::UNAUTHORIZED);
    assert_eq!(collector.query(&token, &query("one.test")).await.status, StatusCode::OK);
    let forbidden = collector.query(&token, &query("other.test")).await;
    let unknown = collector.query(&token, &query("unknown.test")).await;
    let wrong = collector.query("psb_wrong", &query("one.test")).await;
    assert_eq!(forbidden.status, StatusCode::UNAUTHORIZED);
    assert_eq!((forbidden.status, &forbidden.body), (unknown.status, &unknown.body));
    assert_eq!((forbidden.status, &forbidden.body), (wrong.status, &wrong.body));
    let bearer = format!("Bearer {token}");
    let change = collector
        .request(Method::PUT, "/api/v1/sites/x.test", &[("authorization", &bearer)], "{}")
        .await;
    assert_eq!(change.status, StatusCode::FORBIDDEN);
    let id = collector.run(&["token", "list"]).split('\t').next().unwrap().to_owned();
    collector.run(&["token", "revoke", &id]);
    assert_eq!(collector.query(&token, &query("one.test")).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn commands_work_whether_the_collector_runs_or_not() {
    let mut collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "while-it-runs.test", "--timezone", "Asia/Kathmandu"]);
    collector.terminate();
    collector.run(&["site", "add", "while-it-does-not.test"]);
    let token = collector.run(&["token", "create", "--scope", "admin"]);
    collector.restart().await;
    eventually("the catalog is read", async || {
        let sites = collector.run(&["site", "list"]);
        (sites == "while-it-does-not.test\tUTC\nwhile-it-runs.test\tAsia/Kathmandu").then_some(())
    })
    .await;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    // The collector accepts beacons before its database answers.
    let put = eventually("the database answers", async || {
        let answer = collector.request(
            Method::PUT,
            "/api/v1/sites/new.test",
            &headers,
            r#"{"timezone":"Europe/Berlin"}"#,
        );
        Some(answer.await).filter(|answer| answer.status != StatusCode::SERVICE_UNAVAILABLE)
    })
    .await;
    assert_eq!(put.json()["timezone"], "Europe/Berlin");
    let wrong = collector
        .request(Method::PUT, "/api/v1/sites/new.test", &headers, r#"{"timezone":"Mars/Base"}"#)
        .await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.json()["error"].as_str().unwrap().contains("Mars/Base"));
    collector.run(&["site", "remove", "new.test"]);
    assert!(!collector.run(&["site", "list"]).contains("new.test"));
}

fn message(output: &Output) -> String {
    assert!(!output.status.success(), "it started");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Variables, arguments, and a part of the message that they lead to.
type Start<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], &'a str);

#[test]
fn what_stops_a_start_is_said_in_one_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let file = directory.path().join("passerby.toml");
    std::fs::write(&file, "lissten = '127.0.0.1:0'").unwrap();
    let occupied = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = occupied.local_addr().unwrap().port().to_string();
    let occupied = occupied.local_addr().unwrap().to_string();
    let config = file.to_str().unwrap();
    let cases: [Start<'_>; 9] = [
        (&[], &["serve", "--config", config], "unknown field `lissten`"),
        (&[], &["serve", "--config", "/nowhere.toml"], "/nowhere.toml can not be read"),
        (
            &[("PASSERBY_LISTEN", &occupied)],
            &["serve"],
            "choose another address with listen or PASSERBY_LISTEN",
        ),
        (
            &[("PASSERBY_LISTEN", "127.0.0.1:0"), ("PASSERBY_METRICS_LISTEN", &occupied)],
            &["serve"],
            "choose another address with metrics_listen or PASSERBY_METRICS_LISTEN",
        ),
        (&[], &["demo", "--port", &port], "choose another address with --port"),
        (&[("PASSERBY_GEO_DATABASE", config)], &["serve"], "geo.database"),
        (
            &[("PASSERBY_ENGINE_PATH", "/nowhere/libchdb.so")],
            &["serve"],
            "engine.path /nowhere/libchdb.so is not there",
        ),
        (
            &[("PASSERBY_DATA_DIR", "/proc/passerby")],
            &["serve"],
            "choose another with data_dir or PASSERBY_DATA_DIR",
        ),
        (&[("PASSERBY_CLICKHOUSE_URL", "http://127.0.0.1:1")], &["migrate"], "ClickHouse"),
    ];
    for (variables, arguments, part) in cases {
        let message = message(&run_program(&data_dir, variables, arguments));
        let last = message.lines().last().unwrap_or_default();
        assert!(
            last.starts_with("passerby: ") && last.contains(part),
            "{arguments:?} {variables:?}: {message}"
        );
    }
}

#[tokio::test]
async fn a_reader_whom_clickhouse_refuses_is_told_of() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::start(engine_settings(directory.path())).unwrap();
    let (writer, reader) = (engine.writer(), engine.reader());
    connect(&writer, &reader).await;
    for (password, is_well) in [("unheard-of", false), (reader.password.as_str(), true)] {
        let variables = [
            ("PASSERBY_CLICKHOUSE_URL", writer.url.as_str()),
            ("PASSERBY_CLICKHOUSE_USER", writer.user.as_str()),
            ("PASSERBY_CLICKHOUSE_PASSWORD", writer.password.as_str()),
            ("PASSERBY_CLICKHOUSE_READER_USER", reader.user.as_str()),
            ("PASSERBY_CLICKHOUSE_READER_PASSWORD", password),
        ];
        let mut collector = Collector::start(&variables).await;
        let health = eventually("ClickHouse answers", async || {
            let health = collector.request(Method::GET, "/api/health", &[], "").await.json();
            (health["clickhouse"] == "ok").then_some(health)
        })
        .await;
        assert_eq!(health["reports"], if is_well { "ok" } else { "error" }, "{health}");
        assert_eq!(health["ready"], true, "beacons need no reader");
        let told = "clickhouse.reader_user and clickhouse.reader_password";
        assert_eq!(collector.log().matches(told).count(), usize::from(!is_well));
        assert!(!collector.log().contains("unheard-of"), "the password is in the log");
        let data_dir = collector.data_dir.clone();
        let check = || {
            let check = run_program(&data_dir, &variables, &["check"]);
            let said = String::from_utf8(check.stdout).unwrap();
            let line = if is_well { "ok    reports" } else { "FAIL  reports" };
            assert!(said.contains(line) && said.contains("ok    clickhouse"), "{said}");
            assert_eq!(check.status.success(), is_well, "{said}");
        };
        check();
        collector.run(&["site", "add", "example.com"]);
        // And without a collector that runs: then nobody else's log could say why.
        collector.crash();
        check();
        let export = run_program(&data_dir, &variables, &["export", "example.com"]);
        let said = String::from_utf8_lossy(&export.stderr).into_owned();
        assert_eq!(export.status.success(), is_well, "{said}");
        assert_eq!(said.contains("AUTHENTICATION_FAILED"), !is_well, "{said}");
    }
    engine.stop().await;
}

#[tokio::test]
async fn a_collector_that_has_never_reached_its_clickhouse_says_what_is_lost_and_why() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::start(engine_settings(directory.path())).unwrap();
    let (writer, reader) = (engine.writer(), engine.reader());
    connect(&writer, &reader).await;
    for (url, why) in [("http://127.0.0.1:1", "refused"), (&*writer.url, "code 516")] {
        let variables = [
            ("PASSERBY_CLICKHOUSE_URL", url),
            ("PASSERBY_CLICKHOUSE_USER", writer.user.as_str()),
            ("PASSERBY_CLICKHOUSE_PASSWORD", "unheard-of"),
        ];
        let collector = Collector::start_unready(&variables).await;
        let beacon = json!({"n": "pageview", "u": "https://example.com/"});
        assert_eq!(collector.beacon(&beacon).await.status, StatusCode::SERVICE_UNAVAILABLE);
        eventually("it is told", async || {
            collector.log().contains("every beacon is refused, and lost").then_some(())
        })
        .await;
        // That there is nothing is not said where it is not known.
        for arguments in [["site", "list"], ["token", "list"]] {
            let list = run_program(&collector.data_dir, &variables, &arguments);
            let said = String::from_utf8_lossy(&list.stderr).into_owned();
            assert!(!list.status.success() && said.contains("not known yet"), "{said}");
        }
        let check = run_program(&collector.data_dir, &variables, &["check"]);
        let said = String::from_utf8(check.stdout).unwrap();
        assert!(!check.status.success() && said.contains("does not know its sites yet"), "{said}");
        let clickhouse = said.lines().find(|line| line.starts_with("FAIL  clickhouse")).unwrap();
        assert!(clickhouse.contains(why) && !said.contains("unheard-of"), "{said}");
        // It is the owner's to know.
        let health = collector.request(Method::GET, "/api/health", &[], "").await.json();
        assert_eq!(health["why"], Value::Null);
    }
    engine.stop().await;
}

#[tokio::test]
async fn a_command_that_fails_is_sent_once_and_logged_once() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::start(engine_settings(directory.path())).unwrap();
    let (writer, reader) = (engine.writer(), engine.reader());
    let variables = [
        ("PASSERBY_CLICKHOUSE_URL", writer.url.as_str()),
        ("PASSERBY_CLICKHOUSE_USER", writer.user.as_str()),
        ("PASSERBY_CLICKHOUSE_PASSWORD", writer.password.as_str()),
        ("PASSERBY_CLICKHOUSE_READER_USER", reader.user.as_str()),
        ("PASSERBY_CLICKHOUSE_READER_PASSWORD", reader.password.as_str()),
    ];
    let collector = Collector::start(&variables).await;
    collector.run(&["site", "add", "example.com"]);
    engine.stop().await;
    for _ in 0..2 {
        let create =
            run_program(&collector.data_dir, &variables, &["token", "create", "--scope", "stats"]);
        let said = String::from_utf8_lossy(&create.stderr).into_owned();
        assert!(!create.status.success() && said.contains("does not answer"), "{said}");
    }
    let told = collector.log().matches("a request could not be answered").count();
    assert!((1..=2).contains(&told), "{}", collector.log());
    // What is known is listed without it.
    assert_eq!(collector.run(&["site", "list"]).split('\t').next(), Some("example.com"));
}

#[tokio::test]
async fn a_second_collector_on_the_same_data_is_refused() {
    let collector = Collector::start(&[]).await;
    let output = run_program(&collector.data_dir, &[], &["serve"]);
    assert!(message(&output).contains("another passerby works on the data directory"));
    // At once: it is no command, which would end.
    assert!(!message(&output).contains("waiting"), "{}", message(&output));
}

/// Takes a data directory, as a command does that opens it by itself.
fn taken(data_dir: &Path) -> File {
    std::fs::create_dir_all(data_dir).unwrap();
    let lock = File::create(data_dir.join("lock")).unwrap();
    lock.try_lock().unwrap();
    lock
}

#[tokio::test]
async fn a_start_waits_for_a_command_that_works_on_the_data() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let lock = taken(&data_dir);
    let command = std::thread::spawn(move || {
        // Longer than a slow machine takes to start the program, and less than the start waits.
        std::thread::sleep(Duration::from_secs(4));
        drop(lock);
    });
    let collector = Collector::start_on(&data_dir).await;
    command.join().unwrap();
    assert!(collector.log().contains("waiting until it has ended"), "{}", collector.log());
}

#[tokio::test]
async fn a_start_does_not_wait_for_ever_for_whoever_works_on_the_data() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let _lock = taken(&data_dir);
    let begun = Instant::now();
    let output = run_program(&data_dir, &[], &["serve"]);
    let message = message(&output);
    let last = message.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("passerby: another passerby works on the data directory"),
        "{message}"
    );
    assert!(begun.elapsed() >= Duration::from_secs(5), "{:?}", begun.elapsed());
}
