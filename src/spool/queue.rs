//! The queue of batches between those who append and the writer.
//!
//! Whoever appends puts rows into the last batch, and waits for the batch. The writer takes the first one; while it is
//! written, the next one gathers.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::SetOnce;

use super::{AppendError, Limits, Record, segment};

/// How long a write waits for those who were answered by the one before it.
const PATIENCE: Duration = Duration::from_millis(1);
/// A batch of as many bytes takes no more rows: the next ones begin another.
const BATCH_BYTES_MAX: usize = 4 << 20;
/// A buffer that has not grown beyond this is used again for another batch.
const BUFFER_BYTES_KEPT: usize = 256 << 10;

/// What became of an append.
pub(super) type Outcome = Result<(), AppendError>;

/// What waits for the thread.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    /// Told when there is something to do for a thread that sleeps.
    grown: Condvar,
}

#[derive(Default)]
struct Waiting {
    batches: VecDeque<Batch>,
    /// Appends that are not answered yet, and the bytes of their rows; the batch that is being written counts, too.
    appends: usize,
    bytes: usize,
    /// How many of the appends are being written.
    writing: usize,
    /// The thread sleeps until as many appends are there.
    wanted: usize,
    thread_sleeps: bool,
    is_closed: bool,
    /// The buffer of a batch that was written.
    spare: Vec<u8>,
}

/// What one write and one sync make durable.
pub(super) struct Batch {
    /// The rows as frames, not sealed yet: their checksums hang on the segment.
    pub(super) frames: Vec<u8>,
    pub(super) rows: u64,
    appends: usize,
    /// Of the rows alone.
    bytes: usize,
    /// Whether what comes after it goes into a new segment.
    pub(super) ends_segment: bool,
    bell: Bell,
}

/// Tells everybody who waits for a batch, when it is dropped, what became of it.
///
/// Many wait: so they are woken by a task of their own runtime, for which that is cheap, and not one by one from
/// outside.
struct Bell {
    outcome: Outcome,
    heard: Arc<SetOnce<Outcome>>,
    runtime: Option<Handle>,
}

impl Queue {
    /// Adds rows to the batch that gathers, and says where its outcome will be told.
    pub(super) fn push(
        &self,
        records: &[Record],
        limits: &Limits,
    ) -> Result<Arc<SetOnce<Outcome>>, AppendError> {
        if records.iter().any(|record| record.row.len() > segment::ROW_BYTES_MAX) {
            return Err(AppendError::Failed);
        }
        let bytes: usize = records.iter().map(|record| record.row.len()).sum();
        let mut waiting = self.waiting();
        if waiting.is_closed {
            return Err(AppendError::Closed);
        }
        if waiting.appends - waiting.writing >= limits.waiting_max
            || waiting.bytes + bytes > limits.waiting_bytes_max
        {
            return Err(AppendError::Busy);
        }
        waiting.appends += 1;
        waiting.bytes += bytes;
        let batch = waiting.gathering();
        batch.appends += 1;
        batch.bytes += bytes;
        batch.rows += records.len() as u64;
        for record in records {
            segment::put_frame(&mut batch.frames, record.day, &record.row);
        }
        let heard = Arc::clone(&batch.bell.heard);
        self.wake(waiting);
        Ok(heard)
    }

    pub(super) fn end_segment(&self) {
        let mut waiting = self.waiting();
        if !waiting.is_closed {
            waiting.gathering().ends_segment = true;
            self.wake(waiting);
        }
    }

    /// Nothing more is taken. What waits is written.
    pub(super) fn close(&self) {
        let mut waiting = self.waiting();
        waiting.is_closed = true;
        self.wake(waiting);
    }

    fn wake(&self, mut waiting: MutexGuard<'_, Waiting>) {
        let wakes = waiting.thread_sleeps && waiting.is_enough();
        waiting.thread_sleeps &= !wakes;
        drop(waiting);
        if wakes {
            self.grown.notify_one();
        }
    }

    /// The next batch, as soon as there is one; `None` when there will be none.
    ///
    /// A sync costs the same for one as for many. Those who were answered just now may come again at once, so it is
    /// waited for as many as waited then, though not for longer than [`PATIENCE`]. Who comes after a rest waits for
    /// nobody.
    pub(super) fn next(&self) -> Option<Batch> {
        let sleeps = |waiting: &mut Waiting| {
            waiting.thread_sleeps = !waiting.is_enough();
            waiting.thread_sleeps
        };
        let mut waiting = self.waiting();
        if waiting.wanted > 1 {
            let waited = self.grown.wait_timeout_while(waiting, PATIENCE, sleeps);
            (waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
            waiting.wanted = 1;
        }
        let waiting = self.grown.wait_while(waiting, sleeps);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        let batch = waiting.batches.pop_front()?;
        waiting.writing = batch.appends;
        Some(batch)
    }

    /// Answers a batch, and makes room for others.
    pub(super) fn answer(&self, batch: Batch, outcome: Outcome) {
        let Batch { mut frames, appends, bytes, bell, .. } = batch;
        {
            let mut waiting = self.waiting();
            waiting.wanted = waiting.appends;
            waiting.appends -= appends;
            waiting.writing = 0;
            waiting.bytes -= bytes;
            if frames.capacity() <= BUFFER_BYTES_KEPT {
                frames.clear();
                waiting.spare = frames;
            }
        }
        bell.ring(outcome, appends);
    }

    /// Nothing more is taken, and nobody is waited for: what waits is not written.
    pub(super) fn give_up(&self) {
        let mut waiting = self.waiting();
        waiting.is_closed = true;
        let unanswered = std::mem::take(&mut waiting.batches);
        drop(waiting);
        drop(unanswered);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Whether the thread has something to do.
    fn is_enough(&self) -> bool {
        let is_full = self.batches.front().is_some_and(Batch::is_full);
        is_full || self.is_closed || self.appends >= self.wanted.max(1)
    }

    /// The batch that takes more.
    fn gathering(&mut self) -> &mut Batch {
        if self.batches.back().is_none_or(Batch::is_full) {
            self.batches.push_back(Batch::begin(std::mem::take(&mut self.spare)));
        }
        let last = self.batches.len() - 1;
        &mut self.batches[last]
    }
}

impl Batch {
    fn begin(frames: Vec<u8>) -> Self {
        let runtime = Handle::try_current().ok();
        // What nobody answers was not written: the thread has gone.
        let bell = Bell { outcome: Err(AppendError::Closed), heard: Arc::default(), runtime };
        Self { frames, rows: 0, appends: 0, bytes: 0, ends_segment: false, bell }
    }

    fn is_full(&self) -> bool {
        self.ends_segment || self.frames.len() >= BATCH_BYTES_MAX
    }
}

impl Bell {
    fn ring(mut self, outcome: Outcome, waiting: usize) {
        self.outcome = outcome;
        match self.runtime.take() {
            Some(runtime) if waiting > 1 => drop(runtime.spawn(async { drop(self) })),
            Some(_) | None => drop(self),
        }
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        let _ = self.heard.set(self.outcome);
    }
}
