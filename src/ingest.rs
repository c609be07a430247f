//! The way of a beacon, from a request to the disk: read [`Collector::take`] and [`Taken::kept`] aloud.
//!
//! Here the parts meet that know nothing of each other: `privacy` (the only one that sees an
//! address), `judge`, `enrich`, `session` and `spool`. ClickHouse is not among them: it is never on
//! a beacon's path.

use std::sync::Arc;

use jiff::Timestamp;

use crate::beacon::{Beacon, Consent, Kind};
use crate::clock::SharedClock;
use crate::enrich::acquisition::{Acquisition, Tags};
use crate::enrich::agent::{Agent, Agents};
use crate::enrich::page::stored_host;
use crate::enrich::{language, profile};
use crate::event::{Attributes, HappeningRef, SCROLL_DEPTH_UNKNOWN, VisitorId, event_id};
use crate::judge::{self, DropReason};
use crate::limits::Rate;
use crate::privacy::{
    Client, Crossing, Network, NetworkKey, OnObjection, Place, Recognised, Signal, UserAgent, Wall,
};
use crate::session::{Arrival, Placed, Visits};
use crate::site::Site;
use crate::site::policy::ConsentMode;
use crate::spool::{AppendError, Record, Spool};
use crate::store::catalog::Catalog;
use crate::telemetry::Counters;

/// The code that the field gives to visitors from anonymising networks.
const ANONYMOUS_COUNTRY: &str = "A1";

/// Takes beacons in.
pub struct Collector {
    clock: SharedClock,
    catalog: Arc<Catalog>,
    wall: Wall,
    on_objection: OnObjection,
    limits: Limits,
    agents: Agents,
    visits: Arc<Visits>,
    spool: Spool,
    counters: Arc<Counters>,
}

/// The parts of a [`Collector`].
pub struct Parts {
    /// Tells when a beacon arrived.
    pub clock: SharedClock,
    /// Knows the sites.
    pub catalog: Arc<Catalog>,
    /// The privacy boundary.
    pub wall: Wall,
    /// What becomes of the views of visitors who object.
    pub on_objection: OnObjection,
    /// What one network or site may send.
    pub limits: Limits,
    /// The open visits.
    pub visits: Arc<Visits>,
    /// Where events become durable.
    pub spool: Spool,
    /// The counters of the collector.
    pub counters: Arc<Counters>,
}

/// What one network or site may send; without a rate, anything.
#[derive(Default)]
pub struct Limits {
    /// Of each network.
    pub networks: Option<Rate>,
    /// Of each site.
    pub sites: Option<Rate>,
}

impl Limits {
    /// So many events a minute of each network and of each site; 0 is no limit.
    pub fn per_minute(of_a_network: u32, of_a_site: u32) -> Self {
        Self { networks: Rate::per_minute(of_a_network), sites: Rate::per_minute(of_a_site) }
    }

    fn admit_network(&self, network: Option<NetworkKey>, now: Timestamp) -> bool {
        let (Some(rate), Some(network)) = (&self.networks, network) else { return true };
        rate.admits(network, now)
    }

    fn admit_site(&self, site: &Site, now: Timestamp) -> bool {
        self.sites.as_ref().is_none_or(|rate| rate.admits(site.id, now))
    }

    fn sweep(&self, now: Timestamp) {
        [&self.networks, &self.sites].into_iter().flatten().for_each(|rate| rate.sweep(now));
    }
}

/// What became of a beacon that was not refused: each site's event is on disk, or was dropped.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Why events were not counted, one entry for each.
    pub dropped: Vec<DropReason>,
}

/// The collector could not take a beacon now; nothing of it was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The sites are not known yet: the collector has just started for the first time.
    #[error("the collector is starting")]
    Starting,
    /// More arrives than the disk takes.
    #[error("the collector is busy")]
    Busy,
    /// The spool has used up its space, or the disk is full.
    #[error("the spool is full")]
    Full,
    /// The disk did not take it.
    #[error("the spool can not be written")]
    Failed,
}

