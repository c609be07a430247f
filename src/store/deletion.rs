//! Rows that leave the database: what is erased, and what a site keeps no longer.
//!
//! The database writes the text of a deletion to a file of its own. So an erasure puts the keys of its
//! rows into a table in memory, and the text names that table alone; what was looked for travels as bound
//! values of statements that are not logged. A deletion by site and time names these, which tell of nobody.
//!
//! Deletions are made by the same workers as merges, and a server whose merges somebody has stopped makes
//! none. What was promised to visitors goes before: merges of `events`, `daily`, `visit_days` and `notable_events` are started again. Days that leave as a whole need no worker.
//!
//! A deletion has finished when its call returns: nobody sees the rows any more, and they are in no part
//! that is in use. The parts they were in leave the disk when the server cleans up: within two minutes with
//! the embedded engine, within ten with a server's defaults (`old_parts_lifetime`).

use clickhouse::query::Query;
use clickhouse::{Client, Row};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;

use super::client::in_time;
use super::tiers::COUNTED;
use super::{Selection, Store, StoreError};
use crate::query::statement::{Sql, Statement, sql};
use crate::site::Site;

/// The key of a row, and of a row in `doomed`.
const KEY: &str = "site_id, session_id, seq, event_id";
/// A change that the server interrupted is asked for again as often: in between it was interrupted each time anew.
const INTERRUPTIONS_MAX: u32 = 5;

/// What an erasure took out of the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Events that are gone.
    pub events: u64,
    /// Events of which the first page of the visit was taken away.
    pub entry_pages: u64,
    /// Days that had such events.
    pub days: u64,
}

/// What keeps leftovers of erased rows for a while.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Parts that are not in use any more and not yet removed.
    pub old_parts: u64,
    /// Parts that somebody detached, or that the server has set aside.
    pub detached_parts: u64,
}

/// The events of a site on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Row, Deserialize)]
struct SiteDay {
    /// As a number, `20260131`: the partition's name.
    day: u32,
    site_id: u32,
    /// Second of the oldest event.
    oldest: u32,
}

impl Store {
    /// Erases events, of everything that the database has by now.
    ///
    /// # Errors
    /// When ClickHouse does not answer or refuses; doing it again does what is left. [`StoreError::Emptied`] when what is
    /// meant is not there, and comes back with a backup.
    pub async fn erase(&self, selection: &Selection) -> Result<Erased, StoreError> {
        self.tells_the_truth().await?;
        let mut erased = Erased::default();
        self.let_merges_run().await;
        let days = self.days_with(selection.condition()).await?;
        let entry_condition = selection.entry_condition();
        let entered = match &entry_condition {
            Some(condition) => self.days_with(sql![condition]).await?,
            None => Vec::new(),
        };
        let site = selection.site.0;
        let counted = counted_with(days.iter().chain(&entered).filter_map(|day| partition(day)));
        // Before the events: while these are there, doing it again finds the days again.
        self.uncount(site, counted).await?;
        for day in days {
            self.hold_around(site, partition(&day)).await?;
            erased.days += 1;
            erased.events += self.erase_on(&day, selection).await?;
        }
        if let Some(condition) = entry_condition {
            for day in self.days_with(sql![&condition]).await? {
                self.hold_around(site, partition(&day)).await?;
                let erasure = self.doom(&day, condition.clone()).await?;
                erased.entry_pages += self.doomed(erasure).await?;
                let change = format!("UPDATE entry_pathname = '' IN PARTITION ID '{day}'");
                self.alter_doomed(&change, erasure).await?;
            }
        }
        self.uncount(site, counted).await?;
        Ok(erased)
    }

    /// Opens days, and then deletes their numbers: none is missing where it is still read.
    async fn uncount(&self, site: u32, span: Option<(Date, Date)>) -> Result<(), StoreError> {
        let Some((first, last)) = span else { return Ok(()) };
        self.hold_days(site, first, last).await?;
        self.forget_days(site, first, last).await
    }

    /// Opens the days that are counted with one of UTC again: all of a deletion may take longer than they are held.
    async fn hold_around(&self, site: u32, day: Option<Date>) -> Result<(), StoreError> {
        let Some((first, last)) = counted_with(day.into_iter()) else { return Ok(()) };
        self.hold_days(site, first, last).await
    }

