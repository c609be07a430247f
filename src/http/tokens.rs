//! Tokens over HTTP: `/api/v1/tokens`. A token's secret is in the answer that made it, and nowhere else.

use axum::extract::{Path, State};
use axum::routing::{delete, get};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Services;
use super::access::Administrator;
use super::answer::Refused;
use crate::site::SiteId;
use crate::store::catalog::{NewToken, Scope};

pub(super) fn routes() -> Router<Services> {
    Router::new()
        .route("/api/v1/tokens", get(list).post(create))
        .route("/api/v1/tokens/{id}", delete(revoke))
}

/// What a new token shall be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    scope: Scope,
    #[serde(default)]
    sites: Vec<String>,
    #[serde(default)]
    note: String,
    #[serde(default)]
    least_visitors: Option<u32>,
    #[serde(default)]
    expires_at: Option<Timestamp>,
}

async fn create(
    _: Administrator,
    State(services): State<Services>,
    body: axum::body::Bytes,
) -> Result<Json<Value>, Refused> {
    let wanted: Wanted = serde_json::from_slice(&body)
        .map_err(|error| Refused::bad_request(format!("The body can not be read: {error}")))?;
    let Wanted { scope, sites, note, least_visitors, expires_at } = wanted;
    let new = NewToken { scope, sites, note, least_visitors, expires_at };
    let secret = services.catalog.create_token(&services.store, new, services.clock.now()).await?;
    Ok(Json(json!({ "token": secret })))
}

async fn list(_: Administrator, State(services): State<Services>) -> Json<Value> {
    let sites = services.catalog.sites();
    let domain =
        |id: &SiteId| sites.iter().find(|site| site.id == *id).map(|site| site.domain.clone());
    let tokens = services.catalog.tokens();
    let tokens = tokens.iter().map(|token| {
        json!({
            "id": token.id,
            "scope": token.scope,
            "sites": token.sites.iter().filter_map(domain).collect::<Vec<_>>(),
            "note": token.note,
            "least_visitors": token.least_visitors,
            "created_at": token.created_at.to_string(),
            "expires_at": token.expires_at.map(|end| end.to_string()),
            "last_used": services.access_log.token_used(&token.id).map(|time| time.to_string()),
        })
    });
    Json(json!({ "tokens": tokens.collect::<Vec<_>>() }))
}

async fn revoke(
    _: Administrator,
    State(services): State<Services>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refused> {
    services.catalog.revoke_token(&services.store, &id, services.clock.now()).await?;
    services.forget_uses().await;
    Ok(Json(json!({ "revoked": true })))
}
