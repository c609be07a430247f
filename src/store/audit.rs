//! What an audit asks the database: whether a stored text looks like an address, and whether something is
//! there that its site keeps no longer.

use std::sync::Arc;

use jiff::Timestamp;

use super::client::in_time;
use super::{Store, StoreError};
use crate::event::Event;
use crate::site::Site;
use crate::site::domain::host_of;

/// An IPv4 address, an IPv6 address with four groups or more, or an address of e-mail.
const LOOKS_PERSONAL: &str = r"(^|[^0-9A-Za-z.])(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]\\d)\\.(25[0-5]|2[0-4]\\d|1?\\d?\\d)\\.(25[0-5]|2[0-4]\\d|1?\\d?\\d)\\.(25[0-5]|2[0-4]\\d|1?\\d?\\d)($|[^0-9A-Za-z.])|([0-9a-fA-F]{1,4}:){4}|[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\\.[A-Za-z]{2,}";
/// Columns that hold no text.
const NO_TEXT: [&str; 12] = [
    "site_id",
    "timestamp",
    "visitor_id",
    "session_id",
    "seq",
    "event_id",
    "interactive",
    "engagement_ms",
    "scroll_depth",
    "revenue_amount",
    "city",
    "props",
];

/// What the strict profile leaves out: columns, and when they hold something.
const EXCLUDED: [(&str, &str); 9] = [
    ("channel", "channel != ''"),
    ("utm_source", "utm_source != ''"),
    ("utm_medium", "utm_medium != ''"),
    ("utm_campaign", "utm_campaign != ''"),
    ("utm_content", "utm_content != ''"),
    ("utm_term", "utm_term != ''"),
    ("click_id_kind", "click_id_kind != ''"),
    ("city", "city != 0 OR city_name != ''"),
    ("revenue", "revenue_currency != ''"),
];

impl Store {
    /// The columns of `events` that hold something that looks like an address, each with its number of rows. The hosts that
    /// sites are registered under are told by whoever registered them.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn columns_with_addresses(
        &self,
        sites: &[Arc<Site>],
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let own: Vec<String> = sites
            .iter()
            .map(|site| (site, host_of(&site.domain)))
            .filter(|(_, host)| host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
            .map(|(site, host)| format!("({}, '{host}')", site.id.0))
            .collect();
        let is_own = |column: &str| match column {
            "hostname" | "entry_hostname" if !own.is_empty() => {
                format!(" AND (site_id, {column}) NOT IN ({})", own.join(", "))
            }
            _ => String::new(),
        };
        let texts = Event::columns().filter(|column| !NO_TEXT.contains(column)).map(|column| {
            let condition = format!("match({column}, '{LOOKS_PERSONAL}'){}", is_own(column));
            (column.to_owned(), condition)
        });
        let props = format!(
            "arrayExists(text -> match(text, '{LOOKS_PERSONAL}'), arrayConcat(mapKeys(props), mapValues(props)))"
        );
        let conditions: Vec<(String, String)> =
            texts.chain([("props".to_owned(), props)]).collect();
        let counts: Vec<String> =
            conditions.iter().map(|(_, condition)| format!("countIf({condition})")).collect();
        let sql = format!("SELECT [{}] FROM events", counts.join(", "));
        let counts = in_time(self.writer().query_raw(&sql).fetch_one::<Vec<u64>>()).await?;
        let columns = conditions.into_iter().map(|(column, _)| column);
        Ok(columns.zip(counts).filter(|(_, count)| *count > 0).collect())
    }

    /// The columns in which sites hold what their profile leaves out, each with its number of rows: of events
    /// from before the profile was chosen.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn excluded_by_profiles(
        &self,
        sites: &[Arc<Site>],
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let strict = sites.iter().filter(|site| site.policy.profile.is_strict());
        let strict: Vec<String> = strict.map(|site| site.id.0.to_string()).collect();
        if strict.is_empty() {
            return Ok(Vec::new());
        }
        let counts = EXCLUDED.map(|(_, condition)| format!("countIf({condition})")).join(", ");
        let sql = format!("SELECT [{counts}] FROM events WHERE site_id IN ({})", strict.join(", "));
        let counts = in_time(self.writer().query_raw(&sql).fetch_one::<Vec<u64>>()).await?;
        let columns = EXCLUDED.map(|(column, _)| column.to_owned());
        Ok(columns.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect())
    }

    /// How many events there are that their sites have not kept since a moment.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn overdue(&self, sites: &[Arc<Site>], since: Timestamp) -> Result<u64, StoreError> {
        let each: Vec<String> = sites
            .iter()
            .filter_map(|site| {
                let kept = site.kept_from(since)?.as_second().max(0);
                Some(format!("(site_id = {} AND timestamp < toDateTime({kept}, 'UTC'))", site.id.0))
            })
            .collect();
        if each.is_empty() {
            return Ok(0);
        }
        let sql = format!("SELECT count() FROM events WHERE {}", each.join(" OR "));
        in_time(self.writer().query_raw(&sql).fetch_one::<u64>()).await
    }
}
