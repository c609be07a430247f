//! The writer: a thread that owns the end of the log.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::disk::Appendable;
use super::segment::Seed;
use super::{AppendError, Record, Segment, Shared, segment};

/// One write takes at most as many bytes of what waits.
const WRITE_BYTES_MAX: usize = 4 << 20;

type Answer = oneshot::Sender<Result<(), AppendError>>;

enum Command {
    Append { records: Vec<Record>, answer: Answer },
    Rotate,
    Close,
}

/// The other end of the thread.
#[derive(Clone)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
    waiting_bytes: Arc<AtomicUsize>,
    waiting_bytes_max: usize,
    thread: Arc<Mutex<Option<std::thread::JoinHandle<()>>>>,
}

impl Writer {
    /// `used` is a segment's number that may not be used again, nor any before it.
    pub(super) fn start(shared: Arc<Shared>, used: u64) -> io::Result<Self> {
        let (commands, received) = mpsc::channel(shared.limits.waiting_max);
        let waiting_bytes_max = shared.limits.waiting_bytes_max;
        let last = shared.segments().keys().next_back().copied().unwrap_or(0);
        let of_thread = Arc::clone(&shared);
        let mut log = Log { shared: of_thread, current: None, last_number: last.max(used) };
        let thread = std::thread::Builder::new()
            .name("spool".to_owned())
            .spawn(move || log.run(received))?;
        let thread = Arc::new(Mutex::new(Some(thread)));
        Ok(Self { shared, commands, waiting_bytes: Arc::default(), waiting_bytes_max, thread })
    }

    /// Rows that do not come as far as the thread are counted here, the others there.
    pub(super) async fn append(&self, records: Vec<Record>) -> Result<(), AppendError> {
        let rows = records.len() as u64;
        let (answer, answered) = oneshot::channel();
        let waiting = self.hand_over(records, answer);
        let waiting = waiting.inspect_err(|error| self.shared.figures.refuse(*error, rows))?;
        let outcome = answered.await.unwrap_or(Err(AppendError::Closed));
        drop(waiting);
        outcome
    }

    fn hand_over(&self, records: Vec<Record>, answer: Answer) -> Result<Waiting<'_>, AppendError> {
        if records.iter().any(|record| record.row.len() > segment::ROW_BYTES_MAX) {
            return Err(AppendError::Failed);
        }
        let bytes: usize = records.iter().map(|record| record.row.len()).sum();
        let waiting = Waiting::of(&self.waiting_bytes, bytes);
        if waiting.before + bytes > self.waiting_bytes_max {
            return Err(AppendError::Busy);
        }
        self.commands.try_send(Command::Append { records, answer }).map_err(
            |error| match error {
                mpsc::error::TrySendError::Full(_) => AppendError::Busy,
                mpsc::error::TrySendError::Closed(_) => AppendError::Closed,
            },
        )?;
        Ok(waiting)
    }

    pub(super) fn rotate(&self) {
        // When it is too busy to be told, it grows, and rotates by itself.
        let _ = self.commands.try_send(Command::Rotate);
    }

    pub(super) async fn close(&self) {
        if self.commands.send(Command::Close).await.is_err() {
            return;
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(|| thread.join()).await;
        }
    }
}

/// Bytes that wait for the disk, for as long as somebody waits for the answer.
struct Waiting<'a> {
    all: &'a AtomicUsize,
    before: usize,
    bytes: usize,
}

impl<'a> Waiting<'a> {
    fn of(all: &'a AtomicUsize, bytes: usize) -> Self {
        Self { before: all.fetch_add(bytes, Ordering::Relaxed), all, bytes }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// What the thread has: the shared state, and the segment that grows.
struct Log {
    shared: Arc<Shared>,
    current: Option<Current>,
    last_number: u64,
}

struct Current {
    number: u64,
    seed: Seed,
    file: Box<dyn Appendable>,
    /// Synced bytes.
    bytes: u64,
}

impl Log {
    fn run(&mut self, mut commands: mpsc::Receiver<Command>) {
        let waiting_max = self.shared.limits.waiting_max;
        while let Some(first) = commands.blocking_recv() {
            let (mut records, mut bytes, mut answers) = (Vec::new(), 0, Vec::new());
            let mut next = Some(first);
            let mut after = None;
            while let Some(command) = next {
                match command {
                    Command::Append { records: more, answer } => {
                        bytes += more.iter().map(|record| record.row.len()).sum::<usize>();
                        records.extend(more);
                        answers.push(answer);
                    }
                    other => {
                        after = Some(other);
                        break;
                    }
                }
                // What comes while it is being gathered would otherwise be gathered, too, without an end.
                let has_room = bytes < WRITE_BYTES_MAX && answers.len() < waiting_max;
                next = if has_room { commands.try_recv().ok() } else { None };
            }
            if !answers.is_empty() {
                let outcome = self.take(&records);
                for answer in answers {
                    // Whoever asked may have gone away; the rows count all the same.
                    let _ = answer.send(outcome);
                }
            }
            match after {
                Some(Command::Rotate) => self.end_segment(),
                Some(Command::Close) => return,
                Some(Command::Append { .. }) | None => {}
            }
        }
    }

    /// Appends, and notes what came of it.
    fn take(&mut self, records: &[Record]) -> Result<(), AppendError> {
        let outcome = self.append_or_make_room(records);
        if let Err(error) = outcome {
            self.shared.figures.refuse(error, records.len() as u64);
        }
        *self.shared.refused_at() = outcome.is_err().then(Instant::now);
        outcome
    }

    /// A disk that is full may have room when what is kept beyond its need is given up.
    fn append_or_make_room(&mut self, records: &[Record]) -> Result<(), AppendError> {
        let outcome = self.append(records);
        if outcome != Err(AppendError::Full) {
            return outcome;
        }
        self.shared.remove_committed(0, true);
        self.append(records)
    }

    fn append(&mut self, records: &[Record]) -> Result<(), AppendError> {
        let shared = Arc::clone(&self.shared);
        let current = match self.current() {
            Ok(current) => current,
            Err(error) => return Err(refusal(&error)),
        };
        let mut frames = Vec::new();
        for record in records {
            segment::put_frame(&mut frames, current.seed, record.day, &record.row);
        }
        let needed = frames.len() as u64;
        shared.remove_committed(needed, false);
        if shared.bytes().saturating_add(needed) > shared.limits.bytes_max {
            return Err(AppendError::Full);
        }
        if let Err(error) = current.file.append(&frames) {
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
        let rows = records.len() as u64;
        shared.figures.syncs.fetch_add(1, Ordering::Relaxed);
        shared.figures.rows_appended.fetch_add(rows, Ordering::Relaxed);
        shared.figures.rows_waiting.fetch_add(rows, Ordering::Relaxed);
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
