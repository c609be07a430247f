//! The load: events at a pace of its own, over real connections, however slow the answers are.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use passerby::beacon::PROPS_MAX;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::oracle::{Fate, Oracle};
use crate::support::CHROME;

/// The most events under way: beyond it the load skips its turn, which is how it stays bounded.
const UNDER_WAY_MAX: usize = 256;
/// The longest value of a property.
const PROPERTY_BYTES: usize = 2_000;
/// An answer that takes longer is none.
const ANSWER_PATIENCE: Duration = Duration::from_secs(20);

/// The address of the collector, or of none while there is none.
pub(crate) type Address = Arc<Mutex<Option<SocketAddr>>>;

/// Answers, and how long each took.
#[derive(Clone, Default)]
pub(crate) struct Answers(Arc<Mutex<Vec<(Fate, Duration)>>>);

impl Answers {
    fn note(&self, fate: Fate, took: Duration) {
        self.0.lock().unwrap().push((fate, took));
    }

    /// Those since the last time, the quickest first.
    pub(crate) fn take(&self) -> Times {
        let mut answers = std::mem::take(&mut *self.0.lock().unwrap());
        answers.sort_unstable_by_key(|(_, took)| *took);
        Times(answers)
    }
}

/// How long answers took.
pub(crate) struct Times(Vec<(Fate, Duration)>);

impl Times {
    pub(crate) fn all(&self) -> usize {
        self.0.len()
    }

    fn of(&self, fate: Fate) -> Vec<Duration> {
        self.0.iter().filter(|answer| answer.0 == fate).map(|answer| answer.1).collect()
    }

    pub(crate) fn count(&self, fate: Fate) -> usize {
        self.of(fate).len()
    }

    /// As many of a hundred answers took no longer.
    pub(crate) fn percentile(&self, fate: Fate, percent: usize) -> Duration {
        let times = self.of(fate);
        times.get(times.len() * percent / 100).copied().unwrap_or_default()
    }

    /// For people.
    pub(crate) fn told(&self, fate: Fate) -> String {
        let at = |percent| self.percentile(fate, percent);
        format!(
            "{} {fate:?}: median {:.1?}, 99 of 100 {:.1?}, longest {:.1?}",
            self.count(fate),
            at(50),
            at(99),
            self.of(fate).last().copied().unwrap_or_default(),
        )
    }
}

/// Sends until it is stopped.
pub(crate) struct Load {
    pub(crate) answers: Answers,
    /// Those of the events that may be under way.
    places: Arc<Semaphore>,
    stop: tokio::sync::oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Load {
    /// Starts sending as many events a second.
    pub(crate) fn start(address: &Address, oracle: &Arc<Oracle>, events_per_second: u32) -> Self {
        Self::of(Sender::new(address, oracle), events_per_second)
    }

    /// Lets a sender send as many events a second.
    pub(crate) fn of(sender: Sender, events_per_second: u32) -> Self {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let answers = sender.answers.clone();
        let places = Arc::new(Semaphore::new(UNDER_WAY_MAX));
        let task = tokio::spawn(run(sender, events_per_second, Arc::clone(&places), stopped));
        Self { answers, places, stop, task }
    }

    /// Sends nothing for as long as something takes, and begins it when nothing is under way any more: a slow
    /// machine gets done what it has, and the sums hold.
    pub(crate) async fn paused<T>(&self, meanwhile: impl Future<Output = T>) -> T {
        let all = u32::try_from(UNDER_WAY_MAX).unwrap();
        let _places = self.places.acquire_many(all).await.unwrap();
        meanwhile.await
    }

    /// Stops, and waits until every event has an answer or none.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        self.task.await.unwrap();
    }
}

async fn run(
    sender: Sender,
    rate: u32,
    places: Arc<Semaphore>,
    mut stopped: tokio::sync::oneshot::Receiver<()>,
) {
    let mut turns = tokio::time::interval(Duration::from_secs(1) / rate);
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            _ = turns.tick() => {}
            _ = &mut stopped => break,
        }
        while under_way.try_join_next().is_some() {}
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            let sender = sender.clone();
            under_way.spawn(async move {
                sender.send().await;
                drop(place);
            });
        }
    }
    while under_way.join_next().await.is_some() {}
}

