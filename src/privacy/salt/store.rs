//! Where salts outlive a restart of the collector, and nothing else.
//!
//! A restart should not count a day's visitors twice, so salts are kept in a file, but only in memory:
//! in a tmpfs, which no backup holds and no restart of the machine survives. The file is for its owner
//! alone. When a salt ends it is written anew, and the old contents are overwritten with zeros. Lines
//! of text: `passerby-salts 1`, then for each salt `<time zone> <YYYY-MM-DD> <64 hexadecimal digits>`.
//! Salts of another day than today's (or yesterday's, within the overlap) are not taken from it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Dated, Salt, Zone};
use crate::hex;

/// The first line of the file.
const HEADER: &str = "passerby-salts 1";

/// The salts of a time zone, as the file has them.
pub(super) struct Kept {
    pub(super) timezone: TimeZone,
    pub(super) salts: Vec<Dated>,
}

/// Where salts outlive the process, if anywhere.
pub struct SaltStore(pub(super) Option<PathBuf>);

impl SaltStore {
    /// Salts are kept in memory alone: a restart begins the day anew.
    pub fn none() -> Self {
        Self(None)
    }

    /// Salts are kept in `directory` (by default one under `/dev/shm` that belongs to this data
    /// directory), if that is in memory. If not, the operator is told, and they are not kept.
    pub fn open(directory: Option<&Path>, data_dir: &Path) -> Self {
        let (above, directory) = match directory {
            Some(directory) => (None, directory.to_owned()),
            None => {
                let (above, own) = default_directories(data_dir);
                (Some(above), own)
            }
        };
        match above.as_deref().map_or(Ok(()), make).and_then(|()| Self::prepare(&directory)) {
            Ok(file) => Self(Some(file)),
            Err(reason) => {
                tracing::warn!(
                    directory = %directory.display(), %reason,
                    "the day's salt is kept in this process alone: a restart counts the day's visitors anew. Set \
                     privacy.salt_dir to a directory in a tmpfs"
                );
                Self(None)
            }
        }
    }

    fn prepare(directory: &Path) -> std::io::Result<PathBuf> {
        make(directory)?;
        if !is_in_memory(directory) {
            return Err(std::io::Error::other("it is on a disk"));
        }
        Ok(directory.join("salts"))
    }

    /// Wipes the file, and one that a write left that was interrupted. Returns whether there was any.
    pub(super) fn wipe(&self) -> std::io::Result<bool> {
        let Some(file) = &self.0 else { return Ok(false) };
        let files = [file.clone(), file.with_extension("new")];
        let had_any = files.iter().any(|file| file.exists());
        files.iter().try_for_each(|file| wipe(file))?;
        Ok(had_any)
    }

    pub(super) fn read(&self) -> HashMap<String, Kept> {
        let Some(file) = &self.0 else { return HashMap::new() };
        // A write that was interrupted may have left one.
        let _ = wipe(&file.with_extension("new"));
        let mut text = Zeroizing::new(String::new());
        match File::open(file).and_then(|mut file| file.read_to_string(&mut text)) {
            Ok(_) => parse(&text).unwrap_or_else(|| {
                tracing::warn!("the salts of an earlier run can not be read; the day begins anew");
                HashMap::new()
            }),
            Err(_) => HashMap::new(),
        }
    }

    /// Not to have the file costs accuracy after a restart, no promise; to have an old one costs the
    /// promise. So what can not be replaced is wiped.
    pub(super) fn write(&self, zones: &HashMap<String, Zone>) {
        let Some(file) = &self.0 else { return };
        if let Err(error) = replace(file, &format(zones)) {
            tracing::warn!(%error, "the day's salt could not be kept for a restart");
            if let Err(error) = wipe(file) {
                tracing::error!(%error, path = %file.display(), "an old salt could not be wiped; remove the file");
            }
        }
    }
}

