//! The salts: random keys that live one day of a time zone, and then are gone.
//!
//! # Rules
//! - A salt belongs to a time zone and a local day. It is 32 random bytes, derived from nothing.
//! - When the day ends it becomes the previous one for [`OVERLAP`], for the visits that were open at
//!   midnight, and is then wiped: by the next request, or by [`Salts::rotate`], which a timer calls
//!   also when nobody visits.
//! - A day that has ended never gets its salt back. When the clock is set to another day, back or
//!   forth, the current salt is wiped and a new one is drawn; a previous one is kept only when the day
//!   ended less than [`OVERLAP`] ago. When the clock stands still, a salt ends [`AGE_MAX`] after it was
//!   drawn.
//!
//! # The file
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
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use zeroize::{Zeroize, Zeroizing};

/// How long a salt outlives its day: as long as a visit may pause.
const OVERLAP: SignedDuration = SignedDuration::from_mins(30);
/// How long a salt may be current whatever the clock shows: the longest day there is.
const AGE_MAX: Duration = Duration::from_secs(25 * 60 * 60);
/// The first line of the file.
const HEADER: &str = "passerby-salts 1";

/// A key. It can be used and nothing else.
pub(super) struct Salt(Box<[u8; 32]>);

impl Salt {
    fn random() -> Self {
        let mut key = Box::new([0; 32]);
        // A system without randomness can keep no promise; the request fails, and counts nothing.
        getrandom::fill(key.as_mut_slice()).expect("the system gives random bytes");
        Self(key)
    }

    /// HMAC-SHA-256 over the parts, each with its length before it.
    pub(super) fn hmac(&self, parts: &[&[u8]]) -> [u8; 32] {
        // Unwrap safety: HMAC takes keys of any length.
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("HMAC takes any key");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    #[cfg(test)]
    pub(super) fn of(key: [u8; 32]) -> Self {
        Self(Box::new(key))
    }
}

impl Drop for Salt {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The salts of all time zones.
pub struct Salts {
    zones: RwLock<HashMap<String, Zone>>,
    store: SaltStore,
}

/// The salts of one time zone.
struct Zone {
    timezone: TimeZone,
    current: Dated,
    previous: Option<Dated>,
}

struct Dated {
    day: Date,
    begins: Timestamp,
    ends: Timestamp,
    drawn: Instant,
    salt: Salt,
}

impl Dated {
    fn of(salt: Salt, day: Date, timezone: &TimeZone) -> Self {
        let start = |day: Date| {
            day.to_zoned_datetime(timezone.clone()).map(|midnight| midnight.timestamp())
        };
        let begins = start(day).unwrap_or(Timestamp::MIN);
        let ends = day.tomorrow().and_then(start).unwrap_or(Timestamp::MAX);
        Self { day, begins, ends, drawn: Instant::now(), salt }
    }

    fn is_current(&self, now: Timestamp) -> bool {
        (self.begins..self.ends).contains(&now)
    }

    fn is_in_overlap(&self, now: Timestamp) -> bool {
        let gone = self.ends.saturating_add(OVERLAP).unwrap_or(Timestamp::MAX);
        (self.ends..gone).contains(&now)
    }
}

impl Zone {
    fn begin(timezone: &TimeZone, now: Timestamp) -> Self {
        let day = timezone.to_datetime(now).date();
        Self {
            timezone: timezone.clone(),
            current: Dated::of(Salt::random(), day, timezone),
            previous: None,
        }
    }

    /// Whether what the zone holds is what it should hold now.
    fn is_due(&self, now: Timestamp) -> bool {
        !self.current.is_current(now)
            || self.previous.as_ref().is_some_and(|previous| !previous.is_in_overlap(now))
    }

    fn is_too_old(&self) -> bool {
        self.current.drawn.elapsed() >= AGE_MAX
    }

    fn rotate(&mut self, now: Timestamp) {
        if !self.current.is_current(now) || self.is_too_old() {
            let next = Self::begin(&self.timezone, now).current;
            self.previous = Some(std::mem::replace(&mut self.current, next));
        }
        self.previous = self.previous.take().filter(|previous| previous.is_in_overlap(now));
    }
}

impl Salts {
    /// The salts that the store still has for this moment, and new ones when they are needed.
    pub fn open(store: SaltStore, now: Timestamp) -> Self {
        let zones = store.read(now);
        Self { zones: RwLock::new(zones), store }
    }

