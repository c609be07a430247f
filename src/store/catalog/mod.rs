//! The catalog: what is set up, and not measured. Sites, their goals, segments, funnels and
//! annotations, and the tokens, links and members that read their reports.
//!
//! ClickHouse holds it (a table for each kind of entry, a row a change); a copy in memory answers every
//! look-up, and a snapshot in the data directory lets the collector start, and know its sites, while
//! ClickHouse is away. A change is written to ClickHouse first and then to the copies.
//!
//! Each kind of entry has a file of its own here: its row, its rules, and its changes. `snapshot` has the
//! list of them, `of_site` what those have in common that are parts of a site, `checks` the rules that several keep. `rules` is what is known of the
//! configuration that collectors ran with.

mod annotations;
mod checks;
mod error;
mod funnels;
mod goals;
mod links;
mod members;
mod of_site;
mod password;
mod rules;
mod segments;
mod sites;
mod snapshot;
mod tokens;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex as StdMutex, PoisonError, RwLock};

use jiff::Timestamp;
use tokio::sync::{Mutex, MutexGuard};

pub use self::annotations::AnnotationChange;
pub use self::error::CatalogError;
pub use self::goals::{NewGoal, SavedGoal};
pub use self::links::{LinkChange, SharedLink};
pub use self::members::Member;
pub use self::password::Password;
pub use self::segments::{SegmentChange, WhichSegment};
pub use self::sites::{RETENTION_DAYS_MAX, SiteChange};
pub use self::tokens::{NewToken, Scope, Token};

use self::sites::SiteRow;
use self::snapshot::{Entry, Known, Snapshot};
use super::client::Admission;
use super::{Store, StoreError};
use crate::apart::apart;
use crate::hex;
use crate::site::policy::Policies;

/// The sites, what belongs to them, the tokens, and the members.
pub struct Catalog {
    snapshot_file: PathBuf,
    policies: Policies,
    known: RwLock<Arc<Known>>,
    /// The sites whose time zone is not known, of which that was said.
    astray: StdMutex<BTreeSet<u32>>,
    /// Whoever reads or changes ClickHouse's copy has this: what is read last is what is known last.
    turn: Mutex<()>,
}

impl Catalog {
    /// The catalog with its snapshot in `snapshot_file`, which is read if it is there, and what the
    /// operator decided about sites.
    pub fn open(snapshot_file: PathBuf, policies: Policies) -> Self {
        let known = Snapshot::read(&snapshot_file).map(|rows| Known::of(rows, &policies));
        let known = known.unwrap_or_default();
        let mut astray = BTreeSet::new();
        tell_of_unknown_zones(&known.rows.sites, &mut astray);
        let (known, astray) = (RwLock::new(Arc::new(known)), StdMutex::new(astray));
        Self { snapshot_file, policies, known, astray, turn: Mutex::new(()) }
    }

    /// Whether the sites are known: from ClickHouse, or from an earlier run.
    pub fn is_loaded(&self) -> bool {
        self.look(|known| known.loaded)
    }

    /// Whether there is a site, or was one.
    pub fn knows_sites(&self) -> bool {
        self.look(|known| !known.rows.sites.is_empty())
    }

    /// Reads everything anew from ClickHouse, and writes the snapshot.
    ///
    /// # Errors
    /// When ClickHouse does not answer; [`StoreError::Emptied`] when it has no site and this has: then what is known stays.
    pub async fn refresh(&self, store: &Store) -> Result<(), StoreError> {
        let turn = self.turn.lock().await;
        self.read_anew(store, &turn).await
    }

    async fn read_anew(&self, store: &Store, _turn: &MutexGuard<'_, ()>) -> Result<(), StoreError> {
        let snapshot = Snapshot::of(store).await.inspect_err(|error| {
            if matches!(error, StoreError::Missing { .. }) && self.knows_sites() {
                store.expect_sites();
            }
        })?;
        // A site that is removed leaves a row: where there is none, the database is not the one that had them.
        if snapshot.sites.is_empty() && self.knows_sites() {
            store.set_admission(Admission::Emptied);
            return Err(StoreError::Emptied);
        }
        store.set_admission(Admission::Open);
        let file = self.snapshot_file.clone();
        let snapshot = apart(move || {
            snapshot.write(&file);
            snapshot
        })
        .await;
        let mut astray = self.astray.lock().unwrap_or_else(PoisonError::into_inner);
        tell_of_unknown_zones(&snapshot.sites, &mut astray);
        drop(astray);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(Known::of(snapshot, &self.policies));
        Ok(())
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A short look at what is known: a beacon takes no part in owning it, for which processors would wait for each
    /// other.
    fn look<T>(&self, at: impl FnOnce(&Known) -> T) -> T {
        at(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins a change. It is based on what ClickHouse has now, and no other is made meanwhile.
    async fn change<'a>(
        &'a self,
        store: &'a Store,
        now: Timestamp,
    ) -> Result<Change<'a>, StoreError> {
        let turn = self.turn.lock().await;
        self.read_anew(store, &turn).await?;
        Ok(Change { catalog: self, store, now, turn })
    }
}

/// A change that is being made.
struct Change<'a> {
    catalog: &'a Catalog,
    store: &'a Store,
    now: Timestamp,
    turn: MutexGuard<'a, ()>,
}

