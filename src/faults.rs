//! Faults on demand, for the tests that try to break the collector (`tests/faults`). Only debug builds
//! have this module.
//!
//! A test names a directory (`PASSERBY_FAULTS`) and puts files into it, before or while the collector
//! runs:
//!
//! - `kill`, with `<point> <n>`: the process ends as by kill -9 when it passes the point for the n-th
//!   time; the file is removed first, so that the next start goes further. The points are [`Point`]s.
//! - `full`: the spool's disk has no room. `sync`: it fails to sync, `unreadable`: to read. `stall`: it does not answer
//!   what is written, `mute`: what is read; whoever reads panics with `panic`. `slow`, with a number: each write takes as many
//!   milliseconds more.
//! - `clock`, with a number: the wall clock shows as many seconds more.
//!
//! Every step of the write path that must survive a kill ends in an operation of the disk, so that a
//! disk which kills is enough: the spool itself knows nothing of it.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustix::process::{Signal, getpid, kill_process};

use crate::clock::{Clock, SharedClock, SystemClock};
use crate::spool::disk::{Appendable, Disk};

/// A step of the write path at which the process can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Point {
    /// Events have arrived, and nothing of them is written.
    BeforeWrite,
    /// All of them but the last byte are written.
    TornWrite,
    /// They are written, and not synced.
    AfterWrite,
    /// They are synced, and nobody has been told.
    BeforeAnswer,
    /// A segment has its bytes, and the next one is not there.
    BeforeRotation,
    /// The next segment is an empty file.
    AfterRotation,
    /// ClickHouse has a window, and the checkpoint does not say so.
    BeforeCheckpoint,
    /// The checkpoint says so.
    AfterCheckpoint,
    /// A segment may leave the disk.
    BeforeRemoval,
    /// It has left the disk.
    AfterRemoval,
    /// A torn tail has been found at the start.
    BeforeRepair,
    /// It has been cut off.
    AfterRepair,
}

impl Point {
    /// All of them, with their names in the file `kill`.
    pub const ALL: [(Self, &'static str); 12] = [
        (Self::BeforeWrite, "before_write"),
        (Self::TornWrite, "torn_write"),
        (Self::AfterWrite, "after_write"),
        (Self::BeforeAnswer, "before_answer"),
        (Self::BeforeRotation, "before_rotation"),
        (Self::AfterRotation, "after_rotation"),
        (Self::BeforeCheckpoint, "before_checkpoint"),
        (Self::AfterCheckpoint, "after_checkpoint"),
        (Self::BeforeRemoval, "before_removal"),
        (Self::AfterRemoval, "after_removal"),
        (Self::BeforeRepair, "before_repair"),
        (Self::AfterRepair, "after_repair"),
    ];

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(point, _)| *point)
    }
}

/// The directory that a test puts its wishes into.
#[derive(Clone)]
struct Wishes {
    directory: Arc<Path>,
    kill: Option<(Point, u64)>,
    passes: Arc<Mutex<HashMap<Point, u64>>>,
}

impl Wishes {
    fn read(directory: &Path) -> Self {
        let text = std::fs::read_to_string(directory.join("kill")).unwrap_or_default();
        let kill = text.trim().split_once(' ').and_then(|(name, times)| {
            Some((Point::named(name)?, times.parse().ok().filter(|times| *times > 0)?))
        });
        Self { directory: directory.into(), kill, passes: Arc::default() }
    }

    fn has(&self, name: &str) -> bool {
        self.directory.join(name).exists()
    }

