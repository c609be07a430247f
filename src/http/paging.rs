//! Lists a page at a time: `limit`, and `after` or `before` the entry that a cursor names.
//!
//! A cursor is the key of an entry, as it stands in the list; `meta` of an answer has the cursors of the
//! pages beside it.

use axum::Json;
use serde_json::{Value, json};

use super::answer::Refused;
use super::fields::Fields;

/// How many entries a page has when nothing is said, and the most.
const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1_000;

/// The answer that lists the entries under a name, as far as the page of them goes that is asked for.
pub(super) fn listed<T>(
    name: &str,
    entries: Vec<T>,
    key: impl Fn(&T) -> String,
    shown: impl Fn(&T) -> Value,
    fields: &Fields,
) -> Result<Json<Value>, Refused> {
    let (entries, meta) = page(entries, key, fields)?;
    let entries: Vec<_> = entries.iter().map(shown).collect();
    Ok(Json(json!({ name: entries, "meta": meta })))
}

/// The page of the entries that is asked for, and its `meta`.
fn page<T>(
    entries: Vec<T>,
    key: impl Fn(&T) -> String,
    fields: &Fields,
) -> Result<(Vec<T>, Value), Refused> {
    let limit = match fields.number("limit")? {
        None => LIMIT_DEFAULT,
        Some(limit) => {
            usize::try_from(limit).ok().filter(|limit| (1..=LIMIT_MAX).contains(limit)).ok_or_else(
                || Refused::bad_request(format!("limit {limit} must be from 1 to {LIMIT_MAX}.")),
            )?
        }
    };
    let place = |name: &str| -> Result<Option<usize>, Refused> {
        let Some(cursor) = fields.text(name)? else { return Ok(None) };
        let unknown = || {
            Refused::bad_request(format!(
                "{name} `{cursor}` is no entry of the list: take it from `meta` of an answer."
            ))
        };
        entries.iter().position(|entry| key(entry) == cursor).map(Some).ok_or_else(unknown)
    };
    let (from, to) = match (place("after")?, place("before")?) {
        (Some(after), _) => (after + 1, after + 1 + limit),
        (None, Some(before)) => (before.saturating_sub(limit), before),
        (None, None) => (0, limit),
    };
    let to = to.min(entries.len());
    let after = (to < entries.len() && from < to).then(|| key(&entries[to - 1]));
    let before = (from > 0 && from < to).then(|| key(&entries[from]));
    let meta = json!({ "after": after, "before": before, "limit": limit });
    Ok((entries.into_iter().take(to).skip(from).collect(), meta))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expected: &[u32], after: Value, before: Value) {
        let fields = Fields::of_query(Some(query));
        let (entries, meta) = page((1..=5).collect(), u32::to_string, &fields).ok().unwrap();
        assert_eq!(entries, expected, "{query}");
        assert_eq!((&meta["after"], &meta["before"]), (&after, &before), "{query}");
    }

    #[test]
    fn the_cursors_of_a_page_lead_to_the_pages_beside_it() {
        check("", &[1, 2, 3, 4, 5], Value::Null, Value::Null);
        check("limit=2", &[1, 2], json!("2"), Value::Null);
        check("limit=2&after=2", &[3, 4], json!("4"), json!("3"));
        check("limit=2&after=4", &[5], Value::Null, json!("5"));
        check("limit=2&before=5", &[3, 4], json!("4"), json!("3"));
        check("limit=2&before=3", &[1, 2], json!("2"), Value::Null);
        check("after=5", &[], Value::Null, Value::Null);
    }

    #[test]
    fn a_limit_or_a_cursor_that_is_none_is_refused() {
        for query in ["limit=0", "limit=1001", "limit=x", "after=9", "before=x"] {
            let fields = Fields::of_query(Some(query));
            assert!(page((1..=5).collect(), u32::to_string, &fields).is_err(), "{query}");
        }
    }
}
