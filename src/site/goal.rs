//! Goals: what a site wants its visitors to do, by names of its own.

use crate::event::PAGEVIEW;

/// A goal of a site.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Goal {
    /// The name in queries and reports; unique within the site.
    pub name: String,
    /// What meets it.
    pub kind: GoalKind,
    /// The ISO 4217 code of the currency that its revenue is reported in, if it brings any.
    pub currency: Option<String>,
}

/// What meets a goal. One event may meet several goals, and counts for each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GoalKind {
    /// A custom event of this name.
    Event(String),
    /// A view of a page of this path; `*` and `**` stand for any characters.
    Page(String),
    /// A page of this path (as above), scrolled down to this percentage, 0 to 100, or further.
    Scroll(String, u8),
}

impl GoalKind {
    /// Whether it is known that no event meets both.
    pub fn excludes(&self, other: &Self) -> bool {
        let is_plain = |path: &str| !path.contains('*');
        match (self, other) {
            (Self::Event(one), Self::Event(other)) => one != other,
            (Self::Event(name), Self::Page(_)) | (Self::Page(_), Self::Event(name)) => {
                name != PAGEVIEW
            }
            (Self::Scroll(one, _), Self::Scroll(other, _))
            | (Self::Page(one), Self::Page(other)) => {
                is_plain(one) && is_plain(other) && one != other
            }
            (Self::Scroll(..), Self::Event(_) | Self::Page(_))
            | (Self::Event(_) | Self::Page(_), Self::Scroll(..)) => true,
        }
    }

    /// What a goal is called when its site gives it no name.
    pub fn default_name(&self) -> String {
        match self {
            Self::Event(name) => name.clone(),
            Self::Page(path) => format!("Visit {path}"),
            Self::Scroll(path, threshold) => format!("Scroll {threshold}% on {path}"),
        }
    }
}

impl Goal {
    /// Whether engagement, and not an event that reports count, meets it.
    pub fn is_of_scrolling(&self) -> bool {
        matches!(self.kind, GoalKind::Scroll(..))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_exclude_each_other_where_no_event_can_meet_both() {
        let event = |name: &str| GoalKind::Event(name.into());
        let page = |path: &str| GoalKind::Page(path.into());
        let scroll = |path: &str, percent| GoalKind::Scroll(path.into(), percent);
        let check = |one: GoalKind, other: GoalKind, expected| {
            assert_eq!(one.excludes(&other), expected, "{one:?} {other:?}");
            assert_eq!(other.excludes(&one), expected, "{other:?} {one:?}");
        };
        check(event("Signup"), event("Purchase"), true);
        check(event("Signup"), event("Signup"), false);
        check(event("Signup"), page("/a"), true);
        check(event(PAGEVIEW), page("/a"), false);
        check(page("/a"), page("/b"), true);
        check(page("/a"), page("/**"), false);
        check(page("/a"), scroll("/a", 50), true);
        check(event(PAGEVIEW), scroll("/a", 50), true);
        check(scroll("/a", 50), scroll("/a", 90), false);
        check(scroll("/a", 50), scroll("/b", 50), true);
    }
}
