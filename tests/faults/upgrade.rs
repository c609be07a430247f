//! A spool that an older version has left, and one that a newer one has; and tables of an older version.

use crate::load::Sender;
use crate::oracle::Fate;
use crate::proxy::Mode;
use crate::rig::{Rig, Start};
use crate::rows::view;
use crate::support::{self, eventually};
use hyper::{Method, StatusCode};
use passerby::event::Event;
use serde_json::Value;

/// The format of the spool as its documentation has it, once more: what is on disks must go on being read.
fn segment(columns: &str, rows: &[Vec<u8>]) -> Vec<u8> {
    let seed = [1, 2, 3, 4];
    let mut head = seed.to_vec();
    head.extend_from_slice(&(columns.len() as u32).to_le_bytes());
    head.extend_from_slice(columns.as_bytes());
    let crc = crc32fast::hash(&head).to_le_bytes();
    let header = [b"PSBYSPL1", head.as_slice(), &crc].concat();
    let mut bytes = header.clone();
    bytes.resize(4096, 0);
    bytes.extend(header);
    for row in rows {
        let mut frame = (row.len() as u32).to_le_bytes().to_vec();
        frame.extend_from_slice(&19_675_u32.to_le_bytes());
        let crc = crc32fast::hash(&[&seed, frame.as_slice(), row].concat());
        bytes.extend_from_slice(b"\xF5PSB");
        bytes.extend_from_slice(&frame);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes.extend_from_slice(row);
    }
    bytes
}

/// A row without its last column.
fn older_row(seq: u32) -> Vec<u8> {
    let mut row = Vec::new();
    view(9, seq, "/older").encode(&mut row);
    // The last column is an empty text: one byte.
    assert_eq!(row.pop(), Some(0));
    row
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_an_older_version_are_loaded_with_the_columns_that_they_have() {
    let mut rig = Rig::new(&support::servers().0, &[]).await;
    let columns: Vec<_> = Event::columns().collect();
    let (_, older) = columns.split_last().unwrap();
    let rows: Vec<_> = (1..=3).map(older_row).collect();
    let path = rig.data_dir().join("spool/0000000000000007.spool");
    std::fs::write(path, segment(&older.join(","), &rows)).unwrap();
    assert_eq!(rig.start().await, Start::Up);
    let sender = Sender::new(&rig.address, &rig.oracle);
    assert_eq!(sender.send().await, Fate::Acknowledged);
    rig.until("everything is stored", |it| it.of("events_waiting") == 0).await;
    let figures = rig.figures().await;
    figures.add_up();
    assert_eq!((figures.of("events_recovered_total"), figures.of("events_stored_total")), (3, 4));
    let count = "SELECT count() FROM events FINAL WHERE pathname = '/older' AND language = ''";
    assert_eq!(rig.store.writer().query(count).fetch_one::<u64>().await.unwrap(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_of_a_newer_version_is_refused_with_a_sentence_and_not_touched() {
    let mut rig = Rig::new(&support::servers().0, &[]).await;
    let path = rig.data_dir().join("spool/0000000000000007.spool");
    let bytes = [b"PSBYSPL2".as_slice(), &[7; 100]].concat();
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(rig.start().await, Start::Died);
    assert!(rig.said().contains("another version of Passerby"), "{}", rig.said());
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

async fn readiness(rig: &Rig) -> StatusCode {
    rig.ask(Method::GET, "/readyz", Value::Null).await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_is_not_ready_while_it_changes_the_tables_and_is_when_it_can_not() {
    let mut rig = Rig::new(&support::servers().0, &[]).await;
    let older = "ALTER TABLE events DROP COLUMN language";
    rig.store.writer().query(older).execute().await.unwrap();
    rig.proxy.set(Mode::Keep("ADD COLUMN"));
    assert_eq!(rig.start().await, Start::Up);
    eventually("the column is being added", async || (rig.proxy.harm() > 0).then_some(())).await;
    assert_eq!(readiness(&rig).await, StatusCode::SERVICE_UNAVAILABLE);
    // Whoever sends beacons all the same loses none.
    let sender = Sender::new(&rig.address, &rig.oracle);
    assert_eq!(sender.send().await, Fate::Acknowledged);
    // Longer than a ClickHouse that says nothing would be waited for.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    assert_eq!(readiness(&rig).await, StatusCode::SERVICE_UNAVAILABLE);

    rig.proxy.set(Mode::Pass);
    let ready = async || (readiness(&rig).await == StatusCode::OK).then_some(());
    eventually("it is ready", ready).await;
    eventually("the column is there", async || {
        let column = "SELECT count() FROM system.columns WHERE database = currentDatabase() AND table = 'events' AND name = 'language'";
        let there = rig.store.writer().query(column).fetch_one::<u64>().await.unwrap();
        (there == 1).then_some(())
    })
    .await;

    // A ClickHouse that does not answer is no reason to send beacons elsewhere.
    rig.terminate();
    rig.proxy.set(Mode::Hang);
    assert_eq!(rig.start().await, Start::Up);
    let ready = async || (readiness(&rig).await == StatusCode::OK).then_some(());
    eventually("it is ready without ClickHouse", ready).await;
    rig.proxy.set(Mode::Pass);
    rig.judge().await;
}
