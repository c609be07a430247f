//! `X-Debug-Request` on a beacon: how the address that it comes from was found.
//!
//! It is for whoever sets up the proxies in front, and nothing is counted. Anybody else would learn how these are set
//! up, and is refused.
//!
//! - `X-Debug-Request: true` answers with the address itself, and needs an administrator's token.
//! - `X-Debug-Request: forwarding` answers with the [`Way`](crate::privacy::Way) in JSON, which has no address. Whoever
//!   owns the data directory may ask that, too: with the secret that the control socket tells.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Services;
use super::access::bearer;
use super::beacon::{plain, with_headers};
use crate::ingest::Collector;
use crate::privacy::Client;

/// The header that asks.
pub const ASKS: &str = "x-debug-request";

/// The secret by which the owner of the data directory is known at the door. It is this process's alone.
pub struct Probe(String);

impl Probe {
    /// A new secret.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new() -> std::io::Result<Self> {
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(std::io::Error::from)?;
        Ok(Self(STANDARD.encode(random)))
    }

    /// Compares digests, so that the time it takes tells nothing.
    fn is(&self, secret: &str) -> bool {
        Sha256::digest(secret) == Sha256::digest(&self.0)
    }
}

pub(super) fn owners_routes() -> Router<Services> {
    Router::new().route("/api/v1/probe", get(secret))
}

async fn secret(State(services): State<Services>) -> Json<Value> {
    Json(json!({ "secret": services.probe.0 }))
}

/// Answers a beacon that asks where it comes from.
pub(super) fn answer(
    services: &Services,
    collector: &Collector,
    headers: &HeaderMap,
    client: Client,
) -> Response<Body> {
    let secret = bearer(headers).unwrap_or_default();
    let is_administrator = collector.knows_administrator(secret);
    let mut answer = match headers.get(ASKS).map(HeaderValue::as_bytes) {
        Some(b"true") if is_administrator => {
            let mut answer = plain(StatusCode::OK, "");
            *answer.body_mut() = client.told_back();
            answer
        }
        Some(b"forwarding") if is_administrator || services.probe.is(secret) => {
            let way = serde_json::to_vec(&client.way).unwrap_or_default();
            with_headers(StatusCode::OK, "application/json", Bytes::from(way))
        }
        _ => plain(
            StatusCode::UNAUTHORIZED,
            "X-Debug-Request is `true` or `forwarding`, and needs a token with the scope admin, sent as \
             `Authorization: Bearer <token>`.",
        ),
    };
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
