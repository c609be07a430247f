//! Who sent a request, as values that cannot be shown.

#![expect(clippy::disallowed_types, reason = "this is the module that the ban protects")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::body::Body;

use super::networks::NetworkKey;
use super::signal::Signal;
use super::way::Way;

/// The longest part of a user agent that is looked at, in bytes.
const AGENT_BYTES_MAX: usize = 512;

/// Everything that a request tells of who sent it.
pub struct Client {
    /// The address.
    pub ip: ClientIp,
    /// The user agent.
    pub agent: UserAgent,
    /// Whether the visitor objects.
    pub signal: Signal,
    /// What a trusted proxy says of the network.
    pub network: Network,
    /// The network that limits count it to; nobody's, where there are none for it.
    pub limited_as: Option<NetworkKey>,
    /// How the address was found, where the request asks for that.
    pub way: Option<Box<Way>>,
}

impl Client {
    /// The address that was worked out, as the answer to the one who sent the request: an administrator
    /// who sets up proxies. It goes into the body of that answer and nowhere else.
    pub fn told_back(self) -> Body {
        Body::from(self.ip.0.to_string())
    }
}

/// A visitor's address.
///
/// It is consumed once: by [`super::Wall::cross`] or, where its owner asked for it, by
/// [`Client::told_back`]. It is in a box, so that it is not copied wherever the request goes; the box is
/// wiped when it is freed.
pub struct ClientIp(Box<IpAddr>);

/// An address of which only the leading bits are left.
pub(super) enum Truncated {
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

impl ClientIp {
    pub(super) fn new(address: IpAddr) -> Self {
        Self(Box::new(address.to_canonical()))
    }

    pub(super) fn truncate(self, ipv4_prefix: u8, ipv6_prefix: u8) -> Truncated {
        truncated(*self.0, ipv4_prefix, ipv6_prefix)
    }

    #[cfg(test)]
    pub(super) fn is(&self, address: &str) -> bool {
        address.parse() == Ok(*self.0)
    }
}

/// The leading bits of an address.
pub(super) fn truncated(address: IpAddr, ipv4_prefix: u8, ipv6_prefix: u8) -> Truncated {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(ipv4_prefix)).unwrap_or(0);
            Truncated::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(ipv6_prefix)).unwrap_or(0);
            Truncated::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

impl Truncated {
    pub(super) fn address(&self) -> IpAddr {
        match *self {
            Self::V4(address) => address.into(),
            Self::V6(address) => address.into(),
        }
    }

    /// The bytes that are hashed: 4 or 16.
    pub(super) fn with_bytes<T>(&self, use_bytes: impl FnOnce(&[u8]) -> T) -> T {
        match self {
            Self::V4(address) => use_bytes(&address.octets()),
            Self::V6(address) => use_bytes(&address.octets()),
        }
    }
}

/// The text of a `User-Agent` header.
pub struct UserAgent(Box<str>);

impl UserAgent {
    pub(super) fn new(header: &[u8]) -> Self {
        let header = &header[..header.len().min(AGENT_BYTES_MAX)];
        let text = std::str::from_utf8(header).map(Box::from);
        Self(text.unwrap_or_else(|_| String::from_utf8_lossy(header).into()))
    }

    /// The text, for telling browsers and bots apart. It must not be kept.
    pub fn read(&self) -> &str {
        &self.0
    }
}

/// What a trusted proxy says of the network that an address belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Nothing.
    Unknown,
    /// It is a data centre's: no person is there.
    DataCentre,
    /// It is an anonymising one's: the address tells no place.
    AnonymousVpn,
}

#[cfg(test)]
mod tests {
    use static_assertions::assert_not_impl_any;

    use super::*;

    assert_not_impl_any!(ClientIp: std::fmt::Debug, std::fmt::Display, Clone, Copy, PartialEq, std::hash::Hash, serde::Serialize, ToString);
    assert_not_impl_any!(Truncated: std::fmt::Debug, std::fmt::Display, Clone, Copy, PartialEq, std::hash::Hash, serde::Serialize);
    assert_not_impl_any!(UserAgent: std::fmt::Debug, std::fmt::Display, Clone, Copy, PartialEq, std::hash::Hash, serde::Serialize, AsRef<str>);
    assert_not_impl_any!(Client: std::fmt::Debug, std::fmt::Display, Clone, Copy, PartialEq, std::hash::Hash, serde::Serialize);

    fn truncated(address: &str, ipv4_prefix: u8, ipv6_prefix: u8) -> String {
        ClientIp::new(address.parse().unwrap())
            .truncate(ipv4_prefix, ipv6_prefix)
            .address()
            .to_string()
    }

    #[test]
    fn only_the_leading_bits_are_left() {
        for (address, expected) in [
            ("192.0.2.77", "192.0.2.0"),
            ("::ffff:192.0.2.77", "192.0.2.0"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ] {
            assert_eq!(truncated(address, 24, 48), expected);
        }
        assert_eq!(truncated("255.255.255.255", 8, 48), "255.0.0.0");
        assert_eq!(truncated("192.0.2.77", 32, 128), "192.0.2.77");
        assert_eq!(truncated("2001:db8::1", 32, 128), "2001:db8::1");
    }

    #[test]
    fn a_user_agent_is_cut_to_a_length_that_can_be_looked_at() {
        assert_eq!(UserAgent::new(&[b'a'; 10_000]).read().len(), AGENT_BYTES_MAX);
        assert!(
            UserAgent::new(b"\xff\xfe").read().chars().all(|character| character == '\u{fffd}')
        );
    }
}
