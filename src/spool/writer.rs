//! The writer: a thread that owns the end of the log. It takes batch after batch off its queue, writes each with one
//! call, and syncs it once.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::time::Instant;

use super::disk::Appendable;
use super::queue::{Batch, Outcome, Queue};
use super::segment::Seed;
use super::{AppendError, Record, Segment, Shared, segment};

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
        let pushed = match self.shared.answers() {
            true => self.thread.queue.push(&records, &self.shared.limits),
            // Whoever waits for it has waited for longer than browsers do.
            false => Err(AppendError::Failed),
        };
        let batch = match pushed {
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
        self.queue.give_up();
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
            *self.shared.writing_since() = Some(Instant::now());
            // One without rows is there to end the segment.
            let outcome = if batch.rows == 0 { Ok(()) } else { self.take(&mut batch) };
            if batch.ends_segment {
                self.end_segment();
            }
            *self.shared.writing_since() = None;
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
