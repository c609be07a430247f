//! Where rows go that ClickHouse will never take: a file of bounded size, for a person to look at.
//!
//! A line of JSON each: the code of ClickHouse's error, the columns, and the row in RowBinary as
//! hexadecimal digits. The server's message is not kept, because it may repeat the row in other words.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use serde_json::json;

use crate::spool::Batch;

/// The most bytes of the file; what comes later is counted, logged, and not kept.
const BYTES_MAX: u64 = 64 << 20;

pub(super) struct Quarantine {
    directory: PathBuf,
}

impl Quarantine {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    pub(super) fn keep(&self, row: &Batch, code: Option<u32>) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
        let path = self.directory.join("events.jsonl");
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
