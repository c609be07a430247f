//! The spool against a plain model, on a disk that fails, fills up, tears writes and forgets ([`disk`]):
//! single facts here, histories with losses of power in [`power`], damage of every kind in [`damage`].

mod damage;
mod disk;
mod power;

use std::os::unix::fs::FileExt;

use self::disk::SimulatedDisk;
use super::disk::Directory;
use super::*;
use crate::event::{Happening, SessionId, VisitorId};

/// How many trials a property has: `short` of them, unless PROPTEST_CASES asks for more
/// (`make faults` does).
fn trials(short: u32) -> proptest::test_runner::Config {
    let chosen = proptest::test_runner::Config::default();
    let cases = if chosen.cases == 256 { short } else { chosen.cases };
    proptest::test_runner::Config { cases, failure_persistence: None, ..chosen }
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

/// A spool of a few segments, all of whose rows are committed, and which are kept for an hour.
async fn open_with_committed_segments(disk: &SimulatedDisk) -> (Spool, Reader, Limits) {
    let limits =
        Limits { segment_bytes: 5_600, keep: Duration::from_secs(3600), ..Limits::default() };
    let (spool, mut reader) = open(disk, &limits);
    for row in 0..50 {
        append(&spool, &format!("{row:0100}")).await.unwrap();
    }
    drain(&mut reader);
    (spool, reader, limits)
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
    let limits = Limits { bytes_max: 20_000, segment_bytes: 6_000, ..Limits::default() };
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
    let (spool, _reader, limits) = open_with_committed_segments(&disk).await;
    let kept = spool.bytes();
    assert!(kept > 5_000);
    spool.close().await;
    let limits = Limits { keep: Duration::ZERO, ..limits };
    let (spool, mut reader) = open(&disk, &limits);
    append(&spool, "last").await.unwrap();
    drain(&mut reader);
    assert!(spool.bytes() < kept / 2, "segments were kept for longer than they should be");
}

/// An event of this second, which is its path as well.
fn event_of(second: u32) -> Event {
    let happening = Happening {
        site_id: 1,
        timestamp: second,
        name: "pageview".into(),
        visitor_id: VisitorId(2),
        session_id: SessionId(1),
        seq: 1,
        event_id: 1,
        hostname: "example.com".into(),
        pathname: second.to_string(),
        interactive: true,
        engagement_ms: 0,
        scroll_depth: 255,
        props: Vec::new(),
        revenue_amount: 0,
        revenue_currency: String::new(),
        entry_hostname: String::new(),
        entry_pathname: String::new(),
    };
    Event { happening, attributes: Arc::default() }
}

#[tokio::test]
async fn events_are_replayed_from_a_second_on_and_what_is_older_is_not_looked_through() {
    let disk = SimulatedDisk::default();
    let limits = Limits { segment_bytes: 6_000, ..Limits::default() };
    let (spool, mut reader) = open(&disk, &limits);
    // The clock was set back in between.
    let seconds: Vec<u32> = (100..180).chain(170..200).collect();
    for second in &seconds {
        spool.append(vec![Record::of(&event_of(*second))]).await.unwrap();
    }
    let segments = disk.list().unwrap().iter().filter(|name| name.ends_with(".spool")).count();
    assert!(segments > 5, "{segments} segments");
    for since in [0, 100, 150, 175, 199, 200] {
        let mut replayed = Vec::new();
        spool.replay(since, |event| replayed.push(event.happening.timestamp)).unwrap();
        let expected: Vec<u32> =
            seconds.iter().copied().filter(|second| *second >= since).collect();
        assert_eq!(replayed, expected, "since {since}");
    }
    let window = reader.next().await.unwrap();
    reader.commit(&window).unwrap();
    spool.close().await;
    let left = seconds.len() - window.batches.iter().map(Batch::rows).sum::<usize>();
    let (spool, _) = open(&disk, &limits);
    assert_eq!(spool.figures().rows_recovered.load(Ordering::Relaxed), left as u64);
    // A file that is not there any more would be an error.
    let first = segment::file_name(1);
    disk.state().files.remove(&first).expect("the first segment has gone");
    spool.replay(190, |_| {}).unwrap();
    assert!(spool.replay(0, |_| {}).is_err());
}

#[tokio::test]
async fn a_segment_of_another_version_is_refused_and_not_touched() {
    let disk = SimulatedDisk::default();
    disk.replace("0000000000000001.spool", b"PSBYSPL9whatever").unwrap();
    let refused = Spool::open(disk.handle(), Limits::default()).err().expect("it was opened");
    assert!(matches!(refused, SpoolError::Version(_)), "{refused}");
    assert_eq!(disk.length("0000000000000001.spool").unwrap(), 16);
}

/// The files as they are now, also when the collector is killed: on a disk of their own.
fn as_left(directory: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    copy
}

#[tokio::test]
async fn zeros_that_were_laid_down_are_no_damage_and_what_was_begun_in_them_is() {
    let directory = tempfile::tempdir().unwrap();
    let on_disk = |path: &Path| {
        let disk = Directory::open(path.to_owned()).unwrap();
        Spool::open(Arc::new(disk), Limits::default()).unwrap()
    };
    let file = |path: &Path| path.join(segment::file_name(1));
    let (spool, _) = on_disk(directory.path());
    for row in ["first", "second"] {
        append(&spool, row).await.unwrap();
    }
    let rows_end = spool.bytes();
    for (unfinished, damaged) in [(&b""[..], 0), (b"\xF5PSB\x03", 1)] {
        let left = as_left(directory.path());
        let name = file(left.path());
        assert!(std::fs::metadata(&name).unwrap().len() > rows_end, "nothing was laid down");
        let written = std::fs::File::options().write(true).open(&name).unwrap();
        written.write_all_at(unfinished, rows_end).unwrap();
        let (recovered, mut reader) = on_disk(left.path());
        assert_eq!(drain(&mut reader), ["first", "second"]);
        assert_eq!(recovered.figures().damaged.load(Ordering::Relaxed), damaged);
        append(&recovered, "third").await.unwrap();
        assert_eq!(drain(&mut reader), ["third"]);
        recovered.close().await;
        assert_eq!(std::fs::metadata(&name).unwrap().len(), rows_end);
    }
    spool.close().await;
    assert_eq!(std::fs::metadata(file(directory.path())).unwrap().len(), rows_end);
}

#[test]
fn the_format_does_not_change_unnoticed() {
    let seed = Seed(*b"seed");
    let mut frame = Vec::new();
    segment::put_frame(&mut frame, 19_675, b"row");
    segment::seal(&mut frame, seed);
    assert_eq!(frame, *b"\xF5PSB\x03\0\0\0\xDB\x4C\0\0\x2C\xB8\xC9\xC3row");
    let header = segment::header(seed, "a,b");
    assert!(header.starts_with(b"PSBYSPL1seed\x03\0\0\0a,b"));
    let beginning = segment::beginning(seed, "a,b");
    assert_eq!((&beginning[..header.len()], &beginning[4096..]), (&*header, &*header));
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
    let (spool, mut reader, _) = open_with_committed_segments(&disk).await;
    let before = spool.bytes();
    disk.state().bytes_free = Some(0);
    append(&spool, "x").await.unwrap();
    assert!(spool.bytes() < before / 2, "committed segments were kept on a full disk");
    assert_eq!(drain(&mut reader), ["x"]);
}

#[tokio::test]
async fn a_segment_that_another_thread_has_just_removed_does_not_keep_the_next_ones() {
    let disk = SimulatedDisk::default();
    let (spool, mut reader, _) = open_with_committed_segments(&disk).await;
    // As far as the other thread has come: the file is gone, and the segment is still listed.
    disk.state().files.remove(&segment::file_name(1)).unwrap();
    disk.state().bytes_free = Some(0);
    append(&spool, "x").await.unwrap();
    assert_eq!(drain(&mut reader), ["x"]);
}

#[tokio::test]
async fn a_segment_without_a_row_leaves_the_disk_and_nobody_waits_for_it() {
    let disk = SimulatedDisk::default();
    let (spool, mut reader) = open(&disk, &Limits::default());
    // There is room for a header, and for no row; nor is there when what is committed has gone.
    let refused = "x".repeat(20_000);
    let header = segment::beginning(Seed(*b"seed"), &segment::columns()).len() as u64;
    for is_first in [true, false] {
        disk.state().bytes_free = Some(header + 10);
        assert_eq!(append(&spool, &refused).await, Err(AppendError::Full));
        disk.state().bytes_free = None;
        assert!(spool.bytes() > 0);
        assert_eq!(spool.forget_committed(Duration::from_secs(10)).await, 0, "{is_first}");
        assert_eq!(spool.bytes(), 0);
        append(&spool, "row").await.unwrap();
        if is_first {
            spool.rotate();
        }
        assert_eq!(drain(&mut reader), ["row"]);
    }
    // One that lies behind rows which are not committed waits for them.
    append(&spool, "waits").await.unwrap();
    spool.rotate();
    disk.state().bytes_free = Some(header + 10);
    assert_eq!(append(&spool, &refused).await, Err(AppendError::Full));
    disk.state().bytes_free = None;
    assert_eq!(spool.forget_committed(Duration::from_millis(200)).await, 2);
    assert_eq!(drain(&mut reader), ["waits"]);
    assert_eq!(spool.forget_committed(Duration::from_secs(10)).await, 0);
    append(&spool, "last").await.unwrap();
    spool.close().await;
    let (_, mut reader) = open(&disk, &Limits::default());
    assert_eq!(drain(&mut reader), ["last"]);
}

#[tokio::test]
async fn since_when_rows_wait_is_known_of_long_ones_too_and_said_to_be_unknown_where_it_is() {
    let disk = SimulatedDisk::default();
    let (spool, mut reader) = open(&disk, &Limits::default());
    assert_eq!(spool.oldest_waiting(), Oldest::Nothing);
    let mut long = event_of(190);
    long.happening.props =
        (0..30).map(|n| ("k".repeat(300) + &n.to_string(), "v".repeat(3_000))).collect();
    spool.append(vec![Record::of(&long), Record::of(&event_of(195))]).await.unwrap();
    assert_eq!(spool.oldest_waiting(), Oldest::Since(190));
    let name = segment::file_name(1);
    let whole = disk.state().files[&name].clone();
    // Damaged at its head, the row is passed over, and the one behind it is the oldest.
    let row_at = segment::beginning(Seed(*b"seed"), &segment::columns()).len();
    disk.state().files.get_mut(&name).unwrap().bytes[row_at] ^= 1;
    assert_eq!(spool.oldest_waiting(), Oldest::Since(195));
    disk.state().files.get_mut(&name).unwrap().bytes[row_at..].fill(0);
    assert_eq!(spool.oldest_waiting(), Oldest::Unknown);
    disk.state().files.remove(&name);
    assert_eq!(spool.oldest_waiting(), Oldest::Unknown);
    disk.state().files.insert(name, whole);
    let window = reader.next().await.unwrap();
    reader.commit(&window).unwrap();
    assert_eq!(spool.oldest_waiting(), Oldest::Nothing);
    // A row that this version can not read.
    append(&spool, "of a newer version").await.unwrap();
    assert_eq!(spool.oldest_waiting(), Oldest::Unknown);
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

async fn append_at_once(spool: &Spool, rows: usize) -> Vec<Result<(), AppendError>> {
    let append = async |row: usize| append(spool, &row.to_string()).await;
    futures_util::future::join_all((0..rows).map(append)).await
}

#[tokio::test]
async fn what_comes_at_once_shares_syncs_and_everybody_is_answered() {
    let disk = SimulatedDisk::default();
    let (spool, mut reader) = open(&disk, &Limits::default());
    assert_eq!(append_at_once(&spool, 1_000).await, [Ok(()); 1_000]);
    assert_eq!(drain(&mut reader).len(), 1_000);
    let syncs = spool.figures().syncs.load(Ordering::Relaxed);
    assert!(syncs < 500, "{syncs} syncs for a thousand rows");
    disk.state().syncs_until_failure = Some(0);
    assert_eq!(append_at_once(&spool, 100).await, [Err(AppendError::Failed); 100]);
}

#[tokio::test]
async fn nobody_waits_for_a_thread_that_has_ended() {
    let disk = SimulatedDisk::default();
    let (spool, _reader) = open(&disk, &Limits::default());
    append(&spool, "x").await.unwrap();
    let ends_with_its_disk = || {
        let _state = disk.state();
        panic!("whoever uses the disk from now on panics, too");
    };
    let ended = std::thread::scope(|scope| scope.spawn(ends_with_its_disk).join());
    assert!(ended.is_err());
    for _ in 0..2 {
        assert_eq!(append(&spool, "y").await, Err(AppendError::Closed));
    }
}
