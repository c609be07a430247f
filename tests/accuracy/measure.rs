//! What the product makes of requests whose truth is known.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use passerby::event::{Attributes, VisitorId};
use passerby::privacy::{
    ForwardingHeader, Geo, Ledger, Listener, Peer, Prefixes, Proxies, SaltStore, Salts, Wall,
};
use passerby::session::{Arrival, Kind, Visits};
use passerby::site::{Site, SiteId};

use super::Mask;
use super::population::{DAY, Hit, START};

/// What there was, and what was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    /// Visitors of the days, one day after the other: what there was, and what was counted.
    pub(crate) visitors: (usize, usize),
    /// Visits, likewise.
    pub(crate) visits: (usize, usize),
    /// Browsers of a day that were counted as one with another.
    pub(crate) merged: usize,
    /// Browsers that were counted more than once on a day.
    pub(crate) split: usize,
}

impl Figures {
    /// How far a count is off, in percent of the truth.
    pub(crate) fn off((truth, counted): (usize, usize)) -> f64 {
        percent(counted as f64 - truth as f64, truth)
    }

    /// A part of the visitors that there were, in percent.
    pub(crate) fn of_visitors(&self, part: usize) -> f64 {
        percent(part as f64, self.visitors.0)
    }
}

fn percent(part: f64, whole: usize) -> f64 {
    100.0 * part / whole.max(1) as f64
}

/// Sends the requests to the wall and its visitors to the visits, as a collector does.
pub(crate) async fn measure(hits: &[Hit], mask: Mask) -> Figures {
    let (ipv4, ipv6) = mask.bits.unwrap_or((32, 128));
    let ledger = tempfile::tempdir().expect("there is room for a ledger");
    let start = Timestamp::from_second(START).expect("it is a moment");
    let salts = Salts::open(SaltStore::none(), Ledger::open(ledger.path()), start);
    let salts = Arc::new(salts);
    let used = Prefixes { ipv4, ipv6 };
    let wall = Wall::new(used, Arc::clone(&salts), Arc::new(Geo::none()));
    let (peer, proxies) = behind_a_proxy(used).await;
    let site = Site::new(SiteId(1), "example.com", TimeZone::UTC);
    let (counted, true_visits) = (Visits::new(usize::MAX), Visits::new(usize::MAX));
    let mut figures = Figures::default();
    let (mut visits, mut visits_there_were) = (HashSet::new(), HashSet::new());
    // For each day, who was counted as whom.
    let mut days: HashMap<i64, HashSet<(u32, u64)>> = HashMap::new();
    for hit in hits {
        let mut headers = HeaderMap::new();
        let mut set = |name: &'static str, value: &str| {
            headers.insert(name, HeaderValue::from_str(value).expect("it is a header"));
        };
        set("x-forwarded-for", mask.bits.map_or("240.0.0.1", |_| &hit.address));
        set("user-agent", &hit.agent);
        let client = proxies.client(&peer, &mut headers);
        let now = Timestamp::from_second(hit.second).expect("it is a moment");
        salts.rotate(now);
        let recognised = wall.cross(client.ip).recognise(&client.agent, &site, now);
        let arrival = Arrival {
            site: site.id,
            timestamp: u32::try_from(hit.second).expect("it is in this century"),
            kind: Kind::Pageview,
            hostname: "example.com",
            pathname: "/",
        };
        let placed = counted
            .place(&arrival, recognised.current, recognised.previous, Attributes::default)
            .expect("a page view has a visit");
        visits.insert((placed.visitor.0, placed.session.0));
        let truth = VisitorId(u64::from(hit.browser) + 1);
        let placed_in_truth = true_visits
            .place(&arrival, truth, None, Attributes::default)
            .expect("a page view has a visit");
        visits_there_were.insert((truth.0, placed_in_truth.session.0));
        let day = (hit.second - START).div_euclid(DAY);
        days.entry(day).or_default().insert((hit.browser, placed.visitor.0));
    }
    for pairs in days.values() {
        let (mut ids_of, mut browsers_of) = (HashMap::new(), HashMap::new());
        for &(browser, id) in pairs {
            *ids_of.entry(browser).or_insert(0) += 1;
            *browsers_of.entry(id).or_insert(0) += 1;
        }
        figures.visitors.0 += ids_of.len();
        figures.visitors.1 += browsers_of.len();
        figures.split += ids_of.values().filter(|ids| **ids > 1).count();
        let merged = pairs.iter().filter(|(_, id)| browsers_of[id] > 1);
        figures.merged += merged.map(|(browser, _)| browser).collect::<HashSet<_>>().len();
    }
    figures.visits = (visits_there_were.len(), visits.len());
    figures
}

/// The other end of a connection that is believed what it says of whom it forwards.
async fn behind_a_proxy(used: Prefixes) -> (Peer, Proxies) {
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await;
    let listener = listener.expect("there is a port");
    let address = listener.local_addr().expect("it has an address");
    let (connection, (_, peer)) =
        tokio::join!(tokio::net::TcpStream::connect(address), listener.accept());
    drop(connection.expect("it listens"));
    (
        peer,
        Proxies::new(
            vec!["127.0.0.0/8".parse().expect("it is a network")],
            &ForwardingHeader::ALL,
            used,
        ),
    )
}
