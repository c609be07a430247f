//! How the address of a client was found, in words that tell no address: for whoever sets up proxies.

#![expect(clippy::disallowed_types, reason = "this is the module that the ban protects")]

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// How an address was found.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Way {
    /// Whether the other end of the connection is one of the proxies that are believed.
    pub is_peer_trusted: bool,
    /// Where the other end of the connection is.
    pub peer: Reach,
    /// The port at the other end. Whoever sent the request knows its own, and so whether somebody stands between.
    pub peer_port: u16,
    /// The first header that forwards an address, whether it is believed or not.
    pub header: Option<String>,
    /// How many addresses the header has before the one that counts, when it is believed and can be read.
    pub hops_before: Option<usize>,
    /// Where the address is that counts.
    pub client: Reach,
}

/// Where an address is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// On this machine, or in a network of its own.
    Private,
    /// In the world.
    Public,
}

impl Reach {
    pub(super) fn of(address: IpAddr) -> Self {
        let is_private = match address.to_canonical() {
            IpAddr::V4(address) => {
                // 100.64.0.0/10 is shared by the customers of a provider (RFC 6598).
                let [first, second, ..] = address.octets();
                let is_shared = first == 100 && second & 0xc0 == 64;
                is_shared
                    || address.is_private()
                    || address.is_loopback()
                    || address.is_link_local()
            }
            IpAddr::V6(address) => {
                address.is_loopback()
                    || address.is_unique_local()
                    || address.is_unicast_link_local()
            }
        };
        if is_private { Self::Private } else { Self::Public }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An address of each kind of network that nobody routes.
    pub(in crate::privacy) const PRIVATE: [&str; 10] = [
        "127.0.0.1",
        "10.1.2.3",
        "172.31.0.1",
        "192.168.0.1",
        "169.254.0.1",
        "100.64.0.1",
        "::1",
        "fd00::1",
        "fe80::1",
        "::ffff:10.0.0.1",
    ];

    #[test]
    fn the_networks_that_nobody_routes_are_private() {
        for address in PRIVATE {
            assert_eq!(Reach::of(address.parse().unwrap()), Reach::Private, "{address}");
        }
        for address in ["192.0.2.1", "172.32.0.1", "100.128.0.1", "2001:db8::1", "::ffff:192.0.2.1"]
        {
            assert_eq!(Reach::of(address.parse().unwrap()), Reach::Public, "{address}");
        }
    }
}
