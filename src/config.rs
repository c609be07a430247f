//! What the operator chose: a TOML file, overridden by `PASSERBY_…` variables, over the defaults.
//!
//! This is the only module that reads the environment, and only through [`Environment`], so that a
//! test passes its own. `deploy/passerby.toml` explains every key; a test reads it with this code.

mod notices;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde::Deserialize;

pub use self::notices::{
    Address, Alert, Domain, Encryption, Every, Mail, MailReport, MailServer, Webhook, When,
};
use crate::privacy::{ForwardingHeader, OnObjection, PersonHeader};
use crate::script::Word;
use crate::site::domain::domain_of_a_site;
use crate::site::policy::{CNIL_PREFIXES_MAX, ConsentMode, Policies, Policy, Profile};

/// Everything that can be configured.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where beacons, reports and pages are served.
    pub listen: SocketAddr,
    /// The directory of everything that is kept: spool, catalog, and the embedded engine's data.
    pub data_dir: PathBuf,
    /// Where metrics are served; without it only on the control socket in `data_dir`.
    pub metrics_listen: Option<SocketAddr>,
    /// The address of this collector as visitors' browsers reach it (`https://stats.example.com`),
    /// for the tag that pages paste; by default the address that the page was opened at. No slash ends it.
    pub public_url: Option<String>,
    /// Networks whose forwarding headers are believed; by default nobody's.
    pub trusted_proxies: Vec<IpNet>,
    /// The headers of these that are believed; by default every one that is known.
    pub forwarding_headers: Vec<ForwardingHeader>,
    /// Encryption of the listener for beacons, reports and pages.
    pub tls: Tls,
    /// The page scripts.
    pub script: Script,
    /// The privacy boundary.
    pub privacy: Privacy,
    /// The pages for people.
    pub dashboard: Dashboard,
    /// What one network or site may take.
    pub limits: Limits,
    /// The open visits.
    pub visits: Visits,
    /// The spool.
    pub spool: Spool,
    /// The ClickHouse server to use instead of the embedded engine.
    pub clickhouse: ClickHouse,
    /// The embedded engine.
    pub engine: Engine,
    /// Places.
    pub geo: Geo,
    /// Signing in beside tokens.
    pub sign_in: SignIn,
    /// The log of reads.
    pub access_log: AccessLog,
    /// Reports by mail, and the server that takes them.
    pub mail: Mail,
    /// What is told at once.
    pub alerts: Vec<Alert>,
    /// The log.
    pub log: Log,
    /// Where a test puts its faults (`PASSERBY_FAULTS`); release builds do not know it.
    #[serde(skip)]
    pub faults: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8000)),
            data_dir: PathBuf::from("./passerby-data"),
            metrics_listen: None,
            public_url: None,
            trusted_proxies: Vec::new(),
            forwarding_headers: ForwardingHeader::ALL.to_vec(),
            tls: Tls::default(),
            script: Script::default(),
            privacy: Privacy::default(),
            dashboard: Dashboard::default(),
            limits: Limits::default(),
            visits: Visits::default(),
            spool: Spool::default(),
            clickhouse: ClickHouse::default(),
            engine: Engine::default(),
            geo: Geo::default(),
            sign_in: SignIn::default(),
            access_log: AccessLog::default(),
            mail: Mail::default(),
            alerts: Vec::new(),
            log: Log::default(),
            faults: None,
        }
    }
}

/// `[tls]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// The chain of certificates, in PEM form, the collector's own first.
    pub certificate: Option<PathBuf>,
    /// Its private key, in PEM form.
    pub key: Option<PathBuf>,
}

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

/// `[privacy]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Privacy {
    /// Leading bits of an IPv4 address that are used, 8 to 32.
    pub ipv4_prefix: u8,
    /// Leading bits of an IPv6 address that are used, 16 to 128.
    pub ipv6_prefix: u8,
    /// What becomes of the views of visitors who send `Sec-GPC: 1` or `DNT: 1`.
    pub on_objection: OnObjection,
    /// A tmpfs directory where the day's salt outlives a restart; by default one under `/dev/shm`.
    pub salt_dir: Option<PathBuf>,
    /// How much is kept of a visit.
    pub profile: Profile,
    /// Whether visitors are asked before they are measured.
    pub consent: ConsentMode,
    /// Other choices for some sites, by domain.
    pub sites: BTreeMap<String, SitePrivacy>,
}

