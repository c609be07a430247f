//! Where rows go that ClickHouse will never take: a file of bounded size, for a person to look at, and
//! to load again when what was wrong has been mended.
//!
//! `quarantine/events.jsonl` has a line of JSON for each row: the code of ClickHouse's error, the day, the
//! columns, the row in RowBinary as hexadecimal digits, and when it was put aside. The server's message is not kept, because it
//! may repeat the row in other words. A row may stand in it twice, when the collector was killed between
//! putting it aside and noting so; loading it twice does no harm.
//!
//! A line that this version can not read stays as it is, whatever is done to the others, until its time is over: a newer version
//! may have written it, or a person who tried to mend it.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::trouble::Trouble;
use crate::clock::SharedClock;
use crate::event::{Event, Rows};
use crate::hex;
use crate::spool::Batch;
use crate::store::{Store, StoreError};
use crate::whole_file;

/// The most bytes of the file. Rows that do not fit any more wait in the spool.
const BYTES_MAX: u64 = 64 << 20;
/// As many rows are loaded again with one insert.
const REPLAY_ROWS_MAX: usize = 1_000;

/// The rows that were put aside.
pub struct Quarantine {
    path: PathBuf,
    bytes_max: u64,
    clock: SharedClock,
    /// Whoever reads or writes the file holds it.
    file: Arc<Mutex<()>>,
    /// What it held when that was asked last.
    amount: std::sync::Mutex<Amount>,
}

/// How much has been put aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Rows in the file.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    changed: Option<SystemTime>,
}

/// The right to read and write the file. It goes along to where that is done: nobody else comes to the file while it is, also when
/// whoever waited for it has gone.
type Held = OwnedMutexGuard<()>;

/// A row that was put aside.
#[derive(Deserialize, Serialize)]
struct Line {
    code: Option<u32>,
    day: u32,
    columns: String,
    row: String,
    /// When, in seconds since 1970. Older versions did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    put_aside: Option<i64>,
}

/// A line of the file.
struct Kept {
    /// As it stands there, without its end.
    text: Vec<u8>,
    /// What it says; `None` when this version can not read that.
    line: Option<Line>,
}

/// What of a line tells since when it is there, whoever wrote the rest.
#[derive(Default, Deserialize)]
struct Dated {
    put_aside: Option<i64>,
    day: Option<i64>,
}

/// A row that can be loaded again.
struct Loadable {
    /// The place of its line in the file.
    place: usize,
    day: u32,
    columns: String,
    row: Vec<u8>,
}

/// Rows that were put aside for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// ClickHouse's error code; 0 when it told none.
    pub code: u32,
    /// The site's number; `None` when the row can not be read, as one that a newer version wrote.
    pub site_id: Option<u32>,
    /// The event's name.
    pub name: Option<String>,
    /// How many rows there are of it.
    pub events: u64,
}

/// What became of the rows that were loaded again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Rows that ClickHouse has now.
    pub loaded: u64,
    /// Rows that it still refuses, and lines that can not be read.
    pub kept: u64,
}

/// What became of the rows when some were erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sifted {
    /// Rows that are gone.
    pub erased: u64,
    /// Rows that no longer tell on which page their visit began.
    pub entry_pages: u64,
    /// Rows that can not be read, so that nobody knows whether they were meant. They are still there.
    pub unreadable: u64,
}

/// The rows could not be read, or could not all be loaded again.
#[derive(Debug, thiserror::Error)]
pub enum QuarantineError {
    /// The file can not be read or written.
    #[error("the quarantine {path} can not be read or written ({error}): check the data directory")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// ClickHouse does not take anything at the moment; what is not loaded stays.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Quarantine {
    /// The quarantine of a data directory; nothing is made before there is something to put into it.
    pub fn of(data_dir: &Path, clock: SharedClock) -> Self {
        Self::bounded(data_dir, clock, BYTES_MAX)
    }

    fn bounded(data_dir: &Path, clock: SharedClock, bytes_max: u64) -> Self {
        let path = data_dir.join("quarantine").join("events.jsonl");
        let amount = std::sync::Mutex::default();
        Self { path, bytes_max, clock, file: Arc::default(), amount }
    }

