//! Erasing events everywhere they are: in memory, in the spool, in ClickHouse and in quarantine.
//!
//! In this order, so that nothing comes back: the open visits that hold what is erased are forgotten; what
//! the spool holds goes to ClickHouse and leaves the disk; then the rows are erased in quarantine, from where they
//! are loaded into ClickHouse, and there.
//! What is left somewhere, and for how long, is told. An import that is under way has read events that are nowhere yet, and will read
//! others that nobody knows of: while one may be about the site, an erasure is not complete.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;

use crate::apart::apart;
use crate::event::Event;
use crate::session::{Placed, Visits};
use crate::site::SiteId;
use crate::spool::{self, Spool, damaged};
use crate::store::loader::quarantine::{SharedQuarantine, Sifted};
use crate::store::{Selection, Store, StoreError};
use crate::through::carried;

/// How long ClickHouse may take for what is in the spool.
const SPOOL_PATIENCE: Duration = Duration::from_secs(20);
/// How long after the end of one visitor's erasure the next one begins: anybody may ask for one.
const VISITORS_PAUSE: Duration = Duration::from_secs(2);
/// The most visitors who wait for theirs.
const VISITORS_MAX: usize = 4;

/// Erases events.
pub struct Eraser {
    store: Arc<Store>,
    quarantine: SharedQuarantine,
    data_dir: PathBuf,
    collecting: OnceLock<Collecting>,
    one_at_a_time: Mutex<()>,
    imports: Arc<Imports>,
    visitors: Arc<Semaphore>,
    /// When the last erasure for a visitor ended. Whoever has it is the next.
    last_for_visitor: Mutex<Option<Instant>>,
}

/// The imports that are under way.
#[derive(Default)]
struct Imports {
    /// The site that each is limited to, if it is, by a number of its own.
    under_way: StdMutex<BTreeMap<u64, Option<SiteId>>>,
    begun: AtomicU64,
}

impl Imports {
    fn under_way(&self) -> MutexGuard<'_, BTreeMap<u64, Option<SiteId>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many may be about the site.
    fn about(&self, site: SiteId) -> usize {
        self.under_way().values().filter(|only| only.is_none_or(|only| only == site)).count()
    }
}

/// An import that is under way for as long as this is there.
#[must_use]
pub struct Importing {
    imports: Arc<Imports>,
    number: u64,
}

impl Drop for Importing {
    fn drop(&mut self) {
        self.imports.under_way().remove(&self.number);
    }
}

/// What a running collector has besides.
struct Collecting {
    spool: Spool,
    visits: Arc<Visits>,
}

/// What an erasure did, and what it could not do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Events that are gone from the database.
    pub events: u64,
    /// Events that no longer tell that their visit began on an erased page.
    pub entry_pages: u64,
    /// Days that had such events.
    pub days: u64,
    /// Rows that are gone from quarantine.
    pub quarantined: u64,
    /// Whether everything was searched that a collector can search. If not, erasing again does what is left.
    pub complete: bool,
    /// What remains where, in sentences.
    pub remains: Vec<String>,
}

impl Outcome {
    /// Both, one after the other; what remains is what the later one says.
    pub fn and(self, later: Self) -> Self {
        Self {
            events: self.events + later.events,
            entry_pages: self.entry_pages + later.entry_pages,
            days: self.days + later.days,
            quarantined: self.quarantined + later.quarantined,
            complete: self.complete && later.complete,
            remains: later.remains,
        }
    }
}

impl Eraser {
    /// Erases in a database, and in the files of a data directory.
    pub fn new(store: Arc<Store>, quarantine: SharedQuarantine, data_dir: PathBuf) -> Self {
        Self {
            store,
            quarantine,
            data_dir,
            collecting: OnceLock::new(),
            one_at_a_time: Mutex::default(),
            imports: Arc::default(),
            visitors: Arc::new(Semaphore::new(VISITORS_MAX)),
            last_for_visitor: Mutex::default(),
        }
    }

    /// Erases in a running collector, too, from now on.
    pub fn watch(&self, spool: Spool, visits: Arc<Visits>) {
        let _ = self.collecting.set(Collecting { spool, visits });
    }

    /// Notes that an import begins, of this site alone or of any: until what is returned is dropped, an erasure there is not
    /// complete.
    pub fn importing(&self, only: Option<SiteId>) -> Importing {
        let number = self.imports.begun.fetch_add(1, Ordering::Relaxed);
        self.imports.under_way().insert(number, only);
        Importing { imports: Arc::clone(&self.imports), number }
    }

    /// Erases the events that are meant. When this returns nobody sees them any more.
    ///
    /// # Errors
    /// When ClickHouse does not answer; doing it again does what is left.
    pub async fn erase(self: &Arc<Self>, selection: &Selection) -> Result<Outcome, StoreError> {
        let (eraser, selection) = (Arc::clone(self), selection.clone());
        carried(async move { eraser.erase_in_turn(&selection).await }).await
    }

