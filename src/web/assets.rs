//! What pages load: one stylesheet, one script, one icon. A path has the contents' hash in it, so that
//! the contents may be kept for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::refusal::{self, refuse};
use super::words::Lang;
use crate::hex;

/// The one stylesheet.
const STYLE: &str = include_str!("style.css");
/// The one script: it adds to pages that work without it.
const SCRIPT: &str = include_str!("script.js");
/// What a browser shows beside the title.
const ICON: &str = include_str!("icon.svg");

/// Which of its two palettes a page has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Theme {
    Light,
    Dark,
    /// What the viewer's system has.
    #[default]
    #[serde(other)]
    System,
}

/// What the stylesheet asks of the viewer's system.
const DARK: &str = "(prefers-color-scheme: dark)";

impl Theme {
    const ALL: [Self; 3] = [Self::Light, Self::Dark, Self::System];

    /// The media query under which the dark palette holds.
    pub(super) fn dark_when(self) -> &'static str {
        match self {
            Self::Light => "not all",
            Self::Dark => "all",
            Self::System => DARK,
        }
    }

    /// The stylesheet, with its question answered where the system is not asked.
    fn style(self) -> String {
        let schemes = match self {
            Self::Light => "light",
            Self::Dark => "dark",
            Self::System => "light dark",
        };
        let scheme = format!("color-scheme: {schemes};");
        STYLE.replace("color-scheme: light dark;", &scheme).replace(DARK, self.dark_when())
    }

    pub(super) fn style_path(self) -> &'static str {
        &STYLES[self as usize].0
    }
}

/// The path and the contents of each theme's stylesheet, in the order of [`Theme::ALL`].
static STYLES: LazyLock<[(String, String); 3]> = LazyLock::new(|| {
    Theme::ALL.map(|theme| {
        let style = theme.style();
        (hashed(&style, "css"), style)
    })
});
static SCRIPT_PATH: LazyLock<String> = LazyLock::new(|| hashed(SCRIPT, "js"));

fn hashed(contents: &str, extension: &str) -> String {
    let digest = Sha256::digest(contents.as_bytes());
    let hash = hex::encode(&digest[..6]);
    format!("/assets/{hash}.{extension}")
}

pub(super) fn style_path() -> &'static str {
    Theme::System.style_path()
}

pub(super) fn script_path() -> &'static str {
    &SCRIPT_PATH
}

pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let path = format!("/assets/{name}");
    let style = STYLES.iter().find(|(known, _)| *known == path);
    let (content_type, contents) = if name == "icon.svg" {
        ("image/svg+xml", ICON)
    } else if let Some((_, style)) = style {
        ("text/css; charset=utf-8", style.as_str())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_answers_what_the_stylesheet_asks() {
        assert_eq!(Theme::System.style(), STYLE);
        for (theme, scheme, question) in
            [(Theme::Light, "light", "not all"), (Theme::Dark, "dark", "all")]
        {
            let style = theme.style();
            assert!(!style.contains("prefers-color-scheme"), "{theme:?}");
            assert!(style.contains(&format!("color-scheme: {scheme};")), "{theme:?}");
            assert!(style.contains(&format!("@media {question} {{\n  :root")), "{theme:?}");
        }
    }
}
