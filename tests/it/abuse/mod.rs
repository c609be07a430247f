//! What somebody sends who means harm, on bare sockets and over HTTP. docs/threats.md has the list.

mod answers;
mod bodies;
mod connections;
mod messages;
mod sources;
mod tokens;

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::PATIENCE;

/// Sends bytes as they are, and returns all that is answered until the collector hangs up.
async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The collector may hang up before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ =
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it waits");
    String::from_utf8_lossy(&answer).into_owned()
}

/// The statuses of all answers in what was read of a connection.
fn statuses(answers: &str) -> Vec<u16> {
    let heads = answers.match_indices("HTTP/1.");
    heads.filter_map(|(at, _)| answers.get(at + 9..at + 12)?.parse().ok()).collect()
}
