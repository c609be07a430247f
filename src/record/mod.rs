//! The papers of a site's privacy, written from the live configuration and the schema.
//!
//! So they can not say what is not so: the record of processing, the inventory of data, a text for a site's own
//! policy, and a table to assess oneself by. They are Markdown.
//!
//! They are no legal advice: what a site has to say besides, its owner knows.

mod assessment;
pub mod inventory;
mod policy;

use std::fmt::Write;

use crate::config::Config;
use crate::privacy::OnObjection;
use crate::site::policy::{ConsentMode, Policies};
use inventory::inventory;

/// A paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Paper {
    /// The record of processing (article 30 of the GDPR)
    Record,
    /// Every column that is stored: what it is, what for, where from, for how long
    Inventory,
    /// A text for a site's privacy policy
    Policy,
    /// The questions of a self-assessment, answered from the configuration
    Assessment,
}

/// The languages of the policy, and of mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English
    #[default]
    En,
    /// German
    De,
}

/// What the papers are written from.
pub struct Facts {
    /// The sites, with the days that they keep events.
    pub sites: Vec<(String, Option<u32>)>,
    /// Leading bits of addresses that are used, of IPv4 and IPv6.
    pub prefixes: (u8, u8),
    /// What becomes of those who object.
    pub on_objection: OnObjection,
    /// Whether places are looked up.
    pub has_places: bool,
    /// Whether the database is somebody else's server.
    pub database: Option<String>,
    /// What holds for each site.
    pub policies: Policies,
    /// For how many days it is kept who read what.
    pub access_log_days: u32,
}

impl Facts {
    /// The facts of a configuration and its sites.
    pub fn of(config: &Config, sites: Vec<(String, Option<u32>)>) -> Self {
        Self {
            sites,
            prefixes: (config.privacy.ipv4_prefix, config.privacy.ipv6_prefix),
            on_objection: config.privacy.on_objection,
            has_places: config.geo.database.is_some(),
            database: config.clickhouse.url.clone(),
            policies: config.privacy.policies(),
            access_log_days: config.access_log.days,
        }
    }

    /// Writes a paper.
    pub fn write(&self, paper: Paper, language: Language) -> String {
        match paper {
            Paper::Record => self.record(),
            Paper::Inventory => table_of_columns(),
            Paper::Policy => policy::text(self, language),
            Paper::Assessment => assessment::table(self),
        }
    }

    /// Whether every site is under the strict profile: then nothing of marketing is stored, and no city.
    fn is_strict(&self) -> bool {
        let mut sites = self.sites.iter().map(|(site, _)| self.policies.of(site));
        match self.sites.is_empty() {
            true => self.policies.everywhere.profile.is_strict(),
            false => sites.all(|policy| policy.profile.is_strict()),
        }
    }

    /// What all sites ask their visitors, if it is the same.
    fn consent(&self) -> ConsentMode {
        let mut sites = self.sites.iter().map(|(site, _)| self.policies.of(site).consent);
        let first = sites.next().unwrap_or(self.policies.everywhere.consent);
        if sites.all(|consent| consent == first) { first } else { ConsentMode::NotAsked }
    }

