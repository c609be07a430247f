//! The form in which a client wants a report: JSON, CSV, NDJSON or Parquet, and only if it is another than
//! the one that the client has.
//!
//! An answer may change although its period is over: an import brings older events, and an erasure takes some
//! away. So a client may keep it, but asks each time whether it still holds (`no-cache`): a strong ETag, made
//! of the bytes themselves, says so. The query itself is a question, though it is posted: 304 answers it too.

use axum::body::Body;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Services;
use super::answer::Refused;
use crate::hex;
use crate::report::format::{Format, FormatError, Table, csv, ndjson, parquet};

/// Half of a SHA-256 tells any two answers apart.
const TAG_BYTES: usize = 16;
/// Whose answer it is, and whether it still holds, must be asked anew.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("private, no-cache");
const VARY: HeaderValue = HeaderValue::from_static("accept, authorization");

/// What a client wants, and what it has.
pub(super) struct Form {
    format: Format,
    /// `If-None-Match`.
    has: String,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    format: Option<String>,
}

impl FromRequestParts<Services> for Form {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, services: &Services) -> Result<Self, Refused> {
        let named = Query::<Named>::from_request_parts(parts, services).await;
        let Query(Named { format }) =
            named.map_err(|error| Refused::bad_request(error.body_text()))?;
        let format = Format::wanted(format.as_deref(), &all(&parts.headers, &header::ACCEPT))?;
        Ok(Self { format, has: all(&parts.headers, &header::IF_NONE_MATCH) })
    }
}

/// The values of a header, as one list.
fn all(headers: &HeaderMap, name: &header::HeaderName) -> String {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.collect::<Vec<_>>().join(",")
}

impl Form {
    /// The answer in this form: JSON as it is, anything else from the table that it is.
    pub(super) fn answer(
        &self,
        answer: &Value,
        table: impl FnOnce() -> Option<Table>,
    ) -> Result<Response, Refused> {
        let bytes = match self.format {
            Format::Json => answer.to_string().into_bytes(),
            other => {
                let table = table().ok_or_else(|| FormatError::NoTable(other.name()))?;
                match other {
                    Format::Ndjson => ndjson::write(&table).into_bytes(),
                    Format::Parquet => parquet::write(&table).map_err(|error| {
                        tracing::error!(%error, "a report could not be written as Parquet");
                        let message = "The report can not be written as Parquet.";
                        Refused::new(StatusCode::INTERNAL_SERVER_ERROR, message)
                    })?,
                    Format::Json | Format::Csv => csv::write(&table).into_bytes(),
                }
            }
        };
        Ok(self.tagged(bytes))
    }

    fn tagged(&self, bytes: Vec<u8>) -> Response {
        let digest = Sha256::digest(&bytes);
        let tag = format!("\"{}\"", hex::encode(&digest[..TAG_BYTES]));
        let mut answer = if is_had(&self.has, &tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            self.whole(bytes)
        };
        let headers = answer.headers_mut();
        if let Ok(tag) = HeaderValue::try_from(tag) {
            headers.insert(header::ETAG, tag);
        }
        headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
        headers.insert(header::VARY, VARY);
        answer
    }

    fn whole(&self, bytes: Vec<u8>) -> Response {
        let mut answer = Body::from(bytes).into_response();
        let headers = answer.headers_mut();
        let media_type = HeaderValue::from_static(self.format.media_type());
        headers.insert(header::CONTENT_TYPE, media_type);
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let attachment =
            self.format.file_name().map(|name| format!("attachment; filename=\"{name}\""));
        if let Some(attachment) = attachment.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(header::CONTENT_DISPOSITION, attachment);
        }
        answer
    }
}

/// Whether the tag is among those of `If-None-Match`, which compares weakly.
fn is_had(has: &str, tag: &str) -> bool {
    has.split(',').map(str::trim).any(|had| had == "*" || had.trim_start_matches("W/") == tag)
}

impl From<FormatError> for Refused {
    fn from(error: FormatError) -> Self {
        let status = match error {
            FormatError::Unknown(_) => StatusCode::BAD_REQUEST,
            FormatError::NotAcceptable | FormatError::NoTable(_) => StatusCode::NOT_ACCEPTABLE,
        };
        Self::new(status, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::is_had;

    #[test]
    fn a_tag_is_found_in_a_list_and_however_weak() {
        for (has, expected) in [
            ("\"a\"", true),
            ("\"b\", \"a\"", true),
            ("W/\"a\"", true),
            ("*", true),
            ("\"ab\"", false),
            ("a", false),
            ("", false),
        ] {
            assert_eq!(is_had(has, "\"a\""), expected, "{has}");
        }
    }
}
