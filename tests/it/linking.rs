//! What a visitor id can be linked with: nothing, once its salt is gone. The attack program of
//! `tests/attack` is run on what a collector wrote, while the salt lives and after it.

#![expect(clippy::disallowed_types, reason = "the attacker has the addresses")]

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue};
use futures_util::StreamExt;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use passerby::beacon::{Beacon, decode};
use passerby::clock::{Clock, ManualClock};
use passerby::ingest::{Collector, Parts};
use passerby::privacy::{
    Client, ForwardingHeader, Geo, Ledger, Listener, OnObjection, Peer, Prefixes, Proxies,
    SaltStore, Salts, Wall,
};
use passerby::session::Visits;
use passerby::site::policy::Policies;
use passerby::site::{Site, SiteId};
use passerby::spool::disk::Directory;
use passerby::spool::{Limits, Spool};
use passerby::store::catalog::Catalog;
use passerby::telemetry::Counters;
use serde_json::json;

use crate::attack::{Known, Person, recovered};

const VISITORS: usize = 10_000;
const SITES: [(u32, &str); 2] = [(7, "one.example"), (8, "two.example")];

/// A collector whose clock is ours, and whom we tell the addresses.
struct Bench {
    data: tempfile::TempDir,
    /// In memory, as the salts' directory has to be.
    memory: tempfile::TempDir,
    clock: Arc<ManualClock>,
    salts: Arc<Salts>,
    collector: Collector,
    spool: Spool,
    peer: Peer,
    proxies: Proxies,
}

impl Bench {
    async fn start(now: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        let memory = tempfile::tempdir_in("/dev/shm").unwrap();
        let clock = ManualClock::at(at(now));
        let salts = Arc::new(Salts::open(
            SaltStore::open(Some(&memory.path().join("salts")), data.path()),
            Ledger::open(data.path()),
            at(now),
        ));
        let disk = Directory::open(data.path().join("spool")).unwrap();
        let (spool, _) = Spool::open(Arc::new(disk), Limits::default()).unwrap();
        let collector = Collector::new(Parts {
            clock: clock.clone(),
            catalog: Arc::new(catalog(data.path())),
            wall: Wall::new(Prefixes::default(), Arc::clone(&salts), Arc::new(Geo::none())),
            on_objection: OnObjection::Anonymous,
            limits: passerby::ingest::Limits::default(),
            visits: Arc::new(Visits::new(100_000)),
            spool: spool.clone(),
            counters: Arc::new(Counters::default()),
        });
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let (connection, accepted) = tokio::join!(
            tokio::net::TcpStream::connect(listener.local_addr().unwrap()),
            listener.accept()
        );
        drop(connection.unwrap());
        let proxies = Proxies::new(
            vec!["127.0.0.0/8".parse().unwrap()],
            &ForwardingHeader::ALL,
            Prefixes::default(),
        );
        Self { data, memory, clock, salts, collector, spool, peer: accepted.1, proxies }
    }

    fn client(&self, person: &Person) -> Client {
        let mut headers = HeaderMap::new();
        let mut set = |name: &'static str, value: &str| {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        };
        set("x-forwarded-for", &person.address.to_string());
        set("user-agent", &person.agent);
        self.proxies.client(&self.peer, &mut headers)
    }

    /// Everybody visits these sites.
    async fn visit(&self, people: &[Person], domains: &[&str]) {
        let beacon = beacon(&domains.join(",")).await;
        futures_util::stream::iter(people)
            .map(|person| self.collector.take(&beacon, self.client(person), "").unwrap().kept())
            .buffer_unordered(256)
            .for_each(async |receipt| assert_eq!(receipt.unwrap().dropped, []))
            .await;
    }

    fn set(&self, now: &str) {
        self.clock.set(at(now));
        self.salts.rotate(self.clock.now());
    }

    /// The ids that were stored for a site.
    fn ids(&self, site: u32) -> HashSet<u64> {
        let mut ids = HashSet::new();
        self.spool
            .replay(0, |event| {
                if event.happening.site_id == site {
                    ids.insert(event.happening.visitor_id.0);
                }
            })
            .unwrap();
        ids
    }

