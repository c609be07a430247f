//! The listener of the outside world: the only place where connections show an address.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this is the module that the ban protects"
)]

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// How long accepting rests after the system had no descriptor left; it doubles up to the maximum.
const REST_MIN: Duration = Duration::from_millis(5);
const REST_MAX: Duration = Duration::from_secs(1);

/// As many connections wait for being accepted.
const BACKLOG: u32 = 1_024;

/// An address that is ours, and on which nobody is heard yet: whoever connects is refused at once, and can turn to somebody else.
pub struct Bound(TcpSocket);

/// Accepts connections.
pub struct Listener(TcpListener);

/// The other end of a connection. Nothing outside of this module can tell which address it has.
pub struct Peer {
    pub(super) address: IpAddr,
    pub(super) port: u16,
}

impl Bound {
    /// Takes an address.
    ///
    /// # Errors
    /// When somebody listens there, or it is not this machine's.
    pub fn to(address: SocketAddr) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // Connections of the process before this one may still be ending.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self(socket))
    }

    /// Listens from now on.
    ///
    /// # Errors
    /// When somebody else has begun to since.
    pub fn listen(self) -> io::Result<Listener> {
        self.0.listen(BACKLOG).map(Listener)
    }
}

impl Listener {
    /// Listens on an address at once.
    ///
    /// # Errors
    /// When it is occupied, or not this machine's.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self)
    }

    /// The address it listens on: with the port that the system chose, when 0 was asked for.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// The next connection. Failures to accept are the system's, and pass: they are waited out.
    pub async fn accept(&self) -> (TcpStream, Peer) {
        let mut rest = REST_MIN;
        loop {
            match self.0.accept().await {
                Ok((stream, address)) => {
                    // Answers are small; waiting to fill a packet only delays them.
                    let _ = stream.set_nodelay(true);
                    let peer = Peer { address: address.ip(), port: address.port() };
                    return (stream, peer);
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(rest).await;
                    rest = (rest * 2).min(REST_MAX);
                }
            }
        }
    }
}
