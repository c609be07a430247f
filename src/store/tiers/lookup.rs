//! Which days of a site are closed: looked up for several reports at once.
//!
//! A report is made of the days that the last one found, and a lookup shows that they held. It is made while the report
//! reads, and serves all of the same site that begin at the same moment, as those of one page do. That is early: a day may
//! be opened after it. But its numbers are deleted [`READ_ON_FOR`] later at the soonest, so that a report
//! that has read by then had them all, as they were when it was asked. One that takes longer looks again when it has read: a
//! day that was opened is never closed again with numbers of before. That lookup serves every report that has read until
//! then, so that one waits a moment for the others that are under way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::try_join_all;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;
use tokio::sync::{Mutex as Turns, watch};
use tokio::task::yield_now;
use tokio::time::{Instant, timeout};

use super::Store;
use super::days::still_closed;
use super::discard::READ_ON_FOR;
use crate::query::Closed;
use crate::query::statement::Statement;
use crate::site::SiteId;
use crate::store::StoreError;

/// So long, at most, a report that has read waits for others that read.
const GATHERING_MAX: Duration = Duration::from_millis(100);
/// What was found as long ago is looked up again before a report is made of it: where nothing was closed, nothing is
/// looked up afterwards.
const FOUND_AGE_MAX: Duration = Duration::from_secs(60);

/// The rows of a statement.
type Rows = Vec<Vec<Value>>;

/// The lookups of all sites.
#[derive(Default)]
pub(in crate::store) struct Lookups(Mutex<HashMap<SiteId, Arc<Lookup>>>);

/// The lookups of one site.
#[derive(Default)]
struct Lookup {
    /// The reports that are under way.
    reading: watch::Sender<usize>,
    /// What the last lookup found.
    found: Mutex<Option<Found>>,
    /// The days that are looked after beyond their own partitions.
    with_afterwards: Mutex<Vec<Date>>,
    /// How many lookups were asked for.
    asked_for: Mutex<u64>,
    /// One lookup at a time; it answers all that were asked for before it began, so many.
    answered: Turns<u64>,
}

#[derive(Clone)]
struct Found {
    at: Instant,
    zone: TimeZone,
    closed: Arc<Closed>,
}

/// A report that is under way.
struct Reading<'lookup>(&'lookup Lookup);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.reading.send_modify(|reading| *reading -= 1);
    }
}

impl Lookups {
    fn of(&self, site: SiteId) -> Arc<Lookup> {
        Arc::clone(lock(&self.0).entry(site).or_default())
    }

    /// Forgets which days of the site were found: there are more now.
    pub(super) fn forget(&self, site: SiteId) {
        *lock(&self.of(site).found) = None;
    }

    /// The days of which the last lookup found that what their visits did afterwards counts.
    pub(super) fn with_afterwards(&self, site: SiteId) -> Vec<Date> {
        lock(&self.of(site).with_afterwards).clone()
    }

    pub(super) fn expect_afterwards(&self, site: SiteId, days: Vec<Date>) {
        *lock(&self.of(site).with_afterwards) = days;
    }
}

impl Lookup {
    fn begin_to_read(&self) -> Reading<'_> {
        self.reading.send_modify(|reading| *reading += 1);
        Reading(self)
    }

    fn ask_for_one(&self) -> u64 {
        let mut asked_for = lock(&self.asked_for);
        *asked_for += 1;
        *asked_for
    }

    fn found(&self, zone: &TimeZone) -> Option<Found> {
        lock(&self.found).clone().filter(|found| found.zone == *zone)
    }
}

impl Store {
    /// The days of the site that were closed when it was last looked up, not long ago.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn days_found_closed(
        &self,
        site: SiteId,
        zone: &TimeZone,
    ) -> Result<Arc<Closed>, StoreError> {
        let lookup = self.lookups.of(site);
        match lookup.found(zone) {
            Some(found) if found.at.elapsed() < FOUND_AGE_MAX => Ok(found.closed),
            _ => self.look_up(site, zone, &lookup, lookup.ask_for_one(), Duration::ZERO).await,
        }
    }

    /// Runs the statement of a report. Returns its rows, and the days of the site that are closed after it was run.
    ///
    /// # Errors
    /// As [`Store::select`].
    pub async fn select_of_closed_days(
        &self,
        statement: &Statement,
        site: SiteId,
        zone: &TimeZone,
    ) -> Result<(Rows, Arc<Closed>), StoreError> {
        let (mut answers, closed) = self.select_all_of_closed_days([statement], site, zone).await?;
        Ok((answers.pop().unwrap_or_default(), closed))
    }

    /// The same of several statements that are run at the same time, and looked up after once.
    ///
    /// # Errors
    /// As [`Store::select`].
    pub async fn select_all_of_closed_days(
        &self,
        statements: impl IntoIterator<Item = &Statement>,
        site: SiteId,
        zone: &TimeZone,
    ) -> Result<(Vec<Rows>, Arc<Closed>), StoreError> {
        let lookup = self.lookups.of(site);
        let reading = lookup.begin_to_read();
        let begun = Instant::now();
        let answers = try_join_all(statements.into_iter().map(|one| self.select(one)));
        let early = async {
            let number = lookup.ask_for_one();
            // Whatever else the same task asks comes in now.
            yield_now().await;
            self.look_up(site, zone, &lookup, number, Duration::ZERO).await
        };
        let (answers, early) = tokio::try_join!(answers, early)?;
        if begun.elapsed() < READ_ON_FOR / 2 {
            return Ok((answers, early));
        }
        let number = lookup.ask_for_one();
        drop(reading);
        Ok((answers, self.look_up(site, zone, &lookup, number, GATHERING_MAX).await?))
    }

    /// The days that are closed at a moment after the lookup of this number was asked for. It has patience with others that read, and
    /// will ask for one.
    async fn look_up(
        &self,
        site: SiteId,
        zone: &TimeZone,
        lookup: &Lookup,
        number: u64,
        patience: Duration,
    ) -> Result<Arc<Closed>, StoreError> {
        let mut answered = lookup.answered.lock().await;
        if *answered >= number
            && let Some(found) = lookup.found(zone)
        {
            return Ok(found.closed);
        }
        let nobody_reads = async {
            let _ = lookup.reading.subscribe().wait_for(|reading| *reading == 0).await;
        };
        // Who comes too late for this one has the next.
        let _ = timeout(patience, nobody_reads).await;
        let answers = *lock(&lookup.asked_for);
        let at = Instant::now();
        let closed = Arc::new(self.closed_days(site, zone).await?);
        *lock(&lookup.found) = Some(Found { at, zone: zone.clone(), closed: Arc::clone(&closed) });
        *answered = answers;
        Ok(closed)
    }

    /// The days of the site whose numbers hold at this moment.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn closed_days(&self, site: SiteId, zone: &TimeZone) -> Result<Closed, StoreError> {
        if self.is_spread() {
            return Ok(Closed::none());
        }
        let _turn = self.turn_to_look_up().await?;
        let (days, events) = self.days_and_events(site, zone).await?;
        Ok(still_closed(&days, &events, zone))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
