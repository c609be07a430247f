//! The one form in which the API says that something went wrong: a status and `{"error": "…"}`.

use axum::Json;
use axum::body::to_bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::store::StoreError;
use crate::store::catalog::CatalogError;
use crate::telemetry::ToldOnce;

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

    /// The status, for whoever says it in other words.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// What is told in the place of one answer of several, if that one question is what is wrong.
    pub(super) fn told_beside_answers(self) -> Result<Value, Self> {
        match self.status {
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
                Ok(json!({ "error": self.message }))
            }
            _ => Err(self),
        }
    }
}

/// What is answered to whoever had an entry of the catalog removed.
pub(super) fn deleted() -> Json<Value> {
    Json(json!({ "deleted": true }))
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
            StoreError::Unavailable { .. }
            | StoreError::Missing { .. }
            | StoreError::Busy { .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The database does not answer at the moment; try again shortly.",
            ),
            StoreError::Emptied => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The database has lost its data; the collector's log says what to do.",
            ),
            StoreError::Limit { .. } => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "The query needs more time or memory than one report may use; ask for a shorter date_range or fewer \
                 dimensions.",
            ),
            StoreError::NoRandomness => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "The system gives no random number; the collector's log says more.",
            ),
            StoreError::Unreadable(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "The database's answer can not be read; the collector's log says why.",
            ),
            StoreError::Denied { .. } | StoreError::Rejected { .. } => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "The database refused the query; the collector's log says why.",
            ),
        };
        if TOLD.is_new(&error) {
            tracing::warn!(%error, "a request could not be answered");
        }
        Self::new(status, message)
    }
}

/// What was wrong with the database when a request could not be answered last: whoever asks again is told again, and the log is
/// not.
static TOLD: ToldOnce = ToldOnce::new();

/// The database answers: what goes wrong from now on is something new.
pub(super) fn database_answers() {
    TOLD.is_over();
}

impl From<CatalogError> for Refused {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::UnknownSite(_)
            | CatalogError::UnknownToken(_)
            | CatalogError::UnknownGoal(_)
            | CatalogError::UnknownSegment(_)
            | CatalogError::UnknownFunnel(_)
            | CatalogError::UnknownAnnotation(_)
            | CatalogError::UnknownMember(_)
            | CatalogError::UnknownLink(_) => Self::new(StatusCode::NOT_FOUND, error.to_string()),
            CatalogError::Domain(_)
            | CatalogError::Person(_)
            | CatalogError::Role(_)
            | CatalogError::DomainTaken(_)
            | CatalogError::RulesStay { .. }
            | CatalogError::TimeZone(_)
            | CatalogError::RetentionDays(_)
            | CatalogError::RetentionOfProfile(_)
            | CatalogError::LeastVisitors(_)
            | CatalogError::LeastOfAdmin
            | CatalogError::Password { .. }
            | CatalogError::Day(_)
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
            | CatalogError::LinkNameTaken(_)
            | CatalogError::Steps(_)
            | CatalogError::AnnotationNeeds
            | CatalogError::Date(_)
            | CatalogError::AutomaticAnnotation(_)
            | CatalogError::TooMany { .. } => Self::bad_request(error.to_string()),
            CatalogError::NoRandomness | CatalogError::NotHashed => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
            }
            CatalogError::Store(error) => error.into(),
        }
    }
}

/// The longest message of the framework's that is read, in bytes.
const MESSAGE_BYTES_MAX: usize = 10_000;

/// Puts the refusals of the framework into the one form: methods that there are not, bodies that are too
/// long, parameters that are not UTF-8.
pub(super) async fn in_the_one_form(answer: Response) -> Response {
    let is_refusal = answer.status().is_client_error() || answer.status().is_server_error();
    let is_json = answer
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    if !is_refusal || is_json {
        return answer;
    }
    let (mut head, body) = answer.into_parts();
    let message = to_bytes(body, MESSAGE_BYTES_MAX).await.unwrap_or_default();
    let message = match String::from_utf8_lossy(&message) {
        text if text.is_empty() => head.status.canonical_reason().unwrap_or_default().to_owned(),
        text => text.into_owned(),
    };
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers.remove(header::CONTENT_TYPE);
    (head, Json(json!({ "error": message }))).into_response()
}

/// The answer to a path that is none.
pub async fn no_such_route() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "There is nothing here.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_busy_is_worth_another_try_and_one_that_refuses_is_not() {
        let status = |error: StoreError| Refused::from(error).status();
        let busy = StoreError::Busy { code: 202, message: String::new() };
        assert_eq!(status(busy), StatusCode::SERVICE_UNAVAILABLE);
        let away = StoreError::Unavailable(String::new());
        assert_eq!(status(away), StatusCode::SERVICE_UNAVAILABLE);
        let rejected = StoreError::Rejected { code: 62, message: String::new() };
        assert_eq!(status(rejected), StatusCode::INTERNAL_SERVER_ERROR);
        let unreadable = StoreError::Unreadable("EOF".to_owned());
        assert_eq!(status(unreadable.clone()), StatusCode::INTERNAL_SERVER_ERROR);
        let message = Refused::from(unreadable).message;
        assert!(message.contains("can not be read") && !message.contains("EOF"), "{message}");
    }
}
