//! Rules of the configuration that changed between two starts, as annotations of the sites that they are about.

use std::net::SocketAddr;

use hyper::{Method, StatusCode};
use passerby::store::Server;
use passerby::store::engine::Engine;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::support::{Collector, connect, engine_settings, eventually};

const CHANGED: &str = r#"
[privacy]
consent = "required"
on_objection = "drop"
[privacy.sites."asked.test"]
consent = "not-asked"
"#;

/// An engine that several collectors share, one after another or at once.
struct Shared {
    engine: Engine,
    writer: Server,
    reader: Server,
    _directory: tempfile::TempDir,
}

impl Shared {
    async fn up() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let engine = Engine::start(engine_settings(directory.path())).unwrap();
        let (writer, reader) = (engine.writer(), engine.reader());
        connect(&writer, &reader).await;
        Self { engine, writer, reader, _directory: directory }
    }

    /// A collector with this configuration, whose engine is there or elsewhere.
    async fn collector(&self, config: &str, url: &str) -> Collector {
        let variables = [
            ("PASSERBY_CLICKHOUSE_URL", url),
            ("PASSERBY_CLICKHOUSE_USER", self.writer.user.as_str()),
            ("PASSERBY_CLICKHOUSE_PASSWORD", self.writer.password.as_str()),
            ("PASSERBY_CLICKHOUSE_READER_USER", self.reader.user.as_str()),
            ("PASSERBY_CLICKHOUSE_READER_PASSWORD", self.reader.password.as_str()),
            ("PASSERBY_LOG_FILTER", "info,passerby::app=debug"),
        ];
        Collector::start_configured(config, &variables).await
    }

    /// The same, which has remembered the rules that it runs with.
    async fn settled(&self, config: &str) -> Collector {
        let collector = self.collector(config, &self.writer.url).await;
        remembered(&collector).await;
        collector
    }
}

async fn remembered(collector: &Collector) {
    eventually("the rules are remembered", async || {
        collector.log().contains("the rules of the configuration are remembered").then_some(())
    })
    .await;
}

/// The annotations of a site, each as its kind and text, in the order of both.
fn noted(collector: &Collector, site: &str) -> Vec<String> {
    let listed = collector.run(&["annotation", "list", site]);
    let kind_and_text = |line: &str| line.split_whitespace().skip(2).collect::<Vec<_>>().join(" ");
    let mut noted: Vec<String> = listed.lines().map(kind_and_text).collect();
    noted.sort();
    noted
}

#[tokio::test]
async fn a_rule_that_is_another_than_at_the_last_start_is_written_beside_each_site_once() {
    let shared = Shared::up().await;
    let mut first = shared.settled("").await;
    first.run(&["site", "add", "one.test"]);
    first.run(&["site", "add", "asked.test"]);
    first.terminate();
    let mut second = shared.settled("").await;
    for site in ["one.test", "asked.test"] {
        assert!(noted(&second, site).is_empty(), "nothing has changed");
    }
    second.terminate();

    // Two at once, of which each finds the change.
    let (one, other) = tokio::join!(shared.settled(CHANGED), shared.settled(CHANGED));
    let both = ["consent required", "on_objection drop"];
    for collector in [&one, &other] {
        eventually("the collector knows what the other wrote", async || {
            (noted(collector, "one.test") == both).then_some(())
        })
        .await;
        assert_eq!(
            noted(collector, "asked.test"),
            ["on_objection drop"],
            "its own rule is as it was"
        );
    }
    // Another start changes nothing, and what is another again is said again.
    drop((one, other));
    let mut again = shared.settled(CHANGED).await;
    assert_eq!(noted(&again, "one.test"), both);
    again.terminate();
    let back = shared.settled("").await;
    let all =
        ["consent not-asked", "consent required", "on_objection anonymous", "on_objection drop"];
    assert_eq!(noted(&back, "one.test"), all);
    // A site that is given a domain with rules of its own has other rules from then on.
    drop(back);
    let own = shared.settled("[privacy.sites.\"strict.test\"]\nconsent = \"anonymous\"\n").await;
    assert_eq!(noted(&own, "one.test"), all, "the rules of another site");
    let bearer = format!("Bearer {}", own.run(&["token", "create", "--scope", "admin"]));
    let renamed = json!({ "domain": "strict.test" }).to_string();
    let headers = [("authorization", bearer.as_str())];
    let answer = own.request(Method::PUT, "/api/v1/sites/one.test", &headers, renamed).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(noted(&own, "strict.test").contains(&"consent anonymous".to_owned()));
    // It leaves none of its own behind with its domain.
    let back = json!({ "domain": "one.test" }).to_string();
    let answer = own.request(Method::PUT, "/api/v1/sites/strict.test", &headers, back).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let told = answer.json()["error"].as_str().unwrap().to_owned();
    assert!(told.starts_with("domain `one.test` has other rules than `strict.test`"), "{told}");
    drop(own);
    shared.engine.stop().await;
}

