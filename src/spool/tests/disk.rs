//! A disk in memory that does what disks do when the power goes, and fails when it is told to.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::spool::disk::{Appendable, Disk};

/// What is written or lost together.
const SECTOR_BYTES: usize = 16;

/// A disk in memory. What was not synced may be gone after a loss of power, in any part.
#[derive(Default)]
pub(super) struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) files: HashMap<String, File>,
    pub(super) bytes_free: Option<u64>,
    pub(super) syncs_until_failure: Option<u64>,
    /// As many operations succeed that change something; the next one finds the disk full.
    pub(super) changes_until_failure: Option<u64>,
}

#[derive(Clone, Default)]
pub(super) struct File {
    pub(super) bytes: Vec<u8>,
    /// What is sure to be there after a loss of power, and, where it differs, what may be.
    synced: Vec<u8>,
}

impl State {
    fn change(&mut self) -> io::Result<()> {
        match &mut self.changes_until_failure {
            Some(0) => {
                self.changes_until_failure = None;
                Err(io::ErrorKind::StorageFull.into())
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Bytes that a file had are free again.
    fn give_back(&mut self, bytes: usize) {
        self.bytes_free = self.bytes_free.map(|free| free + bytes as u64);
    }

    fn file(&mut self, name: &str) -> io::Result<&mut File> {
        self.files.get_mut(name).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl File {
    fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), synced: bytes.to_vec() }
    }

    /// What may be on the disk when nobody has synced: of every sector the old bytes or the new ones, and
    /// of a file that has grown any length, with nothing or with zeros in what had not been written.
    fn torn(&self, chance: &mut SmallRng) -> Vec<u8> {
        let (old, new) = (&self.synced, &self.bytes);
        let (short, long) = (old.len().min(new.len()), old.len().max(new.len()));
        let length = chance.random_range(short..=long);
        let mut torn = vec![0; length];
        for start in (0..length).step_by(SECTOR_BYTES) {
            let end = (start + SECTOR_BYTES).min(length);
            let source = if chance.random() { old } else { new };
            if let Some(there) = source.get(start..source.len().min(end)) {
                torn[start..start + there.len()].copy_from_slice(there);
            }
        }
        // What was synced and is not being changed is not touched.
        let same = old.iter().zip(new).take_while(|(one, other)| one == other).count();
        let sure = same.min(length);
        torn[..sure].copy_from_slice(&old[..sure]);
        torn
    }
}

impl SimulatedDisk {
    pub(super) fn of(state: State) -> Self {
        Self { state: Arc::new(Mutex::new(state)) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// What was not synced is lost, torn, or there in another order.
    pub(super) fn lose_power(&self, seed: u64) {
        let mut chance = SmallRng::seed_from_u64(seed);
        let mut state = self.state();
        let mut names: Vec<_> = state.files.keys().cloned().collect();
        names.sort_unstable();
        for name in names {
            if let Some(file) = state.files.get_mut(&name) {
                *file = File::of(&file.torn(&mut chance));
            }
        }
    }

    pub(super) fn handle(&self) -> Arc<dyn Disk> {
        Arc::new(Self { state: Arc::clone(&self.state) })
    }
}

impl Disk for SimulatedDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.state().files.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Appendable>> {
        let mut state = self.state();
        state.change()?;
        state.files.insert(name.to_owned(), File::default());
        Ok(Box::new(Handle { name: name.to_owned(), state: Arc::clone(&self.state) }))
    }

    fn read(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state();
        let bytes = &state.file(name)?.bytes;
        let rest = bytes.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        Ok(self.state().file(name)?.bytes.len() as u64)
    }

    fn truncate(&self, name: &str, bytes: u64) -> io::Result<()> {
        let mut state = self.state();
        state.change()?;
        let file = state.file(name)?;
        file.bytes.truncate(usize::try_from(bytes).unwrap());
        *file = File::of(&file.bytes);
        Ok(())
    }

    fn replace(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        state.change()?;
        state.files.insert(name.to_owned(), File::of(contents));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.change()?;
        let bytes = state.file(name)?.bytes.len();
        state.files.remove(name);
        state.give_back(bytes);
        Ok(())
    }
}

struct Handle {
    name: String,
    state: Arc<Mutex<State>>,
}

impl Appendable for Handle {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        let refused = state.change();
        let free = match (&refused, state.bytes_free) {
            // A disk takes what it can before it says that it is full.
            (Err(_), _) => bytes.len() / 2,
            (Ok(()), Some(free)) => usize::try_from(free).unwrap(),
            (Ok(()), None) => bytes.len(),
        };
        let fits = free.min(bytes.len());
        state.bytes_free = state.bytes_free.map(|free| free - fits as u64);
        state.file(&self.name)?.bytes.extend_from_slice(&bytes[..fits]);
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { refused }
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        if let Some(left) = &mut state.syncs_until_failure {
            if *left == 0 {
                // Some of it may have reached the disk all the same.
                let mut chance = SmallRng::seed_from_u64(state.files.len() as u64);
                let file = state.file(&self.name)?;
                file.synced = file.torn(&mut chance);
                return Err(io::Error::other("the disk failed"));
            }
            *left -= 1;
        }
        let file = state.file(&self.name)?;
        file.synced = file.bytes.clone();
        Ok(())
    }

    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.change()?;
        let file = state.file(&self.name)?;
        let before = file.bytes.len();
        file.bytes.truncate(usize::try_from(bytes).unwrap());
        let left = file.bytes.len();
        state.give_back(before - left);
        Ok(())
    }
}
