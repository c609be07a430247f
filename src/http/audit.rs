//! What the audit asks a collector, on the control socket alone.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::Services;
use super::answer::Refused;

/// How long an event may stay that its site keeps no longer.
const GRACE: SignedDuration = SignedDuration::from_hours(1);

pub(super) fn routes() -> Router<Services> {
    Router::new().route("/api/v1/audit", get(audit))
}

async fn audit(State(services): State<Services>) -> Result<Json<Value>, Refused> {
    let since = services.clock.now().saturating_sub(GRACE).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let columns = services.store.columns_with_addresses().await?;
    let overdue = services.store.overdue(&services.catalog.sites(), since).await?;
    Ok(Json(json!({ "columns_with_addresses": columns, "overdue": overdue })))
}
