//! Closing days: counting what is over once, so that reports need not do it again.
//!
//! What is counted, and how it is added up, is `query::compile::tiers`. Here is when its numbers hold.
//!
//! A day is closed by a row of `closed_days`, which names a version of the day's numbers in `daily`. It holds
//! - as long as nothing was inserted into the partitions of `events` that the numbers were made of. That is
//!   read off the server's own list of parts, whoever inserted: a late batch, an import, another collector;
//! - until a row that was made later says otherwise. Before anything is deleted from the events of a day, it
//!   is opened for an hour (`discard`): a counting that began before can not close it again.
//!
//! So a number that no longer holds is never read, also if a collector dies at any moment. A report looks
//! after it was computed whether the same days are still closed, and is computed again if not (`lookup`).
//!
//! A day that is not fit for it has a row as well, without a version: it is not counted again before something
//! is inserted.
//!
//! A goal that is made later is counted for the days that are closed, under versions of its own, which the days' rows then
//! name beside the days' own. Until then reports by goal count these days.
//!
//! No day is closed while events are being deleted from the partitions that it is made of, nor where the collector and ClickHouse
//! do not agree when it begins: both have the rules of time zones, and one of them may be behind.
//!
//! On a cluster no day is closed: there the parts are on several servers, and no list of them is whole.
//!
//! A day of which all visits have ended is closed for good though the partition after its own goes on (`afterwards`).
//!
//! Events that are deleted by hand, by a statement that is none of ours, are not noticed: docs/operations.md.

mod afterwards;
mod days;
mod discard;
mod doubt;
mod goals;
mod lookup;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use self::afterwards::Afterwards;
use self::days::{Day, Events, still_closed};
pub(super) use self::discard::COUNTED;
pub(super) use self::lookup::Lookups;
use super::client::{in_time, in_time_of};
use super::{Store, StoreError};
use crate::query::statement::Statement;
use crate::query::{Making, first_event, made_of, set_of};
use crate::site::{Site, SiteId};

/// How long after the last event that a day depends on could have happened it is closed. Earlier would not be
/// wrong, but in vain: late batches would open it again.
const GRACE: SignedDuration = SignedDuration::from_mins(10);
/// So many events are counted in one go: more take more memory.
const EVENTS_AT_ONCE: u64 = 1_000_000;
/// So many days, at most: the numbers of versions leave room for them.
const DAYS_AT_ONCE: usize = 400;
/// Days longer ago are counted from events: a report names each that is closed, for which a statement has room, and a single event of
/// long ago, with a wrong year, would close thousands in between.
const CLOSED_MAX: i32 = 4_000;
/// A version is the microsecond of its counting, and so many bits for the days that are counted with it.
const VERSION_BITS: u32 = 13;
/// Sites with fewer events are counted from events in a few milliseconds.
const EVENTS_WORTH: u64 = 50_000;
/// A counting that took longer closes nothing: its numbers may have been taken for left over.
const COUNTING_MAX: Duration = Duration::from_secs(30 * 60);

/// What is known of days that are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Nothing can be inserted any more that they are made of, unless it is late.
    ForGood,
    /// Their visits have ended, though more is inserted into the partition after theirs.
    OfVisits,
    /// Their visits may go on.
    OfDay,
}

/// What closing a site's days came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Closing {
    /// Days that were counted and are closed now.
    pub closed: usize,
    /// Days that are over, and have visitors that do not end with the day.
    pub unfit: usize,
    /// Whether a visitor of the site comes again on a day that does not follow, so that none is closed.
    pub has_revenants: bool,
    /// Whether the collector and ClickHouse do not agree when days of the site begin, so that those are not closed.
    pub is_disputed: bool,
}

