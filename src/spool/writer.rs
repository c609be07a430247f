//! The writer: a queue of batches, and the thread that owns the end of the log.
//!
//! Whoever appends puts rows into the last batch of the queue, and waits for the batch. The thread takes batch after
//! batch, writes each with one call and syncs it once; while it does, the next one gathers.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::SetOnce;
use tokio::time::Instant;

use super::disk::Appendable;
use super::segment::Seed;
use super::{AppendError, Limits, Record, Segment, Shared, segment};

/// How long a write waits for those who were answered by the one before it.
const PATIENCE: Duration = Duration::from_millis(1);
/// A batch of as many bytes takes no more rows: the next ones begin another.
const BATCH_BYTES_MAX: usize = 4 << 20;
/// A buffer that has not grown beyond this is used again for another batch.
const BUFFER_BYTES_KEPT: usize = 256 << 10;

type Outcome = Result<(), AppendError>;

/// The other end of the thread. The last of its clones ends it.
#[derive(Clone)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Arc<Thread>,
}

struct Thread {
    queue: Arc<Queue>,
    handle: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Writer {
    /// `used` is a segment's number that may not be used again, nor any before it.
    pub(super) fn start(shared: Arc<Shared>, used: u64) -> io::Result<Self> {
        let queue = Arc::<Queue>::default();
        let last = shared.segments().keys().next_back().copied().unwrap_or(0);
        let log = Log {
            shared: Arc::clone(&shared),
            queue: Arc::clone(&queue),
            current: None,
            last_number: last.max(used),
        };
        let thread = std::thread::Builder::new().name("spool".to_owned()).spawn(|| log.run())?;
        let handle = Mutex::new(Some(thread));
        Ok(Self { shared, thread: Arc::new(Thread { queue, handle }) })
    }

    /// Rows that do not come as far as the thread are counted here, the others there.
    pub(super) async fn append(&self, records: Vec<Record>) -> Outcome {
        let batch = match self.thread.queue.push(&records, &self.shared.limits) {
            Ok(batch) => batch,
            Err(error) => {
                self.shared.figures.refuse(error, records.len() as u64);
                return Err(error);
            }
        };
        drop(records);
        *batch.wait().await
    }

    pub(super) fn rotate(&self) {
        self.thread.queue.end_segment();
    }

    pub(super) async fn close(&self) {
        self.thread.queue.close();
        let thread = self.thread.handle.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(|| thread.join()).await;
        }
    }
}

