//! The integration tests: the real program against the real engine.
//!
//! - `engine`: the embedded engine as a process, and access to it.
//! - `collecting`: from beacons to numbers, through restarts.
//! - `query`: what the numbers of a report mean.
//! - `check_page`: what is wrong with a page's tag is said.
//! - `refusals`: what is wrong is said, and nothing else is lost by it.
//! - `import`: files of events, and the demo.
//! - `leak`: no address and no user agent in anything that is written.
//! - `licences`: the licences of what is used.
//! - `wall`: the rules of the sources that keep it so.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod check_page;
mod collecting;
mod engine;
mod import;
mod leak;
mod licences;
mod query;
mod refusals;
mod support;
mod wall;
