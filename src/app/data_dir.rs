//! The data directory: made for its owner alone, and used by one process at a time.

use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

use anyhow::{Context, bail};

/// Another process works on the data directory.
#[derive(Debug, thiserror::Error)]
#[error(
    "another passerby works on the data directory {0}: stop it, or give this one another data_dir"
)]
pub struct InUse(String);

/// A data directory that is ours for as long as this lives.
pub(super) struct DataDir {
    _lock: File,
}

impl DataDir {
    pub(super) fn take(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let unwritable = || {
            format!(
                "the data directory {shown} can not be written: check its owner, or choose another with data_dir or \
                 PASSERBY_DATA_DIR"
            )
        };
        DirBuilder::new().recursive(true).mode(0o700).create(path).with_context(unwritable)?;
        let metadata = std::fs::metadata(path).with_context(unwritable)?;
        let owner = metadata.uid();
        if would_take_from(owner, rustix::process::geteuid().as_raw()) {
            bail!(
                "the data directory {shown} belongs to the user {owner}, and what root writes there that user could not read: run the \
                 command as the user that the collector runs as, or while it runs"
            );
        }
        let lock = File::options()
            .create(true)
            .append(true)
            .open(path.join("lock"))
            .with_context(unwritable)?;
        match lock.try_lock() {
            Ok(()) => {
                // One that was made by somebody else has the mode that it was given.
                if metadata.mode() & 0o077 != 0 {
                    tracing::warn!(
                        data_dir = %shown,
                        "others may enter the data directory, and what is kept there is for its owner alone: chmod 700 it"
                    );
                }
                Ok(Self { _lock: lock })
            }
            Err(TryLockError::WouldBlock) => Err(InUse(shown.to_string()).into()),
            Err(TryLockError::Error(error)) => Err(error).with_context(unwritable),
        }
    }
}

/// Whether what is written would be root's in a directory of somebody else's. Anybody else could not write there, or was given it.
fn would_take_from(owner: u32, user: u32) -> bool {
    user == 0 && owner != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_process_is_refused_until_the_first_is_gone() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let first = DataDir::take(&path).unwrap();
        let refusal = DataDir::take(&path).err().expect("it was taken twice");
        assert!(refusal.downcast_ref::<InUse>().is_some(), "{refusal:#}");
        drop(first);
        DataDir::take(&path).unwrap();
    }

    #[test]
    fn root_writes_into_nobody_elses_directory() {
        for (owner, user, refused) in [(0, 0, false), (7, 7, false), (7, 0, true), (0, 7, false)] {
            assert_eq!(would_take_from(owner, user), refused, "{owner} {user}");
        }
    }

    #[test]
    fn a_path_that_can_not_be_written_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let refusal = DataDir::take(&file.path().join("data"))
            .err()
            .expect("a file was taken for a directory");
        assert!(format!("{refusal:#}").contains("PASSERBY_DATA_DIR"), "{refusal:#}");
    }
}
