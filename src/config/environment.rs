//! The variables of the environment that stand for keys of the file.

use std::collections::BTreeMap;

/// The variables that a configuration may come from, and the little else that the program takes from
/// its environment.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

/// How a variable's text becomes a value.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Text,
    Integer,
    Boolean,
    List,
}

/// The variables that override a key, and what their text is.
pub(super) const OVERRIDES: &[(&str, &[&str], Form)] = &[
    ("PASSERBY_LISTEN", &["listen"], Form::Text),
    ("PASSERBY_DATA_DIR", &["data_dir"], Form::Text),
    ("PASSERBY_METRICS_LISTEN", &["metrics_listen"], Form::Text),
    ("PASSERBY_PUBLIC_URL", &["public_url"], Form::Text),
    ("PASSERBY_TRUSTED_PROXIES", &["trusted_proxies"], Form::List),
    ("PASSERBY_FORWARDING_HEADERS", &["forwarding_headers"], Form::List),
    ("PASSERBY_TLS_CERTIFICATE", &["tls", "certificate"], Form::Text),
    ("PASSERBY_TLS_KEY", &["tls", "key"], Form::Text),
    ("PASSERBY_SCRIPT_PATHS", &["script", "paths"], Form::List),
    ("PASSERBY_SCRIPT_EVENT_PATHS", &["script", "event_paths"], Form::List),
    ("PASSERBY_SCRIPT_FEATURES", &["script", "features"], Form::List),
    ("PASSERBY_SCRIPT_SEARCH_PARAMETERS", &["script", "search_parameters"], Form::List),
    ("PASSERBY_SCRIPT_EXCLUDE", &["script", "exclude"], Form::List),
    ("PASSERBY_PRIVACY_IPV4_PREFIX", &["privacy", "ipv4_prefix"], Form::Integer),
    ("PASSERBY_PRIVACY_IPV6_PREFIX", &["privacy", "ipv6_prefix"], Form::Integer),
    ("PASSERBY_PRIVACY_ON_OBJECTION", &["privacy", "on_objection"], Form::Text),
    ("PASSERBY_PRIVACY_PROFILE", &["privacy", "profile"], Form::Text),
    ("PASSERBY_PRIVACY_CONSENT", &["privacy", "consent"], Form::Text),
    ("PASSERBY_PRIVACY_SALT_DIR", &["privacy", "salt_dir"], Form::Text),
    ("PASSERBY_DASHBOARD_EMBED_IN", &["dashboard", "embed_in"], Form::List),
    ("PASSERBY_LIMITS_EVENTS_PER_NETWORK", &["limits", "events_per_network"], Form::Integer),
    ("PASSERBY_LIMITS_EVENTS_PER_SITE", &["limits", "events_per_site"], Form::Integer),
    (
        "PASSERBY_LIMITS_CONNECTIONS_PER_NETWORK",
        &["limits", "connections_per_network"],
        Form::Integer,
    ),
    ("PASSERBY_VISITS_OPEN_MAX", &["visits", "open_max"], Form::Integer),
    ("PASSERBY_SPOOL_BYTES_MAX", &["spool", "bytes_max"], Form::Integer),
    ("PASSERBY_SPOOL_SEGMENT_BYTES", &["spool", "segment_bytes"], Form::Integer),
    ("PASSERBY_SPOOL_WAITING_MAX", &["spool", "waiting_max"], Form::Integer),
    ("PASSERBY_CLICKHOUSE_URL", &["clickhouse", "url"], Form::Text),
    ("PASSERBY_CLICKHOUSE_USER", &["clickhouse", "user"], Form::Text),
    ("PASSERBY_CLICKHOUSE_PASSWORD", &["clickhouse", "password"], Form::Text),
    ("PASSERBY_CLICKHOUSE_READER_USER", &["clickhouse", "reader_user"], Form::Text),
    ("PASSERBY_CLICKHOUSE_READER_PASSWORD", &["clickhouse", "reader_password"], Form::Text),
    ("PASSERBY_CLICKHOUSE_DATABASE", &["clickhouse", "database"], Form::Text),
    ("PASSERBY_CLICKHOUSE_CLUSTER", &["clickhouse", "cluster"], Form::Text),
    ("PASSERBY_CLICKHOUSE_NODES", &["clickhouse", "nodes"], Form::List),
    ("PASSERBY_CLICKHOUSE_REPLICATED", &["clickhouse", "replicated"], Form::Boolean),
    ("PASSERBY_ENGINE_PATH", &["engine", "path"], Form::Text),
    ("PASSERBY_ENGINE_MEMORY_BYTES_MAX", &["engine", "memory_bytes_max"], Form::Integer),
    ("PASSERBY_ENGINE_PORT", &["engine", "port"], Form::Integer),
    ("PASSERBY_ENGINE_ANALYST_PASSWORD", &["engine", "analyst_password"], Form::Text),
    ("PASSERBY_ENGINE_ANALYST_SITES", &["engine", "analyst_sites"], Form::List),
    ("PASSERBY_GEO_DATABASE", &["geo", "database"], Form::Text),
    ("PASSERBY_SIGN_IN_HEADER", &["sign_in", "header"], Form::Text),
    ("PASSERBY_SIGN_IN_SIGN_OUT_URL", &["sign_in", "sign_out_url"], Form::Text),
    ("PASSERBY_SIGN_IN_OIDC_ISSUER", &["sign_in", "oidc", "issuer"], Form::Text),
    ("PASSERBY_SIGN_IN_OIDC_CLIENT_ID", &["sign_in", "oidc", "client_id"], Form::Text),
    ("PASSERBY_SIGN_IN_OIDC_CLIENT_SECRET", &["sign_in", "oidc", "client_secret"], Form::Text),
    (
        "PASSERBY_SIGN_IN_OIDC_CLIENT_SECRET_FILE",
        &["sign_in", "oidc", "client_secret_file"],
        Form::Text,
    ),
    ("PASSERBY_SIGN_IN_OIDC_SCOPES", &["sign_in", "oidc", "scopes"], Form::List),
    ("PASSERBY_SIGN_IN_OIDC_CLAIM", &["sign_in", "oidc", "claim"], Form::Text),
    ("PASSERBY_ACCESS_LOG_DAYS", &["access_log", "days"], Form::Integer),
    ("PASSERBY_MAIL_SERVER", &["mail", "server"], Form::Text),
    ("PASSERBY_MAIL_FROM", &["mail", "from"], Form::Text),
    ("PASSERBY_MAIL_AUTHORITY", &["mail", "authority"], Form::Text),
    ("PASSERBY_LOG_FORMAT", &["log", "format"], Form::Text),
    ("PASSERBY_LOG_FILTER", &["log", "filter"], Form::Text),
];

