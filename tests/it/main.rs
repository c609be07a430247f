//! The integration tests: the real program against the real engine.
//!
//! - `engine`: the embedded engine as a process, and access to it.
//! - `analyst`: the views, and the dashboards on them.
//! - `collecting`: from beacons to numbers, through restarts.
//! - `migration`: tables of an older version become those of this one.
//! - `query`: what the numbers of a report mean.
//! - `refusals`: what is wrong is said, and nothing else is lost by it.
//! - `import`: files of events, and the demo.
//! - `backup`: out of one database and into another.
//! - `deployment`: the files of `deploy/`, as far as they need the engine or the program.
//! - `leak`: no address and no user agent in anything that is written.
//! - `licences`: the licences of what is used.
//! - `scaling`: several collectors.
//! - `tls`: TLS and HTTP/2.
//! - `wall`: the rules of the sources that keep it so.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod analyst;
mod backup;
mod collecting;
mod deployment;
mod engine;
mod import;
mod leak;
mod licences;
mod migration;
mod query;
mod refusals;
mod scaling;
mod support;
mod tls;
mod wall;
