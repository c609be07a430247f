//! What one report may use: what needs more is stopped and told, and beacons do not notice.

use hyper::StatusCode;
use passerby::store::engine::Engine;
use serde_json::json;

use crate::support::{Collector, connect, engine_settings};

/// So many pages, with paths of 1,000 bytes, that the rows of a report by three pages come to six gigabytes. A report by one page
/// would be answered at times: at half of its memory ClickHouse goes on by way of the disk.
const PAGES: u64 = 2_000_000;

#[tokio::test]
async fn a_report_that_needs_too_much_is_stopped_with_advice_and_beacons_are_accepted_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::start(engine_settings(directory.path())).unwrap();
    let (writer, reader) = (engine.writer(), engine.reader());
    let store = connect(&writer, &reader).await;
    let collector = Collector::start(&[
        ("PASSERBY_CLICKHOUSE_URL", writer.url.as_str()),
        ("PASSERBY_CLICKHOUSE_USER", writer.user.as_str()),
        ("PASSERBY_CLICKHOUSE_PASSWORD", writer.password.as_str()),
        ("PASSERBY_CLICKHOUSE_READER_USER", reader.user.as_str()),
        ("PASSERBY_CLICKHOUSE_READER_PASSWORD", reader.password.as_str()),
    ])
    .await;
    collector.run(&["site", "add", "example.com"]);
    let token = collector.run(&["token", "create", "--scope", "stats", "--site", "example.com"]);
    let pages = format!(
        "INSERT INTO events (site_id, timestamp, name, visitor_id, session_id, seq, event_id, pathname, interactive)
         WITH (SELECT site_id FROM sites FINAL WHERE domain = 'example.com') AS site
         SELECT assumeNotNull(site), toDateTime('2026-03-01 12:00:00', 'UTC'), 'pageview', number + 1,
                bitShiftLeft(toUInt64(1772366400), 32) + number, 1, number, concat('/', repeat('long/', 200), toString(number)), true
         FROM numbers({PAGES})"
    );
    // In blocks as a collector sends them.
    let pages = ["max_block_size", "max_insert_block_size", "min_insert_block_size_rows"]
        .into_iter()
        .fold(store.writer().query_raw(&pages), |query, setting| {
            query.with_setting(setting, "50000")
        });
    pages.execute().await.unwrap();
    let day = ["2026-03-01", "2026-03-01"];
    let count = json!({ "site_id": "example.com", "metrics": ["pageviews"], "date_range": day });
    let counted = collector.results(&token, &count).await;
    assert_eq!(counted, json!([{ "metrics": [PAGES], "dimensions": [] }]));

    let by_pages = json!({
        "site_id": "example.com", "metrics": ["visitors", "visits"], "date_range": day,
        "dimensions": ["event:page", "visit:entry_page", "visit:exit_page"],
    });
    let beacons = async {
        let beacon = json!({ "n": "pageview", "u": "https://example.com/", "d": "example.com" });
        for _ in 0..50 {
            assert_eq!(collector.beacon(&beacon).await.status, StatusCode::ACCEPTED);
        }
    };
    let (stopped, ()) = tokio::join!(collector.query(&token, &by_pages), beacons);
    assert_eq!(stopped.status, StatusCode::UNPROCESSABLE_ENTITY);
    let error = stopped.json()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("ask for a shorter date_range or fewer dimensions"), "{error}");
    assert_eq!(collector.results(&token, &count).await, counted, "it answers again");
    drop(collector);
    engine.stop().await;
}