/// `[privacy.sites."DOMAIN"]`: what is not chosen is as for all sites.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SitePrivacy {
    /// As in [`Privacy`].
    pub profile: Option<Profile>,
    /// As in [`Privacy`].
    pub consent: Option<ConsentMode>,
}

impl Privacy {
    /// What holds for each site.
    pub fn policies(&self) -> Policies {
        let everywhere = Policy { profile: self.profile, consent: self.consent };
        let of_site = |(domain, own): (&String, &SitePrivacy)| {
            let profile = own.profile.unwrap_or(everywhere.profile);
            let consent = own.consent.unwrap_or(everywhere.consent);
            (domain.clone(), Policy { profile, consent })
        };
        Policies { everywhere, sites: self.sites.iter().map(of_site).collect() }
    }
}

impl Default for Privacy {
    fn default() -> Self {
        Self {
            ipv4_prefix: 24,
            ipv6_prefix: 48,
            on_objection: OnObjection::Anonymous,
            salt_dir: None,
            profile: Profile::Standard,
            consent: ConsentMode::NotAsked,
            sites: BTreeMap::new(),
        }
    }
}

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

/// `[limits]`; 0 is no limit.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The most events a minute of one network (IPv4 /24, IPv6 /48).
    pub events_per_network: u32,
    /// The most events a minute for one site.
    pub events_per_site: u32,
    /// The most connections of one network that are open at once.
    pub connections_per_network: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { events_per_network: 600, events_per_site: 0, connections_per_network: 256 }
    }
}

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

/// `[geo]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Geo {
    /// A MaxMind-format database (`.mmdb`) of cities or countries; without it there are no places.
    pub database: Option<PathBuf>,
}

/// `[sign_in]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignIn {
    /// The header in which proxies of `trusted_proxies` say who signed in with them.
    pub header: Option<PersonHeader>,
    /// Where whoever signed in with a proxy signs out.
    pub sign_out_url: Option<String>,
    /// The provider of OpenID Connect that signs people in.
    pub oidc: Oidc,
}

/// `[sign_in.oidc]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Oidc {
    /// Its address, letter by letter as it calls itself; empty: there is none.
    pub issuer: String,
    /// What it calls this collector.
    pub client_id: String,
    /// What the collector proves that by; without one it is a public client.
    pub client_secret: Option<Secret>,
    /// The file that holds it, instead.
    pub client_secret_file: Option<PathBuf>,
    /// What it is asked for.
    pub scopes: Vec<String>,
    /// What of its answer is the name of a member.
    pub claim: String,
}

impl Default for Oidc {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            client_id: String::new(),
            client_secret: None,
            client_secret_file: None,
            scopes: vec!["openid".to_owned(), "email".to_owned()],
            claim: "email".to_owned(),
        }
    }
}

impl Oidc {
    /// Nothing, or everything that a sign-in needs.
    fn is_whole(&self, public_url: Option<&str>) -> Result<(), ConfigError> {
        let wrong = |key, value: &str, rule| {
            let value = if value.is_empty() { "not set" } else { value }.to_owned();
            Err(ConfigError::OutOfBounds { key, value, rule })
        };
        let is_asked_for = !self.client_id.is_empty()
            || self.client_secret.is_some()
            || self.client_secret_file.is_some();
        if self.issuer.is_empty() && !is_asked_for {
            return Ok(());
        }
        // What goes over the wire in the clear, anybody on the way can change.
        let is_safe = url::Url::parse(&self.issuer).is_ok_and(|url| {
            let is_here = url.host_str().is_some_and(notices::is_loopback);
            url.scheme() == "https" || (url.scheme() == "http" && is_here)
        });
        if !is_safe {
            let rule = "the https:// address of the provider, as it calls itself";
            return wrong("sign_in.oidc.issuer", &self.issuer, rule);
        }
        if self.client_id.is_empty() {
            let rule = "what the provider calls this collector";
            return wrong("sign_in.oidc.client_id", "", rule);
        }
        if !self.scopes.iter().any(|scope| scope == "openid") {
            let rule = "a list with openid in it";
            return wrong("sign_in.oidc.scopes", &self.scopes.join(","), rule);
        }
        if !public_url.is_some_and(is_address) {
            let rule = "the address to which sign_in.oidc sends browsers back";
            return wrong("public_url", public_url.unwrap_or_default(), rule);
        }
        Ok(())
    }

