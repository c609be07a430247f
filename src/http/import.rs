//! `POST /api/v1/import`: a file of JSON lines, taken in while it arrives.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::routing::post;
use axum::{Json, Router};
use http_body_util::BodyExt;
use serde::Deserialize;

use super::Services;
use super::access::Administrator;
use super::answer::Refused;
use crate::import::{Import, Summary};
use crate::site::domain::bare_domain;
use crate::store::catalog::CatalogError;

pub(super) fn routes() -> Router<Services> {
    Router::new().route("/api/v1/import", post(import))
}

/// Whether what is sent there is read while it arrives.
pub(super) fn reads(path: &str) -> bool {
    path == "/api/v1/import"
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The site that all events are put on, whatever their lines say.
    #[serde(default)]
    site_id: Option<String>,
}

async fn import(
    _: Administrator,
    State(services): State<Services>,
    wanted: Result<Query<Wanted>, QueryRejection>,
    body: Body,
) -> Result<Json<Summary>, Refused> {
    let Query(wanted) = wanted.map_err(|error| Refused::bad_request(error.body_text()))?;
    let known = |domain: &str| services.catalog.site(&bare_domain(domain));
    let only = match wanted.site_id {
        Some(domain) => Some(known(&domain).ok_or(CatalogError::UnknownSite(domain))?),
        None => None,
    };
    let _under_way = services.eraser.importing(only.as_ref().map(|site| site.id));
    let site_of = |domain: &str| only.clone().or_else(|| known(domain));
    let mut import = Import::new(&services.store, &site_of);
    let mut body = body;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Refused::bad_request("The file ended early; send it again, nothing counts twice.")
        })?;
        if let Ok(bytes) = frame.into_data() {
            import.feed(&bytes).await?;
        }
    }
    Ok(Json(import.finish().await?))
}
