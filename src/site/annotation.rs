//! Annotations: what happened on a day, written beside the numbers.

use jiff::Timestamp;
use jiff::civil::Date;

/// An annotation of a site.
#[derive(Clone, Debug, PartialEq)]
pub struct Annotation {
    /// What changes call it. Not 0.
    pub id: u32,
    /// The day of the site's calendar that it stands beside.
    pub day: Date,
    /// What it tells of.
    pub kind: AnnotationKind,
    /// What somebody wrote: 1 to 200 characters; of another kind than [`AnnotationKind::Note`], what the rule is
    /// now, or the name of the goal.
    pub text: String,
    /// When it was made.
    pub made_at: Timestamp,
}

/// What an annotation tells of.
///
/// All but the first are made by the collector, where a rule is changed that changes numbers from then on; they
/// are told in the language of each reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnnotationKind {
    /// Whatever somebody wrote.
    Note,
    /// The site's days begin and end elsewhere; the text is the IANA name of the time zone.
    Timezone,
    /// Events are kept for as many days as the text says; 0 is for ever.
    Retention,
    /// There is a goal of this name.
    GoalAdded,
    /// The revenue of the goal of this name is reported in another currency.
    GoalCurrency,
    /// There is no goal of this name any more.
    GoalRemoved,
    /// The site has this profile; the text is its name.
    Profile,
    /// Visitors are asked so before they are measured; the text is the name of the mode.
    Consent,
    /// This becomes of the views of visitors who object; the text is its name.
    OnObjection,
}

impl AnnotationKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Note,
        Self::Timezone,
        Self::Retention,
        Self::GoalAdded,
        Self::GoalCurrency,
        Self::GoalRemoved,
        Self::Profile,
        Self::Consent,
        Self::OnObjection,
    ];

    /// Those of rules that the operator's configuration makes.
    pub const OF_THE_CONFIGURATION: [Self; 3] = [Self::Profile, Self::Consent, Self::OnObjection];

    /// Its name, as answers and tables have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Timezone => "timezone",
            Self::Retention => "retention",
            Self::GoalAdded => "goal_added",
            Self::GoalCurrency => "goal_currency",
            Self::GoalRemoved => "goal_removed",
            Self::Profile => "profile",
            Self::Consent => "consent",
            Self::OnObjection => "on_objection",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the collector made it, and nobody wrote it.
    pub fn is_automatic(self) -> bool {
        self != Self::Note
    }
}
