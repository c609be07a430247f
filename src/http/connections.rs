//! Connections of the outside world: accepted, limited, timed out, and drained at the end.
//!
//! hyper runs each of them. Its timers do nothing unless it is given one, so it is (threats.md, T13).
//! A connection is plain, or encrypted ([`tls`](super::tls)); an encrypted one may be of HTTP/2.

use std::convert::Infallible;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use rustix::process::{Resource, Rlimit};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;

use super::door;
use super::http2::{self, Activity};
use super::tls::{Certificates, HTTP2};
use crate::limits::Crowd;
use crate::privacy::{Listener, NetworkKey, Peer};

/// The most connections that are open at once, if the system lets the collector have as many; more wait to
/// be accepted.
const CONNECTIONS_MAX: u64 = 8_192;
/// Files that are kept for everything but connections: the spool, the database, the log.
const OTHER_FILES: u64 = 128;
/// A request whose head is not there by then is given up; also how long a connection may be idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// The most headers of a request.
const HEADERS_MAX: usize = 64;
/// The longest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long a client may leave an answer unread.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How long requests under way may take when the collector stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(4);

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

    /// The network that the connections of a peer are limited as, if they are.
    fn limited_as(&self, peer: &Peer) -> Option<NetworkKey>;
}

/// Routes alone, for a listener that only operators reach.
impl Answer for Router {
    async fn answer(&self, _: &Peer, request: Request<Incoming>) -> Response<Body> {
        door::behind(self, request.map(Body::new)).await
    }

    fn limited_as(&self, _: &Peer) -> Option<NetworkKey> {
        None
    }
}

/// hyper with this collector's limits. The benchmark runs a bare server with them, too.
///
/// While an answer is waited for, it is not looked whether the client has gone: hyper would read for that, into another
/// buffer than the one that still holds the request, which costs a beacon more than deciding what it is.
pub fn limits() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .half_close(true)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX);
    builder
}

/// How many connections there is room for, when the collector has been given all the files that it can have.
///
/// A collector that has used up its files can neither accept connections nor write its spool: so connections
/// wait before that.
fn room() -> usize {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let all = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let files = match rustix::process::setrlimit(Resource::Nofile, all) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let room = files.map_or(CONNECTIONS_MAX, |files| {
        // With very few files, half of them.
        files.saturating_sub(OTHER_FILES).max(files / 2)
    });
    usize::try_from(room.min(CONNECTIONS_MAX)).unwrap_or(usize::MAX)
}

/// Accepts connections until the collector stops, and then waits for those that are at work. With
/// certificates they are encrypted. A connection that has no place in the crowd is closed at once.
pub async fn serve<D: Answer>(
    listener: Listener,
    door: Arc<D>,
    certificates: Option<Arc<Certificates>>,
    crowd: Arc<Crowd>,
    mut stopping: Stopping,
) {
    let permits = Arc::new(Semaphore::new(room()));
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
        let Some(seat) = crowd.seat(door.limited_as(&peer)) else { continue };
        let (door, stopping) = (Arc::clone(&door), stopping.clone());
        let acceptor = certificates.as_ref().map(|certificates| certificates.acceptor());
        connections.spawn(async move {
            let stream = impatient(stream);
            match acceptor {
                None => of_http1(stream, peer, door, stopping).await,
                Some(acceptor) => match timeout(HEAD_TIMEOUT, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(HTTP2) => {
                        of_http2(stream, peer, door, stopping).await;
                    }
                    Ok(Ok(stream)) => of_http1(stream, peer, door, stopping).await,
                    Ok(Err(error)) => tracing::trace!(%error, "a handshake failed"),
                    Err(_) => tracing::trace!("a handshake took too long"),
                },
            }
            drop((permit, seat));
        });
    }
    drop(listener);
    drain(connections).await;
}

/// A stream that fails when nothing of what is written goes out for long: a client that does not read its
/// answer would otherwise have its connection for ever.
fn impatient<I: AsyncRead + AsyncWrite>(stream: I) -> Pin<Box<TimeoutStream<I>>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(READ_TIMEOUT));
    Box::pin(stream)
}

/// A stream that wipes what is left of earlier reads in the room that it is given to read into.
///
/// hyper uses the buffer of a connection again, and asks for the next request as soon as one is answered: so
/// nothing of a request, its address least of all, stays in the buffer of a connection that waits.
struct Wiping<I> {
    stream: I,
    /// The address at which the last read ended. A buffer is read into from its front to its back until it is used again from the
    /// front, so that nothing beyond it is of an earlier read; and a new buffer has nothing of others, for what is freed is wiped.
    read_until: usize,
}

