//! Passerby counts the visits to a web site and forgets the visitors.
//!
//! # Layout
//!
//! A beacon goes down this list and becomes a row; a question goes down it and becomes a report.
//!
//! - [`cli`]: the commands; [`config`]: what the operator chose; [`app`]: wires the parts and stops them.
//! - [`http`]: connections, routes and authorisation; [`web`]: pages for people.
//! - [`notices`]: reports by mail, and alerts.
//! - [`privacy`]: the wall: the only code that sees an address.
//! - [`beacon`]: the wire form of an event; [`judge`]: why a beacon is not counted;
//!   [`enrich`]: what browser, system, source, channel and language it tells of.
//! - [`limits`]: what one network or site may take of the collector.
//! - [`session`]: the open visits, in memory; [`event`]: the stored row.
//! - [`ingest`]: the seven steps of a beacon, in their order; [`import`]: the same for a file of events;
//!   [`export`]: a file of events from what is stored.
//! - [`erasure`]: takes events out of everything again.
//! - [`spool`]: the durable log; [`store`]: ClickHouse: engine, schema, loader, reader, catalog.
//! - [`query`]: wire query → [`query::Query`] → statement; [`report`]: the answers.
//! - [`script`]: the page scripts: names, choices, hashes.
//! - [`record`]: the papers of a site's privacy, from its configuration and the schema.
//! - [`demo`]: a year of believable traffic.
//! - [`access_log`]: who read what; [`sign_in`]: signing people in with a provider.
//! - `apart`: work that may wait for a disk, apart from the threads that answer.
//! - `through`: work that goes on when whoever asked for it goes away.
//! - `outgoing`: requests to servers elsewhere; `whole_file`: files that are replaced as a whole; `hex`: hexadecimal digits.
//! - [`site`], [`clock`], [`telemetry`]: the vocabulary that the others share.
//! - `faults`: faults on demand, in debug builds alone, for `tests/faults`.

pub mod access_log;
mod apart;
pub mod app;
pub mod beacon;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod enrich;
pub mod erasure;
pub mod event;
pub mod export;
#[cfg(debug_assertions)]
pub mod faults;
mod hex;
pub mod http;
pub mod import;
pub mod ingest;
pub mod judge;
pub mod limits;
pub mod notices;
mod outgoing;
pub mod privacy;
pub mod query;
pub mod record;
pub mod report;
pub mod script;
pub mod session;
pub mod sign_in;
pub mod site;
pub mod spool;
pub mod store;
pub mod telemetry;
mod through;
pub mod web;
mod whole_file;
