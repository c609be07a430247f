//! The shared links of the catalog: each opens the page of one site, or of a segment of it, to whoever has
//! it and, if it has one, its password, until it ends or is removed.
//!
//! A link is meant to be passed on and shown again, so that its slug is kept as it is. It opens a page, and
//! neither the reporting API nor anything else.

use std::cmp::Ordering;

use clickhouse::Row;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::checks::{checked_least, checked_name};
use super::of_site::{Listed, OfSite, listed};
use super::password::Password;
use super::sites::known_site;
use super::{Catalog, CatalogError, end, end_second, free_number, moment, random_digits};
use crate::site::SiteId;
use crate::site::floor::Floor;
use crate::store::Store;

/// The most shared links of a site.
const LINKS_MAX: usize = 1_000;
/// How many random bytes a slug is the digits of.
const SLUG_BYTES: usize = 16;

/// A row of `shared_links`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(super) struct LinkRow {
    pub(super) link_id: u32,
    pub(super) site_id: u32,
    pub(super) name: String,
    pub(super) slug: String,
    #[serde(default)]
    pub(super) password_hash: String,
    #[serde(default)]
    pub(super) segment_id: u32,
    #[serde(default)]
    pub(super) least_visitors: u32,
    #[serde(default)]
    pub(super) expires_at: u32,
    pub(super) created_at: u32,
    pub(super) removed: bool,
    pub(super) version: u64,
}

/// A shared link of a site.
#[derive(Clone)]
pub struct SharedLink {
    /// Its number; never used again.
    pub id: u32,
    /// The site that it opens.
    pub site: SiteId,
    /// What it is for; unique within the site.
    pub name: String,
    /// What opens the page.
    pub slug: String,
    /// What has to be known besides, if anything.
    pub password: Option<Password>,
    /// The segment that it is limited to; `None` is the whole site.
    pub segment: Option<u32>,
    /// The least number of visitors that is told; 1 tells every number.
    pub least_visitors: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// What a link shall be; what is `None` stays as it is, or takes its default.
#[derive(Default)]
pub struct LinkChange {
    /// The password; an empty one takes it off. None by default.
    pub password: Option<String>,
    /// The segment that it is limited to; 0 opens the whole site, which is the default.
    pub segment: Option<u32>,
    /// The least number of visitors that is told; [`Floor::OF_A_LINK`] by default.
    pub least_visitors: Option<u32>,
    /// When it ends; `Some(None)` is never, which is the default.
    pub expires_at: Option<Option<Timestamp>>,
}

impl SharedLink {
    /// Whether it opens anything at a moment.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// The floor under what its readers are told.
    pub fn floor(&self) -> Option<Floor> {
        Floor::of(self.least_visitors)
    }

    /// Whether this is what a browser shows who may open it: the slug and, of a password, the proof.
    pub fn is_proven_by(&self, shown: &str) -> bool {
        shown == self.shown()
    }

    /// What a browser shows once it may open the link.
    pub fn shown(&self) -> String {
        let proof = self.password.as_ref().map(|password| password.proof(&self.slug));
        proof.map_or_else(|| self.slug.clone(), |proof| format!("{}.{proof}", self.slug))
    }
}

impl Catalog {
    /// The shared links of a site, by name.
    pub fn shared_links(&self, site: SiteId) -> Vec<SharedLink> {
        listed(&self.known().rows.shared_links, site)
    }

    /// The shared link of this slug, unless it has been removed, or has ended.
    pub fn shared_link(&self, slug: &str, now: Timestamp) -> Option<SharedLink> {
        self.known().links.get(slug).filter(|link| link.is_open(now)).cloned()
    }

