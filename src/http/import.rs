//! `POST /api/v1/import`: a file of JSON lines, taken in while it arrives.

use axum::body::Body;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use http_body_util::BodyExt;

use super::Services;
use super::access::Administrator;
use super::answer::Refused;
use crate::import::{Import, Summary};

pub(super) fn routes() -> Router<Services> {
    Router::new().route("/api/v1/import", post(import))
}

async fn import(
    _: Administrator,
    State(services): State<Services>,
    body: Body,
) -> Result<Json<Summary>, Refused> {
    let site_of = |domain: &str| services.catalog.site(&crate::beacon::decode::bare_domain(domain));
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
