//! Everything that the catalog knows at one moment: the rows that hold, as ClickHouse and the snapshot
//! on disk have them, and what look-ups need of them.
//!
//! The snapshot is `catalog.json` in the data directory: an object with a list of rows for each kind of
//! entry, named as its table is. A kind that an older collector did not know is missing, and empty.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use clickhouse::{RowOwned, RowRead, RowWrite};
use serde::{Deserialize, Serialize};

use super::annotations::AnnotationRow;
use super::funnels::FunnelRow;
use super::goals::GoalRow;
use super::links::{LinkRow, SharedLink};
use super::members::{Member, MemberRow};
use super::of_site::listed;
use super::rules::RuleRow;
use super::segments::SegmentRow;
use super::sites::SiteRow;
use super::tokens::{Token, TokenRow};
use crate::site::domain::bare_domain;
use crate::site::member::Person;
use crate::site::policy::Policies;
use crate::site::{Site, SiteId};
use crate::store::{Store, StoreError};
use crate::whole_file;

/// A row of a table of the catalog: what one change left.
pub(super) trait Entry: Clone + RowOwned + RowRead + RowWrite {
    /// The table, in `schema.sql`.
    const TABLE: &'static str;

    /// The change that left it: later ones have greater numbers.
    fn version(&self) -> u64;
}

macro_rules! entries {
    ($($table:ident: $row:ty,)*) => {
        $(impl Entry for $row {
            const TABLE: &'static str = stringify!($table);

            fn version(&self) -> u64 {
                self.version
            }
        })*

        /// The rows that hold, those of what was removed among them.
        #[derive(Default, Serialize, Deserialize)]
        #[serde(default)]
        pub(super) struct Snapshot {
            $(pub(super) $table: Vec<$row>,)*
        }

        impl Snapshot {
            /// The rows as ClickHouse has them.
            pub(super) async fn of(store: &Store) -> Result<Self, StoreError> {
                let ($($table,)*) = tokio::try_join!($(store.read_rows(stringify!($table)),)*)?;
                Ok(Self { $($table,)* })
            }

            /// The version of the last change.
            pub(super) fn last_version(&self) -> u64 {
                let versions = [$(self.$table.iter().map(Entry::version).max(),)*];
                versions.into_iter().flatten().max().unwrap_or(0)
            }
        }
    };
}

entries! {
    sites: SiteRow,
    tokens: TokenRow,
    goals: GoalRow,
    segments: SegmentRow,
    funnels: FunnelRow,
    annotations: AnnotationRow,
    shared_links: LinkRow,
    members: MemberRow,
    rules: RuleRow,
}

impl Snapshot {
    /// The snapshot of an earlier run, if there is one that can be read.
    pub(super) fn read(file: &Path) -> Option<Self> {
        let text = std::fs::read(file).ok()?;
        serde_json::from_slice(&text)
            .inspect_err(|error| {
                tracing::warn!(%error, "the catalog's snapshot can not be read; waiting for ClickHouse instead");
            })
            .ok()
    }

    /// Writes it, where it is another than the one in the file, which is asked every ten seconds.
    ///
    /// It is on the disk then. A start without ClickHouse knows its sites by it, and one with it that the database has to have
    /// some ([`Store::expect_sites`]): an empty file would let events into one that has lost all others. What can not be written
    /// is only logged: the change was made.
    pub(super) fn write(&self, file: &Path) {
        let write = || {
            let text = serde_json::to_vec_pretty(self)?;
            match std::fs::read(file) {
                Ok(written) if written == text => Ok(()),
                _ => whole_file::replace(file, &text),
            }
        };
        if let Err(error) = write() {
            tracing::warn!(%error, "the catalog's snapshot can not be written; check the data directory");
        }
    }
}

/// What is known at one moment.
#[derive(Default)]
pub(super) struct Known {
    /// Whether anything is: from ClickHouse, or from an earlier run.
    pub(super) loaded: bool,
    /// The rows that the rest is made of.
    pub(super) rows: Snapshot,
    /// The sites by their domain.
    pub(super) sites: HashMap<String, Arc<Site>>,
    /// Those that were renamed, by the domain that they had before. It may be another site's by now.
    pub(super) renamed: HashMap<String, Arc<Site>>,
    /// The tokens by their hash.
    pub(super) tokens: HashMap<String, Token>,
    /// The shared links by their slug, those that have ended among them.
    pub(super) links: HashMap<String, SharedLink>,
    /// The members by their name: one for each site that is said of them, and for all sites.
    pub(super) members: HashMap<Person, Vec<Member>>,
}

