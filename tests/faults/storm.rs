//! Everything at once: the collector, its engine, the network, the disk and the clock, in any order.

use std::time::Duration;

use passerby::store::engine::Engine;
use rand::RngExt;
use rand::rngs::SmallRng;
use rustix::process::Signal;

use crate::load::Load;
use crate::proxy::Mode;
use crate::rig::{LONG_PATIENCE, Rig, Start, send};
use crate::support::{engine_settings, eventually, within};
use crate::{chance, rounds};

/// A long run is judged, and its rows merged, after as many rounds.
const CHAPTER: u64 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_loses_nothing_and_counts_nothing_twice() {
    let mut chance = chance("a storm");
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::start(engine_settings(directory.path())).unwrap();
    let mut rig = Rig::new(&engine.writer(), &[("PASSERBY_SPOOL_BYTES_MAX", "4194304")]).await;
    assert_eq!(rig.start().await, Start::Up);
    let load = Load::start(&rig.address, &rig.oracle, 250);
    for round in 1..=rounds(10) {
        // Each kind once before chance has its way.
        let kind = if round <= KINDS { round - 1 } else { chance.random_range(0..KINDS) };
        harm(&mut rig, &engine, kind, &mut chance).await;
        if round % CHAPTER == 0 {
            load.paused(chapter(&mut rig, &engine)).await;
        }
    }
    load.paused(settle(&rig, &engine)).await;
    load.stop().await;
    rig.judge().await;
    assert!(rig.met.replays > 0, "no event ever waited for a restart: {:?}", rig.met);
    assert!(rig.proxy.harm() > 0, "no connection was harmed");
    drop(rig);
    engine.stop().await;
}

/// Waits until the engine runs, and answers.
async fn answers(rig: &Rig, engine: &Engine) {
    within(LONG_PATIENCE, "the engine runs", async || engine.pid()).await;
    within(LONG_PATIENCE, "it answers", async || rig.store.version().await.ok()).await;
}

/// The engine answers again, and what waited is in it.
async fn settle(rig: &Rig, engine: &Engine) {
    answers(rig, engine).await;
    rig.settle().await;
}

/// What was found by now holds, also when the rest of a long run is not waited for.
async fn chapter(rig: &mut Rig, engine: &Engine) {
    settle(rig, engine).await;
    rig.judge().await;
    rig.merge().await;
}

const KINDS: u64 = 10;

async fn harm(rig: &mut Rig, engine: &Engine, kind: u64, chance: &mut SmallRng) {
    let moment = Duration::from_millis(chance.random_range(50..1_200));
    let a_while = || tokio::time::sleep(moment);
    match kind {
        0 => {
            rig.kill();
            a_while().await;
            assert_eq!(rig.start().await, Start::Up);
        }
        1 => end_of_the_engine(engine),
        2 => {
            end_of_the_engine(engine);
            rig.kill();
            assert_eq!(rig.start().await, Start::Up);
        }
        3 => {
            rig.signal(Signal::STOP);
            a_while().await;
            rig.signal(Signal::CONT);
        }
        4 => {
            if let Some(pid) = engine.pid() {
                send(pid, Signal::STOP);
                a_while().await;
                send(pid, Signal::CONT);
            }
        }
        5 => {
            let before = rig.proxy.harm();
            rig.proxy.set(Mode::CutAnywhere);
            eventually("a connection is harmed", async || {
                (rig.proxy.harm() > before).then_some(())
            })
            .await;
            rig.proxy.set(Mode::Pass);
        }
        6 => wish(rig, "full", "", moment).await,
        7 => wish(rig, "sync", "", moment).await,
        8 => {
            let shift = chance.random_range(-86_400..0);
            wish(rig, "clock", &format!("{shift}"), moment).await;
        }
        _ => {
            let (status, _) = rig.terminate();
            assert!(status.success(), "{status}: {}", rig.said());
            assert_eq!(rig.start().await, Start::Up);
        }
    }
    a_while().await;
}

async fn wish(rig: &Rig, name: &str, text: &str, moment: Duration) {
    rig.wish(name, text);
    tokio::time::sleep(moment).await;
    rig.unwish(name);
}

fn end_of_the_engine(engine: &Engine) {
    if let Some(pid) = engine.pid() {
        send(pid, Signal::KILL);
    }
}

/// Kills of the engine, or of the engine and the collector at once, while inserts are under way.
async fn kill_again_and_again(mut chance: SmallRng, with_the_collector: bool) {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::start(engine_settings(directory.path())).unwrap();
    let mut rig = Rig::new(&engine.writer(), &[]).await;
    assert_eq!(rig.start().await, Start::Up);
    let load = Load::start(&rig.address, &rig.oracle, 250);
    let (kills, mut failures) = (rounds(3), 0);
    for kill in 1..=kills {
        answers(&rig, &engine).await;
        tokio::time::sleep(Duration::from_millis(chance.random_range(0..2_500))).await;
        failures = failures.max(rig.figures().await.of("insert_failures_total"));
        if with_the_collector {
            // It dies before it could notice, while an insert fails, or after that.
            let a_while = Duration::from_millis(chance.random_range(0..50));
            end_of_the_engine(&engine);
            tokio::time::sleep(a_while).await;
            rig.kill();
            assert_eq!(rig.start().await, Start::Up);
        } else {
            end_of_the_engine(&engine);
        }
        if kill % CHAPTER == 0 {
            load.paused(chapter(&mut rig, &engine)).await;
            println!("{kill} kills");
        }
    }
    load.paused(settle(&rig, &engine)).await;
    load.stop().await;
    rig.judge().await;
    failures = failures.max(rig.figures().await.of("insert_failures_total"));
    assert!(failures > 0, "no insert failed in {kills} kills");
    if with_the_collector {
        assert!(rig.met.replays > 0, "no event ever waited for a restart: {:?}", rig.met);
    }
    drop(rig);
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_engine_loses_nothing_and_counts_nothing_twice() {
    kill_again_and_again(chance("kills of the engine"), false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_killed_with_its_engine_loses_nothing_and_counts_nothing_twice() {
    kill_again_and_again(chance("kills of both"), true).await;
}
