//! The ledger: when each salt was drawn and when it was wiped, for anybody to check, with no secret in it.
//!
//! A file of text in the data directory. Its first line is `passerby-salt-ledger 1`; then a line each:
//!
//! ```text
//! <moment> drawn <time zone> <day> <commitment>
//! <moment> wiped <time zone> <day> <commitment> <why>
//! ```
//!
//! The commitment is the SHA-256, in hexadecimal digits, of `passerby salt` and the 32 bytes of the salt.
//! Nothing follows from it, because nobody can guess 32 random bytes; but whoever comes up with a salt
//! can be told which one it is, and when the collector said that it had wiped it.
//!
//! The ledger is bounded: beyond [`BYTES_MAX`] its older half is let go. It keeps no promise, it shows that
//! one is kept: what can not be written is only logged.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::Dated;
use crate::{hex, whole_file};

/// The first line of the file.
const HEADER: &str = "passerby-salt-ledger 1\n";
/// The longest that the file gets, in bytes: about ten years of a collector with one time zone.
const BYTES_MAX: u64 = 1 << 20;

/// Why a salt was wiped.
#[derive(Clone, Copy)]
pub(super) enum Why {
    /// Its day, and the half hour after it, are over.
    Ended,
    /// The clock shows another day, or stood still for longer than a day lasts.
    Clock,
    /// A collector that was started found it past its time, or no longer found it.
    FoundAtStart,
    /// The operator said so, of a collector that does not run.
    Forgotten,
}

impl Why {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ended => "at its end",
            Self::Clock => "because of the clock",
            Self::FoundAtStart => "found past its time, or gone with the memory, at a start",
            Self::Forgotten => "because the operator said so",
        }
    }
}

/// Where the lives of salts are written down.
pub struct Ledger(Option<PathBuf>);

impl Ledger {
    /// Nowhere.
    pub fn none() -> Self {
        Self(None)
    }

    /// In the data directory.
    pub fn open(data_dir: &Path) -> Self {
        Self(Some(data_dir.join("salts.ledger")))
    }

    pub(super) fn drawn(&self, now: Timestamp, zone: &str, salt: &Dated) {
        self.note(now, &format!("drawn {zone} {} {}", salt.day, commitment(salt)));
    }

    /// Wipes the salt, and then says so.
    pub(super) fn wipe(&self, now: Timestamp, zone: &str, salt: Dated, why: Why) {
        let what = format!("{zone} {} {}", salt.day, commitment(&salt));
        drop(salt);
        self.note(now, &format!("wiped {what} {}", why.as_str()));
    }

    /// Says of every salt that was drawn, never said to be wiped, and is not among those that live, that it
    /// is gone, and why.
    pub(super) fn close_all_but<'a>(
        &self,
        living: impl Iterator<Item = &'a Dated>,
        now: Timestamp,
        why: Why,
    ) {
        let Some(text) = self.0.as_ref().and_then(|path| std::fs::read_to_string(path).ok()) else {
            return;
        };
        let living: Vec<String> = living.map(commitment).collect();
        let mut open: Vec<(&str, &str)> = Vec::new();
        for line in text.lines() {
            let words: Vec<&str> = line.splitn(6, ' ').collect();
            let (Some(&what), Some(&hash)) = (words.get(1), words.get(4)) else { continue };
            match what {
                "drawn" => open.push((hash, &line[words[0].len() + " drawn ".len()..])),
                _ => open.retain(|(drawn, _)| *drawn != hash),
            }
        }
        for (_, what) in open.iter().filter(|(hash, _)| living.iter().all(|alive| alive != hash)) {
            self.note(now, &format!("wiped {what} {}", why.as_str()));
        }
    }

    fn note(&self, now: Timestamp, what: &str) {
        let Some(path) = &self.0 else { return };
        let moment = now.strftime("%Y-%m-%dT%H:%M:%SZ");
        if let Err(error) = append(path, &format!("{moment} {what}\n")) {
            tracing::warn!(%error, "the ledger of the salts can not be written");
        }
    }
}

fn append(path: &Path, line: &str) -> io::Result<()> {
    let mut file = File::options().create(true).append(true).mode(0o600).open(path)?;
    match file.metadata()?.len() {
        0 => file.write_all(HEADER.as_bytes())?,
        bytes if bytes > BYTES_MAX => {
            file = halve(path)?;
        }
        _ => {}
    }
    file.write_all(line.as_bytes())
}

/// Keeps the newer half of the lines.
fn halve(path: &Path) -> io::Result<File> {
    let text = std::fs::read_to_string(path)?;
    let lines: Vec<&str> = text.lines().skip(1).collect();
    let kept = lines[lines.len() / 2..].join("\n");
    whole_file::replace(path, format!("{HEADER}{kept}\n").as_bytes())?;
    File::options().append(true).open(path)
}

fn commitment(dated: &Dated) -> String {
    let digest = Sha256::new()
        .chain_update("passerby salt")
        .chain_update(dated.salt.0.as_slice())
        .finalize();
    hex::encode(&digest)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_ledger_keeps_its_newer_half_when_it_has_grown_too_long() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("salts.ledger");
        let line = format!("{}\n", "x".repeat(1023));
        std::fs::write(&path, format!("{HEADER}{}", line.repeat(1025))).unwrap();
        append(&path, "the newest\n").unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(HEADER) && text.ends_with("x\nthe newest\n"));
        assert_eq!(text.lines().count(), 1 + 513 + 1);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "it is for its owner alone, as it was");
    }
}
