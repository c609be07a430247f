//! The collecting half of the program: everything that `serve` and `demo` run beside the [`App`].
//!
//! Stopped in this order: no new connections, requests under way answered, the spool closed, what it
//! holds shipped as far as the time allows (the rest waits on disk for the next start), ClickHouse.
//! Each of these has its time, and all of them together have less than ten seconds.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use jiff::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::tasks::{Tasks, kept};
use super::{App, retention};
use crate::apart::apart;
use crate::clock::SharedClock;
use crate::config::{self, Config};
use crate::http::Services;
use crate::http::connections::{self, Stopping};
use crate::http::control;
use crate::http::door::Door;
use crate::http::tls::Certificates;
use crate::ingest::{self, Collector, Parts};
use crate::limits::Crowd;
use crate::notices::Notices;
use crate::privacy::{Bound, Geo, Ledger, Listener, Prefixes, Proxies, SaltStore, Salts, Wall};
use crate::session::{self, Visits};
use crate::site::policy::CNIL_RETENTION_DAYS_MAX;
use crate::site::{Site, SiteId};
use crate::spool::disk::{Directory, Disk};
use crate::spool::{self, Limits, Reader, Spool};
use crate::store::catalog::Catalog;
use crate::store::loader::Loader;
use crate::store::{Store, StoreError};
use crate::telemetry::Sources;

/// How often salts and visits that have ended are forgotten, and files are looked at that may have been replaced.
const TICK: Duration = Duration::from_secs(15);
/// How soon it is tried again to write down changed rules.
const RULES_RETRY: Duration = Duration::from_secs(1);
/// How often it is looked for days that are over.
const CLOSING_INTERVAL: Duration = Duration::from_secs(5 * 60);
/// How long after a start that is done first.
const CLOSING_DELAY: Duration = Duration::from_secs(20);
/// For how long it is known which sites have so many events that this is of use.
const WORTH_KNOWN_FOR: Duration = Duration::from_secs(60 * 60);
/// How long the spool's last write may take when the collector stops: a disk that does not answer may never do so again.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);
/// How long the last batches may take when the collector stops.
const SHIP_PATIENCE: Duration = Duration::from_secs(2);
/// As many segments the spool has room for, whatever was configured.
const SEGMENTS_MIN: u64 = 4;

/// A collector that takes beacons in.
pub struct Collecting {
    app: App,
    address: SocketAddr,
    stopping: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
    tasks: Tasks,
    spool: Spool,
    loader: Loader,
}

