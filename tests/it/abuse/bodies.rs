//! Bodies that are too long, too deep, too many, or compressed.

use futures_util::future::join_all;
use hyper::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{raw, statuses};
use crate::collecting::Sums;
use crate::support::{CHROME, Collector, PATIENCE, resident_memory};

fn head(fields: &str) -> String {
    format!("POST /api/event HTTP/1.1\r\nhost: x\r\nuser-agent: {CHROME}\r\n{fields}\r\n\r\n")
}

#[tokio::test]
async fn a_body_that_says_it_is_too_long_is_refused_without_being_waited_for() {
    let collector = Collector::start(&[]).await;
    for length in ["8589934592", "1000001", "9223372036854775807"] {
        let head = head(&format!("content-length: {length}"));
        let answer = raw(collector.address(), head.as_bytes()).await;
        assert_eq!(statuses(&answer), [400], "{length}: {answer}");
        assert!(answer.contains("must not exceed 1000000 bytes"), "{length}: {answer}");
    }
    // The control: one that may be as long is waited for, and given up in the end.
    let answer = raw(collector.address(), head("content-length: 1000000").as_bytes()).await;
    assert!(answer.contains("took longer than 5 seconds"), "{answer}");
    assert!(Sums::of(&collector).await.add_up());
}

#[tokio::test]
async fn a_body_without_an_end_is_cut_at_its_limit_and_takes_no_memory() {
    let collector = Collector::start(&[]).await;
    let before = resident_memory(collector.pid());
    let endless = async || {
        let mut stream = TcpStream::connect(collector.address()).await.unwrap();
        stream.write_all(head("transfer-encoding: chunked").as_bytes()).await.unwrap();
        let chunk = [b"10000\r\n", vec![b'x'; 0x10000].as_slice(), b"\r\n"].concat();
        let (mut read, mut write) = stream.split();
        let mut sent = 0;
        let write_on = async {
            while write.write_all(&chunk).await.is_ok() {
                sent += chunk.len();
            }
        };
        let mut answer = Vec::new();
        let end = async { tokio::time::timeout(PATIENCE, read.read_to_end(&mut answer)).await };
        let (_, end) = tokio::join!(write_on, end);
        assert!(end.is_ok(), "it reads on");
        (sent, String::from_utf8_lossy(&answer).into_owned())
    };
    for _ in 0..10 {
        for (sent, answer) in join_all((0..20).map(|_| endless())).await {
            // What the sockets' own buffers take is sent, too.
            assert!(sent < 16 << 20, "{sent} bytes were taken");
            // The answer is lost where the connection is reset with bytes on the way.
            assert!(answer.is_empty() || statuses(&answer) == [400], "{answer}");
        }
    }
    let grown = resident_memory(collector.pid()).saturating_sub(before);
    assert!(grown < 96 << 20, "it has grown by {grown} bytes");
    let sums = Sums::of(&collector).await;
    assert_eq!((sums.received, sums.rejected["invalid"]), (200, 200));
}

#[tokio::test]
async fn deep_wide_and_double_json_is_refused_or_cut_and_harms_nobody() {
    let collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "example.com"]);
    let page = r#""n":"pageview","u":"https://example.com/""#;
    let keys = |count: usize| (0..count).map(|key| format!(r#""{key}":{key}"#)).collect::<Vec<_>>();
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(60_000), close.repeat(60_000));
    let cases = [
        (format!("{{{page}}}"), StatusCode::ACCEPTED),
        (format!("{{{page},\"x\":{}}}", deep("[", "]")), StatusCode::ACCEPTED),
        (
            format!("{{{page},\"p\":{}}}", deep("{\"a\":", "}").replace(":}", ":1}")),
            StatusCode::BAD_REQUEST,
        ),
        // Names that nobody knows are passed over, however deep, properties beyond the thirtieth left out.
        (format!("{{{page},{}}}", keys(60_000).join(",")), StatusCode::ACCEPTED),
        (format!("{{{page},\"p\":{{{}}}}}", keys(60_000).join(",")), StatusCode::ACCEPTED),
        (format!("{{{page},\"d\":\"example.com\",\"d\":\"other.test\"}}"), StatusCode::BAD_REQUEST),
        (format!("{{{page},\"n\":\"pageview\"}}"), StatusCode::BAD_REQUEST),
        // Half a sign is what a script leaves that cuts a text.
        (format!("{{{page},\"r\":\"\\ud800\"}}"), StatusCode::ACCEPTED),
        (format!("{{{page},\"h\":1e999}}"), StatusCode::BAD_REQUEST),
        (format!("{{{page},\"h\":NaN}}"), StatusCode::BAD_REQUEST),
    ];
    for (body, status) in cases {
        let headers = [("user-agent", CHROME), ("content-type", "text/plain")];
        let shown = body[..body.len().min(120)].to_owned();
        let answer = collector.request(Method::POST, "/api/event", &headers, body).await;
        assert_eq!(answer.status, status, "{shown}: {:?}", answer.body);
    }
    let mut broken = format!("{{{page},\"r\":\"").into_bytes();
    broken.extend(b"\xff\xfe\"}");
    let answer =
        collector.request(Method::POST, "/api/event", &[("user-agent", CHROME)], broken).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(Sums::of(&collector).await.add_up());
}

#[tokio::test]
async fn nothing_that_is_compressed_is_unpacked() {
    let collector = Collector::start(&[]).await;
    let before = resident_memory(collector.pid());
    // 200 MB of spaces in 200 kB.
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..200 {
        std::io::Write::write_all(&mut bomb, &[b' '; 1_000_000]).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 1_000_000, "it would be refused for its length");
    for encoding in ["gzip", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip"] {
        let headers = [("user-agent", CHROME), ("content-encoding", encoding)];
        let send = |path| collector.request(Method::POST, path, &headers, bomb.clone());
        let answer = send("/api/event").await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{encoding}");
        assert_eq!(answer.header("x-plausible-dropped"), Some("1"), "{encoding}");
        // No reader of a body knows of compression: it is not JSON.
        assert!(send("/api/send").await.status.is_client_error(), "{encoding}");
        assert!(send("/api/v2/query").await.status.is_client_error(), "{encoding}");
        assert!(send("/sign-in").await.status.is_client_error(), "{encoding}");
    }
    let grown = resident_memory(collector.pid()).saturating_sub(before);
    assert!(grown < 64 << 20, "it has grown by {grown} bytes");
    // The control: the same without a word about compression, or with one that says none, is read, and is no JSON.
    let plain = [("user-agent", CHROME)];
    let as_it_is = [("user-agent", CHROME), ("content-encoding", "identity")];
    for headers in [&plain[..], &as_it_is[..]] {
        let answer = collector.request(Method::POST, "/api/event", headers, bomb.clone()).await;
        let rule = json!(["the body must be one JSON object"]);
        assert_eq!(answer.json()["errors"]["request"], rule);
    }
    assert!(Sums::of(&collector).await.add_up());
}
