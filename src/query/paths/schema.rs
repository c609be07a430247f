//! The JSON schemas of funnels and journeys, with the definitions of that of a query.

use serde_json::{Value, json};

use super::funnel::{STEPS, WINDOW_SECONDS_MAX};
use super::journey::{BRANCHES_MAX, DEPTH_MAX};
use super::step::{FILTERS_MAX, NAME_BYTES_MAX, VALUE_BYTES_MAX};
use crate::query::schema::schema;

/// The JSON schema (draft 2020-12) of `POST /api/v2/funnel`.
pub fn funnel_schema() -> Value {
    let query = schema();
    let part = |key: &str| query["properties"][key].clone();
    let mut dimensions = part("dimensions");
    dimensions["maxItems"] = json!(1);
    object(
        "Funnel",
        &["site_id", "date_range", "steps"],
        json!({
            "site_id": part("site_id"),
            "date_range": part("date_range"),
            "filters": part("filters"),
            "dimensions": dimensions,
            "include": { "type": "object", "additionalProperties": false, "properties": {
                "comparisons": { "$ref": "#/$defs/comparisons" },
            } },
            "pagination": part("pagination"),
            "steps": {
                "type": "array", "minItems": STEPS.start(), "maxItems": STEPS.end(), "items": { "$ref": "#/$defs/step" },
            },
            "mode": { "enum": ["loose", "strict"], "default": "loose" },
            "window": { "default": "visit", "anyOf": [
                { "const": "visit" },
                { "type": "integer", "minimum": 1, "maximum": WINDOW_SECONDS_MAX, "description": "Seconds from the first step." },
            ] },
        }),
    )
}

/// The JSON schema (draft 2020-12) of `POST /api/v2/journey`.
pub fn journey_schema() -> Value {
    let query = schema();
    let part = |key: &str| query["properties"][key].clone();
    object(
        "Journey",
        &["site_id", "date_range", "from"],
        json!({
            "site_id": part("site_id"),
            "date_range": part("date_range"),
            "filters": part("filters"),
            "from": { "$ref": "#/$defs/step" },
            "direction": { "enum": ["forward", "backward"], "default": "forward" },
            "depth": { "type": "integer", "minimum": 1, "maximum": DEPTH_MAX, "default": 3 },
            "branches": { "type": "integer", "minimum": 1, "maximum": BRANCHES_MAX, "default": 5 },
            "of": { "enum": ["both", "pages", "events"], "default": "both" },
        }),
    )
}

fn object(title: &str, required: &[&str], properties: Value) -> Value {
    let mut definitions = schema()["$defs"].clone();
    definitions["step"] = step();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
        "$defs": definitions,
    })
}

fn step() -> Value {
    let text = |doc: &str| json!({ "type": "string", "minLength": 1, "maxLength": VALUE_BYTES_MAX, "description": doc });
    let filters = json!({
        "type": "array", "minItems": 1, "maxItems": FILTERS_MAX, "items": { "$ref": "#/$defs/filter" },
        "description": "What the event must be, by event dimensions.",
    });
    let kind = |key: &str, value: Value| {
        let name = json!({ "type": "string", "minLength": 1, "maxLength": NAME_BYTES_MAX });
        json!({
            "type": "object", "additionalProperties": false, "required": [key], "properties": { key: value, "name": name },
        })
    };
    json!({ "oneOf": [
        kind("page", text("Path of a page that is viewed; * is anything.")),
        kind("event", text("Name of the event.")),
        kind("goal", text("A goal of the site, by its name.")),
        kind("filters", filters),
    ] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::paths::{funnel, journey};

    #[test]
    fn the_schemas_have_the_keys_of_their_questions_and_no_others() {
        let check = |schema: Value, keys: &[&str]| {
            let mut known: Vec<_> =
                schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
            let mut keys = keys.to_vec();
            known.sort_unstable();
            keys.sort_unstable();
            assert_eq!(known, keys);
        };
        check(funnel_schema(), &funnel::KEYS);
        check(journey_schema(), &journey::KEYS);
    }
}
