//! What pages load: one stylesheet, one script, one icon. A path has the contents' hash in it, so that
//! the contents may be kept for ever.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::refusal::{self, refuse};
use super::words::Lang;

/// The one stylesheet.
const STYLE: &str = include_str!("style.css");
/// The one script: it adds to pages that work without it.
const SCRIPT: &str = include_str!("script.js");
/// What a browser shows beside the title.
const ICON: &str = include_str!("icon.svg");

fn hashed(contents: &str, extension: &str) -> String {
    let digest = Sha256::digest(contents.as_bytes());
    let hash: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("/assets/{hash}.{extension}")
}

pub(super) fn style_path() -> String {
    hashed(STYLE, "css")
}

pub(super) fn script_path() -> String {
    hashed(SCRIPT, "js")
}

pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let path = format!("/assets/{name}");
    let (content_type, contents) = if name == "icon.svg" {
        ("image/svg+xml", ICON)
    } else if path == style_path() {
        ("text/css; charset=utf-8", STYLE)
    } else if path == script_path() {
        ("text/javascript; charset=utf-8", SCRIPT)
    } else {
        return refuse(Lang::accepted(&headers), StatusCode::NOT_FOUND, refusal::NOT_FOUND);
    };
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, contents).into_response()
}
