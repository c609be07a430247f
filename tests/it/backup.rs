//! Backups: what comes back is what was there, and nothing is in them that should not last.

use std::path::{Path, PathBuf};

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Collector, eventually, run_program};

/// Reports that together touch every part of the data.
async fn reports(collector: &Collector, token: &str) -> Vec<Value> {
    let metrics = ["visitors", "visits", "pageviews", "events", "bounce_rate", "visit_duration"];
    let mut answers = Vec::new();
    for dimensions in [json!([]), json!(["time:day"]), json!(["visit:source", "event:page"])] {
        let query = json!({
            "site_id": "example.com", "date_range": ["2026-03-01", "2026-03-03"], "metrics": metrics,
            "dimensions": dimensions,
        });
        answers.push(collector.results(token, &query).await);
    }
    answers
}

fn events() -> String {
    let event = |index: u32| {
        let (day, visitor, page) = (1 + index % 3, index % 40, index % 7);
        format!(
            r#"{{"site":"example.com","timestamp":"2026-03-0{day}T{:02}:{:02}:00Z","visitor":"v{visitor}","pathname":"/{page}","source":"s{}"}}"#,
            index % 24,
            index % 60,
            visitor % 5,
        )
    };
    (0..400).map(event).collect::<Vec<_>>().join("\n")
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| if path.is_dir() { files_below(&path) } else { vec![path] };
    entries.flat_map(below).collect()
}

#[tokio::test]
async fn a_restored_backup_answers_as_the_original_and_holds_no_salt() {
    let collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "example.com", "--timezone", "Europe/Berlin"]);
    let token = collector.run(&["token", "create", "--scope", "stats", "--site", "example.com"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), events()).unwrap();
    collector.run(&["import", file.path().to_str().unwrap()]);
    let before = reports(&collector, &token).await;
    assert!(before[0][0]["metrics"][0].as_u64() > Some(30), "{before:?}");

    // While the collector runs; and never over an older one.
    assert_eq!(collector.run(&["backup", "first"]), "first");
    let again = run_program(&collector.data_dir, &[], &["backup", "first"]);
    assert!(!again.status.success(), "a backup was written over another");
    let backup = collector.data_dir.join("engine/backups/first");
    let files = files_below(&backup);
    assert!(files.iter().any(|file| file.ends_with("metadata/passerby/events.sql")), "{files:?}");
    for file in &files {
        let name = file.display().to_string();
        for secret in ["salt", "users.xml", "password", "spool"] {
            assert!(!name.contains(secret), "{name} is in the backup");
        }
    }

    let restored = tempfile::tempdir().unwrap();
    let data_dir = restored.path().join("data");
    // A collector has been started there, and has written down by which rules it counts.
    let mut fresh = Collector::start_on(&data_dir).await;
    eventually("the rules are written down", async || {
        let catalog = std::fs::read(data_dir.join("catalog.json")).ok()?;
        let catalog: Value = serde_json::from_slice(&catalog).ok()?;
        (!catalog["rules"].as_array()?.is_empty()).then_some(())
    })
    .await;
    fresh.terminate();
    for file in &files {
        let to = data_dir.join("engine/backups/first").join(file.strip_prefix(&backup).unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(file, to).unwrap();
    }
    let restore = |name: &str| run_program(&data_dir, &[], &["restore", name]);
    let missing = restore("second");
    assert!(!missing.status.success(), "a backup that is not there was restored");
    let done = restore("first");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(String::from_utf8_lossy(&done.stderr).contains("1 sites are back"));
    let twice = restore("first");
    assert!(!twice.status.success(), "a backup was restored over what was there");

    // The token is the old one: it came back too.
    let again = Collector::start_on(&data_dir).await;
    assert_eq!(reports(&again, &token).await, before);
}

#[tokio::test]
async fn a_collector_whose_database_was_emptied_keeps_what_it_accepts_until_a_backup_is_back() {
    let mut collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "example.com"]);
    let token = collector.run(&["token", "create", "--scope", "stats", "--site", "example.com"]);
    let beacon = |page: &str| json!({"n": "pageview", "u": format!("https://example.com{page}")});
    let pages = async |collector: &Collector| {
        let query = json!({
            "site_id": "example.com", "date_range": "day", "metrics": ["pageviews"], "dimensions": ["event:page"],
        });
        let rows = collector.results(&token, &query).await;
        let name = |row: &Value| row["dimensions"][0].as_str().map(str::to_owned);
        rows.as_array().map(|rows| rows.iter().filter_map(name).collect::<Vec<_>>())
    };
    collector.beacon(&beacon("/before")).await;
    eventually("the event is counted", async || {
        (!pages(&collector).await?.is_empty()).then_some(())
    })
    .await;
    collector.run(&["backup", "first"]);
    collector.terminate();
    let known = std::fs::read(collector.data_dir.join("catalog.json")).unwrap();

    std::fs::remove_dir_all(collector.data_dir.join("engine/data")).unwrap();
    collector.restart().await;
    eventually("the collector sees that the database has lost its data", async || {
        collector.log().contains("the database has none of the sites").then_some(())
    })
    .await;
    let accepted = collector.beacon(&beacon("/after")).await;
    assert_eq!(accepted.header("x-plausible-dropped"), None, "the site was forgotten");
    let ready = collector.request(Method::GET, "/readyz", &[], "").await;
    assert_eq!(ready.status, StatusCode::OK);
    eventually("the loader holds what was accepted", async || {
        collector.log().contains("ClickHouse refuses events, which wait in the spool").then_some(())
    })
    .await;
    let query = json!({"site_id": "example.com", "date_range": "day", "metrics": ["visits"]});
    let asked = collector.query(&token, &query).await;
    assert_eq!(asked.status, StatusCode::SERVICE_UNAVAILABLE, "it was said that nobody came");
    let check = run_program(&collector.data_dir, &[], &["check"]);
    let found = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(!check.status.success() && found.contains("FAIL  clickhouse"), "{found}");
    assert!(found.contains("ok    spool"), "{found}");
    let erase =
        run_program(&collector.data_dir, &[], &["erase", "example.com", "--path", "/before"]);
    assert!(!erase.status.success(), "what a backup brings back was said to be erased");
    collector.terminate();
    assert_eq!(std::fs::read(collector.data_dir.join("catalog.json")).unwrap(), known);

    let done = run_program(&collector.data_dir, &[], &["restore", "first"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    collector.restart().await;
    let check = run_program(&collector.data_dir, &[], &["check"]);
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
    eventually("both events are counted", async || {
        let mut pages = pages(&collector).await?;
        pages.sort();
        (pages == ["/after", "/before"]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_restore_needs_the_data_directory_for_itself() {
    let collector = Collector::start(&[]).await;
    let refused = run_program(&collector.data_dir, &[], &["restore", "x"]);
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && message.contains("no collector runs"), "{message}");
    // What else is in the way is not because of a collector.
    let file = tempfile::NamedTempFile::new().unwrap();
    let refused = run_program(&file.path().join("data"), &[], &["restore", "x"]);
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(message.contains("PASSERBY_DATA_DIR") && !message.contains("collector"), "{message}");
    let refused = run_program(&collector.data_dir, &[], &["backup", "../x"]);
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && message.contains("can not name a backup"), "{message}");
}
