//! A proxy between the collector and ClickHouse, which does to their connections what networks do.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the proxy does with connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// What it is given.
    Pass,
    /// Cuts every connection at a byte of its request or of its answer: after that many of each, if given.
    Cut { request: Option<usize>, answer: Option<usize> },
    /// Cuts most connections, anywhere.
    CutAnywhere,
    /// Ends connections as soon as they are made.
    Refuse,
    /// Takes everything and never answers.
    Hang,
    /// Keeps every request that has these bytes, and never answers it.
    Keep(&'static str),
    /// Answers every request with these bytes, and ends the connection.
    Answer(String),
}

/// A running proxy.
pub(crate) struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    /// Connections that were cut, and requests that it answered by itself.
    pub(crate) harm: Arc<AtomicU64>,
}

impl Proxy {
    /// A proxy to an address.
    pub(crate) async fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (mode, told) = watch::channel(Mode::Pass);
        let harm = Arc::<AtomicU64>::default();
        let work = Work {
            target: target.to_owned(),
            told,
            harm: Arc::clone(&harm),
            chance: Arc::new(Mutex::new(SmallRng::seed_from_u64(7))),
        };
        tokio::spawn(serve(listener, work));
        Self { address, mode, harm }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Does something else from now on; connections that are open end.
    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Answers with an exception of ClickHouse's, as ClickHouse does.
    pub(crate) fn refuse_with_code(&self, code: u32) {
        let text = format!("Code: {code}. DB::Exception: It is so. (SOMETHING)\n");
        let head = format!(
            "HTTP/1.1 500 Internal Server Error\r\nX-ClickHouse-Exception-Code: {code}\r\nContent-Length: {}\r\n\r\n",
            text.len()
        );
        self.set(Mode::Answer(head + &text));
    }

    pub(crate) fn harm(&self) -> u64 {
        self.harm.load(Ordering::Relaxed)
    }
}

#[derive(Clone)]
struct Work {
    target: String,
    told: watch::Receiver<Mode>,
    harm: Arc<AtomicU64>,
    chance: Arc<Mutex<SmallRng>>,
}

#[expect(clippy::disallowed_methods, reason = "the proxy is no collector: it knows no visitor")]
async fn serve(listener: TcpListener, work: Work) {
    while let Ok((stream, _)) = listener.accept().await {
        let work = work.clone();
        tokio::spawn(async move {
            let mut told = work.told.clone();
            let mode = told.borrow_and_update().clone();
            tokio::select! {
                _ = work.serve(stream, mode) => {}
                // Whatever was open before ends with a mode.
                _ = told.changed() => {}
            }
        });
    }
}

impl Work {
    async fn serve(&self, client: TcpStream, mode: Mode) -> std::io::Result<()> {
        match mode {
            Mode::Pass => self.relay(client, usize::MAX, usize::MAX).await,
            Mode::Cut { request, answer } => {
                let (request, answer) =
                    (request.unwrap_or(usize::MAX), answer.unwrap_or(usize::MAX));
                self.relay(client, request, answer).await
            }
            Mode::CutAnywhere => {
                let (request, answer) = self.anywhere();
                self.relay(client, request, answer).await
            }
            Mode::Refuse => {
                self.harm.fetch_add(1, Ordering::Relaxed);
                client.set_zero_linger()
            }
            Mode::Hang => {
                self.harm.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_secs(3600)).await;
                drop(client);
                Ok(())
            }
            Mode::Keep(text) => self.keep(client, text).await,
            Mode::Answer(answer) => self.answer(client, &answer).await,
        }
    }

    /// Bytes after which a connection is cut: of the request or of the answer, near or far.
    fn anywhere(&self) -> (usize, usize) {
        let mut chance = self.chance.lock().unwrap();
        let far = 1usize << chance.random_range(4..18);
        let bytes = chance.random_range(0..far);
        match chance.random_range(0..8) {
            0..4 => (bytes, usize::MAX),
            4..7 => (usize::MAX, bytes % 700),
            _ => (usize::MAX, usize::MAX),
        }
    }

    /// Relays both directions until one of them has used up its bytes; then the connection is reset, or,
    /// for a request, only its end is told to ClickHouse, which still may answer.
    async fn relay(&self, client: TcpStream, request: usize, answer: usize) -> std::io::Result<()> {
        let server = TcpStream::connect(&self.target).await?;
        let is_gentle = self.chance.lock().unwrap().random::<bool>();
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let forth = async {
            let was_cut = copy(&mut from_client, &mut to_server, request).await?;
            if was_cut && is_gentle {
                self.harm.fetch_add(1, Ordering::Relaxed);
                to_server.shutdown().await?;
                std::future::pending::<()>().await;
            }
            std::io::Result::Ok(was_cut)
        };
        let was_cut = tokio::select! {
            was_cut = forth => was_cut?,
            was_cut = copy(&mut from_server, &mut to_client, answer) => was_cut?,
        };
        if was_cut {
            self.harm.fetch_add(1, Ordering::Relaxed);
            to_client.as_ref().set_zero_linger()?;
            to_server.as_ref().set_zero_linger()?;
        }
        Ok(())
    }

    async fn keep(&self, client: TcpStream, text: &str) -> std::io::Result<()> {
        let server = TcpStream::connect(&self.target).await?;
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let forth = async {
            let mut buffer = vec![0; 64 << 10];
            loop {
                let count = from_client.read(&mut buffer).await?;
                if find(&buffer[..count], text.as_bytes()).is_some() {
                    self.harm.fetch_add(1, Ordering::Relaxed);
                    std::future::pending::<()>().await;
                }
                if count == 0 {
                    return std::io::Result::Ok(());
                }
                to_server.write_all(&buffer[..count]).await?;
            }
        };
        tokio::select! {
            ended = forth => ended,
            ended = copy(&mut from_server, &mut to_client, usize::MAX) => ended.map(drop),
        }
    }

    async fn answer(&self, mut client: TcpStream, answer: &str) -> std::io::Result<()> {
        let (mut received, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
        while !is_whole(&received) {
            let count = client.read(&mut buffer).await?;
            if count == 0 {
                return Ok(());
            }
            received.extend_from_slice(&buffer[..count]);
        }
        self.harm.fetch_add(1, Ordering::Relaxed);
        client.write_all(answer.as_bytes()).await?;
        client.shutdown().await
    }
}

/// Copies until there is nothing more, or until so many bytes have gone; says whether they have.
async fn copy(
    from: &mut OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    mut bytes: usize,
) -> std::io::Result<bool> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let room = buffer.len().min(bytes);
        if room == 0 {
            return Ok(true);
        }
        let count = from.read(&mut buffer[..room]).await?;
        if count == 0 {
            return Ok(false);
        }
        to.write_all(&buffer[..count]).await?;
        bytes -= count;
    }
}

/// Whether these are all bytes of a request.
fn is_whole(request: &[u8]) -> bool {
    let Some(head_end) = find(request, b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&request[..head_end]).to_lowercase();
    let body = &request[head_end + 4..];
    if head.contains("transfer-encoding: chunked") {
        return body.ends_with(b"0\r\n\r\n");
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
