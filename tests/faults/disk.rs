//! The disk of the spool is full, fails, or does not answer; the clock jumps.

use std::time::{Duration, Instant};

use axum::body::Body;
use hyper::{Method, StatusCode};
use passerby::http::control::Caller;
use rustix::process::Signal;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::load::{Load, Sender};
use crate::oracle::Fate;
use crate::rig::{LONG_PATIENCE, Rig, Start};
use crate::{rounds, support};

async fn readiness(rig: &Rig) -> StatusCode {
    rig.ask(Method::GET, "/readyz", Value::Null).await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_or_fails_refuses_and_what_was_accepted_stays() {
    let mut rig = Rig::new(&support::servers().0, &[]).await;
    assert_eq!(rig.start().await, Start::Up);
    let sender = Sender::new(&rig.address, &rig.oracle);
    let load = Load::start(&rig.address, &rig.oracle, 100);
    for round in 0..rounds(3) {
        for (wish, reason) in [("full", "spool_full"), ("sync", "spool_failed")] {
            let label = format!("reason=\"{reason}\"");
            let before = rig.figures().await.labelled("events_rejected_total", &label);
            rig.wish(wish, "");
            while sender.send().await == Fate::Acknowledged {}
            assert_eq!(readiness(&rig).await, StatusCode::SERVICE_UNAVAILABLE, "{wish}");
            rig.until("it is counted", |it| it.labelled("events_rejected_total", &label) > before)
                .await;
            if round % 2 == 1 {
                // A crash in the middle of it, and a start on a disk that is well again.
                rig.kill();
                rig.unwish(wish);
                assert_eq!(rig.start().await, Start::Up);
            } else {
                rig.unwish(wish);
            }
            while sender.send().await != Fate::Acknowledged {}
            // A collector that has just been started looks at its tables first.
            support::eventually("it is ready", async || {
                (readiness(&rig).await == StatusCode::OK).then_some(())
            })
            .await;
        }
    }
    load.stop().await;
    rig.judge().await;
    assert!(rig.oracle.refused() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_while_the_disk_does_not_answer_is_bounded_and_refused_at_once() {
    let mut rig = Rig::new(&support::servers().0, &[("PASSERBY_SPOOL_WAITING_MAX", "16")]).await;
    assert_eq!(rig.start().await, Start::Up);
    rig.wish("stall", "");
    let sender = Sender::new(&rig.address, &rig.oracle);
    let mut events = JoinSet::new();
    for _ in 0..200 {
        let sender = sender.clone();
        events.spawn(async move { sender.send().await });
    }
    // The disk has at most sixteen in its hands and as many wait; nobody else is kept waiting.
    for _ in 0..200 - 32 {
        assert_eq!(events.join_next().await.unwrap().unwrap(), Fate::Refused);
    }
    let busy = rig.figures().await.labelled("events_rejected_total", "reason=\"spool_busy\"");
    assert!(busy >= 200 - 32, "{busy} were counted as refused");
    rig.unwish("stall");
    while events.join_next().await.is_some() {}
    assert_eq!(sender.send().await, Fate::Acknowledged);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_does_not_answer_is_told_of_and_does_not_keep_the_collector() {
    let mut rig = Rig::new(&support::servers().0, &[]).await;
    assert_eq!(rig.start().await, Start::Up);
    support::eventually("it is ready", async || {
        (readiness(&rig).await == StatusCode::OK).then_some(())
    })
    .await;
    rig.wish("stall", "");
    let sender = Sender::new(&rig.address, &rig.oracle);
    let waiting = tokio::spawn({
        let sender = sender.clone();
        async move { sender.send().await }
    });
    support::eventually("it is not ready any more", async || {
        (readiness(&rig).await == StatusCode::SERVICE_UNAVAILABLE).then_some(())
    })
    .await;
    assert!(rig.figures().await.of("spool_write_seconds") >= 5);
    assert_eq!(sender.send().await, Fate::Refused, "it waits for the disk");
    let failed = rig.figures().await.labelled("events_rejected_total", "spool_failed");
    assert!(failed >= 1, "it is not counted");
    rig.signal(Signal::TERM);
    let begun = Instant::now();
    rig.wait_for_the_end().await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(waiting.await.unwrap(), Fate::Unknown);
    rig.unwish("stall");
    assert_eq!(rig.start().await, Start::Up);
    assert_eq!(sender.send().await, Fate::Acknowledged);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_read_from_the_spool_is_told_of_and_loaded_when_it_can() {
    let mut rig = Rig::new(&support::servers().0, &[]).await;
    assert_eq!(rig.start().await, Start::Up);
    rig.wish("unreadable", "");
    let sender = Sender::new(&rig.address, &rig.oracle);
    assert_eq!(sender.send().await, Fate::Acknowledged);
    rig.until("somebody is called", |it| it.of("inserts_held") == 1).await;
    assert!(rig.figures().await.labelled("insert_failures_total", "unread") >= 1);
    support::eventually("the log says so", async || {
        rig.said().contains("the spool can not be read").then_some(())
    })
    .await;
    rig.unwish("unreadable");
    rig.until("it is loaded", |it| it.of("events_waiting") + it.of("inserts_held") == 0).await;
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loader_that_is_stopped_by_a_fault_is_begun_again_and_loses_nothing() {
    let mut rig = Rig::new(&support::servers().0, &[]).await;
    assert_eq!(rig.start().await, Start::Up);
    let sender = Sender::new(&rig.address, &rig.oracle);
    assert_eq!(sender.send().await, Fate::Acknowledged);
    rig.until("it is loaded", |it| it.of("events_waiting") == 0).await;
    rig.wish("panic", "");
    assert_eq!(sender.send().await, Fate::Acknowledged);
    support::eventually("the log says so", async || {
        let told =
            "a part of the collector was stopped by a fault of Passerby's, and is begun again";
        let said = rig.said();
        said.lines().any(|line| line.contains(told) && line.contains("ClickHouse")).then_some(())
    })
    .await;
    assert_eq!(sender.send().await, Fate::Acknowledged, "beacons are taken meanwhile");
    rig.unwish("panic");
    rig.until("it is loaded", |it| it.of("events_waiting") == 0).await;
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_does_not_answer_what_is_read_keeps_nobody_else_waiting() {
    // What waits for the disk on a thread of the runtime would have the only one.
    let mut rig = Rig::new(&support::servers().0, &[("TOKIO_WORKER_THREADS", "1")]).await;
    assert_eq!(rig.start().await, Start::Up);
    support::eventually("it is ready", async || {
        (readiness(&rig).await == StatusCode::OK).then_some(())
    })
    .await;
    let sender = Sender::new(&rig.address, &rig.oracle);
    rig.wish("mute", "");
    assert_eq!(sender.send().await, Fate::Acknowledged);
    // Metrics tell of the oldest event that waits, which is read.
    let data_dir = rig.data_dir();
    let metrics = tokio::spawn(async move {
        let mut caller = Caller::connect(&data_dir).await.unwrap();
        caller.call(Method::GET, "/metrics", Body::empty()).await.unwrap().0
    });
    let until = Instant::now() + Duration::from_secs(3);
    // By its end the loader has long begun to read.
    while Instant::now() < until {
        let sent = tokio::time::timeout(Duration::from_secs(1), sender.send()).await;
        assert_eq!(sent, Ok(Fate::Acknowledged), "a beacon waits for who reads");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    rig.unwish("mute");
    assert_eq!(metrics.await.unwrap(), StatusCode::OK);
    rig.until("it is loaded", |it| it.of("events_waiting") == 0).await;
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_loses_nothing() {
    let mut rig = Rig::new(&support::servers().0, &[]).await;
    assert_eq!(rig.start().await, Start::Up);
    let sender = Sender::new(&rig.address, &rig.oracle);
    let (hour, day, century) = (3_600_i64, 86_400, 100 * 366 * 86_400);
    // An hour and a day both ways, to about 1970 and before it, and beyond what 32 bits of seconds hold.
    for shift in [0, hour, -hour, day, -day, -1_795_000_000, -century, century, 0] {
        rig.wish("clock", &shift.to_string());
        for _ in 0..20 {
            assert_eq!(sender.send().await, Fate::Acknowledged);
        }
        rig.until("it is stored", |it| it.of("events_waiting") == 0).await;
    }
    rig.kill();
    assert_eq!(rig.start().await, Start::Up);
    rig.judge_table().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_ahead_at_the_start_removes_nothing() {
    let mut rig = Rig::new(&support::servers().0, &[]).await;
    assert_eq!(rig.start().await, Start::Up);
    rig.run(&["site", "add", "example.com", "--retention-days", "30"]);
    let sender = Sender::new(&rig.address, &rig.oracle);
    assert_eq!(sender.send().await, Fate::Acknowledged);
    rig.settle().await;
    rig.terminate();
    rig.wish("clock", &(60 * 86_400).to_string());
    assert_eq!(rig.start().await, Start::Up);
    // What has come to its end is looked for a minute after the start.
    support::within(LONG_PATIENCE, "the clock is doubted", async || {
        (rig.figures().await.of("retention_held") == 1).then_some(())
    })
    .await;
    support::eventually("the log says so", async || {
        rig.said().contains("because the clock may be wrong").then_some(())
    })
    .await;
    rig.judge_table().await;
}
