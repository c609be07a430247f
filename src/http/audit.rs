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
    let of_events = services.catalog.sites_of_events();
    let columns = services.store.columns_with_addresses(&of_events).await?;
    let overdue = services.store.overdue(&of_events, since).await?;
    let set_aside = services.store.detached().await?.len();
    let sites = services.catalog.sites();
    let excluded = services.store.excluded_by_profiles(&sites).await?;
    let too_long =
        sites.iter().filter(|site| !site.policy.profile.allows_retention(site.retention_days));
    let too_long: Vec<&str> = too_long.map(|site| site.domain.as_str()).collect();
    let strict = sites.iter().filter(|site| site.policy.profile.is_strict()).count();
    Ok(Json(json!({
        "columns_with_addresses": columns,
        "overdue": overdue,
        "set_aside": set_aside,
        "strict_sites": strict,
        "kept_too_long": too_long,
        "excluded_by_profiles": excluded,
    })))
}
