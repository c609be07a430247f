//! Several named queries of one site, asked together: `{"site_id": …, "queries": {"name": {…}, …}}`.
//!
//! Here they are only taken apart. Each is then a query by itself, and wrong or right by itself: pointers
//! in what it is told begin at its own beginning.

use serde_json::{Map, Value, json};

use super::error::{Problems, QueryError, child, shown};

/// So many queries may be asked together.
pub(super) const QUERIES_MAX: usize = 25;

/// The longest name of one, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 100;

/// The key that tells such a question from a single query.
pub(super) const QUERIES: &str = "queries";

/// Whether these are several queries, and not one.
pub fn are_several(body: &Value) -> bool {
    body.get(QUERIES).is_some()
}

/// The queries by their names, in their order, each with the site that all are about.
///
/// # Errors
/// What is wrong with how they are put together; not what is wrong with one of them.
pub fn several(body: &Value) -> Result<Vec<(String, Value)>, QueryError> {
    let mut problems = Problems::default();
    let queries = read(body, &mut problems);
    problems.finish(queries)
}

fn read(body: &Value, problems: &mut Problems) -> Option<Vec<(String, Value)>> {
    let parts = body.as_object();
    for key in parts.into_iter().flat_map(Map::keys) {
        if key != "site_id" && key != QUERIES {
            let message = format!("Unknown key {key:?}: beside queries there is site_id alone.");
            problems.note::<()>(child("#", key), message);
        }
    }
    let Some(site) = body.get("site_id").filter(|site| site.is_string()) else {
        return problems.note("#/site_id", "Missing: site_id is required, a string.");
    };
    let Some(queries) = body.get(QUERIES).and_then(Value::as_object) else {
        let found = body.get(QUERIES).map_or("null".into(), shown);
        return problems
            .note("#/queries", format!("Invalid queries {found}: an object of queries by name."));
    };
    if !(1..=QUERIES_MAX).contains(&queries.len()) {
        let message = format!("Invalid queries: {} of them; 1 to {QUERIES_MAX}.", queries.len());
        return problems.note("#/queries", message);
    }
    let each: Vec<_> =
        queries.iter().map(|(name, query)| one(name, query, site, problems)).collect();
    each.into_iter().collect()
}

fn one(
    name: &str,
    query: &Value,
    site: &Value,
    problems: &mut Problems,
) -> Option<(String, Value)> {
    let pointer = child("#/queries", name);
    if !(1..=NAME_BYTES_MAX).contains(&name.len()) {
        let message = format!("Invalid name {name:?}: 1 to {NAME_BYTES_MAX} bytes.");
        return problems.note(pointer, message);
    }
    let Some(parts) = query.as_object() else {
        return problems.note(pointer, format!("Invalid query {}: a JSON object.", shown(query)));
    };
    if parts.contains_key("site_id") {
        let message =
            "Invalid site_id: all the queries are about the site that stands beside them.";
        return problems.note(format!("{pointer}/site_id"), message);
    }
    let mut parts = parts.clone();
    parts.insert("site_id".into(), json!(site));
    Some((name.to_owned(), Value::Object(parts)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_error(body: Value, expected: &str) {
        assert_eq!(several(&body).unwrap_err().to_string(), expected);
    }

    #[test]
    fn each_query_is_of_the_site_beside_them_and_they_keep_their_order() {
        let body = json!({ "site_id": "a.example", "queries": { "z": { "metrics": ["visits"] }, "a": {} } });
        let expected = [
            ("z".to_owned(), json!({ "metrics": ["visits"], "site_id": "a.example" })),
            ("a".to_owned(), json!({ "site_id": "a.example" })),
        ];
        assert_eq!(several(&body).unwrap(), expected);
        assert!(are_several(&body) && !are_several(&expected[0].1));
    }

    #[test]
    fn what_is_put_together_wrongly_is_refused() {
        let with = |queries: Value| json!({ "site_id": "x", "queries": queries });
        check_error(
            with(json!([])),
            "#/queries: Invalid queries []: an object of queries by name.",
        );
        check_error(with(json!({})), "#/queries: Invalid queries: 0 of them; 1 to 25.");
        let many: Map<_, _> = (0..26).map(|number| (number.to_string(), json!({}))).collect();
        check_error(with(json!(many)), "#/queries: Invalid queries: 26 of them; 1 to 25.");
        check_error(
            with(json!({ "a/b": 1, "": {}, "c": { "site_id": "y" } })),
            "#/queries/a~1b: Invalid query 1: a JSON object.\n#/queries/: Invalid name \"\": 1 to 100 bytes.\n\
             #/queries/c/site_id: Invalid site_id: all the queries are about the site that stands beside them.",
        );
        check_error(
            json!({ "queries": { "a": {} }, "metrics": [] }),
            "#/metrics: Unknown key \"metrics\": beside queries there is site_id alone.\n\
             #/site_id: Missing: site_id is required, a string.",
        );
    }
}
