//! Shared links over HTTP: `/api/v1/sites/shared-links`. They open pages, so that only administrators see
//! them.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Services;
use super::access::Administrator;
use super::answer::{Refused, deleted};
use super::fields::Fields;
use super::goals::SITE_ID;
use super::paging::listed;
use crate::site::domain::bare_domain;
use crate::store::catalog::{CatalogError, LinkChange, SharedLink};

pub(super) fn routes() -> Router<Services> {
    Router::new().route("/api/v1/sites/shared-links", get(list).put(put).delete(remove))
}

/// What is told of a link of a site.
fn shown(link: &SharedLink, domain: &str, services: &Services, headers: &HeaderMap) -> Value {
    let origin = services.origin(headers);
    json!({
        "name": link.name,
        "url": format!("{origin}/share/{}?auth={}", in_a_path(domain), link.slug),
        "has_password": link.password.is_some(),
        "segment": link.segment,
        "least_visitors": link.least_visitors,
        "created_at": link.created_at.to_string(),
        "expires_at": link.expires_at.map(|end| end.to_string()),
        "last_used": services.access_log.link_used(link.id).map(|time| time.to_string()),
    })
}

/// A domain as one part of a path: some have a path of their own.
pub(crate) fn in_a_path(domain: &str) -> String {
    const ENCODED: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');
    percent_encoding::utf8_percent_encode(domain, ENCODED).to_string()
}

async fn list(
    _: Administrator,
    State(services): State<Services>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refused> {
    let fields = Fields::of_query(query.as_deref());
    let domain = bare_domain(&fields.required("site_id", SITE_ID)?);
    let site = services.catalog.site(&domain);
    let site = site.ok_or_else(|| CatalogError::UnknownSite(domain.clone()))?;
    let links = services.catalog.shared_links(site.id);
    let shown = |link: &SharedLink| shown(link, &domain, &services, &headers);
    listed("shared_links", links, |link| link.name.clone(), shown, &fields)
}

async fn put(
    _: Administrator,
    State(services): State<Services>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Json<Value>, Refused> {
    let known = ["site_id", "name", "password", "segment", "least_visitors", "expires_at"];
    let fields = fields.only(&known)?;
    let wanted = wanted(&fields)?;
    let (domain, name) = names(fields)?;
    let now = services.clock.now();
    let link = services.catalog.put_shared_link(&services.store, &domain, &name, wanted, now);
    let link = link.await?;
    Ok(Json(shown(&link, &domain, &services, &headers)))
}

/// What a link shall be: what is missing stays as it is. An empty text takes the password or the end off,
/// and 0 the segment.
fn wanted(fields: &Fields) -> Result<LinkChange, Refused> {
    let rule = "it must be a moment, such as 2027-01-01T00:00:00Z, or empty";
    let end = |text: String| match text.as_str() {
        "" => Ok(None),
        text => text
            .parse()
            .map(Some)
            .map_err(|_| Refused::bad_request(format!("expires_at \"{text}\" is wrong: {rule}."))),
    };
    Ok(LinkChange {
        password: fields.text("password")?,
        segment: fields.number("segment")?,
        least_visitors: fields.number("least_visitors")?,
        expires_at: fields.text("expires_at")?.map(end).transpose()?,
    })
}

async fn remove(
    _: Administrator,
    State(services): State<Services>,
    fields: Fields,
) -> Result<Json<Value>, Refused> {
    let fields = fields.only(&["site_id", "name"])?;
    let (domain, name) = names(fields)?;
    let now = services.clock.now();
    services.catalog.remove_shared_link(&services.store, &domain, &name, now).await?;
    services.forget_uses().await;
    Ok(deleted())
}

/// The site's domain and the link's name.
fn names(fields: Fields) -> Result<(String, String), Refused> {
    let domain = bare_domain(&fields.required("site_id", SITE_ID)?);
    Ok((domain, fields.required("name", "what the link is for")?))
}
