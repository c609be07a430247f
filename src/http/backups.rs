//! `POST /api/v1/backups`: a backup of what ClickHouse holds. On the control socket only, because it
//! writes files of the operator's machine.

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Services;
use super::answer::Refused;
use crate::store::backup::BackupName;

#[derive(Deserialize)]
struct Wanted {
    name: String,
}

pub(super) fn owners_routes() -> Router<Services> {
    Router::new().route("/api/v1/backups", post(backup))
}

async fn backup(State(services): State<Services>, body: Bytes) -> Result<Json<Value>, Refused> {
    let wanted: Wanted = serde_json::from_slice(&body)
        .map_err(|error| Refused::bad_request(format!("The body is wrong: {error}.")))?;
    let name =
        BackupName::new(&wanted.name).map_err(|error| Refused::bad_request(error.to_string()))?;
    // What went wrong is the operator's to know, who is the only one that can ask.
    services.store.backup(&name).await.map_err(|error| Refused::bad_request(error.to_string()))?;
    Ok(Json(json!({ "name": name.as_str() })))
}
