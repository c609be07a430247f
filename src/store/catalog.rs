//! The catalog: the sites, and the tokens that open their reports.
//!
//! ClickHouse holds it (tables `sites` and `tokens`, a row a change); a copy in memory answers every
//! look-up, and a snapshot in the data directory lets the collector start, and know its sites, while
//! ClickHouse is away. A change is written to ClickHouse first and then to the copies.
//!
//! A token is shown once, when it is made, and kept as its SHA-256 alone.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use clickhouse::Row;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Store, StoreError};
use crate::site::{Site, SiteId};

/// The longest domain, in bytes (RFC 1035).
const DOMAIN_BYTES_MAX: usize = 253;
/// The most days that events can be kept for: a hundred years.
const RETENTION_DAYS_MAX: u32 = 36_500;

/// The sites and tokens.
pub struct Catalog {
    snapshot_file: PathBuf,
    known: RwLock<Arc<Known>>,
}

/// What is known at one moment.
#[derive(Default)]
struct Known {
    loaded: bool,
    rows: Snapshot,
    sites: HashMap<String, Arc<Site>>,
    tokens: HashMap<String, Token>,
}

/// A row of `sites`: what one change left.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
struct SiteRow {
    site_id: u32,
    domain: String,
    timezone: String,
    retention_days: u32,
    public: bool,
    created_at: u32,
    removed: bool,
    version: u64,
}

/// A row of `tokens`: what one change left.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
struct TokenRow {
    token_id: String,
    hash: String,
    scope: String,
    site_ids: Vec<u32>,
    note: String,
    created_at: u32,
    expires_at: u32,
    revoked: bool,
    version: u64,
}

/// The rows that hold, as the snapshot keeps them.
#[derive(Default, Serialize, Deserialize)]
struct Snapshot {
    sites: Vec<SiteRow>,
    tokens: Vec<TokenRow>,
}

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Reading reports.
    Stats,
    /// Reading reports, and changing sites and tokens.
    Admin,
}

impl Scope {
    fn as_str(self) -> &'static str {
        match self {
            Self::Stats => "stats",
            Self::Admin => "admin",
        }
    }
}

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// Its public name: the first 12 characters of its hash.
    pub id: String,
    /// What it allows.
    pub scope: Scope,
    /// The sites it is limited to; empty is every site.
    pub sites: Vec<SiteId>,
    /// What it is for.
    pub note: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

impl Token {
    /// Whether it opens the reports of a site at a moment.
    pub fn reads(&self, site: SiteId, now: Timestamp) -> bool {
        self.is_alive(now) && (self.sites.is_empty() || self.sites.contains(&site))
    }

    /// Whether it allows changes to sites and tokens at a moment.
    pub fn administers(&self, now: Timestamp) -> bool {
        self.is_alive(now) && self.scope == Scope::Admin && self.sites.is_empty()
    }

    fn is_alive(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// What a site shall be; what is `None` stays as it is, or takes its default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SiteChange {
    /// IANA name; UTC by default.
    pub timezone: Option<String>,
    /// Days that events are kept; 0 keeps them until they are erased, which is the default.
    pub retention_days: Option<u32>,
    /// Whether reports are open to everybody; not by default.
    pub public: Option<bool>,
}

/// What a new token shall be.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What it allows.
    pub scope: Scope,
    /// The domains of the sites it is limited to; none is every site.
    pub sites: Vec<String>,
    /// What it is for.
    pub note: String,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// A change of the catalog was not made.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The domain can not be one.
    #[error("domain `{0}` is not a host name: give it as `example.com`, without https:// and path")]
    Domain(String),
    /// There is no such time zone.
    #[error("timezone `{0}` is not an IANA time zone name such as Europe/Berlin")]
    TimeZone(String),
    /// The number of days is out of bounds.
    #[error("retention_days {0} is more than {RETENTION_DAYS_MAX}")]
    RetentionDays(u32),
    /// There is no such site.
    #[error("there is no site `{0}`: `passerby site list` shows the sites there are")]
    UnknownSite(String),
    /// There is no such token.
    #[error("there is no token `{0}`: `passerby token list` shows the tokens there are")]
    UnknownToken(String),
    /// The system gave no random bytes.
    #[error("the system's random generator does not answer")]
    NoRandomness,
    /// ClickHouse did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Catalog {
    /// The catalog with its snapshot in `snapshot_file`, which is read if it is there.
    pub fn open(snapshot_file: PathBuf) -> Self {
        let known = match std::fs::read(&snapshot_file) {
            Ok(text) => match serde_json::from_slice::<Snapshot>(&text) {
                Ok(snapshot) => Known::from(snapshot),
                Err(error) => {
                    tracing::warn!(%error, "the catalog's snapshot can not be read; waiting for ClickHouse instead");
                    Known::default()
                }
            },
            Err(_) => Known::default(),
        };
        Self { snapshot_file, known: RwLock::new(Arc::new(known)) }
    }

