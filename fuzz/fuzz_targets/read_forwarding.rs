//! Forwarding headers: nobody is taken for somebody else because of a header that he wrote.
//!
//! A line of the input is a line of the request's head. Who a client is cannot be read; but two clients
//! are the same visitor or not, and that is what is compared here, over a real connection's peer.

#![no_main]

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use passerby::event::VisitorId;
use passerby::privacy::{
    Client, ForwardingHeader, Geo, Ledger, Listener, Network, Peer, Prefixes, Proxies, SaltStore,
    Salts, Wall,
};
use passerby::site::{Site, SiteId};
use tokio::net::TcpStream;
use tokio::runtime::Builder;

/// Headers that tell of a client, or claim to: none is left on a request.
const TELLING: [&str; 11] = [
    "x-plausible-ip",
    "cf-connecting-ip",
    "b-forwarded-for",
    "x-forwarded-for",
    "forwarded",
    "x-plausible-ip-type",
    "x-real-ip",
    "true-client-ip",
    "x-client-ip",
    "fly-client-ip",
    "user-agent",
];

/// The lists, and the last hop as a trusted proxy writes it into each.
const LISTS: [(&str, &[u8]); 3] = [
    ("b-forwarded-for", b"203.0.113.7"),
    ("x-forwarded-for", b"203.0.113.7:4711"),
    ("forwarded", b"proto=https;for=\"203.0.113.7\""),
];

struct World {
    peer: Peer,
    wall: Wall,
    site: Site,
    now: Timestamp,
    nobody_is_trusted: Proxies,
    the_peer_is_trusted: Proxies,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let now = Timestamp::from_second(1_750_000_000).expect("a moment");
    let salts = Salts::open(SaltStore::none(), Ledger::none(), now);
    let prefixes = Prefixes { ipv4: 32, ipv6: 128 };
    World {
        peer: peer(),
        wall: Wall::new(prefixes, Arc::new(salts), Arc::new(Geo::none())),
        site: Site::new(SiteId(1), "example.com", TimeZone::UTC),
        now,
        nobody_is_trusted: Proxies::default(),
        the_peer_is_trusted: Proxies::new(
            vec!["127.0.0.0/8".parse().expect("a network")],
            &ForwardingHeader::ALL,
            prefixes,
        ),
    }
});

/// The other end of a connection to ourselves.
fn peer() -> Peer {
    let runtime = Builder::new_current_thread().enable_io().build().expect("a runtime");
    runtime.block_on(async {
        let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        let listener = Listener::bind(any).await.expect("a listener");
        let address = listener.local_addr().expect("an address");
        let _stream = TcpStream::connect(address).await.expect("a connection");
        listener.accept().await.1
    })
}

impl World {
    fn client(&self, proxies: &Proxies, headers: &mut HeaderMap) -> Client {
        let client = proxies.client(&self.peer, headers);
        for name in TELLING {
            assert!(!headers.contains_key(name), "{name} is still there");
        }
        client
    }

    fn visitor(&self, client: Client) -> VisitorId {
        self.wall.cross(client.ip).recognise(&client.agent, &self.site, self.now).current
    }

    fn forwarded(&self, mut headers: HeaderMap) -> VisitorId {
        self.visitor(self.client(&self.the_peer_is_trusted, &mut headers))
    }
}

fn headers(input: &[u8]) -> HeaderMap {
    let lines = input.split(|byte| *byte == b'\n').filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        Some((name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?))
    });
    let mut headers = HeaderMap::new();
    for (name, value) in lines.take(100) {
        headers.append(name, value);
    }
    headers
}

/// The request as a proxy forwards it that adds who it heard it from to the last line of a list. It
/// overwrites, or removes, what would be believed before that.
fn through_a_proxy(mut headers: HeaderMap, place: usize) -> HeaderMap {
    let (list, hop) = LISTS[place];
    let before = LISTS[..place].iter().map(|(name, _)| *name);
    for name in ["x-plausible-ip", "cf-connecting-ip"].into_iter().chain(before) {
        headers.remove(name);
    }
    let mut lines: Vec<HeaderValue> = headers.get_all(list).iter().cloned().collect();
    let last = lines.pop().map_or(hop.to_vec(), |last| [last.as_bytes(), b", ", hop].concat());
    headers.remove(list);
    for line in lines.into_iter().chain(HeaderValue::from_bytes(&last)) {
        headers.append(list, line);
    }
    headers
}

fuzz_target!(|input: &[u8]| {
    let world = &*WORLD;
    let headers = headers(input);
    let agent = headers.get(header::USER_AGENT).cloned();
    let bare =
        || -> HeaderMap { agent.iter().map(|agent| (header::USER_AGENT, agent.clone())).collect() };

    let client = world.client(&world.nobody_is_trusted, &mut headers.clone());
    assert!(client.network == Network::Unknown, "a stranger says what his network is");
    let told = world.visitor(client);
    let untold = world.visitor(world.client(&world.nobody_is_trusted, &mut bare()));
    assert!(told == untold, "a stranger's headers change who he is");

    for (place, (list, _)) in LISTS.iter().enumerate() {
        let honest = world.forwarded(through_a_proxy(bare(), place));
        assert!(honest != untold, "the proxy is not believed: {list}");
        let forwarded = world.forwarded(through_a_proxy(headers.clone(), place));
        assert!(forwarded == honest, "what stands left of a proxy's hop changes who it is: {list}");
    }
    let _ = world.forwarded(headers);
});
