//! Two hundred people want heavy reports at once, and beacons come beside them.
//! `make faults TEST=reports_beside ROUNDS=60` measures for a minute each what they make of the latency.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use hyper::{Method, StatusCode};
use passerby::http::control::Caller;
use passerby::store::engine::Engine;
use serde_json::json;
use tokio::task::JoinSet;

use crate::load::{Load, Times};
use crate::option;
use crate::oracle::Fate;
use crate::rig::{Rig, Start};
use crate::support::engine_settings;

const READERS: usize = 200;
const PACE: u32 = 100;
/// When to come again, as a reader who is refused is told.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Events of a site that nobody sends to, over sixty days.
async fn fill(rig: &Rig, rows: u64) {
    rig.run(&["site", "add", "other.example"]);
    for part in 0..20 {
        let insert = format!(
            "INSERT INTO events (site_id, timestamp, name, visitor_id, session_id, seq, event_id, pathname, source)
             SELECT 2, now() - number % 5184000, 'pageview', number % 50000, intDiv(number, 3), number % 3, number,
                    concat('/', toString(number % 1000)), concat('source ', toString(number % 50))
             FROM numbers({}, {})",
            part * rows / 20,
            rows / 20
        );
        rig.store.writer().query(&insert).execute().await.unwrap();
    }
}

/// Asks again and again, as often as it is told to come again, too.
async fn read(data_dir: std::path::PathBuf, ends: Arc<AtomicBool>, answered: Arc<AtomicU64>) {
    let query = json!({
        "site_id": "other.example", "date_range": "91d",
        "metrics": ["visitors", "visits", "bounce_rate", "visit_duration", "pageviews"],
        "dimensions": ["event:page", "visit:source"],
    });
    while !ends.load(Ordering::Relaxed) {
        let mut caller = Caller::connect(&data_dir).await.unwrap();
        let body = Body::from(query.to_string());
        let (status, answer) = caller.call(Method::POST, "/api/v2/query", body).await.unwrap();
        match status {
            StatusCode::OK => drop(answered.fetch_add(1, Ordering::Relaxed)),
            StatusCode::SERVICE_UNAVAILABLE => tokio::time::sleep(RETRY_AFTER).await,
            other => panic!("{other}: {}", String::from_utf8_lossy(&answer)),
        }
    }
}

async fn measure(load: &Load, seconds: u64) -> Times {
    load.answers.take();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    load.answers.take()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_heavy_reports_at_once_refuse_no_beacon() {
    let long = option("PASSERBY_FAULTS_ROUNDS");
    let (rows, seconds) = long.map_or((20_000, 2), |seconds| (2_000_000, seconds));
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::start(engine_settings(directory.path())).unwrap();
    let mut rig = Rig::new(&engine.writer(), &[]).await;
    assert_eq!(rig.start().await, Start::Up);
    fill(&rig, rows).await;
    let load = Load::start(&rig.address, &rig.oracle, PACE);
    let before = measure(&load, seconds).await;

    let (ends, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        readers.spawn(read(rig.data_dir(), Arc::clone(&ends), Arc::clone(&answered)));
    }
    rig.until("reports are refused", |it| it.of("reports_refused_total") > 0).await;
    let beside = measure(&load, seconds).await;
    ends.store(true, Ordering::Relaxed);
    while let Some(ended) = readers.join_next().await {
        ended.unwrap_or_else(|error| panic!("{error}; the collector said: {}", rig.said()));
    }
    let after = measure(&load, seconds).await;
    load.stop().await;

    let refused = rig.figures().await.of("reports_refused_total");
    for (when, times) in [("before", &before), ("beside", &beside), ("after", &after)] {
        println!("{when}: {}", times.told(Fate::Acknowledged));
        assert_eq!(times.count(Fate::Acknowledged), times.all(), "{when}: each is accepted");
    }
    println!("{} reports answered, {refused} refused", answered.load(Ordering::Relaxed));
    assert!(answered.load(Ordering::Relaxed) > 0, "no report was answered");
    rig.figures().await.add_up();
    // The judge knows of the other site's events alone.
    for statement in [
        "SYSTEM START MERGES events",
        "ALTER TABLE events DELETE WHERE site_id = 2 SETTINGS mutations_sync = 1",
    ] {
        rig.store.writer().query(statement).execute().await.unwrap();
    }
    rig.judge().await;
    drop(rig);
    engine.stop().await;
}
