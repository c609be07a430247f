//! Where rows go that ClickHouse will never take: a file of bounded size, for a person to look at, and
//! to load again when what was wrong has been mended.
//!
//! `quarantine/events.jsonl` has a line of JSON for each row: the code of ClickHouse's error, the day, the
//! columns, and the row in RowBinary as hexadecimal digits. The server's message is not kept, because it
//! may repeat the row in other words. A row may stand in it twice, when the collector was killed between
//! putting it aside and noting so; loading it twice does no harm.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::trouble::Trouble;
use crate::event::{Event, Rows};
use crate::spool::Batch;
use crate::store::{Store, StoreError};

/// The most bytes of the file. Rows that do not fit any more wait in the spool.
const BYTES_MAX: u64 = 64 << 20;
/// As many rows are loaded again with one insert.
const REPLAY_ROWS_MAX: usize = 1_000;

/// The rows that were put aside.
pub struct Quarantine {
    path: PathBuf,
    bytes_max: u64,
    /// Whoever reads or writes the file holds it.
    file: Mutex<()>,
}

/// A row that was put aside.
#[derive(Clone, Deserialize, Serialize)]
struct Line {
    code: Option<u32>,
    day: u32,
    columns: String,
    row: String,
}

/// Rows that were put aside for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// ClickHouse's error code; 0 when it told none.
    pub code: u32,
    /// The site's number; `None` when the row was written by a newer version.
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
    /// Rows that it still refuses.
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
    pub fn of(data_dir: &Path) -> Self {
        Self::bounded(data_dir, BYTES_MAX)
    }

    fn bounded(data_dir: &Path, bytes_max: u64) -> Self {
        let path = data_dir.join("quarantine").join("events.jsonl");
        Self { path, bytes_max, file: Mutex::default() }
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
            row: hexadecimal(&row.bytes),
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
        tracing::error!(code, %path, "ClickHouse refuses an event, which is put aside");
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
        let _held = self.file.lock().await;
        let mut counts = BTreeMap::new();
        for line in self.read()? {
            let happening = line.event().map(|event| event.happening);
            let site = happening.as_ref().map(|happening| happening.site_id);
            let name = happening.map(|happening| happening.name);
            *counts.entry((line.code.unwrap_or(0), site, name)).or_insert(0) += 1;
        }
        let entry = |((code, site_id, name), events)| Entry { code, site_id, name, events };
        Ok(counts.into_iter().map(entry).collect())
    }

    /// Loads the rows again. What ClickHouse still refuses stays in the file.
    ///
    /// # Errors
    /// When the file can not be read or written, or ClickHouse takes nothing at the moment.
    pub async fn replay(&self, store: &Store) -> Result<Replayed, QuarantineError> {
        let _held = self.file.lock().await;
        let mut lines = self.read()?;
        lines.sort_by(|one, other| (one.day, &one.columns).cmp(&(other.day, &other.columns)));
        let total = lines.len() as u64;
        let (mut kept, mut stopped) = (Vec::new(), None);
        let mut batches = lines
            .chunk_by(|one, other| one.day == other.day && one.columns == other.columns)
            .flat_map(|alike| alike.chunks(REPLAY_ROWS_MAX));
        for batch in batches.by_ref() {
            if let Err(error) = load(store, batch, &mut kept).await {
                stopped = Some(error);
                break;
            }
        }
        kept.extend(batches.flatten().cloned());
        self.write(&kept)?;
        match stopped {
            Some(error) => Err(error.into()),
            None => Ok(Replayed { loaded: total - kept.len() as u64, kept: kept.len() as u64 }),
        }
    }

    /// Erases the rows that hold an event that is meant, and takes the entry page out of those whose event tells of an erased
    /// one: loaded again, they would bring it back.
    ///
    /// # Errors
    /// When the file can not be read or written; then it is as it was.
    pub async fn sift(
        &self,
        is_meant: impl Fn(&Event) -> bool,
        tells_of_entry: impl Fn(&Event) -> bool,
    ) -> Result<Sifted, QuarantineError> {
        let _held = self.file.lock().await;
        let mut sifted = Sifted::default();
        let mut kept = self.read()?;
        kept.retain_mut(|line| {
            let event = line.event();
            let is_erased = event.as_ref().is_some_and(&is_meant);
            sifted.unreadable += u64::from(event.is_none());
            sifted.erased += u64::from(is_erased);
            if let Some(event) = event.filter(|event| !is_erased && tells_of_entry(event)) {
                line.begin_nowhere(event);
                sifted.entry_pages += 1;
            }
            !is_erased
        });
        if sifted.erased + sifted.entry_pages > 0 {
            self.write(&kept)?;
        }
        Ok(sifted)
    }

    /// Removes the rows of days before an instant that a newer version wrote, so that nobody can tell how long their site keeps
    /// them. Says how many.
    ///
    /// # Errors
    /// When the file can not be read or written.
    pub async fn remove_unreadable(&self, before: Timestamp) -> Result<u64, QuarantineError> {
        let _held = self.file.lock().await;
        let first_kept = before.as_second() / (24 * 60 * 60);
        let mut kept = self.read()?;
        let count = kept.len();
        kept.retain(|line| i64::from(line.day) >= first_kept || line.event().is_some());
        let removed = count - kept.len();
        if removed > 0 {
            self.write(&kept)?;
        }
        Ok(removed as u64)
    }

    /// The file, for whoever has to look at it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self, error: io::Error) -> QuarantineError {
        QuarantineError::File { path: self.path.display().to_string(), error }
    }

    /// The lines of the file. One that was torn by a crash is no row: it was not noted as put aside.
    fn read(&self) -> Result<Vec<Line>, QuarantineError> {
        let text = match std::fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            text => text.map_err(|error| self.failed(error))?,
        };
        let lines = text.split(|byte| *byte == b'\n');
        Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }

    fn write(&self, lines: &[Line]) -> Result<(), QuarantineError> {
        if lines.is_empty() && !self.path.exists() {
            return Ok(());
        }
        let fresh = self.path.with_extension("new");
        let replace = || {
            let mut file =
                File::options().create(true).write(true).truncate(true).mode(0o600).open(&fresh)?;
            for line in lines {
                file.write_all((serde_json::to_string(line)? + "\n").as_bytes())?;
            }
            file.sync_all()?;
            std::fs::rename(&fresh, &self.path)?;
            self.path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
        };
        replace().map_err(|error| self.failed(error))
    }
}

