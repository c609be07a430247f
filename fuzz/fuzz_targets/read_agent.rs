//! User agents and languages: what is stored is short and can be seen, and is the same each time.
//!
//! The first line is `Accept-Language`, the rest a user agent, as much of it as is looked at.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use passerby::enrich::agent::{Agent, Agents};
use passerby::enrich::language::primary_tag;
use passerby::enrich::text::clean;
use passerby::judge;

static AGENTS: LazyLock<Agents> = LazyLock::new(Agents::new);

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let (language, agent) = text.split_once('\n').unwrap_or(("", &text));
    let tag = primary_tag(language);
    let is_tag = tag.is_empty() || (2..=3).contains(&tag.len());
    assert!(is_tag && tag.bytes().all(|byte| byte.is_ascii_lowercase()), "{tag:?}");

    let agent = clean(agent, 512);
    let read = AGENTS.read(&agent);
    let Agent { browser, browser_version, os, os_version, device, is_bot: _ } = &*read;
    for stored in [browser, browser_version, os, os_version] {
        assert!(stored.len() <= 60 && clean(stored, usize::MAX) == *stored, "{stored:?}");
    }
    assert!(["", "Desktop", "Mobile", "Tablet"].contains(device));
    assert!(*AGENTS.read(&agent) == *read, "it is remembered as it was read");
    // A program that says so is none of a person's, whatever else it says.
    let bot = format!("{}; compatible; Googlebot/2.1", clean(&agent, 400));
    assert!(AGENTS.read(&bot).is_bot, "{bot:?}");
    let _ = judge::referrer(&agent);
});
