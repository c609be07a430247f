//! What funnels and journeys refuse, and what is never in their statements.

use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::query::statement::Statement;
use crate::site::goal::{Goal, GoalKind};
use crate::site::{Site, SiteId};

fn with_known<T>(ask: impl FnOnce(&Known<'_>) -> T) -> T {
    let site = Site::new(SiteId(7), "example.com", TimeZone::UTC);
    let kind = GoalKind::Event("Signup".into());
    let goals = [Goal { name: "Signup".into(), kind, currency: None }];
    ask(&Known { goals: &goals, ..Known::new(&site, "2024-06-15T12:00:00Z".parse().unwrap()) })
}

fn asked(parts: &Value) -> Value {
    let mut body = json!({ "site_id": "example.com", "date_range": ["2024-05-01", "2024-05-31"] });
    body.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
    body
}

fn funnel(parts: &Value) -> Result<Funnel, crate::query::QueryError> {
    let mut body = json!({ "steps": [{ "page": "/a" }, { "event": "Signup" }] });
    body.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
    with_known(|known| Funnel::parse(&asked(&body), known))
}

fn journey(parts: &Value) -> Result<Journey, crate::query::QueryError> {
    let mut body = json!({ "from": { "page": "/a" } });
    body.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
    with_known(|known| Journey::parse(&asked(&body), known))
}

#[test]
fn a_funnel_that_is_wrong_is_told_where_and_why() {
    let check = |parts: Value, expected: &str| {
        assert_eq!(funnel(&parts).unwrap_err().to_string(), expected, "{parts}");
    };
    let steps = |step: Value| json!({ "steps": [{ "page": "/" }, step] });
    let forms =
        "one of \"goal\", \"page\", \"event\" or \"filters\", and a \"name\" if it shall have one";
    check(steps(json!("x")), &format!("#/steps/1: Invalid step \"x\": {forms}."));
    check(steps(json!({})), &format!("#/steps/1: Invalid step {{}}: {forms}."));
    check(
        steps(json!({ "page": "/", "event": "x" })),
        &format!("#/steps/1: Invalid step {{\"page\":\"/\",\"event\":\"x\"}}: {forms}."),
    );
    check(
        steps(json!({ "pages": "/" })),
        &format!("#/steps/1/pages: Unknown key \"pages\": a step has {forms}."),
    );
    check(
        steps(json!({ "page": "" })),
        "#/steps/1/page: Invalid page \"\": a string of 1 to 2000 bytes.",
    );
    check(
        steps(json!({ "event": "x", "name": 1 })),
        "#/steps/1/name: Invalid name 1: a string of 1 to 100 bytes.",
    );
    check(
        steps(json!({ "goal": "Nope" })),
        "#/steps/1/goal: Invalid goal \"Nope\": the site has no goal of this name.",
    );
    check(
        steps(json!({ "filters": [] })),
        "#/steps/1/filters: Invalid filters []: a list of 1 to 20.",
    );
    check(
        steps(json!({ "filters": [["is", "event:page", ["/"]], ["is", "visit:source", ["x"]]] })),
        "#/steps/1/filters/1: Invalid filter [\"is\",\"visit:source\",[\"x\"]]: a step is one event, so only event \
         dimensions, and no has_done, can be in its filters.",
    );
    check(
        steps(json!({ "filters": [["has_done", ["is", "event:page", ["/"]]]] })),
        "#/steps/1/filters/0: Invalid filter [\"has_done\",[\"is\",\"event:page\",[\"/\"]]]: a step is one event, so \
         only event dimensions, and no has_done, can be in its filters.",
    );
    let long = json!(["is", "event:page", ["x".repeat(8_193)]]);
    check(
        steps(json!({ "filters": [long] })),
        "#/steps/1/filters: Invalid filters: 1 with 8193 bytes in all; at most 20 comparisons with values of 8192 bytes.",
    );
    check(
        json!({ "steps": [{ "page": "/" }] }),
        "#/steps: Invalid steps [{\"page\":\"/\"}]: a list of 2 to 12 steps.",
    );
    check(json!({ "mode": "lax" }), "#/mode: Invalid mode \"lax\": \"loose\" or \"strict\".");
    for window in [json!(0), json!(86_401), json!("day"), json!(1.5)] {
        check(
            json!({ "window": window }),
            &format!(
                "#/window: Invalid window {window}: \"visit\", or whole seconds from 1 to 86400."
            ),
        );
    }
    check(
        json!({ "dimensions": ["visit:source", "event:page"] }),
        "#/dimensions/1: Invalid dimension \"event:page\": a funnel has one dimension at most.",
    );
    check(
        json!({ "dimensions": ["event:goal"] }),
        "#/dimensions/0: Invalid dimension \"event:goal\": an event may meet many goals, so a funnel is not by these.",
    );
    check(
        json!({ "include": { "total_rows": true } }),
        "#/include/total_rows: Unknown key \"total_rows\": a funnel includes comparisons alone.",
    );
    check(
        json!({ "metrics": ["visitors"], "date_range": "x" }),
        &format!(
            "#/metrics: Unknown key \"metrics\": a funnel has the keys site_id, date_range, filters, dimensions, include, \
             pagination, steps, mode, window.\n#/date_range: Invalid date_range \"x\": {}.",
            crate::query::period::FORMS
        ),
    );
}

#[test]
fn a_journey_that_is_wrong_is_told_where_and_why() {
    let check = |parts: Value, expected: &str| {
        assert_eq!(journey(&parts).unwrap_err().to_string(), expected, "{parts}");
    };
    check(json!({ "depth": 6 }), "#/depth: Invalid depth 6: a whole number from 1 to 5.");
    check(json!({ "branches": 0 }), "#/branches: Invalid branches 0: a whole number from 1 to 50.");
    check(
        json!({ "branches": 50, "depth": 3 }),
        "#/branches: Invalid branches 50: over 3 steps there are more than 10000 ways.",
    );
    check(
        json!({ "direction": "up", "of": 1 }),
        "#/direction: Invalid direction \"up\": \"forward\" or \"backward\".\n#/of: Invalid of 1: \"both\" or \"pages\" or \"events\".",
    );
    check(
        json!({ "from": { "goal": "x" } }),
        "#/from/goal: Invalid goal \"x\": the site has no goal of this name.",
    );
    check(
        json!({ "dimensions": [] }),
        "#/dimensions: Unknown key \"dimensions\": a journey has the keys site_id, date_range, filters, from, direction, \
         depth, branches, of.",
    );
    let missing = with_known(|known| Journey::parse(&asked(&json!({})), known)).unwrap_err();
    assert_eq!(missing.to_string(), "#/from: Missing: from is required.");
}

#[test]
fn what_is_echoed_is_the_same_question() {
    let parts = json!({
        "steps": [{ "goal": "Signup", "name": "in" }, { "filters": [["is_set", "event:props:plan"]] }],
        "mode": "strict", "window": 60, "dimensions": ["time"], "filters": [["is", "visit:source", ["x"]]],
    });
    let asked = funnel(&parts).unwrap();
    assert_eq!(with_known(|known| Funnel::parse(&asked.to_wire(), known)).unwrap(), asked);
    let asked =
        journey(&json!({ "direction": "backward", "of": "pages", "depth": 5, "branches": 6 }))
            .unwrap();
    assert_eq!(with_known(|known| Journey::parse(&asked.to_wire(), known)).unwrap(), asked);
}

/// JSON of any shape, with the words of steps in it.
fn anything() -> impl Strategy<Value = Value> {
    let words = vec![
        "page",
        "/a",
        "visit",
        "strict",
        "Signup",
        "is",
        "event:page",
        "event:goal",
        "forward",
        "",
    ];
    let keys = vec!["page", "event", "goal", "filters", "name", "x"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(words).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let keys = prop::sample::select(keys.clone()).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(keys, inner, 0..3)
                .prop_map(|parts| Value::Object(parts.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_asked_is_answered_or_refused(
        key in prop::sample::select(vec!["steps", "mode", "window", "from", "depth", "branches", "of", "dimensions", "include"]),
        value in anything(),
    ) {
        if let Ok(funnel) = funnel(&json!({ key: value })) {
            compile_funnel(&funnel);
        }
        if let Ok(journey) = journey(&json!({ key: value })) {
            compile_journey(&journey);
        }
    }

    #[test]
    fn a_value_never_reaches_the_text(text in ".{0,20}", strict in any::<bool>(), seconds in 1u64..86_400) {
        let value = format!("§{text}");
        let filters = json!([["contains", "event:page", [value]], ["is", "visit:source", [value]]]);
        let filtered = json!({ "filters": [["ends_with", "event:props:§", [value]], ["not", ["is", "event:name", [value]]]] });
        let steps = json!([{ "page": value }, { "event": value, "name": value }, filtered]);
        let mode = if strict { "strict" } else { "loose" };
        let window = if strict { json!("visit") } else { json!(seconds) };
        let asked = json!({ "steps": steps, "filters": filters, "mode": mode, "window": window, "dimensions": ["event:props:§"] });
        let mut statements: Vec<Statement> = vec![compile_funnel(&funnel(&asked).unwrap())];
        for from in steps.as_array().unwrap() {
            let direction = if strict { "forward" } else { "backward" };
            let asked = json!({ "from": from, "filters": filters, "direction": direction, "depth": 1 + seconds % 5 });
            statements.push(compile_journey(&journey(&asked).unwrap()));
        }
        for statement in statements {
            prop_assert!(statement.text().is_ascii(), "{}", statement.text());
            let reads = statement.text().matches("FROM events").count();
            for bound in ["site_id = {", "timestamp >= toDateTime({"] {
                prop_assert_eq!(statement.text().matches(bound).count(), reads);
            }
        }
    }
}
