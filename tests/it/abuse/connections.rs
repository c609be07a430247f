//! Connections that are opened and not used, or used as slowly as can be.

use futures_util::future::join_all;
use hyper::{Method, StatusCode};
use serde_json::json;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{Collector, eventually};

const IDLE: usize = 400;
/// Of each kind more than there are places for reports.
const DRIBBLING: usize = 6 * 40;

/// How many files and sockets a collector has open.
fn descriptors(collector: &Collector) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", collector.pid())).unwrap().count()
}

/// Sends a request a byte at a time, until the collector has had enough.
async fn dribble(mut stream: TcpStream, begin: &'static str) {
    if stream.write_all(begin.as_bytes()).await.is_err() {
        return;
    }
    while stream.write_all(b"x").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn idle_and_dribbling_connections_end_and_others_are_served_meanwhile() {
    let collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "example.com"]);
    let before = descriptors(&collector);
    let connect = || async { TcpStream::connect(collector.address()).await.unwrap() };
    let idle = join_all((0..IDLE).map(|_| connect())).await;
    let dribbling = join_all((0..DRIBBLING).map(|_| connect())).await;
    let begins = [
        "POST /api/event HTTP/1.1\r\nhost: ",
        "POST /api/event HTTP/1.1\r\nhost: x\r\ncontent-length: 900000\r\n\r\n",
        "POST /api/event HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3e8\r\n",
        "POST /api/v2/que",
        "POST /share/x?auth=y HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 9000\r\n\r\n",
        "POST /sign-in HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ntransfer-encoding: chunked\r\n\r\n3e8\r\n",
    ];
    for (stream, begin) in dribbling.into_iter().zip(begins.into_iter().cycle()) {
        tokio::spawn(dribble(stream, begin));
    }
    eventually("all are connected", async || {
        (descriptors(&collector) >= before + IDLE + DRIBBLING / 2).then_some(())
    })
    .await;
    for _ in 0..50 {
        let beacon = json!({ "n": "pageview", "u": "https://example.com/", "d": "example.com" });
        assert_eq!(collector.beacon(&beacon).await.status, StatusCode::ACCEPTED);
        let link = collector.request(Method::GET, "/share/x?auth=y", &[], String::new()).await;
        assert_eq!(link.status, StatusCode::NOT_FOUND, "no place is left among the reports");
    }
    // The clients hang up no connection: it is the collector that does.
    eventually("they have ended", async || (descriptors(&collector) <= before + 10).then_some(()))
        .await;
    drop(idle);
}

#[tokio::test]
async fn a_collector_with_few_files_serves_as_many_as_it_can_and_goes_on() {
    let (writer, reader) = crate::support::servers();
    let collector = Collector::start_with_files(
        192,
        &[
            ("PASSERBY_CLICKHOUSE_URL", writer.url.as_str()),
            ("PASSERBY_CLICKHOUSE_USER", writer.user.as_str()),
            ("PASSERBY_CLICKHOUSE_PASSWORD", writer.password.as_str()),
            ("PASSERBY_CLICKHOUSE_READER_USER", reader.user.as_str()),
            ("PASSERBY_CLICKHOUSE_READER_PASSWORD", reader.password.as_str()),
            ("PASSERBY_CLICKHOUSE_DATABASE", "few_files"),
        ],
    )
    .await;
    collector.run(&["site", "add", "example.com"]);
    // More than there are files: those that are not accepted wait.
    let connect = || async { TcpStream::connect(collector.address()).await.unwrap() };
    let crowd = join_all((0..300).map(|_| connect())).await;
    let beacon = json!({ "n": "pageview", "u": "https://example.com/", "d": "example.com" });
    // The first waits behind the crowd, of which 96 are let in at a time, and sent away after fifteen seconds: three
    // quarters of a minute. The others find room.
    for _ in 0..3 {
        assert_eq!(collector.beacon(&beacon).await.status, StatusCode::ACCEPTED);
    }
    drop(crowd);
    let log = collector.log();
    assert!(!log.contains("could not be accepted"), "it ran out of files: {log}");
}
