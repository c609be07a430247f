//! The spool over files of any bytes: what it gives are rows whose checksums hold, in their order; it
//! comes to an end; and it takes new rows, which are still there after another start.
//!
//! The input is a recipe for a segment, or for two: frames, bytes between them, and damage. The frames
//! are written and read here a second time, by the description of the format alone.

#![no_main]

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use passerby::event::Event;
use passerby::spool::disk::{Appendable, Disk};
use passerby::spool::{Limits, Reader, Record, Spool};
use tokio::runtime::{Builder, Runtime};

const SEED: [u8; 4] = *b"seed";
const MARKER: [u8; 4] = *b"\xF5PSB";
const HEAD: usize = 16;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));

/// A disk in memory on which everything succeeds.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

struct MemoryFile(Memory, String);

impl Memory {
    fn files(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, name: &str, use_bytes: impl FnOnce(&mut Vec<u8>) -> T) -> io::Result<T> {
        self.files().get_mut(name).map(use_bytes).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Disk for Memory {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.files().keys().cloned().collect())
    }
    fn create(&self, name: &str) -> io::Result<Box<dyn Appendable>> {
        assert!(self.files().insert(name.to_owned(), Vec::new()).is_none(), "{name} is there");
        Ok(Box::new(MemoryFile(self.clone(), name.to_owned())))
    }
    fn read(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.with(name, |bytes| {
            let rest = bytes.get(offset as usize..).unwrap_or_default();
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            count
        })
    }
    fn length(&self, name: &str) -> io::Result<u64> {
        self.with(name, |bytes| bytes.len() as u64)
    }
    fn truncate(&self, name: &str, bytes: u64) -> io::Result<()> {
        self.with(name, |there| there.truncate(bytes as usize))
    }
    fn replace(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        self.files().insert(name.to_owned(), contents.to_vec());
        Ok(())
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.files().remove(name).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Appendable for MemoryFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.with(&self.1, |there| there.extend_from_slice(bytes))
    }
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        self.0.truncate(&self.1, bytes)
    }
}

fn header(columns: &str) -> Vec<u8> {
    let mut body = SEED.to_vec();
    body.extend((columns.len() as u32).to_le_bytes());
    body.extend(columns.as_bytes());
    let crc = crc32fast::hash(&body);
    [b"PSBYSPL1".as_slice(), &body, &crc.to_le_bytes()].concat()
}

fn frame(day: u32, row: &[u8]) -> Vec<u8> {
    let head = [(row.len() as u32).to_le_bytes(), day.to_le_bytes()].concat();
    let crc = crc32fast::hash(&[&SEED, head.as_slice(), row].concat());
    [&MARKER, head.as_slice(), &crc.to_le_bytes(), row].concat()
}

/// Every frame whose checksum holds, wherever it stands.
fn frames(bytes: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let number = |at: usize| bytes[at..at + 4].iter().rev().fold(0, |n, b| n << 8 | u32::from(*b));
    let whole = |at: usize| {
        bytes[at..].starts_with(&MARKER).then_some(())?;
        let row = bytes.get(at + HEAD..(at + HEAD).checked_add(number(at + 4) as usize)?)?;
        let (day, written) = (number(at + 8), &bytes[at..at + HEAD + row.len()]);
        (frame(day, row) == written).then(|| (day, row.to_vec()))
    };
    (0..bytes.len().saturating_sub(HEAD - 1)).filter_map(whole).collect()
}

/// A segment as the input describes it.
fn segment(recipe: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let columns = Event::columns().collect::<Vec<_>>().join(",");
    let mut bytes = match recipe.int_in_range(0..=9)? {
        // Any bytes at all, and a list of other columns.
        0 => return recipe.bytes(recipe.len().min(512)).map(<[u8]>::to_vec),
        1 => header("site_id,unknown"),
        _ => header(&columns),
    };
    let copy = bytes.clone();
    bytes.resize(bytes.len().next_multiple_of(4096), 0);
    bytes.extend(copy);
    for _ in 0..recipe.int_in_range(0..=12)? {
        let length = recipe.int_in_range(0..=40)?.min(recipe.len());
        let day = u32::from(recipe.arbitrary::<u8>()? % 4);
        let content = recipe.bytes(length)?;
        match recipe.int_in_range(0..=5)? {
            0 => bytes.extend(content),
            1 => bytes.extend([&MARKER, content].concat()),
            // A frame within a frame.
            2 => bytes.extend(frame(day, &frame(day + 1, content))),
            _ => bytes.extend(frame(day, content)),
        }
    }
    for _ in 0..recipe.int_in_range(0..=4)? {
        let at = recipe.int_in_range(0..=bytes.len())?;
        match (recipe.int_in_range(0..=3)?, bytes.get_mut(at)) {
            (0, _) => bytes.truncate(at),
            (1, _) => {
                let end = (at + 64).min(bytes.len());
                bytes[at..end].fill(0);
            }
            (_, Some(byte)) => *byte ^= recipe.arbitrary::<u8>()?,
            (_, None) => {}
        }
    }
    Ok(bytes)
}

