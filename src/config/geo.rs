//! `[geo]`: places.

use std::path::PathBuf;

use serde::Deserialize;

/// `[geo]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Geo {
    /// A MaxMind-format database (`.mmdb`) of cities or countries; without it there are no places.
    pub database: Option<PathBuf>,
}
