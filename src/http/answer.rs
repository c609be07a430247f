//! The one form in which the API says that something went wrong: a status and `{"error": "…"}`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::store::StoreError;
use crate::store::catalog::CatalogError;

/// A request was not answered; the message is for whoever sent it.
#[derive(Debug)]
pub struct Refused {
    status: StatusCode,
    message: String,
}

impl Refused {
    /// A status, and what to change.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// 400: the request is not one that can be answered.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}

#[cfg(test)]
impl Refused {
    /// What to change.
    pub(super) fn message(&self) -> &str {
        &self.message
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.message }))).into_response()
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        let (status, message) = match &error {
            StoreError::Unavailable { .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The database does not answer at the moment; try again shortly.",
            ),
            StoreError::Limit { .. } => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "The query needs more time or memory than one report may use; ask for a shorter date_range or fewer \
                 dimensions.",
            ),
            StoreError::Denied { .. } | StoreError::Rejected { .. } => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "The database refused the query; the collector's log says why.",
            ),
        };
        tracing::warn!(%error, "a request could not be answered");
        Self::new(status, message)
    }
}

impl From<CatalogError> for Refused {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::UnknownSite(_)
            | CatalogError::UnknownToken(_)
            | CatalogError::UnknownGoal(_)
            | CatalogError::UnknownSegment(_)
            | CatalogError::UnknownLink(_) => Self::new(StatusCode::NOT_FOUND, error.to_string()),
            CatalogError::Domain(_)
            | CatalogError::DomainTaken(_)
            | CatalogError::TimeZone(_)
            | CatalogError::RetentionDays(_)
            | CatalogError::Name { .. }
            | CatalogError::EventName
            | CatalogError::PagePath { .. }
            | CatalogError::ScrollThreshold(_)
            | CatalogError::Currency(_)
            | CatalogError::CurrencyOfPage
            | CatalogError::GoalNameTaken(_)
            | CatalogError::SegmentNeeds
            | CatalogError::Filters(_)
            | CatalogError::SegmentNameTaken(_)
            | CatalogError::TooMany { .. } => Self::bad_request(error.to_string()),
            CatalogError::NoRandomness => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
            }
            CatalogError::Store(error) => error.into(),
        }
    }
}

/// The answer to a path that is none.
pub async fn no_such_route() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "There is nothing here.")
}
