//! Who read what and when: a line of JSON for every report, export and page that was asked for, in a file
//! for each UTC day (`reads/2026-11-25.jsonl` in the data directory), with no address in it.
//!
//! It must cost the readers nothing, and the beacons even less: a line is handed to a thread that writes
//! it, and when that can not keep up the line is lost and counted; the next that is written says how many.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// So many lines wait to be written, at most.
const WAITING_MAX: usize = 1_024;
/// The most bytes of one day. What comes then is lost, and counted.
const DAY_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// The most dimensions of a line.
pub(crate) const DIMENSIONS_MAX: usize = 20;
/// The file that remembers when each token and link was used last.
const LAST_FILE: &str = "last.json";

/// Who read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Reader {
    /// Whoever owns the data directory: a command.
    Owner,
    /// Whoever has a token, in a program or signed in to the dashboard.
    Token {
        /// Its public name.
        id: String,
        /// What it is for.
        name: String,
    },
    /// A member, signed in to the dashboard.
    Person {
        /// The name that the person signed in with.
        name: String,
    },
    /// Whoever came by a shared link.
    Link {
        /// Its number.
        id: String,
        /// What it is for.
        name: String,
    },
    /// Whoever looked at a public site.
    Public,
    /// Whoever may read nothing.
    #[default]
    Nobody,
}

impl Reader {
    /// What its last use is remembered by.
    fn key(&self) -> Option<String> {
        match self {
            Self::Token { id, .. } => Some(token_key(id)),
            Self::Link { id, .. } => Some(link_key(id)),
            Self::Owner | Self::Person { .. } | Self::Public | Self::Nobody => None,
        }
    }
}

fn token_key(id: &str) -> String {
    format!("token {id}")
}

fn link_key(id: &str) -> String {
    format!("link {id}")
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// When it was answered.
    pub time: Timestamp,
    /// Who asked.
    pub reader: Reader,
    /// The site, if one was asked for that there is.
    pub site: Option<String>,
    /// Which kind of question or page, as the route is written.
    pub route: String,
    /// The dimensions that were asked for, without any value.
    pub dimensions: Vec<String>,
    /// The status of the answer: 401 and the like say that nothing was read.
    pub status: u16,
    /// So many lines were lost before this one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lost: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The log.
pub struct AccessLog {
    directory: PathBuf,
    days: u32,
    told: SyncSender<Told>,
    lost: Arc<AtomicU64>,
    last: Arc<RwLock<HashMap<String, Timestamp>>>,
}

/// What the thread that writes is told.
enum Told {
    /// A line.
    Read(Read),
    /// Uses were forgotten.
    Forgotten,
}

/// Which lines are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Of this site alone.
    pub site: Option<String>,
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// So many, the latest.
    pub limit: usize,
}

