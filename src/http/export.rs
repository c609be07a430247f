//! `GET /api/v1/export`: the events of a site as JSON lines, told while they are read.
//!
//! For administrators alone: a report says how many, and this says what each did.

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;
use serde::Deserialize;

use super::Services;
use super::access::Administrator;
use super::answer::Refused;
use super::days::day;
use super::noting::Noted;
use crate::export::{Days, Export};
use crate::site::domain::bare_domain;
use crate::store::catalog::CatalogError;

pub(super) fn routes() -> Router<Services> {
    Router::new().route("/api/v1/export", get(export))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    site_id: String,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    to: Option<String>,
}

async fn export(
    _: Administrator,
    noted: Noted,
    State(services): State<Services>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(wanted) = wanted.map_err(|error| Refused::bad_request(error.body_text()))?;
    let days = days(&wanted)?;
    let domain = bare_domain(&wanted.site_id);
    let site = services.catalog.site(&domain).ok_or(CatalogError::UnknownSite(domain))?;
    noted.site(&site);
    if site.policy.profile.is_strict() {
        let why =
            "The profile cnil allows statistics, and no file of single events: ask for reports.";
        return Err(Refused::new(StatusCode::FORBIDDEN, why));
    }
    let mut export = Export::begin(services.store, site, days, services.clock.now()).await?;
    // What can be refused is refused before the answer begins; after that it can only be cut off.
    let first = export.next().await?;
    let lines = stream::try_unfold((first, export), async |(lines, mut export)| {
        let Some(lines) = lines else { return Ok(None) };
        let next = export.next().await.inspect_err(|error| {
            tracing::warn!(%error, "an export was cut off");
        })?;
        Ok::<_, crate::store::StoreError>(Some((lines, (next, export))))
    });
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"events.jsonl\""),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((StatusCode::OK, headers, Body::from_stream(lines)).into_response())
}

fn days(wanted: &Wanted) -> Result<Days, Refused> {
    let day = |name, text: &Option<String>| text.as_deref().map(|text| day(name, text)).transpose();
    let days = Days { from: day("from", &wanted.from)?, to: day("to", &wanted.to)? };
    match days {
        Days { from: Some(from), to: Some(to) } if from > to => {
            Err(Refused::bad_request(format!("#/to: Invalid to \"{to}\": it is before `from`.")))
        }
        _ => Ok(days),
    }
}
