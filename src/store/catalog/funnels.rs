//! The funnels of the catalog: steps that were valid when they were saved, under a name.

use std::cmp::Ordering;

use clickhouse::Row;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::checks::checked_name;
use super::of_site::Listed;
use super::sites::known_site;
use super::{Catalog, CatalogError};
use crate::query::{self, Known};
use crate::site::funnel::Funnel;
use crate::site::{Site, SiteId};
use crate::store::Store;

/// The most funnels of a site.
const FUNNELS_MAX: usize = 200;

/// A row of `funnels`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(super) struct FunnelRow {
    pub(super) funnel_id: u32,
    pub(super) site_id: u32,
    pub(super) name: String,
    pub(super) steps: String,
    pub(super) created_at: u32,
    pub(super) removed: bool,
    pub(super) version: u64,
}

impl Catalog {
    /// Saves a funnel under a name, in place of the one that has it.
    ///
    /// # Errors
    /// When there is no such site, the name or a step breaks a rule, or ClickHouse does not answer.
    pub async fn put_funnel(
        &self,
        store: &Store,
        domain: &str,
        name: &str,
        steps: Vec<Value>,
        now: Timestamp,
    ) -> Result<Funnel, CatalogError> {
        let name = checked_name("name", name)?;
        let change = self.change(store, now).await?;
        let known = change.known();
        let site = known_site(&known, domain)?;
        let before = site.funnels.iter().find(|funnel| funnel.name == name);
        let before_id = before.map(|before| before.id);
        let (id, created_at) = change.place(&known.rows.funnels, before_id)?;
        let funnel = Funnel { id, name, steps };
        check(&funnel, site, now)?;
        if before.is_none() && site.funnels.len() >= FUNNELS_MAX {
            return Err(CatalogError::TooMany { what: "funnels", most: FUNNELS_MAX });
        }
        change.write(&FunnelRow::new(&funnel, site.id, created_at, change.version())).await?;
        Ok(funnel)
    }

    /// Removes a funnel.
    ///
    /// # Errors
    /// When there is no such site or funnel, or ClickHouse does not answer.
    pub async fn remove_funnel(
        &self,
        store: &Store,
        domain: &str,
        id: u32,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        let change = self.change(store, now).await?;
        change.remove_from(domain, |rows| &rows.funnels, id, CatalogError::UnknownFunnel).await
    }
}

impl FunnelRow {
    fn new(funnel: &Funnel, site: SiteId, created_at: u32, version: u64) -> Self {
        Self {
            funnel_id: funnel.id,
            site_id: site.0,
            name: funnel.name.clone(),
            steps: Value::Array(funnel.steps.clone()).to_string(),
            created_at,
            removed: false,
            version,
        }
    }
}

impl Listed for FunnelRow {
    type Entry = Funnel;

    /// By name.
    fn order(&self, other: &Self) -> Ordering {
        self.name.cmp(&other.name)
    }

    fn entry(&self) -> Option<Funnel> {
        let steps = serde_json::from_str(&self.steps).ok()?;
        Some(Funnel { id: self.funnel_id, name: self.name.clone(), steps })
    }
}

/// Whether the steps can be asked about.
fn check(funnel: &Funnel, site: &Site, now: Timestamp) -> Result<(), CatalogError> {
    let question = json!({ "site_id": site.domain, "date_range": "day", "steps": funnel.steps });
    query::Funnel::parse(&question, &Known::new(site, now))
        .map(drop)
        .map_err(|error| CatalogError::Steps(error.to_string()))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::super::of_site::listed;
    use super::*;

    fn funnel(steps: &[Value]) -> Funnel {
        Funnel { id: 7, name: "Buyers".into(), steps: steps.to_vec() }
    }

    #[test]
    fn a_funnel_is_read_from_its_row_as_it_was_written() {
        let funnel = funnel(&[json!({"page": "/ü\"'"}), json!({"event": "Signup"})]);
        let row = FunnelRow::new(&funnel, SiteId(3), 1, 1);
        assert_eq!(listed(std::slice::from_ref(&row), SiteId(3)), [funnel]);
        assert_eq!(listed(&[FunnelRow { removed: true, ..row }], SiteId(3)), []);
    }

    #[test]
    fn what_can_not_be_asked_can_not_be_saved() {
        let site = Site::new(SiteId(1), "a.test", TimeZone::UTC);
        let check = |steps: &[Value]| check(&funnel(steps), &site, Timestamp::UNIX_EPOCH);
        let page = json!({"page": "/"});
        assert!(check(&[page.clone(), json!({"event": "Signup"})]).is_ok());
        assert!(check(std::slice::from_ref(&page)).is_err(), "one step is no funnel");
        assert!(check(&[page, json!({"goal": "Nothing"})]).is_err(), "the site has no such goal");
    }
}
