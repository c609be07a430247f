//! Which network of addresses somebody is in, for limits, as a number that means nothing elsewhere.

#![expect(clippy::disallowed_types, reason = "this is the module that the ban protects")]

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use super::client::truncated;
use super::wall::Prefixes;
use super::way::Reach;

/// What belongs together for limits: a network of 256 addresses, or in IPv6 what a customer is given. Fewer
/// bits are used where the operator wants fewer.
const IPV4_PREFIX: u8 = 24;
const IPV6_PREFIX: u8 = 48;

/// A network. It is a hash, keyed anew in each process, of the leading bits of an address; it can be
/// compared, and neither shown nor stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NetworkKey(u64);

/// Tells networks apart.
pub(super) struct Networks {
    prefixes: Prefixes,
    hasher: RandomState,
}

impl Networks {
    /// Uses no more of an address than the operator wants to be used at all.
    pub(super) fn new(used: Prefixes) -> Self {
        let prefixes =
            Prefixes { ipv4: used.ipv4.min(IPV4_PREFIX), ipv6: used.ipv6.min(IPV6_PREFIX) };
        Self { prefixes, hasher: RandomState::new() }
    }

    /// The network of an address. Those of this machine and of private networks are none: whoever comes from
    /// there is a proxy that nobody configured, and all visitors at once, or belongs to the operator.
    pub(super) fn of(&self, address: IpAddr) -> Option<NetworkKey> {
        let address = address.to_canonical();
        let key = || {
            truncated(address, self.prefixes.ipv4, self.prefixes.ipv6)
                .with_bytes(|bits| NetworkKey(self.hasher.hash_one(bits)))
        };
        (Reach::of(address) == Reach::Public).then(key)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use static_assertions::assert_not_impl_any;

    use super::*;

    assert_not_impl_any!(NetworkKey: std::fmt::Debug, std::fmt::Display, serde::Serialize);

    fn networks() -> Networks {
        Networks::new(Prefixes::default())
    }

    #[test]
    fn a_network_is_its_leading_bits() {
        let networks = networks();
        let same = |one: &str, other: &str| {
            networks.of(one.parse().unwrap()) == networks.of(other.parse().unwrap())
        };
        assert!(same("192.0.2.1", "192.0.2.254"));
        assert!(same("192.0.2.1", "::ffff:192.0.2.9"));
        assert!(same("2001:db8:1::1", "2001:db8:1:ffff:ffff:ffff:ffff:ffff"));
        assert!(!same("192.0.2.1", "192.0.3.1"));
        assert!(!same("2001:db8:1::1", "2001:db8:2::1"));
    }

    #[test]
    fn the_64_bit_networks_of_a_customer_are_one() {
        let networks = networks();
        let address = |network: u16| std::net::Ipv6Addr::new(0x2001, 0xdb8, 7, network, 0, 0, 0, 1);
        let all: HashSet<_> =
            (0..=u16::MAX).map(|network| networks.of(address(network).into())).collect();
        assert_eq!(all.len(), 1);
        // The control: without shortening, each would have been one of its own.
        let whole = Networks { prefixes: Prefixes { ipv4: 32, ipv6: 64 }, ..networks };
        let all: HashSet<_> =
            (0..=u16::MAX).map(|network| whole.of(address(network).into())).collect();
        assert_eq!(all.len(), 1 << 16);
    }

    #[test]
    fn nothing_that_is_not_public_is_limited() {
        let networks = networks();
        for address in super::super::way::tests::PRIVATE {
            assert!(networks.of(address.parse().unwrap()).is_none(), "{address}");
        }
        assert!(networks.of("192.0.2.1".parse().unwrap()).is_some());
    }

    #[test]
    fn fewer_bits_are_used_where_the_operator_wants_fewer() {
        let networks = Networks::new(Prefixes { ipv4: 16, ipv6: 128 });
        let of = |address: &str| networks.of(address.parse().unwrap());
        assert!(of("192.0.2.1") == of("192.0.77.1"));
        assert!(of("2001:db8:1::1") == of("2001:db8:1:2::1"));
    }

    #[test]
    fn two_processes_know_a_network_by_different_keys() {
        let address = "192.0.2.1".parse().unwrap();
        assert!(networks().of(address) != networks().of(address));
    }
}
