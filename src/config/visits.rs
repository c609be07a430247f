//! `[visits]`: the visits that are open.

use serde::Deserialize;

use super::error::{ConfigError, at_least};

/// `[visits]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Visits {
    /// The most visits that are kept open at once.
    pub open_max: usize,
}

impl Default for Visits {
    fn default() -> Self {
        Self { open_max: 1_000_000 }
    }
}

impl Visits {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        at_least("visits.open_max", self.open_max as u64, 1_000, "1000 or more")
    }
}
