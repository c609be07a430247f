//! Questions and their answers: queries, funnels, journeys. The schema of a query is the query language's own.

use serde_json::{Map, Value, json};

use super::schemas::{Named, by_name, list, map, object, or_null, text, whole};
use crate::query::{schema as query_schema, v1};

/// The schema of a query, its definitions among the others: `Query`, `Query.metric`, …
pub(super) fn query() -> Map<String, Value> {
    let mut query = query_schema();
    let mut schemas = Map::new();
    let parts = query.as_object_mut().and_then(|query| {
        query.remove("$schema");
        query.remove("$defs")
    });
    refer(&mut query);
    schemas.insert("Query".to_owned(), query);
    for (name, mut part) in parts.as_ref().and_then(Value::as_object).cloned().unwrap_or_default() {
        refer(&mut part);
        schemas.insert(format!("Query.{name}"), part);
    }
    schemas
}

/// Makes references to definitions of the query's schema point to where they are here.
fn refer(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(refer),
        Value::Object(entries) => {
            for (key, value) in entries.iter_mut() {
                let name = value.as_str().filter(|_| key == "$ref");
                match name.and_then(|name| name.strip_prefix("#/$defs/")) {
                    Some(name) => *value = json!(format!("#/components/schemas/Query.{name}")),
                    None => refer(value),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

pub(super) fn reports() -> Vec<Named> {
    let money = json!({ "value": { "type": "number" }, "currency": text(), "short": text(), "long": text() });
    let money = object(&["value", "currency", "short", "long"], money);
    let metric = json!({ "anyOf": [or_null("number"), money] });
    let value = json!({ "anyOf": [{ "type": ["string", "number", "null"] }, money] });
    let change = or_null("number");
    let compared = json!({ "value": metric, "comparison_value": metric, "change": change });
    let names: Vec<_> = v1::properties().collect();
    let property = json!({ "type": "string", "pattern": "^event:props:.+$" });
    vec![
        ("Refusal", object(&["error"], json!({ "error": text() }))),
        ("Queries", queries()),
        ("Answer", answer(&metric, &change)),
        ("Answers", answers()),
        ("Step", step()),
        ("Funnel", funnel()),
        ("FunnelAnswer", funnel_answer()),
        ("Journey", journey()),
        ("JourneyAnswer", told("Journey", by_name("Stop"))),
        ("Stop", stop()),
        (
            "Aggregate",
            object(&["results"], json!({ "results": map(object(&["value"], compared)) })),
        ),
        ("Rows", object(&["results"], json!({ "results": list(map(value)) }))),
        ("Property", json!({ "anyOf": [{ "enum": names }, property] })),
    ]
}

fn answer(metric: &Value, change: &Value) -> Value {
    let dimensions = list(json!({ "type": ["string", "number", "null"] }));
    let metrics = list(metric.clone());
    let compared =
        json!({ "metrics": metrics, "dimensions": dimensions, "change": list(change.clone()) });
    let compared = object(&["metrics", "dimensions", "change"], compared);
    let row = json!({ "metrics": metrics, "dimensions": dimensions, "comparison": compared });
    let meta = json!({
        "imports_included": { "type": "boolean" },
        "time_labels": list(json!({ "type": ["string", "integer"] })),
        "total_rows": whole(),
        "metric_warnings": map(object(&["code"], json!({ "code": text(), "warning": text() }))),
    });
    object(
        &["results", "meta", "query"],
        json!({
            "results": list(object(&["metrics", "dimensions"], row)),
            "meta": { "type": "object", "properties": meta },
            "query": by_name("Query"),
        }),
    )
}

/// Several named queries of one site; that they are of it need not be said again.
fn queries() -> Value {
    object(
        &["site_id", "queries"],
        json!({ "site_id": text(), "queries": map(json!({ "type": "object" })) }),
    )
}

fn answers() -> Value {
    object(
        &["results"],
        json!({ "results": map(json!({ "anyOf": [by_name("Answer"), by_name("Refusal")] })) }),
    )
}

/// An answer: results, and the question as it was understood.
fn told(question: &str, results: Value) -> Value {
    object(
        &["results", "meta", "query"],
        json!({ "results": results, "meta": { "type": "object" }, "query": by_name(question) }),
    )
}

fn step() -> Value {
    let name = json!({ "type": "string", "minLength": 1 });
    let of = |kind: &str, schema: &Value| object(&[kind], json!({ kind: schema, "name": name }));
    let filters = list(by_name("Query.filter"));
    json!({ "anyOf": [of("goal", &name), of("page", &name), of("event", &name), of("filters", &filters)] })
}

fn funnel() -> Value {
    let properties = json!({
        "site_id": text(),
        "date_range": by_name("Query.date_range"),
        "filters": list(by_name("Query.filter")),
        "dimensions": { "type": "array", "maxItems": 1, "items": by_name("Query.dimension") },
        "include": object(&[], json!({ "comparisons": by_name("Query.comparisons") })),
        "pagination": object(&[], json!({ "limit": whole(), "offset": whole() })),
        "steps": { "type": "array", "minItems": 2, "maxItems": 12, "items": by_name("Step") },
        "mode": { "enum": ["loose", "strict"] },
        "window": { "anyOf": [{ "const": "visit" }, whole()] },
    });
    object(&["site_id", "date_range", "steps"], properties)
}

fn funnel_answer() -> Value {
    let number = or_null("number");
    let step = json!({
        "name": text(), "visitors": whole(), "conversion_rate": number, "step_conversion_rate": number,
        "drop_off": number, "drop_off_rate": number,
    });
    let row = json!({ "dimensions": list(json!({})), "steps": list(object(&["name", "visitors"], step)) });
    let mut compared = row.clone();
    let none =
        json!({ "type": "null", "description": "The other period has no such bucket of time." });
    compared["comparison"] = json!({ "anyOf": [object(&["dimensions", "steps"], row), none] });
    told("Funnel", list(object(&["dimensions", "steps"], compared)))
}

fn journey() -> Value {
    let properties = json!({
        "site_id": text(),
        "date_range": by_name("Query.date_range"),
        "filters": list(by_name("Query.filter")),
        "from": by_name("Step"),
        "direction": { "enum": ["forward", "backward"] },
        "depth": { "type": "integer", "minimum": 1, "maximum": 5 },
        "branches": { "type": "integer", "minimum": 1, "maximum": 50 },
        "of": { "enum": ["both", "pages", "events"] },
    });
    object(&["site_id", "date_range", "from"], properties)
}

fn stop() -> Value {
    let stops = list(by_name("Stop"));
    let properties = json!({
        "name": text(), "page": text(), "event": text(), "visits": whole(), "ended": whole(), "began": whole(),
        "others": whole(), "next": stops, "previous": stops,
    });
    object(&["visits"], properties)
}
