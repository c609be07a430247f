//! How long it takes until a report knows of an event: `cargo bench --bench freshness`.
//!
//! It starts the real collector with its engine, sends beacons at a steady rate, and asks meanwhile, again and again,
//! how many pages were viewed. The spool keeps the order, so the answer that counts n beacons is the first to know of
//! the n-th that was accepted. What is told is the time from its 202 to that answer, the question's own time among it.
//!
//! - `engine`: what the engine's directory says of inserts and parts.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot go on has failed, and its result is printed"
)]

mod engine;
#[path = "../collecting/load.rs"]
mod load;
#[path = "../collecting/servers.rs"]
#[expect(dead_code, reason = "this asks no bare server, and counts no processor's time")]
mod servers;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use clap::Parser;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use load::Load;
use servers::{PROGRAM, Server};

/// The pause between an answer and the next question.
const PAUSE: Duration = Duration::from_millis(20);
/// Over as many connections beacons are sent.
const CONNECTIONS: usize = 64;
/// How long the collector may take to get ready, and a report to know of more.
const PATIENCE: Duration = Duration::from_secs(60);

/// Measures how long it takes until a report knows of an event.
#[derive(Parser)]
struct Args {
    /// Beacons a second
    #[arg(long, default_value_t = 1_000)]
    rate: usize,
    /// How long they are sent
    #[arg(long, default_value_t = 120)]
    seconds: usize,
    /// Visitors of the day
    #[arg(long, default_value_t = 20_000)]
    visitors: usize,
    /// Says that cargo runs this as a benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// A report: when it was there, how long it had taken, and how many beacons it counted.
struct Report {
    at: Instant,
    took: Duration,
    counted: usize,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    if !args.bench {
        return println!("cargo bench --bench freshness");
    }
    let (server, mut said) = Server::collector_with_engine(
        PROGRAM.as_ref(),
        &[
            &["site", "add", "example.com"],
            &["token", "create", "--scope", "stats", "--site", "example.com"],
        ],
    );
    let token = said.pop().unwrap();
    let mut reader = Reader::connect(server.address(), token).await;
    let begun = Instant::now();
    while reader.ask().await.is_none() {
        assert!(begun.elapsed() < PATIENCE, "the collector does not get ready");
        tokio::time::sleep(PAUSE).await;
    }
    // Each connection sends as many.
    let events = (args.rate * args.seconds).next_multiple_of(CONNECTIONS);
    let before = engine::look(&server.engine_directory());
    let reports = tokio::spawn(reader.read_until(events));
    let load = Load { events, connections: CONNECTIONS, rate: args.rate, visitors: args.visitors };
    let outcome = load.run(server.address()).await;
    let after = engine::look(&server.engine_directory());
    assert_eq!(outcome.refused, 0, "some were refused: the machine does not bear the rate");
    let reports = reports.await.unwrap();

    println!(
        "{} beacons in {:.0} s, {} reports",
        outcome.accepted.len(),
        outcome.seconds,
        reports.len()
    );
    let ages = ages(&outcome.accepted, &reports);
    let took = sorted(reports.iter().map(|report| report.took).collect());
    println!("{:<44}{:>12}{:>12}{:>12}", "seconds", "median", "99 of 100", "longest");
    let line = |name: &str, of: &dyn Fn(f64) -> f64| {
        println!("{name:<44}{:>12.3}{:>12.3}{:>12.3}", of(0.5), of(0.99), of(1.0));
    };
    line("from sent to accepted", &|share| outcome.latency_ms(share) / 1e3);
    line("from accepted to known", &|share| quantile(&ages, share));
    line("a report", &|share| quantile(&took, share));
    let inserts = after.inserts_max_since(&before) as f64 / outcome.seconds;
    println!("{:<44}{inserts:>12.2}", "inserts a second, of the table with the most");
    println!("{:<44}{:>12}", "parts of a partition then, at most", after.parts_max());
}

/// How old each beacon was when a report first knew of it, sorted.
fn ages(accepted: &[Instant], reports: &[Report]) -> Vec<Duration> {
    let mut ages = Vec::with_capacity(accepted.len());
    for report in reports {
        // One whose answer is still on its way may be counted already.
        let known = accepted.iter().take(report.counted).skip(ages.len());
        ages.extend(known.map(|accepted| report.at.saturating_duration_since(*accepted)));
    }
    assert_eq!(ages.len(), accepted.len(), "reports know of all in the end");
    sorted(ages)
}

fn sorted(mut durations: Vec<Duration>) -> Vec<Duration> {
    durations.sort_unstable();
    durations
}

/// What this share of them does not exceed, in seconds.
fn quantile(sorted: &[Duration], share: f64) -> f64 {
    let place = ((sorted.len() as f64 * share) as usize).min(sorted.len() - 1);
    sorted[place].as_secs_f64()
}

/// Asks the site's reports over one connection.
struct Reader {
    connection: SendRequest<Full<Bytes>>,
    token: String,
}

impl Reader {
    async fn connect(address: SocketAddr, token: String) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (connection, driver) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(driver);
        Self { connection, token }
    }

    /// The headline figures of the last hours; `None` while the database does not answer.
    async fn ask(&mut self) -> Option<Report> {
        let query = json!({
            "site_id": "example.com",
            "metrics": ["visitors", "pageviews"],
            "date_range": "24h"
        });
        let request = Request::post("/api/v2/query")
            .header("host", "stats.example.com")
            .header("authorization", format!("Bearer {}", self.token))
            .body(Full::new(Bytes::from(query.to_string())))
            .unwrap();
        let begun = Instant::now();
        self.connection.ready().await.unwrap();
        let answer = self.connection.send_request(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let at = Instant::now();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            return None;
        }
        assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
        let body: Value = serde_json::from_slice(&body).unwrap();
        let counted = body["results"][0]["metrics"][1].as_u64().unwrap();
        Some(Report { at, took: at - begun, counted: usize::try_from(counted).unwrap() })
    }

    /// Asks until as many beacons are counted.
    async fn read_until(mut self, events: usize) -> Vec<Report> {
        let mut reports: Vec<Report> = Vec::new();
        let mut grown = Instant::now();
        loop {
            let report = self.ask().await.expect("the database answers");
            if reports.last().is_none_or(|last| report.counted > last.counted) {
                grown = report.at;
            }
            assert!(grown.elapsed() < PATIENCE, "{} of {events} are known", report.counted);
            let is_last = report.counted >= events;
            reports.push(report);
            if is_last {
                return reports;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
