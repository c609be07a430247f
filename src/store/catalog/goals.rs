//! The goals of the catalog. What a goal is met by makes it what it is: there is one of each kind and
//! value on a site, and one of each name.

use std::cmp::Ordering;

use clickhouse::Row;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::checks::checked_name;
use super::of_site::{Listed, OfSite, listed};
use super::sites::known_site;
use super::{Catalog, CatalogError};
use crate::beacon::{self, PATH_BYTES_MAX};
use crate::event::ENGAGEMENT;
use crate::site::SiteId;
use crate::site::annotation::AnnotationKind;
use crate::site::goal::{Goal, GoalKind};
use crate::store::Store;

/// The most goals of a site: a report by goal asks of each event whether it meets each of them.
const GOALS_MAX: usize = 200;
/// The most bytes that the names and paths of a site's goals have together: they are values of one statement.
const GOALS_BYTES_MAX: usize = 64 * 1024;

/// A row of `goals`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(super) struct GoalRow {
    pub(super) goal_id: u32,
    pub(super) site_id: u32,
    pub(super) kind: String,
    pub(super) event_name: String,
    pub(super) page_path: String,
    pub(super) scroll_threshold: u8,
    pub(super) display_name: String,
    pub(super) currency: String,
    pub(super) created_at: u32,
    pub(super) removed: bool,
    pub(super) version: u64,
}

/// A goal as it is set up.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedGoal {
    /// What changes call it. Not 0.
    pub id: u32,
    /// The site that has it.
    pub site: SiteId,
    /// What it is.
    pub goal: Goal,
}

/// What a goal shall be; what is `None` stays as it is, or takes its default.
#[derive(Clone, Debug)]
pub struct NewGoal {
    /// What meets it.
    pub kind: GoalKind,
    /// Its name in queries and reports; by default made of what meets it.
    pub display_name: Option<String>,
    /// The ISO 4217 code of the currency that its revenue is reported in; by default it brings none.
    /// Goals of events only.
    pub currency: Option<String>,
}

impl Catalog {
    /// The goals of a site, by name.
    pub fn goals(&self, site: SiteId) -> Vec<SavedGoal> {
        listed(&self.known().rows.goals, site)
    }

    /// Sets a goal up, or changes the one that is met by the same. Doing it twice changes nothing.
    ///
    /// # Errors
    /// When there is no such site, something of the goal breaks a rule, or ClickHouse does not answer.
    pub async fn put_goal(
        &self,
        store: &Store,
        domain: &str,
        wanted: NewGoal,
        now: Timestamp,
    ) -> Result<SavedGoal, CatalogError> {
        let wanted = wanted.checked()?;
        let change = self.change(store, now).await?;
        let known = change.known();
        let site = known_site(&known, domain)?;
        let goals = listed(&known.rows.goals, site.id);
        let before = goals.iter().find(|saved| saved.goal.kind == wanted.kind);
        let goal = wanted.applied_to(before.map(|before| &before.goal));
        if let Some(before) = before.filter(|before| before.goal == goal) {
            return Ok(before.clone());
        }
        let others = goals.iter().filter(|other| Some(other.id) != before.map(|before| before.id));
        check_beside(&goal, &others.map(|other| &other.goal).collect::<Vec<_>>())?;
        let (id, created_at) = change.place(&known.rows.goals, before.map(|before| before.id))?;
        let saved = SavedGoal { id, site: site.id, goal };
        change.write(&GoalRow::new(&saved, created_at, change.version())).await?;
        let changed = match before {
            None => Some(AnnotationKind::GoalAdded),
            Some(before) if before.goal.currency != saved.goal.currency => {
                Some(AnnotationKind::GoalCurrency)
            }
            // Another name changes no number.
            Some(_) => None,
        };
        if let Some(kind) = changed {
            change.annotate(site, kind, &saved.goal.name).await;
        }
        Ok(saved)
    }

    /// Removes a goal; with a domain, only if it is of that site. Events stay as they are.
    ///
    /// # Errors
    /// When there is no such goal, or ClickHouse does not answer.
    pub async fn remove_goal(
        &self,
        store: &Store,
        id: u32,
        domain: Option<&str>,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        let change = self.change(store, now).await?;
        let known = change.known();
        let rows = &known.rows.goals;
        let site = match domain {
            Some(domain) => known_site(&known, domain)?,
            None => known
                .sites
                .values()
                .find(|site| rows.iter().any(|row| row.id() == id && row.is_of(site.id)))
                .ok_or(CatalogError::UnknownGoal(id))?,
        };
        let row = change.remove(rows, site.id, id, CatalogError::UnknownGoal).await?;
        change.annotate(site, AnnotationKind::GoalRemoved, &row.display_name).await;
        Ok(())
    }
}

