//! ClickHouse, the only database.
//!
//! [`engine`] is the embedded one, as a child process; a configured server is reached in the same way.
//! [`client`] is every access to it, `codes` what its errors mean, [`schema`] its tables, [`migration`] the way to them;
//! [`loader`] brings the spool's rows in, `block` as columns, [`catalog`] keeps the sites and tokens, and `deletion` takes
//! rows out again: those that a [`Selection`] names, and those that sites keep no longer;
//! [`backup`] copies it all. `tiers` closes days: reports add up what it has counted.
//! `cluster` is what differs where ClickHouse is more than one server.

mod audit;
pub mod backup;
mod block;
pub mod catalog;
pub mod client;
mod cluster;
mod codes;
mod deletion;
mod detached;
mod disclosure;
pub mod engine;
pub mod loader;
pub mod migration;
pub mod schema;
mod selection;
mod superseded;
mod tiers;

pub use client::{Store, StoreError};
pub use cluster::Cluster;
pub use deletion::{Erased, Leftovers};
pub use detached::Detached;
pub use selection::{Path, Selection};
pub use tiers::Closing;

/// How to reach a ClickHouse over HTTP. It has no `Debug`: it holds a password.
#[derive(Clone)]
pub struct Server {
    /// `http://host:port` or `https://host:port`.
    pub url: String,
    /// The user.
    pub user: String,
    /// The user's password.
    pub password: String,
    /// The database of the tables.
    pub database: String,
}
