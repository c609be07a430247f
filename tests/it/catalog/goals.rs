//! Goals over HTTP and by command, and revenue.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::Set;
use crate::support::eventually;

#[tokio::test]
async fn goals_set_up_over_http_and_by_command_are_in_reports() {
    let set = Set::up().await;
    let signup = set.goal(json!({ "goal_type": "event", "event_name": "Signup" })).await;
    assert!(signup["id"].as_str().unwrap().parse::<u32>().is_ok());
    let expected = json!({
        "id": signup["id"], "goal_type": "event", "event_name": "Signup", "page_path": null,
        "scroll_threshold": null, "display_name": "Signup", "currency": null, "domain": "example.com",
    });
    assert_eq!(signup, expected);
    let run = |arguments: &[&str]| set.collector.run(&[&["goal"], arguments].concat());
    assert_eq!(run(&["add", "example.com", "--page", "/blog/**"]), "Visit /blog/**");
    let scroll = ["add", "example.com", "--page", "/blog/*", "--scroll", "50"];
    assert_eq!(run(&scroll), "Scroll 50% on /blog/*");

    set.beacon(1, json!({ "u": "https://example.com/blog/a/b" })).await;
    set.beacon(1, json!({ "n": "Signup" })).await;
    set.beacon(2, json!({ "u": "https://example.com/blog/a" })).await;
    set.beacon(
        2,
        json!({ "n": "engagement", "u": "https://example.com/blog/a", "sd": 50, "e": 9000 }),
    )
    .await;
    set.beacon(3, json!({ "u": "https://example.com/blog" })).await;
    set.beacon(
        3,
        json!({ "n": "engagement", "u": "https://example.com/blog", "sd": 90, "e": 9000 }),
    )
    .await;
    set.beacon(4, json!({})).await;
    set.has_events(5).await;
    let by_goal =
        json!({ "metrics": ["visitors", "conversion_rate"], "dimensions": ["event:goal"] });
    let scrolled = eventually("scrolling is in the report", async || {
        let rows = set.rows(by_goal.clone()).await;
        (rows.as_array().unwrap().len() == 3).then_some(rows)
    });
    let expected = json!([
        ["Visit /blog/**", 2, 50.0],
        ["Scroll 50% on /blog/*", 1, 25.0],
        ["Signup", 1, 25.0],
    ]);
    assert_eq!(scrolled.await, expected);
    let filters = json!([["is", "event:goal", ["Signup"]]]);
    let rates = set.rows(json!({ "metrics": ["conversion_rate"], "filters": filters })).await;
    assert_eq!(rates, json!([[25.0]]));
    let v1 = "/api/v1/stats/aggregate?site_id=example.com&period=6mo&metrics=visitors&filters=event:goal==Signup";
    assert_eq!(set.get(v1).await, json!({ "results": { "visitors": { "value": 1 } } }));

    let path = format!("/api/v1/sites/goals/{}", signup["id"].as_str().unwrap());
    assert_eq!(set.done(Method::DELETE, &path, json!({})).await, json!({ "deleted": true }));
    assert_eq!(set.call(Method::DELETE, &path, json!({})).await.status, StatusCode::NOT_FOUND);
    run(&["remove", "example.com", "Scroll 50% on /blog/*"]);
    assert_eq!(run(&["list", "example.com"]).lines().count(), 1);
}

