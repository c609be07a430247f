//! TLS and HTTP/2 on the collector's own listener.

use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{CHROME, Collector, PATIENCE, eventually, run_program};

/// A certificate of its own making for `localhost`, in files.
struct Certificate {
    directory: tempfile::TempDir,
}

impl Certificate {
    fn new() -> Self {
        let made = Self { directory: tempfile::tempdir().unwrap() };
        made.renew();
        made
    }

    fn renew(&self) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(self.key(), made.signing_key.serialize_pem()).unwrap();
        std::fs::write(self.certificate(), made.cert.pem()).unwrap();
    }

    fn certificate(&self) -> String {
        self.directory.path().join("certificate.pem").display().to_string()
    }

    fn key(&self) -> String {
        self.directory.path().join("key.pem").display().to_string()
    }

    async fn collector(&self) -> Collector {
        let (certificate, key) = (self.certificate(), self.key());
        Collector::start_encrypted(&Self::settings(&certificate, &key)).await
    }

    fn settings<'a>(certificate: &'a str, key: &'a str) -> [(&'static str, &'a str); 3] {
        [
            ("PASSERBY_TLS_CERTIFICATE", certificate),
            ("PASSERBY_TLS_KEY", key),
            ("PASSERBY_PUBLIC_URL", "https://localhost"),
        ]
    }

    /// A connection of somebody who trusts this certificate alone, and speaks these protocols.
    async fn connect(
        &self,
        collector: &Collector,
        protocols: &[&[u8]],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(Path::new(&self.certificate())).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let stream = TcpStream::connect(collector.address()).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }
}

fn request(method: &str, path: &str, body: String) -> Request<Full<Bytes>> {
    let request = Request::builder().method(method).uri(format!("https://localhost{path}"));
    let request = request.header("user-agent", CHROME).header("content-type", "text/plain");
    request.body(Full::from(body)).unwrap()
}

#[tokio::test]
async fn a_beacon_over_http2_is_counted_like_any_other() {
    let certificate = Certificate::new();
    let collector = certificate.collector().await;
    collector.run(&["site", "add", "example.com"]);
    let token = collector.run(&["token", "create", "--scope", "stats", "--site", "example.com"]);

    let stream = certificate.connect(&collector, &[b"h2", b"http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    // Many at once on one connection.
    let beacons = (0..20).map(|page| {
        let url = format!("https://example.com/{page}");
        let beacon = json!({ "n": "pageview", "u": url, "d": "example.com" });
        sender.send_request(request("POST", "/api/event", beacon.to_string()))
    });
    for answer in futures_util::future::join_all(beacons).await {
        let answer = answer.unwrap();
        assert_eq!((answer.status(), answer.version()), (StatusCode::ACCEPTED, Version::HTTP_2));
        assert!(answer.headers().get("x-passerby-dropped").is_none());
    }
    let query = json!({ "site_id": "example.com", "metrics": ["visitors", "pageviews"], "date_range": "day" });
    eventually("the views are counted", async || {
        let asked = request("POST", "/api/v2/query", query.to_string());
        let (mut head, body) = asked.into_parts();
        head.headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        let answer = sender.send_request(Request::from_parts(head, body)).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let counted: serde_json::Value = serde_json::from_slice(&body).unwrap();
        (counted["results"][0]["metrics"] == json!([1, 20])).then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_speaks_http1_is_answered_in_it_and_who_speaks_plain_text_is_not() {
    let certificate = Certificate::new();
    let collector = certificate.collector().await;
    for protocols in [&[&b"http/1.1"[..]][..], &[]] {
        let stream = certificate.connect(&collector, protocols).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let asked =
            Request::builder().uri("/livez").header("host", "localhost").body(Body::empty());
        let answer = sender.send_request(asked.unwrap()).await.unwrap();
        assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_11));
    }
    let mut plain = TcpStream::connect(collector.address()).await.unwrap();
    plain.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, plain.read_to_end(&mut answer)).await.unwrap();
    assert!(!answer.starts_with(b"HTTP/"), "it was answered in plain text");
}

#[tokio::test]
async fn a_new_certificate_is_taken_up_without_a_restart() {
    let certificate = Certificate::new();
    let collector = certificate.collector().await;
    assert!(certificate.connect(&collector, &[]).await.is_ok());
    certificate.renew();
    assert!(certificate.connect(&collector, &[]).await.is_err(), "the old one is still shown");
    collector.signal(rustix::process::Signal::HUP);
    eventually("the new certificate is shown", async || {
        certificate.connect(&collector, &[]).await.ok()
    })
    .await;
    eventually("it is told", async || {
        collector.log().contains("the certificate was replaced").then_some(())
    })
    .await;
}

#[test]
fn a_certificate_that_is_not_there_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let variables = [
        ("PASSERBY_TLS_CERTIFICATE", "/nowhere/certificate.pem"),
        ("PASSERBY_TLS_KEY", "/nowhere/key.pem"),
        ("PASSERBY_PUBLIC_URL", "https://localhost"),
    ];
    let refused = run_program(&directory.path().join("data"), &variables, &["serve"]);
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success());
    assert!(
        message.contains("tls.certificate /nowhere/certificate.pem can not be read"),
        "{message}"
    );
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [length[1], length[2], length[3], kind, flags];
    [&head[..], &stream.to_be_bytes(), payload].concat()
}

