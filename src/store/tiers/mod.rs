//! Closing days: counting what is over once, so that reports need not do it again.
//!
//! What is counted, and how it is added up, is `query::compile::tiers`. Here is when its numbers hold.
//!
//! A day is closed by a row of `closed_days`, which names a version of the day's numbers in `daily`. It holds
//! - as long as nothing was inserted into the partitions of `events` that the numbers were made of. That is
//!   read off the server's own list of parts, whoever inserted: a late batch, an import, another collector;
//! - until a row that was made later says otherwise. Before anything is deleted from the events of a day, it
//!   is opened for an hour ([`HOLD_MINUTES`]): a counting that began before can not close it again.
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
//! Events that are deleted by hand, by a statement that is none of ours, are not noticed: docs/operations.md.

mod days;
mod goals;
mod lookup;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use self::days::{Day, still_closed};
pub(super) use self::lookup::Lookups;
use super::client::{in_time, in_time_of};
use super::{Store, StoreError};
use crate::query::statement::Statement;
use crate::query::{Closed, Making, first_event, made_of, set_of, start_of};
use crate::site::{Site, SiteId};

/// The tables of what was counted, in which a day has rows of its version.
pub(super) const COUNTED: [&str; 3] = ["daily", "visit_days", "notable_events"];
/// So long a day stays open after something may have been deleted from it: longer than a deletion takes, or
/// a counting that began before.
const HOLD_MINUTES: u32 = 60;
/// How long after the last event that a day depends on could have happened it is closed. Earlier would not be
/// wrong, but in vain: late batches would open it again.
const GRACE: SignedDuration = SignedDuration::from_mins(10);
/// So many events are counted in one go: more take more memory.
const EVENTS_AT_ONCE: u64 = 1_000_000;
/// So many days, at most: the numbers of versions leave room for them.
const DAYS_AT_ONCE: usize = 400;
/// A version is the microsecond of its counting, and so many bits for the days that are counted with it.
const VERSION_BITS: u32 = 13;
/// Sites with fewer events are counted from events in a few milliseconds.
const EVENTS_WORTH: u64 = 50_000;
/// Numbers that no day has named for as long are of a counting that came to nothing.
const LEFT_OVER_MINUTES: i64 = 60;

/// A counting that took longer closes nothing: its numbers may have been taken for left over.
const COUNTING_MAX: Duration = Duration::from_secs(30 * 60);

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

/// The partitions of which events are being deleted; no name stands for all of them.
struct Deletions(HashSet<String>);

impl Deletions {
    /// Whether a day of the site is made of such.
    fn concern(&self, day: Date, site: &Site, goes_on: bool) -> bool {
        let name = |day: Date| day.strftime("%Y%m%d").to_string();
        self.0.contains("")
            || made_of(day, &site.timezone, goes_on).any(|day| self.0.contains(&name(day)))
    }
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
    /// When ClickHouse does not answer; what was closed until then is.
    pub async fn close_days(&self, site: &Site, now: Timestamp) -> Result<Closing, StoreError> {
        let mut closing = Closing::default();
        if self.is_spread() {
            return Ok(closing);
        }
        let (days, inserts) = tokio::try_join!(self.days(site.id), self.inserts())?;
        let closed = still_closed(&days, &inserts, &site.timezone);
        self.discard(site, now, &days, &closed).await?;
        let Some(first) = self.first_day(site, now).await? else { return Ok(closing) };
        let deletions = self.deletions().await?;
        let disputed = self.disputed(site, first, now).await?;
        closing.is_disputed = !disputed.is_empty();
        for day in disputed.iter().filter(|day| closed.counting(**day).is_some()) {
            self.hold_days(site.id.0, *day, *day).await?;
        }
        let over_for_good = days_that_are_over(first, site, now, false);
        for goes_on in [false, true] {
            // A day that has been counted for the time being is counted for good as well.
            let is_done =
                |row: &Day| (!row.goes_on || goes_on) && row.is_unchanged(&inserts, &site.timezone);
            let stays_open = |row: &&Day| row.is_held || (row.version == 0 && is_done(row));
            let stay_open: HashSet<&str> =
                days.iter().filter(stays_open).map(|row| row.day.as_str()).collect();
            let mut open = days_that_are_over(first, site, now, goes_on);
            open.retain(|day| {
                let is_closed = closed.counting(*day).is_some_and(|day| !day.goes_on || goes_on);
                let stays_open = stay_open.contains(day.to_string().as_str());
                let is_in_doubt = disputed.contains(day) || deletions.concern(*day, site, goes_on);
                !is_closed && !stays_open && !is_in_doubt
            });
            if goes_on {
                // Those that are over for good are not among them, whether or not they are fit for it.
                open.retain(|day| over_for_good.last().is_none_or(|last| day > last));
            }
            let counts = match open.is_empty() {
                true => HashMap::new(),
                false => self.events_by_day(site, &open).await?,
            };
            for chunk in chunks(&open, &counts) {
                let (first, last) = (chunk[0], chunk[chunk.len() - 1]);
                let outcome = self.close(site, first, last, goes_on).await?;
                closing.closed += outcome.closed;
                closing.unfit += outcome.unfit;
                if outcome.has_revenants {
                    self.open_all(site.id).await?;
                    return Ok(Closing { closed: 0, has_revenants: true, ..closing });
                }
            }
        }
        self.count_goals(site, &closed).await?;
        Ok(closing)
    }

