//! The disk as the spool uses it: a directory of files, few operations, each of which can fail.
//!
//! It is a trait so that tests can have a disk that fails, fills up, tears writes and loses what was
//! not synced.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::PathBuf;

use crate::whole_file;

/// A directory on a disk.
pub trait Disk: Send + Sync {
    /// The names of its files.
    ///
    /// # Errors
    /// When the disk fails.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Makes an empty file that can be appended to; its name is on the disk when this returns.
    ///
    /// # Errors
    /// When the disk fails or is full.
    fn create(&self, name: &str) -> io::Result<Box<dyn Appendable>>;
    /// Reads from `offset` until the buffer is full or the file ends, and says how many bytes.
    ///
    /// # Errors
    /// When the disk fails or there is no such file.
    fn read(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
    /// The length of a file in bytes. Behind what was appended there may be zeros.
    ///
    /// # Errors
    /// When the disk fails or there is no such file.
    fn length(&self, name: &str) -> io::Result<u64>;
    /// Cuts a file to a length.
    ///
    /// # Errors
    /// When the disk fails or there is no such file.
    fn truncate(&self, name: &str, bytes: u64) -> io::Result<()>;
    /// Puts a file with these contents in the place of the one that has the name: wholly or not at all.
    ///
    /// # Errors
    /// When the disk fails or is full.
    fn replace(&self, name: &str, contents: &[u8]) -> io::Result<()>;
    /// Removes a file.
    ///
    /// # Errors
    /// When the disk fails or there is no such file.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// A file that grows at its end.
pub trait Appendable: Send {
    /// Writes all of the bytes at the end.
    ///
    /// # Errors
    /// When the disk fails or is full; then some of them may have been written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Returns when everything that was written survives a loss of power.
    ///
    /// # Errors
    /// When the disk fails; then nothing is known of what was written since the last sync.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file to a length.
    ///
    /// # Errors
    /// When the disk fails.
    fn truncate(&mut self, bytes: u64) -> io::Result<()>;
}

/// As many are laid down at once: one write more for some two thousand rows.
static ZEROS: [u8; 1 << 20] = [0; 1 << 20];

/// A directory of the machine's own disk.
pub struct Directory(PathBuf);

impl Directory {
    /// Makes the directory, for its owner alone, if it is not there.
    ///
    /// # Errors
    /// When it can not be made.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// A file's name is part of its directory, which has to be synced for it.
    fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }
}

impl Disk for Directory {
    fn list(&self) -> io::Result<Vec<String>> {
        let names = std::fs::read_dir(&self.0)?
            .map(|entry| entry.map(|entry| entry.file_name().into_string().ok()));
        names.filter_map(Result::transpose).collect()
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Appendable>> {
        let file =
            File::options().create_new(true).write(true).mode(0o600).open(self.0.join(name))?;
        if let Err(error) = self.sync() {
            // A file whose name may not last is none.
            let _ = std::fs::remove_file(self.0.join(name));
            return Err(error);
        }
        Ok(Box::new(Growing { file, end: 0, reserved: 0 }))
    }

    fn read(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let file = File::open(self.0.join(name))?;
        let mut filled = 0;
        while filled < buffer.len() {
            match file.read_at(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        Ok(std::fs::metadata(self.0.join(name))?.len())
    }

    fn truncate(&self, name: &str, bytes: u64) -> io::Result<()> {
        let file = File::options().write(true).open(self.0.join(name))?;
        file.set_len(bytes)?;
        file.sync_all()
    }

    fn replace(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        whole_file::replace(&self.0.join(name), contents)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.0.join(name))?;
        self.sync()
    }
}

/// A file, and the zeros that were laid down behind its end: what is written over them changes no length and no place on
/// the disk, so that a sync has nothing to write down but the bytes.
struct Growing {
    file: File,
    end: u64,
    /// Where the zeros end; not before `end`.
    reserved: u64,
}

impl Growing {
    fn reserve(&mut self) {
        if self.end >= self.reserved {
            // A disk that is too full for zeros may have room for rows.
            let is_reserved = self.file.write_all_at(&ZEROS, self.end).is_ok();
            if !is_reserved {
                // Some of them may be there, where they would look like damage one day.
                let _ = self.file.set_len(self.end);
            }
            self.reserved = self.end + if is_reserved { ZEROS.len() as u64 } else { 0 };
        }
    }
}

impl Appendable for Growing {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.end)?;
        self.end += bytes.len() as u64;
        self.reserve();
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)?;
        (self.end, self.reserved) = (bytes, bytes);
        Ok(())
    }
}

impl Drop for Growing {
    /// Only the last file of a spool may end in zeros: so it is made sure of before the next one begins.
    fn drop(&mut self) {
        if self.reserved > self.end {
            let _ = self.file.set_len(self.end).and_then(|()| self.file.sync_data());
        }
    }
}
