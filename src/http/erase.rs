//! `POST /api/v1/erase`: takes events out of everything, see [`crate::erasure`].

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;

use super::Services;
use super::access::{Access, Administrator};
use super::answer::Refused;
use super::days::moment;
use crate::erasure::Outcome;
use crate::site::Site;
use crate::site::domain::bare_domain;
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
    /// Of the sites that had the domain and were removed, though there is one that has it now.
    #[serde(default)]
    removed: bool,
}

async fn erase(
    _: Administrator,
    access: Access,
    State(services): State<Services>,
    body: Bytes,
) -> Result<Json<Outcome>, Refused> {
    let wanted: Wanted = serde_json::from_slice(&body)
        .map_err(|error| Refused::bad_request(format!("The body can not be read: {error}")))?;
    let mut outcome: Option<Outcome> = None;
    for site in sites(&access, &services, &wanted)? {
        let erased = services.eraser.erase(&wanted.selection(&site)?).await?;
        tracing::info!(
            site = %site.domain, events = erased.events, quarantined = erased.quarantined, "events were erased"
        );
        outcome = Some(match outcome {
            Some(earlier) => earlier.and(erased),
            None => erased,
        });
    }
    // There is a site at least: without one the request was refused.
    Ok(Json(outcome.unwrap_or_default()))
}

/// The site of the domain. When there is none any more, or on demand, those that had it and were removed. One that had it before it
/// was renamed is not meant: who asks may not know that it is there.
fn sites(access: &Access, services: &Services, wanted: &Wanted) -> Result<Vec<Arc<Site>>, Refused> {
    let domain = bare_domain(&wanted.site_id);
    let registered = access.site(services, &domain);
    if let (false, Ok(site)) = (wanted.removed, &registered)
        && site.domain == domain
    {
        return Ok(vec![Arc::clone(site)]);
    }
    let removed = services.catalog.removed_sites(&domain).into_iter();
    let removed: Vec<_> = removed.filter(|site| access.reads(services, site)).collect();
    if !removed.is_empty() {
        return Ok(removed);
    }
    let site = registered?;
    if wanted.removed {
        let reason = format!("No site of the domain `{domain}` was removed.");
        return Err(Refused::new(StatusCode::NOT_FOUND, reason));
    }
    let reason = format!("site_id: the site is called `{}` now; erase that", site.domain);
    Err(Refused::bad_request(reason))
}

impl Wanted {
    fn selection(&self, site: &Site) -> Result<Selection, Refused> {
        let from = self.from.as_deref().map(|text| moment("from", text, site, 0)).transpose()?;
        let to = self.to.as_deref().map(|text| moment("to", text, site, 1)).transpose()?;
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
            event: self.event.clone(),
            props: self.props.clone().into_iter().collect(),
            ..Selection::of(site.id)
        })
    }
}
