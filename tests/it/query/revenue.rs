//! Revenue: of which events, in which currency, and how it is written.

use passerby::site::goal::{Goal, GoalKind};
use serde_json::{Value, json};

use super::story::Story;

fn goal(event: &str, currency: Option<&str>) -> Goal {
    let kind = GoalKind::Event(event.into());
    Goal { name: event.into(), kind, currency: currency.map(Into::into) }
}

/// Three purchases of together 201.20 dollars, a gift in yen, and a donation.
async fn shop() -> Story {
    let mut story = Story::new("Etc/UTC").await;
    story.goals = vec![
        goal("Purchase", Some("USD")),
        goal("Donation", Some("EUR")),
        goal("Signup", None),
        Goal { name: "Shop".into(), kind: GoalKind::Page("/shop**".into()), currency: None },
    ];
    let visit = story.visit(1).from("Google").view("01 10:00:00", "/shop");
    let visit = visit.event("01 10:01:00", "Purchase", "/shop").paid(100_000, "USD");
    visit.event("01 10:02:00", "Purchase", "/shop").paid(100_500, "USD");
    let visit = story.visit(2).from("Bing").view("02 11:00:00", "/shop");
    let visit = visit.event("02 11:01:00", "Purchase", "/shop").paid(700, "USD");
    // Not in the currency of the goal, and not worth anything that is told.
    let visit = visit.event("02 11:02:00", "Purchase", "/shop").paid(9_000_000, "JPY");
    visit.event("02 11:03:00", "Purchase", "/shop").event("02 11:04:00", "Signup", "/shop");
    let visit = story.visit(3).from("Bing").view("03 11:00:00", "/");
    // Of an event that no goal with a currency is about.
    visit
        .event("03 11:01:00", "Donation", "/")
        .paid(50_450, "EUR")
        .event("03 11:02:00", "Tip", "/")
        .paid(1_000, "USD");
    story.told().await;
    story
}

fn of_goal(name: &str) -> Value {
    json!([["is", "event:goal", [name]]])
}

const METRICS: [&str; 2] = ["total_revenue", "average_revenue"];

#[tokio::test]
async fn revenue_is_of_the_events_of_the_goal_in_its_currency_and_its_mean_is_truncated() {
    // [21]
    let story = shop().await;
    let query = json!({ "metrics": METRICS, "filters": of_goal("Purchase") });
    let total = json!({ "value": 201.2, "currency": "USD", "short": "$201.2", "long": "$201.20" });
    let average = json!({ "value": 67.066, "currency": "USD", "short": "$67.1", "long": "$67.07" });
    story.check(query, json!([[total, average]])).await;
    let query = json!({ "metrics": ["average_revenue"], "filters": of_goal("Donation") });
    let average = json!({ "value": 50.45, "currency": "EUR", "short": "€50.4", "long": "€50.45" });
    story.check(query, json!([[average]])).await;
    // A goal that brings none does not make a second currency.
    let filters = json!([["is", "event:goal", ["Purchase", "Signup"]]]);
    let answer = story.ask(&json!({ "metrics": METRICS, "filters": filters })).await.unwrap();
    assert_eq!(answer["results"][0]["metrics"][0]["value"], 201.2);
    assert_eq!(answer["meta"], json!({}));
}

#[tokio::test]
async fn by_goal_each_row_is_in_the_currency_of_its_goal() {
    let story = shop().await;
    let query = json!({ "metrics": ["total_revenue", "events"], "dimensions": ["event:goal"] });
    let rows = story.rows(&query).await;
    let row = |row: &Value| json!([row[0], row[1]["value"], row[1]["currency"], row[2]]);
    let rows: Vec<_> = rows.as_array().unwrap().iter().map(row).collect();
    let expected = json!([
        ["Purchase", 201.2, "USD", 5],
        ["Donation", 50.45, "EUR", 1],
        // Nulls sort last.
        ["Shop", null, null, 2],
        ["Signup", null, null, 1],
    ]);
    assert_eq!(json!(rows), expected);
}