    /// Uses the salt of now, and the previous one while it lives.
    pub(super) fn with<T>(
        &self,
        timezone: &TimeZone,
        now: Timestamp,
        use_salts: impl FnOnce(&Salt, Option<&Salt>) -> T,
    ) -> T {
        let name = timezone.iana_name().unwrap_or("UTC");
        {
            let zones = self.zones.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(zone) = zones.get(name).filter(|zone| !zone.is_due(now)) {
                return use_salts(
                    &zone.current.salt,
                    zone.previous.as_ref().map(|previous| &previous.salt),
                );
            }
        }
        let mut zones = self.zones.write().unwrap_or_else(PoisonError::into_inner);
        let zone = zones.entry(name.to_owned()).or_insert_with(|| Zone::begin(timezone, now));
        zone.rotate(now);
        let used =
            use_salts(&zone.current.salt, zone.previous.as_ref().map(|previous| &previous.salt));
        self.store.write(&zones);
        used
    }

    /// Ends what has to end by now. A timer calls it; twice a minute keeps every promise.
    pub fn rotate(&self, now: Timestamp) {
        let mut zones = self.zones.write().unwrap_or_else(PoisonError::into_inner);
        let mut has_changed = false;
        for zone in zones.values_mut().filter(|zone| zone.is_due(now) || zone.is_too_old()) {
            zone.rotate(now);
            has_changed = true;
        }
        if has_changed {
            self.store.write(&zones);
        }
    }
}

/// Where salts outlive the process, if anywhere.
pub struct SaltStore(Option<PathBuf>);

impl SaltStore {
    /// Salts are kept in memory alone: a restart begins the day anew.
    pub fn none() -> Self {
        Self(None)
    }