    /// Puts a row aside; it is on disk when this returns.
    ///
    /// # Errors
    /// When the file is full, or can not be written.
    pub(super) async fn keep(&self, row: &Batch, code: Option<u32>) -> io::Result<()> {
        let line = Line {
            code,
            day: row.day,
            columns: (*row.columns).to_owned(),
            row: hex::encode(&row.bytes),
            put_aside: Some(self.clock.now().as_second()),
        };
        let line = serde_json::to_string(&line)? + "\n";
        let _held = self.file.lock().await;
        if let Some(directory) = self.path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        }
        let mut options = File::options();
        let mut file = options.create(true).read(true).append(true).mode(0o600).open(&self.path)?;
        let length = whole_lines(&mut file)?;
        if length + line.len() as u64 > self.bytes_max {
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, "the quarantine is full"));
        }
        let path = self.path.display();
        // A table that refuses all of them would have a line for each: the loader says how many there were.
        tracing::debug!(code, %path, "ClickHouse refuses an event, which is put aside");
        let written = file.write_all(line.as_bytes()).and_then(|()| file.sync_data());
        // A file that was just made is on disk when its directory is, and that one's.
        let places = self.path.ancestors().skip(1).take(if length == 0 { 2 } else { 0 });
        let noted = |()| places.map(File::open).try_for_each(|place| place?.sync_all());
        if let Err(error) = written.and_then(noted) {
            file.set_len(length)?;
            return Err(error);
        }
        Ok(())
    }

    /// What has been put aside, by reason.
    ///
    /// # Errors
    /// When the file can not be read.
    pub async fn list(&self) -> Result<Vec<Entry>, QuarantineError> {
        self.with_file(|path| {
            let mut counts = BTreeMap::new();
            for kept in read(path)? {
                let code = kept.line.as_ref().and_then(|line| line.code).unwrap_or(0);
                let happening = kept.event().map(|event| event.happening);
                let site = happening.as_ref().map(|happening| happening.site_id);
                let name = happening.map(|happening| happening.name);
                *counts.entry((code, site, name)).or_insert(0) += 1;
            }
            let entry = |((code, site_id, name), events)| Entry { code, site_id, name, events };
            Ok(counts.into_iter().map(entry).collect())
        })
        .await
    }

    /// Loads the rows again. What ClickHouse still refuses stays in the file, and so does what can not be read.
    ///
    /// # Errors
    /// When the file can not be read or written, or ClickHouse takes nothing at the moment.
    pub async fn replay(&self, store: &Store) -> Result<Replayed, QuarantineError> {
        let held = Arc::clone(&self.file).lock_owned().await;
        let both = |path: &Path| {
            let lines = read(path)?;
            let loadable = loadable(&lines);
            Ok((lines, loadable))
        };
        let (held, (lines, loadable)) = self.apart(held, both).await?;
        let (mut is_loaded, mut stopped) = (vec![false; lines.len()], None);
        let batches = loadable
            .chunk_by(|one, other| one.day == other.day && one.columns == other.columns)
            .flat_map(|alike| alike.chunks(REPLAY_ROWS_MAX));
        for batch in batches {
            if let Err(error) = load(store, batch, &mut is_loaded).await {
                stopped = Some(error);
                break;
            }
        }
        let loaded = is_loaded.iter().filter(|is_loaded| **is_loaded).count();
        let kept = lines.len() - loaded;
        if loaded > 0 {
            let left = lines.into_iter().zip(is_loaded);
            let left = left.filter(|(_, is_loaded)| !is_loaded).map(|(line, _)| line);
            let left: Vec<Kept> = left.collect();
            self.apart(held, move |path| write(path, &left)).await?;
        }
        match stopped {
            Some(error) => Err(error.into()),
            None => Ok(Replayed { loaded: loaded as u64, kept: kept as u64 }),
        }
    }

    /// Erases the rows that hold an event that is meant, and takes the entry page out of those whose event tells of an erased
    /// one: loaded again, they would bring it back.
    ///
    /// # Errors
    /// When the file can not be read or written; then it is as it was.
    pub async fn sift(
        &self,
        is_meant: impl Fn(&Event) -> bool + Send + 'static,
        tells_of_entry: impl Fn(&Event) -> bool + Send + 'static,
    ) -> Result<Sifted, QuarantineError> {
        self.with_file(move |path| {
            let mut sifted = Sifted::default();
            let mut lines = read(path)?;
            lines.retain_mut(|kept| {
                let event = kept.event();
                let is_erased = event.as_ref().is_some_and(&is_meant);
                sifted.unreadable += u64::from(event.is_none());
                sifted.erased += u64::from(is_erased);
                if let Some(event) = event.filter(|event| !is_erased && tells_of_entry(event)) {
                    kept.begin_nowhere(event);
                    sifted.entry_pages += 1;
                }
                !is_erased
            });
            if sifted.erased + sifted.entry_pages > 0 {
                write(path, &lines)?;
            }
            Ok(sifted)
        })
        .await
    }

    /// Removes what can not be read, so that nobody can tell how long its site keeps it, if it was put aside before an instant.
    /// Says how much.
    ///
    /// # Errors
    /// When the file can not be read or written.
    pub async fn remove_unreadable(&self, before: Timestamp) -> Result<u64, QuarantineError> {
        self.with_file(move |path| {
            let mut lines = read(path)?;
            let count = lines.len();
            // What does not tell since when it is there is no younger than what stands behind it, and than the file.
            let (mut latest, mut is_old) = (changed_at(path)?, Vec::with_capacity(count));
            for kept in lines.iter().rev() {
                let dated = kept.dated();
                latest = dated.put_aside.map_or(latest, |moment| latest.min(moment));
                is_old.push(dated.moment().unwrap_or(latest) < before.as_second());
            }
            lines.retain(|kept| !(is_old.pop() == Some(true) && kept.event().is_none()));
            let removed = count - lines.len();
            if removed > 0 {
                write(path, &lines)?;
            }
            Ok(removed as u64)
        })
        .await
    }

    /// How much there is. The file is read for it, when it is another than the last time. None, when there is none.
    pub fn amount(&self) -> Amount {
        let mut known = self.amount.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(file) = File::open(&self.path) else { return Amount::default() };
        let Ok(metadata) = file.metadata() else { return *known };
        let (bytes, changed) = (metadata.len(), metadata.modified().ok());
        if (known.bytes, known.changed) != (bytes, changed)
            && let Ok(rows) = lines_of(file)
        {
            *known = Amount { rows, bytes, changed };
        }
        *known
    }

    /// The most bytes that there can be.
    pub fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    /// The file, for whoever has to look at it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self, error: io::Error) -> QuarantineError {
        QuarantineError::File { path: self.path.display().to_string(), error }
    }

    /// Works on the file, as soon as nobody else does.
    async fn with_file<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, QuarantineError> {
        let held = Arc::clone(&self.file).lock_owned().await;
        let (_, outcome) = self.apart(held, work).await?;
        Ok(outcome)
    }

    /// Works on the file away from the threads that answer beacons: there may be 64 MiB of lines in it.
    async fn apart<T: Send + 'static>(
        &self,
        held: Held,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<(Held, T), QuarantineError> {
        let path = self.path.clone();
        let working = tokio::task::spawn_blocking(move || Ok((held, work(&path)?)));
        let stopped = |_| Err(io::Error::other("it could not be worked on to its end"));
        working.await.unwrap_or_else(stopped).map_err(|error| self.failed(error))
    }
}

