//! `[engine]`: the embedded engine.

use std::path::PathBuf;

use serde::Deserialize;

use super::Secret;
use super::error::{ConfigError, at_least};
use crate::site::domain::domain_of_a_site;

/// `[engine]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Engine {
    /// `libchdb.so` or a `clickhouse` binary; by default the first that is found.
    pub path: Option<PathBuf>,
    /// The most memory that the engine may use, in bytes.
    pub memory_bytes_max: Option<u64>,
    /// The port that the engine listens on, of 127.0.0.1; by default a free one, chosen at each start.
    pub port: Option<u16>,
    /// The password of the user `passerby_analyst`, who reads the views; by default one that is made
    /// once and kept in `engine/analyst.password` of the data directory.
    pub analyst_password: Option<Secret>,
    /// The only sites that this user sees, by domain; by default every site.
    pub analyst_sites: Vec<String>,
}

impl Engine {
    pub(super) fn check(&mut self) -> Result<(), ConfigError> {
        if let Some(bytes) = self.memory_bytes_max {
            let rule = "268435456 (256 MiB) or more";
            at_least("engine.memory_bytes_max", bytes, 256 << 20, rule)?;
        }
        if let Some(port) = self.port {
            at_least("engine.port", port.into(), 1, "1 or more, or not set, for a free one")?;
        }
        if self.analyst_password.as_ref().is_some_and(|password| password.expose().is_empty()) {
            let rule = "longer, or not set";
            return Err(ConfigError::out_of_bounds("engine.analyst_password", "empty", rule));
        }
        // They become part of a condition: see `store::engine`.
        for site in &mut self.analyst_sites {
            *site = domain_of_a_site(site).ok_or_else(|| {
                let rule = "a list of domains, without quotes or spaces";
                ConfigError::out_of_bounds("engine.analyst_sites", site.as_str(), rule)
            })?;
        }
        Ok(())
    }
}
