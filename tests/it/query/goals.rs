//! Goals, conversion, attention to pages, and exits.

use passerby::site::goal::{Goal, GoalKind};
use serde_json::{Value, json};

use super::story::Story;

fn goal(name: &str, kind: GoalKind) -> Goal {
    Goal { name: name.into(), kind, currency: None }
}

/// Three visitors of whom one signs up, two read the blog, and one of these to its end.
async fn shop() -> Story {
    let mut story = Story::new("Etc/UTC").await;
    story.goals = vec![
        goal("Signup", GoalKind::Event("Signup".into())),
        goal("Visit /blog**", GoalKind::Page("/blog**".into())),
        goal("Read on", GoalKind::Scroll("/blog/*".into(), 60)),
        goal("Never", GoalKind::Event("Never".into())),
    ];
    let visit = story.visit(1).from("Google").view("01 10:00:00", "/blog/a").prop("plan", "pro");
    visit
        .ping("01 10:01:00", "/blog/a")
        .attention(63_000, 80)
        .event("01 10:02:00", "Signup", "/blog/a")
        .prop("plan", "pro");
    let visit = story.visit(2).from("Google").view("01 11:00:00", "/blog/b/c");
    visit
        .ping("01 11:01:00", "/blog/b/c")
        .attention(20_000, 30)
        .ping("01 11:02:00", "/blog/b/c")
        .attention(1_000, 40);
    story
        .visit(3)
        .from("Bing")
        .view("01 12:00:00", "/")
        .event("01 12:01:00", "Signup", "/")
        .not_interactive();
    story
        .visit(4)
        .from("Bing")
        .view("01 13:00:00", "/")
        .ping("01 13:00:30", "/")
        .attention(700, 255);
    story.told().await;
    story
}

#[tokio::test]
async fn one_event_counts_for_every_goal_that_it_meets() {
    // [26], [27]
    let story = shop().await;
    let query = json!({ "metrics": ["visitors", "events", "conversion_rate"], "dimensions": ["event:goal"] });
    let expected =
        json!([["Signup", 2, 2, 50.0], ["Visit /blog**", 2, 2, 50.0], ["Read on", 1, null, 25.0]]);
    story.check(query, expected).await;
    let filters = json!([["is", "event:goal", ["Signup", "Read on"]]]);
    let query = json!({ "metrics": ["visitors", "events"], "filters": filters });
    story.check(query, json!([[2, null]])).await;
    let query = json!({ "metrics": ["visitors", "pageviews"], "filters": [["is", "event:goal", ["Visit /blog**"]]] });
    story.check(query, json!([[2, 2]])).await;
    let query = json!({ "dimensions": ["event:goal"], "filters": filters });
    story.check(query, json!([["Signup", 2], ["Read on", 1]])).await;
}

#[tokio::test]
async fn where_nothing_happened_there_are_no_events_of_scrolling_either() {
    // [27]
    let story = shop().await;
    let days = json!(["2024-05-01", "2024-05-02"]);
    let scrolled = json!([["is", "event:goal", ["Read on"]]]);
    let filled = |dimensions: Value, filters: &Value| {
        json!({
            "metrics": ["events", "visitors"], "dimensions": dimensions, "filters": filters, "date_range": days,
            "include": { "zero_fill": true },
        })
    };
    let expected = json!([["2024-05-01", null, 1], ["2024-05-02", null, 0]]);
    story.check(filled(json!(["time:day"]), &scrolled), expected).await;
    // Nor is there an event of that name.
    for metrics in [json!(["visitors"]), json!(["visitors", "group_conversion_rate"])] {
        let query =
            json!({ "metrics": metrics, "dimensions": ["event:name"], "filters": scrolled });
        story.check(query, json!([])).await;
    }
    let google = json!([["is", "visit:source", ["Google"]]]);
    let query = filled(json!(["time:day", "event:goal"]), &google);
    let expected = json!([
        ["2024-05-01", "Visit /blog**", 2, 2],
        ["2024-05-01", "Signup", 1, 1],
        ["2024-05-01", "Read on", null, 1],
        ["2024-05-02", "Signup", 0, 0],
        ["2024-05-02", "Visit /blog**", 0, 0],
        ["2024-05-02", "Read on", null, 0],
    ]);
    story.check(query, expected).await;
    let comparison = json!({ "comparisons": { "mode": "previous_period" } });
    let query = json!({
        "metrics": ["events"], "dimensions": ["event:goal"], "date_range": days, "include": comparison,
    });
    let answer = story.ask(&query).await.unwrap();
    let compared = answer["results"].as_array().unwrap().iter().map(|row| {
        json!([
            row["dimensions"][0],
            row["comparison"]["metrics"][0],
            row["comparison"]["change"][0]
        ])
    });
    let expected = json!([["Signup", 0, 100], ["Visit /blog**", 0, 100], ["Read on", null, null]]);
    assert_eq!(compared.collect::<Value>(), expected);
}