impl Collecting {
    /// Opens the spool, rebuilds the open visits, and listens. `listen_key` is what the address can be changed with.
    ///
    /// # Errors
    /// When the address is occupied, the spool can not be opened, or the place database can not be read.
    pub async fn start(app: App, listen_key: &str) -> anyhow::Result<Self> {
        let config = app.config().clone();
        let services = app.services().clone();
        let now = services.clock.now();
        keeps_what_profiles_allow(&services.catalog)?;
        let geo = Arc::new(Geo::open(config.geo.database.as_deref(), now)?);
        let certificates = certificates(&config)?;
        // What is in the way of listening is said before the spool is read, and listened is after it.
        let address = Address::take(config.listen, listen_key)?;
        let metrics = config.metrics_listen.map(|address| Address::take(address, METRICS_KEY));
        let metrics = metrics.transpose()?;
        let (spool, reader, visits) = read_spool(config.clone(), now).await?;
        let visits = Arc::new(visits);
        let listener = address.listen()?;
        let metrics = metrics.map(Address::listen).transpose()?;
        let address = listener.local_addr()?;
        let salts = Arc::new(Salts::open(
            SaltStore::open(config.privacy.salt_dir.as_deref(), &config.data_dir),
            Ledger::open(&config.data_dir),
            now,
        ));
        let prefixes =
            Prefixes { ipv4: config.privacy.ipv4_prefix, ipv6: config.privacy.ipv6_prefix };
        let collector = Arc::new(Collector::new(Parts {
            clock: Arc::clone(&services.clock),
            catalog: Arc::clone(&services.catalog),
            wall: Wall::new(prefixes, Arc::clone(&salts), Arc::clone(&geo)),
            on_objection: config.privacy.on_objection,
            limits: ingest::Limits::per_minute(
                config.limits.events_per_network,
                config.limits.events_per_site,
            ),
            visits: Arc::clone(&visits),
            spool: spool.clone(),
            counters: Arc::clone(&services.counters),
        }));
        let loader = start_loader(&app, &spool, reader);
        let crowd = Crowd::new(config.limits.connections_per_network);
        services.counters.watch(Sources {
            clock: Arc::clone(&services.clock),
            collector: Arc::clone(&collector),
            spool: spool.clone(),
            loader: Arc::clone(loader.figures()),
            quarantine: Arc::clone(&services.quarantine),
            visits: Arc::clone(&visits),
            crowd: Arc::clone(&crowd),
        });
        services.eraser.watch(spool.clone(), Arc::clone(&visits));
        services.health.set_spool(spool.clone());

        let (stopping, stopped) = watch::channel(false);
        let door = Door {
            proxies: Proxies::new(
                config.trusted_proxies.clone(),
                &config.forwarding_headers,
                prefixes,
            )
            .naming_people_in(config.sign_in.header.clone()),
            collector: Arc::clone(&collector),
            services: services.clone(),
            routes: crate::http::routes(services.clone()),
        };
        let mut servers = vec![tokio::spawn(connections::serve(
            listener,
            Arc::new(door),
            certificates.clone(),
            Arc::clone(&crowd),
            stopped.clone(),
        ))];
        servers.extend(metrics.map(|listener| {
            let routes = control::operators_routes(services.clone());
            tokio::spawn(connections::serve(
                listener,
                Arc::new(routes),
                None,
                crowd,
                stopped.clone(),
            ))
        }));
        servers.extend(control_server(&config, &app, stopped));
        let notices = Notices::of(&config, &services, &spool)
            .context("what is told to whom can not be kept in the data directory")?;
        let mut tasks = Tasks::default();
        let clock = Arc::clone(&services.clock);
        tasks.keep_or_end("salts end with their day", move || {
            rotate(Arc::clone(&clock), Arc::clone(&salts))
        });
        let clock = Arc::clone(&services.clock);
        tasks.keep("what has ended is forgotten", move || {
            tick(Arc::clone(&clock), Arc::clone(&visits), Arc::clone(&collector))
        });
        let clock = Arc::clone(&services.clock);
        tasks.keep("files that were replaced are taken up", move || {
            look_at_files(Arc::clone(&clock), Arc::clone(&geo), certificates.clone())
        });
        if let Some(notices) = notices {
            let mut first = Some(notices);
            let (config, services, spool) = (config.clone(), services.clone(), spool.clone());
            tasks.keep("reports and alerts", move || {
                // What was told is read from the disk again.
                let again = || Notices::of(&config, &services, &spool).ok().flatten();
                let notices = first.take().or_else(again);
                async move {
                    match notices {
                        Some(notices) => notices.run().await,
                        None => tracing::error!(
                            "reports and alerts can not go on before the next start"
                        ),
                    }
                }
            });
        }
        let (kept, data_dir) = (services.clone(), config.data_dir.clone());
        tasks.keep("what has come to its end is removed", move || {
            retention::keep(kept.clone(), data_dir.clone())
        });
        let (noted, mut ready) = (services.clone(), Some(app.when_ready()));
        tasks.keep("changed rules are written down", move || {
            // Whatever is begun again has had it.
            let (ready, noted, config) = (ready.take(), noted.clone(), config.clone());
            async move {
                if let Some(ready) = ready {
                    ready.await;
                }
                note_rules(noted, config).await;
            }
        });
        tasks.keep("days that are over are counted", move || close_days(services.clone()));
        Ok(Self { app, address, stopping, servers, tasks, spool, loader })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The parts that it was started with.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Returns when it can not go on, and has to be stopped: why not.
    pub async fn failed(&self) -> anyhow::Error {
        let what = self.tasks.given_up().await;
        anyhow!(
            "the collector can not do any more what it must not go on without ({what}), and stops; the log says what it met. Start it \
             again: that wipes salts which are past their time"
        )
    }

    /// Stops everything, in order. Nothing that was accepted is lost.
    pub async fn stop(self) {
        self.app.services().health.set_stopping();
        self.stopping.send_replace(true);
        for server in self.servers {
            let _ = server.await;
        }
        self.tasks.stop();
        let is_closed = tokio::time::timeout(CLOSE_PATIENCE, self.spool.close()).await.is_ok();
        if !is_closed {
            tracing::error!("the disk does not answer; nothing that waits for it was accepted");
        }
        self.loader.stop(if is_closed { SHIP_PATIENCE } else { Duration::ZERO }).await;
        self.app.close().await;
    }
}

/// A site whose profile allows less than it keeps ends the start: what is kept too long can not be taken
/// back. When the sites are not known yet, `passerby audit` says so instead.
fn keeps_what_profiles_allow(catalog: &Catalog) -> anyhow::Result<()> {
    let sites = catalog.sites();
    let keeps_too_long =
        |site: &&Arc<Site>| !site.policy.profile.allows_retention(site.retention_days);
    match sites.iter().find(keeps_too_long) {
        None => Ok(()),
        Some(site) => bail!(
            "{domain} keeps its events {kept}, but privacy.profile cnil allows {CNIL_RETENTION_DAYS_MAX} days (25 months) at \
             most: start with the profile standard, run `passerby site add {domain} --retention-days \
             {CNIL_RETENTION_DAYS_MAX}`, and start again",
            domain = site.domain,
            kept = site.retention_days.map_or_else(
                || "until they are erased".to_owned(),
                |days| format!("for {days} days")
            ),
        ),
    }
}

/// What the other listener's address can be changed with.
const METRICS_KEY: &str = "metrics_listen or PASSERBY_METRICS_LISTEN";

/// An address that will be listened on.
struct Address {
    bound: Bound,
    address: SocketAddr,
    /// What it can be changed with.
    key: String,
}

impl Address {
    fn take(address: SocketAddr, key: &str) -> anyhow::Result<Self> {
        let bound = Bound::to(address).with_context(|| in_the_way(address, key))?;
        Ok(Self { bound, address, key: key.to_owned() })
    }

