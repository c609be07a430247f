//! HTTP: connections, the door, and the routes behind it.
//!
//! - [`connections`] accepts, limits, times out and drains connections, plain or encrypted ([`tls`]).
//! - [`door`] receives every request of the outside world. It is where the visitor's address and user
//!   agent are taken off the request: beacons get them as opaque values, everything else never does.
//! - [`body`] reads what is sent, by a time and up to a length.
//! - [`beacon`] is the beacons' side of the door; [`api`], [`sites`], [`goals`], [`segments`], [`annotations`],
//!   [`links`], [`members`], [`tokens`], [`import`], [`erase`], [`quarantine`], [`script`] and [`health`] are the routes behind it,
//!   and [`access`] decides who may use them.
//! - [`foreign`] is the beacons' side once more, for beacons in the forms of other trackers.
//! - [`probe`] tells whoever sets up proxies how a client's address was found.
//! - [`noting`] notes who read what, and [`access_log`] tells it.
//! - [`queue`] is what reports stand in, so that they do not take the machine from the beacons.
//! - [`control`] is the same routes on a socket in the data directory, for the command line, with
//!   [`backups`] and [`mails`] beside them.

pub mod access;
pub mod access_log;
pub mod annotations;
pub mod answer;
pub mod api;
pub mod audit;
pub mod backups;
pub mod beacon;
mod body;
pub mod connections;
pub mod control;
mod days;
pub mod door;
pub mod erase;
pub mod export;
mod fields;
pub mod foreign;
pub mod form;
pub mod goals;
pub mod guesses;
pub mod health;
mod http2;
pub mod import;
pub mod links;
mod mails;
pub mod members;
pub(crate) mod noting;
pub mod openapi;
mod paging;
pub mod probe;
pub mod quarantine;
pub mod queue;
pub mod script;
pub mod segments;
pub mod sites;
pub mod tls;
pub mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::middleware::{from_fn, from_fn_with_state, map_response};

use crate::apart::apart;
use crate::clock::SharedClock;
use crate::site::Site;
use crate::store::Store;
use crate::store::catalog::Catalog;
use crate::store::loader::quarantine::SharedQuarantine;
use crate::telemetry::Counters;
use crate::through;

/// What the routes work with.
#[derive(Clone)]
pub struct Services {
    /// Tells the time.
    pub clock: SharedClock,
    /// What is set up: sites, goals, segments, tokens, links.
    pub catalog: Arc<Catalog>,
    /// ClickHouse.
    pub store: Arc<Store>,
    /// What the collector counts.
    pub counters: Arc<Counters>,
    /// Takes events out again.
    pub eraser: Arc<crate::erasure::Eraser>,
    /// How the parts are.
    pub health: Arc<health::Health>,
    /// Whether visitors who object are heeded.
    pub heeds_objections: bool,
    /// Events that ClickHouse refuses.
    pub quarantine: SharedQuarantine,
    /// The queue before the reports.
    pub queue: queue::Queue,
    /// The queue of visitors who ask what is counted about them.
    pub visitors: queue::Visitors,
    /// Who read what.
    pub access_log: Arc<crate::access_log::AccessLog>,
    /// How often passwords were guessed of late.
    pub guesses: guesses::Guesses,
    /// The address at which browsers reach the collector, when the operator said so. No slash ends it.
    pub public_url: Option<String>,
    /// The ways in which people sign in beside tokens.
    pub sign_in: Arc<crate::sign_in::SignIn>,
    /// The pages that may frame what is embedded: sources of `frame-ancestors`.
    pub embed_in: Arc<[String]>,
    /// What the page scripts do, and where they send.
    pub script: Arc<crate::config::Script>,
    /// The page scripts themselves.
    pub scripts: Arc<script::Scripts>,
    /// What mails, when the operator named a server.
    pub post: Option<Arc<crate::notices::post::Post>>,
    /// What lets the owner of the data directory ask how addresses are found.
    pub probe: Arc<probe::Probe>,
}

impl Services {
    /// Where browsers reach the collector, as the operator said, or else as it was asked. No slash ends it.
    pub(crate) fn origin(&self, headers: &HeaderMap) -> String {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let asked = || format!("http://{}", host.unwrap_or("localhost"));
        self.public_url.clone().unwrap_or_else(asked)
    }

    /// Forgets when tokens and links were used last that are no more.
    pub(crate) async fn forget_uses(&self) {
        // Who knows of none would forget all.
        if !self.catalog.is_loaded() {
            return;
        }
        let tokens: Vec<_> = self.catalog.tokens().into_iter().map(|token| token.id).collect();
        let links = |site: &Arc<Site>| self.catalog.shared_links(site.id);
        let links: Vec<_> =
            self.catalog.sites().iter().flat_map(links).map(|link| link.id).collect();
        let log = Arc::clone(&self.access_log);
        apart(move || log.forget_uses(&tokens, &links)).await;
    }
}

/// Every route behind the door.
pub fn routes(services: Services) -> Router {
    let in_the_queue = || from_fn_with_state(services.clone(), queue::stand);
    let noted = || from_fn_with_state(services.clone(), noting::note);
    // Reports are asked for by POST as well, and end with whoever asked.
    let set_up = Router::new()
        .merge(sites::routes())
        .merge(goals::routes())
        .merge(segments::routes())
        .merge(annotations::routes())
        .merge(links::routes())
        .merge(members::routes())
        .merge(tokens::routes())
        .layer(from_fn_with_state(services.clone(), health::only_when_known));
    let changes = Router::new()
        .merge(set_up)
        .merge(import::routes())
        .merge(quarantine::routes())
        .merge(erase::routes());
    let api = Router::new()
        .merge(api::routes().layer(in_the_queue()).layer(noted()))
        .merge(api::schema_routes())
        .merge(changes.layer(from_fn(through::carry)))
        .merge(export::routes().layer(noted()))
        .merge(access_log::routes())
        .merge(openapi::routes())
        .layer(map_response(answer::in_the_one_form));
    let pages = Router::new()
        .merge(crate::web::routes().layer(in_the_queue()).layer(noted()))
        .merge(crate::web::entrance_routes())
        .layer(from_fn(through::carry));
    Router::new()
        .merge(api)
        .merge(health::routes())
        .merge(script::routes())
        .merge(pages)
        .fallback(crate::web::nothing_here)
        .with_state(services)
}
