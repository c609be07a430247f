//! The leak test: beacons from known addresses, with known user agents, query strings and click ids,
//! and then a search for them, as text and as bytes, in everything that the running collector wrote, in
//! what it answered, and in its memory.

#![expect(clippy::disallowed_types, reason = "the addresses that must not be found are made here")]

use std::fs::File;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::FileExt;

use aho_corasick::AhoCorasick;
use futures_util::StreamExt;
use hyper::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{CHROME, Collector, eventually, files};

/// How many visitors are sent, each with an address and a user agent of its own.
const CANARIES: usize = 10_000;
/// Every so many of them also try the ways that are no beacon's, or a wrong one's.
const CURIOUS: usize = 50;
/// How many others come after them.
const OTHERS: usize = 1_000;
/// How many are under way at once.
const AT_ONCE: usize = 16;

struct Canary {
    number: usize,
    v4: Ipv4Addr,
    v6: Ipv6Addr,
    agent: String,
    secret: String,
}

impl Canary {
    fn new(number: usize) -> Self {
        let digit = |place: usize| u8::try_from(number / place % 200 + 1).unwrap();
        let segment = |salt: usize| {
            u16::try_from((number * 7919 + salt * 104_729) % 65_536).unwrap() | 0x1000
        };
        let [a, b, c, d, e, f] = [1, 2, 3, 4, 5, 6].map(segment);
        Self {
            number,
            // Of the network for benchmarks.
            v4: Ipv4Addr::new(198, 18, digit(200), digit(1)),
            v6: Ipv6Addr::new(0x2001, 0xdb8, a, b, c, d, e, f),
            agent: format!(
                "Mozilla/5.0 (X11; Linux x86_64; canary-{number:05}) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36"
            ),
            secret: format!("person{number:05}@secret.example"),
        }
    }

    fn address(&self) -> String {
        if self.number.is_multiple_of(2) { self.v4.to_string() } else { self.v6.to_string() }
    }

    /// Everything that would betray a visitor, as bytes. (Four bytes of an IPv4 address are found anywhere
    /// by chance; they are looked for as they stand in an IPv6 address.)
    fn traces(&self) -> [Vec<u8>; 7] {
        let octets = self.v6.octets();
        [
            self.v4.to_string().into_bytes(),
            self.v4.to_ipv6_mapped().octets().to_vec(),
            self.v6.to_string().into_bytes(),
            octets.to_vec(),
            octets.iter().rev().copied().collect(),
            format!("canary-{:05}", self.number).into_bytes(),
            format!("erson{:05}", self.number).into_bytes(),
        ]
    }

    fn beacon(&self) -> String {
        let Self { number, secret, .. } = self;
        let url = format!(
            "https://example.com/kept-path-{number}/{secret}?email={secret}&gclid={secret}&utm_term={secret}"
        );
        let referrer = format!("https://mail.example/inbox?user={secret}");
        let props = json!({"who": secret});
        json!({"n": "pageview", "u": url, "r": referrer, "p": props}).to_string()
    }

    /// Sends what a visitor sends, and returns all that is answered.
    async fn visit(&self, collector: &Collector) -> Vec<u8> {
        let address = self.address();
        let headers = |name| [("user-agent", self.agent.as_str()), (name, address.as_str())];
        let mut answers = Vec::new();
        let mut send = async |name, path, body: String, status| {
            let answer = collector.request(Method::POST, path, &headers(name), body).await;
            assert_eq!(answer.status, status, "{path}");
            answers.extend_from_slice(&answer.body);
            answers.extend(answer.headers.values().flat_map(|value| value.as_bytes().to_vec()));
        };
        send("x-forwarded-for", "/api/event", self.beacon(), StatusCode::ACCEPTED).await;
        if self.number.is_multiple_of(CURIOUS) {
            send("x-plausible-ip", "/api/event", self.beacon(), StatusCode::ACCEPTED).await;
            let route = "/api/v1/sites";
            send("x-forwarded-for", route, self.beacon(), StatusCode::UNAUTHORIZED).await;
            // What is wrong is told without being repeated.
            let bad = json!({"n": self.secret}).to_string();
            send("x-forwarded-for", "/api/event", bad, StatusCode::BAD_REQUEST).await;
        }
        answers
    }
}