    /// Removes what sites keep no longer. Returns how many days that concerned.
    ///
    /// # Errors
    /// As [`Self::erase`].
    pub async fn expire(
        &self,
        sites: &[std::sync::Arc<Site>],
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let kept: Vec<(u32, Timestamp)> =
            sites.iter().filter_map(|site| Some((site.id.0, site.kept_from(now)?))).collect();
        let Some(latest) = kept.iter().map(|(_, kept)| *kept).max() else { return Ok(0) };
        let sql = format!(
            "SELECT toYYYYMMDD(timestamp) AS day, site_id, toUnixTimestamp(min(timestamp)) AS oldest \
             FROM events WHERE timestamp < toDateTime({}, 'UTC') GROUP BY day, site_id",
            latest.as_second().max(0)
        );
        let found = in_time(self.writer().query_raw(&sql).fetch_all::<SiteDay>()).await?;
        let all_expire = kept.len() == sites.len();
        let steps = expiry(&found, &kept, all_expire);
        if !steps.is_empty() {
            self.let_merges_run().await;
        }
        let counted: Vec<(u32, Date, Date)> =
            kept.iter().filter_map(|(site, kept)| counted_of(*site, *kept, &found)).collect();
        for (site, first, last) in &counted {
            self.uncount(*site, Some((*first, *last))).await?;
        }
        for step in &steps {
            for (site, ..) in &counted {
                self.hold_around(*site, date_of(step.day())).await?;
            }
            self.mutate(&step.sql(self.stored_events())).await?;
        }
        for (site, first, last) in &counted {
            self.uncount(*site, Some((*first, *last))).await?;
        }
        Ok(steps.len())
    }

