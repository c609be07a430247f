//! The Sites API: `/api/v1/sites`.

use axum::extract::{Path, RawQuery, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Services;
use super::access::{Access, Administrator};
use super::answer::{Refused, deleted};
use super::fields::Fields;
use super::paging::listed;
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
        "least_visitors": site.least_visitors,
    })
}

/// What a site shall be.
fn wanted(fields: Fields) -> Result<SiteChange, Refused> {
    let fields =
        fields.only(&["domain", "timezone", "retention_days", "public", "least_visitors"])?;
    Ok(SiteChange {
        domain: fields.text("domain")?,
        timezone: fields.text("timezone")?.filter(|name| !name.is_empty()),
        retention_days: fields.number("retention_days")?,
        public: fields.truth("public")?,
        least_visitors: fields.number("least_visitors")?,
    })
}

async fn list(
    access: Access,
    State(services): State<Services>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refused> {
    let sites = services.catalog.sites().into_iter();
    let sites = sites.filter(|site| access.reads(&services, site)).collect();
    let fields = Fields::of_query(query.as_deref());
    listed("sites", sites, |site| site.domain.clone(), |site| shown(site), &fields)
}

async fn show(
    access: Access,
    State(services): State<Services>,
    Path(domain): Path<String>,
) -> Result<Json<Value>, Refused> {
    Ok(Json(shown(&*access.site(&services, &domain)?)))
}

/// A new one: its domain must be free.
async fn create(
    _: Administrator,
    State(services): State<Services>,
    fields: Fields,
) -> Result<Json<Value>, Refused> {
    let domain = fields.required("domain", "the host name of the site, such as example.com")?;
    let (wanted, now) = (SiteChange { domain: None, ..wanted(fields)? }, services.clock.now());
    let site = services.catalog.create_site(&services.store, &domain, wanted, now).await?;
    Ok(Json(shown(&site)))
}

/// The one of the domain, whether or not there was one; a `domain` among the fields renames it.
async fn put(
    _: Administrator,
    State(services): State<Services>,
    Path(domain): Path<String>,
    fields: Fields,
) -> Result<Json<Value>, Refused> {
    let (wanted, now) = (wanted(fields)?, services.clock.now());
    let site = services.catalog.put_site(&services.store, &domain, wanted, now).await?;
    Ok(Json(shown(&site)))
}

async fn remove(
    _: Administrator,
    State(services): State<Services>,
    Path(domain): Path<String>,
) -> Result<Json<Value>, Refused> {
    services.catalog.remove_site(&services.store, &domain, services.clock.now()).await?;
    services.forget_uses().await;
    Ok(deleted())
}
