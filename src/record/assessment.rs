//! The questions that regulators ask of audience measurement, answered from the configuration where it can
//! answer them. What only people can answer is left to them.

use std::fmt::Write;

use super::Facts;
use crate::privacy::OnObjection;

/// 25 months, in days.
const RETENTION_DAYS_MAX: u32 = 760;

pub(super) fn table(facts: &Facts) -> String {
    let keeps_short =
        facts.sites.iter().all(|(_, days)| days.is_some_and(|days| days <= RETENTION_DAYS_MAX));
    let rows = [
        (
            Some(true),
            "Nothing is kept in the visitor's browser",
            "no cookie; only an objection, by the visitor",
        ),
        (Some(true), "A visitor has another number on each site", "tests/it/linking.rs"),
        (Some(true), "A visitor has another number on each day", "tests/it/linking.rs"),
        (Some(true), "Addresses are not stored", "tests/it/leak.rs"),
        (
            Some(facts.prefixes.0 <= 24 && facts.prefixes.1 <= 48),
            "Addresses are shortened before anything is done with them, to /24 and /48 or less",
            "privacy.ipv4_prefix, privacy.ipv6_prefix",
        ),
        (
            Some(true),
            "Data are sent to nobody",
            "the program opens connections to its database alone",
        ),
        (
            Some(keeps_short),
            "Events are kept for 25 months at most",
            "passerby site add DOMAIN --retention-days",
        ),
        (
            Some(facts.on_objection != OnObjection::Ignore),
            "Signals of objection are heeded",
            "privacy.on_objection",
        ),
        (Some(true), "A visitor can see, take, erase and object", "/privacy"),
        (None, "Visitors are told", "passerby privacy policy"),
        (None, "The statistics serve the site's publisher alone", "yours to see to"),
        (
            None,
            "No campaign, source or revenue is measured, where an exemption asks for that",
            "yours to see to",
        ),
        (None, "The log of the proxy in front does not keep addresses", "yours to see to"),
    ];
    let mut text = String::from("# Self-assessment\n\n| Met | | By |\n|---|---|---|\n");
    for (is_met, what, by) in rows {
        let met = match is_met {
            Some(true) => "yes",
            Some(false) => "no",
            None => "you say",
        };
        let _ = writeln!(text, "| {met} | {what} | {by} |");
    }
    text
}
