//! Filters: which events and visits a report is about.
//!
//! A [`Filter`] is valid by construction: `read` makes it of the wire's form. As a condition on events
//! and on visits it is written by `compile`.

mod pattern;
mod read;
pub(super) mod segments;

use serde_json::{Number, Value, json};

pub(super) use self::read::VALUES_MAX;
use super::dimension::{Field, GOAL, NO_PROPERTY, PropertyName};
use super::error::{Problems, shown};
use crate::site::goal::Goal;

/// A condition on an event, or on the visit that it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// All of them hold; there is at least one.
    All(Vec<Self>),
    /// One of them holds; there is at least one.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// The visit had such an event in the period (or, negated, had none). Conditions on events only.
    Done(Box<Self>, bool),
    /// A single test.
    Test(Test),
}

/// What a test looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A field of the event or the visit.
    Field(Field),
    /// A custom property of the event.
    Property(PropertyName),
    /// The goals that it meets: these, of the site's, are the ones meant.
    Goal(Vec<Goal>),
}

/// How a test compares. A negation is a flag of the [`Test`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Equal to one of the values.
    Is,
    /// One of the values is a part of it.
    Contains,
    /// It begins with one of the values.
    StartsWith,
    /// It ends with one of the values.
    EndsWith,
    /// One of the values, a regular expression, is found in it.
    Matches,
    /// One of the values, a pattern with `*` and `|`, is the whole of it.
    MatchesWildcard,
    /// It is there, and no blank. Of no values.
    IsSet,
}

/// One comparison of one subject with a list of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// What it looks at.
    pub subject: Subject,
    /// How it compares.
    pub comparison: Comparison,
    /// Whether it holds when the comparison does not.
    pub negated: bool,
    /// What it compares with: one of them is enough. Empty for [`Comparison::IsSet`] alone.
    pub values: Vec<String>,
    /// Whether `a` and `A` differ.
    pub case_sensitive: bool,
    /// Whether the values were written as numbers.
    pub numbers: bool,
}

const OPERATORS: [(&str, Comparison, bool); 14] = [
    ("is", Comparison::Is, false),
    ("is_not", Comparison::Is, true),
    ("contains", Comparison::Contains, false),
    ("contains_not", Comparison::Contains, true),
    ("starts_with", Comparison::StartsWith, false),
    ("starts_with_not", Comparison::StartsWith, true),
    ("ends_with", Comparison::EndsWith, false),
    ("ends_with_not", Comparison::EndsWith, true),
    ("matches", Comparison::Matches, false),
    ("matches_not", Comparison::Matches, true),
    ("matches_wildcard", Comparison::MatchesWildcard, false),
    ("matches_wildcard_not", Comparison::MatchesWildcard, true),
    ("is_set", Comparison::IsSet, false),
    ("is_not_set", Comparison::IsSet, true),
];

impl Filter {
    /// The same with the goals of the site that it means.
    pub(super) fn resolve(
        self,
        goals: &[Goal],
        pointer: &str,
        problems: &mut Problems,
    ) -> Option<Self> {
        let mut each = |filters: Vec<Self>| -> Vec<Option<Self>> {
            let filters = filters.into_iter().enumerate();
            filters
                .map(|(index, filter)| {
                    filter.resolve(goals, &format!("{pointer}/1/{index}"), problems)
                })
                .collect()
        };
        Some(match self {
            Self::All(filters) => Self::All(each(filters).into_iter().collect::<Option<_>>()?),
            Self::Any(filters) => Self::Any(each(filters).into_iter().collect::<Option<_>>()?),
            Self::Not(filter) => {
                Self::Not(Box::new(filter.resolve(goals, &format!("{pointer}/1"), problems)?))
            }
            Self::Done(filter, done) => Self::Done(
                Box::new(filter.resolve(goals, &format!("{pointer}/1"), problems)?),
                done,
            ),
            Self::Test(test) => Self::Test(test.resolve(goals, pointer, problems)?),
        })
    }

    /// Every test in it, in order.
    pub fn tests(&self) -> Vec<&Test> {
        match self {
            Self::All(filters) | Self::Any(filters) => {
                filters.iter().flat_map(Self::tests).collect()
            }
            Self::Not(filter) | Self::Done(filter, _) => filter.tests(),
            Self::Test(test) => vec![test],
        }
    }

    /// Every test of single events in it, in order: what has_done asks is of the visit.
    pub(super) fn tests_of_events(&self) -> Vec<&Test> {
        match self {
            Self::All(filters) | Self::Any(filters) => {
                filters.iter().flat_map(Self::tests_of_events).collect()
            }
            Self::Not(filter) => filter.tests_of_events(),
            Self::Done(..) => Vec::new(),
            Self::Test(test) if test.is_of_event() => vec![test],
            Self::Test(_) => Vec::new(),
        }
    }

    /// Whether it asks about single events, outside of has_done.
    pub(super) fn asks_about_events(&self) -> bool {
        match self {
            Self::All(filters) | Self::Any(filters) => filters.iter().any(Self::asks_about_events),
            Self::Not(filter) => filter.asks_about_events(),
            Self::Done(..) => false,
            Self::Test(test) => test.is_of_event(),
        }
    }

