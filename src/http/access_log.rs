//! `GET /api/v1/access-log`: who read what and when, for administrators.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Services;
use super::access::Administrator;
use super::answer::Refused;
use super::fields::Fields;
use crate::access_log::Wanted;
use crate::site::domain::bare_domain;

/// The most lines of an answer, and how many it has when nothing is said.
pub(super) const LIMIT_MAX: u32 = 10_000;
const LIMIT: u32 = 100;

pub(super) fn routes() -> Router<Services> {
    Router::new().route("/api/v1/access-log", get(list))
}

async fn list(
    _: Administrator,
    State(services): State<Services>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refused> {
    let fields = Fields::of_query(query.as_deref()).only(&["site_id", "from", "limit"])?;
    let limit = fields.number("limit")?.unwrap_or(LIMIT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let rule = format!("limit {limit} must be from 1 to {LIMIT_MAX}.");
        return Err(Refused::bad_request(rule));
    }
    let from = fields.text("from")?;
    let from = from.map(|text| {
        let rule = "it is a moment, such as 2026-11-25T00:00:00Z";
        text.parse().map_err(|_| Refused::bad_request(format!("from \"{text}\" is none: {rule}.")))
    });
    let wanted = Wanted {
        site: fields.text("site_id")?.map(|domain| bare_domain(&domain)),
        from: from.transpose()?,
        limit: limit as usize,
    };
    let log = services.access_log;
    let read = tokio::task::spawn_blocking(move || log.read(&wanted)).await;
    match read {
        Ok(Ok(reads)) => Ok(Json(json!({ "reads": reads }))),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the log of reads can not be read");
            let message = "The log of reads can not be read; the collector's own log says why.";
            Err(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, message))
        }
        Err(_) => Err(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "Interrupted.")),
    }
}
