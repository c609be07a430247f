//! Requests that two readers could take for different ones. A beacon is hidden in the body of another: it may
//! be that body, and then nothing, or whoever sent it is told that the message is none.

use futures_util::future::join_all;
use serde::Deserialize;
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

/// Framings are lengths and codings that contradict each other or themselves, with LENGTH for the one that takes
/// the hidden request into the body. Chunks are none, with the hidden request behind them.
#[derive(Deserialize)]
struct Ambiguous {
    framings: Vec<String>,
    chunks: Vec<String>,
}

/// What each of them is, with a hidden beacon, and a last request that ends the connection.
fn corpus() -> Vec<String> {
    let Ambiguous { framings, chunks } =
        serde_json::from_str(include_str!("../../data/ambiguous.json")).unwrap();
    let framed = framings.iter().map(|fields| {
        // To one reader the body ends at once, to the other behind the hidden beacon.
        let body = format!("0\r\n\r\n{}", hidden());
        request("/api/event", &fields.replace("LENGTH", &body.len().to_string()), &body)
    });
    let chunked = chunks.iter().map(|chunks| {
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
