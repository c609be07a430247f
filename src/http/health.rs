//! How the collector is: for orchestrators, load balancers and people.
//!
//! *Live* means that the process answers. *Ready* means that it can accept beacons durably; for that
//! it needs its spool and the catalog, not ClickHouse. `/api/health` tells both, and more.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use super::Services;
use crate::spool::Spool;

/// What is known of the parts.
#[derive(Default)]
pub struct Health {
    database: AtomicBool,
    spool: OnceLock<Spool>,
    stopping: AtomicBool,
}

impl Health {
    /// Whether ClickHouse answered last.
    pub fn set_database(&self, answers: bool) {
        self.database.store(answers, Ordering::Relaxed);
    }

    /// The spool is open.
    pub fn set_spool(&self, spool: Spool) {
        // A process has one spool.
        let _ = self.spool.set(spool);
    }

    fn spool_accepts(&self) -> bool {
        self.spool.get().is_some_and(Spool::accepts)
    }

    /// The collector is going away: send nothing new.
    pub fn set_stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the collector is about to stop.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

pub(super) fn routes() -> Router<Services> {
    Router::new()
        .route("/livez", get(live))
        .route("/readyz", get(ready))
        .route("/api/health", get(health))
        .route("/api/error", get(nothing))
        .route("/api/system/health/live", get(live))
        .route("/api/system/health/ready", get(ready))
}

/// The metrics, which are the operator's alone: for the control socket and a listener of their own.
pub(super) fn operators_routes() -> Router<Services> {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics(State(services): State<Services>) -> impl IntoResponse {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], services.counters.encode())
}

/// Older trackers fetch it to tell of an error of theirs; there is nothing to answer.
async fn nothing() {}

async fn live() -> &'static str {
    "ok"
}

fn is_ready(services: &Services) -> bool {
    let health = &services.health;
    health.spool_accepts()
        && !health.stopping.load(Ordering::Relaxed)
        && services.catalog.is_loaded()
}

async fn ready(State(services): State<Services>) -> Response {
    if is_ready(&services) {
        "ok".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "beacons can not be accepted now").into_response()
    }
}

async fn health(State(services): State<Services>) -> Response {
    let word = |is_well: bool| if is_well { "ok" } else { "error" };
    let ready = is_ready(&services);
    let body = json!({
        "ready": ready,
        "clickhouse": word(services.health.database.load(Ordering::Relaxed)),
        "spool": word(services.health.spool_accepts()),
        "catalog": word(services.catalog.is_loaded()),
    });
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(body))
        .into_response()
}
