//! `/openapi.json`: every route of the API, its parameters, bodies and answers (OpenAPI 3.1).
//!
//! [`mod@operations`] lists the routes, the one place where a new one is added; `schemas` and `questions` have the
//! bodies, those of queries from the registries. The pages of the dashboard are not in it: they are for people.
//! `tests/it/openapi.rs` compares the list with the routers' sources, and the fuzzer (`make fuzz`) holds the
//! collector to the rest.

mod operations;
mod questions;
mod schemas;

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use self::operations::{Access, Body, Operation, Parameter, operations};
use super::Services;

pub(super) fn routes() -> Router<Services> {
    Router::new().route("/openapi.json", get(async || Json(document())))
}

/// The document, for the version that this is.
pub fn document() -> Value {
    let mut paths = Map::new();
    for operation in operations() {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = described(&operation);
    }
    let bearer = "A token that `passerby token create` makes, with the scope `stats` or `admin`.";
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Passerby",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": env!("CARGO_PKG_DESCRIPTION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": bearer },
            },
        },
    })
}

fn described(operation: &Operation) -> Value {
    let mut answers: Map<String, Value> = operation.answers.iter().map(answer).collect();
    for status in operation.refusals() {
        answers.insert(status.to_string(), refusal(status));
    }
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": operation.parameters.iter().map(parameter).collect::<Vec<_>>(),
        "responses": answers,
    });
    if let Some(body) = &operation.body {
        described["requestBody"] = request_body(body);
    }
    let scope = match operation.access {
        Access::Anybody => return described,
        Access::Reader => "stats",
        Access::Administrator => "admin",
    };
    described["security"] = json!([{ "token": [scope] }]);
    described
}

fn parameter(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "description": parameter.doc,
        "schema": parameter.schema,
    })
}

fn request_body(body: &Body) -> Value {
    let content = body
        .forms
        .iter()
        .map(|(media_type, schema)| ((*media_type).to_owned(), json!({ "schema": schema })));
    json!({ "required": body.required, "content": content.collect::<Map<_, _>>() })
}

fn answer((status, doc, content): &operations::Answer) -> (String, Value) {
    let content = content
        .iter()
        .map(|(media_type, schema)| ((*media_type).to_owned(), json!({ "schema": schema })));
    let content: Map<_, _> = content.collect();
    (status.to_string(), json!({ "description": doc, "content": content }))
}

fn refusal(status: u16) -> Value {
    let doc = match status {
        400 => "The request is wrong; the message says where and by which rule.",
        401 => "The token is missing, or does not open the site, whether or not there is one.",
        403 => {
            "The token is not an administrator's; or, of annotations, there is a floor under its numbers."
        }
        404 => "There is no such thing.",
        406 => "There is no such form of the answer.",
        413 => "The body is too long.",
        415 => "The body is compressed.",
        422 => "The query needs more time or memory than one may use.",
        _ => "The database does not answer at the moment; try again shortly.",
    };
    json!({
        "description": doc,
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Refusal" } } },
    })
}

/// The routes of the document: method and path, in upper case and as the routers write it.
pub fn listed() -> Vec<(String, String)> {
    let listed = operations().into_iter();
    listed.map(|operation| (operation.method.to_uppercase(), operation.path.to_owned())).collect()
}
