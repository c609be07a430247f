//! The load: beacons of many visitors over connections that stay open.
//!
//! It writes to plain sockets and reads no more of an answer than its status and length, so that most of
//! the machine is left to the server.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Browsers that the visitors have.
const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
];
/// Networks of 256 addresses within 10.0.0.0/8.
const NETWORKS: usize = 65_536;

/// How much to send, and how fast.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) events: usize,
    pub(crate) connections: usize,
    /// Beacons a second in all; 0 sends each when the one before is answered.
    pub(crate) rate: usize,
    /// How many visitors there are. With enough beacons each of them comes, and all equally often.
    pub(crate) visitors: usize,
}

/// What became of it.
pub(crate) struct Outcome {
    /// When each beacon was accepted that was, sorted.
    pub(crate) accepted: Vec<Instant>,
    pub(crate) refused: usize,
    pub(crate) seconds: f64,
    /// Sorted.
    latencies: Vec<Duration>,
}

impl Outcome {
    /// The latency that this share of the beacons did not exceed.
    pub(crate) fn latency_ms(&self, share: f64) -> f64 {
        let place = ((self.latencies.len() as f64 * share) as usize).min(self.latencies.len() - 1);
        self.latencies[place].as_secs_f64() * 1e3
    }
}

impl Load {
    pub(crate) async fn run(&self, address: SocketAddr) -> Outcome {
        let begun = Instant::now();
        let each = self.events / self.connections;
        let connections: Vec<_> = (0..self.connections)
            .map(|number| {
                let (visitors, pause) = (self.visitors, self.pause(number));
                tokio::spawn(connection(address, number, each, visitors, pause))
            })
            .collect();
        let mut outcome =
            Outcome { accepted: Vec::new(), refused: 0, seconds: 0.0, latencies: Vec::new() };
        for connection in connections {
            let (latencies, accepted) = connection.await.unwrap();
            outcome.refused += latencies.len() - accepted.len();
            outcome.accepted.extend(accepted);
            outcome.latencies.extend(latencies);
        }
        outcome.seconds = begun.elapsed().as_secs_f64();
        outcome.accepted.sort_unstable();
        outcome.latencies.sort_unstable();
        outcome
    }

    /// When a connection sends first, and how long after each other its beacons are due.
    fn pause(&self, number: usize) -> Option<(Duration, Duration)> {
        let second = Duration::from_secs(1);
        let between =
            (self.rate > 0).then(|| second * self.connections as u32 / self.rate as u32)?;
        Some((between * number as u32 / self.connections as u32, between))
    }
}

/// The latencies of one connection's beacons, and when each was accepted that was. At a given rate the latency
/// counts from when the beacon was due, also if it was sent late.
async fn connection(
    address: SocketAddr,
    number: usize,
    events: usize,
    visitors: usize,
    pause: Option<(Duration, Duration)>,
) -> (Vec<Duration>, Vec<Instant>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut latencies, mut accepted) = (Vec::with_capacity(events), Vec::with_capacity(events));
    let mut answer = vec![0; 4096];
    let begun = Instant::now();
    for event in 0..events {
        let request = request((number * events + event) * 7919 % visitors, event);
        let due = match pause {
            None => Instant::now(),
            Some((first, between)) => {
                let due = begun + first + between * event as u32;
                tokio::time::sleep_until(due.into()).await;
                due
            }
        };
        stream.write_all(request.as_bytes()).await.unwrap();
        let status = read_answer(&mut stream, &mut answer).await;
        let now = Instant::now();
        latencies.push(now - due);
        if status == 202 {
            accepted.push(now);
        }
    }
    (latencies, accepted)
}

fn request(visitor: usize, event: usize) -> String {
    let body = format!(
        r#"{{"n":"pageview","u":"https://example.com/articles/{}?utm_source=newsletter&utm_campaign=spring","d":"example.com","r":"https://www.google.com/","p":{{"author":"somebody"}},"v":28}}"#,
        event % 500
    );
    // Those of one network have different browsers.
    let (network, of_network) = (visitor % NETWORKS, visitor / NETWORKS);
    let agent = AGENTS[(network + of_network) % AGENTS.len()];
    format!(
        "POST /api/event HTTP/1.1\r\nhost: stats.example.com\r\nuser-agent: {agent} Build/{}\r\naccept-language: de-DE,de;q=0.9,en;q=0.8\r\ncontent-type: text/plain\r\norigin: https://example.com\r\nreferer: https://example.com/\r\nx-forwarded-for: 10.{}.{}.7\r\ncontent-length: {}\r\n\r\n{body}",
        of_network / AGENTS.len(),
        network / 256,
        network % 256,
        body.len(),
    )
}

/// Reads one answer, and returns its status.
async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> u16 {
    let mut filled = 0;
    loop {
        let count = stream.read(&mut buffer[filled..]).await.unwrap();
        assert_ne!(count, 0, "the server closed the connection");
        filled += count;
        let head = buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n");
        let Some(head) = head else { continue };
        let text = std::str::from_utf8(&buffer[..head]).unwrap();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
        if filled >= head + 4 + length.map_or(0, |length| length.parse().unwrap()) {
            return text[9..12].parse().unwrap();
        }
    }
}
