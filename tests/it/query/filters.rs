//! Which events and visits a report is about.

use passerby::event::Attributes;
use passerby::report::AskError;
use serde_json::{Value, json};

use super::story::Story;

#[tokio::test]
async fn a_filter_on_the_name_of_events_leaves_the_page_views_that_meet_it() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/a").event("01 10:00:10", "Signup", "/a");
    story.visit(2).view("01 11:00:00", "/b");
    story.visit(3).event("01 12:00:00", "Signup", "/a");
    story.told().await;
    let metrics = json!(["visitors", "visits", "pageviews", "events"]);
    for (filter, expected) in [
        (json!(["is_not", "event:name", ["Signup"]]), json!([2, 2, 2, 2])),
        (json!(["not", ["is", "event:name", ["Signup"]]]), json!([2, 2, 2, 2])),
        (json!(["contains_not", "event:name", ["Sign"]]), json!([2, 2, 2, 2])),
        (json!(["is_not", "event:name", ["pageview"]]), json!([2, 2, 0, 2])),
        (json!(["is", "event:name", ["Signup"]]), json!([2, 2, 0, 2])),
    ] {
        let query = json!({ "metrics": metrics, "filters": [filter] });
        story.check(query, json!([expected])).await;
    }
}

#[tokio::test]
async fn filters_compare_as_their_operators_say() {
    // [32]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).from("Google").view("01 10:00:00", "/Blog/one").prop("plan", "pro");
    story.visit(2).from("google ads").view("01 11:00:00", "/blog/two").prop("plan", "free");
    story.visit(3).view("01 12:00:00", "/");
    story.told().await;
    let check = async |filter: Value, expected: u64| {
        story.check(json!({ "filters": [filter] }), json!([[expected]])).await
    };
    check(json!(["is", "visit:source", ["Google", "Bing"]]), 1).await;
    check(json!(["is", "visit:source", ["google"], { "case_sensitive": false }]), 1).await;
    check(json!(["is_not", "visit:source", ["Google"]]), 2).await;
    check(json!(["contains", "visit:source", ["oogle"]]), 2).await;
    check(json!(["contains", "visit:source", ["ADS", "x"], { "case_sensitive": false }]), 1).await;
    check(json!(["contains_not", "visit:source", ["oogle"]]), 1).await;
    check(json!(["matches", "event:page", ["^/[Bb]log/"]]), 2).await;
    check(json!(["matches_not", "event:page", ["^/blog/"]]), 2).await;
    check(json!(["matches_wildcard", "event:page", ["/blog/**|/"]]), 2).await;
    check(json!(["matches_wildcard_not", "event:page", ["/*log/*"]]), 1).await;
    check(json!(["is", "event:props:plan", ["pro"]]), 1).await;
    check(json!(["is", "event:props:plan", ["(none)"]]), 1).await;
    check(json!(["is_not", "event:props:plan", ["pro"]]), 2).await;
    check(json!(["is_not", "event:props:plan", ["(none)"]]), 2).await;
    check(json!(["contains_not", "event:props:plan", ["pr"]]), 1).await;
    check(json!(["matches_not", "event:props:plan", ["^f"]]), 1).await;
    check(json!(["or", [["is", "visit:source", ["Google"]], ["is", "event:page", ["/"]]]]), 2)
        .await;
    check(
        json!([
            "and",
            [["contains", "visit:source", ["oogle"]], ["is", "event:props:plan", ["free"]]]
        ]),
        1,
    )
    .await;
    check(json!(["not", ["is", "event:page", ["/"]]]), 2).await;
    check(json!(["has_done", ["is", "event:page", ["/"]]]), 1).await;
    check(json!(["has_not_done", ["is", "event:page", ["/"]]]), 2).await;
    check(json!(["is", "visit:source", ["Google' OR 1=1 --", "\\", "{p0:String}", "?"]]), 0).await;
}

#[tokio::test]
async fn a_pattern_that_is_no_regular_expression_is_named() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).from("Google").view("01 10:00:00", "/");
    story.told().await;
    let check = async |patterns: Value, expected: &str| {
        let filters =
            json!([["matches", "visit:source", patterns], ["matches", "event:page", ["/"]]]);
        let error = story.ask(&json!({ "filters": filters })).await.unwrap_err();
        assert!(matches!(error, AskError::Invalid(_)), "{error}");
        assert_eq!(error.to_string(), expected);
    };
    let rule = "a regular expression in the syntax of RE2; a ( in it has no ).";
    check(json!(["a", "(b"]), &format!("#/filters/0/2/1: Invalid pattern \"(b\": {rule}")).await;
    // What only the database knows to be none.
    let rule = "one of these is no regular expression in the syntax of RE2";
    let expected = format!(r#"#/filters: Invalid pattern: {rule}: "\\p{{Unheard}}", "/"."#);
    check(json!([r"\p{Unheard}"]), &expected).await;
}

