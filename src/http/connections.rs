//! Connections of the outside world: accepted, limited, timed out, and drained at the end.
//!
//! hyper runs each of them. Its timers do nothing unless it is given one, so it is (threats.md, T13).

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::door;
use crate::privacy::{Listener, Peer};

/// The most connections that are open at once; more wait to be accepted.
const CONNECTIONS_MAX: usize = 8_192;
/// A request whose head is not there by then is given up; also how long a connection may be idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// The most headers of a request.
const HEADERS_MAX: usize = 64;
/// The longest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long requests under way may take when the collector stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Turns true when the collector stops.
pub type Stopping = watch::Receiver<bool>;

/// Returns when the collector stops; also when whoever could have said so is gone.
pub(super) async fn stopped(stopping: &mut Stopping) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// Whoever answers the requests of connections.
pub trait Answer: Send + Sync + 'static {
    /// Answers one request.
    fn answer(
        &self,
        peer: &Peer,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Body>> + Send;
}

/// Routes alone, for a listener that only operators reach.
impl Answer for Router {
    async fn answer(&self, _: &Peer, request: Request<Incoming>) -> Response<Body> {
        door::behind(self, request.map(Body::new)).await
    }
}

/// hyper with this collector's limits. The benchmark runs a bare server with them, too.
pub fn limits() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX);
    builder
}

/// Accepts connections until the collector stops, and then waits for those that are at work.
pub async fn serve<D: Answer>(listener: Listener, door: Arc<D>, mut stopping: Stopping) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let accepted = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, (stream, peer)) = tokio::select! {
            accepted = accepted => accepted,
            () = stopped(&mut stopping) => break,
        };
        while connections.try_join_next().is_some() {}
        let (door, stopping) = (Arc::clone(&door), stopping.clone());
        connections.spawn(async move {
            let service = service_fn(|request| {
                let (door, peer) = (Arc::clone(&door), &peer);
                async move { Ok::<_, std::convert::Infallible>(door.answer(peer, request).await) }
            });
            run(limits().serve_connection(TokioIo::new(stream), service), stopping).await;
            drop(permit);
        });
    }
    drop(listener);
    drain(connections).await;
}

/// Runs one connection to its end, or, when the collector stops, to the end of its current request.
pub(super) async fn run<I, S>(connection: http1::Connection<TokioIo<I>, S>, mut stopping: Stopping)
where
    I: AsyncRead + AsyncWrite + Unpin,
    S: hyper::service::HttpService<Incoming, ResBody = Body>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "a connection ended early");
    }
}

/// Waits for connections that are at work, as long as that is reasonable.
pub(super) async fn drain(mut connections: JoinSet<()>) {
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_TIMEOUT, all).await.is_err() {
        tracing::warn!("some connections did not end in time and were cut");
    }
}
