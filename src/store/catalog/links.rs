//! The shared links of the catalog: each opens the page of one site to whoever has it, until it is removed.
//!
//! A link is meant to be passed on and shown again, so that its slug is kept as it is. It opens a page, and
//! neither the reporting API nor anything else.

use clickhouse::Row;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::goals::checked_name;
use super::sites::known_site;
use super::{Catalog, CatalogError, free_number, hex};
use crate::site::SiteId;
use crate::store::Store;

/// The most shared links of a site.
const LINKS_MAX: usize = 1_000;

/// A row of `shared_links`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(super) struct LinkRow {
    pub(super) link_id: u32,
    pub(super) site_id: u32,
    pub(super) name: String,
    pub(super) slug: String,
    pub(super) created_at: u32,
    pub(super) removed: bool,
    pub(super) version: u64,
}

/// A shared link of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedLink {
    /// What it is for; unique within the site.
    pub name: String,
    /// What opens the page.
    pub slug: String,
}

impl Catalog {
    /// The shared links of a site, by name.
    pub fn shared_links(&self, site: SiteId) -> Vec<SharedLink> {
        let known = self.known();
        let rows = known.rows.shared_links.iter().filter(|row| row.is_of(site));
        let mut links: Vec<_> = rows.map(LinkRow::link).collect();
        links.sort_by(|one, other| one.name.cmp(&other.name));
        links
    }

    /// The site that a shared link opens, unless it has been removed.
    pub fn opened_by(&self, slug: &str) -> Option<SiteId> {
        self.known().links.get(slug).copied()
    }

    /// The shared link of this name, made if there is none.
    ///
    /// # Errors
    /// When there is no such site, the name breaks a rule, or ClickHouse does not answer.
    pub async fn put_shared_link(
        &self,
        store: &Store,
        domain: &str,
        name: &str,
        now: Timestamp,
    ) -> Result<SharedLink, CatalogError> {
        let name = checked_name("name", name)?;
        let change = self.change(store, now).await?;
        let known = change.known();
        let site = known_site(&known, domain)?.id;
        let rows = || known.rows.shared_links.iter().filter(|row| row.is_of(site));
        if let Some(row) = rows().find(|row| row.name == name) {
            return Ok(row.link());
        }
        if rows().count() >= LINKS_MAX {
            return Err(CatalogError::TooMany { what: "shared links", most: LINKS_MAX });
        }
        let is_taken = |id| known.rows.shared_links.iter().any(|row| row.link_id == id);
        let row = LinkRow {
            link_id: free_number(is_taken)?,
            site_id: site.0,
            name,
            slug: slug()?,
            created_at: change.second(),
            removed: false,
            version: change.version(),
        };
        change.write(&row).await?;
        Ok(row.link())
    }

    /// Removes a shared link: it opens nothing any more.
    ///
    /// # Errors
    /// When there is no such site or link, or ClickHouse does not answer.
    pub async fn remove_shared_link(
        &self,
        store: &Store,
        domain: &str,
        name: &str,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        let change = self.change(store, now).await?;
        let known = change.known();
        let site = known_site(&known, domain)?.id;
        let mut rows = known.rows.shared_links.iter().filter(|row| row.is_of(site));
        let row = rows.find(|row| row.name == name);
        let row = row.ok_or_else(|| CatalogError::UnknownLink(name.to_owned()))?;
        change.write(&LinkRow { removed: true, version: change.version(), ..row.clone() }).await
    }
}

impl LinkRow {
    fn is_of(&self, site: SiteId) -> bool {
        self.site_id == site.0 && !self.removed
    }

    fn link(&self) -> SharedLink {
        SharedLink { name: self.name.clone(), slug: self.slug.clone() }
    }

    /// The slug and what it opens, unless the link was removed.
    pub(super) fn opens(&self) -> Option<(String, SiteId)> {
        (!self.removed).then(|| (self.slug.clone(), SiteId(self.site_id)))
    }
}

/// 128 random bits in hexadecimal.
fn slug() -> Result<String, CatalogError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| CatalogError::NoRandomness)?;
    Ok(hex(&random))
}
