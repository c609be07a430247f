//! The collector is killed: at each step of the write path, and at any moment.

use std::time::Duration;

use passerby::faults::Point;
use rand::RngExt;

use crate::load::Load;
use crate::rig::{Rig, Start};
use crate::{chance, rounds, support};

/// Events a second, which a debug build takes on a machine that is busy.
const PACE: u32 = 400;
/// A long run is judged, and its rows merged, after as many kills.
const CHAPTER: u64 = 40;

async fn rig() -> Rig {
    // A spool as small as may be, so that segments leave it during the run.
    Rig::new(&support::servers().0, &[("PASSERBY_SPOOL_BYTES_MAX", "1048576")]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_moment_loses_nothing_and_counts_nothing_twice() {
    let mut chance = chance("kills at any moment");
    let mut rig = rig().await;
    let kills = rounds(14);
    let load = Load::start(&rig.address, &rig.oracle, PACE);
    for kill in 1..=kills {
        assert_eq!(rig.start().await, Start::Up);
        // Long enough for a window to be gathered, sent and committed now and then.
        let moment = Duration::from_millis(chance.random_range(0..1_500));
        tokio::time::sleep(moment).await;
        rig.kill();
        if kill % CHAPTER == 0 {
            assert_eq!(rig.start().await, Start::Up);
            load.paused(async {
                rig.settle().await;
                rig.judge().await;
                rig.merge().await;
            })
            .await;
            rig.kill();
            println!("{kill} kills");
        }
    }
    assert_eq!(rig.start().await, Start::Up);
    load.stop().await;
    rig.judge().await;
    assert!(rig.met.replays > 0, "no event ever waited for a restart: {:?}", rig.met);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_each_step_of_the_write_path_loses_nothing_and_counts_nothing_twice() {
    let mut chance = chance("kills at each step");
    let mut rig = rig().await;
    let load = Load::start(&rig.address, &rig.oracle, PACE);
    for _ in 0..rounds(1) {
        for (point, name) in Point::ALL {
            let times = match point {
                // They are met at the start, when there is a torn tail: it is torn first.
                Point::BeforeRepair | Point::AfterRepair => {
                    die(&mut rig, "torn_write", 2).await;
                    1
                }
                Point::BeforeRotation | Point::AfterRotation => chance.random_range(1..3),
                Point::BeforeRemoval | Point::AfterRemoval => 1,
                Point::BeforeCheckpoint | Point::AfterCheckpoint => chance.random_range(1..3),
                Point::BeforeWrite | Point::TornWrite | Point::AfterWrite | Point::BeforeAnswer => {
                    chance.random_range(1..200)
                }
            };
            die(&mut rig, name, times).await;
        }
        assert_eq!(rig.start().await, Start::Up);
        load.paused(rig.settle()).await;
        rig.merge().await;
        rig.kill();
    }
    // Rows that are merged are not seen to have been repeated: these will be.
    die(&mut rig, "before_checkpoint", 1).await;
    assert_eq!(rig.start().await, Start::Up);
    load.stop().await;
    rig.judge().await;
    let met = &rig.met;
    assert!(met.replays > 0, "no event ever waited for a restart: {met:?}");
    assert!(met.torn > 0, "no torn tail was found: {met:?}");
    assert!(met.repeated > 0, "no batch was sent twice: {met:?}");
}

/// Starts the collector, and waits until it has died at a point.
async fn die(rig: &mut Rig, point: &str, times: u64) {
    rig.wish("kill", &format!("{point} {times}"));
    if rig.start().await == Start::Up {
        rig.wait_for_the_end().await;
    }
    assert!(!rig.wishes("kill"), "it ended at another point than {point}: {}", rig.said());
}