#[tokio::test]
async fn the_rate_of_conversion_is_of_all_visitors_and_the_groups_of_the_row() {
    // [28]
    let story = shop().await;
    let rates = json!(["visitors", "conversion_rate", "group_conversion_rate"]);
    let filters = json!([["is", "event:goal", ["Signup"]]]);
    let query = json!({ "metrics": rates, "dimensions": ["visit:source"], "filters": filters });
    story.check(query, json!([["Bing", 1, 25.0, 50.0], ["Google", 1, 25.0, 50.0]])).await;
    // Filters on pages and visits narrow the denominator, filters on properties do not.
    let filters = json!([["is", "event:goal", ["Signup"]], ["contains", "event:page", ["/blog"]]]);
    story.check(json!({ "metrics": rates, "filters": filters }), json!([[1, 50.0, 50.0]])).await;
    let filters = json!([["is", "event:goal", ["Signup"]], ["is", "event:props:plan", ["pro"]]]);
    story.check(json!({ "metrics": rates, "filters": filters }), json!([[1, 25.0, 25.0]])).await;
    let query = json!({ "metrics": rates, "dimensions": ["event:props:plan"], "filters": [["is", "event:goal", ["Signup"]]] });
    story.check(query, json!([["(none)", 1, 25.0, 25.0], ["pro", 1, 25.0, 25.0]])).await;
    let query =
        json!({ "metrics": ["conversion_rate"], "filters": [["is", "event:goal", ["Never"]]] });
    story.check(query, json!([[0.0]])).await;
}

#[tokio::test]
async fn a_report_by_as_many_goals_as_a_site_may_have_is_answered() {
    let mut story = shop().await;
    let kind = |number: usize| match number % 3 {
        0 => GoalKind::Event(format!("Event {number} {}", "ü".repeat(60))),
        1 => GoalKind::Page(format!("/blog/**/{number}/{}", "(".repeat(200))),
        _ => GoalKind::Scroll(format!("/blog/**/{number}/{}", ".".repeat(200)), 50),
    };
    let more = (story.goals.len()..200).map(|number| goal(&format!("Goal {number}"), kind(number)));
    story.goals.extend(more.collect::<Vec<_>>());
    let metrics = json!(["visitors", "events", "conversion_rate", "total_revenue"]);
    let filters = json!([["contains", "event:goal", [""]], ["contains", "event:goal", ["o"]]]);
    let query = json!({ "metrics": metrics, "dimensions": ["event:goal", "visit:source"], "filters": filters });
    assert_eq!(story.rows(&query).await.as_array().unwrap().len(), 2);
    let many = vec![json!(["contains", "event:goal", [""]]); 3];
    let error = story.ask(&json!({ "filters": many })).await.unwrap_err().to_string();
    assert!(error.starts_with("#/filters: Invalid filters: they mean 600 goals"), "{error}");
}

#[tokio::test]
async fn an_unknown_goal_is_refused_under_is_and_finds_nothing_under_contains() {
    // [30]
    let story = shop().await;
    let error = story
        .ask(&json!({ "filters": [["is", "event:goal", ["Signup", "Nope"]]] }))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        r##"#/filters/0/2/1: Invalid goal "Nope": the site has no goal of this name."##
    );
    story.check(json!({ "filters": [["contains", "event:goal", ["Nope"]]] }), json!([[0]])).await;
    story.check(json!({ "filters": [["contains", "event:goal", ["sign"], { "case_sensitive": false }]] }), json!([[2]])).await;
    story
        .check(
            json!({ "filters": [["has_done", ["is", "event:goal", ["Read on"]]]] }),
            json!([[1]]),
        )
        .await;
    story
        .check(
            json!({ "filters": [["has_not_done", ["is", "event:goal", ["Signup"]]]] }),
            json!([[2]]),
        )
        .await;
}

#[tokio::test]
async fn attention_is_the_mean_of_the_visits_that_told_of_it() {
    // [31], [22]
    let story = shop().await;
    let query = json!({ "metrics": ["visitors", "scroll_depth", "time_on_page"], "dimensions": ["event:page"] });
    let expected = json!([["/", 2, null, 1], ["/blog/a", 1, 80, 63], ["/blog/b/c", 1, 40, 21]]);
    story.check(query, expected).await;
    let query = json!({ "metrics": ["time_on_page"], "dimensions": ["event:page"] });
    story.check(query.clone(), json!([["/", 1], ["/blog/a", 63], ["/blog/b/c", 21]])).await;
    let echoed = story.ask(&query).await.unwrap()["query"].clone();
    story.check(echoed, json!([["/", 1], ["/blog/a", 63], ["/blog/b/c", 21]])).await;
    let filters = json!([["contains", "event:page", ["/blog"]]]);
    let query =
        json!({ "metrics": ["scroll_depth", "time_on_page", "visitors"], "filters": filters });
    story.check(query, json!([[60, 42, 2]])).await;
    let query = json!({ "metrics": ["scroll_depth", "time_on_page"], "filters": [["is", "event:page", ["/nope"]]] });
    story.check(query, json!([[null, null]])).await;
}

#[tokio::test]
async fn the_exit_rate_is_of_all_the_views_of_the_page() {
    // [11]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).from("Google").view("01 10:00:00", "/a").view("01 10:01:00", "/b");
    story
        .visit(2)
        .from("Google")
        .view("01 11:00:00", "/b")
        .view("01 11:01:00", "/a")
        .view("01 11:02:00", "/a");
    story.visit(3).from("Bing").view("01 12:00:00", "/a");
    story.told().await;
    let metrics = json!(["exit_rate", "visits"]);
    let query = json!({ "metrics": metrics, "dimensions": ["visit:exit_page"] });
    story.check(query, json!([["/a", 50.0, 2], ["/b", 50.0, 1]])).await;
    let filters = json!([["is", "visit:exit_page", ["/a"]], ["is", "visit:source", ["Google"]]]);
    let query =
        json!({ "metrics": metrics, "dimensions": ["visit:exit_page"], "filters": filters });
    story.check(query, json!([["/a", 33.3, 1]])).await;
}
