//! Members over HTTP: `/api/v1/sites/guests`, as the field calls them. `site_id` is a site's domain, or `*` for
//! every site.

use axum::extract::{Path, RawQuery, State};
use axum::routing::{delete, get};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Services;
use super::access::Administrator;
use super::answer::{Refused, deleted};
use super::fields::Fields;
use super::paging::listed;
use crate::site::domain::bare_domain;
use crate::site::member::Role;
use crate::store::catalog::{CatalogError, Member};

/// What `site_id` is, where it is missing.
const SITE_ID: &str = "the domain of the site, or * for every site";
/// The `site_id` of every site.
const EVERY_SITE: &str = "*";

pub(super) fn routes() -> Router<Services> {
    Router::new()
        .route("/api/v1/sites/guests", get(list).put(put))
        .route("/api/v1/sites/guests/{email}", delete(remove))
}

fn shown(member: &Member) -> Value {
    json!({
        "email": member.person.name(),
        "role": member.role,
        "every_site": member.site.is_none(),
        // Nobody has to accept: whoever signs in is a member.
        "status": "accepted",
    })
}

/// The domain of a site; none is every site.
fn site(fields: &Fields) -> Result<Option<String>, Refused> {
    let site = fields.required("site_id", SITE_ID)?;
    Ok((site != EVERY_SITE).then(|| bare_domain(&site)))
}

async fn list(
    _: Administrator,
    State(services): State<Services>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refused> {
    let fields = Fields::of_query(query.as_deref());
    let id = site(&fields)?.map(|domain| {
        let site = services.catalog.site(&domain).map(|site| site.id);
        site.ok_or(CatalogError::UnknownSite(domain))
    });
    let members = services.catalog.members(id.transpose()?);
    let key = |member: &Member| {
        let every = if member.site.is_none() { "*" } else { "" };
        format!("{}{every}", member.person)
    };
    listed("guests", members, key, shown, &fields)
}

async fn put(
    _: Administrator,
    State(services): State<Services>,
    fields: Fields,
) -> Result<Json<Value>, Refused> {
    let fields = fields.only(&["site_id", "email", "role"])?;
    let domain = site(&fields)?;
    let person = fields.required("email", "the name that the person signs in with")?;
    let role = fields.required("role", "viewer, editor or owner")?;
    let role = Role::named(&role).ok_or(CatalogError::Role(role))?;
    let (catalog, now) = (&services.catalog, services.clock.now());
    let member = catalog.put_member(&services.store, &person, domain.as_deref(), role, now).await?;
    Ok(Json(shown(&member)))
}

async fn remove(
    _: Administrator,
    State(services): State<Services>,
    Path(person): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refused> {
    let domain = site(&Fields::of_query(query.as_deref()))?;
    let (catalog, now) = (&services.catalog, services.clock.now());
    catalog.remove_member(&services.store, &person, domain.as_deref(), now).await?;
    Ok(deleted())
}
