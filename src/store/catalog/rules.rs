//! The rules of the configuration that collectors last ran with. They are known to a collector when it starts, and
//! numbers differ with them: where one is another than before, that is written beside the numbers of the sites that
//! it is about.
//!
//! Of collectors that start together each finds the change. What it writes follows from what was known before, so
//! that they write the same annotation, and not one each; and one that ends in between writes it again.

use std::collections::{BTreeMap, BTreeSet};

use clickhouse::Row;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::annotations::{AnnotationRow, gives_way};
use super::{Catalog, CatalogError};
use crate::privacy::OnObjection;
use crate::site::annotation::AnnotationKind;
use crate::site::policy::{Policies, Policy};
use crate::site::{Site, SiteId};
use crate::store::Store;

/// A row of `rules`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(super) struct RuleRow {
    /// The site that the configuration names; empty for all others.
    pub(super) domain: String,
    pub(super) rule: String,
    pub(super) value: String,
    pub(super) removed: bool,
    pub(super) version: u64,
}

/// What rules say, and since which change, by the domain that they are for and their names.
struct Rules(BTreeMap<(String, String), (String, u64)>);

impl Rules {
    /// Those that collectors ran with last.
    fn remembered(rows: &[RuleRow]) -> Self {
        let rule = |row: &RuleRow| {
            ((row.domain.clone(), row.rule.clone()), (row.value.clone(), row.version))
        };
        Self(rows.iter().filter(|row| !row.removed).map(rule).collect())
    }

    /// Those of the configuration.
    fn configured(policies: &Policies, on_objection: OnObjection) -> Self {
        let of = |domain: &str, policy: &Policy| {
            [
                (AnnotationKind::Profile, policy.profile.name()),
                (AnnotationKind::Consent, policy.consent.name()),
            ]
            .map(|(kind, value)| rule(domain, kind, value))
        };
        let everywhere = of("", &policies.everywhere);
        let of_sites = policies.sites.iter().flat_map(|(domain, policy)| of(domain, policy));
        let objection = rule("", AnnotationKind::OnObjection, on_objection.name());
        Self(everywhere.into_iter().chain(of_sites).chain([objection]).collect())
    }

    /// What a rule says of a site, and since which change.
    fn of(&self, site: &Site, kind: AnnotationKind) -> Option<&(String, u64)> {
        let of = |domain: &str| self.0.get(&(domain.to_owned(), kind.name().to_owned()));
        of(&site.domain).or_else(|| of(""))
    }

    /// The rows that make of these rules the others.
    fn rows_towards(&self, others: &Self, version: u64) -> Vec<RuleRow> {
        let keys: BTreeSet<_> = self.0.keys().chain(others.0.keys()).collect();
        let row = |key: &(String, String)| {
            let value = |rules: &Self| rules.0.get(key).map(|(value, _)| value.clone());
            let (before, after) = (value(self), value(others));
            (before != after).then(|| RuleRow {
                domain: key.0.clone(),
                rule: key.1.clone(),
                removed: after.is_none(),
                value: after.unwrap_or_default(),
                version,
            })
        };
        keys.into_iter().filter_map(row).collect()
    }
}

fn rule(domain: &str, kind: AnnotationKind, value: &str) -> ((String, String), (String, u64)) {
    ((domain.to_owned(), kind.name().to_owned()), (value.to_owned(), 0))
}

impl Catalog {
    /// Writes beside today which rules of the configuration are others for a site than those that a collector last
    /// ran with, and remembers them. Where none are remembered, nothing has changed. Doing it twice changes nothing.
    ///
    /// # Errors
    /// When ClickHouse does not answer: then it is to be done again.
    pub async fn note_rules(
        &self,
        store: &Store,
        on_objection: OnObjection,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        let change = self.change(store, now).await?;
        let known = change.known();
        let before = Rules::remembered(&known.rows.rules);
        let after = Rules::configured(&self.policies, on_objection);
        let rows = before.rows_towards(&after, change.version());
        if rows.is_empty() {
            return Ok(());
        }
        let mut annotations: Vec<AnnotationRow> = Vec::new();
        for site in known.sites.values() {
            let changed = AnnotationKind::OF_THE_CONFIGURATION.into_iter().filter_map(|kind| {
                let ((was, since), (is, _)) = (before.of(site, kind)?, after.of(site, kind)?);
                (was != is).then_some((kind, is, *since))
            });
            for (more, (kind, value, since)) in changed.enumerate() {
                let rows = &known.rows.annotations;
                let id = number_of(site.id, kind, value, since, |id| {
                    is_anothers(rows, id, site.id, kind)
                });
                let is_written = site.annotations.iter().any(|one| one.id == id);
                let gives_way = gives_way(site, more).filter(|_| !is_written);
                let version = change.version() + annotations.len() as u64;
                annotations.push(change.annotation(
                    site,
                    kind,
                    value,
                    gives_way.unwrap_or(id),
                    version,
                ));
            }
        }
        if !annotations.is_empty() {
            change.write_all(&annotations).await?;
        }
        // What is remembered before it is written down would never be.
        change.write_all(&rows).await
    }
}