#[tokio::test]
async fn several_currencies_have_no_sum_and_a_report_says_why() {
    let story = shop().await;
    let warning = async |query: Value| {
        let answer = story.ask(&query).await.unwrap();
        assert_eq!(answer["results"][0]["metrics"], json!([null, null, 5]));
        let warnings = &answer["meta"]["metric_warnings"];
        assert_eq!(warnings.as_object().unwrap().len(), 2, "{warnings}");
        assert!(warnings["total_revenue"]["warning"].is_string());
        assert_eq!(warnings["total_revenue"], warnings["average_revenue"]);
        warnings["total_revenue"]["code"].clone()
    };
    let metrics = json!(["total_revenue", "average_revenue", "events"]);
    let filters = json!([["is", "event:name", ["Purchase"]]]);
    let query = json!({ "metrics": metrics, "filters": filters });
    assert_eq!(warning(query).await, "no_single_revenue_currency");
    let filters =
        json!([["is", "event:name", ["Purchase", "Signup"]], ["contains", "event:goal", ["p"]]]);
    let answer = story.ask(&json!({ "metrics": METRICS, "filters": filters })).await.unwrap();
    let warnings = &answer["meta"]["metric_warnings"];
    assert_eq!(warnings["total_revenue"]["code"], "no_revenue_goals_matching");
    let answer = story.ask(&json!({ "metrics": ["visitors"], "filters": filters })).await.unwrap();
    assert_eq!(answer["meta"], json!({}), "a report without revenue warns of it");
}

#[tokio::test]
async fn without_a_filter_all_goals_of_one_currency_are_added_up() {
    let mut story = shop().await;
    story.goals.retain(|goal| goal.name != "Donation");
    let query = json!({ "metrics": ["total_revenue"], "dimensions": ["visit:source"] });
    let rows = story.rows(&query).await;
    assert_eq!((&rows[0][0], &rows[0][1]["long"]), (&json!("Google"), &json!("$200.50")));
    assert_eq!((&rows[1][0], &rows[1][1]["long"]), (&json!("Bing"), &json!("$0.70")));
    // Nothing was paid: that is no amount.
    let query = json!({ "metrics": METRICS, "filters": [["is", "visit:source", ["Nobody"]]] });
    story.check(query, json!([[null, null]])).await;
    let query = json!({ "metrics": ["total_revenue"], "dimensions": ["time:day"], "order_by": [["total_revenue", "asc"]] });
    let rows = story.rows(&query).await;
    let values: Vec<_> = rows.as_array().unwrap().iter().map(|row| &row[1]["value"]).collect();
    assert_eq!(json!(values), json!([0.7, 200.5, null]));
    // Buckets in which nothing happened are sorted by the same rules.
    let query = json!({
        "metrics": ["total_revenue"], "dimensions": ["time:day"], "order_by": [["total_revenue", "desc"]],
        "date_range": ["2024-05-01", "2024-05-04"], "include": { "zero_fill": true },
    });
    let rows = story.rows(&query).await;
    let values: Vec<_> = rows.as_array().unwrap().iter().map(|row| &row[1]["value"]).collect();
    assert_eq!(json!(values), json!([200.5, 0.7, null, null]));
}

#[tokio::test]
async fn a_change_of_revenue_is_in_percent_of_its_amount() {
    let story = shop().await;
    let comparisons = json!({ "mode": "custom", "date_range": ["2024-05-01", "2024-05-01"] });
    let query = json!({
        "metrics": METRICS, "filters": of_goal("Purchase"), "date_range": ["2024-05-01", "2024-05-31"],
        "include": { "comparisons": comparisons },
    });
    let answer = story.ask(&query).await.unwrap();
    let comparison = &answer["results"][0]["comparison"];
    assert_eq!(comparison["metrics"][0]["long"], "$200.50");
    assert_eq!(comparison["change"], json!([0, -33]));
}

#[tokio::test]
async fn revenue_cannot_be_broken_down_by_what_only_a_visit_has() {
    let story = shop().await;
    let query = json!({ "metrics": ["total_revenue"], "dimensions": ["visit:entry_page"] });
    let error = story.ask(&query).await.unwrap_err().to_string();
    assert!(error.starts_with("#/metrics/0: Invalid metric \"total_revenue\""), "{error}");
}
