//! Alerts: what is looked for every few minutes, and told at once.

use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::json;

use super::Teller;
use super::ledger::Waiting;
use super::patience::Patience;
use super::unusual::{WEEKS, may_be_unusual, unusual};
use super::webhook::Caller;
use crate::config::{Alert, When};
use crate::report;
use crate::site::Site;
use crate::telemetry::Notice;
use crate::web::letter::{self, Finding};

/// How often it is looked.
const INTERVAL: SignedDuration = SignedDuration::from_mins(5);
/// How long nothing more of a kind is told of a site.
const PAUSE: SignedDuration = SignedDuration::from_hours(12);
/// How long ago the hours end that are looked at: what came since may not be in ClickHouse.
const DELAY: SignedDuration = SignedDuration::from_mins(1);
/// How often it is tried to tell somebody, within two hours.
const ATTEMPTS_MAX: u32 = 8;

/// The alerts of the configuration.
pub(super) struct Alerts {
    watched: Vec<Alert>,
    /// Since when this collector would have seen visitors.
    since: Timestamp,
    looked: Option<Timestamp>,
    caller: Caller,
}

impl Alerts {
    pub(super) fn of(alerts: &[Alert], now: Timestamp) -> Self {
        Self { watched: alerts.to_vec(), since: now, looked: None, caller: Caller::default() }
    }

    /// Looks at every site, if it is time to, and tells what was found.
    pub(super) async fn look(&mut self, teller: &mut Teller) {
        let now = teller.now();
        let is_time = |looked: Timestamp| now.duration_since(looked).abs() >= INTERVAL;
        if self.looked.is_none_or(is_time) {
            self.looked = Some(now);
            for alert in &self.watched {
                if let Err(error) = watch(alert, self.since, teller, now).await {
                    tracing::warn!(
                        site = %alert.site.0, when = alert.when.name(), %error,
                        "it can not be looked whether there is something to alert about"
                    );
                }
            }
        }
        self.tell(teller, now).await;
    }

    /// Tells everybody who is still to be told.
    async fn tell(&self, teller: &mut Teller, now: Timestamp) {
        let (mut due, mut left): (Vec<_>, Vec<_>) =
            std::mem::take(&mut teller.ledger.pages.waiting)
                .into_iter()
                .partition(|waiting| waiting.patience.is_over(now));
        if due.is_empty() {
            teller.ledger.pages.waiting = left;
            return;
        }
        // A webhook does not wait for a mail server that is away.
        due.sort_by_key(|waiting| waiting.to.is_some());
        for mut waiting in due {
            // The configuration may have changed since.
            let alert = self.watched.iter().find(|alert| name(alert) == waiting.alert);
            let Some((alert, site)) = alert.zip(alert.and_then(|alert| teller.site(&alert.site.0)))
            else {
                continue;
            };
            let way = if waiting.to.is_some() { "mail" } else { "webhook" };
            let Err(error) = self.send(alert, &site, &waiting, teller).await else {
                teller.services.counters.told(Notice::Alert);
                tracing::info!(site = %site.domain, when = alert.when.name(), way, "an alert was sent");
                continue;
            };
            waiting.patience.begin(now);
            teller.services.counters.failed_to_tell(Notice::Alert);
            let (when, error) = (alert.when.name(), format!("{error:#}"));
            if waiting.patience.failures < ATTEMPTS_MAX {
                tracing::warn!(site = %site.domain, when, way, %error, "an alert could not be sent, and is tried again");
                left.push(waiting);
            } else {
                tracing::error!(site = %site.domain, when, way, %error, "an alert could not be sent, and is given up");
            }
        }
        teller.ledger.pages.waiting = left;
        teller.ledger.write();
    }