/// The lines of a file. One that was torn by a crash, which is the last and has no end, is no row: it was not noted as put aside.
fn read(path: &Path) -> io::Result<Vec<Kept>> {
    let text = match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text?,
    };
    let whole =
        text.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
    let kept = |line: &[u8]| Kept { text: line.to_vec(), line: serde_json::from_slice(line).ok() };
    Ok(whole.filter(|line| !line.trim_ascii().is_empty()).map(kept).collect())
}

fn write(path: &Path, lines: &[Kept]) -> io::Result<()> {
    whole_file::replace_with(path, |file: &mut BufWriter<File>| {
        for kept in lines {
            file.write_all(&kept.text)?;
            file.write_all(b"\n")?;
        }
        Ok(())
    })
}

/// When a file was written to last, in seconds since 1970; the end of time, if there is none.
fn changed_at(path: &Path) -> io::Result<i64> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(i64::MAX),
        metadata => {
            let changed = Timestamp::try_from(metadata?.modified()?);
            Ok(changed.map_or(i64::MAX, Timestamp::as_second))
        }
    }
}

/// The rows that can be loaded, those together that may be loaded with one insert.
fn loadable(lines: &[Kept]) -> Vec<Loadable> {
    let row = |(place, kept): (usize, &Kept)| {
        let line = kept.line.as_ref()?;
        Some(Loadable { place, day: line.day, columns: line.columns.clone(), row: line.bytes()? })
    };
    let mut rows: Vec<Loadable> = lines.iter().enumerate().filter_map(row).collect();
    rows.sort_by(|one, other| (one.day, &one.columns).cmp(&(other.day, &other.columns)));
    rows
}