impl Store {
    /// The sites that have so many events that closing their days is of use.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn sites_worth_closing(&self) -> Result<Vec<SiteId>, StoreError> {
        // A site that has numbers is looked after, also when it has become small.
        let sql = format!(
            "SELECT site_id FROM (SELECT site_id FROM events GROUP BY site_id HAVING count() >= {EVENTS_WORTH} \
             UNION DISTINCT SELECT site_id FROM daily) ORDER BY site_id"
        );
        if self.is_spread() {
            return Ok(Vec::new());
        }
        let sites = in_time(self.writer().query_raw(&sql).fetch_all::<u32>()).await?;
        Ok(sites.into_iter().map(SiteId).collect())
    }

    /// Counts all days of a site that are over and not closed, and closes them. It may be done by several
    /// collectors at once, and may be interrupted.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or a day takes more than it may; what could be closed is.
    pub async fn close_days(&self, site: &Site, now: Timestamp) -> Result<Closing, StoreError> {
        let (mut closing, mut failed) = (Closing::default(), None);
        if self.is_spread() {
            return Ok(closing);
        }
        let began = self.microsecond().await?;
        let (days, events) = self.days_and_events(site.id, &site.timezone).await?;
        let closed = still_closed(&days, &events, &site.timezone);
        self.discard(site, now, &days, &closed).await?;
        let Some(first) = self.first_day(site, now).await? else { return Ok(closing) };
        let deletions = self.deletions().await?;
        let disputed = self.disputed(site, first, now).await?;
        closing.is_disputed = !disputed.is_empty();
        for day in disputed.iter().filter(|day| closed.counting(**day).is_some()) {
            self.hold_days(site.id.0, *day, *day).await?;
        }
        let over_for_good = days_that_are_over(first, site, now, false);
        self.settle(site, &days, &events, &over_for_good, began).await?;
        let mut over = days_that_are_over(first, site, now, true);
        over.retain(|day| over_for_good.last().is_none_or(|last| day > last));
        for ending in [Ending::ForGood, Ending::OfVisits, Ending::OfDay] {
            let goes_on = ending == Ending::OfDay;
            // A day that has been counted for the time being is counted for good as well.
            let is_done =
                |row: &Day| (!row.goes_on || goes_on) && row.is_unchanged(&events, &site.timezone);
            let stays_open = |row: &&Day| row.is_held || (row.version == 0 && is_done(row));
            let stay_open: HashSet<&str> =
                days.iter().filter(stays_open).map(|row| row.day.as_str()).collect();
            let mut open = match ending {
                Ending::ForGood => over_for_good.clone(),
                // Whether or not they are fit for it, days of which all visits have ended are not closed for the time being.
                Ending::OfVisits => self.with_ended_visits(site, &mut over, now).await?,
                Ending::OfDay => over.clone(),
            };
            open.retain(|day| {
                let is_closed = closed.counting(*day).is_some_and(|day| !day.goes_on || goes_on);
                let stays_open = stay_open.contains(day.to_string().as_str());
                let is_in_doubt = disputed.contains(day) || deletions.concern(*day, site, goes_on);
                !is_closed && !stays_open && !is_in_doubt
            });
            let counts = match open.is_empty() {
                true => HashMap::new(),
                false => self.events_by_day(site, &open).await?,
            };
            for chunk in chunks(&open, &counts) {
                let (first, last) = (chunk[0], chunk[chunk.len() - 1]);
                let outcome = match self.close(site, first, last, ending).await {
                    Ok(outcome) => outcome,
                    Err(error) if error.is_of_any_statement() => return Err(error),
                    // A day that takes too much does not keep the others from being counted.
                    Err(error) => {
                        failed.get_or_insert(error);
                        continue;
                    }
                };
                closing.closed += outcome.closed;
                closing.unfit += outcome.unfit;
                if outcome.has_revenants {
                    self.open_all(site.id).await?;
                    return Ok(Closing { closed: 0, has_revenants: true, ..closing });
                }
            }
        }
        self.count_goals(site, &closed).await?;
        failed.map_or(Ok(closing), Err)
    }

    /// The microsecond of the server's clock, which versions begin with.
    async fn microsecond(&self) -> Result<i64, StoreError> {
        let now = "SELECT toUnixTimestamp64Micro(now64(6))";
        in_time(self.writer().query_raw(now).fetch_one::<i64>()).await
    }

    /// The day of the site's first event that it keeps, if that is not too long ago to be closed.
    async fn first_day(&self, site: &Site, now: Timestamp) -> Result<Option<Date>, StoreError> {
        let first = first_event(site.id);
        let first = in_time(self.bound(&first).fetch_one::<u32>()).await?;
        let first = Timestamp::from_second(i64::from(first)).ok().filter(|_| first > 0);
        let first = first.map(|first| first.max(site.kept_from(now).unwrap_or(first)));
        let oldest = site.timezone.to_datetime(now).date().saturating_sub(CLOSED_MAX.days());
        Ok(first.map(|first| site.timezone.to_datetime(first).date().max(oldest)))
    }

    /// How many events there are on each of the site's days from the first of these to the last.
    async fn events_by_day(
        &self,
        site: &Site,
        days: &[Date],
    ) -> Result<HashMap<String, u64>, StoreError> {
        let [Some(first), Some(last)] = [days.first(), days.last()] else {
            return Ok(HashMap::new());
        };
        let sql = format!(
            "SELECT toString(toDate(timestamp, '{zone}') AS day), count() FROM events WHERE site_id = {} \
             AND timestamp >= toDateTime('{first} 00:00:00', '{zone}') \
             AND timestamp < toDateTime('{} 00:00:00', '{zone}') GROUP BY day",
            site.id.0,
            last.saturating_add(1.day()),
            zone = site.timezone_name(),
        );
        let rows = in_time(self.writer().query_raw(&sql).fetch_all::<(String, u64)>()).await?;
        Ok(rows.into_iter().collect())
    }

    /// Counts days that follow each other, and closes those that are fit for it, unless something came
    /// between.
    async fn close(
        &self,
        site: &Site,
        first: Date,
        last: Date,
        ending: Ending,
    ) -> Result<Closing, StoreError> {
        let goes_on = ending == Ending::OfDay;
        let days = std::iter::successors(Some(first), |day| day.tomorrow().ok());
        let days: Vec<Date> = days.take_while(|day| *day <= last).collect();
        let events = async || -> Result<Events, StoreError> {
            let inserts = self.inserts().await?;
            let afterwards = match ending {
                Ending::OfVisits => self.afterwards(site.id, &site.timezone, &days).await?,
                Ending::ForGood | Ending::OfDay => Afterwards::default(),
            };
            Ok(Events { inserts, afterwards })
        };
        let began = self.microsecond().await?;
        let before = events().await?;
        let making = Making { site, first, last, version: version(began)?, goes_on };
        if !in_time_of(COUNTING_MAX, self.bound(&making.revenants()).fetch_all::<u8>())
            .await?
            .is_empty()
        {
            return Ok(Closing { has_revenants: true, ..Closing::default() });
        }
        let unfit = self.bound(&making.unfit_days()).fetch_all::<String>();
        let unfit = in_time_of(COUNTING_MAX, unfit).await?;
        let is_fit = |day: &&Date| !unfit.contains(&day.to_string());
        let fit: Vec<Date> = days.iter().filter(is_fit).copied().collect();
        for stretch in chunks(&fit, &HashMap::new()) {
            let (first, last) = (stretch[0], stretch[stretch.len() - 1]);
            let making = Making { first, last, version: making.version_of(first), ..making };
            let counted = stretch.iter().map(|day| making.version_of(*day)).collect();
            let statements = making.statements().into_iter().chain(making.of_goals(counted));
            for statement in statements {
                in_time_of(COUNTING_MAX, self.bound(&statement).execute()).await?;
            }
        }
        let took = self.microsecond().await?.saturating_sub(began);
        if u128::try_from(took).unwrap_or(0) > COUNTING_MAX.as_micros() {
            return Ok(Closing::default());
        }
        let deletions = self.deletions().await?;
        let after = events().await?;
        let zone = &site.timezone;
        let is_the_same = |day: &Date| {
            before.seen_by(*day, zone, ending) == after.seen_by(*day, zone, ending)
                && !deletions.concern(*day, site, goes_on)
        };
        let unchanged: Vec<Date> = days.into_iter().filter(is_the_same).collect();
        let goals = set_of(&site.goals);
        let rows: Vec<String> = unchanged
            .iter()
            .map(|day| {
                let version = if fit.contains(day) { making.version_of(*day) } else { 0 };
                let (inserts, afterwards) = before.seen_by(*day, zone, ending);
                format!(
                    "({}, '{day}', '{}', {version}, {inserts}, fromUnixTimestamp64Micro({began}), {goes_on}, {afterwards}, {goals}, {version})",
                    site.id.0,
                    site.timezone_name(),
                )
            })
            .collect();
        if !rows.is_empty() {
            let sql = format!(
                "INSERT INTO closed_days (site_id, day, timezone, version, inserts, made, goes_on, afterwards, goals, goals_version) VALUES {}",
                rows.join(", ")
            );
            in_time(self.writer().query_raw(&sql).execute()).await?;
            self.lookups.forget(site.id);
        }
        self.delete_unnamed(site.id, fit.iter().map(|day| making.version_of(*day))).await?;
        let closed = unchanged.iter().filter(|day| fit.contains(day)).count();
        Ok(Closing { closed, unfit: unfit.len(), ..Closing::default() })
    }

    fn bound(&self, statement: &Statement) -> clickhouse::query::Query {
        let query = self.writer().query_raw(statement.text()).with_setting("max_threads", "1");
        statement.params().iter().fold(query, |query, (name, value)| query.param(name, value))
    }
}

