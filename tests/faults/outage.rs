//! ClickHouse is away for long, and events wait on the disk: not in memory, and not for long when it is
//! back. `make faults TEST=outage ROUNDS=60` is an hour's outage.

use std::time::{Duration, Instant};

use crate::load::{Load, Sender, Times};
use crate::oracle::Fate;
use crate::proxy::Mode;
use crate::rig::{LONG_PATIENCE, Rig, Start};
use crate::{option, support};

/// The most memory that a backlog may cost, in MiB: less than waits.
const MEMORY_MAX: u64 = 32;
/// What waits in the short form, in bytes, when memory is looked at for the first and for the last time: what
/// is under way at once has its place by then.
const SHORT_BACKLOG: (u64, u64) = (48 << 20, 144 << 20);
/// One of so many beacons may be without an answer.
const UNANSWERED_ONE_OF: usize = 10_000;
/// How many times quicker than it comes a backlog is loaded.
const DRAIN_MIN: u64 = 10;

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_on_the_disk_and_is_loaded_while_more_comes() {
    let minutes = option("PASSERBY_FAULTS_ROUNDS");
    let settings =
        [("PASSERBY_SPOOL_SEGMENT_BYTES", "16777216"), ("PASSERBY_SPOOL_BYTES_MAX", "10737418240")];
    let mut rig = Rig::new(&support::servers().0, &settings).await;
    assert_eq!(rig.start().await, Start::Up);
    let rate = if minutes.is_some() { 500 } else { 50 };
    let load = Load::start(&rig.address, &rig.oracle, rate);
    // In the short form long events come beside the others, sixty kilobytes each, so that as much waits.
    let long_events = Sender::of_long_events(&rig.address, &rig.oracle);
    let long_load = minutes.is_none().then(|| Load::of(long_events, 100));
    tokio::time::sleep(Duration::from_secs(2)).await;
    println!("before: {}", load.answers.take().told(Fate::Acknowledged));

    rig.proxy.set(Mode::Refuse);
    let (away, mut memory) = (Instant::now(), Vec::new());
    let long = minutes.map(|minutes| Duration::from_secs(minutes * 60));
    loop {
        tokio::time::sleep(long.map_or(Duration::from_secs(1), |long| long / 8)).await;
        let bytes = rig.figures().await.of("spool_bytes");
        if long.is_some() || bytes >= SHORT_BACKLOG.0 {
            memory.push(rig.memory());
        }
        let is_over = match long {
            Some(long) => away.elapsed() >= long,
            None => bytes >= SHORT_BACKLOG.1,
        };
        if is_over {
            break;
        }
        assert!(long.is_some() || away.elapsed() < LONG_PATIENCE, "too little comes");
    }
    if let Some(load) = long_load {
        load.stop().await;
    }
    let waited = rig.figures().await;
    let (backlog, bytes) = (waited.of("events_waiting"), waited.of("spool_bytes"));
    let answers = load.answers.take();
    // A machine that is busy sends less than it should: what came is what counts.
    let lasts = away.elapsed();
    let came = (answers.count(Fate::Acknowledged) as u64 / lasts.as_secs()).max(1);
    println!(
        "away for {lasts:.0?}: {backlog} events wait, {} MiB; memory {memory:?} MiB; {}",
        bytes >> 20,
        answers.told(Fate::Acknowledged)
    );
    check_answers(&answers);
    assert!(bytes >> 20 > MEMORY_MAX, "the backlog is too small to be seen in memory");
    let (least, most) = (memory.iter().min().unwrap(), memory.iter().max().unwrap());
    assert!(most - least <= MEMORY_MAX, "memory grows with what waits: {memory:?} MiB");

    let (begun, stored) = (Instant::now(), waited.of("events_stored_total"));
    rig.proxy.set(Mode::Pass);
    // The collector tries again now and then; the loading is measured from its first success.
    rig.until("it is loaded again", |it| it.of("events_stored_total") > stored).await;
    let (first, at_first) = (Instant::now(), rig.figures().await.of("events_stored_total"));
    let is_short = came * 3;
    while rig.figures().await.of("events_waiting") > is_short {
        assert!(begun.elapsed() < LONG_PATIENCE + lasts, "the backlog is not loaded");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let loaded = rig.figures().await.of("events_stored_total") - at_first;
    let a_second = loaded * 1_000 / first.elapsed().as_millis().max(1) as u64;
    let answers = load.answers.take();
    println!(
        "back: {loaded} events loaded in {:.1?}, {a_second} a second, {} times what comes; memory {} MiB; {}",
        first.elapsed(),
        a_second / came,
        rig.memory(),
        answers.told(Fate::Acknowledged)
    );
    check_answers(&answers);
    load.stop().await;
    if minutes.is_some() {
        assert!(a_second >= DRAIN_MIN * came, "{a_second} events a second, and {came} came");
        rig.judge_table().await;
    } else {
        rig.judge().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_goes_on_when_clickhouse_was_away_for_a_moment_and_counts_once() {
    const LINES: u64 = 2_000;
    let mut rig = Rig::new(&support::servers().0, &[]).await;
    assert_eq!(rig.start().await, Start::Up);
    let line = |number: u64| {
        let time = format!("2026-03-{:02}T10:00:00Z", 1 + number % 20);
        format!(
            r#"{{"site":"example.com","timestamp":"{time}","visitor":"{number}","pathname":"/"}}"#
        )
    };
    let file = rig.data_dir().join("events.jsonl");
    std::fs::write(&file, (0..LINES).map(line).collect::<Vec<_>>().join("\n")).unwrap();
    // Of the first inserts the answers are lost, and then nobody answers for a while.
    rig.proxy.set(Mode::Cut { request: None, answer: Some(1) });
    let imported = tokio::task::block_in_place(|| {
        std::thread::scope(|threads| {
            let importing = threads.spawn(|| rig.try_run(&["import", file.to_str().unwrap()]));
            std::thread::sleep(Duration::from_millis(500));
            rig.proxy.set(Mode::Refuse);
            std::thread::sleep(Duration::from_secs(2));
            rig.proxy.set(Mode::Pass);
            importing.join().unwrap()
        })
    });
    let said = String::from_utf8_lossy(&imported.stderr).into_owned();
    assert!(imported.status.success(), "{said}");
    assert!(said.contains(&format!("{LINES} events were taken in.")), "{said}");
    assert!(rig.proxy.harm.load(std::sync::atomic::Ordering::Relaxed) > 0, "nothing was cut");
    let told = ["query", "example.com", "events", "--period", "2026-03-01,2026-03-31", "--json"];
    let told: serde_json::Value = serde_json::from_slice(&rig.try_run(&told).stdout).unwrap();
    assert_eq!(told["results"][0]["metrics"], serde_json::json!([LINES]));
}

/// An outage refuses nobody. That a connection ends between two beacons may cost one of many its answer.
fn check_answers(answers: &Times) {
    let (refused, unknown) = (answers.count(Fate::Refused), answers.count(Fate::Unknown));
    println!("{refused} refused, {unknown} without an answer");
    assert_eq!(refused, 0, "some are refused");
    assert!(unknown * UNANSWERED_ONE_OF <= answers.all(), "{unknown} have no answer");
}
