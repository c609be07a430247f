//! How the collector is: for orchestrators, load balancers and people.
//!
//! *Live* means that the process answers. *Ready* means that it can accept beacons durably; for that
//! it needs its spool and the catalog, not ClickHouse. `/api/health` tells both, and more.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use super::Services;

/// What is known of the parts.
#[derive(Default)]
pub struct Health {
    database: AtomicBool,
    spool: AtomicBool,
    stopping: AtomicBool,
}

impl Health {
    /// Whether ClickHouse answered last.
    pub fn set_database(&self, answers: bool) {
        self.database.store(answers, Ordering::Relaxed);
    }

    /// Whether the spool takes events.
    pub fn set_spool(&self, writable: bool) {
        self.spool.store(writable, Ordering::Relaxed);
    }

    /// The collector is going away: send nothing new.
    pub fn set_stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
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
    let Health { spool, stopping, .. } = &*services.health;
    spool.load(Ordering::Relaxed)
        && !stopping.load(Ordering::Relaxed)
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
    let answers = |flag: &AtomicBool| if flag.load(Ordering::Relaxed) { "ok" } else { "error" };
    let ready = is_ready(&services);
    let body = json!({
        "ready": ready,
        "clickhouse": answers(&services.health.database),
        "spool": answers(&services.health.spool),
        "catalog": if services.catalog.is_loaded() { "ok" } else { "error" },
    });
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(body))
        .into_response()
}
