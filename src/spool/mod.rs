//! The spool: an append-only log of finished rows, on disk before anybody is told that they are accepted.
//!
//! # Design
//! - `append` returns when its rows are written *and synced*. One writer thread takes everything that
//!   waits, writes it with one call and syncs once: many appends share one sync, and a sync waits a moment for those
//!   whom the one before it answered.
//! - The rows are read back from the files, never from a queue: however long ClickHouse is away, the
//!   memory that the spool takes stays the same.
//! - A reader gets windows of rows in their order, and commits a window when ClickHouse has it. Until
//!   then the same rows are given again, also after a restart: at least once.
//! - Segments whose rows are all committed are kept for a while ([`Limits::keep`]): open visits are rebuilt from
//!   them after a restart, without ClickHouse.
//! - A write that fails is cut off again. A sync that fails is never tried again on that file, because
//!   the system may have dropped what it could not write: the segment ends at its last synced byte.
//!
//! # Format
//! Files `<16 digits>.spool`, numbered from 1, each a segment:
//!
//! ```text
//! segment  = header  zeros to a multiple of 4096 bytes  header  frame*
//! header   = magic[8] = "PSBYSPL1"  seed[4]  columns_bytes: u32  columns: text  crc: u32
//! frame    = marker[4] = "\xF5PSB"  row_bytes: u32  day: u32  crc: u32  row[row_bytes]
//! ```
//!
//! Numbers are little-endian. `columns` names the columns of the rows, separated by commas, so that rows
//! written by an older version still load. `day` is the row's day in UTC, in days since 1970. The `crc` of the
//! header is the CRC-32 (IEEE) of what stands between the magic and itself; that of a frame is of the
//! segment's random seed, the row's length, its day and the row. The header is there twice, in two
//! pages, because no row can be read without it.
//! A row is RowBinary, as `event::Event::encode` made it.
//!
//! A frame that is damaged is passed over: the next marker with a frame whose `crc` holds goes on. An event
//! can not contain a frame but by chance, because nobody outside knows the seed. What follows the last whole
//! frame of the last segment is a write that did not finish; it was never acknowledged, and is cut off. Zeros
//! there are nothing at all: they are laid down for what comes next, since it costs more to sync a file that grows.
//! A number is never used twice, not even when its segment is gone: the checkpoint names segments by it.
//!
//! `checkpoint` is a line of text, `<segment> <offset> <crc of both as hexadecimal>`: everything before it is in
//! ClickHouse. It is replaced by renaming. Without a valid one, everything is given again.

mod checkpoint;
pub mod damaged;
pub mod disk;
mod queue;
mod reader;
mod segment;
mod writer;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

pub use reader::{Batch, Reader, Window};

use crate::event::{Event, HappeningRef, OfVisit, Rows};
use disk::Disk;
use segment::{Recovered, Seed};
use writer::Writer;

/// How often it is looked whether a segment can be removed.
const FORGET_POLL: Duration = Duration::from_millis(50);
/// How long a spool that has refused rows counts as one that does not take any.
const TRY_AGAIN: Duration = Duration::from_secs(5);
/// As many bytes are read to find the oldest event that waits, where it is not a long one.
const OLDEST_BYTES: u64 = 64 << 10;
/// A write that is under way for as long is one that the disk does not answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Where the spool of a data directory has its files.
pub fn directory(data_dir: &Path) -> PathBuf {
    data_dir.join("spool")
}

/// The spool's bounds.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The most bytes on disk.
    pub bytes_max: u64,
    /// A segment that has as many bytes is followed by a new one.
    pub segment_bytes: u64,
    /// How long rows are kept after they were committed.
    pub keep: Duration,
    /// The most appends that wait for the disk at once.
    pub waiting_max: usize,
    /// The most bytes of theirs.
    pub waiting_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_max: 10 << 30,
            segment_bytes: 64 << 20,
            keep: Duration::from_secs(45 * 60),
            waiting_max: 4_096,
            waiting_bytes_max: 64 << 20,
        }
    }
}

/// A row to be appended.
pub struct Record {
    /// In days since 1970, UTC.
    day: u32,
    row: Vec<u8>,
}

