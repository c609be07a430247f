//! Reports by mail, each when its day, week or month is over.

use jiff::Timestamp;
use jiff::civil::Date;
use lettre::message::Mailbox;

use super::Teller;
use super::due::last_whole;
use super::patience::Patience;
use crate::config::{Every, MailReport};
use crate::record::Language;
use crate::site::Site;
use crate::site::day::end_of;
use crate::telemetry::Notice;
use crate::web::letter;

/// Every report to everybody.
pub(super) struct Reports(Vec<Report>);

/// A report to somebody.
struct Report {
    site: String,
    every: Every,
    to: Mailbox,
    language: Language,
    attempts: Attempts,
}

/// The attempts at the report that is due.
#[derive(Default)]
struct Attempts {
    /// The first day that it is about.
    of: Option<Date>,
    patience: Patience,
}

impl Attempts {
    /// Those at the report of this day: one that is newly due does not wait for what the one before it has left.
    fn at(&mut self, first: Date) -> &mut Patience {
        if self.of.replace(first) != Some(first) {
            self.patience = Patience::default();
        }
        &mut self.patience
    }
}

/// A report could not be sent.
struct NotSent;

impl Reports {
    pub(super) fn of(reports: &[MailReport]) -> Self {
        let to_each = |report: &MailReport| {
            let MailReport { site, every, language, .. } = report.clone();
            report.to.clone().into_iter().map(move |to| Report {
                site: site.0.clone(),
                every,
                to: to.0,
                language,
                attempts: Attempts::default(),
            })
        };
        Self(reports.iter().flat_map(to_each).collect())
    }

    /// Whether the configuration wants a report of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|report| report.name() == name)
    }

    /// Sends what is due, up to the first that fails: alerts do not wait until a server that is away has let each
    /// of them wait. The next time that one is not due, and the others have their turn.
    pub(super) async fn look(&mut self, teller: &mut Teller) {
        for report in &mut self.0 {
            if report.look(teller).await.is_err() {
                break;
            }
        }
    }
}

impl Report {
    /// What the ledger calls it.
    fn name(&self) -> String {
        format!("{} {} {}", self.every.name(), self.site, self.to.email)
    }

    /// Sends it, if it is due. What became of it is logged, and counted.
    async fn look(&mut self, teller: &mut Teller) -> Result<(), NotSent> {
        let Some(site) = teller.site(&self.site) else { return Ok(()) };
        let now = teller.now();
        let days = last_whole(self.every, site.timezone.to_datetime(now));
        let name = self.name();
        match teller.ledger.pages.reports.get(&name) {
            Some(told) if *told >= days.0 => return Ok(()),
            Some(_) => {}
            // Somebody who is new begins with the next one, and not at any time of a day.
            None => {
                told(teller, name, days.0);
                return Ok(());
            }
        }
        if !self.attempts.at(days.0).is_over(now)
            || !teller.has_all_before(end(&site, days.1)).await
        {
            return Ok(());
        }
        match self.send(teller, &site, &name, days, now).await {
            Ok(()) => {
                teller.services.counters.told(Notice::Report);
                tracing::info!(site = %site.domain, every = self.every.name(), "a report was mailed");
                told(teller, name, days.0);
                Ok(())
            }
            Err(error) => {
                self.attempts.at(days.0).begin(now);
                teller.services.counters.failed_to_tell(Notice::Report);
                tracing::warn!(
                    site = %site.domain, every = self.every.name(), error = %format!("{error:#}"),
                    "a report could not be mailed, and is tried again"
                );
                Err(NotSent)
            }
        }
    }

    async fn send(
        &self,
        teller: &Teller,
        site: &std::sync::Arc<Site>,
        name: &str,
        days: (Date, Date),
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let services = &teller.services;
        let post = services.post.as_ref().ok_or(super::post::NoServer)?;
        let letter = letter::report(services, site, self.language, self.every, days, now).await?;
        post.send(&self.to, letter, &format!("{name} {}", days.0), now).await
    }
}

fn told(teller: &mut Teller, name: String, first: Date) {
    teller.ledger.pages.reports.insert(name, first);
    teller.ledger.write();
}

/// The moment at which a day of a site is over.
fn end(site: &Site, day: Date) -> Timestamp {
    end_of(day, &site.timezone).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The last whole days of a site, as a report tells of them that somebody asks for now.
pub(crate) fn last_days(site: &Site, every: Every, now: Timestamp) -> (Date, Date) {
    last_whole(every, site.timezone.to_datetime(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_that_is_newly_due_does_not_wait_for_the_one_before_it() {
        let (now, day) = (Timestamp::UNIX_EPOCH, Date::constant(2026, 11, 26));
        let mut attempts = Attempts::default();
        attempts.at(day).begin(now);
        assert!(!attempts.at(day).is_over(now));
        assert!(attempts.at(day.tomorrow().unwrap()).is_over(now));
        assert_eq!(attempts.patience, Patience::default());
    }
}