impl Line {
    /// The event, unless a newer version wrote it.
    fn event(&self) -> Option<Event> {
        self.bytes().and_then(|row| Rows::of(&self.columns).decode(&row).ok())
    }

    /// Makes it the row of its event without the first page of the visit, in the columns of this version.
    fn begin_nowhere(&mut self, mut event: Event) {
        event.happening.entry_pathname.clear();
        let mut row = Vec::new();
        event.encode(&mut row);
        self.columns = Event::columns().collect::<Vec<_>>().join(",");
        self.row = hexadecimal(&row);
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        let pairs = self.row.as_bytes().chunks(2);
        pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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

/// Loads lines that are alike with one insert; one by one when ClickHouse refuses a row among them.
async fn load(store: &Store, lines: &[Line], kept: &mut Vec<Line>) -> Result<(), StoreError> {
    let rows: Vec<u8> = lines.iter().filter_map(Line::bytes).flatten().collect();
    let Some(columns) = lines.first().map(|line| &line.columns) else { return Ok(()) };
    match store.insert_events(columns, rows).await {
        Err(error) if Trouble::of(&error) == Trouble::Poison => {}
        outcome => {
            if outcome.is_err() {
                kept.extend_from_slice(lines);
            }
            return outcome;
        }
    }
    if let [line] = lines {
        kept.push(line.clone());
        return Ok(());
    }
    for (place, line) in lines.iter().enumerate() {
        if let Err(error) = Box::pin(load(store, std::slice::from_ref(line), kept)).await {
            kept.extend_from_slice(&lines[place + 1..]);
            return Err(error);
        }
    }
    Ok(())
}

/// Shared between the loader and the routes.
pub type SharedQuarantine = Arc<Quarantine>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Happening, PAGEVIEW, SessionId};
    use crate::site::SiteId;
    use crate::store::Selection;

    fn row(byte: u8) -> Batch {
        Batch { day: 1, columns: "a,b".into(), bytes: vec![byte; 100].into(), row_ends: vec![100] }
    }

