//! The segments of the catalog: filters that were valid when they were saved, under a name.

use std::cmp::Ordering;

use clickhouse::Row;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::checks::checked_name;
use super::of_site::Listed;
use super::sites::known_site;
use super::{Catalog, CatalogError};
use crate::query;
use crate::site::segment::Segment;
use crate::site::{Site, SiteId};
use crate::store::Store;

/// The most bytes of a segment's filters, as JSON.
const FILTERS_BYTES_MAX: usize = 32 * 1024;
/// The most segments of a site.
const SEGMENTS_MAX: usize = 1_000;

/// A row of `segments`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(super) struct SegmentRow {
    pub(super) segment_id: u32,
    pub(super) site_id: u32,
    pub(super) name: String,
    pub(super) filters: String,
    pub(super) created_at: u32,
    pub(super) removed: bool,
    pub(super) version: u64,
}

/// Which segment a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhichSegment {
    /// A new one: its name must be free.
    New,
    /// The one that has the name, or a new one.
    Named,
    /// The one of this number.
    Numbered(u32),
}

/// What a segment shall be; what is `None` stays as it is. A new one needs both.
#[derive(Clone, Debug, Default)]
pub struct SegmentChange {
    /// What people call it; unique within the site.
    pub name: Option<String>,
    /// Its filters, as queries write them: a list.
    pub filters: Option<Value>,
}

impl Catalog {
    /// Saves a segment. Doing it twice changes nothing.
    ///
    /// # Errors
    /// When there is no such site or segment, the name or a filter breaks a rule, or ClickHouse does not
    /// answer.
    pub async fn put_segment(
        &self,
        store: &Store,
        domain: &str,
        which: WhichSegment,
        wanted: SegmentChange,
        now: Timestamp,
    ) -> Result<Segment, CatalogError> {
        let wanted = wanted.checked()?;
        let change = self.change(store, now).await?;
        let known = change.known();
        let site = known_site(&known, domain)?;
        let before = which.of(site, &wanted)?;
        let (name, filters) = wanted.applied_to(before)?;
        let before_id = before.map(|before| before.id);
        let (id, created_at) = change.place(&known.rows.segments, before_id)?;
        let segment = Segment { id, name, filters };
        check(&segment, site)?;
        if before != Some(&segment) {
            change.write(&SegmentRow::new(&segment, site.id, created_at, change.version())).await?;
        }
        Ok(segment)
    }

    /// Removes a segment.
    ///
    /// # Errors
    /// When there is no such site or segment, or ClickHouse does not answer.
    pub async fn remove_segment(
        &self,
        store: &Store,
        domain: &str,
        id: u32,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        let change = self.change(store, now).await?;
        change.remove_from(domain, |rows| &rows.segments, id, CatalogError::UnknownSegment).await
    }
}

impl SegmentRow {
    fn new(segment: &Segment, site: SiteId, created_at: u32, version: u64) -> Self {
        Self {
            segment_id: segment.id,
            site_id: site.0,
            name: segment.name.clone(),
            filters: Value::Array(segment.filters.clone()).to_string(),
            created_at,
            removed: false,
            version,
        }
    }
}

impl Listed for SegmentRow {
    type Entry = Segment;

    /// By name.
    fn order(&self, other: &Self) -> Ordering {
        self.name.cmp(&other.name)
    }

    fn entry(&self) -> Option<Segment> {
        let filters = serde_json::from_str(&self.filters).ok()?;
        Some(Segment { id: self.segment_id, name: self.name.clone(), filters })
    }
}

impl WhichSegment {
    /// The segment that there is.
    fn of<'site>(
        self,
        site: &'site Site,
        wanted: &SegmentChange,
    ) -> Result<Option<&'site Segment>, CatalogError> {
        let mut segments = site.segments.iter();
        match self {
            Self::New => Ok(None),
            Self::Named => Ok(segments.find(|segment| Some(&segment.name) == wanted.name.as_ref())),
            Self::Numbered(id) => match segments.find(|segment| segment.id == id) {
                Some(segment) => Ok(Some(segment)),
                None => Err(CatalogError::UnknownSegment(id)),
            },
        }
    }
}

impl SegmentChange {
    /// The same with a name that keeps its rules.
    fn checked(self) -> Result<Self, CatalogError> {
        let name = self.name.map(|name| checked_name("name", &name)).transpose()?;
        Ok(Self { name, ..self })
    }

    /// The name and the filters that it makes of what there was.
    fn applied_to(self, before: Option<&Segment>) -> Result<(String, Vec<Value>), CatalogError> {
        let filters = self.filters.map(checked_filters).transpose()?;
        let name = self.name.or_else(|| Some(before?.name.clone()));
        let filters = filters.or_else(|| Some(before?.filters.clone()));
        name.zip(filters).ok_or(CatalogError::SegmentNeeds)
    }
}

/// Whether a segment can be beside the others of its site, and its filters are such of the site.
fn check(segment: &Segment, site: &Site) -> Result<(), CatalogError> {
    query::check_filters(&segment.filters, site)
        .map_err(|error| CatalogError::Filters(error.to_string()))?;
    let others = || site.segments.iter().filter(|other| other.id != segment.id);
    if others().any(|other| other.name == segment.name) {
        return Err(CatalogError::SegmentNameTaken(segment.name.clone()));
    }
    if others().count() >= SEGMENTS_MAX {
        return Err(CatalogError::TooMany { what: "segments", most: SEGMENTS_MAX });
    }
    Ok(())
}

/// A list of filters that is not too long. Whether they are filters is for `query` to say.
fn checked_filters(filters: Value) -> Result<Vec<Value>, CatalogError> {
    let bytes = filters.to_string().len();
    match filters {
        Value::Array(list) if !list.is_empty() && bytes <= FILTERS_BYTES_MAX => Ok(list),
        _ => {
            let rule = format!(
                "filters must be a list of at least one filter, and have {FILTERS_BYTES_MAX} bytes at most"
            );
            Err(CatalogError::Filters(rule))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::of_site::{OfSite, listed};
    use super::*;

    #[test]
    fn a_segment_is_read_from_its_row_as_it_was_written() {
        let filters = vec![json!(["is", "visit:source", ["Google", "ü\"'\\"]])];
        let segment = Segment { id: 7, name: "Search".into(), filters };
        let row = SegmentRow::new(&segment, SiteId(3), 1, 1);
        assert_eq!(listed(std::slice::from_ref(&row), SiteId(3)), [segment]);
        let removed = row.removed(2);
        assert_eq!((removed.name.as_str(), removed.filters.as_str()), ("", ""));
        assert_eq!(listed(&[removed], SiteId(3)), []);
    }

    #[test]
    fn filters_are_a_list_of_some_and_not_endless() {
        assert!(checked_filters(json!([["is", "visit:source", ["Google"]]])).is_ok());
        for filters in [json!([]), json!({}), json!("x"), json!(["x".repeat(FILTERS_BYTES_MAX)])] {
            assert!(checked_filters(filters).is_err());
        }
    }
}
