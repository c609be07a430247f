//! The JSON schema of a query, derived from the registries.

use serde_json::{Value, json};

use super::dimension::{Field, GOAL, PROPERTIES};
use super::filter::VALUES_MAX;
use super::filter::segments::SEGMENT;
use super::interval::Interval;
use super::measure::Statistic;
use super::metric::Metric;
use super::wire::{ENTRIES_MAX, LIMIT_MAX};

/// The JSON schema (draft 2020-12) of `POST /api/v2/query`: what it refuses is refused, and of what
/// it accepts only combinations without meaning are refused.
pub fn schema() -> Value {
    let metrics = Metric::ALL.iter().map(
        |metric| json!({ "const": metric.spec().name, "description": metric.spec().doc.trim() }),
    );
    let metrics: Vec<Value> =
        metrics.chain(Statistic::ALL.iter().map(|statistic| of_property(*statistic))).collect();
    let fields = Field::ALL.iter().map(|field| (field.spec().name, field.spec().doc));
    let intervals = Interval::ALL.iter().map(|interval| (interval.name(), interval.doc()));
    let names = fields
        .clone()
        .chain([
            (GOAL, "The goals of the site that the event meets: a row for each."),
            (PROPERTIES, "The names of the custom properties that the event has: a row for each."),
            ("time", "Time, by whichever interval fits the period."),
        ])
        .chain(intervals);
    let property = json!({ "type": "string", "pattern": "^event:props:.+$", "maxLength": 312 });
    let constant = |(name, doc): (&str, &str)| json!({ "const": name, "description": doc.trim() });
    let dimensions: Vec<Value> = names.map(constant).chain([property.clone()]).collect();
    let subjects: Vec<Value> = fields
        .map(constant)
        .chain([constant((GOAL, "A goal of the site, by its name.")), property])
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Query",
        "type": "object",
        "additionalProperties": false,
        "required": ["site_id", "metrics", "date_range"],
        "properties": {
            "site_id": { "type": "string", "description": "The domain of the site." },
            "metrics": { "type": "array", "minItems": 1, "maxItems": ENTRIES_MAX, "uniqueItems": true, "items": { "$ref": "#/$defs/metric" } },
            "date_range": { "$ref": "#/$defs/date_range" },
            "dimensions": { "type": "array", "maxItems": ENTRIES_MAX, "uniqueItems": true, "items": { "$ref": "#/$defs/dimension" } },
            "filters": { "type": "array", "maxItems": ENTRIES_MAX, "items": { "$ref": "#/$defs/filter" } },
            "order_by": { "type": "array", "maxItems": ENTRIES_MAX, "uniqueItems": true, "items": {
                "type": "array",
                "prefixItems": [
                    { "anyOf": [{ "$ref": "#/$defs/metric" }, { "$ref": "#/$defs/dimension" }] },
                    { "enum": ["asc", "desc"] },
                ],
                "items": false,
                "minItems": 2,
            } },
            "include": { "type": "object", "additionalProperties": false, "properties": {
                "imports": { "type": "boolean" },
                "time_labels": { "type": "boolean" },
                "total_rows": { "type": "boolean" },
                "zero_fill": { "type": "boolean" },
                "comparisons": { "$ref": "#/$defs/comparisons" },
            } },
            "pagination": { "type": "object", "additionalProperties": false, "properties": {
                "limit": { "type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_MAX },
                "offset": { "type": "integer", "minimum": 0, "default": 0 },
            } },
        },
        "$defs": {
            "metric": { "oneOf": metrics },
            "dimension": { "oneOf": dimensions },
            "date_range": date_range(),
            "comparisons": comparisons(),
            "filter": filter(&subjects),
        },
    })
}

/// The metrics that are this statistic of a property.
fn of_property(statistic: Statistic) -> Value {
    let pattern = format!("^{}:event:props:.+$", statistic.name());
    json!({ "type": "string", "pattern": pattern, "maxLength": 316, "description": statistic.doc().trim() })
}

