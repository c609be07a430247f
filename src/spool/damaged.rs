//! Segments that nobody could read at a start, under the name that they were put aside by.

use std::fs::DirEntry;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

/// What is put behind the name of a segment that is put aside.
pub(super) const SUFFIX: &str = ".damaged";

/// How many there are in a spool's directory.
///
/// # Errors
/// When the directory can not be read.
pub fn count(directory: &Path) -> io::Result<usize> {
    Ok(entries(directory)?.len())
}

/// Removes those that were put aside before an instant, and says which.
///
/// # Errors
/// When the directory can not be read, or a file not removed; earlier ones are gone.
pub fn remove(directory: &Path, before: Timestamp) -> io::Result<Vec<PathBuf>> {
    let mut removed = Vec::new();
    for entry in entries(directory)? {
        // Nothing is written to it after that.
        let put_aside = entry.metadata()?.modified()?;
        if Timestamp::try_from(put_aside).is_ok_and(|put_aside| put_aside < before) {
            std::fs::remove_file(entry.path())?;
            removed.push(entry.path());
        }
    }
    Ok(removed)
}

fn entries(directory: &Path) -> io::Result<Vec<DirEntry>> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let is_damaged = |entry: &io::Result<DirEntry>| {
        entry.as_ref().map_or(true, |entry| entry.file_name().to_string_lossy().ends_with(SUFFIX))
    };
    entries.filter(is_damaged).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;
    use std::fs::File;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn damaged_segments_end_once_they_are_old_and_nothing_else_does() {
        let directory = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-06-15T12:00:00Z".parse().unwrap();
        for (name, hours) in [
            ("0000000000000001.spool.damaged", 721),
            ("0000000000000002.spool.damaged", 719),
            ("0000000000000001.spool", 721),
            ("checkpoint", 721),
        ] {
            let file = File::create(directory.path().join(name)).unwrap();
            let seconds = (now - hours.hours()).as_second().try_into().unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        }
        assert_eq!(count(directory.path()).unwrap(), 2);
        let first = directory.path().join("0000000000000001.spool.damaged");
        assert_eq!(remove(directory.path(), now - 720.hours()).unwrap(), [first]);
        assert_eq!(remove(directory.path(), now - 720.hours()).unwrap(), [] as [PathBuf; 0]);
        assert_eq!(count(directory.path()).unwrap(), 1);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 3);
        assert_eq!(count(&directory.path().join("none")).unwrap(), 0);
    }
}
