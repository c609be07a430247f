//! The checkpoint: how far the log is in ClickHouse.

use std::collections::BTreeMap;
use std::io;

use super::disk::Disk;
use super::{Position, Segment};

const FILE: &str = "checkpoint";

fn line(position: Position) -> String {
    let text = format!("{} {}", position.segment, position.offset);
    format!("{text} {:08x}\n", crc32fast::hash(text.as_bytes()))
}

pub(super) fn write(disk: &dyn Disk, position: Position) -> io::Result<()> {
    disk.replace(FILE, line(position).as_bytes())
}

/// The last checkpoint, moved to a place that there is: one that is missing, damaged or ahead of the
/// log gives rows again rather than passing over any.
pub(super) fn read(disk: &dyn Disk, segments: &BTreeMap<u64, Segment>) -> Position {
    let mut bytes = [0; 64];
    let count = disk.read(FILE, 0, &mut bytes).unwrap_or(0);
    let written = std::str::from_utf8(&bytes[..count]).ok().and_then(parse).unwrap_or_default();
    let start =
        |number: u64, segment: &Segment| Position { segment: number, offset: segment.first_frame };
    match segments.range(written.segment..).next() {
        Some((&number, segment))
            if number == written.segment && written.offset <= segment.bytes =>
        {
            Position { segment: number, offset: written.offset.max(segment.first_frame) }
        }
        Some((&number, segment)) => start(number, segment),
        // Everything that there is lies before it, or there is nothing: it stays where it is, so that no
        // number before it is used again.
        None => written,
    }
}

fn parse(text: &str) -> Option<Position> {
    let mut words = text.trim_end().split(' ');
    let position =
        Position { segment: words.next()?.parse().ok()?, offset: words.next()?.parse().ok()? };
    (line(position) == text).then_some(position)
}