/// Visitors over connections that stay open, and wait for a next request.
async fn visit_and_stay(collector: &Collector, canaries: &[Canary]) -> Vec<TcpStream> {
    let connections = canaries.iter().map(async |canary| {
        let Canary { agent, .. } = canary;
        let (address, body) = (canary.address(), canary.beacon());
        let length = body.len();
        let request = format!(
            "POST /api/event HTTP/1.1\r\nhost: example.com\r\nuser-agent: {agent}\r\nx-forwarded-for: {address}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let mut stream = TcpStream::connect(collector.address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 1_024];
        let count = stream.read(&mut answer).await.unwrap();
        assert!(answer[..count].starts_with(b"HTTP/1.1 202 "), "a beacon was not taken");
        stream
    });
    futures_util::future::join_all(connections).await
}

/// What is looked for.
struct Search {
    traces: AhoCorasick,
    patterns: Vec<Vec<u8>>,
}

impl Search {
    fn new(canaries: &[Canary]) -> Self {
        let patterns: Vec<Vec<u8>> = canaries.iter().flat_map(Canary::traces).collect();
        Self { traces: AhoCorasick::new(&patterns).unwrap(), patterns }
    }

    #[track_caller]
    fn finds_nothing(&self, place: &str, bytes: &[u8]) {
        if let Some(found) = self.traces.find(bytes) {
            let trace = String::from_utf8_lossy(&self.patterns[found.pattern().as_usize()]);
            let around =
                &bytes[found.start().saturating_sub(60)..bytes.len().min(found.end() + 60)];
            let all = self.traces.find_iter(bytes).count();
            panic!(
                "{place} holds {trace:?} ({all} traces), in {:?}",
                String::from_utf8_lossy(around)
            );
        }
    }
}

fn contains(haystack: &[u8], needle: &str) -> bool {
    AhoCorasick::new([needle]).unwrap().is_match(haystack)
}

/// The memory that a process may write to; `None` when this user may not look at it.
fn memory(pid: u32) -> Option<Vec<u8>> {
    let refused = |error: std::io::Error| {
        assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied, "{error}");
    };
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).map_err(refused).ok()?;
    let memory = File::open(format!("/proc/{pid}/mem")).map_err(refused).ok()?;
    let mut all = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let from = u64::from_str_radix(from, 16).unwrap();
        let to = u64::from_str_radix(to, 16).unwrap();
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        let count = memory.read_at(&mut bytes, from).unwrap_or(0);
        all.extend_from_slice(&bytes[..count]);
    }
    Some(all)
}

/// Visitors who are not looked for, from a network that is not limited: what the last requests left on the stacks of threads ends with the next
/// ones.
async fn others_come(collector: &Collector) {
    let headers = [("user-agent", CHROME), ("x-forwarded-for", "fd00:ffff::1")];
    let beacon = json!({"n": "pageview", "u": "https://example.com/other"}).to_string();
    futures_util::stream::iter(0..OTHERS)
        .map(|_| collector.request(Method::POST, "/api/event", &headers, beacon.clone()))
        .buffer_unordered(AT_ONCE)
        .for_each(async |answer| assert_eq!(answer.status, StatusCode::ACCEPTED))
        .await;
}

#[tokio::test]
async fn no_address_user_agent_or_query_string_is_in_anything_that_is_written_or_kept_in_memory() {
    let variables = [
        ("PASSERBY_TRUSTED_PROXIES", "127.0.0.0/8"),
        ("PASSERBY_LOG_FILTER", "trace"),
        ("PASSERBY_GEO_DATABASE", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/places.mmdb")),
    ];
    let mut collector = Collector::start(&variables).await;
    collector.run(&["site", "add", "example.com"]);
    let token = collector.run(&["token", "create", "--scope", "stats", "--site", "example.com"]);
    let canaries: Vec<Canary> = (0..CANARIES).map(Canary::new).collect();
    let mut answers: Vec<u8> = futures_util::stream::iter(&canaries)
        .map(|canary| canary.visit(&collector))
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await
        .concat();
    let query = json!({"site_id": "example.com", "metrics": ["pageviews"], "date_range": "24h"});
    let sent = CANARIES + CANARIES / CURIOUS;
    eventually("everything is stored", async || {
        let results = collector.results(&token, &query).await;
        (results[0]["metrics"][0] == sent).then_some(())
    })
    .await;
    for dimension in
        ["event:page", "visit:referrer", "visit:browser", "visit:source", "visit:city_name"]
    {
        let query = json!({"site_id": "example.com", "metrics": ["visitors"], "date_range": "24h", "dimensions": [dimension]});
        answers.extend_from_slice(&collector.query(&token, &query).await.body);
    }
    let metrics = crate::collecting::control_metrics(&collector).await;

    let search = Search::new(&canaries);
    match memory(collector.pid()) {
        Some(memory) => {
            assert!(
                contains(&memory, "kept-path-7777"),
                "the search does not find what is kept in memory"
            );
            eventually("the memory holds no trace", async || {
                let _staying = visit_and_stay(&collector, &canaries[..AT_ONCE]).await;
                others_come(&collector).await;
                let memory = self::memory(collector.pid()).unwrap();
                (search.traces.find_iter(&memory).count() == 0).then_some(())
            })
            .await;
        }
        None => assert!(!rustix::process::geteuid().is_root(), "root may look at any memory"),
    }
    collector.terminate();

    search.finds_nothing("an answer", &answers);
    assert!(contains(&answers, "kept-path-7"), "the search does not find what is told in answers");
    search.finds_nothing("the metrics", metrics.as_bytes());
    assert!(contains(metrics.as_bytes(), "passerby_events_accepted"));
    let log = collector.log();
    assert!(log.contains("TRACE"), "the log was not at its most talkative");
    search.finds_nothing("the log", log.as_bytes());
    let (mut spool_is_searched, mut engine_is_searched) = (false, false);
    for path in files(&collector.data_dir) {
        let (bytes, name) = (std::fs::read(&path).unwrap(), path.display().to_string());
        search.finds_nothing(&name, &bytes);
        spool_is_searched |= name.ends_with(".spool") && contains(&bytes, "kept-path-7");
        engine_is_searched |= name.contains("/engine/data/store/") && contains(&bytes, "kept-path");
    }
    assert!(spool_is_searched, "the search does not find what is kept in the spool");
    assert!(engine_is_searched, "the search does not find what the engine keeps");
}
