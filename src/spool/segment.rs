//! Segments: their bytes, and bringing them into order at the start. The format is in the module's doc.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::disk::Disk;
use super::{Segment, SpoolError, damaged};
use crate::event::Event;

const MAGIC: &[u8; 8] = b"PSBYSPL1";
/// What the magic of every version begins with.
const FAMILY: &[u8] = b"PSBYSPL";
const MARKER: &[u8; 4] = b"\xF5PSB";
pub(super) const FRAME_HEAD_BYTES: usize = 16;
/// The longest row: what claims to be longer is damaged.
pub(super) const ROW_BYTES_MAX: usize = 4 << 20;
/// The longest list of columns.
const COLUMNS_BYTES_MAX: usize = 64 << 10;
/// What a disk may lose at once.
const PAGE_BYTES: usize = 4096;
/// The longest header, in pages.
const HEADER_PAGES_MAX: usize = (COLUMNS_BYTES_MAX + 20).div_ceil(PAGE_BYTES);
const SUFFIX: &str = ".spool";

/// What the checksums of a segment begin with. It is random, so that nobody can send an event whose bytes
/// would pass for a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seed(pub(super) [u8; 4]);

impl Seed {
    pub(super) fn random() -> io::Result<Self> {
        let mut seed = [0; 4];
        getrandom::fill(&mut seed).map_err(io::Error::from)?;
        Ok(Self(seed))
    }
}

/// A whole frame.
pub(super) struct Frame<'bytes> {
    /// In days since 1970, UTC.
    pub(super) day: u32,
    pub(super) row: &'bytes [u8],
    /// Where the next frame begins.
    pub(super) end: u64,
}

pub(super) fn file_name(number: u64) -> String {
    format!("{number:016}{SUFFIX}")
}

fn number_of(name: &str) -> Option<u64> {
    name.strip_suffix(SUFFIX).filter(|digits| digits.len() == 16)?.parse().ok()
}

/// The columns of the rows that this version writes.
pub(super) fn columns() -> String {
    Event::columns().collect::<Vec<_>>().join(",")
}

/// The beginning of a segment whose rows have these columns: its header, twice, so far from each other
/// that a page of the disk that is lost does not cost both.
pub(super) fn beginning(seed: Seed, columns: &str) -> Vec<u8> {
    let header = header(seed, columns);
    let mut bytes = header.clone();
    bytes.resize(copy_at(header.len()), 0);
    [bytes, header].concat()
}

/// Where the second copy is of a header of so many bytes.
fn copy_at(header_bytes: usize) -> usize {
    header_bytes.next_multiple_of(PAGE_BYTES)
}

pub(super) fn header(seed: Seed, columns: &str) -> Vec<u8> {
    let mut body = Vec::with_capacity(columns.len() + 8);
    body.extend_from_slice(&seed.0);
    body.extend_from_slice(&(columns.len() as u32).to_le_bytes());
    body.extend_from_slice(columns.as_bytes());
    let crc = crc32fast::hash(&body);
    [MAGIC.as_slice(), &body, &crc.to_le_bytes()].concat()
}

/// Appends a row as a frame that is not sealed yet.
pub(super) fn put_frame(frames: &mut Vec<u8>, day: u32, row: &[u8]) {
    frames.extend_from_slice(MARKER);
    frames.extend_from_slice(&(row.len() as u32).to_le_bytes());
    frames.extend_from_slice(&day.to_le_bytes());
    frames.extend_from_slice(&[0; 4]);
    frames.extend_from_slice(row);
}

/// Gives frames the checksums that they have in a segment.
pub(super) fn seal(mut frames: &mut [u8], seed: Seed) {
    while let Some((head, rest)) = frames.split_at_mut_checked(FRAME_HEAD_BYTES) {
        let row_bytes = number_at(head, 4).map_or(0, |bytes| bytes as usize);
        let Some((row, others)) = rest.split_at_mut_checked(row_bytes) else { return };
        let crc = checksum(seed, &head[4..12], row);
        head[12..].copy_from_slice(&crc.to_le_bytes());
        frames = others;
    }
}

fn checksum(seed: Seed, head: &[u8], row: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&seed.0);
    hasher.update(head);
    hasher.update(row);
    hasher.finalize()
}

fn number_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// What the header of a segment says.
struct Header {
    seed: Seed,
    columns: String,
    bytes: usize,
}

/// The header of a segment and where its first frame is; `None` when both copies are damaged, or the
/// segment ends before the second one does: then nothing was ever acknowledged in it.
fn parse_beginning(bytes: &[u8]) -> Option<(Header, u64)> {
    if let Some(header) = parse_header(bytes) {
        let first_frame = copy_at(header.bytes) + header.bytes;
        return (first_frame <= bytes.len()).then_some((header, first_frame as u64));
    }
    let mut places = (1..=HEADER_PAGES_MAX).map(|pages| pages * PAGE_BYTES);
    let found = |copy| Some((copy, parse_header(bytes.get(copy..)?)?));
    let (copy, header) = places.find_map(found)?;
    let first_frame = (copy + header.bytes) as u64;
    Some((header, first_frame))
}

