//! The listener of the outside world: the only place where connections show an address.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this is the module that the ban protects"
)]

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

/// How long accepting rests after the system had no descriptor left; it doubles up to the maximum.
const REST_MIN: Duration = Duration::from_millis(5);
const REST_MAX: Duration = Duration::from_secs(1);

/// Accepts connections.
pub struct Listener(TcpListener);

/// The other end of a connection. Nothing outside of this module can tell which address it has.
pub struct Peer {
    pub(super) address: IpAddr,
    pub(super) port: u16,
}

impl Listener {
    /// Listens on an address.
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
