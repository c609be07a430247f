//! Files of events, and the demo's traffic.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Collector, PROGRAM, run_program};

fn line(visitor: &str, time: &str, rest: &str) -> String {
    format!(
        r#"{{"site":"example.com","timestamp":"2026-03-01T{time}Z","visitor":"{visitor}",{rest}}}"#
    )
}

fn file(lines: &[String]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.jsonl");
    std::fs::write(&path, lines.join("\n")).unwrap();
    (directory, path)
}

async fn collector() -> (Collector, String) {
    let collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "example.com"]);
    let token = collector.run(&["token", "create", "--scope", "stats", "--site", "example.com"]);
    (collector, token)
}

async fn numbers(collector: &Collector, token: &str) -> Value {
    let query = json!({
        "site_id": "example.com", "date_range": ["2026-03-01", "2026-03-01"],
        "metrics": ["visitors", "visits", "pageviews", "events", "bounce_rate", "visit_duration"],
    });
    collector.results(token, &query).await[0]["metrics"].take()
}

#[tokio::test]
async fn a_file_becomes_visits_and_counts_once_however_often_it_is_imported() {
    let (collector, token) = collector().await;
    let (_directory, path) = file(&[
        line("a", "10:00:00", r#""pathname":"/","source":"Google","country":"DE""#),
        line("a", "10:10:00", r#""pathname":"/two""#),
        line("a", "10:10:00", r#""pathname":"/two""#),
        line("a", "10:41:00", r#""pathname":"/later""#),
        line(
            "b",
            "11:00:00",
            r#""url":"https://example.com/x?utm_source=newsletter","name":"Signup","props":{"plan":"pro"}"#,
        ),
        line(
            "a",
            "10:10:30",
            r#""pathname":"/two","name":"engagement","engagement_ms":1000,"scroll_depth":50"#,
        ),
    ]);
    for _ in 0..2 {
        collector.run(&["import", path.to_str().unwrap()]);
        // 10:41 is 31 minutes after the last view: a visit of its own. The engagement that comes after it is its.
        assert_eq!(numbers(&collector, &token).await, json!([2, 3, 4, 5, 33, 200]));
    }
    let query = json!({
        "site_id": "example.com", "date_range": ["2026-03-01", "2026-03-01"], "metrics": ["visitors"],
        "dimensions": ["visit:source", "visit:country"], "order_by": [["visit:source", "asc"]],
    });
    let results = collector.results(&token, &query).await;
    assert!(results.to_string().contains(r#"["Google","DE"]"#), "{results}");
    assert!(results.to_string().contains("Newsletter"), "{results}");
}

/// The events that a report finds, read by themselves: while the import is under way.
async fn events(collector: &Collector, token: &str) -> u64 {
    let query = json!({
        "site_id": "example.com", "date_range": ["2026-03-01", "2026-03-01"], "metrics": ["events"],
    });
    collector.results(token, &query).await[0]["metrics"][0].as_u64().unwrap()
}

#[tokio::test]
async fn an_import_that_was_killed_in_the_middle_counts_once_when_it_is_run_again() {
    let (mut collector, token) = collector().await;
    let view = |number: u32| {
        let (hour, minute, second) = (number / 3_600 % 24, number / 60 % 60, number % 60);
        line(
            &(number % 5_000).to_string(),
            &format!("{hour:02}:{minute:02}:{second:02}"),
            r#""pathname":"/""#,
        )
    };
    let lines: Vec<String> = (0..110_000).map(view).collect();
    let (directory, path) = file(&lines);
    // A pipe holds the import where it is, after the first batch and before the end of the file.
    let pipe = directory.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut importing = Command::new(PROGRAM)
        .args(["import", pipe.to_str().unwrap()])
        .env("PASSERBY_DATA_DIR", &collector.data_dir)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut end = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    std::io::Write::write_all(&mut end, lines[..105_000].join("\n").as_bytes()).unwrap();
    let first_batch = crate::support::eventually("the first batch is in", async || {
        Some(events(&collector, &token).await).filter(|events| *events > 0)
    });
    assert!(first_batch.await < 110_000);
    collector.crash_and_restart().await;
    drop(end);
    assert!(!importing.wait().unwrap().success());
    collector.run(&["import", path.to_str().unwrap()]);
    assert_eq!(events(&collector, &token).await, 110_000);
}

#[tokio::test]
async fn an_erasure_is_not_complete_while_an_import_of_the_site_is_under_way() {
    let (collector, token) = collector().await;
    collector.run(&["site", "add", "other.test"]);
    let admin = collector.run(&["token", "create", "--scope", "admin"]);
    let erase = async |site: &str| {
        let bearer = format!("Bearer {admin}");
        let (headers, body) = ([("authorization", bearer.as_str())], json!({ "site_id": site }));
        let answer =
            collector.request(Method::POST, "/api/v1/erase", &headers, body.to_string()).await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
        answer.json()
    };
    assert_eq!(erase("example.com").await["complete"], true);
    let directory = tempfile::tempdir().unwrap();
    for (number, limited) in [&["--site", "example.com"][..], &[]].into_iter().enumerate() {
        // A pipe holds the import where it is, before the end of the file.
        let pipe = directory.path().join(format!("pipe{number}"));
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let mut importing = Command::new(PROGRAM)
            .args(["import", pipe.to_str().unwrap()])
            .args(limited)
            .env("PASSERBY_DATA_DIR", &collector.data_dir)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut end = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
        let line = line("a", "10:00:00", r#""pathname":"/""#);
        std::io::Write::write_all(&mut end, line.as_bytes()).unwrap();
        let told = crate::support::eventually("the erasure tells of the import", async || {
            let outcome = erase("example.com").await;
            (outcome["complete"] == false).then_some(outcome)
        });
        let told = told.await["remains"].to_string();
        assert!(told.contains("import"), "{told}");
        // What it is limited to leaves other sites alone; without that it may be about any.
        assert_eq!(erase("other.test").await["complete"], !limited.is_empty());
        drop(end);
        assert!(importing.wait().unwrap().success());
        assert_eq!(events(&collector, &token).await, 1, "the import has brought it back");
        let outcome = erase("example.com").await;
        assert_eq!((&outcome["complete"], &outcome["events"]), (&json!(true), &json!(1)));
        assert_eq!(events(&collector, &token).await, 0);
    }
}

#[tokio::test]
async fn a_bad_line_is_named_and_the_others_count() {
    let (collector, token) = collector().await;
    let (_directory, path) = file(&[
        line("a", "10:00:00", r#""pathname":"/""#),
        "{".to_owned(),
        String::new(),
        line("a", "99:00:00", r#""pathname":"/""#),
        r#"{"site":"unknown.test","timestamp":"2026-03-01T10:00:00Z","pathname":"/"}"#.to_owned(),
        line("b", "10:00:00", r#""pathname":"/""#),
    ]);
    let output = run_program(&collector.data_dir, &[], &["import", path.to_str().unwrap()]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    for part in [
        "line 2: ",
        "line 4: timestamp: ",
        "line 5: site: `unknown.test` is not registered",
        "3 of 5 lines were wrong",
        "before the corrected file is imported, erase what this one brought",
    ] {
        assert!(message.contains(part), "{part} is not in {message}");
    }
    assert_eq!(numbers(&collector, &token).await[0], json!(2));
}

#[tokio::test]
async fn a_line_without_a_visitor_counts_without_one() {
    let (collector, token) = collector().await;
    let anonymous =
        r#"{"site":"example.com","timestamp":"2026-03-01T10:00:00Z","pathname":"/"}"#.to_owned();
    let (_directory, path) = file(&[anonymous.clone(), anonymous]);
    collector.run(&["import", path.to_str().unwrap()]);
    assert_eq!(numbers(&collector, &token).await, json!([0, 0, 2, 2, 0, 0]));
}

#[tokio::test]
async fn the_import_route_is_for_administrators() {
    let (collector, token) = collector().await;
    let bearer = format!("Bearer {token}");
    let path = "/api/v1/import";
    let refused = collector.request(Method::POST, path, &[("authorization", &bearer)], "").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let admin = format!("Bearer {}", collector.run(&["token", "create", "--scope", "admin"]));
    let body = line("a", "10:00:00", r#""pathname":"/""#);
    let taken = collector.request(Method::POST, path, &[("authorization", &admin)], body).await;
    assert_eq!(taken.json(), json!({"lines": 1, "events": 1, "bad_lines": 0, "errors": []}));
    // No other route is sent as much.
    let lines = (0..4_000).map(|_| line("a", "10:00:00", r#""pathname":"/""#) + "\n");
    let many: String = lines.collect();
    assert!(many.len() > 256 * 1024);
    let sent = [("authorization", admin.as_str())];
    let taken = collector.request(Method::POST, path, &sent, many.clone()).await;
    assert_eq!(taken.json()["lines"], 4_000);
    let refused = collector.request(Method::POST, "/api/v2/query", &sent, many).await;
    let rule = json!({"error": "The body must not exceed 262144 bytes."});
    assert_eq!((refused.status, refused.json()), (StatusCode::PAYLOAD_TOO_LARGE, rule));
}

/// Begins a demo of more traffic than there is time for, and ends it by Ctrl-C while that is generated.
fn interrupted_demo(arguments: &[&str], temporary: &Path) {
    let mut child = Command::new(PROGRAM)
        .args(["demo", "--events", "5000000", "--port", "0"])
        .args(arguments)
        .env("TMPDIR", temporary)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let is_under_way = said.any(|line| {
        assert!(!line.contains("others may enter"), "{line}");
        line.ends_with("of 5,000,000 events")
    });
    assert!(is_under_way, "it ended before");
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let rest: Vec<String> = said.collect();
    assert!(child.wait().unwrap().success(), "{rest:?}");
}

#[tokio::test]
async fn a_demo_that_is_ended_while_it_generates_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    interrupted_demo(&[], directory.path());
    let left: Vec<_> = std::fs::read_dir(directory.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_demo_that_was_interrupted_is_not_taken_for_a_whole_one() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("demo");
    let kept = ["--data", data.to_str().unwrap()];
    interrupted_demo(&kept, directory.path());
    let exported = || {
        let output = run_program(&data, &[], &["export", "demo.example"]);
        String::from_utf8(output.stdout).unwrap().lines().count()
    };
    assert!(exported() > 0, "the search for what was generated finds nothing");
    let mut before = None;
    for _ in 0..2 {
        let mut child = Command::new(PROGRAM)
            .args(["demo", "--events", "3000", "--days", "5", "--port", "0"])
            .args(kept)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        let count = exported();
        child.kill().unwrap();
        child.wait().unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        match before {
            None => assert!(said.contains(&format!("{count} events in")), "{count}: {said}"),
            Some(before) => {
                assert!(count == before && !said.contains("Generating"), "{count}: {said}");
            }
        }
        before = Some(count);
    }
}

#[tokio::test]
async fn the_demos_traffic_is_in_the_report() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("demo");
    let mut child = Command::new(PROGRAM)
        .args([
            "demo",
            "--events",
            "5000",
            "--days",
            "40",
            "--port",
            "0",
            "--data",
            data.to_str().unwrap(),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
    assert!(
        url.starts_with("http://127.0.0.1:") && url.trim_end().ends_with("/demo.example"),
        "{url}"
    );
    let output = run_program(
        &data,
        &[],
        &["query", "demo.example", "visitors", "pageviews", "--by", "visit:channel", "--json"],
    );
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["results"].as_array().unwrap().len() >= 6, "{report}");
    let by_goal = ["query", "demo.example", "total_revenue", "--by", "event:goal", "--json"];
    let output = run_program(&data, &[], &by_goal);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["results"].as_array().unwrap().len(), 4, "{report}");
    assert_eq!(report["results"][0]["dimensions"][0], "Purchase");
    assert_eq!(report["results"][0]["metrics"][0]["currency"], "EUR");
    child.kill().unwrap();
    child.wait().unwrap();
}