impl Known {
    pub(super) fn of(rows: Snapshot, policies: &Policies) -> Self {
        let rows = Snapshot { sites: under_their_domains(rows.sites), ..rows };
        // Once for all sites: of thousands, each would look at the rows of all others.
        let goals = by_site(&rows.goals, |row| row.site_id);
        let segments = by_site(&rows.segments, |row| row.site_id);
        let funnels = by_site(&rows.funnels, |row| row.site_id);
        let annotations = by_site(&rows.annotations, |row| row.site_id);
        let whole = |site: Site| {
            let goals = listed(of_site(&goals, site.id), site.id);
            let goals = goals.into_iter().map(|saved| saved.goal);
            let segments = listed(of_site(&segments, site.id), site.id);
            let funnels = listed(of_site(&funnels, site.id), site.id);
            let annotations = listed(of_site(&annotations, site.id), site.id);
            let policy = policies.of(&site.domain);
            Arc::new(Site {
                goals: goals.collect(),
                segments,
                funnels,
                annotations,
                policy,
                ..site
            })
        };
        let (mut sites, mut renamed) = (HashMap::new(), HashMap::new());
        // Of two sites that had a domain it is the one's that had it last.
        let mut in_their_order: Vec<&SiteRow> = rows.sites.iter().collect();
        in_their_order.sort_by_key(|row| row.version);
        for (row, site) in in_their_order.into_iter().filter_map(|row| Some((row, row.site()?))) {
            let site = whole(site);
            if !row.former_domain.is_empty() && !is_another_ones(&rows.sites, row) {
                renamed.insert(row.former_domain.clone(), Arc::clone(&site));
            }
            sites.insert(site.domain.clone(), site);
        }
        let tokens = rows.tokens.iter().filter_map(|row| Some((row.hash.clone(), row.token()?)));
        let tokens = tokens.collect();
        let links = rows.shared_links.iter().filter_map(LinkRow::link);
        let links = links.map(|link| (link.slug.clone(), link)).collect();
        let mut members = HashMap::<Person, Vec<Member>>::new();
        for member in rows.members.iter().filter_map(MemberRow::member) {
            members.entry(member.person.clone()).or_default().push(member);
        }
        Self { loaded: true, sites, renamed, tokens, links, members, rows }
    }
}

/// The rows of each site.
fn by_site<Row>(rows: &[Row], site_of: impl Fn(&Row) -> u32) -> HashMap<u32, Vec<&Row>> {
    let mut by_site = HashMap::<u32, Vec<&Row>>::new();
    for row in rows {
        by_site.entry(site_of(row)).or_default().push(row);
    }
    by_site
}

fn of_site<'rows, Row>(
    by_site: &HashMap<u32, Vec<&'rows Row>>,
    site: SiteId,
) -> impl Iterator<Item = &'rows Row> {
    by_site.get(&site.0).into_iter().flatten().copied()
}

/// The sites under the domains that they are looked up by. One that was registered before these were decoded may be written
/// otherwise; where another site has that domain, it stays what it was called.
fn under_their_domains(mut sites: Vec<SiteRow>) -> Vec<SiteRow> {
    let mut taken: HashSet<String> =
        sites.iter().filter(|row| !row.removed).map(|row| row.domain.clone()).collect();
    for row in &mut sites {
        row.former_domain = bare_domain(&row.former_domain);
        let domain = bare_domain(&row.domain);
        if domain != row.domain && (row.removed || taken.insert(domain.clone())) {
            row.domain = domain;
        }
    }
    sites
}

