//! What has an end: events that their sites keep no longer, lines of the access log, what was set up before it was changed, and
//! what nobody can read: neither the collector (rows in quarantine, segments of the spool) nor ClickHouse (parts of its tables).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::trust::{Doubt, Trust};
use crate::apart::apart;
use crate::event::Event;
use crate::http::Services;
use crate::site::Site;
use crate::spool::{self, damaged};
use crate::store::{Detached, StoreError};
use crate::telemetry::ToldOnce;

/// How often it is looked for what has come to its end.
const INTERVAL: Duration = Duration::from_secs(30 * 60);
/// How long after a start that is done first: the engine has begun by then.
const DELAY: Duration = Duration::from_secs(60);
/// How long a person has to look at what the collector can not read. Nobody knows of which site it is, so that no site's own
/// time can hold.
const UNREADABLE_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Removes what has come to its end, from the database, from quarantine and from the spool, for as long as the collector runs.
pub(super) async fn keep(services: Services, data_dir: PathBuf) {
    let mut interval = tokio::time::interval_at(Instant::now() + DELAY, INTERVAL);
    let spool = spool::directory(&data_dir);
    let told_of_parts = ToldOnce::default();
    let (mut trust, told) = (Trust::of(&data_dir), ToldOnce::default());
    loop {
        interval.tick().await;
        // Another collector may have ended them.
        services.forget_uses().await;
        let (sites, now) = (services.catalog.sites_of_events(), services.clock.now());
        match doubt(&services, &mut trust, now).await {
            Ok(None) => told.is_over(),
            Ok(Some(doubt)) => {
                if told.is_new(&kind(&doubt)) {
                    tracing::error!(%doubt, "nothing of what has come to its end is removed, because the clock may be wrong");
                }
                continue;
            }
            Err(error) => {
                tracing::warn!(%error, "what sites keep no longer is removed later");
                continue;
            }
        }
        let log = Arc::clone(&services.access_log);
        apart(move || log.keep_no_longer(now)).await;
        end_unreadable(&services, &spool, now - UNREADABLE_KEPT).await;
        look_at_parts(&services, &told_of_parts, now - UNREADABLE_KEPT).await;
        match services.store.end_superseded().await {
            Ok(tables) if tables.is_empty() => {}
            Ok(tables) => {
                tracing::debug!(tables = tables.join(" "), "superseded rows were merged away")
            }
            Err(error) => {
                tracing::warn!(%error, "what was set up before it was changed leaves the disk later")
            }
        }
        match services.store.expire(&sites, now).await {
            Ok(0) => {}
            Ok(days) => tracing::info!(days, "events that their sites keep no longer were removed"),
            Err(error) => tracing::warn!(%error, "what sites keep no longer is removed later"),
        }
        let is_past = move |event: &Event| is_past(event, &sites, now);
        if let Err(error) = services.quarantine.sift(is_past, |_| false).await {
            tracing::warn!(%error, "what sites keep no longer is still in quarantine");
        }
    }
}

/// Why what the collector's clock says is not to be believed. It shows that in a metric as well.
async fn doubt(
    services: &Services,
    trust: &mut Trust,
    now: Timestamp,
) -> Result<Option<Doubt>, StoreError> {
    let doubt = trust.doubt(now, services.store.now().await?, Instant::now());
    services.counters.retention_held.set(i64::from(doubt.is_some()));
    Ok(doubt)
}

/// By how much a clock is wrong changes from one look to the next: that it is, is told once.
fn kind(doubt: &Doubt) -> &'static str {
    match doubt {
        Doubt::Differs(_) => "differs",
        Doubt::Leapt(_) => "leapt",
    }
}

fn is_past(event: &Event, sites: &[Arc<Site>], now: Timestamp) -> bool {
    let site = sites.iter().find(|site| site.id.0 == event.happening.site_id);
    let kept_from = site.and_then(|site| site.kept_from(now));
    kept_from.is_some_and(|kept| i64::from(event.happening.timestamp) < kept.as_second())
}

async fn end_unreadable(services: &Services, spool: &Path, before: Timestamp) {
    let spool = spool.to_owned();
    match apart(move || damaged::remove(&spool, before)).await {
        Ok(removed) => {
            for path in removed {
                tracing::warn!(path = %path.display(), "a damaged segment of the spool was removed after 30 days");
            }
        }
        Err(error) => tracing::warn!(%error, "old damaged segments of the spool are removed later"),
    }
    match services.quarantine.remove_unreadable(before).await {
        Ok(0) => {}
        Ok(rows) => tracing::warn!(
            rows,
            "rows in quarantine that this version can not read were removed 30 days after they were put aside"
        ),
        Err(error) => {
            tracing::warn!(%error, "old rows in quarantine that nobody can read are removed later")
        }
    }
}

/// Says which parts ClickHouse could not read, for their events are in no report, and ends old ones.
async fn look_at_parts(services: &Services, told: &ToldOnce, before: Timestamp) {
    match services.store.end_detached(before).await {
        Ok(removed) => {
            for Detached { table, name, .. } in removed {
                tracing::warn!(
                    table,
                    name,
                    "a part that ClickHouse could not read was removed after 30 days"
                );
            }
        }
        Err(error) => {
            tracing::warn!(%error, "old parts that ClickHouse could not read are removed later")
        }
    }
    let Ok(parts) = services.store.detached().await else { return };
    let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
    if names.is_empty() {
        told.is_over();
    } else if told.is_new(&names.join(" ")) {
        tracing::error!(
            parts = names.join(" "),
            "ClickHouse could not read parts of its tables, and has set them aside: what was in them is in no report. Check the \
             disk, and bring the days back with a backup or from a replica; the parts are removed 30 days after"
        );
    }
}
