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

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;
use serde::Deserialize;

use super::client::{Client, ClientIp, Network, UserAgent};
use super::listener::Peer;
use super::networks::{NetworkKey, Networks};
use super::signal::Signal;
use super::wall::Prefixes;
use super::way::{Reach, Way};
use crate::site::member::Person;

/// A header in which proxies forward the address of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum ForwardingHeader {
    /// Names the client alone, as a site's own server does.
    XPlausibleIp,
    /// Names the client alone.
    CfConnectingIp,
    /// Lists the way of a request.
    BForwardedFor,
    /// Lists the way of a request; nearly every proxy writes it.
    XForwardedFor,
    /// Lists the way of a request, in a syntax of its own (RFC 7239).
    Forwarded,
}

/// What kind of network the client is in.
const NETWORK: &str = "x-plausible-ip-type";
/// Headers that tell of the client and are not read.
const UNREAD: [&str; 4] = ["x-real-ip", "true-client-ip", "x-client-ip", "fly-client-ip"];
/// Asks how an address is found; who may know is decided elsewhere.
static ASKS: HeaderName = HeaderName::from_static("x-debug-request");

/// A header in which a proxy says who signed in with it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PersonHeader(HeaderName);

impl TryFrom<String> for PersonHeader {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let is_free = |name: &HeaderName| {
            !TAKEN.contains(name)
                && forwards().chain([NETWORK, ASKS.as_str()]).all(|other| name != other)
        };
        let name_is = name.parse::<HeaderName>().ok().filter(is_free).map(Self);
        name_is.ok_or_else(|| {
            format!("{name} must be a header of its own, such as x-forwarded-email or remote-email")
        })
    }
}

/// Headers that have another meaning here: what names people is taken off every request.
const TAKEN: [HeaderName; 12] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::HOST,
    header::ORIGIN,
    header::REFERER,
    header::USER_AGENT,
];

/// An address that a header forwards, and how many stand before it.
struct Hop {
    address: IpAddr,
    before: usize,
}

/// The headers that forward an address.
fn forwards() -> impl Iterator<Item = &'static str> {
    ForwardingHeader::ALL.map(ForwardingHeader::name).into_iter().chain(UNREAD)
}

/// The headers of a request that tell of whoever sent it. It has few headers: to look at those that are there is
/// cheaper than to look for those that might be.
fn telling(headers: &HeaderMap) -> Vec<HeaderName> {
    let tells = |name: &&HeaderName| {
        let name = name.as_str();
        ForwardingHeader::named(name).is_some()
            || UNREAD.contains(&name)
            || [NETWORK, header::USER_AGENT.as_str()].contains(&name)
    };
    headers.keys().filter(tells).cloned().collect()
}

impl ForwardingHeader {
    /// All of them, in the order in which they are believed.
    pub const ALL: [Self; 5] = [
        Self::XPlausibleIp,
        Self::CfConnectingIp,
        Self::BForwardedFor,
        Self::XForwardedFor,
        Self::Forwarded,
    ];

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|header| header.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::XPlausibleIp => "x-plausible-ip",
            Self::CfConnectingIp => "cf-connecting-ip",
            Self::BForwardedFor => "b-forwarded-for",
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }
}

