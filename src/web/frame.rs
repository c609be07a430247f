//! What every page has around it, and the headers that it is sent with.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::assets::{script_path, style_path};
use super::words::{Lang, Words};

/// Pages load nothing but their own stylesheet and script, and can not be framed.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A link with its text; the one that leads to where one is, is current.
pub(super) struct Link {
    pub(super) label: String,
    pub(super) url: String,
    pub(super) is_current: bool,
}

/// Who is signed in, for the foot of a page.
#[derive(Clone, Default)]
pub(super) struct Account {
    pub(super) is_signed_in: bool,
    /// The person, where it is one.
    pub(super) name: Option<String>,
    /// Whether the dashboard's own form signs out.
    pub(super) signs_out_here: bool,
    /// Where else one signs out: with the proxy.
    pub(super) sign_out_url: Option<String>,
}

/// What `base.html` needs.
pub(super) struct Frame {
    pub(super) tag: &'static str,
    pub(super) words: &'static Words,
    pub(super) style: &'static str,
    /// The path of the dashboard's script; empty without it.
    pub(super) script: &'static str,
    pub(super) langs: Vec<Link>,
    pub(super) account: Account,
}

impl Frame {
    /// Around a page that has no view.
    pub(super) fn of(lang: Lang) -> Self {
        Self::around(lang, Account::default(), |lang| format!("?lang={}", lang.tag()))
    }

    /// Around a page in one language, without the dashboard's script.
    pub(super) fn bare(lang: Lang) -> Self {
        let frame = Self::of(lang);
        Self { script: "", langs: Vec::new(), ..frame }
    }

    /// Around a page with an address for each language.
    pub(super) fn around(lang: Lang, account: Account, url: impl Fn(Lang) -> String) -> Self {
        let link = |other: Lang| Link {
            label: other.name().to_owned(),
            url: url(other),
            is_current: other == lang,
        };
        Self {
            tag: lang.tag(),
            words: lang.words(),
            style: style_path(),
            script: script_path(),
            langs: Lang::ALL.into_iter().map(link).collect(),
            account,
        }
    }
}

/// A page as an answer.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Response {
    let Ok(text) = template.render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut answer = (status, Html(text)).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-language, cookie"));
    answer
}