impl<I> Wiping<I> {
    fn new(stream: I) -> Self {
        Self { stream, read_until: 0 }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Wiping<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let end = buffer.filled().as_ptr_range().end.addr();
        // Beyond the room is another buffer, which is gone.
        if let Some(left) =
            self.read_until.checked_sub(end).filter(|left| *left <= buffer.remaining())
        {
            buffer.initialize_unfilled_to(left);
        }
        self.read_until = end;
        read
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Wiping<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

async fn of_http1<I, D>(stream: I, peer: Peer, door: Arc<D>, stopping: Stopping)
where
    I: AsyncRead + AsyncWrite + Unpin + 'static,
    D: Answer,
{
    let service = service_fn(|request| {
        let (door, peer) = (Arc::clone(&door), &peer);
        async move { Ok::<_, Infallible>(door.answer(peer, request).await) }
    });
    run(limits().serve_connection(TokioIo::new(Wiping::new(stream)), service), stopping).await;
}

async fn of_http2<I, D>(stream: I, peer: Peer, door: Arc<D>, mut stopping: Stopping)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    D: Answer,
{
    // hyper runs each request as a task of its own.
    let (peer, activity) = (Arc::new(peer), Arc::new(Activity::new()));
    let of_requests = Arc::clone(&activity);
    let service = service_fn(move |request| {
        let (door, peer, activity) =
            (Arc::clone(&door), Arc::clone(&peer), Arc::clone(&of_requests));
        async move {
            let _under_way = activity.request();
            Ok::<_, Infallible>(door.answer(&peer, http2::with_host(request)).await)
        }
    });
    let (end, ended) = watch::channel(false);
    let connection = run(http2::limits().serve_connection(TokioIo::new(stream), service), ended);
    let unused = async {
        tokio::select! {
            () = activity.idle() => {}
            () = stopped(&mut stopping) => {}
        }
        end.send_replace(true);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = connection => {}
        () = unused => {}
    }
}

/// Runs one connection to its end, or, when the collector stops, to the end of its current request.
pub(super) async fn run<C>(connection: C, mut stopping: Stopping)
where
    C: GracefulConnection,
    C::Error: std::fmt::Display,
{
    let mut connection = std::pin::pin!(connection);
    // In a set of one it is looked at when it is woken, and not each time that the connection is.
    let mut stop: FuturesUnordered<_> = std::iter::once(stopped(&mut stopping)).collect();
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        Some(()) = stop.next() => {
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
    if timeout(DRAIN_TIMEOUT, all).await.is_err() {
        tracing::warn!("some connections did not end in time and were cut");
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;
    use crate::privacy::Proxies;

    /// Answers everything, and takes everybody for the same network, or for nobody's.
    struct OneNetwork(Option<NetworkKey>);

    impl Answer for OneNetwork {
        async fn answer(&self, _: &Peer, _: Request<Incoming>) -> Response<Body> {
            Response::new(Body::from("here"))
        }

        fn limited_as(&self, _: &Peer) -> Option<NetworkKey> {
            self.0
        }
    }

    async fn start(door: OneNetwork, crowd: &Arc<Crowd>) -> (SocketAddr, watch::Sender<bool>) {
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = watch::channel(false);
        tokio::spawn(serve(listener, Arc::new(door), None, Arc::clone(crowd), stopping));
        (address, stop)
    }

    /// A connection on which a request was answered; `None` when it was closed instead.
    async fn connect(address: SocketAddr) -> Option<TcpStream> {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let mut answer = [0; 4_096];
        let count = stream.read(&mut answer).await.unwrap_or(0);
        answer[..count].ends_with(b"here").then_some(stream)
    }

    #[tokio::test]
    async fn a_network_with_too_many_connections_gets_no_more_until_one_of_them_ends() {
        let crowd = Crowd::new(8);
        let network = Proxies::default().network_of("192.0.2.1");
        let (address, _running) = start(OneNetwork(network), &crowd).await;
        let mut open = Vec::new();
        for _ in 0..8 {
            open.push(connect(address).await.expect("there was room"));
        }
        for _ in 0..20 {
            assert!(connect(address).await.is_none(), "there was no room");
        }
        assert_eq!((crowd.open(), crowd.refused()), (8, 20));
        open.pop();
        // The collector sees a moment later that it has gone.
        while crowd.open() == 8 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(connect(address).await.is_some());
    }

    /// Reads as hyper does, and returns how many bytes came.
    async fn read<I: AsyncRead + Unpin>(stream: &mut TokioIo<Wiping<I>>, room: &mut [u8]) -> usize {
        let read = |context: &mut Context<'_>| {
            let mut buffer = hyper::rt::ReadBuf::new(room);
            let read =
                hyper::rt::Read::poll_read(Pin::new(&mut *stream), context, buffer.unfilled());
            assert!(read.is_pending() || !buffer.filled().is_empty());
            Poll::Ready(buffer.filled().len())
        };
        std::future::poll_fn(read).await
    }

    #[tokio::test]
    async fn nothing_stays_in_a_buffer_but_what_was_read_last() {
        let (mut client, server) = tokio::io::duplex(64);
        let mut server = TokioIo::new(Wiping::new(server));
        let mut bytes = [0; 25];
        client.write_all(b"a request with an address").await.unwrap();
        assert_eq!(read(&mut server, &mut bytes).await, 25);
        client.write_all(b"next").await.unwrap();
        assert_eq!(read(&mut server, &mut bytes).await, 4);
        assert_eq!(bytes, *b"next\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        assert_eq!(read(&mut server, &mut bytes).await, 0);
        assert_eq!(bytes, [0; 25], "nothing came, and the buffer is empty");
    }

    #[tokio::test]
    async fn a_request_that_came_in_pieces_does_not_stay_in_a_buffer_either() {
        let (mut client, server) = tokio::io::duplex(64);
        let mut server = TokioIo::new(Wiping::new(server));
        let mut buffers = [[0; 64], [0; 64]];
        for pieces in [&[20, 1, 30][..], &[3], &[64], &[1, 1, 1], &[10, 50]] {
            for bytes in &mut buffers {
                let mut length = 0;
                for piece in pieces {
                    client.write_all(&[b'x'; 64][..*piece]).await.unwrap();
                    length += read(&mut server, &mut bytes[length..]).await;
                }
                assert_eq!(bytes[..length], [b'x'; 64][..length]);
                assert_eq!(bytes[length..], [0; 64][length..], "{pieces:?}");
                assert_eq!(read(&mut server, &mut bytes[..]).await, 0);
                assert_eq!(*bytes, [0; 64], "{pieces:?}");
            }
        }
    }

    /// Answers with more than any buffer takes.
    struct LongAnswer;

    impl Answer for LongAnswer {
        async fn answer(&self, _: &Peer, _: Request<Incoming>) -> Response<Body> {
            Response::new(Body::from(vec![b'x'; 1 << 20]))
        }

        fn limited_as(&self, _: &Peer) -> Option<NetworkKey> {
            None
        }
    }

    /// How long a client has its connection that reads so many bytes a second.
    async fn connected_for(bytes_a_second: usize) -> Duration {
        let (mut client, server) = tokio::io::duplex(4_096);
        let (_running, stopping) = watch::channel(false);
        let peer = Proxies::peer("192.0.2.1");
        let begun = tokio::time::Instant::now();
        let connection = async {
            of_http1(impatient(server), peer, Arc::new(LongAnswer), stopping).await;
            begun.elapsed()
        };
        let reading = async {
            client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
            let mut some = vec![0; bytes_a_second];
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                if bytes_a_second > 0 && client.read(&mut some).await.unwrap_or(0) == 0 {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::select! {
            time = connection => time,
            () = reading => unreachable!("it reads on"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_an_answer_is_not_waited_for_and_who_reads_slowly_is() {
        let unread = connected_for(0).await;
        assert!(unread >= READ_TIMEOUT && unread < READ_TIMEOUT * 2, "{unread:?}");
        let slow = connected_for(2_048).await;
        assert!(slow >= Duration::from_secs((1 << 20) / 2_048), "{slow:?}");
    }

    #[tokio::test]
    async fn who_is_not_limited_has_as_many_connections_as_there_is_room_for() {
        let crowd = Crowd::new(8);
        let (address, _running) = start(OneNetwork(None), &crowd).await;
        let mut open = Vec::new();
        for _ in 0..50 {
            open.push(connect(address).await.expect("there was room"));
        }
        assert_eq!((crowd.open(), crowd.refused()), (50, 0));
    }
}
