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
use crate::store::loader::quarantine::{ReplayError, Replayed};

pub(super) fn routes() -> Router<Services> {
    Router::new()
        .route("/api/v1/quarantine", get(list))
        .route("/api/v1/quarantine/replay", post(replay))
}

async fn list(_: Administrator, State(services): State<Services>) -> Result<Json<Value>, Refused> {
    Ok(Json(json!({ "quarantine": services.quarantine.list().await? })))
}

async fn replay(
    _: Administrator,
    State(services): State<Services>,
) -> Result<Json<Replayed>, Refused> {
    Ok(Json(services.quarantine.replay(&services.store).await?))
}

impl From<ReplayError> for Refused {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Store(error) => error.into(),
            ReplayError::File { .. } => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
            }
        }
    }
}
