//! The bodies of requests and answers. That of a query is the query language's own schema.

use serde_json::{Map, Value, json};

use super::setup;
use crate::beacon::NAME_CHARS_MAX;
use crate::query::dimension::Field;
use crate::query::schema as query_schema;

/// A reference to one of [`all`].
pub(super) fn by_name(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Any text.
pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

/// Every schema by its name.
pub(super) fn all() -> Map<String, Value> {
    let mut schemas = query();
    let parts = [
        ("Refusal", object(&["error"], json!({ "error": text() }))),
        ("Answer", answer()),
        (
            "Aggregate",
            object(
                &["results"],
                json!({ "results": { "type": "object", "additionalProperties": aggregate() } }),
            ),
        ),
        (
            "Rows",
            object(
                &["results"],
                json!({ "results": list(json!({ "type": "object", "additionalProperties": {
                    "anyOf": [value(), by_name("Money")],
                } })) }),
            ),
        ),
        ("Property", property()),
        ("Beacon", beacon()),
        (
            "BeaconErrors",
            object(
                &["errors"],
                json!({ "errors": { "type": "object", "additionalProperties": list(text()) } }),
            ),
        ),
        ("ImportSummary", import_summary()),
        (
            "Site",
            object(
                &["domain", "timezone", "retention_days", "public"],
                json!({
            "domain": text(), "timezone": text(), "retention_days": { "type": ["integer", "null"] },
            "public": { "type": "boolean" } }),
            ),
        ),
        (
            "Sites",
            object(
                &["sites", "meta"],
                json!({ "sites": list(by_name("Site")), "meta": by_name("Page") }),
            ),
        ),
        ("SiteChange", object(&[], site_change())),
        ("NewSite", new_site()),
        ("Deleted", object(&["deleted"], json!({ "deleted": { "const": true } }))),
        ("Tokens", object(&["tokens"], json!({ "tokens": list(token()) }))),
        (
            "NewToken",
            object(
                &["scope"],
                json!({
            "scope": scope(), "sites": list(text()), "note": text(),
            "expires_at": { "type": ["string", "null"], "format": "date-time" } }),
            ),
        ),
        ("Secret", object(&["token"], json!({ "token": text() }))),
        ("Revoked", object(&["revoked"], json!({ "revoked": { "const": true } }))),
        ("Quarantine", object(&["quarantine"], json!({ "quarantine": list(put_aside()) }))),
        ("Replayed", object(&["loaded", "kept"], json!({ "loaded": count(), "kept": count() }))),
        ("Health", health()),
    ];
    schemas.extend(setup::schemas().into_iter().map(|(name, schema)| (name.to_owned(), schema)));
    schemas.extend(parts.map(|(name, schema)| (name.to_owned(), schema)));
    schemas
}

pub(super) fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

pub(super) fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// A value of a dimension or metric.
fn value() -> Value {
    json!({ "type": ["string", "number", "null"] })
}

/// A value of a metric.
fn measured() -> Value {
    json!({ "anyOf": [{ "type": ["number", "null"] }, by_name("Money")] })
}

/// The schema of a query, its definitions among the others: `Query`, `Query.metric`, …
fn query() -> Map<String, Value> {
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

fn answer() -> Value {
    let row = |more: Value| {
        let mut properties = json!({ "metrics": list(measured()), "dimensions": list(value()) });
        let known = properties.as_object_mut();
        known
            .into_iter()
            .for_each(|known| known.extend(more.as_object().cloned().unwrap_or_default()));
        object(&["metrics", "dimensions"], properties)
    };
    let compared = row(json!({ "change": list(json!({ "type": ["number", "null"] })) }));
    object(
        &["results", "meta", "query"],
        json!({
            "results": list(row(json!({ "comparison": compared }))),
            "meta": object(&[], json!({
                "imports_included": { "type": "boolean" },
                "time_labels": list(text()),
                "total_rows": { "type": "integer", "minimum": 0 },
                "metric_warnings": { "type": "object", "additionalProperties": object(
                    &["code", "warning"],
                    json!({ "code": text(), "warning": text() }),
                ) },
            })),
            "query": by_name("Query"),
        }),
    )
}

fn aggregate() -> Value {
    let change = json!({ "type": ["number", "null"] });
    object(
        &["value"],
        json!({ "value": measured(), "comparison_value": measured(), "change": change }),
    )
}

fn property() -> Value {
    let names: Vec<_> = Field::ALL.iter().map(|field| field.spec().name).collect();
    json!({ "anyOf": [{ "enum": names }, { "type": "string", "pattern": "^event:props:.+$" }] })
}

/// The newer names; trackers of the field send others, which are taken too.
fn beacon() -> Value {
    json!({
        "type": "object",
        "required": ["name", "url", "domain"],
        "properties": {
            "name": { "type": "string", "minLength": 1, "maxLength": NAME_CHARS_MAX },
            "url": { "type": "string", "minLength": 1 },
            "domain": { "type": "string", "minLength": 1 },
            "referrer": { "type": ["string", "null"] },
            "props": { "type": ["object", "null"] },
            "revenue": { "type": ["object", "null"] },
            "interactive": { "type": "boolean" },
        },
    })
}

fn import_summary() -> Value {
    let count = json!({ "type": "integer", "minimum": 0 });
    let bad = object(&["line", "error"], json!({ "line": count, "error": text() }));
    object(
        &["lines", "events", "bad_lines", "errors"],
        json!({
            "lines": count, "events": count, "bad_lines": count, "errors": list(bad),
        }),
    )
}

fn site_change() -> Value {
    json!({
        "domain": { "type": ["string", "null"] },
        "timezone": { "type": ["string", "null"] },
        "retention_days": { "type": ["integer", "null"], "minimum": 0 },
        "public": { "type": ["boolean", "null"] },
    })
}

fn new_site() -> Value {
    let mut properties = site_change();
    properties["domain"] = json!({ "type": "string", "minLength": 1 });
    object(&["domain"], properties)
}

fn scope() -> Value {
    json!({ "enum": ["stats", "admin"] })
}

fn token() -> Value {
    object(
        &["id", "scope", "sites", "note", "created_at", "expires_at"],
        json!({
            "id": text(), "scope": scope(), "sites": list(text()), "note": text(), "created_at": text(),
            "expires_at": { "type": ["string", "null"] },
        }),
    )
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn put_aside() -> Value {
    object(
        &["code", "site", "name", "events"],
        json!({
            "code": count(), "site": { "type": ["string", "null"] },
            "name": { "type": ["string", "null"] }, "events": count(),
        }),
    )
}

fn health() -> Value {
    let part = json!({ "enum": ["ok", "error"] });
    object(
        &["ready", "clickhouse", "spool", "catalog"],
        json!({
            "ready": { "type": "boolean" }, "clickhouse": part, "spool": part, "catalog": part,
        }),
    )
}
