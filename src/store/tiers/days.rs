//! What `closed_days` says of a site's days, and what has been inserted into `events` since.

use std::collections::HashMap;
use std::sync::LazyLock;

use clickhouse::Row;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::afterwards::Afterwards;
use super::{Ending, Store};
use crate::query::{Closed, Counting, GoalsCounted, Making, made_of, start_of};
use crate::site::goal::{Goal, GoalKind};
use crate::site::{Site, SiteId};
use crate::store::StoreError;
use crate::store::client::in_time;

/// What days are counted by. Those that another version counted otherwise are open.
static RULES: LazyLock<[u8; 32]> = LazyLock::new(|| {
    let day = Date::constant(2000, 1, 1);
    let goal = |kind| Goal { name: String::new(), kind, currency: Some(String::new()) };
    let exclude_each_other = [
        GoalKind::Event(String::new()),
        GoalKind::Page("*".to_owned()),
        GoalKind::Scroll(String::new(), 0),
    ];
    // Goals of which an event may meet several are counted by another statement.
    let overlap = [GoalKind::Page("*".to_owned()), GoalKind::Page("/".to_owned())];
    let sites = [exclude_each_other.map(goal).to_vec(), overlap.map(goal).to_vec()];
    let sites = sites.map(|goals| Site { goals, ..Site::new(SiteId(0), "", TimeZone::UTC) });
    let statements = sites.iter().flat_map(|site| {
        [true, false].into_iter().flat_map(move |goes_on| {
            let making = Making { site, first: day, last: day, version: 0, goes_on };
            making.statements().into_iter().chain(making.of_goals(vec![0]))
        })
    });
    let digest = statements.fold(Sha256::new(), |digest, statement| {
        let values = serde_json::to_vec(&statement.params()).unwrap_or_default();
        digest.chain_update(statement.text()).chain_update(values)
    });
    digest.finalize().into()
});

/// A partition of `events` as it stands.
#[derive(Row, Deserialize)]
struct Partition {
    table: String,
    partition_id: String,
    /// The number of the last insert: these only grow.
    inserts: i64,
}

/// What has been inserted into `events`, by partition.
pub(super) struct Inserts {
    /// The table itself: one that was restored or made anew counts from 1 again.
    table: String,
    partitions: HashMap<String, i64>,
}

impl Inserts {
    /// The inserts into the partitions that a site's day was made of; into its own alone, if what comes after these is told otherwise.
    fn seen_by(&self, day: Date, zone: &TimeZone, own_alone: bool) -> u64 {
        let mut digest = Sha256::new().chain_update(*RULES).chain_update(&self.table);
        // The rules of its zone may be others one day.
        for day in [day, day.saturating_add(1.day())] {
            digest.update(start_of(day, zone).as_second().to_be_bytes());
        }
        for part in made_of(day, zone, own_alone) {
            let name = part.strftime("%Y%m%d").to_string();
            let inserts = self.partitions.get(&name).copied().unwrap_or(0);
            digest.update(&name);
            digest.update(inserts.to_be_bytes());
        }
        digest.finalize().first_chunk().copied().map_or(0, u64::from_be_bytes)
    }
}

/// A row of `closed_days`.
#[derive(Clone, Row, Deserialize)]
pub(super) struct Day {
    pub(super) day: String,
    pub(super) timezone: String,
    pub(super) version: u64,
    pub(super) inserts: u64,
    /// Whether it may not be closed now.
    pub(super) is_held: bool,
    /// Whether its visits could go on when it was counted.
    pub(super) goes_on: bool,
    /// What its visits did in the partition after its own, if these had ended when it was counted, and that was not over; or 0.
    pub(super) afterwards: u64,
    /// Which goals were counted, and the version of it.
    pub(super) goals: u64,
    pub(super) goals_version: u64,
}

impl Day {
    /// Whether numbers of this version are among those that it says hold.
    pub(super) fn names(&self, version: u64) -> bool {
        version != 0 && (self.version == version || self.goals_version == version)
    }

    /// Whether nothing that it was counted from has changed since.
    pub(super) fn is_unchanged(&self, events: &Events, zone: &TimeZone) -> bool {
        let seen = self.day.parse().map(|day| events.seen_by(day, zone, self.ending()));
        seen.is_ok_and(|seen| seen == (self.inserts, self.afterwards))
    }

