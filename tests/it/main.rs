//! The integration tests: the real program against the real engine.
//!
//! - `engine`: the embedded engine as a process, and access to it.
//! - `catalog`: what is set up, over HTTP and by the commands.
//! - `analyst`: the views, and the dashboards on them.
//! - `asking`: the routes of questions.
//! - `collecting`: from beacons to numbers, through restarts.
//! - `query`: what the numbers of a report mean.
//! - `refusals`: what is wrong is said, and nothing else is lost by it.
//! - `import`: files of events, and the demo; `export`: the way back.
//! - `formats`: the forms of a report.
//! - `leak`: no address and no user agent in anything that is written.
//! - `licences`: the licences of what is used.
//! - `openapi`: the list of the API's routes.
//! - `wall`: the rules of the sources that keep it so.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod analyst;
mod asking;
mod catalog;
mod collecting;
mod engine;
mod export;
mod formats;
mod import;
mod leak;
mod licences;
mod openapi;
mod query;
mod refusals;
mod support;
mod wall;