impl GoalRow {
    fn new(saved: &SavedGoal, created_at: u32, version: u64) -> Self {
        let SavedGoal { id, site, goal } = saved;
        let (kind, event_name, page_path, scroll_threshold) = match &goal.kind {
            GoalKind::Event(name) => ("event", name.clone(), String::new(), 0),
            GoalKind::Page(path) => ("page", String::new(), path.clone(), 0),
            GoalKind::Scroll(path, threshold) => {
                ("scroll", String::new(), path.clone(), *threshold)
            }
        };
        Self {
            goal_id: *id,
            site_id: site.0,
            kind: kind.to_owned(),
            event_name,
            page_path,
            scroll_threshold,
            display_name: goal.name.clone(),
            currency: goal.currency.clone().unwrap_or_default(),
            created_at,
            removed: false,
            version,
        }
    }
}

impl Listed for GoalRow {
    type Entry = SavedGoal;

    /// By name.
    fn order(&self, other: &Self) -> Ordering {
        self.display_name.cmp(&other.display_name)
    }

    fn entry(&self) -> Option<SavedGoal> {
        let kind = match self.kind.as_str() {
            "event" => GoalKind::Event(self.event_name.clone()),
            "page" => GoalKind::Page(self.page_path.clone()),
            "scroll" => GoalKind::Scroll(self.page_path.clone(), self.scroll_threshold),
            // Of a later version of the program.
            _ => return None,
        };
        let currency = (!self.currency.is_empty()).then(|| self.currency.clone());
        let goal = Goal { name: self.display_name.clone(), kind, currency };
        Some(SavedGoal { id: self.goal_id, site: SiteId(self.site_id), goal })
    }
}

impl NewGoal {
    /// The same, without spaces around its texts, if they keep their rules.
    fn checked(self) -> Result<Self, CatalogError> {
        let kind = checked_kind(self.kind)?;
        let display_name = self.display_name.map(|name| checked_name("display_name", &name));
        let currency = self.currency.map(|code| checked_currency(&code, &kind));
        Ok(Self { display_name: display_name.transpose()?, currency: currency.transpose()?, kind })
    }

    /// The goal that it makes of what there was.
    fn applied_to(self, before: Option<&Goal>) -> Goal {
        let name = self.display_name.or_else(|| before.map(|before| before.name.clone()));
        Goal {
            name: name.unwrap_or_else(|| self.kind.default_name()),
            currency: self.currency.or_else(|| before?.currency.clone()),
            kind: self.kind,
        }
    }
}

/// Whether a goal can be beside the others of its site.
fn check_beside(goal: &Goal, others: &[&Goal]) -> Result<(), CatalogError> {
    if others.iter().any(|other| other.name == goal.name) {
        return Err(CatalogError::GoalNameTaken(goal.name.clone()));
    }
    if others.len() >= GOALS_MAX {
        return Err(CatalogError::TooMany { what: "goals", most: GOALS_MAX });
    }
    let bytes_of_others: usize = others.iter().map(|other| bytes(other)).sum();
    if bytes_of_others + bytes(goal) > GOALS_BYTES_MAX {
        return Err(CatalogError::TooMany { what: "bytes of goals", most: GOALS_BYTES_MAX });
    }
    Ok(())
}

/// What the goal adds to a statement that asks about it.
fn bytes(goal: &Goal) -> usize {
    let value = match &goal.kind {
        GoalKind::Event(value) | GoalKind::Page(value) | GoalKind::Scroll(value, _) => value,
    };
    goal.name.len() + value.len()
}

fn checked_kind(kind: GoalKind) -> Result<GoalKind, CatalogError> {
    Ok(match kind {
        GoalKind::Event(name) => GoalKind::Event(checked_event(&name)?),
        GoalKind::Page(path) => GoalKind::Page(checked_path(&path)?),
        GoalKind::Scroll(_, threshold) if threshold > 100 => {
            return Err(CatalogError::ScrollThreshold(threshold.to_string()));
        }
        GoalKind::Scroll(path, threshold) => GoalKind::Scroll(checked_path(&path)?, threshold),
    })
}

