//! Segments: filters under a number.

use passerby::site::goal::{Goal, GoalKind};
use passerby::site::segment::Segment;
use serde_json::{Value, json};

use super::story::Story;

fn segment(id: u32, filters: Value) -> Segment {
    Segment { id, name: format!("segment {id}"), filters: filters.as_array().unwrap().clone() }
}

async fn site() -> Story {
    let mut story = Story::new("Etc/UTC").await;
    let kind = GoalKind::Event("Signup".into());
    story.goals = vec![Goal { name: "Signup".into(), kind, currency: None }];
    story.site.segments = vec![
        segment(1, json!([["is", "visit:source", ["Google"]], ["is", "event:page", ["/a"]]])),
        segment(2, json!([["is", "visit:source", ["Bing"]]])),
        segment(3, json!([["is", "event:goal", ["Signup"]]])),
    ];
    story.visit(1).from("Google").view("01 10:00:00", "/a").view("01 10:01:00", "/b");
    story.visit(2).from("Google").view("01 10:00:00", "/b").view("01 10:02:00", "/a");
    story.visit(3).from("Bing").view("01 10:00:00", "/b").event("01 10:01:00", "Signup", "/b");
    story.visit(4).view("01 10:00:00", "/a");
    story.told().await;
    story
}

#[tokio::test]
async fn a_segment_is_as_its_filters_and_the_query_is_echoed_with_them() {
    // [38]
    let story = site().await;
    let filters = json!([["is", "segment", [1]], ["is_not", "visit:country", ["DE"]]]);
    let query = json!({ "metrics": ["visitors", "bounce_rate"], "filters": filters });
    let answer = story.ask(&query).await.unwrap();
    let expanded = json!([
        ["is", "visit:source", ["Google"]],
        ["is", "event:page", ["/a"]],
        ["is_not", "visit:country", ["DE"]],
    ]);
    assert_eq!(answer["query"]["filters"], expanded);
    assert_eq!(answer["results"][0]["metrics"], json!([2, 0]));
    let again = story.ask(&answer["query"]).await.unwrap();
    assert_eq!(again, answer);
}

#[tokio::test]
async fn segments_stand_wherever_filters_do() {
    let story = site().await;
    let check = async |filters: Value, expected: u64| {
        story.check(json!({ "filters": filters }), json!([[expected]])).await;
    };
    check(json!([["is", "segment", [1, 2]]]), 3).await;
    check(json!([["not", ["is", "segment", [2]]]]), 3).await;
    check(json!([["or", [["is", "segment", [2]], ["is", "visit:source", ["Direct / None"]]]]]), 2)
        .await;
    check(json!([["and", [["is", "segment", [1]], ["is", "segment", [2]]]]]), 0).await;
}

#[tokio::test]
async fn a_goal_in_a_segment_converts() {
    let story = site().await;
    let filters = json!([["is", "segment", [3]]]);
    let query = json!({ "metrics": ["visitors", "conversion_rate"], "filters": filters });
    story.check(query, json!([[1, 25.0]])).await;
}

#[tokio::test]
async fn a_segment_that_there_is_not_or_may_not_be_there_is_refused_at_its_place() {
    let mut story = site().await;
    let refused = async |story: &Story, filters: Value, expected: &str| {
        let error = story.ask(&json!({ "filters": filters })).await.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{filters}: {error}");
    };
    let source = json!(["is", "visit:source", ["x"]]);
    let filters = json!([source, ["is", "segment", [7]]]);
    refused(&story, filters, "#/filters/1/2/0: Invalid segment 7: the site has no segment").await;
    // What does not go where the segment stands does not go there within it either.
    let filters = json!([["is", "segment", [1]], ["or", [source, ["is", "segment", [3]]]]]);
    let of_segment = "Segment 3 (\"segment 3\"): Invalid";
    let expected = format!("#/filters/1/1/1: {of_segment} filter on \"event:goal\"");
    refused(&story, filters, &expected).await;
    // Segments outlive goals.
    story.goals.clear();
    let filters = json!([["is", "segment", [1]], ["is", "segment", [3]]]);
    refused(&story, filters, &format!("#/filters/1: {of_segment} goal \"Signup\"")).await;
}
