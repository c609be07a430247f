//! HTTP/2, as far as it differs from HTTP/1: its own limits, and its own idleness.
//!
//! A client may open many streams on one connection and take each back at once, which costs it nothing
//! and us work; hyper counts that and ends the connection (threats.md, T14). Pings keep a connection
//! that nobody uses from ending, so it is ended here.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use hyper::header::{HOST, HeaderValue};
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::Instant;

/// The most requests under way on one connection.
const STREAMS_MAX: u32 = 100;
/// The longest head of a request, in bytes.
const HEAD_BYTES_MAX: u32 = 16 * 1024;
/// Streams that the client took back before they were looked at, at once.
const RESETS_MAX: usize = 20;
/// What a client may send before it is read: of one request, and of all on a connection, in bytes.
const WINDOW_BYTES: u32 = 64 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 256 * 1024;
/// How often a silent client is asked whether it is there, and how long it may take to say so.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may be without a request.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// hyper's HTTP/2 with this collector's limits.
pub(super) fn limits() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX)
        .max_pending_accept_reset_streams(RESETS_MAX)
        .max_local_error_reset_streams(RESETS_MAX)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT);
    builder
}

/// A request of HTTP/2 names its host in the address; everything behind looks at the header.
pub(super) fn with_host<B>(mut request: hyper::Request<B>) -> hyper::Request<B> {
    let authority = request.uri().authority().map(|authority| authority.as_str());
    let host = authority.and_then(|authority| HeaderValue::from_str(authority).ok());
    if let Some(host) = host {
        request.headers_mut().entry(HOST).or_insert(host);
    }
    request
}

/// Whether a connection is in use.
pub(super) struct Activity {
    begun: Instant,
    open: AtomicUsize,
    /// Milliseconds after `begun` at which the last request ended.
    last_ms: AtomicU64,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self { begun: Instant::now(), open: AtomicUsize::new(0), last_ms: AtomicU64::new(0) }
    }

    /// Notes a request, which is under way for as long as what is returned lives.
    pub(super) fn request(&self) -> UnderWay<'_> {
        self.open.fetch_add(1, Ordering::Relaxed);
        UnderWay(self)
    }

    /// Returns when there has been no request for long enough.
    pub(super) async fn idle(&self) {
        loop {
            let last = self.begun + Duration::from_millis(self.last_ms.load(Ordering::Relaxed));
            if self.open.load(Ordering::Relaxed) == 0 && last.elapsed() >= IDLE_MAX {
                return;
            }
            let next = (last + IDLE_MAX).max(Instant::now() + Duration::from_secs(1));
            tokio::time::sleep_until(next).await;
        }
    }
}

pub(super) struct UnderWay<'a>(&'a Activity);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let now = u64::try_from(self.0.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.last_ms.store(now, Ordering::Relaxed);
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_a_minute_after_its_last_request() {
        let activity = Activity::new();
        let begun = Instant::now();
        let request = activity.request();
        let long = tokio::time::timeout(IDLE_MAX * 10, activity.idle()).await;
        assert!(long.is_err(), "it is idle while a request is under way");
        drop(request);
        activity.idle().await;
        assert!(begun.elapsed() >= IDLE_MAX * 11, "{:?}", begun.elapsed());
    }

    #[test]
    fn the_host_comes_from_the_address_unless_it_is_told() {
        let request = |uri: &str| hyper::Request::builder().uri(uri).body(()).unwrap();
        let made = with_host(request("https://stats.test:8443/x"));
        assert_eq!(made.headers()[HOST], "stats.test:8443");
        assert!(with_host(request("/x")).headers().get(HOST).is_none());
    }
}
