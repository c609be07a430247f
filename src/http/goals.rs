//! Goals over HTTP: `/api/v1/sites/goals`. A goal of scrolling is one of a page, with a threshold.

use axum::extract::{Path, RawQuery, State};
use axum::routing::{delete, get};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Services;
use super::access::{Access, Administrator};
use super::answer::{Refused, deleted};
use super::fields::Fields;
use super::paging::listed;
use crate::site::goal::GoalKind;
use crate::store::catalog::{CatalogError, NewGoal, SavedGoal};

/// What `site_id` is, where it is missing.
pub(super) const SITE_ID: &str = "the domain of the site";

/// The fields of a goal.
const FIELDS: [&str; 7] = [
    "site_id",
    "goal_type",
    "event_name",
    "page_path",
    "scroll_threshold",
    "display_name",
    "currency",
];

pub(super) fn routes() -> Router<Services> {
    Router::new()
        .route("/api/v1/sites/goals", get(list).put(put))
        .route("/api/v1/sites/goals/{id}", delete(remove))
}

fn shown(saved: &SavedGoal) -> Value {
    let (goal_type, event_name, page_path, scroll_threshold) = match &saved.goal.kind {
        GoalKind::Event(name) => ("event", Some(name), None, None),
        GoalKind::Page(path) => ("page", None, Some(path), None),
        GoalKind::Scroll(path, threshold) => ("page", None, Some(path), Some(threshold)),
    };
    json!({
        // A text, as in the field.
        "id": saved.id.to_string(),
        "goal_type": goal_type,
        "event_name": event_name,
        "page_path": page_path,
        "scroll_threshold": scroll_threshold,
        "display_name": saved.goal.name,
        "currency": saved.goal.currency,
    })
}

async fn list(
    access: Access,
    State(services): State<Services>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refused> {
    let fields = Fields::of_query(query.as_deref());
    let site = access.site(&services, &fields.required("site_id", SITE_ID)?)?;
    let goals = services.catalog.goals(site.id);
    listed("goals", goals, |saved| saved.id.to_string(), shown, &fields)
}

async fn put(
    _: Administrator,
    State(services): State<Services>,
    fields: Fields,
) -> Result<Json<Value>, Refused> {
    let fields = fields.only(&FIELDS)?;
    let domain = fields.required("site_id", SITE_ID)?;
    let wanted = NewGoal {
        kind: kind(&fields)?,
        display_name: fields.text("display_name")?,
        currency: fields.text("currency")?,
    };
    let now = services.clock.now();
    let saved = services.catalog.put_goal(&services.store, &domain, wanted, now).await?;
    let mut answer = shown(&saved);
    answer["domain"] = json!(crate::site::domain::bare_domain(&domain));
    Ok(Json(answer))
}

/// What meets the goal.
fn kind(fields: &Fields) -> Result<GoalKind, Refused> {
    let goal_type = fields.required("goal_type", "event or page")?;
    let threshold = fields.number("scroll_threshold")?;
    let (path, event) = (fields.text("page_path")?, fields.text("event_name")?);
    match (goal_type.as_str(), event, path, threshold) {
        ("event", Some(name), None, None) => Ok(GoalKind::Event(name)),
        ("event", None, ..) => Err(Refused::bad_request(
            "event_name is missing: the name of the custom event that meets the goal.",
        )),
        ("event", ..) => Err(Refused::bad_request(
            "page_path and scroll_threshold are for goals of the goal_type page.",
        )),
        ("page", None, Some(path), None) => Ok(GoalKind::Page(path)),
        ("page", None, Some(path), Some(threshold)) => {
            let threshold = u8::try_from(threshold)
                .map_err(|_| CatalogError::ScrollThreshold(threshold.to_string()))?;
            Ok(GoalKind::Scroll(path, threshold))
        }
        ("page", _, None, _) => Err(Refused::bad_request(
            "page_path is missing: the path of the page that meets the goal, such as /thanks or /blog/**.",
        )),
        ("page", ..) => {
            Err(Refused::bad_request("event_name is for goals of the goal_type event."))
        }
        (other, ..) => {
            Err(Refused::bad_request(format!("goal_type `{other}` must be event or page.")))
        }
    }
}

async fn remove(
    _: Administrator,
    State(services): State<Services>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    fields: Fields,
) -> Result<Json<Value>, Refused> {
    let id = number(&id)?;
    let domain = match fields.text("site_id")? {
        Some(domain) => Some(domain),
        None => Fields::of_query(query.as_deref()).text("site_id")?,
    };
    let now = services.clock.now();
    services.catalog.remove_goal(&services.store, id, domain.as_deref(), now).await?;
    Ok(deleted())
}

/// The number of an entry, in a path.
pub(super) fn number(id: &str) -> Result<u32, Refused> {
    id.parse().map_err(|_| Refused::bad_request(format!("id `{id}` must be a whole number.")))
}
