//! Opening days again, and deleting numbers that are read no more.

use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use tokio::time::sleep;

use super::super::client::in_time;
use super::super::{Store, StoreError};
use super::days::Day;
use super::version;
use crate::query::Closed;
use crate::site::{Site, SiteId};

/// The tables of what was counted, in which a day has rows of its version.
pub(in crate::store) const COUNTED: [&str; 3] = ["daily", "visit_days", "notable_events"];
/// So long a day stays open after something may have been deleted from it: longer than a deletion takes, or
/// a counting that began before.
const HOLD_MINUTES: u32 = 60;
/// So long after a day was opened its numbers are there yet, for reports that found it closed just before: see `lookup`.
pub(super) const READ_ON_FOR: Duration = Duration::from_secs(1);
/// Numbers that no day has named for as long are of a counting that came to nothing.
const LEFT_OVER_MINUTES: i64 = 60;

impl Store {
    /// Opens days of a site for an hour, before something is deleted from them: see [`Self::forget_days`].
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub(in crate::store) async fn hold_days(
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
    pub(in crate::store) async fn forget_days(
        &self,
        site: u32,
        first: Date,
        last: Date,
    ) -> Result<(), StoreError> {
        let rows = format!("site_id = {site} AND day >= '{first}' AND day <= '{last}'");
        self.delete_counted(&rows).await
    }

    /// Deletes rows of days that have been opened, once reports that began before have read.
    async fn delete_counted(&self, rows: &str) -> Result<(), StoreError> {
        if self.is_spread() {
            return Ok(());
        }
        let mut is_read_on = true;
        for table in COUNTED {
            let sql = format!("SELECT count() FROM {table} WHERE {rows}");
            if in_time(self.writer().query_raw(&sql).fetch_one::<u64>()).await? == 0 {
                continue;
            }
            if is_read_on {
                sleep(READ_ON_FOR).await;
                is_read_on = false;
            }
            let delete = format!("ALTER TABLE {table} DELETE WHERE {rows}");
            let delete = self.writer().query_raw(&delete).with_setting("mutations_sync", "2");
            in_time(delete.execute()).await?;
        }
        Ok(())
    }

    /// Deletes what is read no more: numbers of days that are closed no longer, or that the site does not
    /// keep, or that no day names.
    pub(super) async fn discard(
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
    pub(super) async fn open_all(&self, site: SiteId) -> Result<(), StoreError> {
        let closed = self.days(site).await?;
        let days = || closed.iter().filter_map(|day| day.day.parse::<Date>().ok());
        if let (Some(first), Some(last)) = (days().min(), days().max()) {
            self.hold_days(site.0, first, last).await?;
            self.forget_days(site.0, first, last).await?;
        }
        Ok(())
    }

    /// What no day names is not left lying there: it may be of what was erased meanwhile.
    pub(super) async fn delete_unnamed(
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
}
