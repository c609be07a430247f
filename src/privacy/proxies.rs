//! Which address a request came from: the connection's, or the one that a trusted proxy forwards.
//!
//! Forwarding headers are believed only of configured networks (nobody, by default): anybody can
//! write them. Of a list, the right-most address that is not itself a trusted proxy's counts, because
//! what stands further left was written by whoever is there.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this is the module that the ban protects"
)]

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header};
use ipnet::IpNet;

use super::client::{Client, ClientIp, Network, UserAgent};
use super::listener::Peer;
use super::signal::Signal;

/// Headers that name the client alone, in the order in which they are believed.
const SINGLE: [&str; 2] = ["x-plausible-ip", "cf-connecting-ip"];
/// Headers that list the way of a request, in the order in which they are believed.
const LISTS: [&str; 2] = ["b-forwarded-for", "x-forwarded-for"];
/// The list with a syntax of its own (RFC 7239).
const FORWARDED: &str = "forwarded";
/// What kind of network the client is in.
const NETWORK: &str = "x-plausible-ip-type";
/// Headers that tell of the client and are not read.
const UNREAD: [&str; 4] = ["x-real-ip", "true-client-ip", "x-client-ip", "fly-client-ip"];

/// The networks whose forwarding headers are believed.
#[derive(Default)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// These networks, and no others.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Who sent a request. The headers that tell of it are removed: nothing later can read them.
    pub fn client(&self, peer: &Peer, headers: &mut HeaderMap) -> Client {
        let is_believed = self.trusts(peer.0);
        let address = if is_believed { self.forwarded(headers) } else { None };
        let network = if is_believed { network(headers) } else { Network::Unknown };
        let client = Client {
            ip: ClientIp::new(address.unwrap_or(peer.0)),
            agent: UserAgent::new(
                headers.get(header::USER_AGENT).map_or(b"", |value| value.as_bytes()),
            ),
            signal: Signal::of(headers),
            network,
        };
        let told =
            SINGLE.iter().chain(&LISTS).chain(&UNREAD).chain([&FORWARDED, &NETWORK, &"user-agent"]);
        for name in told {
            headers.remove(*name);
        }
        client
    }

    fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    fn forwarded(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let first = |name: &&str| text(headers, name).next().and_then(|text| address(&text));
        let hops = |name: &str| {
            let lines: Vec<Cow<'_, str>> = text(headers, name).collect();
            lines.join(",")
        };
        let listed = |name: &&str| self.last_hop(hops(name).split(','));
        let standard = || self.last_hop(hops(FORWARDED).split(',').filter_map(for_parameter));
        let single = SINGLE.iter().find_map(first);
        single.or_else(|| LISTS.iter().find_map(listed)).or_else(standard)
    }

    /// The right-most hop that is not trusted; the left-most when all of them are. A hop that can not
    /// be read ends the search: what stands left of it was not written by a proxy that we know.
    fn last_hop<'a>(&self, hops: impl Iterator<Item = &'a str>) -> Option<IpAddr> {
        let hops: Vec<&str> = hops.collect();
        let mut last = None;
        for hop in hops.into_iter().rev() {
            let Some(address) = address(hop) else { break };
            last = Some(address);
            if !self.trusts(address) {
                break;
            }
        }
        last
    }
}

