//! The writer: a thread that owns the end of the log.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};

use super::disk::Appendable;
use super::{AppendError, Record, Segment, Shared, segment};

/// One write takes at most as many bytes of what waits.
const WRITE_BYTES_MAX: usize = 4 << 20;

type Answer = oneshot::Sender<Result<(), AppendError>>;

enum Command {
    Append { frames: Vec<u8>, rows: u64, answer: Answer },
    Rotate,
    Close,
}

/// The other end of the thread.
#[derive(Clone)]
pub(super) struct Writer {
    commands: mpsc::Sender<Command>,
    thread: Arc<Mutex<Option<std::thread::JoinHandle<()>>>>,
}

impl Writer {
    pub(super) fn start(shared: Arc<Shared>) -> io::Result<Self> {
        let (commands, received) = mpsc::channel(shared.limits.waiting_max);
        let mut log = Log { shared, current: None };
        let thread = std::thread::Builder::new()
            .name("spool".to_owned())
            .spawn(move || log.run(received))?;
        Ok(Self { commands, thread: Arc::new(Mutex::new(Some(thread))) })
    }

    pub(super) async fn append(&self, records: Vec<Record>) -> Result<(), AppendError> {
        let rows = records.len() as u64;
        let frames = records.into_iter().map(|record| record.0).reduce(|mut all, frame| {
            all.extend_from_slice(&frame);
            all
        });
        let Some(frames) = frames else { return Ok(()) };
        let (answer, answered) = oneshot::channel();
        self.commands.try_send(Command::Append { frames, rows, answer }).map_err(|error| {
            match error {
                mpsc::error::TrySendError::Full(_) => AppendError::Busy,
                mpsc::error::TrySendError::Closed(_) => AppendError::Closed,
            }
        })?;
        answered.await.unwrap_or(Err(AppendError::Closed))
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

/// What the thread has: the shared state, and the segment that grows.
struct Log {
    shared: Arc<Shared>,
    current: Option<Current>,
}

struct Current {
    number: u64,
    file: Box<dyn Appendable>,
    /// Synced bytes.
    bytes: u64,
}

impl Log {
    fn run(&mut self, mut commands: mpsc::Receiver<Command>) {
        while let Some(first) = commands.blocking_recv() {
            let (mut frames, mut rows, mut answers) = (Vec::new(), 0, Vec::new());
            let mut next = Some(first);
            let mut after = None;
            while let Some(command) = next {
                match command {
                    Command::Append { frames: more, rows: more_rows, answer } => {
                        frames.extend_from_slice(&more);
                        rows += more_rows;
                        answers.push(answer);
                    }
                    other => {
                        after = Some(other);
                        break;
                    }
                }
                next = if frames.len() < WRITE_BYTES_MAX { commands.try_recv().ok() } else { None };
            }
            if !answers.is_empty() {
                let outcome = self.append(&frames, rows);
                for answer in answers {
                    // Whoever asked may have gone away; the rows count all the same.
                    let _ = answer.send(outcome);
                }
            }
            match after {
                Some(Command::Rotate) => self.current = None,
                Some(Command::Close) => return,
                Some(Command::Append { .. }) | None => {}
            }
        }
    }

    fn append(&mut self, frames: &[u8], rows: u64) -> Result<(), AppendError> {
        let needed = frames.len() as u64;
        self.shared.remove_committed(needed);
        if self.shared.bytes().saturating_add(needed) > self.shared.limits.bytes_max {
            return Err(AppendError::Full);
        }
        let shared = Arc::clone(&self.shared);
        let current = match self.current() {
            Ok(current) => current,
            Err(error) => return Err(refusal(&error)),
        };
        if let Err(error) = current.file.append(frames) {
            // What was written of it must not be read.
            if current.file.truncate(current.bytes).is_err() {
                self.current = None;
            }
            return Err(refusal(&error));
        }
        if let Err(error) = current.file.sync() {
            let _ = current.file.truncate(current.bytes);
            self.current = None;
            tracing::error!(%error, "the disk did not keep what was written to the spool; a new segment is begun");
            return Err(AppendError::Failed);
        }
        current.bytes += needed;
        let (number, bytes) = (current.number, current.bytes);
        if bytes >= shared.limits.segment_bytes {
            self.current = None;
        }
        shared.figures.syncs.fetch_add(1, Ordering::Relaxed);
        shared.figures.rows_appended.fetch_add(rows, Ordering::Relaxed);
        shared.figures.rows_waiting.fetch_add(rows, Ordering::Relaxed);
        if let Some(segment) = shared.segments().get_mut(&number) {
            segment.bytes = bytes;
        }
        shared.grown.notify_one();
        Ok(())
    }

    /// The segment that grows; a new one when there is none.
    fn current(&mut self) -> io::Result<&mut Current> {
        if self.current.is_none() {
            self.current = Some(self.begin()?);
        }
        self.current.as_mut().ok_or_else(|| io::Error::other("no segment"))
    }

    fn begin(&self) -> io::Result<Current> {
        let number = self.shared.segments().keys().next_back().map_or(1, |last| last + 1);
        let name = segment::file_name(number);
        let columns = segment::columns();
        let header = segment::header(&columns);
        let mut file = self.shared.disk.create(&name)?;
        if let Err(error) = file.append(&header).and_then(|()| file.sync()) {
            let _ = self.shared.disk.remove(&name);
            return Err(error);
        }
        let bytes = header.len() as u64;
        let segment =
            Segment { bytes, columns: columns.into(), first_frame: bytes, committed_at: None };
        self.shared.segments().insert(number, segment);
        Ok(Current { number, file, bytes })
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