    /// What the database still has of rows that it deleted.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn leftovers(&self) -> Result<Leftovers, StoreError> {
        let count = async |table: &str, condition: &str| {
            let sql = format!(
                "SELECT count() FROM system.{table} WHERE database = currentDatabase() \
                 AND table IN ('{}', '{}'){condition}",
                self.stored_events(),
                COUNTED.join("', '"),
            );
            let mut count = 0;
            for node in self.nodes() {
                count += in_time(node.writer.query_raw(&sql).fetch_one::<u64>()).await?;
            }
            Ok::<_, StoreError>(count)
        };
        Ok(Leftovers {
            old_parts: count("parts", " AND NOT active").await?,
            detached_parts: count("detached_parts", "").await?,
        })
    }

    async fn erase_on(&self, day: &str, selection: &Selection) -> Result<u64, StoreError> {
        if selection.is_plain() {
            let sql = sql![
                "SELECT count() FROM events FINAL WHERE ",
                on(day),
                " AND ",
                selection.condition()
            ];
            let events = in_time(self.unlogged(sql).fetch_one::<u64>()).await?;
            let statement = Statement::from(selection.condition());
            let text = statement.params().iter().fold(
                statement.text().to_owned(),
                |text, (name, value)| {
                    // Only numbers are bound: the site's, and seconds.
                    let value = serde_json::to_string(value).unwrap_or_default();
                    text.replace(&format!("{{{name}:UInt64}}"), &value)
                },
            );
            let table = self.stored_events();
            let sql = format!("ALTER TABLE {table} DELETE IN PARTITION ID '{day}' WHERE {text}");
            self.mutate(&sql).await?;
            return Ok(events);
        }
        let erasure = self.doom(day, selection.condition()).await?;
        let events = self.doomed(erasure).await?;
        self.alter_doomed(&format!("DELETE IN PARTITION ID '{day}'"), erasure).await?;
        Ok(events)
    }

    /// The days, as partitions are named, on which an event meets the condition.
    async fn days_with(&self, condition: Sql) -> Result<Vec<String>, StoreError> {
        let sql =
            sql!["SELECT DISTINCT _partition_id FROM events WHERE ", condition, " ORDER BY 1"];
        in_time(self.unlogged(sql).fetch_all::<String>()).await
    }

    /// Puts the keys of rows into memory, of every server that has rows; returns the number that they have there.
    async fn doom(&self, day: &str, condition: Sql) -> Result<u64, StoreError> {
        let erasure = getrandom::u64().map_err(|_| StoreError::NoRandomness)?;
        if self.is_replicated() {
            // A replica that lags behind would keep what it learns of later.
            let sql = format!("SYSTEM SYNC REPLICA {}", self.stored_events());
            self.mutate(&sql).await?;
        }
        let sql = sql![
            "INSERT INTO doomed SELECT DISTINCT ",
            Sql::number(erasure),
            ", ",
            KEY,
            " FROM events WHERE ",
            on(day),
            " AND ",
            condition,
        ];
        let statement = Statement::from(sql);
        for node in self.nodes() {
            in_time(unlogged(&node.writer, &statement).execute()).await?;
        }
        Ok(erasure)
    }

    async fn doomed(&self, erasure: u64) -> Result<u64, StoreError> {
        let sql = format!("SELECT count() FROM doomed WHERE erasure = {erasure}");
        // Every server has all of the keys.
        let Some(node) = self.nodes().first() else { return Ok(0) };
        in_time(node.writer.query_raw(&sql).fetch_one::<u64>()).await
    }

    async fn alter_doomed(&self, change: &str, erasure: u64) -> Result<(), StoreError> {
        let rows = format!("({KEY}) IN (SELECT {KEY} FROM doomed WHERE erasure = {erasure})");
        let table = self.stored_events();
        let outcome = self.mutate(&format!("ALTER TABLE {table} {change} WHERE {rows}")).await;
        self.mutate(&format!("ALTER TABLE doomed DELETE WHERE erasure = {erasure}")).await?;
        outcome
    }

    /// Starts the merges of `events` and of what was counted, in case that somebody has stopped them. Whether they may be started or
    /// not, a deletion that is not made in time says so itself.
    async fn let_merges_run(&self) {
        // On a cluster no day is counted: there these tables are not asked for anything.
        let counted: &[&str] = if self.is_spread() { &[] } else { &COUNTED };
        for table in std::iter::once(self.stored_events()).chain(counted.iter().copied()) {
            if let Err(error) = self.mutate(&format!("SYSTEM START MERGES {table}")).await {
                tracing::debug!(%error, "merges could not be started; deletions wait if they are stopped");
            }
        }
    }

    fn unlogged(&self, sql: Sql) -> Query {
        unlogged(self.writer(), &Statement::from(sql))
    }

    /// Changes rows on every server that has any. It has been made when it is answered.
    async fn mutate(&self, sql: &str) -> Result<(), StoreError> {
        for node in self.nodes() {
            let attempt = || {
                let query = node.writer.query_raw(sql);
                let query = query.with_setting("mutations_sync", "2");
                in_time(query.with_setting("allow_nondeterministic_mutations", "1").execute())
            };
            let mut interruptions = 0;
            while let Err(error) = attempt().await {
                interruptions += 1;
                if interruptions > INTERRUPTIONS_MAX || !error.was_interrupted() {
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

impl StoreError {
    /// Whether the server cancelled a change because a partition was dropped meanwhile. It goes on with it later;
    /// asked again, the answer says when it was made.
    fn was_interrupted(&self) -> bool {
        const UNFINISHED: u32 = 341;
        matches!(self, Self::Rejected { code: UNFINISHED, message } if message.contains("ABORTED"))
    }
}

fn unlogged(client: &Client, statement: &Statement) -> Query {
    let query = client.query_raw(statement.text()).with_setting("log_queries", "0");
    statement.params().iter().fold(query, |query, (name, value)| query.param(name, value))
}

fn on(day: &str) -> Sql {
    sql!["_partition_id = ", Sql::text(day)]
}

/// One day of which something goes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// All of it: no site keeps the day.
    Drop { day: u32 },
    /// Of each site what is older than a second.
    Delete { day: u32, older: Vec<(u32, i64)> },
}

impl Step {
    fn day(&self) -> u32 {
        match self {
            Self::Drop { day } | Self::Delete { day, .. } => *day,
        }
    }

    fn sql(&self, table: &str) -> String {
        match self {
            Self::Drop { day } => format!("ALTER TABLE {table} DROP PARTITION ID '{day}'"),
            Self::Delete { day, older } => {
                let each = older.iter().map(|(site, kept)| {
                    format!("(site_id = {site} AND timestamp < toDateTime({kept}, 'UTC'))")
                });
                let all = each.collect::<Vec<_>>().join(" OR ");
                format!("ALTER TABLE {table} DELETE IN PARTITION ID '{day}' WHERE {all}")
            }
        }
    }
}

/// What goes, day by day. A day is dropped whole only when there is no site that could keep any of it, those among
/// them that another collector has registered a moment ago: another's events may arrive for it at any moment.
fn expiry(found: &[SiteDay], kept: &[(u32, Timestamp)], all_expire: bool) -> Vec<Step> {
    let mut days: Vec<u32> = found.iter().map(|row| row.day).collect();
    days.sort_unstable();
    days.dedup();
    let earliest = kept.iter().map(|(_, kept)| *kept).min();
    let step = |day: u32| {
        let rows = found.iter().filter(|row| row.day == day);
        let all_known = rows.clone().all(|row| kept.iter().any(|(site, _)| *site == row.site_id));
        let is_past = end_of(day).is_some_and(|end| earliest.is_some_and(|kept| end <= kept));
        if all_expire && all_known && is_past {
            return Some(Step::Drop { day });
        }
        let older: Vec<(u32, i64)> = rows
            .filter_map(|row| {
                let (site, kept) = kept.iter().find(|(site, _)| *site == row.site_id)?;
                (i64::from(row.oldest) < kept.as_second()).then_some((*site, kept.as_second()))
            })
            .collect();
        (!older.is_empty()).then_some(Step::Delete { day, older })
    };
    days.into_iter().filter_map(step).collect()
}

/// The end of a day in UTC.
fn end_of(day: u32) -> Option<Timestamp> {
    let next = date_of(day)?.tomorrow().ok()?;
    TimeZone::UTC.to_timestamp(next.to_datetime(jiff::civil::Time::midnight())).ok()
}

/// The day of a partition of `events`, by its name.
fn partition(name: &str) -> Option<Date> {
    date_of(name.parse().ok()?)
}

/// The day that a partition is named by.
fn date_of(day: u32) -> Option<Date> {
    let part = |number: u32| i8::try_from(number % 100).ok();
    Date::new(i16::try_from(day / 10_000).ok()?, part(day / 100)?, part(day)?).ok()
}

/// The first and the last of a site's days, in whatever zone, that are counted together with an event of
/// these days of UTC: a visit may reach a day further, and what is carried another one.
fn counted_with(days: impl Iterator<Item = Date>) -> Option<(Date, Date)> {
    let span = days.fold(None, |span: Option<(Date, Date)>, day| {
        Some(span.map_or((day, day), |(first, last)| (first.min(day), last.max(day))))
    });
    span.map(|(first, last)| (first.saturating_sub(3.days()), last.saturating_add(3.days())))
}

/// The site's days that are counted together with what it keeps no longer, if anything is there of that.
fn counted_of(site: u32, kept: Timestamp, found: &[SiteDay]) -> Option<(u32, Date, Date)> {
    let is_past = |row: &&SiteDay| row.site_id == site && i64::from(row.oldest) < kept.as_second();
    let past = found.iter().filter(is_past).filter_map(|row| date_of(row.day));
    counted_with(past).map(|(first, last)| (site, first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(moment: &str) -> Timestamp {
        moment.parse().unwrap()
    }

    fn row(day: u32, site_id: u32, oldest: &str) -> SiteDay {
        SiteDay { day, site_id, oldest: u32::try_from(at(oldest).as_second()).unwrap() }
    }

    #[test]
    fn a_day_that_no_site_keeps_is_dropped_and_of_others_each_site_loses_its_own() {
        let found = [
            row(20260101, 1, "2026-01-01T00:00:00Z"),
            row(20260102, 1, "2026-01-02T00:00:00Z"),
            row(20260102, 2, "2026-01-02T00:00:00Z"),
            row(20260103, 2, "2026-01-03T00:00:00Z"),
        ];
        let kept = [(1, at("2026-01-02T12:00:00Z")), (2, at("2026-01-02T00:00:00Z"))];
        let half = at("2026-01-02T12:00:00Z").as_second();
        assert_eq!(
            expiry(&found, &kept, true),
            [Step::Drop { day: 20260101 }, Step::Delete { day: 20260102, older: vec![(1, half)] }]
        );
    }

    #[test]
    fn no_day_is_dropped_while_a_site_keeps_everything() {
        let found = [row(20260101, 1, "2026-01-01T00:00:00Z")];
        let kept = [(1, at("2026-06-01T00:00:00Z"))];
        let steps = expiry(&found, &kept, false);
        assert_eq!(steps.len(), 1);
        assert!(matches!(steps[0], Step::Delete { .. }));
    }

    #[test]
    fn no_day_is_dropped_that_has_events_of_a_site_which_is_not_known_yet() {
        let found =
            [row(20260101, 1, "2026-01-01T00:00:00Z"), row(20260101, 2, "2026-01-01T00:00:00Z")];
        let kept = at("2026-06-01T00:00:00Z");
        let older = vec![(1, kept.as_second())];
        assert_eq!(expiry(&found, &[(1, kept)], true), [Step::Delete { day: 20260101, older }]);
    }

    #[test]
    fn what_is_kept_is_left_alone() {
        let found =
            [row(20260102, 1, "2026-01-02T12:00:00Z"), row(20260102, 3, "2026-01-02T00:00:00Z")];
        assert_eq!(expiry(&found, &[(1, at("2026-01-02T12:00:00Z"))], false), []);
    }
}