/// Sends events, and tells the oracle what came of them.
#[derive(Clone)]
pub(crate) struct Sender {
    address: Address,
    oracle: Arc<Oracle>,
    idle: Arc<Mutex<Vec<SendRequest<Body>>>>,
    pub(crate) answers: Answers,
    /// How many properties an event has, each of [`PROPERTY_BYTES`].
    properties: usize,
}

impl Sender {
    pub(crate) fn new(address: &Address, oracle: &Arc<Oracle>) -> Self {
        Self {
            address: Arc::clone(address),
            oracle: Arc::clone(oracle),
            idle: Arc::default(),
            answers: Answers::default(),
            properties: 0,
        }
    }

    /// One whose events are as long as may be.
    pub(crate) fn of_long_events(address: &Address, oracle: &Arc<Oracle>) -> Self {
        Self { properties: PROPS_MAX, ..Self::new(address, oracle) }
    }

    /// Sends one event.
    pub(crate) async fn send(&self) -> Fate {
        let (event, begun) = (self.oracle.mint(), Instant::now());
        let answer = tokio::time::timeout(ANSWER_PATIENCE, self.try_send(event)).await;
        let fate = match answer {
            Ok(Ok(StatusCode::ACCEPTED)) => Fate::Acknowledged,
            Ok(Ok(StatusCode::SERVICE_UNAVAILABLE)) => Fate::Refused,
            // A balancer in between did not get an answer.
            Ok(Ok(StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT)) => Fate::Unknown,
            Ok(Err(_)) | Err(_) => Fate::Unknown,
            Ok(Ok(other)) => panic!("a beacon was answered with {other}"),
        };
        self.oracle.learn(event, fate);
        self.answers.note(fate, begun.elapsed());
        fate
    }

    async fn try_send(&self, event: u64) -> anyhow::Result<StatusCode> {
        let mut connection = self.connection().await?;
        let property = |number| (format!("p{number}"), "x".repeat(PROPERTY_BYTES));
        let properties: HashMap<_, _> = (0..self.properties).map(property).collect();
        let body = json!({
            "n": "pageview", "d": "example.com", "p": properties,
            "u": format!("https://example.com{}", Oracle::path(event)),
        });
        // Some three hundred visitors, who stay for the whole run.
        let visitor = format!("10.0.{}.1", event % 300 % 256);
        let request = Request::post("/api/event")
            .header("host", "example.com")
            .header("user-agent", CHROME)
            .header("x-forwarded-for", visitor)
            .body(Body::from(body.to_string()))?;
        let answer = connection.send_request(request).await?;
        anyhow::ensure!(
            !answer.headers().contains_key("x-passerby-dropped"),
            "an event was dropped"
        );
        let status = answer.status();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            assert!(answer.headers().contains_key("retry-after"), "when to come again is not said");
        }
        http_body_util::BodyExt::collect(answer.into_body()).await?;
        self.idle.lock().unwrap().push(connection);
        Ok(status)
    }

    async fn connection(&self) -> anyhow::Result<SendRequest<Body>> {
        while let Some(mut connection) = self.pop() {
            if connection.ready().await.is_ok() {
                return Ok(connection);
            }
        }
        let address = *self.address.lock().unwrap();
        let address = address.ok_or_else(|| anyhow::anyhow!("there is no collector"))?;
        let stream = tokio::net::TcpStream::connect(address).await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    fn pop(&self) -> Option<SendRequest<Body>> {
        self.idle.lock().unwrap().pop()
    }
}

/// What one beacon was answered with.
pub(crate) struct Sent {
    pub(crate) status: u16,
    /// Why it was not counted.
    pub(crate) dropped: Option<String>,
    pub(crate) body: String,
}

/// Sends one beacon on a connection of its own.
pub(crate) async fn send_once(
    host: &str,
    headers: &[(&str, &str)],
    body: String,
) -> anyhow::Result<Sent> {
    post_once(host, "/api/event", headers, body).await
}

/// Posts something on a connection of its own.
pub(crate) async fn post_once(
    host: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> anyhow::Result<Sent> {
    let stream = tokio::net::TcpStream::connect(host).await?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut request = Request::post(path).header("host", host);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (head, body) = sender.send_request(request.body(Body::from(body))?).await?.into_parts();
    let dropped = head.headers.get("x-passerby-dropped");
    let dropped = dropped.and_then(|reason| reason.to_str().ok()).map(str::to_owned);
    let body = http_body_util::BodyExt::collect(body).await?.to_bytes();
    Ok(Sent { status: head.status.as_u16(), dropped, body: String::from_utf8(body.to_vec())? })
}
