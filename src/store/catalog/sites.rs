//! The sites of the catalog.

use std::sync::Arc;

use clickhouse::Row;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::checks::checked_least;
use super::snapshot::Known;
use super::{Catalog, CatalogError, Change, free_number};
use crate::site::domain::{bare_domain, domain_of_a_site};
use crate::site::floor::Floor;
use crate::site::policy::{CNIL_RETENTION_DAYS_MAX, Policy, Profile};
use crate::site::{Site, SiteId};
use crate::store::Store;

/// The most days that events can be kept for: a hundred years.
pub const RETENTION_DAYS_MAX: u32 = 36_500;

/// A row of `sites`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(super) struct SiteRow {
    pub(super) site_id: u32,
    pub(super) domain: String,
    /// The one it had before its last renaming; empty when it never had another.
    #[serde(default)]
    pub(super) former_domain: String,
    pub(super) timezone: String,
    pub(super) retention_days: u32,
    pub(super) public: bool,
    #[serde(default)]
    pub(super) least_visitors: u32,
    pub(super) created_at: u32,
    pub(super) removed: bool,
    pub(super) version: u64,
}

/// What a site shall be; what is `None` stays as it is, or takes its default.
#[derive(Clone, Debug, Default)]
pub struct SiteChange {
    /// What the site shall be called instead, if it is to have another domain.
    pub domain: Option<String>,
    /// IANA name; UTC by default.
    pub timezone: Option<String>,
    /// Days that events are kept; 0 keeps them until they are erased, which is the default.
    pub retention_days: Option<u32>,
    /// Whether reports are open to everybody; not by default.
    pub public: Option<bool>,
    /// The least number of visitors that everybody is told of a public site; [`Floor::OF_THE_PUBLIC`] by
    /// default.
    pub least_visitors: Option<u32>,
}

impl Catalog {
    /// The site of that domain, or the one that had it before it was renamed.
    pub fn site(&self, domain: &str) -> Option<Arc<Site>> {
        self.look(|known| known.sites.get(domain).or_else(|| known.renamed.get(domain)).cloned())
    }

    /// Whether a site has that domain by now.
    pub fn has_site(&self, domain: &str) -> bool {
        self.look(|known| known.sites.contains_key(domain))
    }

    /// The sites that were taken off the register under a domain: none of them is counted, and their events
    /// stay until they are erased or kept no longer.
    pub fn removed_sites(&self, domain: &str) -> Vec<Arc<Site>> {
        let domain = bare_domain(domain);
        self.rows(|row| row.removed && row.domain == domain)
    }

    /// All sites that events may be of, those that were taken off the register among them.
    pub fn sites_of_events(&self) -> Vec<Arc<Site>> {
        self.rows(|_| true)
    }

    fn rows(&self, is_meant: impl Fn(&SiteRow) -> bool) -> Vec<Arc<Site>> {
        let known = self.known();
        let rows = known.rows.sites.iter().filter(|row| is_meant(row));
        let site = |row: &SiteRow| {
            let policy = self.policies.of(&row.domain);
            Some(Arc::new(Site { policy, ..row.site_even_if_removed()? }))
        };
        rows.filter_map(site).collect()
    }

    /// What the operator decided about the site of a domain, or about all that have nothing of their own.
    pub fn policy(&self, domain: Option<&str>) -> Policy {
        let site = domain.and_then(|domain| self.site(domain));
        site.map_or(self.policies.everywhere, |site| site.policy)
    }

    /// All sites, by domain.
    pub fn sites(&self) -> Vec<Arc<Site>> {
        let mut sites: Vec<_> = self.known().sites.values().cloned().collect();
        sites.sort_by(|one, other| one.domain.cmp(&other.domain));
        sites
    }

    /// Registers a site, or changes the one that has the domain. Doing it twice changes nothing.
    ///
    /// # Errors
    /// When the domain, the time zone or the retention is not one, the new domain is another site's, or
    /// ClickHouse does not answer.
    pub async fn put_site(
        &self,
        store: &Store,
        domain: &str,
        wanted: SiteChange,
        now: Timestamp,
    ) -> Result<Arc<Site>, CatalogError> {
        let domain = checked_domain(domain)?;
        let renamed = wanted.domain.as_deref().map(checked_domain).transpose()?;
        let change = self.change(store, now).await?;
        let known = change.known();
        let mut row = match (row_of(&known, &domain), &renamed) {
            (Some(row), _) => row.clone(),
            // Renamed already: doing it twice changes nothing.
            (None, Some(renamed)) => {
                row_of(&known, renamed).ok_or(CatalogError::UnknownSite(domain))?.clone()
            }
            (None, None) => new_row(&change, domain)?,
        };
        if let Some(renamed) = renamed.filter(|renamed| *renamed != row.domain) {
            if row_of(&known, &renamed).is_some() {
                return Err(CatalogError::DomainTaken(renamed));
            }
            if self.policies.would_leave(&row.domain, &renamed) {
                return Err(CatalogError::RulesStay { from: row.domain, to: renamed });
            }
            row.former_domain = std::mem::replace(&mut row.domain, renamed);
        }
        self.save(&change, row, wanted).await
    }

    /// Registers a site, whose domain no other site may have.
    ///
    /// # Errors
    /// As [`Self::put_site`], and when there is such a site.
    pub async fn create_site(
        &self,
        store: &Store,
        domain: &str,
        wanted: SiteChange,
        now: Timestamp,
    ) -> Result<Arc<Site>, CatalogError> {
        let domain = checked_domain(domain)?;
        let change = self.change(store, now).await?;
        if row_of(&change.known(), &domain).is_some() {
            return Err(CatalogError::DomainTaken(domain));
        }
        let row = new_row(&change, domain)?;
        self.save(&change, row, wanted).await
    }

