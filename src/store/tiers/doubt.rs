//! Why a day that is over is not closed yet: something is being deleted from it, or it is not agreed when it begins.

use std::collections::HashSet;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::super::client::in_time;
use super::super::{Store, StoreError};
use super::days_that_are_over;
use crate::query::{made_of, start_of};
use crate::site::Site;

/// The partitions of which events are being deleted; no name stands for all of them.
pub(super) struct Deletions(HashSet<String>);

impl Deletions {
    /// Whether a day of the site is made of such.
    pub(super) fn concern(&self, day: Date, site: &Site, goes_on: bool) -> bool {
        let name = |day: Date| day.strftime("%Y%m%d").to_string();
        self.0.contains("")
            || made_of(day, &site.timezone, goes_on).any(|day| self.0.contains(&name(day)))
    }
}

impl Store {
    /// The deletions of events that have not ended. One goes on in the server also when whoever asked for it has given it up, and that
    /// may be after the days' hold; what is counted meanwhile may have the events, or not.
    pub(super) async fn deletions(&self) -> Result<Deletions, StoreError> {
        let sql = "SELECT DISTINCT extract(command, 'PARTITION ID \\'(\\\\d+)\\'') FROM system.mutations \
                   WHERE database = currentDatabase() AND table = 'events' AND NOT is_done";
        let partitions = in_time(self.writer().query_raw(sql).fetch_all::<String>()).await?;
        Ok(Deletions(partitions.into_iter().collect()))
    }

    /// The site's days, from the first to those that are over, of which the collector and ClickHouse do not agree when they or their
    /// neighbours begin: both have the rules of all time zones, but not always of the same year.
    pub(super) async fn disputed(
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
}