#[tokio::test]
async fn a_value_is_found_at_either_end_and_by_being_there() {
    let mut story = Story::new("Etc/UTC").await;
    let of_berlin = Attributes { city: 2_950_159, ..Attributes::default() };
    story.visit(1).with(of_berlin).view("01 10:00:00", "/Blog/one.html").prop("plan", "pro");
    story.visit(2).from("google ads").view("01 11:00:00", "/blog/two").prop("plan", "");
    story.visit(3).from("Google").view("01 12:00:00", "/äpfel.HTML");
    story.told().await;
    let check = async |filter: Value, expected: u64| {
        // The same from events and from visits.
        for metric in ["visitors", "visits", "pageviews"] {
            let query = json!({ "metrics": [metric], "filters": [filter] });
            story.check(query, json!([[expected]])).await;
        }
    };
    let any_case = json!({ "case_sensitive": false });
    check(json!(["starts_with", "event:page", ["/blog", "/x"]]), 1).await;
    check(json!(["starts_with", "event:page", ["/blog"], any_case]), 2).await;
    check(json!(["starts_with", "event:page", ["/ÄPF"], any_case]), 1).await;
    check(json!(["starts_with_not", "event:page", ["/blog", "/B"]]), 1).await;
    check(json!(["ends_with", "event:page", [".html"]]), 1).await;
    check(json!(["ends_with", "event:page", [".html"], any_case]), 2).await;
    check(json!(["ends_with_not", "visit:entry_page", [".html", "o"]]), 1).await;
    check(json!(["starts_with", "visit:city", ["295"]]), 1).await;
    // On properties they are about events that have them.
    check(json!(["starts_with", "event:props:plan", ["p"]]), 1).await;
    check(json!(["starts_with_not", "event:props:plan", ["p"]]), 1).await;
    check(json!(["ends_with_not", "event:props:plan", ["o"]]), 1).await;
    check(json!(["is_set", "visit:source"]), 2).await;
    check(json!(["is_not_set", "visit:source"]), 1).await;
    check(json!(["is_set", "visit:city"]), 1).await;
    check(json!(["is_not_set", "visit:city"]), 2).await;
    check(json!(["is_set", "visit:exit_page"]), 3).await;
    check(json!(["is_set", "event:props:plan"]), 2).await;
    check(json!(["is_not_set", "event:props:plan"]), 1).await;
    check(json!(["not", ["is_set", "visit:source"]]), 1).await;
    check(json!(["has_done", ["is_not_set", "event:props:plan"]]), 1).await;
}

#[tokio::test]
async fn has_done_keeps_all_the_events_of_the_visits_in_which_one_event_met_all_conditions() {
    // [33]
    let mut story = Story::new("Etc/UTC").await;
    story
        .visit(1)
        .view("01 10:00:00", "/a")
        .event("01 10:01:00", "Signup", "/b")
        .view("01 10:02:00", "/b");
    story.visit(1).view("01 15:00:00", "/b").event("01 15:01:00", "Signup", "/a");
    story.told().await;
    let both = json!(["and", [["is", "event:name", ["Signup"]], ["is", "event:page", ["/b"]]]]);
    let query =
        json!({ "metrics": ["visits", "events", "bounce_rate"], "filters": [["has_done", both]] });
    story.check(query, json!([[1, 3, 0]])).await;
    let query = json!({ "metrics": ["visits", "events"], "filters": [["has_not_done", both]] });
    story.check(query, json!([[1, 2]])).await;
}

#[tokio::test]
async fn a_host_filter_is_also_of_the_entry_host_where_a_report_is_by_how_visits_began() {
    // [10]
    let mut story = Story::new("Etc/UTC").await;
    story
        .visit(1)
        .from("Google")
        .on("blog.example")
        .view("01 10:00:00", "/a")
        .on("shop.example")
        .view("01 10:01:00", "/b");
    story.visit(2).from("Bing").on("shop.example").view("01 11:00:00", "/b");
    story.told().await;
    let filters = json!([["is", "event:hostname", ["shop.example"]]]);
    let check = async |dimension: &str, expected: Value| {
        story.check(json!({ "dimensions": [dimension], "filters": filters }), expected).await;
    };
    check("visit:source", json!([["Bing", 1]])).await;
    check("visit:entry_page", json!([["/b", 1]])).await;
    check("visit:exit_page", json!([["/b", 2]])).await;
    check("visit:browser", json!([["(not set)", 2]])).await;
    let filters = json!([["is", "event:hostname", ["blog.example"]]]);
    story.check(json!({ "dimensions": ["visit:exit_page"], "filters": filters }), json!([])).await;
    story.check(json!({ "filters": filters }), json!([[1]])).await;
}

#[tokio::test]
async fn the_longest_filters_are_answered() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).from("Google").view("01 10:00:00", "/");
    story.told().await;
    let values: Vec<String> =
        (0..1_000).map(|number| format!(r"it's a \ source {number:13}")).collect();
    for operator in ["is_not", "contains_not", "matches_not", "matches_wildcard_not"] {
        story.check(json!({ "filters": [[operator, "visit:source", values]] }), json!([[1]])).await;
    }
    let nested =
        (0..16).fold(json!(["is", "event:page", ["/"]]), |filter, _| json!(["not", filter]));
    story.check(json!({ "filters": [nested] }), json!([[1]])).await;
}