    /// Whether the sites are known: from ClickHouse, or from an earlier run.
    pub fn is_loaded(&self) -> bool {
        self.known().loaded
    }

    /// The site of that domain.
    pub fn site(&self, domain: &str) -> Option<Arc<Site>> {
        self.known().sites.get(domain).cloned()
    }

    /// All sites, by domain.
    pub fn sites(&self) -> Vec<Arc<Site>> {
        let mut sites: Vec<_> = self.known().sites.values().cloned().collect();
        sites.sort_by(|one, other| one.domain.cmp(&other.domain));
        sites
    }

    /// The token with that secret, unless it has been revoked.
    pub fn token(&self, secret: &str) -> Option<Token> {
        self.known().tokens.get(&hash(secret)).cloned()
    }

    /// All tokens that have not been revoked, oldest first.
    pub fn tokens(&self) -> Vec<Token> {
        let mut tokens: Vec<_> = self.known().tokens.values().cloned().collect();
        tokens.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        tokens
    }

    /// Reads everything anew from ClickHouse, and writes the snapshot.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn refresh(&self, store: &Store) -> Result<(), StoreError> {
        let sites = store.read_rows("sites").await?;
        let tokens = store.read_rows("tokens").await?;
        let snapshot = Snapshot { sites, tokens };
        self.write_snapshot(&snapshot);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(Known::from(snapshot));
        Ok(())
    }

    /// Registers a site, or changes the one that has the domain. Doing it twice changes nothing.
    ///
    /// # Errors
    /// When the domain, the time zone or the retention is not one, or ClickHouse does not answer.
    pub async fn put_site(
        &self,
        store: &Store,
        domain: &str,
        change: SiteChange,
        now: Timestamp,
    ) -> Result<Arc<Site>, CatalogError> {
        let domain = checked_domain(domain)?;
        self.refresh(store).await?;
        let before = self.site(&domain);
        let before = before.as_deref();
        let timezone = match change.timezone {
            Some(name) => checked_timezone(&name)?,
            None => before.map_or(TimeZone::UTC, |site| site.timezone.clone()),
        };
        let retention_days = match change.retention_days {
            Some(days) if days > RETENTION_DAYS_MAX => {
                return Err(CatalogError::RetentionDays(days));
            }
            Some(0) => None,
            Some(days) => Some(days),
            None => before.and_then(|site| site.retention_days),
        };
        let public = change.public.unwrap_or_else(|| before.is_some_and(|site| site.public));
        let id = match before {
            Some(site) => site.id,
            None => self.free_id()?,
        };
        let site = Site { id, domain: domain.clone(), timezone, retention_days, public };
        self.write_site(store, &site, false, now).await?;
        self.site(&domain).ok_or(CatalogError::UnknownSite(domain))
    }

    /// Takes a site off the register. Its events stay until they are erased.
    ///
    /// # Errors
    /// When there is no such site, or ClickHouse does not answer.
    pub async fn remove_site(
        &self,
        store: &Store,
        domain: &str,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        self.refresh(store).await?;
        let site = self.site(domain).ok_or_else(|| CatalogError::UnknownSite(domain.to_owned()))?;
        self.write_site(store, &site, true, now).await
    }

    /// Makes a token and returns it: the only time that it is seen.
    ///
    /// # Errors
    /// When a site is not known, or ClickHouse does not answer.
    pub async fn create_token(
        &self,
        store: &Store,
        new: NewToken,
        now: Timestamp,
    ) -> Result<String, CatalogError> {
        self.refresh(store).await?;
        let site_ids = new.sites.iter().map(|domain| {
            let site =
                self.site(domain).ok_or_else(|| CatalogError::UnknownSite(domain.clone()))?;
            Ok(site.id.0)
        });
        let site_ids = site_ids.collect::<Result<Vec<_>, CatalogError>>()?;
        let secret = secret()?;
        let hash = hash(&secret);
        let row = TokenRow {
            token_id: hash[..12].to_owned(),
            hash,
            scope: new.scope.as_str().to_owned(),
            site_ids,
            note: new.note,
            created_at: seconds(now),
            expires_at: new.expires_at.map_or(0, seconds),
            revoked: false,
            version: self.known().version_after(now),
        };
        self.write_token(store, &row).await?;
        Ok(secret)
    }

    /// Ends a token.
    ///
    /// # Errors
    /// When there is no such token, or ClickHouse does not answer.
    pub async fn revoke_token(
        &self,
        store: &Store,
        id: &str,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        self.refresh(store).await?;
        let known = self.known();
        let row = known.rows.tokens.iter().find(|row| row.token_id == id && !row.revoked);
        let row = row.ok_or_else(|| CatalogError::UnknownToken(id.to_owned()))?;
        let revoked = TokenRow { revoked: true, version: known.version_after(now), ..row.clone() };
        self.write_token(store, &revoked).await
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    async fn write_site(
        &self,
        store: &Store,
        site: &Site,
        removed: bool,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        let known = self.known();
        let before = known.rows.sites.iter().find(|row| row.site_id == site.id.0);
        let row = SiteRow {
            site_id: site.id.0,
            domain: site.domain.clone(),
            timezone: site.timezone_name().to_owned(),
            retention_days: site.retention_days.unwrap_or(0),
            public: site.public,
            created_at: before.map_or_else(|| seconds(now), |row| row.created_at),
            removed,
            version: known.version_after(now),
        };
        store.write_row("sites", &row).await?;
        self.refresh(store).await.map_err(CatalogError::from)
    }

    async fn write_token(&self, store: &Store, row: &TokenRow) -> Result<(), CatalogError> {
        store.write_row("tokens", row).await?;
        self.refresh(store).await.map_err(CatalogError::from)
    }

    /// A number that no site has or had.
    fn free_id(&self) -> Result<SiteId, CatalogError> {
        let known = self.known();
        loop {
            let id = SiteId(getrandom::u32().map_err(|_| CatalogError::NoRandomness)?);
            if id.0 != 0 && known.rows.sites.iter().all(|row| row.site_id != id.0) {
                return Ok(id);
            }
        }
    }

    /// Losing the snapshot costs a start without ClickHouse, not a change: it is only logged.
    fn write_snapshot(&self, snapshot: &Snapshot) {
        let write = || {
            let text = serde_json::to_vec_pretty(snapshot)?;
            let fresh = self.snapshot_file.with_extension("new");
            std::fs::write(&fresh, text)?;
            std::fs::rename(&fresh, &self.snapshot_file)
        };
        if let Err(error) = write() {
            tracing::warn!(%error, "the catalog's snapshot can not be written; check the data directory");
        }
    }
}