    fn listen(self) -> anyhow::Result<Listener> {
        self.bound.listen().with_context(|| in_the_way(self.address, &self.key))
    }
}

fn in_the_way(address: SocketAddr, key: &str) -> String {
    format!("nothing can listen on {address}: stop what does, or choose another address with {key}")
}

/// Opens the spool and rebuilds the visits. After hours without ClickHouse that takes a while, and a disk may not answer at all:
/// so it is done on a thread of its own, which nobody waits for when the collector is told to stop meanwhile.
async fn read_spool(config: Config, now: Timestamp) -> anyhow::Result<(Spool, Reader, Visits)> {
    let (done, read) = oneshot::channel();
    let read_all = move || {
        let (spool, reader) = open_spool(&config)?;
        let visits = rebuild_visits(&config, &spool, now)?;
        Ok((spool, reader, visits))
    };
    std::thread::Builder::new()
        .name("opening".to_owned())
        .spawn(move || drop(done.send(read_all())))?;
    read.await.context("the spool's reading has ended early")?
}

fn open_spool(config: &Config) -> anyhow::Result<(Spool, Reader)> {
    let directory = Directory::open(spool::directory(&config.data_dir))
        .context("the spool's directory can not be made")?;
    let config::Spool { bytes_max, segment_bytes, waiting_max } = config.spool;
    // A segment leaves the disk when it has ended: one alone must not fill the spool with what ClickHouse has.
    let segment_bytes = segment_bytes.min(bytes_max / SEGMENTS_MIN);
    let limits = Limits { bytes_max, segment_bytes, waiting_max, ..Limits::default() };
    Ok(Spool::open(disk(config, directory), limits)?)
}

/// The disk of the spool; in a debug build a test may have put faults onto it.
fn disk(config: &Config, directory: Directory) -> Arc<dyn Disk> {
    #[cfg(debug_assertions)]
    if let Some(wishes) = &config.faults {
        return crate::faults::FaultyDisk::over(Arc::new(directory), wishes);
    }
    let _ = config;
    Arc::new(directory)
}

/// A restart goes on with the visits that were open.
fn rebuild_visits(config: &Config, spool: &Spool, now: Timestamp) -> anyhow::Result<Visits> {
    let visits = Visits::new(config.visits.open_max);
    let since = session::open_since(u32::try_from(now.as_second()).unwrap_or(0));
    spool.replay(since, |event| visits.restore(event)).context("the spool can not be read")?;
    tracing::info!(visits = visits.len(), "the open visits were rebuilt from the spool");
    Ok(visits)
}

fn start_loader(app: &App, spool: &Spool, reader: Reader) -> Loader {
    let store = Arc::clone(&app.services().store);
    let quarantine = Arc::clone(&app.services().quarantine);
    Loader::start(store, spool.clone(), reader, quarantine, |task| {
        kept("what is in the spool is loaded into ClickHouse", task)
    })
}

/// Without the socket the commands cannot reach a running collector; beacons are counted all the same.
fn control_server(config: &Config, app: &App, stopped: Stopping) -> Option<JoinHandle<()>> {
    match control::bind(&config.data_dir) {
        Ok(listener) => Some(tokio::spawn(control::serve(
            listener,
            control::owners_routes(app.services().clone()),
            stopped,
        ))),
        Err(error) => {
            let path: &Path = &config.data_dir;
            tracing::warn!(
                %error, path = %path.display(),
                "there is no control socket, so that commands can not reach this collector; choose a shorter data_dir"
            );
            None
        }
    }
}

/// What the listener is encrypted with, if it is.
fn certificates(config: &Config) -> anyhow::Result<Option<Arc<Certificates>>> {
    match (&config.tls.certificate, &config.tls.key) {
        (Some(certificate), Some(key)) => Ok(Some(Arc::new(Certificates::open(certificate, key)?))),
        _ => Ok(None),
    }
}

/// Ends salts also when nobody visits. Nothing else is done here, so that nothing else can keep them from ending.
async fn rotate(clock: SharedClock, salts: Arc<Salts>) {
    let mut interval = tokio::time::interval(TICK);
    loop {
        interval.tick().await;
        salts.rotate(clock.now());
    }
}

/// What has to happen also when nobody visits.
async fn tick(clock: SharedClock, visits: Arc<Visits>, collector: Arc<Collector>) {
    let mut interval = tokio::time::interval(TICK);
    loop {
        interval.tick().await;
        visits.sweep(u32::try_from(clock.now().as_second()).unwrap_or(0));
        collector.sweep();
    }
}

/// Takes up files that were replaced, at once at a SIGHUP.
async fn look_at_files(clock: SharedClock, geo: Arc<Geo>, certificates: Option<Arc<Certificates>>) {
    let mut interval = tokio::time::interval(TICK);
    let mut hangup = signal(SignalKind::hangup()).ok();
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            () = received(&mut hangup) => {}
        }
        let (now, geo, certificates) = (clock.now(), Arc::clone(&geo), certificates.clone());
        // A database of cities is read whole, and a disk may not answer.
        apart(move || {
            if let Some(certificates) = &certificates {
                certificates.reload_if_replaced();
            }
            geo.reload_if_replaced(now);
        })
        .await;
    }
}

