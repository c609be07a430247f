//! Pages, campaigns and referrers: what is stored of a URL keeps its limits, can be seen, and has no
//! address of e-mail, whatever stands around it.
//!
//! The first byte says whether the fragment belongs to the path; then come a URL and, in a line of its
//! own, a referrer.

#![no_main]

use libfuzzer_sys::fuzz_target;
use passerby::enrich::acquisition::{Acquisition, Tags};
use passerby::enrich::page::Page;
use passerby::enrich::text::clean;

/// A person.
const EMAIL: &str = "max.mustermann@mail.example";
/// What could hide one, because it is left out of what is stored.
const HIDING: [char; 4] = ['\u{10}', '\u{feff}', '\u{202e}', '\u{85}'];

/// The person, hidden somehow.
fn hidden(chance: usize) -> String {
    let (before, after) = EMAIL.split_at(chance % EMAIL.len());
    format!("{before}{}{after}", HIDING[chance / EMAIL.len() % HIDING.len()])
}

fn check(stored: &str, bytes_max: usize) {
    assert!(stored.len() <= bytes_max, "{stored:?}");
    assert_eq!(clean(stored, usize::MAX), stored, "what is stored can be seen");
    assert!(stored.split('/').all(|part| part != EMAIL), "{stored:?}");
}

fn check_page(page: &Page) {
    assert!(!page.hostname.is_empty() && page.hostname == page.hostname.to_lowercase());
    assert!(!page.pathname.is_empty());
    check(&page.hostname, 253);
    check(&page.pathname, 2_000);
}

fn check_acquisition(query: &str, referrer: &str, own: &str) {
    let tags = Tags::from_query(query);
    let found = Acquisition::of(&tags, Some(referrer), own);
    check(&found.referrer, 253 + 2_000);
    for tag in [
        &found.source,
        &found.utm_source,
        &found.utm_medium,
        &found.utm_campaign,
        &found.utm_content,
        &found.utm_term,
    ] {
        check(tag, 500);
    }
    assert!(!found.channel.is_empty());
}

fuzz_target!(|input: &[u8]| {
    let Some((&mode, text)) = input.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    let (url, referrer) = text.split_once('\n').unwrap_or((&text, ""));
    let hash_mode = mode == b'#';
    if let Ok((page, query)) = Page::parse(url, hash_mode) {
        check_page(&page);
        check_acquisition(&query, referrer, &page.hostname);
    }
    for person in [EMAIL.to_owned(), hidden(text.len())] {
        let personal = format!("https://example.com/{url}/{person}/{referrer}");
        if let Ok((page, query)) = Page::parse(&personal, hash_mode) {
            check_page(&page);
            check_acquisition(&query, &personal, "own.example");
            check_acquisition(&format!("utm_source={person}&{query}"), referrer, "own.example");
        }
    }
});