    #[tokio::test]
    async fn what_does_not_fit_is_refused_and_what_is_there_stays() {
        let directory = tempfile::tempdir().unwrap();
        let quarantine = Quarantine::bounded(directory.path(), 600);
        assert_eq!(quarantine.list().await.unwrap(), []);
        quarantine.keep(&row(1), Some(27)).await.unwrap();
        quarantine.keep(&row(2), Some(27)).await.unwrap();
        let refusal = quarantine.keep(&row(3), None).await.unwrap_err();
        assert_eq!(refusal.kind(), io::ErrorKind::QuotaExceeded);
        let lines = quarantine.read().unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1].bytes().unwrap(), vec![2; 100]);
        let entry = Entry { code: 27, site_id: None, name: None, events: 2 };
        assert_eq!(quarantine.list().await.unwrap(), [entry]);
    }

    #[tokio::test]
    async fn a_row_does_not_bring_back_that_its_visit_began_on_an_erased_page() {
        let directory = tempfile::tempdir().unwrap();
        let quarantine = Quarantine::of(directory.path());
        let view = |timestamp: u32, path: &str, entry: &str| {
            let happening = Happening {
                site_id: 7,
                timestamp,
                name: PAGEVIEW.to_owned(),
                session_id: SessionId(1_000 << 32),
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
            let is_meant = |event: &Event| selection.means(event);
            quarantine.sift(is_meant, |event| selection.means_entry_of(event)).await.unwrap()
        };
        assert_eq!(sift().await, Sifted { erased: 1, entry_pages: 1, unreadable: 0 });
        assert_eq!(sift().await, Sifted::default());
        let left = quarantine.read().unwrap();
        let left: Vec<Happening> =
            left.iter().map(|line| line.event().unwrap().happening).collect();
        let pages =
            |happening: &Happening| format!("{} {}", happening.pathname, happening.entry_pathname);
        assert_eq!(left.iter().map(pages).collect::<Vec<_>>(), ["/a ", "/b /other"]);
        assert!(
            left[0].interactive,
            "a column that the row had not got is as where nothing was told"
        );
    }

    #[tokio::test]
    async fn rows_that_a_newer_version_wrote_end_with_their_day_and_those_that_can_be_read_do_not()
    {
        let directory = tempfile::tempdir().unwrap();
        let quarantine = Quarantine::of(directory.path());
        let (mut readable, columns) = (Vec::new(), Event::columns().collect::<Vec<_>>().join(","));
        Event { happening: Happening::default(), attributes: Arc::default() }.encode(&mut readable);
        for (day, columns, bytes) in [
            (20_000, "of_tomorrow", vec![1]),
            (20_001, "of_tomorrow", vec![2]),
            (20_000, columns.as_str(), readable),
        ] {
            let row_ends = vec![bytes.len()];
            let batch = Batch { day, columns: columns.into(), bytes: bytes.into(), row_ends };
            quarantine.keep(&batch, Some(27)).await.unwrap();
        }
        let noon = Timestamp::from_second(20_001 * 86_400 + 43_200).unwrap();
        assert_eq!(quarantine.remove_unreadable(noon).await.unwrap(), 1);
        assert_eq!(quarantine.remove_unreadable(noon).await.unwrap(), 0);
        let left = quarantine.read().unwrap();
        let left = left.iter().map(|line| (line.day, line.event().is_some()));
        assert_eq!(left.collect::<Vec<_>>(), [(20_001, false), (20_000, true)]);
    }

    #[tokio::test]
    async fn a_line_that_a_crash_tore_is_passed_over_and_is_no_part_of_the_next_one() {
        let directory = tempfile::tempdir().unwrap();
        let quarantine = Quarantine::bounded(directory.path(), 10_000);
        quarantine.keep(&row(1), Some(27)).await.unwrap();
        let text = std::fs::read(&quarantine.path).unwrap();
        for whole in [&b""[..], &text] {
            for torn in 0..text.len() {
                // What the system did not come to write may be anything.
                std::fs::write(&quarantine.path, [whole, &text[..torn], b"\0\xFF"].concat())
                    .unwrap();
                let before = quarantine.read().unwrap().len();
                assert_eq!(before, usize::from(!whole.is_empty()));
                quarantine.keep(&row(2), Some(27)).await.unwrap();
                let lines = quarantine.read().unwrap();
                assert_eq!(lines.len(), before + 1);
                assert_eq!(lines[before].bytes().unwrap(), vec![2; 100]);
            }
        }
    }
}
