//! Filters: which events and visits a report is about.
//!
//! A [`Filter`] is valid by construction. It is written in three ways: on the wire (here, both
//! directions), and as a condition on events or on visits (`compile`).

use serde_json::{Value, json};

use super::dimension::{Field, NO_PROPERTY, PropertyName};
use super::error::{Problems, child, shown};

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
}

/// How a test compares. A negation is a flag of the [`Test`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Equal to one of the values.
    Is,
    /// One of the values is a part of it.
    Contains,
    /// One of the values, a regular expression, is found in it.
    Matches,
    /// One of the values, a pattern with `*` and `|`, is the whole of it.
    MatchesWildcard,
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
    /// What it compares with: one of them is enough. Not empty.
    pub values: Vec<String>,
    /// Whether `a` and `A` differ.
    pub case_sensitive: bool,
    /// Whether the values were written as numbers.
    pub numbers: bool,
}

const OPERATORS: [(&str, Comparison, bool); 8] = [
    ("is", Comparison::Is, false),
    ("is_not", Comparison::Is, true),
    ("contains", Comparison::Contains, false),
    ("contains_not", Comparison::Contains, true),
    ("matches", Comparison::Matches, false),
    ("matches_not", Comparison::Matches, true),
    ("matches_wildcard", Comparison::MatchesWildcard, false),
    ("matches_wildcard_not", Comparison::MatchesWildcard, true),
];

const OPERATOR_NAMES: &str = "is, is_not, contains, contains_not, matches, matches_not, matches_wildcard, \
     matches_wildcard_not, and, or, not, has_done, has_not_done";

/// How deep filters may lie in each other.
const DEPTH_MAX: usize = 16;

/// Where in the tree a filter stands.
#[derive(Clone, Copy)]
struct Place {
    depth: usize,
    top: bool,
    done: bool,
}

