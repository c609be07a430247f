//! The leak test: beacons from known addresses, with known user agents, query strings and click ids,
//! and then a search for them in everything that the running collector wrote, as text and as bytes.

#![expect(clippy::disallowed_types, reason = "the addresses that must not be found are made here")]

use std::path::{Path, PathBuf};

use hyper::{Method, StatusCode};
use serde_json::json;

use crate::support::{Collector, eventually};

/// How many visitors are sent, each with an address and a user agent of its own.
const CANARIES: usize = 200;

struct Canary {
    v4: [u8; 4],
    v6: std::net::Ipv6Addr,
    agent: String,
    secret: String,
}

fn canaries() -> Vec<Canary> {
    let canary = |number: usize| {
        let low = u8::try_from(number % 250 + 3).unwrap();
        let segment = |salt: usize| {
            u16::try_from((number * 7919 + salt * 104_729) % 65_536).unwrap() | 0x1000
        };
        Canary {
            v4: [203, 0, 113, low],
            v6: std::net::Ipv6Addr::new(
                0x2001,
                0xdb8,
                segment(1),
                segment(2),
                segment(3),
                segment(4),
                segment(5),
                segment(6),
            ),
            agent: format!(
                "Mozilla/5.0 (X11; Linux x86_64; canary-{number:05}) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36"
            ),
            secret: format!("person{number:05}@secret.example"),
        }
    };
    (0..CANARIES).map(canary).collect()
}

/// Everything that would betray a visitor, as bytes.
fn traces(canary: &Canary) -> Vec<Vec<u8>> {
    let [a, b, c, d] = canary.v4;
    let octets = canary.v6.octets();
    vec![
        format!("{a}.{b}.{c}.{d}").into_bytes(),
        canary.v6.to_string().into_bytes(),
        octets.to_vec(),
        octets.iter().rev().copied().collect(),
        canary.agent.as_bytes()[13..50].to_vec(),
        canary.secret.as_bytes().to_vec(),
        canary.secret.replace('@', "%40").into_bytes(),
    ]
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(haystack, needle).is_some()
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files(&entry.path(), found),
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
}

#[tokio::test]
async fn no_address_user_agent_or_query_string_is_in_anything_that_is_written() {
    let variables = [
        ("PASSERBY_TRUSTED_PROXIES", "127.0.0.0/8"),
        ("PASSERBY_LOG_FILTER", "trace"),
        ("PASSERBY_GEO_DATABASE", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/places.mmdb")),
    ];
    let mut collector = Collector::start(&variables).await;
    collector.run(&["site", "add", "example.com"]);
    let token = collector.run(&["token", "create", "--scope", "stats", "--site", "example.com"]);
    let canaries = canaries();
    let mut answers = Vec::new();
    for (number, canary) in canaries.iter().enumerate() {
        let address = if number % 2 == 0 {
            std::net::Ipv4Addr::from(canary.v4).to_string()
        } else {
            canary.v6.to_string()
        };
        let url = format!(
            "https://example.com/kept-path-{number}?email={}&gclid={}",
            canary.secret, canary.secret
        );
        let beacon = json!({"n": "pageview", "u": url, "r": format!("https://mail.example/inbox?user={}", canary.secret)});
        for (header, path) in [
            ("x-forwarded-for", "/api/event"),
            ("x-plausible-ip", "/api/event"),
            ("x-forwarded-for", "/readyz"),
        ] {
            let headers = [("user-agent", canary.agent.as_str()), (header, address.as_str())];
            let answer = collector.request(Method::POST, path, &headers, beacon.to_string()).await;
            answers.extend_from_slice(&answer.body);
            answers.extend(answer.headers.values().flat_map(|value| value.as_bytes().to_vec()));
        }
        // What is wrong is told without being repeated.
        let headers =
            [("user-agent", canary.agent.as_str()), ("x-forwarded-for", address.as_str())];
        let bad = collector
            .request(Method::POST, "/api/event", &headers, json!({"n": canary.secret}).to_string())
            .await;
        assert_eq!(bad.status, StatusCode::BAD_REQUEST);
        answers.extend_from_slice(&bad.body);
    }
    let query = json!({"site_id": "example.com", "metrics": ["pageviews"], "date_range": "24h"});
    eventually("everything is stored", async || {
        let results = collector.results(&token, &query).await;
        (results[0]["metrics"][0] == 2 * CANARIES).then_some(())
    })
    .await;
    for dimension in
        ["event:page", "visit:referrer", "visit:browser", "visit:source", "visit:city_name"]
    {
        let query = json!({"site_id": "example.com", "metrics": ["visitors"], "date_range": "24h", "dimensions": [dimension]});
        answers.extend_from_slice(&collector.query(&token, &query).await.body);
    }
    collector.terminate();

    let mut written =
        vec![("answers".to_owned(), answers), ("log".to_owned(), collector.log().into_bytes())];
    let mut paths = Vec::new();
    files(&collector.data_dir, &mut paths);
    written.extend(
        paths.iter().map(|path| (path.display().to_string(), std::fs::read(path).unwrap())),
    );

    assert!(collector.log().contains("TRACE"), "the log was not at its most talkative");
    let is_kept = |name: &str| {
        written.iter().any(|(file, bytes)| file.contains(name) && contains(bytes, b"kept-path-7"))
    };
    assert!(is_kept(".spool"), "the search does not find what is kept in the spool");
    assert!(is_kept("answers"), "the search does not find what is told in answers");
    assert!(
        written.iter().any(|(file, _)| file.contains("/engine/data/store/")),
        "the engine's files were not searched"
    );
    for canary in &canaries {
        for trace in traces(canary) {
            for (file, bytes) in &written {
                assert!(
                    !contains(bytes, &trace),
                    "{file} holds {:?}",
                    String::from_utf8_lossy(&trace)
                );
            }
        }
    }
}
