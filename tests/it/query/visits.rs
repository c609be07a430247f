//! What a visit is, and what is counted of it.

use serde_json::json;

use super::story::{ALL_METRICS, Story};

#[tokio::test]
async fn a_report_without_dimensions_is_one_row() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).from("Google").view("01 10:00:00", "/").view("01 10:01:40", "/pricing");
    story.visit(1).view("01 15:00:00", "/");
    story.visit(2).view("02 10:00:00", "/").event("02 10:00:30", "Signup", "/");
    story.told().await;
    let metrics = [&ALL_METRICS[..], &["views_per_visit"]].concat();
    story.check(json!({ "metrics": metrics }), json!([[2, 3, 4, 5, 33, 43, 1.33]])).await;
}

#[tokio::test]
async fn without_data_a_report_is_a_row_of_zeros_and_a_breakdown_is_empty() {
    // [19]
    let mut story = Story::new("Etc/UTC").await;
    let metrics = [&ALL_METRICS[..], &["views_per_visit", "percentage"]].concat();
    story.check(json!({ "metrics": metrics }), json!([[0, 0, 0, 0, 0, 0, 0.0, null]])).await;
    story.check(json!({ "metrics": ALL_METRICS, "dimensions": ["visit:source"] }), json!([])).await;
    story.visit(1).view("01 10:00:00", "/");
    story.told().await;
    let range = json!(["2024-04-01", "2024-04-02"]);
    story
        .check(
            json!({ "metrics": metrics, "date_range": range }),
            json!([[0, 0, 0, 0, 0, 0, 0.0, null]]),
        )
        .await;
}

#[tokio::test]
async fn an_event_that_was_stored_twice_counts_once() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/").view("01 10:01:00", "/b");
    story.told().await;
    story.told().await;
    story.check(json!({ "metrics": ALL_METRICS }), json!([[1, 1, 2, 2, 0, 60]])).await;
}

#[tokio::test]
async fn arrival_decides_entry_and_exit_and_the_duration_has_no_sign() {
    // [2]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:10:00", "/first").view("01 10:00:00", "/second");
    story.told().await;
    let dimensions = json!(["visit:entry_page", "visit:exit_page"]);
    let metrics = json!(["visits", "visit_duration"]);
    let expected = json!([["/first", "/second", 1, 600]]);
    story.check(json!({ "metrics": metrics, "dimensions": dimensions }), expected).await;
}

#[tokio::test]
async fn engagement_changes_no_duration_bounce_visit_or_event_count() {
    // [3]
    let mut story = Story::new("Etc/UTC").await;
    let visit =
        story.visit(1).view("01 10:00:00", "/").ping("01 10:20:00", "/").ping("01 10:40:00", "/");
    visit.ping("01 11:00:00", "/").view("01 11:20:00", "/b").ping("01 11:25:00", "/b");
    story.visit(2).view("02 10:00:00", "/").ping("02 10:10:00", "/");
    story.told().await;
    story.check(json!({ "metrics": ALL_METRICS }), json!([[2, 2, 3, 3, 50, 2400]])).await;
    story
        .check(
            json!({ "metrics": ["events"], "dimensions": ["event:name"] }),
            json!([["pageview", 3]]),
        )
        .await;
}

#[tokio::test]
async fn custom_events_make_no_entry_or_exit_and_only_interactive_ones_unmake_a_bounce() {
    // [5]
    let mut story = Story::new("Etc/UTC").await;
    let visit = story.visit(1).on("shop.example").event("01 10:00:00", "Before", "/landing");
    visit.on("example.com").view("01 10:00:01", "/a").event("01 10:00:02", "After", "/away");
    story.visit(2).view("01 11:00:00", "/b").event("01 11:00:01", "Auto", "/b").not_interactive();
    story.visit(3).event("01 12:00:00", "Alone", "/c").not_interactive();
    story.told().await;
    let dimensions = json!([
        "visit:entry_page",
        "visit:exit_page",
        "visit:entry_page_hostname",
        "visit:exit_page_hostname"
    ]);
    let expected = json!([
        ["", "", "", "", 1, 100],
        ["/a", "/a", "example.com", "example.com", 1, 0],
        ["/b", "/b", "example.com", "example.com", 1, 100],
    ]);
    story
        .check(json!({ "metrics": ["visits", "bounce_rate"], "dimensions": dimensions }), expected)
        .await;
}

#[tokio::test]
async fn a_visit_counts_in_every_period_that_it_overlaps() {
    // [6]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 23:50:00", "/a").view("02 00:20:00", "/b");
    story.told().await;
    let on = |from: &str, to: &str| {
        let range = json!([format!("2024-05-{from}Z"), format!("2024-05-{to}Z")]);
        json!({ "metrics": ["visitors", "visits", "visit_duration", "bounce_rate"], "date_range": range })
    };
    let whole = json!([[1, 1, 1800, 0]]);
    story.check(on("01T00:00:00", "01T23:59:59"), whole.clone()).await;
    story.check(on("02T00:00:00", "02T23:59:59"), whole.clone()).await;
    story.check(on("02T00:00:00", "02T00:10:00"), whole).await;
    story.check(on("02T00:20:01", "02T23:59:59"), json!([[0, 0, 0, 0]])).await;
    // Events count where they happened.
    let range = json!(["2024-05-02", "2024-05-02"]);
    story
        .check(json!({ "metrics": ["visits", "pageviews"], "date_range": range }), json!([[1, 1]]))
        .await;
}