impl From<AppendError> for Refusal {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Busy => Self::Busy,
            AppendError::Full => Self::Full,
            AppendError::Failed | AppendError::Closed => Self::Failed,
        }
    }
}

/// A beacon that was taken in and waits for the disk. It holds nothing of the request.
pub struct Taken<'collector> {
    spool: &'collector Spool,
    records: Vec<Record>,
    receipt: Receipt,
}

impl Taken<'_> {
    /// `Ok` means that what was not dropped is on disk.
    ///
    /// # Errors
    /// [`Refusal`], when nothing of it was kept.
    pub async fn kept(self) -> Result<Receipt, Refusal> {
        if !self.records.is_empty() {
            self.spool.append(self.records).await?;
        }
        Ok(self.receipt)
    }
}

/// What a beacon tells about its visit, the same for each site that it is for.
struct Told<'a> {
    beacon: &'a Beacon,
    agent: &'a Agent,
    raw_agent: &'a UserAgent,
    crossing: &'a Crossing<'a>,
    accept_language: &'a str,
    network: Network,
    objects: bool,
    now: Timestamp,
}

impl Collector {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        let Parts { clock, catalog, wall, on_objection, limits, visits, spool, counters } = parts;
        let agents = Agents::new();
        Self { clock, catalog, wall, on_objection, limits, agents, visits, spool, counters }
    }

    /// Whether one more beacon may come from where a request came from. It is asked before the beacon is read,
    /// and answers for its first site; if it may not, that is counted.
    pub fn admits(&self, client: &Client) -> bool {
        let is_admitted = self.limits.admit_network(client.limited_as, self.clock.now());
        if !is_admitted {
            self.count_dropped(DropReason::ThrottleNetwork);
        }
        is_admitted
    }

    /// Whether whoever sent a request may look at what is counted about them: a look is as good as a beacon to the limit
    /// of their network.
    pub fn admits_look(&self, client: &Client) -> bool {
        self.limits.admit_network(client.limited_as, self.clock.now())
    }

    /// Forgets what the limits need to know no longer.
    pub fn sweep(&self) {
        self.limits.sweep(self.clock.now());
    }

    /// Takes one beacon in that was admitted, for every site that it names. It counts when it is [kept](Taken::kept).
    ///
    /// What arrives is counted before anything is waited for, and what becomes of the rows is counted
    /// by the spool: the sender may go away at any moment, and the sums must hold all the same.
    ///
    /// # Errors
    /// [`Refusal::Starting`]; then nothing of it was kept.
    pub fn take(
        &self,
        beacon: &Beacon,
        client: Client,
        accept_language: &str,
    ) -> Result<Taken<'_>, Refusal> {
        let events = beacon.domains.len() as u64;
        self.counters.received.inc_by(events);
        if !self.catalog.is_loaded() {
            self.counters.reject("starting", events);
            return Err(Refusal::Starting);
        }
        let (records, receipt) = self.sort(beacon, client, accept_language);
        for reason in &receipt.dropped {
            self.counters.reject(reason.as_str(), 1);
        }
        Ok(Taken { spool: &self.spool, records, receipt })
    }

    /// What becomes of a request without an event that counts.
    pub fn nothing(&self, receipt: Receipt) -> Taken<'_> {
        Taken { spool: &self.spool, records: Vec::new(), receipt }
    }

    /// Whether a token is an administrator's.
    pub fn knows_administrator(&self, secret: &str) -> bool {
        let token = self.catalog.token(secret);
        token.is_some_and(|token| token.administers(self.clock.now()))
    }

    /// Whom a site's events of today would call the sender of a request: one visitor; in the half hour after midnight,
    /// and as long as a visit that went on over it is open, two.
    pub fn who_asks(&self, client: Client, site: &Site) -> Vec<VisitorId> {
        let Client { ip, agent, .. } = client;
        let Recognised { current, previous } =
            self.wall.cross(ip).recognise(&agent, site, self.clock.now());
        let of_visit = self.visits.whose(site.id, current).filter(|visitor| *visitor != current);
        let mut all: Vec<_> = [Some(current), previous, of_visit].into_iter().flatten().collect();
        all.dedup();
        all
    }

    /// Counts events that were refused because they could not be decoded.
    pub fn count_invalid(&self) {
        self.counters.received.inc();
        self.counters.reject("invalid", 1);
    }

    /// Counts an event that was understood, and that its sender says is nobody's.
    pub fn count_dropped(&self, reason: DropReason) {
        self.counters.received.inc();
        self.counters.reject(reason.as_str(), 1);
    }

    /// Reads user agents.
    pub fn agents(&self) -> &Agents {
        &self.agents
    }

    /// The rows of a beacon, one for each site that counts it, and what is dropped of it.
    fn sort(
        &self,
        beacon: &Beacon,
        client: Client,
        accept_language: &str,
    ) -> (Vec<Record>, Receipt) {
        let now = self.clock.now();
        let Client { ip, agent: raw_agent, signal, network, limited_as, way: _ } = client;
        let agent = self.agents.read(raw_agent.read());
        let objects = matches!(signal, Signal::Objects) && self.on_objection != OnObjection::Ignore;
        if let Some(reason) = self.verdict(beacon, &agent, network, objects) {
            return (Vec::new(), Receipt { dropped: vec![reason; beacon.domains.len()] });
        }
        let crossing = self.wall.cross(ip);
        let told = Told {
            beacon,
            agent: &agent,
            raw_agent: &raw_agent,
            crossing: &crossing,
            accept_language,
            network,
            objects,
            now,
        };
        let mut receipt = Receipt::default();
        let mut records = Vec::with_capacity(beacon.domains.len());
        for (place, domain) in beacon.domains.iter().enumerate() {
            // The first was admitted with the beacon.
            let is_admitted = place == 0 || self.limits.admit_network(limited_as, now);
            let record = match is_admitted {
                true => self.record(domain, &told),
                false => Err(DropReason::ThrottleNetwork),
            };
            match record {
                Ok(record) => records.push(record),
                Err(reason) => receipt.dropped.push(reason),
            }
        }
        (records, receipt)
    }

    /// Why a beacon does not count for any site.
    fn verdict(
        &self,
        beacon: &Beacon,
        agent: &Agent,
        network: Network,
        objects: bool,
    ) -> Option<DropReason> {
        if network == Network::DataCentre {
            return Some(DropReason::DataCentre);
        }
        // Whoever refuses in so many words is not counted, whatever is done with browsers' signals.
        if beacon.consent == Consent::Refused || (objects && self.on_objection == OnObjection::Drop)
        {
            return Some(DropReason::Objection);
        }
        if agent.is_bot {
            return Some(DropReason::Bot);
        }
        beacon.referrer.as_deref().and_then(judge::referrer)
    }

    fn record(&self, domain: &str, told: &Told<'_>) -> Result<Record, DropReason> {
        let site = self.catalog.site(domain).ok_or(DropReason::UnknownSite)?;
        if site.policy.profile.is_strict() && told.beacon.domains.len() > 1 {
            return Err(DropReason::SeveralSites);
        }
        let has_consent = told.beacon.consent == Consent::Given;
        let is_recognised = match site.policy.consent {
            ConsentMode::Required if !has_consent => return Err(DropReason::NoConsent),
            ConsentMode::Anonymous => has_consent,
            ConsentMode::Required | ConsentMode::NotAsked => true,
        };
        if !self.limits.admit_site(&site, told.now) {
            return Err(DropReason::ThrottleSite);
        }
        let first = || profile::kept(site.policy.profile, attributes(told));
        let placed = match is_recognised && !told.objects {
            true => self.visit(&site, told, first),
            false => anonymous(told, first),
        };
        let placed = placed.ok_or(DropReason::NoSessionForEngagement)?;
        Ok(record(&site, told, &placed))
    }

    fn visit(
        &self,
        site: &Site,
        told: &Told<'_>,
        first: impl FnOnce() -> Attributes,
    ) -> Option<Placed> {
        let recognised = told.crossing.recognise(told.raw_agent, site, told.now);
        let arrival = Arrival {
            site: site.id,
            timestamp: seconds(told.now),
            kind: (&told.beacon.kind).into(),
            hostname: &stored_host(&told.beacon.page.hostname, &site.domain),
            pathname: &told.beacon.page.pathname,
        };
        self.visits.place(&arrival, recognised.current, recognised.previous, first)
    }
}

