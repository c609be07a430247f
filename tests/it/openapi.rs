//! `/openapi.json` has every route of the API, and none that there is not; and what is asked and answered is as it says.

use std::collections::BTreeSet;
use std::path::Path;

use hyper::{Method, StatusCode};
use regex::Regex;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::support::{Answer, Collector};

/// What is served, but not a part of the API: the operator's own, on other sockets.
const NOT_IN_IT: [(&str, &str); 5] = [
    ("GET", "/metrics"),
    ("GET", "/api/v1/audit"),
    ("GET", "/api/v1/probe"),
    ("POST", "/api/v1/backups"),
    ("POST", "/api/v1/mails"),
];
/// What the door answers itself, before there is a router.
const AT_THE_DOOR: [(&str, &str); 2] = [("POST", "/api/event"), ("GET", "/api/event.gif")];

/// Every `.route("path", get(…).post(…))` of a source, up to the next one.
fn routes(source: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for part in source.split(".route(").skip(1) {
        let path = part.split('"').nth(1).unwrap();
        let end = part.find("}\n\n").unwrap_or(part.len());
        for method in ["get", "post", "put", "delete", "patch"] {
            let is_called = |before: char| !before.is_alphanumeric() && before != '_';
            let call = format!("{method}(");
            let mut calls = part[..end].match_indices(&call);
            if calls.any(|(at, _)| part[..at].ends_with(is_called)) {
                found.push((method.to_uppercase(), path.to_owned()));
            }
        }
    }
    found
}

#[test]
fn every_route_of_the_api_is_in_the_document_and_every_one_of_the_document_there() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    let mut served: BTreeSet<_> =
        AT_THE_DOOR.map(|(method, path)| (method.to_owned(), path.to_owned())).into();
    let mut files = vec![sources];
    while let Some(file) = files.pop() {
        if file.is_dir() {
            files.extend(std::fs::read_dir(file).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            served.extend(routes(&std::fs::read_to_string(file).unwrap()));
        }
    }
    for (method, path) in NOT_IN_IT {
        assert!(
            served.remove(&(method.to_owned(), path.to_owned())),
            "{method} {path} is not served"
        );
    }
    let listed: BTreeSet<_> = passerby::http::openapi::listed().into_iter().collect();
    let missing: Vec<_> = served.difference(&listed).collect();
    assert!(missing.is_empty(), "add to src/http/openapi/operations.rs: {missing:?}");
    let unserved: Vec<_> = listed.difference(&served).collect();
    assert!(unserved.is_empty(), "there is no such route: {unserved:?}");
}

#[tokio::test]
async fn the_document_is_served_with_the_version_and_its_references_are_there() {
    let collector = Collector::start(&[]).await;
    let answer = collector.request(Method::GET, "/openapi.json", &[], "").await;
    assert_eq!(answer.status, StatusCode::OK);
    let document = answer.json();
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(document, passerby::http::openapi::document());
    check_references(&document, &document);
    // Each path that needs nothing answers as the document says.
    for (path, operations) in document["paths"].as_object().unwrap() {
        let needs = path.contains('{') || operations["get"]["security"].is_array();
        if operations.get("get").is_some() && !needs {
            let status = collector.request(Method::GET, path, &[], "").await.status;
            let known = &operations["get"]["responses"][status.as_str()];
            assert!(known.is_object(), "{path}: {status}");
        }
    }
}

fn check_references(document: &Value, value: &Value) {
    match value {
        Value::Object(entries) => {
            if let Some(reference) = entries.get("$ref").and_then(Value::as_str) {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference} is not there");
            }
            entries.values().for_each(|value| check_references(document, value));
        }
        Value::Array(items) => items.iter().for_each(|value| check_references(document, value)),
        _ => {}
    }
}

