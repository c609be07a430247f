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

#[tokio::test]
async fn where_the_other_period_has_no_such_bucket_nothing_is_told_of_it() {
    // 28 April to 6 May: three weeks, of which the nine days before them have but two.
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/");
    story.visit(2).view("06 10:00:00", "/");
    story.told().await;
    let parts = json!({
        "metrics": ["visitors", "bounce_rate"], "date_range": ["2024-04-28", "2024-05-06"],
        "dimensions": ["time:week"], "include": { "zero_fill": true, "comparisons": { "mode": "previous_period" } },
    });
    let expected = json!([
        [["2024-04-28"], [0, 0], ["2024-04-19"], [0, 0], [0, null]],
        [["2024-04-29"], [1, 100], ["2024-04-22"], [0, 0], [100, null]],
        [["2024-05-06"], [1, 100], [null], [null, null], [null, null]],
    ]);
    assert_eq!(compared(&story, parts).await, expected);
}

#[tokio::test]
async fn of_nobody_there_is_no_share() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).from("Google").view("03 10:00:00", "/");
    story.told().await;
    let share = |dimension: &str, first: &str, last: &str, include: Value| {
        json!({
            "metrics": ["percentage"], "dimensions": [dimension], "include": include,
            "date_range": [format!("2024-05-{first}"), format!("2024-05-{last}")],
        })
    };
    let fill = || json!({ "zero_fill": true });
    let with_somebody = json!([["2024-05-03", 100.0], ["2024-05-04", 0.0]]);
    story.check(share("time:day", "03", "04", fill()), with_somebody).await;
    let of_nobody = json!([["2024-05-05", null], ["2024-05-06", null]]);
    story.check(share("time:day", "05", "06", fill()), of_nobody).await;
    // Nobody was there in the period before, and somebody who did not come by this source in the other one.
    let before = json!({ "comparisons": { "mode": "previous_period" } });
    let expected = json!([[["Google"], [100.0], ["Google"], [null], [null]]]);
    assert_eq!(compared(&story, share("visit:source", "03", "03", before)).await, expected);
}