    /// How many ids of a site the attack recovers from all that there is.
    fn attacked(&self, site: u32, people: &[Person]) -> usize {
        let people = people
            .iter()
            .map(|person| Person { address: person.address, agent: person.agent.clone() })
            .collect();
        let known = Known { site, people, ids: self.ids(site), prefixes: (24, 48) };
        recovered(&known, &[self.data.path(), self.memory.path()])
    }
}

fn at(moment: &str) -> Timestamp {
    moment.parse().unwrap()
}

async fn beacon(domains: &str) -> Beacon {
    let beacon = json!({"n": "pageview", "u": "https://one.example/", "d": domains});
    decode::body("text/plain", beacon.to_string().into()).await.unwrap()
}

/// A catalog that knows the sites, as an earlier run left it.
fn catalog(data_dir: &Path) -> Catalog {
    let sites: Vec<_> = SITES
        .iter()
        .map(|(id, domain)| {
            json!({"site_id": id, "domain": domain, "timezone": "UTC", "retention_days": 0,
                   "public": false, "created_at": 0, "removed": false, "version": 1})
        })
        .collect();
    let file = data_dir.join("catalog.json");
    std::fs::write(&file, json!({"sites": sites, "tokens": []}).to_string()).unwrap();
    Catalog::open(file, Policies::default())
}

fn people() -> Vec<Person> {
    let person = |number: usize| Person {
        address: IpAddr::V4(Ipv4Addr::from_bits(
            0xc612_0000 + (u32::try_from(number).unwrap() << 8) + 9,
        )),
        agent: format!("Mozilla/5.0 (X11; Linux x86_64) Firefox/{}.0", number % 50 + 90),
    };
    (0..VISITORS).map(person).collect()
}

#[tokio::test]
async fn nobody_can_be_recognised_after_the_salt_is_wiped_and_everybody_before() {
    let bench = Bench::start("2026-03-01T12:00:00Z").await;
    let people = people();
    let (site, domain) = SITES[0];
    bench.visit(&people, &[domain]).await;
    assert_eq!(bench.ids(site).len(), VISITORS);
    let before = bench.attacked(site, &people);
    assert!(before * 100 >= VISITORS * 99, "the attack is too weak: it recovers {before}");
    bench.set("2026-03-02T00:00:01Z");
    bench.set("2026-03-02T00:30:01Z");
    assert_eq!(bench.attacked(site, &people), 0);
}

#[tokio::test]
async fn the_same_visitors_have_no_id_in_common_on_two_sites_or_two_days() {
    let bench = Bench::start("2026-03-01T12:00:00Z").await;
    let people = people();
    bench.visit(&people, &SITES.map(|(_, domain)| domain)).await;
    bench.set("2026-03-02T12:00:00Z");
    bench.visit(&people, &SITES.map(|(_, domain)| domain)).await;
    let [one, two] = SITES.map(|(site, _)| bench.ids(site));
    assert_eq!((one.len(), two.len()), (2 * VISITORS, 2 * VISITORS));
    assert!(one.is_disjoint(&two));
}

#[tokio::test]
async fn whose_visit_goes_on_over_midnight_is_known_by_all_its_ids_as_long_as_it_does() {
    let bench = Bench::start("2026-03-01T23:50:00Z").await;
    let (number, domain) = SITES[0];
    let site = Site::new(SiteId(number), domain, TimeZone::UTC);
    let [person, stranger, ..] = &people()[..] else { unreachable!("there are many") };
    let asks = |person| {
        let ids = bench.collector.who_asks(bench.client(person), &site).into_iter();
        ids.map(|id| id.0).collect::<HashSet<_>>()
    };
    for now in ["2026-03-01T23:50:00Z", "2026-03-02T00:10:00Z", "2026-03-02T00:35:00Z"] {
        bench.set(now);
        bench.visit(std::slice::from_ref(person), &[domain]).await;
    }
    bench.set("2026-03-02T00:56:00Z");
    let stored = bench.ids(number);
    assert!(stored.len() == 1 && asks(person).is_superset(&stored), "they can not see or erase it");
    assert!(asks(stranger).is_disjoint(&stored));
}
