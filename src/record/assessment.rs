//! The questions that regulators ask of audience measurement, answered from the configuration where it can
//! answer them. What only people can answer is left to them.

use std::fmt::Write;

use super::Facts;
use crate::privacy::OnObjection;
use crate::site::policy::{
    CNIL_PREFIXES_MAX, CNIL_RETENTION_DAYS_MAX, ConsentMode, Policy, Profile,
};

/// An answer.
enum Met {
    /// Always, or never.
    Is(bool),
    /// Only people can say.
    YouSay,
    /// Not by these sites.
    NotBy(Vec<String>),
}

pub(super) fn table(facts: &Facts) -> String {
    let (ipv4_max, ipv6_max) = CNIL_PREFIXES_MAX;
    let keeps_short = facts
        .sites
        .iter()
        .all(|(_, days)| days.is_some_and(|days| days <= CNIL_RETENTION_DAYS_MAX));
    let strict = || by_sites(facts, |policy| policy.profile == Profile::Cnil);
    const PROFILE: &str = "privacy.profile = \"cnil\"";
    let rows = [
        (
            Met::Is(true),
            "Nothing is kept in the visitor's browser",
            "no cookie; only an objection, by the visitor",
        ),
        (Met::Is(true), "A visitor has another number on each site", "tests/it/linking.rs"),
        (Met::Is(true), "A visitor has another number on each day", "tests/it/linking.rs"),
        (strict(), "An event is counted for one site alone", PROFILE),
        (Met::Is(true), "Addresses are not stored", "tests/it/leak.rs"),
        (
            Met::Is(facts.prefixes.0 <= ipv4_max && facts.prefixes.1 <= ipv6_max),
            "Addresses are shortened before anything is done with them, to /24 and /48 or less",
            "privacy.ipv4_prefix, privacy.ipv6_prefix",
        ),
        (
            if facts.has_places { strict() } else { Met::Is(true) },
            "Places are no finer than a region",
            PROFILE,
        ),
        (
            Met::Is(true),
            "Data of visitors are sent to nobody",
            "connections go to the database, and to what mail, alerts and sign_in name: these are told counts, or nothing",
        ),
        (
            Met::Is(keeps_short),
            "Events are kept for 25 months at most",
            "passerby site add DOMAIN --retention-days",
        ),
        (
            Met::Is(facts.on_objection != OnObjection::Ignore),
            "Signals of objection are heeded",
            "privacy.on_objection",
        ),
        (Met::Is(true), "A visitor can see, take, erase and object", "/privacy"),
        (strict(), "No campaign, channel, click id, conversion or revenue is measured", PROFILE),
        (strict(), "No file tells of single visits: the export is refused", PROFILE),
        (strict(), "Imported visitors last no longer than a day, either", PROFILE),
        (
            by_sites(facts, |policy| policy.consent != ConsentMode::NotAsked),
            "Visitors are asked first, where no exemption holds",
            "privacy.consent",
        ),
        (Met::YouSay, "Visitors are told", "passerby privacy policy"),
        (Met::YouSay, "The statistics serve the site's publisher alone", "yours to see to"),
        (Met::YouSay, "Properties of events tell of nobody", "yours to see to"),
        (Met::YouSay, "The log of the proxy in front does not keep addresses", "yours to see to"),
    ];
    let mut text = String::from("# Self-assessment\n\n| Met | | By |\n|---|---|---|\n");
    for (met, what, by) in rows {
        let met = match met {
            Met::Is(true) => "yes".to_owned(),
            Met::Is(false) => "no".to_owned(),
            Met::YouSay => "you say".to_owned(),
            Met::NotBy(sites) => format!("not {}", sites.join(", ")),
        };
        let _ = writeln!(text, "| {met} | {what} | {by} |");
    }
    text
}

/// Whether what a policy must be holds for all sites, for none, or not for some.
fn by_sites(facts: &Facts, holds: impl Fn(Policy) -> bool) -> Met {
    let sites = facts.sites.iter().map(|(site, _)| site);
    let not_by: Vec<String> =
        sites.filter(|site| !holds(facts.policies.of(site))).cloned().collect();
    match not_by.len() {
        0 => Met::Is(!facts.sites.is_empty() || holds(facts.policies.everywhere)),
        count if count == facts.sites.len() => Met::Is(false),
        _ => Met::NotBy(not_by),
    }
}
