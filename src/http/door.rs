//! The door: where a request of the outside world comes in, and leaves its address behind.
//!
//! The client is read off the connection and the headers, and the headers that tell of it are
//! removed, before anything else looks at the request. Beacons and the visitor's own page are handled here,
//! because they need the client; everything else goes on to the routes, which cannot have it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::X_CONTENT_TYPE_OPTIONS;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::IntoResponse;
use hyper::body::{Body as _, Incoming};
use hyper::{Request, Response, Uri};
use tower::ServiceExt;

use super::access::SignedInByProxy;
use super::answer::Refused;
use super::body::{self, Broken};
use super::connections::Answer;
use super::{Services, beacon, foreign, import};
use crate::ingest::Collector;
use crate::privacy::{NetworkKey, Peer, Proxies};
use crate::web::visitor;

/// The longest body that the routes get, in bytes: there is no longer query.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// What stands behind the door.
pub struct Door {
    /// Whose forwarding headers are believed.
    pub proxies: Proxies,
    /// Takes beacons in.
    pub collector: Arc<Collector>,
    /// What the visitor's own page works with.
    pub services: Services,
    /// Answers everything else.
    pub routes: Router,
}

impl Answer for Door {
    fn limited_as(&self, peer: &Peer) -> Option<NetworkKey> {
        self.proxies.network_of_peer(peer)
    }

    async fn answer(&self, peer: &Peer, request: Request<Incoming>) -> Response<Body> {
        let mut answer = self.answered(peer, request).await;
        // What an answer is, it says: a browser that guessed could take text of a visitor's for a page.
        answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        answer
    }
}

impl Door {
    async fn answered(&self, peer: &Peer, request: Request<Incoming>) -> Response<Body> {
        let (mut parts, body) = request.into_parts();
        let client = self.proxies.client(peer, &mut parts.headers);
        if let Some(person) = self.proxies.person(peer, &mut parts.headers) {
            parts.extensions.insert(SignedInByProxy(person));
        }
        let collector = &self.collector;
        match parts.uri.path() {
            "/api/event" => beacon::event(&self.services, collector, parts, client, body).await,
            "/api/event.gif" => beacon::pixel(collector, parts, client).await,
            "/api/send" => foreign::umami(collector, parts, client, body).await,
            path if path == "/count" || path.starts_with("/count/") => {
                foreign::goatcounter(collector, parts, client).await
            }
            path if visitor::is_visitors(path) => {
                visitor::answer(&self.services, collector, &parts, client).await
            }
            path if is_one_of(&self.services.script.event_paths, path) => {
                beacon::event(&self.services, collector, parts, client, body).await
            }
            path => {
                if is_one_of(&self.services.script.paths, path) {
                    parts.uri = Uri::from_static("/js/passerby.js");
                }
                match read(&parts, body).await {
                    Ok(body) => behind(&self.routes, Request::from_parts(parts, body)).await,
                    Err(refused) => refused.into_response(),
                }
            }
        }
    }
}

/// The body that the routes get: whole, before they are asked, so that nobody who sends it slowly has a place among the reports.
/// An import is read while it arrives; its sender is an administrator, which is looked to first.
async fn read(parts: &Parts, body: Incoming) -> Result<Body, Refused> {
    if body.is_end_stream() {
        return Ok(Body::empty());
    }
    if import::reads(parts.uri.path()) {
        return Ok(Body::new(body));
    }
    let refused = |broken| match broken {
        Broken::TooLong => Refused::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The body must not exceed {BODY_BYTES_MAX} bytes."),
        ),
        Broken::Slow => Refused::bad_request("The body took longer than 5 seconds."),
        Broken::Ended => Refused::bad_request("The body ended early."),
    };
    body::whole(body, BODY_BYTES_MAX).await.map(Body::from).map_err(refused)
}

fn is_one_of(paths: &[String], path: &str) -> bool {
    paths.iter().any(|one| one == path)
}

/// Hands a request to the routes, which always answer.
pub(super) async fn behind(routes: &Router, request: Request<Body>) -> Response<Body> {
    routes.clone().oneshot(request).await.unwrap_or_else(|never: Infallible| match never {})
}
