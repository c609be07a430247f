//! A step: what one event must be.

use serde_json::{Map, Value};

use crate::query::Known;
use crate::query::error::{Problems, child, shown};
use crate::query::filter::segments::Segments;
use crate::query::filter::{Comparison, Filter, Subject, Test};
use crate::site::goal::{Goal, GoalKind};

/// The longest name, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 100;
/// The longest page or event that a step names, in bytes.
pub(super) const VALUE_BYTES_MAX: usize = 2_000;
/// The most filters of a step.
pub(super) const FILTERS_MAX: usize = 20;
/// The most comparisons in all filters of a step.
const TESTS_MAX: usize = 20;
/// The most bytes of values in all filters of a step: twelve steps fit into what one statement takes.
const TESTS_BYTES_MAX: usize = 8 * 1024;

const FORMS: &str =
    "one of \"goal\", \"page\", \"event\" or \"filters\", and a \"name\" if it shall have one";

/// What one event must be.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    name: String,
    filter: Filter,
    wire: Value,
}

impl Step {
    /// Reads a step: `{"goal": name}`, `{"page": pattern}`, `{"event": name}` or `{"filters": […]}`.
    /// `place` counts from 1.
    pub(super) fn parse(
        value: &Value,
        pointer: &str,
        place: usize,
        known: &Known<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let Some(parts) = value.as_object() else {
            return problems.note(pointer, format!("Invalid step {}: {FORMS}.", shown(value)));
        };
        let kinds: Vec<_> = parts.iter().filter(|(key, _)| *key != "name").collect();
        let [(kind, wanted)] = kinds.as_slice() else {
            return problems.note(pointer, format!("Invalid step {}: {FORMS}.", shown(value)));
        };
        let at = child(pointer, kind);
        let (named, filter) = match kind.as_str() {
            "goal" => goal(wanted, &at, known, problems),
            "page" => text(wanted, "page", &at, problems)
                .map(|page| (page.clone(), meets(GoalKind::Page(page)))),
            "event" => text(wanted, "event", &at, problems)
                .map(|name| (name.clone(), meets(GoalKind::Event(name)))),
            "filters" => filters(wanted, &at, known, problems)
                .map(|filter| (format!("Step {place}"), filter)),
            _ => problems.note(at, format!("Unknown key {kind:?}: a step has {FORMS}.")),
        }?;
        let name = name(parts, pointer, problems)?.unwrap_or(named);
        Some(Self { name, filter, wire: value.clone() })
    }

    /// What it is called in the answer.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the event must be.
    pub(super) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The step as queries write it.
    pub(super) fn to_wire(&self) -> Value {
        self.wire.clone()
    }
}

/// The name that is given, if one is.
#[expect(clippy::option_option, reason = "none was given is not the same as it is wrong")]
fn name(
    parts: &Map<String, Value>,
    pointer: &str,
    problems: &mut Problems,
) -> Option<Option<String>> {
    match parts.get("name") {
        None => Some(None),
        Some(Value::String(name)) if (1..=NAME_BYTES_MAX).contains(&name.len()) => {
            Some(Some(name.clone()))
        }
        Some(other) => {
            let rule = format!("a string of 1 to {NAME_BYTES_MAX} bytes.");
            problems.note(child(pointer, "name"), format!("Invalid name {}: {rule}", shown(other)))
        }
    }
}

fn text(value: &Value, what: &str, pointer: &str, problems: &mut Problems) -> Option<String> {
    match value {
        Value::String(text) if (1..=VALUE_BYTES_MAX).contains(&text.len()) => Some(text.clone()),
        other => {
            let rule = format!("a string of 1 to {VALUE_BYTES_MAX} bytes.");
            problems.note(pointer, format!("Invalid {what} {}: {rule}", shown(other)))
        }
    }
}

fn goal(
    value: &Value,
    pointer: &str,
    known: &Known<'_>,
    problems: &mut Problems,
) -> Option<(String, Filter)> {
    let name = text(value, "goal", pointer, problems)?;
    let Some(goal) = known.goals.iter().find(|goal| goal.name == name) else {
        let message = format!("Invalid goal {}: the site has no goal of this name.", shown(value));
        return problems.note(pointer, message);
    };
    Some((name, meets(goal.kind.clone())))
}

/// That it meets a goal of this kind: the same, whether or not the site has such a goal.
fn meets(kind: GoalKind) -> Filter {
    Filter::Test(Test {
        subject: Subject::Goal(vec![Goal { name: String::new(), kind, currency: None }]),
        comparison: Comparison::Is,
        negated: false,
        values: vec![String::new()],
        case_sensitive: true,
        numbers: false,
    })
}

fn filters(
    value: &Value,
    pointer: &str,
    known: &Known<'_>,
    problems: &mut Problems,
) -> Option<Filter> {
    let list = value.as_array().map_or(&[] as &[Value], Vec::as_slice);
    if !(1..=FILTERS_MAX).contains(&list.len()) {
        let message = format!("Invalid filters {}: a list of 1 to {FILTERS_MAX}.", shown(value));
        return problems.note(pointer, message);
    }
    let mut segments = Segments::of(known.segments);
    let mut expanded = Vec::new();
    for (index, entry) in list.iter().enumerate() {
        let pointer = format!("{pointer}/{index}");
        let entries = segments.expand(entry, &pointer, problems).unwrap_or_default();
        expanded.extend(entries.into_iter().map(|entry| (pointer.clone(), entry)));
    }
    let before = problems.count();
    let read: Vec<_> =
        expanded.iter().map(|(pointer, entry)| filter(entry, pointer, known, problems)).collect();
    segments.places().name(problems.since(before));
    let filter = Filter::All(read.into_iter().collect::<Option<_>>()?);
    let tests = filter.tests();
    let bytes: usize = tests.iter().flat_map(|test| &test.values).map(String::len).sum();
    if tests.len() > TESTS_MAX || bytes > TESTS_BYTES_MAX {
        let rule =
            format!("at most {TESTS_MAX} comparisons with values of {TESTS_BYTES_MAX} bytes.");
        let message = format!("Invalid filters: {} with {bytes} bytes in all; {rule}", tests.len());
        return problems.note(pointer, message);
    }
    Some(filter)
}

fn filter(
    entry: &Value,
    pointer: &str,
    known: &Known<'_>,
    problems: &mut Problems,
) -> Option<Filter> {
    let filter = Filter::parse(entry, pointer, problems)?;
    of_one_event(&filter, entry, pointer, problems)?;
    filter.resolve(known.goals, pointer, problems)
}

/// A step is one event: what it must be is told by what events have.
fn of_one_event(
    filter: &Filter,
    shape: &Value,
    pointer: &str,
    problems: &mut Problems,
) -> Option<()> {
    if filter.tests().iter().all(|test| test.is_of_event()) && !filter.looks_at_whole_visits() {
        return Some(());
    }
    let rule =
        "a step is one event, so only event dimensions, and no has_done, can be in its filters.";
    problems.note(pointer, format!("Invalid filter {}: {rule}", shown(shape)))
}
