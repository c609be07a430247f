//! What the engine's directory says of inserts and parts: the name of a part is `PARTITION_FIRST_LAST_LEVEL`, with the
//! numbers of the inserts that it is made of, which are counted up by partition.
//!
//! So it is told by the engine's own files, without a user who may read its system tables.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The partitions that have parts, by table and name.
pub(crate) struct Tables(HashMap<(PathBuf, String), Vec<Part>>);

/// The inserts that a part is made of, and how often they were merged.
#[derive(Clone, Copy)]
struct Part {
    first: u64,
    last: u64,
    level: u64,
}

/// Looks at all tables below a directory.
pub(crate) fn look(directory: &Path) -> Tables {
    let mut tables = Tables(HashMap::new());
    tables.add(directory);
    tables
}

impl Tables {
    fn add(&mut self, directory: &Path) {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            match part(&entry.file_name().to_string_lossy()) {
                Some((partition, part)) => {
                    self.0.entry((directory.to_owned(), partition)).or_default().push(part);
                }
                None => self.add(&entry.path()),
            }
        }
    }

    /// How many inserts the table with the most has had since then.
    pub(crate) fn inserts_max_since(&self, before: &Self) -> u64 {
        let mut inserts: HashMap<&Path, u64> = HashMap::new();
        for (partition, parts) in &self.0 {
            let earlier = before.0.get(partition).map_or(0, |parts| last(parts));
            *inserts.entry(&partition.0).or_default() += last(parts) - earlier;
        }
        inserts.into_values().max().unwrap_or(0)
    }

    /// How many parts the partition with the most has, without those that were merged into another.
    pub(crate) fn parts_max(&self) -> usize {
        let is_merged = |part: &Part, others: &[Part]| {
            let has_it = |other: &Part| {
                other.first <= part.first && other.last >= part.last && other.level > part.level
            };
            others.iter().any(has_it)
        };
        let count = |parts: &Vec<Part>| parts.iter().filter(|part| !is_merged(part, parts)).count();
        self.0.values().map(count).max().unwrap_or(0)
    }
}

fn last(parts: &[Part]) -> u64 {
    parts.iter().map(|part| part.last).max().unwrap_or(0)
}

/// The partition and the part of a name; none of one that is still written.
fn part(name: &str) -> Option<(String, Part)> {
    let mut fields = name.rsplitn(4, '_');
    let mut number = || fields.next()?.parse().ok();
    let (level, last, first) = (number()?, number()?, number()?);
    let partition = fields.next().filter(|partition| !partition.contains("tmp"))?;
    Some((partition.to_owned(), Part { first, last, level }))
}
