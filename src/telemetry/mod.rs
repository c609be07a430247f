//! What the operator sees of a running collector: the log and the counters.
//!
//! They hold to the conservation law, for events: received = accepted + rejected by reason, and
//! recovered at the start + accepted = stored + waiting + quarantined. docs/operations.md explains each.
//! Neither an address nor a visitor can appear here: `privacy` is the only module that has them,
//! and its types cannot be formatted.

mod figures;
mod once;

use std::io::IsTerminal;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub use figures::Sources;
pub use once::ToldOnce;

use crate::config::{Log, LogFormat};
use crate::judge::DropReason;
use crate::spool::{AppendError, Spool};
use figures::Figures;

/// Starts the log on standard error.
///
/// # Errors
/// When `log.filter` is not a filter.
pub fn start_log(log: &Log) -> anyhow::Result<()> {
    begin(log, &log.filter)
}

/// Starts the log on standard error of what works for people at a terminal: unless another filter is chosen, it has what goes
/// wrong, and no more. Where there is one already, it stays.
///
/// # Errors
/// As [`start_log`].
pub fn start_log_of_a_command(log: &Log) -> anyhow::Result<()> {
    let is_chosen = log.filter != Log::default().filter;
    begin(log, if is_chosen { &log.filter } else { "warn" })
}

fn begin(log: &Log, filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| anyhow::anyhow!("log.filter `{}` is not a filter: {error}", log.filter))?;
    let base = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A process has one log, and keeps the first.
    let _ = match log.format {
        LogFormat::Text => base.with(lines.with_target(false)).try_init(),
        LogFormat::Json => base.with(lines.json().flatten_event(true)).try_init(),
    };
    Ok(())
}

/// Why events were not counted.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Reason {
    /// A `DropReason`, `invalid`, or why the collector could not take them.
    pub reason: &'static str,
}

/// All of them.
fn reasons() -> impl Iterator<Item = &'static str> {
    let of_spool = [AppendError::Busy, AppendError::Full, AppendError::Failed];
    let dropped = DropReason::ALL.into_iter().map(DropReason::as_str);
    ["invalid", "starting"].into_iter().chain(of_spool.map(AppendError::as_str)).chain(dropped)
}

/// What is told without anybody asking.
#[derive(Clone, Copy, Debug)]
pub enum Notice {
    /// A report by mail.
    Report,
    /// An alert to one address or webhook.
    Alert,
}

/// Of which kind it is.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct NoticeKind {
    kind: &'static str,
}

impl From<Notice> for NoticeKind {
    fn from(notice: Notice) -> Self {
        let kind = match notice {
            Notice::Report => "report",
            Notice::Alert => "alert",
        };
        Self { kind }
    }
}

/// The counters of the collector, as Prometheus reads them.
pub struct Counters {
    registry: Registry,
    /// Events that arrived, counted once for each site that a beacon names.
    pub received: Counter,
    /// Events that were not kept, by reason.
    rejected: Family<Reason, Counter>,
    /// Reports that were refused because too many were wanted at once.
    pub reports_refused: Counter,
    /// 1 while nothing that sites keep no longer is removed, because the clock may be wrong.
    pub retention_held: Gauge,
    notices_sent: Family<NoticeKind, Counter>,
    notices_failed: Family<NoticeKind, Counter>,
    sources: Arc<OnceLock<Sources>>,
}

impl Default for Counters {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("passerby");
        let (received, reports_refused) = (Counter::default(), Counter::default());
        let rejected = Family::<Reason, Counter>::default();
        // A reason that has not been met is shown with a zero: an alarm needs something to look at.
        for reason in reasons() {
            drop(rejected.get_or_create(&Reason { reason }));
        }
        registry.register("events_received", "Events that arrived", received.clone());
        registry.register(
            "events_rejected",
            "Events that were not kept, by reason",
            rejected.clone(),
        );
        registry.register(
            "reports_refused",
            "Reports refused because too many were wanted at once",
            reports_refused.clone(),
        );
        let retention_held = Gauge::default();
        registry.register(
            "retention_held",
            "1 while nothing that sites keep no longer is removed, because the clock may be wrong",
            retention_held.clone(),
        );
        let [notices_sent, notices_failed] = [(); 2].map(|()| {
            let family = Family::<NoticeKind, Counter>::default();
            // Shown from the start, so that the first failure is an increase.
            for kind in [Notice::Report, Notice::Alert] {
                drop(family.get_or_create(&kind.into()));
            }
            family
        });
        registry.register(
            "notices_sent",
            "Reports that were mailed and alerts that were sent, to one each",
            notices_sent.clone(),
        );
        registry.register(
            "notices_failed",
            "Attempts at these that failed",
            notices_failed.clone(),
        );
        let sources = Arc::<OnceLock<Sources>>::default();
        registry.register_collector(Box::new(Figures(Arc::clone(&sources))));
        Self {
            registry,
            received,
            rejected,
            reports_refused,
            retention_held,
            notices_sent,
            notices_failed,
            sources,
        }
    }
}

impl Counters {
    /// Adds to what was not kept for a reason.
    pub fn reject(&self, reason: &'static str, events: u64) {
        self.rejected.get_or_create(&Reason { reason }).inc_by(events);
    }

    /// A report or an alert has reached somebody.
    pub fn told(&self, kind: Notice) {
        self.notices_sent.get_or_create(&kind.into()).inc();
    }

    /// It has not, this time.
    pub fn failed_to_tell(&self, kind: Notice) {
        self.notices_failed.get_or_create(&kind.into()).inc();
    }

    /// Events that were not kept for a reason.
    pub fn rejected(&self, reason: &'static str) -> u64 {
        self.rejected.get_or_create(&Reason { reason }).get()
    }

    /// Events that are safe in the spool, since the start.
    pub fn accepted(&self) -> u64 {
        let spool = self.sources.get().map(|sources| sources.spool.figures());
        spool.map_or(0, |figures| figures.rows_appended.load(Ordering::Relaxed))
    }

    /// Shows the figures of the other parts too, from now on.
    pub fn watch(&self, sources: Sources) {
        // A process has one collector; were there a second one, the first would go on being shown.
        let _ = self.sources.set(sources);
    }

    /// Everything in the OpenMetrics text format.
    pub fn encode(&self) -> String {
        if let Some(sources) = self.sources.get() {
            self.show_refusals(&sources.spool);
        }
        let mut text = String::new();
        match prometheus_client::encoding::text::encode(&mut text, &self.registry) {
            Ok(()) => text,
            // Writing into a String does not fail; an empty answer is an honest one if it does.
            Err(_) => "# EOF\n".to_owned(),
        }
    }

    /// The spool counts what it refused by itself: whoever asked may have gone away by then.
    fn show_refusals(&self, spool: &Spool) {
        let figures = spool.figures();
        for (reason, rows) in [
            (AppendError::Busy, &figures.rows_refused_busy),
            (AppendError::Full, &figures.rows_refused_full),
            (AppendError::Failed, &figures.rows_refused_failed),
        ] {
            let rows = rows.load(Ordering::Relaxed);
            let reason = Reason { reason: reason.as_str() };
            self.rejected.get_or_create(&reason).inner().store(rows, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_has_not_been_met_is_shown_with_a_zero() {
        let text = Counters::default().encode();
        for reason in [
            "starting",
            "spool_full",
            "spool_failed",
            "spool_busy",
            "invalid",
            "bot",
            "throttle_site",
        ] {
            let line = format!("passerby_events_rejected_total{{reason=\"{reason}\"}} 0\n");
            assert!(text.contains(&line), "{reason}: {text}");
        }
    }
}
