//! What is wrong with a query, said so that whoever wrote it can put it right.
//!
//! Every problem names where (a JSON pointer), what was found there, and the rule it breaks. All the
//! problems of a query are told at once, a line each.

use std::fmt;

use serde_json::Value;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: a JSON pointer in its URI form, such as `#/metrics/1`.
    pub pointer: String,
    /// What was found there, and the rule that it breaks.
    pub message: String,
}

/// The query cannot be answered because of how it is asked. There is at least one problem.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct QueryError(Vec<Problem>);

impl QueryError {
    /// The same problems, each in other words; what is the same in these is told once.
    pub(super) fn told_otherwise(self, told: impl FnMut(Problem) -> Problem) -> Self {
        let mut problems: Vec<Problem> = self.0.into_iter().map(told).collect();
        problems.dedup();
        Self(problems)
    }

    /// The problems, in the order of the query's parts.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Problem { pointer, message }) in self.0.iter().enumerate() {
            let line_end = if index == 0 { "" } else { "\n" };
            write!(formatter, "{line_end}{pointer}: {message}")?;
        }
        Ok(())
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    /// Notes a problem, and returns the `None` that stands for what could not be read.
    pub(super) fn note<T>(
        &mut self,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) -> Option<T> {
        self.0.push(Problem { pointer: pointer.into(), message: message.into() });
        None
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Those that were noted since there were so many, to be said in other words.
    pub(super) fn since(&mut self, count: usize) -> &mut [Problem] {
        self.0.get_mut(count..).unwrap_or_default()
    }

    /// Takes over what another stage found.
    pub(super) fn add(&mut self, error: QueryError) {
        self.0.extend(error.0);
    }

    /// Ends a stage: what it made, unless there was a problem.
    pub(super) fn finish<T>(self, made: Option<T>) -> Result<T, QueryError> {
        match made {
            Some(made) if self.0.is_empty() => Ok(made),
            _ => Err(QueryError(self.0)),
        }
    }
}

/// The longest value, in characters, that a message repeats whole.
const SHOWN_MAX: usize = 120;

/// The value as the client wrote it, cut short when it is long.
pub(super) fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_MAX) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// The whole number that a value is: JSON knows no difference between `10` and `10.0`.
pub(super) fn whole(value: &Value) -> Option<u64> {
    /// Up to here a number with decimals tells every whole one from the next.
    const MOST: f64 = 9_007_199_254_740_992.0;
    let of_float = |number: f64| {
        (number.fract() == 0.0 && (0.0..=MOST).contains(&number)).then_some(number as u64)
    };
    value.as_u64().or_else(|| value.as_f64().and_then(of_float))
}

/// The pointer to a key of an object.
pub(super) fn child(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}
