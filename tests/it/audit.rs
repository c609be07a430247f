//! `passerby audit` and `passerby privacy`, on a running installation.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::support::{Collector, eventually, files, run_program};

#[tokio::test]
async fn an_audit_passes_and_finds_what_should_not_be_there() {
    let collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "example.com"]);
    let listen = collector.listens_on();
    let audit = || run_program(&collector.data_dir, &[("PASSERBY_LISTEN", &listen)], &["audit"]);
    let told = |output: &std::process::Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let output = audit();
    assert!(
        output.status.success(),
        "{}{}",
        told(&output),
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(told(&output).matches("pass").count(), 7, "{}", told(&output));

    // A site of an inner network has its address for a name, which is nobody's; as another's host it is masked.
    collector.run(&["site", "add", "203.0.113.77"]);
    collector.beacon(&json!({"n": "pageview", "u": "https://203.0.113.77/x"})).await;
    let elsewhere = json!({"n": "pageview", "u": "https://203.0.113.77/x", "d": "example.com", "r": "http://203.0.113.78/"});
    collector.beacon(&elsewhere).await;
    // The masks take this for a picture's name, and the audit knows no pictures.
    let beacon = json!({"n": "Seen", "u": "https://example.com/x", "p": {"logo@x2.png": 1}});
    collector.beacon(&beacon).await;
    let output = eventually("the audit finds it", async || {
        let output = audit();
        (!output.status.success()).then_some(output)
    })
    .await;
    assert!(
        told(&output).contains("FAIL  columns     what looks like an address is in props (1 rows)"),
        "{}",
        told(&output)
    );
    assert_eq!(output.status.code(), Some(1));

    let papers = collector.run(&["privacy"]);
    assert!(
        papers.contains("| example.com | until they are erased |")
            && papers.contains("| events.pathname |")
    );
    assert!(
        collector
            .run(&["privacy", "policy", "--language", "de"])
            .contains("Es wird kein Cookie gesetzt.")
    );
}

#[tokio::test]
async fn a_collector_that_was_stopped_for_good_can_be_told_to_forget_its_salt() {
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let place = memory.path().join("salts");
    let variables = [("PASSERBY_PRIVACY_SALT_DIR", place.to_str().unwrap())];
    let mut collector = Collector::start(&variables).await;
    collector.run(&["site", "add", "example.com"]);
    let view = json!({"n": "pageview", "u": "https://example.com/", "d": "example.com"});
    collector.beacon(&view).await;
    let forget = |data_dir: &Path| run_program(data_dir, &variables, &["forget"]);
    let refused = forget(&collector.data_dir);
    assert!(!refused.status.success(), "the salt of a collector that runs was wiped");
    collector.terminate();
    let file = place.join("salts");
    assert!(file.exists(), "a restart has nothing to go on with");
    let told = |output: std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let first = told(forget(&collector.data_dir));
    assert!(first.contains("The day's salt is wiped"), "{first}");
    assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0);
    let second = told(forget(&collector.data_dir));
    assert!(second.contains("There was no salt"), "{second}");
    let ledger = std::fs::read_to_string(collector.data_dir.join("salts.ledger")).unwrap();
    assert!(ledger.trim_end().ends_with("because the operator said so"), "{ledger}");
}

#[tokio::test]
async fn a_start_says_that_others_may_enter_and_what_it_makes_is_its_owners_all_the_same() {
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    std::fs::create_dir(&data_dir).unwrap();
    std::fs::set_permissions(&data_dir, PermissionsExt::from_mode(0o755)).unwrap();
    let mut collector = Collector::start_on(&data_dir).await;
    assert!(collector.log().contains("chmod 700 it"), "{}", collector.log());
    collector.run(&["site", "add", "example.com"]);
    let token = collector.run(&["token", "create", "--scope", "stats"]);
    let query = json!({"site_id": "example.com", "metrics": ["visitors"], "date_range": "7d"});
    collector.results(&token, &query).await;
    let reads = data_dir.join("reads");
    let last = reads.join("last.json");
    eventually("the read is noted", async || last.exists().then_some(())).await;
    let of_a_day = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "jsonl");
    let of_a_day = files(&reads).into_iter().find(of_a_day).unwrap();
    for file in [of_a_day, last, data_dir.join("catalog.json")] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    collector.terminate();
    std::fs::set_permissions(&data_dir, PermissionsExt::from_mode(0o700)).unwrap();
    collector.restart().await;
    assert!(!collector.log().contains("chmod"), "{}", collector.log());
}

#[tokio::test]
async fn an_audit_needs_a_collector_that_runs() {
    let directory = tempfile::tempdir().unwrap();
    let output = run_program(&directory.path().join("data"), &[], &["audit"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("start it first"));
}
