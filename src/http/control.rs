//! The control socket: the routes once more, on a Unix socket in the data directory.
//!
//! Whoever may enter the data directory owns the collector, so requests here need no token. The
//! command line talks to a running collector this way, and the operator's metrics are here too.

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use axum::middleware;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

use super::connections::{self, Stopping, stopped};
use super::{Services, access, audit, backups, door, health, mails, probe};

/// When to look for the next caller where one could not be accepted.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Where the control socket of a data directory is.
pub fn socket_path(data_dir: &Path) -> PathBuf {
    data_dir.join("control.sock")
}

/// The routes as the owner of the data directory sees them.
pub fn owners_routes(services: Services) -> Router {
    super::routes(services.clone())
        .merge(backups::owners_routes().with_state(services.clone()))
        .merge(mails::owners_routes().with_state(services.clone()))
        .merge(operators_routes(services.clone()))
        .merge(audit::routes().with_state(services.clone()))
        .merge(probe::owners_routes().with_state(services))
        .layer(middleware::from_fn(access::as_owner))
}

/// The routes of the listener for metrics.
pub fn operators_routes(services: Services) -> Router {
    health::operators_routes().with_state(services)
}

/// Makes the socket, in place of one that a collector left behind when it was killed.
///
/// The data directory is locked by then, so nobody listens on the old one.
///
/// # Errors
/// When it can not be made: most likely because the path is longer than a socket's may be.
pub fn bind(data_dir: &Path) -> std::io::Result<UnixListener> {
    let path = socket_path(data_dir);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => UnixListener::bind(path),
    }
}

/// Serves the socket until the collector stops.
pub async fn serve(listener: UnixListener, routes: Router, mut stopping: Stopping) {
    let mut connections = JoinSet::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => {
                    // Without files left the next one would fail at once, too.
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            },
            () = stopped(&mut stopping) => break,
        };
        let (routes, stopping) = (routes.clone(), stopping.clone());
        connections.spawn(async move {
            let service = service_fn(|request: Request<hyper::body::Incoming>| {
                let routes = routes.clone();
                async move {
                    Ok::<_, std::convert::Infallible>(
                        door::behind(&routes, request.map(Body::new)).await,
                    )
                }
            });
            connections::run(
                connections::limits().serve_connection(TokioIo::new(stream), service),
                stopping,
            )
            .await;
        });
    }
    connections::drain(connections).await;
}

/// The other end of the socket.
pub struct Caller(hyper::client::conn::http1::SendRequest<Body>);

impl Caller {
    /// Connects to the collector that runs on a data directory; `None` when none does.
    pub async fn connect(data_dir: &Path) -> Option<Self> {
        let stream = UnixStream::connect(socket_path(data_dir)).await.ok()?;
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        Some(Self(sender))
    }

    /// Sends one request, and waits for the whole answer.
    ///
    /// # Errors
    /// When the collector goes away before it has answered.
    pub async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: Body,
    ) -> Result<(StatusCode, Bytes), axum::Error> {
        let (status, body) = self.open(method, path, body).await.map_err(axum::Error::new)?;
        Ok((status, body.collect().await?.to_bytes()))
    }

    /// Sends one request, and returns the body of the answer while it arrives.
    ///
    /// # Errors
    /// When the collector goes away before it answers.
    pub async fn open(
        &mut self,
        method: Method,
        path: &str,
        body: Body,
    ) -> Result<(StatusCode, Body), hyper::Error> {
        let request =
            Request::builder().method(method).uri(path).header("host", "control").body(body);
        // Unwrap safety: the paths are the program's own, made of percent-encoded parts.
        let request = request
            .unwrap_or_else(|error| unreachable!("a path of the program's own is wrong: {error}"));
        self.0.ready().await?;
        let (head, body) = self.0.send_request(request).await?.into_parts();
        Ok((head.status, Body::new(body)))
    }
}
