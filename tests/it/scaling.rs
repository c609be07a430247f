//! More than one collector on one ClickHouse: nothing is lost and nothing counts twice, also when one of
//! them is killed.

use hyper::{Method, StatusCode};
use passerby::store::engine::Engine;
use serde_json::{Value, json};

use crate::support::{CHROME, Collector, connect, engine_settings, eventually};

const COLLECTORS: usize = 2;
const CLIENTS: usize = 40;
const VIEWS_A_CLIENT: usize = 6;

/// Where a balancer sends a client: always to the same collector, by its network.
fn place(client: usize) -> usize {
    client % COLLECTORS
}

/// A view of a client, told by a proxy that is believed.
async fn view(collector: &Collector, client: usize, page: usize) {
    let beacon = json!({
        "n": "pageview", "u": format!("https://example.com/{page}"), "d": "example.com",
        "r": if client.is_multiple_of(3) { "https://news.example/" } else { "" },
    });
    let address = format!("198.51.{client}.7");
    let headers = [
        ("user-agent", CHROME),
        ("content-type", "text/plain"),
        ("x-forwarded-for", address.as_str()),
    ];
    let answer = collector.request(Method::POST, "/api/event", &headers, beacon.to_string()).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{:?}", answer.body);
    assert_eq!(answer.header("x-passerby-dropped"), None);
}

/// What is counted, in all and by source.
async fn counted(collector: &Collector, token: &str) -> Vec<Value> {
    let query = json!({
        "site_id": "example.com", "date_range": "all",
        "metrics": ["visitors", "visits", "pageviews", "bounce_rate", "views_per_visit"],
    });
    let mut by_source = query.clone();
    by_source["metrics"] = json!(["visitors", "visits", "pageviews"]);
    by_source["dimensions"] = json!(["visit:source"]);
    vec![collector.results(token, &query).await, collector.results(token, &by_source).await]
}

#[tokio::test]
async fn two_collectors_of_which_one_is_killed_count_as_one() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::start(engine_settings(directory.path())).unwrap();
    let (writer, reader) = (engine.writer(), engine.reader());
    connect(&writer, &reader).await;
    let variables = [
        ("PASSERBY_CLICKHOUSE_URL", writer.url.as_str()),
        ("PASSERBY_CLICKHOUSE_USER", writer.user.as_str()),
        ("PASSERBY_CLICKHOUSE_PASSWORD", writer.password.as_str()),
        ("PASSERBY_CLICKHOUSE_READER_USER", reader.user.as_str()),
        ("PASSERBY_CLICKHOUSE_READER_PASSWORD", reader.password.as_str()),
        ("PASSERBY_TRUSTED_PROXIES", "127.0.0.0/8"),
    ];
    let first = Collector::start(&variables).await;
    first.run(&["site", "add", "example.com"]);
    let token = first.run(&["token", "create", "--scope", "stats", "--site", "example.com"]);
    // It learns of the site from the database.
    let mut second = Collector::start(&variables).await;
    eventually("the second knows the site", async || {
        second.run(&["site", "list"]).contains("example.com").then_some(())
    })
    .await;

    for page in 0..VIEWS_A_CLIENT {
        for client in 0..CLIENTS {
            let collector = if place(client) == 0 { &first } else { &second };
            view(collector, client, page).await;
        }
        if page == VIEWS_A_CLIENT / 2 {
            // Between what it has accepted and what it has delivered.
            second.crash_and_restart().await;
        }
    }
    let views = CLIENTS * VIEWS_A_CLIENT;
    let expected = json!([CLIENTS, CLIENTS, views, 0, VIEWS_A_CLIENT as f64]);
    eventually("everything is counted once", async || {
        let numbers = counted(&first, &token).await;
        (numbers[0][0]["metrics"] == expected).then_some(())
    })
    .await;
    // Either collector answers for both.
    assert_eq!(counted(&second, &token).await, counted(&first, &token).await);

    // One collector that had everything to itself counts the same.
    let alone = Collector::start(&[("PASSERBY_TRUSTED_PROXIES", "127.0.0.0/8")]).await;
    alone.run(&["site", "add", "example.com"]);
    let token_of_alone =
        alone.run(&["token", "create", "--scope", "stats", "--site", "example.com"]);
    for page in 0..VIEWS_A_CLIENT {
        for client in 0..CLIENTS {
            view(&alone, client, page).await;
        }
    }
    let both = counted(&first, &token).await;
    eventually("one collector counts the same", async || {
        (counted(&alone, &token_of_alone).await == both).then_some(())
    })
    .await;
    drop((first, second));
    engine.stop().await;
}
