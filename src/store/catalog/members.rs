//! The members of the catalog: which person may do what with which site, or with every site.
//!
//! A row whose member was removed has no name any more: nobody's address stays because it was here once.

use clickhouse::Row;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::sites::known_site;
use super::snapshot::Known;
use super::{Catalog, CatalogError, free_number};
use crate::site::SiteId;
use crate::site::member::{Person, Role};
use crate::store::Store;

/// The most members of a site, and of all sites.
const MEMBERS_MAX: usize = 1_000;

/// A row of `members`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(super) struct MemberRow {
    pub(super) member_id: u32,
    pub(super) person: String,
    /// 0 is every site.
    pub(super) site_id: u32,
    pub(super) role: String,
    pub(super) created_at: u32,
    pub(super) removed: bool,
    pub(super) version: u64,
}

/// What a person may do with a site, or with every site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who it is.
    pub person: Person,
    /// The site; `None` is every site, those to come among them.
    pub site: Option<SiteId>,
    /// What the person may do.
    pub role: Role,
}

impl Member {
    fn is_of(&self, site: SiteId) -> bool {
        self.site.is_none_or(|own| own == site)
    }
}

impl Catalog {
    /// What a person may do with a site: the most that is said of that site or of every site.
    pub fn role(&self, person: &Person, site: SiteId) -> Option<Role> {
        let known = self.known();
        let of_site = known.members.get(person).into_iter().flatten();
        of_site.filter(|member| member.is_of(site)).map(|member| member.role).max()
    }

    /// Whether a person owns every site.
    pub fn owns_every_site(&self, person: &Person) -> bool {
        let known = self.known();
        let mut members = known.members.get(person).into_iter().flatten();
        members.any(|member| member.site.is_none() && member.role == Role::Owner)
    }

    /// Whether a person has a role anywhere.
    pub fn is_member(&self, person: &Person) -> bool {
        let known = self.known();
        let mut members = known.members.get(person).into_iter().flatten();
        members.any(|member| {
            member.site.is_none_or(|own| known.sites.values().any(|site| site.id == own))
        })
    }

    /// The members of a site, those of every site among them; or of these alone, for no site. By name.
    pub fn members(&self, site: Option<SiteId>) -> Vec<Member> {
        let known = self.known();
        let is_wanted = |member: &&Member| match site {
            Some(site) => member.is_of(site),
            None => member.site.is_none(),
        };
        let mut members: Vec<_> =
            known.members.values().flatten().filter(is_wanted).cloned().collect();
        members.sort_by(|one, other| (&one.person, one.site).cmp(&(&other.person, other.site)));
        members
    }

    /// Gives a person a role of a site, or of every site, in place of the one that it had there.
    ///
    /// # Errors
    /// When there is no such site, the name can not be one, there are too many, or ClickHouse does not answer.
    pub async fn put_member(
        &self,
        store: &Store,
        person: &str,
        domain: Option<&str>,
        role: Role,
        now: Timestamp,
    ) -> Result<Member, CatalogError> {
        let person = checked_person(person)?;
        let change = self.change(store, now).await?;
        let known = change.known();
        let site = domain.map(|domain| known_site(&known, domain)).transpose()?.map(|site| site.id);
        let row = match found(&known, &person, site) {
            Some(row) => row.clone(),
            None if count(&known, site) >= MEMBERS_MAX => {
                return Err(CatalogError::TooMany { what: "members", most: MEMBERS_MAX });
            }
            None => MemberRow {
                member_id: free_number(|id| {
                    known.rows.members.iter().any(|row| row.member_id == id)
                })?,
                person: person.name().to_owned(),
                site_id: number(site),
                role: String::new(),
                created_at: change.second(),
                removed: false,
                version: 0,
            },
        };
        let row = MemberRow { role: role.name().to_owned(), version: change.version(), ..row };
        change.write(&row).await?;
        Ok(Member { person, site, role })
    }

    /// Takes a person's role of a site, or of every site, away.
    ///
    /// # Errors
    /// When there is no such site or member, or ClickHouse does not answer.
    pub async fn remove_member(
        &self,
        store: &Store,
        person: &str,
        domain: Option<&str>,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        let person = checked_person(person)?;
        let change = self.change(store, now).await?;
        let known = change.known();
        let site = domain.map(|domain| known_site(&known, domain)).transpose()?.map(|site| site.id);
        let row = found(&known, &person, site);
        let row = row.ok_or_else(|| CatalogError::UnknownMember(person.name().to_owned()))?;
        let (person, version) = (String::new(), change.version());
        change.write(&MemberRow { person, removed: true, version, ..row.clone() }).await
    }
}

fn checked_person(name: &str) -> Result<Person, CatalogError> {
    Person::named(name).ok_or_else(|| CatalogError::Person(name.to_owned()))
}

fn number(site: Option<SiteId>) -> u32 {
    site.map_or(0, |site| site.0)
}

fn found<'known>(
    known: &'known Known,
    person: &Person,
    site: Option<SiteId>,
) -> Option<&'known MemberRow> {
    let is_it = |row: &&MemberRow| {
        !row.removed && row.site_id == number(site) && row.person == person.name()
    };
    known.rows.members.iter().find(is_it)
}

fn count(known: &Known, site: Option<SiteId>) -> usize {
    let rows = known.rows.members.iter();
    rows.filter(|row| !row.removed && row.site_id == number(site)).count()
}

impl MemberRow {
    /// The member, unless it was removed. A role that this collector does not know is none.
    pub(super) fn member(&self) -> Option<Member> {
        let site = (self.site_id != 0).then_some(SiteId(self.site_id));
        let member =
            Member { person: Person::named(&self.person)?, site, role: Role::named(&self.role)? };
        (!self.removed).then_some(member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::policy::Policies;
    use crate::store::catalog::snapshot::Snapshot;

    fn row(person: &str, site_id: u32, role: &str) -> MemberRow {
        MemberRow {
            member_id: 1,
            person: person.into(),
            site_id,
            role: role.into(),
            created_at: 1,
            removed: false,
            version: 1,
        }
    }

    #[test]
    fn a_person_may_do_the_most_that_is_said_of_the_site_or_of_all() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("catalog.json");
        let gone = MemberRow { removed: true, ..row("gone@a.test", 0, "owner") };
        let members = vec![
            row("anna@a.test", 1, "editor"),
            row("anna@a.test", 0, "viewer"),
            row("boss@a.test", 0, "owner"),
            row("odd@a.test", 1, "emperor"),
            gone,
        ];
        Snapshot { members, ..Snapshot::default() }.write(&file);
        let catalog = Catalog::open(file, Policies::default());
        let role = |name, site| catalog.role(&Person::named(name).unwrap(), SiteId(site));
        assert_eq!(role("Anna@a.test", 1), Some(Role::Editor));
        assert_eq!(role("anna@a.test", 2), Some(Role::Viewer));
        assert_eq!(role("boss@a.test", 9), Some(Role::Owner));
        for nobody in ["gone@a.test", "odd@a.test", "other@a.test"] {
            assert_eq!(role(nobody, 1), None, "{nobody}");
        }
        let owns = |name| catalog.owns_every_site(&Person::named(name).unwrap());
        assert!(owns("boss@a.test") && !owns("anna@a.test"));
    }
}
