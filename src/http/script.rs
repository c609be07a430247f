//! The page script, under the names that tags in the field use.

use axum::Router;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Services;
use super::answer;

/// Built from `beacon/` and committed.
const SCRIPT: &str = include_str!("../../beacon/dist/script.js");
/// The first word of a legacy name.
const BASES: [&str; 3] = ["script", "plausible", "analytics"];
/// What may follow it, in any order: a tag made for another collector goes on working.
const VARIANTS: [&str; 11] = [
    "hash",
    "outbound-links",
    "exclusions",
    "compat",
    "local",
    "manual",
    "file-downloads",
    "pageview-props",
    "tagged-events",
    "revenue",
    "pageleave",
];

pub(super) fn routes() -> Router<Services> {
    Router::new().route("/js/{name}", get(script))
}

fn is_known(name: &str) -> bool {
    let Some(words) = name.strip_suffix(".js") else { return false };
    let mut words = words.split('.');
    let base = words.next().unwrap_or_default();
    name == "p.js" || (BASES.contains(&base) && words.all(|word| VARIANTS.contains(&word)))
}

async fn script(Path(name): Path<String>) -> Response {
    if !is_known(&name) {
        return answer::no_such_route().await.into_response();
    }
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=86400, no-transform"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, SCRIPT).into_response()
}

#[cfg(test)]
mod tests {
    use super::is_known;

    #[test]
    fn legacy_names_are_known_and_others_are_not() {
        for name in [
            "script.js",
            "plausible.js",
            "analytics.js",
            "p.js",
            "script.hash.local.js",
            "script.local.hash.js",
        ] {
            assert!(is_known(name), "{name}");
        }
        for name in ["script", "other.js", "script.unheard-of.js", "p.hash.js", ".js", ""] {
            assert!(!is_known(name), "{name}");
        }
    }
}