/// The kind and the payload of the next frame.
async fn next_frame(stream: &mut TlsStream<TcpStream>) -> std::io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await?;
    Ok((head[3], payload))
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

#[tokio::test]
async fn a_client_is_told_the_limits_of_http2() {
    let certificate = Certificate::new();
    let collector = certificate.collector().await;
    let mut stream = certificate.connect(&collector, &[b"h2"]).await.unwrap();
    stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await.unwrap();
    let (kind, payload) = next_frame(&mut stream).await.unwrap();
    assert_eq!(kind, SETTINGS);
    let settings: std::collections::BTreeMap<u16, u32> = payload
        .chunks(6)
        .map(|setting| {
            let value = u32::from_be_bytes([setting[2], setting[3], setting[4], setting[5]]);
            (u16::from_be_bytes([setting[0], setting[1]]), value)
        })
        .collect();
    // SETTINGS_MAX_CONCURRENT_STREAMS and SETTINGS_MAX_HEADER_LIST_SIZE
    assert_eq!((settings[&3], settings[&6]), (100, 16 * 1024), "{settings:?}");
}

#[tokio::test]
async fn a_client_that_takes_its_requests_back_again_and_again_is_sent_away() {
    let certificate = Certificate::new();
    let collector = certificate.collector().await;
    let mut stream = certificate.connect(&collector, &[b"h2"]).await.unwrap();
    let mut flood = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    for stream in (1..4_000).step_by(2) {
        // GET, https, /, and an authority of one letter; with END_STREAM and END_HEADERS.
        flood.extend(frame(HEADERS, 5, stream, &[0x82, 0x87, 0x84, 0x41, 1, b'x']));
        flood.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
    }
    // The collector may hang up before it has read everything.
    let _ = stream.write_all(&flood).await;
    let refusal = async {
        loop {
            let (kind, payload) = next_frame(&mut stream).await.ok()?;
            if kind == GOAWAY {
                return Some(u32::from_be_bytes([payload[4], payload[5], payload[6], payload[7]]));
            }
        }
    };
    let refusal = tokio::time::timeout(PATIENCE, refusal).await.expect("it goes on");
    // ENHANCE_YOUR_CALM, unless the connection was reset before that could be read.
    assert!(matches!(refusal, Some(11) | None), "{refusal:?}");
    // Others are served as ever.
    assert!(certificate.connect(&collector, &[b"h2"]).await.is_ok());
}

const CONTINUATION: u8 = 9;

/// Whether a connection ends while a request's head of so many frames arrives, each with a kilobyte of fields.
async fn is_ended_by(certificate: &Certificate, collector: &Collector, frames: u32) -> bool {
    let mut stream = certificate.connect(collector, &[b"h2"]).await.unwrap();
    // GET, https, /, an authority; the head does not end here (END_STREAM alone).
    let head = frame(HEADERS, 1, 1, &[0x82, 0x87, 0x84, 0x41, 1, b'x']);
    stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[]), &head].concat()).await.unwrap();
    // A field that is not to be remembered: "x", with a value of 127 + 873 bytes.
    let field = [&[0, 1, b'x', 0x7f, 0xe9, 0x06][..], &[b'y'; 1_000]].concat();
    for number in 1..=frames {
        let ends = if number == frames { 4 } else { 0 };
        if stream.write_all(&frame(CONTINUATION, ends, 1, &field)).await.is_err() {
            return true;
        }
    }
    let answer = async {
        loop {
            match next_frame(&mut stream).await {
                Ok((HEADERS, _)) => return false,
                Ok((GOAWAY | RST_STREAM, _)) | Err(_) => return true,
                Ok(_) => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, answer).await.expect("it is waited for more")
}

#[tokio::test]
async fn a_head_without_an_end_is_not_read_on_and_others_are_served() {
    let certificate = Certificate::new();
    let collector = certificate.collector().await;
    // A head of a few frames is one like any other.
    assert!(!is_ended_by(&certificate, &collector, 4).await);
    assert!(is_ended_by(&certificate, &collector, 20_000).await);
    assert!(!is_ended_by(&certificate, &collector, 4).await);
}

#[tokio::test]
async fn an_audit_says_that_its_visitor_does_not_come_by_an_encrypted_listener() {
    let made = Certificate::new();
    let collector = made.collector().await;
    collector.run(&["site", "add", "example.com"]);
    let (certificate, key) = (made.certificate(), made.key());
    let variables = Certificate::settings(&certificate, &key);
    let audit = run_program(&collector.data_dir, &variables, &["audit"]);
    let found = String::from_utf8_lossy(&audit.stdout).into_owned();
    let line = found.lines().find(|line| line.contains("visitor")).unwrap_or_default();
    assert!(line.starts_with("FAIL") && line.contains("comes without TLS"), "{found}");
}
