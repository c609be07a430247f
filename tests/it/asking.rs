//! Asking over HTTP: the routes of questions, who may use them, and the form of their answers. What the
//! numbers mean is a matter of `query`.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, Collector};

/// A collector that knows two visits of March 2026, and a token that may read their site alone.
async fn with_visits() -> (Collector, String) {
    let collector = Collector::start(&[]).await;
    for site in ["shop.test", "other.test"] {
        collector.run(&["site", "add", site]);
    }
    let events = [
        ("a", "10:00:00", "pageview", "/"),
        ("a", "10:00:05", "pageview", "/cart"),
        ("a", "10:00:05", "Order", "/cart"),
        ("b", "11:00:00", "pageview", "/"),
    ];
    let lines = events.map(|(visitor, time, name, path)| {
        let timestamp = format!("2026-03-01T{time}Z");
        let url = format!("https://shop.test{path}");
        let line = json!({ "site": "shop.test", "timestamp": timestamp, "visitor": visitor, "name": name, "url": url });
        line.to_string()
    });
    let file = collector.data_dir.join("events.jsonl");
    std::fs::write(&file, lines.join("\n")).unwrap();
    collector.run(&["import", file.to_str().unwrap()]);
    let token = collector.run(&["token", "create", "--scope", "stats", "--site", "shop.test"]);
    (collector, token)
}

async fn post(collector: &Collector, token: &str, path: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    collector.request(Method::POST, path, &headers, body.to_string()).await
}

#[tokio::test]
async fn several_queries_are_answered_by_name_and_a_wrong_one_has_its_error_for_an_answer() {
    let (collector, token) = with_visits().await;
    let queries = json!({
        "pages": { "metrics": ["visitors"], "date_range": ["2026-03-01", "2026-03-01"], "dimensions": ["event:page"] },
        "all": { "metrics": ["visitors", "events"], "date_range": "all" },
        "wrong": { "metrics": ["visitors", "baa"], "date_range": "day" },
        "pattern": { "metrics": ["visitors"], "date_range": "all", "filters": [["matches", "event:page", [r"\p{Unheard}"]]] },
    });
    let answer =
        collector.query(&token, &json!({ "site_id": "shop.test", "queries": queries })).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    let results = answer.json()["results"].take();
    assert_eq!(
        results.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["pages", "all", "wrong", "pattern"]
    );
    assert_eq!(
        results["pages"]["results"],
        json!([{ "metrics": [2], "dimensions": ["/"] }, { "metrics": [1], "dimensions": ["/cart"] }])
    );
    assert_eq!(results["all"]["results"], json!([{ "metrics": [2, 4], "dimensions": [] }]));
    assert_eq!(results["wrong"], json!({ "error": "#/metrics/1: Invalid metric \"baa\"" }));
    assert!(
        results["pattern"]["error"].as_str().unwrap().starts_with("#/filters: Invalid pattern")
    );
    // Each is what it is when it is asked alone.
    assert_eq!(
        post(&collector, &token, "/api/v2/query", &results["all"]["query"]).await.json(),
        results["all"]
    );
}

#[tokio::test]
async fn funnels_and_journeys_are_answered() {
    let (collector, token) = with_visits().await;
    let range = json!(["2026-03-01", "2026-03-01"]);
    let funnel = json!({ "site_id": "shop.test", "date_range": range, "steps": [{ "page": "/" }, { "event": "Order" }] });
    let answer = post(&collector, &token, "/api/v2/funnel", &funnel).await.json();
    let step = |name: &str, visitors: u64, rate: f64| json!({ "name": name, "visitors": visitors, "conversion_rate": rate });
    let first = step("/", 2, 100.0);
    let second = step("Order", 1, 50.0);
    let mut expected = json!([{ "dimensions": [], "steps": [first, second] }]);
    let of_before = |step: &mut Value, rate: Value, lost: Value| {
        step["step_conversion_rate"] = rate.clone();
        step["drop_off"] = lost;
        step["drop_off_rate"] = rate;
    };
    of_before(&mut expected[0]["steps"][0], Value::Null, Value::Null);
    of_before(&mut expected[0]["steps"][1], json!(50.0), json!(1));
    assert_eq!(answer["results"], expected);
    assert_eq!(post(&collector, &token, "/api/v2/funnel", &answer["query"]).await.json(), answer);
    let journey =
        json!({ "site_id": "shop.test", "date_range": range, "from": { "page": "/" }, "depth": 2 });
    let answer = post(&collector, &token, "/api/v2/journey", &journey).await.json();
    let order = json!({ "event": "Order", "visits": 1 });
    let cart = json!({ "page": "/cart", "visits": 1, "ended": 0, "others": 0, "next": [order] });
    assert_eq!(
        answer["results"],
        json!({ "name": "/", "visits": 2, "ended": 1, "others": 0, "next": [cart] })
    );
    assert_eq!(post(&collector, &token, "/api/v2/journey", &answer["query"]).await.json(), answer);
}

#[tokio::test]
async fn every_question_has_its_schema() {
    let collector = Collector::start(&[]).await;
    let questions =
        [("query", "Query"), ("queries", "Queries"), ("funnel", "Funnel"), ("journey", "Journey")];
    for (name, title) in questions {
        let path = format!("/api/docs/{name}/schema.json");
        let schema = collector.request(Method::GET, &path, &[], "").await.json();
        assert_eq!(schema["title"], title);
        assert_eq!(schema["additionalProperties"], false);
    }
}

#[tokio::test]
async fn every_question_keeps_to_the_sites_of_its_token_and_says_what_is_wrong() {
    let (collector, token) = with_visits().await;
    for (path, key, value) in QUESTIONS {
        let body = |site: Value| {
            let mut body = json!({ "site_id": site, "date_range": "all" });
            body[key] = serde_json::from_str(value).unwrap();
            if key == "queries" {
                body.as_object_mut().unwrap().remove("date_range");
            }
            body
        };
        let status =
            async |token: &str, site: Value| post(&collector, token, path, &body(site)).await;
        let answer = status(&token, json!("shop.test")).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {:?}", answer.body);
        let forbidden = status(&token, json!("other.test")).await;
        let unknown = status(&token, json!("unknown.test")).await;
        let nobody = status("psb_wrong", json!("shop.test")).await;
        assert_eq!(forbidden.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(forbidden.body, unknown.body, "{path}");
        assert_eq!(forbidden.body, nobody.body, "{path}");
        let missing = status(&token, Value::Null).await;
        assert_eq!(missing.status, StatusCode::BAD_REQUEST, "{path}");
        let mut wrong = body(json!("shop.test"));
        wrong["unheard_of"] = json!(1);
        let wrong = post(&collector, &token, path, &wrong).await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(
            wrong.json()["error"].as_str().unwrap().starts_with("#/unheard_of: Unknown key"),
            "{path}"
        );
    }
}

/// The routes of questions, each with what it asks besides.
const QUESTIONS: [(&str, &str, &str); 4] = [
    ("/api/v2/query", "metrics", r#"["visitors"]"#),
    ("/api/v2/funnel", "steps", r#"[{ "page": "/" }, { "event": "Order" }]"#),
    ("/api/v2/journey", "from", r#"{ "page": "/" }"#),
    ("/api/v2/query", "queries", r#"{ "a": { "metrics": ["visitors"], "date_range": "day" } }"#),
];