    /// Salts are kept in `directory` (by default one under `/dev/shm` that belongs to this data
    /// directory), if that is in memory. If not, the operator is told, and they are not kept.
    pub fn open(directory: Option<&Path>, data_dir: &Path) -> Self {
        let directory = directory.map_or_else(|| default_directory(data_dir), Path::to_owned);
        match Self::prepare(&directory) {
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
        let error = |text: &str| std::io::Error::other(text.to_owned());
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let metadata = std::fs::symlink_metadata(directory)?;
        let is_ours = metadata.uid() == rustix::process::geteuid().as_raw();
        if !metadata.is_dir() || !is_ours || metadata.mode() & 0o077 != 0 {
            return Err(error("it belongs to somebody else, or others may enter it"));
        }
        if !is_in_memory(directory) {
            return Err(error("it is on a disk"));
        }
        Ok(directory.join("salts"))
    }

    fn read(&self, now: Timestamp) -> HashMap<String, Zone> {
        let Some(file) = &self.0 else { return HashMap::new() };
        let mut text = Zeroizing::new(String::new());
        match File::open(file).and_then(|mut file| file.read_to_string(&mut text)) {
            Ok(_) => parse(&text, now).unwrap_or_else(|| {
                tracing::warn!("the salts of an earlier run can not be read; the day begins anew");
                HashMap::new()
            }),
            Err(_) => HashMap::new(),
        }
    }

    /// Losing the file costs accuracy after a restart, no promise: it is only logged.
    fn write(&self, zones: &HashMap<String, Zone>) {
        let Some(file) = &self.0 else { return };
        if let Err(error) = replace(file, &format(zones)) {
            tracing::warn!(%error, "the day's salt could not be kept for a restart");
        }
    }
}

/// `/dev/shm/passerby-<user>/<16 hexadecimal digits of the data directory's path>`
fn default_directory(data_dir: &Path) -> PathBuf {
    let path = data_dir.canonicalize().unwrap_or_else(|_| data_dir.to_owned());
    let digest = hex(&Sha256::digest(path.as_os_str().as_encoded_bytes())[..8]);
    let user = rustix::process::geteuid().as_raw();
    PathBuf::from(format!("/dev/shm/passerby-{user}")).join(digest)
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
    File::options()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?
        .write_all(text.as_bytes())?;
    std::fs::rename(&fresh, file)?;
    if let Some(mut old) = old {
        let length = usize::try_from(old.metadata()?.len()).unwrap_or(0);
        old.write_all(&vec![0; length])?;
    }
    Ok(())
}

fn format(zones: &HashMap<String, Zone>) -> Zeroizing<String> {
    let salts = zones.iter().flat_map(|(name, zone)| {
        [Some(&zone.current), zone.previous.as_ref()]
            .into_iter()
            .flatten()
            .map(move |dated| (name, dated))
    });
    let mut text = Zeroizing::new(String::with_capacity(128 * (1 + 2 * zones.len())));
    text.push_str(HEADER);
    for (name, dated) in salts {
        let key = Zeroizing::new(hex(dated.salt.0.as_slice()));
        text.push_str(&format!("\n{name} {} ", dated.day));
        text.push_str(&key);
    }
    text
}

fn parse(text: &str, now: Timestamp) -> Option<HashMap<String, Zone>> {
    let mut lines = text.lines();
    (lines.next()? == HEADER).then_some(())?;
    let mut found: HashMap<String, (TimeZone, Vec<Dated>)> = HashMap::new();
    for line in lines {
        let mut words = line.split(' ');
        let (name, day, key) = (words.next()?, words.next()?, words.next()?);
        let timezone = TimeZone::get(name).ok()?;
        let dated = Dated::of(unhex(key)?, day.parse().ok()?, &timezone);
        found.entry(name.to_owned()).or_insert_with(|| (timezone, Vec::new())).1.push(dated);
    }
    let zones = found.into_iter().filter_map(|(name, (timezone, salts))| {
        let (mut current, mut previous) = (None, None);
        for dated in salts {
            if dated.is_current(now) {
                current = Some(dated);
            } else if dated.is_in_overlap(now) {
                previous = Some(dated);
            }
        }
        // After a midnight that nobody saw there is only a previous one.
        let current = match (current, &previous) {
            (Some(current), _) => current,
            (None, Some(_)) => Zone::begin(&timezone, now).current,
            (None, None) => return None,
        };
        Some((name, Zone { timezone, current, previous }))
    });
    Some(zones.collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Salt> {
    let mut key = Box::new([0; 32]);
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (place, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(Salt(key))
}

#[cfg(test)]
mod tests {
    use static_assertions::assert_not_impl_any;

    use super::*;

    assert_not_impl_any!(Salt: std::fmt::Debug, std::fmt::Display, Clone, Copy, PartialEq, serde::Serialize);
    assert_not_impl_any!(Salts: std::fmt::Debug, Clone, serde::Serialize);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    /// What stands for the salts of a moment, without being them.
    fn seen(salts: &Salts, timezone: &TimeZone, now: &str) -> ([u8; 32], Option<[u8; 32]>) {
        salts.with(timezone, at(now), |current, previous| {
            (current.hmac(&[]), previous.map(|salt| salt.hmac(&[])))
        })
    }

    fn salts() -> Salts {
        Salts::open(SaltStore::none(), at("2026-03-01T00:00:00Z"))
    }

    #[test]
    fn a_salt_lives_one_local_day_and_half_an_hour() {
        let salts = salts();
        // 23:59 in Berlin, which is an hour ahead of UTC in winter.
        let (first, none) = seen(&salts, &berlin(), "2026-03-01T22:59:00Z");
        assert_eq!(none, None);
        assert_eq!(seen(&salts, &berlin(), "2026-03-01T22:59:59Z"), (first, None));
        let (second, previous) = seen(&salts, &berlin(), "2026-03-01T23:00:00Z");
        assert_ne!(second, first);
        assert_eq!(previous, Some(first));
        assert_eq!(seen(&salts, &berlin(), "2026-03-01T23:29:59Z"), (second, Some(first)));
        assert_eq!(seen(&salts, &berlin(), "2026-03-01T23:30:00Z"), (second, None));
    }

    #[test]
    fn zones_have_salts_and_days_of_their_own() {
        let salts = salts();
        let (one, _) = seen(&salts, &berlin(), "2026-03-01T12:00:00Z");
        let (other, _) =
            seen(&salts, &TimeZone::get("Asia/Kathmandu").unwrap(), "2026-03-01T12:00:00Z");
        assert_ne!(one, other);
    }

    #[test]
    fn the_timer_ends_a_salt_also_when_nobody_visits() {
        let salts = salts();
        let (first, _) = seen(&salts, &berlin(), "2026-03-01T12:00:00Z");
        salts.rotate(at("2026-03-01T23:00:10Z"));
        {
            let zones = salts.zones.read().unwrap();
            assert_eq!(
                zones["Europe/Berlin"].previous.as_ref().map(|dated| dated.salt.hmac(&[])),
                Some(first)
            );
        }
        salts.rotate(at("2026-03-01T23:30:10Z"));
        assert!(salts.zones.read().unwrap()["Europe/Berlin"].previous.is_none());
    }

    #[test]
    fn a_day_never_gets_its_salt_back() {
        let salts = salts();
        let (first, _) = seen(&salts, &berlin(), "2026-03-01T12:00:00Z");
        let (later, previous) = seen(&salts, &berlin(), "2026-03-03T12:00:00Z");
        assert_eq!(previous, None, "a day that ended long ago is no previous one");
        let (again, previous) = seen(&salts, &berlin(), "2026-03-01T12:00:00Z");
        assert_eq!(previous, None);
        assert!(again != first && again != later);
        let (at_1970, _) = seen(&salts, &berlin(), "1970-01-01T00:00:00Z");
        assert!(![first, later, again].contains(&at_1970));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_stands_still_does_not_keep_a_salt_alive() {
        let salts = salts();
        let (first, _) = seen(&salts, &berlin(), "2026-03-01T12:00:00Z");
        tokio::time::advance(AGE_MAX).await;
        salts.rotate(at("2026-03-01T12:00:00Z"));
        assert_ne!(seen(&salts, &berlin(), "2026-03-01T12:00:00Z").0, first);
    }

    #[test]
    fn a_salt_survives_a_restart_within_its_day_and_not_beyond() {
        let directory = tempfile::tempdir().unwrap();
        let store = || SaltStore(Some(directory.path().join("salts")));
        let open = |now: &str| Salts::open(store(), at(now));
        let (first, _) = seen(&open("2026-03-01T12:00:00Z"), &berlin(), "2026-03-01T12:00:00Z");
        assert_eq!(
            seen(&open("2026-03-01T13:00:00Z"), &berlin(), "2026-03-01T13:00:00Z"),
            (first, None)
        );
        let (_, previous) = seen(&open("2026-03-01T23:10:00Z"), &berlin(), "2026-03-01T23:10:00Z");
        assert_eq!(previous, Some(first));
        let (fresh, none) = seen(&open("2026-03-02T12:00:00Z"), &berlin(), "2026-03-02T23:40:00Z");
        assert!(fresh != first && none.is_none());
    }

    #[test]
    fn an_ended_salt_leaves_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("salts");
        let salts = Salts::open(SaltStore(Some(file.clone())), at("2026-03-01T12:00:00Z"));
        seen(&salts, &berlin(), "2026-03-01T12:00:00Z");
        let first = std::fs::read_to_string(&file).unwrap();
        let key = first.rsplit(' ').next().unwrap().to_owned();
        assert_eq!(key.len(), 64);
        let old = File::open(&file).unwrap();
        salts.rotate(at("2026-03-01T23:30:10Z"));
        assert!(!std::fs::read_to_string(&file).unwrap().contains(&key));
        let mut left = Vec::new();
        (&old).read_to_end(&mut left).unwrap();
        assert!(left.iter().all(|&byte| byte == 0), "the old contents are still there");
    }

    #[test]
    fn a_file_that_can_not_be_read_begins_the_day_anew() {
        for text in [
            "",
            "passerby-salts 2",
            "passerby-salts 1\nEurope/Berlin",
            "passerby-salts 1\nMars/Base 2026-03-01 00",
        ] {
            assert!(parse(text, at("2026-03-01T12:00:00Z")).is_none(), "{text}");
        }
    }

    #[test]
    fn a_directory_on_a_disk_is_not_used() {
        let directory = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        assert!(SaltStore::open(Some(directory.path()), directory.path()).0.is_none());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_directory_in_memory_is_used() {
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        assert!(
            SaltStore::open(Some(&directory.path().join("passerby")), directory.path()).0.is_some()
        );
    }
}
