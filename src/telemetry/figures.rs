//! The figures that the parts keep by themselves, read when somebody asks for them.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::clock::SharedClock;
use crate::ingest;
use crate::limits::Crowd;
use crate::session::Visits;
use crate::spool::{Oldest, Spool};
use crate::store::loader;
use crate::store::loader::quarantine::SharedQuarantine;

/// The parts that have figures of their own.
pub struct Sources {
    /// Tells how old what waits is.
    pub clock: SharedClock,
    /// Reads user agents.
    pub collector: Arc<ingest::Collector>,
    /// The durable log.
    pub spool: Spool,
    /// What ships it.
    pub loader: Arc<loader::Figures>,
    /// What it has put aside.
    pub quarantine: SharedQuarantine,
    /// The open visits.
    pub visits: Arc<Visits>,
    /// The open connections.
    pub crowd: Arc<Crowd>,
}

/// The sources, as soon as there are any.
pub(super) struct Figures(pub(super) Arc<OnceLock<Sources>>);

impl fmt::Debug for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Figures")
    }
}

impl Collector for Figures {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(sources) = self.0.get() else { return Ok(()) };
        let mut sheet = Sheet { encoder };
        sources.events(&mut sheet)?;
        sources.spool(&mut sheet)?;
        sources.inserts(&mut sheet)?;
        sources.quarantine(&mut sheet)?;
        sources.connections(&mut sheet)?;
        sources.memory(&mut sheet)
    }
}

/// What is being written.
struct Sheet<'a> {
    encoder: DescriptorEncoder<'a>,
}

impl Sheet<'_> {
    fn metric(&mut self, name: &str, help: &str, metric: &dyn Encodable) -> fmt::Result {
        metric.put(name, help, &mut self.encoder)
    }

    /// A figure that only grows.
    fn count(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.metric(name, help, &ConstCounter::new(value))
    }

    /// A figure that comes and goes.
    fn level(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.metric(name, help, &ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)))
    }
}

/// Any metric, with its name and its explanation.
trait Encodable {
    fn put(&self, name: &str, help: &str, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result;
}

impl<M: EncodeMetric> Encodable for M {
    fn put(&self, name: &str, help: &str, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        self.encode(encoder.encode_descriptor(name, help, None, self.metric_type())?)
    }
}

fn read(figure: &AtomicU64) -> u64 {
    figure.load(Ordering::Relaxed)
}

impl Sources {
    /// What became of the events: the conservation law is made of these.
    fn events(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        let (spool, quarantined) = (self.spool.figures(), read(&self.loader.quarantined));
        let stored = read(&spool.rows_committed).saturating_sub(quarantined);
        sheet.count(
            "events_accepted",
            "Events that are safe in the spool",
            read(&spool.rows_appended),
        )?;
        sheet.count(
            "events_recovered",
            "Events that waited in the spool at the start",
            read(&spool.rows_recovered),
        )?;
        sheet.count("events_stored", "Events that ClickHouse has taken", stored)?;
        sheet.count(
            "events_quarantined",
            "Events put aside because ClickHouse will never take them",
            quarantined,
        )?;
        sheet.level(
            "events_waiting",
            "Events in the spool that ClickHouse does not have yet",
            read(&spool.rows_waiting),
        )
    }

    fn spool(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        let figures = self.spool.figures();
        sheet.level("spool_bytes", "Bytes that the spool takes on disk", self.spool.bytes())?;
        sheet.level(
            "spool_bytes_max",
            "Bytes that the spool may take on disk",
            self.spool.bytes_max(),
        )?;
        // A zero would say that nothing waits.
        if let Some(seconds) = self.oldest_waiting_seconds() {
            sheet.level(
                "oldest_waiting_event_seconds",
                "Age of the oldest event that ClickHouse does not have yet; 0 when there is none, absent when it can not be told",
                seconds,
            )?;
        }
        sheet.level(
            "spool_write_seconds",
            "For how long the write that is under way has been; 0 when none is",
            self.spool.writing_for().as_secs(),
        )?;
        sheet.count("spool_syncs", "Syncs of the spool's disk", read(&figures.syncs))?;
        sheet.count(
            "spool_damaged",
            "Damaged places found in the spool at the start",
            read(&figures.damaged),
        )
    }

    fn oldest_waiting_seconds(&self) -> Option<u64> {
        let now = self.clock.now().as_second();
        match self.spool.oldest_waiting() {
            Oldest::Nothing => Some(0),
            Oldest::Since(then) => Some(u64::try_from(now - i64::from(then)).unwrap_or(0)),
            Oldest::Unknown => None,
        }
    }

    fn inserts(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        let loader::Figures { insert_seconds, failures, is_held, .. } = &*self.loader;
        sheet.metric(
            "insert_seconds",
            "How long ClickHouse took for a batch that it has taken",
            insert_seconds,
        )?;
        sheet.metric("insert_failures", "Inserts that failed, by what was wrong", failures)?;
        sheet.level(
            "inserts_held",
            "1 while events wait for something that a person has to mend",
            u64::from(is_held.load(Ordering::Relaxed)),
        )
    }

    fn quarantine(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        let amount = self.quarantine.amount();
        sheet.level("quarantine_rows", "Events that are put aside now", amount.rows)?;
        sheet.level("quarantine_bytes", "Bytes that they take", amount.bytes)?;
        sheet.level(
            "quarantine_bytes_max",
            "Bytes that they may take; then what else ClickHouse refuses waits",
            self.quarantine.bytes_max(),
        )
    }

    fn connections(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        sheet.level("connections_open", "Connections that are open", self.crowd.open() as u64)?;
        sheet.count(
            "connections_refused",
            "Connections closed at once because their network had too many",
            self.crowd.refused(),
        )
    }

    fn memory(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        let (hits, misses) = self.collector.agents().remembered();
        sheet.level("visits_open", "Visits that are open", self.visits.len() as u64)?;
        sheet.count(
            "visits_evicted",
            "Visits forgotten before they ended, for want of room",
            self.visits.evicted(),
        )?;
        sheet.count("user_agents_remembered", "User agents that were known already", hits)?;
        sheet.count("user_agents_parsed", "User agents that had to be read", misses)
    }
}