/// What waits for the thread.
#[derive(Default)]
struct Queue {
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
struct Batch {
    /// The rows as frames, not sealed yet: their checksums hang on the segment.
    frames: Vec<u8>,
    rows: u64,
    appends: usize,
    /// Of the rows alone.
    bytes: usize,
    /// Whether what comes after it goes into a new segment.
    ends_segment: bool,
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
    fn push(
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

    fn end_segment(&self) {
        let mut waiting = self.waiting();
        if !waiting.is_closed {
            waiting.gathering().ends_segment = true;
            self.wake(waiting);
        }
    }

    /// Nothing more is taken. What waits is written.
    fn close(&self) {
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
    fn next(&self) -> Option<Batch> {
        let sleeps = |waiting: &mut Waiting| {
            waiting.thread_sleeps = !waiting.is_enough();
            waiting.thread_sleeps
        };
        let (mut waiting, _) = self
            .grown
            .wait_timeout_while(self.waiting(), PATIENCE, sleeps)
            .unwrap_or_else(PoisonError::into_inner);
        waiting.wanted = 1;
        let waiting = self.grown.wait_while(waiting, sleeps);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        let batch = waiting.batches.pop_front()?;
        waiting.writing = batch.appends;
        Some(batch)
    }

    /// Answers a batch, and makes room for others.
    fn answer(&self, batch: Batch, outcome: Outcome) {
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
        bell.ring(outcome);
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
    fn ring(mut self, outcome: Outcome) {
        self.outcome = outcome;
        match self.runtime.take() {
            Some(runtime) => drop(runtime.spawn(async { drop(self) })),
            None => drop(self),
        }
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        let _ = self.heard.set(self.outcome);
    }
}

/// What the thread has: the shared state, and the segment that grows.
struct Log {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    current: Option<Current>,
    last_number: u64,
}

impl Drop for Log {
    /// However the thread ends: nobody waits for it any more.
    fn drop(&mut self) {
        let mut waiting = self.queue.waiting();
        waiting.is_closed = true;
        let unanswered = std::mem::take(&mut waiting.batches);
        drop(waiting);
        drop(unanswered);
    }
}

struct Current {
    number: u64,
    seed: Seed,
    file: Box<dyn Appendable>,
    /// Synced bytes.
    bytes: u64,
}

impl Log {
    fn run(mut self) {
        while let Some(mut batch) = self.queue.next() {
            // One without rows is there to end the segment.
            let outcome = if batch.rows == 0 { Ok(()) } else { self.take(&mut batch) };
            if batch.ends_segment {
                self.end_segment();
            }
            self.queue.answer(batch, outcome);
        }
    }

    /// Appends, and notes what came of it.
    fn take(&mut self, batch: &mut Batch) -> Outcome {
        let outcome = self.append_or_make_room(batch);
        if let Err(error) = outcome {
            self.shared.figures.refuse(error, batch.rows);
        }
        *self.shared.refused_at() = outcome.is_err().then(Instant::now);
        outcome
    }

    /// A disk that is full may have room when what is kept beyond its need is given up.
    fn append_or_make_room(&mut self, batch: &mut Batch) -> Outcome {
        let outcome = self.append(batch);
        if outcome != Err(AppendError::Full) {
            return outcome;
        }
        self.shared.remove_committed(0, true);
        self.append(batch)
    }

    fn append(&mut self, batch: &mut Batch) -> Outcome {
        let shared = Arc::clone(&self.shared);
        let current = match self.current() {
            Ok(current) => current,
            Err(error) => return Err(refusal(&error)),
        };
        segment::seal(&mut batch.frames, current.seed);
        let needed = batch.frames.len() as u64;
        shared.remove_committed(needed, false);
        if shared.bytes().saturating_add(needed) > shared.limits.bytes_max {
            return Err(AppendError::Full);
        }
        if let Err(error) = current.file.append(&batch.frames) {
            // What was written of it must not be read.
            if current.file.truncate(current.bytes).is_err() {
                self.end_segment();
            }
            return Err(refusal(&error));
        }
        if let Err(error) = current.file.sync() {
            let _ = current.file.truncate(current.bytes);
            self.end_segment();
            tracing::error!(%error, "the disk did not keep what was written to the spool; a new segment is begun");
            return Err(AppendError::Failed);
        }
        current.bytes += needed;
        let (number, bytes) = (current.number, current.bytes);
        let is_ended = bytes >= shared.limits.segment_bytes;
        if is_ended {
            self.current = None;
        }
        shared.figures.syncs.fetch_add(1, Ordering::Relaxed);
        shared.figures.rows_appended.fetch_add(batch.rows, Ordering::Relaxed);
        shared.figures.rows_waiting.fetch_add(batch.rows, Ordering::Relaxed);
        if let Some(segment) = shared.segments().get_mut(&number) {
            segment.bytes = bytes;
            segment.is_ended = is_ended;
        }
        shared.grown.notify_one();
        Ok(())
    }

    /// What comes next goes into a new segment.
    fn end_segment(&mut self) {
        let Some(current) = self.current.take() else { return };
        if let Some(segment) = self.shared.segments().get_mut(&current.number) {
            segment.is_ended = true;
        }
    }

    /// The segment that grows; a new one when there is none.
    fn current(&mut self) -> io::Result<&mut Current> {
        if self.current.is_none() {
            self.current = Some(self.begin()?);
        }
        self.current.as_mut().ok_or_else(|| io::Error::other("no segment"))
    }

    fn begin(&mut self) -> io::Result<Current> {
        // Counted before anything can fail: a number that was tried is not tried again.
        self.last_number += 1;
        let number = self.last_number;
        let name = segment::file_name(number);
        let (seed, columns) = (Seed::random()?, segment::columns());
        let header = segment::beginning(seed, &columns);
        let mut file = self.shared.disk.create(&name)?;
        if let Err(error) = file.append(&header).and_then(|()| file.sync()) {
            let _ = self.shared.disk.remove(&name);
            return Err(error);
        }
        let bytes = header.len() as u64;
        let segment = Segment {
            bytes,
            columns: columns.into(),
            seed,
            first_frame: bytes,
            is_ended: false,
            committed_at: None,
        };
        self.shared.segments().insert(number, segment);
        Ok(Current { number, seed, file, bytes })
    }
}

fn refusal(error: &io::Error) -> AppendError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => AppendError::Full,
        _ => {
            tracing::error!(%error, "the spool can not be written");
            AppendError::Failed
        }
    }
}