fn date_range() -> Value {
    let two_of = |format: &str| json!({ "type": "array", "minItems": 2, "maxItems": 2, "items": { "type": "string", "format": format } });
    json!({ "anyOf": [
        { "enum": ["day", "24h", "month", "year", "all"] },
        { "type": "string", "pattern": "^0*([1-9][0-9]{0,2}|[1-4][0-9]{3}|5000)d$", "description": "So many whole days, ending yesterday: 1 to 5000." },
        { "type": "string", "pattern": "^0*([1-9][0-9]?|100)mo$", "description": "So many calendar months with the current one: 1 to 100." },
        two_of("date"),
        two_of("date-time"),
    ] })
}

fn comparisons() -> Value {
    let weekdays = json!({ "type": "boolean", "default": false });
    let plain = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["mode"],
        "properties": { "mode": { "enum": ["previous_period", "year_over_year"] }, "match_day_of_week": weekdays },
    });
    let custom = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["mode", "date_range"],
        "properties": {
            "mode": { "const": "custom" },
            "date_range": { "type": "array", "minItems": 2, "maxItems": 2, "items": { "type": "string" } },
            "match_day_of_week": weekdays,
        },
    });
    json!({ "anyOf": [plain, custom] })
}

fn filter(subjects: &[Value]) -> Value {
    let values = json!({ "anyOf": [
        { "type": "array", "minItems": 1, "maxItems": VALUES_MAX, "items": { "type": "string" } },
        { "type": "array", "minItems": 1, "maxItems": VALUES_MAX, "items": { "type": "integer" } },
    ] });
    let modifiers = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": { "case_sensitive": { "type": "boolean", "default": true } },
    });
    let entry = |operators: Value, rest: Value, fewest: usize| {
        let mut items = vec![json!({ "enum": operators })];
        items.extend(rest.as_array().cloned().unwrap_or_default());
        json!({ "type": "array", "prefixItems": items, "items": false, "minItems": fewest })
    };
    let subject = json!({ "oneOf": subjects });
    let nested = json!({ "$ref": "#/$defs/filter" });
    json!({ "anyOf": [
        entry(
            json!(["is", "is_not", "contains", "contains_not", "starts_with", "starts_with_not", "ends_with", "ends_with_not"]),
            json!([subject, values, modifiers]),
            3,
        ),
        entry(json!(["is_set", "is_not_set"]), json!([subject]), 2),
        entry(json!(["matches", "matches_not", "matches_wildcard", "matches_wildcard_not"]), json!([subject, values]), 3),
        entry(json!(["is"]), json!([{ "const": SEGMENT }, { "type": "array", "minItems": 1, "items": { "type": "integer" } }]), 3),
        entry(json!(["and", "or"]), json!([{ "type": "array", "minItems": 1, "items": nested }]), 2),
        entry(json!(["not", "has_done", "has_not_done"]), json!([nested]), 2),
    ] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::wire::KEYS;

    fn names(list: &Value) -> Vec<&str> {
        list["oneOf"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|entry| entry["const"].as_str())
            .collect()
    }

    #[test]
    fn the_schema_has_every_name_of_the_registries() {
        let schema = schema();
        let metrics: Vec<_> = Metric::ALL.iter().map(|metric| metric.spec().name).collect();
        assert_eq!(names(&schema["$defs"]["metric"]), metrics);
        let dimensions = names(&schema["$defs"]["dimension"]);
        assert!(Field::ALL.iter().all(|field| dimensions.contains(&field.spec().name)));
        assert!(Interval::ALL.iter().all(|interval| dimensions.contains(&interval.name())));
    }

    #[test]
    fn the_schema_has_the_keys_of_a_query_and_no_others() {
        let schema = schema();
        let mut keys: Vec<_> =
            schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        let mut known = KEYS.to_vec();
        known.sort_unstable();
        assert_eq!(keys, known);
    }
}