    async fn send(
        &self,
        alert: &Alert,
        site: &Site,
        waiting: &Waiting,
        teller: &Teller,
    ) -> anyhow::Result<()> {
        let Waiting { to, at, visitors, usual, .. } = waiting;
        let finding =
            Finding { when: alert.when, hours: alert.hours(), visitors: *visitors, usual: *usual };
        let services = &teller.services;
        let wanted =
            alert.to.iter().find(|address| Some(address.0.email.as_ref()) == to.as_deref());
        match (to, wanted, &alert.webhook) {
            (Some(_), Some(to), _) => {
                let post = services.post.as_ref().ok_or(super::post::NoServer)?;
                let letter = letter::alert(services, site, alert.language, finding);
                let id = format!("{} {at}", waiting.alert);
                post.send(&to.0, letter, &id, teller.now()).await
            }
            (None, _, Some(webhook)) => {
                let body = json!({
                    "alert": alert.when.name(),
                    "site": site.domain,
                    "at": at.to_string(),
                    "hours": finding.hours,
                    "visitors": visitors,
                    "usual": usual,
                    "text": letter::alert_in_short(site, alert.language, finding),
                    "url": letter::site_url(services, site),
                });
                self.caller.post(webhook, &body).await
            }
            // The configuration does not want it told any more.
            _ => Ok(()),
        }
    }
}

/// The alert's own name: a site has one of a kind.
fn name(alert: &Alert) -> String {
    format!("{} {}", alert.when.name(), alert.site.0)
}

/// Looks at the last hours of a site, and notes what is unusual about them.
async fn watch(
    alert: &Alert,
    since: Timestamp,
    teller: &mut Teller,
    now: Timestamp,
) -> Result<(), report::AskError> {
    let Some(site) = teller.site(&alert.site.0) else { return Ok(()) };
    let given = teller.ledger.pages.alerts.get(&name(alert));
    if given.is_some_and(|given| now.duration_since(*given).abs() < PAUSE) {
        return Ok(());
    }
    let end = now - DELAY;
    let begin = end - SignedDuration::from_hours(i64::from(alert.hours()));
    // Visitors who came while the collector was away are missing by its fault, and not by the site's.
    let could_miss = alert.when != When::Spike && begin < since;
    if could_miss || !teller.has_all_before(end).await {
        return Ok(());
    }
    let count = async |teller: &Teller, end: Timestamp| visitors(teller, &site, alert, end).await;
    let visitors = count(teller, end).await?;
    if !may_be_unusual(alert, visitors) {
        return Ok(());
    }
    let began = report::when_it_began(&teller.services.store, &site).await?;
    let Some(known_from) = began.max(site.kept_from(now)) else { return Ok(()) };
    let mut before = Vec::new();
    for week in 1..=WEEKS {
        let local = site.timezone.to_datetime(end).saturating_sub(week.weeks());
        let Ok(end) = site.timezone.to_timestamp(local) else { continue };
        if end - SignedDuration::from_hours(i64::from(alert.hours())) >= known_from {
            before.push(count(teller, end).await?);
        }
    }
    let Some(usual) = unusual(alert, visitors, &before) else { return Ok(()) };
    tracing::warn!(
        site = %site.domain, when = alert.when.name(), visitors, usual, hours = alert.hours(),
        "the visitors of a site are unusual"
    );
    let pages = &mut teller.ledger.pages;
    pages.alerts.insert(name(alert), now);
    let to = alert.to.iter().map(|address| Some(address.0.email.to_string()));
    pages.waiting.extend(to.chain(alert.webhook.iter().map(|_| None)).map(|to| Waiting {
        alert: name(alert),
        to,
        at: now,
        visitors,
        usual,
        patience: Patience::default(),
    }));
    teller.ledger.write();
    Ok(())
}

/// The visitors of the hours before a moment.
async fn visitors(
    teller: &Teller,
    site: &Site,
    alert: &Alert,
    end: Timestamp,
) -> Result<u64, report::AskError> {
    let begin = end - SignedDuration::from_hours(i64::from(alert.hours()));
    let last = end - SignedDuration::from_secs(1);
    let query = json!({
        "site_id": site.domain,
        "metrics": ["visitors"],
        "date_range": [begin.to_string(), last.to_string()],
    });
    let answer = report::ask(&teller.services.store, site, teller.now(), &query).await?;
    Ok(answer["results"][0]["metrics"][0].as_u64().unwrap_or(0))
}
