//! What the operator chose: a TOML file, overridden by `PASSERBY_…` variables, over the defaults.
//!
//! A table of the file is a module of its name, such as [`spool`] for `[spool]`: its keys, their defaults, and in `check` what
//! their values must be. Only `[mail]` and `[[alerts]]` are together, in [`notices`]. Here are the keys outside of any table, and how
//! the file is read. A new key is a field of its struct, a line of `OVERRIDES` in [`environment`] and an entry of
//! `deploy/passerby.toml`, which explains every key; a test reads it with this code.
//!
//! This is the only module that reads the environment, and only through [`Environment`], so that a
//! test passes its own.

mod access_log;
mod address;
mod clickhouse;
mod dashboard;
mod engine;
mod environment;
mod error;
mod geo;
mod limits;
mod log;
mod notices;
mod privacy;
mod script;
mod secret;
mod sign_in;
mod sites;
mod spool;
mod tls;
mod visits;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde::Deserialize;

pub use self::access_log::AccessLog;
use self::address::is_address;
pub use self::clickhouse::ClickHouse;
pub use self::dashboard::Dashboard;
pub use self::engine::Engine;
pub use self::environment::Environment;
use self::environment::{FAULTS, OVERRIDES};
pub use self::error::ConfigError;
pub use self::geo::Geo;
pub use self::limits::Limits;
pub use self::log::{Log, LogFormat};
pub use self::notices::{
    Address, Alert, Domain, Encryption, Every, Mail, MailReport, MailServer, Webhook, When,
};
pub use self::privacy::{Privacy, SitePrivacy};
pub use self::script::{Script, SiteScript};
pub use self::secret::Secret;
pub use self::sign_in::{Oidc, SignIn};
pub use self::spool::Spool;
pub use self::tls::Tls;
pub use self::visits::Visits;
use crate::privacy::ForwardingHeader;

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
        config.checked()
    }

    /// The same, if every value is within its bounds: each table's by itself, and what hangs on others beside it.
    fn checked(mut self) -> Result<Self, ConfigError> {
        self.privacy.check()?;
        self.script.check()?;
        self.visits.check()?;
        self.spool.check()?;
        self.engine.check()?;
        self.access_log.check()?;
        if let Some(url) = self.public_url.as_ref().filter(|url| !is_address(url)) {
            let rule = "the address that browsers use, which begins with https:// or http://";
            return Err(ConfigError::out_of_bounds("public_url", url, rule));
        }
        self.dashboard.check()?;
        let public_url = self.public_url.as_deref();
        self.tls.check(public_url)?;
        self.sign_in.check(!self.trusted_proxies.is_empty(), public_url)?;
        self.clickhouse.check()?;
        notices::check(&self.mail, &self.alerts)?;
        Ok(self)
    }

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
mod tests;
