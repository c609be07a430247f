//! The tokens of the catalog. A token is shown once, when it is made, and kept as its SHA-256 alone.

use clickhouse::Row;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::checks::{checked_least, checked_name};
use super::sites::known_site;
use super::{Catalog, CatalogError, end, end_second, moment, random_digits};
use crate::hex;
use crate::site::SiteId;
use crate::site::floor::Floor;
use crate::site::member::Role;
use crate::store::Store;

/// The most tokens of a site, and of every site, that were not revoked.
const TOKENS_MAX: usize = 1_000;

/// A row of `tokens`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(super) struct TokenRow {
    pub(super) token_id: String,
    pub(super) hash: String,
    pub(super) scope: String,
    pub(super) site_ids: Vec<u32>,
    pub(super) note: String,
    #[serde(default)]
    pub(super) least_visitors: u32,
    pub(super) created_at: u32,
    pub(super) expires_at: u32,
    pub(super) revoked: bool,
    pub(super) version: u64,
}

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Reading reports.
    Stats,
    /// Reading reports, and changing the catalog.
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
    /// The least number of visitors that it is told; 1 is told every number.
    pub least_visitors: u32,
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

    /// Whether it allows changes of the catalog at a moment.
    pub fn administers(&self, now: Timestamp) -> bool {
        self.is_alive(now) && self.scope == Scope::Admin && self.sites.is_empty()
    }

    /// What it may do with a site at a moment: whoever administers owns every site.
    pub fn role(&self, site: SiteId, now: Timestamp) -> Option<Role> {
        let role = if self.administers(now) { Role::Owner } else { Role::Viewer };
        self.reads(site, now).then_some(role)
    }

    /// The floor under what it is told.
    pub fn floor(&self) -> Option<Floor> {
        Floor::of(self.least_visitors)
    }

    /// Whether it has not ended yet.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
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
    /// The least number of visitors that it is told; every number by default.
    pub least_visitors: Option<u32>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

impl Catalog {
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

    /// Makes a token and returns it: the only time that it is seen.
    ///
    /// # Errors
    /// When a site is not known, the note breaks a rule, there are too many, or ClickHouse does not answer.
    pub async fn create_token(
        &self,
        store: &Store,
        new: NewToken,
        now: Timestamp,
    ) -> Result<String, CatalogError> {
        let least = new.least_visitors.map(checked_least).transpose()?.unwrap_or(1);
        if new.scope == Scope::Admin && least > 1 {
            return Err(CatalogError::LeastOfAdmin);
        }
        // Each read with it is logged with its note.
        let note = match new.note.trim() {
            "" => String::new(),
            note => checked_name("note", note)?,
        };
        let change = self.change(store, now).await?;
        let known = change.known();
        let site_ids =
            new.sites.iter().map(|domain| known_site(&known, domain).map(|site| site.id.0));
        let site_ids = site_ids.collect::<Result<Vec<_>, CatalogError>>()?;
        check_room(&known.rows.tokens, &site_ids)?;
        let secret = secret()?;
        let hash = hash(&secret);
        let row = TokenRow {
            token_id: hash[..12].to_owned(),
            hash,
            scope: new.scope.as_str().to_owned(),
            site_ids,
            note,
            least_visitors: least,
            created_at: change.second(),
            expires_at: end_second(new.expires_at),
            revoked: false,
            version: change.version(),
        };
        change.write(&row).await?;
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
        let change = self.change(store, now).await?;
        let known = change.known();
        let row = known.rows.tokens.iter().find(|row| row.token_id == id && !row.revoked);
        let row = row.ok_or_else(|| CatalogError::UnknownToken(id.to_owned()))?;
        let (note, version) = (String::new(), change.version());
        change.write(&TokenRow { revoked: true, note, version, ..row.clone() }).await
    }
}

/// Whether each of the sites, or every site, may have one more.
fn check_room(rows: &[TokenRow], site_ids: &[u32]) -> Result<(), CatalogError> {
    let tokens = || rows.iter().filter(|row| !row.revoked);
    let most = match site_ids {
        [] => tokens().filter(|row| row.site_ids.is_empty()).count(),
        ids => {
            let of_site = |id: &u32| tokens().filter(|row| row.site_ids.contains(id)).count();
            ids.iter().map(of_site).max().unwrap_or(0)
        }
    };
    match most < TOKENS_MAX {
        true => Ok(()),
        false => Err(CatalogError::TooMany { what: "tokens", most: TOKENS_MAX }),
    }
}

impl TokenRow {
    /// The token, unless it was revoked.
    pub(super) fn token(&self) -> Option<Token> {
        let token = Token {
            id: self.token_id.clone(),
            scope: if self.scope == Scope::Admin.as_str() { Scope::Admin } else { Scope::Stats },
            sites: self.site_ids.iter().copied().map(SiteId).collect(),
            note: self.note.clone(),
            // Tokens that were made before there was a floor have none.
            least_visitors: self.least_visitors.max(1),
            created_at: moment(self.created_at),
            expires_at: end(self.expires_at),
        };
        (!self.revoked).then_some(token)
    }
}

/// `psb_` and 256 random bits in hexadecimal.
fn secret() -> Result<String, CatalogError> {
    Ok(format!("psb_{}", random_digits::<32>()?))
}

fn hash(secret: &str) -> String {
    hex::encode(&Sha256::digest(secret.as_bytes()))
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
            least_visitors: 1,
            created_at: Timestamp::UNIX_EPOCH,
            expires_at: expires_at.map(|second| Timestamp::from_second(second).unwrap()),
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
        let role = |sites: &[u32], scope| token(Some(101), sites, scope).role(SiteId(1), now);
        assert_eq!(role(&[], Scope::Admin), Some(Role::Owner));
        assert_eq!(role(&[1], Scope::Admin), Some(Role::Viewer));
        assert_eq!(role(&[], Scope::Stats), Some(Role::Viewer));
        assert_eq!(role(&[2], Scope::Stats), None);
    }

    #[test]
    fn two_tokens_are_never_alike_and_their_hash_is_not_them() {
        let (one, other) = (secret().unwrap(), secret().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 68);
        assert!(!hash(&one).contains(&one[4..20]));
    }
}
