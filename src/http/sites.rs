//! The Sites API: `/api/v1/sites`.

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Services;
use super::access::{Access, Administrator};
use super::answer::Refused;
use crate::site::Site;
use crate::store::catalog::SiteChange;

pub(super) fn routes() -> Router<Services> {
    Router::new()
        .route("/api/v1/sites", get(list).post(create))
        .route("/api/v1/sites/{domain}", get(show).put(put).delete(remove))
}

fn shown(site: &Site) -> Value {
    json!({
        "domain": site.domain,
        "timezone": site.timezone_name(),
        "retention_days": site.retention_days,
        "public": site.public,
    })
}

/// A body that is JSON of the right shape, or an answer that says what is wrong with it.
fn read<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, Refused> {
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
    serde_json::from_slice(body)
        .map_err(|error| Refused::bad_request(format!("The body can not be read: {error}")))
}

async fn list(access: Access, State(services): State<Services>) -> Json<Value> {
    let sites = services.catalog.sites();
    let sites: Vec<_> =
        sites.iter().filter(|site| access.reads(&services, site)).map(|site| shown(site)).collect();
    Json(json!({ "sites": sites, "meta": { "after": null, "before": null, "limit": 100 } }))
}

async fn show(
    access: Access,
    State(services): State<Services>,
    Path(domain): Path<String>,
) -> Result<Json<Value>, Refused> {
    Ok(Json(shown(&*access.site(&services, &domain)?)))
}

#[derive(Deserialize)]
struct NewSite {
    domain: String,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

async fn create(
    _: Administrator,
    State(services): State<Services>,
    body: axum::body::Bytes,
) -> Result<Json<Value>, Refused> {
    let NewSite { domain, rest } = read(&body)?;
    let change = read(Value::Object(rest).to_string().as_bytes())?;
    changed(&services, &domain, change).await
}

async fn put(
    _: Administrator,
    State(services): State<Services>,
    Path(domain): Path<String>,
    body: axum::body::Bytes,
) -> Result<Json<Value>, Refused> {
    changed(&services, &domain, read(&body)?).await
}

async fn changed(
    services: &Services,
    domain: &str,
    change: SiteChange,
) -> Result<Json<Value>, Refused> {
    let site =
        services.catalog.put_site(&services.store, domain, change, services.clock.now()).await?;
    Ok(Json(shown(&site)))
}

async fn remove(
    _: Administrator,
    State(services): State<Services>,
    Path(domain): Path<String>,
) -> Result<Json<Value>, Refused> {
    services.catalog.remove_site(&services.store, &domain, services.clock.now()).await?;
    Ok(Json(json!({ "deleted": true })))
}