    /// The deletions of events that have not ended. One goes on in the server also when whoever asked for it has given it up, and that
    /// may be after the days' hold; what is counted meanwhile may have the events, or not.
    async fn deletions(&self) -> Result<Deletions, StoreError> {
        let sql = "SELECT DISTINCT extract(command, 'PARTITION ID \\'(\\\\d+)\\'') FROM system.mutations \
                   WHERE database = currentDatabase() AND table = 'events' AND NOT is_done";
        let partitions = in_time(self.writer().query_raw(sql).fetch_all::<String>()).await?;
        Ok(Deletions(partitions.into_iter().collect()))
    }

    /// The site's days, from the first to those that are over, of which the collector and ClickHouse do not agree when they or their
    /// neighbours begin: both have the rules of all time zones, but not always of the same year.
    async fn disputed(
        &self,
        site: &Site,
        first: Date,
        now: Timestamp,
    ) -> Result<HashSet<Date>, StoreError> {
        let days = days_that_are_over(first, site, now, true);
        let Some(last) = days.last() else { return Ok(HashSet::new()) };
        let before = first.saturating_sub(1.day());
        let until = last.saturating_add(2.days());
        let starts = std::iter::successors(Some(before), |day| day.tomorrow().ok())
            .take_while(|day| *day < until)
            .map(|day| start_of(day, &site.timezone).as_second().to_string());
        let starts: Vec<String> = starts.collect();
        let sql = format!(
            "SELECT toString(day) FROM (SELECT toDate('{before}') + number AS day, \
             [{starts}][number + 1] AS begins FROM numbers({count})) \
             WHERE toDate(toDateTime(begins, 'UTC'), '{zone}') != day OR toDate(toDateTime(begins - 1, 'UTC'), '{zone}') != day - 1",
            count = starts.len(),
            starts = starts.join(", "),
            zone = site.timezone_name(),
        );
        let told = in_time(self.writer().query_raw(&sql).fetch_all::<String>()).await?;
        let told: HashSet<Date> = told.iter().filter_map(|day| day.parse().ok()).collect();
        let near = |day: &Date| {
            [day.saturating_sub(1.day()), *day, day.saturating_add(1.day())]
                .iter()
                .any(|day| told.contains(day))
        };
        Ok(days.into_iter().filter(near).collect())
    }

    /// What no day names is not left lying there: it may be of what was erased meanwhile.
    async fn delete_unnamed(
        &self,
        site: SiteId,
        versions: impl Iterator<Item = u64>,
    ) -> Result<(), StoreError> {
        let named = self.days(site).await?;
        let lost: Vec<String> = versions
            .filter(|version| named.iter().all(|row| !row.names(*version)))
            .map(|version| version.to_string())
            .collect();
        if lost.is_empty() {
            return Ok(());
        }
        let versions = lost.join(", ");
        self.delete_counted(&format!("site_id = {} AND version IN ({versions})", site.0)).await
    }