/// What a value has that its schema does not allow; empty, if it is as the schema says. Of JSON Schema there is what the document
/// has, and anything else is told.
fn broken(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let Some(rules) = schema.as_object() else {
        return if *schema == json!(false) { vec![format!("{value} is too much")] } else { vec![] };
    };
    let inner = |schema: &Value, value: &Value| broken(document, schema, value);
    let holds = |schema: &Value| inner(schema, value).is_empty();
    let size = |value: &Value| match value {
        Value::String(text) => text.chars().count() as f64,
        Value::Array(items) => items.len() as f64,
        Value::Object(entries) => entries.len() as f64,
        number => number.as_f64().unwrap(),
    };
    let mut found = Vec::new();
    for (rule, wanted) in rules {
        let all = || wanted.as_array().unwrap().iter();
        let (list, map) = (value.as_array(), value.as_object());
        let is_kept = match rule.as_str() {
            "$ref" => {
                let pointer = wanted.as_str().unwrap().strip_prefix('#').unwrap();
                found.extend(inner(document.pointer(pointer).unwrap(), value));
                true
            }
            "description" | "title" | "default" | "format" => true,
            "type" => {
                let is_one = |kind: &Value| match kind.as_str().unwrap() {
                    "null" => value.is_null(),
                    "boolean" => value.is_boolean(),
                    "string" => value.is_string(),
                    "array" => value.is_array(),
                    "object" => value.is_object(),
                    "number" => value.is_number(),
                    "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
                    other => panic!("the type {other}"),
                };
                if wanted.is_array() { all().any(is_one) } else { is_one(wanted) }
            }
            "const" => value == wanted,
            "enum" => all().any(|one| one == value),
            "allOf" => all().all(holds),
            "anyOf" => all().any(holds),
            "oneOf" => all().filter(|one| holds(one)).count() == 1,
            "required" => {
                map.is_none_or(|map| all().all(|key| map.contains_key(key.as_str().unwrap())))
            }
            "properties" => {
                for (key, value) in map.into_iter().flatten() {
                    found.extend(wanted.get(key).map(|one| inner(one, value)).unwrap_or_default());
                }
                true
            }
            "additionalProperties" => {
                let known = |key: &String| {
                    rules.get("properties").is_some_and(|known| known.get(key).is_some())
                };
                for (_, value) in map.into_iter().flatten().filter(|(key, _)| !known(key)) {
                    found.extend(inner(wanted, value));
                }
                true
            }
            "items" => {
                let first = rules.get("prefixItems").and_then(Value::as_array).map_or(0, Vec::len);
                found.extend(
                    list.into_iter().flatten().skip(first).flat_map(|item| inner(wanted, item)),
                );
                true
            }
            "prefixItems" => {
                let pairs = list.into_iter().flatten().zip(all());
                found.extend(pairs.flat_map(|(item, schema)| inner(schema, item)));
                true
            }
            "uniqueItems" => list.is_none_or(|list| {
                list.iter().enumerate().all(|(at, one)| !list[..at].contains(one))
            }),
            "minItems" => list.is_none() || size(value) >= size(wanted),
            "maxItems" => list.is_none() || size(value) <= size(wanted),
            "minLength" => !value.is_string() || size(value) >= size(wanted),
            "maxLength" => !value.is_string() || size(value) <= size(wanted),
            "minimum" => !value.is_number() || size(value) >= size(wanted),
            "maximum" => !value.is_number() || size(value) <= size(wanted),
            "pattern" => {
                let pattern = Regex::new(wanted.as_str().unwrap()).unwrap();
                value.as_str().is_none_or(|text| pattern.is_match(text))
            }
            other => panic!("the rule {other} is not looked at here"),
        };
        if !is_kept {
            found.push(format!("{value} breaks {rule}: {wanted}"));
        }
    }
    found
}

/// That an answer of an operation is as the document says.
#[track_caller]
fn check_answer(document: &Value, method: &str, path: &str, answer: &Answer) {
    let told = &document["paths"][path][method]["responses"][answer.status.as_str()];
    let schema = &told["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{method} {path}: {} {:?}", answer.status, answer.body);
    assert_eq!(broken(document, schema, &answer.json()), [""; 0], "{method} {path}");
}

fn body_of<'document>(
    document: &'document Value,
    path: &str,
    media_type: &str,
) -> &'document Value {
    &document["paths"][path]["post"]["requestBody"]["content"][media_type]["schema"]
}

/// A collector with a site, its visits and goals, and a token that reads it.
async fn with_visits() -> (Collector, String) {
    let collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "shop.test"]);
    collector.run(&["goal", "add", "shop.test", "--event", "Order"]);
    let events = [("a", "pageview", "/"), ("a", "Order", "/cart"), ("b", "pageview", "/")];
    let lines = events.map(|(visitor, name, path)| {
        let url = format!("https://shop.test{path}");
        let line = json!({
            "site": "shop.test", "timestamp": "2026-03-01T10:00:00Z", "visitor": visitor, "name": name, "url": url,
            "props": { "plan": "pro", "price": "5" }, "city": 2_950_159,
        });
        line.to_string()
    });
    let file = collector.data_dir.join("events.jsonl");
    std::fs::write(&file, lines.join("\n")).unwrap();
    collector.run(&["import", file.to_str().unwrap()]);
    let token = collector.run(&["token", "create", "--scope", "stats", "--site", "shop.test"]);
    (collector, token)
}

