//! The door: where a request of the outside world comes in, and leaves its address behind.
//!
//! The client is read off the connection and the headers, and the headers that tell of it are
//! removed, before anything else looks at the request. Beacons and the visitor's own page are handled here,
//! because they need the client; everything else goes on to the routes, which cannot have it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::{Request, Response};
use tower::ServiceExt;

use super::connections::Answer;
use super::{Services, beacon};
use crate::ingest::Collector;
use crate::privacy::{Peer, Proxies};
use crate::web::visitor;

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
    async fn answer(&self, peer: &Peer, request: Request<Incoming>) -> Response<Body> {
        let (mut parts, body) = request.into_parts();
        let client = self.proxies.client(peer, &mut parts.headers);
        match parts.uri.path() {
            "/api/event" => beacon::event(&self.collector, &parts, client, body).await,
            "/api/event.gif" => beacon::pixel(&self.collector, &parts, client).await,
            path if visitor::is_visitors(path) => {
                visitor::answer(&self.services, &self.collector, &parts, client).await
            }
            _ => behind(&self.routes, Request::from_parts(parts, Body::new(body))).await,
        }
    }
}

/// Hands a request to the routes, which always answer.
pub(super) async fn behind(routes: &Router, request: Request<Body>) -> Response<Body> {
    routes.clone().oneshot(request).await.unwrap_or_else(|never: Infallible| match never {})
}
