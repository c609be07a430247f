//! More beacons than the collector takes.
//!
//! What it takes is set by a disk that is slow and a queue that is short, so that it is the same on every
//! machine; and it is measured in the same run before five times as much is sent.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::load::{Load, Sender};
use crate::oracle::Fate;
use crate::rig::{Rig, Start};
use crate::support::PATIENCE;
use crate::{option, support};

/// What a write takes, and how many events wait for it: eighty events a second.
const WRITE: Duration = Duration::from_millis(200);
const WAITING_MAX: usize = 16;
/// How many times as much is sent.
const OVERLOAD: u32 = 5;
/// Of what it takes, as many hundredths it takes when more is sent.
const GOODPUT_PERCENT: usize = 70;
/// The most memory that the overload may cost, in MiB.
const MEMORY_MAX: u64 = 64;
/// How long it may take until answers are as quick as before.
const RECOVERY_MAX: Duration = Duration::from_secs(5);

/// How many events a second are accepted from senders who wait for their answers.
async fn capacity(sender: &Sender, while_for: Duration) -> u32 {
    let begun = Instant::now();
    let mut senders = JoinSet::new();
    // As many as the disk has in its hands, and as many as may wait for it.
    for _ in 0..2 * WAITING_MAX {
        let sender = sender.clone();
        senders.spawn(async move {
            while begun.elapsed() < while_for {
                sender.send().await;
            }
        });
    }
    while senders.join_next().await.is_some() {}
    let accepted = sender.answers.take().count(Fate::Acknowledged);
    u32::try_from(accepted).unwrap() * 1_000 / begun.elapsed().as_millis() as u32
}

/// How long it takes from now on until an event is accepted within three writes: one may be under way, one is its
/// own, and the third is for what a busy machine adds.
async fn recovery(sender: &Sender) -> Duration {
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE, "answers stay slow");
        let sent = Instant::now();
        if sender.send().await == Fate::Acknowledged && sent.elapsed() < 3 * WRITE {
            return begun.elapsed();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_times_what_it_takes_is_refused_quickly_and_what_it_takes_stays() {
    let seconds = option("PASSERBY_FAULTS_ROUNDS").unwrap_or(4);
    let waiting_max = WAITING_MAX.to_string();
    let settings = [("PASSERBY_SPOOL_WAITING_MAX", waiting_max.as_str())];
    let mut rig = Rig::new(&support::servers().0, &settings).await;
    assert_eq!(rig.start().await, Start::Up);
    rig.wish("slow", &WRITE.as_millis().to_string());
    let sender = Sender::new(&rig.address, &rig.oracle);
    let capacity = capacity(&sender, Duration::from_secs(seconds)).await;
    let (memory, before) = (rig.memory(), rig.figures().await);

    let begun = Instant::now();
    let load = Load::of(sender.clone(), OVERLOAD * capacity);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let most = rig.memory();
    load.stop().await;
    let lasted = begun.elapsed();
    let recovered = recovery(&Sender::new(&rig.address, &rig.oracle)).await;

    let answers = sender.answers.take();
    let of_capacity =
        |events: usize| events * 100_000 / lasted.as_millis() as usize / capacity as usize;
    let (sent, goodput) =
        (of_capacity(answers.all()), of_capacity(answers.count(Fate::Acknowledged)));
    println!(
        "{capacity} events a second; {sent} % of it sent for {lasted:.1?}, {goodput} % accepted; {}; {}; \
         memory {memory} MiB, then {most} MiB; recovered in {recovered:.1?}",
        answers.told(Fate::Acknowledged),
        answers.told(Fate::Refused),
    );
    assert!(sent >= 200, "that was no overload: {sent} % were sent");
    assert!(goodput >= GOODPUT_PERCENT, "of what it takes, {goodput} % were left");
    assert_eq!(answers.count(Fate::Unknown), 0, "each is answered");
    let (accepted, refused) =
        (answers.percentile(Fate::Acknowledged, 50), answers.percentile(Fate::Refused, 50));
    assert!(refused < accepted / 2, "{refused:?} for a refusal, {accepted:?} for an answer");
    assert!(most <= memory + MEMORY_MAX, "memory has grown from {memory} to {most} MiB");
    assert!(recovered < RECOVERY_MAX, "answers were slow for {recovered:?}");

    let busy = |figures: &crate::rig::Figures| {
        figures.labelled("events_rejected_total", "reason=\"spool_busy\"")
    };
    let counted = busy(&rig.figures().await) - busy(&before);
    assert_eq!(counted, answers.count(Fate::Refused) as u64, "each refusal is counted");
    rig.unwish("slow");
    rig.judge().await;
}