fn parse_header(bytes: &[u8]) -> Option<Header> {
    let seed = Seed(bytes.get(MAGIC.len()..MAGIC.len() + 4)?.try_into().ok()?);
    let length = number_at(bytes, MAGIC.len() + 4)? as usize;
    if !bytes.starts_with(MAGIC) || length > COLUMNS_BYTES_MAX {
        return None;
    }
    let end = MAGIC.len() + 8 + length;
    let body = bytes.get(MAGIC.len()..end)?;
    (crc32fast::hash(body) == number_at(bytes, end)?).then_some(())?;
    let columns = String::from_utf8(body[8..].to_vec()).ok()?;
    Some(Header { seed, columns, bytes: end + 4 })
}

fn frame_at(bytes: &[u8], at: usize, seed: Seed) -> Option<Frame<'_>> {
    let head = bytes.get(at..at + FRAME_HEAD_BYTES)?;
    let length = number_at(head, 4)? as usize;
    if &head[..4] != MARKER || length > ROW_BYTES_MAX {
        return None;
    }
    let end = at + FRAME_HEAD_BYTES + length;
    let row = bytes.get(at + FRAME_HEAD_BYTES..end)?;
    (checksum(seed, &head[4..12], row) == number_at(head, 12)?).then_some(())?;
    Some(Frame { day: number_at(head, 8)?, row, end: end as u64 })
}

/// The whole frames from `offset` on, in their order; damaged ones are passed over.
pub(super) fn frames(bytes: &[u8], offset: u64, seed: Seed) -> impl Iterator<Item = Frame<'_>> {
    let mut at = usize::try_from(offset).unwrap_or(usize::MAX);
    std::iter::from_fn(move || {
        while at < bytes.len() {
            if let Some(frame) = frame_at(bytes, at, seed) {
                at = frame.end as usize;
                return Some(frame);
            }
            at = next_marker(bytes, at + 1)?;
        }
        None
    })
}

fn next_marker(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(MARKER.len()).position(|window| window == MARKER).map(|position| from + position)
}

/// The synced bytes of a segment.
pub(super) fn read(disk: &dyn Disk, number: u64, segment: &Segment) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(segment.bytes).unwrap_or(0)];
    let count = disk.read(&file_name(number), 0, &mut bytes)?;
    bytes.truncate(count);
    Ok(bytes)
}

/// What was on the disk.
pub(super) struct Recovered {
    pub(super) segments: BTreeMap<u64, Segment>,
    /// How many rows each of them has.
    pub(super) rows: BTreeMap<u64, u64>,
    /// Frames that were damaged, and unfinished writes that were cut off.
    pub(super) damaged: u64,
}

/// Reads what is on the disk, and cuts off what was not finished.
pub(super) fn recover(disk: &dyn Disk) -> Result<Recovered, SpoolError> {
    let mut numbers: Vec<u64> = disk.list()?.iter().filter_map(|name| number_of(name)).collect();
    numbers.sort_unstable();
    let last = numbers.last().copied();
    let (mut segments, mut rows, mut damaged) = (BTreeMap::new(), BTreeMap::new(), 0);
    for number in numbers {
        let name = file_name(number);
        let mut bytes = vec![0; usize::try_from(disk.length(&name)?).unwrap_or(0)];
        let count = disk.read(&name, 0, &mut bytes)?;
        bytes.truncate(count);
        let Some((Header { seed, columns, .. }, first_frame)) = parse_beginning(&bytes) else {
            if is_of_another_version(&bytes) {
                return Err(SpoolError::Version(name));
            }
            damaged += u64::from(set_aside(disk, &name, &bytes)?);
            continue;
        };
        let (mut end, mut gaps) = (first_frame, 0);
        let of_segment: &mut u64 = rows.entry(number).or_default();
        for frame in frames(&bytes, first_frame, seed) {
            *of_segment += 1;
            let length = (FRAME_HEAD_BYTES + frame.row.len()) as u64;
            gaps += u64::from(frame.end - length != end);
            end = frame.end;
        }
        let rest = usize::try_from(end).map_or(&[][..], |end| &bytes[end..]);
        let is_last = Some(number) == last;
        if !rest.is_empty() && is_last {
            disk.truncate(&name, end)?;
        }
        let is_laid_down = is_last && rest.iter().all(|byte| *byte == 0);
        damaged += gaps + u64::from(!rest.is_empty() && !is_laid_down);
        segments.insert(
            number,
            Segment {
                bytes: end,
                columns: Arc::from(columns),
                seed,
                first_frame,
                is_ended: true,
                committed_at: None,
            },
        );
    }
    Ok(Recovered { segments, rows, damaged })
}

/// A file that was just being made when the power went may be cut within its magic: that is no version.
fn is_of_another_version(bytes: &[u8]) -> bool {
    bytes.len() >= MAGIC.len() && bytes.starts_with(FAMILY) && !bytes.starts_with(MAGIC)
}

/// A segment without a header: nothing was acknowledged in it if it was just being made; whatever it
/// is, it is kept under another name for a person to look at. Says whether it held anything.
fn set_aside(disk: &dyn Disk, name: &str, bytes: &[u8]) -> io::Result<bool> {
    let holds_rows = next_marker(bytes, 0).is_some();
    if holds_rows {
        let aside = format!("{name}{}", damaged::SUFFIX);
        tracing::error!(
            file = name,
            "a segment of the spool is damaged at its beginning; it is kept as {aside} for 30 days"
        );
        disk.replace(&aside, bytes)?;
    }
    disk.remove(name)?;
    Ok(holds_rows)
}