impl Record {
    /// The row of an event.
    pub fn of(event: &Event) -> Self {
        let mut row = Vec::with_capacity(512);
        event.encode(&mut row);
        Self { day: event.happening.timestamp / 86_400, row }
    }

    /// The row of an event that is not put together first.
    pub(crate) fn of_parts(happening: &HappeningRef<'_>, visit: &OfVisit) -> Self {
        let mut row = Vec::with_capacity(512);
        Event::encode_parts(happening, visit, &mut row);
        Self { day: happening.timestamp / 86_400, row }
    }
}

/// Rows were not accepted: nothing of them counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// More appends wait than the disk keeps up with.
    #[error("the spool is busy")]
    Busy,
    /// The spool has used up its bytes, or the disk is full.
    #[error("the spool is full")]
    Full,
    /// The disk failed, or does not answer.
    #[error("the spool can not be written")]
    Failed,
    /// The spool has been closed.
    #[error("the spool is closed")]
    Closed,
}

impl AppendError {
    /// What the refused events are counted under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Busy => "spool_busy",
            Self::Full => "spool_full",
            Self::Failed | Self::Closed => "spool_failed",
        }
    }
}

/// The spool could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The disk failed.
    #[error("the spool can not be opened: {0}; check the data directory")]
    Disk(#[from] io::Error),
    /// A file is not of this version. It was not touched.
    #[error(
        "{0} in the spool was written by another version of Passerby; start that version to empty the spool first"
    )]
    Version(String),
}

/// What waits to be committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oldest {
    /// Nothing does.
    Nothing,
    /// The event that has waited longest happened in this second since 1970.
    Since(u32),
    /// Something does, and since when can not be told: the disk fails, the place is damaged, or a newer version wrote the row.
    Unknown,
}

/// A place in the log: everything before `offset` of `segment`, and all segments before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    segment: u64,
    offset: u64,
}

/// What is known of a segment.
#[derive(Clone, Debug)]
struct Segment {
    /// Synced bytes: nobody reads beyond.
    bytes: u64,
    columns: Arc<str>,
    seed: Seed,
    /// Where the first frame is.
    first_frame: u64,
    /// Whether nothing will be appended to it any more.
    is_ended: bool,
    /// When all of it had been committed.
    committed_at: Option<Instant>,
}

/// What the writer and the reader share.
struct Shared {
    disk: Arc<dyn Disk>,
    limits: Limits,
    segments: Mutex<BTreeMap<u64, Segment>>,
    /// Everything before it is in ClickHouse. The reader moves it.
    committed: Mutex<Position>,
    /// When the disk last had no room or failed, until it takes rows again.
    refused_at: Mutex<Option<Instant>>,
    /// When the write began that is under way.
    writing_since: Mutex<Option<Instant>>,
    /// Told when there is more to read.
    grown: Notify,
    figures: Figures,
}

/// What the spool counts since it was opened.
#[derive(Default)]
pub struct Figures {
    /// Rows that waited when it was opened.
    pub rows_recovered: AtomicU64,
    /// Rows that were accepted.
    pub rows_appended: AtomicU64,
    /// Rows that were refused because too much waited.
    pub rows_refused_busy: AtomicU64,
    /// Rows that were refused for want of room.
    pub rows_refused_full: AtomicU64,
    /// Rows that the disk did not take.
    pub rows_refused_failed: AtomicU64,
    /// Rows that were committed.
    pub rows_committed: AtomicU64,
    /// Rows that wait to be committed.
    pub rows_waiting: AtomicU64,
    /// Syncs of the disk.
    pub syncs: AtomicU64,
    /// Frames that were damaged, and unfinished writes that were cut off.
    pub damaged: AtomicU64,
}

impl Figures {
    fn refuse(&self, error: AppendError, rows: u64) {
        let figure = match error {
            AppendError::Busy => &self.rows_refused_busy,
            AppendError::Full => &self.rows_refused_full,
            AppendError::Failed | AppendError::Closed => &self.rows_refused_failed,
        };
        figure.fetch_add(rows, Ordering::Relaxed);
    }
}

