//! A report beside that of another period.

use serde_json::{Value, json};

use super::story::Story;

/// The rows, each as its dimensions, its metrics, and the same of what it is compared with, and the changes.
async fn compared(story: &Story, parts: Value) -> Value {
    let answer = story.ask(&parts).await.unwrap();
    let row = |row: &Value| {
        let there = &row["comparison"];
        json!([
            row["dimensions"],
            row["metrics"],
            there["dimensions"],
            there["metrics"],
            there["change"]
        ])
    };
    answer["results"].as_array().unwrap().iter().map(row).collect()
}

#[tokio::test]
async fn each_row_is_compared_with_the_same_one_of_the_other_period() {
    // [36], [37]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).from("Google").view("01 10:00:00", "/");
    story.visit(2).from("Google").view("01 10:00:00", "/").view("01 10:00:40", "/");
    story.visit(3).from("Bing").view("02 10:00:00", "/");
    story.visit(4).from("Google").view("04 10:00:00", "/");
    story.visit(5).from("Yahoo").view("04 10:00:00", "/");
    story.visit(6).from("Yahoo").view("04 10:00:00", "/");
    story.told().await;
    let parts = |more: Value| {
        let mut parts = json!({
            "metrics": ["visitors", "bounce_rate", "percentage"], "date_range": ["2024-05-03", "2024-05-04"],
            "include": { "comparisons": { "mode": "previous_period" } },
        });
        parts.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        parts
    };
    let expected = json!([[[], [3, 100, 100.0], [], [3, 67, 100.0], [0, 33, 0]]]);
    assert_eq!(compared(&story, parts(json!({}))).await, expected);
    let by_source = parts(json!({ "dimensions": ["visit:source"] }));
    let expected = json!([
        [["Yahoo"], [2, 100, 66.7], ["Yahoo"], [0, 0, 0.0], [100, null, 100]],
        [["Google"], [1, 100, 33.3], ["Google"], [2, 50, 66.7], [-50, 50, -50]],
    ]);
    assert_eq!(compared(&story, by_source).await, expected);
    let by_day = parts(json!({ "metrics": ["visitors"], "dimensions": ["time:day"] }));
    let expected = json!([[["2024-05-04"], [3], ["2024-05-02"], [1], [200]]]);
    assert_eq!(compared(&story, by_day).await, expected);
}
