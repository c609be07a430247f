//! Faults: the real program and the real engine, while somebody tries to break them.
//!
//! What is proved: an event that was answered with 202 is counted, and counted once, in the table and in
//! the reports, whatever happened in between. A run has four parts:
//!
//! - [`oracle`] mints events and remembers which of them were acknowledged;
//! - [`load`] sends them over real connections, at its own pace, and does not wait for answers;
//! - the tests do the harm: through [`rig`] to the collector and the engine, through [`proxy`] to the
//!   connections between the two, and through the wishes of `passerby::faults` to the collector's disk
//!   and clock;
//! - [`judge`] asks ClickHouse and the reports what is there.
//!
//! [`costs`] prints what all of this costs. A release build (`cargo test --release --test faults -- costs`)
//! has the tests that need no faults of the disk: figures are worth more there.
//!
//! A run also has to have met what it is meant to meet (a replay, a torn tail, a batch that was sent
//! twice), or it proves nothing and fails. It prints its seed; PASSERBY_FAULTS_SEED repeats one, and
//! PASSERBY_FAULTS_ROUNDS makes a long run of it (`make faults ROUNDS=1000`).

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and a run says what it has met"
)]
#![cfg_attr(not(debug_assertions), expect(dead_code, reason = "there are no faults of the disk"))]

mod answers;
mod cluster;
mod costs;
#[cfg(debug_assertions)]
mod crashes;
mod cuts;
#[cfg(debug_assertions)]
mod disk;
mod judge;
mod load;
#[path = "../it/nginx.rs"]
mod nginx;
mod oracle;
mod outage;
#[cfg(debug_assertions)]
mod overload;
mod poison;
mod proxy;
mod reports_beside;
mod rig;
mod rows;
mod shards;
mod stopping;
#[cfg(debug_assertions)]
mod storm;
#[expect(dead_code, reason = "the integration tests need more of it")]
#[path = "../it/support.rs"]
mod support;
mod upgrade;

use rand::SeedableRng;
use rand::rngs::SmallRng;

/// What a run can be told.
#[expect(clippy::disallowed_methods, reason = "a test has no configuration but its environment")]
fn option(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

/// How many rounds of harm: `short` of them, unless a long run is asked for.
fn rounds(short: u64) -> u64 {
    option("PASSERBY_FAULTS_ROUNDS").unwrap_or(short)
}

/// Chance that can be repeated.
fn chance(test: &str) -> SmallRng {
    let seed = option("PASSERBY_FAULTS_SEED")
        .unwrap_or_else(|| getrandom::u64().expect("the system has chance"));
    println!("{test}: PASSERBY_FAULTS_SEED={seed}");
    SmallRng::seed_from_u64(seed)
}
