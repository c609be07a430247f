//! The reporting API: `POST /api/v2/query`.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;

use super::Services;
use super::access::Access;
use super::answer::Refused;
use crate::report::{self, AskError};

/// The longest query, in bytes.
const QUERY_BYTES_MAX: usize = 256 * 1024;

pub(super) fn routes() -> Router<Services> {
    Router::new()
        .route("/api/v2/query", post(query).layer(DefaultBodyLimit::max(QUERY_BYTES_MAX)))
        .route("/api/docs/query/schema.json", get(schema))
}

async fn query(
    access: Access,
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
    Ok(Json(answer).into_response())
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
