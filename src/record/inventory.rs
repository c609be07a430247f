//! Why each column is kept, and where what is in it comes from. A test finds a column that is not here.

use crate::store::schema::{Column, columns};

/// What columns have in common.
pub struct Entry {
    /// The table.
    pub table: &'static str,
    /// Its columns.
    pub columns: &'static [&'static str],
    /// What they are for.
    pub purpose: &'static str,
    /// Where their contents come from.
    pub source: &'static str,
    /// For how long they are kept.
    pub kept: Kept,
}

/// For how long something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// As long as the site's events.
    Site,
    /// As long as the site's events; but it tells of nobody any more when the day of the site has ended.
    Day,
    /// Until the operator removes it.
    Operator,
    /// Until an erasure has finished.
    Moment,
}

impl Kept {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Site => "the site's retention",
            Self::Day => {
                "the site's retention; linkable until the end of the site's day and half an hour"
            }
            Self::Operator => "until the operator removes it",
            Self::Moment => "in memory, until the erasure has finished",
        }
    }
}

/// The inventory.
pub const ENTRIES: &[Entry] = &[
    Entry {
        table: "events",
        columns: &["site_id", "timestamp", "name", "interactive"],
        purpose: "how often pages are viewed and things are done, and when",
        source: "the page, the collector's clock",
        kept: Kept::Site,
    },
    Entry {
        table: "events",
        columns: &["visitor_id", "session_id", "seq"],
        purpose: "to count visitors and visits once, and to follow a visit through the site",
        source: "a keyed hash of the shortened address and the user agent, neither of which is kept",
        kept: Kept::Day,
    },
    Entry {
        table: "events",
        columns: &["event_id"],
        purpose: "to count an event once that is stored twice",
        source: "a random number",
        kept: Kept::Site,
    },
    Entry {
        table: "events",
        columns: &["hostname", "pathname", "entry_hostname", "entry_pathname"],
        purpose: "which pages are read, and where visits begin",
        source: "the page's URL without its query string; what looks personal is masked",
        kept: Kept::Site,
    },
    Entry {
        table: "events",
        columns: &["engagement_ms", "scroll_depth"],
        purpose: "whether pages are read",
        source: "the page script",
        kept: Kept::Site,
    },
    Entry {
        table: "events",
        columns: &["props", "revenue_amount", "revenue_currency"],
        purpose: "what the site itself wants to know of its events",
        source: "the page; what looks personal is masked",
        kept: Kept::Site,
    },
    Entry {
        table: "events",
        columns: &["referrer", "source", "channel"],
        purpose: "where visits come from",
        source: "the referring page without its query string; what looks personal is masked",
        kept: Kept::Site,
    },
    Entry {
        table: "events",
        columns: &[
            "utm_source",
            "utm_medium",
            "utm_campaign",
            "utm_content",
            "utm_term",
            "click_id_kind",
        ],
        purpose: "which campaigns bring visits",
        source: "seven keys of the page's query string, and the kind, never the value, of a click id",
        kept: Kept::Site,
    },
    Entry {
        table: "events",
        columns: &["country", "region", "region_name", "city", "city_name"],
        purpose: "which regions visits come from",
        source: "a place database, looked up with the shortened address, which is not kept",
        kept: Kept::Site,
    },
    Entry {
        table: "events",
        columns: &["browser", "browser_version", "os", "os_version", "device", "language"],
        purpose: "which browsers, screens and languages a site has to serve",
        source: "the user agent and the preferred language, neither of which is kept word for word",
        kept: Kept::Site,
    },
    Entry {
        table: "daily",
        columns: &[
            "site_id",
            "counted",
            "dimension",
            "day",
            "version",
            "value",
            "visitors",
            "visitors_carried",
            "visits",
            "visits_carried",
            "pageviews",
            "events",
            "entered",
            "bounces",
            "seconds",
            "attention_ms",
            "told",
            "told_carried",
            "depth",
            "depth_carried",
            "paid",
            "revenue",
            "hours",
        ],
        purpose: "to answer over many days without counting again; numbers of a day, no row of anybody",
        source: "the events of the day",
        kept: Kept::Site,
    },
    Entry {
        table: "visit_days",
        columns: &[
            "site_id",
            "day",
            "version",
            "session_id",
            "event_id",
            "visitor_id",
            "ended",
            "first",
            "duration",
            "views",
            "bounced",
            "entry_page",
            "exit_page",
            "entry_page_hostname",
            "exit_page_hostname",
            "referrer",
            "source",
            "channel",
            "utm_source",
            "utm_medium",
            "utm_campaign",
            "utm_content",
            "utm_term",
            "country",
            "region",
            "region_name",
            "city",
            "city_name",
            "browser",
            "browser_version",
            "os",
            "os_version",
            "device",
            "language",
            "day_views",
            "day_events",
            "by_page",
            "hours_by_page",
            "by_name",
            "attention_pages",
            "attention_ms",
            "attention_depths",
            "happened",
            "hours_happened",
            "props_happened",
            "apart",
            "earlier",
            "earlier_entry_page",
            "earlier_exit_page",
            "earlier_entry_page_hostname",
            "earlier_exit_page_hostname",
            "earlier_referrer",
            "earlier_source",
            "earlier_channel",
            "earlier_utm_source",
            "earlier_utm_medium",
            "earlier_utm_campaign",
            "earlier_utm_content",
            "earlier_utm_term",
            "earlier_language",
            "earlier_with_utm_source",
            "earlier_with_utm_medium",
            "earlier_with_utm_campaign",
            "earlier_with_utm_content",
            "earlier_with_utm_term",
        ],
        purpose: "to answer over many days without going through every event of them again",
        source: "the events of the day; no longer than these, and not of more",
        kept: Kept::Site,
    },
    Entry {
        table: "notable_events",
        columns: &[
            "site_id",
            "day",
            "version",
            "session_id",
            "event_id",
            "visitor_id",
            "last",
            "entry_page",
            "exit_page",
            "entry_page_hostname",
            "exit_page_hostname",
            "referrer",
            "source",
            "channel",
            "utm_source",
            "utm_medium",
            "utm_campaign",
            "utm_content",
            "utm_term",
            "country",
            "region",
            "region_name",
            "city",
            "city_name",
            "browser",
            "browser_version",
            "os",
            "os_version",
            "device",
            "language",
            "name",
            "hostname",
            "pathname",
            "times",
            "engagement_ms",
            "scroll_depth",
            "revenue_currency",
            "revenue_amount",
            "hours",
            "props",
            "place",
            "name_again",
            "goal_again",
        ],
        purpose: "to answer how often goals were met, and what is asked of properties, without going through every event again",
        source: "the events of the day; no longer than these, and not of more",
        kept: Kept::Site,
    },
    Entry {
        table: "closed_days",
        columns: &[
            "site_id",
            "day",
            "timezone",
            "version",
            "inserts",
            "made",
            "goes_on",
            "afterwards",
            "goals",
            "goals_version",
        ],
        purpose: "which days have been counted",
        source: "the collector",
        kept: Kept::Site,
    },
    Entry {
        table: "sites",
        columns: &[
            "site_id",
            "domain",
            "former_domain",
            "timezone",
            "retention_days",
            "public",
            "least_visitors",
            "created_at",
            "removed",
            "version",
        ],
        purpose: "which sites are counted, and how",
        source: "the operator",
        kept: Kept::Operator,
    },
    Entry {
        table: "tokens",
        columns: &[
            "token_id",
            "hash",
            "scope",
            "site_ids",
            "note",
            "least_visitors",
            "created_at",
            "expires_at",
            "revoked",
            "version",
        ],
        purpose: "who may read reports; a token itself is not stored",
        source: "the operator",
        kept: Kept::Operator,
    },
    Entry {
        table: "goals",
        columns: &[
            "goal_id",
            "site_id",
            "kind",
            "event_name",
            "page_path",
            "scroll_threshold",
            "display_name",
            "currency",
            "created_at",
            "removed",
            "version",
        ],
        purpose: "what sites want their visitors to do",
        source: "the operator",
        kept: Kept::Operator,
    },
    Entry {
        table: "segments",
        columns: &["segment_id", "site_id", "name", "filters", "created_at", "removed", "version"],
        purpose: "filters of reports that have a name",
        source: "the operator",
        kept: Kept::Operator,
    },
    Entry {
        table: "funnels",
        columns: &["funnel_id", "site_id", "name", "steps", "created_at", "removed", "version"],
        purpose: "steps of visits that have a name",
        source: "the operator",
        kept: Kept::Operator,
    },
    Entry {
        table: "annotations",
        columns: &[
            "annotation_id",
            "site_id",
            "day",
            "kind",
            "text",
            "created_at",
            "removed",
            "version",
        ],
        purpose: "what happened on days of a site, beside its numbers",
        source: "the operator",
        kept: Kept::Operator,
    },
    Entry {
        table: "rules",
        columns: &["domain", "rule", "value", "removed", "version"],
        purpose: "which rules of the configuration numbers came of, so that changes are told",
        source: "the operator",
        kept: Kept::Operator,
    },
    Entry {
        table: "shared_links",
        columns: &[
            "link_id",
            "site_id",
            "name",
            "slug",
            "password_hash",
            "segment_id",
            "least_visitors",
            "expires_at",
            "created_at",
            "removed",
            "version",
        ],
        purpose: "who may look at a site's pages by a link, without a token; a password is not stored, but a slow hash of it",
        source: "the operator",
        kept: Kept::Operator,
    },
    Entry {
        table: "members",
        columns: &["member_id", "person", "site_id", "role", "created_at", "removed", "version"],
        purpose: "which people of the operator's own may see a site's reports, and change what is set up; visitors are not among them",
        source: "the operator, who names them as the service does that signs them in; the name goes when the member is removed",
        kept: Kept::Operator,
    },
    Entry {
        table: "doomed",
        columns: &["erasure", "site_id", "session_id", "seq", "event_id"],
        purpose: "to erase rows without writing down which",
        source: "an erasure that is under way",
        kept: Kept::Moment,
    },
];

/// Every column that there is, with why it is kept; `None` is for one that nobody thought of.
pub fn inventory() -> impl Iterator<Item = (Column, Option<&'static Entry>)> {
    columns().into_iter().map(|column| {
        let entry = ENTRIES
            .iter()
            .find(|entry| entry.table == column.table && entry.columns.contains(&column.name));
        (column, entry)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_the_schema_is_in_the_inventory_and_no_other() {
        let missing: Vec<Column> =
            inventory().filter(|(_, entry)| entry.is_none()).map(|(column, _)| column).collect();
        assert_eq!(missing, [], "say in ENTRIES why they are kept");
        let all = columns();
        assert!(all.len() > 50, "the schema was not read");
        for entry in ENTRIES {
            for name in entry.columns {
                assert!(
                    all.iter().any(|column| column.table == entry.table && column.name == *name),
                    "{}.{name} is no column any more",
                    entry.table
                );
            }
        }
    }
}