/// Writes down which rules of the configuration are others than those of the last start, once ClickHouse is there; and says
/// which are for no site.
async fn note_rules(services: Services, config: Config) {
    let (catalog, store) = (&services.catalog, &services.store);
    let on_objection = config.privacy.on_objection;
    // It may have gone away again; that it is, its keeper says.
    while let Err(error) = catalog.note_rules(store, on_objection, services.clock.now()).await {
        tracing::debug!(%error, "changed rules are not written beside the numbers yet");
        tokio::time::sleep(RULES_RETRY).await;
    }
    tracing::debug!("the rules of the configuration are remembered");
    for (table, domain) in config.chosen_for_nobody(|domain| catalog.has_site(domain)) {
        tracing::warn!(
            table,
            domain,
            "no site has this domain, so that what is chosen for it holds for nobody: check how it is written, or whether the \
             site has another domain by now"
        );
    }
}

/// Counts the days that are over, so that reports need not.
async fn close_days(services: Services) {
    let mut interval = tokio::time::interval_at(Instant::now() + CLOSING_DELAY, CLOSING_INTERVAL);
    let (mut has_told, mut known) = (false, Worth::default());
    loop {
        interval.tick().await;
        let begun = Instant::now();
        match close_all(&services, &mut known).await {
            Ok(days) if days > 0 || !has_told => {
                has_told = true;
                let seconds = begun.elapsed().as_secs();
                tracing::info!(
                    days,
                    seconds,
                    "days that are over were counted; reports add them up"
                );
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "days that are over are counted later"),
        }
    }
}

/// What was found out about the sites: it takes long, and hardly changes.
#[derive(Default)]
struct Worth {
    /// Those whose days may be closed, and when that was asked: to answer it all events are counted.
    sites: Option<(Instant, Vec<SiteId>)>,
    /// Those of which no day can be, before their old rows are gone. It is found out anew as often as the others are.
    hopeless: HashSet<SiteId>,
    /// Those of which it was said that their zone has other rules in ClickHouse.
    disputed: HashSet<SiteId>,
}

impl Worth {
    async fn sites(&mut self, store: &Store) -> Result<Vec<SiteId>, StoreError> {
        self.forget_old();
        let (asked, sites) = match self.sites.take() {
            Some(known) => known,
            None => (Instant::now(), store.sites_worth_closing().await?),
        };
        let sites = self.sites.insert((asked, sites)).1.iter();
        Ok(sites.filter(|site| !self.hopeless.contains(site)).copied().collect())
    }

