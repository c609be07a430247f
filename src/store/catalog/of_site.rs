//! What the goals, segments, funnels, annotations and links of a site have in common: rows with a number of
//! their own that belong to a site, and are removed one by one. What is of a site that was removed is of no site.

use std::cmp::Ordering;

use super::annotations::AnnotationRow;
use super::funnels::FunnelRow;
use super::goals::GoalRow;
use super::links::LinkRow;
use super::segments::SegmentRow;
use super::sites::known_site;
use super::snapshot::{Entry, Snapshot};
use super::{CatalogError, Change, free_number};
use crate::site::SiteId;

/// A row of such a table.
pub(super) trait OfSite: Entry {
    /// The number of what it is about.
    fn id(&self) -> u32;
    /// Whether it is of this site, and there.
    fn is_of(&self, site: SiteId) -> bool;
    /// When what it is about was made, in seconds since 1970.
    fn created_at(&self) -> u32;
    /// The row that removes it. It has no text any more: what was removed may have been personal, and would never be given back.
    fn removed(&self, version: u64) -> Self;
}

macro_rules! of_sites {
    ($($row:ty: $id:ident, $($text:ident)*;)*) => {
        $(impl OfSite for $row {
            fn id(&self) -> u32 {
                self.$id
            }

            fn is_of(&self, site: SiteId) -> bool {
                self.site_id == site.0 && !self.removed
            }

            fn created_at(&self) -> u32 {
                self.created_at
            }

            fn removed(&self, version: u64) -> Self {
                Self { removed: true, version, $($text: String::new(),)* ..self.clone() }
            }
        })*
    };
}

of_sites! {
    GoalRow: goal_id, event_name page_path display_name;
    SegmentRow: segment_id, name filters;
    FunnelRow: funnel_id, name steps;
    AnnotationRow: annotation_id, text;
    LinkRow: link_id, name slug password_hash;
}

/// A row that a site has a list of.
pub(super) trait Listed: OfSite {
    /// What it is the row of.
    type Entry;

    /// In which order they are listed.
    fn order(&self, other: &Self) -> Ordering;
    /// What it is the row of, if this version of the program knows it.
    fn entry(&self) -> Option<Self::Entry>;
}

/// What a site has of the rows, in its order.
pub(super) fn listed<'row, R: Listed + 'row>(
    rows: impl IntoIterator<Item = &'row R>,
    site: SiteId,
) -> Vec<R::Entry> {
    let mut rows: Vec<_> = rows.into_iter().filter(|row| row.is_of(site)).collect();
    rows.sort_by(|one, other| one.order(other));
    rows.into_iter().filter_map(R::entry).collect()
}

impl Change<'_> {
    /// The number of an entry and when it was made: those of `before`, or new ones.
    pub(super) fn place<R: OfSite>(
        &self,
        rows: &[R],
        before: Option<u32>,
    ) -> Result<(u32, u32), CatalogError> {
        let id = match before {
            Some(id) => id,
            None => free_number(|id| rows.iter().any(|row| row.id() == id))?,
        };
        let row = rows.iter().find(|row| row.id() == id);
        Ok((id, row.map_or_else(|| self.second(), OfSite::created_at)))
    }

    /// Removes the entry of a number; returns the row that it had.
    pub(super) async fn remove<'rows, R: OfSite>(
        &self,
        rows: &'rows [R],
        site: SiteId,
        id: u32,
        unknown: impl FnOnce(u32) -> CatalogError,
    ) -> Result<&'rows R, CatalogError> {
        let row = rows.iter().find(|row| row.id() == id && row.is_of(site));
        let row = row.ok_or_else(|| unknown(id))?;
        self.write(&row.removed(self.version())).await?;
        Ok(row)
    }

    /// Removes the entry of a number from the site of a domain.
    pub(super) async fn remove_from<R: OfSite>(
        &self,
        domain: &str,
        rows: impl FnOnce(&Snapshot) -> &[R],
        id: u32,
        unknown: impl FnOnce(u32) -> CatalogError,
    ) -> Result<(), CatalogError> {
        let known = self.known();
        let site = known_site(&known, domain)?.id;
        self.remove(rows(&known.rows), site, id, unknown).await.map(drop)
    }
}
