//! Quantiles, engagement, and the numbers that sites tell as properties.

use passerby::site::goal::{Goal, GoalKind};
use serde_json::{Value, json};

use super::story::Story;

#[tokio::test]
async fn quantiles_of_durations_are_exact_and_between_two_numbers_interpolated() {
    let mut story = Story::new("Etc/UTC").await;
    for (visitor, seconds) in [(1, "00"), (2, "10"), (3, "21"), (4, "59")] {
        story.visit(visitor).view("01 10:00:00", "/").view(&format!("01 10:00:{seconds}"), "/b");
    }
    story.told().await;
    let metrics = json!(["visit_duration_p50", "visit_duration_p75", "visit_duration"]);
    story.check(json!({ "metrics": metrics }), json!([[16, 30, 22]])).await;
    let query = json!({ "metrics": metrics, "dimensions": ["event:page"] });
    story.check(query, json!([["/", 16, 30, 22]])).await;
    let query = json!({ "metrics": metrics, "date_range": ["2024-04-01", "2024-04-02"] });
    story.check(query, json!([[0, 0, 0]])).await;
}

#[tokio::test]
async fn quantiles_of_time_on_page_are_of_the_visits_that_told_of_it() {
    let mut story = Story::new("Etc/UTC").await;
    for (visitor, ms) in [(1, 1_000), (2, 2_000), (3, 9_000), (4, 90_000)] {
        story.visit(visitor).view("01 10:00:00", "/a").ping("01 10:01:00", "/a").attention(ms, 255);
    }
    // Twice told is once attended.
    story
        .visit(5)
        .ping("01 10:00:00", "/a")
        .attention(4_000, 255)
        .ping("01 10:00:30", "/a")
        .attention(1_000, 255);
    story.visit(6).view("01 10:00:00", "/b");
    story.told().await;
    let metrics = json!(["visitors", "time_on_page_p50", "time_on_page_p75"]);
    let query = json!({ "metrics": metrics, "dimensions": ["event:page"] });
    story.check(query, json!([["/a", 4, 5, 9], ["/b", 1, null, null]])).await;
    let query = json!({ "metrics": ["time_on_page_p50"], "dimensions": ["event:page"] });
    story.check(query, json!([["/a", 5], ["/b", null]])).await;
    let error = story.ask(&json!({ "metrics": ["time_on_page_p75"] })).await.unwrap_err();
    assert!(
        error.to_string().starts_with("#/metrics/0: Invalid metric \"time_on_page_p75\""),
        "{error}"
    );
}

#[tokio::test]
async fn a_visit_is_engaged_by_attention_by_views_or_by_a_goal() {
    let mut story = Story::new("Etc/UTC").await;
    let goal = |name: &str, kind| Goal { name: name.into(), kind, currency: None };
    // More than ten seconds, in parts and on the other side of midnight.
    story
        .visit(1)
        .from("A")
        .view("01 23:59:50", "/")
        .ping("02 00:00:01", "/")
        .attention(10_001, 255);
    story
        .visit(2)
        .from("A")
        .view("01 10:00:00", "/")
        .ping("01 10:00:10", "/")
        .attention(10_000, 255);
    story.visit(3).from("A").view("01 10:00:00", "/").view("01 10:00:01", "/");
    story.visit(4).from("B").view("01 10:00:00", "/").event("01 10:00:01", "Signup", "/");
    story.visit(5).from("B").view("01 10:00:00", "/thanks");
    story
        .visit(6)
        .from("B")
        .view("01 10:00:00", "/long")
        .ping("01 10:00:01", "/long")
        .attention(100, 90);
    story.nobody().view("01 10:00:00", "/").ping("01 10:00:30", "/").attention(30_000, 255);
    story.told().await;
    let by_source = json!({ "metrics": ["engagement_rate", "visits"], "dimensions": ["visit:source"], "order_by": [["visit:source", "asc"]] });
    story.check(by_source.clone(), json!([["A", 66.7, 3], ["B", 0.0, 3]])).await;
    let first_day =
        json!({ "metrics": ["engagement_rate"], "date_range": ["2024-05-01", "2024-05-01"] });
    story.check(first_day, json!([[33.3]])).await;
    story.goals = vec![goal("Signup", GoalKind::Event("Signup".into()))];
    story.check(by_source.clone(), json!([["A", 66.7, 3], ["B", 33.3, 3]])).await;
    story.goals = vec![
        goal("Thanks", GoalKind::Page("/th*".into())),
        goal("Read", GoalKind::Scroll("/long".into(), 80)),
    ];
    story.check(by_source, json!([["A", 66.7, 3], ["B", 66.7, 3]])).await;
    let filtered = json!({ "metrics": ["engagement_rate", "bounce_rate"], "filters": [["is", "event:page", ["/thanks"]]] });
    story.check(filtered, json!([[100.0, 100]])).await;
    let nothing =
        json!({ "metrics": ["engagement_rate"], "date_range": ["2024-04-01", "2024-04-02"] });
    story.check(nothing, json!([[0.0]])).await;
}

