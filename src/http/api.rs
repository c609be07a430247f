//! The reporting API: `POST /api/v2/query`, and `GET /api/v1/stats/…` in its older dialect.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;

use super::Services;
use super::access::Access;
use super::answer::Refused;
use super::form::Form;
use crate::query::Known;
use crate::query::v1::Kind;
use crate::report::format::Table;
use crate::report::{self, AskError};
use crate::site::Site;

/// The longest query, in bytes.
const QUERY_BYTES_MAX: usize = 256 * 1024;

pub(super) fn routes() -> Router<Services> {
    Router::new()
        .route("/api/v2/query", post(query).layer(DefaultBodyLimit::max(QUERY_BYTES_MAX)))
        .route("/api/docs/query/schema.json", get(schema))
        .route("/api/v1/stats/realtime/visitors", get(visitors_now))
        .route(
            "/api/v1/stats/aggregate",
            get(async |access, form, services, query| {
                v1(Kind::Aggregate, access, form, services, query).await
            }),
        )
        .route(
            "/api/v1/stats/timeseries",
            get(async |access, form, services, query| {
                v1(Kind::Timeseries, access, form, services, query).await
            }),
        )
        .route(
            "/api/v1/stats/breakdown",
            get(async |access, form, services, query| {
                v1(Kind::Breakdown, access, form, services, query).await
            }),
        )
}

async fn query(
    access: Access,
    form: Form,
    State(services): State<Services>,
    body: Bytes,
) -> Result<Response, Refused> {
    let query: Value = serde_json::from_slice(&body)
        .map_err(|error| Refused::bad_request(format!("#: The body is not JSON: {error}")))?;
    let domain = match query.get("site_id") {
        None | Some(Value::Null) => {
            return Err(Refused::bad_request(
                "#/site_id: Missing: the domain of the site whose report is wanted.",
            ));
        }
        Some(Value::String(domain)) => domain,
        Some(other) => {
            return Err(Refused::bad_request(format!(
                "#/site_id: Invalid site_id {other}: it must be a string."
            )));
        }
    };
    let site = access.site(&services, domain)?;
    let answer = report::ask(&services.store, &site, services.clock.now(), &query).await?;
    form.answer(&answer, || Table::of_answer(&answer))
}

/// The parameters of a request in the older dialect, in their order.
type Parameters = Query<Vec<(String, String)>>;

async fn v1(
    kind: Kind,
    access: Access,
    form: Form,
    State(services): State<Services>,
    Query(parameters): Parameters,
) -> Result<Response, Refused> {
    let site = site_of(&access, &services, &parameters)?;
    let known = Known::new(&site, services.clock.now());
    let (answer, table) = report::ask_v1(&services.store, known, kind, &parameters).await?;
    form.answer(&answer, || Some(table))
}

async fn visitors_now(
    access: Access,
    State(services): State<Services>,
    Query(parameters): Parameters,
) -> Result<Response, Refused> {
    let site = site_of(&access, &services, &parameters)?;
    let known = Known::new(&site, services.clock.now());
    Ok(Json(report::visitors_now(&services.store, known).await?).into_response())
}

fn site_of(
    access: &Access,
    services: &Services,
    parameters: &[(String, String)],
) -> Result<Arc<Site>, Refused> {
    match parameters.iter().find(|(name, _)| name == "site_id") {
        Some((_, domain)) => access.site(services, domain),
        None => Err(Refused::bad_request(
            "#/site_id: Missing: the domain of the site whose report is wanted.",
        )),
    }
}

async fn schema() -> Json<Value> {
    Json(crate::query::schema())
}

impl From<AskError> for Refused {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Invalid(message) => Self::bad_request(message),
            AskError::Store(error) => error.into(),
        }
    }
}