impl TryFrom<String> for ForwardingHeader {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::named(&name.to_ascii_lowercase()).ok_or_else(|| {
            format!("{name} must be one of {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}

/// The networks whose forwarding headers are believed, and which headers.
pub struct Proxies {
    trusted: Vec<IpNet>,
    believed: Vec<ForwardingHeader>,
    networks: Networks,
    /// What names whoever signed in with a proxy, if any proxy does so.
    person_header: Option<PersonHeader>,
}

impl Default for Proxies {
    /// Nobody's.
    fn default() -> Self {
        Self::new(Vec::new(), &ForwardingHeader::ALL, Prefixes::default())
    }
}

impl Proxies {
    /// These networks and these headers, and no others; of an address so many bits are used.
    pub fn new(trusted: Vec<IpNet>, believed: &[ForwardingHeader], used: Prefixes) -> Self {
        let is_believed = |header: &ForwardingHeader| believed.contains(header);
        let believed = ForwardingHeader::ALL.into_iter().filter(is_believed).collect();
        Self { trusted, believed, networks: Networks::new(used), person_header: None }
    }

    /// These, which say in this header who signed in with them.
    #[must_use]
    pub fn naming_people_in(self, person_header: Option<PersonHeader>) -> Self {
        Self { person_header, ..self }
    }

    /// Who signed in, as a trusted proxy says. The header is removed from everybody's requests: nothing later
    /// can believe it.
    ///
    /// A proxy that adds its line to that of whoever sent the request leaves two, of which none is believed.
    pub fn person(&self, peer: &Peer, headers: &mut HeaderMap) -> Option<Person> {
        let PersonHeader(name) = self.person_header.as_ref()?;
        let mut lines = headers.get_all(name).iter();
        let only = match (lines.next(), lines.next()) {
            (Some(line), None) => line.to_str().ok().and_then(Person::named),
            _ => None,
        };
        headers.remove(name);
        only.filter(|_| self.trusts(peer.address))
    }

    /// The network that limits count a connection to: not that of a proxy that is trusted, through which
    /// everybody comes.
    pub fn network_of_peer(&self, peer: &Peer) -> Option<NetworkKey> {
        self.limited(peer.address)
    }

    /// A test's visitor.
    #[cfg(test)]
    pub(crate) fn peer(address: &str) -> Peer {
        Peer { address: address.parse().expect("a test names an address"), port: 40_000 }
    }

    /// The network of a test's visitor.
    #[cfg(test)]
    pub(crate) fn network_of(&self, address: &str) -> Option<NetworkKey> {
        self.limited(address.parse().ok()?)
    }

    /// Who sent a request. The headers that tell of it are removed: nothing later can read them.
    pub fn client(&self, peer: &Peer, headers: &mut HeaderMap) -> Client {
        let is_believed = self.trusts(peer.address);
        let telling = telling(headers);
        let forwarded = if is_believed { self.forwarded(headers, &telling) } else { None };
        let network = match is_believed && self.believed.contains(&ForwardingHeader::XPlausibleIp) {
            true => network(headers, &telling),
            false => Network::Unknown,
        };
        let address = forwarded.as_ref().map_or(peer.address, |hop| hop.address);
        let way = headers.contains_key(&ASKS).then(|| {
            Box::new(Way {
                is_peer_trusted: is_believed,
                peer: Reach::of(peer.address),
                peer_port: peer.port,
                header: forwards().find(|name| headers.contains_key(*name)).map(str::to_owned),
                hops_before: forwarded.map(|hop| hop.before),
                client: Reach::of(address),
            })
        });
        let client = Client {
            ip: ClientIp::new(address),
            way,
            agent: UserAgent::new(
                headers.get(header::USER_AGENT).map_or(b"", |value| value.as_bytes()),
            ),
            signal: Signal::of(headers),
            network,
            limited_as: self.limited(address),
        };
        for name in telling {
            headers.remove(name);
        }
        client
    }

    fn limited(&self, address: IpAddr) -> Option<NetworkKey> {
        if self.trusts(address) { None } else { self.networks.of(address) }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|network| network.contains(&address))
    }

    fn forwarded(&self, headers: &HeaderMap, telling: &[HeaderName]) -> Option<Hop> {
        self.believed.iter().find_map(|header| {
            let name = telling.iter().find(|name| *name == header.name())?;
            let mut lines = text(headers, name);
            match header {
                ForwardingHeader::XPlausibleIp | ForwardingHeader::CfConnectingIp => {
                    let address = lines.next().and_then(|line| address(&line))?;
                    Some(Hop { address, before: 0 })
                }
                ForwardingHeader::BForwardedFor | ForwardingHeader::XForwardedFor => {
                    self.last_hop(list(lines).split(','))
                }
                ForwardingHeader::Forwarded => {
                    self.last_hop(list(lines).split(',').filter_map(for_parameter))
                }
            }
        })
    }

    /// The right-most hop that is not trusted; the left-most when all of them are. A hop that can not
    /// be read ends the search: what stands left of it was not written by a proxy that we know.
    fn last_hop<'a>(&self, hops: impl DoubleEndedIterator<Item = &'a str> + Clone) -> Option<Hop> {
        let count = hops.clone().count();
        let mut last = None;
        for (behind, hop) in hops.rev().enumerate() {
            let Some(address) = address(hop) else { break };
            last = Some(Hop { address, before: count - 1 - behind });
            if !self.trusts(address) {
                break;
            }
        }
        last
    }
}

/// The lines of a header. What is no text is no address either, and is not passed over: a line that a
/// proxy has added its hop to may begin with anything.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = Cow<'a, str>> {
    headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()))
}