    async fn microsecond(&self) -> Result<i64, StoreError> {
        let now = "SELECT toUnixTimestamp64Micro(now64(6))";
        in_time(self.writer().query_raw(now).fetch_one::<i64>()).await
    }

    /// Opens days of a site for an hour, before something is deleted from them: see [`Self::forget_days`].
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub(super) async fn hold_days(
        &self,
        site: u32,
        first: Date,
        last: Date,
    ) -> Result<(), StoreError> {
        if self.is_spread() {
            return Ok(());
        }
        let days = last.since(first).map_or(0, |span| span.get_days()) + 1;
        let sql = format!(
            "INSERT INTO closed_days (site_id, day, timezone, version, inserts, made) SELECT {site}, toDate('{first}') + number, '', 0, 0, \
             now64(6) + INTERVAL {HOLD_MINUTES} MINUTE FROM numbers({days})"
        );
        in_time(self.writer().query_raw(&sql).execute()).await
    }

    /// Deletes the numbers of days, with every value that they hold.
    ///
    /// # Errors
    /// When ClickHouse does not answer; the numbers are read no more in any case, once the days are held.
    pub(super) async fn forget_days(
        &self,
        site: u32,
        first: Date,
        last: Date,
    ) -> Result<(), StoreError> {
        let rows = format!("site_id = {site} AND day >= '{first}' AND day <= '{last}'");
        self.delete_counted(&rows).await
    }

    async fn delete_counted(&self, rows: &str) -> Result<(), StoreError> {
        if self.is_spread() {
            return Ok(());
        }
        for table in COUNTED {
            let sql = format!("SELECT count() FROM {table} WHERE {rows}");
            if in_time(self.writer().query_raw(&sql).fetch_one::<u64>()).await? == 0 {
                continue;
            }
            let delete = format!("ALTER TABLE {table} DELETE WHERE {rows}");
            let delete = self.writer().query_raw(&delete).with_setting("mutations_sync", "2");
            in_time(delete.execute()).await?;
        }
        Ok(())
    }

    /// The day of the site's first event that it keeps.
    async fn first_day(&self, site: &Site, now: Timestamp) -> Result<Option<Date>, StoreError> {
        let first = first_event(site.id);
        let first = in_time(self.bound(&first).fetch_one::<u32>()).await?;
        let first = Timestamp::from_second(i64::from(first)).ok().filter(|_| first > 0);
        let first = first.map(|first| first.max(site.kept_from(now).unwrap_or(first)));
        Ok(first.map(|first| site.timezone.to_datetime(first).date()))
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
        goes_on: bool,
    ) -> Result<Closing, StoreError> {
        let began = self.microsecond().await?;
        let before = self.inserts().await?;
        let making = Making { site, first, last, version: version(began)?, goes_on };
        if !in_time_of(COUNTING_MAX, self.bound(&making.revenants()).fetch_all::<u8>())
            .await?
            .is_empty()
        {
            return Ok(Closing { has_revenants: true, ..Closing::default() });
        }
        let unfit = self.bound(&making.unfit_days()).fetch_all::<String>();
        let unfit = in_time_of(COUNTING_MAX, unfit).await?;
        let days = std::iter::successors(Some(first), |day| day.tomorrow().ok());
        let days: Vec<Date> = days.take_while(|day| *day <= last).collect();
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
        let after = self.inserts().await?;
        let zone = &site.timezone;
        let is_the_same = |day: &Date| {
            before.seen_by(*day, zone, goes_on) == after.seen_by(*day, zone, goes_on)
                && !deletions.concern(*day, site, goes_on)
        };
        let unchanged: Vec<Date> = days.into_iter().filter(is_the_same).collect();
        let goals = set_of(&site.goals);
        let rows: Vec<String> = unchanged
            .iter()
            .map(|day| {
                let version = if fit.contains(day) { making.version_of(*day) } else { 0 };
                format!(
                    "({}, '{day}', '{}', {version}, {}, fromUnixTimestamp64Micro({began}), {goes_on}, {goals}, {version})",
                    site.id.0,
                    site.timezone_name(),
                    before.seen_by(*day, zone, goes_on)
                )
            })
            .collect();
        if !rows.is_empty() {
            let sql = format!(
                "INSERT INTO closed_days (site_id, day, timezone, version, inserts, made, goes_on, goals, goals_version) VALUES {}",
                rows.join(", ")
            );
            in_time(self.writer().query_raw(&sql).execute()).await?;
            self.lookups.forget(site.id);
        }
        self.delete_unnamed(site.id, fit.iter().map(|day| making.version_of(*day))).await?;
        let closed = unchanged.iter().filter(|day| fit.contains(day)).count();
        Ok(Closing { closed, unfit: unfit.len(), ..Closing::default() })
    }