    fn record(&self) -> String {
        let mut text =
            String::from("# Record of processing: measuring the audience of web sites\n\n");
        let (ipv4, ipv6) = self.prefixes;
        let (campaigns, campaign, city) = match self.is_strict() {
            true => ("", "", ""),
            false => (", campaigns", "campaign, ", ", city"),
        };
        let places = match self.has_places {
            true => format!("a place (country, region{city}) looked up in a local database; "),
            false => String::new(),
        };
        let database = self.database.as_deref().map_or_else(
            || "ClickHouse on the collector's own machine".to_owned(),
            |url| format!("the ClickHouse server at {url}"),
        );
        let rows = [
            (
                "Purpose",
                format!("statistics on how the sites are used: pages, visits, sources{campaigns}"),
            ),
            ("Persons", "visitors of the sites".to_owned()),
            (
                "Data on the way",
                format!(
                    "address (shortened to /{ipv4} or /{ipv6} at once, then hashed; not stored), user agent (not stored)"
                ),
            ),
            (
                "Data stored",
                format!(
                    "page, time, source, {campaign}{places}browser, system, kind of device, language; a visitor's number that nobody can recompute after the day"
                ),
            ),
            (
                "Recipients",
                "whoever has a token, a session or a shared link for the site's reports, and everybody, of a site that is public; \
                 those who come by links or to public sites are told no small numbers, unless the operator said so; \
                 whoever mail.reports and alerts name is mailed or posted counts, small ones too"
                    .to_owned(),
            ),
            (
                "Readers",
                match self.access_log_days {
                    0 => "who reads a report is not recorded".to_owned(),
                    days => format!(
                        "who reads which report and when is recorded for {days} days: the name of the token or link, the site, the kind of question; no address"
                    ),
                },
            ),
            ("Stored in", database),
            (
                "Third countries",
                "none for data of visitors; the servers of mail and alerts are told counts".to_owned(),
            ),
            ("Consent", consent(self.consent()).to_owned()),
            ("Objection", objection(self.on_objection).to_owned()),
            ("Security", "PRIVACY.md says for each promise what keeps it".to_owned()),
        ];
        text += "| | |\n|---|---|\n";
        for (name, value) in rows {
            let _ = writeln!(text, "| {name} | {value} |");
        }
        text += "\n| Site | Events are kept |\n|---|---|\n";
        for (site, days) in &self.sites {
            let _ = writeln!(text, "| {site} | {} |", kept(*days));
        }
        text
    }
}

fn kept(days: Option<u32>) -> String {
    days.map_or_else(|| "until they are erased".to_owned(), |days| format!("{days} days"))
}

fn consent(consent: ConsentMode) -> &'static str {
    match consent {
        ConsentMode::NotAsked => "not asked for by this program, at least not by every site",
        ConsentMode::Anonymous => "without it a view is counted and belongs to nobody",
        ConsentMode::Required => "without it nothing is sent, and nothing is counted",
    }
}

fn objection(on_objection: OnObjection) -> &'static str {
    match on_objection {
        OnObjection::Anonymous => {
            "Sec-GPC: 1 and DNT: 1: the view is counted without recognising anybody; a button on /privacy: nothing is counted"
        }
        OnObjection::Drop => "Sec-GPC: 1, DNT: 1, and a button on /privacy: nothing is counted",
        OnObjection::Ignore => {
            "a button on /privacy: nothing is counted; Sec-GPC and DNT are ignored"
        }
    }
}

fn table_of_columns() -> String {
    let mut text = String::from(
        "# Inventory of stored data\n\n| Column | What it is | What for | Where from | Kept |\n|---|---|---|---|---|\n",
    );
    for (column, entry) in inventory() {
        let (purpose, source, kept) = entry
            .map_or(("not known", "not known", "not known"), |entry| {
                (entry.purpose, entry.source, entry.kept.words())
            });
        let _ = writeln!(
            text,
            "| {}.{} | {} | {purpose} | {source} | {kept} |",
            column.table,
            column.name,
            column.comment.replace("''", "'").replace('|', "\\|"),
        );
    }
    for file in FILES {
        let _ = writeln!(text, "{file}");
    }
    text
}