/// The lines of a header. What is no text is no address either, and is not passed over: a line that a
/// proxy has added its hop to may begin with anything.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
    headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()))
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`, `fe80::1%eth0`, quoted or not.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.split(']').next());
    let text = bracketed.unwrap_or(text);
    let without_zone = text.split('%').next().unwrap_or(text);
    let address = without_zone.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    address.or_else(with_port).map(|address| address.to_canonical())
}

/// The `for` parameter of one element of `Forwarded`.
fn for_parameter(element: &str) -> Option<&str> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value)
    })
}

fn network(headers: &HeaderMap) -> Network {
    match text(headers, NETWORK).next().as_deref() {
        Some("dc_ip") => Network::DataCentre,
        Some("anonymous_vpn_ip") => Network::AnonymousVpn,
        _ => Network::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let line = |&(name, value): &(&str, &str)| {
            (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap())
        };
        lines.iter().map(line).collect()
    }

    fn proxies() -> Proxies {
        Proxies::new(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()])
    }

    #[track_caller]
    fn check(peer: &str, lines: &[(&str, &str)], expected: &str) {
        let client = proxies().client(&Peer(peer.parse().unwrap()), &mut headers(lines));
        assert!(client.ip.is(expected), "{peer} with {lines:?} was not taken for {expected}");
    }

    #[test]
    fn without_headers_the_connection_counts() {
        check("192.0.2.1", &[], "192.0.2.1");
        check("10.0.0.1", &[], "10.0.0.1");
    }

    #[test]
    fn a_proxy_that_is_not_trusted_is_not_believed() {
        for name in SINGLE.iter().chain(&LISTS).chain(&UNREAD) {
            check("192.0.2.1", &[(name, "203.0.113.9")], "192.0.2.1");
        }
        check("192.0.2.1", &[("forwarded", "for=203.0.113.9")], "192.0.2.1");
    }

    #[test]
    fn a_trusted_proxy_is_believed_in_the_order_of_the_headers() {
        let all = [
            ("x-plausible-ip", "203.0.113.1"),
            ("cf-connecting-ip", "203.0.113.2"),
            ("b-forwarded-for", "203.0.113.3"),
            ("x-forwarded-for", "203.0.113.4"),
            ("forwarded", "for=203.0.113.5"),
        ];
        for (first, expected) in
            ["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4", "203.0.113.5"]
                .iter()
                .enumerate()
        {
            check("10.0.0.1", &all[first..], expected);
        }
    }

    #[test]
    fn the_right_most_hop_that_is_not_trusted_counts() {
        check(
            "10.0.0.1",
            &[("x-forwarded-for", "198.51.100.1, 203.0.113.4, 10.0.0.2")],
            "203.0.113.4",
        );
        check(
            "10.0.0.1",
            &[("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "203.0.113.4")],
            "203.0.113.4",
        );
        check("10.0.0.1", &[("x-forwarded-for", "10.0.0.3, 10.0.0.2")], "10.0.0.3");
        check("10.0.0.1", &[("x-forwarded-for", "198.51.100.1, nonsense")], "10.0.0.1");
        check("10.0.0.1", &[("x-forwarded-for", "198.51.100.1, nonsense, 10.0.0.2")], "10.0.0.2");
        check(
            "10.0.0.1",
            &[("forwarded", "for=198.51.100.1;proto=https, for=\"[2001:db8::7]:443\"")],
            "2001:db8::7",
        );
    }

    #[test]
    fn what_can_not_be_read_hides_no_hop_of_a_proxy() {
        let mut headers = headers(&[("x-forwarded-for", "198.51.100.1")]);
        let line = HeaderValue::from_bytes(b"\xff, 203.0.113.4").unwrap();
        headers.append("x-forwarded-for", line);
        let client = proxies().client(&Peer("10.0.0.1".parse().unwrap()), &mut headers);
        assert!(client.ip.is("203.0.113.4"), "the sender chose who it is");
    }

    #[test]
    fn every_way_to_write_an_address_is_read() {
        for (written, expected) in [
            ("203.0.113.4:8080", "203.0.113.4"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("\"203.0.113.4\"", "203.0.113.4"),
            ("fe80::1%eth0", "fe80::1"),
            ("::ffff:203.0.113.4", "203.0.113.4"),
        ] {
            check("10.0.0.1", &[("x-forwarded-for", written)], expected);
            check("fd00::1", &[("x-plausible-ip", written)], expected);
        }
    }

    #[test]
    fn what_tells_of_the_client_is_taken_off_the_request() {
        let lines = [
            ("x-forwarded-for", "203.0.113.4"),
            ("forwarded", "for=203.0.113.4"),
            ("x-real-ip", "203.0.113.4"),
            ("user-agent", "Browser"),
            ("accept-language", "de"),
        ];
        let mut headers = headers(&lines);
        let client = Proxies::default().client(&Peer("192.0.2.1".parse().unwrap()), &mut headers);
        assert_eq!(client.agent.read(), "Browser");
        assert_eq!(
            headers.keys().map(|name| name.as_str()).collect::<Vec<_>>(),
            ["accept-language"]
        );
    }

    #[test]
    fn the_kind_of_network_is_believed_of_a_trusted_proxy_only() {
        let network = |peer: &str, kind| {
            let mut headers = headers(&[("x-plausible-ip-type", kind)]);
            proxies().client(&Peer(peer.parse().unwrap()), &mut headers).network
        };
        assert_eq!(network("10.0.0.1", "dc_ip"), Network::DataCentre);
        assert_eq!(network("10.0.0.1", "anonymous_vpn_ip"), Network::AnonymousVpn);
        assert_eq!(network("192.0.2.1", "dc_ip"), Network::Unknown);
    }

    proptest! {
        #[test]
        fn no_header_changes_who_an_untrusted_peer_is(
            name in prop::sample::select(vec!["x-plausible-ip", "cf-connecting-ip", "b-forwarded-for", "x-forwarded-for", "forwarded"]),
            value in "[ -~]{0,60}",
        ) {
            let mut headers = headers(&[(name, value.trim())]);
            let client = proxies().client(&Peer("192.0.2.1".parse().unwrap()), &mut headers);
            prop_assert!(client.ip.is("192.0.2.1"));
        }

        #[test]
        fn no_header_of_a_trusted_peer_makes_the_reader_panic(value in "[ -~]{0,60}") {
            for name in ["x-plausible-ip", "x-forwarded-for", "forwarded"] {
                proxies().client(&Peer("10.0.0.1".parse().unwrap()), &mut headers(&[(name, value.trim())]));
            }
        }
    }
}