impl Kept {
    /// The event, if this version can read it.
    fn event(&self) -> Option<Event> {
        let line = self.line.as_ref()?;
        line.bytes().and_then(|row| Rows::of(&line.columns).decode(&row).ok())
    }

    /// Makes it the row of its event without the first page of the visit, in the columns of this version.
    fn begin_nowhere(&mut self, mut event: Event) {
        let Some(line) = &mut self.line else { return };
        event.happening.entry_pathname.clear();
        let mut row = Vec::new();
        event.encode(&mut row);
        line.columns = Event::columns().collect::<Vec<_>>().join(",");
        line.row = hex::encode(&row);
        // Such a line can always be written as JSON.
        self.text = serde_json::to_vec(line).unwrap_or_default();
    }

    fn dated(&self) -> Dated {
        serde_json::from_slice(&self.text).unwrap_or_default()
    }
}

impl Dated {
    /// When the line was put aside, in seconds since 1970. Where that was not noted, its day stands for it.
    fn moment(&self) -> Option<i64> {
        let day_ended = || Some(self.day?.saturating_add(1).saturating_mul(24 * 60 * 60));
        self.put_aside.or_else(day_ended)
    }
}

impl Line {
    fn bytes(&self) -> Option<Vec<u8>> {
        hex::decode(&self.row)
    }
}

fn lines_of(file: File) -> io::Result<u64> {
    let (mut file, mut buffer, mut lines) = (file, vec![0; 64 << 10], 0);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(lines),
            count => lines += buffer[..count].iter().filter(|byte| **byte == b'\n').count() as u64,
        }
    }
}

/// How long the file is without a line at its end that a crash tore, which is cut off: another line would be one with it.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    if length > 0 {
        file.read_exact_at(&mut last, length - 1)?;
    }
    if last == [b'\n'] {
        return Ok(length);
    }
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end as u64 + 1);
    file.set_len(whole)?;
    Ok(whole)
}

/// Loads rows that are alike with one insert; one by one when ClickHouse refuses a row among them. Notes the lines of those that
/// it has taken.
async fn load(store: &Store, rows: &[Loadable], is_loaded: &mut [bool]) -> Result<(), StoreError> {
    let Some(Loadable { columns, .. }) = rows.first() else { return Ok(()) };
    let bytes: Vec<u8> = rows.iter().flat_map(|row| &row.row).copied().collect();
    match store.insert_events(columns, bytes).await {
        Err(error) if Trouble::of(&error) == Trouble::Poison => {}
        outcome => {
            if outcome.is_ok() {
                rows.iter().for_each(|row| is_loaded[row.place] = true);
            }
            return outcome;
        }
    }
    if rows.len() > 1 {
        for row in rows {
            Box::pin(load(store, std::slice::from_ref(row), is_loaded)).await?;
        }
    }
    Ok(())
}