#[tokio::test]
async fn questions_and_their_answers_are_as_the_document_says() {
    let document = passerby::http::openapi::document();
    let (collector, token) = with_visits().await;
    let bearer = format!("Bearer {token}");
    let post = async |path: &str, parts: Value| {
        let mut body =
            json!({ "site_id": "shop.test", "date_range": ["2026-03-01", "2026-03-02"] });
        body.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
        let schema = body_of(&document, path, "application/json");
        assert_eq!(broken(&document, schema, &body), [""; 0], "{body}");
        let headers = [("authorization", bearer.as_str())];
        let answer = collector.request(Method::POST, path, &headers, body.to_string()).await;
        assert_eq!(answer.status, StatusCode::OK, "{body}: {:?}", answer.body);
        check_answer(&document, "post", path, &answer);
        answer.json()
    };
    let labels = json!({ "time_labels": true, "zero_fill": true, "total_rows": true });
    let before = json!({ "comparisons": { "mode": "previous_period" } });
    for parts in [
        json!({ "metrics": ["visitors", "percentage", "sum:event:props:price"], "dimensions": ["visit:city"] }),
        json!({ "metrics": ["visitors"], "dimensions": ["time:hour_of_day"], "include": labels }),
        json!({ "metrics": ["visitors"], "dimensions": ["time:day_of_week"], "include": labels }),
        json!({ "metrics": ["visitors"], "dimensions": ["time:day"], "include": labels }),
        json!({ "metrics": ["visits", "bounce_rate"], "dimensions": ["time:week"], "include": before, "date_range": "07d" }),
        // A week that the other period does not have.
        json!({ "metrics": ["visitors"], "dimensions": ["time:week"], "include": before, "date_range": ["2026-02-22", "2026-03-02"] }),
        json!({ "metrics": ["total_revenue"], "dimensions": ["event:goal"] }),
        json!({ "metrics": ["visitors"], "order_by": [["visitors", "asc"]], "pagination": { "limit": 10.0, "offset": 0 } }),
    ] {
        post("/api/v2/query", parts).await;
    }
    let steps = json!([{ "page": "/" }, { "goal": "Order" }]);
    let by_week = json!({
        "steps": steps, "dimensions": ["time:week"], "include": before, "date_range": ["2026-02-14", "2026-03-01"],
    });
    post("/api/v2/funnel", json!({ "steps": steps })).await;
    post("/api/v2/funnel", by_week).await;
    post("/api/v2/journey", json!({ "from": { "page": "/" } })).await;
    let twice = json!({ "site_id": "shop.test", "metrics": ["visitors"], "date_range": "day", "order_by": [["visitors", "asc"], ["visitors", "asc"]] });
    assert_eq!(collector.query(&token, &twice).await.status, StatusCode::BAD_REQUEST);
    let schema = body_of(&document, "/api/v2/query", "application/json");
    assert!(!broken(&document, &document["components"]["schemas"]["Query"], &twice).is_empty());
    assert!(!broken(&document, schema, &json!({ "metrics": ["visitors"] })).is_empty());
    // A body that would have to be unpacked first.
    let packed = [("authorization", bearer.as_str()), ("content-encoding", "gzip")];
    for path in ["/api/v2/query", "/api/v2/funnel", "/api/v2/journey"] {
        let answer = collector.request(Method::POST, path, &packed, "\u{1f}").await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        check_answer(&document, "post", path, &answer);
    }
}

