//! Pages that say what went wrong and what to do.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::frame::{Account, Frame, page};
use super::words::{Lang, Words, fill};
use crate::site::member::Person;

/// A title, and what to do.
pub(super) type Message = fn(&'static Words) -> [&'static str; 2];

pub(super) const NOT_FOUND: Message = |words| [words.not_found, words.not_found_advice];
pub(super) const LINK_GONE: Message = |words| [words.link_gone, words.link_gone_advice];
pub(super) const READS_ONLY: Message = |words| [words.reads_only, words.reads_only_advice];
pub(super) const DATABASE_AWAY: Message = |words| [words.database_away, words.database_away_advice];
pub(super) const ANSWER_UNREADABLE: Message =
    |words| [words.answer_unreadable, words.answer_unreadable_advice];
pub(super) const TOO_EXPENSIVE: Message = |words| [words.too_expensive, words.too_expensive_advice];
pub(super) const WRONG_VIEW: Message = |words| [words.wrong_view, words.wrong_view_advice];
pub(super) const FOREIGN_FORM: Message = |words| [words.foreign_form, words.foreign_form_advice];
pub(super) const SIGN_IN_ASTRAY: Message = |words| [words.not_signed_in, words.sign_in_astray];
pub(super) const SIGN_IN_DENIED: Message = |words| [words.not_signed_in, words.sign_in_denied];
pub(super) const PROVIDER_AWAY: Message = |words| [words.not_signed_in, words.provider_away];
pub(super) const ADDRESS_NOT_VERIFIED: Message =
    |words| [words.not_signed_in, words.address_not_verified];
pub(super) const PROVIDER_NAMES_NOBODY: Message =
    |words| [words.not_signed_in, words.provider_names_nobody];

#[derive(Template)]
#[template(path = "refusal.html")]
struct RefusalPage {
    frame: Frame,
    title: &'static str,
    advice: String,
    /// The page that leads on, and what it is called: that of a site, or of all.
    onward: (String, String),
}

pub(super) fn refuse(lang: Lang, status: StatusCode, message: Message) -> Response {
    refuse_towards(lang, status, message, all_sites(lang))
}

/// The same, where a page leads on.
pub(super) fn refuse_towards(
    lang: Lang,
    status: StatusCode,
    message: Message,
    onward: (String, String),
) -> Response {
    let [title, advice] = message(lang.words());
    let advice = advice.to_owned();
    page(status, &RefusalPage { frame: Frame::of(lang), title, advice, onward })
}

fn all_sites(lang: Lang) -> (String, String) {
    ("/".to_owned(), lang.words().all_sites.to_owned())
}

/// For somebody who has signed in, and has no role anywhere.
pub(super) fn refuse_person(lang: Lang, account: Account, person: &Person) -> Response {
    let words = lang.words();
    let frame = Frame::around(lang, account, |lang| format!("?lang={}", lang.tag()));
    let advice = fill(words.no_role_advice, &[person.name()]);
    page(
        StatusCode::FORBIDDEN,
        &RefusalPage { frame, title: words.no_role, advice, onward: all_sites(lang) },
    )
}
