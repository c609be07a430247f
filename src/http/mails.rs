//! `POST /api/v1/mails`: a report by mail, now, to see whether mails arrive. On the control socket only: nobody
//! but the operator chooses whom the collector writes to.

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Services;
use super::answer::Refused;
use crate::config::{Address, Domain, Every};
use crate::notices;
use crate::record::Language;
use crate::web::letter;

#[derive(Deserialize)]
struct Wanted {
    to: Address,
    site: Option<Domain>,
    every: Every,
    language: Language,
}

pub(super) fn owners_routes() -> Router<Services> {
    Router::new().route("/api/v1/mails", post(mail))
}

async fn mail(State(services): State<Services>, body: Bytes) -> Result<Json<Value>, Refused> {
    let wanted: Wanted = serde_json::from_slice(&body)
        .map_err(|error| Refused::bad_request(format!("The body is wrong: {error}.")))?;
    let Some(post) = &services.post else {
        return Err(Refused::bad_request("No mail can be sent: mail.server is not set."));
    };
    let site = match wanted.site {
        Some(Domain(domain)) => services.catalog.site(&domain),
        None => services.catalog.sites().into_iter().next(),
    };
    let Some(site) = site else {
        return Err(Refused::bad_request("There is no such site: `passerby site list` has them."));
    };
    let now = services.clock.now();
    let days = notices::last_days(&site, wanted.every, now);
    let letter = letter::report(&services, &site, wanted.language, wanted.every, days, now).await;
    let letter = letter.map_err(|error| Refused::bad_request(error.to_string()))?;
    let name = format!("test {} {now}", site.domain);
    post.send(&wanted.to.0, letter, &name, now)
        .await
        .map_err(|error| Refused::bad_request(format!("The mail was not sent: {error:#}")))?;
    Ok(Json(json!({ "site": site.domain, "from": days.0, "to": days.1 })))
}
