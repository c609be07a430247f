//! `/openapi.json` has every route of the API, and none that there is not.

use std::collections::BTreeSet;
use std::path::Path;

use hyper::{Method, StatusCode};
use serde_json::Value;

use crate::support::Collector;

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