impl Known {
    /// The version of the next change: later than any, even when the clock was set back.
    fn version_after(&self, now: Timestamp) -> u64 {
        let sites = self.rows.sites.iter().map(|row| row.version);
        let last = sites.chain(self.rows.tokens.iter().map(|row| row.version)).max().unwrap_or(0);
        u64::try_from(now.as_microsecond()).unwrap_or(0).max(last + 1)
    }
}

impl From<Snapshot> for Known {
    fn from(rows: Snapshot) -> Self {
        let sites = rows
            .sites
            .iter()
            .filter_map(SiteRow::site)
            .map(|site| (site.domain.clone(), Arc::new(site)));
        let tokens = rows.tokens.iter().filter_map(|row| Some((row.hash.clone(), row.token()?)));
        Self { loaded: true, sites: sites.collect(), tokens: tokens.collect(), rows }
    }
}

impl SiteRow {
    /// The site, unless it was removed.
    fn site(&self) -> Option<Site> {
        let site = Site {
            id: SiteId(self.site_id),
            domain: self.domain.clone(),
            timezone: TimeZone::get(&self.timezone).ok()?,
            retention_days: (self.retention_days != 0).then_some(self.retention_days),
            public: self.public,
        };
        (!self.removed).then_some(site)
    }
}

impl TokenRow {
    /// The token, unless it was revoked.
    fn token(&self) -> Option<Token> {
        let moment = |second: u32| Timestamp::from_second(second.into()).ok();
        let token = Token {
            id: self.token_id.clone(),
            scope: if self.scope == Scope::Admin.as_str() { Scope::Admin } else { Scope::Stats },
            sites: self.site_ids.iter().copied().map(SiteId).collect(),
            note: self.note.clone(),
            created_at: moment(self.created_at)?,
            expires_at: (self.expires_at != 0).then(|| moment(self.expires_at)).flatten(),
        };
        (!self.revoked).then_some(token)
    }
}

