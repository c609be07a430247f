//! Backups of everything that ClickHouse holds, on ClickHouse's own means (`BACKUP … TO File`).
//!
//! A backup is a folder or archive where ClickHouse is allowed to write: of the embedded engine
//! `engine/backups` in the data directory, of a server its `backups.allowed_path`. It has the tables and
//! views of the database and nothing else: a salt is in no table, and events that still wait in a
//! spool are loaded when the collector goes on. On a cluster each server writes its own, all under one name.

use std::time::Duration;

use super::client::{Store, StoreError, in_time, in_time_of};

/// How long a backup or its return may take.
const PATIENCE: Duration = Duration::from_secs(6 * 60 * 60);
/// The longest name of a backup, in bytes.
const NAME_BYTES_MAX: usize = 100;

/// The name of a backup: letters, digits, `-`, `_` and dots, so that it is no path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupName(String);

/// It is not a name that a backup can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` can not name a backup: use at most {NAME_BYTES_MAX} letters, digits, dots, - and _, and begin with none of the last three"
)]
pub struct NotAName(String);

impl BackupName {
    /// Checks a name. One that ends in `.zip` or `.tar` makes an archive, where ClickHouse can write one.
    ///
    /// # Errors
    /// [`NotAName`], when it could lead out of the folder, or end a string.
    pub fn new(name: &str) -> Result<Self, NotAName> {
        let in_a_name =
            |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
        if name.is_empty()
            || name.len() > NAME_BYTES_MAX
            || name.starts_with(['.', '-', '_'])
            || !name.chars().all(in_a_name)
        {
            return Err(NotAName(name.to_owned()));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Store {
    /// Writes a backup, and returns when it is whole.
    ///
    /// # Errors
    /// When ClickHouse does not answer, may not write there, or has a backup of the name.
    pub async fn backup(&self, name: &BackupName) -> Result<(), StoreError> {
        let BackupName(file) = name;
        let sql = format!("BACKUP DATABASE `{}` TO File('{file}')", self.database());
        self.on_every_node(&sql).await
    }

    /// Brings a backup into the tables, which must be empty.
    ///
    /// # Errors
    /// When ClickHouse does not answer, has no such backup, or its tables hold rows already.
    pub async fn restore(&self, name: &BackupName) -> Result<(), StoreError> {
        let BackupName(file) = name;
        self.forget_the_first_start().await?;
        // The views of the backup may be an older version's: this version's are made anew.
        let sql = format!(
            "RESTORE DATABASE `{}` FROM File('{file}') SETTINGS allow_different_table_def = 1",
            self.database()
        );
        self.on_every_node(&sql).await?;
        self.apply_schema().await
    }

    /// A collector notes by which rules it counts when it starts, also where nothing is counted yet: over that a backup may be
    /// restored, which has them itself.
    async fn forget_the_first_start(&self) -> Result<(), StoreError> {
        let count = "SELECT sum(rows) FROM (SELECT count() AS rows FROM sites UNION ALL SELECT count() FROM events)";
        let is_fresh = in_time(self.writer().query_raw(count).fetch_one::<u64>()).await? == 0;
        if is_fresh && !self.is_spread() {
            in_time(self.writer().query_raw("TRUNCATE TABLE rules").execute()).await?;
        }
        Ok(())
    }

    async fn on_every_node(&self, sql: &str) -> Result<(), StoreError> {
        for node in self.nodes() {
            in_time_of(PATIENCE, node.server.query_raw(sql).execute()).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path_and_ends_no_string() {
        assert_eq!(BackupName::new("2026-03-01").unwrap().as_str(), "2026-03-01");
        assert_eq!(BackupName::new("a.tar.gz").unwrap().as_str(), "a.tar.gz");
        for wrong in ["", "../a", "a/b", "a'b", "a b", ".a", "-a", "ä", &"a".repeat(101)] {
            assert!(BackupName::new(wrong).is_err(), "{wrong}");
        }
    }
}
