//! The wall: the only code that sees an address, and the only door to a raw user agent.
//!
//! A connection comes in through [`Listener`]; its address stays inside of an opaque [`Peer`].
//! [`Proxies`] makes a [`Client`] of it and of the forwarding headers, which it takes off the
//! request. [`Wall::cross`] consumes the [`ClientIp`]: it is truncated, and gone. What comes
//! out on the other side is a [`Place`] and, through the day's [`Salts`], a visitor id.
//!
//! What keeps the promise:
//! - [`ClientIp`], [`UserAgent`] and the salts can be neither shown, copied, compared nor serialised;
//!   compile-time checks in `client.rs` and `salt.rs` say so.
//! - `clippy.toml` bans address types, `accept` and `peer_addr` everywhere else; so does a test over
//!   the sources (`tests/it/wall.rs`).
//! - The leak test (`tests/it/leak.rs`) looks for known addresses and agents in everything a running
//!   collector writes.

mod canary;
mod client;
mod geo;
mod listener;
mod networks;
mod process;
mod proxies;
mod salt;
mod signal;
mod visitor;
mod wall;
mod way;

pub use canary::{Canary, CanaryError};
pub use client::{Client, ClientIp, Network, UserAgent};
pub use geo::{Geo, GeoError, Place};
pub use listener::{Bound, Listener, Peer};
pub use networks::NetworkKey;
pub use process::harden_process;
pub use proxies::{ForwardingHeader, PersonHeader, Proxies};
pub use salt::{Ledger, SaltStore, Salts};
pub use signal::{OnObjection, Signal};
pub use visitor::Recognised;
pub use wall::{Crossing, Prefixes, Wall};
pub use way::{Reach, Way};