#[tokio::test]
async fn parameters_of_the_older_dialect_are_as_the_document_says() {
    let document = passerby::http::openapi::document();
    let (collector, token) = with_visits().await;
    let bearer = format!("Bearer {token}");
    let get = async |path: &str, pairs: &[(&str, &str)]| {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let headers = [("authorization", bearer.as_str())];
        collector.request(Method::GET, &format!("{path}?{query}"), &headers, "").await
    };
    let schema_of = |path: &str, name: &str| {
        let parameters = document["paths"][path]["get"]["parameters"].as_array().unwrap();
        parameters.iter().find(|parameter| parameter["name"] == name).unwrap()["schema"].clone()
    };
    let breakdown = "/api/v1/stats/breakdown";
    let common = [("site_id", "shop.test"), ("period", "day"), ("date", "2026-03-01")];
    for (path, more) in [
        (breakdown, vec![("property", "event:goal"), ("metrics", "visitors,events")]),
        (breakdown, vec![("property", "event:props"), ("metrics", "visitors, events")]),
        (breakdown, vec![("property", "event:props:plan"), ("metrics", "sum:event:props:price")]),
        (breakdown, vec![("property", "visit:city"), ("with_imported", "true")]),
        ("/api/v1/stats/timeseries", vec![("interval", "date"), ("metrics", "visitors ,visits")]),
        ("/api/v1/stats/aggregate", vec![("compare", "previous_period")]),
    ] {
        for (name, value) in &more {
            assert_eq!(
                broken(&document, &schema_of(path, name), &json!(value)),
                [""; 0],
                "{path}: {name}"
            );
        }
        let answer = get(path, &[&common[..], &more].concat()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path} {more:?}: {:?}", answer.body);
        check_answer(&document, "get", path, &answer);
    }
    let dates = json!("2026-03-01, 2026-03-02");
    assert_eq!(broken(&document, &schema_of(breakdown, "date"), &dates), [""; 0]);
    let hostname = get(breakdown, &[&common[..], &[("property", "event:hostname")]].concat()).await;
    assert_eq!(hostname.status, StatusCode::BAD_REQUEST);
    check_answer(&document, "get", breakdown, &hostname);
    let property = schema_of(breakdown, "property");
    assert!(!broken(&document, &property, &json!("event:hostname")).is_empty());
}

#[tokio::test]
async fn what_trackers_send_is_as_the_document_says() {
    let document = passerby::http::openapi::document();
    let collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "shop.test"]);
    let schema = body_of(&document, "/api/event", "text/plain");
    for body in [
        // As trackers of the field send it, old and new; and as our own names are.
        json!({"n": "pageview", "v": 24, "u": "https://shop.test/a?b=c", "d": "shop.test", "r": null}),
        json!({"n": "pageview", "u": "https://shop.test/#/a", "d": "shop.test", "r": "https://a.test/", "h": 1}),
        json!({"n": "engagement", "sd": 40, "d": "shop.test", "u": "https://shop.test/a", "p": {"plan": "pro"}, "e": 5021, "v": 24}),
        json!({"n": "Order", "u": "https://shop.test/", "d": "shop.test", "p": {"plan": 7}, "i": false, "$": {"amount": "10.5", "currency": "EUR"}}),
        json!({"n": "Signup", "u": "https://shop.test/", "d": "shop.test,b.test", "r": "", "m": "{\"plan\":\"pro\"}"}),
        json!({"name": "Signup", "url": "https://shop.test/", "props": null, "revenue": "{\"amount\":1,\"currency\":\"EUR\"}", "hashMode": 0}),
        json!({"name": 404, "url": "https://shop.test/", "domain": "shop.test", "referrer": null, "interactive": true, "consent": 1}),
    ] {
        assert_eq!(broken(&document, schema, &body), [""; 0], "{body}");
        let answer = collector.beacon(&body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{body}: {:?}", answer.body);
    }
    let named = [("content-type", "application/x-www-form-urlencoded")];
    let form = "n=Signup&u=https%3A%2F%2Fshop.test%2F&i=false&h=1&p=%7B%22plan%22%3A%22pro%22%7D";
    let fields: Value = form_urlencoded::parse(form.as_bytes())
        .map(|(name, value)| (name.into_owned(), json!(value)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    for media_type in ["application/x-www-form-urlencoded", "multipart/form-data"] {
        let schema = body_of(&document, "/api/event", media_type);
        assert_eq!(broken(&document, schema, &fields), [""; 0], "{media_type}");
    }
    let answer = collector.request(Method::POST, "/api/event", &named, form).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{:?}", answer.body);
    for body in [json!({"u": "https://shop.test/"}), json!({"n": "a"}), json!({"n": "a", "u": 7})] {
        assert!(!broken(&document, schema, &body).is_empty(), "{body}");
        let answer = collector.beacon(&body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        check_answer(&document, "post", "/api/event", &answer);
    }
}
