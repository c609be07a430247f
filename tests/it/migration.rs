//! Upgrades: forward only, while the database is in use.

use passerby::store::engine::Engine;
use serde_json::json;

use crate::analyst::rows;
use crate::support::{Collector, connect, engine_settings, eventually, run_program};

fn lines(output: &std::process::Output) -> Vec<String> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap().lines().map(str::to_owned).collect()
}

/// Makes the tables of a data directory older than they are, with a row in them.
async fn age(data_dir: &std::path::Path) {
    let engine = Engine::start(engine_settings(&data_dir.join("engine"))).unwrap();
    let writer = engine.writer();
    for statement in [
        "ALTER TABLE events DROP COLUMN language",
        "ALTER TABLE events DROP COLUMN interactive",
        "ALTER TABLE sites DROP COLUMN public",
        "ALTER TABLE notable_events MODIFY ORDER BY \
         (site_id, day, version, source, session_id, event_id, name, hostname, pathname, revenue_currency)",
        "ALTER TABLE notable_events DROP COLUMN place",
        "DROP VIEW report_days",
        "INSERT INTO events (site_id, timestamp, name, visitor_id, session_id, seq, event_id) \
         SELECT site_id, now(), 'pageview', 7, toUInt64(toUnixTimestamp(now())) * 4294967296, 1, 1 FROM sites LIMIT 1",
    ] {
        eventually(statement, async || rows(&writer, statement).await.ok()).await;
    }
    engine.stop().await;
}

#[tokio::test]
async fn a_data_directory_of_an_older_version_is_upgraded_by_a_start() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let plan = || lines(&run_program(&data_dir, &[], &["migrate", "--plan"]));
    assert_eq!(plan().first().map(String::as_str), Some("create the table events"));
    // Planning does nothing, however often.
    assert_eq!(plan(), plan());
    lines(&run_program(&data_dir, &[], &["site", "add", "example.com"]));
    assert_eq!(plan(), Vec::<String>::new());

    age(&data_dir).await;
    let expected = [
        "add the column events.interactive",
        "add the column events.language",
        "add the column notable_events.place",
        "add the column sites.public",
        "make the view report_days",
    ];
    assert_eq!(plan(), expected);

    let collector = Collector::start_on(&data_dir).await;
    // Beacons are accepted at once; what is asked for needs the tables.
    eventually("the tables are upgraded", async || {
        collector.log().contains("ClickHouse answers and has its tables").then_some(())
    })
    .await;
    let token = collector.run(&["token", "create", "--scope", "stats", "--site", "example.com"]);
    let beacon = json!({ "n": "pageview", "u": "https://example.com/new", "d": "example.com" });
    collector.beacon(&beacon).await;
    let query = json!({
        "site_id": "example.com", "metrics": ["visitors", "pageviews"], "date_range": "day",
    });
    eventually("the old view and the new one are counted", async || {
        let counted = collector.results(&token, &query).await;
        (counted[0]["metrics"] == json!([2, 2])).then_some(())
    })
    .await;
    drop(collector);
    assert_eq!(plan(), Vec::<String>::new());
    // A column that belongs to the order of its table is there, too: without it rows would be taken for the same.
    let engine = Engine::start(engine_settings(&data_dir.join("engine"))).unwrap();
    let writer = engine.writer();
    let key = "SELECT sorting_key FROM system.tables WHERE name = 'notable_events' AND database = currentDatabase()";
    let key = eventually("the order", async || rows(&writer, key).await.ok()).await;
    assert!(format!("{key:?}").contains("revenue_currency, place"), "{key:?}");
    engine.stop().await;
}

#[tokio::test]
async fn a_column_of_another_type_is_told_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::start(engine_settings(directory.path())).unwrap();
    let writer = engine.writer();
    let store = connect(&writer, &engine.reader()).await;
    assert_eq!(store.plan().await.unwrap(), []);
    rows(&writer, "ALTER TABLE sites MODIFY COLUMN retention_days UInt64").await.unwrap();
    let told: Vec<_> = store.plan().await.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(told, ["leave sites.retention_days as it is, which is UInt64 and should be UInt32"]);
    store.apply_schema().await.unwrap();
    assert_eq!(store.plan().await.unwrap().len(), 1);
    let variables = [
        ("PASSERBY_CLICKHOUSE_URL", writer.url.as_str()),
        ("PASSERBY_CLICKHOUSE_USER", writer.user.as_str()),
        ("PASSERBY_CLICKHOUSE_PASSWORD", writer.password.as_str()),
        ("PASSERBY_CLICKHOUSE_DATABASE", writer.database.as_str()),
    ];
    let migrate = run_program(&directory.path().join("data"), &variables, &["migrate"]);
    assert!(!migrate.status.success());
    assert_eq!(String::from_utf8(migrate.stdout).unwrap(), told[0].clone() + "\n");
    engine.stop().await;
}