/// The next row that waits lies there, or beyond it; `None` when there is none.
fn next_waiting(segments: &BTreeMap<u64, Segment>, committed: Position) -> Option<Position> {
    segments.range(committed.segment..).find_map(|(&number, segment)| {
        let from = if number == committed.segment { committed.offset } else { segment.first_frame };
        (from < segment.bytes).then_some(Position { segment: number, offset: from })
    })
}

impl Shared {
    fn committed(&self) -> MutexGuard<'_, Position> {
        self.committed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused_at(&self) -> MutexGuard<'_, Option<Instant>> {
        self.refused_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.writing_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For how long a write has been under way; 0 when none is.
    fn writing_for(&self) -> Duration {
        self.writing_since().map_or(Duration::ZERO, |begun| begun.elapsed())
    }

    /// Whether the disk answers, as far as is known.
    fn answers(&self) -> bool {
        self.writing_for() < ANSWER_MAX
    }

    fn segments(&self) -> MutexGuard<'_, BTreeMap<u64, Segment>> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bytes(&self) -> u64 {
        self.segments().values().map(|segment| segment.bytes).sum()
    }

    /// Segments that lie before the checkpoint may leave the disk in their time, and so may those behind it that have ended
    /// without a row, for no checkpoint will ever lie in them.
    fn mark_committed(&self) {
        let Position { segment: last, offset } = *self.committed();
        for (number, segment) in self.segments().iter_mut() {
            let from = if *number == last { offset } else { segment.first_frame };
            if *number >= last && !(segment.is_ended && from >= segment.bytes) {
                return;
            }
            segment.committed_at.get_or_insert_with(Instant::now);
        }
    }

    /// Removes segments that have been committed and kept for long enough; all committed ones when
    /// there is no room otherwise.
    fn remove_committed(&self, needed: u64, disk_is_full: bool) {
        loop {
            let is_short =
                disk_is_full || self.bytes().saturating_add(needed) > self.limits.bytes_max;
            let is_due = |segment: &Segment| {
                segment
                    .committed_at
                    .is_some_and(|then| is_short || then.elapsed() >= self.limits.keep)
            };
            let first = self
                .segments()
                .iter()
                .next()
                .filter(|(_, segment)| is_due(segment))
                .map(|(number, _)| *number);
            let Some(number) = first else { return };
            match self.disk.remove(&segment::file_name(number)) {
                // Another thread was here at the same moment.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::warn!(%error, "a segment of the spool could not be removed");
                    return;
                }
                Ok(()) => {}
            }
            self.segments().remove(&number);
        }
    }
}

/// The end of the spool where rows go in. Cloning it gives another such end.
#[derive(Clone)]
pub struct Spool {
    shared: Arc<Shared>,
    writer: Writer,
}

impl Spool {
    /// Opens the spool on a disk, and brings it into order after whatever happened to it.
    ///
    /// # Errors
    /// When the disk fails, or holds files of another version.
    pub fn open(disk: Arc<dyn Disk>, limits: Limits) -> Result<(Self, Reader), SpoolError> {
        let Recovered { segments, rows, damaged } = segment::recover(&*disk)?;
        let committed = checkpoint::read(&*disk, &segments);
        let figures = Figures::default();
        figures.damaged.store(damaged, Ordering::Relaxed);
        let shared = Arc::new(Shared {
            disk,
            limits,
            segments: Mutex::new(segments),
            committed: Mutex::new(committed),
            refused_at: Mutex::default(),
            writing_since: Mutex::default(),
            grown: Notify::new(),
            figures,
        });
        let reader = Reader::new(Arc::clone(&shared), committed, &rows)?;
        let writer = Writer::start(Arc::clone(&shared), committed.segment)?;
        Ok((Self { shared, writer }, reader))
    }

    /// Appends rows; `Ok` means that all of them are on disk, and stay there.
    ///
    /// # Errors
    /// [`AppendError`]; then none of them will be read, but for a failing disk that kept some after all.
    pub async fn append(&self, records: Vec<Record>) -> Result<(), AppendError> {
        self.writer.append(records).await
    }

    /// Begins a new segment, so that the rows of the last one can leave the disk in their time.
    pub fn rotate(&self) {
        self.writer.rotate();
    }