#[tokio::test]
async fn a_goal_that_is_sent_again_is_the_same_and_keeps_what_is_not_said() {
    let set = Set::up().await;
    let purchase = json!({ "goal_type": "event", "event_name": "Purchase", "currency": "eur" });
    let first = set.goal(purchase.clone()).await;
    assert_eq!(first["currency"], "EUR");
    assert_eq!(set.goal(purchase).await, first);
    let plain = json!({ "goal_type": "event", "event_name": "Purchase" });
    assert_eq!(set.goal(plain).await, first);
    let named = json!({ "goal_type": "event", "event_name": "Purchase", "display_name": "Bought" });
    let named = set.goal(named).await;
    assert_eq!((&named["id"], &named["currency"]), (&first["id"], &first["currency"]));
    assert_eq!(named["display_name"], "Bought");
    // As forms, as the field's documentation has them.
    let headers = [
        ("authorization", set.bearer.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let form = "site_id=example.com&goal_type=page&page_path=%2Fthanks&scroll_threshold=60";
    let put = set.collector.request(Method::PUT, "/api/v1/sites/goals", &headers, form).await;
    assert_eq!(put.json()["display_name"], "Scroll 60% on /thanks");
    let goals = set.get("/api/v1/sites/goals?site_id=example.com").await;
    assert_eq!(goals["goals"].as_array().unwrap().len(), 2);
    assert_eq!(goals["meta"], json!({ "after": null, "before": null, "limit": 100 }));
}

#[tokio::test]
async fn a_goal_that_breaks_a_rule_is_refused_with_the_field_and_the_rule() {
    let set = Set::up().await;
    set.goal(json!({ "goal_type": "event", "event_name": "Signup" })).await;
    for (goal, part) in [
        (json!({}), "goal_type is missing"),
        (json!({ "goal_type": "visit" }), "goal_type `visit` must be event or page"),
        (json!({ "goal_type": "event" }), "event_name is missing"),
        (json!({ "goal_type": "event", "event_name": "engagement" }), "event_name must not be"),
        (
            json!({ "goal_type": "event", "event_name": "x".repeat(121) }),
            "event_name must have 1 to 120",
        ),
        (json!({ "goal_type": "event", "event_name": "a", "page_path": "/" }), "page_path"),
        (json!({ "goal_type": "event", "event_name": "a", "currency": "XYZ" }), "currency `XYZ`"),
        (
            json!({ "goal_type": "event", "event_name": "a", "display_name": "Signup" }),
            "display_name `Signup`",
        ),
        (json!({ "goal_type": "event", "event_name": 7 }), "event_name 7 must be a string"),
        (json!({ "goal_type": "page" }), "page_path is missing"),
        (
            json!({ "goal_type": "page", "page_path": "thanks" }),
            "page_path `thanks` must begin with /",
        ),
        (
            json!({ "goal_type": "page", "page_path": "/", "currency": "EUR" }),
            "currency is for goals of events",
        ),
        (
            json!({ "goal_type": "page", "page_path": "/", "scroll_threshold": 101 }),
            "scroll_threshold 101",
        ),
        (
            json!({ "goal_type": "page", "page_path": "/", "scroll_threshold": 900 }),
            "scroll_threshold 900",
        ),
        (
            json!({ "goal_type": "page", "page_path": "/", "scroll_threshold": -1 }),
            "scroll_threshold -1",
        ),
        (
            json!({ "goal_type": "page", "page_path": "/", "colour": "red" }),
            "Unknown field `colour`",
        ),
    ] {
        let mut goal = goal;
        goal["site_id"] = json!("example.com");
        set.refused(Method::PUT, "/api/v1/sites/goals", goal, part).await;
    }
    set.refused(Method::PUT, "/api/v1/sites/goals", json!({}), "site_id is missing").await;
    set.refused(Method::DELETE, "/api/v1/sites/goals/x", json!({}), "id `x`").await;
    let unknown = json!({ "site_id": "no.test", "goal_type": "event", "event_name": "a" });
    let answer = set.call(Method::PUT, "/api/v1/sites/goals", unknown).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let filters = json!([["is", "event:goal", ["Signup", "Nope"]]]);
    let answer = set.query(json!({ "filters": filters })).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let error = answer.json()["error"].clone();
    assert_eq!(error, "#/filters/0/2/1: Invalid goal \"Nope\": the site has no goal of this name.");
}

#[tokio::test]
async fn revenue_is_kept_where_a_goal_of_the_event_has_a_currency() {
    let set = Set::up().await;
    set.goal(json!({ "goal_type": "event", "event_name": "Purchase", "currency": "EUR" })).await;
    set.goal(json!({ "goal_type": "event", "event_name": "Signup" })).await;
    let paid = |amount: Value, currency: &str| json!({ "amount": amount, "currency": currency });
    set.beacon(1, json!({ "n": "Purchase", "$": paid(json!("100.10"), "EUR") })).await;
    set.beacon(1, json!({ "n": "Purchase", "revenue": paid(json!(50), "eur") })).await;
    set.beacon(2, json!({ "n": "Purchase", "$": paid(json!(7), "USD") })).await;
    set.beacon(2, json!({ "n": "Signup", "$": paid(json!(7), "EUR") })).await;
    set.has_events(4).await;
    let query = json!({ "metrics": ["total_revenue", "average_revenue"] });
    let total = json!({ "value": 150.1, "currency": "EUR", "short": "€150.1", "long": "€150.10" });
    let average = json!({ "value": 75.05, "currency": "EUR", "short": "€75.0", "long": "€75.05" });
    assert_eq!(set.rows(query).await, json!([[total, average]]));
    // What no goal said was worth anything has not been kept for one that comes later.
    set.goal(json!({ "goal_type": "event", "event_name": "Signup", "currency": "EUR" })).await;
    let query =
        json!({ "metrics": ["total_revenue"], "filters": [["is", "event:goal", ["Signup"]]] });
    assert_eq!(set.rows(query).await, json!([[null]]));
    let table = set.collector.run(&["query", "example.com", "total_revenue", "--period", "24h"]);
    assert!(table.contains("€150.10"), "{table}");
}
