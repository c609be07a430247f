//! What each stage of a beacon's way costs, on one core: `make bench`.
//!
//! The names are those of `ingest.rs`, in its order. `collecting` measures the whole way with its sockets;
//! here one sees which stage a change made dearer.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

use std::path::Path;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue};
use bytes::Bytes;
use criterion::{BatchSize, Criterion};
use futures_util::FutureExt;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use passerby::beacon::{Beacon, decode};
use passerby::enrich::acquisition::{Acquisition, Tags};
use passerby::enrich::agent::Agents;
use passerby::enrich::page::Page;
use passerby::enrich::scrub::scrub;
use passerby::event::{Attributes, Event, Happening, SCROLL_DEPTH_UNKNOWN, SessionId, VisitorId};
use passerby::judge;
use passerby::privacy::{
    Client, ForwardingHeader, Geo, Ledger, Listener, Peer, Prefixes, Proxies, SaltStore, Salts,
    Wall,
};
use passerby::session::{Arrival, Kind, Visits};
use passerby::site::{Site, SiteId};
use passerby::spool::disk::Directory;
use passerby::spool::{Limits, Record, Spool};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

const BODY: &str = r#"{"n":"pageview","u":"https://example.com/articles/17?utm_source=newsletter&utm_campaign=spring","d":"example.com","r":"https://www.google.com/","p":{"author":"somebody"},"v":28}"#;
const AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
const URL: &str = "https://example.com/articles/17?utm_source=newsletter&utm_campaign=spring";
const REFERRER: &str = "https://www.google.com/";
/// A path with nothing to mask that has to be read to its end, because of its digits.
const PATH: &str = "/articles/2026/11/what-is-new-in-version-17/comments";
const PLACES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/places.mmdb");
/// An address that the places know.
const ADDRESS: &str = "192.0.2.77";
/// How many rows one append has: about what comes together in one sync under load.
const BATCH: usize = 64;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = Runtime::new().unwrap();
    decoding(&mut criterion);
    judging(&mut criterion);
    crossing(&mut criterion, &runtime);
    agents(&mut criterion);
    enriching(&mut criterion);
    placing(&mut criterion);
    encoding(&mut criterion);
    appending(&mut criterion, &runtime);
    criterion.final_summary();
}