fn checked_event(name: &str) -> Result<String, CatalogError> {
    let name = checked_name("event_name", name)?;
    if name == ENGAGEMENT { Err(CatalogError::EventName) } else { Ok(name) }
}

fn checked_path(path: &str) -> Result<String, CatalogError> {
    let path = path.trim();
    if !path.starts_with(['/', '*']) || path.len() > PATH_BYTES_MAX {
        return Err(CatalogError::PagePath { path: path.to_owned(), most: PATH_BYTES_MAX });
    }
    Ok(path.to_owned())
}

fn checked_currency(code: &str, kind: &GoalKind) -> Result<String, CatalogError> {
    if !matches!(kind, GoalKind::Event(_)) {
        return Err(CatalogError::CurrencyOfPage);
    }
    let known = beacon::currency(code.trim());
    known.map(str::to_owned).ok_or_else(|| CatalogError::Currency(code.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_read_from_its_row_as_it_was_written() {
        let kinds = [
            (GoalKind::Event("Purchase".into()), Some("EUR".to_owned())),
            (GoalKind::Page("/blog/**".into()), None),
            (GoalKind::Scroll("/".into(), 60), None),
        ];
        for (id, (kind, currency)) in (1..).zip(kinds) {
            let goal = Goal { name: kind.default_name(), kind, currency };
            let saved = SavedGoal { id, site: SiteId(3), goal };
            assert_eq!(GoalRow::new(&saved, 1, 1).entry(), Some(saved));
        }
    }

    #[test]
    fn a_goal_of_a_kind_that_is_not_known_is_left_out() {
        let goal = Goal { name: "x".into(), kind: GoalKind::Event("x".into()), currency: None };
        let row = GoalRow::new(&SavedGoal { id: 1, site: SiteId(3), goal }, 1, 1);
        assert_eq!(GoalRow { kind: "later".into(), ..row.clone() }.entry(), None);
        assert_eq!(listed(&[GoalRow { removed: true, ..row.clone() }], SiteId(3)), []);
        assert_eq!(listed(&[row], SiteId(4)), []);
    }

    #[test]
    fn a_site_has_so_many_goals_of_so_many_bytes_and_no_more() {
        let goal = |number: usize, path: String| Goal {
            name: number.to_string(),
            kind: GoalKind::Page(path),
            currency: None,
        };
        let short: Vec<_> = (0..GOALS_MAX).map(|number| goal(number, "/".into())).collect();
        let short: Vec<_> = short.iter().collect();
        let one_more = goal(GOALS_MAX, "/".into());
        assert!(check_beside(&one_more, &short[1..]).is_ok());
        assert!(check_beside(&one_more, &short).is_err());
        assert!(check_beside(short[0], &short[..2]).is_err(), "two goals have one name");
        let long = goal(1, "x".repeat(GOALS_BYTES_MAX / 2));
        assert!(check_beside(&goal(2, "x".repeat(GOALS_BYTES_MAX / 2 - 10)), &[&long]).is_ok());
        assert!(check_beside(&goal(2, "x".repeat(GOALS_BYTES_MAX / 2)), &[&long]).is_err());
    }

    #[test]
    fn what_meets_a_goal_keeps_its_rules() {
        let event = |name: &str| checked_kind(GoalKind::Event(name.into()));
        assert_eq!(event(" Sign up ").unwrap(), GoalKind::Event("Sign up".into()));
        for name in ["", "  ", "engagement", "a\nb", &"x".repeat(121)] {
            assert!(event(name).is_err(), "{name} was taken");
        }
        let page = |path: &str| checked_kind(GoalKind::Page(path.into()));
        assert!(page("/a/**").is_ok() && page("*/thanks").is_ok());
        for path in ["", "a", "https://example.com/a", &format!("/{}", "x".repeat(2000))] {
            assert!(page(path).is_err(), "{path} was taken");
        }
        let scroll = |threshold| checked_kind(GoalKind::Scroll("/".into(), threshold));
        assert!(scroll(0).is_ok() && scroll(100).is_ok() && scroll(101).is_err());
    }

    #[test]
    fn a_currency_is_a_known_one_and_of_an_event() {
        let event = GoalKind::Event("Purchase".into());
        assert_eq!(checked_currency("eur", &event).unwrap(), "EUR");
        assert!(checked_currency("XYZ", &event).is_err());
        assert!(checked_currency("EUR", &GoalKind::Page("/".into())).is_err());
    }
}