    async fn save(
        &self,
        change: &Change<'_>,
        mut row: SiteRow,
        wanted: SiteChange,
    ) -> Result<Arc<Site>, CatalogError> {
        let profile = self.policies.of(&row.domain).profile;
        let known = change.known();
        let before = known.rows.sites.iter().find(|before| before.site_id == row.site_id);
        row.take(wanted, profile, before.is_none())?;
        row.version = change.version();
        change.write(&row).await?;
        let site = self.site(&row.domain);
        let site = site.ok_or_else(|| CatalogError::UnknownSite(row.domain.clone()))?;
        if let Some(before) = before {
            change.annotate_rules(&site, before, &row).await;
        }
        Ok(site)
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
        let change = self.change(store, now).await?;
        let known = change.known();
        let site = known_site(&known, domain)?;
        let row = known.rows.sites.iter().find(|row| row.is(site.id));
        let row = row.ok_or_else(|| CatalogError::UnknownSite(domain.to_owned()))?;
        change.write(&SiteRow { removed: true, version: change.version(), ..row.clone() }).await
    }
}

/// The row of the site that has a domain.
fn row_of<'known>(known: &'known Known, domain: &str) -> Option<&'known SiteRow> {
    let site = known.sites.get(domain)?;
    known.rows.sites.iter().find(|row| row.is(site.id))
}

/// The row of a site that there is not yet.
fn new_row(change: &Change<'_>, domain: String) -> Result<SiteRow, CatalogError> {
    let known = change.known();
    let is_taken = |id| known.rows.sites.iter().any(|row| row.is(SiteId(id)));
    Ok(SiteRow::new(free_number(is_taken)?, domain, change.second()))
}

impl SiteRow {
    fn new(site_id: u32, domain: String, created_at: u32) -> Self {
        Self {
            site_id,
            domain,
            former_domain: String::new(),
            timezone: "UTC".to_owned(),
            retention_days: 0,
            public: false,
            least_visitors: 0,
            created_at,
            removed: false,
            version: 0,
        }
    }

    fn is(&self, site: SiteId) -> bool {
        self.site_id == site.0
    }

    /// Makes it what is wanted, if its profile allows that.
    fn take(
        &mut self,
        wanted: SiteChange,
        profile: Profile,
        is_new: bool,
    ) -> Result<(), CatalogError> {
        if is_new && profile.is_strict() {
            self.retention_days = CNIL_RETENTION_DAYS_MAX;
        }
        if let Some(name) = wanted.timezone {
            let zone = TimeZone::get(&name).map_err(|_| CatalogError::TimeZone(name.clone()))?;
            self.timezone = zone.iana_name().unwrap_or(&name).to_owned();
        }
        match wanted.retention_days {
            Some(days) if days > RETENTION_DAYS_MAX => {
                return Err(CatalogError::RetentionDays(days));
            }
            Some(days) => self.retention_days = days,
            None => {}
        }
        if !profile.allows_retention(self.kept_days()) {
            return Err(CatalogError::RetentionOfProfile(self.retention_days));
        }
        self.public = wanted.public.unwrap_or(self.public);
        let least = wanted.least_visitors.map(checked_least).transpose()?;
        self.least_visitors = least.unwrap_or(self.least_visitors);
        Ok(())
    }

    /// For how many days events are kept; `None` keeps them until they are erased.
    fn kept_days(&self) -> Option<u32> {
        (self.retention_days != 0).then_some(self.retention_days)
    }

    /// The site, unless it was removed.
    pub(super) fn site(&self) -> Option<Site> {
        if self.removed { None } else { self.site_even_if_removed() }
    }

    /// Whether this version can not tell its days: as long as that is so, it is not there.
    pub(super) fn has_unknown_zone(&self) -> bool {
        !self.removed && TimeZone::get(&self.timezone).is_err()
    }

    fn site_even_if_removed(&self) -> Option<Site> {
        let timezone = TimeZone::get(&self.timezone).ok()?;
        Some(Site {
            retention_days: self.kept_days(),
            public: self.public,
            // Sites that were made public before there was a floor have the default, too.
            least_visitors: match self.least_visitors {
                0 => Floor::OF_THE_PUBLIC,
                least => least,
            },
            ..Site::new(SiteId(self.site_id), self.domain.clone(), timezone)
        })
    }
}

/// The site that a change is about.
pub(super) fn known_site<'known>(
    known: &'known Known,
    domain: &str,
) -> Result<&'known Site, CatalogError> {
    let site = known.sites.get(&bare_domain(domain));
    site.map(|site| &**site).ok_or_else(|| CatalogError::UnknownSite(domain.to_owned()))
}

/// A domain as it is registered: lower-case, without a leading `www.`.
fn checked_domain(domain: &str) -> Result<String, CatalogError> {
    domain_of_a_site(domain).ok_or_else(|| CatalogError::Domain(domain.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_registered_in_lower_case_and_without_www() {
        for (given, expected) in [
            ("www.Example.com", "example.com"),
            (" a.test ", "a.test"),
            ("a.test/b", "a.test/b"),
            ("MÜLLER.test", "müller.test"),
            ("xn--mller-kva.test", "müller.test"),
        ] {
            assert_eq!(checked_domain(given).unwrap(), expected);
        }
        for given in ["", "https://a.test", "a b", "-a", &"a".repeat(254), "<script>"] {
            assert!(checked_domain(given).is_err(), "{given} was taken");
        }
    }
}