fn now() -> Timestamp {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

fn decoding(criterion: &mut Criterion) {
    criterion.bench_function("decode/json", |bencher| {
        bencher.iter(|| beacon(BODY));
    });
}

fn beacon(body: &'static str) -> Beacon {
    // A body that is here as a whole is decoded without waiting.
    let decoded = decode::body("text/plain", Bytes::from_static(body.as_bytes())).now_or_never();
    decoded.unwrap().ok().unwrap()
}

fn judging(criterion: &mut Criterion) {
    criterion.bench_function("judge/referrer", |bencher| {
        bencher.iter(|| judge::referrer(REFERRER));
    });
}

/// The headers' client, then the wall: once without places, for the hash, and once with.
fn crossing(criterion: &mut Criterion, runtime: &Runtime) {
    let proxies = Proxies::new(
        vec!["127.0.0.0/8".parse().unwrap()],
        &ForwardingHeader::ALL,
        Prefixes::default(),
    );
    let peer = runtime.block_on(peer());
    criterion.bench_function("client/of its headers", |bencher| {
        let client = |mut headers| proxies.client(&peer, &mut headers);
        bencher.iter_batched(headers, client, BatchSize::SmallInput);
    });

    let site = Site::new(SiteId(1), "example.com", TimeZone::get("Europe/Berlin").unwrap());
    let wall = |geo| {
        let salts = Salts::open(SaltStore::none(), Ledger::none(), now());
        Wall::new(Prefixes::default(), Arc::new(salts), Arc::new(geo))
    };
    let client = || proxies.client(&peer, &mut headers());
    let without_places = wall(Geo::none());
    let Client { ip, agent, .. } = client();
    let crossing = without_places.cross(ip);
    criterion.bench_function("hash/visitor id", |bencher| {
        bencher.iter(|| crossing.recognise(&agent, &site, now()).current);
    });

    let with_places = wall(Geo::open(Some(Path::new(PLACES)), now()).unwrap());
    assert_eq!(with_places.cross(client().ip).place().country, "DE");
    criterion.bench_function("place/lookup", |bencher| {
        let place = |client: Client| with_places.cross(client.ip).place().city;
        bencher.iter_batched(client, place, BatchSize::SmallInput);
    });
}

fn headers() -> HeaderMap {
    let pairs = [
        ("host", "stats.example.com"),
        ("user-agent", AGENT),
        ("accept-language", "de-DE,de;q=0.9,en;q=0.8"),
        ("content-type", "text/plain"),
        ("origin", "https://example.com"),
        ("referer", "https://example.com/"),
        ("x-forwarded-for", ADDRESS),
    ];
    let pair = |(name, value): (&'static str, &'static str)| {
        (name.parse().unwrap(), HeaderValue::from_static(value))
    };
    pairs.map(pair).into_iter().collect()
}

/// Of a connection within this machine: only a listener makes one.
async fn peer() -> Peer {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let connection = TcpStream::connect(listener.local_addr().unwrap());
    let ((_, peer), connected) = tokio::join!(listener.accept(), connection);
    connected.unwrap();
    peer
}

fn agents(criterion: &mut Criterion) {
    let agents = Agents::new();
    criterion.bench_function("agent/remembered", |bencher| {
        bencher.iter(|| agents.read(AGENT));
    });
    let mut build = 0;
    criterion.bench_function("agent/never seen", |bencher| {
        let another = || {
            build += 1;
            AGENT.replace("131.0.0.0", &format!("131.0.0.{build}"))
        };
        bencher.iter_batched(another, |agent| agents.read(&agent), BatchSize::SmallInput);
    });
}

fn enriching(criterion: &mut Criterion) {
    criterion.bench_function("enrich/page", |bencher| {
        bencher.iter(|| Page::parse(URL, false).ok().unwrap());
    });
    let (page, query) = Page::parse(URL, false).ok().unwrap();
    criterion.bench_function("enrich/acquisition", |bencher| {
        bencher.iter(|| acquisition(&query, &page));
    });
    criterion.bench_function("enrich/scrub", |bencher| {
        bencher.iter(|| scrub(PATH).len());
    });
}

fn acquisition(query: &str, page: &Page) -> Acquisition {
    Acquisition::of(&Tags::from_query(query), Some(REFERRER), &page.hostname)
}

fn placing(criterion: &mut Criterion) {
    let visits = Visits::new(1_000_000);
    let arrival = Arrival {
        site: SiteId(1),
        timestamp: u32::try_from(now().as_second()).unwrap(),
        kind: Kind::Pageview,
        hostname: "example.com",
        pathname: "/articles/17",
    };
    let place = |visitor| visits.place(&arrival, VisitorId(visitor), None, attributes).unwrap().seq;
    criterion.bench_function("session/goes on", |bencher| {
        bencher.iter(|| place(1));
    });
    // It also ends, so that there are always as many open ones.
    criterion.bench_function("session/begins and ends", |bencher| {
        bencher.iter(|| {
            place(2);
            visits.end(arrival.site, VisitorId(2));
        });
    });
}

fn encoding(criterion: &mut Criterion) {
    let event = event();
    let mut row = Vec::with_capacity(1024);
    criterion.bench_function("row/encode", |bencher| {
        bencher.iter(|| {
            row.clear();
            event.encode(&mut row);
            row.len()
        });
    });
}

/// On the disk of the build, so that a sync is one.
fn appending(criterion: &mut Criterion, runtime: &Runtime) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let disk = Directory::open(directory.path().join("spool")).unwrap();
    let (spool, _reader) = Spool::open(Arc::new(disk), Limits::default()).unwrap();
    let event = event();
    let batch = || (0..BATCH).map(|_| Record::of(&event)).collect::<Vec<_>>();
    criterion.bench_function("spool/append 64 rows and sync", |bencher| {
        let append = |records| runtime.block_on(spool.append(records)).unwrap();
        bencher.iter_batched(batch, append, BatchSize::SmallInput);
    });
    runtime.block_on(spool.close());
}

fn attributes() -> Attributes {
    let (page, query) = Page::parse(URL, false).ok().unwrap();
    acquisition(&query, &page).onto(Attributes {
        country: "GB".into(),
        region: "GB-ENG".into(),
        region_name: "England".into(),
        browser: "Chrome".into(),
        browser_version: "131.0".into(),
        os: "Windows".into(),
        os_version: "10".into(),
        device: "Desktop".into(),
        language: "de".into(),
        ..Attributes::default()
    })
}

fn event() -> Event {
    let happening = Happening {
        site_id: 1,
        timestamp: u32::try_from(now().as_second()).unwrap(),
        name: "pageview".into(),
        visitor_id: VisitorId(11),
        session_id: SessionId(12),
        seq: 1,
        event_id: 13,
        hostname: "example.com".into(),
        pathname: "/articles/17".into(),
        interactive: true,
        engagement_ms: 0,
        scroll_depth: SCROLL_DEPTH_UNKNOWN,
        props: vec![("author".into(), "somebody".into())],
        revenue_amount: 0,
        revenue_currency: String::new(),
        entry_hostname: "example.com".into(),
        entry_pathname: "/articles/17".into(),
    };
    Event { happening, attributes: Arc::new(attributes()) }
}
