//! How the collector is: for orchestrators, load balancers and people.
//!
//! *Live* means that the process answers. *Ready* means that it can accept beacons durably; for that
//! it needs its spool and the catalog, not ClickHouse. Only a start that changes the tables is not ready before it has
//! done so: an upgrade that goes from collector to collector waits for it. `/api/health` tells both, and more.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde_json::json;

use super::Services;
use super::access::OnControlSocket;
use super::answer::{self, Refused};
use crate::apart::apart;
use crate::spool::Spool;
use crate::store::StoreError;

/// How long a start waits for ClickHouse to tell what tables it has.
const FIRST_ANSWER: Duration = Duration::from_secs(1);

/// What is known of the parts.
pub struct Health {
    begun: Instant,
    tables: AtomicU8,
    database: AtomicBool,
    reader_is_refused: AtomicBool,
    /// What was wrong with ClickHouse last, and with what reports read as.
    why: Mutex<Why>,
    spool: OnceLock<Spool>,
    stopping: AtomicBool,
}

/// In ClickHouse's words: they are for the operator.
#[derive(Clone, Default)]
struct Why {
    /// Before it has been tried there is no answer, and no reason.
    database: Option<String>,
    reader: Option<String>,
}

/// What is known of ClickHouse's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Tables {
    /// ClickHouse has not answered yet.
    Unknown,
    /// They are being made those of this version.
    Changing,
    /// They are, or can not be now.
    Settled,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            tables: AtomicU8::new(Tables::Unknown as u8),
            database: AtomicBool::default(),
            reader_is_refused: AtomicBool::default(),
            why: Mutex::default(),
            spool: OnceLock::default(),
            stopping: AtomicBool::default(),
        }
    }
}

impl Health {
    /// What is known of the tables now. A start changes them once: what is settled stays so, also when it is
    /// tried again and again.
    pub fn set_tables(&self, tables: Tables) {
        self.tables.fetch_max(tables as u8, Ordering::Relaxed);
    }

    /// Whether there is no reason to wait for the tables: a ClickHouse that does not answer is none.
    fn has_tables(&self) -> bool {
        let tables = self.tables.load(Ordering::Relaxed);
        tables == Tables::Settled as u8
            || tables == Tables::Unknown as u8 && self.begun.elapsed() >= FIRST_ANSWER
    }

    /// Notes whether ClickHouse answered, or why it did not.
    pub fn set_database(&self, error: Option<&StoreError>) {
        self.why().database = error.map(ToString::to_string);
        self.database.store(error.is_none(), Ordering::Relaxed);
        if error.is_none() {
            answer::database_answers();
        }
    }

    /// Notes whether ClickHouse lets the user read that reports read as, or why it does not.
    pub fn set_reader(&self, error: Option<&StoreError>) {
        self.why().reader = error.map(ToString::to_string);
        self.reader_is_refused.store(error.is_some(), Ordering::Relaxed);
    }

    fn why(&self) -> MutexGuard<'_, Why> {
        self.why.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reports_are_answered(&self) -> bool {
        self.database_answers() && !self.reader_is_refused.load(Ordering::Relaxed)
    }

    /// Whether ClickHouse answered last.
    pub fn database_answers(&self) -> bool {
        self.database.load(Ordering::Relaxed)
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
        .route("/api/system", get(system))
        .route("/api/system/health/live", get(live))
        .route("/api/system/health/ready", get(ready))
}

/// The metrics, which are the operator's alone: for the control socket and a listener of their own.
pub(super) fn operators_routes() -> Router<Services> {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics(State(services): State<Services>) -> impl IntoResponse {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    // The oldest event that waits is looked up in the spool.
    let metrics = apart(move || services.counters.encode()).await;
    ([(header::CONTENT_TYPE, content_type)], metrics)
}

/// Older trackers fetch it to tell of an error of theirs; there is nothing to answer.
async fn nothing() {}

/// What runs here. Of which version it is, is nobody's business but the operator's.
async fn system() -> Json<serde_json::Value> {
    Json(json!({ "build": { "name": "passerby" } }))
}

async fn live() -> &'static str {
    "ok"
}

fn is_ready(services: &Services) -> bool {
    let health = &services.health;
    health.spool_accepts()
        && health.has_tables()
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

/// Nobody is told that there is nothing where it is not known yet what there is.
pub(super) async fn only_when_known(
    State(services): State<Services>,
    request: Request,
    next: Next,
) -> Result<Response, Refused> {
    if services.catalog.is_loaded() {
        return Ok(next.run(request).await);
    }
    Err(Refused::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "It is not known yet what is set up: the database has not answered since the first start.",
    ))
}

async fn health(
    State(services): State<Services>,
    owner: Option<Extension<OnControlSocket>>,
) -> Response {
    let word = |is_well: bool| if is_well { "ok" } else { "error" };
    let ready = is_ready(&services);
    let mut body = json!({
        "ready": ready,
        "clickhouse": word(services.health.database_answers()),
        "reports": word(services.health.reports_are_answered()),
        "tables": word(services.health.has_tables()),
        "spool": word(services.health.spool_accepts()),
        "catalog": word(services.catalog.is_loaded()),
    });
    if owner.is_some() {
        let Why { database, reader } = services.health.why().clone();
        body["why"] = json!({ "clickhouse": database, "reports": reader });
    }
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(body))
        .into_response()
}
