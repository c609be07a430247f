//! The spool against a plain model, on a disk that fails, fills up, tears writes and forgets.

use std::collections::HashMap;
use std::io;

use proptest::prelude::*;

use super::disk::Appendable;
use super::*;

/// A disk in memory. What was not synced may be gone after a loss of power.
#[derive(Default)]
struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    files: HashMap<String, File>,
    bytes_free: Option<u64>,
    syncs_until_failure: Option<u64>,
}

#[derive(Clone, Default)]
struct File {
    bytes: Vec<u8>,
    synced: usize,
}

impl SimulatedDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Of each file as much is left as was synced, and a part of what was not.
    fn lose_power(&self, kept: usize) {
        for file in self.state().files.values_mut() {
            let end = (file.synced + kept).min(file.bytes.len());
            file.bytes.truncate(end);
        }
    }

    fn handle(&self) -> Arc<dyn Disk> {
        Arc::new(Self { state: Arc::clone(&self.state) })
    }
}

struct Handle {
    name: String,
    state: Arc<Mutex<State>>,
}

fn missing() -> io::Error {
    io::Error::from(io::ErrorKind::NotFound)
}

impl Disk for SimulatedDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.state().files.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Appendable>> {
        self.state().files.insert(name.to_owned(), File::default());
        Ok(Box::new(Handle { name: name.to_owned(), state: Arc::clone(&self.state) }))
    }

    fn read(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let state = self.state();
        let bytes = &state.files.get(name).ok_or_else(missing)?.bytes;
        let rest = bytes.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        Ok(self.state().files.get(name).ok_or_else(missing)?.bytes.len() as u64)
    }

    fn truncate(&self, name: &str, bytes: u64) -> io::Result<()> {
        let mut state = self.state();
        let file = state.files.get_mut(name).ok_or_else(missing)?;
        file.bytes.truncate(usize::try_from(bytes).unwrap());
        file.synced = file.bytes.len();
        Ok(())
    }

    fn replace(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        let file = File { bytes: contents.to_vec(), synced: contents.len() };
        self.state().files.insert(name.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.state().files.remove(name).map(drop).ok_or_else(missing)
    }
}

impl Appendable for Handle {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        let fits = state
            .bytes_free
            .map_or(bytes.len(), |free| usize::try_from(free).unwrap().min(bytes.len()));
        state.bytes_free = state.bytes_free.map(|free| free - fits as u64);
        state
            .files
            .get_mut(&self.name)
            .ok_or_else(missing)?
            .bytes
            .extend_from_slice(&bytes[..fits]);
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        if let Some(left) = &mut state.syncs_until_failure {
            if *left == 0 {
                return Err(io::Error::other("the disk failed"));
            }
            *left -= 1;
        }
        let file = state.files.get_mut(&self.name).ok_or_else(missing)?;
        file.synced = file.bytes.len();
        Ok(())
    }

    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        let file = state.files.get_mut(&self.name).ok_or_else(missing)?;
        file.bytes.truncate(usize::try_from(bytes).unwrap());
        file.synced = file.synced.min(file.bytes.len());
        Ok(())
    }
}

fn record(day: u32, row: &str) -> Record {
    Record { day, row: row.as_bytes().to_vec() }
}

fn open(disk: &SimulatedDisk, limits: &Limits) -> (Spool, Reader) {
    Spool::open(disk.handle(), limits.clone()).unwrap_or_else(|error| panic!("{error}"))
}

/// The rows of a window, in the order of its days.
fn rows(window: &Window) -> Vec<String> {
    let of_batch = |batch: &Batch| {
        let starts = std::iter::once(0).chain(batch.row_ends.iter().copied());
        let row = |(start, &end): (usize, &usize)| {
            String::from_utf8(batch.bytes[start..end].to_vec()).unwrap()
        };
        starts.zip(&batch.row_ends).map(row).collect::<Vec<_>>()
    };
    window.batches.iter().flat_map(of_batch).collect()
}

fn drain(reader: &mut Reader) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(window) = reader.next_now().unwrap() {
        all.extend(rows(&window));
        reader.commit(&window).unwrap();
    }
    all
}

async fn append(spool: &Spool, row: &str) -> Result<(), AppendError> {
    spool.append(vec![record(1, row)]).await
}

