//! `[access_log]`: who read what.

use serde::Deserialize;

use super::ConfigError;

/// The most days that it may be kept who read what: a hundred years.
const DAYS_MAX: u32 = 36_500;

/// `[access_log]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessLog {
    /// For how many days it is kept who read what, today among them; 0 keeps nothing.
    pub days: u32,
}

impl Default for AccessLog {
    fn default() -> Self {
        Self { days: 90 }
    }
}

impl AccessLog {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.days <= DAYS_MAX {
            return Ok(());
        }
        Err(ConfigError::out_of_bounds("access_log.days", self.days.to_string(), "36500 or less"))
    }
}
