//! Questions about the order in which things happen: funnels and journeys.
//!
//! Each is a query of its own, beside the report. What it has in common with one (the site, the time, the
//! filters, the dimension) is read as that of a report, by the same rules.
//!
//! - `step`: what must happen at a step;
//! - `funnel`: how many go through all steps, and `funnel_sql`;
//! - `journey`: where visits go from a step, or come from, and `journey_sql`;
//! - `schema` and `reference`: what is told of them.

mod funnel;
mod funnel_sql;
mod journey;
mod journey_sql;
mod reference;
mod schema;
mod step;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

pub use self::funnel::{Funnel, FunnelMode, Window};
pub use self::funnel_sql::compile_funnel;
pub use self::journey::{Direction, Journey};
pub use self::journey_sql::compile_journey;
pub(super) use self::reference::REFERENCE;
pub use self::schema::{funnel_schema, journey_schema};
pub use self::step::Step;

use super::error::{Problems, child, shown, whole};
use super::{Known, Query};

/// Whether the time of a question depends on when the site's first event was.
pub fn is_of_all_time(body: &Value) -> bool {
    body.get("date_range").is_some_and(|range| range == "all")
}

/// The keys of a question that a report has, too, in the order of its echo.
const SHARED: [&str; 6] =
    ["site_id", "date_range", "filters", "dimensions", "include", "pagination"];

/// The parts of the question, which has these keys and no others.
fn parts<'body>(
    body: &'body Value,
    what: &str,
    keys: &[&str],
    problems: &mut Problems,
) -> Option<&'body Map<String, Value>> {
    let Some(parts) = body.as_object() else {
        return problems.note("#", format!("Invalid {what} {}: it is a JSON object.", shown(body)));
    };
    for key in parts.keys().filter(|key| !keys.contains(&key.as_str())) {
        let message = format!("Unknown key {key:?}: a {what} has the keys {}.", keys.join(", "));
        problems.note::<()>(child("#", key), message);
    }
    Some(parts)
}

/// What the question has in common with a report: a report of visitors.
fn base(parts: &Map<String, Value>, known: &Known<'_>, problems: &mut Problems) -> Option<Query> {
    let shared =
        SHARED.iter().filter_map(|key| Some(((*key).to_owned(), parts.get(*key)?.clone())));
    let metrics = ("metrics".to_owned(), json!(["visitors"]));
    let query = Value::Object(shared.chain([metrics]).collect());
    Query::parse(&query, known).map_err(|error| problems.add(error)).ok()
}

/// What the question has in common with a report, as it was understood.
fn shared_to_wire(base: &Query, keys: &[&str]) -> Map<String, Value> {
    let wire = base.to_wire();
    let shared = SHARED.iter().filter(|key| keys.contains(key));
    shared.map(|key| ((*key).to_owned(), wire[key].clone())).collect()
}

/// One of the words that a key may have, the first when it is not there.
fn word<T: Copy>(
    parts: &Map<String, Value>,
    key: &str,
    words: &[(&str, T)],
    problems: &mut Problems,
) -> Option<T> {
    let Some(value) = parts.get(key) else { return words.first().map(|(_, meaning)| *meaning) };
    let known = words.iter().find(|(word, _)| value == word).map(|(_, meaning)| *meaning);
    known.or_else(|| {
        let words: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
        let message = format!("Invalid {key} {}: {}.", shown(value), words.join(" or "));
        problems.note(format!("#/{key}"), message)
    })
}

/// A whole number between two others, this one when it is not there.
fn number(
    parts: &Map<String, Value>,
    key: &str,
    range: std::ops::RangeInclusive<u64>,
    default: u64,
    problems: &mut Problems,
) -> Option<u64> {
    let Some(value) = parts.get(key) else { return Some(default) };
    let number = whole(value).filter(|number| range.contains(number));
    number.or_else(|| {
        let (least, most) = (range.start(), range.end());
        let message =
            format!("Invalid {key} {}: a whole number from {least} to {most}.", shown(value));
        problems.note(format!("#/{key}"), message)
    })
}