/// A domain as it is registered: lower-case, without a leading `www.`.
fn checked_domain(domain: &str) -> Result<String, CatalogError> {
    let bare = crate::beacon::decode::bare_domain(domain);
    let in_a_domain =
        |character: char| character.is_alphanumeric() || matches!(character, '.' | '-' | '_' | ':');
    // A path may follow the host, as in the field: `example.com/shop` is a site of its own.
    let is_valid = !bare.is_empty()
        && bare.len() <= DOMAIN_BYTES_MAX
        && bare.chars().all(|character| in_a_domain(character) || character == '/')
        && !bare.starts_with(['.', '-', '/', ':'])
        && !bare.contains("//");
    if is_valid { Ok(bare) } else { Err(CatalogError::Domain(domain.to_owned())) }
}

fn checked_timezone(name: &str) -> Result<TimeZone, CatalogError> {
    TimeZone::get(name).map_err(|_| CatalogError::TimeZone(name.to_owned()))
}

/// `psb_` and 256 random bits in hexadecimal.
fn secret() -> Result<String, CatalogError> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|_| CatalogError::NoRandomness)?;
    Ok(format!("psb_{}", hex(&random)))
}

fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn seconds(moment: Timestamp) -> u32 {
    u32::try_from(moment.as_second().max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(expires_at: Option<i64>, sites: &[u32], scope: Scope) -> Token {
        Token {
            id: "x".into(),
            scope,
            sites: sites.iter().copied().map(SiteId).collect(),
            note: String::new(),
            created_at: Timestamp::UNIX_EPOCH,
            expires_at: expires_at.map(|second| Timestamp::from_second(second).unwrap()),
        }
    }

    #[test]
    fn a_domain_is_registered_in_lower_case_and_without_www() {
        for (given, expected) in
            [("www.Example.com", "example.com"), (" a.test ", "a.test"), ("a.test/b", "a.test/b")]
        {
            assert_eq!(checked_domain(given).unwrap(), expected);
        }
        for given in ["", "https://a.test", "a b", "-a", &"a".repeat(254), "<script>"] {
            assert!(checked_domain(given).is_err(), "{given} was taken");
        }
    }

    #[test]
    fn a_token_opens_its_sites_until_it_ends() {
        let now = Timestamp::from_second(100).unwrap();
        assert!(token(None, &[], Scope::Stats).reads(SiteId(1), now));
        assert!(token(Some(101), &[1], Scope::Stats).reads(SiteId(1), now));
        assert!(!token(Some(100), &[1], Scope::Stats).reads(SiteId(1), now));
        assert!(!token(None, &[2], Scope::Stats).reads(SiteId(1), now));
        assert!(token(None, &[], Scope::Admin).administers(now));
        assert!(!token(None, &[1], Scope::Admin).administers(now));
        assert!(!token(None, &[], Scope::Stats).administers(now));
    }

    #[test]
    fn two_tokens_are_never_alike_and_their_hash_is_not_them() {
        let (one, other) = (secret().unwrap(), secret().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 68);
        assert!(!hash(&one).contains(&one[4..20]));
    }

    #[test]
    fn a_snapshot_brings_the_sites_back() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("catalog.json");
        let catalog = Catalog::open(file.clone());
        assert!(!catalog.is_loaded());
        let row = |domain: &str, removed| SiteRow {
            site_id: 7,
            domain: domain.into(),
            timezone: "Asia/Kathmandu".into(),
            retention_days: 0,
            public: false,
            created_at: 1,
            removed,
            version: 1,
        };
        catalog.write_snapshot(&Snapshot {
            sites: vec![row("a.test", false), row("b.test", true)],
            tokens: vec![],
        });
        let again = Catalog::open(file);
        assert!(again.is_loaded());
        assert_eq!(
            again.site("a.test").map(|site| site.timezone_name().to_owned()),
            Some("Asia/Kathmandu".to_owned())
        );
        assert!(again.site("b.test").is_none());
    }
}
