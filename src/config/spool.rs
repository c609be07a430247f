//! `[spool]`: the durable log of what has come in.

use serde::Deserialize;

use super::error::{ConfigError, at_least};

/// `[spool]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spool {
    /// The most that the spool may take on disk, in bytes; beyond it beacons are refused with 503.
    pub bytes_max: u64,
    /// A segment that has as many bytes is followed by a new one.
    pub segment_bytes: u64,
    /// The most beacons that wait for the disk at once; beyond it they are refused with 503.
    pub waiting_max: usize,
}

impl Default for Spool {
    fn default() -> Self {
        Self { bytes_max: 10 << 30, segment_bytes: 64 << 20, waiting_max: 4_096 }
    }
}

impl Spool {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        at_least("spool.bytes_max", self.bytes_max, 1 << 20, "1048576 (1 MiB) or more")?;
        at_least("spool.segment_bytes", self.segment_bytes, 1 << 16, "65536 or more")?;
        at_least("spool.waiting_max", self.waiting_max as u64, 16, "16 or more")
    }
}
