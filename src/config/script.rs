//! `[script]`: the page scripts.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::ConfigError;
use super::sites::by_domain;
use crate::script::Word;

/// `[script]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// Further paths of the script `passerby.js`.
    pub paths: Vec<String>,
    /// Further paths that take beacons; scripts send to the first of them.
    pub event_paths: Vec<String>,
    /// What scripts report by themselves whose name does not say so.
    pub features: Vec<Word>,
    /// The keys of a page's query that hold what was searched for on the site.
    pub search_parameters: Vec<String>,
    /// Patterns of paths whose views are not counted.
    pub exclude: Vec<String>,
    /// Other choices for the scripts of some sites, by domain.
    pub sites: BTreeMap<String, SiteScript>,
}

/// `[script.sites."DOMAIN"]`: what is not chosen is as for all sites.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SiteScript {
    /// As in [`Script`].
    pub features: Option<Vec<Word>>,
    /// As in [`Script`].
    pub search_parameters: Option<Vec<String>>,
    /// As in [`Script`].
    pub exclude: Option<Vec<String>>,
}

impl Script {
    pub(super) fn check(&mut self) -> Result<(), ConfigError> {
        self.sites = by_domain("script.sites", std::mem::take(&mut self.sites))?;
        let is_plain =
            |path: &str| path.len() > 1 && path.starts_with('/') && !path.contains(['?', '#', ' ']);
        for (key, paths) in
            [("script.paths", &self.paths), ("script.event_paths", &self.event_paths)]
        {
            if let Some(path) = paths.iter().find(|path| !is_plain(path)) {
                let rule = "a path that begins with a slash, such as /lib/app.js";
                return Err(ConfigError::out_of_bounds(key, path, rule));
            }
        }
        Ok(())
    }
}
