//! The integration tests: the real program against the real engine.
//!
//! - `engine`: the embedded engine as a process, and access to it.
//! - `collecting`: from beacons to numbers, through restarts.
//! - `deletion`: what is erased, and what is kept no longer, is gone.
//! - `query`: what the numbers of a report mean.
//! - `refusals`: what is wrong is said, and nothing else is lost by it.
//! - `import`: files of events, and the demo.
//! - `leak`: no address and no user agent in anything that is written, answered or kept in memory.
//! - `linking`: a visitor id tells nothing when its salt is gone; `attack` is the attempt.
//! - `audit`: what an operator asks of privacy, and is told.
//! - `licences`: the licences of what is used.
//! - `visitor`: the page of those who are counted, and their objections.
//! - `wall`: the rules of the sources that keep it so.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../attack/attack.rs"]
mod attack;
mod audit;
mod collecting;
mod deletion;
mod engine;
mod import;
mod leak;
mod licences;
mod linking;
mod query;
mod refusals;
mod support;
mod visitor;
mod wall;
