//! Segments over HTTP: `/api/v1/sites/{domain}/segments`.

use axum::extract::{Path, RawQuery, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Services;
use super::access::{Access, Administrator};
use super::answer::{Refused, deleted};
use super::fields::Fields;
use super::goals::number;
use super::paging::listed;
use crate::site::segment::Segment;
use crate::store::catalog::{CatalogError, SegmentChange, WhichSegment};

pub(super) fn routes() -> Router<Services> {
    Router::new()
        .route("/api/v1/sites/{domain}/segments", get(list).post(create).put(put))
        .route("/api/v1/sites/{domain}/segments/{id}", get(show).put(change).delete(remove))
}

fn shown(segment: &Segment) -> Value {
    json!({ "id": segment.id, "name": segment.name, "filters": segment.filters })
}

async fn list(
    access: Access,
    State(services): State<Services>,
    Path(domain): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refused> {
    let site = access.site(&services, &domain)?;
    let fields = Fields::of_query(query.as_deref());
    listed("segments", site.segments.clone(), |segment| segment.id.to_string(), shown, &fields)
}

async fn show(
    access: Access,
    State(services): State<Services>,
    Path((domain, id)): Path<(String, String)>,
) -> Result<Json<Value>, Refused> {
    let (site, id) = (access.site(&services, &domain)?, number(&id)?);
    let segment = site.segments.iter().find(|segment| segment.id == id);
    Ok(Json(shown(segment.ok_or(CatalogError::UnknownSegment(id))?)))
}

/// A new one.
async fn create(
    _: Administrator,
    State(services): State<Services>,
    Path(domain): Path<String>,
    fields: Fields,
) -> Result<Json<Value>, Refused> {
    saved(&services, &domain, WhichSegment::New, fields).await
}

/// The one of its name, whether or not there was one.
async fn put(
    _: Administrator,
    State(services): State<Services>,
    Path(domain): Path<String>,
    fields: Fields,
) -> Result<Json<Value>, Refused> {
    saved(&services, &domain, WhichSegment::Named, fields).await
}

async fn change(
    _: Administrator,
    State(services): State<Services>,
    Path((domain, id)): Path<(String, String)>,
    fields: Fields,
) -> Result<Json<Value>, Refused> {
    saved(&services, &domain, WhichSegment::Numbered(number(&id)?), fields).await
}

async fn saved(
    services: &Services,
    domain: &str,
    which: WhichSegment,
    fields: Fields,
) -> Result<Json<Value>, Refused> {
    let fields = fields.only(&["name", "filters"])?;
    let wanted =
        SegmentChange { name: fields.text("name")?, filters: fields.value("filters").cloned() };
    let now = services.clock.now();
    let segment = services.catalog.put_segment(&services.store, domain, which, wanted, now).await?;
    Ok(Json(shown(&segment)))
}

async fn remove(
    _: Administrator,
    State(services): State<Services>,
    Path((domain, id)): Path<(String, String)>,
) -> Result<Json<Value>, Refused> {
    let (id, now) = (number(&id)?, services.clock.now());
    services.catalog.remove_segment(&services.store, &domain, id, now).await?;
    Ok(deleted())
}