/// What is kept in files of its own.
const FILES: [&str; 3] = [
    "| reads/*.jsonl: time, reader, site, route, dimensions, status | A line for each report, export and page that was asked for | who read what and when | the token or link that was shown; no address, no value that was asked for | access_log.days |",
    "| notices.json | When each report and alert was told last, and what is still to be told | so that nothing is told twice | the addresses of mail.reports and alerts.to | until the configuration no longer names them |",
    "| reads/last.json | When each token and link was used last | which of them nobody needs any more | the same | until the token or link is removed |",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::policy::{Policy, Profile};

    pub(super) fn facts() -> Facts {
        Facts {
            sites: vec![("example.com".into(), Some(365)), ("other.example".into(), None)],
            prefixes: (24, 48),
            on_objection: OnObjection::Anonymous,
            has_places: true,
            database: None,
            policies: Policies::default(),
            access_log_days: 90,
        }
    }

    #[test]
    fn the_papers_say_what_is_configured() {
        let write = |facts: &Facts, paper| facts.write(paper, Language::En);
        let record = write(&facts(), Paper::Record);
        assert!(record.contains("| example.com | 365 days |") && record.contains("/24 or /48"));
        assert!(record.contains("| other.example | until they are erased |"));
        let other = Facts {
            prefixes: (16, 32),
            on_objection: OnObjection::Ignore,
            has_places: false,
            database: Some("https://db.example".into()),
            ..facts()
        };
        let record = write(&other, Paper::Record);
        assert!(record.contains("/16 or /32") && record.contains("https://db.example"));
        assert!(record.contains("are ignored") && !record.contains("a place"));
        let inventory = write(&facts(), Paper::Inventory);
        assert!(inventory.contains("| events.visitor_id | Keyed hash"));
        assert!(inventory.contains("| reads/*.jsonl"));
        assert!(record.contains("is recorded for 90 days"));
        let unrecorded = Facts { access_log_days: 0, ..facts() };
        assert!(write(&unrecorded, Paper::Record).contains("is not recorded"));
    }

    #[test]
    fn the_policy_speaks_both_languages_and_promises_no_more_than_is_so() {
        for (language, gpc, place) in [
            (Language::En, "Global Privacy Control", "country"),
            (Language::De, "Global Privacy Control", "Land"),
        ] {
            let text = facts().write(Paper::Policy, language);
            assert!(text.contains(gpc) && text.contains(place) && text.contains("365"), "{text}");
            let ignoring =
                Facts { on_objection: OnObjection::Ignore, has_places: false, ..facts() };
            let text = ignoring.write(Paper::Policy, language);
            assert!(!text.contains(gpc) && !text.contains(place), "{text}");
        }
    }

    #[test]
    fn the_papers_say_what_the_policies_of_all_sites_come_to() {
        let policy = Policy { profile: Profile::Cnil, consent: ConsentMode::Required };
        let strict =
            Facts { policies: Policies { everywhere: policy, ..Policies::default() }, ..facts() };
        for (language, campaigns, city, consent) in [
            (Language::En, "campaigns", "city", "without your consent"),
            (Language::De, "Kampagnen", "Stadt", "Ohne Ihre Einwilligung"),
        ] {
            let text = facts().write(Paper::Policy, language);
            assert!(text.contains(campaigns) && text.contains(city) && !text.contains(consent));
            let text = strict.write(Paper::Policy, language);
            assert!(!text.contains(campaigns) && !text.contains(city) && text.contains(consent));
        }
        let record = strict.write(Paper::Record, Language::En);
        assert!(!record.contains("campaign") && !record.contains("city"), "{record}");
        assert!(record.contains("| Consent | without it nothing is sent"), "{record}");
    }

    #[test]
    fn an_assessment_tells_what_is_not_met() {
        let rows = |facts: &Facts| facts.write(Paper::Assessment, Language::En);
        assert!(rows(&facts()).contains("| no | Events are kept for 25 months at most"));
        let kept = Facts { sites: vec![("example.com".into(), Some(760))], ..facts() };
        assert!(rows(&kept).contains("| yes | Events are kept for 25 months at most"));
        let campaigns = "No campaign, channel, click id, conversion or revenue is measured";
        assert!(rows(&kept).contains(&format!("| no | {campaigns}")));
        let strict = Policy { profile: Profile::Cnil, ..Policy::default() };
        let everywhere = Policies { everywhere: strict, ..Policies::default() };
        let of_all = Facts { policies: everywhere, ..facts() };
        assert!(rows(&of_all).contains(&format!("| yes | {campaigns}")));
        let of_one =
            Policies { sites: [("example.com".into(), strict)].into(), ..Policies::default() };
        let of_one = rows(&Facts { policies: of_one, ..facts() });
        assert!(of_one.contains(&format!("| not other.example | {campaigns}")), "{of_one}");
    }
}