#[tokio::test]
async fn with_a_page_filter_bounces_are_of_visits_that_entered_there_and_durations_of_all_that_saw_it()
 {
    // [7], [9]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/a");
    story.visit(2).view("01 11:00:00", "/b").view("01 11:01:40", "/a").view("01 11:03:20", "/c");
    story.told().await;
    let filters = json!([["is", "event:page", ["/a"]]]);
    story
        .check(
            json!({ "metrics": ALL_METRICS, "filters": filters }),
            json!([[2, 2, 2, 2, 100, 100]]),
        )
        .await;
    let filters = json!([["is", "event:page", ["/c"]]]);
    story
        .check(json!({ "metrics": ALL_METRICS, "filters": filters }), json!([[1, 1, 1, 1, 0, 200]]))
        .await;
}

#[tokio::test]
async fn by_page_visitors_go_by_the_pages_seen_and_visit_metrics_by_the_entry_page() {
    // [8]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/a");
    story.visit(2).view("01 11:00:00", "/b").view("01 11:01:40", "/a").view("01 11:03:20", "/c");
    story.visit(3).view("01 12:00:00", "/a").view("01 12:01:00", "/a");
    story.told().await;
    let expected =
        json!([["/a", 3, 3, 4, 4, 50, 30], ["/b", 1, 1, 1, 1, 0, 200], ["/c", 1, 1, 1, 1, 0, 0]]);
    story.check(json!({ "metrics": ALL_METRICS, "dimensions": ["event:page"] }), expected).await;
    // The filter, too, means the entry page where the visit is meant.
    let filters = json!([["is", "event:page", ["/a", "/c"]]]);
    let expected = json!([["/a", 3, 50], ["/c", 1, 0]]);
    let metrics = json!(["visitors", "bounce_rate"]);
    story
        .check(
            json!({ "metrics": metrics, "dimensions": ["event:page"], "filters": filters }),
            expected,
        )
        .await;
}

#[tokio::test]
async fn by_page_the_filters_on_pages_mean_the_entry_page_where_visits_are_meant() {
    // [8]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/a").event("01 10:00:10", "Signup", "/a");
    story.visit(2).view("01 11:00:00", "/a").event("01 11:01:40", "Signup", "/b");
    story.told().await;
    let filters = json!([["is", "event:page", ["/a"]], ["is", "event:name", ["Signup"]]]);
    let metrics = json!(["visitors", "visit_duration"]);
    let query = json!({ "metrics": metrics, "dimensions": ["event:page"], "filters": filters });
    story.check(query, json!([["/a", 1, 55]])).await;
}

#[tokio::test]
async fn a_visit_with_such_an_event_counts_whole_in_the_metrics_of_visits() {
    // [9]
    let mut story = Story::new("Etc/UTC").await;
    story
        .visit(1)
        .view("01 10:00:00", "/a")
        .event("01 10:05:00", "Signup", "/a")
        .view("01 10:10:00", "/b");
    story.visit(2).view("01 11:00:00", "/a");
    story.told().await;
    let filters = json!([["is", "event:name", ["Signup"]], ["is", "visit:entry_page", ["/a"]]]);
    let query = json!({ "metrics": ["visitors", "events", "visit_duration", "bounce_rate"], "filters": filters });
    story.check(query, json!([[1, 1, 600, 0]])).await;
    let query = json!({ "metrics": ["visit_duration", "views_per_visit"], "filters": filters });
    story.check(query, json!([[600, 2.0]])).await;
}

#[tokio::test]
async fn events_of_nobody_count_as_events_and_never_as_visitors_or_visits() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/");
    story.nobody().view("01 11:00:00", "/").event("01 11:00:00", "Signup", "/");
    story.nobody().view("02 11:00:00", "/only");
    story.told().await;
    story.check(json!({ "metrics": ALL_METRICS }), json!([[1, 1, 3, 4, 100, 0]])).await;
    story.check(json!({ "dimensions": ["event:page"] }), json!([["/", 1]])).await;
    let query = json!({ "metrics": ["visitors", "pageviews"], "dimensions": ["event:page"] });
    story.check(query, json!([["/", 1, 2], ["/only", 0, 1]])).await;
    let filters = json!([["has_not_done", ["is", "event:page", ["/only"]]]]);
    story
        .check(json!({ "metrics": ["pageviews", "visits"], "filters": filters }), json!([[3, 1]]))
        .await;
}

#[tokio::test]
async fn what_is_past_the_retention_is_not_shown() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("10 10:00:00", "/");
    story.visit(2).view("20 10:00:00", "/");
    story.told().await;
    // Asked on 15 June: what happened before 16 May is past.
    story.site.retention_days = Some(30);
    story.check(json!({ "metrics": ["visitors"] }), json!([[1]])).await;
    story.check(json!({ "metrics": ["pageviews"] }), json!([[1]])).await;
}

#[tokio::test]
async fn numbers_are_rounded_to_what_their_metric_has_and_a_missing_one_comes_last() {
    // [20], [23]
    let mut story = Story::new("Etc/UTC").await;
    // Of eight visits one goes on: 87.5 percent bounce, and the even neighbour of a half is taken.
    story.visit(1).view("01 10:00:00", "/").view("01 10:00:20", "/b").ping("01 10:00:30", "/b");
    for visitor in 2..9 {
        story.visit(visitor).view("01 11:00:00", "/");
    }
    story.told().await;
    let query = json!({ "metrics": ["bounce_rate", "visit_duration", "views_per_visit"] });
    story.check(query, json!([[88, 2, 1.12]])).await;
    let query = json!({ "metrics": ["visitors", "percentage"], "dimensions": ["event:page"] });
    story.check(query, json!([["/", 8, 100.0], ["/b", 1, 12.5]])).await;
    let by_attention = |direction: &str| {
        json!({
            "metrics": ["time_on_page"], "dimensions": ["event:page"], "order_by": [["time_on_page", direction]],
        })
    };
    for direction in ["asc", "desc"] {
        story.check(by_attention(direction), json!([["/b", 5], ["/", null]])).await;
    }
}