/// Orders of two visitors, with prices of all kinds.
async fn orders() -> Story {
    let mut story = Story::new("Etc/UTC").await;
    let mut visit = story.visit(1).from("A").view("01 10:00:00", "/").prop("price", "1000");
    for price in ["10", "2.5", "-1", "ten", "", "1e1", "NaN", "inf", "12 "] {
        visit = visit.event("01 10:00:00", "Order", "/shop").prop("price", price);
    }
    drop(visit);
    story.visit(2).from("B").event("02 11:00:00", "Order", "/shop").prop("price", "0.1");
    story.nobody().event("02 11:00:00", "Order", "/shop").prop("price", "0.2");
    let visit = story.visit(2).from("B").event("02 11:00:00", "Free", "/shop");
    visit.ping("02 11:01:00", "/shop").prop("price", "5");
    story.told().await;
    story
}

#[tokio::test]
async fn numbers_of_a_property_are_counted_and_what_is_no_number_is_left_out() {
    let story = orders().await;
    let statistics = ["sum", "avg", "min", "max", "p50", "p75", "p95"];
    let metrics = statistics.map(|statistic| format!("{statistic}:event:props:price"));
    let by_name = json!({ "metrics": metrics, "dimensions": ["event:name"], "order_by": [["event:name", "asc"]] });
    let expected = json!([
        ["Free", null, null, null, null, null, null, null],
        // -1, 0.1, 0.2, 2.5, 10, 10.
        ["Order", 21.8, 3.633333, -1.0, 10.0, 1.35, 8.125, 10.0],
        ["pageview", 1000.0, 1000.0, 1000.0, 1000.0, 1000.0, 1000.0, 1000.0],
    ]);
    story.check(by_name, expected).await;
    let nothing = json!({ "metrics": metrics, "date_range": ["2024-04-01", "2024-04-02"] });
    story.check(nothing, json!([[null, null, null, null, null, null, null]])).await;
}

#[tokio::test]
async fn numbers_of_properties_stand_beside_all_other_metrics() {
    let story = orders().await;
    let orders = json!([["is", "event:name", ["Order"]]]);
    let check = async |parts: Value, expected: Value| story.check(parts, expected).await;
    let query = json!({ "metrics": ["visitors", "sum:event:props:price", "visit_duration", "percentage", "max:event:props:x"],
        "dimensions": ["visit:source"], "filters": orders, "order_by": [["sum:event:props:price", "desc"]] });
    let expected = json!([
        ["A", 1, 21.5, 0, 50.0, null],
        ["Direct / None", 0, 0.2, 0, 0.0, null],
        ["B", 1, 0.1, 0, 50.0, null]
    ]);
    check(query, expected).await;
    let query = json!({ "metrics": ["sum:event:props:price", "visits"], "dimensions": ["time:minute"],
        "date_range": ["2024-05-01", "2024-05-01"], "filters": [["is", "event:page", ["/shop"]]] });
    check(query, json!([["2024-05-01 10:00:00", 21.5, 1]])).await;
    let query = json!({ "metrics": ["avg:event:props:price"], "dimensions": ["time:day"], "filters": orders,
        "date_range": ["2024-05-01", "2024-05-03"], "include": { "zero_fill": true, "comparisons": { "mode": "previous_period" } } });
    check(
        query.clone(),
        json!([["2024-05-01", 5.375], ["2024-05-02", 0.15], ["2024-05-03", null]]),
    )
    .await;
    let answer = story.ask(&query).await.unwrap();
    assert_eq!(answer["query"]["metrics"], json!(["avg:event:props:price"]));
    assert_eq!(answer["results"][0]["comparison"]["metrics"], json!([null]));
    assert_eq!(story.ask(&answer["query"]).await.unwrap(), answer);
    let query = json!({ "metrics": ["p50:event:props:price"], "dimensions": ["visit:exit_page"] });
    assert_eq!(
        story.ask(&query).await.unwrap_err().to_string(),
        r##"#/metrics/0: Invalid metric "p50:event:props:price": a metric of events cannot be broken down by the visit dimension "visit:exit_page"."##
    );
}
