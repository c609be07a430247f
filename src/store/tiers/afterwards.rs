//! Days whose visits have ended, while more is inserted into the partition after theirs.
//!
//! A visit may go on for a day, and a partition takes events for one. So nothing that a day was counted from can change any
//! more when the partition after its own is over, a day later. But the visits of a day have mostly ended an hour after it.
//! Then it is closed for good with a hash of what of them there is in the partition after it (usually nothing, or the few
//! rows of those that were there at midnight), and holds as long as that stays the same: a visit's id begins with its first
//! second, and is the key of `events`, so that they lie together.

use std::collections::HashMap;

use clickhouse::Row;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;

use super::days::{Day, Events};
use super::{Ending, GRACE, Store};
use crate::query::{made_of, start_of};
use crate::session::open_since;
use crate::site::{Site, SiteId};
use crate::store::StoreError;
use crate::store::client::in_time;

/// What visits of days did in the partitions after these: a hash of it, never 0.
#[derive(Default)]
pub(super) struct Afterwards(HashMap<Date, u64>);

impl Afterwards {
    /// The hash of one day, if it was asked for.
    pub(super) fn of(&self, day: Date) -> Option<u64> {
        self.0.get(&day).copied()
    }

    /// With what was asked for beside it.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

/// What is known of a day's visits.
#[derive(Row, Deserialize)]
struct Last {
    /// The last second in which any of them did something after the day.
    second: u32,
    /// How many events of the day are of visits that began after it by their ids: an event of the day after had arrived first.
    /// What such visits do afterwards does not lie with the others.
    strays: u64,
}

impl Store {
    /// What visits of these days did in the partition after theirs, as it stands.
    pub(super) async fn afterwards(
        &self,
        site: SiteId,
        zone: &TimeZone,
        days: &[Date],
    ) -> Result<Afterwards, StoreError> {
        if days.is_empty() {
            return Ok(Afterwards::default());
        }
        let each = days.iter().map(|day| {
            format!(
                "SELECT '{day}' AS day, greatest(cityHash64(uniqExact(row), sum(DISTINCT row)), 1) AS hash \
                 FROM (SELECT cityHash64(session_id, seq, event_id) AS row FROM events WHERE {})",
                rows_of_its_visits(site, *day, zone, partition_after(*day, zone))
            )
        });
        let sql = each.collect::<Vec<String>>().join(" UNION ALL ");
        let rows = in_time(self.writer().query_raw(&sql).fetch_all::<(String, u64)>()).await?;
        Ok(Afterwards(
            rows.into_iter().filter_map(|(day, hash)| Some((day.parse().ok()?, hash))).collect(),
        ))
    }

    /// Takes the first of the days, which follow each other and are over, as far as no visit of them can go on.
    pub(super) async fn with_ended_visits(
        &self,
        site: &Site,
        over: &mut Vec<Date>,
        now: Timestamp,
    ) -> Result<Vec<Date>, StoreError> {
        let mut taken = 0;
        for day in &*over {
            if !self.visits_have_ended(site, *day, now).await? {
                break;
            }
            taken += 1;
        }
        Ok(over.drain(..taken).collect())
    }

    /// Whether no visit of a day that is over can go on, but for what arrives late.
    async fn visits_have_ended(
        &self,
        site: &Site,
        day: Date,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let zone = &site.timezone;
        let (begins, next) = (start_of(day, zone), start_of(day.saturating_add(1.day()), zone));
        let second = u32::try_from((now - GRACE).as_second()).unwrap_or(0);
        let open_since = open_since(second);
        if i64::from(open_since) <= next.as_second() {
            return Ok(false);
        }
        let (_, end) = partition_after(day, zone);
        let strays = format!(
            "{} AND session_id >= {}",
            rows_between(site.id, begins, next),
            first_id_after(day, zone)
        );
        let sql = format!(
            "SELECT second, strays FROM (SELECT toUnixTimestamp(max(timestamp)) AS second FROM events WHERE {}) AS last \
             CROSS JOIN (SELECT count() AS strays FROM events WHERE {strays}) AS others",
            rows_of_its_visits(site.id, day, zone, (next, end)),
        );
        let last = in_time(self.writer().query_raw(&sql).fetch_one::<Last>()).await?;
        Ok(last.second < open_since && last.strays == 0)
    }

    /// Days that were closed because their visits had ended, and are over for good by now, are said to be made of the inserts that there
    /// have been, and need no looking after any more. The rows and `events` are read after this microsecond, so that what opens a day
    /// from then on is the later word.
    pub(super) async fn settle(
        &self,
        site: &Site,
        days: &[Day],
        events: &Events,
        over_for_good: &[Date],
        began: i64,
    ) -> Result<(), StoreError> {
        let zone = &site.timezone;
        let rows = days.iter().filter_map(|row| Some((row.day.parse::<Date>().ok()?, row)));
        let rows: Vec<(Date, &Day)> = rows
            .filter(|(day, _)| over_for_good.contains(day))
            .filter(|(_, row)| row.afterwards != 0 && row.is_unchanged(events, zone))
            .collect();
        let settled: Vec<Date> = rows.iter().map(|(day, _)| *day).collect();
        // As it stands after the inserts that are named: these were counted, then.
        let afterwards = self.afterwards(site.id, zone, &settled).await?;
        let rows: Vec<String> = rows
            .into_iter()
            .filter(|(day, row)| afterwards.of(*day) == Some(row.afterwards))
            .map(|(day, row)| {
                let (inserts, _) = events.seen_by(day, zone, Ending::ForGood);
                let Day { timezone, version, goals, goals_version, .. } = row;
                format!(
                    "({}, '{day}', '{timezone}', {version}, {inserts}, fromUnixTimestamp64Micro({began}), {goals}, {goals_version})",
                    site.id.0
                )
            })
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "INSERT INTO closed_days (site_id, day, timezone, version, inserts, made, goals, goals_version) VALUES {}",
            rows.join(", ")
        );
        in_time(self.writer().query_raw(&sql).execute()).await?;
        self.lookups.forget(site.id);
        Ok(())
    }
}

/// When the partition after those that a day is made of itself begins, and ends: by then no visit of the day goes on.
fn partition_after(day: Date, zone: &TimeZone) -> (Timestamp, Timestamp) {
    let end = |goes_on| {
        let last = made_of(day, zone, goes_on).last().unwrap_or(day);
        start_of(last.saturating_add(1.day()), &TimeZone::UTC)
    };
    (end(true), end(false))
}

/// The least id that a visit can have which begins after the day.
fn first_id_after(day: Date, zone: &TimeZone) -> u64 {
    let second = start_of(day.saturating_add(1.day()), zone).as_second();
    u64::try_from(second).unwrap_or(0) << 32
}

/// Events of visits that began on the day or before it.
fn rows_of_its_visits(
    site: SiteId,
    day: Date,
    zone: &TimeZone,
    (from, to): (Timestamp, Timestamp),
) -> String {
    let first_after = first_id_after(day, zone);
    format!("{} AND session_id > 0 AND session_id < {first_after}", rows_between(site, from, to))
}

/// Events of the site from one moment on until before another.
fn rows_between(site: SiteId, from: Timestamp, to: Timestamp) -> String {
    format!(
        "site_id = {} AND timestamp >= toDateTime({}, 'UTC') AND timestamp < toDateTime({}, 'UTC')",
        site.0,
        from.as_second(),
        to.as_second()
    )
}