impl Filter {
    /// Reads one entry of the list of filters.
    pub(super) fn parse(value: &Value, pointer: &str, problems: &mut Problems) -> Option<Self> {
        parse(value, pointer, Place { depth: 0, top: true, done: false }, problems)
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

    /// Whether it asks about single events, outside of has_done.
    pub(super) fn asks_about_events(&self) -> bool {
        match self {
            Self::All(filters) | Self::Any(filters) => filters.iter().any(Self::asks_about_events),
            Self::Not(filter) => filter.asks_about_events(),
            Self::Done(..) => false,
            Self::Test(test) => test.is_of_event(),
        }
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

fn parse(value: &Value, pointer: &str, place: Place, problems: &mut Problems) -> Option<Filter> {
    let parts = value.as_array().map_or(&[] as &[Value], Vec::as_slice);
    let Some(operator) = parts.first().and_then(Value::as_str) else {
        let message = format!(
            "Invalid filter {}: it is a list such as [\"is\", \"visit:source\", [\"Google\"]].",
            shown(value)
        );
        return problems.note(pointer, message);
    };
    if place.depth > DEPTH_MAX {
        return problems.note(
            pointer,
            format!("Invalid filter {}: filters nest {DEPTH_MAX} deep at most.", shown(value)),
        );
    }
    let inner = Place { depth: place.depth + 1, top: false, ..place };
    match operator {
        "and" => list(parts, pointer, inner, problems).map(Filter::All),
        "or" => list(parts, pointer, inner, problems).map(Filter::Any),
        "not" => {
            single(parts, pointer, inner, problems).map(|filter| Filter::Not(Box::new(filter)))
        }
        "has_done" | "has_not_done" if place.done => problems.note(
            pointer,
            format!("Invalid filter {}: {operator} cannot be inside another.", shown(value)),
        ),
        "has_done" | "has_not_done" => {
            let filter = single(parts, pointer, Place { done: true, ..inner }, problems)?;
            Some(Filter::Done(Box::new(filter), operator == "has_done"))
        }
        _ => test(operator, parts, pointer, place, problems).map(Filter::Test),
    }
}

fn list(
    parts: &[Value],
    pointer: &str,
    inner: Place,
    problems: &mut Problems,
) -> Option<Vec<Filter>> {
    let entries = match parts {
        [_, Value::Array(entries)] if !entries.is_empty() => entries,
        _ => {
            let message = format!(
                "Invalid filter {}: {} takes one list of at least one filter.",
                shown(&json!(parts)),
                parts[0]
            );
            return problems.note(pointer, message);
        }
    };
    let parsed = entries
        .iter()
        .enumerate()
        .map(|(index, entry)| parse(entry, &format!("{pointer}/1/{index}"), inner, problems));
    // Every entry is looked at, so that every problem is told.
    parsed.collect::<Vec<_>>().into_iter().collect()
}

fn single(parts: &[Value], pointer: &str, inner: Place, problems: &mut Problems) -> Option<Filter> {
    match parts {
        [_, entry] => parse(entry, &format!("{pointer}/1"), inner, problems),
        _ => problems.note(
            pointer,
            format!("Invalid filter {}: {} takes one filter.", shown(&json!(parts)), parts[0]),
        ),
    }
}

fn test(
    operator: &str,
    parts: &[Value],
    pointer: &str,
    place: Place,
    problems: &mut Problems,
) -> Option<Test> {
    let Some(&(_, comparison, negated)) = OPERATORS.iter().find(|(name, ..)| *name == operator)
    else {
        let message =
            format!("Invalid operator {}: the operators are {OPERATOR_NAMES}.", shown(&parts[0]));
        return problems.note(format!("{pointer}/0"), message);
    };
    if !(3..=4).contains(&parts.len()) {
        let message = format!(
            "Invalid filter {}: {operator} takes a dimension and a list of values.",
            shown(&json!(parts))
        );
        return problems.note(pointer, message);
    }
    let subject = subject(&parts[1], &format!("{pointer}/1"), place, problems);
    let values = values(&parts[2], &format!("{pointer}/2"), problems);
    let case_sensitive = match parts.get(3) {
        None => Some(true),
        Some(modifiers) => case_modifier(modifiers, comparison, &format!("{pointer}/3"), problems),
    };
    let (subject, (values, numbers), case_sensitive) = (subject?, values?, case_sensitive?);
    let test = Test { subject, comparison, negated, values, case_sensitive, numbers };
    test.keeps_the_rules_of_its_values(pointer, problems).then_some(test)
}

fn subject(value: &Value, pointer: &str, place: Place, problems: &mut Problems) -> Option<Subject> {
    let name = value.as_str().unwrap_or_default();
    let field = Field::named(name).map(Subject::Field);
    let Some(subject) = field.or_else(|| PropertyName::of_dimension(name).map(Subject::Property))
    else {
        return problems.note(pointer, format!("Invalid dimension {} in a filter.", shown(value)));
    };
    if subject == Subject::Field(Field::Hostname) && !place.top {
        let message = format!(
            "Invalid filter on {}: it must stand at the top level of the filters.",
            shown(value)
        );
        return problems.note(pointer, message);
    }
    if place.done && matches!(subject, Subject::Field(field) if !field.is_of_event()) {
        let message = format!(
            "Invalid filter on {}: only event dimensions can be inside has_done.",
            shown(value)
        );
        return problems.note(pointer, message);
    }
    Some(subject)
}

/// The values, and whether they were written as numbers.
fn values(value: &Value, pointer: &str, problems: &mut Problems) -> Option<(Vec<String>, bool)> {
    let list = value.as_array().map_or(&[] as &[Value], Vec::as_slice);
    if !list.is_empty() && list.iter().all(Value::is_string) {
        return Some((list.iter().filter_map(Value::as_str).map(str::to_owned).collect(), false));
    }
    if !list.is_empty() && list.iter().all(|value| value.is_u64() || value.is_i64()) {
        return Some((list.iter().map(Value::to_string).collect(), true));
    }
    problems.note(
        pointer,
        format!(
            "Invalid values {}: a list of strings, or of whole numbers, at least one.",
            shown(value)
        ),
    )
}

fn case_modifier(
    value: &Value,
    comparison: Comparison,
    pointer: &str,
    problems: &mut Problems,
) -> Option<bool> {
    if matches!(comparison, Comparison::Matches | Comparison::MatchesWildcard) {
        let message = format!(
            "Invalid modifiers {}: patterns take none; (?i) in a pattern ignores case.",
            shown(value)
        );
        return problems.note(pointer, message);
    }
    let Some(modifiers) = value.as_object() else {
        return problems.note(
            pointer,
            format!("Invalid modifiers {}: {{\"case_sensitive\": true or false}}.", shown(value)),
        );
    };
    let mut case_sensitive = Some(true);
    for (key, value) in modifiers {
        let pointer = child(pointer, key);
        case_sensitive = match (key.as_str(), value) {
            ("case_sensitive", Value::Bool(sensitive)) => Some(*sensitive),
            ("case_sensitive", _) => problems
                .note(pointer, format!("Invalid case_sensitive {}: true or false.", shown(value))),
            _ => problems.note(
                pointer,
                format!("Unknown key {key:?}: the only modifier is case_sensitive."),
            ),
        };
    }
    case_sensitive
}

impl Test {
    /// Whether events of the same visit may differ in it.
    pub(super) fn is_of_event(&self) -> bool {
        match &self.subject {
            Subject::Field(field) => field.is_of_event(),
            Subject::Property(_) => true,
        }
    }

    fn keeps_the_rules_of_its_values(&self, pointer: &str, problems: &mut Problems) -> bool {
        let of_country =
            self.subject == Subject::Field(Field::Country) && self.comparison == Comparison::Is;
        let two_letters = |value: &String| {
            value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_alphabetic())
        };
        for (index, value) in self.values.iter().enumerate() {
            if of_country && !two_letters(value) {
                let message =
                    format!("Invalid country {}: two letters, as in \"DE\".", shown(&json!(value)));
                problems.note::<()>(format!("{pointer}/2/{index}"), message);
                return false;
            }
        }
        true
    }

    /// The values that stand for themselves, and whether a blank is one of what is looked for.
    pub(super) fn values_and_blank(&self) -> (Vec<String>, bool) {
        let blank_names: &[&str] = match &self.subject {
            Subject::Field(field) => field.blank_names(),
            Subject::Property(_) => &[NO_PROPERTY],
        };
        let blank = self.values.iter().any(|value| blank_names.contains(&value.as_str()));
        (self.values.clone(), blank)
    }

    fn to_wire(&self) -> Value {
        let operator = OPERATORS.iter().find(|(_, comparison, negated)| {
            (*comparison, *negated) == (self.comparison, self.negated)
        });
        let operator = operator.map_or("is", |(name, ..)| name);
        let dimension = match &self.subject {
            Subject::Field(field) => field.spec().name.to_owned(),
            Subject::Property(name) => name.to_string(),
        };
        let number = |value: &String| {
            value.parse::<i64>().map_or_else(|_| json!(value), |number| json!(number))
        };
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
