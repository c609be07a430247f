//! What the promises cost: figures for docs/durability.md, printed by `make faults TEST=costs`. What is
//! asserted is not how long it takes, but that what is paid for is there.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use passerby::event::Event;
use passerby::spool::disk::{Appendable, Directory, Disk};
use passerby::spool::{Limits, Record, Spool};
use passerby::store::Server;

use crate::rows::view;
use crate::{option, support};

/// A disk that says that it has synced.
struct Forgetful(Arc<dyn Disk>);

struct ForgetfulFile(Box<dyn Appendable>);

impl Disk for Forgetful {
    fn list(&self) -> io::Result<Vec<String>> {
        self.0.list()
    }
    fn create(&self, name: &str) -> io::Result<Box<dyn Appendable>> {
        Ok(Box::new(ForgetfulFile(self.0.create(name)?)))
    }
    fn read(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(name, offset, buffer)
    }
    fn length(&self, name: &str) -> io::Result<u64> {
        self.0.length(name)
    }
    fn truncate(&self, name: &str, bytes: u64) -> io::Result<()> {
        self.0.truncate(name, bytes)
    }
    fn replace(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        self.0.replace(name, contents)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }
}

impl Appendable for ForgetfulFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.append(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        self.0.truncate(bytes)
    }
}

fn event() -> Event {
    view(9, 1, "/a/page/as/there/are/many")
}

/// Appends from so many tasks at once; returns the median and the 99th percentile, and rows a sync.
async fn append(disk: Arc<dyn Disk>, tasks: usize, each: usize) -> (Duration, Duration, u64) {
    let (spool, _reader) = Spool::open(disk, Limits::default()).unwrap();
    let appenders: Vec<_> = (0..tasks)
        .map(|_| {
            let spool = spool.clone();
            tokio::spawn(async move {
                let mut latencies = Vec::with_capacity(each);
                for _ in 0..each {
                    let begun = Instant::now();
                    spool.append(vec![Record::of(&event())]).await.unwrap();
                    latencies.push(begun.elapsed());
                }
                latencies
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for appender in appenders {
        latencies.extend(appender.await.unwrap());
    }
    latencies.sort_unstable();
    let syncs = spool.figures().syncs.load(Ordering::Relaxed);
    let rows = latencies.len() as u64;
    spool.close().await;
    (latencies[latencies.len() / 2], latencies[latencies.len() * 99 / 100], rows / syncs.max(1))
}

#[tokio::test(flavor = "multi_thread")]
async fn many_appends_share_a_sync() {
    let each = if option("PASSERBY_FAULTS_ROUNDS").is_some() { 500 } else { 20 };
    let mut shared = 0;
    for tasks in [1, 16, 256] {
        for (what, forgets) in [("synced", false), ("not synced", true)] {
            let directory = tempfile::tempdir().unwrap();
            let disk: Arc<dyn Disk> =
                Arc::new(Directory::open(directory.path().join("spool")).unwrap());
            let disk = if forgets { Arc::new(Forgetful(disk)) } else { disk };
            let (median, p99, rows) = append(disk, tasks, each).await;
            println!(
                "{tasks} at once, {what}: median {median:?}, p99 {p99:?}, {rows} rows a write"
            );
            shared = rows;
        }
    }
    assert!(shared > 1, "each append has a sync of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_there_twice_are_counted_once() {
    let (server, _) = support::servers();
    let server = Server { database: "costs".to_owned(), ..server };
    let store = support::connect(&server, &server).await;
    let client = store.writer();
    client.query("SYSTEM STOP MERGES events").execute().await.unwrap();
    let rows = if option("PASSERBY_FAULTS_ROUNDS").is_some() { 2_000_000_u64 } else { 20_000 };
    for part in 0..20 {
        let insert = format!(
            "INSERT INTO events (site_id, timestamp, name, visitor_id, session_id, seq, event_id, pathname)
             SELECT number % 10, '2026-03-01 00:00:00', 'pageview', number % 50000, intDiv(number, 3), number % 3, number,
                    concat('/', toString(number % 1000))
             FROM numbers({} , {})",
            part * rows / 20,
            rows / 20
        );
        // The last part is sent twice.
        for _ in 0..if part == 19 { 2 } else { 1 } {
            client.query(&insert).execute().await.unwrap();
        }
    }
    let count = async |table: &str| {
        let query = format!("SELECT count() FROM {table}");
        client.query(&query).fetch_one::<u64>().await.unwrap()
    };
    assert_eq!(count("events").await, rows + rows / 20);
    assert_eq!(count("events FINAL").await, rows);
    for site in ["site_id = 3", "1"] {
        for (what, modifier) in [("plain", ""), ("FINAL", "FINAL")] {
            let query = format!(
                "SELECT count() FROM (SELECT pathname, uniq(visitor_id) FROM events {modifier} WHERE {site} GROUP BY pathname)
                 SETTINGS do_not_merge_across_partitions_select_final = 1"
            );
            let mut best = Duration::MAX;
            for _ in 0..5 {
                let begun = Instant::now();
                client.query(&query).fetch_one::<u64>().await.unwrap();
                best = best.min(begun.elapsed());
            }
            println!("{rows} rows in 21 parts, where {site}, {what}: {best:?}");
        }
    }
}
