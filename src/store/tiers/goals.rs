//! Days that are closed, counted for goals that were made since.

use jiff::civil::Date;
use tokio::time::Instant;

use super::days::still_closed;
use super::{COUNTING_MAX, Store, chunks, version};
use crate::query::{Closed, Making, set_of};
use crate::site::Site;
use crate::store::StoreError;
use crate::store::client::{in_time, in_time_of};

impl Store {
    /// Counts the goals of those of the closed days that were counted for other goals than the site has now.
    pub(super) async fn count_goals(&self, site: &Site, closed: &Closed) -> Result<(), StoreError> {
        let set = set_of(&site.goals);
        let stale = closed.iter().filter(|(_, counting)| counting.goals.set != set);
        let stale: Vec<Date> = stale.map(|(day, _)| day).collect();
        if stale.is_empty() {
            return Ok(());
        }
        let counts = self.events_by_day(site, &stale).await?;
        for chunk in chunks(&stale, &counts) {
            self.count_goals_of(site, &chunk, closed).await?;
        }
        Ok(())
    }

    /// Counts the goals of closed days that follow each other, and names the counting where the days are still closed.
    async fn count_goals_of(
        &self,
        site: &Site,
        days: &[Date],
        closed: &Closed,
    ) -> Result<(), StoreError> {
        let (first, last) = (days[0], days[days.len() - 1]);
        let begun = Instant::now();
        let version = version(self.microsecond().await?)?;
        let making = Making { site, first, last, version, goes_on: false };
        let counted = days.iter().filter_map(|day| closed.counting(*day));
        let counted = counted.map(|counting| counting.version).collect();
        for statement in making.of_goals(counted) {
            in_time_of(COUNTING_MAX, self.bound(&statement).execute()).await?;
        }
        if begun.elapsed() > COUNTING_MAX {
            return Ok(());
        }
        let (named, events) = self.days_and_events(site.id, &site.timezone).await?;
        let now = still_closed(&named, &events, &site.timezone);
        let held = days
            .iter()
            .filter_map(|day| closed.counting(*day).filter(|of| now.counting(*day) == Some(*of)));
        let held: Vec<String> = held.map(|counting| counting.version.to_string()).collect();
        if !held.is_empty() {
            // A row that was written meanwhile has another version, and stays the one that counts.
            let sql = format!(
                "INSERT INTO closed_days (site_id, day, timezone, version, inserts, made, goes_on, afterwards, goals, goals_version) \
                 SELECT site_id, day, timezone, version, inserts, now64(6), goes_on, afterwards, {}, {version} + dateDiff('day', toDate('{first}'), day) \
                 FROM closed_days FINAL WHERE site_id = {} AND version IN ({}) AND made < now64(6)",
                set_of(&site.goals),
                site.id.0,
                held.join(", ")
            );
            in_time(self.writer().query_raw(&sql).execute()).await?;
            self.lookups.forget(site.id);
        }
        let versions = days.iter().map(|day| making.version_of(*day));
        self.delete_unnamed(site.id, versions).await
    }
}