    /// The shared link of this name, made or changed.
    ///
    /// # Errors
    /// When there is no such site or segment, the name, the password or a number breaks a rule, or ClickHouse
    /// does not answer.
    pub async fn put_shared_link(
        &self,
        store: &Store,
        domain: &str,
        name: &str,
        wanted: LinkChange,
        now: Timestamp,
    ) -> Result<SharedLink, CatalogError> {
        let name = checked_name("name", name)?;
        let least = wanted.least_visitors.map(checked_least).transpose()?;
        let password_hash = match wanted.password {
            None => None,
            Some(text) if text.is_empty() => Some(String::new()),
            Some(text) => Some(slowly(move || Password::of(&text)).await??.into_hash()),
        };
        let change = self.change(store, now).await?;
        let known = change.known();
        let site = known_site(&known, domain)?;
        if let Some(segment) = wanted.segment.filter(|segment| *segment != 0)
            && !site.segments.iter().any(|known| known.id == segment)
        {
            return Err(CatalogError::UnknownSegment(segment));
        }
        let rows = || known.rows.shared_links.iter().filter(|row| row.is_of(site.id));
        let before = rows().find(|row| row.name == name);
        let mut row = match before {
            Some(row) => row.clone(),
            None if rows().count() >= LINKS_MAX => {
                return Err(CatalogError::TooMany { what: "shared links", most: LINKS_MAX });
            }
            None => {
                let is_taken = |id| known.rows.shared_links.iter().any(|row| row.link_id == id);
                LinkRow {
                    link_id: free_number(is_taken)?,
                    site_id: site.id.0,
                    name,
                    slug: random_digits::<SLUG_BYTES>()?,
                    password_hash: String::new(),
                    segment_id: 0,
                    least_visitors: 0,
                    expires_at: 0,
                    created_at: change.second(),
                    removed: false,
                    version: 0,
                }
            }
        };
        row.password_hash = password_hash.unwrap_or(row.password_hash);
        row.segment_id = wanted.segment.unwrap_or(row.segment_id);
        row.least_visitors = least.unwrap_or(row.least_visitors);
        if let Some(end) = wanted.expires_at {
            row.expires_at = end_second(end);
        }
        row.version = change.version();
        change.write(&row).await?;
        row.link().ok_or_else(|| CatalogError::UnknownLink(row.name.clone()))
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
        change.write(&row.removed(change.version())).await
    }
}

/// Does what takes long away from the threads that answer requests.
async fn slowly<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CatalogError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| CatalogError::NotHashed)
}

impl LinkRow {
    /// The link, unless it was removed.
    pub(super) fn link(&self) -> Option<SharedLink> {
        let link = SharedLink {
            id: self.link_id,
            site: SiteId(self.site_id),
            name: self.name.clone(),
            slug: self.slug.clone(),
            password: Password::of_hash(&self.password_hash),
            segment: (self.segment_id != 0).then_some(self.segment_id),
            // Links that were made before there was a floor have the default, too.
            least_visitors: match self.least_visitors {
                0 => Floor::OF_A_LINK,
                least => least,
            },
            created_at: moment(self.created_at),
            expires_at: end(self.expires_at),
        };
        (!self.removed).then_some(link)
    }
}

impl Listed for LinkRow {
    type Entry = SharedLink;

    /// By name.
    fn order(&self, other: &Self) -> Ordering {
        self.name.cmp(&other.name)
    }

    fn entry(&self) -> Option<SharedLink> {
        self.link()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> LinkRow {
        LinkRow {
            link_id: 1,
            site_id: 7,
            name: "press".into(),
            slug: "abc".into(),
            password_hash: String::new(),
            segment_id: 0,
            least_visitors: 0,
            expires_at: 100,
            created_at: 1,
            removed: false,
            version: 1,
        }
    }

    #[tokio::test]
    async fn a_password_that_could_not_be_hashed_is_no_want_of_random_bytes() {
        let stopped = slowly(|| -> u8 { panic!("a fault") }).await;
        assert!(matches!(stopped, Err(CatalogError::NotHashed)), "{stopped:?}");
    }

    #[test]
    fn a_link_that_expired_opens_nothing() {
        let link = row().link().unwrap();
        assert!(link.is_open(Timestamp::from_second(99).unwrap()));
        assert!(!link.is_open(Timestamp::from_second(100).unwrap()));
        assert!(LinkRow { removed: true, ..row() }.link().is_none());
    }

    #[test]
    fn a_link_of_which_nothing_is_said_has_a_floor() {
        assert_eq!(row().link().unwrap().floor(), Floor::of(5));
        assert_eq!(LinkRow { least_visitors: 1, ..row() }.link().unwrap().floor(), None);
    }

    #[test]
    fn a_link_with_a_password_is_not_opened_by_its_slug() {
        let open = row().link().unwrap();
        assert!(open.is_proven_by("abc") && !open.is_proven_by("abc."));
        let password = Password::of("long enough").unwrap();
        let closed = LinkRow { password_hash: password.into_hash(), ..row() };
        let closed = closed.link().unwrap();
        assert!(!closed.is_proven_by("abc") && closed.is_proven_by(&closed.shown()));
        let changed = Password::of("another one").unwrap().into_hash();
        let changed = LinkRow { password_hash: changed, ..row() }.link().unwrap();
        assert!(!changed.is_proven_by(&closed.shown()));
    }
}
