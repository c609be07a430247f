//! The end of the spool where rows come out.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep};

use super::{Position, Shared, checkpoint, next_waiting, segment};
use crate::apart::apart;

/// The most rows of a window.
const WINDOW_ROWS_MAX: usize = 50_000;
/// The most bytes that are read for a window: what it takes in memory.
pub(super) const WINDOW_BYTES_MAX: u64 = 16 << 20;
/// The longest frame.
pub(super) const FRAME_BYTES_MAX: u64 = (segment::ROW_BYTES_MAX + segment::FRAME_HEAD_BYTES) as u64;
/// How long the first row of a window waits for others.
const GATHER: Duration = Duration::from_secs(1);
/// How often it is looked meanwhile whether there are enough.
const LOOK: Duration = Duration::from_millis(100);

/// Rows of one day, as one insert takes them.
pub struct Batch {
    /// In days since 1970, UTC.
    pub day: u32,
    /// The columns of the rows, separated by commas.
    pub columns: Arc<str>,
    /// The rows in RowBinary, one after the other.
    pub bytes: Bytes,
    /// Where each row ends in `bytes`.
    pub row_ends: Vec<usize>,
}

impl Batch {
    /// The batch of a part of the rows.
    pub fn slice(&self, rows: std::ops::Range<usize>) -> Self {
        let start = rows.start.checked_sub(1).map_or(0, |before| self.row_ends[before]);
        let ends = &self.row_ends[rows];
        let end = ends.last().copied().unwrap_or(start);
        Self {
            day: self.day,
            columns: Arc::clone(&self.columns),
            bytes: self.bytes.slice(start..end),
            row_ends: ends.iter().map(|end| end - start).collect(),
        }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.row_ends.len()
    }
}

/// The next rows of the log, by their day.
pub struct Window {
    /// A batch for each day.
    pub batches: Vec<Batch>,
    end: Position,
    rows: u64,
}

/// Reads the log. There is one.
pub struct Reader {
    shared: Arc<Shared>,
    committed: Position,
}

impl Reader {
    /// `rows` is how many each segment has.
    pub(super) fn new(
        shared: Arc<Shared>,
        committed: Position,
        rows: &BTreeMap<u64, u64>,
    ) -> io::Result<Self> {
        let mut waiting: u64 = rows.range(committed.segment + 1..).map(|(_, rows)| rows).sum();
        let begun = shared.segments().get(&committed.segment).cloned();
        if let Some(segment) = begun {
            let bytes = segment::read(&*shared.disk, committed.segment, &segment)?;
            waiting += segment::frames(&bytes, committed.offset, segment.seed).count() as u64;
        }
        shared.figures.rows_recovered.store(waiting, Ordering::Relaxed);
        shared.figures.rows_waiting.store(waiting, Ordering::Relaxed);
        let reader = Self { shared, committed };
        reader.mark_committed();
        Ok(reader)
    }

