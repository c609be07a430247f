//! The integration tests: the real program against the real engine.
//!
//! - `engine`: the embedded engine as a process, and access to it.
//! - `catalog`: what is set up, over HTTP and by the commands.
//! - `abuse`: what somebody sends who means harm.
//! - `analyst`: the views, and the dashboards on them.
//! - `asking`: the routes of questions.
//! - `collecting`: from beacons to numbers, through restarts.
//! - `migration`: tables of an older version become those of this one.
//! - `deletion`: what is erased, and what is kept no longer, is gone.
//! - `query`: what the numbers of a report mean.
//! - `check_page`: what is wrong with a page's tag is said.
//! - `refusals`: what is wrong is said, and nothing else is lost by it.
//! - `block`: rows, sent as columns.
//! - `backup`: out of one database and into another.
//! - `differencing`: many answers tell no small number.
//! - `deployment`: the files of `deploy/`, as far as they need the engine or the program.
//! - `import`: files of events, and the demo; `export`: the way back.
//! - `formats`: the forms of a report.
//! - `leak`: no address and no user agent in anything that is written, answered or kept in memory.
//! - `accuracy_page`: how right visitors and visits are; `accuracy` is the simulator.
//! - `linking`: a visitor id tells nothing when its salt is gone; `attack` is the attempt.
//! - `audit`: what an operator asks of privacy, and is told.
//! - `profile`: what a profile leaves of a visit, and what is counted of visitors who are asked.
//! - `limits`: what one report may use.
//! - `members`: who signs in, and what a role permits.
//! - `licences`: the licences of what is used.
//! - `scaling`: several collectors.
//! - `sharing`: shared links, public sites, and the log of who read what.
//! - `openapi`: the list of the API's routes.
//! - `notices`: reports by mail and alerts, with a real mail server.
//! - `nginx`: a proxy, for those who need one.
//! - `visitor`: the page of those who are counted, and their objections.
//! - `threats`: the list of threats names tests that there are.
//! - `throttle`: what one network or site may send.
//! - `tiers`: days that are added up have the same numbers as if all had been counted.
//! - `tls`: TLS and HTTP/2.
//! - `wall`: the rules of the sources that keep it so.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod abuse;
#[path = "../accuracy/mod.rs"]
mod accuracy;
mod accuracy_page;
mod analyst;
mod asking;
#[path = "../attack/attack.rs"]
mod attack;
mod audit;
mod backup;
mod block;
mod catalog;
mod check_page;
mod collecting;
mod deletion;
mod deployment;
mod differencing;
mod engine;
mod export;
mod formats;
mod import;
mod leak;
mod licences;
mod limits;
mod linking;
mod members;
mod migration;
mod nginx;
mod notices;
mod openapi;
mod profile;
mod query;
mod refusals;
mod scaling;
mod sharing;
mod support;
mod threats;
mod throttle;
mod tiers;
mod tls;
mod visitor;
mod wall;