    /// What was known of it when it was counted.
    fn ending(&self) -> Ending {
        match (self.goes_on, self.afterwards) {
            (true, _) => Ending::OfDay,
            (false, 0) => Ending::ForGood,
            (false, _) => Ending::OfVisits,
        }
    }
}

/// What there is in `events`, as far as days were made of it.
pub(super) struct Events {
    pub(super) inserts: Inserts,
    /// Of the days whose rows tell of it.
    pub(super) afterwards: Afterwards,
}

impl Events {
    /// What the numbers of a site's day were made of: hashes of the inserts, and of what its visits did afterwards, which is 0 where
    /// the inserts tell of that or it was not asked for.
    pub(super) fn seen_by(&self, day: Date, zone: &TimeZone, ending: Ending) -> (u64, u64) {
        let inserts = self.inserts.seen_by(day, zone, ending != Ending::ForGood);
        let afterwards = match ending {
            Ending::OfVisits => self.afterwards.of(day),
            Ending::ForGood | Ending::OfDay => None,
        };
        (inserts, afterwards.unwrap_or(0))
    }
}

impl Store {
    /// The rows of a site's days, and what there is in `events` at a moment after they held, or at their own.
    pub(super) async fn days_and_events(
        &self,
        site: SiteId,
        zone: &TimeZone,
    ) -> Result<(Vec<Day>, Events), StoreError> {
        // Nearly always the same days as the last time.
        let expected = self.lookups.with_afterwards(site);
        let afterwards = self.afterwards(site, zone, &expected);
        // A report waits for all of them.
        let (days, inserts, mut afterwards) =
            tokio::try_join!(self.days(site), self.inserts(), afterwards)?;
        let named = days.iter().filter(|row| row.afterwards != 0);
        let named: Vec<Date> = named.filter_map(|row| row.day.parse().ok()).collect();
        let missing: Vec<Date> =
            named.iter().filter(|day| afterwards.of(**day).is_none()).copied().collect();
        if !missing.is_empty() {
            afterwards = afterwards.and(self.afterwards(site, zone, &missing).await?);
        }
        self.lookups.expect_afterwards(site, named);
        Ok((days, Events { inserts, afterwards }))
    }

    pub(super) async fn days(&self, site: SiteId) -> Result<Vec<Day>, StoreError> {
        let sql = format!(
            "SELECT toString(days.day) AS day, timezone, version, inserts, CAST(made > now64(6) AS Bool) AS is_held, goes_on, afterwards, goals, goals_version \
             FROM closed_days AS days FINAL WHERE site_id = {}",
            site.0
        );
        in_time(self.writer().query_raw(&sql).fetch_all::<Day>()).await
    }

    pub(super) async fn inserts(&self) -> Result<Inserts, StoreError> {
        let table = "SELECT toString(any(uuid)) FROM system.tables WHERE database = currentDatabase() AND name = 'events'";
        let sql = format!(
            "SELECT assumeNotNull(({table})) AS table, partition_id, max(max_block_number) AS inserts FROM system.parts AS parts \
             WHERE database = currentDatabase() AND parts.table = 'events' AND active GROUP BY partition_id"
        );
        let rows = in_time(self.writer().query_raw(&sql).fetch_all::<Partition>()).await?;
        let table = rows.first().map(|row| row.table.clone()).unwrap_or_default();
        let partitions = rows.into_iter().map(|row| (row.partition_id, row.inserts)).collect();
        Ok(Inserts { table, partitions })
    }
}

/// Of the days that were closed those of which nothing has changed since; of those whose visits may go on only what is after all others.
pub(super) fn still_closed(days: &[Day], events: &Events, zone: &TimeZone) -> Closed {
    let name = zone.iana_name().unwrap_or("UTC");
    let closed: Vec<(Date, Counting)> = days
        .iter()
        .filter(|day| day.version != 0 && day.timezone == name)
        .filter(|row| row.is_unchanged(events, zone))
        .filter_map(|row| {
            let goals = GoalsCounted { set: row.goals, version: row.goals_version };
            let counting = Counting { version: row.version, goes_on: row.goes_on, goals };
            Some((row.day.parse().ok()?, counting))
        })
        .collect();
    let for_good = closed.iter().filter(|(_, counting)| !counting.goes_on);
    let last = for_good.map(|(day, _)| *day).max();
    let holds = |(day, counting): &(Date, Counting)| {
        !counting.goes_on || last.is_none_or(|last| *day > last)
    };
    closed.into_iter().filter(holds).collect()
}