impl From<&Kind> for crate::session::Kind {
    fn from(kind: &Kind) -> Self {
        match kind {
            Kind::Pageview => Self::Pageview,
            Kind::Engagement { .. } => Self::Engagement,
            Kind::Custom { .. } => Self::Custom,
        }
    }
}

/// Counted without recognising anybody: no visitor, no visit, and so no attention to measure.
fn anonymous(told: &Told<'_>, first: impl FnOnce() -> Attributes) -> Option<Placed> {
    if matches!(told.beacon.kind, Kind::Engagement { .. }) {
        return None;
    }
    Some(Placed::of_nobody(&first()))
}

fn record(site: &Site, told: &Told<'_>, placed: &Placed) -> Record {
    let Beacon { kind, page, props, revenue, .. } = told.beacon;
    // Nothing is kept that no report shows: an amount is, where a goal of the event is about money. There
    // are no exchange rates here, so that it stays in its own currency.
    let revenue = revenue.as_ref().filter(|_| site.currency_of(kind.name()).is_some());
    let (engagement_ms, scroll_depth) = match *kind {
        Kind::Engagement { ms, scroll_depth } => (ms, scroll_depth),
        Kind::Pageview | Kind::Custom { .. } => (0, SCROLL_DEPTH_UNKNOWN),
    };
    let happening = HappeningRef {
        site_id: site.id.0,
        timestamp: seconds(told.now),
        name: kind.name(),
        visitor_id: placed.visitor,
        session_id: placed.session,
        seq: placed.seq,
        event_id: event_id(placed.seq, rand::random()),
        hostname: &stored_host(&page.hostname, &site.domain),
        pathname: &page.pathname,
        interactive: !matches!(kind, Kind::Custom { interactive: false, .. }),
        engagement_ms,
        scroll_depth,
        props: props.pairs(),
        revenue_amount: revenue.map_or(0, |revenue| revenue.thousandths),
        revenue_currency: revenue.map_or("", |revenue| revenue.currency),
        entry_hostname: placed.visit.entry_hostname(),
        entry_pathname: placed.visit.entry_pathname(),
    };
    Record::of_parts(&happening, &placed.visit)
}

