//! `POST /api/v1/erase`: takes events out of everything, see [`crate::erasure`].

use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use jiff::civil::{Date, Time};
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;

use super::Services;
use super::access::{Access, Administrator};
use super::answer::Refused;
use crate::erasure::Outcome;
use crate::site::Site;
use crate::store::{Path, Selection};

pub(super) fn routes() -> Router<Services> {
    Router::new().route("/api/v1/erase", post(erase))
}

/// What shall be erased.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    site_id: String,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    to: Option<String>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    event: Option<String>,
    #[serde(default)]
    props: std::collections::BTreeMap<String, String>,
}

async fn erase(
    _: Administrator,
    access: Access,
    State(services): State<Services>,
    body: Bytes,
) -> Result<Json<Outcome>, Refused> {
    let wanted: Wanted = serde_json::from_slice(&body)
        .map_err(|error| Refused::bad_request(format!("The body can not be read: {error}")))?;
    let site = access.site(&services, &wanted.site_id)?;
    let selection = wanted.selection(&site)?;
    let outcome = services.eraser.erase(&selection).await?;
    tracing::info!(
        site = %site.domain, events = outcome.events, quarantined = outcome.quarantined, "events were erased"
    );
    Ok(Json(outcome))
}

impl Wanted {
    fn selection(self, site: &Site) -> Result<Selection, Refused> {
        let from = self.from.map(|text| moment("from", &text, site, 0)).transpose()?;
        let to = self.to.map(|text| moment("to", &text, site, 1)).transpose()?;
        if let (Some(from), Some(to)) = (from, to)
            && to <= from
        {
            return Err(Refused::bad_request("to: must be after from"));
        }
        for (name, text) in [("path", &self.path), ("event", &self.event)] {
            if text.as_deref() == Some("") {
                return Err(Refused::bad_request(format!("{name}: can't be blank")));
            }
        }
        let path = self.path.as_deref().map(Path::of);
        Ok(Selection {
            from,
            to,
            path,
            event: self.event,
            props: self.props.into_iter().collect(),
            ..Selection::of(site.id)
        })
    }
}

/// A moment, or a day of the site's: its beginning, or with `days_later` that of a later one.
fn moment(name: &str, text: &str, site: &Site, days_later: i64) -> Result<Timestamp, Refused> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let day = text.parse::<Date>().ok().and_then(|day| {
        let day = day.checked_add(days_later.days()).ok()?;
        site.timezone.to_timestamp(day.to_datetime(Time::midnight())).ok()
    });
    day.ok_or_else(|| {
        Refused::bad_request(format!(
            "{name}: `{text}` is neither a day such as 2026-01-31 nor a moment such as 2026-01-31T12:00:00Z"
        ))
    })
}