    /// The secret, from the file if there is one.
    ///
    /// # Errors
    /// When the file can not be read.
    pub fn secret(&self) -> Result<Option<Secret>, ConfigError> {
        let Some(file) = &self.client_secret_file else { return Ok(self.client_secret.clone()) };
        let text = std::fs::read_to_string(file);
        let text = text.map_err(|error| ConfigError::Secret {
            path: file.display().to_string(),
            reason: error.to_string(),
        })?;
        Ok(Some(Secret(text.trim().to_owned())))
    }
}

/// The most days that it may be kept who read what: a hundred years.
const ACCESS_LOG_DAYS_MAX: u32 = 36_500;

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

/// `[log]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `text` for people, `json` for machines.
    pub format: LogFormat,
    /// Levels by module: `info`, `passerby=debug`, …
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".to_owned() }
    }
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One line of text an entry.
    Text,
    /// One JSON object an entry.
    Json,
}

/// A password: it can be used, and not be shown.
#[derive(Clone, Default, Deserialize, PartialEq)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The password itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("…")
    }
}

/// The variables that a configuration may come from, and the little else that the program takes from
/// its environment.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

/// How a variable's text becomes a value.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Integer,
    Boolean,
    List,
}

/// The variables that override a key, and what their text is.
const OVERRIDES: &[(&str, &[&str], Form)] = &[
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
const FAULTS: &str = "PASSERBY_FAULTS";

/// The configuration can not be used; the message is one sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there, or may not be read.
    #[error("the configuration {path} can not be read ({reason}): check the path after --config")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// The file is not TOML, or a key or value is not one that there is.
    #[error("the configuration{source_name} is wrong: {reason}")]
    Wrong {
        /// ` FILE`, or nothing when it came from variables alone.
        source_name: String,
        /// Which key, and what it must be.
        reason: String,
    },
    /// The file of a secret is not there, or may not be read.
    #[error("sign_in.oidc.client_secret_file {path} can not be read ({reason})")]
    Secret {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// A value is of the right type, but outside of its bounds.
    #[error("{key} is {value}, but must be {rule}")]
    OutOfBounds {
        /// The key.
        key: &'static str,
        /// What was given.
        value: String,
        /// What it must be.
        rule: &'static str,
    },
}

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

/// Whether pages can be named by it in a policy: what it is made of has no other meaning there.
fn is_origin(source: &str) -> bool {
    let host = source.strip_prefix("https://").or_else(|| source.strip_prefix("http://"));
    let is_of_host = |c: char| c.is_ascii_alphanumeric() || ".-:*[]".contains(c);
    source == "*" || host.is_some_and(|host| !host.is_empty() && host.chars().all(is_of_host))
}

fn text_pair((name, value): (std::ffi::OsString, std::ffi::OsString)) -> Option<(String, String)> {
    Some((name.into_string().ok()?, value.into_string().ok()?))
}

impl Config {
    /// Reads the file, if there is one, and the variables over it.
    ///
    /// # Errors
    /// [`ConfigError`], with the key and what it must be.
    pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Self, ConfigError> {
        let file = file
            .map(Path::to_path_buf)
            .or_else(|| environment.get("PASSERBY_CONFIG").map(PathBuf::from));
        let text = match &file {
            None => String::new(),
            Some(path) => {
                std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
                    path: path.display().to_string(),
                    reason: error.to_string(),
                })?
            }
        };
        let source_name = file.map(|path| format!(" {}", path.display())).unwrap_or_default();
        Self::parse(&text, environment).map_err(|error| match error {
            ConfigError::Wrong { reason, .. } => ConfigError::Wrong { source_name, reason },
            other => other,
        })
    }

    /// Reads the text of a file, and the variables over it.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn parse(text: &str, environment: &Environment) -> Result<Self, ConfigError> {
        let wrong = |reason: String| ConfigError::Wrong { source_name: String::new(), reason };
        // Read first as it stands, so that an error can point at its line.
        toml::from_str::<Self>(text).map_err(|error| wrong(with_its_line(&error, text)))?;
        let mut table: toml::Table =
            toml::from_str(text).map_err(|error| wrong(with_its_line(&error, text)))?;
        for &(name, path, form) in OVERRIDES {
            if let Some(value) = environment.get(name) {
                let value = form
                    .value(value)
                    .ok_or_else(|| wrong(format!("{name} must be {}", form.rule())))?;
                // By itself, so that an error can name the variable.
                let mut alone = toml::Table::new();
                set(&mut alone, path, value.clone());
                alone
                    .try_into::<Self>()
                    .map_err(|error| wrong(format!("{name}: {}", one_line(error.message()))))?;
                set(&mut table, path, value);
            }
        }
        let mut config: Self =
            table.try_into().map_err(|error: toml::de::Error| wrong(one_line(error.message())))?;
        if cfg!(debug_assertions) {
            config.faults = environment.get(FAULTS).map(PathBuf::from);
        }
        // Paths are put behind it.
        config.public_url = config.public_url.map(|url| url.trim_end_matches('/').to_owned());
        config.within_bounds()
    }

    fn within_bounds(mut self) -> Result<Self, ConfigError> {
        self.privacy.sites = by_domain("privacy.sites", self.privacy.sites)?;
        self.script.sites = by_domain("script.sites", self.script.sites)?;
        let prefix = |key, value: u8, bounds: std::ops::RangeInclusive<u8>, rule| {
            let outside = || ConfigError::OutOfBounds { key, value: value.to_string(), rule };
            if bounds.contains(&value) { Ok(()) } else { Err(outside()) }
        };
        prefix("privacy.ipv4_prefix", self.privacy.ipv4_prefix, 8..=32, "from 8 to 32 bits")?;
        prefix("privacy.ipv6_prefix", self.privacy.ipv6_prefix, 16..=128, "from 16 to 128 bits")?;
        let at_least = |key, value: u64, least: u64, rule| {
            let outside = || ConfigError::OutOfBounds { key, value: value.to_string(), rule };
            if value >= least { Ok(()) } else { Err(outside()) }
        };
        at_least("visits.open_max", self.visits.open_max as u64, 1_000, "1000 or more")?;
        at_least("spool.bytes_max", self.spool.bytes_max, 1 << 20, "1048576 (1 MiB) or more")?;
        at_least("spool.segment_bytes", self.spool.segment_bytes, 1 << 16, "65536 or more")?;
        at_least("spool.waiting_max", self.spool.waiting_max as u64, 16, "16 or more")?;
        if let Some(bytes) = self.engine.memory_bytes_max {
            let rule = "268435456 (256 MiB) or more";
            at_least("engine.memory_bytes_max", bytes, 256 << 20, rule)?;
        }
        if let Some(port) = self.engine.port {
            at_least("engine.port", port.into(), 1, "1 or more, or not set, for a free one")?;
        }
        if self.access_log.days > ACCESS_LOG_DAYS_MAX {
            let (key, value) = ("access_log.days", self.access_log.days.to_string());
            return Err(ConfigError::OutOfBounds { key, value, rule: "36500 or less" });
        }
        if self.engine.analyst_password.as_ref().is_some_and(|password| password.0.is_empty()) {
            let (key, rule) = ("engine.analyst_password", "longer, or not set");
            return Err(ConfigError::OutOfBounds { key, value: "empty".to_owned(), rule });
        }
        if let Some(url) = self.public_url.as_ref().filter(|url| !is_address(url)) {
            let rule = "the address that browsers use, which begins with https:// or http://";
            let value = url.clone();
            return Err(ConfigError::OutOfBounds { key: "public_url", value, rule });
        }
        let paths = [
            ("script.paths", &self.script.paths),
            ("script.event_paths", &self.script.event_paths),
        ];
        for (key, path) in
            paths.iter().flat_map(|(key, paths)| paths.iter().map(move |path| (*key, path)))
        {
            let is_plain =
                path.len() > 1 && path.starts_with('/') && !path.contains(['?', '#', ' ']);
            if !is_plain {
                let rule = "a path that begins with a slash, such as /lib/app.js";
                return Err(ConfigError::OutOfBounds { key, value: path.clone(), rule });
            }
        }
        if let Some(source) = self.dashboard.embed_in.iter().find(|source| !is_origin(source)) {
            let rule = "* or an origin without a path, such as https://example.com";
            let value = source.clone();
            return Err(ConfigError::OutOfBounds { key: "dashboard.embed_in", value, rule });
        }
        // They become part of a condition: see `store::engine`.
        for site in &mut self.engine.analyst_sites {
            *site = domain_of_a_site(site).ok_or_else(|| ConfigError::OutOfBounds {
                key: "engine.analyst_sites",
                value: site.clone(),
                rule: "a list of domains, without quotes or spaces",
            })?;
        }
        self.privacy_fits_its_profile()?;
        self.tls_is_whole()?;
        self.people_can_sign_in()?;
        self.clickhouse.is_whole()?;
        self.notices_are_whole()?;
        Ok(self)
    }
}

