//! Filters as queries write them, read.

use serde_json::{Value, json};

use super::{Comparison, Filter, OPERATORS, Subject, Test, pattern};
use crate::query::dimension::{Field, GOAL, PropertyName};
use crate::query::error::{Problems, child, shown, whole};

/// The operators that have other filters inside, and no comparison of their own.
const NESTING: [&str; 5] = ["and", "or", "not", "has_done", "has_not_done"];

/// The most values of one filter, and the most bytes that they have together: what the database takes as
/// one parameter.
pub(in crate::query) const VALUES_MAX: usize = 1_000;
const VALUES_BYTES_MAX: usize = 32 * 1024;

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
    pub(in crate::query) fn parse(
        value: &Value,
        pointer: &str,
        problems: &mut Problems,
    ) -> Option<Self> {
        parse(value, pointer, Place { depth: 0, top: true, done: false }, problems)
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
        let names: Vec<&str> = OPERATORS.iter().map(|(name, ..)| *name).chain(NESTING).collect();
        let names = names.join(", ");
        let message = format!("Invalid operator {}: the operators are {names}.", shown(&parts[0]));
        return problems.note(format!("{pointer}/0"), message);
    };
    let of_values = comparison != Comparison::IsSet;
    let (lengths, takes) = match of_values {
        true => (3..=4, "a dimension and a list of values"),
        false => (2..=2, "a dimension, and no values"),
    };
    if !lengths.contains(&parts.len()) {
        let shown = shown(&json!(parts));
        return problems
            .note(pointer, format!("Invalid filter {shown}: {operator} takes {takes}."));
    }
    let subject = subject(&parts[1], &format!("{pointer}/1"), place, problems);
    let values = match of_values {
        true => values(&parts[2], &format!("{pointer}/2"), problems),
        false => Some((Vec::new(), false)),
    };
    let case_sensitive = match parts.get(3) {
        None => Some(true),
        Some(modifiers) => case_modifier(modifiers, comparison, &format!("{pointer}/3"), problems),
    };
    let (subject, (values, numbers), case_sensitive) = (subject?, values?, case_sensitive?);
    if matches!(subject, Subject::Goal(_))
        && (negated || !matches!(comparison, Comparison::Is | Comparison::Contains))
    {
        let message =
            format!("Invalid operator {}: goals are found by is and contains.", shown(&parts[0]));
        return problems.note(format!("{pointer}/0"), message);
    }
    let values = match of_country(&subject, comparison) {
        true => values.into_iter().map(as_country).collect(),
        false => values,
    };
    let test = Test { subject, comparison, negated, values, case_sensitive, numbers };
    test.keeps_the_rules_of_its_values(pointer, problems).then_some(test)
}

fn subject(value: &Value, pointer: &str, place: Place, problems: &mut Problems) -> Option<Subject> {
    let name = value.as_str().unwrap_or_default();
    let goal = (name == GOAL).then(|| Subject::Goal(Vec::new()));
    let field = || Field::named(name).map(Subject::Field);
    let property = || PropertyName::of_dimension(name).map(Subject::Property);
    let Some(subject) = goal.or_else(field).or_else(property) else {
        return problems.note(pointer, format!("Invalid dimension {} in a filter.", shown(value)));
    };
    let is_goal = matches!(subject, Subject::Goal(_));
    let is_host = subject == Subject::Field(Field::Hostname);
    if (is_host || is_goal) && !place.top && !(is_goal && place.done) {
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
    let numbers = list.iter().all(|value| value.is_i64() || whole(value).is_some());
    if list.is_empty() || !(numbers || list.iter().all(Value::is_string)) {
        let rule = "a list of strings, or of whole numbers, at least one.";
        return problems.note(pointer, format!("Invalid values {}: {rule}", shown(value)));
    }
    let text = |value: &Value| match (value.as_str(), whole(value)) {
        (Some(text), _) => text.to_owned(),
        (None, Some(number)) => number.to_string(),
        (None, None) => value.to_string(),
    };
    let values: Vec<String> = list.iter().map(text).collect();
    let bytes: usize = values.iter().map(String::len).sum();
    if values.len() > VALUES_MAX || bytes > VALUES_BYTES_MAX {
        let rule = format!("at most {VALUES_MAX} values of {VALUES_BYTES_MAX} bytes together.");
        return problems
            .note(pointer, format!("Invalid values: {} of {bytes} bytes; {rule}", values.len()));
    }
    Some((values, numbers))
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

/// Whether values are whole codes of countries.
fn of_country(subject: &Subject, comparison: Comparison) -> bool {
    *subject == Subject::Field(Field::Country) && comparison == Comparison::Is
}

fn is_two_letters(value: &str) -> bool {
    value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// The code as it is stored: `de` is no other country than `DE`.
fn as_country(value: String) -> String {
    if is_two_letters(&value) { value.to_ascii_uppercase() } else { value }
}

impl Test {
    fn keeps_the_rules_of_its_values(&self, pointer: &str, problems: &mut Problems) -> bool {
        let of_country = of_country(&self.subject, self.comparison);
        // A blank, as reports show it, and by its name.
        let is_blank =
            |value: &str| value.is_empty() || Field::Country.blank_names().contains(&value);
        for (index, value) in self.values.iter().enumerate() {
            if of_country && !is_two_letters(value) && !is_blank(value) {
                let rule = "two letters, as in \"DE\", or \"\" for none.";
                let message = format!("Invalid country {}: {rule}", shown(&json!(value)));
                problems.note::<()>(format!("{pointer}/2/{index}"), message);
                return false;
            }
            let of_expression = self.comparison == Comparison::Matches;
            if let Some(why) = of_expression.then(|| pattern::why_wrong(value)).flatten() {
                let rule = format!("a regular expression in the syntax of RE2; {why}.");
                let message = format!("Invalid pattern {}: {rule}", shown(&json!(value)));
                problems.note::<()>(format!("{pointer}/2/{index}"), message);
                return false;
            }
        }
        true
    }
}
