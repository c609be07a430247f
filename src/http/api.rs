//! The reporting API: `POST /api/v2/{query,funnel,journey}`, and `GET /api/v1/stats/…` in its older dialect.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use super::Services;
use super::access::Access;
use super::answer::Refused;
use crate::query::v1::Kind;
use crate::query::{Known, are_several};
use crate::report::{self, AskError};
use crate::site::Site;

/// The longest query, in bytes.
const QUERY_BYTES_MAX: usize = 256 * 1024;

pub(super) fn routes() -> Router<Services> {
    Router::new()
        .route("/api/v2/query", post(query).layer(DefaultBodyLimit::max(QUERY_BYTES_MAX)))
        .route("/api/v2/funnel", post(funnel).layer(DefaultBodyLimit::max(QUERY_BYTES_MAX)))
        .route("/api/v2/journey", post(journey).layer(DefaultBodyLimit::max(QUERY_BYTES_MAX)))
        .route("/api/docs/query/schema.json", get(schema))
        .route("/api/v1/stats/realtime/visitors", get(visitors_now))
        .route(
            "/api/v1/stats/aggregate",
            get(async |access, services, query| v1(Kind::Aggregate, access, services, query).await),
        )
        .route(
            "/api/v1/stats/timeseries",
            get(async |access, services, query| {
                v1(Kind::Timeseries, access, services, query).await
            }),
        )
        .route(
            "/api/v1/stats/breakdown",
            get(async |access, services, query| v1(Kind::Breakdown, access, services, query).await),
        )
}

async fn query(
    access: Access,
    State(services): State<Services>,
    body: Bytes,
) -> Result<Response, Refused> {
    let (query, site) = question(&access, &services, &body)?;
    let known = Known::new(&site, services.clock.now());
    if are_several(&query) {
        return several(report::ask_several(&services.store, known, &query).await?);
    }
    let answer = report::ask_knowing(&services.store, known, &query).await?;
    Ok(Json(answer).into_response())
}

async fn funnel(
    access: Access,
    State(services): State<Services>,
    body: Bytes,
) -> Result<Response, Refused> {
    let (funnel, site) = question(&access, &services, &body)?;
    let known = Known::new(&site, services.clock.now());
    Ok(Json(report::ask_funnel(&services.store, known, &funnel).await?).into_response())
}

async fn journey(
    access: Access,
    State(services): State<Services>,
    body: Bytes,
) -> Result<Response, Refused> {
    let (journey, site) = question(&access, &services, &body)?;
    let known = Known::new(&site, services.clock.now());
    Ok(Json(report::ask_journey(&services.store, known, &journey).await?).into_response())
}

/// What is asked, and the site that it is about, which may be read.
fn question(
    access: &Access,
    services: &Services,
    body: &[u8],
) -> Result<(Value, Arc<Site>), Refused> {
    let question: Value = serde_json::from_slice(body)
        .map_err(|error| Refused::bad_request(format!("#: The body is not JSON: {error}")))?;
    let domain = match question.get("site_id") {
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
    let site = access.site(services, domain)?;
    Ok((question, site))
}

/// Answers by name. What is wrong with one question is its answer; what is wrong with the database is
/// wrong with all of them.
fn several(answers: report::Answers) -> Result<Response, Refused> {
    let mut results = Map::new();
    for (name, answer) in answers {
        let told = match answer {
            Ok(answer) => answer,
            Err(error) => Refused::from(error).told_beside_answers()?,
        };
        results.insert(name, told);
    }
    Ok(Json(json!({ "results": results })).into_response())
}

/// The parameters of a request in the older dialect, in their order.
type Parameters = Query<Vec<(String, String)>>;

async fn v1(
    kind: Kind,
    access: Access,
    State(services): State<Services>,
    Query(parameters): Parameters,
) -> Result<Response, Refused> {
    let site = site_of(&access, &services, &parameters)?;
    let known = Known::new(&site, services.clock.now());
    Ok(Json(report::ask_v1(&services.store, known, kind, &parameters).await?).into_response())
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