#[tokio::test]
async fn what_was_appended_is_read_in_its_order_and_by_its_days() {
    let disk = SimulatedDisk::default();
    let (spool, mut reader) = open(&disk, &Limits::default());
    spool.append(vec![record(2, "a"), record(1, "b"), record(2, "c")]).await.unwrap();
    let window = reader.next().await.unwrap();
    assert_eq!(window.batches.iter().map(|batch| batch.day).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(rows(&window), ["b", "a", "c"]);
    assert_eq!(
        rows(&reader.next().await.unwrap()),
        ["b", "a", "c"],
        "they are given again until they are committed"
    );
    reader.commit(&window).unwrap();
    assert!(reader.next_now().unwrap().is_none());
    spool.close().await;
    let (_, mut again) = open(&disk, &Limits::default());
    assert!(again.next_now().unwrap().is_none(), "a committed row was given again");
}

#[tokio::test]
async fn a_full_disk_refuses_and_takes_again_when_there_is_room() {
    let disk = SimulatedDisk::default();
    let (spool, mut reader) = open(&disk, &Limits::default());
    append(&spool, "first").await.unwrap();
    disk.state().bytes_free = Some(10);
    assert_eq!(append(&spool, "second").await, Err(AppendError::Full));
    disk.state().bytes_free = None;
    append(&spool, "third").await.unwrap();
    assert_eq!(drain(&mut reader), ["first", "third"]);
}

#[tokio::test]
async fn a_spool_that_has_used_up_its_bytes_refuses_until_rows_are_committed() {
    let disk = SimulatedDisk::default();
    let limits = Limits { bytes_max: 4_000, segment_bytes: 1_000, ..Limits::default() };
    let (spool, mut reader) = open(&disk, &limits);
    let mut appended = 0;
    while append(&spool, &format!("{appended:0100}")).await.is_ok() {
        appended += 1;
    }
    assert!(appended > 10);
    assert_eq!(drain(&mut reader).len(), appended);
    append(&spool, "again").await.unwrap();
    assert!(spool.bytes() <= limits.bytes_max);
}

#[tokio::test]
async fn rows_of_a_failed_sync_are_not_read_and_the_file_is_not_used_again() {
    let disk = SimulatedDisk::default();
    let (spool, mut reader) = open(&disk, &Limits::default());
    append(&spool, "first").await.unwrap();
    disk.state().syncs_until_failure = Some(0);
    assert_eq!(append(&spool, "second").await, Err(AppendError::Failed));
    disk.state().syncs_until_failure = None;
    append(&spool, "third").await.unwrap();
    assert_eq!(disk.list().unwrap().iter().filter(|name| name.ends_with(".spool")).count(), 2);
    assert_eq!(drain(&mut reader), ["first", "third"]);
}

#[tokio::test]
async fn committed_rows_are_kept_for_a_while_and_can_be_replayed() {
    let disk = SimulatedDisk::default();
    let limits =
        Limits { segment_bytes: 1_000, keep: Duration::from_secs(3600), ..Limits::default() };
    let (spool, mut reader) = open(&disk, &limits);
    for row in 0..50 {
        append(&spool, &format!("{row:0100}")).await.unwrap();
    }
    drain(&mut reader);
    let kept = spool.bytes();
    assert!(kept > 5_000);
    spool.close().await;
    let limits = Limits { keep: Duration::ZERO, ..limits };
    let (spool, mut reader) = open(&disk, &limits);
    append(&spool, "last").await.unwrap();
    drain(&mut reader);
    assert!(spool.bytes() < kept / 2, "segments were kept for longer than they should be");
}

#[tokio::test]
async fn a_segment_of_another_version_is_refused_and_not_touched() {
    let disk = SimulatedDisk::default();
    disk.replace("0000000000000001.spool", b"PSBYSPL9whatever").unwrap();
    let refused = Spool::open(disk.handle(), Limits::default()).err().expect("it was opened");
    assert!(matches!(refused, SpoolError::Version(_)), "{refused}");
    assert_eq!(disk.length("0000000000000001.spool").unwrap(), 16);
}

#[test]
fn the_format_does_not_change_unnoticed() {
    let seed = Seed(*b"seed");
    let mut frame = Vec::new();
    segment::put_frame(&mut frame, seed, 19_675, b"row");
    assert_eq!(frame, *b"\xF5PSB\x03\0\0\0\xDB\x4C\0\0\x2C\xB8\xC9\xC3row");
    assert!(segment::header(seed, "a,b").starts_with(b"PSBYSPL1seed\x03\0\0\0a,b"));
}

#[tokio::test]
async fn the_number_of_a_segment_that_is_gone_is_not_used_again() {
    let disk = SimulatedDisk::default();
    let (spool, mut reader) = open(&disk, &Limits::default());
    for row in ["first", "second"] {
        append(&spool, row).await.unwrap();
    }
    let window = reader.next().await.unwrap();
    reader.commit(&window).unwrap();
    spool.close().await;
    // The segment that the checkpoint points into is damaged at its beginning, and set aside.
    disk.state().files.get_mut("0000000000000001.spool").unwrap().bytes[20] ^= 1;
    let (spool, _) = open(&disk, &Limits::default());
    append(&spool, "third").await.unwrap();
    spool.close().await;
    let (_, mut reader) = open(&disk, &Limits::default());
    assert_eq!(drain(&mut reader), ["third"]);
}

#[tokio::test]
async fn rows_leave_the_disk_in_their_time_also_when_nothing_new_comes() {
    let disk = SimulatedDisk::default();
    let limits = Limits { keep: Duration::ZERO, ..Limits::default() };
    let (spool, mut reader) = open(&disk, &limits);
    append(&spool, "first").await.unwrap();
    drain(&mut reader);
    spool.rotate();
    spool.close().await;
    reader.forget_old();
    assert_eq!(spool.bytes(), 0);
    let (spool, mut reader) = open(&disk, &limits);
    append(&spool, "second").await.unwrap();
    spool.close().await;
    assert!(disk.list().unwrap().contains(&"0000000000000002.spool".to_owned()));
    assert_eq!(drain(&mut reader), ["second"]);
}

#[tokio::test]
async fn a_full_disk_is_freed_of_what_is_committed() {
    let disk = SimulatedDisk::default();
    let limits =
        Limits { segment_bytes: 1_000, keep: Duration::from_secs(3600), ..Limits::default() };
    let (spool, mut reader) = open(&disk, &limits);
    for row in 0..50 {
        append(&spool, &format!("{row:0100}")).await.unwrap();
    }
    drain(&mut reader);
    let before = spool.bytes();
    disk.state().bytes_free = Some(0);
    assert_eq!(append(&spool, "x").await, Err(AppendError::Full));
    assert!(spool.bytes() < before / 2, "committed segments were kept on a full disk");
}

#[tokio::test]
async fn more_than_may_wait_is_refused_at_once() {
    let disk = SimulatedDisk::default();
    let limits = Limits { waiting_bytes_max: 100, ..Limits::default() };
    let (spool, _) = open(&disk, &limits);
    assert_eq!(append(&spool, &"x".repeat(101)).await, Err(AppendError::Busy));
    append(&spool, "x").await.unwrap();
    let too_long = "x".repeat(segment::ROW_BYTES_MAX + 1);
    assert_eq!(
        append(&open(&disk, &Limits::default()).0, &too_long).await,
        Err(AppendError::Failed)
    );
}

/// What a history does to the spool.
#[derive(Clone, Debug)]
enum Step {
    Append(u8),
    Commit,
    Rotate,
    Restart,
    LosePower { kept: usize },
    FailSync,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (1u8..5).prop_map(Step::Append),
        2 => Just(Step::Commit),
        1 => Just(Step::Rotate),
        1 => Just(Step::Restart),
        1 => (0usize..60).prop_map(|kept| Step::LosePower { kept }),
        1 => Just(Step::FailSync),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever happens, every acknowledged row is read, in its order, and nothing that was not sent.
    #[test]
    fn nothing_acknowledged_is_lost_and_nothing_is_invented(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let disk = SimulatedDisk::default();
            let limits = Limits { segment_bytes: 600, keep: Duration::ZERO, ..Limits::default() };
            let (mut spool, mut reader) = open(&disk, &limits);
            let (mut acknowledged, mut sent, mut seen) = (Vec::new(), 0u32, Vec::new());
            for step in steps {
                match step {
                    Step::Append(count) => {
                        let fresh: Vec<String> = (0..count).map(|place| format!("{:06}", sent + u32::from(place))).collect();
                        sent += u32::from(count);
                        let records = fresh.iter().map(|row| record(1, row)).collect();
                        if spool.append(records).await.is_ok() {
                            acknowledged.extend(fresh);
                        }
                    }
                    Step::Commit => {
                        if let Some(window) = reader.next_now().unwrap() {
                            seen.extend(rows(&window));
                            reader.commit(&window).unwrap();
                        }
                    }
                    Step::Rotate => spool.rotate(),
                    Step::Restart | Step::LosePower { .. } => {
                        spool.close().await;
                        if let Step::LosePower { kept } = step {
                            disk.lose_power(kept);
                        }
                        (spool, reader) = open(&disk, &limits);
                    }
                    Step::FailSync => {
                        disk.state().syncs_until_failure = Some(0);
                        let _ = append(&spool, "lost").await;
                        disk.state().syncs_until_failure = None;
                    }
                }
            }
            seen.extend(drain(&mut reader));
            seen.dedup();
            assert_eq!(seen, acknowledged);
        });
    }

    /// Bits flip, files are cut: the rest is read, and nothing that was not written.
    #[test]
    fn damage_costs_the_rows_that_it_hits_and_no_others(place in any::<prop::sample::Index>(), bit in 0u8..8, cut: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let disk = SimulatedDisk::default();
            let (spool, _) = open(&disk, &Limits::default());
            let written: Vec<String> = (0..20).map(|row| format!("row {row:03}")).collect();
            for row in &written {
                append(&spool, row).await.unwrap();
            }
            spool.close().await;
            {
                let mut state = disk.state();
                let file = state.files.get_mut("0000000000000001.spool").unwrap();
                let place = place.index(file.bytes.len());
                if cut { file.bytes.truncate(place) } else { file.bytes[place] ^= 1 << bit }
            }
            let Ok((_, mut reader)) = Spool::open(disk.handle(), Limits::default()) else {
                // A damaged version number is refused, and nothing is touched.
                return;
            };
            let read = drain(&mut reader);
            assert!(read.iter().all(|row| written.contains(row)), "{read:?}");
            let is_kept_aside = disk.list().unwrap().iter().any(|name| name.ends_with(".damaged"));
            assert!(cut || is_kept_aside || read.len() >= written.len() - 1, "{} rows were lost", written.len() - read.len());
        });
    }
}
