//! What the operator sees of a running collector: the log and the counters.
//!
//! Counters hold to the conservation law: received = accepted + dropped + refused, for events.
//! Neither an address nor a visitor can appear here: `privacy` is the only module that has them,
//! and its types cannot be formatted.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Log, LogFormat};
use crate::session::Visits;
use crate::spool::Spool;
use crate::store::loader;

/// Starts the log on standard error.
///
/// # Errors
/// When `log.filter` is not a filter.
pub fn start_log(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.filter)
        .map_err(|error| anyhow::anyhow!("log.filter `{}` is not a filter: {error}", log.filter))?;
    let base = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match log.format {
        LogFormat::Text => base.with(lines.with_target(false)).init(),
        LogFormat::Json => base.with(lines.json().flatten_event(true)).init(),
    }
    Ok(())
}

/// Why events were not counted.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Reason {
    /// A `DropReason`, `invalid`, or why the collector could not take them.
    pub reason: &'static str,
}

/// The counters of the collector, as Prometheus reads them.
pub struct Counters {
    registry: Registry,
    /// Events that arrived, counted once for each site that a beacon names.
    pub received: Counter,
    /// Events that are in the spool.
    pub accepted: Counter,
    /// Events that were not kept, by reason.
    pub rejected: Family<Reason, Counter>,
    sources: OnceLock<Sources>,
    gauges: Gauges,
}

/// The parts that have figures of their own.
pub struct Sources {
    /// The durable log.
    pub spool: Spool,
    /// What ships it.
    pub loader: Arc<loader::Figures>,
    /// The open visits.
    pub visits: Arc<Visits>,
}

/// What the sources show when they are asked.
#[derive(Default)]
struct Gauges {
    spool_bytes: Gauge,
    rows_waiting: Gauge,
    rows_stored: Gauge,
    rows_quarantined: Gauge,
    frames_damaged: Gauge,
    syncs: Gauge,
    batches: Gauge,
    insert_failures: Gauge,
    visits_open: Gauge,
    visits_evicted: Gauge,
}

impl Default for Counters {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("passerby");
        let (received, accepted) = (Counter::default(), Counter::default());
        let rejected = Family::<Reason, Counter>::default();
        registry.register("events_received", "Events that arrived", received.clone());
        registry.register("events_accepted", "Events that are safe in the spool", accepted.clone());
        registry.register(
            "events_rejected",
            "Events that were not kept, by reason",
            rejected.clone(),
        );
        let gauges = Gauges::default();
        for (name, help, gauge) in gauges.all() {
            registry.register(name, help, gauge.clone());
        }
        Self { registry, received, accepted, rejected, sources: OnceLock::new(), gauges }
    }
}

impl Gauges {
    fn all(&self) -> [(&'static str, &'static str, &Gauge); 10] {
        [
            ("spool_bytes", "Bytes that the spool takes on disk", &self.spool_bytes),
            (
                "events_waiting",
                "Events in the spool that ClickHouse does not have yet",
                &self.rows_waiting,
            ),
            (
                "events_stored",
                "Events that ClickHouse has taken since the start",
                &self.rows_stored,
            ),
            ("events_quarantined", "Events put aside since the start", &self.rows_quarantined),
            (
                "spool_damaged",
                "Damaged places found in the spool at the start",
                &self.frames_damaged,
            ),
            ("spool_syncs", "Syncs of the spool's disk since the start", &self.syncs),
            ("insert_batches", "Batches that ClickHouse has taken since the start", &self.batches),
            ("insert_failures", "Inserts that failed since the start", &self.insert_failures),
            ("visits_open", "Visits that are open", &self.visits_open),
            (
                "visits_evicted",
                "Visits forgotten before they ended, for want of room",
                &self.visits_evicted,
            ),
        ]
    }

    fn show(&self, sources: &Sources) {
        let set = |gauge: &Gauge, value: u64| gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        let read = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        let (spool, loader) = (sources.spool.figures(), &sources.loader);
        let quarantined = read(&loader.quarantined);
        set(&self.spool_bytes, sources.spool.bytes());
        set(&self.rows_waiting, read(&spool.rows_waiting));
        set(&self.rows_stored, read(&spool.rows_committed).saturating_sub(quarantined));
        set(&self.rows_quarantined, quarantined);
        set(&self.frames_damaged, read(&spool.damaged));
        set(&self.syncs, read(&spool.syncs));
        set(&self.batches, read(&loader.batches));
        set(&self.insert_failures, read(&loader.failures));
        set(&self.visits_open, sources.visits.len() as u64);
        set(&self.visits_evicted, sources.visits.evicted());
    }
}

impl Counters {
    /// Adds to what was not kept for a reason.
    pub fn reject(&self, reason: &'static str, events: u64) {
        self.rejected.get_or_create(&Reason { reason }).inc_by(events);
    }

    /// Shows the figures of the other parts too, from now on.
    pub fn watch(&self, sources: Sources) {
        // A process has one collector; were there a second one, the first would go on being shown.
        let _ = self.sources.set(sources);
    }

    /// Everything in the OpenMetrics text format.
    pub fn encode(&self) -> String {
        if let Some(sources) = self.sources.get() {
            self.gauges.show(sources);
        }
        let mut text = String::new();
        match prometheus_client::encoding::text::encode(&mut text, &self.registry) {
            Ok(()) => text,
            // Writing into a String does not fail; an empty answer is an honest one if it does.
            Err(_) => "# EOF\n".to_owned(),
        }
    }
}
