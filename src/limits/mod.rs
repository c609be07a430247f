//! What one network, or one site, may take of the collector.
//!
//! Anybody may send beacons, so that whoever wants to can send many. A limit cannot tell a forged beacon
//! from an honest one; it bounds what a single source can spoil, and leaves the rest to the others.
//! Everything here has a fixed size, whatever arrives, and knows networks by a [`NetworkKey`] alone.
//!
//! [`NetworkKey`]: crate::privacy::NetworkKey

mod crowd;
mod rate;

pub use crowd::{Crowd, Seat};
pub use rate::Rate;