    /// Old rows may have gone meanwhile.
    fn forget_old(&mut self) {
        if self.sites.as_ref().is_some_and(|(asked, _)| asked.elapsed() >= WORTH_KNOWN_FOR) {
            self.sites = None;
            self.hopeless.clear();
        }
    }
}

/// Returns how many days were closed.
async fn close_all(services: &Services, known: &mut Worth) -> Result<usize, StoreError> {
    let worth = known.sites(&services.store).await?;
    let mut round = Round::default();
    for site in services.catalog.sites().iter().filter(|site| worth.contains(&site.id)) {
        let closing = services.store.close_days(site, services.clock.now()).await;
        let Some(closing) = round.note(closing)? else { continue };
        if closing.has_revenants {
            known.hopeless.insert(site.id);
            tracing::debug!(
                site = site.domain,
                "visitors of the site last longer than a day, so that its days can not be added up"
            );
        }
        if closing.is_disputed && known.disputed.insert(site.id) {
            tracing::warn!(
                site = site.domain,
                timezone = site.timezone_name(),
                "the collector and ClickHouse have different rules for the site's time zone, so that reports count some of its days \
                 from events, and by either's rules: bring the older one up to date (tzdata, or ClickHouse itself)"
            );
        }
        round.days += closing.closed;
    }
    round.failed.map_or(Ok(round.days), Err)
}

/// One site after the other.
#[derive(Default)]
struct Round {
    /// How many days were closed.
    days: usize,
    /// Why days of a site were not, if any were not.
    failed: Option<StoreError>,
}

impl Round {
    /// What a site's days came to. One whose days can not be counted at the moment, because it takes too much or ClickHouse has too
    /// much to do, does not keep the others from it: `None`. A ClickHouse that is away, or has lost its data, does.
    fn note<T>(&mut self, closed: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match closed {
            Ok(closing) => Ok(Some(closing)),
            Err(error @ (StoreError::Unavailable(_) | StoreError::Emptied)) => Err(error),
            Err(error) => {
                self.failed = Some(error);
                Ok(None)
            }
        }
    }
}

/// Returns at a signal; never, where there are none to be had.
async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    /// On a runtime of one thread.
    #[tokio::test]
    async fn a_place_database_that_can_not_be_read_for_long_keeps_nobody_waiting() {
        let directory = tempfile::tempdir().unwrap();
        let (path, pipe) = (directory.path().join("places.mmdb"), directory.path().join("pipe"));
        std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/places.mmdb"), &path)
            .unwrap();
        let clock: SharedClock = Arc::new(SystemClock);
        let geo = Arc::new(Geo::open(Some(&path), clock.now()).unwrap());
        // A pipe is read as soon as somebody writes to it.
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        std::fs::rename(&pipe, &path).unwrap();
        let writing = path.clone();
        let writer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(2));
            drop(std::fs::OpenOptions::new().write(true).open(writing).unwrap());
        });
        let looking = tokio::spawn(look_at_files(clock, geo, None));
        let begun = Instant::now();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        assert!(!looking.is_finished());
        looking.abort();
        writer.join().unwrap();
    }

    #[test]
    fn a_site_that_can_not_be_counted_now_keeps_no_other_from_it_unless_clickhouse_is_away() {
        let goes_on = |error: StoreError| {
            let mut round = Round::default();
            let noted = round.note::<()>(Err(error.clone()));
            let told = noted.as_ref().err().or(round.failed.as_ref());
            assert_eq!(told.map(ToString::to_string), Some(error.to_string()));
            noted.is_ok()
        };
        assert!(goes_on(StoreError::crowded("too much to do")));
        assert!(goes_on(StoreError::Limit { code: 241, message: String::new() }));
        assert!(!goes_on(StoreError::Unavailable(String::new())));
        assert!(!goes_on(StoreError::Emptied));
    }

    #[tokio::test(start_paused = true)]
    async fn a_site_of_which_no_day_could_be_closed_is_tried_again_when_its_old_rows_may_be_gone() {
        let mut known = Worth {
            sites: Some((Instant::now(), vec![SiteId(7)])),
            hopeless: HashSet::from([SiteId(7)]),
            ..Worth::default()
        };
        tokio::time::advance(WORTH_KNOWN_FOR - Duration::from_secs(1)).await;
        known.forget_old();
        assert!(known.sites.is_some() && known.hopeless.contains(&SiteId(7)));
        tokio::time::advance(Duration::from_secs(1)).await;
        known.forget_old();
        assert!(known.sites.is_none() && known.hopeless.is_empty());
    }
}
