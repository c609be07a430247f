//! The disk as the spool uses it: a directory of files, few operations, each of which can fail.
//!
//! It is a trait so that tests can have a disk that fails, fills up, tears writes and loses what was
//! not synced.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::PathBuf;

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
    /// The length of a file in bytes.
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
            File::options().create_new(true).append(true).mode(0o600).open(self.0.join(name))?;
        if let Err(error) = self.sync() {
            // A file whose name may not last is none.
            let _ = std::fs::remove_file(self.0.join(name));
            return Err(error);
        }
        Ok(Box::new(file))
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
        let fresh = self.0.join(format!("{name}.new"));
        let mut file =
            File::options().create(true).write(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(contents)?;
        file.sync_all()?;
        std::fs::rename(&fresh, self.0.join(name))?;
        self.sync()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.0.join(name))?;
        self.sync()
    }
}

impl Appendable for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }
}