impl Change<'_> {
    fn known(&self) -> Arc<Known> {
        self.catalog.known()
    }

    /// The version of the change: later than any, even when the clock was set back.
    fn version(&self) -> u64 {
        let now = u64::try_from(self.now.as_microsecond()).unwrap_or(0);
        now.max(self.known().rows.last_version() + 1)
    }

    /// When the change is made, in seconds since 1970.
    fn second(&self) -> u32 {
        seconds(self.now)
    }

    /// Makes it.
    async fn write<R: Entry>(&self, row: &R) -> Result<(), CatalogError> {
        self.write_all(std::slice::from_ref(row)).await
    }

    /// Makes it, where it is of several rows.
    async fn write_all<R: Entry>(&self, rows: &[R]) -> Result<(), CatalogError> {
        self.store.write_rows(R::TABLE, rows).await?;
        self.catalog.read_anew(self.store, &self.turn).await.map_err(CatalogError::from)
    }
}

/// Says of each site whose time zone is not known that it is not there for that reason: once, for it is looked at every ten seconds.
fn tell_of_unknown_zones(sites: &[SiteRow], told: &mut BTreeSet<u32>) {
    for row in newly_astray(sites, told) {
        tracing::error!(
            site = row.domain,
            timezone = row.timezone,
            "the site's time zone is not known here, so that the site is treated as if there were none and its events are refused: \
             bring the system's time zones (tzdata) up to date, or start a newer version"
        );
    }
}

fn newly_astray<'a>(sites: &'a [SiteRow], told: &mut BTreeSet<u32>) -> Vec<&'a SiteRow> {
    let mut astray: Vec<&SiteRow> = sites.iter().filter(|row| row.has_unknown_zone()).collect();
    let before = std::mem::replace(told, astray.iter().map(|row| row.site_id).collect());
    astray.retain(|row| !before.contains(&row.site_id));
    astray
}

/// A number for a new entry, at random: two collectors that make one each do not make the same.
fn free_number(is_taken: impl Fn(u32) -> bool) -> Result<u32, CatalogError> {
    loop {
        let number = getrandom::u32().map_err(|_| CatalogError::NoRandomness)?;
        if number != 0 && !is_taken(number) {
            return Ok(number);
        }
    }
}

/// So many random bytes as hexadecimal digits, for what nobody may guess.
fn random_digits<const BYTES: usize>() -> Result<String, CatalogError> {
    let mut random = [0; BYTES];
    getrandom::fill(&mut random).map_err(|_| CatalogError::NoRandomness)?;
    Ok(hex::encode(&random))
}

/// An end as rows have it, where 0 is none: one before 1970 is over as well, and not for ever open.
fn end_second(end: Option<Timestamp>) -> u32 {
    end.map_or(0, |end| seconds(end).max(1))
}

/// The end that a row has.
fn end(second: u32) -> Option<Timestamp> {
    (second != 0).then(|| moment(second))
}

fn moment(second: u32) -> Timestamp {
    Timestamp::from_second(second.into()).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn seconds(moment: Timestamp) -> u32 {
    u32::try_from(moment.as_second().max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::catalog::snapshot::tests::site;

    #[test]
    fn a_site_with_a_time_zone_that_is_not_known_is_told_of_once() {
        let of_zone =
            |timezone: &str| SiteRow { timezone: timezone.into(), ..site("a.test", false) };
        let rows = [of_zone("Mars/Olympus")];
        let mut told = BTreeSet::new();
        assert_eq!(newly_astray(&rows, &mut told).len(), 1);
        assert!(newly_astray(&rows, &mut told).is_empty(), "it was said");
        assert!(newly_astray(&[of_zone("Asia/Kathmandu")], &mut told).is_empty());
        assert_eq!(newly_astray(&rows, &mut told).len(), 1, "it is not known any more");
        let removed = SiteRow { removed: true, ..of_zone("Mars/Olympus") };
        assert!(newly_astray(&[removed], &mut BTreeSet::new()).is_empty());
    }
}
