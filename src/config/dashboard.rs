//! `[dashboard]`: the pages for people.

use serde::Deserialize;

use super::ConfigError;

/// `[dashboard]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dashboard {
    /// The pages that may frame `/{site}/embed`: `*` for all, or origins such as `https://example.com`.
    pub embed_in: Vec<String>,
}

impl Default for Dashboard {
    fn default() -> Self {
        Self { embed_in: vec!["*".to_owned()] }
    }
}

impl Dashboard {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let Some(source) = self.embed_in.iter().find(|source| !is_origin(source)) else {
            return Ok(());
        };
        let rule = "* or an origin without a path, such as https://example.com";
        Err(ConfigError::out_of_bounds("dashboard.embed_in", source, rule))
    }
}

/// Whether pages can be named by it in a policy: what it is made of has no other meaning there.
fn is_origin(source: &str) -> bool {
    let host = source.strip_prefix("https://").or_else(|| source.strip_prefix("http://"));
    let is_of_host = |c: char| c.is_ascii_alphanumeric() || ".-:*[]".contains(c);
    source == "*" || host.is_some_and(|host| !host.is_empty() && host.chars().all(is_of_host))
}