    /// Deletes what is read no more: numbers of days that are closed no longer, or that the site does not
    /// keep, or that no day names.
    async fn discard(
        &self,
        site: &Site,
        now: Timestamp,
        days: &[Day],
        closed: &Closed,
    ) -> Result<(), StoreError> {
        if let Some(kept) = site.kept_from(now) {
            let first = site.timezone.to_datetime(kept).date();
            let last = first.saturating_sub(1.day());
            let is_past = |day: &&Day| day.version != 0 && day.day < first.to_string();
            if let Some(oldest) =
                days.iter().filter(is_past).filter_map(|day| day.day.parse().ok()).min()
            {
                self.hold_days(site.id.0, oldest, last).await?;
            }
            self.forget_days(site.id.0, Date::constant(1970, 1, 1), last).await?;
        }
        let versions: Vec<String> = closed
            .iter()
            .flat_map(|(_, counting)| [counting.version, counting.goals.version])
            .map(|version| version.to_string())
            .collect();
        // By the clock that versions are of.
        let left_over = SignedDuration::from_mins(LEFT_OVER_MINUTES).as_micros();
        let left_over = i64::try_from(left_over).unwrap_or(i64::MAX);
        let old = version(self.microsecond().await?.saturating_sub(left_over))?;
        let unnamed = match versions.is_empty() {
            true => "1".to_owned(),
            false => format!("version NOT IN ({})", versions.join(", ")),
        };
        let void = days.iter().filter(|day| day.version != 0).map(|day| day.version);
        let void: Vec<String> = void
            .filter(|version| closed.iter().all(|(_, holds)| holds.version != *version))
            .map(|version| version.to_string())
            .collect();
        let void = match void.is_empty() {
            true => String::new(),
            false => {
                let void = void.join(", ");
                // Whether they are void is judged at one moment: first they are opened, so that none is read as empty.
                let open = format!(
                    "INSERT INTO closed_days (site_id, day, timezone, version, inserts, made) SELECT site_id, day, '', 0, 0, now64(6) FROM closed_days FINAL \
                     WHERE site_id = {} AND version IN ({void})",
                    site.id.0
                );
                in_time(self.writer().query_raw(&open).execute()).await?;
                format!(" OR version IN ({void})")
            }
        };
        let rows = format!("site_id = {} AND ((version < {old} AND {unnamed}){void})", site.id.0);
        self.delete_counted(&rows).await
    }

    /// Opens all days of a site.
    async fn open_all(&self, site: SiteId) -> Result<(), StoreError> {
        let closed = self.days(site).await?;
        let days = || closed.iter().filter_map(|day| day.day.parse::<Date>().ok());
        if let (Some(first), Some(last)) = (days().min(), days().max()) {
            self.hold_days(site.0, first, last).await?;
            self.forget_days(site.0, first, last).await?;
        }
        Ok(())
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
    let chance = getrandom::u32()
        .map_err(|_| StoreError::Unavailable("the system gives no random number".to_owned()))?;
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