/// `/dev/shm/passerby-<user>`, and `<16 hexadecimal digits of the data directory's path>` in it. Everybody may make the former, so
/// that it has to be looked to as well: whoever owned it could put another directory into the place of the latter.
fn default_directories(data_dir: &Path) -> (PathBuf, PathBuf) {
    let path = data_dir.canonicalize().unwrap_or_else(|_| data_dir.to_owned());
    let digest = hex::encode(&Sha256::digest(path.as_os_str().as_encoded_bytes())[..8]);
    let user = rustix::process::geteuid().as_raw();
    let above = PathBuf::from(format!("/dev/shm/passerby-{user}"));
    let own = above.join(digest);
    (above, own)
}

/// Makes a directory that is for its owner alone, and is this user's; or makes sure that one is.
pub(super) fn make(directory: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let metadata = std::fs::symlink_metadata(directory)?;
    let is_ours = metadata.uid() == rustix::process::geteuid().as_raw();
    if !metadata.is_dir() || !is_ours || metadata.mode() & 0o077 != 0 {
        let path = directory.display();
        let reason = format!("{path} belongs to somebody else, or others may enter it");
        return Err(std::io::Error::other(reason));
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn is_in_memory(directory: &Path) -> bool {
    const TMPFS: u64 = 0x0102_1994;
    const RAMFS: u64 = 0x8584_58f6;
    rustix::fs::statfs(directory).is_ok_and(|found| [TMPFS, RAMFS].contains(&(found.f_type as u64)))
}

#[cfg(not(target_os = "linux"))]
fn is_in_memory(_: &Path) -> bool {
    false
}

/// Puts a new file in the place of the old one, whose contents are then overwritten with zeros.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    let old = File::options().write(true).open(file).ok();
    let fresh = file.with_extension("new");
    // One that a write left that was interrupted.
    wipe(&fresh)?;
    let mut options = File::options();
    options.create_new(true).write(true).mode(0o600).open(&fresh)?.write_all(text.as_bytes())?;
    std::fs::rename(&fresh, file)?;
    old.map_or(Ok(()), overwrite)
}

/// Overwrites and removes a file, if it is there.
fn wipe(file: &Path) -> std::io::Result<()> {
    match File::options().write(true).open(file) {
        Ok(old) => overwrite(old).and(std::fs::remove_file(file)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn overwrite(mut file: File) -> std::io::Result<()> {
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    file.write_all(&vec![0; length])
}

/// One allocation, so that no half-grown copy of a key is left behind.
fn format(zones: &HashMap<String, Zone>) -> Zeroizing<String> {
    let line_bytes = |name: &str| name.len() + 64 + 16;
    let needed: usize = zones.keys().map(|name| 2 * line_bytes(name)).sum();
    let mut text = Zeroizing::new(String::with_capacity(HEADER.len() + needed));
    text.push_str(HEADER);
    for (name, zone) in zones {
        for dated in zone.salts() {
            text.push_str(&format!("\n{name} {} ", dated.day));
            hex::append(&mut text, dated.salt.0.as_slice());
        }
    }
    text
}

pub(super) fn parse(text: &str) -> Option<HashMap<String, Kept>> {
    let mut lines = text.lines();
    (lines.next()? == HEADER).then_some(())?;
    let mut found: HashMap<String, Kept> = HashMap::new();
    for line in lines {
        let mut words = line.split(' ');
        let (name, day, key) = (words.next()?, words.next()?, words.next()?);
        let timezone = TimeZone::get(name).ok()?;
        let dated = Dated::of(salt(key)?, day.parse().ok()?, &timezone);
        let zone = found.entry(name.to_owned());
        zone.or_insert_with(|| Kept { timezone, salts: Vec::new() }).salts.push(dated);
    }
    Some(found)
}

fn salt(digits: &str) -> Option<Salt> {
    let mut key = Box::new([0; 32]);
    hex::decode_into(key.as_mut_slice(), digits)?;
    Some(Salt(key))
}
