//! Events that ClickHouse refuses: `GET /api/v1/quarantine` tells of them, `POST /api/v1/quarantine/replay`
//! loads them again.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Services;
use super::access::Administrator;
use super::answer::Refused;
use crate::store::loader::quarantine::{QuarantineError, Replayed};

pub(super) fn routes() -> Router<Services> {
    Router::new()
        .route("/api/v1/quarantine", get(list))
        .route("/api/v1/quarantine/replay", post(replay))
}

async fn list(_: Administrator, State(services): State<Services>) -> Result<Json<Value>, Refused> {
    let sites = services.catalog.sites();
    let domain = |id: u32| sites.iter().find(|site| site.id.0 == id).map(|site| &site.domain);
    let entries = services.quarantine.list().await?;
    let entries = entries.iter().map(|entry| {
        json!({
            "code": entry.code,
            "site": entry.site_id.and_then(domain),
            "name": entry.name,
            "events": entry.events,
        })
    });
    Ok(Json(json!({ "quarantine": entries.collect::<Vec<_>>() })))
}

async fn replay(
    _: Administrator,
    State(services): State<Services>,
) -> Result<Json<Replayed>, Refused> {
    Ok(Json(services.quarantine.replay(&services.store).await?))
}

impl From<QuarantineError> for Refused {
    fn from(error: QuarantineError) -> Self {
        match error {
            QuarantineError::Store(error) => error.into(),
            QuarantineError::File { .. } => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
            }
        }
    }
}