    /// Waits for rows, and a little longer for more of them, and returns them in their order. They are
    /// returned again until they are committed.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn next(&mut self) -> io::Result<Window> {
        let shared = Arc::clone(&self.shared);
        while self.waiting_bytes() == 0 {
            shared.grown.notified().await;
        }
        // Not each sync is listened to: there are a thousand a second.
        let gathered = Instant::now() + GATHER;
        while self.can_grow() && Instant::now() < gathered {
            sleep(LOOK).await;
        }
        self.apart(Self::window).await
    }

    /// Does something that may wait for the disk, on a thread of its own: nobody else waits with it. Dropped meanwhile, the reader is
    /// where it was.
    pub(crate) async fn apart<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Self) -> T + Send + 'static,
    ) -> T {
        let mut reader = Self { shared: Arc::clone(&self.shared), committed: self.committed };
        let done;
        (done, self.committed) = apart(move || {
            let done = work(&mut reader);
            (done, reader.committed)
        })
        .await;
        done
    }

    /// The rows that wait, without waiting for any; `None` when there are none.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn next_now(&mut self) -> io::Result<Option<Window>> {
        if self.waiting_bytes() == 0 { Ok(None) } else { self.window().map(Some) }
    }

    /// Notes that ClickHouse has the rows of a window.
    ///
    /// # Errors
    /// When the disk fails; the rows will be given again after a restart, which does no harm.
    pub fn commit(&mut self, window: &Window) -> io::Result<()> {
        self.move_to(window.end);
        self.mark_committed();
        self.shared.figures.rows_committed.fetch_add(window.rows, Ordering::Relaxed);
        self.shared.figures.rows_waiting.fetch_sub(window.rows, Ordering::Relaxed);
        self.shared.remove_committed(0, false);
        checkpoint::write(&*self.shared.disk, self.committed)
    }

    /// Lets go of rows that were committed long enough ago, also when nothing new arrives.
    pub fn forget_old(&mut self) {
        self.pass_finished_segments();
        self.mark_committed();
        self.shared.remove_committed(0, false);
    }

    /// Whether the next window may still get more rows: it ends with its segment, so that a backlog of
    /// small segments is not waited for.
    fn can_grow(&self) -> bool {
        let segments = self.shared.segments();
        let next = next_waiting(&segments, self.committed);
        next.and_then(|at| Some((at, segments.get(&at.segment)?))).is_some_and(|(at, segment)| {
            !segment.is_ended && segment.bytes - at.offset < WINDOW_BYTES_MAX / 2
        })
    }

    fn waiting_bytes(&self) -> u64 {
        let segments = self.shared.segments();
        let waiting = segments.range(self.committed.segment..).map(|(number, segment)| {
            let from = if *number == self.committed.segment {
                self.committed.offset
            } else {
                segment.first_frame
            };
            segment.bytes.saturating_sub(from)
        });
        waiting.sum()
    }

    fn mark_committed(&self) {
        *self.shared.committed() = self.committed;
        self.shared.mark_committed();
    }

    fn window(&mut self) -> io::Result<Window> {
        self.pass_finished_segments();
        let segment = self.shared.segments().get(&self.committed.segment).cloned();
        let segment = segment.ok_or_else(|| io::Error::other("the spool has lost its segment"))?;
        let length = (segment.bytes - self.committed.offset).min(WINDOW_BYTES_MAX);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        let count = self.shared.disk.read(
            &segment::file_name(self.committed.segment),
            self.committed.offset,
            &mut bytes,
        )?;
        bytes.truncate(count);
        let is_whole = self.committed.offset + length == segment.bytes;
        let mut days: BTreeMap<u32, (Vec<u8>, Vec<usize>)> = BTreeMap::new();
        let (mut end, mut rows) = (0, 0);
        for frame in segment::frames(&bytes, 0, segment.seed).take(WINDOW_ROWS_MAX) {
            let (of_day, row_ends) = days.entry(frame.day).or_default();
            of_day.extend_from_slice(frame.row);
            row_ends.push(of_day.len());
            (end, rows) = (frame.end, rows + 1);
        }
        // What is damaged up to the end of a segment is passed over with it.
        if is_whole && rows < WINDOW_ROWS_MAX as u64 {
            end = length;
        } else if rows == 0 {
            // A damaged stretch as long as a window: look on beyond it. A row may begin before its end.
            end = length.saturating_sub(FRAME_BYTES_MAX).max(1);
        }
        let end = Position { segment: self.committed.segment, offset: self.committed.offset + end };
        let batch = |(day, (bytes, row_ends)): (u32, (Vec<u8>, _))| Batch {
            day,
            columns: Arc::clone(&segment.columns),
            bytes: bytes.into(),
            row_ends,
        };
        Ok(Window { batches: days.into_iter().map(batch).collect(), end, rows })
    }

    /// Moves on to the segment that has the next row.
    fn pass_finished_segments(&mut self) {
        let next = next_waiting(&self.shared.segments(), self.committed);
        if let Some(next) = next {
            self.move_to(next);
        }
    }

    fn move_to(&mut self, position: Position) {
        self.committed = position;
        *self.shared.committed() = position;
    }
}
