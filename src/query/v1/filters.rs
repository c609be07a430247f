//! Filters, as the older dialect writes them: `visit:source==Google|Bing;event:page!=/blog**`.

use serde_json::{Value, json};

use crate::query::dimension::GOAL;
use crate::query::error::Problems;

/// The filters, in the wire form of the newer dialect.
pub(super) fn parse(text: &str, problems: &mut Problems) -> Option<Vec<Value>> {
    let expressions = text.split(';').map(str::trim).filter(|expression| !expression.is_empty());
    let filters: Vec<_> = expressions.map(|expression| filter(expression, problems)).collect();
    // What is left out is `Some(None)`.
    filters
        .into_iter()
        .collect::<Option<Vec<_>>>()
        .map(|filters| filters.into_iter().flatten().collect())
}

fn filter(expression: &str, problems: &mut Problems) -> Option<Option<Value>> {
    let is = expression.split_once("==").map(|(name, value)| (name, value, ""));
    let is_not = || expression.split_once("!=").map(|(name, value)| (name, value, "_not"));
    let parts = match (is, is_not()) {
        // Whichever comes first: a value may hold the other.
        (Some(is), Some(is_not)) if is_not.0.len() < is.0.len() => Some(is_not),
        (Some(is), _) => Some(is),
        (None, is_not) => is_not,
    };
    let Some((name, value, negation)) = parts else {
        let rule = "a property, == or !=, and a value, as in visit:source==Google.";
        return problems.note("#/filters", format!("Invalid filter {expression:?}: {rule}"));
    };
    let (name, value) = (name.trim(), value.trim());
    if name == GOAL && !negation.is_empty() {
        let message = format!("Invalid filter {expression:?}: goals are found by == alone.");
        return problems.note("#/filters", message);
    }
    let values = alternatives(value);
    // A goal is found by its name, which has stars where it is of pages.
    if value.contains('*') && name != GOAL {
        let patterns: Vec<_> = values.iter().map(|value| value.replace('|', r"\|")).collect();
        return Some(Some(json!([format!("matches_wildcard{negation}"), name, patterns])));
    }
    if name == "visit:country"
        && !values
            .iter()
            .all(|value| value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_alphabetic()))
    {
        // Clients of this dialect rely on a country that is none being no filter.
        return Some(None);
    }
    Some(Some(json!([format!("is{negation}"), name, values])))
}

/// The values between bars; a bar after a backslash is part of a value.
fn alternatives(value: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut characters = value.chars().peekable();
    while let Some(character) = characters.next() {
        let last = values.len() - 1;
        match character {
            '\\' if characters.next_if_eq(&'|').is_some() => values[last].push('|'),
            '|' => values.push(String::new()),
            other => values[last].push(other),
        }
    }
    values.iter().map(|value| value.trim().to_owned()).collect()
}