/// Lets connections to an address through to another one, for as long as it runs.
#[expect(clippy::disallowed_methods, reason = "the peer is this test's own collector")]
fn forward(listener: TcpListener, to: SocketAddr) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut from, _)) = listener.accept().await {
            connections.spawn(async move {
                if let Ok(mut there) = TcpStream::connect(to).await {
                    let _ = tokio::io::copy_bidirectional(&mut from, &mut there).await;
                }
            });
        }
    })
}

// Commands are waited for, and what they do goes through a task of the test.
#[tokio::test(flavor = "multi_thread")]
async fn changed_rules_are_written_down_when_clickhouse_is_there_and_no_beacon_waits_for_that() {
    let shared = Shared::up().await;
    let engine = shared.writer.url.trim_start_matches("http://").parse().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let between = listener.local_addr().unwrap();
    let way = forward(listener, engine);
    let mut collector = shared.collector("", &format!("http://{between}")).await;
    remembered(&collector).await;
    collector.run(&["site", "add", "one.test"]);
    collector.terminate();

    way.abort();
    assert!(way.await.unwrap_err().is_cancelled());
    std::fs::write(collector.data_dir.with_file_name("passerby.toml"), CHANGED).unwrap();
    collector.restart().await;
    let view = json!({ "n": "pageview", "u": "https://one.test/", "d": "one.test", "c": true });
    assert_eq!(collector.beacon(&view).await.status, StatusCode::ACCEPTED);
    assert!(!collector.log().contains("rules of the configuration are remembered"));

    let listener =
        eventually("the address is free", async || TcpListener::bind(between).await.ok());
    let way = forward(listener.await, engine);
    remembered(&collector).await;
    assert_eq!(noted(&collector, "one.test"), ["consent required", "on_objection drop"]);
    drop(collector);
    way.abort();
    shared.engine.stop().await;
}

#[tokio::test]
async fn a_start_that_ended_before_it_remembered_writes_the_same_once_more() {
    let shared = Shared::up().await;
    let database = clickhouse::Client::default()
        .with_url(&shared.writer.url)
        .with_user(&shared.writer.user)
        .with_password(&shared.writer.password)
        .with_database(&shared.writer.database);
    let mut first = shared.settled("").await;
    first.run(&["site", "add", "one.test"]);
    first.terminate();
    let copy = "CREATE TABLE rules_before ENGINE = Memory AS SELECT * FROM rules FINAL";
    database.query(copy).execute().await.unwrap();
    let mut second = shared.settled(CHANGED).await;
    let both = noted(&second, "one.test");
    assert_eq!(both.len(), 2);
    second.terminate();
    // As if what was remembered had not been written.
    for change in ["TRUNCATE TABLE rules", "INSERT INTO rules SELECT * FROM rules_before"] {
        database.query(change).execute().await.unwrap();
    }
    let third = shared.settled(CHANGED).await;
    assert_eq!(noted(&third, "one.test"), both);
    drop(third);
    shared.engine.stop().await;
}