fn attributes(told: &Told<'_>) -> Attributes {
    let tags = Tags::from_query(&told.beacon.query);
    let acquisition =
        Acquisition::of(&tags, told.beacon.referrer.as_deref(), &told.beacon.page.hostname);
    let place = match told.network {
        // Where an anonymising network lets its visitors out is not where they are.
        Network::AnonymousVpn => {
            Place { country: ANONYMOUS_COUNTRY.to_owned(), ..Place::default() }
        }
        Network::Unknown | Network::DataCentre => told.crossing.place(),
    };
    let Place { country, region, region_name, city, city_name } = place;
    let place_and_agent = Attributes {
        country,
        region,
        region_name,
        city,
        city_name,
        browser: told.agent.browser.clone(),
        browser_version: told.agent.browser_version.clone(),
        os: told.agent.os.clone(),
        os_version: told.agent.os_version.clone(),
        device: told.agent.device.to_owned(),
        language: language::primary_tag(told.accept_language),
        ..Attributes::default()
    };
    acquisition.onto(place_and_agent)
}

/// Rows hold seconds since 1970 in 32 bits; a clock outside of that shows its nearest end. Second 0 is
/// what ClickHouse says for the first of no events.
fn seconds(moment: Timestamp) -> u32 {
    u32::try_from(moment.as_second().max(1)).unwrap_or(u32::MAX)
}
