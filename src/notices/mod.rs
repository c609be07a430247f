//! What is told without anybody asking: reports by mail when a day, week or month is over, and alerts when a
//! site has many more visitors than usual, far fewer, or none.
//!
//! - [`due`] and [`unusual`] decide, and are pure.
//! - [`reports`] and [`alerts`] ask for the numbers, as pages do, and see to it that each notice goes out.
//! - [`post`] mails and [`webhook`] calls; [`ledger`] remembers what was told, also over a restart.
//!
//! Whom it tells stands in the configuration alone. It works beside the collector, one question after the other:
//! no beacon waits for it.

mod alerts;
mod due;
mod ledger;
mod patience;
pub mod post;
mod reports;
mod unusual;
mod webhook;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub(crate) use self::reports::last_days;

use self::alerts::Alerts;
use self::ledger::Ledger;
use self::reports::Reports;
use crate::apart::apart;
use crate::config::Config;
use crate::http::Services;
use crate::site::Site;
use crate::spool::{Oldest, Spool};

/// How often it is looked whether there is something to tell.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// What tells.
pub struct Notices {
    teller: Teller,
    reports: Reports,
    alerts: Alerts,
}

/// What reports and alerts work with.
struct Teller {
    services: Services,
    spool: Spool,
    ledger: Ledger,
    /// Sites of the configuration that there are not, and that was said of.
    missed: BTreeSet<String>,
}

impl Notices {
    /// What the configuration wants told, if it wants anything told.
    ///
    /// # Errors
    /// When there is no data directory.
    pub fn of(
        config: &Config,
        services: &Services,
        spool: &Spool,
    ) -> std::io::Result<Option<Self>> {
        if config.mail.reports.is_empty() && config.alerts.is_empty() {
            Ledger::remove(&config.data_dir)?;
            return Ok(None);
        }
        let reports = Reports::of(&config.mail.reports);
        let mut teller = Teller {
            services: services.clone(),
            spool: spool.clone(),
            ledger: Ledger::open(&config.data_dir)?,
            missed: BTreeSet::new(),
        };
        // Who is not mailed any more is not kept; who comes back begins anew.
        teller.ledger.pages.reports.retain(|name, _| reports.has(name));
        teller.ledger.write();
        Ok(Some(Self { reports, alerts: Alerts::of(&config.alerts, services.clock.now()), teller }))
    }

    /// Tells what there is to tell, for as long as the collector runs.
    pub async fn run(mut self) {
        let mut interval = tokio::time::interval(LOOK_INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            if self.teller.services.health.database_answers() {
                self.alerts.look(&mut self.teller).await;
                self.reports.look(&mut self.teller).await;
            }
        }
    }
}

impl Teller {
    fn now(&self) -> Timestamp {
        self.services.clock.now()
    }

    /// A site of the configuration. It may be registered later: that there is none is said once.
    fn site(&mut self, domain: &str) -> Option<Arc<Site>> {
        let site = self.services.catalog.site(domain);
        if site.is_none() && self.missed.insert(domain.to_owned()) {
            tracing::warn!(
                site = domain,
                "the configuration wants reports or alerts about a site that is not registered"
            );
        }
        site
    }

    /// Whether ClickHouse has all that this collector accepted before a moment, as far as is known.
    async fn has_all_before(&self, moment: Timestamp) -> bool {
        let spool = self.spool.clone();
        has_all_before(apart(move || spool.oldest_waiting()).await, moment)
    }
}

fn has_all_before(oldest: Oldest, moment: Timestamp) -> bool {
    match oldest {
        Oldest::Nothing => true,
        Oldest::Since(second) => i64::from(second) >= moment.as_second(),
        Oldest::Unknown => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_told_of_a_time_of_which_events_may_wait() {
        let moment = Timestamp::from_second(1_000).unwrap();
        for (oldest, has_all) in [
            (Oldest::Nothing, true),
            (Oldest::Since(1_000), true),
            (Oldest::Since(999), false),
            (Oldest::Unknown, false),
        ] {
            assert_eq!(has_all_before(oldest, moment), has_all, "{oldest:?}");
        }
    }
}