/// A list that may go over several lines.
fn list<'a>(mut lines: impl Iterator<Item = Cow<'a, str>>) -> Cow<'a, str> {
    let first = lines.next().unwrap_or_default();
    lines.fold(first, |list, line| Cow::Owned(format!("{list},{line}")))
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

fn network(headers: &HeaderMap, telling: &[HeaderName]) -> Network {
    let name = telling.iter().find(|name| *name == NETWORK);
    match name.and_then(|name| text(headers, name).next()).as_deref() {
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

    fn peer(address: &str) -> Peer {
        Proxies::peer(address)
    }

    fn proxies() -> Proxies {
        let trusted = ["10.0.0.0/8", "fd00::/8", "192.0.2.240/28"];
        let trusted = trusted.iter().map(|network| network.parse().unwrap()).collect();
        Proxies::new(trusted, &ForwardingHeader::ALL, Prefixes::default())
    }

    #[track_caller]
    fn check(peer: &str, lines: &[(&str, &str)], expected: &str) {
        let client = proxies().client(&self::peer(peer), &mut headers(lines));
        assert!(client.ip.is(expected), "{peer} with {lines:?} was not taken for {expected}");
    }

    #[test]
    fn without_headers_the_connection_counts() {
        check("192.0.2.1", &[], "192.0.2.1");
        check("10.0.0.1", &[], "10.0.0.1");
    }

    #[test]
    fn a_proxy_that_is_not_trusted_is_not_believed() {
        for name in ForwardingHeader::ALL.map(ForwardingHeader::name).iter().chain(&UNREAD) {
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
        let client = proxies().client(&peer("10.0.0.1"), &mut headers);
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
        let client = Proxies::default().client(&peer("192.0.2.1"), &mut headers);
        assert_eq!(client.agent.read(), "Browser");
        assert_eq!(
            headers.keys().map(|name| name.as_str()).collect::<Vec<_>>(),
            ["accept-language"]
        );
    }

    #[test]
    fn a_trusted_proxy_is_not_limited_and_who_comes_through_it_is() {
        let proxies = proxies();
        let limited = |peer: &str, lines: &[(&str, &str)]| {
            proxies.client(&self::peer(peer), &mut headers(lines)).limited_as
        };
        let visitor = [("x-forwarded-for", "203.0.113.4")];
        let same_network = [("x-forwarded-for", "203.0.113.77")];
        assert!(limited("192.0.2.241", &[]).is_none());
        assert!(proxies.network_of_peer(&peer("192.0.2.241")).is_none());
        assert!(limited("192.0.2.241", &visitor).is_some());
        assert!(limited("192.0.2.241", &visitor) == limited("10.0.0.1", &same_network));
        // Who is not trusted is limited as what the connection says, whatever is forwarded.
        assert!(limited("198.51.100.1", &visitor) == limited("198.51.100.1", &[]));
        assert!(proxies.network_of_peer(&peer("198.51.100.1")).is_some());
    }

    #[test]
    fn who_signed_in_is_believed_of_a_trusted_proxy_only_and_of_one_line() {
        let header = PersonHeader::try_from("X-Forwarded-Email".to_owned()).unwrap();
        let proxies = proxies().naming_people_in(Some(header));
        let person = |address: &str, lines: &[(&str, &str)]| {
            let mut headers = headers(lines);
            let person = proxies.person(&peer(address), &mut headers);
            assert!(!headers.contains_key("x-forwarded-email"), "it is left for others");
            person.map(|person| person.name().to_owned())
        };
        let anna = ("x-forwarded-email", "Anna@a.test");
        assert_eq!(person("10.0.0.1", &[anna]), Some("anna@a.test".to_owned()));
        assert_eq!(person("192.0.2.1", &[anna]), None, "anybody can write it");
        assert_eq!(person("10.0.0.1", &[anna, ("x-forwarded-email", "b@a.test")]), None);
        assert_eq!(person("10.0.0.1", &[("x-forwarded-email", "a@a.test, b@a.test")]), None);
        assert_eq!(person("10.0.0.1", &[("x-forwarded-user", "anna@a.test")]), None);
        // Who forwards the request further does not count: the connection does.
        let forwarded = ("x-forwarded-for", "10.0.0.1");
        assert_eq!(person("192.0.2.1", &[anna, forwarded]), None);
        // Without the setting it is a header like any other.
        let mut left = headers(&[anna]);
        assert_eq!(self::proxies().person(&peer("10.0.0.1"), &mut left), None);
        assert!(left.contains_key("x-forwarded-email"));
    }

    #[test]
    fn a_header_that_has_another_meaning_names_nobody() {
        for name in
            ["cookie", "Host", "X-Forwarded-For", "user-agent", "x-plausible-ip-type", "a b", ""]
        {
            assert!(PersonHeader::try_from(name.to_owned()).is_err(), "{name}");
        }
    }

    #[test]
    fn the_kind_of_network_is_believed_of_a_trusted_proxy_only() {
        let network = |peer: &str, kind| {
            let mut headers = headers(&[("x-plausible-ip-type", kind)]);
            proxies().client(&self::peer(peer), &mut headers).network
        };
        assert_eq!(network("10.0.0.1", "dc_ip"), Network::DataCentre);
        assert_eq!(network("10.0.0.1", "anonymous_vpn_ip"), Network::AnonymousVpn);
        assert_eq!(network("192.0.2.1", "dc_ip"), Network::Unknown);
    }

    #[test]
    fn who_asks_for_the_way_is_told_it_without_an_address() {
        let way = |address: &str, lines: &[(&str, &str)]| {
            let mut headers = headers(lines);
            let client = proxies().client(&peer(address), &mut headers);
            client.way.map(|way| {
                let told = serde_json::to_string(&way).unwrap();
                assert!(!told.contains("203.0.113") && !told.contains(address), "{told}");
                (way.is_peer_trusted, way.header.unwrap_or_default(), way.hops_before, way.client)
            })
        };
        assert_eq!(way("10.0.0.1", &[("x-forwarded-for", "203.0.113.4")]), None, "nobody asked");
        let asks = ("x-debug-request", "forwarding");
        for (address, header, expected) in [
            ("10.0.0.1", ("x-forwarded-for", "203.0.113.4"), (true, Some(0), Reach::Public)),
            (
                "10.0.0.1",
                ("x-forwarded-for", "203.0.113.4, 192.168.0.1"),
                (true, Some(1), Reach::Private),
            ),
            ("10.0.0.1", ("x-forwarded-for", "unknown"), (true, None, Reach::Private)),
            ("10.0.0.1", ("x-real-ip", "203.0.113.4"), (true, None, Reach::Private)),
            ("192.0.2.1", ("x-forwarded-for", "203.0.113.4"), (false, None, Reach::Public)),
        ] {
            let (is_trusted, before, client) = expected;
            let expected = Some((is_trusted, header.0.to_owned(), before, client));
            assert_eq!(way(address, &[asks, header]), expected, "{address} {header:?}");
        }
    }

    #[test]
    fn only_the_headers_that_are_named_are_believed() {
        let trusted = vec!["10.0.0.0/8".parse().unwrap()];
        let address = |believed: &[ForwardingHeader], lines: &[(&str, &str)], expected: &str| {
            let proxies = Proxies::new(trusted.clone(), believed, Prefixes::default());
            proxies.client(&peer("10.0.0.1"), &mut headers(lines)).ip.is(expected)
        };
        let lines = [
            ("x-plausible-ip", "203.0.113.1"),
            ("cf-connecting-ip", "203.0.113.2"),
            ("b-forwarded-for", "203.0.113.3"),
            ("x-forwarded-for", "203.0.113.4"),
            ("forwarded", "for=203.0.113.5"),
        ];
        for (header, number) in ForwardingHeader::ALL.into_iter().zip(1..) {
            assert!(address(&[header], &lines, &format!("203.0.113.{number}")), "{header:?}");
        }
        assert!(address(&[], &lines, "10.0.0.1"));
        // The order is always the same one.
        let two = [ForwardingHeader::Forwarded, ForwardingHeader::CfConnectingIp];
        assert!(address(&two, &lines, "203.0.113.2"));
    }

    /// What stands in a header, and whom a trusted proxy with nothing else says that it names.
    const VALUES: [(&str, Option<&str>); 8] = [
        ("203.0.113.1", Some("203.0.113.1")),
        ("203.0.113.1, 10.0.0.9", Some("203.0.113.1")),
        ("198.51.100.9, 203.0.113.1, 10.0.0.9", Some("203.0.113.1")),
        ("203.0.113.1:443", Some("203.0.113.1")),
        ("\"[2001:db8::7]:443\"", Some("2001:db8::7")),
        ("::ffff:203.0.113.1", Some("203.0.113.1")),
        ("nonsense", None),
        ("", None),
    ];

    /// Each header in each form, alone and behind another: with a trusted peer, an untrusted one, and none
    /// that is trusted at all.
    #[test]
    fn every_combination_of_headers_names_whom_it_should_in_each_topology() {
        let mut combinations = 0;
        for (first, header) in ForwardingHeader::ALL.iter().enumerate() {
            for (value, named) in VALUES {
                for later in &ForwardingHeader::ALL[first..] {
                    let of = |header: &ForwardingHeader, value: &str| match header {
                        ForwardingHeader::Forwarded => {
                            let elements =
                                value.split(',').map(|one| format!("for={}", one.trim()));
                            elements.collect::<Vec<_>>().join(", ")
                        }
                        _ => value.to_owned(),
                    };
                    let behind = of(later, "203.0.113.200");
                    let mut lines = vec![(header.name(), of(header, value))];
                    if later != header {
                        lines.push((later.name(), behind));
                    }
                    let lines: Vec<_> =
                        lines.iter().map(|(name, value)| (*name, value.as_str())).collect();
                    let is_single = matches!(
                        header,
                        ForwardingHeader::XPlausibleIp | ForwardingHeader::CfConnectingIp
                    );
                    // A list in a header for one address is none.
                    let named = named.filter(|_| !(is_single && value.contains(',')));
                    let otherwise = if later == header { "10.0.0.1" } else { "203.0.113.200" };
                    check("10.0.0.1", &lines, named.unwrap_or(otherwise));
                    check("192.0.2.1", &lines, "192.0.2.1");
                    let nobody = Proxies::default();
                    let client = nobody.client(&peer("10.0.0.1"), &mut headers(&lines));
                    assert!(client.ip.is("10.0.0.1"), "{lines:?}");
                    combinations += 3;
                }
            }
        }
        assert_eq!(combinations, 8 * (5 + 4 + 3 + 2 + 1) * 3);
    }

    fn any_header() -> impl Strategy<Value = (HeaderName, HeaderValue)> {
        let names = ForwardingHeader::ALL.map(ForwardingHeader::name);
        let names: Vec<_> =
            names.into_iter().chain(UNREAD).chain([NETWORK, "user-agent"]).collect();
        let address = "(for=)?\"?\\[?([0-9]{1,3}[.:]?){1,8}[0-9a-f:]{0,20}\\]?(:[0-9]{1,5})?\"?";
        let value = prop_oneof![
            address.prop_map(String::into_bytes),
            prop::collection::vec(32u8..127, 0..60),
            prop::collection::vec(128u8..=255, 0..20)
        ];
        (prop::sample::select(names), value).prop_map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_bytes(&value).unwrap())
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn no_headers_change_who_an_untrusted_peer_is(lines in prop::collection::vec(any_header(), 0..12)) {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(name, value);
            }
            let proxies = proxies();
            let client = proxies.client(&peer("192.0.2.1"), &mut headers);
            prop_assert!(client.ip.is("192.0.2.1"));
            prop_assert!(client.limited_as == proxies.network_of("192.0.2.1"));
            prop_assert!(headers.is_empty());
        }

        #[test]
        fn no_header_of_a_trusted_peer_makes_the_reader_panic(value in "[ -~]{0,60}") {
            for name in ["x-plausible-ip", "x-forwarded-for", "forwarded"] {
                proxies().client(&peer("10.0.0.1"), &mut headers(&[(name, value.trim())]));
            }
        }
    }
}