/// Whether another site has had the former domain of this one since: it is that one's also after it was removed, for its tags may be
/// there still.
fn is_another_ones(sites: &[SiteRow], row: &SiteRow) -> bool {
    sites.iter().any(|other| {
        other.site_id != row.site_id
            && other.domain == row.former_domain
            && other.created_at >= row.created_at
    })
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs::File;
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::site::SiteId;
    use crate::store::catalog::Catalog;

    pub(in crate::store::catalog) fn site(domain: &str, removed: bool) -> SiteRow {
        SiteRow {
            site_id: 7,
            domain: domain.into(),
            former_domain: String::new(),
            timezone: "Asia/Kathmandu".into(),
            retention_days: 0,
            public: false,
            least_visitors: 0,
            created_at: 1,
            removed,
            version: 1,
        }
    }

    #[test]
    fn a_snapshot_brings_the_sites_back() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("catalog.json");
        assert!(!Catalog::open(file.clone(), Policies::default()).is_loaded());
        let sites = vec![site("a.test", false), site("b.test", true)];
        Snapshot { sites, ..Snapshot::default() }.write(&file);
        let again = Catalog::open(file, Policies::default());
        assert!(again.is_loaded());
        assert_eq!(
            again.site("a.test").map(|site| site.timezone_name().to_owned()),
            Some("Asia/Kathmandu".to_owned())
        );
        assert!(again.site("b.test").is_none());
    }

    #[test]
    fn a_snapshot_is_written_when_something_has_changed() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("catalog.json");
        let snapshot =
            |domain: &str| Snapshot { sites: vec![site(domain, false)], ..Snapshot::default() };
        // Held open, so that its number is not given to the next one.
        let written = |domain: &str| {
            snapshot(domain).write(&file);
            let held = File::open(&file).unwrap();
            (held.metadata().unwrap().ino(), held)
        };
        let (first, _held) = written("a.test");
        assert_eq!(written("a.test").0, first);
        let (second, _held) = written("b.test");
        assert_ne!(second, first);
        // Whatever happened to the file meanwhile.
        std::fs::write(&file, "").unwrap();
        snapshot("b.test").write(&file);
        assert!(Catalog::open(file, Policies::default()).site("b.test").is_some());
    }

    #[test]
    fn a_removed_site_is_known_for_its_events_alone() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("catalog.json");
        let removed = SiteRow { retention_days: 30, ..site("b.test", true) };
        let sites = vec![site("a.test", false), SiteRow { site_id: 8, ..removed }];
        Snapshot { sites, ..Snapshot::default() }.write(&file);
        let catalog = Catalog::open(file, Policies::default());
        assert_eq!(catalog.sites().len(), 1);
        let days =
            catalog.sites_of_events().iter().map(|site| site.retention_days).collect::<Vec<_>>();
        assert_eq!(days, [None, Some(30)]);
        let removed = catalog.removed_sites("www.b.test");
        assert_eq!(removed.iter().map(|site| site.id).collect::<Vec<_>>(), [SiteId(8)]);
        assert!(catalog.removed_sites("a.test").is_empty());
    }

    #[test]
    fn a_snapshot_of_a_collector_that_knew_fewer_kinds_of_entries_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("catalog.json");
        let sites = serde_json::to_value([site("a.test", false)]).unwrap();
        std::fs::write(&file, serde_json::json!({ "sites": sites }).to_string()).unwrap();
        assert!(Catalog::open(file, Policies::default()).site("a.test").is_some());
    }

    #[test]
    fn a_site_that_was_registered_as_an_encoded_domain_is_found_under_its_letters() {
        let known =
            |sites| Known::of(Snapshot { sites, ..Snapshot::default() }, &Policies::default());
        let former = SiteRow { former_domain: "BÜcher.test".into(), ..site("a.test", false) };
        let alone =
            known(vec![site("xn--mller-kva.test", false), SiteRow { site_id: 8, ..former }]);
        assert_eq!(alone.sites["müller.test"].id, SiteId(7));
        assert_eq!(alone.renamed["bücher.test"].id, SiteId(8));
        let other = SiteRow { site_id: 8, ..site("müller.test", false) };
        let beside = known(vec![site("xn--mller-kva.test", false), other]);
        assert_eq!(beside.sites["müller.test"].id, SiteId(8));
        assert_eq!(beside.sites["xn--mller-kva.test"].id, SiteId(7));
    }

    #[test]
    fn a_snapshot_that_can_not_be_read_is_as_none() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("catalog.json");
        std::fs::write(&file, "{").unwrap();
        assert!(!Catalog::open(file, Policies::default()).is_loaded());
    }
}