    fn wait_while(&self, name: &str) {
        while self.has(name) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// How much longer than it needs a write takes.
    fn delay(&self) -> Duration {
        let text = std::fs::read_to_string(self.directory.join("slow")).unwrap_or_default();
        Duration::from_millis(text.trim().parse().unwrap_or_default())
    }

    /// Whether this is the pass at which the process shall end.
    fn is_due(&self, point: Point) -> bool {
        let mut passes = self.passes.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = passes.entry(point).or_default();
        *passed += 1;
        self.kill == Some((point, *passed))
    }

    fn pass(&self, point: Point) {
        if self.is_due(point) {
            self.end();
        }
    }

    fn end(&self) {
        let _ = std::fs::remove_file(self.directory.join("kill"));
        let _ = kill_process(getpid(), Signal::KILL);
        // The signal may reach another thread first; this one goes no further.
        loop {
            std::thread::park();
        }
    }
}

/// A disk that does what a test wishes, on top of a real one.
pub struct FaultyDisk {
    disk: Arc<dyn Disk>,
    wishes: Wishes,
}

impl FaultyDisk {
    /// Takes the wishes from `directory`.
    pub fn over(disk: Arc<dyn Disk>, directory: &Path) -> Arc<dyn Disk> {
        Arc::new(Self { disk, wishes: Wishes::read(directory) })
    }

    fn around<T>(
        &self,
        before: Point,
        operation: impl FnOnce() -> io::Result<T>,
        after: Point,
    ) -> io::Result<T> {
        self.wishes.pass(before);
        let outcome = operation()?;
        self.wishes.pass(after);
        Ok(outcome)
    }
}

impl Disk for FaultyDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Appendable>> {
        refuse_when_full(&self.wishes)?;
        let create = || self.disk.create(name);
        let file = self.around(Point::BeforeRotation, create, Point::AfterRotation)?;
        Ok(Box::new(FaultyFile { file, wishes: self.wishes.clone() }))
    }

    fn read(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.wishes.wait_while("mute");
        assert!(!self.wishes.has("panic"), "a test wishes whoever reads the spool to panic");
        if self.wishes.has("unreadable") {
            return Err(io::Error::other("the disk could not read it"));
        }
        self.disk.read(name, offset, buffer)
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        self.disk.length(name)
    }

    fn truncate(&self, name: &str, bytes: u64) -> io::Result<()> {
        let cut = || self.disk.truncate(name, bytes);
        self.around(Point::BeforeRepair, cut, Point::AfterRepair)
    }

    fn replace(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        refuse_when_full(&self.wishes)?;
        let replace = || self.disk.replace(name, contents);
        self.around(Point::BeforeCheckpoint, replace, Point::AfterCheckpoint)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let remove = || self.disk.remove(name);
        self.around(Point::BeforeRemoval, remove, Point::AfterRemoval)
    }
}

/// What is missing of a torn write: more than the zeros that a row ends with, and less than a row.
const TORN_BYTES: usize = 64;

struct FaultyFile {
    file: Box<dyn Appendable>,
    wishes: Wishes,
}

impl Appendable for FaultyFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.wishes.wait_while("stall");
        std::thread::sleep(self.wishes.delay());
        self.wishes.pass(Point::BeforeWrite);
        let half = &bytes[..bytes.len() / 2];
        if self.wishes.has("full") {
            // A disk takes what it can before it says that it is full; it says so though there be room by now.
            self.file.append(half)?;
            return Err(full());
        }
        if self.wishes.is_due(Point::TornWrite) {
            // Half of two rows may be a whole one, and a row without the zeros that it ends with is whole on a disk
            // that has zeros there: then no tail is torn.
            self.file.append(&bytes[..bytes.len().saturating_sub(TORN_BYTES)])?;
            self.wishes.end();
        }
        self.file.append(bytes)?;
        self.wishes.pass(Point::AfterWrite);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.wishes.has("sync") {
            return Err(io::Error::other("the disk could not keep what was written"));
        }
        self.file.sync()?;
        self.wishes.pass(Point::BeforeAnswer);
        Ok(())
    }

    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        self.file.truncate(bytes)
    }
}

fn refuse_when_full(wishes: &Wishes) -> io::Result<()> {
    if wishes.has("full") { Err(full()) } else { Ok(()) }
}

fn full() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

/// The machine's clock, set forward or back by the file `clock`.
pub struct ShiftedClock(PathBuf);

impl ShiftedClock {
    /// Takes the wish from `directory`.
    pub fn of(directory: &Path) -> SharedClock {
        Arc::new(Self(directory.join("clock")))
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        let shift = std::fs::read_to_string(&self.0).ok();
        let seconds = shift.and_then(|text| text.trim().parse().ok()).unwrap_or_default();
        let now = SystemClock.now();
        now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(now)
    }
}
