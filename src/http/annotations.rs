//! Annotations over HTTP: `/api/v1/sites/{domain}/annotations`.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Services;
use super::access::{Access, Administrator};
use super::answer::{Refused, deleted};
use super::fields::Fields;
use super::goals::number;
use super::paging::listed;
use crate::site::Site;
use crate::site::annotation::Annotation;
use crate::store::catalog::{AnnotationChange, CatalogError};

pub(super) fn routes() -> Router<Services> {
    Router::new()
        .route("/api/v1/sites/{domain}/annotations", get(list).post(create))
        .route("/api/v1/sites/{domain}/annotations/{id}", get(show).put(change).delete(remove))
}

fn shown(annotation: &Annotation) -> Value {
    json!({
        "id": annotation.id,
        "date": annotation.day.to_string(),
        "kind": annotation.kind.name(),
        "text": annotation.text,
        "automatic": annotation.kind.is_automatic(),
        "made_at": annotation.made_at.to_string(),
    })
}

/// The site, if all of its numbers may be read: annotations are words among those who work on it.
fn site(access: &Access, services: &Services, domain: &str) -> Result<Arc<Site>, Refused> {
    let site = access.site(services, domain)?;
    if access.known(&site, services).floor.is_some() {
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "This token tells no small numbers, and no annotations: they need one with least_visitors 1.",
        ));
    }
    Ok(site)
}

async fn list(
    access: Access,
    State(services): State<Services>,
    Path(domain): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refused> {
    let site = site(&access, &services, &domain)?;
    let fields = Fields::of_query(query.as_deref());
    let annotations = site.annotations.clone();
    listed("annotations", annotations, |annotation| annotation.id.to_string(), shown, &fields)
}

async fn show(
    access: Access,
    State(services): State<Services>,
    Path((domain, id)): Path<(String, String)>,
) -> Result<Json<Value>, Refused> {
    let (site, id) = (site(&access, &services, &domain)?, number(&id)?);
    let annotation = site.annotations.iter().find(|annotation| annotation.id == id);
    Ok(Json(shown(annotation.ok_or(CatalogError::UnknownAnnotation(id))?)))
}

/// A new one, of today unless it says another date.
async fn create(
    _: Administrator,
    State(services): State<Services>,
    Path(domain): Path<String>,
    fields: Fields,
) -> Result<Json<Value>, Refused> {
    saved(&services, &domain, None, fields).await
}

async fn change(
    _: Administrator,
    State(services): State<Services>,
    Path((domain, id)): Path<(String, String)>,
    fields: Fields,
) -> Result<Json<Value>, Refused> {
    saved(&services, &domain, Some(number(&id)?), fields).await
}

async fn saved(
    services: &Services,
    domain: &str,
    id: Option<u32>,
    fields: Fields,
) -> Result<Json<Value>, Refused> {
    let fields = fields.only(&["date", "text"])?;
    let wanted = AnnotationChange { date: fields.text("date")?, text: fields.text("text")? };
    let now = services.clock.now();
    let saved = services.catalog.put_annotation(&services.store, domain, id, wanted, now).await?;
    Ok(Json(shown(&saved)))
}

async fn remove(
    _: Administrator,
    State(services): State<Services>,
    Path((domain, id)): Path<(String, String)>,
) -> Result<Json<Value>, Refused> {
    let (id, now) = (number(&id)?, services.clock.now());
    services.catalog.remove_annotation(&services.store, &domain, id, now).await?;
    Ok(deleted())
}