impl AccessLog {
    /// The log in `directory`, whose lines are kept for so many days; with 0 nothing is logged.
    pub fn open(directory: PathBuf, days: u32) -> Self {
        let (told, received) = sync_channel(WAITING_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let last = Arc::new(RwLock::new(last(&directory)));
        let writer = Writer {
            directory: directory.clone(),
            days,
            lost: Arc::clone(&lost),
            last: Arc::clone(&last),
            open: None,
        };
        // It ends when the log does.
        std::thread::spawn(move || writer.run(&received));
        Self { directory, days, told, lost, last }
    }

    /// Hands a line over. Never waits.
    pub fn note(&self, read: Read) {
        if self.days == 0 {
            return;
        }
        if let Some(key) = read.reader.key() {
            let mut last = self.last.write().unwrap_or_else(PoisonError::into_inner);
            last.insert(key, read.time);
        }
        if self.told.try_send(Told::Read(read)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Removes what is not kept any longer, also when nobody reads.
    pub fn keep_no_longer(&self, now: Timestamp) {
        keep(&self.directory, self.days, utc_day(now));
    }

    /// Forgets when tokens and links were used last, but for those that there are. May wait for the disk.
    pub fn forget_uses(&self, tokens: &[String], links: &[u32]) {
        let links = links.iter().map(|id| link_key(&id.to_string()));
        let keys: HashSet<_> = tokens.iter().map(|id| token_key(id)).chain(links).collect();
        let mut last = self.last.write().unwrap_or_else(PoisonError::into_inner);
        let before = last.len();
        last.retain(|key, _| keys.contains(key));
        let are_fewer = last.len() < before;
        drop(last);
        if are_fewer {
            // The file would keep them until another is used.
            let _ = self.told.send(Told::Forgotten);
        }
    }

    /// When a token was used last, as far as is remembered.
    pub fn token_used(&self, id: &str) -> Option<Timestamp> {
        self.used(&token_key(id))
    }

    /// When a shared link was used last, as far as is remembered.
    pub fn link_used(&self, id: u32) -> Option<Timestamp> {
        self.used(&link_key(&id.to_string()))
    }

    fn used(&self, key: &str) -> Option<Timestamp> {
        self.last.read().unwrap_or_else(PoisonError::into_inner).get(key).copied()
    }

    /// The latest lines of those that are wanted, the oldest of them first.
    ///
    /// # Errors
    /// When the files can not be read.
    pub fn read(&self, wanted: &Wanted) -> io::Result<Vec<Read>> {
        let mut days = files(&self.directory)?;
        days.sort_by_key(|(day, _)| std::cmp::Reverse(*day));
        let mut found = std::collections::VecDeque::new();
        let is_wanted = |read: &Read| {
            wanted.site.as_ref().is_none_or(|site| read.site.as_ref() == Some(site))
                && wanted.from.is_none_or(|from| read.time >= from)
        };
        for (day, file) in days {
            if found.len() >= wanted.limit || wanted.from.is_some_and(|from| day < utc_day(from)) {
                break;
            }
            // A day may end its time while others are read.
            let Some(file) = if_there(File::open(file))? else { continue };
            let lines = BufReader::new(file).split(b'\n');
            let mut of_day = Vec::new();
            for line in lines {
                // A line that was cut off, within a letter perhaps, is none.
                of_day.extend(serde_json::from_slice(&line?).ok().filter(is_wanted));
            }
            for read in of_day.into_iter().rev().take(wanted.limit - found.len()) {
                found.push_front(read);
            }
        }
        Ok(found.into())
    }
}

fn utc_day(moment: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(moment).date()
}

fn if_there<T>(opened: io::Result<T>) -> io::Result<Option<T>> {
    match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}

/// The files of the log, by their day.
fn files(directory: &Path) -> io::Result<Vec<(Date, PathBuf)>> {
    let Some(entries) = if_there(fs::read_dir(directory))? else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let day = name.strip_suffix(".jsonl").and_then(|day| day.parse().ok());
        files.extend(day.map(|day| (day, path.clone())));
    }
    Ok(files)
}

/// Removes the files of the days before the last so many, today among them; with 0 all of them.
fn keep(directory: &Path, days: u32, today: Date) {
    let oldest = today.saturating_sub((i64::from(days) - 1).days());
    let gone = files(directory).unwrap_or_default();
    for (_, file) in gone.into_iter().filter(|(day, _)| *day < oldest) {
        drop(fs::remove_file(file));
    }
}

fn last(directory: &Path) -> HashMap<String, Timestamp> {
    let text = fs::read(directory.join(LAST_FILE)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// What writes the lines.
struct Writer {
    directory: PathBuf,
    days: u32,
    lost: Arc<AtomicU64>,
    last: Arc<RwLock<HashMap<String, Timestamp>>>,
    open: Option<Open>,
}

/// Lines that are written together.
#[derive(Default)]
struct Batch {
    text: Vec<u8>,
    /// How many reads they tell of: those that were lost before are told of as well.
    reads: u64,
}

/// The file of a day.
struct Open {
    day: Date,
    file: File,
    bytes: u64,
    /// Whether its last line may be cut off, by a crash or a full disk: what follows then begins a line of its own.
    may_be_torn: bool,
}

impl Open {
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.may_be_torn {
            self.file.write_all(b"\n")?;
        }
        self.may_be_torn = true;
        self.file.write_all(lines)?;
        self.may_be_torn = false;
        self.bytes += lines.len() as u64;
        Ok(())
    }
}

impl Writer {
    fn run(mut self, received: &Receiver<Told>) {
        while let Ok(told) = received.recv() {
            let (mut batch, mut has_changed) = (Batch::default(), false);
            let mut next = Some(told);
            // What waits is written together.
            while let Some(told) = next {
                next = received.try_recv().ok();
                let Told::Read(read) = told else {
                    has_changed = true;
                    continue;
                };
                let day = utc_day(read.time);
                if self.open.as_ref().is_none_or(|open| open.day != day) {
                    self.write(&mut batch);
                    self.turn_to(day);
                }
                if self.has_room_for(&read.reader) {
                    let lost = self.lost.swap(0, Ordering::Relaxed);
                    batch.reads += 1 + lost;
                    has_changed |= read.reader.key().is_some();
                    // A line of such parts can always be written as JSON.
                    let line = serde_json::to_vec(&Read { lost, ..read }).unwrap_or_default();
                    batch.text.extend(line);
                    batch.text.push(b'\n');
                } else {
                    self.lost.fetch_add(1, Ordering::Relaxed);
                }
            }
            self.write(&mut batch);
            if has_changed {
                self.remember();
            }
        }
    }

    /// Half of a day's room is for those who have a right: what anybody can ask for must not use it up.
    fn has_room_for(&self, reader: &Reader) -> bool {
        let is_anybody = matches!(reader, Reader::Nobody | Reader::Public);
        !(is_anybody && self.open.as_ref().is_some_and(|open| open.bytes > DAY_BYTES_MAX / 2))
    }

    /// Opens the file of a day, and removes those that are kept no longer.
    fn turn_to(&mut self, day: Date) {
        self.open = None;
        keep(&self.directory, self.days, day);
        let path = self.directory.join(format!("{day}.jsonl"));
        let opened = fs::create_dir_all(&self.directory)
            .and_then(|()| OpenOptions::new().create(true).append(true).mode(0o600).open(path));
        match opened {
            Ok(file) => {
                let bytes = file.metadata().map_or(0, |metadata| metadata.len());
                self.open = Some(Open { day, file, bytes, may_be_torn: bytes > 0 });
            }
            Err(error) => tracing::warn!(%error, "the log of reads can not be opened"),
        }
    }

    fn write(&mut self, batch: &mut Batch) {
        let Batch { text, reads } = std::mem::take(batch);
        if reads == 0 {
            return;
        }
        let written = match &mut self.open {
            Some(open) if open.bytes + text.len() as u64 <= DAY_BYTES_MAX => open.write(&text),
            _ => Err(io::Error::other("it is full for today, or was not opened")),
        };
        if let Err(error) = written {
            self.lost.fetch_add(reads, Ordering::Relaxed);
            tracing::debug!(%error, "lines of the log of reads were lost");
        }
    }

    /// When which token and link was used last. Losing it costs a column of a list: nothing is said, and no sync is waited for, which
    /// the spool would have to wait for as well.
    fn remember(&self) {
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner).clone();
        let fresh = self.directory.join("last.new");
        let write = || {
            let mut options = OpenOptions::new();
            let options = options.create(true).write(true).truncate(true).mode(0o600);
            options.open(&fresh)?.write_all(&serde_json::to_vec(&last)?)?;
            fs::rename(&fresh, self.directory.join(LAST_FILE))
        };
        drop(write());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(time: &str, site: &str) -> Read {
        Read {
            time: time.parse().unwrap(),
            reader: Reader::Token { id: "abc".into(), name: "press".into() },
            site: Some(site.to_owned()),
            route: "POST /api/v2/query".into(),
            dimensions: vec!["event:page".into()],
            status: 200,
            lost: 0,
        }
    }

    /// The log writes by itself; it has written what it was told when it has as many lines.
    fn lines(log: &AccessLog, wanted: &Wanted, count: usize) -> Vec<Read> {
        eventually(|| log.read(wanted).unwrap().len() >= count);
        log.read(wanted).unwrap()
    }

    fn eventually(is: impl Fn() -> bool) {
        for _ in 0..2_000 {
            if is() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("waited in vain");
    }

    #[test]
    fn what_was_read_is_found_by_site_and_time_the_latest_last() {
        let directory = tempfile::tempdir().unwrap();
        let log = AccessLog::open(directory.path().join("reads"), 90);
        let noted = [
            read("2026-11-24T10:00:00Z", "a.test"),
            read("2026-11-25T10:00:00Z", "b.test"),
            read("2026-11-25T11:00:00Z", "a.test"),
        ];
        noted.iter().for_each(|read| log.note(read.clone()));
        let all = Wanted { limit: 10, ..Wanted::default() };
        assert_eq!(lines(&log, &all, 3), noted);
        let of_site = Wanted { site: Some("a.test".into()), limit: 1, from: None };
        assert_eq!(log.read(&of_site).unwrap(), noted[2..]);
        let from = Wanted { from: Some(noted[1].time), ..all };
        assert_eq!(log.read(&from).unwrap(), noted[1..]);
        assert_eq!(log.token_used("abc"), Some(noted[2].time));
        assert_eq!(log.link_used(1), None);
    }

    #[test]
    fn lines_are_kept_for_their_days_and_uses_are_remembered() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("reads");
        let log = AccessLog::open(place.clone(), 2);
        log.note(read("2026-11-20T10:00:00Z", "a.test"));
        log.note(read("2026-11-21T10:00:00Z", "a.test"));
        let all = Wanted { limit: 10, ..Wanted::default() };
        assert_eq!(lines(&log, &all, 2).len(), 2);
        log.note(read("2026-11-22T10:00:00Z", "a.test"));
        let last = read("2026-11-22T10:00:00Z", "a.test");
        eventually(|| log.read(&all).unwrap().last() == Some(&last));
        let days: Vec<_> =
            log.read(&all).unwrap().iter().map(|read| read.time.to_string()).collect();
        assert_eq!(days, ["2026-11-21T10:00:00Z", "2026-11-22T10:00:00Z"]);
        eventually(|| AccessLog::open(place.clone(), 2).token_used("abc") == Some(last.time));
        log.keep_no_longer("2026-11-23T10:00:00Z".parse().unwrap());
        assert_eq!(log.read(&all).unwrap(), [last]);
        AccessLog::open(place, 0).keep_no_longer("2026-11-22T10:00:00Z".parse().unwrap());
        assert!(log.read(&all).unwrap().is_empty(), "0 days keep nothing");
    }

    #[test]
    fn every_line_that_was_lost_is_told_of_by_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("reads");
        // Where the directory should be, nothing can be written.
        fs::write(&place, "").unwrap();
        let log = AccessLog::open(place.clone(), 90);
        for minute in 0..3 {
            log.note(read(&format!("2026-11-25T10:0{minute}:00Z"), "a.test"));
        }
        eventually(|| log.lost.load(Ordering::Relaxed) == 3);
        fs::remove_file(&place).unwrap();
        log.note(read("2026-11-26T10:00:00Z", "a.test"));
        let all = Wanted { limit: 10, ..Wanted::default() };
        assert_eq!(lines(&log, &all, 1)[0].lost, 3);
    }

    #[test]
    fn the_last_use_of_a_token_or_link_that_is_no_more_is_forgotten_also_in_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("reads");
        fs::create_dir(&place).unwrap();
        let time = "2026-11-25T10:00:00Z";
        let uses = ["token abc", "token def", "link 1", "link 2"].map(|key| (key, time));
        let uses = serde_json::to_vec(&HashMap::from(uses)).unwrap();
        fs::write(place.join(LAST_FILE), uses).unwrap();
        let log = AccessLog::open(place.clone(), 90);
        log.forget_uses(&["abc".to_owned(), "new".to_owned()], &[2]);
        assert!(log.token_used("abc").is_some() && log.link_used(2).is_some());
        assert!(log.token_used("def").is_none() && log.link_used(1).is_none());
        let in_file = || last(&place).into_keys().collect::<HashSet<_>>();
        eventually(|| in_file() == ["token abc", "link 2"].map(str::to_owned).into());
        log.forget_uses(&[], &[]);
        eventually(|| in_file().is_empty());
    }

    #[test]
    fn a_line_that_was_cut_off_within_a_letter_takes_none_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let day = directory.path().join("2026-11-25.jsonl");
        fs::write(&day, b"{\"reader\":{\"name\":\"B\xc3").unwrap();
        let log = AccessLog::open(directory.path().to_owned(), 90);
        let noted = read("2026-11-25T10:00:00Z", "a.test");
        log.note(noted.clone());
        let all = Wanted { limit: 10, ..Wanted::default() };
        assert_eq!(lines(&log, &all, 1), [noted]);
    }

    #[test]
    fn what_is_not_kept_is_not_written_and_a_torn_line_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let log = AccessLog::open(directory.path().to_owned(), 0);
        log.note(read("2026-11-20T10:00:00Z", "a.test"));
        fs::write(directory.path().join("2026-11-20.jsonl"), "{\"time\":\"2026-").unwrap();
        let all = Wanted { limit: 10, ..Wanted::default() };
        assert!(log.read(&all).unwrap().is_empty());
        assert!(log.token_used("abc").is_none());
    }
}
