//! The page scripts, under every name that `script` knows.

use std::io::Write;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use quick_cache::sync::Cache;

use super::Services;
use super::answer::{self, Refused};
use crate::config::Script as Chosen;
use crate::script::{Name, Script};
use crate::site::policy::ConsentMode;

/// A script under a name that pins its hash never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable, no-transform";
/// A site's own script changes with what the operator chooses.
const A_MINUTE: &str = "public, max-age=60, no-transform";
/// The others change with the version of the collector.
const A_DAY: &str = "public, max-age=86400, no-transform";

/// So many scripts are kept; there are more names than anybody asks for.
const KEPT: usize = 128;

/// The scripts that were asked for. What one says hangs on the configuration and its name, so that it is put
/// together, hashed and compressed once.
pub struct Scripts {
    chosen: Arc<Chosen>,
    made: Cache<(Name, ConsentMode), Arc<Made>>,
}

/// A script as it is sent.
struct Made {
    hash: String,
    text: Bytes,
    packed: Option<Bytes>,
}

impl Scripts {
    /// Those of a configuration.
    pub fn new(chosen: Arc<Chosen>) -> Self {
        Self { chosen, made: Cache::new(KEPT) }
    }

    /// The script of a name, whatever hash that pins.
    fn of(&self, name: &Name, consent: ConsentMode) -> Arc<Made> {
        let key = (Name { hash: None, ..name.clone() }, consent);
        if let Some(made) = self.made.get(&key) {
            return made;
        }
        let made = Arc::new(Made::of(Script::of(name, &self.chosen, consent)));
        self.made.insert(key, Arc::clone(&made));
        made
    }
}

impl Made {
    fn of(script: Script) -> Self {
        let (hash, text) = (script.hash(), script.into_text());
        let packed = gzip(text.as_bytes()).ok().map(Bytes::from);
        Self { hash, text: text.into(), packed }
    }
}

pub(super) fn routes() -> Router<Services> {
    Router::new().route("/js/{name}", get(script))
}

async fn script(
    State(services): State<Services>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(name) = Name::parse(&name) else {
        return answer::no_such_route().await.into_response();
    };
    if let Some(refusal) = unknown_site(&services, &name) {
        return refusal.into_response();
    }
    let consent = services.catalog.policy(name.site.as_deref()).consent;
    let script = services.scripts.of(&name, consent);
    if name.hash.as_ref().is_some_and(|pinned| *pinned != script.hash) {
        let why = "The script has another hash in this version of the collector: `passerby tag` shows it.";
        return Refused::new(StatusCode::NOT_FOUND, why).into_response();
    }
    let cached = match (&name.hash, &name.site) {
        (Some(_), _) => FOR_EVER,
        (None, Some(_)) => A_MINUTE,
        (None, None) => A_DAY,
    };
    let etag = format!("W/\"{}\"", script.hash);
    let mut answer = if told(&headers, &header::IF_NONE_MATCH).contains(&etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        body(&script, &headers)
    };
    let common = [
        (header::CACHE_CONTROL, HeaderValue::from_static(cached)),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        (
            header::HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("cross-origin"),
        ),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    answer.headers_mut().extend(common);
    if let Ok(etag) = HeaderValue::try_from(etag) {
        answer.headers_mut().insert(header::ETAG, etag);
    }
    answer
}

fn unknown_site(services: &Services, name: &Name) -> Option<Refused> {
    let site = name.site.as_deref()?;
    if services.catalog.site(site).is_some() {
        None
    } else if services.catalog.is_loaded() {
        Some(Refused::new(StatusCode::NOT_FOUND, "No site has that domain."))
    } else {
        Some(Refused::new(StatusCode::SERVICE_UNAVAILABLE, "The collector is starting."))
    }
}

/// The text, compressed for those who take it so: caches on the way must not touch it.
fn body(script: &Made, headers: &HeaderMap) -> Response {
    let content_type = (header::CONTENT_TYPE, "text/javascript; charset=utf-8");
    let accepted = told(headers, &header::ACCEPT_ENCODING);
    let takes_gzip = accepted.split(',').any(|encoding| encoding.trim() == "gzip");
    match script.packed.clone().filter(|_| takes_gzip) {
        Some(packed) => {
            ([content_type, (header::CONTENT_ENCODING, "gzip")], packed).into_response()
        }
        None => ([content_type], script.text.clone()).into_response(),
    }
}

fn gzip(text: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text)?;
    encoder.finish()
}

fn told<'headers>(headers: &'headers HeaderMap, name: &header::HeaderName) -> &'headers str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_made_once_for_each_name_and_way_of_asking() {
        let scripts = Scripts::new(Arc::default());
        let of = |name: &str, consent| scripts.of(&Name::parse(name).unwrap(), consent);
        let plain = of("passerby.js", ConsentMode::NotAsked);
        let pinned = of(&format!("passerby.{}.js", plain.hash), ConsentMode::NotAsked);
        assert!(Arc::ptr_eq(&plain, &pinned));
        for (name, consent) in [
            ("passerby.js", ConsentMode::Required),
            ("pa-a.test.js", ConsentMode::NotAsked),
            ("script.js", ConsentMode::NotAsked),
        ] {
            assert!(of(name, consent).text != plain.text, "{name}");
        }
    }
}