/// All rows with their days, in the order of the windows; within one, by day.
fn drain(reader: &mut Reader, bytes: usize) -> Vec<Vec<(u32, Vec<u8>)>> {
    let mut windows = Vec::new();
    while let Some(window) = reader.next_now().expect("the disk is well") {
        assert!(windows.len() <= bytes + 2, "the windows do not come to an end");
        let mut rows = Vec::new();
        for batch in &window.batches {
            let starts = [0].into_iter().chain(batch.row_ends.iter().copied());
            let places = starts.zip(&batch.row_ends);
            rows.extend(places.map(|(from, to)| (batch.day, batch.bytes[from..*to].to_vec())));
        }
        windows.push(rows);
        reader.commit(&window).expect("the disk is well");
    }
    windows
}

/// Whether the rows are some of the frames, each day's in their order.
fn are_of(rows: &[(u32, Vec<u8>)], frames: &[(u32, Vec<u8>)]) -> bool {
    (0..8).all(|day| {
        let mut frames = frames.iter().filter(|frame| frame.0 == day);
        rows.iter().filter(|row| row.0 == day).all(|row| frames.any(|frame| frame == row))
    }) && rows.iter().all(|row| row.0 < 8 || frames.contains(row))
}

fn event() -> Event {
    static ROW: LazyLock<Vec<u8>> = LazyLock::new(|| vec![0; 256]);
    let mut rows = ROW.as_slice();
    Event::take(&mut rows).unwrap_or_else(|_| panic!("zeros are a row"))
}

async fn run(files: Vec<Vec<u8>>) {
    let disk = Memory::default();
    for (index, bytes) in files.iter().enumerate() {
        disk.files().insert(format!("{:016}.spool", index + 1), bytes.clone());
    }
    let open = || Spool::open(Arc::new(disk.clone()), Limits::default());
    // A file of another version is left alone, and nothing begins.
    let Ok((spool, mut reader)) = open() else {
        let before: Vec<_> = disk.files().values().cloned().collect();
        assert!(files.iter().any(|bytes| bytes.starts_with(b"PSBYSPL")));
        assert!(before.iter().all(|bytes| files.contains(bytes)));
        return;
    };
    let there: Vec<_> = files.iter().flat_map(|bytes| frames(bytes)).collect();
    let bytes = files.iter().map(Vec::len).sum();
    let rows: Vec<_> = drain(&mut reader, bytes).into_iter().flatten().collect();
    assert!(are_of(&rows, &there), "rows came out that are none");
    let recovered = &spool.figures().rows_recovered;
    assert_eq!(recovered.load(std::sync::atomic::Ordering::Relaxed), rows.len() as u64);
    spool.replay(0, |_| {}).expect("the disk is well");
    spool.append(vec![Record::of(&event())]).await.expect("it takes rows");
    spool.close().await;
    drop((spool, reader));

    let (spool, mut reader) = open().expect("it starts again");
    let again: Vec<_> = drain(&mut reader, bytes + 8192).into_iter().flatten().collect();
    let mut row = Vec::new();
    event().encode(&mut row);
    assert!(again == [(0, row)], "what was committed is gone, and what was appended is there");
    spool.close().await;
}

fuzz_target!(|input: &[u8]| {
    let mut recipe = Unstructured::new(input);
    let files = (0..2).map_while(|_| (!recipe.is_empty()).then(|| segment(&mut recipe)));
    let Ok(files) = files.collect::<Result<Vec<_>>>() else { return };
    RUNTIME.block_on(run(files));
});