    /// Whether it asks, anywhere in it, what else the visit did.
    pub(super) fn looks_at_whole_visits(&self) -> bool {
        match self {
            Self::All(filters) | Self::Any(filters) => {
                filters.iter().any(Self::looks_at_whole_visits)
            }
            Self::Not(filter) => filter.looks_at_whole_visits(),
            Self::Done(..) => true,
            Self::Test(_) => false,
        }
    }

    /// Whether it asks, anywhere in it, about this field.
    pub(super) fn asks_of(&self, field: Field) -> bool {
        self.tests().iter().any(|test| test.subject == Subject::Field(field))
    }

    /// Whether it asks about this field of one event, and about nothing else.
    pub(super) fn is_about(&self, field: Field) -> bool {
        !self.looks_at_whole_visits()
            && self.tests().iter().all(|test| test.subject == Subject::Field(field))
    }

    /// The same with every test of one field turned to another.
    pub(super) fn with_field(&self, from: Field, to: Field) -> Self {
        let all =
            |filters: &[Self]| filters.iter().map(|filter| filter.with_field(from, to)).collect();
        match self {
            Self::All(filters) => Self::All(all(filters)),
            Self::Any(filters) => Self::Any(all(filters)),
            Self::Not(filter) => Self::Not(Box::new(filter.with_field(from, to))),
            // What the visit did is a matter of its events, whatever the rest is about.
            Self::Done(..) => self.clone(),
            Self::Test(test) if test.subject == Subject::Field(from) => {
                Self::Test(Test { subject: Subject::Field(to), ..test.clone() })
            }
            Self::Test(_) => self.clone(),
        }
    }

    /// The filter as queries write it.
    pub fn to_wire(&self) -> Value {
        let all = |filters: &[Self]| filters.iter().map(Self::to_wire).collect::<Vec<_>>();
        match self {
            Self::All(filters) => json!(["and", all(filters)]),
            Self::Any(filters) => json!(["or", all(filters)]),
            Self::Not(filter) => json!(["not", filter.to_wire()]),
            Self::Done(filter, true) => json!(["has_done", filter.to_wire()]),
            Self::Done(filter, false) => json!(["has_not_done", filter.to_wire()]),
            Self::Test(test) => test.to_wire(),
        }
    }
}

impl Test {
    /// Whether events of the same visit may differ in it.
    pub(super) fn is_of_event(&self) -> bool {
        match &self.subject {
            Subject::Field(field) => field.is_of_event(),
            Subject::Property(_) | Subject::Goal(_) => true,
        }
    }

    /// The same with the goals that it means, if it is about goals.
    fn resolve(self, goals: &[Goal], pointer: &str, problems: &mut Problems) -> Option<Self> {
        if !matches!(self.subject, Subject::Goal(_)) {
            return Some(self);
        }
        for (index, value) in self.values.iter().enumerate() {
            if self.comparison == Comparison::Is
                && !goals.iter().any(|goal| self.means(&goal.name, value))
            {
                let message = format!(
                    "Invalid goal {}: the site has no goal of this name.",
                    shown(&json!(value))
                );
                return problems.note(format!("{pointer}/2/{index}"), message);
            }
        }
        let meant = goals
            .iter()
            .filter(|goal| self.values.iter().any(|value| self.means(&goal.name, value)));
        let meant = meant.cloned().collect();
        Some(Self { subject: Subject::Goal(meant), ..self })
    }

    /// Whether a goal of this name is found by the value.
    fn means(&self, name: &str, value: &str) -> bool {
        let (name, value) = match self.case_sensitive {
            true => (name.to_owned(), value.to_owned()),
            false => (name.to_lowercase(), value.to_lowercase()),
        };
        match self.comparison {
            Comparison::Is => name == value,
            // Goals are found by no other comparison: `read` sees to it.
            Comparison::Contains
            | Comparison::StartsWith
            | Comparison::EndsWith
            | Comparison::Matches
            | Comparison::MatchesWildcard
            | Comparison::IsSet => name.contains(&value),
        }
    }

    /// The values that stand for themselves, and whether a blank is one of what is looked for.
    pub(super) fn values_and_blank(&self) -> (Vec<String>, bool) {
        let blank_names: &[&str] = match &self.subject {
            Subject::Field(field) => field.blank_names(),
            Subject::Property(_) => &[NO_PROPERTY],
            Subject::Goal(_) => &[],
        };
        let blank = self.values.iter().any(|value| blank_names.contains(&value.as_str()));
        (self.values.clone(), blank)
    }

    pub(super) fn to_wire(&self) -> Value {
        let operator = OPERATORS.iter().find(|(_, comparison, negated)| {
            (*comparison, *negated) == (self.comparison, self.negated)
        });
        let operator = operator.map_or("is", |(name, ..)| name);
        let dimension = match &self.subject {
            Subject::Field(field) => field.spec().name.to_owned(),
            Subject::Property(name) => name.to_string(),
            Subject::Goal(_) => GOAL.to_owned(),
        };
        if self.comparison == Comparison::IsSet {
            return json!([operator, dimension]);
        }
        // As it was written: a list of numbers is one of numbers alone.
        let number =
            |value: &String| value.parse::<Number>().map_or_else(|_| json!(value), Value::from);
        let values: Vec<Value> = if self.numbers {
            self.values.iter().map(number).collect()
        } else {
            self.values.iter().map(|value| json!(value)).collect()
        };
        match self.case_sensitive {
            true => json!([operator, dimension, values]),
            false => json!([operator, dimension, values, { "case_sensitive": false }]),
        }
    }
}
