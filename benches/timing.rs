//! Whether the time of an answer tells how much of a guessed token is right: `cargo bench --bench timing`.
//!
//! It shows the real collector, over one connection, guesses in an order by chance: tokens that have all but the last
//! character of one that exists, and tokens that have nothing of it. Welch's t of the two says whether they are told
//! apart: beyond 4.5 they are, as in <https://eprint.iacr.org/2016/1123>. The control, the token itself beside guesses, has to be
//! told apart. Nothing passes or fails by it: the system has moods, and a busy machine hides small differences.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot go on has failed, and its result is printed"
)]

#[path = "collecting/servers.rs"]
#[expect(
    dead_code,
    reason = "this asks no bare server and no engine, and counts no processor's time"
)]
mod servers;

use clap::Parser;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rand::RngExt;
use rand::rngs::SmallRng;
use tokio::net::TcpStream;
use tokio::time::Instant;

use servers::{PROGRAM, Server};

/// What is slowest of each kind is the machine's doing, and left out.
const KEPT: f64 = 0.9;
/// Beyond it two kinds are told apart.
const T_MAX: f64 = 4.5;

/// Measures whether the time of an answer tells how much of a guessed token is right.
#[derive(Parser)]
struct Args {
    /// Guesses of each kind
    #[arg(long, default_value_t = 100_000)]
    guesses: usize,
    /// Says that cargo runs this as a benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    if !args.bench {
        return println!("cargo bench --bench timing");
    }
    let (server, token) =
        Server::collector_after(PROGRAM.as_ref(), &["token", "create", "--scope", "admin"]);
    let stream = TcpStream::connect(server.address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut connection, driver) = handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(driver);
    let (rest, last) = token.split_at(token.len() - 1);
    let near = format!("{rest}{}", if last == "0" { '1' } else { '0' });
    let far: String = token.chars().map(|letter| if letter == 'x' { 'y' } else { 'x' }).collect();
    let mut compare = async |what, one: &str, other: &str| {
        let t = welch(&mut connection, [one, other], args.guesses).await;
        let verdict = if t.abs() < T_MAX { "not told apart" } else { "told apart" };
        println!("{what:<44} t = {t:>8.2}: {verdict}");
    };
    println!("{} guesses of each kind", args.guesses);
    compare("all but one character, and none, is right", &near, &far).await;
    compare("control: the token, and none is right", &token, &far).await;
}

/// Welch's t of the times that two tokens take.
async fn welch(
    connection: &mut SendRequest<Empty<Bytes>>,
    tokens: [&str; 2],
    guesses: usize,
) -> f64 {
    let mut chance: SmallRng = rand::make_rng();
    let mut times = [Vec::with_capacity(guesses), Vec::with_capacity(guesses)];
    while times.iter().any(|times| times.len() < guesses) {
        let kind = usize::from(chance.random_bool(0.5));
        times[kind].push(ask(connection, tokens[kind]).await);
    }
    let [one, other] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times.truncate((times.len() as f64 * KEPT) as usize);
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    });
    (one.0 - other.0) / (one.1 + other.1).sqrt()
}

/// The time of an answer in microseconds.
async fn ask(connection: &mut SendRequest<Empty<Bytes>>, token: &str) -> f64 {
    let request = Request::get("/api/v1/sites?limit=1")
        .header("host", "localhost")
        .header("authorization", format!("Bearer {token}"))
        .body(Empty::new())
        .unwrap();
    let begun = Instant::now();
    connection.ready().await.unwrap();
    let answer = connection.send_request(request).await.unwrap();
    let took = begun.elapsed();
    let status = answer.status();
    assert!(matches!(status, StatusCode::OK | StatusCode::UNAUTHORIZED), "{status}");
    answer.into_body().collect().await.unwrap();
    took.as_secs_f64() * 1e6
}