/// What is chosen for single sites, by the domains that these are registered under: what is written otherwise would hold for no
/// site, without a word.
fn by_domain<T>(
    key: &'static str,
    chosen: BTreeMap<String, T>,
) -> Result<BTreeMap<String, T>, ConfigError> {
    let mut sites = BTreeMap::new();
    for (written, own) in chosen {
        let wrong = |rule| ConfigError::OutOfBounds { key, value: written.clone(), rule };
        let domain = domain_of_a_site(&written)
            .ok_or_else(|| wrong("the domain of a site, such as example.com"))?;
        if sites.insert(domain, own).is_some() {
            return Err(wrong(
                "named once: with www., encoded or in capital letters it is the same site",
            ));
        }
    }
    Ok(sites)
}

fn is_address(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

impl ClickHouse {
    /// Addresses are such, and a cluster has a server to ask, a list of all, and a name that ends no statement.
    fn is_whole(&self) -> Result<(), ConfigError> {
        let wrong = |key, value: &str, rule| {
            Err(ConfigError::OutOfBounds { key, value: value.to_owned(), rule })
        };
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

impl Config {
    /// The domains that something is chosen for and that no site has, each with the table that names it. What is chosen there
    /// holds for nobody: it may be misspelt, or the site has another domain by now.
    pub fn chosen_for_nobody<'config>(
        &'config self,
        is_site: impl Fn(&str) -> bool,
    ) -> Vec<(&'static str, &'config str)> {
        let of = |table, domain: &'config String| (table, domain.as_str());
        let privacy = self.privacy.sites.keys().map(|domain| of("privacy.sites", domain));
        let script = self.script.sites.keys().map(|domain| of("script.sites", domain));
        privacy.chain(script).filter(|(_, domain)| !is_site(domain)).collect()
    }

    /// The strict profile needs short addresses, and visitors who can object.
    fn privacy_fits_its_profile(&self) -> Result<(), ConfigError> {
        if !self.privacy.policies().have(Profile::Cnil) {
            return Ok(());
        }
        let (ipv4_max, ipv6_max) = CNIL_PREFIXES_MAX;
        let Privacy { ipv4_prefix, ipv6_prefix, on_objection, .. } = self.privacy;
        let wrong = |key, value: String, rule| Err(ConfigError::OutOfBounds { key, value, rule });
        if ipv4_prefix > ipv4_max {
            let rule = "24 or less, because privacy.profile is cnil";
            return wrong("privacy.ipv4_prefix", ipv4_prefix.to_string(), rule);
        }
        if ipv6_prefix > ipv6_max {
            let rule = "48 or less, because privacy.profile is cnil";
            return wrong("privacy.ipv6_prefix", ipv6_prefix.to_string(), rule);
        }
        if on_objection == OnObjection::Ignore {
            let rule = "anonymous or drop, because privacy.profile is cnil";
            return wrong("privacy.on_objection", "ignore".to_owned(), rule);
        }
        Ok(())
    }

    /// A header is believed of somebody, and whoever signed in can sign out.
    fn people_can_sign_in(&self) -> Result<(), ConfigError> {
        let SignIn { header, sign_out_url, oidc } = &self.sign_in;
        let wrong = |key, value: &str, rule| {
            Err(ConfigError::OutOfBounds { key, value: value.to_owned(), rule })
        };
        if header.is_some() && self.trusted_proxies.is_empty() {
            let rule = "the networks of the proxies that sign_in.header is believed of";
            return wrong("trusted_proxies", "empty", rule);
        }
        match sign_out_url {
            Some(url) if !["/", "https://", "http://"].iter().any(|it| url.starts_with(it)) => {
                let rule = "a path that begins with a slash, or an https:// address";
                wrong("sign_in.sign_out_url", url, rule)
            }
            _ => oidc.is_whole(self.public_url.as_deref()),
        }
    }

    /// Both files or neither; and then pages and cookies have to know that they are served encrypted.
    fn tls_is_whole(&self) -> Result<(), ConfigError> {
        let wrong = |key, value: Option<String>, rule| {
            let value = value.unwrap_or_else(|| "not set".to_owned());
            Err(ConfigError::OutOfBounds { key, value, rule })
        };
        match (&self.tls.certificate, &self.tls.key) {
            (None, None) => Ok(()),
            (Some(_), None) => wrong("tls.key", None, "the key of tls.certificate"),
            (None, Some(_)) => wrong("tls.certificate", None, "the certificate of tls.key"),
            (Some(_), Some(_)) => match &self.public_url {
                Some(url) if url.starts_with("https://") => Ok(()),
                other => {
                    let rule = "the https:// address that browsers use, because tls is set";
                    wrong("public_url", other.clone(), rule)
                }
            },
        }
    }
}

impl Form {
    /// What a text must be that is none.
    fn rule(self) -> &'static str {
        match self {
            Self::Integer => "a whole number",
            Self::Boolean => "true or false",
            Self::Text | Self::List => "a text",
        }
    }

    fn value(self, text: &str) -> Option<toml::Value> {
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

fn set(table: &mut toml::Table, path: &[&str], value: toml::Value) {
    match path {
        [] => {}
        [key] => drop(table.insert((*key).to_owned(), value)),
        [key, rest @ ..] => {
            let inner = table.entry(*key).or_insert_with(|| toml::Table::new().into());
            if let toml::Value::Table(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}

/// `line 3 (listen): invalid socket address syntax`. The value stays out of it: it may be a password.
fn with_its_line(error: &toml::de::Error, text: &str) -> String {
    let rule = one_line(error.message());
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else { return rule };
    let number = before.bytes().filter(|&byte| byte == b'\n').count();
    let line = text.lines().nth(number).unwrap_or_default();
    let key = line.split_once('=').map(|(key, _)| format!(" ({})", key.trim()));
    format!("line {}{}: {rule}", number + 1, key.unwrap_or_default())
}

fn one_line(message: &str) -> String {
    message.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str, variables: &[(&str, &str)]) -> Config {
        Config::parse(text, &Environment::of(variables)).unwrap_or_else(|error| panic!("{error}"))
    }

    #[track_caller]
    fn refused(text: &str, variables: &[(&str, &str)], part: &str) {
        let error =
            Config::parse(text, &Environment::of(variables)).expect_err("it was taken").to_string();
        assert!(error.contains(part), "{error}");
        assert!(!error.contains('\n'), "more than one line: {error}");
    }

    #[test]
    fn nothing_has_to_be_configured() {
        let config = config("", &[]);
        assert_eq!(config.listen.to_string(), "127.0.0.1:8000");
        assert_eq!(config.data_dir, Path::new("./passerby-data"));
        assert!(config.trusted_proxies.is_empty());
    }

    #[test]
    fn paths_can_be_put_behind_the_public_url_however_it_was_written() {
        for written in ["https://stats.test", "https://stats.test/", "https://stats.test//"] {
            let config = config(&format!("public_url = '{written}'"), &[]);
            assert_eq!(config.public_url.as_deref(), Some("https://stats.test"));
        }
    }

    #[test]
    fn a_variable_wins_over_the_file() {
        let config = config(
            "listen = '127.0.0.1:1'\n[clickhouse]\nuser = 'file'",
            &[
                ("PASSERBY_LISTEN", "127.0.0.1:2"),
                ("PASSERBY_CLICKHOUSE_URL", "http://127.0.0.1:8123"),
                ("PASSERBY_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1/32"),
                ("PASSERBY_SPOOL_BYTES_MAX", "2097152"),
            ],
        );
        assert_eq!(config.listen.to_string(), "127.0.0.1:2");
        assert_eq!(config.clickhouse.user, "file");
        assert_eq!(config.clickhouse.url.as_deref(), Some("http://127.0.0.1:8123"));
        assert_eq!(config.trusted_proxies.len(), 2);
        assert_eq!(config.spool.bytes_max, 2_097_152);
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line_that_names_the_key() {
        refused("lisen = 'x'", &[], "unknown field `lisen`");
        refused(
            "public_url = 'stats.example.com'",
            &[],
            "public_url is stats.example.com, but must be",
        );
        refused("access_log.days = 9999999", &[], "36500 or less");
        refused("engine.memory_bytes_max = 1536", &[], "256 MiB");
        refused("engine.port = 0", &[], "for a free one");
        refused(
            "",
            &[("PASSERBY_ENGINE_ANALYST_PASSWORD", "")],
            "engine.analyst_password is empty",
        );
        refused("[spool]\nbytes = 7", &[], "unknown field `bytes`");
        refused("\nlisten = 'nowhere'", &[], "line 2 (listen): invalid socket address");
        refused("", &[("PASSERBY_LISTEN", "nowhere")], "PASSERBY_LISTEN: invalid socket address");
        refused("[clickhouse]\npassword = 7", &[], "line 2 (password): invalid type");
        refused("listen = ", &[], "listen");
        refused(
            "[privacy]\nipv4_prefix = 33",
            &[],
            "privacy.ipv4_prefix is 33, but must be from 8 to 32 bits",
        );
        refused(
            "[clickhouse]\nurl = 'localhost:8123'",
            &[],
            "clickhouse.url is localhost:8123, but must be",
        );
        refused(
            "[clickhouse]\nreplicated = true",
            &[],
            "clickhouse.replicated is true, but must be false without clickhouse.cluster",
        );
        refused(
            "",
            &[("PASSERBY_SPOOL_BYTES_MAX", "much")],
            "PASSERBY_SPOOL_BYTES_MAX must be a whole number",
        );
        refused("[tls]\ncertificate = 'x'", &[], "tls.key is not set, but must be");
        refused("[tls]\nkey = 'x'", &[], "tls.certificate is not set, but must be");
        let tls = "[tls]\ncertificate = 'x'\nkey = 'y'";
        refused(tls, &[], "public_url is not set, but must be the https:// address");
        refused(
            "[engine]\nanalyst_sites = [\"a'b\"]",
            &[],
            "engine.analyst_sites is a'b, but must be",
        );
        for source in ["example.com", "https://a.test/", "https://a.test; x", "'self'", "https://"]
        {
            let text = format!("[dashboard]\nembed_in = [\"{source}\"]");
            refused(&text, &[], &format!("dashboard.embed_in is {source}, but must be"));
        }
        let origins = "https://a.test, http://*.b.test:8080, *";
        config("", &[("PASSERBY_DASHBOARD_EMBED_IN", origins)]);
        refused("trusted_proxies = ['10.0.0.0']", &[], "trusted_proxies");
        refused("forwarding_headers = ['x-real-ip']", &[], "x-real-ip must be one of");
        for (key, value) in
            [("ipv4_prefix", "28"), ("ipv6_prefix", "56"), ("on_objection", "'ignore'")]
        {
            let rest = format!("{key} = {value}\n");
            let rule = format!("privacy.{key} is {}, but must be", value.trim_matches('\''));
            refused(&format!("[privacy]\nprofile = 'cnil'\n{rest}"), &[], &rule);
            let of_a_site = format!("[privacy]\n{rest}[privacy.sites.'a.test']\nprofile = 'cnil'");
            refused(&of_a_site, &[], "because privacy.profile is cnil");
            config(&format!("[privacy]\n{rest}"), &[]);
        }
        refused("[privacy]\nprofile = 'french'", &[], "unknown variant `french`");
    }

    #[test]
    fn what_is_chosen_for_a_site_holds_however_its_domain_is_written() {
        let text = "[privacy.sites.'www.Example.com']\nprofile = 'cnil'\n\
                    [script.sites.' WWW.example.com']\nexclude = ['/x']";
        let read = config(text, &[]);
        assert_eq!(read.privacy.policies().of("example.com").profile, Profile::Cnil);
        assert!(read.script.sites.contains_key("example.com"), "{:?}", read.script);
        for table in ["privacy", "script"] {
            let site = |domain: &str| format!("[{table}.sites.'{domain}']\n");
            let address = format!("{table}.sites is https://a.test, but must be the domain");
            refused(&site("https://a.test"), &[], &address);
            refused(&site(""), &[], "but must be the domain of a site");
            let twice = format!("{}{}", site("a.test"), site("www.a.test"));
            refused(&twice, &[], &format!("{table}.sites is www.a.test, but must be named once"));
        }
        let nobody = |sites: &[&str]| {
            let left = read.chosen_for_nobody(|domain| sites.contains(&domain));
            left.iter().map(|(table, domain)| format!("{table} {domain}")).collect::<Vec<_>>()
        };
        assert_eq!(nobody(&["example.com"]), [""; 0]);
        assert_eq!(nobody(&[]), ["privacy.sites example.com", "script.sites example.com"]);
    }

    #[test]
    fn a_missing_file_says_where_it_was_looked_for() {
        let error =
            Config::load(Some(Path::new("/nowhere/passerby.toml")), &Environment::default());
        let error = error.expect_err("it was read").to_string();
        assert!(error.contains("/nowhere/passerby.toml") && error.contains("--config"), "{error}");
    }

    #[test]
    fn a_header_that_names_people_is_believed_of_proxies_that_are_named() {
        let header = "x-forwarded-email";
        let whole = format!("trusted_proxies = ['10.0.0.0/8']\n[sign_in]\nheader = '{header}'");
        let expected = PersonHeader::try_from(header.to_owned()).unwrap();
        assert_eq!(config(&whole, &[]).sign_in.header, Some(expected));
        refused("[sign_in]\nheader = 'x-forwarded-email'", &[], "trusted_proxies is empty");
        refused("[sign_in]\nheader = 'cookie'", &[], "a header of its own");
        refused("[sign_in]\nsign_out_url = 'javascript:x'", &[], "sign_in.sign_out_url");
    }

    #[test]
    fn a_provider_is_named_whole_and_asked_over_tls() {
        let whole =
            "public_url = 'https://stats.test'\n[sign_in.oidc]\nissuer = 'https://id.test'\n";
        let with = |more: &str| format!("{whole}{more}");
        let oidc = config(&with("client_id = 'us'\nclient_secret = 'x'"), &[]).sign_in.oidc;
        assert_eq!(
            (oidc.claim.as_str(), oidc.scopes.join(" ").as_str()),
            ("email", "openid email")
        );
        assert_eq!(oidc.secret().unwrap().unwrap().expose(), "x");
        assert!(!format!("{oidc:?}").contains("\"x\""));
        refused(whole, &[], "sign_in.oidc.client_id is not set");
        refused(&with("client_id = 'us'\nscopes = ['email']"), &[], "sign_in.oidc.scopes is email");
        refused("[sign_in.oidc]\nclient_id = 'us'", &[], "sign_in.oidc.issuer is not set");
        let issuer = |url: &str| format!("[sign_in.oidc]\nclient_id = 'us'\nissuer = '{url}'");
        refused(&issuer("https://id.test"), &[], "public_url is not set");
        refused(&issuer("http://id.test"), &[], "sign_in.oidc.issuer is http://id.test");
        refused(&issuer("http://127.0.0.1:7"), &[], "public_url is not set");
        let away = with("client_id = 'us'\nclient_secret_file = '/nowhere/secret'");
        let error = config(&away, &[]).sign_in.oidc.secret().err().unwrap().to_string();
        assert!(error.contains("client_secret_file /nowhere/secret can not be read"), "{error}");
    }

    #[test]
    fn a_misspelt_variable_is_found() {
        let environment =
            Environment::of(&[("PASSERBY_LISTN", "x"), ("PASSERBY_LISTEN", "x"), ("PATH", "x")]);
        assert_eq!(environment.misspelt().collect::<Vec<_>>(), ["PASSERBY_LISTN"]);
    }

    #[test]
    fn a_password_is_not_shown() {
        let config = config("[clickhouse]\npassword = 'hunter2'", &[]);
        assert_eq!(config.clickhouse.password.expose(), "hunter2");
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn the_sample_configuration_is_the_default_configuration_with_every_key_explained() {
        let sample = include_str!("../deploy/passerby.toml");
        let uncommented: String = sample
            .lines()
            .map(|line| line.strip_prefix("#: ").unwrap_or(line))
            .collect::<Vec<_>>()
            .join("\n");
        Config::parse(sample, &Environment::default())
            .unwrap_or_else(|error| panic!("as it is: {error}"));
        Config::parse(&uncommented, &Environment::default())
            .unwrap_or_else(|error| panic!("uncommented: {error}"));
        for (_, path, _) in OVERRIDES {
            let key = path.last().expect("no path is empty");
            assert!(
                uncommented.contains(&format!("\n{key} = ")),
                "{path:?} is not explained in deploy/passerby.toml"
            );
        }
    }
}
