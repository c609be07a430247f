//! Parts of tables that the server could not read at a start, or has no use for, and keeps beside the table.
//!
//! What is in them is in no report, no erasure and no retention reaches it, and the server never removes it. Those
//! that somebody detached by hand are theirs, and are left alone.

use clickhouse::Row;
use jiff::Timestamp;
use serde::Deserialize;

use super::client::in_time;
use super::tiers::COUNTED;
use super::{Store, StoreError};

/// A part that the server has set aside.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct Detached {
    /// Its table.
    pub table: String,
    /// Its name among those that are set aside.
    pub name: String,
    /// Why, in the server's words: `broken-on-start`.
    pub reason: String,
    /// Since when, in seconds since 1970.
    since: u32,
}

impl Store {
    /// The parts that the servers have set aside.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn detached(&self) -> Result<Vec<Detached>, StoreError> {
        let mut parts = Vec::new();
        for node in self.nodes() {
            let listed = node.writer.query_raw(&self.listing()).fetch_all::<Detached>();
            parts.extend(in_time(listed).await?);
        }
        Ok(parts)
    }

    /// Removes those that were set aside before an instant, and says which.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or refuses; earlier ones are gone.
    pub async fn end_detached(&self, before: Timestamp) -> Result<Vec<Detached>, StoreError> {
        let mut removed = Vec::new();
        for node in self.nodes() {
            let listed = node.writer.query_raw(&self.listing()).fetch_all::<Detached>();
            let is_past = |part: &Detached| i64::from(part.since) < before.as_second();
            for part in in_time(listed).await?.into_iter().filter(is_past) {
                let sql = format!("ALTER TABLE {} DROP DETACHED PART '{}'", part.table, part.name);
                let query = node.writer.query_raw(&sql).with_setting("allow_drop_detached", "1");
                in_time(query.execute()).await?;
                removed.push(part);
            }
        }
        Ok(removed)
    }

    fn listing(&self) -> String {
        format!(
            "SELECT table, name, ifNull(reason, '') AS reason, toUInt32(toUnixTimestamp(modification_time)) AS since FROM system.detached_parts \
             WHERE database = currentDatabase() AND table IN ('{}', '{}') \
             AND reason NOT IN ('', 'attaching', 'deleting', 'tmp-fetch') ORDER BY table, name",
            self.stored_events(),
            COUNTED.join("', '"),
        )
    }
}