/// The number of the annotation of a change, which follows from the change: from which state of the rule it was, and
/// to which value.
fn number_of(
    site: SiteId,
    kind: AnnotationKind,
    value: &str,
    since: u64,
    is_taken: impl Fn(u32) -> bool,
) -> u32 {
    let number = |attempt: u32| {
        let change = format!("{} {} {value} {since} {attempt}", site.0, kind.name());
        let digest = Sha256::digest(change.as_bytes());
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
    };
    let is_free = |id: &u32| *id != 0 && !is_taken(*id);
    (0..).map(number).find(is_free).unwrap_or(1)
}

/// Whether a number is that of an annotation of something else.
fn is_anothers(rows: &[AnnotationRow], id: u32, site: SiteId, kind: AnnotationKind) -> bool {
    let row = rows.iter().find(|row| row.annotation_id == id);
    row.is_some_and(|row| row.site_id != site.0 || row.kind != kind.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::policy::{ConsentMode, Profile};

    fn policies(everywhere: ConsentMode, own: Option<ConsentMode>) -> Policies {
        let policy = |consent| Policy { consent, profile: Profile::Standard };
        let sites = own.map(|consent| ("a.test".to_owned(), policy(consent)));
        Policies { everywhere: policy(everywhere), sites: sites.into_iter().collect() }
    }

    fn configured(everywhere: ConsentMode, own: Option<ConsentMode>) -> Rules {
        Rules::configured(&policies(everywhere, own), OnObjection::Anonymous)
    }

    fn consent(rules: &Rules, domain: &str) -> Option<String> {
        let site = Site::new(SiteId(1), domain, jiff::tz::TimeZone::UTC);
        rules.of(&site, AnnotationKind::Consent).map(|(value, _)| value.clone())
    }

    #[test]
    fn a_site_has_its_own_rules_or_those_of_all() {
        let rules = configured(ConsentMode::NotAsked, Some(ConsentMode::Required));
        assert_eq!(consent(&rules, "a.test").as_deref(), Some("required"));
        assert_eq!(consent(&rules, "b.test").as_deref(), Some("not-asked"));
        assert_eq!(consent(&Rules::remembered(&[]), "a.test"), None);
    }

    #[test]
    fn what_is_written_towards_other_rules_makes_them_those() {
        let states = [
            configured(ConsentMode::NotAsked, None),
            configured(ConsentMode::NotAsked, Some(ConsentMode::Required)),
            configured(ConsentMode::Anonymous, Some(ConsentMode::NotAsked)),
            configured(ConsentMode::Required, None),
        ];
        let mut rows: Vec<RuleRow> = Vec::new();
        for (version, state) in states.iter().enumerate() {
            let written = Rules::remembered(&rows).rows_towards(state, version as u64 + 1);
            for row in written {
                rows.retain(|old| (&old.domain, &old.rule) != (&row.domain, &row.rule));
                rows.push(row);
            }
            let remembered = Rules::remembered(&rows);
            assert!(remembered.rows_towards(state, 9).is_empty(), "state {version}");
            for domain in ["a.test", "b.test"] {
                assert_eq!(consent(&remembered, domain), consent(state, domain));
            }
        }
    }

    #[test]
    fn the_number_of_a_change_is_the_same_for_whoever_finds_it() {
        let number = |since, taken: &[u32]| {
            let kind = AnnotationKind::Consent;
            number_of(SiteId(7), kind, "required", since, |id| taken.contains(&id))
        };
        let one = number(5, &[]);
        assert_eq!(number(5, &[]), one);
        // The same change, made again later, is another one.
        assert_ne!(number(6, &[]), one);
        assert_ne!(number(5, &[one]), one);
    }
}