    async fn erase_in_turn(&self, selection: &Selection) -> Result<Outcome, StoreError> {
        let _turn = self.one_at_a_time.lock().await;
        let (mut remains, mut is_complete) = (Vec::new(), true);
        let importing_before = self.imports.about(selection.site);
        match self.collecting.get() {
            Some(Collecting { spool, visits }) => {
                visits.forget(|site, placed| is_meant(selection, site, placed));
                let left = spool.forget_committed(SPOOL_PATIENCE).await;
                if left > 0 {
                    is_complete = false;
                    remains.push(format!(
                        "{left} segments of the spool, which ClickHouse does not take: erase again when it does."
                    ));
                }
            }
            None => {
                let data_dir = self.data_dir.clone();
                let unread = apart(move || unread_segments(&data_dir)).await;
                is_complete &= unread.is_none();
                remains.extend(unread);
            }
        }
        let (meant, entry) = (selection.clone(), selection.clone());
        let is_meant = move |event: &Event| meant.means(event);
        let tells_of_entry = move |event: &Event| entry.means_entry_of(event);
        let sifted = match self.quarantine.sift(is_meant, tells_of_entry).await {
            Ok(sifted) => {
                if sifted.unreadable > 0 {
                    remains.push(format!(
                        "{} rows in quarantine, which this version can not read: they are removed 30 days after they were put \
                         aside, or look at {} yourself.",
                        sifted.unreadable,
                        self.quarantine.path().display()
                    ));
                }
                sifted
            }
            Err(error) => {
                tracing::error!(%error, "the quarantine could not be searched");
                is_complete = false;
                remains.push(
                    "The quarantine, which could not be searched: the log says why.".to_owned(),
                );
                Sifted::default()
            }
        };
        let erased = self.store.erase(selection).await?;
        // Of one that has ended meanwhile it is not known whether its last rows were there in time.
        let importing = importing_before.max(self.imports.about(selection.site));
        if importing > 0 && selection.may_be_imported() {
            is_complete = false;
            remains.push(format!(
                "What imports may bring back that are under way ({importing}) and may be of this site: erase again when they have ended."
            ));
        }
        let data_dir = self.data_dir.clone();
        remains.extend(apart(move || damaged_segments(&data_dir)).await);
        remains.extend(self.leftovers().await?);
        remains.push(BEYOND.to_owned());
        Ok(Outcome {
            events: erased.events,
            entry_pages: erased.entry_pages + sifted.entry_pages,
            days: erased.days,
            quarantined: sifted.erased,
            complete: is_complete,
            remains,
        })
    }

    /// Erases for a visitor, one after the other and with pauses, in which others may. `None` means that too many wait.
    ///
    /// # Errors
    /// As [`Self::erase`].
    pub async fn erase_for_visitor(
        self: &Arc<Self>,
        selection: &Selection,
    ) -> Result<Option<Outcome>, StoreError> {
        let Ok(place) = Arc::clone(&self.visitors).try_acquire_owned() else { return Ok(None) };
        let (eraser, selection) = (Arc::clone(self), selection.clone());
        carried(async move {
            let _place = place;
            let mut last = eraser.last_for_visitor.lock().await;
            if let Some(last) = *last {
                tokio::time::sleep_until(last + VISITORS_PAUSE).await;
            }
            let outcome = eraser.erase_in_turn(&selection).await;
            *last = Some(Instant::now());
            outcome.map(Some)
        })
        .await
    }

    /// Whether events that are meant may be on their way to ClickHouse, which does not know of them yet.
    pub fn may_know_more(&self, selection: &Selection) -> bool {
        self.collecting.get().is_some_and(|Collecting { spool, visits }| {
            spool.figures().rows_waiting.load(Ordering::Relaxed) > 0
                || visits.any(|site, placed| is_meant(selection, site, placed))
        })
    }

    async fn leftovers(&self) -> Result<Vec<String>, StoreError> {
        let left = self.store.leftovers().await?;
        let mut sentences = Vec::new();
        if left.old_parts > 0 {
            sentences.push(format!(
                "{} parts of the database that are in use no more: it removes them by itself, within two minutes with \
                 the embedded engine and within ten with a server's defaults.",
                left.old_parts
            ));
        }
        if left.detached_parts > 0 {
            sentences.push(format!(
                "{} detached parts of the database (system.detached_parts): those that it could not read are removed 30 days after, \
                 those that somebody detached are not.",
                left.detached_parts
            ));
        }
        Ok(sentences)
    }
}

fn unread_segments(data_dir: &Path) -> Option<String> {
    let entries = std::fs::read_dir(spool::directory(data_dir)).into_iter().flatten();
    let is_segment = |name: OsString| name.to_string_lossy().ends_with(".spool");
    let count = entries.flatten().filter(|entry| is_segment(entry.file_name())).count();
    (count > 0).then(|| {
        format!(
            "{count} segments of the spool, because no collector runs: start it, and erase again."
        )
    })
}

fn damaged_segments(data_dir: &Path) -> Option<String> {
    match damaged::count(&spool::directory(data_dir)) {
        Ok(0) => None,
        Ok(count) => Some(format!(
            "{count} damaged segments of the spool (*.damaged), which can not be searched: they are removed 30 days after \
             they were found, or remove them now."
        )),
        Err(error) => Some(format!("The spool's directory, which can not be read: {error}.")),
    }
}

/// What no program of ours can reach.
const BEYOND: &str = "Backups and exports that you made, the log of a proxy in front of the collector, and other collectors on the same \
    database, which keep their last three quarters of an hour in their own spools, and what they import meanwhile.";

/// Whether an open visit may give what is erased to its next events.
fn is_meant(selection: &Selection, site: SiteId, placed: &Placed) -> bool {
    let of_path =
        selection.path.as_ref().is_some_and(|path| path.means(placed.visit.entry_pathname()));
    let of_visitor = selection.visitors.contains(&placed.visitor);
    site == selection.site && (selection.is_plain() || of_path || of_visitor)
}
