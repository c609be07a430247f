//! Requests that two readers could take for different ones. A beacon is hidden in the body of another: it may
//! be that body, and then nothing, or whoever sent it is told that the message is none.

use futures_util::future::join_all;
use serde_json::json;

use super::{raw, statuses};
use crate::collecting::Sums;
use crate::support::{CHROME, Collector};

fn request(path: &str, fields: &str, body: &str) -> String {
    let method = if path == "/livez" { "GET" } else { "POST" };
    format!("{method} {path} HTTP/1.1\r\nhost: x\r\nuser-agent: {CHROME}\r\n{fields}\r\n{body}")
}

fn beacon(name: &str) -> String {
    json!({ "n": name, "u": "https://example.com/", "d": "example.com" }).to_string()
}

/// A beacon as a whole request, which nobody is meant to see as one.
fn hidden() -> String {
    let body = beacon("Hidden");
    request("/api/event", &format!("content-length: {}\r\n", body.len()), &body)
}

/// Lengths and codings that contradict each other or themselves, with LENGTH for the one that takes the hidden
/// request into the body.
const FRAMINGS: [&str; 44] = [
    "content-length: LENGTH\r\ntransfer-encoding: chunked\r\n",
    "transfer-encoding: chunked\r\ncontent-length: LENGTH\r\n",
    "content-length: LENGTH\r\ntransfer-encoding: xchunked\r\n",
    "content-length: LENGTH\r\ntransfer-encoding: identity\r\n",
    "content-length: LENGTH\r\ntransfer-encoding: chunked, identity\r\n",
    "content-length: LENGTH\r\ntransfer-encoding: identity, chunked\r\n",
    "content-length: LENGTH\r\ntransfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
    "content-length: LENGTH\r\ntransfer-encoding: identity\r\ntransfer-encoding: chunked\r\n",
    "content-length: LENGTH\r\ntransfer-encoding: CHUNKED\r\n",
    "content-length: LENGTH\r\ntransfer-encoding:\tchunked\r\n",
    "content-length: LENGTH\r\ntransfer-encoding: chunked \r\n",
    "content-length: LENGTH\r\ntransfer-encoding: \"chunked\"\r\n",
    "content-length: LENGTH\r\ntransfer-encoding: chunked;q=1\r\n",
    "content-length: LENGTH\r\ntransfer-encoding:\u{b}chunked\r\n",
    "content-length: LENGTH\r\ntransfer-encoding: \u{c}chunked\r\n",
    "content-length: LENGTH\r\ntransfer-encoding : chunked\r\n",
    "content-length: LENGTH\r\n transfer-encoding: chunked\r\n",
    "content-length: LENGTH\r\nx: y\r\n chunked\r\n",
    "content-length: LENGTH\r\ntransfer-encoding:\r\n chunked\r\n",
    "content-length: LENGTH\r\ntransfer-encoding\r\n: chunked\r\n",
    "content-length: LENGTH\r\nx: y\rtransfer-encoding: chunked\r\n",
    "content-length: LENGTH\r\nx: y\0\r\ntransfer-encoding: chunked\r\n",
    "content-length: LENGTH\r\ntransfer-encoding: gzip, chunked\r\n",
    "content-length: LENGTH\r\ntransfer-encoding: chunked, chunked\r\n",
    "content-length: LENGTH\r\ntransfer-encoding:\r\n",
    "content-length: LENGTH\r\ncontent-length: 0\r\n",
    "content-length: 0\r\ncontent-length: LENGTH\r\n",
    "content-length: 0, LENGTH\r\n",
    "content-length: LENGTH, LENGTH\r\n",
    "content-length: +LENGTH\r\n",
    "content-length: -1\r\n",
    "content-length: 0x10\r\n",
    "content-length: LENGTH \u{b}\r\n",
    "content-length: 1 LENGTH\r\n",
    "content-length: LENGTH.0\r\n",
    "content-length: 1e2\r\n",
    "content-length:\r\n",
    "content-length: 99999999999999999999999\r\n",
    "content-length : LENGTH\r\n",
    "content-length\r\n: LENGTH\r\n",
    "content length: LENGTH\r\n",
    "\r content-length: LENGTH\r\n",
    "host: y\r\ncontent-length: LENGTH\r\n\0: z\r\n",
    "content-length: LENGTH\r\n: empty\r\n",
];

/// Chunks that are none, with the hidden request behind them.
const CHUNKS: [&str; 16] = [
    "ffffffffffffffff1\r\n",
    "10000000000000000\r\n",
    "0x5\r\nabcde\r\n",
    "+5\r\nabcde\r\n",
    "-5\r\nabcde\r\n",
    "5 5\r\nabcde\r\n",
    "g\r\n",
    "\r\n",
    ";\r\n",
    "5\r\nabcdefg\r\n",
    "5\r\nabcde",
    "5\rabcde\r\n",
    "5\r\nabcde\r0\r\n",
    "5;a=\0\r\rabcde\r\n",
    "5\u{b}\r\nabcde\r\n",
    "\u{660}\r\n",
];

/// What each of them is, with a hidden beacon, and a last request that ends the connection.
fn corpus() -> Vec<String> {
    let framed = FRAMINGS.iter().map(|fields| {
        // To one reader the body ends at once, to the other behind the hidden beacon.
        let body = format!("0\r\n\r\n{}", hidden());
        request("/api/event", &fields.replace("LENGTH", &body.len().to_string()), &body)
    });
    let chunked = CHUNKS.iter().map(|chunks| {
        let body = format!("{chunks}{}", hidden());
        request("/api/event", "transfer-encoding: chunked\r\n", &body)
    });
    let last = request("/livez", "connection: close\r\n", "");
    framed.chain(chunked).map(|sent| sent + &last).collect()
}

#[tokio::test]
async fn no_message_of_the_corpus_is_read_as_two() {
    let collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "example.com"]);
    let corpus = corpus();
    assert_eq!(corpus.len(), 60);
    let sent = corpus.iter().map(|sent| raw(collector.address(), sent.as_bytes()));
    for (answers, sent) in join_all(sent).await.iter().zip(&corpus) {
        let shown = sent.replace(CHROME, "…");
        let statuses = statuses(answers);
        // It is refused, and the connection with it.
        assert!(matches!(statuses[..], [400] | []), "{statuses:?} to {shown:?}: {answers}");
    }
    assert_eq!(Sums::of(&collector).await.accepted, 0, "a hidden beacon was counted");
    // The control: two whole requests on one connection are two, and counted.
    let last = request("/livez", "connection: close\r\n", "");
    let both = raw(collector.address(), format!("{0}{0}{last}", hidden()).as_bytes()).await;
    assert_eq!(statuses(&both), [202, 202, 200]);
    assert_eq!(Sums::of(&collector).await.accepted, 2);
}