    /// Waits until everything that was appended by now is in ClickHouse, and removes it from the disk: what
    /// is erased may not stay in the log. Says how many of its segments are still there in the end: 0, but
    /// when ClickHouse does not take them within the patience.
    pub async fn forget_committed(&self, patience: Duration) -> usize {
        let last = self.shared.segments().keys().next_back().copied().unwrap_or(0);
        let left = || self.shared.segments().range(..=last).count();
        let begun = Instant::now();
        self.rotate();
        loop {
            self.shared.mark_committed();
            self.shared.remove_committed(0, true);
            if left() == 0 || begun.elapsed() >= patience {
                return left();
            }
            tokio::time::sleep(FORGET_POLL).await;
        }
    }

    /// Gives the events that are still on disk and happened in this second (since 1970) or later, in their order. A segment
    /// whose last event happened before it, and all before that, are not looked through: after hours without ClickHouse
    /// there are many.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn replay(&self, since: u32, mut take: impl FnMut(&Event)) -> io::Result<()> {
        let segments = self.shared.segments().clone();
        let mut late = Vec::new();
        for (number, segment) in segments.iter().rev() {
            let bytes = segment::read(&*self.shared.disk, *number, segment)?;
            let last = segment::frames(&bytes, segment.first_frame, segment.seed).last();
            let rows = Rows::of(&segment.columns);
            let last = last.and_then(|frame| rows.decode(frame.row).ok());
            if last.is_some_and(|event| event.happening.timestamp < since) {
                break;
            }
            late.push((*number, segment));
        }
        for (number, segment) in late.into_iter().rev() {
            let bytes = segment::read(&*self.shared.disk, number, segment)?;
            let rows = Rows::of(&segment.columns);
            for frame in segment::frames(&bytes, segment.first_frame, segment.seed) {
                if let Ok(event) = rows.decode(frame.row)
                    && event.happening.timestamp >= since
                {
                    take(&event);
                }
            }
        }
        Ok(())
    }

    /// What it counts.
    pub fn figures(&self) -> &Figures {
        &self.shared.figures
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        self.shared.bytes()
    }

    /// The most bytes on disk.
    pub fn bytes_max(&self) -> u64 {
        self.shared.limits.bytes_max
    }

    /// For how long the write that is under way has been; 0 when none is.
    pub fn writing_for(&self) -> Duration {
        self.shared.writing_for()
    }

    /// Whether the disk takes rows, as far as is known: after a refusal it is worth another try soon.
    pub fn accepts(&self) -> bool {
        self.shared.answers()
            && self.shared.refused_at().is_none_or(|then| then.elapsed() >= TRY_AGAIN)
    }

    /// Since when rows wait, if any do.
    pub fn oldest_waiting(&self) -> Oldest {
        let committed = *self.shared.committed();
        let next = {
            let segments = self.shared.segments();
            let next = next_waiting(&segments, committed);
            next.and_then(|at| Some((at, segments.get(&at.segment)?.clone())))
        };
        let Some((at, segment)) = next else { return Oldest::Nothing };
        let happened = match self.first_event(at, &segment, OLDEST_BYTES) {
            // It may be longer than others, or lie behind damage.
            Ok(None) => self.first_event(at, &segment, reader::FRAME_BYTES_MAX),
            happened => happened,
        };
        happened.ok().flatten().map_or(Oldest::Unknown, Oldest::Since)
    }

    /// When the first event happened that is whole in so many bytes of a segment, from a place on.
    fn first_event(
        &self,
        at: Position,
        segment: &Segment,
        bytes_max: u64,
    ) -> io::Result<Option<u32>> {
        let length = (segment.bytes - at.offset).min(bytes_max);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        let count =
            self.shared.disk.read(&segment::file_name(at.segment), at.offset, &mut bytes)?;
        let Some(frame) = segment::frames(&bytes[..count], 0, segment.seed).next() else {
            return Ok(None);
        };
        let event = Rows::of(&segment.columns).decode(frame.row).map_err(io::Error::other)?;
        Ok(Some(event.happening.timestamp))
    }

    /// Ends the writer: what waits is written, and nothing more is taken.
    pub async fn close(&self) {
        self.writer.close().await;
    }
}

#[cfg(test)]
mod tests;
