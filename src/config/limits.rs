//! `[limits]`: what one network or site may take.

use serde::Deserialize;

/// `[limits]`; 0 is no limit.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The most events a minute of one network (IPv4 /24, IPv6 /48).
    pub events_per_network: u32,
    /// The most events a minute for one site.
    pub events_per_site: u32,
    /// The most connections of one network that are open at once.
    pub connections_per_network: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { events_per_network: 600, events_per_site: 0, connections_per_network: 256 }
    }
}
