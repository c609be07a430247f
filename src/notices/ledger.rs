//! What was told last, in a file of the data directory: a restart tells nothing twice, and forgets nothing that
//! is still to be told.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::patience::Patience;
use crate::spool::disk::{Directory, Disk};

const FILE: &str = "notices.json";

/// What was told.
pub(super) struct Ledger {
    directory: Directory,
    pub(super) pages: Pages,
}

/// What the file holds.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Pages {
    /// Of each report to somebody: the first day that the last one was about.
    pub(super) reports: BTreeMap<String, Date>,
    /// Of each alert: when it was given last.
    pub(super) alerts: BTreeMap<String, Timestamp>,
    /// Alerts that have not reached somebody yet.
    pub(super) waiting: Vec<Waiting>,
}

/// An alert on its way to one who is to know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Waiting {
    /// Which alert of the configuration.
    pub(super) alert: String,
    /// The address; `None` is the webhook. Its address is not written down.
    pub(super) to: Option<String>,
    pub(super) at: Timestamp,
    pub(super) visitors: u64,
    pub(super) usual: f64,
    pub(super) patience: Patience,
}

impl Ledger {
    /// Removes the file, if there is one: with nobody to tell anything, nobody's address is kept.
    ///
    /// # Errors
    /// When it can not be removed.
    pub(super) fn remove(data_dir: &Path) -> io::Result<()> {
        match std::fs::remove_file(data_dir.join(FILE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Reads the file, if there is one. Without what it says, reports begin with the next day, week or month:
    /// beacons are taken all the same.
    ///
    /// # Errors
    /// When there is no data directory.
    pub(super) fn open(data_dir: &Path) -> io::Result<Self> {
        let read = match std::fs::read(data_dir.join(FILE)) {
            Ok(text) => serde_json::from_slice(&text).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Pages::default()),
            Err(error) => Err(error),
        };
        let pages = read.unwrap_or_else(|error| {
            tracing::error!(
                %error, file = FILE,
                "what was told can not be read from the data directory: reports begin with the next day, week or month"
            );
            Pages::default()
        });
        Ok(Self { directory: Directory::open(data_dir.to_owned())?, pages })
    }

    /// Writes the file. What can not be written holds until the collector stops.
    pub(super) fn write(&self) {
        let written = serde_json::to_vec_pretty(&self.pages)
            .map_err(io::Error::other)
            .and_then(|text| self.directory.replace(FILE, &text));
        if let Err(error) = written {
            tracing::error!(
                %error,
                "what was told can not be written to the data directory, and may be told again after a restart"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_remembered_and_a_damaged_memory_stops_nobody() {
        let directory = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(directory.path()).unwrap();
        assert_eq!(ledger.pages, Pages::default());
        ledger.pages.reports.insert("x".to_owned(), jiff::civil::date(2026, 11, 24));
        ledger.pages.alerts.insert("y".to_owned(), Timestamp::UNIX_EPOCH);
        ledger.pages.waiting.push(Waiting {
            alert: "y".to_owned(),
            to: None,
            at: Timestamp::UNIX_EPOCH,
            visitors: 3,
            usual: 1.5,
            patience: Patience::default(),
        });
        ledger.write();
        assert_eq!(Ledger::open(directory.path()).unwrap().pages, ledger.pages);
        std::fs::write(directory.path().join(FILE), "{").unwrap();
        assert_eq!(Ledger::open(directory.path()).unwrap().pages, Pages::default());
        for _ in 0..2 {
            Ledger::remove(directory.path()).unwrap();
            assert!(!directory.path().join(FILE).exists());
        }
    }
}
