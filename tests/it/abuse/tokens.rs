//! Tokens: where they are not kept, and what each of them does not open.

use hyper::{Method, StatusCode};
use serde_json::Value;

use crate::support::{Collector, eventually, files};

#[tokio::test]
async fn a_token_is_in_no_file_and_in_no_log() {
    let mut collector = Collector::start(&[("PASSERBY_LOG_FILTER", "trace")]).await;
    collector.run(&["site", "add", "example.com"]);
    let token = collector.run(&["token", "create", "--scope", "admin"]);
    let id = collector.run(&["token", "list"]).split('\t').next().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    collector.request(Method::POST, "/sign-in", &form, format!("token={token}")).await;
    let cookie = format!("passerby-token={token}");
    for headers in [[("authorization", bearer.as_str())], [("cookie", cookie.as_str())]] {
        for path in ["/", "/example.com", "/api/v1/sites", "/api/v1/tokens", "/nowhere"] {
            collector.request(Method::GET, path, &headers, "").await;
        }
    }
    let metrics = crate::collecting::control_metrics(&collector).await;
    collector.terminate();
    let secret = token.strip_prefix("psb_").unwrap();
    assert_eq!(secret.len(), 64);
    let log = collector.log();
    assert!(log.contains("TRACE"), "the log was not at its most talkative");
    assert!(!log.contains(secret) && !metrics.contains(secret));
    let mut hash_is_found = false;
    for path in files(&collector.data_dir) {
        let bytes = std::fs::read(&path).unwrap();
        let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!has(secret), "{} has the token", path.display());
        hash_is_found |= has(&id);
    }
    assert!(hash_is_found, "the search does not find what is kept of a token");
}

/// The routes of the document that need a token: method, path and whether it must be an administrator's.
fn guarded(document: &Value) -> Vec<(Method, String, bool)> {
    let mut routes = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            if operation["security"].is_array() {
                let method = method.to_uppercase().parse().unwrap();
                let scope = operation["security"][0]["token"][0].as_str().unwrap();
                assert!(["admin", "stats"].contains(&scope), "{scope}");
                routes.push((method, path.clone(), scope == "admin"));
            }
        }
    }
    routes
}

/// A path with something in each of its places.
fn filled(path: &str) -> String {
    let parts =
        path.split('/').map(|part| if part.starts_with('{') { "example.com" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn no_token_opens_more_than_its_scope_in_any_route_that_there_is() {
    let collector = Collector::start(&[]).await;
    for site in ["example.com", "other.test"] {
        collector.run(&["site", "add", site]);
    }
    let create = |arguments: &[&str]| {
        let token = collector.run(&[&["token", "create"], arguments].concat());
        format!("Bearer {token}")
    };
    let reader = create(&["--scope", "stats"]);
    let limited = create(&["--scope", "admin", "--site", "example.com"]);
    let of_another = create(&["--scope", "stats", "--site", "other.test"]);
    let administrator = create(&["--scope", "admin"]);
    let expired = create(&["--scope", "admin", "--expires", "1970-01-01T00:00:00Z"]);
    let wrong = "Bearer psb_0000000000000000000000000000000000000000000000000000000000000000";
    let document = collector.request(Method::GET, "/openapi.json", &[], "").await.json();
    let routes = guarded(&document);
    assert!(routes.len() >= 25, "{routes:?}");
    let status = async |method: &Method, path: &str, bearer: Option<&str>| {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(bearer.map(|bearer| ("authorization", bearer)));
        let query = "?site_id=example.com&site=example.com";
        let path = format!("{}{query}", filled(path));
        // Nothing that a route could do anything with: what may pass is told what is missing.
        let answer = collector
            .request(method.clone(), &path, &headers, r#"{"site_id":"example.com"}"#)
            .await;
        answer.status
    };
    for (method, path, is_admins) in &routes {
        let what = format!("{method} {path}");
        for bearer in
            [None, Some(wrong), Some("Basic eDp5"), Some("Bearer"), Some("Bearer "), Some(&expired)]
        {
            assert_eq!(
                status(method, path, bearer).await,
                StatusCode::UNAUTHORIZED,
                "{what}: {bearer:?}"
            );
        }
        if *is_admins {
            for bearer in [&reader, &limited, &of_another] {
                assert_eq!(
                    status(method, path, Some(bearer)).await,
                    StatusCode::FORBIDDEN,
                    "{what}"
                );
            }
        }
    }
    // The control: with the right one they are not refused for who asks. What deletes comes last.
    let (ending, others): (Vec<_>, Vec<_>) =
        routes.iter().partition(|(method, ..)| *method == Method::DELETE);
    for (method, path, _) in others.into_iter().chain(ending) {
        let answered = eventually("the database answers", async || {
            let status = status(method, path, Some(&administrator)).await;
            (status != StatusCode::SERVICE_UNAVAILABLE).then_some(status)
        })
        .await;
        assert_ne!(answered, StatusCode::FORBIDDEN, "{method} {path}");
        if method != Method::DELETE {
            assert_ne!(answered, StatusCode::UNAUTHORIZED, "{method} {path}");
        }
    }
}
