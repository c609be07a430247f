//! Beacons of other trackers, at the addresses that they send to: Umami's and GoatCounter's.
//!
//! What arrives becomes the same [`crate::beacon::Beacon`] and goes the same way. Nothing goes back that
//! a browser could be recognised by.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Method, Response, StatusCode, header};
use hyper::body::Incoming;

use super::beacon::{self, Outcome};
use crate::beacon::{goatcounter as goatcounter_wire, umami as umami_wire};
use crate::ingest::Collector;
use crate::judge::DropReason;
use crate::privacy::Client;

/// Answers `/api/send`.
pub(super) async fn umami(
    collector: &Collector,
    parts: Parts,
    client: Client,
    body: Incoming,
) -> Response<Body> {
    if parts.method != Method::POST {
        return beacon::not_posted(&parts.method);
    }
    if let Some(refused) = beacon::compressed(collector, &parts) {
        return refused;
    }
    // The trackers keep what they are answered and send it again: so there is nothing in it.
    let nothing = || beacon::with_headers(StatusCode::OK, "application/json", "{}".into());
    let sent = async {
        Ok(match umami_wire::body(&beacon::whole(body).await?)? {
            umami_wire::Sent::Other => None,
            umami_wire::Sent::Event(beacon) => Some(*beacon),
        })
    };
    let taken = beacon::take(collector, sent, client, &parts.headers).await;
    drop(parts);
    match beacon::outcome(taken).await {
        Outcome::Counted(receipt) => beacon::with_drops(nothing(), &receipt.dropped),
        other => beacon::refused(other),
    }
}

/// Answers `/count` and `/count/DOMAIN`, with the picture that it is often fetched as.
pub(super) async fn goatcounter(
    collector: &Collector,
    parts: Parts,
    client: Client,
) -> Response<Body> {
    match parts.method {
        Method::GET | Method::POST => {}
        Method::HEAD => return beacon::picture(StatusCode::OK),
        _ => return beacon::not_allowed("GET, HEAD, POST", "Send a beacon with GET or POST."),
    }
    if let Some(refused) = beacon::compressed(collector, &parts) {
        return refused;
    }
    let query = parts.uri.query().unwrap_or_default();
    if goatcounter_wire::is_automated(query) {
        collector.count_dropped(DropReason::Bot);
        return beacon::with_drops(beacon::picture(StatusCode::ACCEPTED), &[DropReason::Bot]);
    }
    let domain = parts.uri.path().strip_prefix("/count/").filter(|domain| !domain.is_empty());
    // A page tells its address in one, and its origin in the other, and may tell neither.
    let told = [header::REFERER, header::ORIGIN]
        .iter()
        .map(|name| beacon::text(&parts.headers, name))
        .find(|told| told.starts_with("http"));
    let sent = async { goatcounter_wire::query(query, domain, told).map(Some) };
    let taken = beacon::take(collector, sent, client, &parts.headers).await;
    drop(parts);
    beacon::as_picture(beacon::outcome(taken).await)
}
