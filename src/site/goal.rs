//! Goals: what a site wants its visitors to do, by names of its own.

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
