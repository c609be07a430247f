//! Where rows go that ClickHouse will never take: a file of bounded size, for a person to look at.
//!
//! A line of JSON each: the code of ClickHouse's error, the columns, and the row in RowBinary as
//! hexadecimal digits. The server's message is not kept, because it may repeat the row in other words.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::event::Event;
use crate::spool::Batch;

/// The most bytes of the file; what comes later is counted, logged, and not kept.
const BYTES_MAX: u64 = 64 << 20;

/// The file's name.
const FILE: &str = "events.jsonl";

pub(super) struct Quarantine {
    directory: PathBuf,
}

impl Quarantine {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    pub(super) fn keep(&self, row: &Batch, code: Option<u32>) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
        let path = self.directory.join(FILE);
        let _lock = lock(&self.directory)?;
        let mut file = File::options().create(true).append(true).mode(0o600).open(&path)?;
        let digits: String = row.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let line =
            json!({ "code": code, "columns": &*row.columns, "row": digits }).to_string() + "\n";
        if file.metadata()?.len() + line.len() as u64 > BYTES_MAX {
            return Err(io::Error::other(format!("{} is full", path.display())));
        }
        tracing::error!(code, path = %path.display(), "ClickHouse refuses an event, which is put aside");
        file.write_all(line.as_bytes())?;
        file.sync_data()
    }
}

/// What became of the rows in quarantine when some were erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sifted {
    /// Rows that are gone.
    pub erased: u64,
    /// Rows that can not be read, so that nobody knows whether they were meant. They are still there.
    pub unreadable: u64,
}

/// Erases the rows in a quarantine's directory that hold an event that is meant.
///
/// # Errors
/// When the disk fails; then the file is as it was.
pub fn sift(directory: &Path, is_meant: impl Fn(&Event) -> bool) -> io::Result<Sifted> {
    let path = directory.join(FILE);
    if !path.exists() {
        return Ok(Sifted::default());
    }
    let _lock = lock(directory)?;
    let text = std::fs::read_to_string(&path)?;
    let mut sifted = Sifted::default();
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        match event(line) {
            Some(event) if is_meant(&event) => {
                sifted.erased += 1;
                continue;
            }
            Some(_) => {}
            None => sifted.unreadable += 1,
        }
        kept.push_str(line);
        kept.push('\n');
    }
    if sifted.erased > 0 {
        let fresh = directory.join("events.new");
        let mut file =
            File::options().create(true).write(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(kept.as_bytes())?;
        file.sync_data()?;
        std::fs::rename(&fresh, &path)?;
        File::open(directory)?.sync_all()?;
    }
    Ok(sifted)
}

/// Nobody writes the file while another does.
fn lock(directory: &Path) -> io::Result<File> {
    let lock =
        File::options().create(true).append(true).mode(0o600).open(directory.join("lock"))?;
    lock.lock()?;
    Ok(lock)
}

/// The event of a line, if this version wrote it.
fn event(line: &str) -> Option<Event> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    let columns = Event::columns().collect::<Vec<_>>().join(",");
    let digits = line["row"].as_str().filter(|_| line["columns"] == columns)?;
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let row: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(byte).collect();
    Event::decode(&row?).ok()
}
