//! The embedded engine: closed to others, gone with its parent, back after a crash.

use std::path::Path;
use std::time::Duration;

use passerby::event::{Attributes, Event, Happening, SessionId, VisitorId};
use passerby::store::engine::{Engine, NoEngine, discover};
use passerby::store::{Server, Store, StoreError};

use crate::support::{Collector, connect, engine_settings, eventually, store};

/// Ends the engine of a collector as a crash would.
pub(crate) fn kill_engine_of(collector: &Collector) {
    for pid in children(collector.pid()) {
        kill(pid);
    }
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
}

fn children(parent: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{parent}/task")).unwrap().flatten() {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        found.extend(children.split_whitespace().map(|pid| pid.parse::<u32>().unwrap()));
    }
    found
}

fn is_running(pid: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !state.is_empty() && !state.contains(") Z ")
}

fn event(session: u64, pathname: &str) -> Event {
    let happening = Happening {
        site_id: 1,
        timestamp: 1_700_000_000,
        name: "pageview".into(),
        visitor_id: VisitorId(7),
        session_id: SessionId(session),
        seq: 1,
        event_id: 9,
        hostname: "example.com".into(),
        pathname: pathname.into(),
        interactive: true,
        engagement_ms: 1234,
        scroll_depth: 42,
        props: vec![("plan".into(), "pro".into()), ("a'b".into(), "\\\n\"'".into())],
        revenue_amount: -12_345,
        revenue_currency: "EUR".into(),
        entry_hostname: "example.com".into(),
        entry_pathname: "/".into(),
    };
    let attributes = Attributes {
        source: "Google".into(),
        city: 2_950_159,
        language: "de".into(),
        ..Attributes::default()
    };
    Event { happening, attributes: attributes.into() }
}

fn columns() -> String {
    Event::columns().collect::<Vec<_>>().join(",")
}

async fn insert(store: &Store, event: &Event) -> Result<(), StoreError> {
    let mut row = Vec::new();
    event.encode(&mut row);
    store.insert_events(&columns(), row).await
}

async fn count(store: &Store, condition: &str) -> u64 {
    let query = format!("SELECT count() FROM events FINAL WHERE {condition}");
    store.writer().query(&query).fetch_one().await.unwrap()
}

#[tokio::test]
async fn an_encoded_event_is_a_row_with_the_same_values() {
    let store = store().await;
    insert(&store, &event(1, "/ä")).await.unwrap();
    let condition = "session_id = 1 AND pathname = '/ä' AND visitor_id = 7 AND event_id = 9 AND interactive \
        AND engagement_ms = 1234 AND scroll_depth = 42 AND props['plan'] = 'pro' AND props['a\\'b'] = '\\\\\\n\"\\'' \
        AND revenue_amount = -12.345 AND revenue_currency = 'EUR' AND source = 'Google' AND city = 2950159 \
        AND language = 'de' AND timestamp = '2023-11-14 22:13:20'";
    assert_eq!(count(&store, condition).await, 1);
}

#[tokio::test]
async fn a_row_that_is_sent_again_is_one_row() {
    let store = store().await;
    for _ in 0..5 {
        insert(&store, &event(2, "/")).await.unwrap();
    }
    assert_eq!(count(&store, "session_id = 2").await, 1);
}

#[tokio::test]
async fn only_those_with_a_password_may_enter_and_the_reader_may_only_read() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::start(engine_settings(directory.path())).unwrap();
    let (writer, reader) = (engine.writer(), engine.reader());
    let store = connect(&writer, &reader).await;
    insert(&store, &event(3, "/")).await.unwrap();

    let client = |server: &Server| {
        let client =
            clickhouse::Client::default().with_url(&server.url).with_database(&server.database);
        client.with_user(&server.user).with_password(&server.password)
    };
    let reader = client(&reader);
    assert_eq!(reader.query("SELECT count() FROM events").fetch_one::<u64>().await.unwrap(), 1);
    for denied in [
        "INSERT INTO events (site_id) VALUES (1)",
        "DROP TABLE events",
        "ALTER TABLE events DELETE WHERE 1",
        "CREATE TABLE x (a Int8) ENGINE = Memory",
        "SELECT * FROM url('http://127.0.0.1:1/', CSV, 'a String')",
        "SELECT * FROM file('/etc/passwd', CSV, 'a String')",
        "SELECT * FROM remote('127.0.0.1', system.one)",
        "SELECT * FROM system.processes",
        "SYSTEM SHUTDOWN",
        "KILL QUERY WHERE 1",
        "SET max_execution_time = 0",
        "SELECT 1 SETTINGS max_memory_usage = 0",
    ] {
        assert!(reader.query(denied).execute().await.is_err(), "the reader may: {denied}");
    }
    for (user, password) in [("default", ""), ("passerby", ""), ("passerby_reader", "x")] {
        let stranger = Server { user: user.into(), password: password.into(), ..writer.clone() };
        let entered = client(&stranger).query("SELECT count() FROM events").execute().await;
        assert!(entered.is_err(), "{user} may enter with the password `{password}`");
    }
    for file in ["server.xml", "users.xml"] {
        let text = std::fs::read_to_string(directory.path().join(file)).unwrap();
        assert!(!text.contains(&writer.password), "{file} holds a password");
    }
    engine.stop().await;
}

#[tokio::test]
async fn a_killed_engine_is_started_again_and_has_its_data() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::start(engine_settings(directory.path())).unwrap();
    let store = connect(&engine.writer(), &engine.reader()).await;
    for round in 0..3 {
        insert(&store, &event(10 + round, "/")).await.unwrap();
        let pid = engine.pid().unwrap();
        kill(pid);
        eventually("another engine runs", async || engine.pid().filter(|&again| again != pid))
            .await;
        eventually("it answers", async || store.version().await.ok()).await;
        assert_eq!(count(&store, "session_id >= 10").await, round + 1);
    }
    let pid = engine.pid().unwrap();
    engine.stop().await;
    assert!(!is_running(pid));
}

#[tokio::test]
async fn an_engine_does_not_outlive_a_collector_that_is_killed() {
    let mut collector = Collector::start(&[]).await;
    let engines = children(collector.pid());
    assert_eq!(engines.len(), 1);
    assert!(is_running(engines[0]));
    collector.crash_and_restart().await;
    eventually("the engine of the killed collector is gone", async || {
        (!is_running(engines[0])).then_some(())
    })
    .await;
}

#[tokio::test]
async fn it_is_said_how_an_engine_ended_and_what_it_said_is_kept() {
    let collector = Collector::start(&[]).await;
    let engine = collector.data_dir.join("engine");
    // As if it had complained: an engine that is well says nothing.
    std::fs::write(engine.join("engine.log"), "out of memory").unwrap();
    kill(children(collector.pid())[0]);
    eventually("its end is in the log", async || {
        collector.log().contains("signal: 9").then_some(())
    })
    .await;
    eventually("what it said is kept", async || {
        let said = std::fs::read_to_string(engine.join("engine.log.1")).ok()?;
        said.contains("out of memory").then_some(())
    })
    .await;
}

#[test]
fn without_an_engine_the_message_says_what_to_do() {
    let error = discover(Some(Path::new("/nowhere/libchdb.so")), None).unwrap_err();
    assert!(matches!(error, NoEngine::NotThere(_)), "{error}");
    assert!(NoEngine::NotFound.to_string().contains("make engine"));
}

#[tokio::test]
async fn an_engine_that_is_stopped_ends_soon() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::start(engine_settings(directory.path())).unwrap();
    connect(&engine.writer(), &engine.reader()).await;
    let begun = std::time::Instant::now();
    engine.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