/// Shared between the loader and the routes.
pub type SharedQuarantine = Arc<Quarantine>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::event::{Happening, PAGEVIEW, SessionId};
    use crate::site::SiteId;
    use crate::store::{Selection, Server};

    /// When rows are put aside here: noon of the day 20,001.
    const NOON: i64 = 20_001 * 86_400 + 43_200;

    fn noon() -> Arc<ManualClock> {
        ManualClock::at(Timestamp::from_second(NOON).unwrap())
    }

    fn lines(quarantine: &Quarantine) -> Vec<Kept> {
        read(&quarantine.path).unwrap()
    }

    fn bytes(kept: &Kept) -> Vec<u8> {
        kept.line.as_ref().and_then(Line::bytes).unwrap()
    }

    fn row(byte: u8) -> Batch {
        Batch { day: 1, columns: "a,b".into(), bytes: vec![byte; 100].into(), row_ends: vec![100] }
    }

    #[tokio::test]
    async fn what_does_not_fit_is_refused_and_what_is_there_stays() {
        let directory = tempfile::tempdir().unwrap();
        let quarantine = Quarantine::bounded(directory.path(), noon(), 600);
        assert_eq!(quarantine.list().await.unwrap(), []);
        quarantine.keep(&row(1), Some(27)).await.unwrap();
        quarantine.keep(&row(2), Some(27)).await.unwrap();
        let refusal = quarantine.keep(&row(3), None).await.unwrap_err();
        assert_eq!(refusal.kind(), io::ErrorKind::QuotaExceeded);
        let lines = lines(&quarantine);
        assert_eq!(lines.len(), 2);
        assert_eq!(bytes(&lines[1]), vec![2; 100]);
        let entry = Entry { code: 27, site_id: None, name: None, events: 2 };
        assert_eq!(quarantine.list().await.unwrap(), [entry]);
    }

    #[tokio::test]
    async fn a_row_does_not_bring_back_that_its_visit_began_on_an_erased_page() {
        let directory = tempfile::tempdir().unwrap();
        let quarantine = Quarantine::of(directory.path(), noon());
        let view = |timestamp: u32, path: &str, entry: &str| {
            let happening = Happening {
                site_id: 7,
                timestamp,
                name: PAGEVIEW.to_owned(),
                session_id: SessionId::first_of(1_000),
                pathname: path.to_owned(),
                entry_pathname: entry.to_owned(),
                ..Happening::default()
            };
            Event { happening, attributes: Arc::default() }
        };
        let views = [
            view(1_000, "/secret", "/secret"),
            view(2_000, "/a", "/secret"),
            view(2_001, "/b", "/other"),
        ];
        // As an older version wrote it, which had fewer columns.
        let older = "site_id,timestamp,name,session_id,pathname,entry_pathname";
        for (place, view) in views.iter().enumerate() {
            let mut bytes = Vec::new();
            let columns = match place {
                1 => {
                    let happening = &view.happening;
                    bytes.extend(happening.site_id.to_le_bytes());
                    bytes.extend(happening.timestamp.to_le_bytes());
                    let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
                    bytes.extend(text(&happening.name));
                    bytes.extend(happening.session_id.0.to_le_bytes());
                    bytes.extend(text(&happening.pathname));
                    bytes.extend(text(&happening.entry_pathname));
                    older.to_owned()
                }
                _ => {
                    view.encode(&mut bytes);
                    Event::columns().collect::<Vec<_>>().join(",")
                }
            };
            let row_ends = vec![bytes.len()];
            let batch = Batch { day: 1, columns: columns.into(), bytes: bytes.into(), row_ends };
            quarantine.keep(&batch, Some(27)).await.unwrap();
        }
        let selection = Selection {
            path: Some(crate::store::Path::of("/secret")),
            to: Some(Timestamp::from_second(1_500).unwrap()),
            ..Selection::of(SiteId(7))
        };
        let sift = async || {
            let (meant, entry) = (selection.clone(), selection.clone());
            let is_meant = move |event: &Event| meant.means(event);
            quarantine.sift(is_meant, move |event| entry.means_entry_of(event)).await.unwrap()
        };
        assert_eq!(sift().await, Sifted { erased: 1, entry_pages: 1, unreadable: 0 });
        assert_eq!(sift().await, Sifted::default());
        let left = lines(&quarantine);
        assert!(left.iter().all(|kept| kept.dated().put_aside == Some(NOON)));
        let left: Vec<Happening> =
            left.iter().map(|kept| kept.event().unwrap().happening).collect();
        let pages =
            |happening: &Happening| format!("{} {}", happening.pathname, happening.entry_pathname);
        assert_eq!(left.iter().map(pages).collect::<Vec<_>>(), ["/a ", "/b /other"]);
        assert!(
            left[0].interactive,
            "a column that the row had not got is as where nothing was told"
        );
    }

    /// The line of a row of an unknown column, which was put aside at an hour of the day 20,001; of an older version, where none is given.
    fn unreadable(day: u32, hour: Option<i64>) -> String {
        let put_aside = hour.map(|hour| NOON - 43_200 + hour * 3_600);
        let line =
            Line { code: None, day, columns: "of_tomorrow".into(), row: "01".into(), put_aside };
        serde_json::to_string(&line).unwrap()
    }

    fn readable(day: u32) -> String {
        let mut row = Vec::new();
        Event { happening: Happening::default(), attributes: Arc::default() }.encode(&mut row);
        let columns = Event::columns().collect::<Vec<_>>().join(",");
        let row = hex::encode(&row);
        serde_json::to_string(&Line { code: Some(27), day, columns, row, put_aside: None }).unwrap()
    }

    fn with_lines(lines: &[&str]) -> (tempfile::TempDir, Quarantine) {
        let directory = tempfile::tempdir().unwrap();
        let quarantine = Quarantine::of(directory.path(), noon());
        std::fs::create_dir(quarantine.path.parent().unwrap()).unwrap();
        std::fs::write(&quarantine.path, lines.join("\n") + "\n").unwrap();
        (directory, quarantine)
    }

    fn texts(quarantine: &Quarantine) -> Vec<String> {
        let text = |kept: Kept| String::from_utf8(kept.text).unwrap();
        lines(quarantine).into_iter().map(text).collect()
    }

    #[tokio::test]
    async fn what_can_not_be_read_ends_by_when_it_was_put_aside_and_what_can_be_does_not() {
        let (long_ago, morning) = (unreadable(10_000, Some(13)), unreadable(20_001, Some(11)));
        let (of_day, of_day_before) = (unreadable(20_001, None), unreadable(20_000, None));
        let (readable, odd) = (readable(10_000), r#"{"rows":[1,2]}"#);
        let (_directory, quarantine) =
            with_lines(&[odd, &of_day_before, &morning, &of_day, &readable, odd, &long_ago, odd]);
        let noon = Timestamp::from_second(NOON).unwrap();
        // The first odd line stands before one of the morning, the second before one of one o'clock, the last is as old as the file.
        assert_eq!(quarantine.remove_unreadable(noon).await.unwrap(), 3);
        assert_eq!(quarantine.remove_unreadable(noon).await.unwrap(), 0);
        assert_eq!(texts(&quarantine), [&of_day, &readable, odd, &long_ago, odd]);
        // The file has just been written, in whatever year that was.
        let year_3000 = Timestamp::from_second(32_503_680_000).unwrap();
        assert_eq!(quarantine.remove_unreadable(year_3000).await.unwrap(), 4);
        assert_eq!(texts(&quarantine), [readable]);
    }

    #[tokio::test]
    async fn a_line_that_can_not_be_read_stays_as_it_is_whatever_is_done_to_the_others() {
        let (whole, of_tomorrow) = (readable(20_001), unreadable(20_001, Some(11)));
        let newer = r#"{"code":null,"row_of_two":["x"], "day": 20001}"#;
        let (_directory, quarantine) =
            with_lines(&[newer, &whole, "what is this\u{e9}", &of_tomorrow]);
        let all = |_: &Event| true;
        let entries = quarantine.list().await.unwrap();
        assert_eq!(entries.iter().map(|entry| entry.events).sum::<u64>(), 4);
        let sifted = quarantine.sift(all, all).await.unwrap();
        assert_eq!(sifted, Sifted { erased: 1, entry_pages: 0, unreadable: 3 });
        assert_eq!(texts(&quarantine), [newer, "what is this\u{e9}", &of_tomorrow]);
    }

    #[tokio::test]
    async fn digits_that_can_not_be_read_are_not_counted_as_loaded() {
        let broken = ["0g", "012", "+1"]
            .map(|row| format!(r#"{{"code":27,"day":20001,"columns":"a","row":"{row}"}}"#));
        let broken = broken.each_ref().map(String::as_str);
        let (_directory, quarantine) = with_lines(&broken);
        // Nobody is asked, for there is nothing to load.
        let [user, password, database] = ["user", "", "passerby"].map(str::to_owned);
        let server = Server { url: "http://127.0.0.1:1".to_owned(), user, password, database };
        let replayed = quarantine.replay(&Store::connect(&server, &server)).await.unwrap();
        assert_eq!(replayed, Replayed { loaded: 0, kept: 3 });
        assert_eq!(texts(&quarantine), broken);
    }

    #[tokio::test]
    async fn a_line_that_a_crash_tore_is_passed_over_and_is_no_part_of_the_next_one() {
        let directory = tempfile::tempdir().unwrap();
        let quarantine = Quarantine::bounded(directory.path(), noon(), 10_000);
        quarantine.keep(&row(1), Some(27)).await.unwrap();
        let text = std::fs::read(&quarantine.path).unwrap();
        for whole in [&b""[..], &text] {
            for torn in 0..text.len() {
                // What the system did not come to write may be anything.
                std::fs::write(&quarantine.path, [whole, &text[..torn], b"\0\xFF"].concat())
                    .unwrap();
                let before = lines(&quarantine).len();
                assert_eq!(before, usize::from(!whole.is_empty()));
                quarantine.keep(&row(2), Some(27)).await.unwrap();
                let lines = lines(&quarantine);
                assert_eq!(lines.len(), before + 1);
                assert_eq!(bytes(&lines[before]), vec![2; 100]);
            }
        }
    }
}
