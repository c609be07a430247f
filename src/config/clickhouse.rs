//! `[clickhouse]`: a server of the operator's own.

use serde::Deserialize;

use super::address::is_address;
use super::{ConfigError, Secret};

/// `[clickhouse]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClickHouse {
    /// `http://host:8123` or `https://host:8443`; without it the embedded engine is started.
    pub url: Option<String>,
    /// The user that writes, and makes the tables.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// The user that reports read as; by default the same.
    pub reader_user: Option<String>,
    /// Its password.
    pub reader_password: Secret,
    /// The database that holds the tables; made when it is missing.
    pub database: String,
    /// The cluster, as the servers' `remote_servers` names it; without it `url` is the only server.
    pub cluster: Option<String>,
    /// The HTTP addresses of all servers of the cluster.
    pub nodes: Vec<String>,
    /// Whether the shards of the cluster have replicas.
    pub replicated: bool,
}

impl Default for ClickHouse {
    fn default() -> Self {
        Self {
            url: None,
            user: "default".to_owned(),
            password: Secret::default(),
            reader_user: None,
            reader_password: Secret::default(),
            database: "passerby".to_owned(),
            cluster: None,
            nodes: Vec::new(),
            replicated: false,
        }
    }
}

impl ClickHouse {
    /// Addresses are such, and a cluster has a server to ask, a list of all, and a name that ends no statement.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key, value: &str, rule| Err(ConfigError::out_of_bounds(key, value, rule));
        let address = "an address that begins with http:// or https://";
        if let Some(url) = self.url.iter().find(|url| !is_address(url)) {
            return wrong("clickhouse.url", url, address);
        }
        if let Some(url) = self.nodes.iter().find(|url| !is_address(url)) {
            return wrong("clickhouse.nodes", url, address);
        }
        let Some(cluster) = &self.cluster else {
            return match self.nodes.first() {
                Some(node) => wrong("clickhouse.nodes", node, "empty without clickhouse.cluster"),
                None if self.replicated => {
                    wrong("clickhouse.replicated", "true", "false without clickhouse.cluster")
                }
                None => Ok(()),
            };
        };
        let in_a_name =
            |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
        if cluster.is_empty() || !cluster.chars().all(in_a_name) {
            return wrong("clickhouse.cluster", cluster, "letters, digits, -, _ and dots");
        }
        match (&self.url, self.nodes.is_empty()) {
            (None, _) => wrong("clickhouse.url", "not set", "a server of clickhouse.cluster"),
            (_, true) => wrong("clickhouse.nodes", "empty", "all servers of clickhouse.cluster"),
            (Some(_), false) => Ok(()),
        }
    }
}