/// The days that no event can be expected for any more, from the first on. Their visits are over as well, unless they
/// may go on.
fn days_that_are_over(first: Date, site: &Site, now: Timestamp, goes_on: bool) -> Vec<Date> {
    let today = TimeZone::UTC.to_datetime(now - GRACE).date();
    let is_over =
        |day: &Date| made_of(*day, &site.timezone, goes_on).last().is_some_and(|last| last < today);
    let days = std::iter::successors(Some(first), |day| day.tomorrow().ok());
    days.take_while(is_over).collect()
}

/// The version of a counting that began at this microsecond: no two are alike, as far as chance allows.
fn version(began: i64) -> Result<u64, StoreError> {
    let chance = getrandom::u32().map_err(|_| StoreError::NoRandomness)?;
    let began = u64::try_from(began).unwrap_or(0);
    // The lower nine bits are for the days.
    Ok((began << VERSION_BITS) | (u64::from(chance % 16) << 9))
}

/// Days that follow each other, together as far as they have few events.
fn chunks(days: &[Date], counts: &HashMap<String, u64>) -> Vec<Vec<Date>> {
    let mut chunks: Vec<Vec<Date>> = Vec::new();
    let mut events = 0;
    for day in days {
        let more = counts.get(&day.to_string()).copied().unwrap_or(0);
        match chunks.last_mut() {
            Some(chunk)
                if chunk.len() < DAYS_AT_ONCE
                    && events + more <= EVENTS_AT_ONCE
                    && chunk.last().is_some_and(|last| last.tomorrow().ok() == Some(*day)) =>
            {
                events += more;
                chunk.push(*day);
            }
            _ => {
                events = more;
                chunks.push(vec![*day]);
            }
        }
    }
    chunks
}