/// Where a test puts its faults, in debug builds.
pub(super) const FAULTS: &str = "PASSERBY_FAULTS";

impl Environment {
    /// The environment of this process.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    pub fn of_the_process() -> Self {
        Self { variables: std::env::vars_os().filter_map(text_pair).collect() }
    }

    /// An environment of these variables alone.
    pub fn of(variables: &[(&str, &str)]) -> Self {
        let variables =
            variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { variables }
    }

    /// The value of a variable, if it is set and text.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Variables that look like overrides but are none: most likely misspelt.
    pub fn misspelt(&self) -> impl Iterator<Item = &str> {
        let known = |name: &str| {
            OVERRIDES.iter().any(|(known, ..)| *known == name)
                || name == "PASSERBY_CONFIG"
                || (cfg!(debug_assertions) && name == FAULTS)
        };
        self.variables
            .keys()
            .map(String::as_str)
            .filter(move |name| name.starts_with("PASSERBY_") && !known(name))
    }
}

fn text_pair((name, value): (std::ffi::OsString, std::ffi::OsString)) -> Option<(String, String)> {
    Some((name.into_string().ok()?, value.into_string().ok()?))
}

impl Form {
    /// What a text must be that is none.
    pub(super) fn rule(self) -> &'static str {
        match self {
            Self::Integer => "a whole number",
            Self::Boolean => "true or false",
            Self::Text | Self::List => "a text",
        }
    }

    /// What the text says, unless it is none of this form.
    pub(super) fn value(self, text: &str) -> Option<toml::Value> {
        Some(match self {
            Self::Text => text.into(),
            Self::Integer => text.trim().parse::<i64>().ok()?.into(),
            Self::Boolean => text.trim().parse::<bool>().ok()?.into(),
            Self::List => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                toml::Value::Array(items.map(Into::into).collect())
            }
        })
    }
}
